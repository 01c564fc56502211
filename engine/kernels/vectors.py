"""Loops that compare a query's vector with what each image holds, word by word."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.kernels import inlined, kernel


@inlined
def _raised(value: Any, power: float) -> Any:
    if power == 1.0:
        return value
    return np.sqrt(value) if power == 0.5 else np.power(value, power)


@kernel
def products(
    starts: NDArray[np.int64],
    word_ids: NDArray[np.int32],
    values: NDArray[np.float32],
    weights: NDArray[np.float32],
    power: float,
    query: NDArray[np.float64],
    dots: NDArray[np.float64],
    lengths: NDArray[np.float64],
) -> None:
    """Multiply the query with every image, and measure the images.

    Parameters
    ----------
    starts : (I + 1,) int64
        The entries of image i stand from starts[i] to starts[i + 1].
    word_ids : (M,) int32
        The word of each entry.
    values : (M,) float32 or whole numbers
        What the image holds of it; raised to `power`, then times `weights`.
    weights : (K,) float32
        Of the words.
    power : float
        Above 0.
    query : (K,) float64
        The query's vector, raised and weighed already.
    dots : (I,) float64
        Written: scalar products.
    lengths : (I,) float64
        Written: Euclidean lengths of the images' vectors.
    """
    for i in range(starts.shape[0] - 1):
        dot = 0.0
        squares = 0.0
        for j in range(starts[i], starts[i + 1]):
            word = word_ids[j]
            # As the query was weighed, in float32: an image is then exactly like itself.
            value = np.float64(np.float32(_raised(np.float64(values[j]), power)) * weights[word])
            dot += value * query[word]
            squares += value * value
        dots[i] = dot
        lengths[i] = np.sqrt(squares)


@kernel
def overlaps(
    starts: NDArray[np.int64],
    word_ids: NDArray[np.int32],
    values: NDArray[np.float32],
    weights: NDArray[np.float32],
    query: NDArray[np.float64],
    common: NDArray[np.float64],
) -> None:
    """Add up the lesser of the query's and each image's share of every word.

    Parameters
    ----------
    starts, word_ids, values, weights
        As for `products`.
    query : (K,) float64
        The query's vector, of sum 1.
    common : (I,) float64
        Written: between 0 and 1, but for rounding; 0 where the image's vector is zero.
    """
    for i in range(starts.shape[0] - 1):
        total = 0.0
        for j in range(starts[i], starts[i + 1]):
            total += np.float64(np.float32(values[j]) * weights[word_ids[j]])
        both = 0.0
        if total > 0.0:
            for j in range(starts[i], starts[i + 1]):
                word = word_ids[j]
                share = np.float64(np.float32(values[j]) * weights[word]) / total
                both += min(query[word], share)
        common[i] = both
