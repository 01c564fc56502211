"""The command line as it is called: stdout for results, stderr for people, exit codes."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine import cli, index, upkeep
from engine.index import Index

ROOT = Path(__file__).resolve().parents[1]


def _json(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, object]:
    assert cli.main(argv) == 0
    result: dict[str, object] = json.loads(capsys.readouterr().out)
    return result


def test_a_query_finds_its_turned_view(tiny: Index, capsys: pytest.CaptureFixture[str]) -> None:
    picture = str(tiny.root / "china.jpg")
    found = _json(capsys, "query", "tiny", picture, "-k", "3", "--json")
    results = found["results"]
    assert isinstance(results, list)
    assert [r["rank"] for r in results] == [1, 2, 3]
    assert results[0]["image"] == "turned/china.png"
    assert found["left_out"] == ["china.jpg"]
    inside = _json(capsys, "query", "tiny", "china.jpg", "-k", "3", "--json")
    assert inside["results"] == results, "a picture of the index needs no pixels"


def test_the_query_stays_when_asked(tiny: Index, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        cli.main(["query", "tiny", "china.jpg", "--keep-query", "-k", "1", "--method", "distance"])
        == 0
    )
    assert capsys.readouterr().out == "  1  1.000  china.jpg\n"


def test_no_keypoints_are_said(tiny: Index, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["query", "tiny", str(tiny.root / "flat.png")]) == 0
    captured = capsys.readouterr()
    assert "No keypoints were found" in captured.err
    told, *results = captured.out.splitlines()
    assert told.startswith("Nothing here matches") and len(results) == 4


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (["query", "tiny", "missing.jpg"], 1, "missing.jpg"),
        (["query", "nothing", "china.jpg"], 1, "there is no index 'nothing'"),
        (["info", "nothing"], 1, "python -m engine build FOLDER --name nothing"),
        (["evaluate", "tiny", "none.csv"], 1, "none.csv"),
        (["build", "nowhere", "--name", "x"], 1, "nowhere"),
        (["build", "nowhere", "--name", "x", "--words", "1"], 2, "n_words"),
        (["delete", "nothing"], 1, "there is no index"),
        (["ladder", "tiny", "none.csv"], 1, "none.csv"),
        (["compare", "one", "two"], 1, "there is no run 'one'"),
        (["runs", "--delete", "one"], 1, "there is no run 'one'"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    tiny: Index, capsys: pytest.CaptureFixture[str], argv: list[str], code: int, message: str
) -> None:
    assert cli.main(argv) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["nonsense"],
        ["query", "../tiny", "a.jpg"],
        ["build", "x", "--name", "a/b"],
        ["query", "tiny", "a.jpg", "-k", "0"],
        ["build", "x", "--name", "y", "--weighting", "bm25"],
        ["ladder", "tiny", "gt.csv", "--methods", "count,bm25"],
        ["ladder", "tiny", "gt.csv", "--methods", "count,count"],
        ["compare", "../one", "two"],
    ],
)
def test_a_wrong_call_exits_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(argv)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        "build",
        "query",
        "explain",
        "list",
        "info",
        "verify",
        "evaluate",
        "ladder",
        "runs",
        "compare",
        "demo",
        "delete",
        "datasets",
    ],
)
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([command, "--help"])
    assert caught.value.code == 0
    assert f"python -m engine {command}" in capsys.readouterr().out


def test_build_list_info_verify_delete(
    folder: Path, scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["build", str(folder / "turned"), "--name", "six", "--words", "10", "--samples", "900"]
    assert cli.main([*argv, "--workers", "1", "--weighting", "tf-idf"]) == 0
    assert "six: 6 images" in capsys.readouterr().out
    listed = _json(capsys, "list", "--json")
    assert [row["name"] for row in listed["indexes"]] == ["six", "tiny"]  # type: ignore[attr-defined]
    assert listed["codebooks"] == ["six", "tiny"]
    told = _json(capsys, "info", "tiny", "--json")
    assert (told["n_images"], told["n_skipped"], told["n_words"]) == (13, 2, 24)
    assert _json(capsys, "verify", "six", "--json") == {"index": "six", "faults": []}
    assert cli.main(["delete", "six"]) == 0
    assert index.list_indexes() == ["tiny"]


def test_an_index_built_anew_gets_the_parts_that_it_had(
    folder: Path, scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["build", str(folder), "--name", "tiny", "--words", "10", "--samples", "900"]
    assert cli.main(["graph", "tiny"]) == 0
    upkeep.add_part("tiny", "calibration", {}, {})
    assert cli.main([*argv, "--workers", "1", "--overwrite", "--json"]) == 0
    read = capsys.readouterr()
    assert "had a part graph: making it anew" in read.err
    assert "python -m engine calibrate tiny" in read.err
    parts = index.open_index("tiny").manifest["parts"]
    assert "graph" in parts
    assert {"residuals", "calibration"}.isdisjoint(parts)


def test_verify_exits_with_1_on_damage(scratch: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (path,) = (scratch / "indexes" / "tiny").glob("keypoints-xy-*.npy")
    path.write_bytes(path.read_bytes()[:-1])
    assert cli.main(["verify", "tiny"]) == 1
    assert path.name in capsys.readouterr().out


def test_evaluate_prints_the_documented_keys(
    scratch: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = tmp_path / "gt.csv"
    truth.write_text("query,relevant,label\nchina.jpg,turned/china.png,good\n")
    figures = _json(capsys, "evaluate", "tiny", str(truth), "--json")
    assert {"mAP", "P@1", "P@4", "top4_all_right", "n_queries"} <= set(figures)
    assert figures["n_queries"] == 1
    assert cli.main(["evaluate", "tiny", str(truth)]) == 0
    printed = capsys.readouterr().out
    assert "mAP" in printed and "by their own score  1 right, 0 wrong, 0 ignored" in printed
    assert "by way of others" not in printed, "verified goes by its own scores alone"
    claims = _json(capsys, "evaluate", "tiny", str(truth), "--claims", "--json")
    assert figures["accepted"] == {
        "direct": {"right": 1, "wrong": 0, "junk": 0},
        "added": None,
        "n_queries_without": 0,
        "n_positives": 1,
    }
    assert len(claims["claims"]) == 6  # type: ignore[arg-type]
    assert claims["method"] == "verified"
    assert cli.main(["evaluate", "tiny", str(truth), "--claims", "--method", "count"]) == 0
    assert capsys.readouterr().out.startswith("tiny, count\n")


def test_what_the_system_refuses_is_said_without_a_traceback(
    scratch: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/full/disk.npy")

    monkeypatch.setattr(index, "open_index", full)
    assert cli.main(["info", "tiny"]) == 1
    assert capsys.readouterr().err.strip() == (
        "Error: /full/disk.npy: No space left on device. Mend that, then run it again."
    )


def test_ctrl_c_ends_a_build_without_a_traceback(
    folder: Path, scratch: Path, tmp_path: Path
) -> None:
    many = tmp_path / "many"  # so that it is not done before the key, also on a busy machine
    many.mkdir()
    for i in range(100):
        (many / f"{i}.jpg").symlink_to(folder / "china.jpg")
    argv = [sys.executable, "-m", "engine", "build", str(many), "--name", "stopped"]
    process = subprocess.Popen(
        [*argv, "--words", "24", "--samples", "3000", "--workers", "2"],
        cwd=ROOT,
        env=os.environ | {"VISWORD_ARTIFACTS": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    records = scratch / "builds" / "stopped" / "records"
    while not list(records.glob("*/*.features")) and process.poll() is None:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Stopped." in errors
    assert "Traceback" not in errors
    assert index.stamp("stopped") == ""
