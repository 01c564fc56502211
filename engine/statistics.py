"""How far a mean over queries may be trusted: percentile intervals by the bootstrap."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
N_RESAMPLES = 10_000
_CELLS = 1_000_000  # picks held at once, so that memory stays bounded

Interval = tuple[float, float]


def interval(
    values: Sequence[float],
    seed: int = 0,
    groups: Sequence[Hashable] | None = None,
    level: float = LEVEL,
    n_resamples: int = N_RESAMPLES,
) -> Interval:
    """Give the interval in which the mean would fall with other queries of the same kind.

    Parameters
    ----------
    values : sequence of float
        One a query, at least one.
    seed : int
        Decides every draw: the same values give the same interval.
    groups : sequence or None
        The landmark of each value. Queries of a landmark share their right answers and are no
        independent witnesses; with groups, whole landmarks are drawn (cluster bootstrap).
    level : float
        Share of the resampled means that lie inside, above 0 and below 1.
    n_resamples : int
        How often the queries are drawn anew, with replacement; at least 1.

    Returns
    -------
    (low, high) : tuple of float
        Percentiles of the resampled means. With one value or one group both are the mean.

    Raises
    ------
    ValueError
        If there is no value, one is not finite, or another argument is out of its range.

    References
    ----------
    Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 8 and 13.
    """
    measured = np.asarray(values, np.float64)
    if measured.ndim != 1 or len(measured) == 0 or not np.isfinite(measured).all():
        raise ValueError("an interval needs at least one value, and finite ones only")
    if not 0 < level < 1 or n_resamples < 1:
        raise ValueError("level must lie between 0 and 1 and n_resamples be at least 1")
    sums, sizes = _sums(measured, groups)
    if len(sums) == 1:
        return (float(measured.mean()),) * 2
    from scipy.stats import bootstrap

    drawn = bootstrap(
        (sums, sizes),
        lambda s, n, axis: s.sum(axis=axis) / n.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=n_resamples,
        batch=max(1, _CELLS // len(sums)),
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    # Of equal values, rounding can leave the lower percentile a bit above the upper one.
    low, high = sorted((float(drawn.low), float(drawn.high)))
    return low, high


def _sums(
    values: NDArray[np.float64], groups: Sequence[Hashable] | None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the sum and number of the values of each group, in order of appearance."""
    if groups is None:
        return values, np.ones(len(values), np.int64)
    if len(groups) != len(values):
        raise ValueError(f"there are {len(values)} values but {len(groups)} groups")
    numbers: dict[Hashable, int] = {}
    places = [numbers.setdefault(group, len(numbers)) for group in groups]
    return np.bincount(places, values).astype(np.float64), np.bincount(places).astype(np.int64)


def paired_interval(
    before: Sequence[float],
    after: Sequence[float],
    seed: int = 0,
    groups: Sequence[Hashable] | None = None,
) -> Interval:
    """Give the interval of the mean difference `after` - `before`, query by query.

    Both sequences give the same queries in the same order. Each resample draws queries, and takes
    both values of each: what makes a query hard for both cancels out.
    """
    if len(before) != len(after):
        raise ValueError(f"{len(before)} values cannot be paired with {len(after)}")
    difference = np.asarray(after, np.float64) - np.asarray(before, np.float64)
    return interval(difference.tolist(), seed, groups)


def share_interval(n_hits: int, n: int) -> Interval:
    """Give the 95 % interval of a share, of which `n_hits` of `n` were counted; all for n = 0.

    Clopper, Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 1934.
    """
    if n == 0:
        return (0.0, 1.0)
    from scipy.stats import binomtest

    told = binomtest(n_hits, n).proportion_ci(LEVEL)
    return (float(told.low), float(told.high))
