"""Kept runs: what is written is read again, damage and versions are said, runs are compared."""

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import artifacts, cli, compare, evaluate, groundtruth, index, measures, runs
from engine.errors import ArtifactError, GroundTruthError
from engine.evaluate import Evaluation, QueryResult
from engine.runs import Run
from tests.golden.runs.make import COUNTED, RUN

NAMES = ("china", "coffee", "rocket")


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    path = tmp_path / "gt.csv"
    lines = ["query,relevant,label", *(f"{n}.jpg,turned/{n}.png,good" for n in NAMES)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def kept(scratch: Path, truth: Path) -> Run:
    tiny = index.open_index("tiny")
    measured = evaluate.evaluate(tiny, groundtruth.read(truth, tiny), "count")
    return runs.keep(tiny, measured, truth)


def test_a_run_is_read_as_it_was_kept(kept: Run) -> None:
    opened = runs.open_run(kept.name)
    assert opened.evaluation == kept.evaluation
    assert opened.summary() == kept.summary()
    assert opened.paths == kept.paths
    assert kept.name.startswith("tiny-count-")
    assert runs.list_runs() == [kept.name]
    assert opened.groundtruth == "gt.csv"
    assert opened.catalogue and opened.index_stamp == index.stamp("tiny")
    assert opened.versions == artifacts.library_versions()


def test_curves_and_labels_follow_from_a_run_alone(kept: Run) -> None:
    for result in runs.open_run(kept.name).evaluation.results:
        curve = measures.precision_recall(result.right_ranks, result.n_positives)
        assert curve.recall[-1] == 1.0, "every picture was ranked"
        right = [kept.paths[r.image_id] for r in result.ranked if r.label == "right"]
        assert right == [f"turned/{result.query.removesuffix('.jpg')}.png"]


def test_runs_of_the_same_second_get_names_of_their_own(kept: Run, truth: Path) -> None:
    tiny = index.open_index("tiny")
    with ThreadPoolExecutor(4) as pool:
        more = list(pool.map(lambda _: runs.keep(tiny, kept.evaluation, truth).name, range(8)))
    assert len({*more, kept.name}) == 9
    assert set(runs.list_runs()) == {*more, kept.name}
    left = [p.name for p in runs.runs_folder().iterdir() if p.suffix != ".json"]
    assert left == [".lock"]


def test_a_long_index_name_is_shortened(kept: Run, truth: Path) -> None:
    tiny = dataclasses.replace(index.open_index("tiny"), name="a" * 64)
    long = dataclasses.replace(kept.evaluation, index=tiny.name, method="squared-distance")
    name = runs.keep(tiny, long, truth).name
    assert len(name) == 64
    assert runs.open_run(name).evaluation.index == "a" * 64


def test_a_run_that_cannot_be_written_is_no_run(
    kept: Run, truth: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(artifacts, "write_bytes", full)
    with pytest.raises(ArtifactError, match=r"cannot be kept in .*runs.*No space left"):
        runs.keep(index.open_index("tiny"), kept.evaluation, truth)
    assert runs.list_runs() == [kept.name]
    truth.unlink()
    with pytest.raises(GroundTruthError, match="cannot be read"):
        runs.keep(index.open_index("tiny"), kept.evaluation, truth)


def _change(name: str, sign: bool = True, **changes: object) -> None:
    path = runs.runs_folder() / f"{name}.json"
    held = json.loads(path.read_text()) | changes
    if sign:
        held["sha256"] = artifacts.manifest_digest(held)
    path.write_text(json.dumps(held))


@pytest.mark.parametrize(
    ("sign", "changes", "message"),
    [
        (True, {"schema_version": 9}, "has schema version 9, this program reads 1, 2 and 3"),
        (True, {"kind": "index"}, "does not describe a run"),
        (False, {"groundtruth": "other.csv"}, "damaged: its checksum does not fit"),
        (True, {"evaluation": {}}, "does not hold a whole run"),
        (True, {"more": 1}, "does not hold a whole run"),
        (True, {"paths": []}, "does not hold a whole run"),
    ],
)
def test_a_run_that_is_not_one_is_said(
    kept: Run, sign: bool, changes: dict[str, object], message: str
) -> None:
    _change(kept.name, sign, **changes)
    with pytest.raises(ArtifactError, match=message) as caught:
        runs.open_run(kept.name)
    assert f"runs --delete {kept.name}" in str(caught.value)


def test_half_a_file_is_said_and_deleted(kept: Run, capsys: pytest.CaptureFixture[str]) -> None:
    path = runs.runs_folder() / f"{kept.name}.json"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ArtifactError, match="cannot be read"):
        runs.open_run(kept.name)
    assert cli.main(["runs"]) == 0
    assert "cannot be read" in capsys.readouterr().out
    assert cli.main(["runs", "--delete", kept.name]) == 0
    assert runs.list_runs() == []
    with pytest.raises(ArtifactError, match="there is no run"):
        runs.open_run(kept.name)


def _golden(version: int) -> bytes:
    written = (Path(__file__).parent / "golden" / "runs" / f"run_v{version}.json").read_bytes()
    runs.runs_folder().mkdir(parents=True)
    name = json.loads(written)["name"]
    (runs.runs_folder() / f"{name}.json").write_bytes(written)
    return written


def test_a_run_of_schema_1_is_read(empty_artifacts: Path) -> None:
    _golden(1)
    (result,) = COUNTED.evaluation.results
    before = Evaluation("tiny", "count", (dataclasses.replace(result, right_ids=()),))
    assert runs.open_run(COUNTED.name) == dataclasses.replace(COUNTED, evaluation=before)


def test_a_run_of_schema_2_is_read_and_does_not_tell_what_was_accepted(
    empty_artifacts: Path,
) -> None:
    _golden(2)
    opened = runs.open_run(COUNTED.name)
    assert opened == COUNTED
    assert opened.summary()["accepted"] is None
    assert all(place.accepted is None for place in opened.evaluation.results[0].ranked)


def test_a_run_of_the_present_schema_is_read(empty_artifacts: Path) -> None:
    written = _golden(runs.SCHEMA_VERSION)
    assert runs.open_run(RUN.name) == RUN
    assert runs.to_bytes(RUN) == written, "the form of a run has changed: raise SCHEMA_VERSION"
    (result,) = RUN.evaluation.results
    area = measures.average_precision_of(result.right_ranks, result.n_positives)
    assert area == result.average_precision
    assert RUN.summary()["accepted"] == {
        "direct": {"right": 0, "wrong": 1, "junk": 0},
        "added": {"right": 0, "wrong": 0, "junk": 1},
        "n_queries_without": 0,
        "n_positives": 1,
    }


def test_files_that_are_no_runs_are_passed_over(kept: Run) -> None:
    (runs.runs_folder() / ".half.json").write_text("{")
    (runs.runs_folder() / "a b.json").write_text("{")
    assert runs.list_runs() == [kept.name]


def test_no_folder_is_no_runs(empty_artifacts: Path) -> None:
    assert runs.list_runs() == []


def _with(run: Run, name: str, values: dict[str, float], **changes: object) -> Run:
    results = tuple(
        QueryResult(query, query[0], value, 0.0, 0.0, None, 1, ())
        for query, value in values.items()
    )
    evaluation = Evaluation("tiny", "count", results)
    return dataclasses.replace(run, name=name, evaluation=evaluation, **changes)  # type: ignore[arg-type]


@pytest.fixture
def bare() -> Run:
    return Run("", "", "", "c", "gt.csv", "0", {"codebook_digest": "d"}, {}, {}, None)  # type: ignore[arg-type]


def test_a_comparison_sorts_by_what_changed(bare: Run) -> None:
    before = _with(bare, "old", {"a1": 0.5, "a2": 0.5, "b1": 0.5, "c1": 0.2})
    after = _with(bare, "new", {"c1": 0.2, "b1": 0.1, "a2": 0.6, "a1": 0.9})
    found = compare.compare(before, after)
    assert [q.query for q in found.queries] == ["a1", "a2", "c1", "b1"]
    assert found.count() == (2, 1, 1)
    assert found.difference == pytest.approx(0.025)
    assert found.interval[0] < 0.025 < found.interval[1]
    assert found.interval_landmarks[0] < 0.025 < found.interval_landmarks[1]
    assert found.notes == ()


def test_other_queries_and_ground_truths_are_said(bare: Run) -> None:
    before = _with(bare, "old", {"a1": 0.5, "a2": 0.5})
    after = _with(
        bare, "new", {"a2": 0.75, "b": 0.1}, groundtruth="more.csv", groundtruth_sha256="1"
    )
    found = compare.compare(before, after)
    assert [(q.query, q.difference) for q in found.queries] == [("a2", 0.25)]
    assert found.interval == (0.25, 0.25)
    assert found.notes[0] == "compared on queries in common: 1, of 2 and 2"
    assert "the ground truths differ (gt.csv, more.csv)" in found.notes[1]
    with pytest.raises(ArtifactError, match=r"'old' .* and 'other' .* no query in common"):
        compare.compare(before, _with(bare, "other", {"z": 1.0}))


def test_other_collections_words_and_versions_are_said(bare: Run) -> None:
    before = _with(bare, "old", {"a": 0.5})
    words = _with(bare, "new", {"a": 0.5}, parameters={"codebook_digest": "e"}, versions={"x": "1"})
    assert compare.compare(before, words).notes == (
        "the visual words differ",
        "the library versions differ",
    )
    (note,) = compare.compare(before, _with(bare, "new", {"a": 0.5}, catalogue="other")).notes
    assert "the collections differ" in note


@given(
    values=st.dictionaries(
        st.text("abc", min_size=1, max_size=3),
        st.tuples(st.floats(0, 1), st.floats(0, 1)),
        min_size=1,
    )
)
def test_comparing_the_other_way_round_turns_every_sign(
    values: dict[str, tuple[float, float]],
) -> None:
    run = Run("", "", "", "", "", "", {"codebook_digest": ""}, {}, {}, None)  # type: ignore[arg-type]
    old = _with(run, "old", {q: v[0] for q, v in values.items()})
    new = _with(run, "new", {q: v[1] for q, v in values.items()})
    there, back = compare.compare(old, new), compare.compare(new, old)
    assert there.difference == pytest.approx(-back.difference, abs=1e-12)
    better, worse, same = there.count()
    assert back.count() == (worse, better, same)
    assert compare.compare(old, old).interval == (0.0, 0.0)


def test_the_commands_keep_list_and_compare(
    scratch: Path, truth: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*argv: str) -> dict[str, object]:
        assert cli.main([*argv, "--json"]) == 0
        captured = capsys.readouterr()
        told: dict[str, object] = json.loads(captured.out)
        return told | {"err": captured.err}

    first = run("evaluate", "tiny", str(truth), "--method", "count")
    assert f"Kept as the run {first['run']}" in str(first["err"])
    second = run("evaluate", "tiny", str(truth), "--method", "verified")
    assert "run" not in run("evaluate", "tiny", str(truth), "--method", "count", "--no-keep")
    listed = run("runs")["runs"]
    assert [row["name"] for row in listed] == [first["run"], second["run"]]  # type: ignore[attr-defined]
    compared = run("compare", str(first["run"]), str(second["run"]))
    assert compared["n_queries"] == 3
    assert compared["difference"] == pytest.approx(second["mAP"] - first["mAP"])  # type: ignore[operator]
    assert cli.main(["compare", str(first["run"]), str(second["run"])]) == 0
    assert "95 %" in capsys.readouterr().out
    assert cli.main(["runs"]) == 0
    assert str(second["run"]) in capsys.readouterr().out


def test_a_run_that_cannot_be_deleted_is_said(kept: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(ArtifactError, match=r"\.json cannot be deleted: Permission denied"):
        runs.delete_run(kept.name)
