"""Bags of words and their weightings, beside versions written keypoint by keypoint."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import encode
from engine.codebook import Words
from tests import naive


@given(
    keypoints=st.lists(st.tuples(st.integers(0, 6), st.floats(0, 2, width=32)), max_size=50),
)
def test_a_bag_equals_its_naive_twin(keypoints: list[tuple[int, float]]) -> None:
    ids = np.array([word for word, _ in keypoints], np.int32)
    distances = np.array([distance for _, distance in keypoints], np.float32)
    bag = encode.bag_of_words(Words(ids, distances), 7)
    counts, sums, squares = naive.bag(ids, distances, 7)
    np.testing.assert_array_equal(bag.counts, np.array(counts, np.float32))
    np.testing.assert_array_equal(bag.distances, np.array(sums, np.float32))
    np.testing.assert_array_equal(bag.squared_distances, np.array(squares, np.float32))


def test_no_keypoints_give_the_zero_vector() -> None:
    bag = encode.bag_of_words(Words(np.empty(0, np.int32), np.empty(0, np.float32)), 5)
    for weighting in encode.WEIGHTINGS:
        vector = encode.vector(bag, weighting, np.ones(5, np.float32))
        assert vector.shape == (5,)
        assert not vector.any()


def test_each_weighting_says_what_its_name_says() -> None:
    words = Words(np.array([0, 0, 2], np.int32), np.array([0.5, 0.25, 2.0], np.float32))
    bag = encode.bag_of_words(words, 3)
    weights = np.array([3.0, 1.0, 0.5], np.float32)
    expected = {
        "distance": [0.75, 0, 2],
        "squared-distance": [0.3125, 0, 4],
        "count": [2, 0, 1],
        "tf-idf": [6, 0, 0.5],
    }
    assert set(expected) == set(encode.WEIGHTINGS)
    for weighting, values in expected.items():
        assert encode.vector(bag, weighting, weights).tolist() == values


def test_idf_is_the_logarithm_of_rarity() -> None:
    weights = encode.idf(np.array([0, 1, 5, 10]), 10)
    np.testing.assert_allclose(weights, [0, np.log(10), np.log(2), 0], rtol=1e-6)
    with pytest.raises(ValueError, match="at least 1"):
        encode.idf(np.array([1]), 0)


def test_an_unknown_weighting_names_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"distance, squared-distance, count, tf-idf, got 'bm25'"):
        encode.check_weighting("bm25")
