"""The one build of the demo in this server."""

import errno
import threading
from collections.abc import Callable

import pytest

from engine import demo
from engine.errors import BuildError
from ui import startup
from ui.startup import DemoBuild


def _run(build: DemoBuild) -> None:
    build.start()
    thread = build._thread
    assert thread is not None
    thread.join(20)
    assert not build.running


@pytest.fixture(autouse=True)
def nothing_to_warm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "_warm_up", lambda: None)


def _failing(error: Exception) -> Callable[[object], str]:
    def ensure(progress: object) -> str:
        raise error

    return ensure


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (BuildError("The pictures are too few."), "The pictures are too few."),
        (OSError(errno.ENOSPC, "No space left on device", "/secret/place"), "No space left"),
        (RuntimeError("a secret of the server"), "The server's log says why."),
    ],
)
def test_a_failed_build_says_why(
    monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    monkeypatch.setattr(demo, "ensure", _failing(error))
    build = DemoBuild()
    _run(build)
    assert build.error is not None
    assert told in build.error
    assert "secret" not in build.error


def test_a_second_try_forgets_the_first_error(monkeypatch: pytest.MonkeyPatch) -> None:
    build = DemoBuild()
    monkeypatch.setattr(demo, "ensure", _failing(BuildError("no")))
    _run(build)
    monkeypatch.setattr(demo, "ensure", lambda progress: "demo")
    _run(build)
    assert build.error is None


def test_visitors_who_start_it_together_start_one(monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[int] = []
    go_on = threading.Event()

    def ensure(progress: object) -> str:
        starts.append(1)
        go_on.wait(20)
        return "demo"

    monkeypatch.setattr(demo, "ensure", ensure)
    build = DemoBuild()
    for _ in range(5):
        build.start()
    go_on.set()
    _run_out(build)
    assert len(starts) == 1


def _run_out(build: DemoBuild) -> None:
    thread = build._thread
    assert thread is not None
    thread.join(20)
