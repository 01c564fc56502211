"""Fetch large archives over connections that may break off."""

import contextlib
import hashlib
import http.client
import json
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from engine.errors import DownloadError, reason
from engine.language import sentences, tr, trn

if TYPE_CHECKING:
    import requests

# What is done (in the language that the one who fetches speaks), bytes done, their total if known.
Progress: TypeAlias = Callable[[str, int, int | None], None]

ATTEMPTS = 5
# A connection that breaks loses the piece under way, so pieces from the network are small.
_PIECE = 1 << 14
_TIMEOUTS = (10.0, 30.0)
_AT_MOST = 0.2  # seconds between two questions whether to stop, while nothing comes
_SPARE_BYTES = 200_000_000
_MOST_UNKNOWN = 5_000_000_000  # of a file whose length nobody published


@contextlib.contextmanager
def lock(path: Path, told: str = "") -> Iterator[None]:
    """Hold a lock file, so that two processes do not write into one download.

    The system releases it when the process ends, however it ends. `told` is the message if another
    holds it, where there is a better one.

    Raises
    ------
    DownloadError
        If another process holds it.
    """
    with path.open("w") as file:
        try:
            import fcntl
        except ImportError:  # not on Windows
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DownloadError(
                told
                or tr(
                    "another download into {folder} is running. Wait until it has finished.",
                    folder=path.parents[1],
                )
            ) from error
        yield


def fetch(
    base: str,
    names: tuple[str, ...],
    folder: Path,
    digests: dict[str, str],
    progress: Progress | None,
) -> Path:
    """Download the first of these names that the server has, and check it.

    Parameters
    ----------
    base : str
        Address of the folder that holds them.
    names : tuple of str
        Names of one file, the usual one first.
    folder : Path
        Where the file goes; must exist.
    digests : dict of str to str
        Known SHA-256 by name. The digest of a file that is not in it is added.
    progress : callable or None

    Returns
    -------
    Path
        The complete file.

    Raises
    ------
    DownloadError
        If there is no network or space, no such file, or it differs from its known digest.
    """
    for place, name in enumerate(names):
        path = folder / name
        url = f"{base.rstrip('/')}/{name}"
        try:
            _retrieve(url, path, digests.get(name), progress)
        except _NotThereError as error:
            if place + 1 < len(names):
                continue
            raise DownloadError(
                f"{url} is not there (the server answers {error}). Look for the data set's present "
                "address and set VISWORD_OXFORD5K_URL to the folder that holds the archives."
            ) from error
        _check_gzip(path)
        digests[name] = digests.get(name) or _sha256(path)
        return path
    raise ValueError("names must hold at least one name")


def fetch_known(
    urls: Sequence[str], path: Path, n_bytes: int, md5: str, progress: Progress | None
) -> str:
    """Download one published file, from the first of its addresses that gives it whole.

    What one address began another goes on with: the checksum decides in the end.

    Parameters
    ----------
    urls : sequence of str
        Addresses of the same file.
    path : Path
        Where it goes; its folder must exist. A file that lies there and is the right one is taken.
    n_bytes : int
        Its length; 0 if unknown.
    md5 : str
        Its checksum, as published; "" if none is.
    progress : callable or None
        May raise to stop: what came is kept, and the next call goes on from there.

    Returns
    -------
    str
        The address that it came from; "" if it was there.

    Raises
    ------
    DownloadError
        If no address gives the file; the message says why, of each. Nothing wrong is kept.
    """
    if path.is_file():
        if _fault(path, n_bytes, md5) is None:
            return ""
        path.unlink()
    faults: dict[str, None] = {}  # in order, each once
    new, part = path.with_name(f"{path.name}.new"), path.with_name(f"{path.name}.part")

    def told(what: str, done: int, total: int | None) -> None:
        length = done if total is None else total
        fault = None
        if n_bytes and (length > n_bytes or (total is not None and total < n_bytes)):
            fault = _other_length(length, n_bytes)
        elif not n_bytes and max(done, length) > _MOST_UNKNOWN:
            fault = tr("the server sends more than {n} GB", n=_MOST_UNKNOWN // 10**9)
        if fault is not None:
            part.unlink(missing_ok=True)
            part.with_name(f"{part.name}.json").unlink(missing_ok=True)
            raise _WrongFileError(fault)
        if progress is not None:
            progress(what, done, total or n_bytes or None)

    attempts = list(urls)
    while attempts:
        url, continued = attempts.pop(0), part.exists()
        try:
            Downloader(path, told)(url, str(new), None)
        except _NotThereError as error:
            faults[_refused(url, error)] = None
        except _WrongFileError as error:
            faults[tr("{url}: {fault}.", url=url, fault=error)] = None
        except DownloadError as error:
            faults[str(error)] = None
        else:
            fault = _fault(new, n_bytes, md5)
            if fault is None:
                new.replace(path)
                return url
            new.unlink()
            if continued:  # what another address began may be what is wrong
                attempts.insert(0, url)
                continue
            faults[tr("{url}: {fault}.", url=url, fault=fault)] = None
        if part.exists():  # of another server, so its mark says nothing to the next one
            part.with_name(f"{part.name}.json").write_text(json.dumps({"mark": ""}))
    raise DownloadError(sentences(tr("{file} could not be fetched.", file=path.name), *faults))


def _fault(path: Path, n_bytes: int, md5: str) -> str | None:
    """Say why a file is not the one that was published; None if it is."""
    length = path.stat().st_size
    if n_bytes and length != n_bytes:
        return _other_length(length, n_bytes)
    if md5 and md5_of(path) != md5:
        return tr("what came has another checksum (MD5) than the published file, and was deleted")
    return None


def _other_length(length: int, n_bytes: int) -> str:
    return trn(
        "the server sends {n:,} byte instead of {right:,}: another file, or a page of the network "
        "that asks you to sign in",
        "the server sends {n:,} bytes instead of {right:,}: another file, or a page of the network "
        "that asks you to sign in",
        length,
        right=n_bytes,
    )


def _refused(url: str, status: object) -> str:
    return tr("{url}: the server answers {status}.", url=url, status=status)


def md5_of(path: Path) -> str:
    """Return the MD5 of a file: what publishers name, good against accidents only."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


class _NotThereError(Exception):
    """The server answers that it has no such file: its status."""


class _WrongFileError(Exception):
    """What the server sends is not the file: why."""


def _retrieve(url: str, path: Path, sha256: str | None, progress: Progress | None) -> None:
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)
    try:
        pooch.retrieve(
            url,
            known_hash=sha256 and f"sha256:{sha256}",
            fname=path.name,
            path=path.parent,
            downloader=Downloader(path, progress),
        )
    except ValueError as error:
        raise DownloadError(
            f"{url} is not the file that was downloaded the first time (its SHA-256 differs). "
            "If the data set has a new version, name a new folder for it."
        ) from error


class Downloader:
    """A downloader for pooch that goes on where an earlier attempt stopped.

    Beside the target stand ``NAME.part`` with the bytes so far and ``NAME.part.json`` with the
    server's mark of that version (its ETag or date): a part is only ever continued with bytes
    of the same version.

    Parameters
    ----------
    target : Path
        Where the complete file will be.
    progress : callable or None
        Called while bytes come, and again and again while they do not; may raise to stop.
    """

    def __init__(self, target: Path, progress: Progress | None) -> None:
        self._target = target
        self._part = target.with_name(f"{target.name}.part")
        self._mark = target.with_name(f"{target.name}.part.json")
        self._progress = progress
        self._total: int | None = None

    def __call__(self, url: str, output_file: str, _pooch: Any) -> None:
        """Download `url` into `output_file`, which pooch checks and renames."""
        import requests

        last: Exception | None = None
        failures = 0
        # Where nothing comes at all there is most likely no network, and people should know soon.
        while failures < (ATTEMPTS if self._n_bytes() else 2):
            before = self._n_bytes()
            try:
                self._attempt(url)
                self._part.replace(output_file)
                self._mark.unlink(missing_ok=True)
                return
            except (
                requests.exceptions.InvalidURL,
                requests.exceptions.InvalidSchema,
                requests.exceptions.MissingSchema,
            ) as error:
                raise DownloadError(
                    tr(
                        "{url} is no web address ({why}). Check how it is written.",
                        url=url,
                        why=error,
                    )
                ) from error
            except requests.exceptions.RequestException as error:
                last = error
                # A connection that brought something is worth as many attempts again.
                failures = 1 if self._n_bytes() > before else failures + 1
                if failures < ATTEMPTS:
                    self._wait(_pause(failures))
        kept = self._n_bytes()
        if not kept:
            raise DownloadError(
                tr(
                    "cannot reach {url}: {why}. Check the network connection, and whether a proxy "
                    "must be named in HTTPS_PROXY, then run the same command again.",
                    url=url,
                    why=_reason(last),
                )
            ) from last
        raise DownloadError(
            tr(
                "the download of {url} broke off after {size:.0f} MB: {why}. Run the same command "
                "again; it goes on where it stopped.",
                url=url,
                size=kept / 1e6,
                why=_reason(last),
            )
        ) from last

    def _wait(self, seconds: float) -> None:
        """Let some time pass before the next attempt; a progress that raises ends it."""
        end = time.monotonic() + seconds
        while True:
            self._tell(self._n_bytes())
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _AT_MOST))

    def _tell(self, done: int) -> None:
        if self._progress is not None:
            self._progress(tr("Downloading {file}", file=self._target.name), done, self._total)

    def _n_bytes(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _attempt(self, url: str) -> None:
        import requests

        mark = _read_mark(self._mark)
        start = 0 if mark is None else self._n_bytes()
        # Without "identity", a server may pack the archive once more and count other bytes.
        headers = {"Accept-Encoding": "identity", "User-Agent": "visword"}
        if start:
            headers["Range"] = f"bytes={start}-"
        if start and mark:
            headers["If-Range"] = mark
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUTS) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                if response.headers.get("Content-Range") == f"bytes */{start}":
                    return  # all of it came before
                self._part.unlink(missing_ok=True)
                raise requests.exceptions.ConnectionError(tr("the part did not fit; starting anew"))
            if response.status_code in (404, 410):
                raise _NotThereError(str(response.status_code))
            if 400 <= response.status_code < 500 and response.status_code not in (408, 429):
                raise DownloadError(_refused(url, response.status_code))
            if not response.ok:
                raise requests.exceptions.HTTPError(
                    tr(
                        "the server answers {status} ({said})",
                        status=response.status_code,
                        said=response.reason,
                    )
                )
            start, total = _range_of(response, start)
            self._receive(response, start, total)

    def _receive(self, response: "requests.Response", start: int, total: int | None) -> None:
        import requests

        self._total = total
        if total is not None:
            _require_space(self._part.parent, 2 * total - start)
        if not start:
            self._part.unlink(missing_ok=True)
            self._mark.write_text(json.dumps({"mark": _mark_of(response)}))
        with self._part.open("r+b" if start else "wb") as file:
            file.seek(start)
            file.truncate()
            done = start
            for chunk in response.iter_content(_PIECE):
                file.write(chunk)
                done += len(chunk)
                self._tell(done)
        if total is not None and done != total:
            raise requests.exceptions.ConnectionError(
                tr("{done:,} of {total:,} bytes came", done=done, total=total)
            )


def _pause(failures: int) -> float:
    """Return the seconds to wait before the next attempt."""
    return min(float(2**failures) / 2, 8.0)


def _read_mark(path: Path) -> str | None:
    """Return the mark of the part beside, "" where the server gave none, None without a part."""
    try:
        mark = json.loads(path.read_text())["mark"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return mark if isinstance(mark, str) else None


def _mark_of(response: "requests.Response") -> str:
    """Return the server's name of this version; a weak ETag does not vouch for single bytes."""
    etag = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else response.headers.get("Last-Modified", "")


def _range_of(response: "requests.Response", asked: int) -> tuple[int, int | None]:
    """Return where the coming bytes start, and the size of the whole file where it is told."""
    import requests

    if response.status_code != requests.codes.partial_content:
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdecimal() else None
    span, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    if span.partition("-")[0] != str(asked):
        raise requests.exceptions.ConnectionError(
            tr("the server sent another range than asked for")
        )
    return asked, int(total) if total.isdecimal() else None


def _reason(error: Exception | None) -> str:
    """Return the innermost reason of a failed request, which is the one people can read."""
    seen: BaseException | None = error
    while seen is not None and (seen.__cause__ or seen.__context__) is not None:
        seen = seen.__cause__ or seen.__context__
    if isinstance(seen, http.client.IncompleteRead):
        return tr("the connection was closed before the end")
    text = (reason(seen) if seen is not None else "") or type(seen).__name__
    return " ".join(text.split())[:200]


def _require_space(folder: Path, n_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < n_bytes + _SPARE_BYTES:
        raise DownloadError(
            tr(
                "{folder} has {free:.1f} GB free, but the download and what is made of it need "
                "{needed:.1f} GB. Free some space or name another folder.",
                folder=folder,
                free=free / 1e9,
                needed=(n_bytes + _SPARE_BYTES) / 1e9,
            )
        )


def _check_gzip(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(2)
    if start != b"\x1f\x8b":
        path.unlink()
        raise DownloadError(
            f"what came as {path.name} is no gzip archive (perhaps a page of the network that "
            "asks you to sign in). Open the address in a browser, then run the same command again."
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
