"""Loops that compare the words of a query with the same words of every picture."""

import numpy as np
from numpy.typing import NDArray

from engine.kernels import kernel


@kernel
def add_products(
    starts: NDArray[np.int64],
    image_ids: NDArray[np.int32],
    vectors: NDArray[np.int8],
    words: NDArray[np.int32],
    query: NDArray[np.int16],
    sums: NDArray[np.int64],
) -> None:
    """Multiply the query's vectors with those of the same words, frequency by frequency.

    Parameters
    ----------
    starts : (K + 1,) int64
        The rows of word w are starts[w] to starts[w + 1].
    image_ids : (E,) int32
        Picture of each row.
    vectors : (E, 2 F + 1, d) int8
        Of each row: its constant part, then cosine and sine of each frequency.
    words : (Q,) int32
        The query's.
    query : (Q, 2 F + 1, d) int16
        Its vectors; d times the largest product must be below 2^30.
    sums : (I, 2 F + 1) int64
        Added to: the constant part's product, then real and imaginary part of each frequency's.
    """
    n_frequencies = (vectors.shape[1] - 1) // 2
    n_dimensions = vectors.shape[2]
    for j in range(words.shape[0]):
        for row in range(starts[words[j]], starts[words[j] + 1]):
            image = image_ids[row]
            constant = np.int32(0)
            for k in range(n_dimensions):
                constant += np.int32(query[j, 0, k]) * np.int32(vectors[row, 0, k])
            sums[image, 0] += constant
            for f in range(n_frequencies):
                real, imaginary = np.int32(0), np.int32(0)
                a, b = 2 * f + 1, 2 * f + 2
                for k in range(n_dimensions):
                    cosine, sine = np.int32(vectors[row, a, k]), np.int32(vectors[row, b, k])
                    real += np.int32(query[j, a, k]) * cosine + np.int32(query[j, b, k]) * sine
                    imaginary += np.int32(query[j, a, k]) * sine - np.int32(query[j, b, k]) * cosine
                sums[image, a] += real
                sums[image, b] += imaginary


@kernel
def add_coded(
    starts: NDArray[np.int64],
    image_ids: NDArray[np.int32],
    codes: NDArray[np.uint8],
    words: NDArray[np.int32],
    real: NDArray[np.float32],
    imaginary: NDArray[np.float32],
    frequencies: NDArray[np.int64],
    sums: NDArray[np.float64],
) -> None:
    """Look the same products up for vectors that are kept as codes.

    Parameters
    ----------
    starts, image_ids, words
        As in `add_products`.
    codes : (E, P) uint8
        A code for each piece of each row's vector.
    real, imaginary : (Q, P, C) float32
        Both parts of the query's product with each piece's every code.
    frequencies : (P,) int64
        To which each piece belongs; 0 is the constant part.
    sums : (I, 2 F + 1) float64
        Added to, as in `add_products`.
    """
    for j in range(words.shape[0]):
        for row in range(starts[words[j]], starts[words[j] + 1]):
            image = image_ids[row]
            for p in range(codes.shape[1]):
                code, f = codes[row, p], frequencies[p]
                if f == 0:
                    sums[image, 0] += real[j, p, code]
                else:
                    sums[image, 2 * f - 1] += real[j, p, code]
                    sums[image, 2 * f] += imaginary[j, p, code]


@kernel
def select_signs(
    starts: NDArray[np.int64],
    image_ids: NDArray[np.int32],
    signs: NDArray[np.uint8],
    words: NDArray[np.int32],
    real: NDArray[np.float32],
    imaginary: NDArray[np.float32],
    frequencies: NDArray[np.int64],
    waves: NDArray[np.float32],
    power: int,
    least: float,
    sums: NDArray[np.float32],
) -> None:
    """Let each word of a picture count by a power of its product, at each of some turns.

    Parameters
    ----------
    starts, image_ids, words
        As in `add_products`.
    signs : (E, P) uint8
        Of each row's sums, eight a byte.
    real, imaginary : (Q, 2 P, 16) float32
        Both parts of the query's product with each four signs; the low half of a byte stands first.
    frequencies : (P,) int64
        To which each byte belongs; 0 is the constant part.
    waves : (2 F + 1, T) float32
        What each part of a product counts at each turn.
    power : int
        A product u counts u^power.
    least : float
        Products up to it count nothing; at least 0.
    sums : (I, T) float32
        Added to.
    """
    threshold, nothing = np.float32(least), np.float32(0)
    parts = np.empty(waves.shape[0], np.float32)
    products = np.empty(waves.shape[1], np.float32)
    counted = np.empty(waves.shape[1], np.float32)
    for j in range(words.shape[0]):
        for row in range(starts[words[j]], starts[words[j] + 1]):
            image = image_ids[row]
            parts[:] = 0
            for p in range(signs.shape[1]):
                low, high, f = signs[row, p] & 15, signs[row, p] >> 4, frequencies[p]
                if f == 0:
                    parts[0] += real[j, 2 * p, low] + real[j, 2 * p + 1, high]
                else:
                    parts[2 * f - 1] += real[j, 2 * p, low] + real[j, 2 * p + 1, high]
                    parts[2 * f] += imaginary[j, 2 * p, low] + imaginary[j, 2 * p + 1, high]
            # Turn by turn inside each of these loops, so that they become vectors.
            for t in range(waves.shape[1]):
                products[t] = parts[0] * waves[0, t]
            for c in range(1, waves.shape[0]):
                for t in range(waves.shape[1]):
                    products[t] += parts[c] * waves[c, t]
            for t in range(waves.shape[1]):
                products[t] = products[t] if products[t] > threshold else nothing
                counted[t] = products[t]
            for _ in range(power - 1):
                for t in range(waves.shape[1]):
                    counted[t] *= products[t]
            for t in range(waves.shape[1]):
                sums[image, t] += counted[t]
