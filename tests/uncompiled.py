"""Code in a process of its own, with Numba's compiler and without."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def said(code: str, *arguments: str, compiled: bool, **environment: str) -> str:
    """Run code in a fresh process at the project's root; return what it printed."""
    disable = "0" if compiled else "1"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment, "NUMBA_DISABLE_JIT": disable},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def said_compiled_and_not(code: str, *arguments: str) -> tuple[str, str]:
    """Run the same code compiled, then uncompiled; return what each printed."""
    return said(code, *arguments, compiled=True), said(code, *arguments, compiled=False)
