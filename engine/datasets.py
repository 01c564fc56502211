"""Folders of pictures, and the Oxford Buildings data set with its ground truth."""

import csv
import io
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import artifacts, download, unpack
from engine.errors import BuildError, DownloadError, reason
from engine.language import tr

OXFORD5K_URL = "https://www.robots.ox.ac.uk/~vgg/data/oxbuildings/"
GROUND_TRUTH = "groundtruth.csv"

# The site renamed the pictures' archive; mirrors may still carry the old name.
_PICTURES = ("oxbuild_images-v1.tgz", "oxbuild_images.tgz")
_LABELS = ("gt_files_170407.tgz",)
_RECORD = "oxford5k.json"
_WORK = ".oxford5k-download"
_LABEL_NAMES = ("good", "ok", "junk")
_QUERY_SUFFIX = "_query.txt"
# The set has 5,063 pictures in 1.94 GB (and 220 small text files); these stop an archive bomb.
_PICTURE_LIMITS = unpack.Limits(n_files=20_000, n_bytes=6_000_000_000)
_LABEL_LIMITS = unpack.Limits(n_files=1_000, n_bytes=50_000_000)


@dataclass(frozen=True, slots=True)
class FolderFile:
    """A regular file below a folder.

    Attributes
    ----------
    path : str
        Relative to the folder, with forward slashes.
    n_bytes : int
        Size.
    mtime_ns : int
        Time of its last change, in nanoseconds.
    """

    path: str
    n_bytes: int
    mtime_ns: int


def walk(
    folder: Path, unreadable: Callable[[str, str], None] | None = None
) -> Iterator[FolderFile]:
    """List all regular files below a folder, sorted by their relative paths.

    Hidden files and folders (a leading dot) are left out. A link to a regular file counts as the
    file; links to folders are not followed, so there are no loops; pipes, sockets and devices
    are told of and passed over.

    Parameters
    ----------
    folder : Path
        Where to look.
    unreadable : callable or None
        Told the relative path and the reason for each folder or file below `folder` that cannot
        be looked into.

    Returns
    -------
    iterator of FolderFile

    Raises
    ------
    BuildError
        If the folder is missing, is no folder, or cannot itself be read.
    """
    if not folder.exists():
        raise BuildError(tr("the folder {folder} does not exist. Check its name.", folder=folder))
    if not folder.is_dir():
        raise BuildError(
            tr("{folder} is a file, not a folder. Name the folder that holds it.", folder=folder)
        )
    try:
        with os.scandir(folder):
            pass
    except OSError as error:
        raise BuildError(
            tr(
                "the folder {folder} cannot be read: {why}. Ask its owner for access.",
                folder=folder,
                why=reason(error),
            )
        ) from error
    # Sorting each folder by name alone would put "a/b" before "a-b"; whole paths are compared.
    return iter(sorted(_files_below(folder, unreadable), key=lambda file: file.path))


def _files_below(
    folder: Path, unreadable: Callable[[str, str], None] | None
) -> Iterator[FolderFile]:
    waiting = [""]
    while waiting:
        below = waiting.pop()
        try:
            with os.scandir(folder / below) as entries:
                listed = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            _tell(unreadable, below.rstrip("/"), error)
            continue
        for entry in listed:
            try:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{below}{entry.name}/")
                    continue
                status = entry.stat()
            except OSError as error:
                _tell(unreadable, below + entry.name, error)
                continue
            if stat.S_ISREG(status.st_mode):
                yield FolderFile(below + entry.name, status.st_size, status.st_mtime_ns)
            elif unreadable is not None and not stat.S_ISDIR(status.st_mode):
                unreadable(below + entry.name, "it is no regular file but a pipe, socket or device")


def _tell(unreadable: Callable[[str, str], None] | None, path: str, error: OSError) -> None:
    if unreadable is not None:
        unreadable(path, error.strerror or str(error))


def oxford5k(
    folder: Path,
    base_url: str | None = None,
    progress: download.Progress | None = None,
) -> Path:
    """Download the Oxford Buildings data set and write its ground truth as a csv.

    A download that broke off goes on where it stopped. The pictures and the csv are moved into
    place only after both archives were read to their end without a fault; where they all stand
    already, nothing is done. No digests are published for these archives: the first download
    records their SHA-256 in ``oxford5k.json``, and later ones must equal it.

    Parameters
    ----------
    folder : Path
        Made where missing; must be empty or hold this data set.
    base_url : str or None
        Where the archives lie; None takes $VISWORD_OXFORD5K_URL, else the set's home.
    progress : callable or None
        Told what is going on, the bytes done, and their total where known.

    Returns
    -------
    Path
        `folder`, holding the pictures and ``groundtruth.csv`` with the columns query, relevant
        and label (good, ok, junk).

    Raises
    ------
    DownloadError
        If there is no network or too little space, or an archive is missing, damaged, changed
        or hostile.
    """
    record = _read_record(folder)
    if _is_complete(folder, record):
        return folder
    base = base_url or os.environ.get("VISWORD_OXFORD5K_URL") or OXFORD5K_URL
    work = folder / _WORK
    try:
        if not record and not work.is_dir() and folder.is_dir() and any(folder.iterdir()):
            raise DownloadError(
                f"the folder {folder} is not empty. Name a new or empty folder, for 5,000 "
                "pictures will be put there."
            )
        work.mkdir(parents=True, exist_ok=True)
        with download.lock(work / "lock"):
            digests = dict(record.get("sha256", {}))
            _fetch_and_install(folder, work, base, digests, progress)
        shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise DownloadError(
            f"cannot write to {folder}: {error.strerror or error}. Free some space or name "
            "another folder, then run the same command again; it goes on where it stopped."
        ) from error
    return folder


def _fetch_and_install(
    folder: Path,
    work: Path,
    base: str,
    digests: dict[str, str],
    progress: download.Progress | None,
) -> None:
    labels = download.fetch(base, _LABELS, work, digests, progress)
    pictures = download.fetch(base, _PICTURES, work, digests, progress)
    new = work / "unpacked"
    for place in (new / "labels", new / "pictures"):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
    unpack.unpack(labels, new / "labels", ".txt", _LABEL_LIMITS, progress)
    unpack.unpack(pictures, new / "pictures", ".jpg", _PICTURE_LIMITS, progress)
    sizes = {path.name: path.stat().st_size for path in sorted((new / "pictures").iterdir())}
    rows, missing = _ground_truth(new / "labels", frozenset(sizes))
    for name in sizes:
        (new / "pictures" / name).replace(folder / name)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("query", "relevant", "label"), *rows])
    artifacts.write_bytes(folder / GROUND_TRUTH, text.getvalue().encode())
    # Written last: only with this record does the folder count as complete.
    content = {"source": base, "sha256": digests, "pictures": sizes, "not_in_archive": missing}
    artifacts.write_bytes(folder / _RECORD, json.dumps(content, indent=1).encode())


def _read_record(folder: Path) -> dict[str, Any]:
    try:
        record = json.loads((folder / _RECORD).read_text())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _is_complete(folder: Path, record: dict[str, Any]) -> bool:
    pictures = record.get("pictures")
    if not isinstance(pictures, dict) or not pictures or not (folder / GROUND_TRUTH).is_file():
        return False
    there = {file.path: file.n_bytes for file in walk(folder)}
    return all(there.get(name) == n_bytes for name, n_bytes in pictures.items())


def _ground_truth(
    labels: Path, pictures: frozenset[str]
) -> tuple[list[tuple[str, str, str]], list[str]]:
    """Turn the official text files into rows of query, relevant and label.

    ``<landmark>_<n>_query.txt`` holds "oxc1_<picture> x1 y1 x2 y2"; ``_good``, ``_ok`` and
    ``_junk`` hold one picture a line. Also returns what they name and the archive lacks.
    """
    rows: dict[tuple[str, str], str] = {}
    missing: set[str] = set()
    queries = sorted(path for path in labels.iterdir() if path.name.endswith(_QUERY_SUFFIX))
    try:
        for path in queries:
            first = path.read_text(encoding="ascii").split()[0]
            query = f"{first.removeprefix('oxc1_')}.jpg"
            if query not in pictures:
                raise DownloadError(
                    f"the archive of pictures lacks the query {query}. Delete {labels.parents[1]} "
                    "and run the same command again."
                )
            stem = path.name.removesuffix(_QUERY_SUFFIX)
            for label in _LABEL_NAMES:
                for name in (labels / f"{stem}_{label}.txt").read_text(encoding="ascii").split():
                    pair = (query, f"{name}.jpg")
                    if pair[1] in pictures:
                        # Where two queries share one picture, the better label holds.
                        rows[pair] = min(rows.get(pair, label), label, key=_LABEL_NAMES.index)
                    else:
                        missing.add(f"{name}.jpg")
    except (OSError, UnicodeDecodeError, IndexError) as error:
        raise DownloadError(
            f"the archive of labels is not laid out as expected ({error}). Delete "
            f"{labels.parents[1]} and run the same command again."
        ) from error
    if not rows:
        raise DownloadError(
            f"the archive of labels holds no queries. Delete {labels.parents[1]} and run the "
            "same command again."
        )
    return [(query, name, label) for (query, name), label in rows.items()], sorted(missing)
