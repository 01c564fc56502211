"""SURF's search step by step: why a cell of the scale space became a keypoint, or did not.

All values come out of the detector's own kernels.

Bay, Ess, Tuytelaars, Van Gool, "Speeded-Up Robust Features (SURF)", CVIU 2008; the step: Brown,
Lowe, "Invariant features from interest point groups", BMVC 2002.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from engine.kernels import surf_detect as kernels
from engine.trace_scales import Octave

# Why a cell is no keypoint, in the order of the tests; KEPT passed them all.
MARGIN, BELOW, NOT_LARGEST, FLAT, FAR, KEPT = (
    "margin",
    "below threshold",
    "not the largest",
    "flat",
    "step too far",
    "kept",
)


@dataclass(frozen=True, slots=True, eq=False)
class Newton:
    """The step from a cell to the top of the parabola through its neighbourhood.

    Fields
    ------
    gradient : (3,) float32
        Half differences along x, y and scale (in layers).
    hessian : (3, 3) float32
        Second differences, in the same order.
    determinant : float32
        Of the Hessian.
    step : (3,) float32
        Solves hessian step = -gradient; in cells, cells and layers; 0 where the determinant is.
    found : (5,) float32
        x, y, size, response, sign of the keypoint, zeros if the step is refused.
    is_accepted : bool
        Whether the step is not zero and goes no further than 1 in each direction.
    """

    gradient: NDArray[np.float32]
    hessian: NDArray[np.float32]
    determinant: np.float32
    step: NDArray[np.float32]
    found: NDArray[np.float32]
    is_accepted: bool


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A cell, and what the detector made of it.

    Fields
    ------
    layer, row, column : int
        Where in the octave.
    fate : str
        MARGIN, BELOW, NOT_LARGEST, FLAT, FAR or KEPT.
    response : float32
        The cell's determinant.
    around : (3, 3, 3) float32 or None
        Determinants by layer, row and column, the cell in the middle; None in the margin.
    rival : tuple of int or None
        Layer, row, column of the largest neighbour that is not smaller, if there is one.
    newton : Newton or None
        The step, for a cell that is above the threshold and larger than its neighbours.
    """

    layer: int
    row: int
    column: int
    fate: str
    response: np.float32
    around: NDArray[np.float32] | None
    rival: tuple[int, int, int] | None
    newton: Newton | None


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many cells of a searched layer pass each test: searched, above, largest, kept."""

    n_cells: int
    n_above: int
    n_largest: int
    n_kept: int


def judge(octave: Octave, layer: int, row: int, column: int, threshold: float) -> Candidate:
    """Follow the detector's tests at one cell.

    Parameters
    ----------
    octave : Octave
        From `respond`.
    layer, row, column : int
        A cell of a searched layer.
    threshold : float
        Its response must lie above it.

    Returns
    -------
    Candidate
    """
    here = octave.layers[layer]
    if not here.is_searched:
        raise ValueError(f"layer {layer} is not searched; it only serves as a neighbour")
    rows, columns, margin = *here.determinants.shape, here.margin
    response = here.determinants[row, column]
    place = layer, row, column
    if not (margin <= row < rows - margin and margin <= column < columns - margin):
        return Candidate(*place, MARGIN, response, None, None, None)
    near = slice(row - 1, row + 2), slice(column - 1, column + 2)
    around = np.stack([each.determinants[near] for each in octave.layers[layer - 1 : layer + 2]])
    others = around.copy()
    others[1, 1, 1] = -np.inf
    best = np.unravel_index(int(others.argmax()), others.shape)
    rival = None
    if others[best] >= response:
        rival = layer - 1 + int(best[0]), row - 1 + int(best[1]), column - 1 + int(best[2])
    if not response > np.float32(threshold):
        return Candidate(*place, BELOW, response, around, rival, None)
    if rival is not None:
        return Candidate(*place, NOT_LARGEST, response, around, rival, None)
    step = newton_step(octave.layout, layer, row, column, around)
    fate = KEPT if step.is_accepted else FAR if step.step.any() else FLAT
    return Candidate(*place, fate, response, around, None, step)


def newton_step(
    layout: kernels.Octave, layer: int, row: int, column: int, around: NDArray[np.float32]
) -> Newton:
    """Take the detector's Newton step.

    Parameters
    ----------
    layout : engine.kernels.surf_detect.Octave
        As `Octave.layout`.
    layer, row, column : int
        The cell, whose filter lies inside the picture.
    around : (3, 3, 3) float32 array
        Determinants by layer, row and column, the cell in the middle.

    Returns
    -------
    Newton
    """
    values, found = np.zeros(13, np.float32), np.zeros(5, np.float32)
    cells = np.ascontiguousarray(around).reshape(-1)
    n = kernels.refine(layout, layer, row, column, cells, values, found)
    xx, yy, ss, xy, xs, ys = values[3:9]
    hessian = np.array([[xx, xy, xs], [xy, yy, ys], [xs, ys, ss]])
    return Newton(-values[:3], hessian, values[9], values[10:], found, n == 1)


def neighbours(
    candidate: Candidate, octave: Octave, reach: int, threshold: float
) -> list[Candidate]:
    """Judge the cells around one, in all searched layers, itself left out.

    Parameters
    ----------
    candidate : Candidate
        The one in the middle.
    octave : Octave
        Its octave.
    reach : int
        Cells to each side.
    threshold : float
        As in `judge`.

    Returns
    -------
    list of Candidate
        By layer, row and column.
    """
    rows, columns = octave.layers[0].determinants.shape
    middle = candidate.layer, candidate.row, candidate.column
    cells = product(
        range(1, len(octave.layers) - 1),
        range(max(0, candidate.row - reach), min(rows, candidate.row + reach + 1)),
        range(max(0, candidate.column - reach), min(columns, candidate.column + reach + 1)),
    )
    return [judge(octave, *cell, threshold) for cell in cells if cell != middle]


def funnel(octave: Octave, layer: int, threshold: float) -> Funnel:
    """Count the cells of a searched layer that pass each of the detector's tests.

    Parameters
    ----------
    octave, layer, threshold
        As in `judge`.

    Returns
    -------
    Funnel
    """
    here = octave.layers[layer]
    margin = here.margin
    rows, columns = (n - 2 * margin for n in here.determinants.shape)
    if rows <= 0 or columns <= 0:
        return Funnel(0, 0, 0, 0)

    def shifted(other: int, down: int, right: int) -> NDArray[np.float32]:
        top, left = margin + down, margin + right
        return octave.layers[other].determinants[top : top + rows, left : left + columns]

    centre = shifted(layer, 0, 0)
    above = centre > np.float32(threshold)
    largest = above.copy()
    for other, down, right in product((layer - 1, layer, layer + 1), (-1, 0, 1), (-1, 0, 1)):
        if (other, down, right) != (layer, 0, 0):
            largest &= centre > shifted(other, down, right)
    places = (np.argwhere(largest) + margin).tolist()
    kept = [judge(octave, layer, row, column, threshold).fate == KEPT for row, column in places]
    return Funnel(centre.size, int(above.sum()), len(kept), sum(kept))
