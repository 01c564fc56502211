"""A large vocabulary keeps of each picture only the words it holds, and answers as a small one."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from engine import (
    aggregate,
    artifacts,
    build,
    codebook,
    encode,
    graph,
    images,
    index,
    methods,
    pipeline,
    upkeep,
    vectors,
)
from engine.codebook import CodebookParams
from engine.errors import ArtifactError
from engine.index import Index
from tests import naive
from tests.conftest import N_TINY_WORDS, tiny_params
from tests.pages_under_test import component, sentences, visit, well
from ui.vocabulary.grid import PER_PAGE

N_MANY = 2100  # more than a histogram has bars


@pytest.fixture(scope="module")
def places(built: Path, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts with "tiny", with "held" (its words, as of a large vocabulary), and "many"."""
    place = tmp_path_factory.mktemp("large") / "artifacts"
    shutil.copytree(built, place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISWORD_ARTIFACTS", str(place))
        patch.setattr(codebook, "LARGE", N_TINY_WORDS - 1)
        build.build(folder, "held", tiny_params(codebook_name="tiny"), n_workers=1)
        many = CodebookParams(N_MANY, "approximate", n_samples=3000, n_iterations=5)
        build.build(folder, "many", tiny_params(codebook=many), n_workers=1)
        for name in ("tiny", "held", "many"):
            aggregate.make_residuals(name)
    return place


@pytest.fixture
def small(places: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(places))
    return index.open_index("tiny")


@pytest.fixture
def held(small: Index) -> Index:
    return index.open_index("held")


@pytest.fixture
def many(small: Index) -> Index:
    return index.open_index("many")


@pytest.fixture
def torn(places: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the artifacts, to be written to or damaged."""
    place = tmp_path / "artifacts"
    shutil.copytree(places, place)
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(place))
    return place


def test_small_vocabularies_are_written_as_ever(small: Index, held: Index, many: Index) -> None:
    versions = [opened.manifest["format_version"] for opened in (small, held, many)]
    assert versions == [2, 3, 3]
    assert [opened.is_large for opened in (small, held, many)] == [False, True, True]
    assert "word_ids" not in small.parts["words"]


def test_it_holds_what_the_small_one_holds(small: Index, held: Index) -> None:
    for image_id in range(small.n_images):
        ours, theirs = held.words(image_id), small.words(image_id)
        np.testing.assert_array_equal(ours.word_ids, theirs.word_ids)
        np.testing.assert_array_equal(ours.distances, theirs.distances)
        for weighting in encode.WEIGHTINGS:
            np.testing.assert_array_equal(
                held.vector(image_id, weighting), small.vector(image_id, weighting)
            )
    for weighting in encode.STORED:
        np.testing.assert_allclose(held.norms(weighting), small.norms(weighting), rtol=1e-6)
    for name in ("frequency", "document_frequency", "mean_distance", "std_distance", "idf"):
        np.testing.assert_array_equal(getattr(held, name), getattr(small, name))


@pytest.mark.parametrize("weighting", encode.WEIGHTINGS)
def test_vectors_score_as_those_of_the_small_one(small: Index, held: Index, weighting: str) -> None:
    mean = held.mean_vector(weighting)
    np.testing.assert_allclose(mean, small.mean_vector(weighting), rtol=1e-5, atol=1e-6)
    for image_id in range(small.n_images):
        vector = small.vector(image_id, weighting)
        got = vectors.scores(held, vector, weighting)
        expected = vectors.scores(small, vector, weighting)
        np.testing.assert_allclose(got, expected, atol=1e-6)
        if vector.any():
            assert got[image_id] == got.max() == 1


def test_scores_equal_their_naive_twin(many: Index) -> None:
    for weighting in encode.WEIGHTINGS:
        compare = naive.overlap if weighting == encode.L1 else naive.similarity
        rows = [many.vector(i, weighting) for i in range(many.n_images)]
        got = vectors.scores(many, rows[0], weighting)
        np.testing.assert_allclose(got, [compare(row, rows[0]) for row in rows], atol=1e-6)
    with pytest.raises(ValueError, match=f"does not fit {N_MANY} words"):
        vectors.scores(many, np.ones(3, np.float32), "count")
    with pytest.raises(ValueError, match="not held as a table"):
        many.matrix("count")


@pytest.mark.parametrize("method", [m for m in methods.METHODS if m not in methods.VECTORS])
def test_it_matches_as_the_small_one(torn: Path, method: str) -> None:
    for name in ("tiny", "held"):
        graph.make_graph(name)
    small, held = index.open_index("tiny"), index.open_index("held")
    assert held.manifest["format_version"] == 3, "a further part leaves the format as it is"
    query = pipeline.describe_query(small, images.read(small.root / "coffee.jpg"))
    same = pipeline.describe_query(held, images.read(held.root / "coffee.jpg"))
    np.testing.assert_array_equal(query.words.word_ids, same.words.word_ids)
    theirs = pipeline.search_query(small, query, method, None)
    ours = pipeline.search_query(held, same, method, None)
    np.testing.assert_array_equal(ours.ranking.image_ids, theirs.ranking.image_ids)
    np.testing.assert_array_equal(ours.ranking.scores, theirs.ranking.scores)
    stored = pipeline.search_stored(held, 3, method, None)
    expected = pipeline.search_stored(small, 3, method, None)
    np.testing.assert_array_equal(stored.ranking.scores, expected.ranking.scores)


def test_what_a_page_of_a_word_shows_is_the_same(small: Index, held: Index) -> None:
    for word in range(small.n_words):
        np.testing.assert_array_equal(
            held.keypoint_rows_of_word(word), small.keypoint_rows_of_word(word)
        )
        for ours, theirs in zip(held.images_of_word(word, 4), small.images_of_word(word, 4)):
            np.testing.assert_array_equal(ours, theirs)
        for ours, theirs in zip(held.nearest_words(word, 4), small.nearest_words(word, 4)):
            np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(held.patches(word), small.patches(word))


def test_a_word_that_no_picture_holds_is_nowhere(many: Index) -> None:
    lacking = np.flatnonzero(many.frequency == 0)
    for word in lacking[:3].tolist():
        assert len(many.keypoint_rows_of_word(word)) == 0
        assert [len(part) for part in many.images_of_word(word, 5)] == [0, 0, 0]


@pytest.mark.parametrize("method", [m for m in methods.METHODS if not methods.expands(m)])
def test_a_picture_finds_its_turned_view_by_its_file_and_by_what_is_stored(
    many: Index, method: str
) -> None:
    image_id = many.find_image("china.jpg")
    assert image_id is not None
    query = pipeline.describe_query(many, images.read(many.root / "china.jpg"))
    outside = pipeline.search_query(many, query, method)
    inside = pipeline.search_image(many, image_id, method)
    np.testing.assert_array_equal(inside.ranking.image_ids, outside.ranking.image_ids)
    np.testing.assert_array_equal(inside.ranking.scores, outside.ranking.scores)
    assert many.images[outside.ranking.image_ids[0]].path == "turned/china.png"


def test_every_checksum_and_number_fits(held: Index, many: Index) -> None:
    assert upkeep.verify("held") == upkeep.verify("many") == []
    assert many.codebook.groups is not None
    assert many.codebook.groups.fits(many.codebook.centres)
    again = codebook.open_codebook("many")
    assert again.sha256 == many.codebook.sha256
    assert again.groups is not None


def _replace(name: str, **arrays: np.ndarray) -> None:
    """Put other arrays into the part "words", with checksums that fit."""
    folder = index.index_folder(name)
    manifest = artifacts.read_manifest(folder, "index", "")
    for key, array in arrays.items():
        entry = artifacts.write_array(folder, f"words-{key}".replace("_", "-"), array)
        manifest["parts"]["words"]["arrays"][key] = entry
    told = {k: v for k, v in manifest.items() if k not in ("kind", "format_version", "sha256")}
    artifacts.write_manifest(folder, "index", told, artifacts.LARGE_VERSION)


@pytest.mark.parametrize(
    ("array", "change", "told"),
    [
        ("word_ids", lambda a: np.append(a[:-1], N_MANY).astype(a.dtype), "names words"),
        ("word_ids", lambda a: np.append(a[:-1], -1).astype(a.dtype), "names words"),
        ("word_ids", lambda a: a[:-1], "has shape|cut words/word_ids"),
        ("starts", lambda a: a[:-1], "cut words/word_ids"),
        ("starts", lambda a: np.concatenate((a[:1], a[2:3] + 1, a[2:])), "falls"),
        ("counts", lambda a: np.append(a[:-1], a[-1] + 1).astype(a.dtype), "does not count"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    torn: Path, array: str, change: object, told: str
) -> None:
    """Compiled code would read past their ends."""
    before = np.array(index.open_index("many").parts["words"][array])
    _replace("many", **{array: change(before)})  # type: ignore[operator]
    with pytest.raises(ArtifactError, match=told):
        index.open_index("many")


def test_words_that_do_not_rise_are_told(torn: Path) -> None:
    opened = index.open_index("many")
    word_ids = np.array(opened.parts["words"]["word_ids"])
    word_ids[:2] = word_ids[1::-1]
    _replace("many", word_ids=word_ids)
    assert any("does not rise" in fault for fault in upkeep.verify("many"))


def test_a_damaged_group_is_a_damaged_codebook(torn: Path) -> None:
    (path,) = (torn / "codebooks" / "many").glob("heads-*.npy")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArtifactError, match="checksum"):
        codebook.open_codebook("many")


def test_an_empty_collection_has_an_empty_mean(many: Index) -> None:
    none = dataclasses.replace(many, images=())
    assert not none.mean_vector("count").any()


def test_the_vocabulary_is_shown_page_by_page(many: Index) -> None:
    at = well(visit("vocabulary", collection="many"))
    shown = component(at, "words")["items"]
    assert [tile["id"] for tile in shown] == list(range(PER_PAGE))
    (more,) = [button for button in at.button if button.label == "Show more words"]
    at = well(more.click().run())
    assert len(component(at, "words")["items"]) == 2 * PER_PAGE
    word = int(np.argmax(many.frequency))
    at = well(visit("vocabulary", collection="many", word=str(word)))
    assert f"Word {word}" in sentences(at)


def test_a_histogram_shows_the_words_of_its_picture(many: Index) -> None:
    image_id = many.find_image("china.jpg")
    at = well(visit("inspect", collection="many", query=f"image-{image_id}", word="7"))
    at = well(at.segmented_control(key="summed").set_value("count").run())
    n_held = len(set(many.words(image_id or 0).word_ids.tolist()) | {7})
    assert f"{n_held:,} of {N_MANY:,} words" in sentences(at)
    well(at.toggle(key="with_mean").set_value(True).run())
