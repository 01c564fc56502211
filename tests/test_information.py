"""Entropy and mutual information are those of the books, and of scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import information
from tests import naive_words as naive

tables = st.lists(st.lists(st.integers(0, 6), min_size=3, max_size=3), min_size=2, max_size=4)
labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=2, max_size=40)


def test_entropy_of_equal_groups_is_the_logarithm_of_their_number() -> None:
    assert information.entropy(np.array([5, 5, 5, 5, 0])) == pytest.approx(2.0)
    assert information.entropy(np.array([7])) == 0.0
    assert information.entropy(np.zeros(3, np.int64)) == 0.0


@given(tables)
def test_mutual_information_is_that_of_its_definition(rows: list[list[int]]) -> None:
    found = information.mutual_information(np.array(rows))
    assert float(found) == pytest.approx(naive.mutual_information(rows), abs=1e-12)


def test_many_tables_at_once_are_each_by_itself() -> None:
    tables = np.random.default_rng(0).integers(0, 9, (5, 2, 4))
    found = information.mutual_information(tables)
    assert found.tolist() == [float(information.mutual_information(one)) for one in tables]


def test_what_is_expected_by_chance_is_the_mean_over_all_dealings() -> None:
    one, other = [0, 0, 0, 1, 1, 2], [0, 1, 1, 1, 0, 0]
    found = information.expected_information(np.bincount(one), np.bincount(other))
    assert found == pytest.approx(naive.expected_information(one, other), abs=1e-12)


@given(labels)
def test_agreement_is_that_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    from sklearn.metrics import adjusted_mutual_info_score

    one, other = np.array(pairs, np.int32).T
    expected = adjusted_mutual_info_score(one, other)
    assert information.agreement(one, other) == pytest.approx(expected, abs=1e-9)


def test_assignments_of_other_things_are_refused() -> None:
    with pytest.raises(ValueError, match="not of the same things"):
        information.agreement(np.zeros(3, np.int32), np.zeros(4, np.int32))
