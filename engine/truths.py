"""Ground truths that are kept and made on screen: ``artifacts/groundtruths/NAME.csv``.

The csv holds right answers and junk, as `groundtruth.read` takes them. What was looked at and found
wrong needs no line there; it stands in ``NAME.looked.json`` beside it, with the queries that have
no right answer yet, so that who goes on sees what was done.
"""

import contextlib
import csv
import dataclasses
import fcntl
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from engine import artifacts, groundtruth
from engine.errors import ArtifactError, ConflictError, GroundTruthError, reason
from engine.groundtruth import RIGHT, Line, Names
from engine.index import Index
from engine.language import tr

MARKS = ("right", "wrong", "junk")
MAX_BYTES = 8 * 2**20  # of a csv that is sent
_HEADING = ("query", "relevant", "label")

Marks: TypeAlias = Mapping[str, Mapping[str, str]]


@dataclasses.dataclass(frozen=True, slots=True)
class Truth:
    """A ground truth as it was opened.

    Attributes
    ----------
    name : str
        Of the file, without its ending.
    digest : str
        sha256 of what was read; empty if there is no such file yet.
    marks : mapping of str to mapping of str to str
        For each query, its picture's path in the collection, and for each picture looked at, by
        its path, one of MARKS.
    lines : tuple of Line
        Of the csv, as they stand there.
    """

    name: str
    digest: str
    marks: Marks
    lines: tuple[Line, ...]

    @property
    def queries(self) -> tuple[str, ...]:
        """Queries that have a right answer, so that they count."""
        return tuple(q for q, told in self.marks.items() if "right" in told.values())


def truths_folder() -> Path:
    """Return where ground truths lie."""
    return artifacts.artifacts_folder() / "groundtruths"


def path_of(name: str) -> Path:
    """Return the csv of a ground truth; a ValueError if the name is none."""
    return truths_folder() / f"{artifacts.check_name(name)}.csv"


def _looked_path(name: str) -> Path:
    return truths_folder() / f"{artifacts.check_name(name)}.looked.json"


def list_truths() -> list[str]:
    """Return the names of all ground truths that are kept, sorted."""
    folder = truths_folder()
    found = []
    for path in folder.glob("*.csv") if folder.is_dir() else ():
        with contextlib.suppress(ValueError):
            found.append(artifacts.check_name(path.stem))
    return sorted(found)


def _files(name: str) -> tuple[bytes | None, bytes | None]:
    """Return what lies on disk: the csv and what was looked at; None where there is nothing.

    Without its csv a ground truth is not there: what was looked at is then left from another.
    """
    read: list[bytes | None] = []
    for path in (path_of(name), _looked_path(name)):
        try:
            read.append(path.read_bytes())
        except FileNotFoundError:
            read.append(None)
        except OSError as error:
            raise ArtifactError(
                tr(
                    "{path} cannot be read ({why}). Put it back, or delete it",
                    path=path,
                    why=reason(error),
                )
            ) from None
    return (None, None) if read[0] is None else (read[0], read[1])


def _digest(files: tuple[bytes | None, bytes | None]) -> str:
    if files[0] is None:
        return ""
    told = hashlib.sha256(files[0])
    told.update(b"\0" + (files[1] or b""))
    return told.hexdigest()


def _looked(name: str, data: bytes | None) -> dict[str, dict[str, str]]:
    """Return what was looked at. It is a help alone: what cannot be read is left out."""
    with contextlib.suppress(ValueError, RecursionError):
        held = json.loads(data or b"{}")
        if isinstance(held, dict) and isinstance(held.get("queries", {}), dict):
            return {
                query: {p: m for p, m in told.items() if m in MARKS}
                for query, told in held.get("queries", {}).items()
                if isinstance(told, dict)
            }
    path = _looked_path(name)
    raise ArtifactError(tr("{path} is damaged. Delete it: the csv holds what counts", path=path))


def digest_of(name: str) -> str:
    """Return `Truth.digest` of what lies on disk, whether or not any collection can use it."""
    return _digest(_files(name))


def csv_of(truth: Truth) -> bytes:
    """Return the csv of a ground truth as it lies on disk; where it is gone, as it was opened."""
    with contextlib.suppress(ArtifactError):
        data = _files(truth.name)[0]
        if data is not None:
            return data
    return _csv(list(truth.lines))


def open_truth(name: str, index: Index) -> Truth:
    """Read a ground truth to go on with it; where there is none, an empty one.

    Raises
    ------
    GroundTruthError
        If the csv cannot be used with this collection: the message names its lines.
    ArtifactError
        If it cannot be read.
    """
    return _understood(name, _files(name), index)


def _understood(name: str, files: tuple[bytes | None, bytes | None], index: Index) -> Truth:
    path = path_of(name)
    data = files[0]
    lines: tuple[Line, ...] = ()
    marks: dict[str, dict[str, str]] = {}
    if data is not None and not _is_heading_alone(data):
        lines = tuple(groundtruth.read_lines(path, data))
        for query in groundtruth.read(path, index, data, inside=True):
            asked = index.images[query.image_id or 0].path
            if asked in marks:
                raise GroundTruthError(
                    tr(
                        "{path} names the query {query!r} in two ways: keep one",
                        path=path,
                        query=asked,
                    )
                )
            marks[asked] = {
                index.images[i].path: "right" if label in RIGHT else "junk"
                for i, label in query.labels.items()
            }
    known = {entry.path for entry in index.images}
    for asked, told in _looked(name, files[1]).items():
        if asked in known:
            kept = marks.setdefault(asked, {})
            for picture, mark in told.items():
                if picture in known:
                    kept.setdefault(picture, mark)
    return Truth(name, _digest(files), marks, lines)


def _is_heading_alone(data: bytes) -> bool:
    return data.strip() == ",".join(_HEADING).encode()


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    """Wait for the right to write; a dead writer's right ends with it."""
    folder = truths_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("a")
    except OSError as error:
        told = tr("{folder} cannot be written to: {why}", folder=folder, why=reason(error))
        raise ArtifactError(told) from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _write(name: str, data: bytes, looked: bytes) -> None:
    try:
        artifacts.write_bytes(_looked_path(name), looked)
        artifacts.write_bytes(path_of(name), data)
    except OSError as error:
        told = tr("{path} cannot be written: {why}", path=path_of(name), why=reason(error))
        raise ArtifactError(told) from None


def save(name: str, digest: str, changes: Marks, index: Index) -> Truth:
    """Write the marks of some queries down; those of all others stay as they are.

    Lines of the csv that need no change stay word for word: labels ok and same, landmarks, and
    pictures that the collection had to skip.

    Parameters
    ----------
    name : str
        The ground truth, there already or not.
    digest : str
        Of what was opened, so that nobody's work is lost.
    changes : mapping of str to mapping of str to str
        All marks of each changed query, as `Truth.marks`.
    index : Index
        The collection.

    Returns
    -------
    Truth
        As it is now.

    Raises
    ------
    ConflictError
        If it has changed since it was opened; nothing is written.
    ValueError
        If a mark or a picture is none.
    """
    _check(changes, index)
    with _locked():
        now = _files(name)
        if _digest(now) != digest:
            raise ConflictError(_changed(name, now))
        before = _understood(name, now, index)
        marks = {**before.marks, **changes}
        names = Names(index, truths_folder().resolve())
        by_query: dict[str, list[Line]] = {}
        for line in before.lines:
            image_id = names.find(line.query)
            by_query.setdefault(index.images[image_id or 0].path, []).append(line)
        lines: list[Line] = []
        for asked, told in marks.items():
            old = by_query.get(asked, [])
            lines += _lines(asked, told, old, names, index) if asked in changes else old
        data, looked = _csv(lines), _looked_bytes(marks)
        written = _understood(name, (data, looked), index)  # never write what cannot be read
        if _plain(written.marks) != _plain(marks):
            raise GroundTruthError(tr("these marks cannot be written as a csv: a path is unusual"))
        _write(name, data, looked)
    return written


def _changed(name: str, now: tuple[bytes | None, bytes | None]) -> str:
    if _digest(now):
        return tr(
            "the ground truth {name!r} was saved by someone else since you opened it", name=name
        )
    return tr(
        "the ground truth {name!r} was deleted by someone else since you opened it", name=name
    )


def delete(name: str, digest: str) -> None:
    """Delete a ground truth: its csv, and what was looked at.

    It is gone with its csv: who is cut off after that leaves nothing that is read again.

    Parameters
    ----------
    name : str
        The ground truth.
    digest : str
        Of what was seen of it last, so that nobody's later work is lost; see `digest_of`.

    Raises
    ------
    ConflictError
        If it has changed since then, or is gone; nothing is deleted.
    ArtifactError
        If it cannot be deleted.
    """
    with _locked():
        now = _files(name)
        if now[0] is None or _digest(now) != digest:
            raise ConflictError(_changed(name, now))
        try:
            path_of(name).unlink()
        except OSError as error:
            told = tr("{path} cannot be deleted: {why}", path=path_of(name), why=reason(error))
            raise ArtifactError(told) from None
        with contextlib.suppress(OSError):  # not read any more
            _looked_path(name).unlink()


def _plain(marks: Marks) -> dict[str, dict[str, str]]:
    return {asked: dict(told) for asked, told in marks.items() if told}


def _check(changes: Marks, index: Index) -> None:
    known = {entry.path for entry in index.images}
    for asked, told in changes.items():
        for picture, mark in told.items():
            if mark not in MARKS or not {asked, picture} <= known or asked == picture:
                fault = tr(
                    "{picture!r} cannot be marked {mark!r} for {query!r}",
                    picture=picture,
                    mark=mark,
                    query=asked,
                )
                raise ValueError(fault)


def _lines(
    asked: str, told: Mapping[str, str], old: list[Line], names: Names, index: Index
) -> list[Line]:
    """Return the lines of one query: the old ones where they still hold, then the new."""
    kept, done = [], set()
    for line in old:
        image_id = names.find(line.relevant)
        picture = None if image_id is None else index.images[image_id].path
        if picture is None or picture == asked:
            kept.append(line)
            continue
        done.add(picture)
        mark = told.get(picture)
        if mark in ("right", "junk"):
            same = (mark == "right") == (line.label in RIGHT)
            label = line.label if same else _label(mark)
            kept.append(dataclasses.replace(line, label=label))
    called = old[0].query if old else asked
    landmark = old[0].landmark if old else ""
    for picture, mark in told.items():
        if mark != "wrong" and picture not in done:
            kept.append(Line(0, called, picture, _label(mark), landmark))
    # Without a right answer a query cannot be measured: it waits beside the csv.
    return kept if any(line.label in RIGHT for line in kept) else []


def _label(mark: str) -> str:
    return "good" if mark == "right" else "junk"


def _csv(lines: list[Line]) -> bytes:
    with_landmarks = any(line.landmark for line in lines)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_HEADING, *["landmark"] * with_landmarks])
    for line in lines:
        row = [line.query, line.relevant, line.label]
        writer.writerow([*row, *[line.landmark] * with_landmarks])
    try:
        return text.getvalue().encode()
    except UnicodeEncodeError:
        raise GroundTruthError(
            tr("these marks cannot be written as a csv: a picture's path is no UTF-8. Rename it")
        ) from None


def _looked_bytes(marks: Marks) -> bytes:
    """Return what the csv does not hold."""
    held: dict[str, dict[str, str]] = {}
    for asked, told in marks.items():
        counts = "right" in told.values()
        left = {p: m for p, m in told.items() if m == "wrong" or not counts}
        if left:
            held[asked] = left
    return json.dumps({"kind": "looked", "queries": held}, ensure_ascii=True).encode()


def add(name: str, data: bytes, index: Index) -> str:
    """Keep a csv that somebody sends, under its name or one like it.

    Returns
    -------
    str
        The name: the one given, unless another csv has it.

    Raises
    ------
    GroundTruthError
        If it cannot be used with this collection: the message names its lines.
    """
    if len(data) > MAX_BYTES:
        raise GroundTruthError(tr("the csv is larger than {size} MB", size=MAX_BYTES // 2**20))
    groundtruth.read(path_of(name), index, data, inside=True)
    with _locked():
        free, again = name, 1
        while (there := _files(free)[0]) is not None and there != data:
            again += 1
            ending = f"-{again}"
            free = artifacts.check_name(name[: 64 - len(ending)] + ending)
        if there is None:
            _write(free, data, _looked_bytes({}))
    return free
