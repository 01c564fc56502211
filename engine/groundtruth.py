"""Ground truth: which images are right answers to which query.

A csv with the columns ``query,relevant,label``. Labels good, ok and same are right; junk is
ignored, neither right nor wrong. An optional column ``landmark`` names the group of a query.
"""

import csv
import dataclasses
import io
from collections.abc import Iterable
from pathlib import Path

from engine.errors import GroundTruthError, reason
from engine.index import Index
from engine.language import tr, trn

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
class Line:
    """A line of the csv, as it stands there.

    Attributes
    ----------
    number : int
        Of the line in the file, from 1.
    query, relevant, label, landmark : str
        Its columns; landmark is empty where there is none.
    """

    number: int
    query: str
    relevant: str
    label: str
    landmark: str


def read_lines(path: Path, data: bytes | None = None) -> list[Line]:
    """Return the lines of a csv, or of what it holds (`data`)."""
    try:
        text = (path.read_bytes() if data is None else data).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        told = tr("{path} cannot be read: {why}", path=path, why=reason(error))
        raise GroundTruthError(told) from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        return _parse(path, reader)
    except csv.Error as error:
        told = tr("{path}, line {number}: {why}", path=path, number=reader.line_num, why=error)
        raise GroundTruthError(told) from None


def _parse(path: Path, reader: "csv.DictReader[str]") -> list[Line]:
    missing = [c for c in ("query", "relevant", "label") if c not in (reader.fieldnames or ())]
    if missing:
        raise GroundTruthError(
            tr(
                "{path} lacks the column {columns}: its first line must be {heading}",
                path=path,
                columns=", ".join(missing),
                heading="query,relevant,label",
            )
        )
    lines = [
        Line(
            number=reader.line_num,
            query=(row["query"] or "").strip(),
            relevant=(row["relevant"] or "").strip(),
            label=(row["label"] or "").strip(),
            landmark=(row.get("landmark") or "").strip(),
        )
        for row in reader
    ]
    if not lines:
        raise GroundTruthError(tr("{path} holds no line below its heading", path=path))
    return lines


class Names:
    """Find the images of an index by what a ground truth calls them."""

    def __init__(self, index: Index, beside: Path) -> None:
        self._root, self._beside = index.root, beside
        self._by_path = {entry.path: i for i, entry in enumerate(index.images)}
        self._by_name: dict[str, list[int]] = {}
        for i, entry in enumerate(index.images):
            self._by_name.setdefault(entry.path.rsplit("/", 1)[-1], []).append(i)
        self._skipped = {entry.path for entry in index.skipped}

    def _below_root(self, name: str) -> str | None:
        if "\0" in name:  # no path, and an error in every look for one
            return None
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

    def n_called(self, name: str) -> int:
        """Return how many images carry this file name, wherever they lie."""
        return len(self._by_name.get(name.rsplit("/", 1)[-1], []))

    def was_skipped(self, name: str) -> bool:
        """Tell whether the build had to leave this picture out."""
        return name in self._skipped or self._below_root(name) in self._skipped


@dataclasses.dataclass(slots=True)
class _Gathered:
    """What the lines of one query have told so far."""

    first: Line
    labels: dict[int, str] = dataclasses.field(default_factory=dict)
    skipped: set[str] = dataclasses.field(default_factory=set)
    n_missing: int = 0
    faulty: bool = False

    def take(self, line: Line, names: Names, index: Index) -> str | None:
        """Take a line in; return what is wrong with it, if anything."""
        fault = self._take(line, names, index)
        self.faulty = self.faulty or fault is not None
        return fault

    def _take(self, line: Line, names: Names, index: Index) -> str | None:
        for column in ("query", "relevant"):
            if not getattr(line, column):
                return tr("the column {column} is empty", column=column)
        if line.label not in LABELS:
            return tr("label {label!r} is none of {labels}", label=line.label, labels=LABELS)
        if line.landmark != self.first.landmark:
            return tr(
                "landmark {landmark!r} of {query!r} is {other!r} on line {number}",
                landmark=line.landmark,
                query=line.query,
                other=self.first.landmark,
                number=self.first.number,
            )
        image_id = names.find(line.relevant)
        if image_id is None and names.was_skipped(line.relevant):
            if line.relevant in self.skipped:
                return _double(line)
            self.skipped.add(line.relevant)
            self.n_missing += line.label in RIGHT
        elif image_id is None:
            if (n_called := names.n_called(line.relevant)) > 1:
                return tr(
                    "{name!r} may be {n} images: write its path", name=line.relevant, n=n_called
                )
            return tr("{name!r} is not in index {index!r}", name=line.relevant, index=index.name)
        elif image_id in self.labels:
            return _double(line)
        else:
            self.labels[image_id] = line.label
        return None


def _double(line: Line) -> str:
    return tr("{relevant!r} stands twice for {query!r}", relevant=line.relevant, query=line.query)


def read(
    path: Path, index: Index, data: bytes | None = None, *, inside: bool = False
) -> list[Query]:
    """Read a ground truth for an index.

    Parameters
    ----------
    path : Path
        The csv. Its queries and images are paths below the collection's folder or beside the
        csv, or file names that occur once in the collection.
    index : Index
        The collection.
    data : bytes or None
        What the csv holds; None reads it.
    inside : bool
        Whether queries must be pictures of the collection. For a csv that somebody sends, which
        must not name other files of this machine.

    Returns
    -------
    list of Query
        In the order of the file.

    Raises
    ------
    GroundTruthError
        With the lines that cannot be used: unknown images and queries, unknown labels, double
        lines, landmarks that contradict each other, queries without a right answer (these stand
        under the query's first line).
    """
    names = Names(index, path.resolve().parent)
    gathered: dict[str, _Gathered] = {}
    faults: list[tuple[int, str]] = []
    for line in read_lines(path, data):
        told = gathered.setdefault(line.query, _Gathered(line))
        if (fault := told.take(line, names, index)) is not None:
            faults.append((line.number, fault))
    result = []
    for told in gathered.values():
        query = _query(told, names, index, path)
        result.append(query)
        if told.first.query and query.image_id is None and (inside or not query.path.is_file()):
            faults.append((told.first.number, _unknown(query, names, index, path, inside)))
        if not told.faulty and not query.positives and not query.n_missing:
            fault = tr("the query {name!r} has no right answer", name=query.name)
            faults.append((told.first.number, fault))
    if faults:
        lines = "".join(f"\n  {line}" for line in _told(faults))
        raise GroundTruthError(tr("{path} cannot be used:", path=path) + lines)
    return _with_landmarks(result)


def _query(told: _Gathered, names: Names, index: Index, path: Path) -> Query:
    name = told.first.query
    image_id = names.find(name)
    if image_id is not None:
        told.labels.pop(image_id, None)  # the query itself is left out
    picture = path.resolve().parent / name if image_id is None else index.picture_path(image_id)
    return Query(name, image_id, picture, told.labels, told.n_missing, told.first.landmark)


def _unknown(query: Query, names: Names, index: Index, path: Path, inside: bool) -> str:
    """Say why a query is none."""
    name = query.name
    if (n_called := names.n_called(name)) > 1:
        return tr("the query {name!r} may be {n} images: write its path", name=name, n=n_called)
    if inside:
        return tr("the query {name!r} is not in the index {index!r}", name=name, index=index.name)
    return tr(
        "the query {name!r} is neither in the index nor beside {file}", name=name, file=path.name
    )


def _told(faults: list[tuple[int, str]]) -> list[str]:
    """Put faults line by line, no more than a person reads."""
    ordered = sorted(faults, key=lambda fault: fault[0])
    lines = [
        tr("line {number}: {fault}", number=number, fault=fault)
        for number, fault in ordered[:MOST_LINES_TOLD]
    ]
    n_more = len(ordered) - MOST_LINES_TOLD
    return lines + [trn("and {n} more", "and {n} more", n_more)] * (n_more > 0)


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
