"""A process of its own for trials: its memory and time are bounded, and its death is seen."""

import contextlib
import faulthandler
import multiprocessing
import os
import resource
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

Prepare = Callable[[], None]
Work = Callable[..., list[str]]


class Outcome(NamedTuple):
    """What a trial came to: its faults, and the memory that it took on top, in bytes."""

    faults: list[str]
    n_bytes: int


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return 1024 * int(line.split()[1])
    return 0


def told(error: BaseException) -> str:
    """Say where an exception came from in one line."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames[-4:]))
    return f"{type(error).__name__}: {str(error)[:200]} ({where})"


def _serve(pipe: Connection, log: str, prepare: Prepare, work: Work, memory: int) -> None:
    """Run trials until the pipe ends."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 2)
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    prepare()
    limit = _status("VmSize") + memory
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    pipe.send(None)
    with contextlib.suppress(EOFError):
        while True:
            trial = pipe.recv()
            with contextlib.suppress(OSError):
                Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
            before = _status("VmRSS")
            try:
                faults = work(*trial)
            except BaseException as error:
                faults = [told(error)]
            pipe.send(Outcome(faults, max(0, _status("VmHWM") - before)))


class Child:
    """Runs `work` in another process, which is begun anew when it dies or hangs.

    Parameters
    ----------
    prepare : callable
        Called once in each process.
    work : callable
        One trial; returns its faults.
    memory : int
        Bytes of address space beyond what stands after `prepare`.
    seconds : float
        Of one trial.
    environment : mapping
        Set in the process.
    """

    def __init__(
        self,
        prepare: Prepare,
        work: Work,
        memory: int = 2**31,
        seconds: float = 30.0,
        environment: dict[str, str] | None = None,
    ) -> None:
        self._asked = (prepare, work, memory)
        self._seconds, self._environment = seconds, environment or {}
        self._process: Any = None
        self._log = Path(tempfile.mkstemp(suffix=".log")[1])

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._log.unlink(missing_ok=True)

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
            self._process = None

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        asked = (theirs, str(self._log), *self._asked)
        with _set(self._environment):
            self._process = context.Process(target=_serve, args=asked, daemon=True)
            self._process.start()
        theirs.close()
        self._pipe.recv()  # it is ready

    def _answers(self) -> bool:
        """Wait for an answer; the time that counts is the processor's: others may be at work."""
        allowed = self._cpu_seconds() + self._seconds
        for _ in range(int(10 * self._seconds)):
            if self._pipe.poll(1.0):
                return True
            if self._cpu_seconds() > allowed:
                return False
        return False

    def _cpu_seconds(self) -> float:
        with contextlib.suppress(OSError):
            told = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
        return 0.0  # it has died

    def run(self, *trial: Any) -> Outcome:
        """Run one trial."""
        if self._process is None:
            self._begin()
        try:
            self._pipe.send(trial)
            if not self._answers():
                self._end()
                return Outcome([f"hangs: no answer in {self._seconds:g} s"], 0)
            outcome: Outcome = self._pipe.recv()
            return outcome
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self._process.join()
            code = self._process.exitcode
            name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            lines = self._log.read_text(errors="replace").splitlines()
            where = " | ".join(line.strip() for line in lines if "File" in line)[:400]
            self._end()
            return Outcome([f"dies of {name}: {where}"], 0)


@contextlib.contextmanager
def _set(environment: dict[str, str]) -> Iterator[None]:
    kept = {key: os.environ.get(key) for key in environment}
    os.environ.update(environment)
    yield
    for key, value in kept.items():
        if value is None:
            del os.environ[key]
        else:
            os.environ[key] = value
