"""Matches between two pictures without geometry: by nearest descriptor, and by equal words.

Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004: a match counts if the
nearest descriptor is clearly nearer than the second nearest. Sivic, Zisserman, "Video Google", ICCV
2003: keypoints match if they have the same visual word.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

_BLOCK = 256  # rows of one matrix product: 2 MB of scores at 2,000 descriptors


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """What each of N keypoints finds among those of another picture.

    Fields
    ------
    rows : (N,) int64
        The nearest descriptor there, the first of equals; -1 where there is none.
    distances : (N,) float32
        Euclidean, between the two descriptors; infinite where there is none.
    ratios : (N,) float32
        That distance over the one to the second nearest, 0 to 1 but for rounding; 0 where the other
        picture has one keypoint only, 1 where both are 0 or there is none.
    """

    rows: NDArray[np.int64]
    distances: NDArray[np.float32]
    ratios: NDArray[np.float32]

    def within(self, ratio: float) -> NDArray[np.int64]:
        """Return the keypoints whose match passes the ratio test, the clearest first.

        `ratio` 1 lets every match pass.
        """
        passing = np.flatnonzero((self.rows >= 0) & ((self.ratios < ratio) | (ratio >= 1)))
        order: NDArray[np.int64] = passing[np.argsort(self.ratios[passing], kind="stable")]
        return order


def nearest(one: NDArray[np.float32], other: NDArray[np.float32]) -> Nearest:
    """Find the nearest and second nearest descriptor of another picture.

    Parameters
    ----------
    one : (N, D) float32 array
        Descriptors; N may be 0.
    other : (M, D) float32 array
        Those of the other picture; M may be 0.

    Returns
    -------
    Nearest

    Raises
    ------
    ValueError
        If the two differ in D or a value is not finite.
    """
    if len(other) == 0:
        none = np.full(len(one), -1, np.int64)
        far = np.full(len(one), np.inf, np.float32)
        return Nearest(none, far, np.ones(len(one), np.float32))
    candidates = _candidates(one, other)
    apart = other[candidates].astype(np.float64) - one[:, None]
    distances = np.sqrt((apart**2).sum(axis=2))
    order = np.lexsort((candidates, distances))[:, :2]
    rows = np.take_along_axis(candidates, order, axis=1)[:, 0].astype(np.int64)
    first, *second = np.take_along_axis(distances, order, axis=1).T
    ratios = np.zeros(len(one))
    if second:
        ratios = np.divide(first, second[0], out=np.ones(len(one)), where=second[0] > 0)
    return Nearest(rows, first.astype(np.float32), ratios.astype(np.float32))


def _candidates(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return for each descriptor the three that are nearest in float32, or all if fewer."""
    from engine.kernels.assign import nearest_others

    if one.shape[1:] != other.shape[1:]:
        raise ValueError(f"descriptors {one.shape} and {other.shape} differ in dimensions")
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise ValueError("descriptors must be finite numbers")
    found = np.empty((len(one), min(3, len(other))), np.int32)
    norms = np.einsum("kd,kd->k", other, other)
    doubled = np.ascontiguousarray(-2.0 * other.T, np.float32)
    lengths = np.empty(found.shape[1], np.float32)
    for start in range(0, len(one), _BLOCK):
        rows = slice(start, start + _BLOCK)
        scores = one[rows] @ doubled
        scores += norms
        none = np.full(len(scores), -1, np.int32)
        block = np.empty((len(scores), found.shape[1]), np.int32)
        nearest_others(scores, none, block, lengths)
        found[rows] = block
    return found


def n_equal_words(one: NDArray[np.int32], other: NDArray[np.int32]) -> int:
    """Count the pairs of keypoints of two pictures, (N,) and (M,) words, that have one word."""
    size = int(max(one.max(initial=0), other.max(initial=0))) + 1
    return int(np.bincount(one, minlength=size) @ np.bincount(other, minlength=size))


def equal_words(
    one: NDArray[np.int32], other: NDArray[np.int32], most: int | None = None
) -> NDArray[np.int64]:
    """List the pairs of keypoints of two pictures that have the same word.

    Parameters
    ----------
    one, other : (N,), (M,) int32 arrays
        The word of each keypoint.
    most : int or None
        How many pairs at most, at least 0; None for all.

    Returns
    -------
    (P, 2) int64 array
        Rows of both. Words with the fewest pairs first, since they tell most; of these the lower
        word, then the lower rows.

    Raises
    ------
    ValueError
        If `most` is below 0.
    """
    if most is not None and most < 0:
        raise ValueError(f"most must be at least 0, got {most}")
    size = int(max(one.max(initial=0), other.max(initial=0))) + 1
    counts = np.bincount(one, minlength=size), np.bincount(other, minlength=size)
    pairs = counts[0] * counts[1]
    orders = np.argsort(one, kind="stable"), np.argsort(other, kind="stable")
    starts = [np.concatenate(([0], np.cumsum(count))) for count in counts]
    words = np.argsort(pairs, kind="stable")
    left, found = most, [np.empty((0, 2), np.int64)]
    for word in words[pairs[words] > 0].tolist():
        if left is not None and left <= 0:
            break
        rows = [order[at[word] : at[word + 1]] for order, at in zip(orders, starts)]
        grid = np.stack([side.ravel() for side in np.meshgrid(*rows, indexing="ij")], 1)
        found.append(grid[:left].astype(np.int64))
        left = None if left is None else left - len(grid)
    return np.concatenate(found)


def on_map(
    affine: NDArray[np.floating],
    one: NDArray[np.floating],
    other: NDArray[np.floating],
    within: float,
) -> NDArray[np.bool_]:
    """Tell which matches lie where a map between the pictures says.

    Parameters
    ----------
    affine : (2, 3) array
        Carries pixels of the one picture to pixels of the other.
    one, other : (P, 2) arrays
        Places of the matched keypoints, in pixels.
    within : float
        Pixels of the other picture, at least 0; ends included.

    Returns
    -------
    (P,) bool array
    """
    carried = one @ affine[:, :2].T + affine[:, 2]
    apart = np.linalg.norm(np.asarray(carried - other, np.float64), axis=1)
    near: NDArray[np.bool_] = apart <= within
    return near
