"""Honest scores: which verified score hardly any picture reaches that shows nothing of these.

`engine.calibrate` searches for pictures without a match and keeps the best score of each. Scores
that only few of them reach follow an exponential tail, fitted above the ninth decile: it tells the
score that a given share reaches, and the share that reaches a given score.

Of the graph these scores know one thing only: which pictures it joined when they were measured,
since a picture of the collection is searched for without those. With other edges they stay measured
scores of the same keypoints, and are nearer the mark than a guess; so they are kept, and said to be
of an earlier graph.

Pickands, "Statistical inference using extreme order statistics", Annals of Statistics 1975 (the
tail of a distribution above a high threshold; the exponential is its middle case).
"""

import dataclasses
import hashlib
import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from engine.errors import ArtifactError
from engine.index import Index
from engine.language import tr
from engine.typed import MALFORMED

PART = "calibration"
# Where nothing was measured: cautious, above what calibration gives for photographs of buildings.
UNMEASURED = 3.3
UNMEASURED_RATE = 0.01  # of pictures without a match that are taken to reach it
N_LEAST = 30  # pictures without a match below which no tail is fitted
TAIL = 0.1


@dataclasses.dataclass(frozen=True, slots=True)
class Tail:
    """The distribution of the best false score of a picture.

    Attributes
    ----------
    scores : (n,) float32 array
        Of n pictures without a match, rising.
    start : float
        The ninth decile, where the tail begins.
    excess : float
        Mean of what the scores above it have more: the upper end of its 95 % interval, so that
        few pictures make a cautious tail.
    """

    scores: NDArray[np.float32]
    start: float
    excess: float

    def reached(self, score: float) -> float:
        """Return the share of pictures without a match that reach a score, 0 to 1."""
        if score <= self.start:
            return float((self.scores >= score).mean())
        return TAIL * math.exp((self.start - score) / self.excess) if self.excess > 0 else 0.0

    def surprise(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return -log10 of what `reached` tells, for (I,) scores: 2 for one in a hundred.

        What no number can hold any more still counts. Where no score is above the ninth decile,
        the tail falls as steeply as where nothing was measured.
        """
        n_below = np.searchsorted(self.scores, scores, side="left")
        share = np.maximum(1 - n_below / len(self.scores), TAIL)
        excess = self.excess or UNMEASURED / -math.log(UNMEASURED_RATE)
        beyond = np.maximum(np.asarray(scores, np.float64) - self.start, 0) / excess
        told: NDArray[np.float64] = -np.log10(share) + beyond / math.log(10)
        return told

    def score_at(self, share: float) -> float:
        """Return the score that this share of pictures without a match reaches, 0 < share < 1.

        Where no score is above the ninth decile it is the next number above all of them.
        """
        if share >= TAIL:
            return float(np.quantile(self.scores, 1 - share))
        if self.excess == 0:
            return float(np.nextafter(self.scores[-1], np.float32(np.inf)))
        return self.start + self.excess * math.log(TAIL / share)


def fit(scores: NDArray[np.float32]) -> Tail:
    """Fit the tail of the best false scores of n pictures: (n,) float32, any order.

    Raises
    ------
    ValueError
        If there are fewer than `N_LEAST`.
    """
    if len(scores) < N_LEAST:
        raise ValueError(f"at least {N_LEAST} scores are needed, got {len(scores)}")
    rising = np.sort(scores).astype(np.float32)
    start = float(np.quantile(rising, 1 - TAIL))
    above = rising[rising > start] - start
    if not len(above):
        return Tail(rising, start, 0.0)
    # A sum of n exponential numbers, doubled and over their mean, is chi-squared with 2n degrees.
    cautious = 2 * float(above.sum()) / float(chdtri(2 * len(above), 0.95))
    return Tail(rising, start, cautious)


@dataclasses.dataclass(frozen=True, slots=True)
class Calibration:
    """From which verified score a result counts as the same thing.

    Attributes
    ----------
    least_score : float
        That score.
    rate : float or None
        Share of pictures without a match that reach it; None where nothing was measured.
    tails : tuple of Tail
        One a kind of pictures that it was set with; empty where nothing was measured.
    earlier_graph : bool or None
        Whether the graph had other edges when it was measured; None where that is not known: for
        calibrations that were kept without telling, or where nothing was measured.
    """

    least_score: float
    rate: float | None = None
    tails: tuple[Tail, ...] = ()
    earlier_graph: bool | None = None

    @property
    def is_measured(self) -> bool:
        """Whether it was measured in this collection."""
        return bool(self.tails)

    def surprise(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return how surprising verified scores would be for a picture of something else.

        Parameters
        ----------
        scores : (I,) float array
            At most 0, or -inf, where there is none.

        Returns
        -------
        (I,) float64 array
            -log10 of the share of pictures without a match whose best score is at least that: 0 and
            more, 2 for one in a hundred. Where nothing was measured, UNMEASURED_RATE of them are
            taken to reach UNMEASURED, and the share to fall exponentially from 0 on.
        """
        known = np.maximum(scores, 0).astype(np.float64)
        told: NDArray[np.float64] = known / UNMEASURED * -math.log10(UNMEASURED_RATE)
        if self.tails:
            told = np.min([tail.surprise(known) for tail in self.tails], axis=0)
        return told

    def reached(self, score: float) -> float | None:
        """Return the share of pictures without a match that reach a score; None if unknown."""
        return max((tail.reached(score) for tail in self.tails), default=None)


def edges(index: Index) -> str:
    """Return a digest of which pictures the graph of an index joins; empty if it has none."""
    graph = index.manifest["parts"].get("graph")
    if graph is None:
        return ""
    told = "".join(graph["arrays"][name]["sha256"] for name in ("starts", "targets"))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def again(name: str) -> str:
    """Return the command that calibrates an index."""
    return f"python -m engine calibrate {name}"


def of(index: Index) -> Calibration:
    """Return the calibration of an index, or the one where nothing was measured.

    Raises
    ------
    ArtifactError
        If what was kept cannot be used.
    """
    if PART not in index.parts:
        return Calibration(UNMEASURED)
    told = index.manifest["parts"][PART]["parameters"]
    try:
        tails = tuple(fit(np.asarray(scores)) for scores in index.parts[PART].values())
        earlier = told["edges"] != edges(index) if "edges" in told else None
        least, rate = float(told["least_score"]), float(told["rate"])
        if not (math.isfinite(least) and 0 < rate < 1):
            raise ValueError(f"least_score {least}, rate {rate}")
        return Calibration(least, rate, tails, earlier)
    except MALFORMED as error:
        raise ArtifactError(
            tr(
                "the calibration of the index {name!r} cannot be used ({error!r}). Make it anew "
                "with: {command}",
                name=index.name,
                error=error,
                command=again(index.name),
            )
        ) from error
