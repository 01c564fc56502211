"""What is looked at: a keypoint followed from the pixels to its numbers, or a cell that is none."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from engine import trace, trace_cells
from engine.index import Index
from engine.surf import SurfParams
from engine.trace import Prepared, Trace
from engine.trace_cells import Candidate, Funnel
from engine.trace_scales import Layer, Octave
from ui.surf import bench
from ui.surf.bench import Bench
from ui.surf.view import View

SNAP = 4  # pixels: a click so near to a keypoint means it


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """Everything that the sections of the page show.

    Attributes
    ----------
    shown : Index
        The collection.
    here : View
        The address.
    bench : Bench
        The picture.
    prepared : Prepared
        What SURF finds in it.
    row : int
        The keypoint that is followed.
    trace : Trace or None
        How it came to be; None if no keypoint is found at all.
    octave : Octave or None
        The octave that is looked at; None if the picture is too small for any.
    cell : (layer, row, column)
        The cell of it that is looked at.
    judged : Candidate or None
        What became of that cell; None in a layer that is not searched.
    """

    shown: Index
    here: View
    bench: Bench
    prepared: Prepared
    row: int
    trace: Trace | None
    octave: Octave | None
    cell: tuple[int, int, int]
    judged: Candidate | None

    @property
    def params(self) -> SurfParams:
        """What was looked for."""
        return self.prepared.params

    @property
    def layer(self) -> Layer:
        """The layer that is looked at."""
        assert self.octave is not None
        return self.octave.layers[self.cell[0]]

    @property
    def is_own(self) -> bool:
        """Whether the cell is the followed keypoint's own."""
        return self.trace is not None and self.judged is self.trace.cell

    @property
    def places(self) -> tuple[float, float]:
        """The middle of the cell in pixels."""
        step = self.layer.step
        return step * self.cell[2] + (step - 1) / 2, step * self.cell[1] + (step - 1) / 2


def follow(shown: Index, here: View) -> Followed:
    """Follow what an address names.

    Raises
    ------
    ImageError
        If the picture is gone or cannot be read.
    """
    on = bench.of(shown, here.link)
    params = here.params(shown)
    made = bench.prepared(on, params)
    row = bench.nearest_row(made.features, here.at)
    traced = trace.follow(made, row) if len(made.features) else None
    cell = here.cell
    if cell is not None and cell[0] < len(made.octaves):
        octave = made.octaves[cell[0]]
        rows, columns = octave.layers[0].determinants.shape
        inside = cell[1] < len(octave.layers) and cell[2] < rows and cell[3] < columns
        if inside:
            return _at(shown, here, on, made, row, traced, cell)
    if traced is not None:
        own = traced.cell.layer, traced.cell.row, traced.cell.column
        octave = traced.octave
        return Followed(shown, here, on, made, row, traced, octave, own, traced.cell)
    if not made.octaves:
        return Followed(shown, here, on, made, row, None, None, (0, 0, 0), None)
    rows, columns = made.octaves[0].layers[0].determinants.shape
    return _at(shown, here, on, made, row, None, (0, 1, rows // 2, columns // 2))


def _at(
    shown: Index,
    here: View,
    on: Bench,
    made: Prepared,
    row: int,
    traced: Trace | None,
    cell: tuple[int, ...],
) -> Followed:
    octave, (layer, down, right) = made.octaves[cell[0]], cell[1:]
    judged = None
    if octave.layers[layer].is_searched:
        judged = trace_cells.judge(octave, layer, down, right, made.params.hessian_threshold)
    own = traced.cell if traced is not None and traced.octave is octave else None
    if own is not None and (own.layer, own.row, own.column) == (layer, down, right):
        judged = own
    return Followed(shown, here, on, made, row, traced, octave, (layer, down, right), judged)


def moved(found: Followed, octave: int, layer: int, x: float, y: float) -> dict[str, object]:
    """Return the choice that looks at the cell below a place in another octave and layer.

    If that cell became a keypoint, the keypoint is followed.
    """
    features = found.prepared.features
    octave = min(octave, len(found.prepared.octaves) - 1)
    layers = found.prepared.octaves[octave].layers
    layer = min(layer, len(layers) - 1)
    step = layers[0].step
    rows, columns = layers[0].determinants.shape
    down = min(rows - 1, max(0, round((y - (step - 1) / 2) / step)))
    right = min(columns - 1, max(0, round((x - (step - 1) / 2) / step)))
    if layers[layer].is_searched:
        threshold = found.params.hessian_threshold
        judged = trace_cells.judge(found.prepared.octaves[octave], layer, down, right, threshold)
        if judged.newton is not None and judged.newton.is_accepted:
            at = judged.newton.found[:3]
            apart = np.abs(features.xy - at[:2]).max(axis=1) + np.abs(features.size - at[2])
            same = np.flatnonzero(apart == 0)
            if len(same):
                return {"at": bench.place(features, int(same[0]))}
    return {"cell": (octave, layer, down, right), "window": None}


def picked(found: Followed, layer: int, x: float, y: float) -> dict[str, object]:
    """Return the choice that a click on a map means: the keypoint there, else the cell."""
    features, number = found.prepared.features, found.layer.octave
    near = np.flatnonzero(layers_of(found) == layer)
    apart = np.hypot(*(features.xy[near] - np.array([x, y], np.float32)).T)
    if len(near) and apart.min() <= max(SNAP, found.layer.step / 2):
        return {"at": bench.place(features, int(near[apart.argmin()]))}
    return moved(found, number, layer, x, y)


def layers_of(found: Followed) -> NDArray[np.int64]:
    """Return the layer of this octave whose filter is nearest in size to each keypoint, or -1."""
    assert found.octave is not None
    features, sides = found.prepared.features, [layer.side for layer in found.octave.layers]
    layers = np.abs(features.size[:, None] - np.array(sides)).argmin(axis=1)
    nearest: NDArray[np.int64] = np.where(features.octave == found.layer.octave, layers, -1)
    return nearest


def funnels(found: Followed) -> list[tuple[Layer, Funnel]]:
    """Count the cells of all searched layers that pass each test."""
    threshold = found.params.hessian_threshold
    return [
        (layer, trace_cells.funnel(octave, layer.layer, threshold))
        for octave in found.prepared.octaves
        for layer in octave.layers[1:-1]
    ]
