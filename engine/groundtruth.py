"""Ground truth: which images are right answers to which query.

A csv with the columns ``query,relevant,label``. Labels good, ok and same are right; junk is
ignored, neither right nor wrong. An optional column ``landmark`` names the group of a query.
"""

import csv
import dataclasses
from collections.abc import Iterable
from pathlib import Path

from engine.errors import GroundTruthError
from engine.index import Index

RIGHT = ("good", "ok", "same")
LABELS = (*RIGHT, "junk")
MOST_LINES_TOLD = 10


@dataclasses.dataclass(frozen=True, slots=True)
class Query:
    """One query and what is known of it.

    Attributes
    ----------
    name : str
        As in the file.
    image_id : int or None
        The query's image in the index; None for an outside picture.
    path : Path
        The query's picture.
    labels : dict of int to str
        Label of each labelled image, the query itself left out.
    n_missing : int
        Right answers that the index had to skip; they count as not found.
    landmark : str
        Group of queries with answers in common.
    """

    name: str
    image_id: int | None
    path: Path
    labels: dict[int, str]
    n_missing: int
    landmark: str

    def with_label(self, labels: Iterable[str]) -> frozenset[int]:
        """Return the images that carry one of these labels."""
        wanted = frozenset(labels)
        return frozenset(i for i, label in self.labels.items() if label in wanted)

    @property
    def positives(self) -> frozenset[int]:
        """Images that are right answers."""
        return self.with_label(RIGHT)

    @property
    def junk(self) -> frozenset[int]:
        """Images that count neither way."""
        return self.with_label(("junk",))


@dataclasses.dataclass(frozen=True, slots=True)
class _Line:
    number: int
    query: str
    relevant: str
    label: str
    landmark: str


def _read_lines(path: Path) -> list[_Line]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise GroundTruthError(f"{path} cannot be read: {error}") from None
    reader = csv.DictReader(text.splitlines())
    missing = [c for c in ("query", "relevant", "label") if c not in (reader.fieldnames or ())]
    if missing:
        raise GroundTruthError(
            f"{path} lacks the column {', '.join(missing)}: its first line must be "
            "query,relevant,label"
        )
    lines = [
        _Line(
            number=reader.line_num,
            query=(row["query"] or "").strip(),
            relevant=(row["relevant"] or "").strip(),
            label=(row["label"] or "").strip(),
            landmark=(row.get("landmark") or "").strip(),
        )
        for row in reader
    ]
    if not lines:
        raise GroundTruthError(f"{path} holds no line below its heading")
    return lines


class _Names:
    """Find the images of an index by what a ground truth calls them."""

    def __init__(self, index: Index, beside: Path) -> None:
        self._root, self._beside = index.root, beside
        self._by_path = {entry.path: i for i, entry in enumerate(index.images)}
        self._by_name: dict[str, list[int]] = {}
        for i, entry in enumerate(index.images):
            self._by_name.setdefault(entry.path.rsplit("/", 1)[-1], []).append(i)
        self._skipped = {entry.path for entry in index.skipped}

    def _below_root(self, name: str) -> str | None:
        resolved = (self._beside / name).resolve()
        if resolved.is_relative_to(self._root):
            return resolved.relative_to(self._root).as_posix()
        return None

    def find(self, name: str) -> int | None:
        """Find by path in the collection, then beside the csv, then by a unique file name."""
        below = self._below_root(name)
        if below is not None and below in self._by_path:
            return self._by_path[below]
        if name in self._by_path:
            return self._by_path[name]
        same = self._by_name.get(name.rsplit("/", 1)[-1], [])
        return same[0] if len(same) == 1 else None

    def was_skipped(self, name: str) -> bool:
        return name in self._skipped or self._below_root(name) in self._skipped


def read(path: Path, index: Index) -> list[Query]:
    """Read a ground truth for an index.

    Parameters
    ----------
    path : Path
        The csv. Its queries and images are paths below the collection's folder or beside the
        csv, or file names that occur once in the collection.
    index : Index
        The collection.

    Returns
    -------
    list of Query
        In the order of the file.

    Raises
    ------
    GroundTruthError
        With the lines that cannot be used: unknown images, unknown labels, double lines,
        queries without a right answer.
    """
    beside = path.resolve().parent
    names = _Names(index, beside)
    faults: list[str] = []
    queries: dict[str, dict[int, str]] = {}
    missing: dict[str, int] = {}
    landmarks: dict[str, str] = {}
    for line in _read_lines(path):
        labels = queries.setdefault(line.query, {})
        landmarks.setdefault(line.query, line.landmark)
        image_id = names.find(line.relevant)
        if line.label not in LABELS:
            faults.append(f"line {line.number}: label {line.label!r} is none of {LABELS}")
        elif image_id is None and names.was_skipped(line.relevant):
            missing[line.query] = missing.get(line.query, 0) + (line.label in RIGHT)
        elif image_id is None:
            faults.append(f"line {line.number}: {line.relevant!r} is not in index {index.name!r}")
        elif image_id in labels:
            faults.append(f"line {line.number}: {line.relevant!r} stands twice for {line.query!r}")
        else:
            labels[image_id] = line.label
    result = []
    for name, labels in queries.items():
        image_id = names.find(name)
        picture = beside / name if image_id is None else index.picture_path(image_id)
        if image_id is None and not picture.is_file():
            faults.append(f"the query {name!r} is neither in the index nor beside {path.name}")
        if image_id is not None:
            labels.pop(image_id, None)
        query = Query(name, image_id, picture, labels, missing.get(name, 0), landmarks[name])
        if not query.positives and not query.n_missing:
            faults.append(f"the query {name!r} has no right answer")
        result.append(query)
    if faults:
        more = len(faults) - MOST_LINES_TOLD
        told = faults[:MOST_LINES_TOLD] + ([f"and {more} more"] if more > 0 else [])
        raise GroundTruthError(f"{path} cannot be used:\n  " + "\n  ".join(told))
    return _with_landmarks(result)


def _with_landmarks(queries: list[Query]) -> list[Query]:
    """Name the groups of queries: as the file does, else by the right answers they share."""
    if all(query.landmark for query in queries):
        return queries
    group_of: dict[int, int] = {}
    groups = list(range(len(queries)))

    def top(group: int) -> int:
        while groups[group] != group:
            group = groups[group]
        return group

    for place, query in enumerate(queries):
        own = frozenset() if query.image_id is None else frozenset((query.image_id,))
        for image_id in query.positives | own:
            groups[top(place)] = top(group_of.setdefault(image_id, place))
    return [
        dataclasses.replace(query, landmark=queries[top(place)].name)
        for place, query in enumerate(queries)
    ]
