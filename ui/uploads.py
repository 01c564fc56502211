"""Visitors' own pictures: in memory, for a while, each under a name that cannot be guessed."""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import TTLCache

from engine import images

MAX_BYTES = 256 * 2**20
MAX_AGE = 2 * 3600.0  # seconds since last use


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture that someone uploaded.

    Attributes
    ----------
    name : str
        The file's name, as shown to people. It is never a path.
    data : bytes
        The file.
    sha256 : str
        Its digest, in hexadecimal.
    """

    name: str
    data: bytes
    sha256: str


class UploadStore:
    """The uploads of all visitors, the least recently used given up first.

    Parameters
    ----------
    max_bytes : int
        Of all uploads together.
    max_age : float
        Seconds after which an unused upload is forgotten.
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
        self._kept: TTLCache[str, Upload] = TTLCache(
            max_bytes, max_age, clock, lambda upload: min(len(upload.data), max_bytes)
        )

    def keep(self, name: str, data: bytes) -> str:
        """Keep a picture and return its token, which alone gives access to it.

        Raises
        ------
        ImageError
            If it is no picture that can be read, or too large.
        """
        images.probe(data, name)
        found = Upload(name, data, hashlib.sha256(data).hexdigest())
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._kept[token] = found
        return token

    def get(self, token: str) -> Upload | None:
        """Return the picture of a token; None if there is none, or no longer."""
        with self._lock:
            self._kept.expire()
            found = self._kept.get(token)
            if found is not None:
                self._kept[token] = found  # its age counts from now
            return found


STORE = UploadStore()
