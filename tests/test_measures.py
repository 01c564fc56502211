"""Average precision beside VGG's program, its laws, and the curve that it is the area of."""

import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine import measures
from tests import naive

RANKINGS = st.permutations(range(12))


@given(ranked=RANKINGS, positives=st.sets(st.integers(0, 11)), junk=st.sets(st.integers(0, 11)))
def test_average_precision_equals_vggs(
    ranked: list[int], positives: set[int], junk: set[int]
) -> None:
    positives = positives - junk
    assume(positives)
    expected = naive.compute_ap(
        {str(i) for i in positives}, {str(i) for i in junk}, [str(i) for i in ranked]
    )
    assert measures.average_precision(ranked, positives, junk) == pytest.approx(expected)


@given(ranked=RANKINGS, positives=st.sets(st.integers(0, 11), min_size=1))
def test_junk_changes_nothing(ranked: list[int], positives: set[int]) -> None:
    plain = measures.average_precision(ranked, positives)
    mixed = [x for i in ranked for x in (100 + i, i)]
    assert measures.average_precision(mixed, positives, set(range(100, 112))) == plain


@given(found=RANKINGS, positives=st.sets(st.integers(0, 14)), junk=st.sets(st.integers(0, 14)))
def test_what_is_accepted_is_counted_as_one_by_one(
    found: list[int], positives: set[int], junk: set[int]
) -> None:
    first, rest = found[:5], found[5:]
    one, other = (measures.count_accepted(ids, positives, junk) for ids in (first, rest))
    assert (one.right, one.wrong, one.junk) == naive.accepted(first, positives, junk)
    assert one.total == 5
    both = measures.add_up([one, other])
    assert (both.right, both.wrong, both.junk) == naive.accepted(found, positives, junk)
    assert measures.add_up([]) == measures.Accepted()


@given(positives=st.integers(1, 12))
def test_a_perfect_order_is_one(positives: int) -> None:
    assert measures.average_precision(range(12), range(positives)) == pytest.approx(1.0)


def test_right_answers_that_cannot_be_found_count() -> None:
    assert measures.average_precision([0, 1], [0, 1]) == pytest.approx(1.0)
    assert measures.average_precision([0, 1], [0, 1], n_missing=2) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="at least one right answer"):
        measures.average_precision([0], [])


def test_precision_passes_over_junk() -> None:
    assert measures.precision_at([9, 0, 1, 2, 3], {0, 1, 3}, 4, {9}) == 0.75
    assert measures.precision_at([9, 0], {0}, 1, {9}) == 1
    assert measures.precision_at([0], {0}, 4) == 0.25


@given(ranked=RANKINGS, positives=st.sets(st.integers(0, 11)), junk=st.sets(st.integers(0, 11)))
def test_right_ranks_count_as_if_there_were_no_junk(
    ranked: list[int], positives: set[int], junk: set[int]
) -> None:
    found = measures.right_ranks(ranked, positives, junk)
    names = ({str(i) for i in positives}, {str(i) for i in junk}, [str(i) for i in ranked])
    assert list(found) == naive.right_ranks(*names)


@given(
    ranked=RANKINGS,
    positives=st.sets(st.integers(0, 11), min_size=1),
    junk=st.sets(st.integers(0, 11)),
    n_missing=st.integers(0, 3),
)
def test_the_area_below_the_curve_is_average_precision(
    ranked: list[int], positives: set[int], junk: set[int], n_missing: int
) -> None:
    n_positives = len(positives) + n_missing
    ranks = measures.right_ranks(ranked, positives, junk)
    curve = measures.precision_recall(ranks, n_positives)
    points = list(zip(curve.recall, curve.precision))
    area = sum((r1 - r0) * (p0 + p1) / 2 for (r0, p0), (r1, p1) in itertools.pairwise(points))
    assert area == pytest.approx(
        measures.average_precision(ranked, positives, junk, n_missing), abs=1e-12
    )
    assert points[0] == (0.0, 1.0)
    assert list(curve.recall) == sorted(curve.recall)
    assert all(0 <= p <= 1 for p in curve.precision)
    assert curve.recall[-1] == len(ranks) / n_positives


def test_a_curve_falls_straight_where_recall_stands_still() -> None:
    curve = measures.precision_recall((1, 4), 2)
    assert curve.recall == (0.0, 0.5, 0.5, 1.0)
    assert curve.precision == (1.0, 1.0, pytest.approx(1 / 3), 0.5)
    nothing = measures.precision_recall((), 2)
    assert (nothing.recall, nothing.precision) == ((0.0,), (1.0,))


@given(ranked=RANKINGS, positives=st.sets(st.integers(0, 11), min_size=1))
def test_no_order_beats_the_perfect_one_nor_is_below_its_reverse(
    ranked: list[int], positives: set[int]
) -> None:
    perfect = sorted(ranked, key=lambda i: i not in positives)
    best = measures.average_precision(perfect, positives)
    worst = measures.average_precision(perfect[::-1], positives)
    assert best == pytest.approx(1.0)
    assert worst - 1e-12 <= measures.average_precision(ranked, positives) <= best + 1e-12


@given(
    ranked=RANKINGS,
    positives=st.sets(st.integers(0, 11), min_size=1),
    junk=st.sets(st.integers(0, 11), max_size=4),
)
def test_a_right_answer_that_changes_places_upwards_never_lowers_it(
    ranked: list[int], positives: set[int], junk: set[int]
) -> None:
    before = measures.average_precision(ranked, positives, junk)
    for high, low in itertools.combinations(range(12), 2):
        upper, lower = ranked[high], ranked[low]
        if lower in positives - junk and upper not in positives | junk:
            better = list(ranked)
            better[high], better[low] = lower, upper
            assert measures.average_precision(better, positives, junk) >= before - 1e-12


@given(
    st.lists(
        st.tuples(st.sets(st.integers(1, 40), max_size=12), st.integers(0, 3)).filter(
            lambda told: len(told[0]) + told[1] > 0
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(1, 20),
)
def test_mean_precision_is_the_best_at_or_behind_each_recall(
    told: list[tuple[set[int], int]], n_steps: int
) -> None:
    answers = [(sorted(ranks), len(ranks) + n_missing) for ranks, n_missing in told]
    recall, precision = measures.mean_precision(answers, n_steps)
    assert precision == pytest.approx(naive.mean_precision(answers, n_steps))
    assert len(recall) == n_steps + 1 and (recall[0], recall[-1]) == (0.0, 1.0)
    assert list(precision) == sorted(precision, reverse=True)


def test_a_curve_needs_a_query_and_right_answers() -> None:
    assert measures.mean_precision([((1, 2), 2)], 4)[1] == (1.0,) * 5
    for wrong in ([], [((), 0)]):
        with pytest.raises(ValueError, match="needs a query"):
            measures.mean_precision(wrong)
