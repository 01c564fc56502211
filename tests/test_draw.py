"""Drawings: heat where a score comes from, and one picture laid on another by their map."""

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import draw, trace_scales

GREY = np.full((60, 100, 3), 200, np.uint8)


def _lightness(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE L* of colours from 0 to 255."""
    linear = np.where(rgb > 10.31, ((rgb / 255 + 0.055) / 1.055) ** 2.4, rgb / 255 / 12.92)
    y = linear @ np.array([0.2126, 0.7152, 0.0722])
    return np.where(y > 0.008856, 116 * np.cbrt(y) - 16, 903.3 * y)


def test_heat_rises_evenly_in_lightness() -> None:
    steps = np.diff(_lightness(draw.ramp(np.linspace(0, 1, 33))))
    assert steps.min() > 0
    assert steps.max() < 2.5 * steps.min()
    np.testing.assert_allclose(draw.ramp(np.array([0.0, 1.0])), [draw.HEAT[0], draw.HEAT[-1]])


def test_the_most_heat_lies_where_most_comes_from() -> None:
    xy = np.array([[20, 10], [80, 40], [81, 40]], np.float32)
    drawn = draw.heat(GREY, xy, np.array([1.0, 0.8, 0.8]))
    assert drawn.shape == GREY.shape and drawn.dtype == np.uint8
    light = _lightness(drawn.astype(float))
    row, column = np.unravel_index(int(light.argmax()), light.shape)
    assert abs(column - 80.5) <= 1 and abs(row - 40) <= 1
    assert (drawn[30, 50] == 120).all(), "the dimmed grey picture between"
    assert drawn[10, 20, 0] > drawn[10, 20, 2], "some heat at the other"
    assert (GREY == 200).all()


def test_heat_keeps_to_the_scale_of_the_picture() -> None:
    xy, values = np.array([[161.5, 81.5]], np.float32), np.ones(1)
    np.testing.assert_array_equal(
        draw.heat(GREY, xy, values, 0.5), draw.heat(GREY, (xy + 0.5) / 2 - 0.5, values)
    )


@pytest.mark.parametrize(
    ("xy", "values"),
    [
        (np.zeros((0, 2), np.float32), np.zeros(0)),
        (np.array([[20, 20]], np.float32), np.zeros(1)),
        (np.array([[20, 20]], np.float32), np.array([-1.0])),
        (np.array([[-900, 1e9]], np.float32), np.ones(1)),
    ],
)
def test_without_heat_the_grey_picture_is_left(
    xy: NDArray[np.float32], values: NDArray[np.float64]
) -> None:
    assert (draw.heat(GREY, xy, values) == 120).all()


def test_heat_from_just_outside_reaches_in() -> None:
    drawn = draw.heat(GREY, np.array([[-2, 30]], np.float32), np.ones(1))
    assert not (drawn[30, 0] == 120).all() and (drawn[30, 20] == 120).all()


def _smooth(height: int, width: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[:height, :width]
    waves = [127 + 100 * np.sin(x / a) * np.cos(y / b) for a, b in ((17, 23), (29, 19), (41, 37))]
    return np.stack(waves, -1).astype(np.uint8)


def test_what_is_laid_on_the_query_is_the_query() -> None:
    picture = _smooth(240, 320)
    query = np.rot90(picture[40:200, 60:300])  # a part, turned by 90 degrees
    # Pixel (x, y) of the query shows pixel (299 - y, 40 + x) of the picture.
    affine = np.array([[0.0, -1.0, 299.0], [1.0, 0.0, 40.0]])
    warped = draw.warp(picture, affine, (query.shape[1], query.shape[0]))
    np.testing.assert_array_equal(warped, query)


def test_what_lies_outside_the_picture_is_grey() -> None:
    affine = np.array([[1.0, 0.0, -50.0], [0.0, 1.0, 0.0]])
    warped = draw.warp(_smooth(60, 100), affine, (100, 60))
    assert (warped[:, :49] == 128).all()
    np.testing.assert_array_equal(warped[:, 50:], _smooth(60, 100)[:, :50])


def test_smaller_copies_are_laid_where_the_originals_would_be() -> None:
    """Halves cover two pixels each: no half pixel may be lost between the scales."""
    picture = _smooth(240, 320)
    affine = np.array([[1.1, -0.3, 20.5], [0.3, 1.1, -12.25]])
    whole = draw.warp(picture, affine, (200, 160)).astype(float)
    half = picture.reshape(120, 2, 160, 2, 3).mean((1, 3)).astype(np.uint8)
    expected = whole.reshape(80, 2, 100, 2, 3).mean((1, 3))
    from_half = draw.warp(half, affine, (100, 80), scale=0.5, query_scale=0.5)
    from_whole = draw.warp(picture, affine, (100, 80), query_scale=0.5)
    for found in (from_half, from_whole):
        inside = (slice(15, 70), slice(15, 90))
        assert np.abs(found[inside] - expected[inside]).mean() < 1.0, "grey levels"


def test_a_picture_too_long_to_warp_is_shrunk() -> None:
    long = np.full((4, 33_000, 3), 90, np.uint8)
    warped = draw.warp(long, np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), (50, 3))
    assert (warped[1, 1:] == 90).all()


def test_responses_are_grey_up_to_the_threshold_and_coloured_above() -> None:
    values = np.array([[-5, 0, 50, 100], [101, 1000, 5000, 10_000]], np.float32)
    palette = draw.response_palette().astype(int)
    drawn = palette[draw.responses(values, 100.0)]
    assert (drawn[0].max(axis=1) == drawn[0].min(axis=1)).all()
    assert drawn[0, :2].max() == 0 < drawn[0, 2, 0] < drawn[0, 3, 0]
    assert (drawn[1].max(axis=1) - drawn[1].min(axis=1) > 30).all()
    assert tuple(drawn[1, 3]) == draw.HEAT[-1]
    assert draw.responses(np.zeros((2, 3), np.float32), 0.0).max() == 0


def test_an_integral_image_is_drawn_from_black_to_white() -> None:
    table = trace_scales.integral(np.full((8, 9), 7, np.uint8))
    drawn = draw.integral(table)
    assert drawn.shape == (9, 10)
    assert drawn[0, 0] == 0 and drawn[-1, -1] == 255
    assert (np.diff(drawn.astype(int), axis=0) >= 0).all()
    assert draw.integral(np.zeros((3, 3), np.int32)).max() == 0
