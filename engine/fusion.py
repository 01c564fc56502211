"""Several rankings of one collection made into one: by places, or by how rare each score is.

Both give a score that is a sum, one part for each ranking, so that an explanation can show them.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RANK_CONSTANT = 60.0  # Cormack et al.: first places do not outweigh all others


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Fused:
    """Rankings put together.

    Attributes
    ----------
    parts : (M, I) float64 array
        What each ranking gives each picture; 0 where it does not rank it.
    """

    parts: NDArray[np.float64]

    @property
    def scores(self) -> NDArray[np.float64]:
        """Sums of the parts: (I,) float64, the larger the better."""
        total: NDArray[np.float64] = self.parts.sum(axis=0)
        return total


def by_rank(
    rankings: Sequence[NDArray[np.integer]],
    n_images: int,
    weights: Sequence[float] | None = None,
    constant: float = RANK_CONSTANT,
) -> Fused:
    """Reciprocal rank fusion: a ranking gives 1 / (constant + rank), rank from 1.

    Parameters
    ----------
    rankings : sequence of (R,) integer arrays
        Image ids, best first, each at most once.
    n_images : int
        I.
    weights : sequence of float or None
        Of each ranking; all alike if None.
    constant : float
        At least 0.

    Returns
    -------
    Fused

    Raises
    ------
    ValueError
        If a ranking names a picture twice, or one that is not there.

    References
    ----------
    Cormack, Clarke, Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank
    learning methods", SIGIR 2009.
    """
    if constant < 0:
        raise ValueError(f"constant must be at least 0, got {constant}")
    parts = np.zeros((len(rankings), n_images))
    for part, ranking, weight in zip(parts, rankings, _weights(weights, len(rankings))):
        _check_ids(ranking, n_images)
        part[ranking] = weight / (constant + np.arange(1, len(ranking) + 1))
    return Fused(parts)


def by_evidence(
    scores: Sequence[NDArray[np.floating]],
    false_scores: Sequence[NDArray[np.floating]],
    weights: Sequence[float] | None = None,
) -> Fused:
    """Add up how surprising each score would be for a picture of something else.

    A part is -log10 of the share of false scores that reach it: 2 means one in a hundred. Scores
    of any scale can be added so, and one that is no better than chance adds next to nothing.

    Parameters
    ----------
    scores : sequence of (I,) float arrays
        Of each method, for all pictures; -inf where it has none.
    false_scores : sequence of (F,) float arrays
        Of each method, of pairs of pictures that show different things; see `false_among`.
    weights : sequence of float or None
        Of each method; all alike if None.

    Returns
    -------
    Fused

    Raises
    ------
    ValueError
        If there are no false scores, or numbers of arrays or pictures differ.

    References
    ----------
    Fisher, "Statistical methods for research workers", 1925 (the sum of log p); Zheng, Wang, Tian,
    He, Liu, Tian, "Query-adaptive late fusion for image search", CVPR 2015.
    """
    if len(scores) != len(false_scores) or len({len(one) for one in scores}) > 1:
        raise ValueError("there must be as many false scores as scores, all of the same pictures")
    parts = np.zeros((len(scores), len(scores[0]) if scores else 0))
    for place, weight in enumerate(_weights(weights, len(scores))):
        parts[place] = weight * evidence(scores[place], false_scores[place])
    return Fused(parts)


def evidence(
    scores: NDArray[np.floating], false_scores: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return -log10 of the share of false scores that reach each score.

    Beyond the largest false score the share would be 0; there it falls on as it fell along the
    largest tenth of them, exponentially, so that better scores still count for more.

    Parameters
    ----------
    scores : (I,) float array
    false_scores : (F,) float array
        At least one; finite.

    Returns
    -------
    (I,) float64 array
        At least 0, rising with the score.
    """
    rising = np.sort(false_scores.astype(np.float64))
    n = len(rising)
    if n == 0:
        raise ValueError("there are no false scores to compare with")
    reached = n - np.searchsorted(rising, scores, side="left")
    found: NDArray[np.float64] = -np.log10((reached + 1) / (n + 1))
    tail = rising[-max(2, n // 10) :]
    width = float(np.mean(tail - tail[0]))  # of an exponential tail: its mean excess
    if width > 0:
        beyond = np.maximum(scores.astype(np.float64) - rising[-1], 0)
        found += np.where(np.isfinite(beyond), beyond, 0) / (width * np.log(10))
    return found


def false_among(scores: NDArray[np.floating], share: float = 0.5) -> NDArray[np.floating]:
    """Return the lower part of a query's scores, which are false in all but odd collections.

    For methods without a calibration of their own.

    Parameters
    ----------
    scores : (I,) float array
        Of one query, for all pictures.
    share : float
        How much of them, above 0, at most 1.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must be above 0, at most 1, got {share}")
    finite = np.sort(scores[np.isfinite(scores)])
    return finite[: max(1, int(np.ceil(share * len(finite))))]


def _weights(weights: Sequence[float] | None, n: int) -> Sequence[float]:
    told = [1.0] * n if weights is None else weights
    if len(told) != n or min(told, default=0.0) < 0:
        raise ValueError(f"there must be {n} weights, none below 0")
    return told


def _check_ids(ranking: NDArray[np.integer], n_images: int) -> None:
    if len(ranking) and not 0 <= ranking.min() <= ranking.max() < n_images:
        raise ValueError(f"a ranking names pictures that are not there: 0 to {n_images - 1} are")
    if len(np.unique(ranking)) != len(ranking):
        raise ValueError("a ranking names a picture twice")
