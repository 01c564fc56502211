"""Loops of SURF's orientation and descriptor.

A window is kept column by column: one vector of 16 samples then belongs to 16 rows, and the sums
along each row run in the order that fixes their rounding. Row counts are filled up to a multiple
of 16 with copies of the first row, so that no loop has a scalar rest. Indices are unsigned: Numba
wraps negative ones, and that test would keep LLVM from vectorising.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.kernels import inlined, kernel


class Picture(NamedTuple):
    """An image in the two forms that are read.

    Fields
    ------
    width, height : int
        In pixels.
    table : ((H + 1) * (W + 1),) int32
        Integral image, row by row.
    quads : (H * W,) uint32
        A pixel, its right, lower and lower right neighbour, from the lowest byte to the highest.
    """

    width: int
    height: int
    table: NDArray[np.int32]
    quads: NDArray[np.uint32]


class Tables(NamedTuple):
    """Constants that do not depend on the image.

    Fields
    ------
    disc_x, disc_y : (113,) int64
        Samples of the orientation, 0..12, column by column.
    disc_weights : (113,) float32
        Their Gaussian weights.
    gradient_weights : (420,) float32
        Gaussian weights of the 20 x 21 gradients; the last column of each row is zero.
    cell_members : (25 * 16,) int64
        The gradients of each cell: member k of cell c at 16 k + c.
    whole_first, whole_last : (S * 21,) int64
        For windows of side 0..S-1, the samples that count in full for each patch column.
    whole_weights, left_weights, right_weights : (S * 21,) float32
        Weight of those samples, of the one before, of the one behind (0 where there is none).
    blocks : (S,) int64
        Window side / 21 where it divides, otherwise 0.
    """

    disc_x: NDArray[np.int64]
    disc_y: NDArray[np.int64]
    disc_weights: NDArray[np.float32]
    gradient_weights: NDArray[np.float32]
    cell_members: NDArray[np.int64]
    whole_first: NDArray[np.int64]
    whole_last: NDArray[np.int64]
    whole_weights: NDArray[np.float32]
    left_weights: NDArray[np.float32]
    right_weights: NDArray[np.float32]
    blocks: NDArray[np.int64]


class Scratch(NamedTuple):
    """Room for one thread; S is the largest window side, filled up to a multiple of 16.

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
    row_x, row_y : (S,) float32
        Where each window row starts.
    at_x, at_y : (S,) float64
        Running positions.
    row_part_x, row_part_y, row_corner : (S,) uint32, uint32, int32
        The same as the index of a pixel and the way to the next ones in 1/2^32 pixels.
    corners, part_x, part_y : (B,) int32, float32, float32
        Some columns of samples: index of the upper left pixel, later the four pixels, and the
        way to the next ones, later the sampled values (in `part_x`).
    sums_along : (3 S,) float32
        Row sums of three patch columns.
    small : (441,) int64
        A window with less than 21 pixels a side.
    patch : (448,) float32
        The 21 x 21 patch.
    dx, dy : (420,) float32
        Its gradients.
    cell_dx, cell_dy : (400,) float32
        The same in the order of `Tables.cell_members`.
    bins : (8 * 16,) float32
        Sums of each cell: sum k of cell c at 16 k + c.
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
    row_x: NDArray[np.float32]
    row_y: NDArray[np.float32]
    at_x: NDArray[np.float64]
    at_y: NDArray[np.float64]
    row_part_x: NDArray[np.uint32]
    row_part_y: NDArray[np.uint32]
    row_corner: NDArray[np.int32]
    corners: NDArray[np.int32]
    part_x: NDArray[np.float32]
    part_y: NDArray[np.float32]
    sums_along: NDArray[np.float32]
    small: NDArray[np.int64]
    patch: NDArray[np.float32]
    dx: NDArray[np.float32]
    dy: NDArray[np.float32]
    cell_dx: NDArray[np.float32]
    cell_dy: NDArray[np.float32]
    bins: NDArray[np.float32]


@kernel
def pack_quads(
    gray: NDArray[np.uint8],
    width: int,
    height: int,
    first: int,
    last: int,
    quads: NDArray[np.uint32],
) -> None:
    """Put each pixel of rows first..last-1 into one number with its three neighbours."""
    n = np.uint64(width - 1)
    one = np.uint64(1)
    for row in range(first, last):
        here = np.uint64(row * width)
        below = np.uint64(min(row + 1, height - 1) * width)
        for x in range(n):
            quads[here + x] = (
                np.uint32(gray[here + x])
                | np.uint32(gray[here + x + one]) << np.uint32(8)
                | np.uint32(gray[below + x]) << np.uint32(16)
                | np.uint32(gray[below + x + one]) << np.uint32(24)
            )
        quads[here + n] = np.uint32(gray[here + n]) * np.uint32(257) + np.uint32(
            gray[below + n]
        ) * np.uint32(257 * 65536)


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
    picture: Picture, tables: Tables, scratch: Scratch, x: np.float32, y: np.float32, s: np.float32
) -> np.float32:
    """Find the direction of the strongest sector of wavelet responses, -1 if none lies inside."""
    table = picture.table
    side = 2 * int(np.rint(np.float32(2) * s))
    half = side // 2
    reach = np.float32(side - 1) / np.float32(2)
    stride = picture.width + 1
    n = tables.disc_x.shape[0]
    for k in range(13):
        left = int(np.rint(x + np.float32(k - 6) * s - reach))
        top = int(np.rint(y + np.float32(k - 6) * s - reach))
        scratch.lefts[k] = left if left < stride - side else -1
        scratch.tops[k] = top if top < picture.height + 1 - side else -1
    n_inside = 0
    for k in range(n):
        left = scratch.lefts[np.uint64(tables.disc_x[k])]
        top = scratch.tops[np.uint64(tables.disc_y[k])]
        inside = left >= 0 and top >= 0
        scratch.origins[k] = top * stride + left if inside else 0
        scratch.weights[k] = tables.disc_weights[k] if inside else np.float32(0)
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
        at = np.uint64(scratch.origins[k])
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
        scratch.x_parts[k] = vx * scratch.weights[k]
        scratch.y_parts[k] = vy * scratch.weights[k]
    magic = np.float32(12582912)
    for k in range(n):
        phase = _phase(scratch.y_parts[k], scratch.x_parts[k])
        phase = (phase + magic) - magic
        fifth = np.int32((phase + np.float32(0.5)) * np.float32(0.2))
        scratch.phases[k] = phase
        scratch.bins_of[k] = np.int32(
            2 * fifth + (1 if phase > np.float32(5) * np.float32(fifth) else 0)
        )
    return _strongest_sector(scratch, n)


@inlined
def _strongest_sector(scratch: Scratch, n: int) -> np.float32:
    """Find the direction of the strongest of 72 sectors, each 59 whole degrees wide.

    Sector k holds 23 of 144 bins, which hold a multiple of five degrees or the four behind it in
    turn. Sums over bins, in float64, tell which sectors can be the strongest; those are summed
    again sample by sample in float32, whose rounding decides between near equals.
    """
    sums_x = scratch.bin_x
    sums_y = scratch.bin_y
    n_bins = 144
    ahead = np.uint64(12)
    for k in range(n_bins + 24):
        sums_x[k] = 0
        sums_y[k] = 0
    total = np.float64(0)
    for k in range(n):
        x = np.float64(scratch.x_parts[k])
        y = np.float64(scratch.y_parts[k])
        at = np.uint64(scratch.bins_of[k]) + ahead
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
        scratch.strengths[sector] = x * x + y * y
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
        if scratch.strengths[sector] < least:
            continue
        sum_x = np.float32(0)
        sum_y = np.float32(0)
        centre = np.float32(5 * sector)
        for k in range(n):
            apart = abs(scratch.phases[k] - centre)
            belongs = (apart < np.float32(30)) | (apart > np.float32(330))
            sum_x += scratch.x_parts[k] if belongs else np.float32(0)
            sum_y += scratch.y_parts[k] if belongs else np.float32(0)
        strength = sum_x * sum_x + sum_y * sum_y
        if strength > best:
            best = strength
            best_x = sum_x
            best_y = sum_y
    return _angle(-best_y, best_x)


@inlined
def _place_inside(
    scratch: Scratch,
    width: int,
    side: int,
    rows: int,
    first: int,
    last: int,
    cosine: np.float64,
    sine: np.float64,
) -> None:
    """Place the samples of window columns first..last-1 that lie wholly inside the image.

    Positions are fixed point with 32 bits behind the point, which holds them exactly.
    """
    unit = np.float64(4294967296)
    scale = np.float32(1 / 4294967296)
    n = np.uint64(rows)
    below = np.int32(width)
    low = np.uint64(4294967295)
    for j in range(first, last):
        base = np.uint64((j - first) * side)
        along = int(np.float64(j) * cosine * unit)
        down = int(np.float64(-j) * sine * unit)
        part_x = np.uint32(along & 4294967295)
        part_y = np.uint32(down & 4294967295)
        start = np.int32((down >> 32) * width + (along >> 32))
        for i in range(n):
            row_x = scratch.row_part_x[i]
            row_y = scratch.row_part_y[i]
            x = np.uint32((np.uint64(row_x) + np.uint64(part_x)) & low)
            y = np.uint32((np.uint64(row_y) + np.uint64(part_y)) & low)
            right = np.int32(1) if x < row_x else np.int32(0)
            lower = below if y < row_y else np.int32(0)
            scratch.part_x[base + i] = np.float32(x) * scale
            scratch.part_y[base + i] = np.float32(y) * scale
            scratch.corners[base + i] = np.int32(scratch.row_corner[i] + start + right + lower)


@inlined
def _place_anywhere(
    scratch: Scratch,
    width: int,
    height: int,
    side: int,
    rows: int,
    n_columns: int,
    cosine: np.float64,
    sine: np.float64,
) -> None:
    """Place the samples of the next window columns, outside the image on the nearest pixel."""
    magic = np.float64(6755399441055744)
    right = np.float64(width - 1)
    bottom = np.float64(height - 1)
    zero = np.float64(0)
    nothing = np.float32(0)
    n = np.uint64(rows)
    for j in range(n_columns):
        base = np.uint64(j * side)
        for i in range(n):
            x = scratch.at_x[i]
            y = scratch.at_y[i]
            scratch.at_x[i] = x + cosine
            scratch.at_y[i] = y - sine
            fx = np.floor(x)
            fy = np.floor(y)
            inside = (x >= zero) & (fx < right) & (y >= zero) & (fy < bottom)
            gx = (x + magic) - magic
            gy = (y + magic) - magic
            gx = gx if gx > zero else zero
            gy = gy if gy > zero else zero
            gx = gx if gx < right else right
            gy = gy if gy < bottom else bottom
            scratch.part_x[base + i] = np.float32(x - fx) if inside else nothing
            scratch.part_y[base + i] = np.float32(y - fy) if inside else nothing
            ix = np.int32(fx if inside else gx)
            iy = np.int32(fy if inside else gy)
            scratch.corners[base + i] = np.int32(iy * width + ix)


@inlined
def _blend(scratch: Scratch, quads: NDArray[np.uint32], n_samples: int) -> None:
    """Read the placed samples: bilinear, rounded to whole numbers, halves to even.

    The reads are a loop of their own, since LLVM cannot vectorise a store behind a load whose
    place it does not know.
    """
    magic = np.float32(12582912)
    one = np.float32(1)
    byte = np.uint32(255)
    n = np.uint64(n_samples)
    for i in range(n):
        scratch.corners[i] = np.int32(quads[np.uint64(scratch.corners[i])])
    for i in range(n):
        quad = np.uint32(scratch.corners[i])
        a = scratch.part_x[i]
        b = scratch.part_y[i]
        na = one - a
        nb = one - b
        value = (
            np.float32(np.int32(quad & byte)) * na * nb
            + np.float32(np.int32((quad >> np.uint32(8)) & byte)) * a * nb
            + np.float32(np.int32((quad >> np.uint32(16)) & byte)) * na * b
            + np.float32(np.int32(quad >> np.uint32(24))) * a * b
        )
        scratch.part_x[i] = (value + magic) - magic


@inlined
def _read_upright(
    picture: Picture, x: int, y: int, rows: int, target: int, values: NDArray[np.float32]
) -> None:
    """Read a column of an upright window: a piece of an image row."""
    row = min(max(y, 0), picture.height - 1) * picture.width
    if x >= 0 and x + rows <= picture.width:
        source = np.uint64(row + x)
        place = np.uint64(target)
        for k in range(np.uint64(rows)):
            values[place + k] = np.float32(np.int32(picture.quads[source + k] & np.uint32(255)))
        return
    for i in range(rows):
        at = row + min(max(x + i, 0), picture.width - 1)
        values[np.uint64(target + i)] = np.float32(
            np.int32(picture.quads[np.uint64(at)] & np.uint32(255))
        )


@inlined
def _sample(
    picture: Picture,
    scratch: Scratch,
    upright: bool,
    exact: bool,
    side: int,
    rows: int,
    first: int,
    last: int,
    x: np.float32,
    y: np.float32,
    cosine: np.float32,
    sine: np.float32,
) -> None:
    """Fill `scratch.part_x` with columns first..last-1 of a window, one behind the other.

    Positions advance by float32 steps in float64. Where no step is tiny these sums are exact, so
    that a product gives the same; otherwise the running positions are kept for all columns.
    """
    if upright:
        for j in range(first, last):
            _read_upright(picture, int(x), int(y) - j, rows, (j - first) * side, scratch.part_x)
        return
    step_x = np.float64(cosine)
    step_y = np.float64(sine)
    inside = exact
    if exact:
        for corner in range(4):
            i = side - 1 if corner >= 2 else 0
            j = last - 1 if corner % 2 == 1 else first
            at_x = np.float64(scratch.row_x[i]) + np.float64(j) * step_x
            at_y = np.float64(scratch.row_y[i]) - np.float64(j) * step_y
            inside = inside and bool(0 <= at_x < picture.width - 1)
            inside = inside and bool(0 <= at_y < picture.height - 1)
        if not inside:
            for i in range(np.uint64(rows)):
                scratch.at_x[i] = np.float64(scratch.row_x[i]) + np.float64(first) * step_x
                scratch.at_y[i] = np.float64(scratch.row_y[i]) - np.float64(first) * step_y
    if inside:
        _place_inside(scratch, picture.width, side, rows, first, last, step_x, step_y)
    else:
        _place_anywhere(
            scratch, picture.width, picture.height, side, rows, last - first, step_x, step_y
        )
    _blend(scratch, picture.quads, (last - first) * side)


@inlined
def _round_pixel(total: np.float32, block: int) -> np.float32:
    """Round a pixel of the patch as the shrinking by a factor, or by areas (block 0), does."""
    magic = np.float32(12582912)
    if block == 2:
        total = np.floor((total + np.float32(2)) * np.float32(0.25))
    elif block > 2:
        total = total * (np.float32(1) / np.float32(block * block))
    return min((total + magic) - magic, np.float32(255))


@inlined
def _shrink_down(tables: Tables, scratch: Scratch, side: int, rows: int, patch_column: int) -> None:
    """Turn the row sums of three patch columns into their 21 pixels each."""
    block = tables.blocks[side]
    sums = scratch.sums_along
    n = np.uint64(rows)
    for row in range(21):
        at = np.uint64(side * 21 + row)
        first = np.uint64(tables.whole_first[at])
        last = np.uint64(tables.whole_last[at])
        weight = tables.whole_weights[at]
        one = np.float32(0)
        two = np.float32(0)
        three = np.float32(0)
        if tables.left_weights[at] > 0:
            before = first - np.uint64(1)
            one = sums[before] * tables.left_weights[at]
            two = sums[before + n] * tables.left_weights[at]
            three = sums[before + n + n] * tables.left_weights[at]
        for i in range(first, last):
            one += sums[i] * weight
            two += sums[i + n] * weight
            three += sums[i + n + n] * weight
        if tables.right_weights[at] > 0:
            one += sums[last] * tables.right_weights[at]
            two += sums[last + n] * tables.right_weights[at]
            three += sums[last + n + n] * tables.right_weights[at]
        target = np.uint64(21 * row + patch_column)
        scratch.patch[target] = _round_pixel(one, block)
        scratch.patch[target + np.uint64(1)] = _round_pixel(two, block)
        scratch.patch[target + np.uint64(2)] = _round_pixel(three, block)


@inlined
def _fill_patch(
    picture: Picture,
    tables: Tables,
    scratch: Scratch,
    upright: bool,
    exact: bool,
    side: int,
    x: np.float32,
    y: np.float32,
    cosine: np.float32,
    sine: np.float32,
) -> None:
    """Sample a window and shrink it to 21 x 21 by area."""
    rows = (side + 15) // 16 * 16
    n = np.uint64(rows)
    at_once = max(1, (scratch.corners.shape[0] - 16) // side)
    values = scratch.part_x
    sums = scratch.sums_along
    block_first = 0
    block_last = 0
    for d in range(21):
        at = side * 21 + d
        first = tables.whole_first[at]
        last = tables.whole_last[at]
        begin = first - 1 if tables.left_weights[at] > 0 else first
        end = last + 1 if tables.right_weights[at] > 0 else last
        place = np.uint64(d % 3 * rows)
        for j in range(begin, end):
            if j >= block_last:
                block_first = j
                block_last = min(side, j + at_once)
                _sample(
                    picture,
                    scratch,
                    upright,
                    exact,
                    side,
                    rows,
                    block_first,
                    block_last,
                    x,
                    y,
                    cosine,
                    sine,
                )
            weight = tables.whole_weights[at]
            if j < first:
                weight = tables.left_weights[at]
            elif j >= last:
                weight = tables.right_weights[at]
            base = np.uint64((j - block_first) * side)
            if j == begin:
                for i in range(n):
                    sums[place + i] = values[base + i] * weight
            else:
                for i in range(n):
                    sums[place + i] += values[base + i] * weight
        if d % 3 == 2:
            _shrink_down(tables, scratch, side, rows, d - 2)


@inlined
def _enlarge_patch(
    picture: Picture,
    scratch: Scratch,
    upright: bool,
    exact: bool,
    side: int,
    x: np.float32,
    y: np.float32,
    cosine: np.float32,
    sine: np.float32,
) -> None:
    """Sample a window of less than 21 pixels and enlarge it in fixed point, 11 bits a weight."""
    rows = (side + 15) // 16 * 16
    for j in range(side):
        _sample(picture, scratch, upright, exact, side, rows, j, j + 1, x, y, cosine, sine)
        for i in range(side):
            scratch.small[i * side + j] = int(scratch.part_x[i])
    step = np.float64(side) / 21
    inverse = np.float64(21) / side
    for row in range(21):
        top = int(np.floor(row * step))
        down = np.float32((row + 1) - (top + 1) * inverse)
        down = down - np.floor(down) if down > 0 else np.float32(0)
        if top >= side - 1:
            top = side - 1
            down = np.float32(0)
        v1 = int(np.rint(down * np.float32(2048)))
        v0 = int(np.rint((np.float32(1) - down) * np.float32(2048)))
        low = min(top + 1, side - 1)
        for d in range(21):
            left = int(np.floor(d * step))
            along = np.float32((d + 1) - (left + 1) * inverse)
            along = along - np.floor(along) if along > 0 else np.float32(0)
            if left >= side - 1:
                left = side - 1
                along = np.float32(0)
            h1 = int(np.rint(along * np.float32(2048)))
            h0 = int(np.rint((np.float32(1) - along) * np.float32(2048)))
            right = min(left + 1, side - 1)
            upper = scratch.small[top * side + left] * h0 + scratch.small[top * side + right] * h1
            lower = scratch.small[low * side + left] * h0 + scratch.small[low * side + right] * h1
            value = ((v0 * (upper >> 4)) >> 16) + ((v1 * (lower >> 4)) >> 16)
            scratch.patch[21 * row + d] = np.float32((value + 2) >> 2)


@inlined
def _fill_descriptor(
    tables: Tables,
    scratch: Scratch,
    extended: bool,
    descriptors: NDArray[np.float32],
    target: int,
) -> None:
    """Sum the gradients of a patch over 4 x 4 cells and normalise."""
    patch = scratch.patch
    n = np.uint64(scratch.dx.shape[0])
    right = np.uint64(1)
    below = np.uint64(21)
    across = np.uint64(22)
    for q in range(n):
        rise = patch[q + across] - patch[q]
        slant = patch[q + right] - patch[q + below]
        scratch.dx[q] = (rise + slant) * tables.gradient_weights[q]
        scratch.dy[q] = (rise - slant) * tables.gradient_weights[q]
    bins = scratch.bins
    for k in range(np.uint64(bins.shape[0])):
        bins[k] = 0
    n_cells = np.uint64(bins.shape[0] // 8)
    n_bins = 8 if extended else 4
    zero = np.float32(0)
    # Reads from the unknown, apart as in _blend.
    for k in range(np.uint64(tables.cell_members.shape[0])):
        at = np.uint64(tables.cell_members[k])
        scratch.cell_dx[k] = scratch.dx[at]
        scratch.cell_dy[k] = scratch.dy[at]
    for member in range(tables.cell_members.shape[0] // 16):
        base = np.uint64(16 * member)
        for c in range(n_cells):
            dx = scratch.cell_dx[base + c]
            dy = scratch.cell_dy[base + c]
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


@inlined
def _start_rows(
    picture: Picture,
    scratch: Scratch,
    side: int,
    x: np.float32,
    y: np.float32,
    cosine: np.float32,
    sine: np.float32,
) -> bool:
    """Note where the rows of a turned window start; tell whether 1/2^32 pixel measures it all."""
    row_x = x
    row_y = y
    rows = (side + 15) // 16 * 16
    for i in range(rows):
        scratch.row_x[i] = row_x if i < side else x
        scratch.row_y[i] = row_y if i < side else y
        row_x = row_x + sine
        row_y = row_y + cosine
    unit = np.float64(4294967296)
    for i in range(np.uint64(rows)):
        at_x = np.float64(scratch.row_x[i])
        at_y = np.float64(scratch.row_y[i])
        scratch.at_x[i] = at_x
        scratch.at_y[i] = at_y
        left = np.floor(at_x)
        top = np.floor(at_y)
        scratch.row_part_x[i] = np.uint32((at_x - left) * unit)
        scratch.row_part_y[i] = np.uint32((at_y - top) * unit)
        scratch.row_corner[i] = np.int32(np.int32(top) * picture.width + np.int32(left))
    tiny = np.float32(2.0**-9)
    whole_x = np.float64(x) * unit
    whole_y = np.float64(y) * unit
    return bool(
        min(abs(cosine), abs(sine)) >= tiny
        and whole_x == np.floor(whole_x)
        and whole_y == np.floor(whole_y)
    )


@kernel
def describe(
    picture: Picture,
    tables: Tables,
    scratch: Scratch,
    xs: NDArray[np.float32],
    ys: NDArray[np.float32],
    sizes: NDArray[np.float32],
    order: NDArray[np.int64],
    first: int,
    last: int,
    upright: bool,
    extended: bool,
    angles: NDArray[np.float32],
    descriptors: NDArray[np.float32],
) -> None:
    """Orient and describe the keypoints order[first:last], each into its own row.

    An angle of -1 marks a keypoint without room for its wavelets, which is to be dropped.
    """
    length = 128 if extended else 64
    for k in range(first, last):
        point = order[k]
        x = xs[point]
        y = ys[point]
        s = (sizes[point] * np.float32(1.2)) / np.float32(9)
        wavelet = 2 * int(np.rint(np.float32(2) * s))
        if picture.height + 1 < wavelet or picture.width + 1 < wavelet:
            angles[point] = -1
            continue
        angle = np.float32(270)
        if not upright:
            angle = _orient(picture, tables, scratch, x, y, s)
        angles[point] = angle
        if angle < 0:
            continue
        side = int(np.float32(21) * s)
        theta = angle * np.float32(math.pi / 180)
        cosine = np.float32(math.cos(theta))
        sine = -np.float32(math.sin(theta))
        off = -np.float32(side - 1) / np.float32(2)
        exact = True
        if upright:
            x0 = np.float32(np.rint(x + off))
            y0 = np.float32(np.rint(y - off))
        else:
            x0 = x + off * cosine + off * sine
            y0 = y - off * sine + off * cosine
            exact = _start_rows(picture, scratch, side, x0, y0, cosine, sine)
        if side < 21:
            _enlarge_patch(picture, scratch, upright, exact, side, x0, y0, cosine, sine)
        else:
            _fill_patch(picture, tables, scratch, upright, exact, side, x0, y0, cosine, sine)
        _fill_descriptor(tables, scratch, extended, descriptors, length * point)
