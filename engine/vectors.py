"""Scores of all images under the methods that compare one vector a picture."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import encode, search
from engine.index import Index
from engine.index_format import SUMS
from engine.kernels import vectors as kernels


def scores(index: Index, vector: NDArray[np.float32], weighting: str) -> NDArray[np.float32]:
    """Compare a query's vector with every image's.

    Lengths that the index does not hold are measured on the way.

    Parameters
    ----------
    index : Index
        The collection.
    vector : (K,) float32 array
        The query's, from `encode.vector` or `Index.vector`.
    weighting : str
        One of `encode.WEIGHTINGS`.

    Returns
    -------
    (I,) float32 array
        For tf-idf-l1 see `search.overlaps`, for the others `search.similarities`.

    Raises
    ------
    ValueError
        If there is no such weighting, or the vector has another number of words.
    """
    if index.is_large:
        return _scores_of_entries(index, vector, weighting)
    matrix = index.matrix(weighting)
    if weighting == encode.L1:
        return search.overlaps(matrix, vector)
    norms = index.norms(weighting) if weighting in encode.STORED else search.norms(matrix)
    return search.similarities(matrix, norms, vector)


def _scores_of_entries(
    index: Index, vector: NDArray[np.float32], weighting: str
) -> NDArray[np.float32]:
    """Compare a query with a large vocabulary's images by the words that they hold."""
    encode.check_weighting(weighting)
    if vector.shape != (index.n_words,):
        raise ValueError(f"a query of {vector.shape} does not fit {index.n_words} words")
    held, query = index.table.held, vector.astype(np.float64)
    result = np.zeros(index.n_images, np.float32)
    if not query.any():
        return result
    values: NDArray[Any] = held.counts
    weights = np.ones(index.n_words, np.float32)
    if weighting in SUMS:
        values = index.parts["vectors"][SUMS[weighting]]
    elif weighting != "count":
        weights = index.word_weights(weighting)
    first = np.empty(index.n_images)
    if weighting == encode.L1:
        query /= query.sum()
        kernels.overlaps(held.starts, held.word_ids, values, weights, query, first)
        result[:] = np.minimum(first, 1.0)
        return result
    query /= np.sqrt(query @ query)
    power = encode.WeightParams().power if weighting == encode.ROOT else 1.0
    lengths = np.empty(index.n_images)
    kernels.products(held.starts, held.word_ids, values, weights, power, query, first, lengths)
    cosines = np.divide(first, lengths, out=np.zeros_like(first), where=lengths > 0)
    result[:] = np.where(lengths > 0, 0.5 + 0.5 * np.clip(cosines, -1.0, 1.0), 0.0)
    return result
