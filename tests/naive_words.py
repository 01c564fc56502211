"""Slow, obvious versions of what the engine tells about words."""

import itertools
import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from engine.index import Index


def mutual_information(table: Sequence[Sequence[int]]) -> float:
    """Sum p(r, c) log2(p(r, c) / (p(r) p(c))) cell by cell."""
    total = sum(map(sum, table))
    bits = 0.0
    for row in table:
        for c, n in enumerate(row):
            if n:
                column = sum(other[c] for other in table)
                bits += n / total * math.log2(n * total / (sum(row) * column))
    return bits


def information_of(one: Sequence[int], other: Sequence[int]) -> float:
    """Mutual information of two labellings, from the counts of pairs."""
    n, pairs, ones, others = len(one), Counter(zip(one, other)), Counter(one), Counter(other)
    return sum(k / n * math.log2(k * n / (ones[a] * others[b])) for (a, b), k in pairs.items())


def expected_information(one: Sequence[int], other: Sequence[int]) -> float:
    """Mean over every order of the second labelling."""
    found = [information_of(one, order) for order in itertools.permutations(other)]
    return sum(found) / len(found)


def search_by_words(
    index: Index, words: Sequence[int], weights: Sequence[float]
) -> list[tuple[int, float, list[float]]]:
    """Go through every picture and word; picture, score and what each word adds."""
    found = []
    for image_id in range(index.n_images):
        ids = index.words(image_id).word_ids.tolist()
        added = []
        for word, weight in zip(words, weights):
            holders = sum(word in index.words(i).word_ids for i in range(index.n_images))
            idf = math.log(1 + index.n_images / holders) if holders else 0.0
            added.append(weight * idf * math.sqrt(ids.count(word) / max(1, len(ids))))
        if any(word in ids for word in words):
            complete = all(word in ids for word in words)
            found.append((not complete, -sum(added), image_id, added))
    found.sort(key=lambda one: one[:3])
    return [(image_id, -score, added) for _, score, image_id, added in found]


def nearest(points: np.ndarray, to: np.ndarray) -> tuple[list[int], list[float]]:
    """The nearest row of `to` for each point, the first of equals, and its distance."""
    ids, lengths = [], []
    for point in points.astype(np.float64):
        squared = [float(((point - one) ** 2).sum()) for one in to.astype(np.float64)]
        ids.append(int(np.argmin(squared)))
        lengths.append(min(squared) ** 0.5)
    return ids, lengths


def kept_neighbours(points: np.ndarray, places: np.ndarray, n_near: int) -> float:
    """Mean share of each point's nearest that are among its nearest on the map."""

    def near(of: np.ndarray, i: int) -> set[int]:
        squared = ((of - of[i]) ** 2).sum(axis=1)
        order = sorted((j for j in range(len(of)) if j != i), key=lambda j: (squared[j], j))
        return set(order[:n_near])

    shares = [len(near(points, i) & near(places, i)) / n_near for i in range(len(points))]
    return sum(shares) / len(shares)
