"""Query pictures taken as far as their words: once for pages and routes, while someone looks.

What is kept is named by the file's content, never by who brought it, and holds no file's name: two
visitors with the same photograph share the work and learn nothing of each other. To ask for it one
must have the photograph, or the token of its upload.
"""

import dataclasses
import functools
import hashlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cachetools import TTLCache

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


def _n_bytes(query: QueryFeatures) -> int:
    parts = (query.image, query.features, query.words, query.bag)
    values = [getattr(part, field.name) for part in parts for field in dataclasses.fields(part)]
    return sum(int(getattr(value, "nbytes", 0)) for value in values)


class QueryStore:
    """The described pictures of all visitors, the least recently used given up first.

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
        self._kept: TTLCache[Key, QueryFeatures] = TTLCache(
            max_bytes, max_age, clock, lambda query: min(_n_bytes(query), max_bytes)
        )
        self._making: dict[Key, threading.Event] = {}

    def get(self, key: Key, make: Callable[[], QueryFeatures]) -> QueryFeatures:
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
            made = dataclasses.replace(made, image=dataclasses.replace(made.image, name=""))
            with self._lock:
                self._kept[key] = made
            return made
        finally:
            with self._lock:
                del self._making[key]
            mine.set()

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._kept.clear()


STORE = QueryStore()


@functools.lru_cache(maxsize=256)
def _digest(path: str, state: tuple[int, int, int]) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_digest(path: Path) -> str:
    """Return the digest of a file; it is read again only when it has changed on disk."""
    found = path.stat()
    return _digest(str(path), (found.st_ino, found.st_size, found.st_mtime_ns))
