"""SURF keypoints and descriptors, bit for bit those of OpenCV 4.10's CPU code.

Bay, Ess, Tuytelaars, Van Gool, "Speeded-Up Robust Features (SURF)", CVIU 2008. Where OpenCV
differs from the paper (a full sort, whole-number sizes, a 20 x 20 window of 2 x 2 wavelets without
interpolation between cells, its 128 values), this follows OpenCV.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import surf_describe, surf_detect, threads
from engine.language import mark


@dataclass(frozen=True, slots=True)
class SurfParams:
    """What to detect and describe.

    Fields
    ------
    hessian_threshold : float
        Least determinant of the Hessian, at least 0; larger gives fewer keypoints.
    n_octaves, n_octave_layers : int
        Doublings of the filter side, and searched layers in each; both at least 1.
    extended : bool
        128 values a descriptor instead of 64.
    upright : bool
        No orientation: every angle is 270 degrees.
    """

    hessian_threshold: float = 400.0
    n_octaves: int = 4
    n_octave_layers: int = 3
    extended: bool = True
    upright: bool = False

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        if not (math.isfinite(self.hessian_threshold) and self.hessian_threshold >= 0):
            raise ValueError(f"hessian_threshold must be at least 0, got {self.hessian_threshold}")
        for name in ("n_octaves", "n_octave_layers"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 16:
                raise ValueError(f"{name} must be a whole number from 1 to 16, got {value!r}")
        for name in ("extended", "upright"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be True or False, got {getattr(self, name)!r}")

    @property
    def n_dimensions(self) -> int:
        """Values a descriptor: 128 if extended, otherwise 64."""
        return 128 if self.extended else 64


@dataclass(frozen=True, slots=True, eq=False)
class Keypoints:
    """Keypoints without descriptors, one row each.

    Fields
    ------
    xy : (N, 2) float32
        Pixels; (0, 0) is the centre of the upper left pixel, y points down.
    size : (N,) float32
        Side of the filter that found it, in pixels; the scale is size * 1.2 / 9.
    angle : (N,) float32
        Degrees, 0..360, clockwise in the image from the x axis.
    response : (N,) float32
        Determinant of the Hessian.
    octave : (N,) int32
        0 for the finest.
    class_id : (N,) int32
        Sign of the Laplacian: +1 dark blob on light ground, -1 bright blob, 0.
    """

    xy: NDArray[np.float32]
    size: NDArray[np.float32]
    angle: NDArray[np.float32]
    response: NDArray[np.float32]
    octave: NDArray[np.int32]
    class_id: NDArray[np.int32]

    def __len__(self) -> int:
        """Count the keypoints."""
        return len(self.size)


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Keypoints and their descriptors, one row each.

    Fields
    ------
    xy, size, angle, response, octave, class_id
        As in Keypoints.
    descriptors : (N, 64) or (N, 128) float32
        Length 1, or all zeros over a flat window.
    """

    xy: NDArray[np.float32]
    size: NDArray[np.float32]
    angle: NDArray[np.float32]
    response: NDArray[np.float32]
    octave: NDArray[np.int32]
    class_id: NDArray[np.int32]
    descriptors: NDArray[np.float32]

    def __len__(self) -> int:
        """Count the keypoints."""
        return len(self.size)


def extract(
    gray: NDArray[np.uint8],
    params: SurfParams = SurfParams(),
    mask: NDArray[Any] | None = None,
    n_threads: int = 1,
) -> Features:
    """Find and describe the keypoints of an image.

    Parameters
    ----------
    gray : (H, W) uint8 array
        The image, in any memory order.
    params : SurfParams
        What to find.
    mask : (H, W) uint8 or bool array, optional
        Where to look: not zero.
    n_threads : int
        Threads to use, at least 1. The result does not depend on it.

    Returns
    -------
    Features
        By falling response; ties by falling size, octave and y, then by rising x.

    Raises
    ------
    ValueError
        If an argument has the wrong type, shape or range.

    References
    ----------
    Bay, Ess, Tuytelaars, Van Gool, "Speeded-Up Robust Features (SURF)", CVIU 2008.
    """
    plane = _checked_gray(gray)
    _check_threads(n_threads)
    canvas = surf_describe.empty_canvas(plane)
    n_bands = 4 * n_threads if n_threads > 1 else 1
    first = surf_describe.fill(plane, canvas, n_bands)
    masked = None
    if mask is not None:
        masked = _checked_mask(mask, plane.shape), np.empty_like(canvas.table)
        first.append(partial(surf_detect.integral, *masked))
    parts: list[_Part] = []

    def found(octave: int, band: int, rows: NDArray[np.float32]) -> list[threads.Task]:
        n = len(rows)
        descriptors = np.empty((n, params.n_dimensions), np.float32)
        part = _Part(octave, band, rows, np.empty(n, np.float32), descriptors)
        parts.append(part)
        return surf_describe.tasks(
            canvas, rows[:, :2], rows[:, 2], params.upright, part.angles, part.descriptors
        )

    def search() -> list[threads.Task]:
        return surf_detect.tasks(
            canvas.table,
            plane.shape,
            params.hessian_threshold,
            params.n_octaves,
            params.n_octave_layers,
            masked,
            n_bands,
            found,
        )

    threads.run(threads.together(first, search), n_threads)
    return _gather(parts, params.n_dimensions)


def describe(
    gray: NDArray[np.uint8],
    keypoints: Keypoints | Features,
    params: SurfParams = SurfParams(),
    n_threads: int = 1,
) -> Features:
    """Describe given keypoints; their angles are found anew.

    Parameters
    ----------
    gray : (H, W) uint8 array
        The image, in any memory order.
    keypoints : Keypoints
        Positions and sizes are used as they are, and their order is kept; those too large for
        the image, or without a single orientation sample inside it, are dropped.
    params : SurfParams
        Only `extended` and `upright` matter.
    n_threads : int
        Threads to use, at least 1. The result does not depend on it.

    Returns
    -------
    Features
        One row for each keypoint that is left.

    Raises
    ------
    ValueError
        If an argument has the wrong type, shape or range, or a size is below 0.36 pixels, which
        leaves no window.

    References
    ----------
    Bay, Ess, Tuytelaars, Van Gool, "Speeded-Up Robust Features (SURF)", CVIU 2008.
    """
    plane = _checked_gray(gray)
    _check_threads(n_threads)
    given = _checked_keypoints(keypoints)
    canvas = surf_describe.empty_canvas(plane)
    angles = np.empty(len(given), np.float32)
    descriptors = np.empty((len(given), params.n_dimensions), np.float32)
    tasks = partial(
        surf_describe.tasks, canvas, given.xy, given.size, params.upright, angles, descriptors
    )
    threads.run(threads.together(surf_describe.fill(plane, canvas, n_threads), tasks), n_threads)
    kept = angles >= 0
    return Features(
        xy=given.xy[kept],
        size=given.size[kept],
        angle=angles[kept],
        response=given.response[kept],
        octave=given.octave[kept],
        class_id=given.class_id[kept],
        descriptors=descriptors[kept],
    )


def warm_up(message: Callable[[str], None] | None = None) -> None:
    """Load the compiled kernels, or compile them, so that the first extraction is not slow.

    Parameters
    ----------
    message : callable, optional
        Called with one sentence before the kernels are compiled; not called when they are
        loaded from the cache.
    """
    used = (*surf_detect.KERNELS, *surf_describe.KERNELS)
    if message is not None and not all(_is_compiled(kernel) for kernel in used):
        message(mark("Compiling the SURF kernels once for this machine, about 15 seconds ..."))
    y, x = np.indices((64, 64))
    blob = 255 * np.exp(-((x - 32) ** 2 + (y - 32) ** 2) / 50)
    extract(blob.astype(np.uint8), n_threads=2)


def _is_compiled(kernel: Any) -> bool:
    """Tell whether a kernel is compiled, or cached for this processor.

    Numba has no public way to ask; where its insides have changed, the answer is no.
    """
    if getattr(kernel, "signatures", True):
        return True
    try:
        from numba.core.registry import cpu_target

        machine = cpu_target.target_context.codegen().magic_tuple()
        index = kernel._cache._cache_file._load_index()
        return any(key[1] == machine for key in index)
    except (AttributeError, TypeError, LookupError, OSError):
        return False


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Keypoints of a band of rows of one octave: x, y, size, response and sign, and the rest."""

    octave: int
    band: int
    rows: NDArray[np.float32]
    angles: NDArray[np.float32]
    descriptors: NDArray[np.float32]


def _gather(parts: Sequence[_Part], n_dimensions: int) -> Features:
    """Sort keypoints that came in parts; leave out those without room for an angle."""
    parts = sorted(parts, key=lambda part: (part.octave, part.band))
    rows = np.concatenate([np.empty((0, 5), np.float32), *(part.rows for part in parts)])
    angles = np.concatenate([np.empty(0, np.float32), *(part.angles for part in parts)])
    counts = [len(part.rows) for part in parts]
    octaves = np.repeat(np.array([part.octave for part in parts], np.int32), counts)
    order = surf_detect.order(rows, octaves)
    order = order[angles[order] >= 0]
    # Each part goes to its places at once, so that no third copy of the descriptors is made.
    places = np.full(len(rows), -1)
    places[order] = np.arange(len(order))
    descriptors = np.empty((len(order), n_dimensions), np.float32)
    for part, place in zip(parts, np.split(places, np.cumsum(counts)[:-1])):
        descriptors[place[place >= 0]] = part.descriptors[place >= 0]
    rows = rows[order]
    return Features(
        xy=np.ascontiguousarray(rows[:, :2]),
        size=rows[:, 2].copy(),
        angle=angles[order],
        response=rows[:, 3].copy(),
        octave=octaves[order],
        class_id=rows[:, 4].astype(np.int32),
        descriptors=descriptors,
    )


def _checked_gray(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the image in the one memory layout that the kernels are compiled for."""
    if not isinstance(gray, np.ndarray) or gray.dtype != np.uint8 or gray.ndim != 2:
        found = f"{gray.dtype} {gray.shape}" if isinstance(gray, np.ndarray) else type(gray)
        raise ValueError(f"gray must be a uint8 array of shape (H, W), got {found}")
    if gray.size == 0:
        raise ValueError(f"gray must hold at least one pixel, got shape {gray.shape}")
    if gray.size >= 2**31 - 2**17:
        raise ValueError(f"gray must hold fewer than 2^31 pixels, got shape {gray.shape}")
    return _plain(gray)


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    plain: NDArray[Any] = np.require(array, requirements=("C", "A", "W"))
    return plain


def _checked_mask(mask: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    if not isinstance(mask, np.ndarray) or mask.dtype not in (np.uint8, np.bool_):
        found = mask.dtype if isinstance(mask, np.ndarray) else type(mask)
        raise ValueError(f"mask must be a uint8 or bool array, got {found}")
    if mask.shape != shape:
        raise ValueError(f"mask must have the shape of gray, {shape}, got {mask.shape}")
    plane: NDArray[np.uint8] = (mask != 0).astype(np.uint8, order="C")
    return plane


def _check_threads(n_threads: int) -> None:
    if n_threads < 1:
        raise ValueError(f"n_threads must be at least 1, got {n_threads}")


def _checked_keypoints(keypoints: Keypoints | Features) -> Keypoints:
    n = len(keypoints.size)
    wanted: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {
        "xy": ((n, 2), np.float32),
        "size": ((n,), np.float32),
        "angle": ((n,), np.float32),
        "response": ((n,), np.float32),
        "octave": ((n,), np.int32),
        "class_id": ((n,), np.int32),
    }
    for name, (shape, dtype) in wanted.items():
        array = getattr(keypoints, name)
        if array.shape != shape or array.dtype != dtype:
            raise ValueError(
                f"keypoints.{name} must be {np.dtype(dtype)} {shape}, "
                f"got {array.dtype} {array.shape}"
            )
    if not (np.isfinite(keypoints.xy).all() and np.isfinite(keypoints.size).all()):
        raise ValueError("keypoints.xy and keypoints.size must be finite")
    if n and np.abs(keypoints.xy).max() > 2**24:
        raise ValueError("keypoints.xy must lie within 2^24 pixels of the image")
    if n and not surf_describe.window_sides(keypoints.size).min() >= 1:
        raise ValueError(
            "keypoints.size must be at least 0.36 pixels, so that a window holds one pixel, "
            f"got {keypoints.size.min()}"
        )
    return Keypoints(*(getattr(keypoints, name) for name in wanted))
