"""From matches of signatures to scores: what each match counts, and which turn most agree on.

A match counts more the nearer its signatures are, and the fewer pictures its query keypoint
matched in: that one weight stands for rarity and burstiness. Photographs of one thing are turned
alike, so that only matches count whose keypoints turn as the best of the collection do, or as the
picture's own do where that is far stronger: a query on its side is found, and so are pictures on
their side among upright ones.

Jégou, Douze, Schmid, "Hamming embedding and weak geometric consistency", ECCV 2008, and "On the
burstiness of visual elements", CVPR 2009.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from engine.kernels import voting as kernels
from engine.signatures import NOTHING, Matches

N_TURNS = 72  # bins of five degrees
N_LEAST = 100  # a smaller collection counts as if it had so many pictures, or all would be common


@dataclasses.dataclass(frozen=True, slots=True)
class VoteParams:
    """What matches count.

    Attributes
    ----------
    most : int
        Largest Hamming distance that counts.
    spread : float
        A match at distance h counts exp(-(h / spread)^2).
    half_window : float
        Degrees that a match may turn more or less than the others; 180 leaves turns out.
    own_turn : float
        A picture follows its own turn where this part of what agrees with it is more than what
        agrees with the collection's; 0 never, 1 always.
    n_leading : int
        Best pictures, each by its own turn, that decide the collection's.
    """

    most: int = 40
    spread: float = 20.0
    half_window: float = 37.5
    own_turn: float = 0.6
    n_leading: int = 20

    def __post_init__(self) -> None:
        if not 0 <= self.most < NOTHING:
            raise ValueError(f"most must be from 0 to {NOTHING - 1}, got {self.most}")
        if not self.spread > 0:
            raise ValueError(f"spread must be above 0, got {self.spread}")
        if not 0 < self.half_window <= 180:
            raise ValueError(f"half_window must be above 0, at most 180, got {self.half_window}")
        if not 0 <= self.own_turn <= 1:
            raise ValueError(f"own_turn must be from 0 to 1, got {self.own_turn}")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """The scores of some pictures.

    Attributes
    ----------
    scores : (R,) float32 array
        Weight of the matches that turn alike, over the square root of the picture's keypoints.
    turns : (R,) float32 array
        Degrees by which each picture is turned against the query.
    windows : (R,) int64 array
        Which of N_TURNS bins of turns is the middle of the window that counts; see `counts_at`.
    parts : (R,) float32 array
        What the weight in it was multiplied by: `own_turn` where a picture follows its own turn,
        else 1.
    """

    scores: NDArray[np.float32]
    turns: NDArray[np.float32]
    windows: NDArray[np.int64]
    parts: NDArray[np.float32]

    def reordered(self, order: NDArray[np.int64]) -> "Votes":
        """Return them in another order."""
        return Votes(self.scores[order], self.turns[order], self.windows[order], self.parts[order])


def rarity(matches: Matches, most: int, n_images: int) -> NDArray[np.float32]:
    """Weigh query keypoints by how few pictures they match in.

    Parameters
    ----------
    matches : Matches
        With R pictures.
    most : int
        Largest Hamming distance that counts.
    n_images : int
        Pictures that were matched, the query left out.

    Returns
    -------
    (Q,) float32 array
        log(n_images / n), in nats, n_images at least 100; 0 where a keypoint matches nowhere.
    """
    n = (matches.distances <= most).sum(axis=0)
    weights = np.where(n > 0, np.log(max(n_images, N_LEAST) / np.maximum(n, 1)), 0)
    return np.maximum(weights, 0).astype(np.float32)


def by_distance(most: int, spread: float) -> NDArray[np.float32]:
    """Return what a match counts at each Hamming distance: (256,) float32."""
    distances = np.arange(256)
    weights = np.where(distances <= most, np.exp(-((distances / spread) ** 2)), 0)
    return weights.astype(np.float32)


def vote(
    matches: Matches,
    keypoint_weights: NDArray[np.float32],
    query_angles: NDArray[np.uint16],
    offsets: NDArray[np.int64],
    angles: NDArray[np.uint16],
    params: VoteParams = VoteParams(),
) -> Votes:
    """Score pictures by their matches.

    Parameters
    ----------
    matches : Matches
        Of R pictures, the query left out.
    keypoint_weights : (Q,) float32 array
        What each query keypoint counts.
    query_angles : (Q,) uint16 array
        Its direction; a full turn is 65,536.
    offsets : (I + 1,) int64 array
        First keypoint row of each picture of the collection.
    angles : (N,) uint16 array
        Directions of all keypoints of the collection.
    params : VoteParams

    Returns
    -------
    Votes
    """
    ids = matches.image_ids
    turns = np.empty((len(ids), N_TURNS), np.float32)
    kernels.count_turns(
        matches.distances,
        matches.rows,
        np.ascontiguousarray(offsets[ids]),
        angles,
        query_angles,
        by_distance(params.most, params.spread),
        keypoint_weights,
        turns,
    )
    reach = _reach(params)
    around = (np.arange(N_TURNS)[:, None] + np.arange(-reach, reach + 1)) % N_TURNS
    if params.half_window == 180:
        windows = np.repeat(turns.sum(axis=1, keepdims=True), N_TURNS, axis=1)
    else:
        windows = turns[:, around].sum(axis=2)
    n_keypoints = np.maximum(offsets[ids + 1] - offsets[ids], 1)
    windows = windows / np.sqrt(n_keypoints)[:, None].astype(np.float32)
    own = windows.argmax(axis=1)
    strengths = windows[np.arange(len(ids)), own]
    leading = np.argsort(-strengths, kind="stable")[: params.n_leading]
    common = int(windows[leading].sum(axis=0).argmax()) if len(ids) else 0
    follows_own = params.own_turn * strengths > windows[:, common]
    scores = np.where(follows_own, params.own_turn * strengths, windows[:, common])
    # A window is wide, and many places of it hold the same matches: their mean turn is in it.
    shared = turns[leading].sum(axis=0) if len(ids) else np.zeros(N_TURNS)
    centres = np.where(
        follows_own,
        own + _mean_offset(np.take_along_axis(turns, around[own], axis=1), reach),
        common + _mean_offset(shared[around[common]][None], reach),
    )
    degrees = (centres + 0.5) * (360 / N_TURNS) % 360
    return Votes(
        scores.astype(np.float32),
        degrees.astype(np.float32),
        np.where(follows_own, own, common),
        np.where(follows_own, params.own_turn, 1.0).astype(np.float32),
    )


def _reach(params: VoteParams) -> int:
    """Return how many bins to either side of its middle a window holds."""
    return min(int(params.half_window * N_TURNS / 360), (N_TURNS - 1) // 2)


def counts_at(
    window: int,
    query_angles: NDArray[np.uint16],
    angles: NDArray[np.uint16],
    params: VoteParams = VoteParams(),
) -> NDArray[np.bool_]:
    """Tell which matches turn as a window says, and so count for a picture.

    Parameters
    ----------
    window : int
        Of the picture, see `Votes`.
    query_angles, angles : (M,) uint16 arrays
        Directions of the matched keypoints; a full turn is 65,536.
    params : VoteParams

    Returns
    -------
    (M,) bool array
    """
    if params.half_window == 180:
        return np.ones(len(angles), bool)
    bins = (angles.astype(np.int64) - query_angles) % 65_536 * N_TURNS // 65_536
    off = (bins - window + N_TURNS // 2) % N_TURNS - N_TURNS // 2
    counted: NDArray[np.bool_] = np.abs(off) <= _reach(params)
    return counted


def _mean_offset(weights: NDArray[np.float32], reach: int) -> NDArray[np.float64]:
    """Return the mean place of (n, 2 * reach + 1) weights, 0 in the middle."""
    totals = weights.sum(axis=1, dtype=np.float64)
    moments = weights.astype(np.float64) @ np.arange(-reach, reach + 1)
    offsets: NDArray[np.float64] = np.zeros(len(weights))
    np.divide(moments, totals, out=offsets, where=totals > 0)
    return offsets
