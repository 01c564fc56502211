"""One keypoint of one picture from the pixels to the descriptor, with all that lies between.

Nothing is drawn anew: each value comes out of the kernel that made the keypoint, and `follow`
refuses to return anything that does not end in that very keypoint.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine import surf, surf_describe, surf_detect, trace_cells, trace_describe, trace_scales
from engine.surf import Features, SurfParams
from engine.trace_cells import Candidate
from engine.trace_describe import Description, Orientation
from engine.trace_scales import Octave


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A picture, what is found in it, and the responses of all layers.

    The responses take 5 bytes a cell and layer: 33 bytes a pixel with the usual parameters.

    Fields
    ------
    gray : (H, W) uint8
        The picture.
    params : SurfParams
        What was looked for.
    features : Features
        What `engine.surf.extract` finds.
    integral : (H + 1, W + 1) int32
        Sums over all pixels above and left of each corner.
    octaves : tuple of Octave
        The octaves that are searched: fewer than asked for in a small picture.
    canvas : Canvas
        What the describing kernels take.
    """

    gray: NDArray[np.uint8]
    params: SurfParams
    features: Features
    integral: NDArray[np.int32]
    octaves: tuple[Octave, ...]
    canvas: surf_describe.Canvas


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """How one keypoint came to be.

    Fields
    ------
    row : int
        Which one of `Features`.
    octave : Octave
        Where it was found; `octave.layers[cell.layer]` is its layer.
    cell : Candidate
        Its cell, neighbourhood and Newton step.
    near : tuple of Candidate
        The cells around it in all searched layers, and why they are no keypoints.
    orientation : Orientation or None
        How it got its direction; None if upright, where all angles are 270 degrees.
    description : Description
        How it got its descriptor.
    xy : (2,) float32
        Place in pixels.
    size, angle, response : float32
        As in Features: pixels, degrees, determinant.
    class_id : int
        Sign of the Laplacian.
    descriptor : (D,) float32
        The same as `description.descriptor`.
    """

    row: int
    octave: Octave
    cell: Candidate
    near: tuple[Candidate, ...]
    orientation: Orientation | None
    description: Description
    xy: NDArray[np.float32]
    size: np.float32
    angle: np.float32
    response: np.float32
    class_id: int
    descriptor: NDArray[np.float32]


def trace(gray: NDArray[np.uint8], params: SurfParams, keypoint_row: int) -> Trace:
    """Follow one keypoint of a picture.

    Parameters
    ----------
    gray : (H, W) uint8 array
        The picture.
    params : SurfParams
        What to find.
    keypoint_row : int
        A row of what `engine.surf.extract` finds with them.

    Returns
    -------
    Trace

    Raises
    ------
    ValueError
        If an argument has the wrong type or shape, or there is no such row.
    """
    return follow(prepare(gray, params), keypoint_row)


def prepare(gray: NDArray[np.uint8], params: SurfParams) -> Prepared:
    """Extract the keypoints of a picture and keep the responses of all layers.

    Parameters
    ----------
    gray, params
        As in `engine.surf.extract`.

    Returns
    -------
    Prepared

    Raises
    ------
    ValueError
        If an argument has the wrong type, shape or range.
    """
    features = surf.extract(gray, params)
    plane: NDArray[np.uint8] = np.require(gray, requirements=("C", "A", "W"))
    canvas = surf_describe.empty_canvas(plane)
    for task in surf_describe.fill(plane, canvas, 1):
        task()
    table = canvas.table.reshape(canvas.height + 1, canvas.width + 1)
    searched = range(surf_detect.n_searched(plane.shape, params.n_octaves))
    octaves = tuple(trace_scales.respond(table, n, params.n_octave_layers) for n in searched)
    return Prepared(plane, params, features, table, octaves, canvas)


def follow(prepared: Prepared, keypoint_row: int, reach: int = 2) -> Trace:
    """Follow one keypoint of a prepared picture.

    Parameters
    ----------
    prepared : Prepared
        From `prepare`.
    keypoint_row : int
        A row of its features.
    reach : int
        Cells around the keypoint's own that are judged too.

    Returns
    -------
    Trace

    Raises
    ------
    ValueError
        If there is no such row, or the picture was changed after it was prepared.
    """
    features, params = prepared.features, prepared.params
    if not 0 <= keypoint_row < len(features):
        raise ValueError(
            f"keypoint_row must be from 0 to {len(features) - 1}, got {keypoint_row}"
            if len(features)
            else "no keypoint was found in this picture, so that none can be followed"
        )
    octave = prepared.octaves[features.octave[keypoint_row]]
    cell = _cell(features, keypoint_row, octave, params.hessian_threshold)
    if cell.newton is None:
        raise ValueError("the cell of the keypoint has no step")
    x, y, size = cell.newton.found[:3]
    orientation, angle = None, np.float32(270)
    if not params.upright:
        orientation = trace_describe.orient(prepared.canvas, x, y, size)
        angle = orientation.angle
    description = trace_describe.describe(
        prepared.canvas, x, y, size, angle, params.upright, params.extended
    )
    if angle != features.angle[keypoint_row] or not np.array_equal(
        description.descriptor, features.descriptors[keypoint_row]
    ):
        raise ValueError("the features are not those of this picture: prepare it again")
    near = trace_cells.neighbours(cell, octave, reach, params.hessian_threshold)
    return Trace(
        row=keypoint_row,
        octave=octave,
        cell=cell,
        near=tuple(near),
        orientation=orientation,
        description=description,
        xy=cell.newton.found[:2],
        size=size,
        angle=angle,
        response=cell.response,
        class_id=int(cell.newton.found[4]),
        descriptor=description.descriptor,
    )


def _cell(features: Features, row: int, octave: Octave, threshold: float) -> Candidate:
    """Find the cell that a keypoint comes from: at most one cell away in x and y."""
    step = octave.layers[0].step
    wanted = (*features.xy[row], features.size[row], features.response[row], features.class_id[row])
    at_x, at_y = np.rint((features.xy[row] - (step - 1) / 2) / step).astype(int).tolist()
    for layer in octave.layers[1:-1]:
        near = np.s_[max(0, at_y - 2) : at_y + 3, max(0, at_x - 2) : at_x + 3]
        for down, right in np.argwhere(layer.determinants[near] == features.response[row]).tolist():
            at = max(0, at_y - 2) + down, max(0, at_x - 2) + right
            cell = trace_cells.judge(octave, layer.layer, *at, threshold)
            if cell.newton is not None and tuple(cell.newton.found) == wanted:
                return cell
    raise ValueError("the features are not those of this picture: prepare it again")
