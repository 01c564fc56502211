"""Scores of all images for one query, and their ranking."""

import dataclasses
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

SCORE_BLOCK = 256  # rows turned to float64 at a time: 1 MB at 500 words, within the cache


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Images, best first.

    Attributes
    ----------
    image_ids : (R,) int32 array
        Rows of the collection. Equal scores stand by rising id, or as the list stood before.
    scores : (R,) float32 array
        Falling.
    """

    image_ids: NDArray[np.int32]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.image_ids)


def norms(matrix: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the Euclidean length of each row of an (I, K) array, in float64."""
    squares = [
        np.einsum("ik,ik->i", block, block, dtype=np.float64)
        for block in np.array_split(matrix, max(1, len(matrix) // SCORE_BLOCK))
    ]
    lengths: NDArray[np.float64] = np.sqrt(np.concatenate(squares))
    return lengths


def similarities(
    matrix: NDArray[np.float32],
    row_norms: NDArray[np.float64],
    vector: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Compare a query with every image by normalised cosine.

    Parameters
    ----------
    matrix : (I, K) float32 array
        Image vectors.
    row_norms : (I,) float64 array
        Their lengths, from `norms`.
    vector : (K,) float32 array
        The query's.

    Returns
    -------
    (I,) float32 array
        0.5 + 0.5 cos, between 0.5 and 1 for vectors without negative entries; 0 where either
        length is zero. Summed in float64, so that equal images get equal scores.

    Raises
    ------
    ValueError
        If the vector has another number of words.
    """
    if (
        matrix.ndim != 2
        or vector.shape != (matrix.shape[1],)
        or row_norms.shape != matrix.shape[:1]
    ):
        raise ValueError(f"a query of {vector.shape} does not fit image vectors {matrix.shape}")
    query = vector.astype(np.float64)
    scores = np.zeros(len(matrix), np.float32)
    length = float(np.sqrt(query @ query))
    if length == 0.0:
        return scores
    query /= length
    for start in range(0, len(matrix), SCORE_BLOCK):
        rows = slice(start, start + SCORE_BLOCK)
        lengths = row_norms[rows]
        products = matrix[rows].astype(np.float64) @ query
        cosines = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
        scores[rows] = np.where(lengths > 0, 0.5 + 0.5 * np.clip(cosines, -1.0, 1.0), 0.0)
    return scores


def overlaps(matrix: NDArray[np.float32], vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compare a query with every image by what they have in common, each of sum 1.

    Parameters
    ----------
    matrix : (I, K) float32 array
        Image vectors, without negative entries.
    vector : (K,) float32 array
        The query's.

    Returns
    -------
    (I,) float32 array
        1 - half the L1 distance of the two, which is the sum of the lesser of each two entries:
        between 0 and 1; 0 where either is all zero.

    Raises
    ------
    ValueError
        If the vector has another number of words.

    References
    ----------
    Nistér, Stewénius, "Scalable recognition with a vocabulary tree", CVPR 2006.
    """
    if matrix.ndim != 2 or vector.shape != (matrix.shape[1],):
        raise ValueError(f"a query of {vector.shape} does not fit image vectors {matrix.shape}")
    scores = np.zeros(len(matrix), np.float32)
    query = vector.astype(np.float64)
    if not query.any():
        return scores
    query /= query.sum()
    for start in range(0, len(matrix), SCORE_BLOCK):
        block = matrix[start : start + SCORE_BLOCK].astype(np.float64)
        sums = block.sum(axis=1, keepdims=True)
        np.divide(block, sums, out=block, where=sums > 0)
        common = np.minimum(block, query).sum(axis=1)
        scores[start : start + SCORE_BLOCK] = np.minimum(common, 1.0)
    return scores


def rank(
    scores: NDArray[np.floating], n_results: int | None, exclude: Iterable[int] = ()
) -> Ranking:
    """Order images by score.

    Parameters
    ----------
    scores : (I,) float32 or float64 array
        One a row of the collection.
    n_results : int or None
        How many to give, at least 1; None gives all.
    exclude : iterable of int
        Image ids to leave out: the query itself.

    Returns
    -------
    Ranking
        Scores fall, ties rise by id.

    Raises
    ------
    ValueError
        If n_results is below 1.
    """
    if n_results is not None and n_results < 1:
        raise ValueError(f"n_results must be at least 1, got {n_results}")
    kept = np.ones(len(scores), bool)
    kept[list(exclude)] = False
    ids = np.flatnonzero(kept)
    if n_results is not None and n_results < len(ids):
        # Everything that could stand in the first places, with all ties of the last of them.
        lowest = np.partition(scores[ids], len(ids) - n_results)[len(ids) - n_results]
        ids = ids[scores[ids] >= lowest]
    order = np.lexsort((ids, -scores[ids].astype(np.float64)))[:n_results]
    chosen = ids[order].astype(np.int32)
    return Ranking(chosen, scores[chosen].astype(np.float32))


def rank_listed(
    image_ids: NDArray[np.int64], scores: NDArray[np.float32], n_results: int | None
) -> Ranking:
    """Order a list of images anew by another score.

    Parameters
    ----------
    image_ids : (S,) int64 array
        A list, best first.
    scores : (S,) float32 array
        What it is ordered by now. Equal scores keep the order of the list.
    n_results : int or None
        How many to give, at least 1; None gives all.

    Returns
    -------
    Ranking

    Raises
    ------
    ValueError
        If n_results is below 1.
    """
    if n_results is not None and n_results < 1:
        raise ValueError(f"n_results must be at least 1, got {n_results}")
    order = np.argsort(-scores.astype(np.float64), kind="stable")[:n_results]
    return Ranking(image_ids[order].astype(np.int32), scores[order])
