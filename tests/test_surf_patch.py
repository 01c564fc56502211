"""Patches are means of bilinear samples, also at the border and far beyond it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine import surf
from tests import naive

ROOT = Path(__file__).resolve().parents[1]


def _worst() -> int:
    """Greatest difference from the slow twin over windows small, large, turned and outside."""
    random = np.random.default_rng(3)
    gray = random.integers(0, 256, (41, 57)).astype(np.uint8)
    worst = 0
    for size in (2.0, 5.7, 11.3, 20.0):
        xy = random.uniform(-8, 60, 2).astype(np.float32)
        angle = float(np.float32(random.uniform(0, 360)))
        cut = surf.patch(gray, xy, float(np.float32(size)), angle, 12)
        expected = naive.patch(gray, xy, float(np.float32(size)), angle, 12)
        worst = max(worst, int(np.abs(cut.astype(int) - expected).max()))
    return worst


def test_a_patch_is_the_slow_one_within_a_level() -> None:
    assert _worst() <= 1


def test_a_patch_is_the_same_uncompiled() -> None:
    code = "from tests.test_surf_patch import _worst; assert _worst() <= 1"
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)


@pytest.mark.parametrize("size", [10.0, 1e30])
@pytest.mark.parametrize("x", [-1e30, 1e30])
def test_places_and_windows_beyond_measure_show_the_edge(x: float, size: float) -> None:
    """Whole numbers overflow where floats do not."""
    gray = np.full((9, 9), 30, np.uint8)
    gray[:, -1] = 200
    cut = surf.patch(gray, (x, 4.0), size, 0.0, 8)
    if size < 1e9:
        assert (cut == (200 if x > 0 else 30)).all()


def test_one_pixel_is_a_picture_too() -> None:
    cut = surf.patch(np.full((1, 1, 3), (1, 2, 3), np.uint8), (0.3, 0.0), 40.0, 10.0, 4)
    assert (cut == (1, 2, 3)).all()
