"""The nearest word of each descriptor, exact in spite of float32."""

import numpy as np
from numpy.typing import NDArray

from engine.kernels import kernel


@kernel
def nearest_exact(
    descriptors: NDArray[np.float32],
    centres: NDArray[np.float32],
    scores: NDArray[np.float32],
    lowest: NDArray[np.float32],
    tolerance: float,
    word_ids: NDArray[np.int32],
    distances: NDArray[np.float32],
) -> None:
    """Choose among near-equal scores by the float64 distance, ties to the lower word.

    Parameters
    ----------
    descriptors : (N, D) float32 array
        Points.
    centres : (K, D) float32 array
        Words.
    scores : (N, K) float32 array
        |c|^2 - 2 x.c, each wrong by less than half of `tolerance`.
    lowest : (N,) float32 array
        The least score of each row.
    tolerance : float
        Words within this of the best score are measured again.
    word_ids : (N,) int32 array
        Written: the nearest word.
    distances : (N,) float32 array
        Written: the Euclidean distance to it.
    """
    n_points, n_dimensions = descriptors.shape
    n_words = centres.shape[0]
    for i in range(n_points):
        limit = lowest[i] + np.float32(tolerance)
        # Sums of whole numbers over a plain loop: the compiler makes vectors of them.
        n_near = np.int32(0)
        place = np.int32(0)
        for k in range(n_words):
            near = np.int32(scores[i, k] <= limit)
            n_near += near
            place += near * np.int32(k)
        best = np.inf
        word = 0
        for k in range(place if n_near == 1 else 0, place + 1 if n_near == 1 else n_words):
            if scores[i, k] <= limit:
                squared = 0.0
                for d in range(n_dimensions):
                    difference = np.float64(descriptors[i, d]) - np.float64(centres[k, d])
                    squared += difference * difference
                if squared < best:
                    best = squared
                    word = k
        word_ids[i] = word
        distances[i] = np.float32(np.sqrt(best))
