"""Matching two pictures, slowly and plainly: the twins of engine.nearest."""

import math

import numpy as np


def nearest(one, other):
    """Return row, distance and ratio of each descriptor's nearest."""
    found = []
    for a in one.astype(np.float64):
        distances = [math.sqrt(sum((a - b) ** 2)) for b in other.astype(np.float64)]
        if not distances:
            found.append((-1, math.inf, 1.0))
            continue
        row = distances.index(min(distances))
        rest = [d for i, d in enumerate(distances) if i != row]
        ratio = 0.0 if not rest else distances[row] / min(rest) if min(rest) > 0 else 1.0
        found.append((row, distances[row], ratio))
    return found


def equal_words(one, other):
    """Return all pairs of equal words, those of words with few pairs first."""
    pairs = [(i, j) for i, a in enumerate(one) for j, b in enumerate(other) if a == b]
    n_of = {word: list(one).count(word) * list(other).count(word) for word in set(one)}
    return sorted(pairs, key=lambda pair: (n_of[one[pair[0]]], one[pair[0]], pair))
