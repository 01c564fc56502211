"""One job in many pieces, done by the caller and some threads beside it."""

import contextvars
import itertools
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeAlias

# A piece of work; what it returns is work that could not begin before.
Task: TypeAlias = Callable[[], Iterable[Any] | None]


def run(tasks: Iterable[Task], n_threads: int) -> None:
    """Do some tasks and all that follow from them, first come, first served.

    The caller works too, so a job ends even where all other threads are busy elsewhere.

    Parameters
    ----------
    tasks : iterable of callables
        Each returns nothing, or the tasks that may begin now.
    n_threads : int
        Threads at work, the caller's among them; at least 1.

    Raises
    ------
    Exception
        What a task raised first; tasks that have not begun are left out then.
    """
    job = _Job(tasks)
    helpers = []
    if n_threads > 1:
        pool = _pool(os.getpid(), n_threads - 1)
        # In the caller's context: what goes wrong is told in the language that is spoken there.
        helpers = [
            pool.submit(contextvars.copy_context().run, job.work) for _ in range(n_threads - 1)
        ]
    job.work()
    for helper in helpers:
        helper.cancel()
    if job.failure is not None:
        raise job.failure


def together(tasks: Iterable[Task], then: Task) -> list[Task]:
    """Make tasks of which the last to end, whichever it is, goes on with `then`.

    Parameters
    ----------
    tasks : iterable of callables
        At least one.
    then : callable
        Called when all of them have ended.

    Returns
    -------
    list of callables
        To be run instead of `tasks`.
    """
    first = list(tasks)
    ended = itertools.count(1)

    def joined(task: Task) -> Task:
        def do() -> list[Task]:
            more = list(task() or ())
            if next(ended) == len(first):
                more += then() or ()
            return more

        return do

    return [joined(task) for task in first]


@lru_cache(maxsize=4)
def _pool(process_id: int, n_threads: int) -> ThreadPoolExecutor:
    """Keep one pool for each size; a forked child has another id and makes its own."""
    return ThreadPoolExecutor(n_threads, thread_name_prefix="engine")


class _Job:
    """Tasks that wait, and how many are waiting or under way."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self.waiting = deque(tasks)
        self.unfinished = len(self.waiting)
        self.failure: BaseException | None = None
        self.changed = threading.Condition()

    def work(self) -> None:
        """Do tasks until all are done or one has failed."""
        while (task := self._take()) is not None:
            try:
                more = list(task() or ())
            except BaseException as failure:
                self._end((), failure)
            else:
                self._end(more, None)

    def _take(self) -> Task | None:
        with self.changed:
            while self.unfinished and not self.waiting and self.failure is None:
                self.changed.wait()
            if self.failure is not None or not self.waiting:
                return None
            return self.waiting.popleft()

    def _end(self, more: Iterable[Task], failure: BaseException | None) -> None:
        with self.changed:
            before = len(self.waiting)
            self.waiting.extend(more)
            self.unfinished += len(self.waiting) - before - 1
            self.failure = self.failure or failure
            if self.waiting or not self.unfinished or self.failure is not None:
                self.changed.notify_all()
