"""The nearest words of each descriptor; the first exact in spite of float32."""

import numpy as np
from numpy.typing import NDArray

from engine.kernels import inlined, kernel


@inlined
def _squared_distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Measure in float64, in four sums: a single one waits for each of its additions."""
    sums = (0.0, 0.0, 0.0, 0.0)
    whole = len(a) - len(a) % 4
    for d in range(0, whole, 4):
        sums = (
            sums[0] + (np.float64(a[d]) - np.float64(b[d])) ** 2,
            sums[1] + (np.float64(a[d + 1]) - np.float64(b[d + 1])) ** 2,
            sums[2] + (np.float64(a[d + 2]) - np.float64(b[d + 2])) ** 2,
            sums[3] + (np.float64(a[d + 3]) - np.float64(b[d + 3])) ** 2,
        )
    rest = 0.0
    for d in range(whole, len(a)):
        rest += (np.float64(a[d]) - np.float64(b[d])) ** 2
    return (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest


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
    n_points = descriptors.shape[0]
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
                squared = _squared_distance(descriptors[i], centres[k])
                if squared < best:
                    best = squared
                    word = k
        word_ids[i] = word
        distances[i] = np.float32(np.sqrt(best))


@kernel
def nearest_others(
    scores: NDArray[np.float32],
    nearest: NDArray[np.int32],
    others: NDArray[np.int32],
    lengths: NDArray[np.float32],
) -> None:
    """Find the next few words of each descriptor, ties to the lower word.

    Parameters
    ----------
    scores : (N, K) float32 array
        |c|^2 - 2 x.c of each descriptor and word.
    nearest : (N,) int32 array
        The word to leave out.
    others : (N, A) int32 array
        Written: the A words with the least scores but that one; A is below K.
    lengths : (A,) float32 array
        Room.
    """
    n_others = others.shape[1]
    for i in range(scores.shape[0]):
        for a in range(n_others):
            lengths[a] = np.inf
            others[i, a] = -1
        farthest = np.float32(np.inf)
        for k in range(scores.shape[1]):
            score = scores[i, k]
            if score < farthest and k != nearest[i]:
                a = n_others - 1
                while a > 0 and score < lengths[a - 1]:
                    lengths[a] = lengths[a - 1]
                    others[i, a] = others[i, a - 1]
                    a -= 1
                lengths[a] = score
                others[i, a] = k
                farthest = lengths[n_others - 1]
