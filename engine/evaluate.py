"""How good the rankings of an index are on a ground truth."""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from engine import embedding_search, images, methods, pipeline, statistics
from engine.answer import Answer
from engine.embeddings import open_embeddings
from engine.errors import ArtifactError, EngineError
from engine.groundtruth import Query
from engine.index import Index
from engine.language import tr
from engine.measures import (
    Accepted,
    add_up,
    average_precision,
    count_accepted,
    precision_at,
    right_ranks,
)
from engine.pipeline import QueryFeatures
from engine.tuning import USUAL, Tuning

Progress = Callable[[int, int], None]

N_KEPT = 100
DIRECT, ADDED = "direct", "added"


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """One place of a ranking.

    Attributes
    ----------
    image_id : int
        The picture.
    score : float
        As the method gives it, to six digits.
    label : str
        "right"; "junk", passed over; "wrong", a right answer or query of another landmark only;
        "unlabelled", of which the ground truth says nothing here: counted as wrong.
    accepted : str or None
        "direct" if its own verified score says that it shows the same thing, "added" if only a way
        over other pictures does, "" if neither; None where the method cannot tell, and in runs of
        schema 1 and 2.
    """

    image_id: int
    score: float
    label: str
    accepted: str | None = None


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
    image_id : int or None
        The query's image in the index; None for an outside picture.
    right_ranks : tuple of int
        Rank of every right answer that was ranked, junk removed, see `measures.right_ranks`.
    right_ids : tuple of int
        The pictures at these ranks; empty in runs of schema 1.
    ranked : tuple of Result
        The first 100 results, junk included.
    cpu_seconds, features_cpu_seconds : float
        Process CPU of the ranking alone, and of reading the picture and describing it (0 for a
        vector that the index holds). Where several methods were measured together the picture was
        described once, and each is told the same.
    direct, added : Accepted or None
        What was accepted by its own verified score, and only by way of other pictures; None where
        the method does not verify or does not expand, and in runs of schema 1 and 2.
    """

    query: str
    landmark: str
    average_precision: float
    precision_1: float
    precision_4: float
    easy: float | None
    n_positives: int
    first: tuple[str, ...]
    image_id: int | None = None
    right_ranks: tuple[int, ...] = ()
    right_ids: tuple[int, ...] = ()
    ranked: tuple[Result, ...] = ()
    cpu_seconds: float = 0.0
    features_cpu_seconds: float = 0.0
    direct: Accepted | None = None
    added: Accepted | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the figures without the rankings."""
        left_out = ("right_ranks", "right_ids", "ranked")
        told = dataclasses.asdict(dataclasses.replace(self, ranked=()))
        return {name: value for name, value in told.items() if name not in left_out}


@dataclasses.dataclass(frozen=True, slots=True)
class Evaluation:
    """How a method does on a ground truth."""

    index: str
    method: str
    results: tuple[QueryResult, ...]

    def values(self, field: str) -> list[float]:
        """Return a field of the queries that have it."""
        return [value for r in self.results if (value := getattr(r, field)) is not None]

    def mean(self, field: str) -> float:
        """Return the mean of a field over the queries that have it."""
        values = self.values(field)
        return float(np.mean(values)) if values else float("nan")

    def by_landmark(self, field: str) -> float:
        """Return the mean over landmarks of their queries' means."""
        groups: dict[str, list[float]] = {}
        for result in self.results:
            if (value := getattr(result, field)) is not None:
                groups.setdefault(result.landmark, []).append(value)
        return float(np.mean([np.mean(v) for v in groups.values()])) if groups else float("nan")

    def interval(self, by_landmark: bool = False, seed: int = 0) -> statistics.Interval:
        """Return the 95 % bootstrap interval of mAP; `by_landmark` draws whole landmarks."""
        groups = [r.landmark for r in self.results] if by_landmark else None
        return statistics.interval(self.values("average_precision"), seed, groups)

    def accepted(self) -> dict[str, Any] | None:
        """Return what was accepted over all queries; None where the method cannot tell.

        `direct` and `added` as in `QueryResult`, added up; `n_queries_without`, the queries for
        which nothing was accepted; `n_positives`, the right answers of all.
        """
        direct = [r.direct for r in self.results if r.direct is not None]
        added = [r.added for r in self.results if r.added is not None]
        if not direct:
            return None
        every = zip(direct, added) if added else zip(direct)
        return {
            DIRECT: dataclasses.asdict(add_up(direct)),
            ADDED: dataclasses.asdict(add_up(added)) if added else None,
            "n_queries_without": sum(add_up(both).total == 0 for both in every),
            "n_positives": sum(r.n_positives for r in self.results),
        }

    def figures(self) -> dict[str, Any]:
        """Return what is said of all queries together."""
        easy = self.mean("easy")
        return {
            "mAP": self.mean("average_precision"),
            "P@1": self.mean("precision_1"),
            "P@4": self.mean("precision_4"),
            "top4_all_right": float(np.mean([r.precision_4 == 1.0 for r in self.results])),
            "mAP_easy": None if np.isnan(easy) else easy,
            "mAP_interval": self.interval(),
            "mAP_interval_landmarks": self.interval(by_landmark=True),
            "n_queries": len(self.results),
            "by_landmark": {
                "mAP": self.by_landmark("average_precision"),
                "P@1": self.by_landmark("precision_1"),
                "P@4": self.by_landmark("precision_4"),
                "n_landmarks": len({result.landmark for result in self.results}),
            },
            "accepted": self.accepted(),
            "query_cpu_seconds": float(np.median(self.values("cpu_seconds"))),
            "features_cpu_seconds": float(np.median(self.values("features_cpu_seconds"))),
        }

    def to_json(self) -> dict[str, Any]:
        """Return the figures under the names that the documentation uses."""
        return {
            "index": self.index,
            "method": self.method,
            **self.figures(),
            "queries": [result.to_json() for result in self.results],
        }


def evaluate(
    index: Index,
    queries: Sequence[Query],
    method: str | None = None,
    progress: Progress | None = None,
    tuning: Tuning = USUAL,
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
    tuning : Tuning
        Parameters of the method.

    Returns
    -------
    Evaluation

    Raises
    ------
    ArtifactError
        If the index lacks a part that the method needs.
    """
    (result,) = evaluate_all(index, queries, (method or index.method,), progress, tuning)
    return result


def evaluate_all(
    index: Index,
    queries: Sequence[Query],
    chosen: Sequence[str],
    progress: Progress | None = None,
    tuning: Tuning = USUAL,
    faults: dict[str, str] | None = None,
) -> list[Evaluation]:
    """Measure several methods as `evaluate` does, describing each query's picture once.

    If `faults` is given, what a method cannot do is written there under its name, and the others
    go on without it; else it is raised.
    """
    for method in chosen:
        known = methods.check_method(method, index.parts)
        if lacking := methods.lacking(known, index.parts):
            raise ArtifactError(
                tr(
                    "the index {name!r} lacks {parts}, which {method} needs. Add it with: "
                    "{command}",
                    name=index.name,
                    parts=", ".join(lacking),
                    method=method,
                    command=methods.adding(lacking[0], index.name),
                )
            )
    of_words = [method for method in chosen if not methods.is_embedding(method)]
    outside = any(query.image_id is None for query in queries)
    if any(method not in methods.VECTORS or outside for method in of_words):
        pipeline.warm_up()
    elsewhere = _known_elsewhere(queries)
    results: dict[str, list[QueryResult]] = {method: [] for method in chosen}
    for n_done, query in enumerate(queries, 1):
        ranker = _Ranker(index, query, tuning)
        for method in list(results):
            try:
                results[method].append(_measure(index, query, ranker, method, elsewhere))
            except EngineError as error:
                if faults is None:
                    raise
                faults[method] = str(error)
                del results[method]
        if progress is not None:
            progress(n_done, len(queries))
    return [Evaluation(index.name, method, tuple(told)) for method, told in results.items()]


class _Ranker:
    """Rank one query by several methods; its picture is read and described when first needed."""

    def __init__(self, index: Index, query: Query, tuning: Tuning) -> None:
        self._index, self._query, self._tuning = index, query, tuning
        self._described: QueryFeatures | None = None
        self._tried, self._cpu = False, 0.0

    def __call__(self, method: str) -> tuple[Answer, float, float]:
        """Return the answer, the CPU seconds of the ranking, and of describing the query."""
        image_id = self._query.image_id
        if methods.is_embedding(method):
            return self._nearest(method)
        described, features_cpu = None, 0.0
        if image_id is None or method not in methods.VECTORS:  # vectors of our own are stored
            described, features_cpu = self._describe(), self._cpu
        started = time.process_time()
        if described is not None:
            answer = pipeline.search_query(
                self._index, described, method, None, tuning=self._tuning
            )
        else:  # reading a picture from outside has raised its error
            answer = pipeline.search_stored(
                self._index, cast(int, image_id), method, None, tuning=self._tuning
            )
        return answer, time.process_time() - started, features_cpu

    def _nearest(self, method: str) -> tuple[Answer, float, float]:
        """Rank by a model's vectors; those of the collection's own pictures are stored."""
        kept = open_embeddings(self._index, method)
        image_id, sha256, features_cpu = self._query.image_id, None, 0.0
        if image_id is None:
            started = time.process_time()
            image = images.read(self._query.path)
            vector = embedding_search.embed_query(self._index.name, kept, image)
            sha256, features_cpu = image.sha256, time.process_time() - started
        else:
            vector = kept.vectors[image_id]
            sha256 = self._index.images[image_id].sha256
        started = time.process_time()
        answer = embedding_search.search_vector(self._index, kept, vector, None, sha256)
        return answer, time.process_time() - started, features_cpu

    def _describe(self) -> QueryFeatures | None:
        """Describe the query once; None if the index holds it but its file is gone or changed."""
        if not self._tried:
            started = time.process_time()
            if self._query.image_id is not None:
                self._described = pipeline.describe_image(self._index, self._query.image_id)
            else:
                image = images.read(self._query.path)
                self._described = pipeline.describe_query(self._index, image)
            self._tried, self._cpu = True, time.process_time() - started
        return self._described


def _known_elsewhere(queries: Sequence[Query]) -> Mapping[str, frozenset[int]]:
    """Return, for each landmark, the right answers and query pictures of all others."""
    own: dict[str, set[int]] = {}
    for query in queries:
        found = own.setdefault(query.landmark, set())
        found |= query.positives
        if query.image_id is not None:
            found.add(query.image_id)
    return {
        landmark: frozenset().union(*(own[other] for other in own if other != landmark)) - found
        for landmark, found in own.items()
    }


def _measure(
    index: Index,
    query: Query,
    ranker: _Ranker,
    method: str,
    known: Mapping[str, frozenset[int]],
) -> QueryResult:
    answer, cpu, features_cpu = ranker(method)
    ranked = answer.ranking.image_ids.tolist()
    right, junk = query.positives, query.junk
    easy = query.with_label(("good", "same"))

    def label(image_id: int) -> str:
        if image_id in right or image_id in junk:
            return "right" if image_id in right else "junk"
        return "wrong" if image_id in known[query.landmark] else "unlabelled"

    accepted = {i: _accepted(answer, i) for i in ranked}

    def counted(how: str, can_tell: bool) -> Accepted | None:
        found = (i for i in ranked if accepted[i] == how)
        return count_accepted(found, right, junk) if can_tell else None

    scores = answer.ranking.scores[:N_KEPT].tolist()
    return QueryResult(
        query=query.name,
        landmark=query.landmark,
        average_precision=average_precision(ranked, right, junk, query.n_missing),
        precision_1=precision_at(ranked, right, 1, junk),
        precision_4=precision_at(ranked, right, 4, junk),
        easy=average_precision(ranked, easy, junk | (right - easy)) if easy else None,
        n_positives=len(right) + query.n_missing,
        first=tuple(index.images[i].path for i in ranked[:4]),
        image_id=query.image_id,
        right_ranks=right_ranks(ranked, right, junk),
        right_ids=tuple(i for i in ranked if i in right),
        ranked=tuple(
            Result(i, float(f"{s:.6g}"), label(i), accepted[i]) for i, s in zip(ranked, scores)
        ),
        cpu_seconds=round(cpu, 6),
        features_cpu_seconds=round(features_cpu, 6),
        direct=counted(DIRECT, answer.calibration is not None),
        added=counted(ADDED, answer.expansion is not None),
    )


def _accepted(answer: Answer, image_id: int) -> str | None:
    """Tell what accepted a picture, as `Result.accepted` does."""
    if answer.accepts(image_id):
        return DIRECT if answer.matches(image_id) else ADDED
    return None if answer.calibration is None else ""
