"""SURF's scale space step by step: integral image, box filters, responses of each layer.

All values come out of the detector's own kernels. A cell is a place of an octave's grid: its
centre lies at step * column + (step - 1) / 2 pixels, in every layer of the octave.

Bay, Ess, Tuytelaars, Van Gool, "Speeded-Up Robust Features (SURF)", CVIU 2008.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine import surf_detect
from engine.kernels import surf_detect as kernels


@dataclass(frozen=True, slots=True, eq=False)
class BoxFilter:
    """One of a layer's three wavelets: boxes that are summed up and weighed.

    Fields
    ------
    name : str
        "Dxx", "Dyy" or "Dxy".
    boxes : (B, 4) int64
        Left, top, right, bottom of each box in pixels from the filter's upper left one; right and
        bottom lie outside.
    template_weights : (B,) int64
        What the boxes count: 1 and -2, or 1 and -1.
    weights : (B,) float32
        The same by the box's area: what each of its pixels counts.
    """

    name: str
    boxes: NDArray[np.int64]
    template_weights: NDArray[np.int64]
    weights: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """What the detector sees of one layer.

    Fields
    ------
    octave, layer, side, step : int
        Which one; side of its filters and sampling step, in pixels.
    first : int
        Row and column of the first cell that has a response.
    margin : int
        Cells at each border that are not searched; 0 for the octave's first and last layer, which
        only serve as neighbours.
    is_searched : bool
        Whether it lies between two others.
    filters : tuple of BoxFilter
        Dxx, Dyy, Dxy.
    determinants : (rows, columns) float32
        Dxx Dyy - (0.9 Dxy)^2 of each cell, 0 where the filter leaves the picture.
    signs : (rows, columns) int8
        Sign of Dxx + Dyy: +1 dark on light ground, -1 bright; 0 also where there is no response.
    is_inside : (rows, columns) bool
        Where the filter lies inside the picture.
    """

    octave: int
    layer: int
    side: int
    step: int
    first: int
    margin: int
    is_searched: bool
    filters: tuple[BoxFilter, BoxFilter, BoxFilter]
    determinants: NDArray[np.float32]
    signs: NDArray[np.int8]
    is_inside: NDArray[np.bool_]

    def origin(self, row: int, column: int) -> tuple[int, int]:
        """Return x and y of the filter's upper left pixel at a cell."""
        return self.step * (column - self.first), self.step * (row - self.first)


@dataclass(frozen=True, slots=True, eq=False)
class Octave:
    """One octave of the scale space.

    Fields
    ------
    layers : tuple of Layer
        From the smallest filter to the largest.
    layout : engine.kernels.surf_detect.Octave
        What the detector's kernels take.
    """

    layers: tuple[Layer, ...]
    layout: kernels.Octave


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """One filter at one place, box by box.

    Fields
    ------
    boxes : (B,) int32
        Sums of pixels, each from four corners of the integral image.
    parts : (B,) float32
        The same times the boxes' weights.
    value : float32
        Their sum: the filter's response.
    """

    boxes: NDArray[np.int32]
    parts: NDArray[np.float32]
    value: np.float32


def integral(gray: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Sum up a picture.

    Parameters
    ----------
    gray : (H, W) uint8 array
        Row by row in memory.

    Returns
    -------
    (H + 1, W + 1) int32 array
        Sums over all pixels above and left of each corner; beyond 2^31 they wrap.
    """
    height, width = gray.shape
    table = np.empty((height + 1) * (width + 1), np.int32)
    surf_detect.integral(np.ascontiguousarray(gray), table)
    return table.reshape(height + 1, width + 1)


def box_filters(octave: int, layer: int) -> tuple[BoxFilter, BoxFilter, BoxFilter]:
    """Lay out the three filters of a layer.

    Parameters
    ----------
    octave, layer : int
        From 0; the side is (9 + 6 layer) 2^octave pixels.

    Returns
    -------
    tuple of BoxFilter
        Dxx, Dyy, Dxy.
    """
    layout = surf_detect.octave_of(1, 1, octave, layer)
    ticks = layout.rows_at[layer] // (layout.step * layout.width)
    template = np.array(surf_detect.BOXES)
    boxes, weights = ticks[template[:, :4]], layout.weights[layer]
    parts = {"Dxx": slice(0, 3), "Dyy": slice(3, 6), "Dxy": slice(6, 10)}
    dxx, dyy, dxy = (
        BoxFilter(name, boxes[part], template[part, 4], weights[part])
        for name, part in parts.items()
    )
    return dxx, dyy, dxy


def apply(table: NDArray[np.int32], box_filter: BoxFilter, x: int, y: int) -> Sums:
    """Apply one filter at one place, rounding as the detector does.

    Parameters
    ----------
    table : (H + 1, W + 1) int32 array
        From `integral`.
    box_filter : BoxFilter
    x, y : int
        Its upper left pixel, as `Layer.origin` gives it; all boxes must lie in the picture.

    Returns
    -------
    Sums
    """
    left, top, right, bottom = (box_filter.boxes + np.array([x, y, x, y])).T
    corners = (bottom, right), (top, right), (bottom, left), (top, left)
    a, b, c, d = (table[place].astype(np.int64) for place in corners)
    total = a - b - c + d
    boxes = total.astype(np.int32)
    parts = boxes.astype(np.float32) * box_filter.weights
    value = np.float64(0)
    for part in parts:
        value += np.float64(part)
    return Sums(boxes, parts, np.float32(value))


def respond(table: NDArray[np.int32], octave: int, n_layers: int) -> Octave:
    """Compute the responses of all layers of an octave.

    Parameters
    ----------
    table : (H + 1, W + 1) int32 array
        From `integral`.
    octave, n_layers : int
        Which octave, from 0; its searched layers, at least 1. It has two layers more.

    Returns
    -------
    Octave
    """
    height, width = table.shape[0] - 1, table.shape[1] - 1
    layout = surf_detect.octave_of(width, height, octave, n_layers)
    parted = table.reshape(-1)
    if octave > 0:
        parted = np.empty((height + 1) * layout.width * layout.step, np.int32)
        kernels.part_columns(
            table.reshape(-1), width + 1, layout.step, layout.width, 0, height + 1, parted
        )
    layout = layout._replace(table=parted)
    return Octave(tuple(_layer(layout, octave, n) for n in range(n_layers + 2)), layout)


def _layer(layout: kernels.Octave, octave: int, layer: int) -> Layer:
    shape = layout.rows, layout.columns
    determinants, signs = np.zeros(shape, np.float32), np.zeros(shape, np.int8)
    kernels.map_layer(layout, layer, determinants.reshape(-1), signs.reshape(-1))
    first = int(layout.first[layer])
    is_inside = np.zeros(shape, bool)
    rows, columns = int(layout.n_rows[layer]), int(layout.n_columns[layer])
    is_inside[first : first + rows, first : first + columns] = True
    is_searched = 0 < layer < len(layout.first) - 1
    return Layer(
        octave=octave,
        layer=layer,
        side=int(layout.side[layer]),
        step=layout.step,
        first=first,
        margin=int(layout.margin[layer]) if is_searched else 0,
        is_searched=is_searched,
        filters=box_filters(octave, layer),
        determinants=determinants,
        signs=signs,
        is_inside=is_inside,
    )
