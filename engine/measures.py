"""How good one ranking is: average precision, precision at k, the precision-recall curve.

And how good what is accepted is, of a method that tells which pictures show the same thing.
"""

import dataclasses
from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Ranked = Sequence[int] | NDArray[np.int32]


def right_ranks(
    ranked: Ranked, positives: Collection[int], junk: Collection[int] = ()
) -> tuple[int, ...]:
    """Return the ranks of the right answers, from 1, counted as if no junk were there.

    They are all that average precision and the precision-recall curve depend on.
    """
    right, ignored = frozenset(positives), frozenset(junk)
    kept = [image_id for i in ranked if (image_id := int(i)) not in ignored]
    return tuple(rank for rank, image_id in enumerate(kept, 1) if image_id in right)


def average_precision(
    ranked: Ranked,
    positives: Collection[int],
    junk: Collection[int] = (),
    n_missing: int = 0,
) -> float:
    """Measure one ranking by VGG's trapezoid rule.

    Parameters
    ----------
    ranked : sequence of int
        Images, best first, the query itself left out.
    positives : collection of int
        Right answers.
    junk : collection of int
        Images passed over as if they were not there.
    n_missing : int
        Right answers that can never be found; they count as positives.

    Returns
    -------
    float
        Area under the precision-recall curve, 0 to 1, from recall 0 and precision 1.

    Raises
    ------
    ValueError
        If there is no right answer.

    References
    ----------
    Philbin, Chum, Isard, Sivic, Zisserman, "Object retrieval with large vocabularies and fast
    spatial matching", CVPR 2007, and its program compute_ap.
    """
    n_positives = len(frozenset(positives)) + n_missing
    return average_precision_of(right_ranks(ranked, positives, junk), n_positives)


def average_precision_of(ranks: Sequence[int], n_positives: int) -> float:
    """Return the average precision of right answers at these ranks, see `average_precision`."""
    if n_positives < 1:
        raise ValueError("there must be at least one right answer")
    area = 0.0
    for n_right, rank in enumerate(ranks, 1):
        before = (n_right - 1) / (rank - 1) if rank > 1 else 1.0
        area += (before + n_right / rank) / 2
    return area / n_positives


def precision_at(
    ranked: Ranked,
    positives: Collection[int],
    n_first: int,
    junk: Collection[int] = (),
) -> float:
    """Return the share of right answers among the first `n_first` that are not junk.

    Where there are fewer right answers than `n_first`, the share cannot reach 1.
    """
    ranks = right_ranks(ranked, positives, junk)
    return sum(rank <= n_first for rank in ranks) / n_first


@dataclasses.dataclass(frozen=True, slots=True)
class Accepted:
    """Pictures that a method says show the same thing as the query, counted by what they are.

    Attributes
    ----------
    right, wrong, junk : int
        Right answers; what counts as wrong, because nothing is said of it too; what counts neither
        way.
    """

    right: int = 0
    wrong: int = 0
    junk: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.right + self.wrong + self.junk


def count_accepted(
    accepted: Iterable[int], positives: Collection[int], junk: Collection[int] = ()
) -> Accepted:
    """Count the pictures that were accepted, each once, by what the ground truth says of them."""
    found = frozenset(accepted)
    right = found & frozenset(positives)
    ignored = (found - right) & frozenset(junk)
    return Accepted(len(right), len(found) - len(right) - len(ignored), len(ignored))


def add_up(counted: Iterable[Accepted]) -> Accepted:
    """Return what was accepted over several queries."""
    rows = [(one.right, one.wrong, one.junk) for one in counted]
    return Accepted(*map(sum, zip(*rows)))


@dataclasses.dataclass(frozen=True, slots=True)
class Curve:
    """A precision-recall curve as points to be joined by straight lines.

    Attributes
    ----------
    recall, precision : tuple of float
        0 to 1. Recall never falls; the area below the lines is the average precision.
    """

    recall: tuple[float, ...]
    precision: tuple[float, ...]


def precision_recall(ranks: Sequence[int], n_positives: int) -> Curve:
    """Draw the curve of right answers at these ranks, in VGG's convention.

    It begins at recall 0 and precision 1. Each right answer adds the point just before it and its
    own: where recall stands still precision falls straight down. It ends at the last right answer
    that was found, so it stops short of recall 1 where one is missing.

    Parameters
    ----------
    ranks : sequence of int
        Rising, from 1, junk removed: `right_ranks`.
    n_positives : int
        Right answers, with those that were not found; at least 1.

    Returns
    -------
    Curve
    """
    if n_positives < 1:
        raise ValueError("there must be at least one right answer")
    points = [(0.0, 1.0)]
    for n_right, rank in enumerate(ranks, 1):
        if rank > 1:
            before = ((n_right - 1) / n_positives, (n_right - 1) / (rank - 1))
            if before != points[-1]:
                points.append(before)
        points.append((n_right / n_positives, n_right / rank))
    return Curve(tuple(r for r, _ in points), tuple(p for _, p in points))


def mean_precision(
    answers: Sequence[tuple[Sequence[int], int]], n_steps: int = 100
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Average the interpolated precision of several queries at the same levels of recall.

    Interpolated precision at a recall is the best that is reached there or further on; where that
    recall is never reached it is 0.

    Parameters
    ----------
    answers : sequence of (ranks, n_positives)
        One a query, as `precision_recall` takes them; at least one.
    n_steps : int
        The levels are 0, 1 / n_steps, ..., 1; at least 1.

    Returns
    -------
    (recall, precision) : tuple of tuple of float
        n_steps + 1 each, 0 to 1. Precision never rises.

    References
    ----------
    Manning, Raghavan, Schuetze, "Introduction to Information Retrieval", 2008, 8.4.
    """
    if not answers or n_steps < 1 or any(n_positives < 1 for _, n_positives in answers):
        raise ValueError("a curve needs a query, each a right answer, and one step at least")
    total = np.zeros(n_steps + 1)
    for ranks, n_positives in answers:
        best, reached = 0.0, [0.0] * (n_positives + 1)  # by number of right answers found
        for n_right in range(len(ranks), 0, -1):
            best = max(best, n_right / ranks[n_right - 1])
            reached[n_right] = best
        reached[0] = best
        # In whole numbers: 0.3 * 10 must ask for three right answers, not for four.
        total += [reached[-(-step * n_positives // n_steps)] for step in range(n_steps + 1)]
    levels = tuple(step / n_steps for step in range(n_steps + 1))
    return levels, tuple((total / len(answers)).tolist())
