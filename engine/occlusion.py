"""Which parts of a picture a network goes by: cover them, and see what the score loses.

Zeiler, Fergus, "Visualizing and understanding convolutional networks", ECCV 2014: a patch of one
colour is moved over the picture, and what the network makes of the rest is compared.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

N_CELLS = 8  # along the longer side
_WINDOW = 2  # cells that are covered at once, each way

Area = tuple[float, float, float, float]


def cover(rgb: NDArray[np.uint8], areas: Sequence[Area]) -> NDArray[np.uint8]:
    """Paint parts of a picture over with its mean colour.

    Parameters
    ----------
    rgb : (H, W, 3) uint8 array
    areas : sequence of (left, top, right, bottom)
        In pixels; what lies outside the picture covers nothing.

    Returns
    -------
    (H, W, 3) uint8 array
        A copy.
    """
    covered = rgb.copy()
    mean = np.rint(rgb.reshape(-1, 3).mean(axis=0)).astype(np.uint8)
    for left, top, right, bottom in areas:
        rows = slice(max(0, int(np.floor(top))), max(0, int(np.ceil(bottom))))
        covered[rows, max(0, int(np.floor(left))) : max(0, int(np.ceil(right)))] = mean
    return covered


def grid(width: int, height: int) -> tuple[int, int]:
    """Return how many columns and rows of nearly square cells a picture has, each at least 2."""
    side = max(width, height) / N_CELLS
    return max(_WINDOW, round(width / side)), max(_WINDOW, round(height / side))


def losses(
    rgb: NDArray[np.uint8],
    score_of: Callable[[NDArray[np.uint8]], float],
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float64]:
    """Return what a score loses where the picture is covered.

    Parameters
    ----------
    rgb : (H, W, 3) uint8 array
    score_of : callable
        Gives the score of a picture of this size.
    progress : callable or None
        Told how many pictures of how many are done.

    Returns
    -------
    (rows, columns) float64 array
        One number a cell of `grid`: the mean loss over the windows of 2 x 2 cells that cover it.
        Below 0 where the score is better without.
    """
    height, width = rgb.shape[:2]
    n_columns, n_rows = grid(width, height)
    x, y = np.linspace(0, width, n_columns + 1), np.linspace(0, height, n_rows + 1)
    whole = score_of(rgb)
    total, counts = np.zeros((n_rows, n_columns)), np.zeros((n_rows, n_columns))
    corners = [(i, j) for i in range(n_rows - 1) for j in range(n_columns - 1)]
    for n_done, (i, j) in enumerate(corners, 1):
        area = (x[j], y[i], x[j + _WINDOW], y[i + _WINDOW])
        lost = whole - score_of(cover(rgb, [area]))
        total[i : i + _WINDOW, j : j + _WINDOW] += lost
        counts[i : i + _WINDOW, j : j + _WINDOW] += 1
        if progress is not None:
            progress(n_done, len(corners))
    return total / counts
