"""Query pictures taken as far as their words, and their answers: once for pages and routes.

What is kept is named by the file's content, never by who brought it, and holds no file's name: two
visitors with the same photograph share the work and learn nothing of each other. To ask for it one
must have the photograph, or the token of its upload.
"""

import dataclasses
import functools
import hashlib
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

from cachetools import TTLCache

from engine.answer import Answer
from engine.pipeline import QueryFeatures
from engine.surf import SurfParams
from ui.uploads import MAX_AGE

MAX_BYTES = 512 * 2**20


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """What the words of a picture follow from.

    Attributes
    ----------
    collection, stamp : str
        The index whose vocabulary and size it is, and its state.
    sha256 : str
        Digest of the picture's file.
    surf : SurfParams
        Detector and descriptor.
    """

    collection: str
    stamp: str
    sha256: str
    surf: SurfParams


@dataclasses.dataclass(frozen=True, slots=True)
class SearchKey:
    """What an answer follows from.

    Attributes
    ----------
    query : Key
        The picture's.
    method : str
        How the collection is ranked.
    off : tuple of int
        Words that are left out of the query.
    areas : tuple of (left, top, right, bottom)
        Parts of the picture that are left out of it.
    """

    query: Key
    method: str
    off: tuple[int, ...] = ()
    areas: tuple[tuple[int, int, int, int], ...] = ()


def n_bytes(record: object) -> int:
    """Add up the arrays of a record and of the records, sequences and mappings within it."""
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return sum(n_bytes(getattr(record, field.name)) for field in dataclasses.fields(record))
    if isinstance(record, Mapping):
        return sum(map(n_bytes, record.values()))
    if isinstance(record, list | tuple):
        return sum(map(n_bytes, record))
    return int(getattr(record, "nbytes", 0))


K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Store(Generic[K, V]):
    """What was computed for all visitors, the least recently used given up first.

    Parameters
    ----------
    max_bytes : int
        Of all together; the last one is kept however large it is.
    max_age : float
        Seconds after which an unused one is forgotten.
    clock : callable
        Seconds, rising.
    """

    def __init__(
        self,
        max_bytes: int = MAX_BYTES,
        max_age: float = MAX_AGE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lock = threading.Lock()
        self._kept: TTLCache[K, V] = TTLCache(
            max_bytes, max_age, clock, lambda value: min(n_bytes(value), max_bytes)
        )
        self._making: dict[K, threading.Event] = {}

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return what is kept under a key, or make it; several who ask at once wait for one."""
        while True:
            with self._lock:
                self._kept.expire()
                found = self._kept.get(key)
                if found is not None:
                    self._kept[key] = found  # its age counts from now
                    return found
                others = self._making.get(key)
                if others is None:
                    mine = self._making[key] = threading.Event()
                    break
            others.wait()
        try:
            made = make()
            with self._lock:
                self._kept[key] = made
            return made
        finally:
            with self._lock:
                del self._making[key]
            mine.set()

    def __contains__(self, key: K) -> bool:
        with self._lock:
            return key in self._kept

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._kept.clear()


STORE: Store[Key, QueryFeatures] = Store()
ANSWERS: Store[SearchKey, Answer] = Store(MAX_BYTES // 4)


@functools.lru_cache(maxsize=256)
def _digest(path: str, state: tuple[int, int, int]) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_digest(path: Path) -> str:
    """Return the digest of a file; it is read again only when it has changed on disk."""
    found = path.stat()
    return _digest(str(path), (found.st_ino, found.st_size, found.st_mtime_ns))
