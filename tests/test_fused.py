"""Words and vectors in one ranking: named, joined, measured, taken apart, refused."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from engine import (
    cli,
    embed,
    embedding_search,
    explain,
    fused,
    images,
    index,
    methods,
    model_store,
    pipeline,
    runs,
)
from engine.errors import ArtifactError
from tests.test_embed import MODEL, add_model

BOTH = f"verified+{MODEL}"


@pytest.fixture
def embedded(scratch: Path, tmp_path: Path) -> index.Index:
    add_model(tmp_path)
    embed.make_embeddings("tiny", MODEL)
    return index.open_index("tiny")


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("verified+own", ("verified", "own", False)),
        ("tf-idf+vgg16-fc1+rank", ("tf-idf", "vgg16-fc1", True)),
        ("own+verified", None),
        ("verified+own+", None),
        ("verified+own+rank+rank", None),
        ("verified+own+score", None),
        ("verified+", None),
        ("verified+count", None),
        ("verified", None),
        ("own", None),
    ],
)
def test_names_of_fused_methods(name: str, made: tuple[object, ...] | None) -> None:
    assert methods.fused_of(name) == made
    assert not methods.is_embedding(name) or "+" not in name


@pytest.mark.parametrize("method", [BOTH, f"{BOTH}+rank", f"tf-idf+{MODEL}", f"expanded+{MODEL}"])
def test_a_fused_score_is_the_sum_of_both_parts(embedded: index.Index, method: str) -> None:
    if method.startswith("expanded"):
        from engine import graph

        graph.make_graph("tiny")
        embedded = index.open_index("tiny")
    image_id = embedded.find_image("china.jpg") or 0
    answer = pipeline.search_image(embedded, image_id, method, None)
    assert answer.method == method and answer.excluded == (image_id,)
    assert len(answer.ranking) == embedded.n_images - 1 == answer.n_images
    assert (np.diff(answer.ranking.scores) <= 0).all()
    made = answer.working.fused
    assert made is not None and made.parts.shape == (2, embedded.n_images)
    for one, score in zip(answer.ranking.image_ids.tolist(), answer.ranking.scores.tolist()):
        told = explain.explain(embedded, answer, one)
        assert [term.kind for term in told.terms] == ["words", "vectors"]
        assert told.total == pytest.approx(score, rel=1e-6, abs=1e-9)
    assert answer.accepts(0) is None
    first = pipeline.search_image(embedded, image_id, method, 3)
    assert first.ranking.image_ids.tolist() == answer.ranking.image_ids[:3].tolist()


def test_ranks_are_reciprocal(embedded: index.Index) -> None:
    words = pipeline.search_stored(embedded, 0, "count", None)
    vectors = embedding_search.search_image(embedded, 0, MODEL, None)
    both = pipeline.search_stored(embedded, 0, f"count+{MODEL}+rank", None)
    unplaced = words.ranking.image_ids[words.ranking.scores == 0].tolist()
    assert [embedded.images[i].path for i in unplaced] == ["flat.png"], "it has no words at all"
    for one, score in zip(both.ranking.image_ids.tolist(), both.ranking.scores):
        by = (vectors,) if one in unplaced else (words, vectors)
        places = [a.ranking.image_ids.tolist().index(one) + 1 for a in by]
        assert score == pytest.approx(sum(1 / (60 + place) for place in places))


def test_what_words_know_nothing_of_stands_in_the_vectors_order(embedded: index.Index) -> None:
    image_id = embedded.find_image("flat.png") or 0  # no keypoints at all
    vectors = embedding_search.search_image(embedded, image_id, MODEL, None)
    both = pipeline.search_image(embedded, image_id, BOTH, None)
    assert both.working.fused is not None and not both.working.fused.parts[0].any()
    assert both.ranking.image_ids.tolist() == vectors.ranking.image_ids.tolist()


def test_pictures_that_words_know_nothing_of_have_no_place_by_words(embedded: index.Index) -> None:
    """They stood in the order of their names, and counted by it."""
    image_id = embedded.find_image("china.jpg") or 0
    words = pipeline.search_image(embedded, image_id, "verified", None)
    before = words.working.listed
    assert before is not None
    lost = words.ranking.image_ids[-2:]
    scores = words.ranking.scores.copy()
    scores[-2:] = 0
    votes = np.where(np.isin(before.image_ids, lost), 0, 1).astype(np.float32)
    listed = dataclasses.replace(before, scores=votes)
    without = dataclasses.replace(
        words,
        ranking=dataclasses.replace(words.ranking, scores=scores),
        working=dataclasses.replace(words.working, listed=listed),
    )
    vectors = embedding_search.search_image(embedded, image_id, MODEL, None)
    made = fused.join(without, vectors, f"{BOTH}+rank", embedded.n_images, None).working.fused
    assert made is not None
    assert made.parts[0, lost].tolist() == [0, 0] and (made.parts[1, lost] > 0).all()
    others = np.setdiff1d(words.ranking.image_ids, lost)
    assert (made.parts[0, others] > 0).all()


def test_one_of_its_own_needs_no_model_and_one_from_outside_does(
    embedded: index.Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = tmp_path / "outside.png"
    images_of = images.read(embedded.root / "china.jpg").rgb
    from PIL import Image as Pillow

    Pillow.fromarray(images_of[5:, 5:]).save(outside)
    assert cli.main(["query", "tiny", str(outside), "--method", BOTH, "-k", "2"]) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith("china.jpg")
    model_store.remove(MODEL)
    assert cli.main(["query", "tiny", "china.jpg", "--method", BOTH]) == 0
    assert cli.main(["query", "tiny", str(outside), "--method", BOTH]) == 1
    assert "is not installed" in capsys.readouterr().err


def test_it_is_measured_and_climbs_the_ladder(
    embedded: index.Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = tmp_path / "gt.csv"
    lines = [f"{n}.jpg,turned/{n}.png,good" for n in ("china", "coffee", "rocket")]
    truth.write_text("\n".join(["query,relevant,label", *lines]) + "\n")
    argv = ["ladder", "tiny", str(truth), "--methods", f"verified,{MODEL},{BOTH},{BOTH}+rank"]
    assert cli.main([*argv, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == ["verified", MODEL, BOTH, f"{BOTH}+rank"]
    assert all(row["error"] is None and 0 < row["mAP"] <= 1 for row in rows)
    assert rows[2]["bytes_per_image"] == pytest.approx(
        rows[0]["bytes_per_image"] + rows[1]["bytes_per_image"]
    )
    assert rows[2]["build_cpu_seconds"] == rows[1]["build_cpu_seconds"]
    assert cli.main([*argv[:3], "--json", "--no-keep"]) == 0
    every = [row["name"] for row in json.loads(capsys.readouterr().out)]
    assert every == [*methods.METHODS, MODEL, BOTH, f"{BOTH}+rank"]
    kept = runs.open_run(rows[2]["run"])
    assert kept.parameters["fusion"] == "score" and "rerank" in kept.parameters
    assert f"embedding-{MODEL}" in kept.parameters["parts"]


def test_what_is_offered_and_what_is_refused(embedded: index.Index) -> None:
    assert methods.fused(embedded.parts) == [BOTH, f"{BOTH}+rank"]
    for method in methods.fused(embedded.parts):
        assert methods.check_method(method, embedded.parts) == method
        assert methods.lacking(method, embedded.parts) == ()
    with pytest.raises(ArtifactError, match="embed tiny --model vgg16-fc1"):
        pipeline.search_image(embedded, 0, "count+vgg16-fc1")
    with pytest.raises(ValueError, match=r"got 'dreams'"):
        pipeline.search_image(embedded, 0, "count+dreams")
    words = pipeline.search_stored(embedded, 0, "count", None)
    with pytest.raises(ValueError, match="is not made of"):
        fused.join(words, words, BOTH, embedded.n_images, None)
