"""SURF keypoints and descriptors, bit for bit those of OpenCV 4.10's CPU code.

Bay, Ess, Tuytelaars, Van Gool, "Speeded-Up Robust Features (SURF)", CVIU 2008. Where OpenCV
differs from the paper (a full sort, whole-number sizes, a 20 x 20 window of 2 x 2 wavelets without
interpolation between cells, its 128 values), this follows OpenCV.
"""

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.kernels import surf_describe, surf_detect, surf_patch

# Template of the 9 x 9 filter: (x1, y1, x2, y2, weight), half open.
_BOXES = (
    (0, 2, 3, 7, 1),
    (3, 2, 6, 7, -2),
    (6, 2, 9, 7, 1),
    (2, 0, 7, 3, 1),
    (2, 3, 7, 6, -2),
    (2, 6, 7, 9, 1),
    (1, 1, 4, 4, 1),
    (5, 1, 8, 4, -1),
    (1, 5, 4, 8, -1),
    (5, 5, 8, 8, 1),
)


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
    height, width = plane.shape
    mask_plane = None if mask is None else _checked_mask(mask, plane.shape)
    table = _integral(plane, n_threads)
    keypoints = _detect(table, width, height, params, mask_plane, n_threads)
    return _describe(plane, table, keypoints, params, n_threads)


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
    return _describe(plane, _integral(plane, n_threads), given, params, n_threads)


def warm_up(message: Callable[[str], None] | None = None) -> None:
    """Load the compiled kernels, or compile them, so that the first extraction is not slow.

    Parameters
    ----------
    message : callable, optional
        Called with one sentence before the kernels are compiled; not called when they are
        loaded from the cache.
    """
    kernels = (
        surf_detect.integrate,
        surf_detect.add_row,
        surf_detect.part_columns,
        surf_detect.find_maxima,
        surf_describe.pack_quads,
        surf_describe.describe,
    )
    if message is not None and not all(_is_compiled(kernel) for kernel in kernels):
        message("Compiling the SURF kernels once for this machine, about 15 seconds ...")
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


def patch(
    image: NDArray[np.uint8],
    xy: NDArray[np.floating[Any]] | Sequence[float],
    size: float,
    angle: float,
    side: int = 32,
) -> NDArray[np.uint8]:
    """Cut out one keypoint's descriptor window, for showing; see `patches`.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8 array
        Gray or colour.
    xy : (2,) array
        Position in pixels.
    size, angle : float
        Pixels and degrees, as in Features.
    side : int
        Side of the patch in pixels.

    Returns
    -------
    (side, side) or (side, side, 3) uint8 array
    """
    cut: NDArray[np.uint8] = patches(
        image,
        np.asarray(xy, np.float32).reshape(-1, 2),
        np.array([size], np.float32),
        np.array([angle], np.float32),
        side,
    )[0]
    return cut


def patches(
    image: NDArray[np.uint8],
    xy: NDArray[np.float32],
    size: NDArray[np.float32],
    angle: NDArray[np.float32],
    side: int = 32,
) -> NDArray[np.uint8]:
    """Cut out keypoints' descriptor windows, for showing.

    A window is 21 scales wide (2.8 times the keypoint's size) and turned so that the keypoint's
    direction points right; beyond the border the image's edge goes on.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8 array
        Gray or colour.
    xy : (N, 2) array
        Positions in pixels.
    size, angle : (N,) arrays
        Pixels and degrees, as in Features.
    side : int
        Side of the patches in pixels, 1 to 1024.

    Returns
    -------
    (N, side, side) or (N, side, side, 3) uint8 array
        Mean over the area of each patch pixel.

    Raises
    ------
    ValueError
        If an argument has the wrong type, shape or range.
    """
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.size == 0:
        raise ValueError("image must be a uint8 array with at least one pixel")
    if image.ndim != 2 and not (image.ndim == 3 and image.shape[2] == 3):
        raise ValueError(f"image must have the shape (H, W) or (H, W, 3), got {image.shape}")
    if not 1 <= side <= 1024:
        raise ValueError(f"side must be from 1 to 1024, got {side}")
    n = len(size)
    places = np.array(xy, np.float32, order="C")
    sizes = np.array(size, np.float32)
    angles = np.array(angle, np.float32)
    if places.shape != (n, 2) or sizes.shape != (n,) or angles.shape != (n,):
        raise ValueError(
            f"xy, size and angle must have the shapes (N, 2), (N,) and (N,), "
            f"got {places.shape}, {sizes.shape} and {angles.shape}"
        )
    if not all(np.isfinite(array).all() for array in (places, sizes, angles)):
        raise ValueError("xy, size and angle must be finite")
    if n and sizes.min() <= 0:
        raise ValueError(f"size must be above 0, got {sizes.min()}")
    height, width = image.shape[:2]
    result = np.empty((n, side, side, *image.shape[2:]), np.uint8)
    surf_patch.cut_patches(
        _plain(image).reshape(-1),
        width,
        height,
        3 if image.ndim == 3 else 1,
        places.reshape(-1),
        sizes,
        angles,
        side,
        result.reshape(-1),
    )
    return result


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
    if n and not _window_sides(keypoints.size).min() >= 1:
        raise ValueError(
            "keypoints.size must be at least 0.36 pixels, so that a window holds one pixel, "
            f"got {keypoints.size.min()}"
        )
    return Keypoints(*(getattr(keypoints, name) for name in wanted))


def _window_sides(size: NDArray[np.float32]) -> NDArray[np.int64]:
    scale = (size * np.float32(1.2)) / np.float32(9)
    return (np.float32(21) * scale).astype(np.int64)


@lru_cache(maxsize=4)
def _pool(process_id: int, n_threads: int) -> ThreadPoolExecutor:
    """Keep one pool for each thread count; a forked child has another id and makes its own."""
    return ThreadPoolExecutor(n_threads, thread_name_prefix="surf")


def _run(tasks: Sequence[Callable[[], Any]], n_threads: int) -> list[Any]:
    """Call all tasks, on `n_threads` threads, and return their results in order."""
    if n_threads == 1 or len(tasks) < 2:
        return [task() for task in tasks]
    return list(_pool(os.getpid(), n_threads).map(lambda task: task(), tasks))


def _bands(first: int, last: int, n_bands: int) -> list[tuple[int, int]]:
    """Cut rows first..last-1 into at most `n_bands` bands of like height."""
    cuts = np.linspace(first, last, min(n_bands, max(1, last - first)) + 1).astype(int).tolist()
    return list(pairwise(cuts))


def _integral(plane: NDArray[np.uint8], n_threads: int) -> NDArray[np.int32]:
    """Sum up an image; sums above 2^31 wrap, which their differences undo."""
    height, width = plane.shape
    table = np.empty((height + 1) * (width + 1), np.int32)
    table[: width + 1] = 0
    flat = plane.reshape(-1)
    bands = _bands(0, height, n_threads)
    _run(
        [partial(surf_detect.integrate, flat, width, *band, table) for band in bands],
        n_threads,
    )
    for above, (first, last) in pairwise(bands):
        _run(
            [
                partial(surf_detect.add_row, table, width + 1, above[1], low + 1, high + 1)
                for low, high in _bands(first, last, n_threads)
            ],
            n_threads,
        )
    return table


@lru_cache(maxsize=64)
def _filters(width: int, height: int, index: int, n_layers: int) -> surf_detect.Octave:
    """Lay out one octave, its table still empty; the kernels only read the arrays."""
    step = 1 << index
    block = -(-(width + 1) // step)
    side = (9 + 6 * np.arange(n_layers + 2, dtype=np.int64)) << index
    ratio = side.astype(np.float32) / np.float32(9)
    ticks = np.rint(ratio[:, None] * np.arange(10, dtype=np.float32)).astype(np.int64)
    weights = np.empty((n_layers + 2, 10), np.float32)
    for box, (x1, y1, x2, y2, weight) in enumerate(_BOXES):
        area = (ticks[:, x2] - ticks[:, x1]) * (ticks[:, y2] - ticks[:, y1])
        weights[:, box] = np.float32(weight) / area.astype(np.float32)
    first = side // 2 // step
    fits = (side <= width) & (side <= height)
    margin = np.append(first[1:] + 1, 0)
    return surf_detect.Octave(
        table=np.empty(0, np.int32),
        step=step,
        width=block,
        rows=height // step,
        columns=width // step,
        columns_at=ticks % step * block + ticks // step,
        rows_at=ticks * (step * block),
        weights=weights,
        first=first,
        n_rows=np.where(fits, (height - side) // step + 1, 0),
        n_columns=np.where(fits, (width - side) // step + 1, 0),
        side=side,
        side_step=6 << index,
        margin=margin,
    )


def _octaves(
    table: NDArray[np.int32], width: int, height: int, params: SurfParams, n_threads: int
) -> list[surf_detect.Octave]:
    """Lay out the octaves that fit, with the integral image regrouped by the step of each."""
    octaves, tasks = [], []
    for index in range(params.n_octaves):
        if (15 << index) > min(width, height):
            break
        octave = _filters(width, height, index, params.n_octave_layers)
        parted = table
        if index > 0:
            step, block = octave.step, octave.width
            parted = np.empty((height + 1) * block * step, np.int32)
            tasks += [
                partial(surf_detect.part_columns, table, width + 1, step, block, *band, parted)
                for band in _bands(0, height + 1, n_threads)
            ]
        octaves.append(octave._replace(table=parted))
    _run(tasks, n_threads)
    return octaves


def _search(
    octave: surf_detect.Octave,
    threshold: np.float32,
    mask_table: NDArray[np.int32],
    mask_stride: int,
    first: int,
    last: int,
) -> NDArray[np.float32]:
    """Search a band of rows of an octave: (n, 6) columns x, y, size, response, sign."""
    n_layers = len(octave.first)
    ring = np.empty(3 * n_layers * octave.columns + 2, np.float32)
    words = np.empty(octave.columns // 8 + 2, np.uint64)
    # No two maxima of a layer touch, so a block of 2 x 2 cells holds at most one.
    most = ((last - first) // 2 + 1) * (octave.columns // 2 + 1) * (n_layers - 2)
    found = np.empty(6 * most, np.float32)
    n = surf_detect.find_maxima(
        octave,
        first,
        last,
        threshold,
        mask_table,
        mask_stride,
        ring,
        words.view(np.uint8),
        words,
        np.empty(9, np.int64),
        found,
    )
    rows: NDArray[np.float32] = found[: 6 * n].reshape(n, 6).copy()
    return rows


def _detect(
    table: NDArray[np.int32],
    width: int,
    height: int,
    params: SurfParams,
    mask: NDArray[np.uint8] | None,
    n_threads: int,
) -> Keypoints:
    """Find the maxima of all octaves, in OpenCV's order."""
    mask_stride = 0 if mask is None else width + 1
    mask_table = np.zeros(1, np.int32) if mask is None else _integral(mask, n_threads)
    threshold = np.float32(params.hessian_threshold)
    tasks, octave_of_task = [], []
    for index, octave in enumerate(_octaves(table, width, height, params, n_threads)):
        first = int(octave.margin[1])
        # Each band computes two rows that its neighbours compute too.
        n_bands = min(4 * n_threads, octave.rows // 24 + 1) if n_threads > 1 else 1
        for low, high in _bands(first, octave.rows - first, n_bands):
            if high > low:
                search = partial(_search, octave, threshold, mask_table, mask_stride, low, high)
                tasks.append(search)
                octave_of_task.append(index)
    found = _run(tasks, n_threads)
    rows = np.concatenate([np.empty((0, 6), np.float32), *found])
    counts = np.array([len(part) for part in found], np.int64)
    octave_ids = np.repeat(np.array(octave_of_task, np.int32), counts)
    x, y, size, response = rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3]
    order = np.lexsort((x, -y, -octave_ids, -size, -response))
    if mask is not None:
        columns_, lines = np.rint(x[order]).astype(int), np.rint(y[order]).astype(int)
        order = order[mask[lines, columns_] != 0]
    rows = rows[order]
    return Keypoints(
        xy=np.ascontiguousarray(rows[:, :2]),
        size=rows[:, 2].copy(),
        angle=np.full(len(rows), -1, np.float32),
        response=rows[:, 3].copy(),
        octave=octave_ids[order],
        class_id=rows[:, 4].astype(np.int32),
    )


def _gaussian_taps(n: int, sigma: float) -> NDArray[np.float32]:
    """Sample a Gaussian as OpenCV does: an even kernel's two middle taps count as distance 0."""
    distance = np.abs(np.arange(n) - (n - 1) / 2)
    taps = np.where(distance < 1, 1.0, np.exp(-(distance**2) / (2 * sigma**2)))
    normal: NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    return normal


@lru_cache(maxsize=4)
def _tables(n_sides: int) -> surf_describe.Tables:
    """Constants for windows of sides below `n_sides`; the kernels only read them."""
    disc = [(a, b) for a in range(13) for b in range(13) if (a - 6) ** 2 + (b - 6) ** 2 <= 36]
    around = _gaussian_taps(13, 2.5)
    disc_x, disc_y = np.array(disc, np.int64).T.copy()
    taps = _gaussian_taps(20, float(np.float32(3.3)))
    gradient_weights = np.zeros((20, 21), np.float32)
    gradient_weights[:, :20] = taps[:, None] * taps[None, :]
    member_y, member_x, cell_y, cell_x = np.indices((5, 5, 4, 4))
    members = (5 * cell_y + member_y) * 21 + 5 * cell_x + member_x
    side = np.arange(n_sides, dtype=np.float64)[:, None]
    side[0] = 1
    scale = 1 / (21 / side)
    start = np.arange(21) * scale
    end = start + scale
    share = np.minimum(scale, side - start)
    last = np.minimum(np.floor(end), side - 1)
    first = np.minimum(np.ceil(start), last)
    left = np.where(first - start > 1e-3, (first - start) / share, 0)
    right = np.where(end - last > 1e-3, np.minimum(np.minimum(end - last, 1), share) / share, 0)
    whole = 1 / share
    nearest = np.rint(scale)
    divides = (np.abs(scale - nearest) < np.finfo(np.float64).eps) & (nearest >= 1)
    block = np.where(divides, nearest, 0)
    first = np.where(divides, np.arange(21) * block, first)
    last = np.where(divides, first + block, last)
    return surf_describe.Tables(
        disc_x=disc_x.copy(),
        disc_y=disc_y.copy(),
        disc_weights=around[disc_x] * around[disc_y],
        gradient_weights=gradient_weights.reshape(-1),
        cell_members=members.reshape(-1).astype(np.int64),
        whole_first=first.astype(np.int64).reshape(-1),
        whole_last=last.astype(np.int64).reshape(-1),
        whole_weights=np.where(divides, 1, whole).astype(np.float32).reshape(-1),
        left_weights=np.where(divides, 0, left).astype(np.float32).reshape(-1),
        right_weights=np.where(divides, 0, right).astype(np.float32).reshape(-1),
        blocks=block.astype(np.int64).reshape(-1),
    )


def _scratch(largest: int) -> surf_describe.Scratch:
    """Room for the windows of one task."""
    rows = -(-largest // 16) * 16
    block = max(8208, rows + 16)
    return surf_describe.Scratch(
        origins=np.zeros(128, np.int64),
        x_parts=np.zeros(128, np.float32),
        y_parts=np.zeros(128, np.float32),
        weights=np.zeros(128, np.float32),
        phases=np.zeros(128, np.float32),
        lefts=np.zeros(13, np.int64),
        tops=np.zeros(13, np.int64),
        bins_of=np.zeros(128, np.int32),
        bin_x=np.zeros(170, np.float64),
        bin_y=np.zeros(170, np.float64),
        strengths=np.zeros(72, np.float64),
        row_x=np.zeros(rows, np.float32),
        row_y=np.zeros(rows, np.float32),
        at_x=np.zeros(rows, np.float64),
        at_y=np.zeros(rows, np.float64),
        row_part_x=np.zeros(rows, np.uint32),
        row_part_y=np.zeros(rows, np.uint32),
        row_corner=np.zeros(rows, np.int32),
        corners=np.zeros(block, np.int32),
        part_x=np.zeros(block, np.float32),
        part_y=np.zeros(block, np.float32),
        sums_along=np.zeros(3 * rows, np.float32),
        small=np.zeros(441, np.int64),
        patch=np.zeros(448, np.float32),
        dx=np.zeros(420, np.float32),
        dy=np.zeros(420, np.float32),
        cell_dx=np.zeros(400, np.float32),
        cell_dy=np.zeros(400, np.float32),
        bins=np.zeros(8 * 16, np.float32),
    )


def _describe(
    plane: NDArray[np.uint8],
    table: NDArray[np.int32],
    keypoints: Keypoints,
    params: SurfParams,
    n_threads: int,
) -> Features:
    """Orient and describe keypoints, and drop those that have no room."""
    n = len(keypoints)
    angles = np.empty(n, np.float32)
    descriptors = np.empty((n, params.n_dimensions), np.float32)
    if n:
        _fill(plane, table, keypoints, params, n_threads, angles, descriptors)
    kept = angles >= 0
    if not kept.all():
        descriptors = descriptors[kept]
    return Features(
        xy=keypoints.xy[kept],
        size=keypoints.size[kept],
        angle=angles[kept],
        response=keypoints.response[kept],
        octave=keypoints.octave[kept],
        class_id=keypoints.class_id[kept],
        descriptors=descriptors,
    )


def _fill(
    plane: NDArray[np.uint8],
    table: NDArray[np.int32],
    keypoints: Keypoints,
    params: SurfParams,
    n_threads: int,
    angles: NDArray[np.float32],
    descriptors: NDArray[np.float32],
) -> None:
    """Fill in angles and descriptors, visiting the keypoints place by place."""
    height, width = plane.shape
    quads = np.empty(height * width, np.uint32)
    flat = plane.reshape(-1)
    _run(
        [
            partial(surf_describe.pack_quads, flat, width, height, *band, quads)
            for band in _bands(0, height, n_threads)
        ],
        n_threads,
    )
    picture = surf_describe.Picture(width, height, table, quads)
    x, y = keypoints.xy[:, 0].copy(), keypoints.xy[:, 1].copy()
    size = _plain(keypoints.size)
    # Windows of keypoints that do not fit into the image are never opened.
    sides = np.minimum(_window_sides(size), 6 * (min(height, width) + 8))
    largest = int(sides.max())
    tables = _tables(max(1024, 1 << largest.bit_length()))
    order = np.lexsort((x, y // 64))
    cost = np.cumsum(sides[order] ** 2 + 4000.0)
    n_tasks = 4 * n_threads if n_threads > 1 else 1
    cuts = np.searchsorted(cost, cost[-1] * np.arange(n_tasks + 1) / n_tasks)
    cuts[0], cuts[-1] = 0, len(size)

    def describe_some(first: int, last: int) -> None:
        surf_describe.describe(
            picture,
            tables,
            _scratch(largest),
            x,
            y,
            size,
            order,
            first,
            last,
            params.upright,
            params.extended,
            angles,
            descriptors.reshape(-1),
        )

    _run([partial(describe_some, int(a), int(b)) for a, b in pairwise(cuts)], n_threads)
