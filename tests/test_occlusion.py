"""Covering a picture part by part: what is covered, and what a score loses."""

import numpy as np
import pytest

from engine import draw, occlusion


def test_a_part_is_painted_with_the_mean_and_the_rest_stays():
    rgb = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    before = rgb.copy()
    covered = occlusion.cover(rgb, [(10, 5, 20, 15), (50.5, 30.2, 99, 99)])
    assert (rgb == before).all()
    mean = np.rint(rgb.reshape(-1, 3).mean(axis=0))
    hidden = np.zeros((40, 60), bool)
    hidden[5:15, 10:20] = True
    hidden[30:, 50:] = True
    assert (covered[hidden] == mean).all()
    assert (covered[~hidden] == rgb[~hidden]).all()
    assert (occlusion.cover(rgb, [(-9, -9, -1, -1), (70, 5, 80, 9)]) == rgb).all()


@pytest.mark.parametrize(
    ("size", "cells"),
    [((800, 600), (8, 6)), ((600, 800), (6, 8)), ((512, 512), (8, 8)), ((4000, 10), (8, 2))],
)
def test_cells_are_nearly_square(size, cells):
    assert occlusion.grid(*size) == cells


def test_what_matters_is_where_the_score_falls():
    rgb = np.zeros((60, 80, 3), np.uint8)
    rgb[20:30, 50:60] = 255  # all that the score looks at
    seen = []

    def score(picture):
        seen.append(picture)
        return float((picture[20:30, 50:60] > 200).mean())

    lost = occlusion.losses(rgb, score)
    assert lost.shape == (6, 8) and len(seen) == 1 + 5 * 7
    assert np.unravel_index(lost.argmax(), lost.shape) == (2, 5)
    assert lost[2, 5] == 1 and (lost >= 0).all()
    assert lost[:1].max() == lost[:, :4].max() == lost[4:].max() == 0


def test_losses_are_means_over_the_squares_that_cover_a_cell():
    rgb = np.random.default_rng(1).integers(0, 256, (48, 64, 3)).astype(np.uint8)
    weights = np.random.default_rng(2).standard_normal((48, 64, 1))

    def score(picture):
        return float((picture * weights).sum())

    told = []
    lost = occlusion.losses(rgb, score, lambda done, of: told.append((done, of)))
    assert told == [(i, 35) for i in range(1, 36)]
    expected = np.zeros((6, 8))
    for i in range(6):
        for j in range(8):
            windows = [(a, b) for a in (i - 1, i) for b in (j - 1, j) if 0 <= a < 5 and 0 <= b < 7]
            expected[i, j] = np.mean(
                [
                    score(rgb)
                    - score(occlusion.cover(rgb, [(8 * b, 8 * a, 8 * b + 16, 8 * a + 16)]))
                    for a, b in windows
                ]
            )
    assert lost == pytest.approx(expected)


def test_cells_glow_where_they_lose_most():
    rgb = np.full((60, 80, 3), 100, np.uint8)
    values = np.zeros((6, 8))
    values[2, 5] = 0.5
    values[4, 1] = -3
    drawn = draw.heat_cells(rgb, values)
    brightness = drawn.astype(int).sum(axis=2)
    top, left = np.unravel_index(brightness.argmax(), brightness.shape)
    assert 20 <= top < 30 and 50 <= left < 60
    assert (drawn[45, 15] == drawn[0, 0]).all(), "what gains shows no heat"
    assert (draw.heat_cells(rgb, np.zeros((6, 8))) == drawn[0, 0]).all()
