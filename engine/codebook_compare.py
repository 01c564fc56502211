"""Two vocabularies side by side: which words they share, and which of them divides better.

Words are matched by their centres, which needs no picture. With a sample of descriptors, both are
also measured: how far descriptors lie from their words, how evenly words are used, and how far the
two assignments agree.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from engine import information, lookup
from engine.codebook import Codebook
from engine.errors import ArtifactError
from engine.language import tr


@dataclasses.dataclass(frozen=True, slots=True)
class Usage:
    """How the words of a vocabulary are used.

    Attributes
    ----------
    n_words : int
        K.
    n_descriptors : int
        Descriptors counted.
    n_dead : int
        Words without any.
    entropy : float
        Of the words, in bits; log2(K) if all are used alike.
    """

    n_words: int
    n_descriptors: int
    n_dead: int
    entropy: float

    @property
    def dead_share(self) -> float:
        """Share of words without a descriptor."""
        return self.n_dead / self.n_words

    @property
    def evenness(self) -> float:
        """Entropy as a share of its most, 0 to 1."""
        return self.entropy / float(np.log2(self.n_words))


@dataclasses.dataclass(frozen=True, slots=True)
class Measured:
    """A vocabulary on a sample of descriptors.

    Attributes
    ----------
    distortion : float
        Mean squared distance of a descriptor to its word; descriptors have unit length.
    usage : Usage
    """

    distortion: float
    usage: Usage


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Counterparts:
    """Where the words of one vocabulary lie in another.

    Attributes
    ----------
    nearest : (K,) int32 array
        The other's nearest word.
    distances : (K,) float32 array
        Euclidean distance of the two centres.
    mutual : (K,) bool array
        Whether this word is also the nearest of that one: the two are counterparts.
    n_claims : (K,) int32 array
        How many of the other's words have this one as their nearest: from 2 on the other splits
        it, 0 where the other has no word of its own for it.
    """

    nearest: NDArray[np.int32]
    distances: NDArray[np.float32]
    mutual: NDArray[np.bool_]
    n_claims: NDArray[np.int32]

    @property
    def split(self) -> NDArray[np.int32]:
        """Words that several words of the other share, rising; the other's are `merged` there."""
        return np.flatnonzero(self.n_claims > 1).astype(np.int32)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Two vocabularies side by side.

    Attributes
    ----------
    a, b : Counterparts
        Of the first and the second. What is split in one is merged in the other: words of A that
        B splits are `a.split`, words of B into which several of A fall are `b.split`.
    measured_a, measured_b : Measured or None
        On the sample; None without one.
    agreement : float or None
        Adjusted mutual information of the two assignments of the sample: 1 if they divide alike,
        0 on average by chance. None without a sample.
    same_features : bool
        Whether both were learned on features of all the same parameters. If not, numbers on a
        sample favour the one whose features the sample has.
    """

    a: Counterparts
    b: Counterparts
    measured_a: Measured | None
    measured_b: Measured | None
    agreement: float | None
    same_features: bool

    @property
    def pairs(self) -> NDArray[np.int32]:
        """Counterparts (word of A, word of B), the nearest pair first: (P, 2) int32."""
        of_a = np.flatnonzero(self.a.mutual).astype(np.int32)
        of_a = of_a[np.argsort(self.a.distances[of_a], kind="stable")]
        return np.stack([of_a, self.a.nearest[of_a]], axis=1)


def usage_of(frequency: NDArray[np.int64]) -> Usage:
    """Tell how words are used, from how many descriptors each has: (K,) int64.

    An index counts them over the whole collection: `Index.frequency`.
    """
    return Usage(
        n_words=len(frequency),
        n_descriptors=int(frequency.sum()),
        n_dead=int((frequency == 0).sum()),
        entropy=information.entropy(frequency),
    )


def measure(words: lookup.Words, n_words: int) -> Measured:
    """Measure a vocabulary by the words of a sample."""
    squares = words.distances.astype(np.float64) ** 2
    frequency = np.bincount(words.word_ids, minlength=n_words)
    return Measured(float(squares.mean()) if len(squares) else 0.0, usage_of(frequency))


def assign(descriptors: NDArray[np.float32], codebook: Codebook) -> lookup.Words:
    """Give descriptors their words as an index would."""
    return lookup.assign(descriptors, codebook.centres, codebook.groups)


def check_comparable(a: Codebook, b: Codebook, names: tuple[str, str] = ("A", "B")) -> None:
    """Raise an ArtifactError if words of these two do not lie in one space.

    Parameters
    ----------
    a, b : Codebook
    names : tuple of str
        What the message calls them.
    """
    first, second = names
    if a.extraction.kind != b.extraction.kind:
        raise ArtifactError(
            tr(
                "the codebook {first!r} holds words of {of_first}, {second!r} of {of_second}: "
                "their distances mean nothing to each other. Compare codebooks of one kind of "
                "features (--features when they are built)",
                first=first,
                of_first=a.extraction.title,
                second=second,
                of_second=b.extraction.title,
            )
        )
    if a.centres.shape[1] != b.centres.shape[1]:
        raise ArtifactError(
            tr(
                "the words of {first!r} have {of_first} dimensions, those of {second!r} "
                "{of_second}: one was built with --short-descriptors, the other without",
                first=first,
                of_first=a.centres.shape[1],
                second=second,
                of_second=b.centres.shape[1],
            )
        )


def compare(
    a: Codebook,
    b: Codebook,
    descriptors: NDArray[np.float32] | None = None,
    names: tuple[str, str] = ("A", "B"),
) -> Comparison:
    """Compare two vocabularies, of whatever sizes.

    Parameters
    ----------
    a, b : Codebook
        Of the same kind of features.
    descriptors : (N, D) float32 array or None
        A sample to measure both on, best of pictures that neither has learned from; see
        `engine.word_sample`. With None, only centres are compared.
    names : tuple of str
        What an error calls them.

    Returns
    -------
    Comparison

    Raises
    ------
    ArtifactError
        If they are words of different features.
    ValueError
        If the sample has other dimensions.
    """
    check_comparable(a, b, names)
    to_b, to_a = lookup.assign(a.centres, b.centres), lookup.assign(b.centres, a.centres)
    same = a.extraction == b.extraction
    both = (_counterparts(to_b, to_a), _counterparts(to_a, to_b))
    if descriptors is None:
        return Comparison(*both, None, None, None, same)
    words_a, words_b = assign(descriptors, a), assign(descriptors, b)
    agreement = information.agreement(words_a.word_ids, words_b.word_ids)
    measured = (measure(words_a, a.n_words), measure(words_b, b.n_words))
    return Comparison(*both, *measured, agreement, same)


def _counterparts(ours: lookup.Words, theirs: lookup.Words) -> Counterparts:
    """From each word's nearest of the other vocabulary, and that one's words' nearest of ours."""
    n_words = len(ours)
    return Counterparts(
        nearest=ours.word_ids,
        distances=ours.distances,
        mutual=theirs.word_ids[ours.word_ids] == np.arange(n_words),
        n_claims=np.bincount(theirs.word_ids, minlength=n_words).astype(np.int32),
    )
