"""Loop of SURF's descriptor: the gradients of a 21 x 21 patch, summed over 4 x 4 cells.

Indices are unsigned: Numba wraps negative ones, and that test would keep LLVM from vectorising.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.kernels import inlined, kernel


class Cells(NamedTuple):
    """How gradients count: constants.

    Fields
    ------
    weights : (420,) float32
        Gaussian weights of the 20 x 21 gradients; the last column of each row is zero.
    members : (25 * 16,) int64
        The gradients of each cell: member k of cell c at 16 k + c.
    """

    weights: NDArray[np.float32]
    members: NDArray[np.int64]


class Room(NamedTuple):
    """Room for one thread.

    Fields
    ------
    dx, dy : (420,) float32
        Weighted gradients.
    cell_dx, cell_dy : (400,) float32
        The same in the order of `Cells.members`.
    bins : (8 * 16,) float32
        Sums of each cell: sum k of cell c at 16 k + c.
    """

    dx: NDArray[np.float32]
    dy: NDArray[np.float32]
    cell_dx: NDArray[np.float32]
    cell_dy: NDArray[np.float32]
    bins: NDArray[np.float32]


@inlined
def _fill_descriptor(
    cells: Cells,
    room: Room,
    patches: NDArray[np.float32],
    source: np.uint64,
    extended: bool,
    descriptors: NDArray[np.float32],
    target: int,
) -> None:
    """Sum the gradients of a patch over 4 x 4 cells and normalise."""
    n = np.uint64(room.dx.shape[0])
    right = np.uint64(1)
    below = np.uint64(21)
    across = np.uint64(22)
    for q in range(n):
        rise = patches[source + q + across] - patches[source + q]
        slant = patches[source + q + right] - patches[source + q + below]
        room.dx[q] = (rise + slant) * cells.weights[q]
        room.dy[q] = (rise - slant) * cells.weights[q]
    bins = room.bins
    for k in range(np.uint64(bins.shape[0])):
        bins[k] = 0
    n_cells = np.uint64(bins.shape[0] // 8)
    n_bins = 8 if extended else 4
    zero = np.float32(0)
    # Reads from the unknown, apart since LLVM cannot vectorise a store behind a load whose place it
    # does not know.
    for k in range(np.uint64(cells.members.shape[0])):
        at = np.uint64(cells.members[k])
        room.cell_dx[k] = room.dx[at]
        room.cell_dy[k] = room.dy[at]
    for member in range(cells.members.shape[0] // 16):
        base = np.uint64(16 * member)
        for c in range(n_cells):
            dx = room.cell_dx[base + c]
            dy = room.cell_dy[base + c]
            if extended:
                bins[c] += dx if dy >= zero else zero
                bins[c + np.uint64(16)] += abs(dx) if dy >= zero else zero
                bins[c + np.uint64(32)] += dx if dy < zero else zero
                bins[c + np.uint64(48)] += abs(dx) if dy < zero else zero
                bins[c + np.uint64(64)] += dy if dx >= zero else zero
                bins[c + np.uint64(80)] += abs(dy) if dx >= zero else zero
                bins[c + np.uint64(96)] += dy if dx < zero else zero
                bins[c + np.uint64(112)] += abs(dy) if dx < zero else zero
            else:
                bins[c] += dx
                bins[c + np.uint64(16)] += dy
                bins[c + np.uint64(32)] += abs(dx)
                bins[c + np.uint64(48)] += abs(dy)
    square = np.float64(0)
    for c in range(16):
        for k in range(n_bins):
            value = bins[np.uint64(16 * k + c)]
            square += np.float64(value * value)
    scale = np.float32(np.float64(1) / (np.sqrt(square) + np.float64(1.1920929e-7)))
    for c in range(16):
        for k in range(n_bins):
            descriptors[np.uint64(target + n_bins * c + k)] = bins[np.uint64(16 * k + c)] * scale


@kernel
def describe(
    cells: Cells,
    room: Room,
    patches: NDArray[np.float32],
    angles: NDArray[np.float32],
    rows: NDArray[np.int64],
    extended: bool,
    descriptors: NDArray[np.float32],
) -> None:
    """Describe some patches, each into the row of its keypoint.

    Parameters
    ----------
    cells, room
        Constants, and room for this thread.
    patches : (448 * n,) float32
        21 x 21 pixels for each row, and a gap of seven values.
    angles : (N,) float32
        Keypoints with an angle below 0 are passed over.
    rows : (n,) int64
        Which keypoints.
    extended : bool
        128 values a descriptor instead of 64.
    descriptors : (N * D,) float32
        Receives the descriptors.
    """
    length = 128 if extended else 64
    for k in range(rows.shape[0]):
        if angles[rows[k]] >= 0:
            source = np.uint64(448 * k)
            _fill_descriptor(cells, room, patches, source, extended, descriptors, length * rows[k])
