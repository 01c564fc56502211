"""Large vocabularies: the words near a descriptor, without measuring all of them.

Words that lie together form a group around a head, and bear consecutive numbers. A descriptor is
compared with all heads, and with the words of the nearest few. This misses the nearest word now
and then (see `docs/ranking.md`), and nothing in it depends on threads or blocks.
"""

import dataclasses
from functools import partial

import numpy as np
from numpy.typing import NDArray

from engine import threads
from engine.kernels import assign as kernels

N_PROBES = 16  # groups that a descriptor is compared with
_SPARE = 2  # more words kept in float32 than asked for: float64 decides among them
_BLOCK = 4096  # descriptors at a time: 16 MB of scores against 1,000 heads
_STEPS = 6  # Lloyd steps over the words; heads need not be settled


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Words by the head that they are nearest to.

    Attributes
    ----------
    heads : (G, D) float32 array
        The mean of each group's words, when they were grouped.
    starts : (G + 1,) int64 array
        Group g owns the words starts[g] to starts[g + 1]; none is empty.
    """

    heads: NDArray[np.float32]
    starts: NDArray[np.int64]

    def fits(self, centres: NDArray[np.float32]) -> bool:
        """Tell whether these can be the groups of some words."""
        return (
            self.heads.ndim == 2
            and self.heads.shape[1] == centres.shape[1]
            and self.starts.shape == (len(self.heads) + 1,)
            and self.starts.dtype == np.int64
            and self.starts[0] == 0
            and self.starts[-1] == len(centres)
            and bool(np.all(np.diff(self.starts) > 0))
        )


def means(
    points: NDArray[np.float32], ids: NDArray[np.int32], n_ids: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the mean of the points of each id, in float64: (n_ids, D) float32, and how many."""
    sums, counts = np.zeros((n_ids, points.shape[1])), np.zeros(n_ids, np.int64)
    kernels.add_up(np.ascontiguousarray(points), ids, sums, counts)
    return (sums / np.maximum(counts, 1)[:, None]).astype(np.float32), counts


def _nearest_heads(
    points: NDArray[np.float32], heads: NDArray[np.float32], n_heads: int
) -> NDArray[np.int64]:
    """Return the heads nearest to each point, in no order: (N, n_heads)."""
    if n_heads >= len(heads):
        return np.broadcast_to(np.arange(len(heads)), (len(points), len(heads)))
    scores = points @ heads.T
    scores *= -2
    scores += np.einsum("gd,gd->g", heads, heads)
    nearest: NDArray[np.int64] = scores.argmin(axis=1)[:, None]
    if n_heads > 1:
        nearest = np.argpartition(scores, n_heads - 1, axis=1)[:, :n_heads]
    return nearest


def gather(
    centres: NDArray[np.float32], heads: NDArray[np.float32] | None = None
) -> tuple[NDArray[np.int64], Groups]:
    """Group words.

    Parameters
    ----------
    centres : (K, D) float32 array
        The words.
    heads : (G, D) float32 array or None
        Where to begin; None takes some of the words, one and a half times the root of K.

    Returns
    -------
    order : (K,) int64 array
        The words in the order of their groups.
    groups : Groups
        Of `centres[order]`.
    """
    if heads is None:
        n_heads = min(len(centres), max(1, round(1.5 * len(centres) ** 0.5)))
        heads = centres[np.linspace(0, len(centres) - 1, n_heads).astype(int)]
    ids = np.zeros(len(centres), np.int32)
    for _ in range(_STEPS):
        for start in range(0, len(centres), _BLOCK):
            block = centres[start : start + _BLOCK]
            ids[start : start + _BLOCK] = _nearest_heads(block, heads, 1)[:, 0]
        heads, counts = means(centres, ids, len(heads))
        heads = heads[counts > 0]
        ids = (np.cumsum(counts > 0) - 1)[ids].astype(np.int32)
    starts = np.concatenate(([0], np.cumsum(np.bincount(ids, minlength=len(heads)))))
    return np.argsort(ids, kind="stable"), Groups(heads, starts.astype(np.int64))


def near(
    descriptors: NDArray[np.float32],
    centres: NDArray[np.float32],
    groups: Groups,
    n_words: int,
    n_threads: int = 1,
    n_probes: int = N_PROBES,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Find the words nearest to each descriptor among those of the nearest groups.

    Parameters
    ----------
    descriptors : (N, D) float32 array
        Points; N may be 0.
    centres : (K, D) float32 array
        Words, in the order of their groups.
    groups : Groups
        Of these words.
    n_words : int
        A, how many; no more than K, nor than the nearest groups hold.
    n_threads : int
        The result does not depend on it.
    n_probes : int
        Groups to look into.

    Returns
    -------
    word_ids : (N, A) int32 array
        By rising distance in float64, ties to the lower word.
    distances : (N, A) float32 array
        Euclidean.

    References
    ----------
    Philbin, Chum, Isard, Sivic, Zisserman, "Object retrieval with large vocabularies and fast
    spatial matching", CVPR 2007: approximate assignment, there by trees. Jégou, Douze, Schmid,
    "Product quantization for nearest neighbor search", TPAMI 2011: a coarse quantiser, as here.
    """
    if n_words < 1:
        raise ValueError(f"n_words must be at least 1, got {n_words}")
    n_probes = min(n_probes, len(groups.heads))
    held = int(np.sort(np.diff(groups.starts))[:n_probes].sum())  # by the smallest groups
    n_words = min(n_words, held)
    word_ids = np.full((len(descriptors), min(n_words + _SPARE, held)), -1, np.int32)
    distances = np.empty(word_ids.shape, np.float32)
    norms = np.einsum("kd,kd->k", centres, centres)

    def some(start: int) -> None:
        rows = slice(start, start + _BLOCK)
        block = np.ascontiguousarray(descriptors[rows], np.float32)
        _look(block, centres, norms, groups, n_probes, word_ids[rows])
        kernels.put_in_order(block, centres, word_ids[rows], distances[rows])

    threads.run([partial(some, i) for i in range(0, len(descriptors), _BLOCK)], n_threads)
    return word_ids[:, :n_words], distances[:, :n_words]


def _look(
    points: NDArray[np.float32],
    centres: NDArray[np.float32],
    norms: NDArray[np.float32],
    groups: Groups,
    n_probes: int,
    word_ids: NDArray[np.int32],
) -> None:
    """Write the words with the least float32 distances of the nearest groups, group by group."""
    probes = _nearest_heads(points, groups.heads, n_probes).astype(np.uint16)
    order = np.argsort(probes, axis=None, kind="stable")
    cuts = np.searchsorted(probes.reshape(-1)[order], np.arange(len(groups.heads) + 1))
    rows = order // n_probes
    lengths = np.full(word_ids.shape, np.inf, np.float32)
    for group in np.flatnonzero(np.diff(cuts)):
        here = rows[cuts[group] : cuts[group + 1]]
        first, end = int(groups.starts[group]), int(groups.starts[group + 1])
        words = np.ascontiguousarray(centres[first:end].T)
        sums = np.empty(end - first, np.float32)
        kernels.keep_nearest(points, here, words, norms[first:end], first, sums, word_ids, lengths)
