"""The patches of a word are its nearest keypoints, few from one picture."""

import numpy as np
import pytest

from engine.assemble import NearestKeypoints
from engine.lookup import Words


@pytest.mark.parametrize("n_per_image", [1, 3])
def test_the_nearest_are_kept_and_of_equals_the_first(n_per_image: int) -> None:
    random = np.random.default_rng(n_per_image)
    n_words, n_kept = 5, 4
    nearest = NearestKeypoints(n_words, n_kept, n_per_image)
    every: list[list[tuple[float, int]]] = [[] for _ in range(n_words)]
    first = 0
    for _ in range(12):
        n = int(random.integers(0, 30))
        ids = random.integers(0, n_words - 1, n).astype(np.int32)  # the last word has none
        distances = (random.integers(0, 20, n) / 4).astype(np.float32)
        nearest.add(Words(ids, distances), first)
        for word in range(n_words):
            own = sorted((float(distances[i]), first + i) for i in np.flatnonzero(ids == word))
            every[word] += own[:n_per_image]
        first += n
    for word in range(n_words):
        expected = [row for _, row in sorted(every[word])[:n_kept]]
        expected += [-1] * (n_kept - len(expected))
        assert nearest.rows[word].tolist() == expected
