"""Words are learned the same way twice, and the nearest one is really the nearest."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine import codebook, lookup
from engine.codebook import CodebookParams
from engine.errors import ArtifactError, BuildError
from engine.features import ExtractionParams
from tests import naive

SHORT = st.floats(-1, 1, width=16)


def _unit_rows(n: int, d: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_near_words_come_nearest_first_and_only_once() -> None:
    points, words = _unit_rows(300, 16), _unit_rows(40, 16, 1)
    ids = lookup.assign(points, words).word_ids
    expected = np.argsort(((points[:, None] - words) ** 2).sum(axis=2), axis=1, kind="stable")
    np.testing.assert_array_equal(lookup.near_words(points, words, ids, 5), expected[:, :5])
    assert lookup.near_words(points, words, ids, 99).shape == (300, 40)
    np.testing.assert_array_equal(lookup.near_words(points, words, ids, 1)[:, 0], ids)
    assert lookup.near_words(points[:0], words, ids[:0], 3).shape == (0, 3)


def test_among_equal_words_the_lower_ones_are_near() -> None:
    point, words = np.zeros((1, 4), np.float32), np.ones((6, 4), np.float32)
    near = lookup.near_words(point, words, np.array([4], np.int32), 3)
    assert near.tolist() == [[4, 0, 1]]


def test_near_words_of_other_points_are_refused() -> None:
    points, words = _unit_rows(3, 16), _unit_rows(4, 16)
    with pytest.raises(ValueError, match="do not fit"):
        lookup.near_words(points, words, np.zeros(2, np.int32), 2)
    with pytest.raises(ValueError, match="n_words must be at least 1"):
        lookup.near_words(points, words, np.zeros(3, np.int32), 0)


@given(
    data=st.data(),
    n=st.integers(0, 20),
    k=st.integers(1, 12),
    d=st.integers(1, 9),
)
def test_assignment_equals_its_naive_twin(data: st.DataObject, n: int, k: int, d: int) -> None:
    """Few different numbers, so that many words are equally near."""
    points = data.draw(hnp.arrays(np.float32, (n, d), elements=SHORT))
    words = data.draw(hnp.arrays(np.float32, (k, d), elements=SHORT))
    got = lookup.assign(points, words)
    word_ids, distances = naive.assign(points, words)
    np.testing.assert_array_equal(got.word_ids, word_ids)
    np.testing.assert_array_equal(got.distances, distances)


def test_assignment_does_not_depend_on_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    points, words = _unit_rows(5000, 128), _unit_rows(500, 128, 1)
    whole = lookup.assign(points, words)
    monkeypatch.setattr(lookup, "ASSIGN_BLOCK", 77)
    cut = lookup.assign(points, words)
    np.testing.assert_array_equal(whole.word_ids, cut.word_ids)
    np.testing.assert_array_equal(whole.distances, cut.distances)
    word_ids, distances = naive.assign(points[:300], words)
    np.testing.assert_array_equal(whole.word_ids[:300], word_ids)
    # The kernel adds in order, NumPy in pairs: one float32 step at most.
    np.testing.assert_allclose(whole.distances[:300], distances, rtol=1.2e-7)


def test_ties_go_to_the_lower_word() -> None:
    words = np.repeat(_unit_rows(3, 128), 4, axis=0)
    got = lookup.assign(words, words)
    assert got.word_ids.tolist() == [0] * 4 + [4] * 4 + [8] * 4
    assert not got.distances.any()


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (np.zeros((3, 4), np.float32), np.zeros((2, 5), np.float32)),
        (np.zeros(4, np.float32), np.zeros((2, 4), np.float32)),
        (np.zeros((3, 4), np.float32), np.zeros((0, 4), np.float32)),
        (np.full((3, 4), np.nan, np.float32), np.zeros((2, 4), np.float32)),
        (np.full((3, 4), np.inf, np.float32), np.zeros((2, 4), np.float32)),
    ],
)
def test_what_cannot_be_assigned_is_a_value_error(points: np.ndarray, words: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"words|word|finite"):
        lookup.assign(points, words)


@pytest.mark.parametrize("algorithm", codebook.ALGORITHMS)
def test_the_same_seed_learns_the_same_words(algorithm: str) -> None:
    sample = _unit_rows(3000, 64)
    params = CodebookParams(n_words=20, algorithm=algorithm, n_iterations=4, seed=3)
    first = codebook.train(sample, params, ExtractionParams(), 5)
    again = codebook.train(sample, params, ExtractionParams(), 5)
    other = codebook.train(
        sample, CodebookParams(20, algorithm, n_iterations=4, seed=4), ExtractionParams(), 5
    )
    assert first.sha256 == again.sha256 != other.sha256
    assert first.centres.shape == (20, 64)
    assert first.training["n_descriptors"] == 3000
    _, distances = naive.assign(sample, first.centres)
    assert first.training["distortion"] == pytest.approx((distances**2).mean(), rel=1e-6)


def test_lloyd_lowers_the_distortion() -> None:
    sample = _unit_rows(2000, 16)
    few = codebook.train(sample, CodebookParams(16, n_iterations=1), ExtractionParams(), 1)
    many = codebook.train(sample, CodebookParams(16, n_iterations=20), ExtractionParams(), 1)
    assert many.training["distortion"] < few.training["distortion"]


def test_too_few_descriptors_say_how_many_there_are() -> None:
    with pytest.raises(BuildError, match="500 words cannot be learned from 30 keypoints in 2 pict"):
        codebook.train(_unit_rows(30, 8), CodebookParams(500), ExtractionParams(), 2)


def test_fewer_different_descriptors_than_words_leave_words_unused() -> None:
    sample = np.repeat(_unit_rows(5, 8), 20, axis=0)
    learned = codebook.train(sample, CodebookParams(10), ExtractionParams(), 1)
    assert learned.training["distortion"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_words": 1},
        {"algorithm": "magic"},
        {"sampling": "all"},
        {"n_samples": 10},
        {"n_iterations": 0},
        {"seed": -1},
    ],
)
def test_wrong_parameters_are_value_errors(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        CodebookParams(**wrong)  # type: ignore[arg-type]


def test_a_saved_codebook_opens_the_same(empty_artifacts: Path) -> None:
    params = CodebookParams(n_words=20, n_iterations=2)
    learned = codebook.train(_unit_rows(1000, 64), params, ExtractionParams(max_side=640), 7)
    codebook.save_codebook(learned, "shared-words")
    opened = codebook.open_codebook("shared-words")
    np.testing.assert_array_equal(opened.centres, learned.centres)
    np.testing.assert_array_equal(opened.signatures.medians, learned.signatures.medians)
    np.testing.assert_array_equal(opened.signatures.projection, learned.signatures.projection)
    assert opened.params == params
    assert opened.extraction == ExtractionParams(max_side=640)
    assert opened.training == learned.training
    assert codebook.list_codebooks() == ["shared-words"]


@pytest.mark.parametrize("array", ["centres", "projection", "medians"])
def test_a_damaged_codebook_is_refused(empty_artifacts: Path, array: str) -> None:
    learned = codebook.train(_unit_rows(100, 8), CodebookParams(4), ExtractionParams(), 1)
    codebook.save_codebook(learned, "words")
    (path,) = (empty_artifacts / "codebooks" / "words").glob(f"{array}-*.npy")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArtifactError, match="checksum"):
        codebook.open_codebook("words")


def test_an_unknown_codebook_names_those_there_are(empty_artifacts: Path) -> None:
    with pytest.raises(ArtifactError, match="codebooks here: none yet"):
        codebook.open_codebook("nothing")
