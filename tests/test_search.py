"""Scores and rankings beside their naive twins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine import search
from tests import naive

COUNTS = st.integers(0, 3).map(float)


@given(
    matrix=hnp.arrays(np.float32, st.tuples(st.integers(1, 15), st.just(4)), elements=COUNTS),
    vector=hnp.arrays(np.float32, (4,), elements=COUNTS),
)
def test_similarities_equal_their_naive_twin(matrix: np.ndarray, vector: np.ndarray) -> None:
    got = search.similarities(matrix, search.norms(matrix), vector)
    expected = [naive.similarity(row, vector) for row in matrix]
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    assert got.dtype == np.float32
    assert np.all((got == 0) | (got >= 0.5))


@given(
    matrix=hnp.arrays(np.float32, st.tuples(st.integers(1, 15), st.just(4)), elements=COUNTS),
    vector=hnp.arrays(np.float32, (4,), elements=COUNTS),
)
def test_overlaps_equal_their_naive_twin(matrix: np.ndarray, vector: np.ndarray) -> None:
    got = search.overlaps(matrix, vector)
    expected = [naive.overlap(row, vector) for row in matrix]
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-9)
    assert got.dtype == np.float32
    assert np.all((got >= 0) & (got <= 1))


def test_zero_vectors_score_zero() -> None:
    matrix = np.array([[1, 2], [0, 0]], np.float32)
    lengths = search.norms(matrix)
    assert search.similarities(matrix, lengths, np.zeros(2, np.float32)).tolist() == [0, 0]
    assert search.similarities(matrix, lengths, matrix[0]).tolist() == [1, 0]
    assert search.overlaps(matrix, np.zeros(2, np.float32)).tolist() == [0, 0]
    assert search.overlaps(matrix, matrix[0]).tolist() == [1, 0]


def test_equal_images_score_equal_wherever_they_stand() -> None:
    random = np.random.default_rng(0)
    row = random.random(500).astype(np.float32)
    matrix = random.random((2 * search.SCORE_BLOCK + 13, 500)).astype(np.float32)
    places = [0, 1, 7, search.SCORE_BLOCK, len(matrix) - 1]
    matrix[places] = row
    scores = search.similarities(matrix, search.norms(matrix), random.random(500).astype("f4"))
    assert len({float(scores[place]) for place in places}) == 1


@given(
    scores=st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), max_size=30),
    n_results=st.integers(1, 40),
    data=st.data(),
)
def test_a_ranking_equals_its_naive_twin(
    scores: list[float], n_results: int, data: st.DataObject
) -> None:
    ids = st.sets(st.integers(0, len(scores) - 1)) if scores else st.just(set())
    exclude: set[int] = data.draw(ids)
    got = search.rank(np.array(scores, np.float32), n_results, exclude)
    assert got.image_ids.tolist() == naive.rank(scores, n_results, exclude)
    assert got.scores.tolist() == [scores[i] for i in got.image_ids]
    everything = search.rank(np.array(scores, np.float32), None, exclude)
    assert everything.image_ids.tolist() == naive.rank(scores, len(scores), exclude)


def test_wrong_arguments_are_value_errors() -> None:
    matrix = np.ones((3, 4), np.float32)
    with pytest.raises(ValueError, match="n_results must be at least 1, got 0"):
        search.rank(np.ones(3, np.float32), 0)
    with pytest.raises(ValueError, match="does not fit"):
        search.overlaps(matrix, np.ones(5, np.float32))
    with pytest.raises(ValueError, match="does not fit"):
        search.similarities(matrix, search.norms(matrix), np.ones(5, np.float32))
