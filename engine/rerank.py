"""Re-ranking: the best of a short list, by how many of their matches agree on one map."""

import dataclasses
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine import packing, threads, verify, voting
from engine.index import Index
from engine.shortlist import ShortList, Signed
from engine.verify import Geometry, Verification, VerifyParams


@dataclasses.dataclass(frozen=True, slots=True)
class RerankParams:
    """Which pictures are verified, and with which matches.

    Attributes
    ----------
    n_images : int
        The best of the short list that are verified.
    most : int
        Largest Hamming distance of a match that takes part.
    spread : float
        A match at distance h counts exp(-(h / spread)^2), times its keypoint's rarity.
    turn : float
        Degrees that a match may turn more or less than the picture as a whole does.
    verify : VerifyParams
        When matches agree.
    """

    n_images: int = 100
    most: int = 48
    spread: float = 30.0
    turn: float = 45.0
    verify: VerifyParams = dataclasses.field(default_factory=VerifyParams)

    def __post_init__(self) -> None:
        if not self.spread > 0:
            raise ValueError(f"spread must be above 0, got {self.spread}")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Verified:
    """How one picture matches the query.

    Attributes
    ----------
    image_id : int
        The picture.
    query_rows, database_rows : (M,) int64 array
        The keypoints of each match: of the query, and of the picture, counted from its first.
    distances : (M,) uint8 array
        How far their signatures are apart.
    weights : (M,) float32 array
        What each match counts.
    verification : Verification
        Its inliers are rows of these.
    """

    image_id: int
    query_rows: NDArray[np.int64]
    database_rows: NDArray[np.int64]
    distances: NDArray[np.uint8]
    weights: NDArray[np.float32]
    verification: Verification

    @property
    def score(self) -> float:
        """The verified score."""
        return self.verification.score


def rerank(
    index: Index,
    query: Signed,
    listed: ShortList,
    params: RerankParams = RerankParams(),
    n_threads: int = 1,
) -> list[Verified]:
    """Verify the best pictures of a short list.

    Parameters
    ----------
    index : Index
        The collection.
    query : Signed
        The query.
    listed : ShortList
        From `shortlist.shortlist`, with matches at least as far as `params.most`.
    params : RerankParams
    n_threads : int
        The result does not depend on it.

    Returns
    -------
    list of Verified
        In the order of the short list.
    """
    n_images = min(params.n_images, len(listed.turns))
    by_distance = voting.by_distance(params.most, params.spread)
    found: list[Verified | None] = [None] * n_images

    def some(low: int, high: int) -> None:
        for place in range(low, high):
            found[place] = _verify(index, query, listed, place, by_distance, params)

    cuts = np.linspace(0, n_images, min(n_images, 8 * n_threads) + 1).astype(int)
    threads.run([partial(some, a, b) for a, b in pairwise(cuts.tolist())], n_threads)
    return [one for one in found if one is not None]


def _verify(
    index: Index,
    query: Signed,
    listed: ShortList,
    place: int,
    by_distance: NDArray[np.float32],
    params: RerankParams,
) -> Verified:
    """Verify one picture of a short list."""
    image_id = int(listed.matches.image_ids[place])
    distances = listed.matches.distances[place]
    query_rows = np.flatnonzero(distances <= params.most)
    rows = listed.matches.rows[place, query_rows].astype(np.int64)
    packed = {
        name: index.parts["keypoints"][name][index.offsets[image_id] + rows]
        for name in packing.ARRAYS
    }
    entry = index.images[image_id]
    keypoints = packing.unpack(packed, entry.width, entry.height)
    turn = keypoints.angle - query.geometry.angle[query_rows] - listed.turns[place]
    alike = np.abs((turn + 180) % 360 - 180) <= params.turn
    query_rows, rows = query_rows[alike], rows[alike]
    distances = distances[query_rows]
    weights = by_distance[distances] * listed.rarity[query_rows]
    geometry = query.geometry
    verification = verify.verify(
        Geometry(geometry.xy[query_rows], geometry.size[query_rows], geometry.angle[query_rows]),
        Geometry(keypoints.xy[alike], keypoints.size[alike], keypoints.angle[alike]),
        distances,
        weights,
        (query.width, query.height),
        params.verify,
    )
    return Verified(image_id, query_rows, rows, distances, weights, verification)
