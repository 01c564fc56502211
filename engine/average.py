"""Average query expansion on scores: what the query's sure matches match counts too.

The query and the pictures that it surely matches each score the collection: the query by
verification, these by their edges in the collection's graph, and the scores are added up. A way
over another picture is as strong as its weaker step, and counts half. Nothing is matched again, so
this costs next to nothing; it goes one step at most (`engine.expand` goes further).

Chum, Philbin, Sivic, Isard, Zisserman, "Total recall: automatic query expansion with a generative
feature model for object retrieval", ICCV 2007.
"""

import dataclasses
from collections.abc import Container

from engine.expand import Expansion, View, Way
from engine.graph import Graph
from engine.rerank import Verified


@dataclasses.dataclass(frozen=True, slots=True)
class AverageParams:
    """Who has a say besides the query.

    Attributes
    ----------
    n_neighbours : int
        The best of the pictures that it surely matches.
    step : float
        What a way over one of them counts, as a part of its weaker score.
    n_agreeing : int
        As many of these must have an edge to a picture for it to show the same thing: one edge
        may join what a photograph shows beside the query's thing.
    """

    n_neighbours: int = 20
    step: float = 0.5
    n_agreeing: int = 2


def average(
    graph: Graph,
    direct: list[Verified],
    allowed: Container[int],
    least_score: float,
    params: AverageParams = AverageParams(),
) -> Expansion:
    """Score pictures by the query and by the pictures that it surely matches.

    Parameters
    ----------
    graph : Graph
        Of the collection.
    direct : list of Verified
        What the query matches itself.
    allowed : container of int
        Pictures that count; the query itself is none of them.
    least_score : float
        Verified score from which a match is sure.
    params : AverageParams

    Returns
    -------
    Expansion
        Without views where the query matches nothing surely. Nothing is verified again.
    """
    scores = {one.image_id: one.score for one in direct if one.image_id in allowed}
    sure = [one for one in direct if one.image_id in scores and one.score >= least_score]
    sure.sort(key=lambda one: (-one.score, one.image_id))
    views = [
        View((one.image_id,), one.score, one.score, one.verification.affine)
        for one in sure[: params.n_neighbours]
    ]
    leading: dict[int, list[Way]] = {}
    for view in views:
        for row in graph.edges(view.image_id):
            target, edge = int(graph.targets[row]), float(graph.scores[row])
            if target not in allowed:
                continue
            way = Way((view.image_id, target), min(view.weakest, edge))
            scores[target] = scores.get(target, 0.0) + params.step * way.weakest
            leading.setdefault(target, []).append(way)
    ways = {view.image_id: Way(view.path, view.weakest) for view in views}
    for target, found in leading.items():
        if target not in ways and len(found) >= params.n_agreeing:
            best = max(found, key=lambda way: way.weakest)
            ways[target] = dataclasses.replace(best, n_agreeing=len(found))
    return Expansion(tuple(views), [], ways, scores)
