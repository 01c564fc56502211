"""From the words of a picture to one vector."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from engine.codebook import Words

WEIGHTINGS = ("distance", "squared-distance", "count", "tf-idf")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class BagOfWords:
    """What a picture holds of each word.

    Attributes
    ----------
    counts : (K,) float32 array
        Keypoints of the word; whole numbers.
    distances : (K,) float32 array
        Sum of their distances to the word.
    squared_distances : (K,) float32 array
        Sum of the squares of these distances.
    """

    counts: NDArray[np.float32]
    distances: NDArray[np.float32]
    squared_distances: NDArray[np.float32]


def bag_of_words(words: Words, n_words: int) -> BagOfWords:
    """Sum up a picture's keypoints word by word, in float64, in the keypoints' order."""
    ids = words.word_ids
    distances = words.distances.astype(np.float64)

    def total(weights: NDArray[np.float64] | None) -> NDArray[np.float32]:
        return np.bincount(ids, weights, minlength=n_words).astype(np.float32)

    return BagOfWords(total(None), total(distances), total(distances**2))


def idf(document_frequency: NDArray[np.int64], n_images: int) -> NDArray[np.float32]:
    """Weigh visual words by how few images hold them.

    Parameters
    ----------
    document_frequency : (K,) int64 array
        Images in which each word occurs.
    n_images : int
        Size of the collection, at least 1.

    Returns
    -------
    (K,) float32 array
        log(n_images / document_frequency), in nats; 0 for unseen words.

    Raises
    ------
    ValueError
        If n_images is below 1.

    References
    ----------
    Sivic, Zisserman, "Video Google", ICCV 2003.
    """
    if n_images < 1:
        raise ValueError(f"n_images must be at least 1, got {n_images}")
    seen = np.maximum(document_frequency, 1)
    weights = np.where(document_frequency > 0, np.log(n_images / seen), 0.0)
    return weights.astype(np.float32)


def check_weighting(weighting: str) -> str:
    """Return `weighting` if it is one of WEIGHTINGS, else raise a ValueError that names them."""
    if weighting not in WEIGHTINGS:
        raise ValueError(f"weighting must be one of {', '.join(WEIGHTINGS)}, got {weighting!r}")
    return weighting


def vector(
    bag: BagOfWords, weighting: str, word_weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Turn a bag of words into the vector that is compared.

    Parameters
    ----------
    bag : BagOfWords
        One picture.
    weighting : str
        "distance": for each word the summed distance of its keypoints. "squared-distance": the
        same with squares. "count": how many there are. "tf-idf": counts times `word_weights`.
    word_weights : (K,) float32 array
        The collection's idf.

    Returns
    -------
    (K,) float32 array
        Never negative; all zero where there are no keypoints.
    """
    check_weighting(weighting)
    if weighting == "distance":
        return bag.distances
    if weighting == "squared-distance":
        return bag.squared_distances
    if weighting == "count":
        return bag.counts
    weighted: NDArray[np.float32] = bag.counts * word_weights
    return weighted
