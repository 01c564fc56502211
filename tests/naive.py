"""Slow, obvious versions of what the engine does fast."""

import itertools
import math
from fractions import Fraction

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


def near_by_groups(
    point: NDArray[np.float32],
    centres: NDArray[np.float32],
    heads: NDArray[np.float32],
    starts: NDArray[np.int64],
    n_probes: int,
) -> list[tuple[int, float]]:
    """Measure every word of the nearest groups; words and distances, nearest first."""
    x = point.astype(np.float64)
    apart = [float(((x - head) ** 2).sum()) for head in heads.astype(np.float64)]
    probed = sorted(range(len(heads)), key=lambda g: apart[g])[:n_probes]
    words = [w for g in probed for w in range(int(starts[g]), int(starts[g + 1]))]
    found = [(w, float(((x - centres[w].astype(np.float64)) ** 2).sum() ** 0.5)) for w in words]
    return sorted(found, key=lambda one: (one[1], one[0]))


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


def overlap(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """1 - half the L1 distance of two vectors of sum 1, 0 where either is zero."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    if not x.any() or not y.any():
        return 0.0
    return 1.0 - float(np.abs(x / x.sum() - y / y.sum()).sum()) / 2


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


def right_ranks(positives: set[str], junk: set[str], ranked: list[str]) -> list[int]:
    """Count from 1 down the list without junk."""
    kept = [name for name in ranked if name not in junk]
    return [kept.index(name) + 1 for name in kept if name in positives]


def accepted(found: list[int], positives: set[int], junk: set[int]) -> tuple[int, int, int]:
    """Ask of every picture in turn whether it is right, wrong or ignored."""
    right = wrong = ignored = 0
    for image_id in found:
        if image_id in positives:
            right += 1
        elif image_id in junk:
            ignored += 1
        else:
            wrong += 1
    return right, wrong, ignored


def all_resampled_means(values: list[float]) -> list[float]:
    """The mean of every way to draw as many values with replacement."""
    return [sum(draw) / len(draw) for draw in itertools.product(values, repeat=len(values))]


def patch(
    gray: NDArray[np.uint8], xy: NDArray[np.float32], size: float, angle: float, side: int
) -> NDArray[np.uint8]:
    """A keypoint's window: the mean of bilinear samples in float64, about one a pixel."""
    window = size * 21 * 1.2 / 9
    finer = max(1, min(64, math.ceil(window / side - 1e-6)))
    step = window / (side * finer)
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    samples = np.empty((side * finer, side * finer))
    for i, j in np.ndindex(samples.shape):
        along, down = (np.array((j, i)) - (side * finer - 1) / 2) * step
        x = np.clip(xy[0] + along * cosine - down * sine, 0, gray.shape[1] - 1)
        y = np.clip(xy[1] + along * sine + down * cosine, 0, gray.shape[0] - 1)
        left, top = int(x), int(y)
        right, bottom = min(left + 1, gray.shape[1] - 1), min(top + 1, gray.shape[0] - 1)
        upper = gray[top, left] * (1 - x + left) + gray[top, right] * (x - left)
        lower = gray[bottom, left] * (1 - x + left) + gray[bottom, right] * (x - left)
        samples[i, j] = upper * (1 - y + top) + lower * (y - top)
    means = samples.reshape(side, finer, side, finer).mean((1, 3))
    return np.rint(means).astype(np.uint8)


def mean_precision(answers: list[tuple[list[int], int]], n_steps: int) -> list[float]:
    """Look at every right answer for every level of recall, in fractions."""
    means = []
    for step in range(n_steps + 1):
        at = []
        for ranks, n_positives in answers:
            points = [(Fraction(k, n_positives), k / rank) for k, rank in enumerate(ranks, 1)]
            reached = [p for recall, p in points if recall >= Fraction(step, n_steps)]
            at.append(max(reached, default=0.0))
        means.append(sum(at) / len(at))
    return means
