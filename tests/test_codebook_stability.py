"""A vocabulary learned again: what the seed changes, and what it does not."""

import numpy as np
import pytest

from engine import codebook
from engine.codebook import CodebookParams
from engine.codebook_stability import learn_again, seeds_after
from engine.errors import BuildError
from engine.features import ExtractionParams


def clusters(n: int, apart: float) -> np.ndarray:
    """Draw descriptors around eight corners; the farther apart, the clearer."""
    random = np.random.default_rng(5)
    corners = np.zeros((8, 64), np.float32)
    corners[np.arange(8), np.arange(8)] = apart
    return (corners[random.integers(0, 8, n)] + random.normal(0, 0.05, (n, 64))).astype(np.float32)


def words_of(sample: np.ndarray, n_words: int = 8) -> codebook.Codebook:
    params = CodebookParams(n_words, n_samples=len(sample), n_iterations=10)
    return codebook.train(sample, params, ExtractionParams(), 1)


def test_clear_clusters_are_found_by_every_seed() -> None:
    sample = clusters(600, 1.0)
    again = learn_again(words_of(sample), sample)
    assert again.seeds == (1, 2, 3) and again.n_descriptors == 300
    assert again.found.tolist() == [3] * 8
    assert again.shares.tolist() == [0, 0, 0, 1]
    assert min(*again.agreements, *again.own_agreements) == pytest.approx(1.0)
    assert len(again.agreements) == len(again.distortions) == 3
    assert again.distances.max() < 0.1


def test_without_clusters_words_depend_on_the_seed() -> None:
    sample = clusters(600, 0.0)
    told: list[tuple[int, int]] = []
    again = learn_again(words_of(sample), sample, [4, 5], lambda *at: told.append(at))
    assert told == [(1, 2), (2, 2)]
    assert again.agreements[0] < 0.5 and again.found.min() < 2
    assert seeds_after(words_of(sample), 1) == (1,)


def test_too_small_a_sample_is_told() -> None:
    sample = clusters(100, 1.0)
    with pytest.raises(BuildError, match=r"8 words cannot be learned again from 7 desc.*--descr"):
        learn_again(words_of(sample), sample[:14])
    with pytest.raises(ValueError, match="at least one seed"):
        learn_again(words_of(sample), sample, [])
