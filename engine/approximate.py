"""Approximate k-means: learning tens of thousands of words."""

import numpy as np
from numpy.typing import NDArray

from engine import groups
from engine.groups import Groups

LEAST_GAIN = 2e-3  # of the mean squared distance, by one step; below it, more steps are idle


def learn(
    sample: NDArray[np.float32], n_words: int, n_iterations: int, seed: int, n_threads: int = 1
) -> tuple[NDArray[np.float32], Groups]:
    """Learn a large vocabulary.

    Lloyd's steps from random descriptors, with the nearest word sought among those of the nearest
    groups only (`engine.groups`). A word that loses all of its descriptors takes the place of one
    that lies farthest from its own.

    Parameters
    ----------
    sample : (N, D) float32 array
        Descriptors, at least as many as words.
    n_words : int
        K.
    n_iterations : int
        Most steps.
    seed : int
        Decides the start.
    n_threads : int
        The result does not depend on it.

    Returns
    -------
    centres : (K, D) float32 array
        The words, in the order of their groups.
    groups : Groups

    References
    ----------
    Philbin, Chum, Isard, Sivic, Zisserman, "Object retrieval with large vocabularies and fast
    spatial matching", CVPR 2007.
    """
    random = np.random.default_rng(seed)
    centres = sample[np.sort(random.choice(len(sample), n_words, replace=False))]
    order, found = groups.gather(centres)
    centres, before = centres[order], np.inf
    for _ in range(n_iterations):
        word_ids, distances = groups.near(sample, centres, found, 1, n_threads)
        distortion = float(np.mean(distances.astype(np.float64) ** 2))
        if distortion > (1 - LEAST_GAIN) * before:
            break
        before = distortion
        centres, counts = groups.means(sample, np.ascontiguousarray(word_ids[:, 0]), n_words)
        lost = np.flatnonzero(counts == 0)
        centres[lost] = sample[np.argsort(-distances[:, 0], kind="stable")[: len(lost)]]
        order, found = groups.gather(centres, found.heads)
        centres = centres[order]
    return np.ascontiguousarray(centres), found
