"""Pictures over processes: progress, cancelling, and pictures that kill the process they are in."""

import contextlib
import dataclasses
import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from itertools import islice
from typing import Any, TypeVar

from engine import worker
from engine.errors import CancelledError
from engine.language import tr
from engine.worker import Job, Outcome

T = TypeVar("T")

ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "BLIS")}


@dataclasses.dataclass(frozen=True, slots=True)
class Progress:
    """How far a build is.

    Attributes
    ----------
    step : str
        What is being done, in English; see `stage`.
    done, total : int
        Pictures (or steps) of this stage.
    picture : str or None
        The one that was finished last.
    rate : float
        Pictures a second in this run; 0 while unknown.
    seconds_left : float or None
        Of this stage, in seconds; None while unknown.
    n_skipped : int
        Pictures left out so far.
    values : mapping
        What stands in the places of `step`.
    """

    step: str
    done: int
    total: int
    picture: str | None = None
    rate: float = 0.0
    seconds_left: float | None = None
    n_skipped: int = 0
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def stage(self) -> str:
        """What is being done, in the language that is spoken where this is asked."""
        return tr(self.step, **self.values)


def available_cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Run:
    """One run of a build: its processes, its progress, and whether to go on.

    Parameters
    ----------
    n_workers : int
        Processes; 1 works in this one.
    progress : callable or None
        Told how far it is, in the thread of the caller.
    cancelled : callable or None
        Asked after every picture; True raises CancelledError.
    """

    def __init__(
        self,
        n_workers: int,
        progress: Callable[[Progress], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self.n_workers = n_workers
        self._progress = progress or (lambda _: None)
        self._cancelled = cancelled or (lambda: False)
        self._skipped: set[str] = set()

    def say(self, stage: str, picture: str | None = None, **values: Any) -> None:
        """Report a stage whose length is not known."""
        n_skipped = len(self._skipped)
        self._tell(Progress(stage, 0, 0, picture, n_skipped=n_skipped, values=values))

    def _tell(self, progress: Progress) -> None:
        if self._cancelled():
            raise CancelledError(tr("the build was stopped; run it again to go on from here"))
        self._progress(progress)

    def counted(self, stage: str, items: Iterator[T], total: int, n_before: int = 0) -> Iterator[T]:
        """Pass items on, reporting each. `n_before` were done earlier: they are no speed."""
        started = time.perf_counter()
        self._tell(Progress(stage, n_before, total + n_before, n_skipped=len(self._skipped)))
        for n_done, item in enumerate(items, 1):
            picture = None
            if isinstance(item, Outcome):
                picture = item.path
                if item.reason is not None:
                    self._skipped.add(item.path)
            rate = n_done / max(time.perf_counter() - started, 1e-9)
            left = (total - n_done) / rate
            done, of = n_done + n_before, total + n_before
            self._tell(Progress(stage, done, of, picture, rate, left, len(self._skipped)))
            yield item

    def over(self, function: Callable[[Any], T], jobs: Sequence[Any]) -> Generator[T, None, None]:
        """Call `function` on every job over this run's processes, in any order."""
        from joblib.externals.loky import get_reusable_executor
        from threadpoolctl import threadpool_limits

        if self.n_workers == 1 or len(jobs) < 2:
            with threadpool_limits(1):
                yield from map(function, jobs)
            return
        executor = get_reusable_executor(self.n_workers, env=ONE_THREAD)
        waiting = iter(jobs)
        # One ahead, so that no process waits; not all, since a collection may be large.
        running = {executor.submit(function, job) for job in islice(waiting, 2 * self.n_workers)}
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                running |= {executor.submit(function, job) for job in islice(waiting, len(done))}
                for future in done:
                    yield future.result()
        finally:
            # Where this was cut short, what is under way must not write behind the next build.
            for future in running:
                future.cancel()
            wait(running)

    def process(self, stage: str, jobs: Sequence[Job], n_before: int = 0) -> dict[str, Outcome]:
        """Take every picture of `jobs` as far as it asks; return what became of each, by path.

        `n_before` pictures were finished by an earlier run.
        """
        with contextlib.closing(self._outcomes(jobs)) as outcomes:
            return {o.path: o for o in self.counted(stage, outcomes, len(jobs), n_before)}

    def _outcomes(self, jobs: Sequence[Job]) -> Generator[Outcome, None, None]:
        """Yield every outcome, whatever happens to the processes.

        A picture that was begun and neither finished nor refused may have killed its process
        (a fault in a decoder, memory), in this run or an earlier one. It is tried once more in
        a process of its own, and skipped if that dies too.
        """
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        left = {job.path: job for job in jobs}
        while left:
            for job in [job for job in left.values() if worker.was_begun(job)]:
                del left[job.path]
                yield alone(job)
            try:
                with contextlib.closing(self.over(worker.process, list(left.values()))) as done:
                    for outcome in done:
                        del left[outcome.path]
                        yield outcome
            except TerminatedWorkerError:
                if not any(worker.was_begun(job) for job in left.values()):
                    raise


def alone(job: Job) -> Outcome:
    """Work on one picture in a process of its own; skip the picture if the process dies."""
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    with ProcessPoolExecutor(1, env=ONE_THREAD) as executor:
        try:
            outcome: Outcome = executor.submit(worker.process, job).result()
        except TerminatedWorkerError:
            outcome = worker.give_up(job)
    return outcome
