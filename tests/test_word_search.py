"""Search by words finds what a slow look through all pictures finds, and tells why."""

import numpy as np
import pytest

from engine import build, codebook, index, word_search
from engine.index import Index
from tests import naive_words as naive
from tests.conftest import N_TINY_WORDS, tiny_params


@pytest.fixture(params=["table", "pairs"])
def opened(request: pytest.FixtureRequest, scratch, folder, monkeypatch) -> Index:
    """The tiny index, and the same as of a large vocabulary."""
    if request.param == "pairs":
        monkeypatch.setattr(codebook, "LARGE", N_TINY_WORDS - 1)
        params = tiny_params(codebook_name="tiny")
        build.build(folder, "tiny", params, n_workers=1, overwrite=True)
    return index.open_index("tiny")


@pytest.mark.parametrize("words, weights", [([3], [1.0]), ([5, 2, 20], [1.0, 0.5, 2.0])])
def test_it_finds_what_a_slow_look_finds(opened: Index, words, weights) -> None:
    found = word_search.search(opened, words, weights)
    expected = naive.search_by_words(opened, words, weights)
    assert found.image_ids.tolist() == [one[0] for one in expected]
    assert found.scores == pytest.approx([one[1] for one in expected], abs=1e-9)
    assert found.added == pytest.approx(np.array([one[2] for one in expected]), abs=1e-9)
    assert found.added.sum(axis=1) == pytest.approx(found.scores, abs=1e-12)
    assert found.n_found == len(expected)


def test_pictures_that_hold_all_words_come_first(opened: Index) -> None:
    words = np.argsort(opened.document_frequency)[:4]
    found = word_search.search(opened, words.tolist())
    complete = (found.counts > 0).all(axis=1)
    assert complete.tolist() == found.complete.tolist()
    assert complete[: found.n_complete].all() and not complete[found.n_complete :].any()
    for part in (found.scores[complete], found.scores[~complete]):
        assert (np.diff(part) <= 0).all()


def test_a_word_that_every_picture_holds_still_counts() -> None:
    weights = word_search.weigh(np.array([0, 1, 5, 10]), 10)
    assert weights[0] == 0 and weights[3] == pytest.approx(np.log(2))
    assert (np.diff(weights[1:]) < 0).all()


def test_no_more_pictures_than_asked_for_but_all_are_counted(opened: Index) -> None:
    all_, few = (word_search.search(opened, [1, 2], n_results=n) for n in (None, 2))
    assert few.image_ids.tolist() == all_.image_ids[:2].tolist()
    assert (few.n_found, few.n_complete) == (all_.n_found, all_.n_complete)


@pytest.mark.parametrize(
    "words, weights, n_results, said",
    [
        ([], None, None, "at least one word"),
        ([1, 1], None, None, "only once"),
        ([N_TINY_WORDS], None, None, "word must be"),
        ([1], [0.0], None, "weight above 0"),
        ([1], [float("nan")], None, "weight above 0"),
        ([1], [1.0, 1.0], None, "weight above 0"),
        ([1], None, 0, "n_results"),
    ],
)
def test_wrong_arguments_are_told(tiny: Index, words, weights, n_results, said) -> None:
    with pytest.raises(ValueError, match=said):
        word_search.search(tiny, words, weights, n_results)
