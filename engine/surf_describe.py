"""SURF's orientation and descriptor: what the picture looks like around a keypoint."""

import threading
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine import surf_detect
from engine.kernels import surf_describe, surf_orient, surf_window
from engine.threads import Task

# What is compiled before the first keypoint is described.
KERNELS = (
    surf_window.pack_quads,
    surf_orient.orient,
    surf_window.cut_windows,
    surf_describe.describe,
)

# A task does about so many window pixels, which takes some milliseconds, and so many keypoints,
# whose patches then stay in the processor's cache.
_PIXELS_AT_ONCE = 2_000_000
_KEYPOINTS_AT_ONCE = 256
# What orientation and cells cost, in window pixels.
_PIXELS_A_KEYPOINT = 4000


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """An image in the forms that SURF reads.

    Fields
    ------
    width, height : int
        In pixels.
    table : ((H + 1) * (W + 1),) int32
        Integral image, row by row.
    quads : (H * W,) uint32
        A pixel, its right, lower and lower right neighbour, from the lowest byte to the highest.
    rooms : dict
        Memory of each thread at work, by its id.
    """

    width: int
    height: int
    table: NDArray[np.int32]
    quads: NDArray[np.uint32]
    rooms: dict[int, "Room"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """Memory of one thread for windows of up to `side` pixels and `n` keypoints at once."""

    side: int
    n: int
    orient: surf_orient.Room
    window: surf_window.Room
    cells: surf_describe.Room
    patches: NDArray[np.float32]


def empty_canvas(plane: NDArray[np.uint8]) -> Canvas:
    """Make room for an image; `fill` puts it there.

    Parameters
    ----------
    plane : (H, W) uint8 array

    Returns
    -------
    Canvas
    """
    height, width = plane.shape
    table = np.empty((height + 1) * (width + 1), np.int32)
    return Canvas(width, height, table, np.empty(height * width, np.uint32))


def fill(plane: NDArray[np.uint8], canvas: Canvas, n_bands: int) -> list[Task]:
    """Cut the filling of a canvas into tasks.

    Parameters
    ----------
    plane : (H, W) uint8 array
        The image, row by row in memory.
    canvas : Canvas
        Receives it.
    n_bands : int
        Bands of rows, at least 1.

    Returns
    -------
    list of callables
    """
    cuts = np.linspace(0, canvas.height, min(n_bands, canvas.height) + 1).astype(int).tolist()
    pack = partial(surf_window.pack_quads, plane.reshape(-1), canvas.width, canvas.height)
    return [
        partial(surf_detect.integral, plane, canvas.table),
        *(partial(pack, low, high, canvas.quads) for low, high in pairwise(cuts)),
    ]


def tasks(
    canvas: Canvas,
    xy: NDArray[np.float32],
    size: NDArray[np.float32],
    upright: bool,
    angles: NDArray[np.float32],
    descriptors: NDArray[np.float32],
) -> list[Task]:
    """Cut the description of keypoints into tasks, each for neighbours in the image.

    Parameters
    ----------
    canvas : Canvas
        The image.
    xy, size : (N, 2) and (N,) float32 arrays
        Keypoints, in pixels.
    upright : bool
        Whether to leave out the search for a direction.
    angles : (N,) float32 array
        Receives degrees, -1 for a keypoint without room, whose descriptor is left as it is.
    descriptors : (N, 64) or (N, 128) float32 array
        Receives the descriptors.

    Returns
    -------
    list of callables
    """
    if len(size) == 0:
        return []
    x, y = np.ascontiguousarray(xy.T)
    # Windows of keypoints that do not fit into the image are never opened.
    sides = np.minimum(window_sides(size), 6 * (min(canvas.width, canvas.height) + 8))
    largest = int(sides.max())
    rows = np.lexsort((x, y // 64))
    cost = np.cumsum(sides[rows] ** 2 + float(_PIXELS_A_KEYPOINT))
    n_tasks = int(max(cost[-1] // _PIXELS_AT_ONCE, len(size) // _KEYPOINTS_AT_ONCE)) + 1
    cuts = np.searchsorted(cost, cost[-1] * np.arange(n_tasks + 1) / n_tasks)
    cuts[0], cuts[-1] = 0, len(size)
    do = partial(_describe, canvas, largest, x, y, np.ascontiguousarray(size), upright)
    return [
        partial(do, rows[low:high], angles, descriptors)
        for low, high in pairwise(cuts.tolist())
        if high > low
    ]


def window_sides(size: NDArray[np.float32]) -> NDArray[np.int64]:
    """Tell how wide the windows of keypoints are.

    Parameters
    ----------
    size : (N,) float32 array
        Of keypoints, in pixels.

    Returns
    -------
    (N,) int64 array
        Pixels, 21 scales rounded down.
    """
    scale = (size * np.float32(1.2)) / np.float32(9)
    return (np.float32(21) * scale).astype(np.int64)


def _describe(
    canvas: Canvas,
    largest: int,
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    size: NDArray[np.float32],
    upright: bool,
    rows: NDArray[np.int64],
    angles: NDArray[np.float32],
    descriptors: NDArray[np.float32],
) -> None:
    """Orient and describe some keypoints."""
    room = canvas.rooms.get(threading.get_ident())
    if room is None or room.side < largest or room.n < len(rows):
        room = make_room(largest, max(len(rows), _KEYPOINTS_AT_ONCE))
        canvas.rooms[threading.get_ident()] = room
    width, height = canvas.width, canvas.height
    surf_orient.orient(
        canvas.table, width, height, disc(), room.orient, x, y, size, rows, upright, angles
    )
    surf_window.cut_windows(
        surf_window.Picture(width, height, canvas.quads),
        shrinking(max(1024, 1 << largest.bit_length())),
        room.window,
        x,
        y,
        size,
        angles,
        rows,
        upright,
        room.patches,
    )
    extended = descriptors.shape[1] == 128
    flat = descriptors.reshape(-1)
    surf_describe.describe(cells(), room.cells, room.patches, angles, rows, extended, flat)


def _gaussian_taps(n: int, sigma: float) -> NDArray[np.float32]:
    """Sample a Gaussian as OpenCV does: an even kernel's two middle taps count as distance 0."""
    distance = np.abs(np.arange(n) - (n - 1) / 2)
    taps = np.where(distance < 1, 1.0, np.exp(-(distance**2) / (2 * sigma**2)))
    normal: NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    return normal


@lru_cache(maxsize=1)
def disc() -> surf_orient.Disc:
    """Lay out the 113 wavelets within six scales."""
    places = [(a, b) for a in range(13) for b in range(13) if (a - 6) ** 2 + (b - 6) ** 2 <= 36]
    x, y = np.ascontiguousarray(np.array(places, np.int64).T)
    around = _gaussian_taps(13, 2.5)
    return surf_orient.Disc(x, y, around[x] * around[y])


@lru_cache(maxsize=1)
def cells() -> surf_describe.Cells:
    """Weigh the 20 x 20 gradients and share them out among 4 x 4 cells."""
    taps = _gaussian_taps(20, float(np.float32(3.3)))
    weights = np.zeros((20, 21), np.float32)
    weights[:, :20] = taps[:, None] * taps[None, :]
    member_y, member_x, cell_y, cell_x = np.indices((5, 5, 4, 4))
    members = (5 * cell_y + member_y) * 21 + 5 * cell_x + member_x
    return surf_describe.Cells(weights.reshape(-1), members.reshape(-1).astype(np.int64))


@lru_cache(maxsize=4)
def shrinking(n_sides: int) -> surf_window.Shrinking:
    """Share out the pixels of windows of sides below `n_sides` among 21, by area."""
    side = np.arange(n_sides, dtype=np.float64)[:, None]
    side[0] = 1
    scale = 1 / (21 / side)
    start = np.arange(21) * scale
    end = start + scale
    share = np.minimum(scale, side - start)
    last = np.minimum(np.floor(end), side - 1)
    first = np.minimum(np.ceil(start), last)
    left = np.where(first - start > 1e-3, (first - start) / share, 0)
    right = np.where(end - last > 1e-3, np.minimum(np.minimum(end - last, 1), share) / share, 0)
    whole = 1 / share
    nearest = np.rint(scale)
    divides = (np.abs(scale - nearest) < np.finfo(np.float64).eps) & (nearest >= 1)
    block = np.where(divides, nearest, 0)
    first = np.where(divides, np.arange(21) * block, first)
    last = np.where(divides, first + block, last)
    return surf_window.Shrinking(
        whole_first=first.astype(np.int64).reshape(-1),
        whole_last=last.astype(np.int64).reshape(-1),
        whole_weights=np.where(divides, 1, whole).astype(np.float32).reshape(-1),
        left_weights=np.where(divides, 0, left).astype(np.float32).reshape(-1),
        right_weights=np.where(divides, 0, right).astype(np.float32).reshape(-1),
        blocks=block.astype(np.int64).reshape(-1),
    )


def make_room(side: int, n: int) -> Room:
    """Make room for one thread."""
    rows = -(-side // 16) * 16
    block = max(8208, rows + 16)
    return Room(
        side,
        n,
        surf_orient.Room(
            origins=np.zeros(128, np.int64),
            x_parts=np.zeros(128, np.float32),
            y_parts=np.zeros(128, np.float32),
            weights=np.zeros(128, np.float32),
            phases=np.zeros(128, np.float32),
            lefts=np.zeros(13, np.int64),
            tops=np.zeros(13, np.int64),
            bins_of=np.zeros(128, np.int32),
            bin_x=np.zeros(170, np.float64),
            bin_y=np.zeros(170, np.float64),
            strengths=np.zeros(72, np.float64),
        ),
        surf_window.Room(
            row_x=np.zeros(rows, np.float32),
            row_y=np.zeros(rows, np.float32),
            at_x=np.zeros(rows, np.float64),
            at_y=np.zeros(rows, np.float64),
            row_part_x=np.zeros(rows, np.uint32),
            row_part_y=np.zeros(rows, np.uint32),
            row_corner=np.zeros(rows, np.int32),
            corners=np.zeros(block, np.int32),
            part_x=np.zeros(block, np.float32),
            part_y=np.zeros(block, np.float32),
            sums_along=np.zeros(3 * rows, np.float32),
            small=np.zeros(441, np.int64),
        ),
        surf_describe.Room(
            dx=np.zeros(420, np.float32),
            dy=np.zeros(420, np.float32),
            cell_dx=np.zeros(400, np.float32),
            cell_dy=np.zeros(400, np.float32),
            bins=np.zeros(8 * 16, np.float32),
        ),
        patches=np.zeros(448 * n, np.float32),
    )
