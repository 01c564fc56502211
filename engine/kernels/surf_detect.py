"""Loops of SURF's detector: integral image, determinants of the Hessian, maxima in scale space.

Indices are unsigned: Numba wraps negative ones, and that test would keep LLVM from vectorising.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.kernels import inlined, kernel


class Octave(NamedTuple):
    """One octave of the scale space, sampled every `step` pixels.

    Fields
    ------
    table : (step * width * (H + 1),) int32
        Integral image. Each row is `step` blocks of `width`: block r holds the columns whose
        remainder by `step` is r, so that neighbouring samples are neighbours in memory.
    step, width : int
        Sampling step in pixels; columns in a block.
    rows, columns : int
        Size of the grid of samples.
    columns_at, rows_at : (L, 10) int64
        Where the template coordinates 0 to 9 of each layer's filter lie in `table`.
    weights : (L, 10) float32
        Weight per pixel of the boxes: 3 of Dxx, 3 of Dyy, 4 of Dxy.
    first, n_rows, n_columns : (L,) int64
        Grid cell of a layer's first sample; number of its samples down and across, 0 for a
        layer whose filter is larger than the image.
    side, side_step, margin : (L,) int64
        Filter side in pixels, its growth from layer to layer, cells that are not searched.
    """

    table: NDArray[np.int32]
    step: int
    width: int
    rows: int
    columns: int
    columns_at: NDArray[np.int64]
    rows_at: NDArray[np.int64]
    weights: NDArray[np.float32]
    first: NDArray[np.int64]
    n_rows: NDArray[np.int64]
    n_columns: NDArray[np.int64]
    side: NDArray[np.int64]
    side_step: int
    margin: NDArray[np.int64]


@kernel
def integrate(
    gray: NDArray[np.uint8], width: int, first: int, last: int, table: NDArray[np.int32]
) -> None:
    """Fill rows first+1..last of an integral image, as if the image began at row `first`."""
    stride = np.uint64(width + 1)
    n = np.uint64(width)
    one = np.uint64(1)
    for row in range(first, last):
        source = np.uint64(row) * n
        target = np.uint64(row + 1) * stride
        table[target] = 0
        total = np.int32(0)
        if row == first:
            for x in range(n):
                total = np.int32(total + gray[source + x])
                table[target + x + one] = total
        else:
            above = target - stride
            for x in range(n):
                total = np.int32(total + gray[source + x])
                table[target + x + one] = np.int32(total + table[above + x + one])


@kernel
def part_columns(
    table: NDArray[np.int32],
    stride: int,
    step: int,
    width: int,
    first: int,
    last: int,
    parted: NDArray[np.int32],
) -> None:
    """Regroup the columns of rows first..last-1 by their remainder modulo `step`."""
    for row in range(first, last):
        for remainder in range(step):
            source = np.uint64(row * stride + remainder)
            target = np.uint64((row * step + remainder) * width)
            n = np.uint64(max(0, (stride - remainder + step - 1) // step))
            jump = np.uint64(step)
            for x in range(n):
                parted[target + x] = table[source + x * jump]


@inlined
def _determinants(
    octave: Octave, layer: int, row: int, determinants: NDArray[np.float32], target: int
) -> None:
    """Compute one row of one layer: det = Dxx Dyy - 0.81 Dxy^2."""
    s = octave.table
    at = np.uint64(row * octave.step * octave.step * octave.width)
    x0 = np.uint64(octave.columns_at[layer, 0])
    x1 = np.uint64(octave.columns_at[layer, 1])
    x2 = np.uint64(octave.columns_at[layer, 2])
    x3 = np.uint64(octave.columns_at[layer, 3])
    x4 = np.uint64(octave.columns_at[layer, 4])
    x5 = np.uint64(octave.columns_at[layer, 5])
    x6 = np.uint64(octave.columns_at[layer, 6])
    x7 = np.uint64(octave.columns_at[layer, 7])
    x8 = np.uint64(octave.columns_at[layer, 8])
    x9 = np.uint64(octave.columns_at[layer, 9])
    y0 = at + np.uint64(octave.rows_at[layer, 0])
    y1 = at + np.uint64(octave.rows_at[layer, 1])
    y2 = at + np.uint64(octave.rows_at[layer, 2])
    y3 = at + np.uint64(octave.rows_at[layer, 3])
    y4 = at + np.uint64(octave.rows_at[layer, 4])
    y5 = at + np.uint64(octave.rows_at[layer, 5])
    y6 = at + np.uint64(octave.rows_at[layer, 6])
    y7 = at + np.uint64(octave.rows_at[layer, 7])
    y8 = at + np.uint64(octave.rows_at[layer, 8])
    y9 = at + np.uint64(octave.rows_at[layer, 9])
    w0 = octave.weights[layer, 0]
    w1 = octave.weights[layer, 1]
    w2 = octave.weights[layer, 2]
    w3 = octave.weights[layer, 3]
    w4 = octave.weights[layer, 4]
    w5 = octave.weights[layer, 5]
    w6 = octave.weights[layer, 6]
    w7 = octave.weights[layer, 7]
    w8 = octave.weights[layer, 8]
    w9 = octave.weights[layer, 9]
    base = np.uint64(target + octave.first[layer])
    for j in range(np.uint64(octave.n_columns[layer])):
        a0 = s[y7 + x0 + j] - s[y2 + x0 + j]
        a1 = s[y7 + x3 + j] - s[y2 + x3 + j]
        a2 = s[y7 + x6 + j] - s[y2 + x6 + j]
        a3 = s[y7 + x9 + j] - s[y2 + x9 + j]
        dxx = np.float32(
            np.float64(np.float32(np.int32(a1 - a0)) * w0)
            + np.float64(np.float32(np.int32(a2 - a1)) * w1)
            + np.float64(np.float32(np.int32(a3 - a2)) * w2)
        )
        b0 = s[y0 + x7 + j] - s[y0 + x2 + j]
        b1 = s[y3 + x7 + j] - s[y3 + x2 + j]
        b2 = s[y6 + x7 + j] - s[y6 + x2 + j]
        b3 = s[y9 + x7 + j] - s[y9 + x2 + j]
        dyy = np.float32(
            np.float64(np.float32(np.int32(b1 - b0)) * w3)
            + np.float64(np.float32(np.int32(b2 - b1)) * w4)
            + np.float64(np.float32(np.int32(b3 - b2)) * w5)
        )
        c0 = s[y4 + x1 + j] - s[y1 + x1 + j]
        c1 = s[y4 + x4 + j] - s[y1 + x4 + j]
        c2 = s[y4 + x5 + j] - s[y1 + x5 + j]
        c3 = s[y4 + x8 + j] - s[y1 + x8 + j]
        d0 = s[y8 + x1 + j] - s[y5 + x1 + j]
        d1 = s[y8 + x4 + j] - s[y5 + x4 + j]
        d2 = s[y8 + x5 + j] - s[y5 + x5 + j]
        d3 = s[y8 + x8 + j] - s[y5 + x8 + j]
        dxy = np.float32(
            np.float64(np.float32(np.int32(c1 - c0)) * w6)
            + np.float64(np.float32(np.int32(c3 - c2)) * w7)
            + np.float64(np.float32(np.int32(d1 - d0)) * w8)
            + np.float64(np.float32(np.int32(d3 - d2)) * w9)
        )
        determinants[base + j] = dxx * dyy - (np.float32(0.81) * dxy) * dxy


@inlined
def _sign_of_trace(octave: Octave, layer: int, row: int, column: int) -> int:
    """Tell a dark blob (+1) from a bright one (-1) at a grid cell."""
    s = octave.table
    xs = octave.columns_at
    ys = octave.rows_at
    first = octave.first[layer]
    at = (row - first) * octave.step * octave.step * octave.width + column - first
    dxx = np.float64(0)
    dyy = np.float64(0)
    for box in range(3):
        low = 3 * box
        high = low + 3
        total = (
            np.int64(s[at + ys[layer, 7] + xs[layer, high]])
            - s[at + ys[layer, 7] + xs[layer, low]]
            - s[at + ys[layer, 2] + xs[layer, high]]
            + s[at + ys[layer, 2] + xs[layer, low]]
        )
        total = ((total + 2147483648) & 4294967295) - 2147483648
        dxx += np.float64(np.float32(total) * octave.weights[layer, box])
        total = (
            np.int64(s[at + ys[layer, high] + xs[layer, 7]])
            - s[at + ys[layer, high] + xs[layer, 2]]
            - s[at + ys[layer, low] + xs[layer, 7]]
            + s[at + ys[layer, low] + xs[layer, 2]]
        )
        total = ((total + 2147483648) & 4294967295) - 2147483648
        dyy += np.float64(np.float32(total) * octave.weights[layer, 3 + box])
    trace = np.float32(dxx) + np.float32(dyy)
    if trace > 0:
        return 1
    if trace < 0:
        return -1
    return 0


@inlined
def _flag_maxima(
    ring: NDArray[np.float32],
    above: int,
    here: int,
    below: int,
    n: int,
    threshold: np.float32,
    flags: NDArray[np.uint8],
) -> None:
    """Flag the cells of a row above the threshold and their eight neighbours in the layer."""
    one = np.uint64(1)
    up = np.uint64(above)
    at = np.uint64(here)
    down = np.uint64(below)
    for j in range(np.uint64(n)):
        v = ring[at + j]
        flags[j] = np.uint8(
            (v > threshold)
            & (v > ring[at + j - one])
            & (v > ring[at + j + one])
            & (v > ring[up + j - one])
            & (v > ring[up + j])
            & (v > ring[up + j + one])
            & (v > ring[down + j - one])
            & (v > ring[down + j])
            & (v > ring[down + j + one])
        )


@inlined
def _masked_out(
    octave: Octave, layer: int, row: int, column: int, mask_table: NDArray[np.int32], stride: int
) -> bool:
    """Tell whether less than half of the filter's footprint lies in the mask."""
    side = octave.side[layer]
    y = octave.step * (row - octave.first[layer])
    x = octave.step * (column - octave.first[layer])
    top = y * stride + x
    bottom = (y + side) * stride + x
    total = (
        np.int64(mask_table[top])
        + mask_table[bottom + side]
        - mask_table[top + side]
        - mask_table[bottom]
    )
    return bool(np.float32(total) * (np.float32(1) / np.float32(side * side)) < np.float32(0.5))


@inlined
def _newton(
    ring: NDArray[np.float32], cells: NDArray[np.int64]
) -> tuple[
    tuple[np.float32, np.float32, np.float32],
    tuple[np.float32, np.float32, np.float32, np.float32, np.float32, np.float32],
    np.float32,
    tuple[np.float32, np.float32, np.float32],
]:
    """Take Newton's step at a maximum.

    Returns minus the gradient (x, y, s), the Hessian (xx, yy, ss, xy, xs, ys), its determinant
    and the step (x, y, s), which is 0 where the determinant is.
    """
    two = np.float32(2)
    four = np.float32(4)
    n0 = cells[0]
    n1 = cells[1]
    n2 = cells[2]
    v = ring[cells[4]]
    bx = -(ring[cells[4] + 1] - ring[cells[4] - 1]) / two
    by = -(ring[cells[5]] - ring[cells[3]]) / two
    bs = -(ring[cells[7]] - ring[n1]) / two
    xx = ring[cells[4] - 1] - two * v + ring[cells[4] + 1]
    yy = ring[cells[3]] - two * v + ring[cells[5]]
    ss = ring[n1] - two * v + ring[cells[7]]
    xy = (ring[cells[5] + 1] - ring[cells[5] - 1] - ring[cells[3] + 1] + ring[cells[3] - 1]) / four
    xs = (ring[cells[7] + 1] - ring[cells[7] - 1] - ring[n1 + 1] + ring[n1 - 1]) / four
    ys = (ring[cells[8]] - ring[cells[6]] - ring[n2] + ring[n0]) / four
    determinant = xx * (yy * ss - ys * ys) - xy * (xy * ss - xs * ys) + xs * (xy * ys - xs * yy)
    r = np.float32(1) / determinant if determinant != 0 else np.float32(0)
    dx = r * (bx * (yy * ss - ys * ys) - xy * (by * ss - ys * bs) + xs * (by * ys - yy * bs))
    dy = r * (xx * (by * ss - ys * bs) - bx * (xy * ss - ys * xs) + xs * (xy * bs - by * xs))
    ds = r * (xx * (yy * bs - by * ys) - xy * (xy * bs - by * xs) + bx * (xy * ys - yy * xs))
    return (bx, by, bs), (xx, yy, ss, xy, xs, ys), determinant, (dx, dy, ds)


@inlined
def _interpolate(
    octave: Octave,
    layer: int,
    row: int,
    column: int,
    ring: NDArray[np.float32],
    cells: NDArray[np.int64],
    found: NDArray[np.float32],
    n_found: int,
) -> int:
    """Refine a maximum by one Newton step; write it as keypoint `n_found` if it stays near.

    `cells` holds where the row above, at and below the cell lies in `ring`, layer by layer.
    """
    _, _, determinant, (dx, dy, ds) = _newton(ring, cells)
    one = np.float32(1)
    if determinant == 0 or (dx == 0 and dy == 0 and ds == 0):
        return n_found
    if not (abs(dx) <= one and abs(dy) <= one and abs(ds) <= one):
        return n_found
    step = np.float32(octave.step)
    centre = np.float32(octave.step - 1) / np.float32(2)
    at = np.uint64(5 * n_found)
    found[at] = (step * np.float32(column) + centre) + dx * step
    found[at + np.uint64(1)] = (step * np.float32(row) + centre) + dy * step
    found[at + np.uint64(2)] = np.rint(
        np.float32(octave.side[layer]) + ds * np.float32(octave.side_step)
    )
    found[at + np.uint64(3)] = ring[cells[4]]
    found[at + np.uint64(4)] = np.float32(_sign_of_trace(octave, layer, row, column))
    return n_found + 1


@kernel
def find_maxima(
    octave: Octave,
    first: int,
    last: int,
    threshold: np.float32,
    mask_table: NDArray[np.int32],
    mask_stride: int,
    ring: NDArray[np.float32],
    flags: NDArray[np.uint8],
    flag_words: NDArray[np.uint64],
    cells: NDArray[np.int64],
    found: NDArray[np.float32],
) -> int:
    """Find the maxima of an octave in grid rows first..last-1.

    Parameters
    ----------
    octave : Octave
        What to search.
    first, last : int
        Rows of the grid; rows that a layer's margin excludes are passed over.
    threshold : float32
        Determinants must lie above it.
    mask_table, mask_stride : (...,) int32, int
        Integral image of a mask of zeros and ones; stride 0 for none.
    ring : (3 * L * columns + 2,) float32
        Room for three rows of each layer.
    flags, flag_words : (8 * n,) uint8, (n,) uint64
        Room for a row of flags: the same memory seen by the byte and by eight.
    cells : (9,) int64
        Room for the neighbourhood of a cell.
    found : (5 * M,) float32
        Receives x, y, size, response, class_id of each keypoint.

    Returns
    -------
    int
        Number of keypoints found.
    """
    n_layers = octave.first.shape[0]
    columns = octave.columns
    n_found = 0
    for row in range(first - 1, last + 1):
        for layer in range(n_layers):
            sample = row - octave.first[layer]
            if 0 <= sample < octave.n_rows[layer]:
                slot = (layer * 3 + row % 3) * columns + 1
                _determinants(octave, layer, sample, ring, slot)
        centre = row - 1
        if centre < first:
            continue
        for layer in range(1, n_layers - 1):
            margin = octave.margin[layer]
            n = columns - 2 * margin
            if n <= 0 or centre < margin or centre >= octave.rows - margin:
                continue
            above = (layer * 3 + (centre - 1) % 3) * columns + 1 + margin
            here = (layer * 3 + centre % 3) * columns + 1 + margin
            below = (layer * 3 + (centre + 1) % 3) * columns + 1 + margin
            _flag_maxima(ring, above, here, below, n, threshold, flags)
            for j in range(n, (n + 7) // 8 * 8):
                flags[j] = 0
            for word in range((n + 7) // 8):
                if flag_words[word] == 0:
                    continue
                for j in range(8 * word, 8 * word + 8):
                    if flags[j] == 0:
                        continue
                    v = ring[here + j]
                    largest = True
                    for other in range(layer - 1, layer + 2):
                        shift = (other - layer) * 3 * columns + j
                        at = 3 * (other - layer + 1)
                        cells[at] = above + shift
                        cells[at + 1] = here + shift
                        cells[at + 2] = below + shift
                        if other != layer:
                            for k in range(at, at + 3):
                                for x in range(cells[k] - 1, cells[k] + 2):
                                    largest = largest and v > ring[x]
                    if not largest:
                        continue
                    column = margin + j
                    if mask_stride > 0 and _masked_out(
                        octave, layer, centre, column, mask_table, mask_stride
                    ):
                        continue
                    n_found = _interpolate(
                        octave, layer, centre, column, ring, cells, found, n_found
                    )
    return n_found


@kernel
def map_layer(
    octave: Octave, layer: int, determinants: NDArray[np.float32], signs: NDArray[np.int8]
) -> None:
    """Compute what `find_maxima` sees of one layer, all of it at once.

    Parameters
    ----------
    octave, layer
        Which layer.
    determinants : (rows * columns,) float32
        Receives the responses; cells whose filter leaves the image stay as they are.
    signs : (rows * columns,) int8
        Receives the signs of the trace, likewise.
    """
    first = octave.first[layer]
    for sample in range(octave.n_rows[layer]):
        row = sample + first
        _determinants(octave, layer, sample, determinants, row * octave.columns)
        for column in range(first, first + octave.n_columns[layer]):
            sign = _sign_of_trace(octave, layer, row, column)
            signs[np.uint64(row * octave.columns + column)] = np.int8(sign)


@kernel
def refine(
    octave: Octave,
    layer: int,
    row: int,
    column: int,
    around: NDArray[np.float32],
    newton: NDArray[np.float32],
    found: NDArray[np.float32],
) -> int:
    """Take the Newton step of `find_maxima` at one cell.

    Parameters
    ----------
    octave, layer, row, column
        The cell, whose filter lies inside the image.
    around : (27,) float32
        Its neighbourhood by layer, row and column.
    newton : (13,) float32
        Receives minus the gradient (x, y, s), the Hessian (xx, yy, ss, xy, xs, ys), its
        determinant and the step (x, y, s).
    found : (5,) float32
        Receives x, y, size, response, class_id where the step stays near.

    Returns
    -------
    int
        1 where it stays near, otherwise 0.
    """
    cells = np.empty(9, np.int64)
    for k in range(9):
        cells[k] = 3 * k + 1
    slope, bends, determinant, step = _newton(around, cells)
    for k in range(3):
        newton[k] = slope[k]
        newton[k + 10] = step[k]
    for k in range(6):
        newton[k + 3] = bends[k]
    newton[9] = determinant
    return _interpolate(octave, layer, row, column, around, cells, found, 0)
