"""A map of the words keeps neighbours together, is the same each time, and stands in the index."""

import json
from pathlib import Path

import numpy as np
import pytest

from engine import artifacts, index, upkeep, word_map
from engine.errors import ArtifactError
from engine.index import Index
from tests import naive_words as naive
from tests.conftest import N_TINY_WORDS


def without_map() -> Index:
    """Make the index "tiny" one of before."""
    opened = index.open_index("tiny")
    manifest = json.loads(json.dumps(opened.manifest))
    del manifest["parts"]["map"]
    told = {k: v for k, v in manifest.items() if k not in ("kind", "format_version", "sha256")}
    version = manifest["format_version"]
    written = artifacts.write_manifest(opened.folder, "index", told, version)
    artifacts.sweep(opened.folder, written)
    return index.open_index("tiny")


def heaps() -> np.ndarray:
    """Six heaps of ten words each, far apart."""
    random = np.random.default_rng(0)
    middles = np.repeat(random.standard_normal((6, 16)), 10, axis=0)
    return (middles + 0.01 * random.standard_normal((60, 16))).astype(np.float32)


def test_words_of_a_heap_lie_together() -> None:
    found = word_map.lay_out(heaps())
    heap = np.arange(60) // 10
    apart = np.linalg.norm(found.places[:, None] - found.places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    near = np.argsort(apart, axis=1)[:, :9]
    assert (heap[near] == heap[:, None]).mean() > 0.9


@pytest.mark.parametrize("n_words", [2, 3, 9, 10, 60])
def test_places_fill_the_square(n_words: int) -> None:
    found = word_map.lay_out(heaps()[:n_words])
    assert found.places.shape == (n_words, 2) and found.places.dtype == np.float32
    assert found.places.min() >= 0 and found.places.max() <= 1
    assert np.ptp(found.places, axis=0).max() == pytest.approx(1)
    assert 0 <= found.kept <= 1


def test_the_same_words_give_the_same_map() -> None:
    one, other = word_map.lay_out(heaps()), word_map.lay_out(heaps())
    assert one.places.tobytes() == other.places.tobytes()


def test_words_that_are_all_one_lie_in_the_middle() -> None:
    found = word_map.lay_out(np.ones((12, 4), np.float32))
    assert np.all(found.places == 0.5)


def test_many_words_are_laid_out_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_map, "MANY", 40)
    assert word_map.lay_out(heaps()).kept > 0.6


def test_kept_neighbours_are_those_of_a_slow_count() -> None:
    random = np.random.default_rng(1)
    points = random.standard_normal((30, 6)).astype(np.float32)
    places = points[:, :2].copy()
    found = word_map.kept_neighbours(points, places, 5)
    assert found == pytest.approx(naive.kept_neighbours(points, places, 5))
    assert word_map.kept_neighbours(points, points) == 1


def test_no_map_of_nothing() -> None:
    for centres in (np.zeros((1, 4)), np.zeros((4, 1)), np.full((4, 4), np.nan)):
        with pytest.raises(ValueError, match="two finite words"):
            word_map.lay_out(centres.astype(np.float32))


def test_a_build_keeps_the_map(tiny: Index) -> None:
    kept = word_map.open_map(tiny)
    assert kept is not None and kept.places.shape == (N_TINY_WORDS, 2)
    fresh = word_map.lay_out(tiny.codebook.centres)
    assert kept.places.tobytes() == fresh.places.tobytes()
    assert kept.kept == pytest.approx(fresh.kept, abs=1e-6)


def test_an_index_of_before_has_its_map_laid_out_and_stays_as_it_is(scratch: Path) -> None:
    kept = word_map.open_map(index.open_index("tiny"))
    old = without_map()
    assert word_map.open_map(old) is None
    found = word_map.map_of(old)
    assert kept is not None and found.places.tobytes() == kept.places.tobytes()
    assert index.stamp("tiny") == old.stamp, "a look changes nothing for other visitors"
    assert word_map.map_of(index.open_index("tiny")).places.tobytes() == found.places.tobytes()


def test_what_a_map_costs_is_not_charged_to_ranking(tiny: Index) -> None:
    spent = tiny.manifest[upkeep.CPU_SECONDS]
    assert 0 < spent["map"] < spent[upkeep.BUILD]


def test_a_map_of_other_words_is_not_shown(scratch: Path) -> None:
    opened = index.open_index("tiny")
    kept = word_map.open_map(opened)
    assert kept is not None
    upkeep.add_part("tiny", "map", *word_map.to_part(kept, "other words"))
    assert word_map.open_map(index.open_index("tiny")) is None


@pytest.mark.parametrize("places", [np.zeros((3, 2)), np.full((N_TINY_WORDS, 2), np.nan)])
def test_a_map_that_does_not_fit_is_told(scratch: Path, places: np.ndarray) -> None:
    arrays = {"places": places.astype(np.float32)}
    upkeep.add_part("tiny", "map", {"codebook": "", "kept": 1.0}, arrays)
    with pytest.raises(ArtifactError, match="map/places"):
        index.open_index("tiny")
