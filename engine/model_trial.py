"""A network that nobody vouches for is installed by a process of its own, within bounds.

What an ONNX file computes is known only when it runs: a loop without end, or an array larger than
memory, would take the server with it. Here they take a process that was made for them.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from engine import installing, language, model_store
from engine.errors import EngineError, ModelError
from engine.language import tr
from engine.model_store import Installed

MOST_BYTES = 4 * 2**30  # of the process's address space
MOST_SECONDS = 60
_ROOT = Path(__file__).resolve().parents[1]


def add(file: Path, name: str, size: int | None, told: dict[str, Any]) -> Installed:
    """Install an ONNX file, as `installing.propose` and `installing.add` do.

    Parameters
    ----------
    file : Path
    name : str
    size : int or None
        Height and width, where the file leaves them open.
    told : dict
        Fields of `Model`.

    Returns
    -------
    Installed

    Raises
    ------
    ModelError
        If the file cannot be used so, or asks for more than a small network may.
    """
    asked = {"file": str(file), "name": name, "size": size, "told": told}
    bounds = {"n_bytes": MOST_BYTES, "seconds": MOST_SECONDS}
    given = json.dumps(asked | bounds | {"language": language.spoken()})
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "engine.model_trial"],
            input=given,
            capture_output=True,
            text=True,
            cwd=_ROOT,
            timeout=2 * MOST_SECONDS,
            check=False,
        )
        said = json.loads(ended.stdout.splitlines()[-1]) if ended.returncode == 0 else None
    except (subprocess.TimeoutExpired, ValueError, IndexError):
        said = None
    if said is None:
        raise ModelError(
            tr(
                "{name} cannot be tried here: one picture takes more than {gigabytes} GB of memory "
                "or {seconds} seconds, or ends the program that runs it. If you trust the file, "
                "add it by: {command}",
                name=file.name,
                gigabytes=MOST_BYTES >> 30,
                seconds=MOST_SECONDS,
                command=f"python -m engine models add FILE.onnx --name {name}",
            )
        )
    if said["error"] is not None:
        raise ModelError(said["error"])
    return model_store.open_model(name)


def _bound(n_bytes: int, seconds: int) -> None:
    """Let this process have no more memory and processor time."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (n_bytes, n_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> int:
    """Do what stands in the input, and say in one line of JSON what went wrong."""
    asked = json.loads(sys.stdin.read())
    _bound(asked["n_bytes"], asked["seconds"])
    error = None
    with language.speaking(asked["language"]):
        try:
            told = {k: tuple(v) if isinstance(v, list) else v for k, v in asked["told"].items()}
            file = Path(asked["file"])
            installing.add(file, installing.propose(file, asked["name"], asked["size"], **told))
        except (EngineError, ValueError) as fault:
            error = str(fault)
    print(json.dumps({"error": error}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
