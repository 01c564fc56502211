"""What the original system claimed of its first four results, beside what is measured."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from engine import pipeline
from engine.groundtruth import RIGHT, Query
from engine.index import Index
from engine.tuning import USUAL, Tuning


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


def check_claims(
    index: Index,
    queries: Sequence[Query],
    method: str | None = None,
    progress: Callable[[int], None] | None = None,
    tuning: Tuning = USUAL,
) -> list[Claim]:
    """Test what the original system claimed of queries labelled good, ok and junk.

    Every picture that carries a label for some landmark is a query of that label; "inside" is
    that landmark's labelled set, with its query pictures. What the original meant by labelled
    set is not known, so both readings are given. `progress` is told how many pictures are done;
    `tuning` holds the method's parameters.
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
                        answer = pipeline.search_image(index, image_id, method, 4, tuning=tuning)
                        firsts[image_id] = answer.ranking.image_ids.tolist()
                        if progress is not None:
                            progress(len(firsts))
                    n_inside = sum(i in inside for i in firsts[image_id])
                    hits.append(n_inside > 0 if label == "junk" else n_inside == 4)
            measured = float(np.mean(hits)) if hits else float("nan")
            told = f"{label} queries: {text}"
            claims.append(Claim(told, set_name, claimed, measured, len(hits)))
    return claims
