"""Sizes of vocabularies, dead words, and what words tell about landmarks, as by hand."""

from pathlib import Path

import numpy as np
import pytest

from engine import build, codebook, codebook_quality, index
from engine.errors import BuildError, GroundTruthError
from engine.features import ExtractionParams
from engine.groundtruth import Query
from engine.index import Index
from tests import naive_words as naive
from tests.conftest import N_TINY_WORDS, tiny_params


def query(image_id: int | None, landmark: str, right: list[int], *junk: int) -> Query:
    labels = dict.fromkeys(right, "good") | dict.fromkeys(junk, "junk")
    return Query(landmark, image_id, Path("x.jpg"), labels, 0, landmark)


QUERIES = [
    query(0, "a", [1, 2, 8], 9),
    query(3, "b", [4, 5]),
    query(6, "c", [7, 8, 10]),
    query(None, "c", [11]),
]


@pytest.fixture(params=["table", "pairs"])
def opened(request: pytest.FixtureRequest, scratch, folder, monkeypatch) -> Index:
    """The tiny index, and the same as of a large vocabulary."""
    if request.param == "pairs":
        monkeypatch.setattr(codebook, "LARGE", N_TINY_WORDS - 1)
        params = tiny_params(codebook_name="tiny")
        build.build(folder, "tiny", params, n_workers=1, overwrite=True)
    return index.open_index("tiny")


def test_pictures_are_of_the_landmark_that_alone_claims_them() -> None:
    labels, landmarks = codebook_quality.classes(QUERIES, 13)
    assert landmarks == ("a", "b", "c")
    assert labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, -1, -1, 2, 2, -1]


def test_what_words_tell_is_counted_as_by_hand(opened: Index, monkeypatch) -> None:
    monkeypatch.setattr(codebook_quality, "_BLOCK", 7)
    found = codebook_quality.informative(opened, QUERIES)
    labels, _ = codebook_quality.classes(QUERIES, opened.n_images)
    asked = [i for i in range(opened.n_images) if labels[i] >= 0]
    held = {i: np.bincount(opened.words(i).word_ids, minlength=N_TINY_WORDS) for i in asked}
    shown = [int(labels[i]) for i in asked]
    for word in range(N_TINY_WORDS):
        counts = [int(held[i][word]) for i in asked]
        median = float(np.median(counts))
        presence = naive.information_of([n > 0 for n in counts], shown)
        count = naive.information_of([n > median for n in counts], shown)
        assert found.presence[word] == pytest.approx(presence, abs=1e-9)
        assert found.count[word] == pytest.approx(count, abs=1e-9)
    assert found.n_images.tolist() == [3, 3, 4]
    above = (found.count - found.count_chance)[found.order()]
    assert (np.diff(above) <= 0).all()
    assert found.presence_chance.min() >= 0 and found.presence.max() <= found.entropy + 1e-12


def test_one_landmark_tells_nothing_apart(tiny: Index) -> None:
    with pytest.raises(GroundTruthError, match="1 landmarks"):
        codebook_quality.informative(tiny, QUERIES[:1])


def test_an_order_by_something_else_is_refused(tiny: Index) -> None:
    with pytest.raises(ValueError, match="by must be"):
        codebook_quality.informative(tiny, QUERIES).order("idf")


def test_dead_words_are_those_without_keypoints(opened: Index) -> None:
    alive = {int(w) for i in range(opened.n_images) for w in opened.words(i).word_ids}
    dead = codebook_quality.dead_words(opened).tolist()
    assert dead == [w for w in range(opened.n_words) if w not in alive]


def test_more_words_lie_nearer() -> None:
    points = np.random.default_rng(0).standard_normal((600, 128)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    told: list[tuple[int, int]] = []
    found = codebook_quality.over_sizes(
        points, ExtractionParams(), (40, 4, 12), progress=lambda *at: told.append(at)
    )
    assert [one.n_words for one in found] == [4, 12, 40]
    assert told == [(1, 3), (2, 3), (3, 3)]
    learned = [one.learned for one in found]
    assert learned == sorted(learned, reverse=True)
    assert all(one.held_out > one.learned for one in found)
    assert all(one.usage.n_descriptors == 300 for one in found)


def test_sizes_that_cannot_be_are_told() -> None:
    points = np.zeros((20, 128), np.float32)
    with pytest.raises(BuildError, match="11 words cannot be learned from 10 descriptors"):
        codebook_quality.over_sizes(points, ExtractionParams(), (11,))
    for sizes in ((), (1, 5)):
        with pytest.raises(ValueError, match="at least 2"):
            codebook_quality.over_sizes(points, ExtractionParams(), sizes)
