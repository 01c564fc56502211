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


@kernel
def add_up(
    points: NDArray[np.float32],
    ids: NDArray[np.int32],
    sums: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> None:
    """Add up the points of each id.

    Parameters
    ----------
    points : (N, D) float32 array
        Points.
    ids : (N,) int32 array
        The row of `sums` that each goes to.
    sums : (n_ids, D) float64 array
        Added to.
    counts : (n_ids,) int64 array
        Added to: how many points.
    """
    for i in range(points.shape[0]):
        counts[ids[i]] += 1
        for d in range(points.shape[1]):
            sums[ids[i], d] += points[i, d]


@kernel
def keep_nearest(
    points: NDArray[np.float32],
    rows: NDArray[np.int64],
    group: NDArray[np.float32],
    norms: NDArray[np.float32],
    first_word: int,
    sums: NDArray[np.float32],
    word_ids: NDArray[np.int32],
    lengths: NDArray[np.float32],
) -> None:
    """Let some descriptors keep the nearest of the words that they have and of those of one group.

    Not by a library's matrix product: its threads cost more than products as small as these.

    Parameters
    ----------
    points : (N, D) float32 array
        All descriptors.
    rows : (M,) int64 array
        Which of them.
    group : (D, W) float32 array
        The words of the group, one a column.
    norms : (W,) float32 array
        Squared lengths of these words.
    first_word : int
        Number of the group's first word.
    sums : (W,) float32 array
        Room.
    word_ids : (N, A) int32 array
        Changed: the words with the least |c|^2 - 2 x.c, least first; of equals the earlier.
    lengths : (N, A) float32 array
        Changed: these numbers; infinite where there is no word yet.
    """
    last = word_ids.shape[1] - 1
    n_dimensions, n_words = group.shape
    whole = n_dimensions - n_dimensions % 4
    two = np.float32(2)
    for j in range(rows.shape[0]):
        row = rows[j]
        point = points[row]
        for k in range(n_words):
            sums[k] = np.float32(0)
        for d in range(0, whole, 4):
            a, b, c, e = point[d], point[d + 1], point[d + 2], point[d + 3]
            first, second, third, fourth = group[d], group[d + 1], group[d + 2], group[d + 3]
            for k in range(n_words):
                sums[k] += (a * first[k] + b * second[k]) + (c * third[k] + e * fourth[k])
        for d in range(whole, n_dimensions):
            for k in range(n_words):
                sums[k] += point[d] * group[d, k]
        farthest = lengths[row, last]
        for k in range(n_words):
            score = norms[k] - two * sums[k]
            if score < farthest:
                place = last
                while place > 0 and score < lengths[row, place - 1]:
                    lengths[row, place] = lengths[row, place - 1]
                    word_ids[row, place] = word_ids[row, place - 1]
                    place -= 1
                lengths[row, place] = score
                word_ids[row, place] = first_word + k
                farthest = lengths[row, last]


@kernel
def put_in_order(
    descriptors: NDArray[np.float32],
    centres: NDArray[np.float32],
    word_ids: NDArray[np.int32],
    distances: NDArray[np.float32],
) -> None:
    """Order a few words of each descriptor by their float64 distance, ties to the lower word.

    Parameters
    ----------
    descriptors : (N, D) float32 array
        Points.
    centres : (K, D) float32 array
        Words.
    word_ids : (N, A) int32 array
        Changed: A different words of each, in order.
    distances : (N, A) float32 array
        Written: Euclidean distances.
    """
    n_near = word_ids.shape[1]
    squared = np.empty(n_near, np.float64)
    for i in range(descriptors.shape[0]):
        for a in range(n_near):
            word = word_ids[i, a]
            apart = _squared_distance(descriptors[i], centres[word])
            b = a
            while b > 0 and (
                apart < squared[b - 1] or (apart == squared[b - 1] and word < word_ids[i, b - 1])
            ):
                squared[b] = squared[b - 1]
                word_ids[i, b] = word_ids[i, b - 1]
                b -= 1
            squared[b] = apart
            word_ids[i, b] = word
        for a in range(n_near):
            distances[i, a] = np.float32(np.sqrt(squared[a]))
