"""The command explain: why a picture stands where it does, for people and for programs."""

import dataclasses
import json
import re

import numpy as np
import pytest

from engine import account, cli, explain, methods, pipeline
from engine.explanation import LIMIT, Term
from engine.index import Index

ROUNDING = 1e-6


def _run(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert cli.main(["explain", "tiny", *argv]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("method", methods.METHODS)
def test_lines_of_the_sum_add_up_under_every_method(
    full: Index, capsys: pytest.CaptureFixture[str], method: str
) -> None:
    told = _run(capsys, "china.jpg", "turned/china.png", "--method", method)
    assert re.match(r"turned/china\.png: place [12] of 12, score [0-9.]+, by ", told)
    lines = told.partition("the sum\n")[2].splitlines()
    *parts, last = [float(line.split()[0]) for line in lines]
    assert sum(parts) == pytest.approx(last, abs=0.001 * len(parts))
    assert lines[-1].endswith(f"all parts together; the score is {lines[-1].split()[0]}")
    if method in methods.VECTORS or method in methods.AGGREGATED:
        assert "words that both pictures hold" in told and "\nmatches" not in told
    else:
        assert "matches that count" in told and "\nmatches\n" in told


@pytest.mark.parametrize("method", methods.METHODS)
def test_parts_in_words_are_the_parts(full: Index, method: str) -> None:
    answer = pipeline.search_image(full, 0, method, None)
    query_words = full.words(0).word_ids
    for image_id in answer.ranking.image_ids.tolist():
        explained = explain.explain(full, answer, image_id)
        parts = account.parts(full, explained)
        total = sum(part.value for part in parts)
        assert total == pytest.approx(explained.score, rel=ROUNDING, abs=ROUNDING)
        lines, others = account.words(full, explained, query_words, 3)
        added = sum(line.value for line in lines) + (others.value if others else 0.0)
        without_place = sum(term.value for term in explained.terms)
        assert added + without_place == pytest.approx(explained.score, rel=ROUNDING, abs=ROUNDING)
        if explained.matches is not None:
            told = [n for n, _ in account.fates(explained)]
            assert sum(told) == len(explained.matches)
        assert account.made(answer, explained).endswith(".")
        assert account.meaning(full, answer, image_id).endswith(".")


@pytest.mark.parametrize("method", ["distance", "vlad", "signatures", "verified", "expanded"])
def test_json_adds_up_and_names_the_query(
    full: Index, capsys: pytest.CaptureFixture[str], method: str
) -> None:
    picture = str(full.root / "coffee.jpg")
    told = json.loads(_run(capsys, picture, "2", "--method", method, "--json"))
    assert told["query"] == picture and told["method"] == method and told["rank"] == 2
    parts = (told["matches"] if told["matches"] is not None else told["words"]) + told["parts"]
    total = sum(part["value"] for part in parts)
    assert total == pytest.approx(told["score"], rel=ROUNDING, abs=ROUNDING)
    assert told["total"] == pytest.approx(told["score"], rel=ROUNDING, abs=ROUNDING)


def test_a_place_a_path_and_nothing_name_the_same_result(
    full: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    first = _run(capsys, "china.jpg")
    assert first == _run(capsys, "china.jpg", "1") == _run(capsys, "china.jpg", "turned/china.png")
    from_file = _run(capsys, str(full.root / "china.jpg"))
    assert from_file.splitlines()[1:] == first.splitlines()[1:]


def test_a_verified_score_is_told_with_factors_and_map(
    full: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    told = _run(capsys, "china.jpg")
    assert "It shows the same thing" in told
    formula = re.search(r"√\(([0-9.]+) × ([0-9]+) × ([0-9.]+)\) = ([0-9.]+):", told)
    assert formula is not None
    weight, cells, fraction, said = map(float, formula.groups())
    score = float(re.findall(r"score ([0-9.]+),", told)[0])
    assert (weight * cells * fraction) ** 0.5 == pytest.approx(score, rel=0.005)
    assert said == pytest.approx(score, abs=0.006)
    assert "By the map that its matches agree on, it is turned 30° anticlockwise in the" in told
    assert "agree on one map of the picture, and count" in told


def test_without_keypoints_nothing_adds_up_to_nothing(
    full: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    for method in ("verified", "distance", "asmk", "signatures"):
        told = _run(capsys, "flat.png", "--method", method)
        assert "all parts together; the score is 0.000" in told
        assert "words that add most" not in told


def test_a_query_whose_file_is_gone_is_explained_from_what_is_stored(
    full: Index, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "describe_image", lambda *_: None)
    told = json.loads(_run(capsys, "china.jpg", "--method", "verified", "--json"))
    query = full.find_image("china.jpg")
    assert query is not None
    stored = pipeline.search_stored(full, query, "verified", None)
    assert told["score"] == stored.ranking.scores[0]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["china.jpg", "china.jpg"], "china.jpg has no place in the ranking: this answer"),
        (["china.jpg", "none.jpg"], "the index 'tiny' has no picture 'none.jpg'"),
        (["china.jpg", "13"], "from 1 to 12"),
        (["china.jpg", "0"], "from 1 to 12"),
        (["china.jpg", "²"], "has no picture '²'"),
        (["none.jpg", "1"], "none.jpg cannot be read"),
    ],
)
def test_what_cannot_be_explained_is_said(
    full: Index, capsys: pytest.CaptureFixture[str], argv: list[str], message: str
) -> None:
    assert cli.main(["explain", "tiny", *argv]) == 1
    read = capsys.readouterr()
    assert read.out == "" and message in read.err and "Traceback" not in read.err


def test_many_ways_end_in_one_line(full: Index) -> None:
    answer = pipeline.search_image(full, 0, "averaged", None)
    explained = explain.explain(full, answer, int(answer.ranking.image_ids[0]))
    ways = tuple(Term("way", 1.0, (i % 13, explained.image_id)) for i in range(20))
    many = dataclasses.replace(explained, terms=(*ways, Term(LIMIT, -2.0)))
    parts = account.parts(full, many)
    assert len(parts) == 1 + account.N_WAYS + 2
    assert parts[-2].told == "8 more pictures that the query matches" and parts[-2].value == 8
    assert np.isclose(sum(part.value for part in parts), many.total)
    assert "Added to that" in account.made(answer, many)
