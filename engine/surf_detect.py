"""SURF's detector: where the determinant of the Hessian is largest, in place and scale."""

from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.kernels import surf_detect
from engine.threads import Task

# What is compiled before the first keypoint is found.
KERNELS = (surf_detect.integrate, surf_detect.part_columns, surf_detect.find_maxima)

# Template of the 9 x 9 filter: (x1, y1, x2, y2, weight), half open.
BOXES = (
    (0, 2, 3, 7, 1),
    (3, 2, 6, 7, -2),
    (6, 2, 9, 7, 1),
    (2, 0, 7, 3, 1),
    (2, 3, 7, 6, -2),
    (2, 6, 7, 9, 1),
    (1, 1, 4, 4, 1),
    (5, 1, 8, 4, -1),
    (1, 5, 4, 8, -1),
    (5, 5, 8, 8, 1),
)


def integral(plane: NDArray[np.uint8], table: NDArray[np.int32]) -> None:
    """Sum up an image; sums above 2^31 wrap, which their differences undo.

    Parameters
    ----------
    plane : (H, W) uint8 array
        The image, row by row in memory.
    table : ((H + 1) * (W + 1),) int32 array
        Receives the sums over all pixels above and left of each corner.
    """
    height, width = plane.shape
    table[: width + 1] = 0
    surf_detect.integrate(plane.reshape(-1), width, 0, height, table)


def n_searched(shape: tuple[int, ...], n_octaves: int) -> int:
    """Return how many octaves are searched: none whose first filter is larger than the picture."""
    return next((i for i in range(n_octaves) if (15 << i) > min(shape)), n_octaves)


def tasks(
    table: NDArray[np.int32],
    shape: tuple[int, int],
    threshold: float,
    n_octaves: int,
    n_layers: int,
    mask: tuple[NDArray[np.uint8], NDArray[np.int32]] | None,
    n_bands: int,
    found: Callable[[int, int, NDArray[np.float32]], Iterable[Task]],
) -> list[Task]:
    """Cut the search for keypoints into tasks.

    Parameters
    ----------
    table : ((H + 1) * (W + 1),) int32 array
        Integral image.
    shape : tuple
        Height and width of the image, in pixels.
    threshold : float
        Least determinant.
    n_octaves, n_layers : int
        Doublings of the filter side, and searched layers in each.
    mask : tuple, optional
        Where to look: an (H, W) uint8 array of zeros and ones, and its integral image.
    n_bands : int
        At most so many tasks an octave.
    found : callable
        Called with octave, first row of the grid, and (n, 5) float32 rows of x, y, size,
        response and sign, once for each band; returns the tasks that follow.

    Returns
    -------
    list of callables
    """
    height, width = shape
    result: list[Task] = []
    for index in range(n_searched(shape, n_octaves)):
        octave = octave_of(width, height, index, n_layers)

        def search(parted: NDArray[np.int32], octave: surf_detect.Octave, index: int) -> list[Task]:
            whole = octave._replace(table=parted)
            first = int(octave.margin[1])
            # Each band computes two rows that its neighbours compute too.
            wanted = min(n_bands, octave.rows // 24 + 1)
            cuts = np.linspace(first, max(first, octave.rows - first), wanted + 1).astype(int)
            return [
                partial(_search, whole, index, np.float32(threshold), mask, low, high, found)
                for low, high in pairwise(cuts.tolist())
                if high > low
            ]

        if index == 0:
            result += search(table, octave, index)
        else:
            result.append(partial(_part, table, shape, octave, index, search))
    return result


def order(rows: NDArray[np.float32], octave: NDArray[np.int32]) -> NDArray[np.int64]:
    """Sort keypoints as OpenCV does.

    Parameters
    ----------
    rows : (N, 5) float32 array
        Their x, y, size, response and sign.
    octave : (N,) int32 array
        Their octaves.

    Returns
    -------
    (N,) int64 array
        Rows by falling response; ties by falling size, octave and y, then by rising x.
    """
    x, y, size, response = rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3]
    sorted_ = np.argsort(-response, kind="stable")
    if (np.diff(response[sorted_]) == 0).any():
        sorted_ = np.lexsort((x, -y, -octave, -size, -response))
    return sorted_


def _part(
    table: NDArray[np.int32],
    shape: tuple[int, int],
    octave: surf_detect.Octave,
    index: int,
    search: Callable[[NDArray[np.int32], surf_detect.Octave, int], list[Task]],
) -> list[Task]:
    """Regroup the integral image by an octave's step, then search it."""
    height, width = shape
    parted = np.empty((height + 1) * octave.width * octave.step, np.int32)
    surf_detect.part_columns(table, width + 1, octave.step, octave.width, 0, height + 1, parted)
    return search(parted, octave, index)


def _search(
    octave: surf_detect.Octave,
    index: int,
    threshold: np.float32,
    mask: tuple[NDArray[np.uint8], NDArray[np.int32]] | None,
    first: int,
    last: int,
    found: Callable[[int, int, NDArray[np.float32]], Iterable[Task]],
) -> Iterable[Task]:
    """Search a band of rows of an octave."""
    n_layers = len(octave.first)
    ring = np.empty(3 * n_layers * octave.columns + 2, np.float32)
    words = np.empty(octave.columns // 8 + 2, np.uint64)
    # No two maxima of a layer touch, so a block of 2 x 2 cells holds at most one.
    most = ((last - first) // 2 + 1) * (octave.columns // 2 + 1) * (n_layers - 2)
    keypoints = np.empty((most, 5), np.float32)
    n = surf_detect.find_maxima(
        octave,
        first,
        last,
        threshold,
        np.zeros(1, np.int32) if mask is None else mask[1],
        0 if mask is None else mask[0].shape[1] + 1,
        ring,
        words.view(np.uint8),
        words,
        np.empty(9, np.int64),
        keypoints.reshape(-1),
    )
    rows = keypoints[:n].copy()
    if mask is not None:
        x, y = np.rint(rows[:, :2]).astype(int).T
        rows = rows[mask[0][y, x] != 0]
    return found(index, first, rows)


@lru_cache(maxsize=64)
def octave_of(width: int, height: int, index: int, n_layers: int) -> surf_detect.Octave:
    """Lay out one octave, its table still empty; the kernels only read the arrays."""
    step = 1 << index
    block = -(-(width + 1) // step)
    side = (9 + 6 * np.arange(n_layers + 2, dtype=np.int64)) << index
    ratio = side.astype(np.float32) / np.float32(9)
    ticks = np.rint(ratio[:, None] * np.arange(10, dtype=np.float32)).astype(np.int64)
    weights = np.empty((n_layers + 2, 10), np.float32)
    for box, (x1, y1, x2, y2, weight) in enumerate(BOXES):
        area = (ticks[:, x2] - ticks[:, x1]) * (ticks[:, y2] - ticks[:, y1])
        weights[:, box] = np.float32(weight) / area.astype(np.float32)
    first = side // 2 // step
    fits = (side <= width) & (side <= height)
    margin = np.append(first[1:] + 1, 0)
    return surf_detect.Octave(
        table=np.empty(0, np.int32),
        step=step,
        width=block,
        rows=height // step,
        columns=width // step,
        columns_at=ticks % step * block + ticks // step,
        rows_at=ticks * (step * block),
        weights=weights,
        first=first,
        n_rows=np.where(fits, (height - side) // step + 1, 0),
        n_columns=np.where(fits, (width - side) // step + 1, 0),
        side=side,
        side_step=6 << index,
        margin=margin,
    )
