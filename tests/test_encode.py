"""Bags of words and their weightings, beside versions written keypoint by keypoint."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import encode
from engine.lookup import Words
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
        "tf-idf-stop": [6, 0, 0.5],  # which words are left out, the weights say
        "tf-idf-root": [2**0.5 * 3, 0, 0.5],
        "tf-idf-l1": [6, 0, 0.5],
    }
    assert set(expected) == set(encode.WEIGHTINGS)
    for weighting, values in expected.items():
        np.testing.assert_array_equal(encode.vector(bag, weighting, weights), np.float32(values))


@given(frequency=st.lists(st.integers(0, 9), min_size=1, max_size=60))
def test_the_stop_list_holds_the_commonest_words_and_nothing_else(frequency: list[int]) -> None:
    idf = np.arange(1, len(frequency) + 1, dtype=np.float32)
    often = np.array(frequency)
    for weighting in encode.WEIGHTINGS:
        weights = encode.word_weights(weighting, idf, often)
        if weighting != encode.STOP:
            np.testing.assert_array_equal(weights, idf)
            continue
        stopped = np.flatnonzero(weights == 0)
        assert len(stopped) == round(encode.WeightParams().stopped * len(frequency))
        kept = np.flatnonzero(weights)
        np.testing.assert_array_equal(weights[kept], idf[kept])
        assert often[stopped].min(initial=10) >= often[kept].max(initial=0)
    every = encode.WeightParams(stopped=1.0)
    assert not encode.word_weights(encode.STOP, idf, often, every).any()


def test_a_power_of_one_is_plain_tf_idf() -> None:
    counts = np.array([[3, 0, 7]], np.float32)
    weights = np.array([1.5, 2, 0.25], np.float32)
    plain = encode.weigh_counts(counts, "tf-idf", weights)
    powered = encode.weigh_counts(counts, encode.ROOT, weights, encode.WeightParams(power=1.0))
    np.testing.assert_array_equal(plain, powered)


def test_idf_is_the_logarithm_of_rarity() -> None:
    weights = encode.idf(np.array([0, 1, 5, 10]), 10)
    np.testing.assert_allclose(weights, [0, np.log(10), np.log(2), 0], rtol=1e-6)
    with pytest.raises(ValueError, match="at least 1"):
        encode.idf(np.array([1]), 0)


def test_an_unknown_weighting_names_those_there_are() -> None:
    with pytest.raises(
        ValueError, match=r"distance, squared-distance, count, tf-idf, .*, got 'bm25'"
    ):
        encode.check_weighting("bm25")
