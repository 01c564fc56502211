"""Fused rankings: equal to the slow twin, sums of parts, and sensible at the ends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import fusion
from tests import naive_cnn as naive

derandomized = settings(deadline=None, derandomize=True, max_examples=40)


@given(st.integers(0, 12), st.integers(1, 4), st.integers(0, 99), st.floats(0, 100))
@derandomized
def test_reciprocal_ranks_equal_their_slow_twin(n_images, n_lists, seed, constant):
    random = np.random.default_rng(seed)
    rankings = [
        random.permutation(n_images)[: random.integers(0, n_images + 1)] for _ in range(n_lists)
    ]
    fused = fusion.by_rank(rankings, n_images, constant=constant)
    told = [one.tolist() for one in rankings]
    assert fused.scores.tolist() == pytest.approx(naive.reciprocal_ranks(told, n_images, constant))
    assert fused.parts.shape == (n_lists, n_images)


def test_what_two_rankings_put_first_beats_what_one_does():
    fused = fusion.by_rank([np.array([0, 1, 2, 3]), np.array([4, 1, 3, 2])], 5)
    assert int(fused.scores.argmax()) == 1


@pytest.mark.parametrize("ranking", [[0, 0], [3], [-1]])
def test_rankings_that_cannot_be_are_refused(ranking):
    with pytest.raises(ValueError, match="ranking names"):
        fusion.by_rank([np.array(ranking)], 3)
    with pytest.raises(ValueError, match="constant"):
        fusion.by_rank([np.array([0])], 3, constant=-1)


@given(st.integers(0, 99), st.floats(0.01, 1000), st.floats(-100, 100))
@derandomized
def test_surprise_rises_and_knows_no_scale(seed, scale, shift):
    scores = np.random.default_rng(seed).standard_normal(30)
    found = fusion.surprise(scores)
    assert (found >= 0).all()
    rising = np.sort(found)
    assert (found[np.argsort(scores)] == rising).all() and rising[-1] > 0
    assert (rising[:15] == 0).all() and (np.diff(rising[15:]) > 0).all()
    assert fusion.surprise(scores * scale + shift) == pytest.approx(found, rel=1e-6, abs=1e-6)


def test_surprise_is_a_share_of_an_exponential_tail():
    scores = np.random.default_rng(1).exponential(1.0, 20_000)
    found = fusion.surprise(scores)
    # The mean of the fall is taken to be two standard deviations: twice the true one here.
    beyond = scores - np.median(scores)
    assert found[beyond > 0] == pytest.approx(-np.log10(np.exp(-beyond[beyond > 0] / 2)), rel=0.05)


def test_surprise_of_what_is_alike_or_not_there_is_none():
    assert fusion.surprise(np.full(4, 0.3)).tolist() == [0, 0, 0, 0]
    assert fusion.surprise(np.zeros(0)).tolist() == []
    assert fusion.surprise(np.full(2, -np.inf)).tolist() == [0, 0]
    found = fusion.surprise(np.array([0.1, -np.inf, 0.2, 0.9]))
    assert found[1] == 0 and found[3] > found[2] == found[0] == 0
    alone = fusion.surprise(np.array([0.1, 0.2, 0.9]))
    assert found[[0, 2, 3]].tolist() == alone.tolist(), "what is not there changes nothing"
