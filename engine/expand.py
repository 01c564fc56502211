"""Expansion: pictures that the query does not match, found by way of those that it does.

From the pictures that the query surely matches a walk goes along the graph of the collection,
the strongest way first. The keypoints of the pictures on the way are carried back into the query's
frame, and the whole is matched and verified once more. So a tower seen from the left is found by a
query from the right, by way of a view from the front. Nothing is added where the query itself
matches nothing surely: expansion orders and adds, it never accepts.

Chum, Philbin, Sivic, Isard, Zisserman, "Total recall: automatic query expansion with a generative
feature model for object retrieval", ICCV 2007.
"""

import dataclasses
import heapq
import math
from collections import Counter
from collections.abc import Callable, Container, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine import rerank, shortlist, signatures
from engine.graph import Graph, compose, invert
from engine.index import Index
from engine.kernels.signatures import Entries
from engine.rerank import RerankParams, Verified
from engine.shortlist import ShortList, ShortListParams, Signed
from engine.verify import N_CELLS, Geometry, VerifyParams, cells

EVERYWHERE = np.ones(N_CELLS**2, bool)
EVERYWHERE.setflags(write=False)
NO_GEOMETRY = Geometry(np.zeros((0, 2), np.float32), *(np.zeros(0, np.float32) for _ in range(2)))


@dataclasses.dataclass(frozen=True, slots=True)
class ExpandParams:
    """How far a query is carried.

    Attributes
    ----------
    least_score : float
        Direct verified score of a picture that a way may begin with.
    least_step : float
        Verified score of a picture on the way with the next, of what lies in the query's frame.
    agrees : float
        How far that may lead from where the graph does, as a part of what the query maps to.
    n_steps, n_tries : int
        Steps that are looked at in all, and to one picture; what is left then is not gone.
    decay : float
        What each further step leaves of a way's strength.
    n_views : int
        Pictures whose keypoints are carried back.
    longest : int
        Pictures on one way; 1 takes only what the query matches itself.
    n_keypoints : int
        The strongest of each of them.
    stays : float
        Part of a step's inliers that must lie where the picture before is known to show the query.
    n_inliers : int
        Keypoints of a picture on the way that another must hold for the two to agree.
    least_scale, largest_scale : float
        Maps from the query to a picture on the way, by the square root of their determinant.
    rerank : RerankParams
        The last verification.
    """

    least_score: float = 3.3
    least_step: float = 1.5
    agrees: float = 0.25
    n_steps: int = 200
    n_tries: int = 3
    decay: float = 0.7
    n_views: int = 20
    longest: int = 30
    n_keypoints: int = 1500
    stays: float = 0.4
    n_inliers: int = 5
    least_scale: float = 0.1
    largest_scale: float = 10.0
    rerank: RerankParams = dataclasses.field(
        default_factory=lambda: RerankParams(n_images=300, verify=VerifyParams(n_matches=4000))
    )


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class View:
    """A picture on the way.

    Attributes
    ----------
    path : tuple of int
        Pictures from the first, which the query matches itself, to this one.
    strength : float
        The weakest score on the way, less for every further step.
    weakest : float
        The weakest score on the way.
    affine : (2, 3) float64 array
        Carries pixels of the query to pixels of this picture.
    support : (256,) bool array
        Cells of a grid on the query, see `verify.cells`, where this picture is known to show what
        the query does: those with an inlier of the last step. Beside them it may show anything.
    """

    path: tuple[int, ...]
    strength: float
    weakest: float
    affine: NDArray[np.float64]
    support: NDArray[np.bool_] = dataclasses.field(default_factory=lambda: EVERYWHERE)

    @property
    def image_id(self) -> int:
        """The picture."""
        return self.path[-1]


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """How a picture was reached that the query may not match itself.

    Attributes
    ----------
    path : tuple of int
        Pictures from the first, which the query matches itself, to this one.
    weakest : float
        The weakest score between two of them, and of the query with the first.
    n_agreeing : int
        Pictures on the way, the query among them, whose keypoints this one holds; 0 where it
        stands in the graph itself.
    """

    path: tuple[int, ...]
    weakest: float
    n_agreeing: int = 0


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Expansion:
    """What the pictures on the way found.

    Attributes
    ----------
    views : tuple of View
        The strongest first.
    verified : list of Verified
        The last verification. Rows of the query count its own keypoints first, then those that
        were carried back. Scores order, they are no measure of confidence.
    ways : mapping of int to Way
        How pictures were reached, by image id: the views, and what two or more of them agree on.
    scores : mapping of int to float
        What pictures are ordered by, by image id; the others keep their direct verified score.
        What the query surely matches itself keeps it too, and after `expand` stands above the rest.
    geometry : Geometry
        Q keypoints that were verified last, in the query's frame: its own, then the carried ones.
    sources : (Q,) int64 array
        Which view each is from; -1 for the query's own.
    part : float
        What scores of the last verification were multiplied by.
    """

    views: tuple[View, ...]
    verified: list[Verified]
    ways: Mapping[int, Way]
    scores: Mapping[int, float]
    geometry: Geometry = NO_GEOMETRY
    sources: NDArray[np.int64] = dataclasses.field(default_factory=lambda: np.zeros(0, np.int64))
    part: float = 1.0


class Reached(NamedTuple):
    """How a picture on the way shows the query: see `View`."""

    affine: NDArray[np.float64]
    support: NDArray[np.bool_]


Step = Callable[[View, int, NDArray[np.float64]], Reached | None]


def walk(
    graph: Graph,
    direct: list[Verified],
    allowed: Container[int],
    params: ExpandParams,
    step: Step | None = None,
    supports: Mapping[int, NDArray[np.bool_]] = {},
) -> list[View]:
    """Choose the pictures whose keypoints are carried back, the strongest way first.

    Parameters
    ----------
    graph : Graph
        Of the collection.
    direct : list of Verified
        What the query matches itself.
    allowed : container of int
        Pictures that ways may go through; the query itself is none of them.
    params : ExpandParams
    step : callable or None
        Told a picture on the way, the next, and how the query maps to that by the graph: returns
        how it does by what the two share of what the query shows; None if they share too little.
    supports : mapping of int to array
        Of what the query matches itself, see `View.support`.

    Returns
    -------
    list of View
        Empty if the query matches nothing surely.
    """
    waiting: list[tuple[float, int, tuple[int, ...], float, NDArray[np.float64]]] = [
        (-one.score, one.image_id, (one.image_id,), one.score, one.verification.affine)
        for one in direct
        if one.score >= params.least_score
    ]
    heapq.heapify(waiting)
    seen: dict[int, View] = {}
    tries: Counter[int] = Counter()
    while waiting and len(seen) < params.n_views:
        strength, image_id, path, weakest, affine = heapq.heappop(waiting)
        if image_id in seen:
            continue
        support = supports.get(path[0], EVERYWHERE)
        if step is not None and len(path) > 1:
            if tries.total() == params.n_steps or tries[image_id] == params.n_tries:
                continue
            tries[image_id] += 1
            found = step(seen[path[-2]], image_id, affine)
            if found is None:
                continue
            affine, support = found
        seen[image_id] = View(path, -strength, weakest, affine, support)
        if len(path) == params.longest:
            continue
        for row in graph.edges(image_id):
            target = int(graph.targets[row])
            onward = compose(graph.affines[row], affine)
            scale = math.sqrt(abs(float(np.linalg.det(onward[:, :2]))))
            if (
                target in seen
                or target not in allowed
                or not params.least_scale < scale < params.largest_scale
            ):
                continue
            score = float(graph.scores[row])
            further = -min(-strength, score) * params.decay
            way = (*path, target)
            heapq.heappush(waiting, (further, target, way, min(weakest, score), onward))
    return list(seen.values())


def _held(found: Verified, geometry: Geometry, query: Signed) -> NDArray[np.int64]:
    """Return the cell of the query in which each inlier lies; `geometry` is what was matched."""
    x, y = geometry.xy[found.query_rows[found.verification.inliers]].T
    return cells(x, y, (query.width, query.height))


def _support(held: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell of every cell whether it is among these."""
    return np.bincount(held, minlength=N_CELLS**2) > 0


class _Framed(NamedTuple):
    """Keypoints of a picture as if they had been seen in the query's frame."""

    geometry: Geometry
    bits: NDArray[np.uint64]
    word_ids: NDArray[np.int32]


def _framed(index: Index, query: Signed, view: View, params: ExpandParams) -> _Framed:
    """Carry the strongest keypoints of a picture back that lie in the query's frame."""
    keypoints = index.keypoints(view.image_id)
    back = invert(view.affine)
    xy = (keypoints.xy @ back[:, :2].T + back[:, 2]).astype(np.float32)
    rows = np.flatnonzero(np.all((xy >= 0) & (xy < (query.width, query.height)), axis=1))
    strongest = np.argsort(-keypoints.response[rows], kind="stable")[: params.n_keypoints]
    rows = np.sort(rows[strongest])
    scale = math.sqrt(abs(float(np.linalg.det(back[:, :2]))))
    turn = math.degrees(math.atan2(back[1, 0] - back[0, 1], back[0, 0] + back[1, 1]))
    geometry = Geometry(
        xy[rows],
        keypoints.size[rows] * np.float32(scale),
        (keypoints.angle[rows] + np.float32(turn)) % np.float32(360),
    )
    first = int(index.offsets[view.image_id])
    word_ids = index.words(view.image_id).word_ids[rows]
    return _Framed(geometry, index.signatures[first + rows], word_ids)


def _steps(index: Index, query: Signed, params: ExpandParams) -> Step:
    """Make what looks at a step of the walk within the query's frame."""
    model = index.codebook.signatures
    width, height = query.width, query.height
    places = np.array([(x * width, y * height, 1) for x in (0.25, 0.75) for y in (0.25, 0.75)])

    def step(view: View, target: int, affine: NDArray[np.float64]) -> Reached | None:
        """Match what a picture on the way shows of the query with the next picture."""
        framed = _framed(index, query, view, params)
        rows = np.arange(len(framed.bits))
        alone = dataclasses.replace(
            query,
            entries=signatures.enter_signed(framed.bits, framed.word_ids, rows, model),
            strongest=None,
            geometry=framed.geometry,
            weights=np.ones(len(rows), np.float32),
        )
        others = tuple(i for i in range(index.n_images) if i != target)
        (found,) = rerank.rerank(index, alone, shortlist.shortlist(index, alone, others))
        if found.score < params.least_step:
            return None
        by_graph, seen = places @ affine.T, places @ found.verification.affine.T
        extent = 2 * np.hypot(*(by_graph - by_graph.mean(axis=0)).T).mean()
        apart = np.hypot(*(seen - by_graph).T).mean()
        if apart > params.agrees * extent:
            return None
        held = _held(found, framed.geometry, query)
        if len(held) == 0 or view.support[held].mean() < params.stays:
            return None
        return Reached(found.verification.affine, _support(held))

    return step


def carry(
    index: Index, query: Signed, views: list[View], params: ExpandParams
) -> tuple[Signed, NDArray[np.int64]]:
    """Add the keypoints of some pictures to a query, as if they had been seen in its frame.

    Returns
    -------
    carried : Signed
        Q keypoints: the query's own, then those of each view.
    sources : (Q,) int64 array
        Which view each is from; -1 for the query's own.
    """
    framed = [_framed(index, query, view, params) for view in views]
    n_rows = [len(one.bits) for one in framed]
    own_words = np.repeat(np.arange(index.n_words), np.diff(query.entries.starts)).astype(np.int32)
    own_bits = np.column_stack((query.entries.low, query.entries.high))
    entries: Entries = signatures.enter_signed(
        np.concatenate([own_bits, *(one.bits for one in framed)]),
        np.concatenate([own_words, *(one.word_ids for one in framed)]),
        np.concatenate([query.entries.keypoints, len(query) + np.arange(sum(n_rows))]),
        index.codebook.signatures,
    )
    pieces = [query.geometry, *(one.geometry for one in framed)]
    carried = dataclasses.replace(
        query,
        entries=entries,
        strongest=None,
        geometry=Geometry(
            np.concatenate([p.xy for p in pieces]),
            np.concatenate([p.size for p in pieces]),
            np.concatenate([p.angle for p in pieces]),
        ),
        weights=np.concatenate([query.weights, np.ones(sum(n_rows), np.float32)]),
    )
    return carried, np.repeat(np.arange(-1, len(views)), [len(query), *n_rows])


def expand(
    index: Index,
    graph: Graph,
    query: Signed,
    listed: ShortList,
    direct: list[Verified],
    params: ExpandParams = ExpandParams(),
    n_threads: int = 1,
) -> Expansion:
    """Search once more with the keypoints of the pictures that the query leads to.

    Parameters
    ----------
    index : Index
        The collection.
    graph : Graph
        Of its pictures.
    query : Signed
        The query.
    listed : ShortList
        Its short list; pictures that are not on it stay out.
    direct : list of Verified
        From `rerank.rerank`.
    params : ExpandParams
    n_threads : int
        The result does not depend on it.

    Returns
    -------
    Expansion
        Empty if the query matches nothing surely.
    """
    allowed = set(listed.image_ids.tolist())
    supports = {
        one.image_id: _support(_held(one, query.geometry, query))
        for one in direct
        if one.score >= params.least_score
    }
    views = walk(graph, direct, allowed, params, _steps(index, query, params), supports)
    if not views:
        return Expansion((), [], {}, {})
    carried, sources = carry(index, query, views, params)
    candidates = _candidates(graph, listed, views)
    others = tuple(set(range(index.n_images)) - set(candidates.tolist()))
    listing = ShortListParams(n_images=len(candidates))
    again = shortlist.shortlist(index, carried, others, listing, n_threads)
    verified = rerank.rerank(index, carried, again, params.rerank, n_threads)
    ways = _ways(views, verified, sources, params)
    scores, part = _scores(direct, verified, params.least_score)
    return Expansion(tuple(views), verified, ways, scores, carried.geometry, sources, part)


def _scores(
    direct: list[Verified], verified: list[Verified], least_score: float
) -> tuple[dict[int, float], float]:
    """Score what was verified, below all that the query surely matches itself.

    The walk knows the query's surroundings as well as the query, so a picture of these alone may
    score more than one of the thing. The second value is what their scores are multiplied by.
    """
    sure = {one.image_id: one.score for one in direct if one.score >= least_score}
    others = {one.image_id: one.score for one in (*direct, *verified) if one.image_id not in sure}
    ceiling = float(np.nextafter(np.float32(min(sure.values())), np.float32(0)))
    largest = max(others.values(), default=0.0)
    part = ceiling / largest if largest > ceiling else 1.0
    return sure | {image_id: part * score for image_id, score in others.items()}, part


def _ways(
    views: list[View], verified: list[Verified], sources: NDArray[np.int64], params: ExpandParams
) -> dict[int, Way]:
    """Tell how pictures were reached; `sources` is the view of each row of the carried query."""
    ways = {view.image_id: Way(view.path, view.weakest) for view in views}
    for one in verified:
        if one.image_id in ways or one.score < params.least_score:
            continue
        rows = one.query_rows[one.verification.inliers]
        counts = np.bincount(sources[rows] + 1, minlength=len(views) + 1)
        n_agreeing = int((counts >= params.n_inliers).sum())
        if n_agreeing >= 2:
            best = views[int(counts[1:].argmax())]
            ways[one.image_id] = Way((*best.path, one.image_id), best.weakest, n_agreeing)
    return ways


def _candidates(graph: Graph, listed: ShortList, views: list[View]) -> NDArray[np.int64]:
    """Return the pictures that are searched again: the short list, and whatever is near a view."""
    near = {int(graph.targets[row]) for view in views for row in graph.edges(view.image_id)}
    near |= {view.image_id for view in views}
    near &= set(listed.image_ids.tolist())
    return np.union1d(listed.matches.image_ids, np.array(sorted(near), np.int64))
