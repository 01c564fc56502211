"""Loops that cut out SURF's descriptor windows, turned and shrunk to 21 x 21 pixels.

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
    """An image in the form that is sampled.

    Fields
    ------
    width, height : int
        In pixels.
    quads : (H * W,) uint32
        A pixel, its right, lower and lower right neighbour, from the lowest byte to the highest.
    """

    width: int
    height: int
    quads: NDArray[np.uint32]


class Shrinking(NamedTuple):
    """How windows of side 0..S-1 shrink to 21 pixels: constants.

    Fields
    ------
    whole_first, whole_last : (S * 21,) int64
        The samples that count in full for each patch column.
    whole_weights, left_weights, right_weights : (S * 21,) float32
        Weight of those samples, of the one before, of the one behind (0 where there is none).
    blocks : (S,) int64
        Window side / 21 where it divides, otherwise 0.
    """

    whole_first: NDArray[np.int64]
    whole_last: NDArray[np.int64]
    whole_weights: NDArray[np.float32]
    left_weights: NDArray[np.float32]
    right_weights: NDArray[np.float32]
    blocks: NDArray[np.int64]


class Room(NamedTuple):
    """Room for one thread; S is the largest window side, filled up to a multiple of 16.

    Fields
    ------
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
    """

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
def _place_inside(
    room: Room,
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
            row_x = room.row_part_x[i]
            row_y = room.row_part_y[i]
            x = np.uint32((np.uint64(row_x) + np.uint64(part_x)) & low)
            y = np.uint32((np.uint64(row_y) + np.uint64(part_y)) & low)
            right = np.int32(1) if x < row_x else np.int32(0)
            lower = below if y < row_y else np.int32(0)
            room.part_x[base + i] = np.float32(x) * scale
            room.part_y[base + i] = np.float32(y) * scale
            room.corners[base + i] = np.int32(room.row_corner[i] + start + right + lower)


@inlined
def _place_anywhere(
    room: Room,
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
            x = room.at_x[i]
            y = room.at_y[i]
            room.at_x[i] = x + cosine
            room.at_y[i] = y - sine
            fx = np.floor(x)
            fy = np.floor(y)
            inside = (x >= zero) & (fx < right) & (y >= zero) & (fy < bottom)
            gx = (x + magic) - magic
            gy = (y + magic) - magic
            gx = gx if gx > zero else zero
            gy = gy if gy > zero else zero
            gx = gx if gx < right else right
            gy = gy if gy < bottom else bottom
            room.part_x[base + i] = np.float32(x - fx) if inside else nothing
            room.part_y[base + i] = np.float32(y - fy) if inside else nothing
            ix = np.int32(fx if inside else gx)
            iy = np.int32(fy if inside else gy)
            room.corners[base + i] = np.int32(iy * width + ix)


@inlined
def _blend(room: Room, quads: NDArray[np.uint32], n_samples: int) -> None:
    """Read the placed samples: bilinear, rounded to whole numbers, halves to even.

    The reads are a loop of their own, since LLVM cannot vectorise a store behind a load whose
    place it does not know.
    """
    magic = np.float32(12582912)
    one = np.float32(1)
    byte = np.uint32(255)
    n = np.uint64(n_samples)
    for i in range(n):
        room.corners[i] = np.int32(quads[np.uint64(room.corners[i])])
    for i in range(n):
        quad = np.uint32(room.corners[i])
        a = room.part_x[i]
        b = room.part_y[i]
        na = one - a
        nb = one - b
        value = (
            np.float32(np.int32(quad & byte)) * na * nb
            + np.float32(np.int32((quad >> np.uint32(8)) & byte)) * a * nb
            + np.float32(np.int32((quad >> np.uint32(16)) & byte)) * na * b
            + np.float32(np.int32(quad >> np.uint32(24))) * a * b
        )
        room.part_x[i] = (value + magic) - magic


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
    room: Room,
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
    """Fill `room.part_x` with columns first..last-1 of a window, one behind the other.

    Positions advance by float32 steps in float64. Where no step is tiny these sums are exact, so
    that a product gives the same; otherwise the running positions are kept for all columns.
    """
    if upright:
        for j in range(first, last):
            _read_upright(picture, int(x), int(y) - j, rows, (j - first) * side, room.part_x)
        return
    step_x = np.float64(cosine)
    step_y = np.float64(sine)
    inside = exact
    if exact:
        for corner in range(4):
            i = side - 1 if corner >= 2 else 0
            j = last - 1 if corner % 2 == 1 else first
            at_x = np.float64(room.row_x[i]) + np.float64(j) * step_x
            at_y = np.float64(room.row_y[i]) - np.float64(j) * step_y
            inside = inside and bool(0 <= at_x < picture.width - 1)
            inside = inside and bool(0 <= at_y < picture.height - 1)
        if not inside:
            for i in range(np.uint64(rows)):
                room.at_x[i] = np.float64(room.row_x[i]) + np.float64(first) * step_x
                room.at_y[i] = np.float64(room.row_y[i]) - np.float64(first) * step_y
    if inside:
        _place_inside(room, picture.width, side, rows, first, last, step_x, step_y)
    else:
        _place_anywhere(
            room, picture.width, picture.height, side, rows, last - first, step_x, step_y
        )
    _blend(room, picture.quads, (last - first) * side)


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
def _shrink_down(
    shrinking: Shrinking,
    room: Room,
    side: int,
    rows: int,
    patches: NDArray[np.float32],
    target: np.uint64,
) -> None:
    """Turn the row sums of three patch columns into their 21 pixels each."""
    block = shrinking.blocks[side]
    sums = room.sums_along
    n = np.uint64(rows)
    for row in range(21):
        at = np.uint64(side * 21 + row)
        first = np.uint64(shrinking.whole_first[at])
        last = np.uint64(shrinking.whole_last[at])
        weight = shrinking.whole_weights[at]
        one = np.float32(0)
        two = np.float32(0)
        three = np.float32(0)
        if shrinking.left_weights[at] > 0:
            before = first - np.uint64(1)
            one = sums[before] * shrinking.left_weights[at]
            two = sums[before + n] * shrinking.left_weights[at]
            three = sums[before + n + n] * shrinking.left_weights[at]
        for i in range(first, last):
            one += sums[i] * weight
            two += sums[i + n] * weight
            three += sums[i + n + n] * weight
        if shrinking.right_weights[at] > 0:
            one += sums[last] * shrinking.right_weights[at]
            two += sums[last + n] * shrinking.right_weights[at]
            three += sums[last + n + n] * shrinking.right_weights[at]
        place = target + np.uint64(21 * row)
        patches[place] = _round_pixel(one, block)
        patches[place + np.uint64(1)] = _round_pixel(two, block)
        patches[place + np.uint64(2)] = _round_pixel(three, block)


@inlined
def _fill_patch(
    picture: Picture,
    shrinking: Shrinking,
    room: Room,
    upright: bool,
    exact: bool,
    side: int,
    x: np.float32,
    y: np.float32,
    cosine: np.float32,
    sine: np.float32,
    patches: NDArray[np.float32],
    target: np.uint64,
) -> None:
    """Sample a window and shrink it to 21 x 21 by area."""
    rows = (side + 15) // 16 * 16
    n = np.uint64(rows)
    at_once = max(1, (room.corners.shape[0] - 16) // side)
    values = room.part_x
    sums = room.sums_along
    block_first = 0
    block_last = 0
    for d in range(21):
        at = side * 21 + d
        first = shrinking.whole_first[at]
        last = shrinking.whole_last[at]
        begin = first - 1 if shrinking.left_weights[at] > 0 else first
        end = last + 1 if shrinking.right_weights[at] > 0 else last
        place = np.uint64(d % 3 * rows)
        for j in range(begin, end):
            if j >= block_last:
                block_first = j
                block_last = min(side, j + at_once)
                _sample(
                    picture,
                    room,
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
            weight = shrinking.whole_weights[at]
            if j < first:
                weight = shrinking.left_weights[at]
            elif j >= last:
                weight = shrinking.right_weights[at]
            base = np.uint64((j - block_first) * side)
            if j == begin:
                for i in range(n):
                    sums[place + i] = values[base + i] * weight
            else:
                for i in range(n):
                    sums[place + i] += values[base + i] * weight
        if d % 3 == 2:
            _shrink_down(shrinking, room, side, rows, patches, target + np.uint64(d - 2))


@inlined
def _enlarge_patch(
    picture: Picture,
    room: Room,
    upright: bool,
    exact: bool,
    side: int,
    x: np.float32,
    y: np.float32,
    cosine: np.float32,
    sine: np.float32,
    patches: NDArray[np.float32],
    target: np.uint64,
) -> None:
    """Sample a window of less than 21 pixels and enlarge it in fixed point, 11 bits a weight."""
    rows = (side + 15) // 16 * 16
    for j in range(side):
        _sample(picture, room, upright, exact, side, rows, j, j + 1, x, y, cosine, sine)
        for i in range(side):
            room.small[i * side + j] = int(room.part_x[i])
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
            upper = room.small[top * side + left] * h0 + room.small[top * side + right] * h1
            lower = room.small[low * side + left] * h0 + room.small[low * side + right] * h1
            value = ((v0 * (upper >> 4)) >> 16) + ((v1 * (lower >> 4)) >> 16)
            patches[target + np.uint64(21 * row + d)] = np.float32((value + 2) >> 2)


@inlined
def _start_rows(
    picture: Picture,
    room: Room,
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
        room.row_x[i] = row_x if i < side else x
        room.row_y[i] = row_y if i < side else y
        row_x = row_x + sine
        row_y = row_y + cosine
    unit = np.float64(4294967296)
    for i in range(np.uint64(rows)):
        at_x = np.float64(room.row_x[i])
        at_y = np.float64(room.row_y[i])
        room.at_x[i] = at_x
        room.at_y[i] = at_y
        left = np.floor(at_x)
        top = np.floor(at_y)
        room.row_part_x[i] = np.uint32((at_x - left) * unit)
        room.row_part_y[i] = np.uint32((at_y - top) * unit)
        room.row_corner[i] = np.int32(np.int32(top) * picture.width + np.int32(left))
    tiny = np.float32(2.0**-9)
    whole_x = np.float64(x) * unit
    whole_y = np.float64(y) * unit
    return bool(
        min(abs(cosine), abs(sine)) >= tiny
        and whole_x == np.floor(whole_x)
        and whole_y == np.floor(whole_y)
    )


@inlined
def _lay(
    x: np.float32, y: np.float32, size: np.float32, angle: np.float32, upright: bool
) -> tuple[int, np.float32, np.float32, np.float32, np.float32]:
    """Tell a window's side, cosine, minus sine, and where its first row starts."""
    s = (size * np.float32(1.2)) / np.float32(9)
    side = int(np.float32(21) * s)
    theta = angle * np.float32(math.pi / 180)
    cosine = np.float32(math.cos(theta))
    sine = -np.float32(math.sin(theta))
    off = -np.float32(side - 1) / np.float32(2)
    if upright:
        x0 = np.float32(np.rint(x + off))
        y0 = np.float32(np.rint(y - off))
    else:
        x0 = x + off * cosine + off * sine
        y0 = y - off * sine + off * cosine
    return side, cosine, sine, x0, y0


@kernel
def cut_windows(
    picture: Picture,
    shrinking: Shrinking,
    room: Room,
    xs: NDArray[np.float32],
    ys: NDArray[np.float32],
    sizes: NDArray[np.float32],
    angles: NDArray[np.float32],
    rows: NDArray[np.int64],
    upright: bool,
    patches: NDArray[np.float32],
) -> None:
    """Cut out the windows of some keypoints.

    Parameters
    ----------
    picture, shrinking, room
        The image, constants, and room for this thread.
    xs, ys, sizes, angles : (N,) float32
        Keypoints, in pixels and degrees; one with an angle below 0 is passed over.
    rows : (n,) int64
        Which of them.
    upright : bool
        Whether to read along image rows, as for an angle of 270 degrees.
    patches : (448 * n,) float32
        Receives 441 whole numbers 0..255 for each row, row by row; seven values are a gap.
    """
    for k in range(rows.shape[0]):
        point = rows[k]
        angle = angles[point]
        if angle < 0:
            continue
        x = xs[point]
        y = ys[point]
        side, cosine, sine, x0, y0 = _lay(x, y, sizes[point], angle, upright)
        exact = upright or _start_rows(picture, room, side, x0, y0, cosine, sine)
        target = np.uint64(448 * k)
        if side < 21:
            _enlarge_patch(
                picture, room, upright, exact, side, x0, y0, cosine, sine, patches, target
            )
        else:
            _fill_patch(
                picture,
                shrinking,
                room,
                upright,
                exact,
                side,
                x0,
                y0,
                cosine,
                sine,
                patches,
                target,
            )


@kernel
def lay_windows(
    xs: NDArray[np.float32],
    ys: NDArray[np.float32],
    sizes: NDArray[np.float32],
    angles: NDArray[np.float32],
    upright: bool,
    corners: NDArray[np.float64],
) -> None:
    """Tell where the corner samples of `cut_windows` lie.

    Parameters
    ----------
    xs, ys, sizes, angles : (N,) float32
        Keypoints, in pixels and degrees.
    upright : bool
        Whether windows are read along image rows.
    corners : (8 * N,) float64
        Receives x, y of the first and last sample of the first row, of the last and the first
        of the last row.
    """
    for k in range(xs.shape[0]):
        side, cosine, sine, x0, y0 = _lay(xs[k], ys[k], sizes[k], angles[k], upright)
        if upright:
            cosine = np.float32(0)
            sine = np.float32(1)
        row_x = x0
        row_y = y0
        for _ in range(side - 1):
            row_x = row_x + sine
            row_y = row_y + cosine
        along = np.float64(side - 1) * np.float64(cosine)
        down = -np.float64(side - 1) * np.float64(sine)
        at = 8 * k
        corners[at] = x0
        corners[at + 1] = y0
        corners[at + 2] = x0 + along
        corners[at + 3] = y0 + down
        corners[at + 4] = row_x + along
        corners[at + 5] = row_y + down
        corners[at + 6] = row_x
        corners[at + 7] = row_y
