"""Slow, obvious versions of what the engine does fast."""

import numpy as np
from numpy.typing import NDArray


def assign(
    descriptors: NDArray[np.float32], centres: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Nearest word by measuring every distance in float64; the first of equals."""
    word_ids, distances = [], []
    for point in descriptors.astype(np.float64):
        squared = [float(((point - word) ** 2).sum()) for word in centres.astype(np.float64)]
        word_ids.append(int(np.argmin(squared)))
        distances.append(min(squared) ** 0.5)
    return np.array(word_ids, np.int32), np.array(distances, np.float32)


def bag(
    word_ids: NDArray[np.int32], distances: NDArray[np.float32], n_words: int
) -> tuple[list[float], list[float], list[float]]:
    """Count and sum keypoint by keypoint."""
    counts, sums, squares = [0.0] * n_words, [0.0] * n_words, [0.0] * n_words
    for word, distance in zip(word_ids.tolist(), distances.tolist()):
        counts[word] += 1
        sums[word] += distance
        squares[word] += distance * distance
    return counts, sums, squares


def similarity(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """0.5 + 0.5 cos, 0 where a length is zero."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    lengths = float(np.linalg.norm(x) * np.linalg.norm(y))
    return 0.5 + 0.5 * float(x @ y) / lengths if lengths else 0.0


def rank(scores: list[float], n_results: int, exclude: set[int]) -> list[int]:
    """Sort all images by falling score, then rising id."""
    kept = [i for i in range(len(scores)) if i not in exclude]
    return sorted(kept, key=lambda i: (-scores[i], i))[:n_results]


def compute_ap(positives: set[str], junk: set[str], ranked: list[str]) -> float:
    """VGG's compute_ap, step by step: recall and precision after every result."""
    old_recall, old_precision, ap = 0.0, 1.0, 0.0
    intersection, j = 0, 0
    for name in ranked:
        if name in junk:
            continue
        if name in positives:
            intersection += 1
        recall = intersection / len(positives)
        precision = intersection / (j + 1.0)
        ap += (recall - old_recall) * ((old_precision + precision) / 2.0)
        old_recall, old_precision = recall, precision
        j += 1
    return ap
