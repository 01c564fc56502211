"""SURF's description step by step: the samples that give a direction, the patch, its gradients.

All values come out of the engine's own kernels, called for one keypoint.

Bay, Ess, Tuytelaars, Van Gool, "Speeded-Up Robust Features (SURF)", CVIU 2008.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine import surf_describe
from engine.kernels import surf_describe as cell_kernels
from engine.kernels import surf_orient, surf_window


@dataclass(frozen=True, slots=True, eq=False)
class Orientation:
    """How a keypoint got its direction.

    Fields
    ------
    scale : float32
        The keypoint's size * 1.2 / 9, in pixels.
    side : int
        Side of the Haar wavelets in pixels, about 4 scales.
    offsets : (113, 2) int64
        Samples in steps of the scale from the keypoint, x and y in -6..6.
    xy : (113, 2) float32
        Where they lie, in pixels.
    origins : (113, 2) int64
        x, y of each wavelet's upper left pixel, -1 where it leaves the picture.
    is_inside : (113,) bool
        Whether the wavelet lies inside the picture; the others do not count.
    dx, dy : (113,) float32
        Responses: right less left half, upper less lower half.
    weights : (113,) float32
        Gaussian weights, sigma 2.5 scales; 0 outside.
    weighted_dx, weighted_dy : (113,) float32
        Responses times weights.
    degrees : (113,) float32
        Their directions in whole degrees, 0..360, counterclockwise (dy points up).
    sums : (72, 2) float32
        Sum of weighted dx and dy within less than 30 degrees of 0, 5, ..., 355.
    strengths : (72,) float32
        Squared lengths of the sums.
    winner : int
        The first strongest window; -1 where all sums are 0.
    is_member : (113,) bool
        The samples in it.
    angle : float32
        The keypoint's angle in degrees, clockwise in the picture.
    """

    scale: np.float32
    side: int
    offsets: NDArray[np.int64]
    xy: NDArray[np.float32]
    origins: NDArray[np.int64]
    is_inside: NDArray[np.bool_]
    dx: NDArray[np.float32]
    dy: NDArray[np.float32]
    weights: NDArray[np.float32]
    weighted_dx: NDArray[np.float32]
    weighted_dy: NDArray[np.float32]
    degrees: NDArray[np.float32]
    sums: NDArray[np.float32]
    strengths: NDArray[np.float32]
    winner: int
    is_member: NDArray[np.bool_]
    angle: np.float32


@dataclass(frozen=True, slots=True, eq=False)
class Description:
    """How a keypoint got its descriptor.

    Fields
    ------
    window_side : int
        Samples along a side of the turned window: 21 scales, rounded down, a pixel apart.
    corners : (4, 2) float64
        Its corner samples in pixels: start and end of the first row, end and start of the last.
    patch : (21, 21) uint8
        The window, shrunk by area.
    dx, dy : (20, 20) float32
        2 x 2 Haar responses of the patch: right less left, lower less upper.
    weights : (20, 20) float32
        Gaussian weights, sigma 3.3.
    weighted_dx, weighted_dy : (20, 20) float32
        Responses times weights.
    sums : (4, 4, D / 16) float32
        Of each cell of 5 x 5 responses, by row and column. Four: sums of dx, dy, |dx|, |dy|.
        Eight: dx, |dx| where dy >= 0, the same where dy < 0, dy, |dy| where dx >= 0, and
        where dx < 0.
    length : float
        Of all sums as one vector.
    descriptor : (D,) float32
        The sums by cell, divided by their length.
    """

    window_side: int
    corners: NDArray[np.float64]
    patch: NDArray[np.uint8]
    dx: NDArray[np.float32]
    dy: NDArray[np.float32]
    weights: NDArray[np.float32]
    weighted_dx: NDArray[np.float32]
    weighted_dy: NDArray[np.float32]
    sums: NDArray[np.float32]
    length: float
    descriptor: NDArray[np.float32]


def orient(
    canvas: surf_describe.Canvas, x: np.float32, y: np.float32, size: np.float32
) -> Orientation:
    """Find a keypoint's direction and keep everything on the way.

    Parameters
    ----------
    canvas : Canvas
        The picture, filled.
    x, y, size : float32
        The keypoint, in pixels.

    Returns
    -------
    Orientation

    Raises
    ------
    ValueError
        If no wavelet lies inside the picture: such a keypoint is dropped.
    """
    disc = surf_describe.disc()
    # Weights of 1 leave the responses as they are.
    bare, _ = _run(canvas, disc._replace(weights=np.ones_like(disc.weights)), x, y, size)
    room, angle = _run(canvas, disc, x, y, size)
    if angle < 0:
        raise ValueError(f"a keypoint of size {size} at ({x}, {y}) has no room for its wavelets")
    n = len(disc.x)
    sums = np.empty((72, 2), np.float32)
    surf_orient.sum_sectors(room, n, sums.reshape(-1))
    strengths = sums[:, 0] * sums[:, 0] + sums[:, 1] * sums[:, 1]
    winner = int(strengths.argmax()) if strengths.max() > 0 else -1
    apart = np.abs(room.phases[:n] - 5 * winner)
    is_inside = (room.lefts[disc.x] >= 0) & (room.tops[disc.y] >= 0)
    is_member = is_inside & ((apart < 30) | (apart > 330)) & (winner >= 0)
    scale = np.float32(np.float32(size * np.float32(1.2)) / np.float32(9))
    offsets = np.stack([disc.x, disc.y], 1) - 6
    origins = np.stack([room.lefts[disc.x], room.tops[disc.y]], 1)
    return Orientation(
        scale=scale,
        side=2 * int(np.rint(np.float32(2) * scale)),
        offsets=offsets,
        xy=np.array([x, y], np.float32) + offsets.astype(np.float32) * scale,
        origins=np.where(is_inside[:, None], origins, -1),
        is_inside=is_inside,
        dx=bare.x_parts[:n],
        dy=bare.y_parts[:n],
        weights=room.weights[:n],
        weighted_dx=room.x_parts[:n],
        weighted_dy=room.y_parts[:n],
        degrees=room.phases[:n],
        sums=sums,
        strengths=strengths,
        winner=winner,
        is_member=is_member,
        angle=angle,
    )


def _run(
    canvas: surf_describe.Canvas,
    disc: surf_orient.Disc,
    x: np.float32,
    y: np.float32,
    size: np.float32,
) -> tuple[surf_orient.Room, np.float32]:
    """Orient one keypoint in a room of its own."""
    room = surf_describe.make_room(1, 1).orient
    xs, ys, sizes = (np.array([value], np.float32) for value in (x, y, size))
    angles, rows = np.empty(1, np.float32), np.zeros(1, np.int64)
    table, width, height = canvas.table, canvas.width, canvas.height
    surf_orient.orient(table, width, height, disc, room, xs, ys, sizes, rows, False, angles)
    return room, angles[0]


def describe(
    canvas: surf_describe.Canvas,
    x: np.float32,
    y: np.float32,
    size: np.float32,
    angle: np.float32,
    upright: bool,
    extended: bool,
) -> Description:
    """Describe a keypoint and keep everything on the way.

    Parameters
    ----------
    canvas : Canvas
        The picture, filled.
    x, y, size, angle : float32
        The keypoint, in pixels and degrees.
    upright, extended : bool
        As in SurfParams.

    Returns
    -------
    Description
    """
    xs, ys, sizes, angles = (np.array([value], np.float32) for value in (x, y, size, angle))
    rows = np.zeros(1, np.int64)
    side = int(surf_describe.window_sides(sizes)[0])
    corners = np.empty((4, 2), np.float64)
    surf_window.lay_windows(xs, ys, sizes, angles, upright, corners.reshape(-1))
    room = surf_describe.make_room(side, 1)
    picture = surf_window.Picture(canvas.width, canvas.height, canvas.quads)
    table = surf_describe.shrinking(max(1024, 1 << side.bit_length()))
    surf_window.cut_windows(
        picture, table, room.window, xs, ys, sizes, angles, rows, upright, room.patches
    )
    patch = room.patches[:441].reshape(21, 21).astype(np.uint8)
    cells = surf_describe.cells()
    n = 128 if extended else 64
    bare = cells._replace(weights=(cells.weights > 0).astype(np.float32))
    dx, dy, _, _ = _gradients(bare, room, angles, rows, extended, n)
    weighted_dx, weighted_dy, bins, descriptor = _gradients(cells, room, angles, rows, extended, n)
    sums = np.ascontiguousarray(bins.reshape(8, 16)[: n // 16].T)
    return Description(
        window_side=side,
        corners=corners,
        patch=patch,
        dx=dx,
        dy=dy,
        weights=cells.weights.reshape(20, 21)[:, :20].copy(),
        weighted_dx=weighted_dx,
        weighted_dy=weighted_dy,
        sums=sums.reshape(4, 4, n // 16),
        length=math.sqrt(sum(float(value * value) for value in sums.reshape(-1))),
        descriptor=descriptor,
    )


def _gradients(
    cells: cell_kernels.Cells,
    room: surf_describe.Room,
    angles: NDArray[np.float32],
    rows: NDArray[np.int64],
    extended: bool,
    n: int,
) -> tuple[NDArray[np.float32], ...]:
    """Describe the patch in a room; return its responses, the cells' sums and the descriptor."""
    descriptor = np.empty(n, np.float32)
    cell_kernels.describe(cells, room.cells, room.patches, angles, rows, extended, descriptor)
    dx, dy = (part.reshape(20, 21)[:, :20].copy() for part in (room.cells.dx, room.cells.dy))
    return dx, dy, room.cells.bins.copy(), descriptor
