"""Would the same words be learned again? A vocabulary's size learned anew, with other seeds.

All are learned on the same half of a sample, so that only the seed parts them, and measured on the
other half.
"""

import dataclasses
import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine import codebook, codebook_compare, information
from engine.codebook import Codebook
from engine.errors import BuildError
from engine.language import tr

N_AGAIN = 3


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Stability:
    """A vocabulary, and others of its size.

    Attributes
    ----------
    seeds : tuple of int
        S seeds, one for each vocabulary that was learned again.
    n_descriptors : int
        Descriptors that each learned from; the vocabulary itself may have had more.
    own_distortion : float
        Mean squared distance to the words of the vocabulary itself, on the half kept apart.
    distortions : tuple of float
        The same of each that was learned again.
    own_agreements : tuple of float
        Adjusted mutual information of each with the vocabulary itself, on the half kept apart.
    agreements : tuple of float
        The same of each pair of those that were learned again: what the seed alone changes.
    found : (K,) int32 array
        In how many of the S each word has a counterpart (each other's nearest).
    distances : (K,) float32 array
        Mean distance of each word to the nearest word of these.
    """

    seeds: tuple[int, ...]
    n_descriptors: int
    own_distortion: float
    distortions: tuple[float, ...]
    own_agreements: tuple[float, ...]
    agreements: tuple[float, ...]
    found: NDArray[np.int32]
    distances: NDArray[np.float32]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of the words with a counterpart in exactly 0, 1, ... S of them: (S + 1,)."""
        counted = np.bincount(self.found, minlength=len(self.seeds) + 1)
        shares: NDArray[np.float64] = counted / len(self.found)
        return shares


def seeds_after(own: Codebook, n_again: int = N_AGAIN) -> tuple[int, ...]:
    """Return the seeds that follow a vocabulary's own."""
    return tuple(range(own.params.seed + 1, own.params.seed + 1 + n_again))


def learn_again(
    own: Codebook,
    descriptors: NDArray[np.float32],
    seeds: Sequence[int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Stability:
    """Learn a vocabulary's size again with other seeds, and compare.

    Parameters
    ----------
    own : Codebook
        The vocabulary; its algorithm and steps are used.
    descriptors : (N, D) float32 array
        Of its features, see `engine.word_sample`.
    seeds : sequence of int or None
        At least one; the three after the vocabulary's own where None.
    progress : callable or None
        Told how many of how many are learned.

    Returns
    -------
    Stability

    Raises
    ------
    BuildError
        If half of the descriptors are fewer than the words.
    ValueError
        If there is no seed.
    """
    chosen = seeds_after(own) if seeds is None else tuple(seeds)
    if not chosen:
        raise ValueError("there must be at least one seed")
    order = np.random.default_rng(own.params.seed).permutation(len(descriptors))
    half = len(order) // 2
    if half < own.n_words:
        raise BuildError(
            tr(
                "{n_words} words cannot be learned again from {half} descriptors, half of {n}. "
                "Take a larger sample (--descriptors)",
                n_words=own.n_words,
                half=half,
                n=len(descriptors),
            )
        )
    ours, others = descriptors[np.sort(order[:half])], descriptors[np.sort(order[half:])]
    assigned = [codebook_compare.assign(others, own)]
    counterparts = []
    for done, seed in enumerate(chosen, 1):
        params = dataclasses.replace(own.params, n_samples=half, seed=seed)
        words = codebook.train(ours, params, own.extraction, 1)
        assigned.append(codebook_compare.assign(others, words))
        counterparts.append(codebook_compare.compare(own, words).a)
        if progress is not None:
            progress(done, len(chosen))
    first, *again = [one.word_ids for one in assigned]
    measured = [codebook_compare.measure(one, own.n_words).distortion for one in assigned]
    return Stability(
        seeds=chosen,
        n_descriptors=half,
        own_distortion=measured[0],
        distortions=tuple(measured[1:]),
        own_agreements=tuple(information.agreement(first, one) for one in again),
        agreements=tuple(information.agreement(*pair) for pair in itertools.combinations(again, 2)),
        found=np.sum([one.mutual for one in counterparts], axis=0, dtype=np.int32),
        distances=np.mean([one.distances for one in counterparts], axis=0, dtype=np.float32),
    )
