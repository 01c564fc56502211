"""Evaluations asked for on a page: one at a time, shared, stopped, and kept only when whole."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import evaluate, index, runs, truths
from engine.index import Index
from ui import jobs, measuring
from ui.jobs import DONE, FAILED, RUNNING, STOPPED, WAITING, Job, Jobs


@pytest.fixture
def opened(scratch: Path) -> Index:
    found = index.open_index("tiny")
    lines = "chelsea.jpg,turned/chelsea.png,good\ncoffee.jpg,turned/coffee.png,good\n"
    truths.add("gt", b"query,relevant,label\n" + lines.encode(), found)
    return found


class Held:
    """Stands where the evaluation stands, and waits at its second query until it may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.may_go_on = threading.Event(), threading.Event()
        self._measure = evaluate.evaluate
        monkeypatch.setattr("ui.measuring.evaluate.evaluate", self)

    def __call__(
        self, opened: Index, queries: list, method: str, tell: Callable[[int, int], None]
    ) -> evaluate.Evaluation:
        self.reached.set()
        assert self.may_go_on.wait(30)
        return self._measure(opened, queries, method, tell)


@pytest.fixture(autouse=True)
def no_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "JOBS", Jobs())


def wait(one: Job) -> Job:
    end = time.monotonic() + 60
    while one.active and time.monotonic() < end:
        time.sleep(0.02)
    assert not one.active
    return one


def test_what_is_measured_is_kept(opened: Index) -> None:
    found = wait(measuring.start("tiny", "gt", "count"))
    assert (found.state, found.n_done, found.n_total) == (DONE, 2, 2)
    run = runs.open_run(found.result)
    assert (run.evaluation.method, run.groundtruth) == ("count", "gt.csv")


def test_one_runs_and_the_others_wait(opened: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held(monkeypatch)
    first = measuring.start("tiny", "gt", "count")
    assert held.reached.wait(30)
    second = measuring.start("tiny", "gt", "distance")
    assert measuring.start("tiny", "gt", "count") is first, "two clicks ask for one evaluation"
    assert (first.state, second.state) == (RUNNING, WAITING)
    assert measuring.of("tiny") == [first, second] and measuring.of("other") == []
    held.may_go_on.set()
    assert (wait(first).state, wait(second).state) == (DONE, DONE)
    assert len(runs.list_runs()) == 2


def test_a_stopped_one_leaves_nothing(opened: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held(monkeypatch)
    first = measuring.start("tiny", "gt", "count")
    assert held.reached.wait(30)
    second = measuring.start("tiny", "gt", "distance")
    second.stop()
    assert wait(second).state == STOPPED, "also while it waits for its turn"
    jobs.JOBS.stop()
    held.may_go_on.set()
    assert wait(first).state == STOPPED
    assert runs.list_runs() == []


def test_a_ground_truth_that_changes_meanwhile_is_said(
    opened: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run would name the digest of a csv that it was not measured with."""
    held = Held(monkeypatch)
    one = measuring.start("tiny", "gt", "count")
    assert held.reached.wait(30)
    truths.path_of("gt").write_bytes(truths.path_of("gt").read_bytes() + b"\n")
    held.may_go_on.set()
    assert wait(one).state == FAILED and "changed meanwhile" in one.error
    assert runs.list_runs() == []


def test_a_ground_truth_that_is_deleted_meanwhile_is_said(
    opened: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch)
    one = measuring.start("tiny", "gt", "count")
    assert held.reached.wait(30)
    truths.delete("gt", truths.digest_of("gt"))
    held.may_go_on.set()
    assert wait(one).state == FAILED and "'gt' was deleted meanwhile" in one.error
    assert runs.list_runs() == []


@pytest.mark.parametrize(
    ("collection", "truth", "method", "told"),
    [
        ("nothing", "gt", "count", "there is no index"),
        ("tiny", "nothing", "count", "there is no ground truth"),
        ("tiny", "gt", "expanded", "lacks graph"),
        ("tiny", "../gt", "count", "cannot be a name"),
    ],
)
def test_what_cannot_be_measured_says_why(
    opened: Index, collection: str, truth: str, method: str, told: str
) -> None:
    one = wait(measuring.start(collection, truth, method))
    assert one.state == FAILED and told in one.error


def test_a_fault_of_ours_stays_in_the_log(
    opened: Index, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret of the server")

    monkeypatch.setattr("ui.measuring.evaluate.evaluate", fail)
    one = wait(measuring.start("tiny", "gt", "count"))
    assert one.state == FAILED and "secret" not in one.error
    assert "a secret of the server" in caplog.text


def test_old_ones_are_forgotten(opened: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "N_KEPT", 2)
    for method in ("count", "distance", "tf-idf", "tf-idf-stop", "tf-idf-root"):
        wait(measuring.start("tiny", "gt", method))
    assert len(measuring.of("tiny")) <= 3


def test_what_was_measured_is_measured_again(opened: Index) -> None:
    first = wait(measuring.start("tiny", "gt", "count"))
    second = wait(measuring.start("tiny", "gt", "count"))
    assert first is not second and first.result != second.result
    assert measuring.of("tiny") == [second] and len(runs.list_runs()) == 2
