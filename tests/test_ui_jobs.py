"""Work in the background: done once, one at a time a lane, stopped, forgotten."""

import threading
import time

from engine.errors import BuildError
from ui import jobs
from ui.jobs import Job, Jobs


def ended(job: Job) -> Job:
    end = time.monotonic() + 20
    while job.active and time.monotonic() < end:
        time.sleep(0.005)
    return job


def test_a_job_is_done_once_and_remembered() -> None:
    some, asked = Jobs(), []
    for _ in range(2):
        job = ended(some.start("a", lambda job: asked.append(job) or 7))
        assert (job.state, job.result) == (jobs.DONE, 7)
    assert len(asked) == 1 and some.get("a") is job and some.get("b") is None


def test_a_job_that_failed_says_why_and_can_be_asked_for_again() -> None:
    def fails(_: Job) -> None:
        raise BuildError("too few")

    some = Jobs()
    assert (ended(some.start("a", fails)).state, some.get("a").error) == (jobs.FAILED, "too few")
    assert ended(some.start("a", lambda _: 1)).state == jobs.DONE
    assert ended(some.start("b", lambda _: 1 // 0)).state == jobs.FAILED
    assert some.get("b").error == ""
    some.forget("b")
    assert some.get("b") is None


def test_jobs_wait_for_their_turn_and_can_be_stopped() -> None:
    some, go = Jobs(), threading.Event()

    def works(job: Job) -> None:
        told = job.part(20, 60)
        told(1, 2)
        assert (job.n_done, job.n_total) == (40, 100)
        go.wait(20)
        told(2, 2)

    first, second = some.start("a", works), some.start("b", works)
    assert second.state == jobs.WAITING
    second.stop()
    assert ended(second).state == jobs.STOPPED
    some.stop()
    go.set()
    assert ended(first).state == jobs.STOPPED


def test_few_jobs_are_remembered() -> None:
    some = Jobs()
    for i in range(jobs.N_KEPT + 5):
        ended(some.start(i, lambda _: 0))
    kept = [i for i in range(jobs.N_KEPT + 5) if some.get(i) is not None]
    assert len(kept) == jobs.N_KEPT and kept[-1] == jobs.N_KEPT + 4


def test_lanes_do_not_wait_for_each_other() -> None:
    some, go = Jobs(), threading.Event()
    long = some.start("evaluation", lambda _: go.wait(20), jobs.EVALUATIONS)
    waiting = some.start("another", lambda _: 1, jobs.EVALUATIONS)
    assert ended(some.start("download", lambda _: 2, jobs.DOWNLOADS)).state == jobs.DONE
    assert (long.active, waiting.state) == (True, jobs.WAITING)
    assert some.of(jobs.EVALUATIONS) == [long, waiting]
    go.set()
    assert (ended(long).state, ended(waiting).state) == (jobs.DONE, jobs.DONE)


def test_what_is_done_is_done_again_where_that_is_asked_for() -> None:
    some, go = Jobs(), threading.Event()
    first = ended(some.start("a", lambda _: 1, again=True))
    second = some.start("a", lambda _: go.wait(20) and 2, again=True)
    assert second is not first
    assert some.start("a", lambda _: 3, again=True) is second, "two clicks ask for one"
    go.set()
    assert ended(second).result == 2


def test_one_lane_does_not_push_out_what_another_found() -> None:
    some = Jobs()
    kept = ended(some.start("kept", lambda _: 1, jobs.VOCABULARY))
    for i in range(jobs.N_KEPT + 5):
        ended(some.start(i, lambda _: 0, jobs.EVALUATIONS))
    assert some.get("kept") is kept
