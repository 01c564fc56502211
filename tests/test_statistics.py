"""Bootstrap intervals: known cases, laws, and how often they hold the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import statistics
from tests import naive

VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=20)


@given(values=VALUES, seed=st.integers(0, 9))
def test_an_interval_lies_among_the_values_and_repeats(values: list[float], seed: int) -> None:
    low, high = statistics.interval(values, seed, n_resamples=200)
    assert min(values) - 1e-12 <= low <= high <= max(values) + 1e-12
    assert (low, high) == statistics.interval(values, seed, n_resamples=200)


@given(values=st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_the_interval_is_that_of_all_possible_draws(values: list[float]) -> None:
    means = naive.all_resampled_means(values)
    low, high = statistics.interval(values, 0)
    # The exact distribution must hold at least 95 % in the interval, widened by drawing's error.
    inside = [low - 1e-9 <= mean <= high + 1e-9 for mean in means]
    assert np.mean(inside) >= 0.94
    assert np.mean(np.array(means) < low - 1e-9) <= 0.03
    assert np.mean(np.array(means) > high + 1e-9) <= 0.03


def test_of_equal_values_the_ends_came_in_the_wrong_order() -> None:
    low, high = statistics.interval([0.7975052326354366] * 3, n_resamples=200)
    assert low <= high == pytest.approx(0.7975052326354366)


@given(value=st.floats(0, 1), n=st.integers(1, 9))
def test_equal_values_leave_no_doubt(value: float, n: int) -> None:
    assert statistics.interval([value] * n) == pytest.approx((value, value))
    assert statistics.paired_interval([value] * n, [value] * n) == (0.0, 0.0)


def test_every_query_a_landmark_of_its_own_changes_nothing() -> None:
    values = np.random.default_rng(1).random(30).tolist()
    assert statistics.interval(values, 3) == statistics.interval(values, 3, list(range(30)))


def test_landmarks_whose_queries_agree_make_the_interval_wider() -> None:
    values = [0.1] * 10 + [0.5] * 10 + [0.9] * 10
    low, high = statistics.interval(values)
    wide_low, wide_high = statistics.interval(values, groups=[i // 10 for i in range(30)])
    assert wide_low < low < high < wide_high
    assert statistics.interval(values, groups=["one"] * 30) == pytest.approx((0.5, 0.5))


def test_pairing_takes_away_what_makes_queries_hard_for_both() -> None:
    random = np.random.default_rng(2)
    before = random.random(40)
    after = before + 0.05 + 0.01 * random.standard_normal(40)
    low, high = statistics.paired_interval(before.tolist(), after.tolist())
    assert 0.04 < low < high < 0.06
    alone = statistics.interval(before.tolist())
    assert alone[1] - alone[0] > 5 * (high - low)
    turned = statistics.paired_interval(after.tolist(), before.tolist())
    assert turned == pytest.approx((-high, -low), abs=1e-3)


def test_19_of_20_intervals_hold_the_true_mean() -> None:
    random = np.random.default_rng(5)
    held = 0
    for seed in range(400):
        low, high = statistics.interval(random.random(45).tolist(), seed, n_resamples=500)
        held += low <= 0.5 <= high
    assert 0.90 <= held / 400 <= 0.98


@pytest.mark.parametrize("values", [[], [float("nan")], [0.5, float("inf")]])
def test_values_that_have_no_mean_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="at least one value"):
        statistics.interval(values)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="2 values but 1 groups"):
        statistics.interval([0.1, 0.2], groups=["a"])
    with pytest.raises(ValueError, match="cannot be paired"):
        statistics.paired_interval([0.1], [0.1, 0.2])
    with pytest.raises(ValueError, match="level"):
        statistics.interval([0.1], level=1.0)
