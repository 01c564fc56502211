"""Spatial verification: do the matches of two pictures agree on one affine map?

Every match proposes the similarity that carries the query keypoint's place, size and direction
onto the database keypoint's. The proposals that most weight agrees with are refined to affine maps
by least squares; what agrees in the end are the inliers.

Philbin, Chum, Isard, Sivic, Zisserman, "Object retrieval with large vocabularies and fast spatial
matching", CVPR 2007. Chum, Matas, Kittler, "Locally optimized RANSAC", DAGM 2003.
"""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from engine.kernels import verify as kernels

LAST_REACH = 0.5  # how far a match may lie in the last round, as a part of the first: the kernel's
N_CELLS = 16  # a side of the grid on the query that tells how far inliers spread


@dataclasses.dataclass(frozen=True, slots=True)
class VerifyParams:
    """When matches agree.

    Attributes
    ----------
    n_matches : int
        Best matches of a picture that are looked at.
    n_hypotheses : int
        Best matches that propose a map.
    n_refined, n_rounds : int
        Best maps that are refined, and rounds of each.
    distance : float
        How far from its place a match may lie, as a part of the query's diagonal; halved from
        the first round to the last.
    log_scale, angle : float
        How far it may differ in the logarithm of scale, and in direction (degrees).
    widest, least_scale, largest_scale : float
        Plausible maps: ratio of the singular values, the least, the largest.
    apart : float
        Inliers nearer than this to a better one do not count, as a part of the diagonal.
    """

    n_matches: int = 1500
    n_hypotheses: int = 400
    n_refined: int = 3
    n_rounds: int = 5
    distance: float = 0.04
    log_scale: float = 0.7
    angle: float = 34.0
    widest: float = 4.0
    least_scale: float = 0.1
    largest_scale: float = 10.0
    apart: float = 0.005

    def __post_init__(self) -> None:
        for name in ("n_matches", "n_hypotheses", "n_refined", "n_rounds"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Keypoints as verification sees them.

    Attributes
    ----------
    xy : (N, 2) float32 array
        Pixels of the upright picture.
    size : (N,) float32 array
        Pixels, above 0.
    angle : (N,) float32 array
        Degrees.
    """

    xy: NDArray[np.float32]
    size: NDArray[np.float32]
    angle: NDArray[np.float32]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """How well a picture's matches agree.

    Attributes
    ----------
    score : float
        0 where no map is plausible; see `verify`.
    affine : (2, 3) float64 array
        Carries query pixels to database pixels: (x', y') = affine @ (x, y, 1).
    inliers : (n,) int64 array
        Rows of the matches that agree, best first, no two at one place.
    weight : float
        Sum of the inliers' weights.
    n_cells : int
        Cells of a 16 x 16 grid on the query that hold an inlier.
    """

    score: float
    affine: NDArray[np.float64]
    inliers: NDArray[np.int64]
    weight: float
    n_cells: int


NOTHING = Verification(0.0, np.eye(2, 3), np.zeros(0, np.int64), 0.0, 0)


def cells(
    x: NDArray[np.float32], y: NDArray[np.float32], size: tuple[int, int]
) -> NDArray[np.int64]:
    """Return which cell of the grid on a picture of this width and height holds each point.

    Cells are counted along the lines, from 0 to N_CELLS ** 2 - 1.
    """
    columns = np.clip(x * N_CELLS // size[0], 0, N_CELLS - 1)
    lines = np.clip(y * N_CELLS // size[1], 0, N_CELLS - 1)
    return (lines * N_CELLS + columns).astype(np.int64)


def verify(
    query: Geometry,
    database: Geometry,
    distances: NDArray[np.integer],
    weights: NDArray[np.float32],
    query_size: tuple[int, int],
    params: VerifyParams = VerifyParams(),
) -> Verification:
    """Find the affine map that most weight of matches agrees with.

    Parameters
    ----------
    query, database : Geometry
        Keypoints of M matches, row by row.
    distances : (M,) array
        How far apart the descriptors of each match are, in any unit; the nearest come first.
    weights : (M,) float32 array
        What each match counts, 0 to 100.
    query_size : tuple of int
        Width and height of the query, in pixels.
    params : VerifyParams

    Returns
    -------
    Verification
        Its score is sqrt(W * C * W / T): W the weight of the inliers, C the cells of the query
        that they lie in, T the weight of all matches. So it grows with their number, with their
        spread, and with their share.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    n = len(weights)
    if not len(query.xy) == len(database.xy) == len(distances) == n:
        raise ValueError("query, database, distances and weights must have one row a match")
    if n < 3:
        return NOTHING
    total = float(weights.sum(dtype=np.float64))
    order = np.argsort(distances, kind="stable")[: params.n_matches]
    turn = np.deg2rad(database.angle[order] - query.angle[order])
    matches = kernels.Matches(
        query_x=np.ascontiguousarray(query.xy[order, 0]),
        query_y=np.ascontiguousarray(query.xy[order, 1]),
        database_x=np.ascontiguousarray(database.xy[order, 0]),
        database_y=np.ascontiguousarray(database.xy[order, 1]),
        log_scale=np.log(database.size[order] / query.size[order]),
        cosine=np.cos(turn),
        sine=np.sin(turn),
        weights=weights[order],
    )
    width, height = query_size
    diagonal = math.hypot(width, height)
    affine = np.zeros(6)
    agreeing = np.empty(len(order), np.uint8)
    limits = kernels.Limits(
        distance=params.distance * diagonal,
        log_scale=params.log_scale,
        cosine=math.cos(math.radians(params.angle)),
        n_hypotheses=params.n_hypotheses,
        n_refined=params.n_refined,
        n_rounds=params.n_rounds,
        ridge=0.04 * diagonal,
        widest=params.widest,
        least_scale=params.least_scale,
        largest_scale=params.largest_scale,
        apart=params.apart * diagonal,
    )
    room = kernels.Room(
        units=np.empty(len(order), np.int32),
        agrees=np.empty(len(order), np.uint8),
        best=np.empty(params.n_refined, np.int64),
        votes=np.empty(params.n_refined, np.int64),
        map=np.empty(6),
    )
    if kernels.verify(matches, limits, room, affine, agreeing) <= 0 or total <= 0:
        return NOTHING
    inliers = np.flatnonzero(agreeing)
    weight = float(matches.weights[inliers].sum(dtype=np.float64))
    held = cells(matches.query_x[inliers], matches.query_y[inliers], (width, height))
    n_cells = len(np.unique(held))
    score = math.sqrt(weight * n_cells * weight / total)
    return Verification(score, affine.reshape(2, 3), order[inliers], weight, n_cells)
