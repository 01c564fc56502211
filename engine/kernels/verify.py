"""Loops of spatial verification: which matches of two pictures agree on one affine map.

Matches come best first. Position, scale and direction of the two keypoints of one match already
give a similarity, so that every match is a hypothesis of its own.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.kernels import inlined, kernel


class Matches(NamedTuple):
    """The matches of a query with one picture, best first.

    Fields
    ------
    query_x, query_y, database_x, database_y : (M,) float32
        Where the keypoints lie, in pixels of their own pictures.
    log_scale : (M,) float32
        Logarithm of the database keypoint's size over the query keypoint's.
    cosine, sine : (M,) float32
        Of the angle from the query keypoint's direction to the database keypoint's.
    weights : (M,) float32
        What each match counts, 0 to 100.
    """

    query_x: NDArray[np.float32]
    query_y: NDArray[np.float32]
    database_x: NDArray[np.float32]
    database_y: NDArray[np.float32]
    log_scale: NDArray[np.float32]
    cosine: NDArray[np.float32]
    sine: NDArray[np.float32]
    weights: NDArray[np.float32]


class Limits(NamedTuple):
    """What a match may differ from a map, and how many are tried.

    Fields
    ------
    distance : float
        Pixels of the database picture at scale 1; larger maps allow as much more.
    log_scale : float
        Difference of logarithms of scales.
    cosine : float
        Least cosine of the difference of angles.
    n_hypotheses, n_refined, n_rounds : int
        Matches that propose a map; best maps that are refined; rounds of each.
    ridge : float
        Pixels: how firmly the linear part of a map is held to what it was a round before.
    widest, least_scale, largest_scale : float
        Plausible maps: ratio of the singular values, the least, the largest.
    apart : float
        Pixels within which two inliers count as one.
    """

    distance: float
    log_scale: float
    cosine: float
    n_hypotheses: int
    n_refined: int
    n_rounds: int
    ridge: float
    widest: float
    least_scale: float
    largest_scale: float
    apart: float


class Room(NamedTuple):
    """Room for one call.

    Fields
    ------
    units : (M,) int32
        Weights in 1/4096: sums of whole numbers can be added in any order.
    agrees : (M,) uint8
        Matches that agree with the map at hand.
    best, votes : (n_refined,) int64
        Best hypotheses, and the weight that agrees with each.
    map : (6,) float64
        The map at hand.
    """

    units: NDArray[np.int32]
    agrees: NDArray[np.uint8]
    best: NDArray[np.int64]
    votes: NDArray[np.int64]
    map: NDArray[np.float64]


@inlined
def _propose(matches: Matches, limits: Limits, room: Room) -> int:
    """Let each match propose a similarity; keep the best, the earlier of equals first."""
    n = matches.weights.shape[0]
    distance = np.float32(limits.distance)
    log_scale = np.float32(limits.log_scale)
    cosine = np.float32(limits.cosine)
    one = np.float32(1)
    for k in range(np.uint64(n)):
        room.units[k] = np.int32(matches.weights[k] * np.float32(4096) + np.float32(0.5))
    n_kept = 0
    for j in range(min(n, limits.n_hypotheses)):
        scale = np.float32(math.exp(matches.log_scale[j]))
        a = scale * matches.cosine[j]
        b = scale * matches.sine[j]
        x = matches.database_x[j] - (a * matches.query_x[j] - b * matches.query_y[j])
        y = matches.database_y[j] - (b * matches.query_x[j] + a * matches.query_y[j])
        reach = distance * max(one, scale)
        square = reach * reach
        of_scale = matches.log_scale[j]
        of_cosine = matches.cosine[j]
        of_sine = matches.sine[j]
        votes = np.int32(0)
        for k in range(np.uint64(n)):
            dx = a * matches.query_x[k] - b * matches.query_y[k] + x - matches.database_x[k]
            dy = b * matches.query_x[k] + a * matches.query_y[k] + y - matches.database_y[k]
            agrees = (
                (dx * dx + dy * dy <= square)
                & (abs(matches.log_scale[k] - of_scale) < log_scale)
                & (matches.cosine[k] * of_cosine + matches.sine[k] * of_sine > cosine)
            )
            votes += room.units[k] if agrees else np.int32(0)
        place = n_kept
        while place > 0 and room.votes[place - 1] < votes:
            place -= 1
        if place == limits.n_refined:
            continue
        n_kept = min(n_kept + 1, limits.n_refined)
        for k in range(n_kept - 1, place, -1):
            room.best[k] = room.best[k - 1]
            room.votes[k] = room.votes[k - 1]
        room.best[place] = j
        room.votes[place] = votes
    return n_kept


@inlined
def _agree(matches: Matches, limits: Limits, room: Room, j: int, reach: float) -> float:
    """Mark the matches that agree with the map at hand and with match `j`; sum their weights."""
    m = room.map
    scale = math.sqrt(abs(m[0] * m[4] - m[1] * m[3]))
    square = (reach * max(1.0, scale)) ** 2
    total = 0.0
    for k in range(matches.weights.shape[0]):
        x = np.float64(matches.query_x[k])
        y = np.float64(matches.query_y[k])
        dx = m[0] * x + m[1] * y + m[2] - matches.database_x[k]
        dy = m[3] * x + m[4] * y + m[5] - matches.database_y[k]
        turned = matches.cosine[k] * matches.cosine[j] + matches.sine[k] * matches.sine[j]
        agrees = (
            dx * dx + dy * dy <= square
            and abs(matches.log_scale[k] - matches.log_scale[j]) < limits.log_scale
            and turned > limits.cosine
        )
        room.agrees[k] = 1 if agrees else 0
        if agrees:
            total += matches.weights[k]
    return total


@inlined
def _fit(matches: Matches, limits: Limits, room: Room, total: float) -> bool:
    """Fit an affine map to the matches that agree, by weighted least squares; False if absurd."""
    query_x = 0.0
    query_y = 0.0
    database_x = 0.0
    database_y = 0.0
    n = matches.weights.shape[0]
    for k in range(n):
        if room.agrees[k]:
            w = np.float64(matches.weights[k])
            query_x += w * matches.query_x[k]
            query_y += w * matches.query_y[k]
            database_x += w * matches.database_x[k]
            database_y += w * matches.database_y[k]
    query_x /= total
    query_y /= total
    database_x /= total
    database_y /= total
    m = room.map
    ridge = total * limits.ridge * limits.ridge
    xx = ridge
    yy = ridge
    xy = 0.0
    xu = ridge * m[0]
    yu = ridge * m[1]
    xv = ridge * m[3]
    yv = ridge * m[4]
    for k in range(n):
        if room.agrees[k]:
            w = np.float64(matches.weights[k])
            x = matches.query_x[k] - query_x
            y = matches.query_y[k] - query_y
            u = matches.database_x[k] - database_x
            v = matches.database_y[k] - database_y
            xx += w * x * x
            xy += w * x * y
            yy += w * y * y
            xu += w * x * u
            yu += w * y * u
            xv += w * x * v
            yv += w * y * v
    determinant = xx * yy - xy * xy
    a = (xu * yy - yu * xy) / determinant
    b = (yu * xx - xu * xy) / determinant
    c = (xv * yy - yv * xy) / determinant
    d = (yv * xx - xv * xy) / determinant
    # Singular values of a 2 x 2 matrix: half sum and half difference of two lengths.
    one = math.hypot((a + d) / 2, (c - b) / 2)
    other = math.hypot((a - d) / 2, (c + b) / 2)
    largest = one + other
    least = one - other  # negative for a mirrored picture
    if not (
        least >= limits.least_scale
        and largest <= limits.largest_scale
        and largest <= limits.widest * least
    ):
        return False
    m[0] = a
    m[1] = b
    m[2] = database_x - (a * query_x + b * query_y)
    m[3] = c
    m[4] = d
    m[5] = database_y - (c * query_x + d * query_y)
    return True


@inlined
def _refine(matches: Matches, limits: Limits, room: Room, j: int) -> float:
    """Refine the similarity of match `j` to an affine map; -1 where it becomes absurd.

    The reach falls to a half from the first round to the last.
    """
    scale = math.exp(np.float64(matches.log_scale[j]))
    m = room.map
    m[0] = scale * matches.cosine[j]
    m[3] = scale * matches.sine[j]
    m[1] = -m[3]
    m[4] = m[0]
    x = np.float64(matches.query_x[j])
    y = np.float64(matches.query_y[j])
    m[2] = matches.database_x[j] - (m[0] * x + m[1] * y)
    m[5] = matches.database_y[j] - (m[3] * x + m[4] * y)
    for done in range(limits.n_rounds):
        reach = limits.distance * (1.0 - 0.5 * done / limits.n_rounds)
        total = _agree(matches, limits, room, j, reach)
        if total <= 0 or not _fit(matches, limits, room, total):
            return -1.0
    return _agree(matches, limits, room, j, 0.5 * limits.distance)


@inlined
def _thin(matches: Matches, apart: float, inliers: NDArray[np.uint8]) -> None:
    """Leave out inliers that lie beside a better one in either picture."""
    square = apart * apart
    for k in range(matches.weights.shape[0]):
        if not inliers[k]:
            continue
        for other in range(k):
            if inliers[other]:
                qx = matches.query_x[k] - matches.query_x[other]
                qy = matches.query_y[k] - matches.query_y[other]
                dx = matches.database_x[k] - matches.database_x[other]
                dy = matches.database_y[k] - matches.database_y[other]
                if qx * qx + qy * qy < square or dx * dx + dy * dy < square:
                    inliers[k] = 0
                    break


@kernel
def verify(
    matches: Matches,
    limits: Limits,
    room: Room,
    best_map: NDArray[np.float64],
    inliers: NDArray[np.uint8],
) -> float:
    """Find the affine map that most weight of matches agrees with.

    Parameters
    ----------
    matches, limits, room
        M matches, best first; what to allow; memory to work in.
    best_map : (6,) float64
        Receives the map from query to database: x' = m0 x + m1 y + m2, y' = m3 x + m4 y + m5.
    inliers : (M,) uint8
        Receives 1 for each match that agrees with it, of which no two lie at one place.

    Returns
    -------
    float
        Weight of all that agree, before thinning; 0 where there is no plausible map.
    """
    n = matches.weights.shape[0]
    for k in range(n):
        inliers[k] = 0
    largest = 0.0
    n_best = _propose(matches, limits, room)
    for place in range(n_best):
        total = _refine(matches, limits, room, room.best[place])
        if total > largest:
            largest = total
            for k in range(6):
                best_map[k] = room.map[k]
            for k in range(n):
                inliers[k] = room.agrees[k]
    _thin(matches, limits.apart, inliers)
    return largest
