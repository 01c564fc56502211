"""Looking visual words up: the nearest word of each descriptor, and those next to it."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from engine import groups
from engine.groups import Groups

ASSIGN_BLOCK = 512  # rows of one matrix product: 1 MB of scores at 500 words, within the cache


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The visual word of each keypoint of a picture.

    Attributes
    ----------
    word_ids : (N,) int32 array
        Nearest word, 0 to K - 1.
    distances : (N,) float32 array
        Euclidean distance of the descriptor to it.
    """

    word_ids: NDArray[np.int32]
    distances: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.word_ids)


def assign(
    descriptors: NDArray[np.float32],
    centres: NDArray[np.float32],
    found: Groups | None = None,
    n_threads: int = 1,
) -> Words:
    """Find the nearest word of each descriptor; ties go to the lower word.

    A float32 matrix product finds the candidates, float64 distances decide among those that
    it cannot tell apart. So the answer depends neither on the block nor on the linear algebra
    library.

    Parameters
    ----------
    descriptors : (N, D) float32 array
        Points; N may be 0.
    centres : (K, D) float32 array
        Words, K at least 1.
    found : Groups or None
        Of these words: then only those of the nearest groups are measured, see `engine.groups`.
    n_threads : int
        With groups; the result does not depend on it.

    Returns
    -------
    Words

    Raises
    ------
    ValueError
        If the shapes do not fit or a value is not finite.
    """
    from engine.kernels.assign import nearest_exact

    if descriptors.ndim != 2 or centres.ndim != 2 or descriptors.shape[1] != centres.shape[1]:
        raise ValueError(
            f"descriptors {descriptors.shape} and words {centres.shape} differ in dimensions"
        )
    if len(centres) == 0:
        raise ValueError("there must be at least one word")
    points = np.ascontiguousarray(descriptors, np.float32)
    words = np.ascontiguousarray(centres, np.float32)
    n_points, n_dimensions = points.shape
    word_ids = np.empty(n_points, np.int32)
    distances = np.empty(n_points, np.float32)
    if n_points == 0:
        return Words(word_ids, distances)
    if found is not None:
        ids, lengths = groups.near(_finite(points), words, found, 1, n_threads)
        return Words(np.ascontiguousarray(ids[:, 0]), np.ascontiguousarray(lengths[:, 0]))
    word_norms = np.einsum("kd,kd->k", words, words, dtype=np.float64)
    # Of unit length or near it as a rule; where float32 cannot hold a square, float64 looks again.
    with np.errstate(over="ignore"):
        largest = 1.001 * float(np.einsum("nd,nd->n", points, points).max())
    if not np.isfinite(largest):
        largest = float(np.einsum("nd,nd->n", points, points, dtype=np.float64).max())
    largest += float(word_norms.max())
    if not np.isfinite(largest):
        raise ValueError("descriptors and words must be finite numbers")
    # A sum of D products rounded to float32 is off by at most D/2 ulp of the norms' sum.
    tolerance = 2.0 * n_dimensions * float(np.finfo(np.float32).eps) * largest
    norms = word_norms.astype(np.float32)
    doubled = np.ascontiguousarray(-2.0 * words.T, np.float32)
    for start in range(0, n_points, ASSIGN_BLOCK):
        block = points[start : start + ASSIGN_BLOCK]
        scores = block @ doubled
        scores += norms
        stop = start + len(block)
        lowest = scores.min(axis=1)
        ids, lengths = word_ids[start:stop], distances[start:stop]
        nearest_exact(block, words, scores, lowest, tolerance, ids, lengths)
    return Words(word_ids, distances)


def _finite(points: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(points).all():
        raise ValueError("descriptors and words must be finite numbers")
    return points


def near_words(
    descriptors: NDArray[np.float32],
    centres: NDArray[np.float32],
    word_ids: NDArray[np.int32],
    n_words: int,
    found: Groups | None = None,
) -> NDArray[np.int32]:
    """List the words nearest to each descriptor.

    Parameters
    ----------
    descriptors : (N, D) float32 array
        Points; N may be 0.
    centres : (K, D) float32 array
        Words.
    word_ids : (N,) int32 array
        The nearest word of each, from `assign`.
    n_words : int
        How many, at least 1; no more than K are given.
    found : Groups or None
        Of these words, as for `assign`.

    Returns
    -------
    (N, A) int32 array
        The nearest word first. The others are told apart in float32 only, unless there are groups.

    Raises
    ------
    ValueError
        If the shapes do not fit, or n_words is below 1.
    """
    from engine.kernels.assign import nearest_others

    if n_words < 1:
        raise ValueError(f"n_words must be at least 1, got {n_words}")
    if descriptors.shape != (len(word_ids), centres.shape[1]):
        raise ValueError(
            f"descriptors {descriptors.shape} do not fit {len(word_ids)} words of {centres.shape}"
        )
    if found is not None:
        return groups.near(_finite(descriptors), centres, found, n_words)[0]
    near = np.empty((len(word_ids), min(n_words, len(centres))), np.int32)
    near[:, 0] = word_ids
    if near.shape[1] == 1:
        return near
    norms = np.einsum("kd,kd->k", centres, centres)
    doubled = np.ascontiguousarray(-2.0 * centres.T, np.float32)
    lengths = np.empty(near.shape[1] - 1, np.float32)
    for start in range(0, len(near), ASSIGN_BLOCK):
        rows = slice(start, start + ASSIGN_BLOCK)
        scores = descriptors[rows] @ doubled
        scores += norms
        others = np.empty((len(scores), len(lengths)), np.int32)
        nearest_others(scores, near[rows, 0].copy(), others, lengths)
        near[rows, 1:] = others
    return near
