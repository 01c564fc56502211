"""The graph of a collection: which of its pictures show the same thing, and how they map.

Every picture is searched for in its own collection, with its stored signatures. Where two
pictures find each other, from both sides, by maps that undo each other, there is an edge, if it is
strong or if the way over a third picture leads to the same place: one false edge could carry many
queries astray, but false edges hardly agree. Expansion (`engine.expand`) walks along the edges.

The graph is a part of the index, made by ``python -m engine graph NAME``; until it is done, what
each picture found lies in ``artifacts/graphs/NAME``, so that a stopped run goes on.
"""

import dataclasses
import shutil
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from engine import artifacts, methods, records, rerank, shortlist, upkeep
from engine.errors import ArtifactError
from engine.index import Index, open_index
from engine.language import tr
from engine.records import Record
from engine.rerank import RerankParams
from engine.shortlist import ShortListParams

PART = "graph"


@dataclasses.dataclass(frozen=True, slots=True)
class GraphParams:
    """What makes an edge.

    Attributes
    ----------
    n_candidates : int
        Pictures of a short list that are verified.
    least_score : float
        Verified score that both sides must reach.
    best_score : float
        Verified score that one side must reach.
    returns : float
        How far the middles of a picture's quarters may come back from their places by the map
        there and the map back, as a part of its diagonal.
    alone_score, alone_returns : float
        The same for an edge that no third picture confirms.
    agrees : float
        A third picture confirms an edge if the way over it leads to the same place: the part of
        what is mapped by which the two may lie apart.
    """

    n_candidates: int = 60
    least_score: float = 1.0
    best_score: float = 2.0
    returns: float = 0.1
    alone_score: float = 3.5
    alone_returns: float = 0.03
    agrees: float = 0.15


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Edges between pictures, each in both directions.

    Attributes
    ----------
    starts : (I + 1,) int64 array
        The edges of picture i are the rows starts[i] to starts[i + 1].
    targets : (E,) int32 array
        Where each leads.
    scores : (E,) float32 array
        The better verified score of its two sides.
    affines : (E, 2, 3) float32 array
        Carries pixels of the picture to pixels of the target.
    """

    starts: NDArray[np.int64]
    targets: NDArray[np.int32]
    scores: NDArray[np.float32]
    affines: NDArray[np.float32]

    def edges(self, image_id: int) -> range:
        """Return the rows of a picture's edges."""
        return range(int(self.starts[image_id]), int(self.starts[image_id + 1]))


def compose(second: NDArray[Any], first: NDArray[Any]) -> NDArray[np.float64]:
    """Return the (2, 3) map that does `first`, then `second`."""
    both: NDArray[np.float64] = second[:, :2].astype(np.float64) @ first
    both[:, 2] += second[:, 2]
    return both


def invert(affine: NDArray[Any]) -> NDArray[np.float64]:
    """Return the (2, 3) map that undoes another."""
    inverse = np.linalg.inv(affine[:, :2].astype(np.float64))
    return np.column_stack((inverse, -inverse @ affine[:, 2]))


def open_graph(index: Index) -> Graph:
    """Return the graph of an index.

    Raises
    ------
    ArtifactError
        If it has none.
    """
    arrays = index.parts.get(PART)
    if arrays is None:
        raise ArtifactError(
            tr(
                "the index {name!r} has no graph of its pictures. Make it with: {command}",
                name=index.name,
                command=methods.adding(PART, index.name),
            )
        )
    return Graph(**{field.name: arrays[field.name] for field in dataclasses.fields(Graph)})


def connected(graph: Graph) -> NDArray[np.int64]:
    """Return which pictures edges join, over any number of steps: (I,), one number a thing."""
    n = len(graph.starts) - 1
    edges = (np.ones(len(graph.targets), np.int8), graph.targets, graph.starts)
    _, labels = connected_components(csr_array(edges, shape=(n, n)), directed=False)
    things: NDArray[np.int64] = labels.astype(np.int64)
    return things


def make_graph(
    name: str,
    params: GraphParams = GraphParams(),
    n_threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Graph:
    """Search for every picture of an index in it, and keep the edges as a part of the index.

    Parameters
    ----------
    name : str
        The index.
    params : GraphParams
    n_threads : int
        The result does not depend on it.
    progress : callable or None
        Told how many pictures of how many are done.

    Returns
    -------
    Graph

    Raises
    ------
    ArtifactError
        If the index cannot be read, was replaced meanwhile, or another process makes its graph.
    """
    told = dataclasses.asdict(params)
    index = open_index(name)
    if PART in index.parts and index.manifest["parts"][PART]["parameters"] == told:
        return open_graph(index)
    work = artifacts.artifacts_folder() / "graphs" / artifacts.check_name(name)
    with upkeep.making(name, PART):
        place = work / _digest(index, params)
        place.mkdir(parents=True, exist_ok=True)
        found: list[Record] = []
        for image_id in range(index.n_images):
            path = place / f"{image_id}"
            record = records.read(path)
            if record is None:
                before = time.process_time()
                record = _search(index, image_id, params, n_threads)
                record.description["cpu_seconds"] = time.process_time() - before
                records.write(path, record)
            found.append(record)
            if progress is not None:
                progress(image_id + 1, index.n_images)
        before = time.process_time()
        graph = _join(index, found, params)
        spent = time.process_time() - before
        spent += sum(record.description.get("cpu_seconds", 0.0) for record in found)
        if _digest(open_index(name), params) != place.name:
            raise ArtifactError(
                tr("the index {name!r} was replaced meanwhile; make its graph again", name=name)
            )
        arrays = {field.name: getattr(graph, field.name) for field in dataclasses.fields(Graph)}
        upkeep.add_part(name, PART, told, arrays, spent)
        shutil.rmtree(work)
    return graph


def _digest(index: Index, params: GraphParams) -> str:
    """Return a name for a graph of just these keypoints."""
    return upkeep.digest(index, upkeep.KEYPOINTS, dataclasses.asdict(params))


def _search(index: Index, image_id: int, params: GraphParams, n_threads: int) -> Record:
    """Find the pictures that one picture maps to."""
    listing = ShortListParams(n_images=max(300, params.n_candidates))
    query = shortlist.sign_stored(index, image_id, listing)
    excluded = index.same_content(index.images[image_id].sha256)
    listed = shortlist.shortlist(index, query, excluded, listing, n_threads)
    checking = RerankParams(n_images=params.n_candidates)
    verified = rerank.rerank(index, query, listed, checking, n_threads)
    kept = [one for one in verified if one.score >= params.least_score]
    return Record(
        {},
        {
            "targets": np.array([one.image_id for one in kept], np.int32),
            "scores": np.array([one.score for one in kept], np.float32),
            "affines": np.array([one.verification.affine for one in kept], np.float32).reshape(
                -1, 2, 3
            ),
        },
    )


def _join(index: Index, found: list[Record], params: GraphParams) -> Graph:
    """Keep what both sides found, and what is strong or confirmed of that."""
    both = _both_sides(index, found, params)
    starts, targets, scores, affines = [0], [], [], []
    for image_id, near in enumerate(both):
        for target, edge in sorted(near.items()):
            if _stands_alone(edge, both[target][image_id], params) or (
                _is_confirmed(index, both, image_id, target, params)
                or _is_confirmed(index, both, target, image_id, params)
            ):
                targets.append(target)
                scores.append(edge.score)
                affines.append(edge.affine)
        starts.append(len(targets))
    return Graph(
        np.array(starts, np.int64),
        np.array(targets, np.int32),
        np.array(scores, np.float32),
        np.array(affines, np.float32).reshape(-1, 2, 3),
    )


class _Edge(NamedTuple):
    """One direction of what two pictures found in each other; score is that of the better."""

    score: float
    affine: NDArray[np.float32]
    returns: float


_Edges = list[dict[int, _Edge]]  # of each picture, by target


def _both_sides(index: Index, found: list[Record], params: GraphParams) -> _Edges:
    """Join the pictures that found each other by maps that undo each other."""
    sides = [
        {
            int(target): (float(score), affine)
            for target, score, affine in zip(*(record.arrays[name] for name in _FOUND))
        }
        for record in found
    ]
    both: _Edges = [{} for _ in sides]
    for image_id, side in enumerate(sides):
        for target, (score, affine) in side.items():
            if image_id not in sides[target]:
                continue
            back_score, back = sides[target][image_id]
            apart = returns(index, image_id, affine, back)
            if max(score, back_score) >= params.best_score and apart <= params.returns:
                both[image_id][target] = _Edge(max(score, back_score), affine, apart)
    return [
        {target: edge for target, edge in near.items() if image_id in both[target]}
        for image_id, near in enumerate(both)
    ]


def _stands_alone(edge: _Edge, back: _Edge, params: GraphParams) -> bool:
    apart = max(edge.returns, back.returns)
    return edge.score >= params.alone_score and apart <= params.alone_returns


def _is_confirmed(
    index: Index, both: _Edges, image_id: int, target: int, params: GraphParams
) -> bool:
    """Tell whether a way over a third picture leads to the same place."""
    places = _quarters(index, image_id)
    direct = places @ both[image_id][target].affine.T
    extent = 2 * np.hypot(*(direct - direct.mean(axis=0)).T).mean()
    for middle in both[image_id].keys() & both[target].keys():
        way = compose(both[middle][target].affine, both[image_id][middle].affine)
        if np.hypot(*(places @ way.T - direct).T).mean() <= params.agrees * extent:
            return True
    return False


_FOUND = ("targets", "scores", "affines")


def returns(
    index: Index, image_id: int, there: NDArray[np.floating], back: NDArray[np.floating]
) -> float:
    """Measure how far the middle of a picture's quarters moves on the way there and back."""
    entry = index.images[image_id]
    places = _quarters(index, image_id)
    moved = places @ compose(back, there).T - places[:, :2]
    return float(np.hypot(*moved.T).mean() / np.hypot(entry.width, entry.height))


def _quarters(index: Index, image_id: int) -> NDArray[np.float64]:
    """Return the middles of a picture's quarters: (4, 3), x, y, 1."""
    entry = index.images[image_id]
    places = np.array([(x, y, 1) for x in (0.25, 0.75) for y in (0.25, 0.75)])
    places[:, :2] *= (entry.width, entry.height)
    return places
