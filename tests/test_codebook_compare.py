"""Two vocabularies are matched word by word as by hand, and measured on one sample."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from engine import build, codebook, codebook_compare, index, word_sample
from engine.codebook import Codebook, CodebookParams
from engine.errors import ArtifactError
from engine.features import ExtractionParams
from engine.index import Index
from engine.surf import SurfParams
from tests import naive_words as naive
from tests.conftest import tiny_params


def points(n: int, seed: int = 0, n_dimensions: int = 128) -> np.ndarray:
    found = np.random.default_rng(seed).standard_normal((n, n_dimensions)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def vocabulary(n_words: int, seed: int = 0, **changes: object) -> Codebook:
    params = CodebookParams(n_words, n_samples=400, n_iterations=5, seed=seed)
    n_dimensions = 128 if changes.get("extraction", ExtractionParams()).surf.extended else 64  # type: ignore[attr-defined]
    learned = codebook.train(points(400, 9, n_dimensions), params, ExtractionParams(), 1)
    return dataclasses.replace(learned, **changes)


def test_counterparts_are_each_others_nearest() -> None:
    a, b = vocabulary(7), vocabulary(12, seed=3)
    found = codebook_compare.compare(a, b)
    to_b, apart = naive.nearest(a.centres, b.centres)
    to_a, _ = naive.nearest(b.centres, a.centres)
    assert found.a.nearest.tolist() == to_b
    assert found.a.distances == pytest.approx(apart, rel=1e-6)
    assert found.a.mutual.tolist() == [to_a[to_b[w]] == w for w in range(7)]
    assert found.a.n_claims.tolist() == [to_a.count(w) for w in range(7)]
    assert found.b.n_claims.tolist() == [to_b.count(w) for w in range(12)]
    assert found.a.split.tolist() == [w for w in range(7) if to_a.count(w) > 1]
    pairs = [(w, to_b[w]) for w in range(7) if to_a[to_b[w]] == w]
    assert found.pairs.tolist() == [list(pair) for pair in sorted(pairs, key=lambda p: apart[p[0]])]
    assert (found.measured_a, found.measured_b, found.agreement) == (None, None, None)


def test_a_vocabulary_is_its_own_counterpart() -> None:
    a = vocabulary(9)
    found = codebook_compare.compare(a, a, points(300))
    assert found.a.nearest.tolist() == list(range(9))
    assert found.a.mutual.all() and not found.a.distances.any() and not len(found.a.split)
    assert found.agreement == pytest.approx(1.0)
    assert found.measured_a == found.measured_b


def test_a_word_cut_in_two_is_told_as_split() -> None:
    a = vocabulary(5)
    moved = np.float32(0.01) * points(1)[0]
    cut = np.concatenate([a.centres[:4], a.centres[4:] + moved, a.centres[4:] - moved])
    found = codebook_compare.compare(a, dataclasses.replace(a, centres=cut))
    assert found.a.split.tolist() == [4] and not len(found.b.split)
    assert found.a.n_claims.tolist() == [1, 1, 1, 1, 2]


def test_a_sample_measures_both() -> None:
    a, b, sample = vocabulary(4), vocabulary(15, seed=1), points(300)
    found = codebook_compare.compare(a, b, sample)
    for measured, words in ((found.measured_a, a), (found.measured_b, b)):
        ids, apart = naive.nearest(sample, words.centres)
        assert measured is not None
        assert measured.distortion == pytest.approx(np.mean(np.square(apart)), rel=1e-6)
        shares = np.bincount(ids, minlength=words.n_words) / len(ids)
        told = -sum(p * np.log2(p) for p in shares if p)
        assert measured.usage.entropy == pytest.approx(told)
        assert measured.usage.n_dead == (shares == 0).sum()
        assert 0 <= measured.usage.evenness <= 1
    assert found.measured_a and found.measured_b and found.agreement is not None
    assert found.measured_b.distortion < found.measured_a.distortion
    assert found.agreement < 1


def test_dead_words_are_counted() -> None:
    told = codebook_compare.usage_of(np.array([4, 0, 4, 0]))
    assert (told.n_dead, told.dead_share, told.entropy, told.evenness) == (2, 0.5, 1.0, 0.5)


def test_words_of_other_features_are_refused() -> None:
    a = vocabulary(4)
    b = dataclasses.replace(a, extraction=ExtractionParams(kind="rootsift"))
    with pytest.raises(ArtifactError, match=r"'one' holds words of SURF, 'two' of .*SIFT"):
        codebook_compare.compare(a, b, names=("one", "two"))
    short = ExtractionParams(SurfParams(extended=False))
    with pytest.raises(ArtifactError, match=r"128 dimensions, those of 'B' 64"):
        codebook_compare.compare(a, vocabulary(4, extraction=short))


def test_a_sample_is_drawn_from_what_is_kept_or_from_the_pictures(
    scratch: Path, folder: Path
) -> None:
    opened = index.open_index("tiny")
    drawn = word_sample.sample(opened, 200, seed=1)
    assert drawn.shape == (200, 128) and drawn.dtype == np.float32
    assert drawn.tobytes() == word_sample.sample(opened, 200, seed=1).tobytes()
    kept = build.build(
        folder, "kept", tiny_params(codebook_name="tiny", keep_descriptors=True), n_workers=1
    )
    rows = {row.tobytes() for row in kept.parts["descriptors"]["descriptors"]}
    assert all(row.tobytes() in rows for row in drawn)
    assert all(row.tobytes() in rows for row in word_sample.sample(kept, 100))


def test_pictures_that_are_gone_are_told(tiny: Index, tmp_path: Path) -> None:
    gone = dataclasses.replace(tiny, root=tmp_path / "gone")
    with pytest.raises(ArtifactError, match=r"keeps no descriptors.*--keep-descriptors"):
        word_sample.sample(gone)
