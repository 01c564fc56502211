"""Are the same keypoints found again when a picture is turned, zoomed, blurred or brightened?

Mikolajczyk, Tuytelaars, Schmid, Zisserman, Matas, Schaffalitzky, Kadir, Van Gool, "A comparison
of affine region detectors", IJCV 2005: two regions correspond if, brought into one picture by the
known map, they overlap by more than 60 % of their union. Here regions are circles as wide as the
filter that found them, whose overlap does not depend on their scale, so that they are not brought
to one size first.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine import lookup, surf
from engine.surf import Features, SurfParams

LEAST_OVERLAP = 0.6
_MOST_PIXELS = 2**26
_ROWS = 512  # compared at a time


@dataclass(frozen=True, slots=True)
class Variation:
    """What is done to a picture.

    Fields
    ------
    turn : float
        Degrees, clockwise.
    zoom : float
        Length afterwards of what was 1 long, 0.1 to 10.
    blur : float
        Sigma of a Gaussian in pixels of the result, 0 to 100.
    contrast, brightness : float
        Pixels times the one plus the other, in levels of 0 to 255; contrast above 0.
    """

    turn: float = 0.0
    zoom: float = 1.0
    blur: float = 0.0
    contrast: float = 1.0
    brightness: float = 0.0

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        for name in ("turn", "zoom", "blur", "contrast", "brightness"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name} must be finite, got {getattr(self, name)}")
        if not 0.1 <= self.zoom <= 10:
            raise ValueError(f"zoom must be from 0.1 to 10, got {self.zoom}")
        if not 0 <= self.blur <= 100:
            raise ValueError(f"blur must be from 0 to 100 pixels, got {self.blur}")
        if self.contrast <= 0:
            raise ValueError(f"contrast must be above 0, got {self.contrast}")


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """A picture after a variation, and where its points went.

    Fields
    ------
    gray : (H', W') uint8
        The result, large enough for all of the picture; beyond its border the edge goes on.
    affine : (2, 3) float64
        Sends x, y, 1 in the picture to x, y in the result, in pixels.
    """

    gray: NDArray[np.uint8]
    affine: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Repeated:
    """Which keypoints of one picture (N) are found again in another (M).

    Fields
    ------
    is_common_one, is_common_other : (N,), (M,) bool
        Whether the whole circle lies in what both pictures show.
    pairs : (P, 2) int64
        Keypoints that overlap enough, by falling overlap, each at most once.
    overlaps : (P,) float64
        Intersection over union of their circles.
    nearest : (N,) int64
        For each keypoint of the one picture the row of the nearest descriptor in the other, the
        first of equals; -1 where the other has none.
    is_right : (N,) bool
        Whether that one overlaps enough.
    """

    is_common_one: NDArray[np.bool_]
    is_common_other: NDArray[np.bool_]
    pairs: NDArray[np.int64]
    overlaps: NDArray[np.float64]
    nearest: NDArray[np.int64]
    is_right: NDArray[np.bool_]

    @property
    def repeatability(self) -> float:
        """Pairs as a share of the common keypoints of the picture with fewer; 0 without any."""
        fewer = min(int(self.is_common_one.sum()), int(self.is_common_other.sum()))
        return len(self.pairs) / fewer if fewer else 0.0

    @property
    def right_matches(self) -> float:
        """Share of the one picture's common keypoints whose nearest is right; 0 without any."""
        common = int(self.is_common_one.sum())
        return int((self.is_right & self.is_common_one).sum()) / common if common else 0.0


def vary(gray: NDArray[np.uint8], variation: Variation) -> Variant:
    """Turn, zoom, blur and brighten a picture, in this order.

    Parameters
    ----------
    gray : (H, W) uint8 array
        The picture.
    variation : Variation

    Returns
    -------
    Variant
        Bilinear; a picture that shrinks is smoothed first. Middle goes to middle.

    Raises
    ------
    ValueError
        If gray has the wrong type or shape, or the result would have more than 2^26 pixels.
    """
    from scipy import ndimage

    if (
        not isinstance(gray, np.ndarray)
        or gray.dtype != np.uint8
        or gray.ndim != 2
        or not gray.size
    ):
        raise ValueError("gray must be a uint8 array of shape (H, W) with at least one pixel")
    affine, (height, width) = _affine(gray.shape, variation)
    if height * width > _MOST_PIXELS:
        raise ValueError(f"the result would have {width} x {height} pixels, more than 2^26")
    values = gray.astype(np.float64)
    if variation.zoom < 1:
        # As much blur as keeps a picture of sigma 0.5 at sigma 0.5.
        sigma = 0.5 * math.sqrt(variation.zoom**-2 - 1)
        values = ndimage.gaussian_filter(values, sigma, mode="nearest")
    if variation.turn or variation.zoom != 1:
        back = np.linalg.inv(affine[:, :2])
        start = -back @ affine[:, 2]
        values = ndimage.affine_transform(
            values, back[::-1, ::-1], start[::-1], (height, width), order=1, mode="nearest"
        )
    if variation.blur > 0:
        values = ndimage.gaussian_filter(values, variation.blur, mode="nearest")
    values = values * variation.contrast + variation.brightness
    return Variant(np.rint(values).clip(0, 255).astype(np.uint8), affine)


def _affine(
    shape: tuple[int, ...], variation: Variation
) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """Return the map and the height and width of what it makes of a picture."""
    # Quarter turns are exact.
    cosine = round(math.cos(math.radians(variation.turn)), 15) * variation.zoom
    sine = round(math.sin(math.radians(variation.turn)), 15) * variation.zoom
    matrix = np.array([[cosine, -sine], [sine, cosine]])
    size = np.array([shape[1], shape[0]], np.float64)
    wanted = np.maximum(1, np.ceil(np.abs(matrix) @ size - 1e-6))
    start = (wanted - 1) / 2 - matrix @ ((size - 1) / 2)
    return np.column_stack([matrix, start]), (int(wanted[1]), int(wanted[0]))


def repeat(
    gray: NDArray[np.uint8], params: SurfParams, variation: Variation, n_threads: int = 1
) -> tuple[Variant, Features, Features, Repeated]:
    """Extract the keypoints of a picture and of its variant, and compare them.

    Parameters
    ----------
    gray, params, n_threads
        As in `engine.surf.extract`.
    variation : Variation

    Returns
    -------
    Variant, Features, Features, Repeated
        The variant, the picture's keypoints, the variant's, which of them are the same.
    """
    variant = vary(gray, variation)
    one = surf.extract(gray, params, n_threads=n_threads)
    other = surf.extract(variant.gray, params, n_threads=n_threads)
    found = compare(one, gray.shape, other, variant.gray.shape, variant.affine)
    return variant, one, other, found


def compare(
    one: Features,
    one_shape: tuple[int, ...],
    other: Features,
    other_shape: tuple[int, ...],
    affine: NDArray[np.float64],
    least_overlap: float = LEAST_OVERLAP,
) -> Repeated:
    """Tell which keypoints of one picture are found again in another.

    Parameters
    ----------
    one, other : Features
        Keypoints of both.
    one_shape, other_shape : tuple of int
        Height and width of the pictures.
    affine : (2, 3) float64 array
        Sends x, y, 1 in the one to x, y in the other: a turn, one zoom and a shift.
    least_overlap : float
        Intersection over union must lie above it, from 0 to below 1.

    Returns
    -------
    Repeated

    Raises
    ------
    ValueError
        If the map is no such map, or least_overlap out of its range.
    """
    if not 0 <= least_overlap < 1:
        raise ValueError(f"least_overlap must be from 0 to below 1, got {least_overlap}")
    (a, b, _), (c, d, _) = affine = np.asarray(affine, np.float64)
    zoom = math.sqrt(abs(a * d - b * c))
    if not np.allclose([a * b + c * d, math.hypot(a, c), math.hypot(b, d)], [0, zoom, zoom]):
        raise ValueError(f"affine must turn, zoom and shift only, got {affine.tolist()}")
    if not zoom > 0:
        raise ValueError("affine must not send the picture to a point")
    back = np.linalg.inv(affine[:, :2])
    mapped = one.xy @ affine[:, :2].T + affine[:, 2]
    radius = one.size.astype(np.float64) * (zoom / 2)
    other_radius = other.size.astype(np.float64) / 2
    is_common_one = _holds(one_shape, one.xy, one.size / 2) & _holds(other_shape, mapped, radius)
    other_back = (other.xy - affine[:, 2]) @ back.T
    is_common_other = _holds(other_shape, other.xy, other_radius)
    is_common_other &= _holds(one_shape, other_back, other_radius / zoom)
    rows = _near(mapped, radius, other.xy.astype(np.float64), other_radius, least_overlap)
    part = overlap(
        np.linalg.norm(mapped[rows[:, 0]] - other.xy[rows[:, 1]], axis=1),
        radius[rows[:, 0]],
        other_radius[rows[:, 1]],
    )
    rows, part = rows[part > least_overlap], part[part > least_overlap]
    nearest = _nearest(one.descriptors, other.descriptors)
    right = rows[nearest[rows[:, 0]] == rows[:, 1], 0]
    is_both = is_common_one[rows[:, 0]] & is_common_other[rows[:, 1]]
    pairs, overlaps = _each_once(rows[is_both], part[is_both])
    is_right = np.isin(np.arange(len(one)), right)
    return Repeated(is_common_one, is_common_other, pairs, overlaps, nearest, is_right)


def overlap(
    distance: NDArray[np.float64], one: NDArray[np.float64], other: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the intersection over the union of circles.

    Parameters
    ----------
    distance, one, other : (P,) float64 arrays
        Between the middles, and the radii, above 0.

    Returns
    -------
    (P,) float64 array
        1 for the same circle, 0 for circles that do not touch.
    """
    d, r, s = (np.asarray(value, np.float64) for value in (distance, one, other))
    small, large = np.minimum(r, s), np.maximum(r, s)
    # Inside one another or apart, the formula of the lens does not hold.
    between = np.clip(d, large - small, large + small)
    between = np.where(between > 0, between, large)
    cos_r = np.clip((between**2 + r**2 - s**2) / (2 * between * r), -1, 1)
    cos_s = np.clip((between**2 + s**2 - r**2) / (2 * between * s), -1, 1)
    angle_r, angle_s = np.arccos(cos_r), np.arccos(cos_s)
    lens = r**2 * (angle_r - np.sin(2 * angle_r) / 2) + s**2 * (angle_s - np.sin(2 * angle_s) / 2)
    common = np.where(d <= large - small, np.pi * small**2, np.where(d >= r + s, 0.0, lens))
    union = np.pi * (r**2 + s**2) - common
    shares: NDArray[np.float64] = common / union
    return shares


def _holds(
    shape: tuple[int, ...], xy: NDArray[np.floating], radius: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """Tell which circles lie in a picture, whose pixels reach half a pixel beyond their centres."""
    size = np.array([shape[1], shape[0]])
    reach = radius[:, None]
    inside = (xy - reach >= -0.5) & (xy + reach <= size - 0.5)
    whole: NDArray[np.bool_] = inside[:, 0] & inside[:, 1]
    return whole


def _near(
    mapped: NDArray[np.float64],
    radius: NDArray[np.float64],
    other: NDArray[np.float64],
    other_radius: NDArray[np.float64],
    least_overlap: float,
) -> NDArray[np.int64]:
    """Return pairs of rows whose circles touch, by row."""
    from scipy.spatial import KDTree

    if not len(mapped) or not len(other):
        return np.empty((0, 2), np.int64)
    # A circle that is too large for the overlap need not be looked at, wherever it lies.
    largest = np.minimum(other_radius.max(), radius / math.sqrt(max(least_overlap, 1e-9)))
    lists = KDTree(other).query_ball_point(mapped, radius + largest, return_sorted=True)
    counts = [len(each) for each in lists]
    rows = np.repeat(np.arange(len(mapped)), counts)
    others = np.array([row for each in lists for row in each], np.int64)
    apart = np.linalg.norm(mapped[rows] - other[others], axis=1)
    touching = apart < radius[rows] + other_radius[others]
    return np.stack([rows[touching], others[touching]], 1)


def _nearest(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.int64]:
    """Find the nearest descriptor of each; -1 where there are none."""
    if not len(other):
        return np.full(len(one), -1, np.int64)
    return lookup.assign(one, other).word_ids.astype(np.int64)


def ratios(
    one: NDArray[np.float32], other: NDArray[np.float32], nearest: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Divide the distance to the nearest descriptor by that to the second nearest.

    Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004: the nearer to 1,
    the more a match could as well have been another one.

    Parameters
    ----------
    one, other : (N, D), (M, D) float32 arrays
        Descriptors.
    nearest : (N,) int64 array
        Rows of the nearest in `other`, as `Repeated.nearest`.

    Returns
    -------
    (N,) float32 array
        From 0 to 1; 1 where there are no two, or both are the same as the keypoint's own.
    """
    if len(other) < 2:
        return np.ones(len(one), np.float32)
    first = np.linalg.norm(one - other[nearest], axis=1)
    squares = (other * other).sum(axis=1)
    result = np.ones(len(one), np.float32)
    for start in range(0, len(one), _ROWS):
        rows = np.arange(start, min(len(one), start + _ROWS))
        far = squares - 2 * (one[rows] @ other.T)
        far[np.arange(len(rows)), nearest[rows]] = np.inf
        second = np.linalg.norm(one[rows] - other[far.argmin(axis=1)], axis=1)
        np.divide(first[rows], second, out=result[rows[0] : rows[-1] + 1], where=second > 0)
    return np.minimum(result, np.float32(1))


def _each_once(
    rows: NDArray[np.int64], overlaps: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Take pairs by falling overlap and leave out those with a keypoint already taken."""
    order = np.lexsort((rows[:, 1], rows[:, 0], -overlaps))
    taken_one, taken_other, kept = set(), set(), []
    for k in order.tolist():
        a, b = rows[k].tolist()
        if a not in taken_one and b not in taken_other:
            taken_one.add(a)
            taken_other.add(b)
            kept.append(k)
    return rows[kept].reshape(-1, 2), overlaps[kept]
