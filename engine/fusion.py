"""Several rankings of one collection made into one: by places, or by how rare each score is.

Both give a score that is a sum, one part for each ranking, so that an explanation can show them.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_CAUTIOUS = 2.0  # standard deviations
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
    constant: float = RANK_CONSTANT,
) -> Fused:
    """Reciprocal rank fusion: a ranking gives 1 / (constant + rank), rank from 1.

    Parameters
    ----------
    rankings : sequence of (R,) integer arrays
        Image ids, best first, each at most once.
    n_images : int
        I.
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
    for part, ranking in zip(parts, rankings):
        _check_ids(ranking, n_images)
        part[ranking] = 1 / (constant + np.arange(1, len(ranking) + 1))
    return Fused(parts)


def surprise(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return how surprising each score would be for a picture of something else.

    That is -log10 of the share of such pictures that would reach it, if those above the median of
    all scores fell off exponentially: 2 means one in a hundred. Hardly any picture of a collection
    shows what a query does, so all of them tell how far chance reaches. The mean of the fall is
    twice their standard deviation: a cautious guess, measured in `docs/models.md`.

    Parameters
    ----------
    scores : (I,) float array
        Of one query, of any scale; -inf for pictures that have none.

    Returns
    -------
    (I,) float64 array
        At least 0, rising with the score; 0 where all scores are alike, and for pictures without.

    References
    ----------
    Fisher, "Statistical methods for research workers", 1925 (the sum of log p); Zheng, Wang, Tian,
    He, Liu, Tian, "Query-adaptive late fusion for image search", CVPR 2015.
    """
    found = np.zeros(len(scores))
    there = np.isfinite(scores)
    known = scores[there].astype(np.float64)
    mean = _CAUTIOUS * float(known.std()) if len(known) else 0.0
    if mean > 0:
        found[there] = np.maximum(known - np.median(known), 0) / (mean * np.log(10))
    return found


def _check_ids(ranking: NDArray[np.integer], n_images: int) -> None:
    if len(ranking) and not 0 <= ranking.min() <= ranking.max() < n_images:
        raise ValueError(f"a ranking names pictures that are not there: 0 to {n_images - 1} are")
    if len(np.unique(ranking)) != len(ranking):
        raise ValueError("a ranking names a picture twice")
