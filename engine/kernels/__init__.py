"""Compiled loops: arrays and numbers in, arrays and numbers out."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])

# A test for division by zero leaves the loop and keeps LLVM from vectorising it.
_OPTIONS: dict[str, Any] = {"nogil": True, "fastmath": False, "error_model": "numpy"}


def kernel(function: Function) -> Function:
    """Compile a loop on its first call, and keep the machine code where a folder lets us.

    Numba caches beside the source or in the user's cache folder (or in `NUMBA_CACHE_DIR`). It
    refuses to decorate at all when none of them can be written, as in a read-only installation:
    then the kernel is compiled anew in each process.

    Parameters
    ----------
    function : callable
        Takes and returns arrays and numbers only. It and the kernels that it calls live in one
        file, since Numba's cache sees changes of that file only.

    Returns
    -------
    callable
        The compiled twin; the function itself under NUMBA_DISABLE_JIT=1.
    """
    try:
        compiled = numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:
        compiled = numba.njit(cache=False, **_OPTIONS)(function)
    return cast(Function, compiled)


def inlined(function: Function) -> Function:
    """Compile a part of a kernel into each of its callers.

    A call passes every array in seven words; with a dozen arrays that costs more than a short
    loop. Parts are not cached on their own, since their callers hold them.

    Parameters
    ----------
    function : callable
        Called from kernels of the same file only.

    Returns
    -------
    callable
        The compiled twin; the function itself under NUMBA_DISABLE_JIT=1.
    """
    return cast(Function, numba.njit(forceinline=True, **_OPTIONS)(function))
