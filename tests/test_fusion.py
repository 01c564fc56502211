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
    alone = fusion.by_rank([np.array([0, 1]), np.array([1, 0])], 2, weights=(1, 0))
    assert alone.scores[0] > alone.scores[1]
    assert alone.parts[1].tolist() == [0, 0]


@pytest.mark.parametrize("ranking", [[0, 0], [3], [-1]])
def test_rankings_that_cannot_be_are_refused(ranking):
    with pytest.raises(ValueError, match="ranking names"):
        fusion.by_rank([np.array(ranking)], 3)
    with pytest.raises(ValueError, match="weights"):
        fusion.by_rank([np.array([0])], 3, weights=(1, 2))


@given(st.integers(0, 99), st.floats(0.01, 1000), st.floats(-100, 100))
@derandomized
def test_evidence_rises_and_knows_no_scale(seed, scale, shift):
    random = np.random.default_rng(seed)
    false, scores = random.standard_normal(50), random.standard_normal(20) * 3
    found = fusion.evidence(scores, false)
    assert (found >= 0).all()
    assert (np.diff(found[np.argsort(scores)]) >= 0).all()
    assert fusion.evidence(scores * scale + shift, false * scale + shift) == pytest.approx(
        found, rel=1e-6, abs=1e-6
    )


def test_evidence_is_the_share_of_false_scores():
    false = np.arange(99.0)
    assert fusion.evidence(np.array([-np.inf, -1.0, 90.0]), false) == pytest.approx([0, 0, 1])
    beyond = fusion.evidence(np.array([98.5, 120.0, 140.0]), false)
    assert (np.diff([2.0, *beyond]) > 0).all(), "better than all false ones still counts"
    assert fusion.evidence(np.array([5.0]), np.array([1.0, 1.0])).tolist() == pytest.approx(
        [np.log10(3)]
    )
    with pytest.raises(ValueError, match="no false scores"):
        fusion.evidence(np.ones(1), np.ones(0))


def test_evidence_of_two_methods_adds_up():
    scores = [np.array([9.0, 5.0, 0.0]), np.array([0.5, 0.6, 0.1])]
    false = [np.linspace(0, 4, 30), np.linspace(0, 0.55, 30)]
    fused = fusion.by_evidence(scores, false)
    assert fused.scores == pytest.approx(fused.parts[0] + fused.parts[1])
    assert fused.scores.argsort()[::-1].tolist()[2] == 2
    with pytest.raises(ValueError, match="as many"):
        fusion.by_evidence(scores, false[:1])
    with pytest.raises(ValueError, match="as many"):
        fusion.by_evidence([scores[0], scores[1][:2]], false)


def test_the_lower_part_of_scores():
    assert fusion.false_among(np.array([3.0, 1, -np.inf, 2, 4])).tolist() == [1, 2]
    with pytest.raises(ValueError, match="share"):
        fusion.false_among(np.ones(2), 0)
