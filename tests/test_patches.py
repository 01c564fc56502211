"""Patches are means of bilinear samples, also at the border and far beyond it."""

from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from engine import patches
from tests import naive
from tests.uncompiled import said


def one(image, xy, size, angle, side=32):
    """The patch of one keypoint."""
    place, *rest = (np.array([value], np.float32) for value in (xy, size, angle))
    return patches.cut(image, place, *rest, side)[0]


def _worst() -> int:
    """Greatest difference from the slow twin over windows small, large, turned and outside."""
    random = np.random.default_rng(3)
    gray = random.integers(0, 256, (41, 57)).astype(np.uint8)
    worst = 0
    for size in (2.0, 5.7, 11.3, 20.0):
        xy = random.uniform(-8, 60, 2).astype(np.float32)
        angle = float(np.float32(random.uniform(0, 360)))
        cut = one(gray, xy, float(np.float32(size)), angle, 12)
        expected = naive.patch(gray, xy, float(np.float32(size)), angle, 12)
        worst = max(worst, int(np.abs(cut.astype(int) - expected).max()))
    return worst


def test_a_patch_is_the_slow_one_within_a_level() -> None:
    assert _worst() <= 1


def test_a_patch_is_the_same_uncompiled() -> None:
    code = "from tests.test_patches import _worst; assert _worst() <= 1"
    said(code, compiled=False)


@pytest.mark.parametrize("size", [10.0, 1e30])
@pytest.mark.parametrize("x", [-1e30, 1e30])
def test_places_and_windows_beyond_measure_show_the_edge(x: float, size: float) -> None:
    """Whole numbers overflow where floats do not."""
    gray = np.full((9, 9), 30, np.uint8)
    gray[:, -1] = 200
    cut = one(gray, (x, 4.0), size, 0.0, 8)
    if size < 1e9:
        assert (cut == (200 if x > 0 else 30)).all()


def test_one_pixel_is_a_picture_too() -> None:
    cut = one(np.full((1, 1, 3), (1, 2, 3), np.uint8), (0.3, 0.0), 40.0, 10.0, 4)
    assert (cut == (1, 2, 3)).all()


def test_a_patch_of_the_windows_own_size_is_the_picture(
    photographs: dict[str, Pillow.Image],
) -> None:
    gray = np.asarray(photographs["astronaut"].convert("L"))[:200, :200]
    crop = gray[85:117, 65:97]
    xy, size = (80.5, 100.5), 32 / 2.8
    for quarters in range(4):
        cut = one(gray, xy, size, 90.0 * quarters)
        np.testing.assert_allclose(cut.astype(int), np.rot90(crop, quarters).astype(int), atol=1)


def test_a_patch_averages_over_its_pixels() -> None:
    """A fine checkerboard turns gray, instead of into a pattern that is not there."""
    board = (np.indices((300, 300)).sum(0) % 2 * 255).astype(np.uint8)
    cut = one(board, (150, 150), 256 / 2.8, 30.0)
    assert cut.shape == (32, 32)
    assert np.abs(cut.astype(int) - 127).max() < 25


def test_patches_of_colour_are_those_of_each_channel() -> None:
    random = np.random.default_rng(5)
    colour = random.integers(0, 256, (90, 110, 3)).astype(np.uint8)
    xy = random.uniform(-5, 110, (9, 2)).astype(np.float32)
    size = random.uniform(4, 60, 9).astype(np.float32)
    angle = random.uniform(0, 360, 9).astype(np.float32)
    together = patches.cut(colour, xy, size, angle, 16)
    assert together.shape == (9, 16, 16, 3)
    for channel in range(3):
        plane = patches.cut(colour[..., channel], xy, size, angle, 16)
        np.testing.assert_array_equal(together[..., channel], plane)
    np.testing.assert_array_equal(
        one(colour, xy[3], float(size[3]), float(angle[3]), 16), together[3]
    )


def test_patches_at_the_border_repeat_its_pixels() -> None:
    gray = np.full((40, 40), 77, np.uint8)
    gray[:, 0] = 200
    outside = one(gray, (-100, 20), 12, 0)
    assert (outside == 200).all()
    assert patches.cut(gray, np.zeros((0, 2)), np.zeros(0), np.zeros(0)).shape == (0, 32, 32)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((5, 5)), (1, 1), 5, 0), "image must be a uint8"),
        ((np.zeros((5, 5, 2), np.uint8), (1, 1), 5, 0), "image must have the shape"),
        ((np.zeros((9, 9), np.uint8), (1, 1), 0, 0), "size must be above 0"),
        ((np.zeros((9, 9), np.uint8), (1, 1), 5, 0, 0), "side must be from 1"),
        ((np.zeros((9, 9), np.uint8), (1, np.inf), 5, 0), "must be finite"),
    ],
)
def test_wrong_patches_are_named(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        one(*arguments)
