"""How good a ranking is: average precision, precision at k, and the original's claims."""

import dataclasses
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import images, pipeline
from engine.groundtruth import RIGHT, Query
from engine.index import Index
from engine.search import Ranking


def average_precision(
    ranked: Sequence[int] | NDArray[np.int32],
    positives: Collection[int],
    junk: Collection[int] = (),
    n_missing: int = 0,
) -> float:
    """Measure one ranking by VGG's trapezoid rule.

    Parameters
    ----------
    ranked : sequence of int
        Images, best first, the query itself left out.
    positives : collection of int
        Right answers.
    junk : collection of int
        Images passed over as if they were not there.
    n_missing : int
        Right answers that can never be found; they count as positives.

    Returns
    -------
    float
        Area under the precision-recall curve, 0 to 1, from recall 0 and precision 1.

    Raises
    ------
    ValueError
        If there is no right answer.

    References
    ----------
    Philbin, Chum, Isard, Sivic, Zisserman, "Object retrieval with large vocabularies and fast
    spatial matching", CVPR 2007, and its program compute_ap.
    """
    right, ignored = frozenset(positives), frozenset(junk)
    n_positives = len(right) + n_missing
    if n_positives == 0:
        raise ValueError("there must be at least one right answer")
    area, old_precision, n_right, n_seen = 0.0, 1.0, 0, 0
    for image_id in ranked:
        if int(image_id) in ignored:
            continue
        n_seen += 1
        found = int(image_id) in right
        n_right += found
        precision = n_right / n_seen
        area += found / n_positives * (old_precision + precision) / 2
        old_precision = precision
    return area


def precision_at(
    ranked: Sequence[int] | NDArray[np.int32],
    positives: Collection[int],
    n_first: int,
    junk: Collection[int] = (),
) -> float:
    """Return the share of right answers among the first `n_first` that are not junk.

    Where there are fewer right answers than `n_first`, the share cannot reach 1.
    """
    kept = [int(i) for i in ranked if int(i) not in junk][:n_first]
    return sum(i in positives for i in kept) / n_first


@dataclasses.dataclass(frozen=True, slots=True)
class QueryResult:
    """What one query reached.

    Attributes
    ----------
    query : str
        Its name.
    landmark : str
        Its group.
    average_precision, precision_1, precision_4 : float
        0 to 1, junk ignored.
    easy : float or None
        Average precision with good and same as the only right answers, ok ignored too; None where
        there are none.
    n_positives : int
        Right answers.
    first : tuple of str
        The first four results.
    """

    query: str
    landmark: str
    average_precision: float
    precision_1: float
    precision_4: float
    easy: float | None
    n_positives: int
    first: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Evaluation:
    """How a method does on a ground truth."""

    index: str
    method: str
    results: tuple[QueryResult, ...]

    def mean(self, field: str) -> float:
        """Return the mean of a field over the queries that have it."""
        values = [value for r in self.results if (value := getattr(r, field)) is not None]
        return float(np.mean(values)) if values else float("nan")

    def by_landmark(self, field: str) -> float:
        """Return the mean over landmarks of their queries' means."""
        groups: dict[str, list[float]] = {}
        for result in self.results:
            if (value := getattr(result, field)) is not None:
                groups.setdefault(result.landmark, []).append(value)
        return float(np.mean([np.mean(v) for v in groups.values()])) if groups else float("nan")

    def to_json(self) -> dict[str, Any]:
        """Return the figures under the names that the documentation uses."""
        n_landmarks = len({result.landmark for result in self.results})
        easy = self.mean("easy")
        return {
            "index": self.index,
            "method": self.method,
            "mAP": self.mean("average_precision"),
            "P@1": self.mean("precision_1"),
            "P@4": self.mean("precision_4"),
            "top4_all_right": float(np.mean([r.precision_4 == 1.0 for r in self.results])),
            "mAP_easy": None if np.isnan(easy) else easy,
            "n_queries": len(self.results),
            "by_landmark": {
                "mAP": self.by_landmark("average_precision"),
                "P@1": self.by_landmark("precision_1"),
                "P@4": self.by_landmark("precision_4"),
                "n_landmarks": n_landmarks,
            },
            "queries": [dataclasses.asdict(result) for result in self.results],
        }


def _rank_all(index: Index, query: Query, method: str) -> Ranking:
    if query.image_id is not None:
        return pipeline.search_image(index, query.image_id, method, None).ranking
    described = pipeline.describe_query(index, images.read(query.path))
    return pipeline.search_query(index, described, method, None).ranking


def evaluate(
    index: Index,
    queries: Sequence[Query],
    method: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Rank the whole collection for every query, and measure.

    Parameters
    ----------
    index : Index
        The collection.
    queries : sequence of Query
        From `groundtruth.read`.
    method : str or None
        One of `methods.METHODS`; None takes the index's own.
    progress : callable or None
        Told how many queries of how many are done.

    Returns
    -------
    Evaluation
    """
    chosen = method or index.method
    results = []
    for n_done, query in enumerate(queries, 1):
        ranked = _rank_all(index, query, chosen).image_ids.tolist()
        right, junk = query.positives, query.junk
        easy = query.with_label(("good", "same"))
        results.append(
            QueryResult(
                query=query.name,
                landmark=query.landmark,
                average_precision=average_precision(ranked, right, junk, query.n_missing),
                precision_1=precision_at(ranked, right, 1, junk),
                precision_4=precision_at(ranked, right, 4, junk),
                easy=average_precision(ranked, easy, junk | (right - easy)) if easy else None,
                n_positives=len(right) + query.n_missing,
                first=tuple(index.images[i].path for i in ranked[:4]),
            )
        )
        if progress is not None:
            progress(n_done, len(queries))
    return Evaluation(index.name, chosen, tuple(results))


@dataclasses.dataclass(frozen=True, slots=True)
class Claim:
    """One of the original's claims, beside what was measured.

    Attributes
    ----------
    text : str
        What was claimed.
    labelled_set : str
        Which labels count as inside.
    claimed, measured : float
        Shares of the queries.
    n_queries : int
        Queries of this label.
    """

    text: str
    labelled_set: str
    claimed: float
    measured: float
    n_queries: int


CLAIMS = (
    ("good", "all of the first four are in the labelled set", 1.0),
    ("ok", "all of the first four are in the labelled set", 0.5),
    ("junk", "at least one of the first four is in the labelled set", 0.6),
)
LABELLED_SETS = (("good+ok", RIGHT), ("good+ok+junk", (*RIGHT, "junk")))


def check_claims(index: Index, queries: Sequence[Query], method: str | None = None) -> list[Claim]:
    """Test what the original system claimed of queries labelled good, ok and junk.

    Every picture that carries a label for some landmark is a query of that label; "inside" is
    that landmark's labelled set, with its query pictures. What the original meant by labelled
    set is not known, so both readings are given.
    """
    sets: dict[str, dict[str, set[int]]] = {}
    for query in queries:
        by_label = sets.setdefault(query.landmark, {"good": set(), "ok": set(), "junk": set()})
        if query.image_id is not None:
            by_label["good"].add(query.image_id)
        for image_id, label in query.labels.items():
            by_label["good" if label == "same" else label].add(image_id)
    claims = []
    firsts: dict[int, list[int]] = {}
    for label, text, claimed in CLAIMS:
        for set_name, labels in LABELLED_SETS:
            hits = []
            for by_label in sets.values():
                inside = set().union(*(by_label.get(name, set()) for name in labels))
                for image_id in sorted(by_label[label]):
                    if image_id not in firsts:
                        answer = pipeline.search_image(index, image_id, method, 4)
                        firsts[image_id] = answer.ranking.image_ids.tolist()
                    n_inside = sum(i in inside for i in firsts[image_id])
                    hits.append(n_inside > 0 if label == "junk" else n_inside == 4)
            measured = float(np.mean(hits)) if hits else float("nan")
            told = f"{label} queries: {text}"
            claims.append(Claim(told, set_name, claimed, measured, len(hits)))
    return claims
