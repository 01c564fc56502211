"""Loops of SURF's orientation: the direction of the strongest sector of wavelet responses.

Indices are unsigned: Numba wraps negative ones, and that test would keep LLVM from vectorising.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.kernels import inlined, kernel


class Disc(NamedTuple):
    """Where the wavelets lie around a keypoint: a constant.

    Fields
    ------
    x, y : (113,) int64
        Places in steps of the scale, 0..12, column by column.
    weights : (113,) float32
        Their Gaussian weights.
    """

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    weights: NDArray[np.float32]


class Room(NamedTuple):
    """Room for one thread.

    Fields
    ------
    origins : (128,) int64
        Upper left corners of the Haar wavelets in the integral image.
    x_parts, y_parts, weights : (128,) float32
        Weighted wavelet responses.
    phases : (128,) float32
        Their directions, in whole degrees.
    lefts, tops : (13,) int64
        Columns and rows of those corners, -1 where the wavelet leaves the image.
    bins_of : (128,) int32
        Bin of each response's direction.
    bin_x, bin_y : (170,) float64
        Sums over 144 bins of directions, with twelve and more repeated at either end.
    strengths : (72,) float64
        Squared length of the sum over each sector.
    """

    origins: NDArray[np.int64]
    x_parts: NDArray[np.float32]
    y_parts: NDArray[np.float32]
    weights: NDArray[np.float32]
    phases: NDArray[np.float32]
    lefts: NDArray[np.int64]
    tops: NDArray[np.int64]
    bins_of: NDArray[np.int32]
    bin_x: NDArray[np.float64]
    bin_y: NDArray[np.float64]
    strengths: NDArray[np.float64]


@inlined
def _phase(y: np.float32, x: np.float32) -> np.float32:
    """Approximate atan2 in degrees, 0..360, as OpenCV's vector code with fused multiply-adds.

    float64 holds the product of two float32 exactly, so one rounding at the end fuses.
    """
    scale = np.float32(180 / math.pi)
    p1 = np.float64(np.float32(0.9997878412794807) * scale)
    p3 = np.float64(np.float32(-0.3258083974640975) * scale)
    p5 = np.float64(np.float32(0.1555786518463281) * scale)
    p7 = np.float64(np.float32(-0.04432655554792128) * scale)
    ax = abs(x)
    ay = abs(y)
    c = min(ax, ay) / (max(ax, ay) + np.float32(2.220446e-16))
    q = np.float64(c * c)
    p = np.float32(p7 * q + p5)
    p = np.float32(np.float64(p) * q + p3)
    p = np.float32(np.float64(p) * q + p1)
    a = p * c
    a = a if ax >= ay else np.float32(90) - a
    a = np.float32(180) - a if x < 0 else a
    return np.float32(360) - a if y < 0 else a


@inlined
def _angle(y: np.float32, x: np.float32) -> np.float32:
    """Approximate atan2 in degrees, 0..360, with every operation rounded to float32."""
    scale = np.float32(180 / math.pi)
    p1 = np.float32(0.9997878412794807) * scale
    p3 = np.float32(-0.3258083974640975) * scale
    p5 = np.float32(0.1555786518463281) * scale
    p7 = np.float32(-0.04432655554792128) * scale
    ax = abs(x)
    ay = abs(y)
    c = min(ax, ay) / (max(ax, ay) + np.float32(2.220446e-16))
    q = c * c
    a = (((p7 * q + p5) * q + p3) * q + p1) * c
    a = a if ax >= ay else np.float32(90) - a
    a = np.float32(180) - a if x < 0 else a
    return np.float32(360) - a if y < 0 else a


@inlined
def _orient(
    table: NDArray[np.int32],
    width: int,
    height: int,
    disc: Disc,
    room: Room,
    x: np.float32,
    y: np.float32,
    s: np.float32,
) -> np.float32:
    """Find the direction of the strongest sector of wavelet responses, -1 if none lies inside."""
    side = 2 * int(np.rint(np.float32(2) * s))
    half = side // 2
    reach = np.float32(side - 1) / np.float32(2)
    stride = width + 1
    n = disc.x.shape[0]
    for k in range(13):
        left = int(np.rint(x + np.float32(k - 6) * s - reach))
        top = int(np.rint(y + np.float32(k - 6) * s - reach))
        room.lefts[k] = left if left < stride - side else -1
        room.tops[k] = top if top < height + 1 - side else -1
    n_inside = 0
    for k in range(n):
        left = room.lefts[np.uint64(disc.x[k])]
        top = room.tops[np.uint64(disc.y[k])]
        inside = left >= 0 and top >= 0
        room.origins[k] = top * stride + left if inside else 0
        room.weights[k] = disc.weights[k] if inside else np.float32(0)
        n_inside += inside
    if n_inside == 0:
        return np.float32(-1)
    # A wavelet without area has no response; only sizes below 1.9 pixels have one.
    weight = np.float32(1) / np.float32(max(1, side * half))
    uh = np.uint64(half)
    ug = np.uint64(side)
    vh = np.uint64(half * stride)
    vg = np.uint64(side * stride)
    for k in range(n):
        at = np.uint64(room.origins[k])
        a = table[at]
        b = table[at + uh]
        c = table[at + ug]
        d = table[at + vh]
        e = table[at + vh + ug]
        f = table[at + vg]
        g = table[at + vg + uh]
        h = table[at + vg + ug]
        vx = (
            np.float32(np.int32(a - b - f + g)) * -weight
            + np.float32(np.int32(b - c - g + h)) * weight
        )
        vy = (
            np.float32(np.int32(a - c - d + e)) * weight
            + np.float32(np.int32(d - e - f + h)) * -weight
        )
        room.x_parts[k] = vx * room.weights[k]
        room.y_parts[k] = vy * room.weights[k]
    magic = np.float32(12582912)
    for k in range(n):
        phase = _phase(room.y_parts[k], room.x_parts[k])
        phase = (phase + magic) - magic
        fifth = np.int32((phase + np.float32(0.5)) * np.float32(0.2))
        room.phases[k] = phase
        room.bins_of[k] = np.int32(
            2 * fifth + (1 if phase > np.float32(5) * np.float32(fifth) else 0)
        )
    return _strongest_sector(room, n)


@inlined
def _sector(room: Room, n: int, sector: int) -> tuple[np.float32, np.float32]:
    """Sum the responses of one sector, in the order of the samples."""
    sum_x = np.float32(0)
    sum_y = np.float32(0)
    centre = np.float32(5 * sector)
    for k in range(n):
        apart = abs(room.phases[k] - centre)
        belongs = (apart < np.float32(30)) | (apart > np.float32(330))
        sum_x += room.x_parts[k] if belongs else np.float32(0)
        sum_y += room.y_parts[k] if belongs else np.float32(0)
    return sum_x, sum_y


@inlined
def _strongest_sector(room: Room, n: int) -> np.float32:
    """Find the direction of the strongest of 72 sectors, each 59 whole degrees wide.

    Sector k holds 23 of 144 bins, which hold a multiple of five degrees or the four behind it in
    turn. Sums over bins, in float64, tell which sectors can be the strongest; those are summed
    again sample by sample in float32, whose rounding decides between near equals.
    """
    sums_x = room.bin_x
    sums_y = room.bin_y
    n_bins = 144
    ahead = np.uint64(12)
    for k in range(n_bins + 24):
        sums_x[k] = 0
        sums_y[k] = 0
    total = np.float64(0)
    for k in range(n):
        x = np.float64(room.x_parts[k])
        y = np.float64(room.y_parts[k])
        at = np.uint64(room.bins_of[k]) + ahead
        sums_x[at] += x
        sums_y[at] += y
        total += abs(x) + abs(y)
    # 360 degrees are 0; then copies of the last bins before the first, and the other way round.
    sums_x[12] += sums_x[n_bins + 12]
    sums_y[12] += sums_y[n_bins + 12]
    for k in range(12):
        sums_x[k] = sums_x[n_bins + k]
        sums_y[k] = sums_y[n_bins + k]
        sums_x[n_bins + 12 + k] = sums_x[12 + k]
        sums_y[n_bins + 12 + k] = sums_y[12 + k]
    x = np.float64(0)
    y = np.float64(0)
    for k in range(1, 24):
        x += sums_x[k]
        y += sums_y[k]
    strongest = np.float64(0)
    for sector in range(72):
        room.strengths[sector] = x * x + y * y
        strongest = max(strongest, x * x + y * y)
        low = np.uint64(2 * sector)
        x += (sums_x[low + np.uint64(24)] + sums_x[low + np.uint64(25)]) - (
            sums_x[low + np.uint64(1)] + sums_x[low + np.uint64(2)]
        )
        y += (sums_y[low + np.uint64(24)] + sums_y[low + np.uint64(25)]) - (
            sums_y[low + np.uint64(1)] + sums_y[low + np.uint64(2)]
        )
    # 113 float32 additions err by less than 1e-5 of the sum of magnitudes.
    slack = total * np.float64(1e-5)
    least = strongest - np.float64(8) * slack * (np.sqrt(strongest) + slack)
    best = np.float32(0)
    best_x = np.float32(0)
    best_y = np.float32(0)
    if total == 0:
        return _angle(-best_y, best_x)
    for sector in range(72):
        if room.strengths[sector] < least:
            continue
        sum_x, sum_y = _sector(room, n, sector)
        strength = sum_x * sum_x + sum_y * sum_y
        if strength > best:
            best = strength
            best_x = sum_x
            best_y = sum_y
    return _angle(-best_y, best_x)


@kernel
def orient(
    table: NDArray[np.int32],
    width: int,
    height: int,
    disc: Disc,
    room: Room,
    xs: NDArray[np.float32],
    ys: NDArray[np.float32],
    sizes: NDArray[np.float32],
    rows: NDArray[np.int64],
    upright: bool,
    angles: NDArray[np.float32],
) -> None:
    """Find the angles of some keypoints, in degrees; 270 for all of them if upright.

    An angle of -1 marks a keypoint without room for its wavelets, which is to be dropped.

    Parameters
    ----------
    table : ((H + 1) * (W + 1),) int32
        Integral image, row by row.
    width, height : int
        Of the image, in pixels.
    disc, room
        Constants, and room for this thread.
    xs, ys, sizes : (N,) float32
        Keypoints, in pixels.
    rows : (n,) int64
        Which of them.
    upright : bool
        Whether to leave out the search.
    angles : (N,) float32
        Receives the angles.
    """
    for k in range(rows.shape[0]):
        point = rows[k]
        s = (sizes[point] * np.float32(1.2)) / np.float32(9)
        wavelet = 2 * int(np.rint(np.float32(2) * s))
        angle = np.float32(270)
        if height + 1 < wavelet or width + 1 < wavelet:
            angle = np.float32(-1)
        elif not upright:
            angle = _orient(table, width, height, disc, room, xs[point], ys[point], s)
        angles[point] = angle


@kernel
def sum_sectors(room: Room, n: int, sums: NDArray[np.float32]) -> None:
    """Sum the responses that `orient` left in the room, for all sectors.

    Parameters
    ----------
    room
        As `orient` left it after one keypoint.
    n : int
        Its samples.
    sums : (144,) float32
        Receives x and y of each sector.
    """
    for sector in range(72):
        sums[2 * sector], sums[2 * sector + 1] = _sector(room, n, sector)
