"""The ladder: every method in order, one against the next, and those that an index cannot do."""

import dataclasses
import json
from pathlib import Path

import pytest

from engine import (
    cli,
    evaluate,
    groundtruth,
    index,
    ladder,
    methods,
    pipeline,
    runs,
    statistics,
    upkeep,
)
from engine.errors import ArtifactError
from engine.index import Index

NAMES = ("china", "coffee", "rocket", "chelsea")


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    path = tmp_path / "gt.csv"
    lines = ["query,relevant,label", *(f"{n}.jpg,turned/{n}.png,good" for n in NAMES)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_each_rung_is_the_method_evaluated_and_compared(tiny: Index, truth: Path) -> None:
    queries = groundtruth.read(truth, tiny)
    rungs = ladder.climb(tiny, queries, methods.available(tiny.parts))
    assert [rung.name for rung in rungs] == methods.available(tiny.parts)
    below = None
    for rung in rungs:
        assert rung.evaluation is not None
        alone = evaluate.evaluate(tiny, queries, rung.name)
        values = rung.evaluation.values("average_precision")
        assert values == alone.values("average_precision")
        if below is None or rung.step is None:
            assert below is rung.step is None
        else:
            old = below.values("average_precision")
            assert rung.step.before == below.method
            assert rung.step.difference == pytest.approx((sum(values) - sum(old)) / len(NAMES))
            assert rung.step.interval == statistics.paired_interval(old, values)
        below = rung.evaluation


def test_bytes_are_those_of_what_a_method_reads(tiny: Index) -> None:
    def on_disk(*patterns: str) -> float:
        files = {path for pattern in patterns for path in tiny.folder.glob(pattern)}
        return sum(path.stat().st_size for path in files) / tiny.n_images

    vectors = on_disk("vectors-distances-*", "vectors-norms-*")
    assert ladder.bytes_per_image(tiny, "distance") == vectors
    matched = on_disk("keypoints-*", "words-*", "signatures-*")
    assert ladder.bytes_per_image(tiny, "verified") == matched > vectors


def test_a_rung_that_the_index_lacks_is_listed(
    tiny: Index, truth: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(methods, "METHODS", (*methods.METHODS, "dreams"))
    monkeypatch.setattr(methods, "READS", {**methods.READS, "dreams": ("words", "dreams")})
    monkeypatch.setattr(methods, "OPTIONAL", (*methods.OPTIONAL, "dreams"))
    queries = groundtruth.read(truth, tiny)
    first, lacking, last = ladder.climb(tiny, queries, ("count", "dreams", "tf-idf"))
    assert (lacking.evaluation, lacking.missing) == (None, ("dreams",))
    told = lacking.to_json()
    assert told["add"] == "python -m engine dreams tiny"
    assert "mAP" not in told
    assert last.step is not None
    assert last.step.before == first.name


def test_a_ladder_of_nothing_that_can_be_done(tiny: Index, truth: Path) -> None:
    queries = groundtruth.read(truth, tiny)
    parts = {part: arrays for part, arrays in tiny.parts.items() if part != "signatures"}
    (rung,) = ladder.climb(dataclasses.replace(tiny, parts=parts), queries, ("verified",))
    assert rung.missing == ("signatures",)
    assert rung.error is not None and "lacks signatures. Add it with: " in rung.error
    assert ladder.features_cpu_seconds([rung]) is None


def _fail(monkeypatch: pytest.MonkeyPatch, method: str, after: int = 0) -> None:
    """Let a method fail from a query on."""
    search, asked = pipeline.search_query, []

    def failing(index: Index, query: object, chosen: str, *rest: object, **more: object) -> object:
        asked.append(chosen)
        if chosen == method and asked.count(chosen) > after:
            raise ArtifactError(f"{method} is\n  broken | here")
        return search(index, query, chosen, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "search_query", failing)


@pytest.mark.parametrize("after", [0, 2])
def test_one_method_that_failed_ended_the_whole_ladder(
    tiny: Index, truth: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    queries = groundtruth.read(truth, tiny)
    chosen = ("count", "signatures", "verified")
    count, _, verified = ladder.climb(tiny, queries, chosen)
    _fail(monkeypatch, "signatures", after)
    told: list[tuple[int, int]] = []
    first, failed, last = ladder.climb(tiny, queries, chosen, lambda *p: told.append(p))
    assert failed.evaluation is failed.step is failed.bytes_per_image is None
    assert failed.error == "signatures is\n  broken | here"
    assert failed.to_json() == {
        "name": "signatures",
        "error": failed.error,
        "missing": (),
        "add": None,
    }
    assert last.error is None and last.evaluation is not None and first.evaluation is not None
    assert [r.query for r in last.evaluation.results] == [q.name for q in queries]
    for now, before in ((first, count), (last, verified)):
        assert now.evaluation is not None and before.evaluation is not None
        values = before.evaluation.values("average_precision")
        assert now.evaluation.values("average_precision") == values
    assert last.step is not None and last.step.before == "count", "the last that was measured"
    gain = last.evaluation.mean("average_precision") - first.evaluation.mean("average_precision")
    assert last.step.difference == pytest.approx(gain)
    assert told[-1] == (len(queries), len(queries))
    with pytest.raises(ArtifactError, match="broken"):
        evaluate.evaluate(tiny, queries, "signatures")


def test_the_command_tells_what_failed_in_its_row_and_at_the_end(
    scratch: Path, truth: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _fail(monkeypatch, "signatures")
    argv = ["ladder", "tiny", str(truth), "--methods", "count,signatures,verified"]
    assert cli.main([*argv, "--json"]) == 1
    printed = capsys.readouterr()
    count, failed, verified = json.loads(printed.out)
    assert (failed["name"], failed["error"]) == ("signatures", "signatures is\n  broken | here")
    assert failed["run"] is None and "mAP" not in failed
    assert count["error"] is verified["error"] is None
    assert verified["step"]["before"] == "count"
    assert [count["run"], verified["run"]] == runs.list_runs()
    closing = "Error: 1 of 3 methods could not be measured: signatures"
    assert printed.err.splitlines()[-1] == closing

    assert cli.main([*argv, "--no-keep"]) == 1
    printed = capsys.readouterr()
    lines = [line for line in printed.out.splitlines() if line.startswith("|")]
    assert [line.split()[1] for line in lines[2:]] == ["count", "signatures", "verified"]
    assert lines[3].startswith("| signatures | signatures is broken / here  ")
    assert len({len(line) for line in lines}) == 1
    assert printed.err.splitlines()[-1] == closing
    assert len(runs.list_runs()) == 2

    assert cli.main([*argv[:3], "--methods", "signatures"]) == 1
    assert "| signatures | signatures is broken" in capsys.readouterr().out


def test_a_part_that_cannot_be_made_ended_the_whole_ladder(
    scratch: Path, truth: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["ladder", "tiny", str(truth), "--methods", "verified,expanded,asmk,count", "--json"]
    with upkeep.making("tiny", "graph"):
        assert cli.main(argv) == 1
    printed = capsys.readouterr()
    _, expanded, asmk, count = json.loads(printed.out)
    assert expanded["error"].startswith("its graph cannot be made: ")
    assert "is being written by process" in expanded["error"]
    assert expanded["missing"] == ["graph"] and expanded["add"] == "python -m engine graph tiny"
    assert asmk["step"]["before"] == "verified"
    assert count["step"]["before"] == "asmk", "residuals were made all the same"
    assert printed.err.splitlines()[-1].endswith("1 of 4 methods could not be measured: expanded")
    assert cli.main(argv) == 0
    assert json.loads(capsys.readouterr().out)[1]["error"] is None


def test_a_run_that_cannot_be_kept_lost_the_figures_of_all(
    scratch: Path, truth: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise ArtifactError("no space is left")

    monkeypatch.setattr(runs, "keep", full)
    argv = ["ladder", "tiny", str(truth), "--methods", "count,tf-idf"]
    assert cli.main([*argv, "--json"]) == 1
    printed = capsys.readouterr()
    rows = json.loads(printed.out)
    assert all("mAP" in row and row["run"] is None for row in rows)
    assert [row["error"] for row in rows] == ["no space is left"] * 2
    closing = "Error: 2 of 2 methods measured, but could not be kept: count, tf-idf"
    assert printed.err.splitlines()[-1] == closing
    assert cli.main(argv) == 1
    assert "tf-idf: no space is left" in capsys.readouterr().out


def test_a_ladder_makes_the_graph_that_it_lacks(
    scratch: Path, truth: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "graph" not in index.open_index("tiny").parts
    argv = ["ladder", "tiny", str(truth), "--methods", "verified,expanded", "--json"]
    assert cli.main(argv) == 0
    verified, expanded = json.loads(capsys.readouterr().out)
    assert "graph" in index.open_index("tiny").parts
    assert expanded["step"]["before"] == "verified"
    assert expanded["bytes_per_image"] > verified["bytes_per_image"]
    assert expanded["build_cpu_seconds"] > verified["build_cpu_seconds"] > 0
    assert "expand" in runs.open_run(expanded["run"]).parameters


def test_what_building_cost_is_told_where_it_is_known(tiny: Index) -> None:
    costs = tiny.manifest["cpu_seconds"]
    assert ladder.build_cpu_seconds(tiny, "verified") == costs["build"] > 0
    assert ladder.build_cpu_seconds(tiny, "expanded") is None, "it has no graph"
    both = dataclasses.replace(tiny, manifest={"cpu_seconds": {"build": 2.0, "graph": 3.0}})
    assert ladder.build_cpu_seconds(both, "expanded") == 5
    assert ladder.build_cpu_seconds(both, "distance") == 2
    assert ladder.build_cpu_seconds(dataclasses.replace(tiny, manifest={}), "distance") is None


def test_parameters_can_be_set(
    scratch: Path, truth: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["ladder", "tiny", str(truth), "--methods", "verified", "--json"]
    for setting in ((), ("--set", "rerank.n_images=1", "--set", "shortlist.n_words=1")):
        assert cli.main([*argv, *setting]) == 0
    all_, one = (runs.open_run(name) for name in runs.list_runs())
    assert (all_.settings, one.settings) == ((), ("shortlist.n_words=1", "rerank.n_images=1"))
    assert one.parameters["rerank"]["n_images"] == 1
    assert all(len([r for r in q.ranked if r.score > 0]) <= 1 for q in one.evaluation.results)
    assert any(len([r for r in q.ranked if r.score > 0]) > 1 for q in all_.evaluation.results)
    capsys.readouterr()
    assert cli.main(["compare", all_.name, one.name]) == 0
    note = capsys.readouterr().err
    assert "the parameters differ (the usual; shortlist.n_words=1, rerank.n_images=1)" in note
    assert cli.main(["runs"]) == 0
    assert "rerank.n_images=1" in capsys.readouterr().out
    assert cli.main([*argv, "--set", "rerank.images=1"]) == 1
    assert "rerank.n_images" in capsys.readouterr().err
    assert len(runs.list_runs()) == 2
    assert cli.main(["evaluate", "tiny", str(truth), "--method", "count", *setting]) == 0
    assert runs.open_run(runs.list_runs()[-1]).settings == (), "counts have no short list"


def test_the_command_prints_and_keeps(
    scratch: Path, truth: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["ladder", "tiny", str(truth), "--methods", "count,verified"]
    assert cli.main([*argv, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert all(rung["index"] == "tiny" for rung in told)
    assert [rung["name"] for rung in told] == ["count", "verified"]
    assert {"mAP", "P@1", "P@4", "top4_all_right", "mAP_interval", "step"} <= set(told[1])
    assert told[0]["features_cpu_seconds"] > 0
    assert [rung["run"] for rung in told] == runs.list_runs()
    names = [rung["run"] for rung in told]
    assert cli.main(["compare", *names, "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)
    assert compared["interval"] == told[1]["step"]["interval"], "one seed, one order"
    assert cli.main([*argv, "--no-keep"]) == 0
    table = capsys.readouterr().out
    assert len({len(line) for line in table.splitlines() if line.startswith("|")}) == 1
    assert len(runs.list_runs()) == 2
