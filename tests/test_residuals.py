"""Residuals add up, turn and compare as their slow twins do, and stand whole in an index."""

import dataclasses
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import (
    aggregate,
    artifacts,
    asmk,
    build,
    cli,
    codes,
    index,
    methods,
    pipeline,
    residuals,
    turns,
    upkeep,
    vlad,
)
from engine.asmk import AsmkParams
from engine.errors import ArtifactError
from engine.features import ExtractionParams
from engine.index import Index
from engine.residuals import ResidualParams, Residuals, WordSums
from engine.surf import SurfParams
from engine.turns import TurnParams
from tests import naive_residuals as naive
from tests.conftest import tiny_params
from tests.uncompiled import said, said_compiled_and_not

N_WORDS = 6
PARAMS = ResidualParams(n_dimensions=16)
EACH_TURN = TurnParams(n_turns=24, own=0.6, n_leading=2)

derandomized = settings(deadline=None, derandomize=True, max_examples=15)


def picture(random, n):
    """Words, signatures, angles and weights of a picture."""
    return (
        random.integers(0, N_WORDS, n).astype(np.int32),
        random.integers(0, 2**63, (n, 2)).astype(np.uint64) * 2,
        random.uniform(0, 360, n).astype(np.float32),
        random.uniform(0.1, 2, n).astype(np.float32),
    )


def basis(random):
    return np.linalg.qr(random.standard_normal((128, 16)))[0].astype(np.float32)


def collect(pictures: list[WordSums], seed: int = 0) -> Residuals:
    """Lay pictures down word by word."""
    rows = [
        (int(w), i, one.sums[j]) for i, one in enumerate(pictures) for j, w in enumerate(one.words)
    ]
    rows.sort(key=lambda row: row[:2])
    words = np.array([row[0] for row in rows], int)
    image_ids = np.array([row[1] for row in rows], np.int32)
    sums = np.array([row[2] for row in rows], np.float32).reshape(-1, 5, 16)
    vectors = np.clip(np.rint(residuals.dampen(sums, PARAMS) * 60), -127, 127).astype(np.int8)
    pieces = residuals.cut(vectors.astype(np.float32))
    centres = codes.learn(pieces, seed)
    coded = codes.encode(pieces, centres)
    decoded = centres[np.arange(len(centres)), coded]

    def lengths(squares):
        return np.sqrt(np.bincount(image_ids, squares, len(pictures))).astype(np.float32)

    return Residuals(
        params=PARAMS,
        basis=np.zeros((128, 16), np.float32),
        starts=np.searchsorted(words, np.arange(N_WORDS + 1)).astype(np.int64),
        image_ids=image_ids,
        vectors=vectors,
        vector_norms=lengths((vectors.astype(float) ** 2).sum((1, 2))),
        centres=centres,
        codes=coded,
        code_norms=lengths((decoded.astype(float) ** 2).sum((1, 2))),
        signs=residuals.pack_signs(sums),
        n_words=np.bincount(image_ids, minlength=len(pictures)).astype(np.int32),
    )


def some(seed: int, n_images: int, n: int = 12) -> tuple[Residuals, WordSums]:
    """A collection of random pictures and a query like its first, turned by 45 degrees."""
    random = np.random.default_rng(seed)
    axes = basis(random)
    pictures = [picture(random, int(random.integers(0, n + 1))) for _ in range(n_images)]
    words, bits, angles, weights = pictures[0]
    query = residuals.add_up(words, bits, angles - 45, weights, axes, 2)
    return collect([residuals.add_up(*p, axes, 2) for p in pictures]), query


def rows_of(collection: Residuals, image_id: int) -> dict[int, int]:
    words = np.repeat(np.arange(N_WORDS), np.diff(collection.starts))
    own = np.flatnonzero(collection.image_ids == image_id)
    return dict(zip(words[own].tolist(), own.tolist()))


def uncut(pieces: np.ndarray) -> np.ndarray:
    """Put the 16-dimensional pieces of one vector together again: (5, 16)."""
    vector = np.zeros((5, 16))
    vector[0] = pieces[0]
    for f in (1, 2):
        for j in range(2):
            cosines, sines = pieces[1 + 2 * (f - 1) + j].reshape(2, 8)
            vector[2 * f - 1, j::2], vector[2 * f, j::2] = cosines, sines
    return vector


def slow_scores(collection: Residuals, query: WordSums, form: str) -> list[list[float]]:
    """Compare picture by picture, turn by turn, word by word."""
    n_images = len(collection.n_words)
    scores = []
    for image_id in range(n_images):
        rows = rows_of(collection, image_id)
        if form == "codes":
            held = {
                w: uncut(np.array([c[k] for c, k in zip(collection.centres, collection.codes[r])]))
                for w, r in rows.items()
            }
        elif form == "vectors":
            held = {w: collection.vectors[r].astype(float) for w, r in rows.items()}
        else:
            held = {
                w: np.unpackbits(collection.signs[r], bitorder="little").reshape(5, 16) * 2.0 - 1
                for w, r in rows.items()
            }
        scores.append([])
        for turn in range(EACH_TURN.n_turns):
            total, squares = 0.0, 0.0
            for word, sums in zip(query.words.tolist(), query.sums.astype(float)):
                ours = sums if form == "signs" else naive.dampened(sums, 0.5, 0.5)
                squares += float((ours**2).sum())
                ours = naive.turned(ours, 15 * turn)
                if word not in held:
                    continue
                product = float((ours * held[word]).sum())
                if form == "signs":
                    length = float(np.sqrt((ours**2).sum() * (held[word] ** 2).sum()))
                    total += max(0.0, product / length) ** 2 if length else 0.0
                else:
                    total += product
            if form == "signs":
                norm = np.sqrt(len(query.words) * len(held))
            else:
                norm = np.sqrt(squares * sum(float((h**2).sum()) for h in held.values()))
            scores[-1].append(total / norm if norm else 0.0)
    return scores


@derandomized
@given(st.integers(0, 2**32), st.integers(0, 30), st.integers(0, 3))
def test_sums_equal_the_slow_twin(seed: int, n: int, n_frequencies: int) -> None:
    random = np.random.default_rng(seed)
    axes, one = basis(random), picture(random, n)
    found = residuals.add_up(*one, axes, n_frequencies)
    expected = naive.word_sums(*one, axes, n_frequencies)
    assert found.words.tolist() == sorted(expected)
    assert found.sums.shape == (len(expected), 2 * n_frequencies + 1, 16)
    for word, sums in zip(found.words.tolist(), found.sums):
        np.testing.assert_allclose(sums, expected[word], atol=1e-4)
    for sums, dampened in zip(found.sums, residuals.dampen(found.sums, PARAMS)):
        np.testing.assert_allclose(
            dampened, naive.dampened(sums.astype(float), 0.5, 0.5), atol=1e-4
        )


@derandomized
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_scores_equal_the_slow_twins(seed: int, n_images: int) -> None:
    collection, query = some(seed, n_images)
    expected = {
        form: naive.settled(slow_scores(collection, query, form), (), 0.6, 2)
        for form in ("vectors", "codes", "signs")
    }
    found = {
        "vectors": vlad.score_vectors(collection, query, (), EACH_TURN).scores,
        "codes": vlad.score_codes(collection, query, (), EACH_TURN).scores,
        "signs": asmk.score(collection, query, (), AsmkParams(turn=EACH_TURN)).scores,
    }
    for form, scores in found.items():
        np.testing.assert_allclose(scores, expected[form], atol=2e-4, err_msg=form)


@derandomized
@given(st.integers(0, 2**32), st.integers(0, 23))
def test_a_turned_picture_has_turned_sums(seed: int, turn: int) -> None:
    random = np.random.default_rng(seed)
    axes, (words, bits, angles, weights) = basis(random), picture(random, 20)
    upright = residuals.add_up(words, bits, angles, weights, axes, 2)
    turned = residuals.add_up(words, bits, angles + 15 * turn, weights, axes, 2)
    for ours, theirs in zip(upright.sums, turned.sums):
        np.testing.assert_allclose(naive.turned(ours.astype(float), 15 * turn), theirs, atol=1e-4)
    collection = collect([turned])
    for score in (vlad.score_vectors, vlad.score_codes):
        alone = score(collection, turned, (), EACH_TURN).scores
        found = score(collection, upright, (), EACH_TURN).scores
        np.testing.assert_allclose(found, alone, atol=1e-3)
    assert vlad.score_vectors(collection, upright, (), EACH_TURN).scores[0] > 0.99


def test_the_query_itself_does_not_decide_the_turn() -> None:
    upright = np.zeros((4, 24), np.float32)
    upright[0, 0] = 1.0  # the query in its own collection
    upright[1:, 6] = 0.3
    upright[1:, 0] = 0.1
    params = TurnParams(own=0.0, n_leading=2)
    settled = turns.settle(upright, (0,), params)
    np.testing.assert_allclose(settled.scores[1:], 0.3)
    assert settled.turns.tolist() == [6] * 4
    np.testing.assert_allclose(turns.settle(upright, (), params).scores[1:], 0.1)
    assert turns.settle(upright[:0], (), params).scores.shape == (0,)


def test_a_picture_that_follows_its_own_turn_tells_which_and_what_it_costs() -> None:
    scores = np.zeros((4, 24), np.float32)
    scores[:3, 6] = 0.3
    scores[3, 18] = 0.4
    settled = turns.settle(scores, (), TurnParams(own=0.5))
    assert settled.turns.tolist() == [6, 6, 6, 18]
    assert settled.parts.tolist() == [1, 1, 1, 0.5]
    np.testing.assert_allclose(settled.scores, [0.3, 0.3, 0.3, 0.2])


def test_product_codes_are_the_nearest_centres() -> None:
    random = np.random.default_rng(3)
    pieces = random.standard_normal((400, 3, 16)).astype(np.float32)
    centres = codes.learn(pieces, 0)
    assert centres.shape == (3, 50, 16)
    coded = codes.encode(pieces, centres)
    for row in range(0, 400, 57):
        for place in range(3):
            distances = ((pieces[row, place] - centres[place]) ** 2).sum(axis=1)
            assert distances[coded[row, place]] == pytest.approx(distances.min())
    table = codes.tables(pieces[:5], centres)
    assert table[4, 2, 7] == pytest.approx(float(pieces[4, 2] @ centres[2, 7]), abs=1e-5)
    assert codes.learn(pieces[:0], 0).shape == (3, 1, 16)
    np.testing.assert_array_equal(codes.learn(pieces, 0), centres)


def test_pieces_hold_each_number_once() -> None:
    vectors = np.arange(2 * 5 * 16, dtype=np.float32).reshape(2, 5, 16)
    for whole, pieces in zip(vectors, residuals.cut(vectors)):
        np.testing.assert_array_equal(uncut(pieces), whole)
    assert residuals.piece_frequencies(PARAMS).tolist() == [0, 1, 1, 2, 2]
    assert residuals.byte_frequencies(PARAMS).tolist() == [0, 0, 1, 1, 1, 1, 2, 2, 2, 2]


def test_uncompiled_it_gives_the_same() -> None:
    code = (
        "from tests import test_residuals as t; c, q = t.some(5, 4);"
        "print(*t.vlad.score_vectors(c, q).scores.round(5),"
        "*t.vlad.score_codes(c, q).scores.round(5), *t.asmk.score(c, q).scores.round(5))"
    )
    first, second = said_compiled_and_not(code)
    assert first == second
    assert len(first.split()) == 12


def test_a_query_of_another_making_is_refused() -> None:
    collection, query = some(7, 3)
    for score in (vlad.score_vectors, vlad.score_codes, asmk.score):
        with pytest.raises(ValueError, match="do not fit words"):
            score(collection, WordSums(query.words, query.sums[:, :3]))
        with pytest.raises(ValueError, match="words must be 0 to 5"):
            score(collection, WordSums(query.words + N_WORDS, query.sums))
        with pytest.raises(ValueError, match="words must be 0 to 5"):
            score(collection, WordSums(query.words - N_WORDS, query.sums))


def test_a_warmed_up_process_compiles_nothing_more(added: Index) -> None:
    code = """
from engine import index, pipeline
from engine.kernels import residuals as kernels
pipeline.warm_up()
opened = index.open_index("tiny")
for method in ("vlad", "vlad-codes", "asmk"):
    pipeline.search_stored(opened, 0, method)
found = [kernels.add_products, kernels.add_coded, kernels.select_signs]
assert [len(kernel.signatures) for kernel in found] == [1, 1, 1]
"""
    said(code, compiled=True)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: ResidualParams(n_dimensions=20), "multiple of 16"),
        (lambda: ResidualParams(n_frequencies=-1), "n_frequencies"),
        (lambda: ResidualParams(power=0), "powers"),
        (lambda: TurnParams(n_turns=0), "n_turns"),
        (lambda: TurnParams(own=2), "own must be from 0 to 1"),
        (lambda: AsmkParams(power=0), "power must be at least 1"),
        (lambda: AsmkParams(least=1), "least must be"),
    ],
)
def test_parameters_without_meaning_are_refused(make, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()


@pytest.fixture
def added(tiny: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """A copy of the tiny index with residuals."""
    shutil.copytree(tiny.folder, tmp_path / "indexes" / "tiny")
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(tmp_path))
    aggregate.make_residuals("tiny")
    return index.open_index("tiny")


@pytest.mark.parametrize("method", methods.AGGREGATED)
def test_a_photograph_finds_its_turned_view(added: Index, method: str) -> None:
    for name in ("astronaut", "chelsea", "china", "coffee"):
        image_id = added.find_image(f"{name}.jpg")
        assert image_id is not None
        answer = pipeline.search_image(added, image_id, method, None)
        assert added.images[answer.ranking.image_ids[0]].path == f"turned/{name}.png"
        assert answer.excluded == (image_id,)
        assert len(answer.ranking) == answer.n_images == added.n_images - 1
        scores = answer.ranking.scores
        assert 0 <= scores.min() <= scores.max() <= 1


@pytest.mark.parametrize("method", methods.AGGREGATED)
def test_what_is_stored_answers_as_the_file_does(
    added: Index, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_id = added.find_image("china.jpg") or 0
    by_file = pipeline.search_image(added, image_id, method, None)
    monkeypatch.setattr(Index, "picture_path", lambda self, i: Path("gone.jpg"))
    stored = pipeline.search_image(added, image_id, method, None)
    assert stored.ranking.image_ids[0] == by_file.ranking.image_ids[0]
    ours = dict(zip(stored.ranking.image_ids.tolist(), stored.ranking.scores.tolist()))
    for other, score in zip(by_file.ranking.image_ids.tolist(), by_file.ranking.scores.tolist()):
        assert ours[other] == pytest.approx(score, abs=0.02)


def test_a_picture_is_most_like_itself(added: Index) -> None:
    for method in methods.AGGREGATED:
        answer = pipeline.search_image(added, 1, method, None, exclude_self=False)
        assert answer.ranking.image_ids[0] == 1
    answer = pipeline.search_image(added, 1, "vlad", None, exclude_self=False)
    assert answer.ranking.scores[0] == pytest.approx(1, abs=0.01)


def test_threads_change_nothing(
    added: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for method in methods.AGGREGATED:
        one, two = (
            pipeline.search_stored(added, 0, method, None, n_threads=n).ranking.scores
            for n in (1, 2)
        )
        np.testing.assert_array_equal(one, two)
    again = tmp_path / "again"
    shutil.copytree(added.folder, again / "indexes" / "tiny")
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(again))
    aggregate.make_residuals("tiny", ResidualParams(seed=1))
    made = aggregate.make_residuals("tiny", n_threads=2)
    for field in dataclasses.fields(made):
        if field.name != "params":
            ours, theirs = getattr(made, field.name), added.parts["residuals"][field.name]
            np.testing.assert_array_equal(ours, theirs)


def test_rows_are_the_words_of_the_pictures(added: Index) -> None:
    kept = residuals.open_residuals(added)
    np.testing.assert_array_equal(np.diff(kept.starts), added.document_frequency)
    for word in range(added.n_words):
        held = kept.image_ids[kept.starts[word] : kept.starts[word + 1]]
        np.testing.assert_array_equal(held, np.flatnonzero(added.parts["words"]["counts"][:, word]))
    np.testing.assert_allclose(kept.basis.T @ kept.basis, np.eye(kept.basis.shape[1]), atol=1e-5)
    squares = (kept.vectors.astype(float) ** 2).sum((1, 2))
    norms = np.sqrt(np.bincount(kept.image_ids, squares, added.n_images))
    np.testing.assert_allclose(kept.vector_norms, norms, rtol=1e-5)
    decoded = kept.centres[np.arange(len(kept.centres)), kept.codes].astype(float)
    norms = np.sqrt(np.bincount(kept.image_ids, (decoded**2).sum((1, 2)), added.n_images))
    np.testing.assert_allclose(kept.code_norms, norms, rtol=1e-4)


def test_other_parts_stay_as_they_were(added: Index, tiny: Index) -> None:
    for part in tiny.manifest["parts"]:
        assert added.manifest["parts"][part] == tiny.manifest["parts"][part]
    assert upkeep.verify("tiny") == []
    assert not (artifacts.artifacts_folder() / "residuals").exists()


def test_nothing_is_made_twice(added: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aggregate, "_make", None)
    aggregate.make_residuals("tiny")


@pytest.mark.parametrize("at", ["start", "middle", "write"])
def test_a_run_that_is_stopped_leaves_the_index_as_it_was(
    added: Index, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(path.name for path in added.folder.iterdir())
    params = ResidualParams(n_dimensions=16)

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    def progress(done: int, total: int) -> None:
        if at == "middle" and done == 3:
            stop()

    with monkeypatch.context() as patch:
        if at == "start":
            patch.setattr(aggregate, "learn_basis", stop)
        if at == "write":
            patch.setattr(artifacts, "write_manifest", stop)
        with pytest.raises(KeyboardInterrupt):
            aggregate.make_residuals("tiny", params, progress=progress)
    assert index.open_index("tiny").manifest == added.manifest
    assert set(before) <= {path.name for path in added.folder.iterdir()}
    assert not (artifacts.artifacts_folder() / "residuals").exists()
    assert aggregate.make_residuals("tiny", params).params == params
    assert upkeep.verify("tiny") == []


def test_two_runs_at_once_are_refused(added: Index) -> None:
    params = ResidualParams(n_dimensions=16)

    def again(done: int, total: int) -> None:
        with pytest.raises(ArtifactError, match="is being written by process"):
            aggregate.make_residuals("tiny", params)

    aggregate.make_residuals("tiny", params, progress=again)


def test_an_index_replaced_meanwhile_keeps_its_new_state(
    added: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = iter("ab")
    digests = iter("ab")
    monkeypatch.setattr(upkeep, "digest", lambda *_: next(digests))
    with pytest.raises(ArtifactError, match="replaced meanwhile; make its residuals again"):
        aggregate.make_residuals("tiny", ResidualParams(n_dimensions=16))
    assert index.open_index("tiny").manifest == added.manifest


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("starts", lambda a: a[:-1], "residuals/starts has shape"),
        ("starts", lambda a: a[::-1].copy(), "into one piece a word"),
        ("image_ids", lambda a: a + 99, "images that are not there"),
        ("codes", lambda a: a + 200, "centres that are not there"),
        ("signs", lambda a: a[:, 1:], "residuals/signs has shape"),
        ("vector_norms", lambda a: a[1:], "residuals/vector_norms has shape"),
    ],
)
def test_residuals_that_do_not_fit_are_refused(added: Index, name: str, change, told: str) -> None:
    arrays = {key: np.asarray(array) for key, array in added.parts["residuals"].items()}
    upkeep.add_part("tiny", "residuals", {}, arrays | {name: change(arrays[name])})
    with pytest.raises(ArtifactError, match=told):
        index.open_index("tiny")


def test_residuals_of_another_making_name_the_command(added: Index) -> None:
    arrays = {key: np.asarray(array) for key, array in added.parts["residuals"].items()}
    upkeep.add_part("tiny", "residuals", {"shape": 3}, arrays)
    with pytest.raises(ArtifactError, match=r"do not fit.*python -m engine residuals tiny"):
        pipeline.search_image(index.open_index("tiny"), 0, "vlad")


@pytest.mark.parametrize("method", methods.AGGREGATED)
def test_without_residuals_the_command_that_makes_them_is_named(tiny: Index, method: str) -> None:
    with pytest.raises(ArtifactError, match="python -m engine residuals tiny"):
        pipeline.search_image(tiny, 0, method)
    assert method not in methods.available(tiny.parts)


def test_a_picture_without_keypoints_scores_nothing(added: Index) -> None:
    flat = added.find_image("flat.png")
    assert flat is not None
    for method in methods.AGGREGATED:
        answer = pipeline.search_image(added, flat, method, None)
        assert not answer.ranking.scores.any()
        assert answer.ranking.image_ids.tolist() == [i for i in range(added.n_images) if i != flat]
        other = pipeline.search_image(added, 0, method, None).ranking
        assert other.scores[other.image_ids.tolist().index(flat)] == 0


@pytest.mark.parametrize(
    "extraction",
    [
        ExtractionParams(kind="rootsift"),
        ExtractionParams(kind="root-surf"),
        ExtractionParams(SurfParams(extended=False)),
        ExtractionParams(SurfParams(upright=True)),
    ],
    ids=["rootsift", "root-surf", "short", "upright"],
)
def test_other_features_have_residuals_too(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extraction: ExtractionParams
) -> None:
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(tmp_path / "artifacts"))
    few = tmp_path / "few"
    few.mkdir()
    for name in ("china", "coffee", "chelsea"):
        shutil.copy(folder / f"{name}.jpg", few)
        shutil.copy(folder / f"{name}.jpg", few / f"{name}-again.jpg")
        os.truncate(few / f"{name}-again.jpg", (few / f"{name}.jpg").stat().st_size)
        with (few / f"{name}-again.jpg").open("ab") as file:
            file.write(b"\0")  # other bytes, the same pixels
    build.build(few, "other", tiny_params(extraction=extraction), n_workers=1)
    aggregate.make_residuals("other")
    opened = index.open_index("other")
    for method in methods.AGGREGATED:
        answer = pipeline.search_image(opened, opened.find_image("china.jpg") or 0, method)
        assert opened.images[answer.ranking.image_ids[0]].path == "china-again.jpg"


def test_the_commands_add_residuals_and_use_them(
    scratch: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["residuals", "tiny", "--json"]) == 0
    captured = capsys.readouterr()
    opened = index.open_index("tiny")
    n_rows = int(opened.document_frequency.sum())
    assert json.loads(captured.out) == {"index": "tiny", "n_rows": n_rows}
    assert "The collection is small" in captured.err
    assert cli.main(["query", "tiny", "china.jpg", "--method", "asmk", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["results"][0]["image"] == "turned/china.png"


def test_a_ladder_makes_the_residuals_that_it_lacks(
    scratch: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = tmp_path / "gt.csv"
    truth.write_text("query,relevant,label\nchina.jpg,turned/china.png,good\n")
    argv = ["ladder", "tiny", str(truth), "--methods", "tf-idf,vlad,vlad-codes,asmk", "--json"]
    assert cli.main(argv) == 0
    _, vectors, coded, selected = json.loads(capsys.readouterr().out)
    assert [rung["mAP"] for rung in (vectors, coded, selected)] == [1, 1, 1]
    assert coded["bytes_per_image"] < selected["bytes_per_image"] < vectors["bytes_per_image"]
