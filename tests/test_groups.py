"""Words near a descriptor by groups: as if all were measured, where all groups are looked into."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine import approximate, codebook, groups, lookup
from engine.groups import Groups
from tests import naive
from tests.uncompiled import said_compiled_and_not

SHORT = st.floats(-1, 1, width=16)


def _points(n: int, d: int, seed: int = 0) -> np.ndarray:
    """Points around a few places, as descriptors are."""
    random = np.random.default_rng(seed)
    places = np.random.default_rng(99).standard_normal((40, d))
    return (places[random.integers(0, 40, n)] + 0.4 * random.standard_normal((n, d))).astype("f4")


def _grouped(centres: np.ndarray) -> tuple[np.ndarray, Groups]:
    order, found = groups.gather(centres)
    assert found.fits(centres)
    assert sorted(order.tolist()) == list(range(len(centres)))
    return centres[order], found


@settings(deadline=None)
@given(
    data=st.data(),
    n=st.integers(0, 20),
    k=st.integers(1, 30),
    d=st.integers(1, 9),
    n_words=st.integers(1, 4),
    n_probes=st.integers(1, 5),
)
def test_near_words_equal_their_naive_twin(
    data: st.DataObject, n: int, k: int, d: int, n_words: int, n_probes: int
) -> None:
    """Few different numbers, so that many words are equally near."""
    centres, found = _grouped(data.draw(hnp.arrays(np.float32, (k, d), elements=SHORT)))
    # Places among the words, so that no two heads are equally near.
    random = np.random.default_rng(n)
    points = random.standard_normal((n, d)).astype(np.float32)
    word_ids, distances = groups.near(points, centres, found, n_words, 1, n_probes)
    assert word_ids.shape == distances.shape
    for point, ids, lengths in zip(points, word_ids, distances):
        expected = naive.near_by_groups(point, centres, found.heads, found.starts, n_probes)
        assert len(set(ids.tolist())) == len(ids)
        squared = dict(expected)
        np.testing.assert_allclose(
            lengths, [length for _, length in expected[: len(ids)]], rtol=1e-5, atol=1e-6
        )
        np.testing.assert_allclose(lengths, [squared[i] for i in ids.tolist()], rtol=1e-6)


def test_all_groups_give_what_exact_assignment_gives() -> None:
    centres, found = _grouped(_points(150, 32, 1))
    points = _points(500, 32, 2)
    exact = lookup.assign(points, centres)
    word_ids, distances = groups.near(points, centres, found, 3, n_probes=len(found.heads))
    np.testing.assert_array_equal(word_ids[:, 0], exact.word_ids)
    np.testing.assert_array_equal(distances[:, 0], exact.distances)
    near = lookup.near_words(points, centres, exact.word_ids, 3)
    np.testing.assert_array_equal(word_ids, near)


def test_a_few_groups_miss_little() -> None:
    centres, found = _grouped(_points(6000, 32, 1))
    points = _points(1000, 32, 2)
    exact = lookup.assign(points, centres)
    got = lookup.assign(points, centres, found)
    assert (got.word_ids == exact.word_ids).mean() > 0.95
    assert np.all(got.distances >= exact.distances)
    np.testing.assert_array_equal(
        lookup.near_words(points, centres, got.word_ids, 3, found)[:, 0], got.word_ids
    )


def test_neither_threads_nor_blocks_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    centres, found = _grouped(_points(3000, 16, 1))
    points = _points(700, 16, 2)
    whole = groups.near(points, centres, found, 3)
    monkeypatch.setattr(groups, "_BLOCK", 64)
    cut = groups.near(points, centres, found, 3, n_threads=2)
    for one, other in zip(whole, cut):
        np.testing.assert_array_equal(one, other)


def test_equal_words_make_one_group_and_the_lower_is_nearest() -> None:
    centres, found = _grouped(np.ones((9, 4), np.float32))
    assert len(found.heads) == 1
    word_ids, distances = groups.near(np.ones((2, 4), np.float32), centres, found, 3)
    assert word_ids.tolist() == [[0, 1, 2]] * 2
    assert not distances.any()


def test_means_equal_their_naive_twin() -> None:
    points, ids = _points(200, 5), np.random.default_rng(3).integers(0, 7, 200).astype(np.int32)
    got, counts = groups.means(points, ids, 9)
    for i in range(9):
        own = points[ids == i].astype(np.float64)
        assert counts[i] == len(own)
        expected = own.mean(axis=0) if len(own) else np.zeros(5)
        np.testing.assert_allclose(got[i], expected, rtol=1e-6, atol=1e-7)


def test_wrong_arguments_are_value_errors() -> None:
    centres, found = _grouped(_points(20, 4))
    with pytest.raises(ValueError, match="n_words must be at least 1"):
        groups.near(centres, centres, found, 0)
    with pytest.raises(ValueError, match="finite"):
        lookup.assign(np.full((2, 4), np.nan, np.float32), centres, found)


def test_approximate_words_are_nearly_as_good_and_always_the_same() -> None:
    sample = _points(4000, 16)
    centres, found = approximate.learn(sample, 300, 10, seed=1)
    again, _ = approximate.learn(sample, 300, 10, seed=1, n_threads=2)
    np.testing.assert_array_equal(centres, again)
    assert found.fits(centres)
    lloyd = codebook._lloyd(sample, codebook.CodebookParams(300, n_iterations=10))
    ours, theirs = (lookup.assign(sample, c).distances.astype("f8") for c in (centres, lloyd))
    assert (ours**2).mean() < 1.05 * (theirs**2).mean()
    assert np.bincount(lookup.assign(sample, centres).word_ids, minlength=300).min() >= 0


def test_a_word_that_loses_all_takes_the_farthest_descriptor() -> None:
    """Equal descriptors start as several words; one of them keeps all, the others go elsewhere."""
    random = np.random.default_rng(0)
    sample = np.concatenate((np.zeros((500, 8)), random.standard_normal((60, 8)))).astype("f4")
    centres, _ = approximate.learn(sample, 30, 10, seed=0)
    assert len(np.unique(centres, axis=0)) > 25


def test_uncompiled_it_gives_the_same() -> None:
    code = (
        "from tests.test_groups import _points, _grouped; from engine import groups;"
        "c, f = _grouped(_points(60, 8, 1));"
        "print([a.tolist() for a in groups.near(_points(20, 8, 2), c, f, 3, 1, 4)])"
    )
    compiled, uncompiled = said_compiled_and_not(code)
    assert compiled == uncompiled
