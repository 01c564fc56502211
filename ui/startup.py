"""Before the first visitor: compile the kernels, make the demo where there is no collection yet.

The work belongs to the server, not to a tab: whoever opens a page sees how far it is.
"""

import contextlib
import functools
import gc
import logging
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

from engine import demo, index, pipeline
from engine.errors import CancelledError, EngineError, reason
from engine.language import mark, tr
from engine.pool import Progress
from ui import jobs, opened
from ui.link import Link

log = logging.getLogger(__name__)


class DemoBuild:
    """The one build of the demo collection in this server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self.progress = Progress(mark("Starting"), 0, 0)
        self._fault: Callable[[], str] | None = None

    @property
    def error(self) -> str | None:
        """What went wrong, in the language of whoever asks; None if nothing did."""
        return None if self._fault is None else self._fault()

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start it, unless it is under way."""
        with self._lock:
            if not self.running:
                self._fault = None
                self._thread = threading.Thread(target=self._run, name="demo", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Ask it to end; the next start goes on from there."""
        self._stop.set()

    def _tell(self, progress: Progress) -> None:
        if self._stop.is_set():
            raise CancelledError("The server is stopping.")
        self.progress = progress

    def _run(self) -> None:
        try:
            demo.ensure(self._tell)
            _warm_up()
        except EngineError as error:
            self._fault = functools.partial(str, error)
        except OSError as error:
            log.exception("the demo collection could not be built")
            self._fault = functools.partial(_no_room, error)
        except Exception:
            log.exception("the demo collection could not be built")
            self._fault = _failed


def _no_room(error: OSError) -> str:
    return tr(
        "The demo collection could not be built: {why}. Free some space, or set VISWORD_ARTIFACTS "
        "to a folder that the server may write to.",
        why=reason(error) if error.strerror else tr("disk fault"),
    )


def _failed() -> str:
    return tr("The demo collection could not be built. The server's log says why.")


DEMO = DemoBuild()


def _warm_up() -> None:
    """Compile the kernels and open the first collection, so that no visitor waits for them."""
    try:
        pipeline.warm_up()
        opened.collection(Link())
    except EngineError as error:
        log.warning("%s", error)
    # Streamlit collects garbage after every run: what is loaded by now need not be looked at.
    gc.freeze()


@contextlib.asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[None]:
    """Prepare before the first visitor, and stop what runs when the server ends."""
    if index.list_indexes():
        threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()
    else:
        DEMO.start()
    try:
        yield None
    finally:
        DEMO.stop()
        jobs.JOBS.stop()
