"""How good a vocabulary is: how its size matters, and which of its words tell pictures apart.

A word is informative if whether a picture holds it tells which landmark the picture shows. Few
pictures make every word look so by chance; how much chance gives is told beside it.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine import codebook, codebook_compare, information
from engine.codebook import CodebookParams
from engine.codebook_compare import Usage
from engine.errors import BuildError, GroundTruthError
from engine.features import ExtractionParams
from engine.groundtruth import Query
from engine.index import Index
from engine.language import tr

SIZES = (50, 100, 200, 500, 1000, 2000)
_BLOCK = 1024  # words whose counts are held at once: 20 MB at 5,000 pictures


@dataclasses.dataclass(frozen=True, slots=True)
class Size:
    """A vocabulary of one size.

    Attributes
    ----------
    n_words : int
        K.
    learned : float
        Distortion (mean squared distance to the word) on the descriptors that it learned from.
    held_out : float
        The same on those kept apart: what it is worth on others.
    usage : Usage
        Of those kept apart.
    """

    n_words: int
    learned: float
    held_out: float
    usage: Usage


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Informative:
    """What each word tells about which landmark a picture shows.

    Attributes
    ----------
    presence : (K,) float64 array
        Mutual information of landmark and whether the picture holds the word, in bits.
    presence_chance : (K,) float64 array
        What as many holders drawn by chance would have on average, in bits.
    count : (K,) float64 array
        Mutual information of landmark and whether the picture holds more of the word than the
        median of the pictures, in bits: of words that nearly all hold, presence tells nothing.
    count_chance : (K,) float64 array
        As for presence.
    landmarks : tuple of str
        The classes.
    n_images : (C,) int64 array
        Pictures of each; only they were counted.
    entropy : float
        Of the classes, in bits: the most that a word could tell, if it could tell more than 1.
    """

    presence: NDArray[np.float64]
    presence_chance: NDArray[np.float64]
    count: NDArray[np.float64]
    count_chance: NDArray[np.float64]
    landmarks: tuple[str, ...]
    n_images: NDArray[np.int64]
    entropy: float

    def order(self, by: str = "count") -> NDArray[np.int32]:
        """Return the words, the most informative first: by what is above chance, then by id.

        Parameters
        ----------
        by : str
            "count" or "presence".
        """
        if by not in ("count", "presence"):
            raise ValueError(f"by must be 'count' or 'presence', got {by!r}")
        bits, chance = getattr(self, by), getattr(self, f"{by}_chance")
        return np.argsort(chance - bits, kind="stable").astype(np.int32)


def over_sizes(
    descriptors: NDArray[np.float32],
    extraction: ExtractionParams,
    sizes: Sequence[int] = SIZES,
    seed: int = 0,
    n_iterations: int = 10,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Size, ...]:
    """Learn vocabularies of several sizes on half of a sample, and measure them on the other half.

    By minibatch k-means, or approximate k-means above `codebook.LARGE`: seconds to minutes.

    Parameters
    ----------
    descriptors : (N, D) float32 array
        See `engine.word_sample`.
    extraction : ExtractionParams
        Which features they are.
    sizes : sequence of int
        Each at least 2.
    seed : int
        Decides the halves and the words.
    n_iterations : int
        Passes over the half.
    progress : callable or None
        Told how many sizes of how many are done.

    Returns
    -------
    tuple of Size
        By rising size.

    Raises
    ------
    BuildError
        If half of the descriptors are fewer than the largest vocabulary's words.
    ValueError
        If a size is below 2, or there is none.
    """
    asked = sorted(set(sizes))
    if not asked or asked[0] < 2:
        raise ValueError(f"sizes must be at least 2 each, got {tuple(sizes)}")
    order = np.random.default_rng(seed).permutation(len(descriptors))
    half = len(order) // 2
    if half < asked[-1]:
        raise BuildError(
            tr(
                "{n_words} words cannot be learned from {half} descriptors, half of {n}. Ask for "
                "fewer words, or take a larger sample",
                n_words=asked[-1],
                half=half,
                n=len(descriptors),
            )
        )
    ours, others = descriptors[np.sort(order[:half])], descriptors[np.sort(order[half:])]
    found = []
    for done, n_words in enumerate(asked, 1):
        algorithm = "approximate" if n_words > codebook.LARGE else "minibatch"
        params = CodebookParams(
            n_words, algorithm, n_samples=half, n_iterations=n_iterations, seed=seed
        )
        words = codebook.train(ours, params, extraction, 1)
        told = codebook_compare.measure(codebook_compare.assign(others, words), n_words)
        learned = float(words.training["distortion"])
        found.append(Size(n_words, learned, told.distortion, told.usage))
        if progress is not None:
            progress(done, len(asked))
    return tuple(found)


def dead_words(index: Index) -> NDArray[np.int32]:
    """Return the words that no picture of the collection holds, rising."""
    return np.flatnonzero(index.frequency == 0).astype(np.int32)


def classes(queries: Sequence[Query], n_images: int) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Tell which landmark each picture shows.

    Parameters
    ----------
    queries : sequence of Query
        A ground truth, from `groundtruth.read`.
    n_images : int
        Pictures of the collection.

    Returns
    -------
    labels : (I,) int32 array
        A place in `landmarks`: of its queries and their right answers; -1 for the pictures of
        none, and for those that two landmarks claim.
    landmarks : tuple of str
        Those that have pictures, by name.
    """
    owners: dict[int, set[str]] = {}
    for query in queries:
        own = () if query.image_id is None else (query.image_id,)
        for image_id in (*query.positives, *own):
            owners.setdefault(image_id, set()).add(query.landmark)
    only = {image_id: next(iter(names)) for image_id, names in owners.items() if len(names) == 1}
    landmarks = tuple(sorted(set(only.values())))
    places = {name: place for place, name in enumerate(landmarks)}
    labels = np.full(n_images, -1, np.int32)
    for image_id, name in only.items():
        labels[image_id] = places[name]
    return labels, landmarks


def informative(index: Index, queries: Sequence[Query]) -> Informative:
    """Measure what each word tells about which landmark a picture shows.

    Parameters
    ----------
    index : Index
        The collection.
    queries : sequence of Query
        Its ground truth.

    Returns
    -------
    Informative

    Raises
    ------
    GroundTruthError
        If it tells apart fewer than two landmarks.
    """
    labels, landmarks = classes(queries, index.n_images)
    if len(landmarks) < 2:
        raise GroundTruthError(
            tr(
                "the ground truth has {n} landmarks with pictures of their own in the index "
                "{name!r}: name one with two or more",
                n=len(landmarks),
                name=index.name,
            )
        )
    image_ids = np.flatnonzero(labels >= 0)
    member = labels[image_ids][:, None] == np.arange(len(landmarks))
    n_images = member.sum(axis=0)
    found = np.zeros((2, index.n_words))
    n_holding = np.zeros((2, index.n_words), np.int64)
    for start in range(0, index.n_words, _BLOCK):
        counts = _counts(index, image_ids, start, min(start + _BLOCK, index.n_words))
        words = slice(start, start + counts.shape[1])
        for row, holds in enumerate((counts > 0, counts > np.median(counts, axis=0))):
            held = np.rint(holds.T.astype(np.float64) @ member.astype(np.float64)).astype(np.int64)
            found[row, words] = information.mutual_information(
                np.stack([held, n_images - held], axis=1)
            )
            n_holding[row, words] = holds.sum(axis=0)
    presence_chance, count_chance = _chance(n_holding, n_images)
    entropy = information.entropy(n_images)
    return Informative(
        found[0], presence_chance, found[1], count_chance, landmarks, n_images, entropy
    )


def _counts(index: Index, image_ids: NDArray[np.int64], start: int, stop: int) -> NDArray[np.int64]:
    """Return how many keypoints of words `start` to `stop` some pictures hold: (R, B)."""
    table = index.table
    if not table.is_large:
        small: NDArray[np.int64] = table.entries("counts")[image_ids, start:stop].astype(np.int64)
        return small
    counts = np.zeros((len(image_ids), stop - start), np.int64)
    for row, image_id in enumerate(image_ids.tolist()):
        words = table.words_of(image_id)
        low, high = np.searchsorted(words, (start, stop))
        counts[row, words[low:high] - start] = table.of("counts", image_id)[low:high]
    return counts


def _chance(
    n_holding: NDArray[np.int64], n_images: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what chance tells, for each number of pictures that hold a word."""
    total = int(n_images.sum())
    known = {
        n: information.expected_information(np.array([n, total - n]), n_images)
        for n in np.unique(n_holding).tolist()
    }
    presence, count = (np.array([known[n] for n in row.tolist()]) for row in n_holding)
    return presence, count
