"""A process of its own for trials: its memory and time are bounded, and its death is seen."""

import contextlib
import faulthandler
import importlib
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]


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


def _named(name: str) -> Any:
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)


def _serve(pipe: Connection, prepare: str, work: str, memory: int) -> None:
    """Run trials until the pipe ends."""
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _named(prepare)()
    trial_of = _named(work)
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
                faults = trial_of(*trial)
            except BaseException as error:
                faults = [told(error)]
            pipe.send(Outcome(faults, max(0, _status("VmHWM") - before)))


class Child:
    """Runs `work` in another process, which is begun anew when it dies or hangs.

    Parameters
    ----------
    prepare : str
        "module:function" that is called once in each process.
    work : str
        "module:function" of one trial; it returns its faults.
    memory : int
        Bytes of address space beyond what stands after `prepare`.
    seconds : float
        Of one trial.
    environment : mapping
        Set in the process.
    """

    def __init__(
        self,
        prepare: str,
        work: str,
        memory: int = 2**31,
        seconds: float = 30.0,
        environment: dict[str, str] | None = None,
    ) -> None:
        self._asked = (prepare, work, memory)
        self._seconds, self._environment = seconds, environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._log = Path(tempfile.mkstemp(suffix=".log")[1])

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._log.unlink(missing_ok=True)

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._pipe.close()
            self._process = None

    def _begin(self) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        # Not by multiprocessing: it would run anew whatever calls itself the main program.
        argv = [sys.executable, "-m", "tests.torture.children", str(theirs.fileno())]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*argv, *map(str, self._asked)],
                env=os.environ | self._environment | {"PYTHONPATH": str(ROOT)},
                stderr=log,
                pass_fds=(theirs.fileno(),),
            )
        theirs.close()
        try:
            self._pipe.recv()  # it is ready
        except EOFError:
            raise RuntimeError(self._log.read_text(errors="replace")) from None

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
            code = self._process.wait()
            name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            lines = self._log.read_text(errors="replace").splitlines()
            where = " | ".join(line.strip() for line in lines if "File" in line)[:400]
            self._end()
            return Outcome([f"dies of {name}: {where}"], 0)


if __name__ == "__main__":
    from tests.torture import children  # so that what is sent has the parent's names

    _, number, *names, room = sys.argv
    children._serve(Connection(int(number)), *names, int(room))
