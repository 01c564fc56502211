"""What takes longer than a visitor should wait: done in the background, kept until the server ends.

Jobs belong to the server, not to a tab: each goes on when its page is left, and whoever opens the
page sees how far it is, and may stop it. A job is named by what it looks at, so that all visitors
share what it finds. Of each lane one runs at a time and the others wait; lanes do not wait for each
other.
"""

import contextlib
import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

import streamlit as st

from engine import artifacts
from engine.errors import CancelledError, EngineError
from engine.language import tr, trn
from ui import words
from ui.language import kept

log = logging.getLogger(__name__)
N_KEPT = 24
WAITING, RUNNING, DONE, STOPPED, FAILED = "waiting", "running", "done", "stopped", "failed"
EVALUATIONS, VOCABULARY = "evaluations", "vocabulary"  # lanes
DOWNLOADS, VECTORS = "downloads", "vectors"


@dataclasses.dataclass(eq=False)
class Job:
    """One piece of work, and what became of it.

    Attributes
    ----------
    key : hashable
        What it looks at.
    lane : str
        What kind of work it is.
    state : str
        WAITING, RUNNING, DONE, STOPPED or FAILED.
    n_done, n_total : int
        How far it is; 0 of 0 where that is not known.
    stage : str
        What is being done, where there are several things; English, as the work calls it.
    result : object
        What it found, once it is done.
    error : str
        What went wrong, if something did.
    begun : float
        When its turn came, in seconds of the monotonic clock.
    """

    key: Hashable
    state: str = WAITING
    n_done: int = 0
    n_total: int = 0
    stage: str = ""
    result: Any = None
    error: str = ""
    begun: float = 0.0
    lane: str = ""
    _stop: threading.Event = dataclasses.field(default_factory=threading.Event)

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in (WAITING, RUNNING)

    @property
    def stopping(self) -> bool:
        """Whether it was asked to end."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask it to end."""
        self._stop.set()

    def tell(self, n_done: int, n_total: int) -> None:
        """Take in how far it is; raise a CancelledError if it was stopped."""
        self.n_done, self.n_total = n_done, n_total
        if self.stopping:
            raise CancelledError("the work was stopped")

    def part(self, first: int, last: int) -> Callable[[int, int], None]:
        """Return what tells how far a part of it is, which goes from `first` to `last` of 100."""

        def told(n_done: int, n_total: int) -> None:
            share = n_done / n_total if n_total else 0.0
            self.tell(round(first + (last - first) * share), 100)

        return told


Work = Callable[[Job], Any]


class Jobs:
    """All jobs that this server was asked for, of which the last of each lane are remembered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}
        self._all: dict[Hashable, Job] = {}

    def get(self, key: Hashable) -> Job | None:
        """Return the job of this name, if it is remembered."""
        with self._lock:
            return self._all.get(key)

    def of(self, lane: str) -> list[Job]:
        """Return the jobs of a lane, the oldest first."""
        with self._lock:
            return [one for one in self._all.values() if one.lane == lane]

    def start(self, key: Hashable, work: Work, lane: str = "", again: bool = False) -> Job:
        """Begin a job, unless it is under way or done: then that one is returned.

        What goes wrong is told in the language that is spoken here.

        Parameters
        ----------
        key : hashable
            What it looks at.
        work : callable
            Does it; raises a CancelledError when it was stopped, as `Job.tell` does.
        lane : str
            Of which one job runs at a time.
        again : bool
            Whether one that is done is done once more.
        """
        with self._lock:
            known = self._all.get(key)
            if known is not None and known.active:
                return known
            self._all.pop(key, None)
            if known is not None and known.state == DONE and not again:
                self._all[key] = known  # the last asked for
                return known
            made = self._all[key] = Job(key, lane=lane)
            turn = self._turns.setdefault(lane, threading.Lock())
            same = [one for one in self._all.values() if one.lane == lane]
            ended = [one.key for one in same if not one.active]
            for old in ended[: max(0, len(same) - N_KEPT)]:
                del self._all[old]
        threading.Thread(
            target=self._run, args=(made, kept(work), turn), name=lane or "job", daemon=True
        ).start()
        return made

    def forget(self, key: Hashable) -> None:
        """Drop what became of a job, so that it can be asked for again."""
        with self._lock:
            if (known := self._all.get(key)) is not None and not known.active:
                del self._all[key]

    def stop(self) -> None:
        """Ask all to end."""
        with self._lock:
            for one in self._all.values():
                one.stop()

    def _run(self, job: Job, work: Work, turn: threading.Lock) -> None:
        while not turn.acquire(timeout=0.2):
            if job.stopping:
                job.state = STOPPED
                return
        try:
            with contextlib.suppress(CancelledError):
                job.tell(0, 0)
                job.begun, job.state = time.monotonic(), RUNNING
                job.result = work(job)
                job.state = DONE
            if job.state != DONE:
                job.state = STOPPED
        except (EngineError, ValueError) as error:
            job.error, job.state = str(error), FAILED
        except Exception:
            log.exception("%s failed", job.lane or "a job")
            job.state = FAILED
        finally:
            turn.release()


JOBS = Jobs()


def begin(key: Hashable, work: Work, lane: str, again: bool = False) -> None:
    """Start a job when a button is pressed."""
    JOBS.start(key, work, lane, again)


def progress(job: Job, what: str | Callable[[Job], str], stops: bool = True) -> None:
    """Show how far a job is, until it ends; most may be stopped.

    Parameters
    ----------
    job : Job
    what : str or callable
        What is being done; a callable is asked each time.
    stops : bool
        Whether it can be stopped.
    """
    st.fragment(_until_ended, run_every=1.0)(job, what, stops)


def _until_ended(job: Job, what: str | Callable[[Job], str], stops: bool) -> None:
    if not job.active:
        st.rerun(scope="app")
    bar(job, what if isinstance(what, str) else what(job), stops)


def bar(job: Job, what: str, stops: bool = True) -> None:
    """Show how far a job is now."""
    share = job.n_done / job.n_total if job.n_total else 0.0
    if job.stopping:
        what = tr("Stopping: {what}", what=what)
    elif job.state == WAITING:
        what = tr("Waiting for its turn: {what}", what=what)
    with st.container(horizontal=True, vertical_alignment="center"):
        if job.n_total or job.state == WAITING:
            st.progress(min(share, 1.0), what)
        else:
            n = int(time.monotonic() - job.begun)
            st.caption(f"{what} · " + trn("{n:,} second so far", "{n:,} seconds so far", n))
        if not stops:
            return
        st.button(tr("Stop"), key=f"stop-{id(job)}", on_click=job.stop, disabled=job.stopping)


def fault(job: Job) -> str:
    """Return why a job failed, for Markdown."""
    told = job.error or tr("It failed. The server's log says why.")
    return words.with_command(words.without_paths(told, str(artifacts.artifacts_folder())))


def failed(job: Job) -> None:
    """Say why a job failed or that it was stopped, and let it be asked for again."""
    if job.state == STOPPED:
        st.info(tr("Stopped. Nothing of it was kept."))
    else:
        st.error(fault(job))
    dismiss(job)


def dismiss(job: Job) -> None:
    """Show the button that drops what became of a job."""
    st.button(tr("Dismiss"), key=f"dismiss-{id(job)}", on_click=JOBS.forget, args=(job.key,))
