"""Two kept runs side by side: which queries got better, which worse, and whether it is chance."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine import statistics
from engine.errors import ArtifactError
from engine.language import mark, tr
from engine.runs import Run
from engine.statistics import Interval

SAME = 1e-9  # average precisions closer than this are one and the same


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """The average precision of one query before and after."""

    query: str
    landmark: str
    before: float
    after: float

    @property
    def difference(self) -> float:
        """How much it rose."""
        return self.after - self.before


@dataclasses.dataclass(frozen=True, slots=True)
class Note:
    """Something else that differs: an English text, and what stands in its places."""

    text: str
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from one run to another.

    Attributes
    ----------
    before, after : str
        Names of the runs.
    queries : tuple of Difference
        The queries that both have, by falling difference, then by name.
    mean_before, mean_after : float
        mAP over these.
    interval, interval_landmarks : tuple of float
        95 % of the mean difference: paired bootstrap over queries, and over landmarks.
    differing : tuple of Note
        What else differs between the runs and may explain the difference.
    """

    before: str
    after: str
    queries: tuple[Difference, ...]
    mean_before: float
    mean_after: float
    interval: Interval
    interval_landmarks: Interval
    differing: tuple[Note, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what else differs, in the language that is spoken."""
        return tuple(tr(note.text, **note.values) for note in self.differing)

    @property
    def difference(self) -> float:
        """How much mAP rose."""
        return self.mean_after - self.mean_before

    def count(self) -> tuple[int, int, int]:
        """Return how many queries got better, worse, and stayed as they were."""
        better = sum(q.difference > SAME for q in self.queries)
        worse = sum(q.difference < -SAME for q in self.queries)
        return better, worse, len(self.queries) - better - worse

    def to_json(self) -> dict[str, Any]:
        """Return everything in plain values."""
        better, worse, same = self.count()
        rows = [dataclasses.asdict(q) | {"difference": q.difference} for q in self.queries]
        return {
            "before": self.before,
            "after": self.after,
            "n_queries": len(self.queries),
            "mAP_before": self.mean_before,
            "mAP_after": self.mean_after,
            "difference": self.difference,
            "interval": self.interval,
            "interval_landmarks": self.interval_landmarks,
            "better": better,
            "worse": worse,
            "same": same,
            "notes": tuple(note.text.format(**note.values) for note in self.differing),
            "queries": rows,
        }


def compare(before: Run, after: Run, seed: int = 0) -> Comparison:
    """Compare two runs query by query, on the queries that both have.

    Raises
    ------
    ArtifactError
        If they have no query in common.
    """
    earlier = {r.query: r for r in before.evaluation.results}
    rows = [
        Difference(r.query, r.landmark, earlier[r.query].average_precision, r.average_precision)
        for r in after.evaluation.results
        if r.query in earlier
    ]
    if not rows:
        raise ArtifactError(
            tr(
                "the runs {before!r} ({of_before}) and {after!r} ({of_after}) have no query in "
                "common",
                before=before.name,
                of_before=before.groundtruth,
                after=after.name,
                of_after=after.groundtruth,
            )
        )
    old, new = [row.before for row in rows], [row.after for row in rows]
    landmarks = [row.landmark for row in rows]
    return Comparison(
        before=before.name,
        after=after.name,
        queries=tuple(sorted(rows, key=lambda row: (-row.difference, row.query))),
        mean_before=float(np.mean(old)),
        mean_after=float(np.mean(new)),
        interval=statistics.paired_interval(old, new, seed),
        interval_landmarks=statistics.paired_interval(old, new, seed, landmarks),
        differing=_differing(before, after, len(rows)),
    )


def _settings(before: str, after: str) -> Note:
    """Tell how the parameters differ; empty stands for the usual ones."""
    if not before:
        return Note(mark("the parameters differ (the usual; {after})"), {"after": after})
    if not after:
        return Note(mark("the parameters differ ({before}; the usual)"), {"before": before})
    told = mark("the parameters differ ({before}; {after})")
    return Note(told, {"before": before, "after": after})


def _differing(before: Run, after: Run, n_common: int) -> tuple[Note, ...]:
    """Tell what else differs."""
    notes: list[Note] = []
    values: dict[str, Any]
    counts = len(before.evaluation.results), len(after.evaluation.results)
    if counts != (n_common, n_common):
        values = {"n": n_common, "before": counts[0], "after": counts[1]}
        notes.append(
            Note(mark("compared on queries in common: {n}, of {before} and {after}"), values)
        )
    if before.groundtruth_sha256 != after.groundtruth_sha256:
        told = mark(
            "the ground truths differ ({before}, {after}): the same query may have other right "
            "answers"
        )
        notes.append(Note(told, {"before": before.groundtruth, "after": after.groundtruth}))
    if before.catalogue != after.catalogue:
        values = {"before": before.evaluation.index, "after": after.evaluation.index}
        notes.append(Note(mark("the collections differ ({before}, {after})"), values))
    elif before.parameters["codebook_digest"] != after.parameters["codebook_digest"]:
        notes.append(Note(mark("the visual words differ")))
    if before.settings != after.settings:
        notes.append(_settings(", ".join(before.settings), ", ".join(after.settings)))
    if before.versions != after.versions:
        notes.append(Note(mark("the library versions differ")))
    return tuple(notes)
