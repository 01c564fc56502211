"""Matches by nearest descriptor, by the ratio test and by equal words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import nearest
from tests import naive_nearest

words = st.lists(st.integers(0, 4), max_size=9).map(lambda ids: np.array(ids, np.int32))


@pytest.mark.parametrize("n_other", [0, 1, 2, 17])
def test_nearest_and_ratio_are_those_of_all_distances(n_other: int) -> None:
    random = np.random.default_rng(n_other)
    one = random.standard_normal((9, 8)).astype(np.float32)
    other = random.standard_normal((n_other, 8)).astype(np.float32)
    found, expected = nearest.nearest(one, other), naive_nearest.nearest(one, other)
    assert found.rows.tolist() == [row for row, _, _ in expected]
    np.testing.assert_allclose(found.distances, [d for _, d, _ in expected], rtol=1e-6)
    np.testing.assert_allclose(found.ratios, [r for _, _, r in expected], rtol=1e-5)


def test_a_picture_matches_itself_and_two_equals_cannot_be_told_apart() -> None:
    points = np.random.default_rng(0).standard_normal((6, 8)).astype(np.float32)
    itself = nearest.nearest(points, points)
    assert itself.rows.tolist() == list(range(6))
    assert itself.ratios.max() < 1e-3
    twice = nearest.nearest(points[:1], points[[0, 0]])
    assert twice.rows.tolist() == [0]
    assert twice.ratios.tolist() == [1.0]


def test_a_lower_ratio_lets_fewer_matches_pass() -> None:
    random = np.random.default_rng(1)
    one, other = (random.standard_normal((40, 8)).astype(np.float32) for _ in range(2))
    found = nearest.nearest(one, other)
    assert len(found.within(1.0)) == 40
    kept = [set(found.within(ratio).tolist()) for ratio in (0.6, 0.8, 0.9)]
    assert kept[0] <= kept[1] <= kept[2]
    clear = found.within(0.9)
    assert np.all(np.diff(found.ratios[clear]) >= 0) and found.ratios[clear].max() < 0.9
    empty = nearest.nearest(one, other[:0])
    assert len(empty.within(1.0)) == 0


@given(words, words)
def test_equal_words_are_all_pairs_rare_words_first(one: np.ndarray, other: np.ndarray) -> None:
    expected = naive_nearest.equal_words(one.tolist(), other.tolist())
    found = nearest.equal_words(one, other)
    assert [tuple(pair) for pair in found.tolist()] == expected
    assert nearest.n_equal_words(one, other) == len(expected)
    for most in (0, 1, 3):
        assert nearest.equal_words(one, other, most).tolist() == found[:most].tolist()


def test_fewer_than_no_pairs_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        nearest.equal_words(np.zeros(1, np.int32), np.zeros(1, np.int32), -1)


def test_a_match_lies_on_the_map_or_beside_it() -> None:
    affine = np.array([[0.0, -2.0, 10.0], [2.0, 0.0, 5.0]])
    one = np.array([[0.0, 0.0], [3.0, 1.0], [3.0, 1.0]], np.float32)
    other = np.array([[10.0, 5.0], [8.0, 14.0], [8.0, 14.5]], np.float32)
    carried = [(10 - 2 * y, 5 + 2 * x) for x, y in one.tolist()]
    apart = [np.hypot(a - c, b - d) for (a, b), (c, d) in zip(carried, other.tolist())]
    for within in (0.0, 3.0, 3.4, 4.0):
        expected = [distance <= within for distance in apart]
        assert nearest.on_map(affine, one, other, within).tolist() == expected


def test_descriptors_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in dimensions"):
        nearest.nearest(np.zeros((2, 8), np.float32), np.zeros((2, 4), np.float32))
    with pytest.raises(ValueError, match="finite"):
        nearest.nearest(np.full((2, 8), np.nan, np.float32), np.zeros((2, 8), np.float32))
