"""What each match of two keypoints adds to the score of one picture."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import packing, verify, voting
from engine.explanation import BEYOND, COUNTS, DOUBLE, OFF, TURNED, Factors, MatchShares
from engine.index import Index
from engine.rerank import RerankParams, Verified
from engine.shortlist import Met, Signed
from engine.verify import Geometry
from engine.voting import VoteParams


def of_votes(
    index: Index, query: Signed, found: Met, place: int, params: VoteParams
) -> MatchShares:
    """Take the votes of a picture's matches apart.

    Parameters
    ----------
    index : Index
        The collection.
    query : Signed
        The query.
    found : Met
        How its keypoints met some pictures.
    place : int
        Of the picture among these.
    params : VoteParams

    Returns
    -------
    MatchShares
        All matches that may vote; those that turn otherwise than the picture count nothing.
    """
    image_id = int(found.matches.image_ids[place])
    distances = found.matches.distances[place]
    voters = np.flatnonzero((found.matches.rows[place] >= 0) & (distances <= params.most))
    rows = found.matches.rows[place, voters].astype(np.int64)
    query_rows = found.keypoints[voters].astype(np.int64)
    first, last = index.offsets[image_id : image_id + 2]
    counted = voting.counts_at(
        int(found.votes.windows[place]),
        packing.pack_angles(query.geometry.angle[query_rows]),
        index.parts["keypoints"]["angle"][first + rows],
        params,
    )
    table = voting.by_distance(params.most, params.spread).astype(np.float64)
    values = table[distances[voters]] * found.weights[voters]
    values *= float(found.votes.parts[place]) / np.sqrt(max(int(last - first), 1))
    return _shares(
        index,
        image_id,
        query.geometry,
        query_rows,
        rows,
        distances[voters],
        np.where(counted, values, 0.0),
        np.where(counted, COUNTS, TURNED).astype(np.uint8),
    )


def of_verified(
    index: Index,
    query: Geometry,
    size: tuple[int, int],
    found: Verified,
    params: RerankParams,
    part: float = 1.0,
) -> tuple[MatchShares, Factors]:
    """Share a verified score out among its inliers, by their weight.

    The score grows with the inliers' weight, their spread and their share of all matches, so it
    is no sum of what each would score alone; each gets the part that its weight has in all.

    Parameters
    ----------
    index : Index
        The collection.
    query : Geometry
        What was verified: the query's keypoints, and what was carried back.
    size : tuple of int
        Width and height of the query.
    found : Verified
        Of the picture.
    params : RerankParams
        That it was verified with.
    part : float
        What the score was multiplied by afterwards.

    Returns
    -------
    MatchShares
        All matches that took part.
    Factors
    """
    agreed, weights = found.verification, found.weights.astype(np.float64)
    values = np.zeros(len(weights))
    fates = np.full(len(weights), OFF, np.uint8)
    fates[np.argsort(found.distances, kind="stable")[params.verify.n_matches :]] = BEYOND
    inliers = agreed.inliers
    if len(inliers):
        fates[inliers] = COUNTS
        values[inliers] = part * agreed.score * weights[inliers] / weights[inliers].sum()
    shares = _shares(
        index,
        found.image_id,
        query,
        found.query_rows,
        found.database_rows,
        found.distances,
        values,
        fates,
        agreed.affine if len(inliers) else None,
    )
    reach = params.verify.apart * float(np.hypot(*size))
    tolerance = verify.LAST_REACH * params.verify.distance * float(np.hypot(*size))
    scale = np.sqrt(abs(np.linalg.det(agreed.affine[:, :2])))
    near = (fates == OFF) & (shares.residuals <= tolerance * max(1.0, scale))
    beside = _beside(shares.query.xy, inliers, reach) | _beside(shares.database.xy, inliers, reach)
    shares = dataclasses.replace(shares, fates=np.where(near & beside, DOUBLE, fates))
    total = float(weights.sum())
    return shares, Factors(agreed.weight, agreed.n_cells, total, part)


def met(index: Index, query: Geometry, found: Met, place: int, most: int) -> MatchShares:
    """Return all matches of a picture that may be verified, without a say so far.

    Parameters
    ----------
    index : Index
        The collection.
    query : Geometry
        The query's keypoints.
    found : Met
        How all of them met some pictures.
    place : int
        Of the picture among these.
    most : int
        Largest Hamming distance.
    """
    distances = found.matches.distances[place]
    query_rows = np.flatnonzero((found.matches.rows[place] >= 0) & (distances <= most))
    rows = found.matches.rows[place, query_rows].astype(np.int64)
    nothing = np.zeros(len(rows))
    fates = np.full(len(rows), BEYOND, np.uint8)
    image_id = int(found.matches.image_ids[place])
    return _shares(index, image_id, query, query_rows, rows, distances[query_rows], nothing, fates)


def select(shares: MatchShares, rows: NDArray[np.bool_], fate: int) -> MatchShares:
    """Return some matches, all of one fate."""
    chosen = _each(lambda array: array[rows], shares)
    return dataclasses.replace(chosen, fates=np.full(len(chosen), fate, np.uint8))


def join(first: MatchShares, second: MatchShares) -> MatchShares:
    """Return both, one after the other."""
    return _each(lambda *arrays: np.concatenate(arrays), first, second)


def _each(make: Callable[..., NDArray[Any]], *shares: MatchShares) -> MatchShares:
    """Make matches from each array of some."""

    def of(records: tuple[Any, ...]) -> dict[str, Any]:
        fields = dataclasses.fields(records[0])
        return {f.name: one([getattr(record, f.name) for record in records]) for f in fields}

    def one(values: list[Any]) -> Any:
        return Geometry(**of(tuple(values))) if isinstance(values[0], Geometry) else make(*values)

    return MatchShares(**of(shares))


def _beside(xy: NDArray[np.float32], inliers: NDArray[np.int64], reach: float) -> NDArray[np.bool_]:
    """Tell which places lie nearer than `reach` to that of an inlier."""
    found = np.zeros(len(xy), bool)
    for x, y in xy[inliers].tolist():
        found |= np.hypot(xy[:, 0] - x, xy[:, 1] - y) < reach
    return found


def _shares(
    index: Index,
    image_id: int,
    query: Geometry,
    query_rows: NDArray[np.int64],
    database_rows: NDArray[np.int64],
    distances: NDArray[np.uint8],
    values: NDArray[np.float64],
    fates: NDArray[np.uint8],
    affine: NDArray[np.float64] | None = None,
) -> MatchShares:
    """Look up where the keypoints lie, and how far from where the map carries them."""
    keypoints = index.keypoints(image_id)
    asked = Geometry(query.xy[query_rows], query.size[query_rows], query.angle[query_rows])
    answered = Geometry(
        keypoints.xy[database_rows], keypoints.size[database_rows], keypoints.angle[database_rows]
    )
    residuals = np.full(len(values), np.nan)
    if affine is not None:
        carried = asked.xy.astype(np.float64) @ affine[:, :2].T + affine[:, 2]
        residuals = np.hypot(*(carried - answered.xy).T)
    return MatchShares(
        query_rows,
        database_rows,
        index.words(image_id).word_ids[database_rows],
        np.full(len(values), -1),
        asked,
        answered,
        distances,
        values,
        fates,
        residuals,
    )
