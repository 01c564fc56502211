"""Evaluations that were asked for on a page.

They belong to the server, not to a tab: one runs at a time, others wait, and each goes on when its
page is left. Whoever opens the page sees how far they are, and may stop them.
"""

import contextlib
import dataclasses
import hashlib
import logging
import threading

from engine import evaluate, groundtruth, index, runs, truths
from engine.errors import CancelledError, EngineError, GroundTruthError
from engine.language import tr
from ui.language import kept

log = logging.getLogger(__name__)
N_REMEMBERED = 20
WAITING, RUNNING, DONE, STOPPED, FAILED = "waiting", "running", "done", "stopped", "failed"


@dataclasses.dataclass(eq=False)
class Measurement:
    """One evaluation under way, or what became of it.

    Attributes
    ----------
    collection, truth, method : str
        What is measured: an index, a kept ground truth, one of `methods.METHODS`.
    state : str
        WAITING, RUNNING, DONE, STOPPED or FAILED.
    n_done, n_queries : int
        Queries.
    run : str
        Name of the kept run, once it is done.
    error : str
        What went wrong, if something did.
    """

    collection: str
    truth: str
    method: str
    state: str = WAITING
    n_done: int = 0
    n_queries: int = 0
    run: str = ""
    error: str = ""
    _stop: threading.Event = dataclasses.field(default_factory=threading.Event)

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in (WAITING, RUNNING)

    def stop(self) -> None:
        """Ask it to end; nothing of it is kept."""
        self._stop.set()

    def tell(self, n_done: int, n_queries: int) -> None:
        """Take in how far it is; raise a CancelledError if it was stopped."""
        self.n_done, self.n_queries = n_done, n_queries
        if self._stop.is_set():
            raise CancelledError(tr("the evaluation was stopped"))

    def work(self) -> None:
        """Measure, and keep the run."""
        opened = index.open_index(self.collection)
        path = truths.path_of(self.truth)
        try:
            data = path.read_bytes()
        except OSError:
            told = tr("there is no ground truth {name!r} any more", name=self.truth)
            raise GroundTruthError(told) from None
        queries = groundtruth.read(path, opened, data, inside=True)
        self.tell(0, len(queries))
        measured = evaluate.evaluate(opened, queries, self.method, self.tell)
        try:
            made = runs.keep(opened, measured, path)
        except GroundTruthError:
            told = tr(
                "the ground truth {name!r} was deleted meanwhile: nothing is kept", name=self.truth
            )
            raise GroundTruthError(told) from None
        if made.groundtruth_sha256 != hashlib.sha256(data).hexdigest():
            runs.delete_run(made.name)
            told = tr(
                "the ground truth {name!r} was changed meanwhile. Measure again", name=self.truth
            )
            raise GroundTruthError(told)
        self.run = made.name


class Measurements:
    """All evaluations that this server was asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._all: list[Measurement] = []

    def start(self, collection: str, truth: str, method: str) -> Measurement:
        """Begin one, unless the very same is under way: then that one is returned.

        What goes wrong is told in the language that is spoken here.
        """
        asked = Measurement(collection, truth, method)
        with self._lock:
            for other in self._all:
                if other.active and (other.collection, other.truth, other.method) == (
                    collection,
                    truth,
                    method,
                ):
                    return other
            self._all = [*self._all, asked]
            ended = [one for one in self._all if not one.active]
            for one in ended[: max(0, len(self._all) - N_REMEMBERED)]:
                self._all.remove(one)
        run = kept(self._run)
        threading.Thread(target=run, args=(asked,), name="measuring", daemon=True).start()
        return asked

    def of(self, collection: str) -> list[Measurement]:
        """Return those of a collection, the oldest first."""
        with self._lock:
            return [one for one in self._all if one.collection == collection]

    def stop(self) -> None:
        """Ask all to end."""
        with self._lock:
            for one in self._all:
                one.stop()

    def _run(self, asked: Measurement) -> None:
        while not self._turn.acquire(timeout=0.2):
            if asked._stop.is_set():
                asked.state = STOPPED
                return
        try:
            with contextlib.suppress(CancelledError):
                asked.tell(0, 0)
                asked.state = RUNNING
                asked.work()
            asked.state = DONE if asked.run else STOPPED
        except (EngineError, ValueError) as error:
            asked.error, asked.state = str(error), FAILED
        except Exception:
            log.exception("an evaluation failed")
            asked.error = tr("The evaluation failed. The server's log says why.")
            asked.state = FAILED
        finally:
            self._turn.release()


MEASUREMENTS = Measurements()
