"""From the words of a picture to one vector."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from engine.lookup import Words

STORED = ("distance", "squared-distance", "count", "tf-idf")  # an index holds their lengths
STOP, ROOT, L1 = "tf-idf-stop", "tf-idf-root", "tf-idf-l1"
WEIGHTINGS = (*STORED, STOP, ROOT, L1)


@dataclasses.dataclass(frozen=True, slots=True)
class WeightParams:
    """How the variants of tf-idf differ from it.

    Attributes
    ----------
    stopped : float
        Share of the vocabulary, its commonest words by keypoints, that tf-idf-stop leaves out:
        the twentieth of "Video Google". A limit on how many images hold a word would not do: with
        500 words nearly every image holds nearly every word.
    power : float
        What counts are raised to by tf-idf-root, against bursts: a word that repeats within one
        picture, as on a facade, says less each time.

    References
    ----------
    Sivic, Zisserman, "Video Google", ICCV 2003 (stop list). Jégou, Douze, Schmid, "On the
    burstiness of visual elements", CVPR 2009 (square root).
    """

    stopped: float = 0.05
    power: float = 0.5


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


def word_weights(
    weighting: str,
    idf: NDArray[np.float32],
    frequency: NDArray[np.int64],
    params: WeightParams = WeightParams(),
) -> NDArray[np.float32]:
    """Return what each word weighs under a weighting.

    Parameters
    ----------
    weighting : str
        One of `WEIGHTINGS`.
    idf : (K,) float32 array
        The collection's idf.
    frequency : (K,) int64 array
        Keypoints of each word in the collection.
    params : WeightParams

    Returns
    -------
    (K,) float32 array
        idf; for tf-idf-stop 0 where the word is one of the commonest, of equals the lower first.
    """
    if check_weighting(weighting) != STOP:
        return idf
    weights = idf.copy()
    n_stopped = round(params.stopped * len(idf))
    weights[np.argsort(-frequency, kind="stable")[:n_stopped]] = 0
    return weights


def weigh_counts(
    counts: NDArray[np.float32],
    weighting: str,
    weights: NDArray[np.float32],
    params: WeightParams = WeightParams(),
) -> NDArray[np.float32]:
    """Turn counts of words into what is compared, for the weightings that look at counts alone.

    Parameters
    ----------
    counts : (..., K) float32 array
        Keypoints of each word.
    weighting : str
        "count", "tf-idf" or a variant of that.
    weights : (K,) float32 array
        From `word_weights`.
    params : WeightParams

    Returns
    -------
    (..., K) float32 array
    """
    if weighting == "count":
        return counts
    if weighting == ROOT:
        roots: NDArray[np.float32] = np.power(counts, np.float32(params.power)) * weights
        return roots
    weighted: NDArray[np.float32] = counts * weights
    return weighted


def check_weighting(weighting: str) -> str:
    """Return `weighting` if it is one of WEIGHTINGS, else raise a ValueError that names them."""
    if weighting not in WEIGHTINGS:
        raise ValueError(f"weighting must be one of {', '.join(WEIGHTINGS)}, got {weighting!r}")
    return weighting


def vector(bag: BagOfWords, weighting: str, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn a bag of words into the vector that is compared.

    Parameters
    ----------
    bag : BagOfWords
        One picture.
    weighting : str
        "distance": for each word the summed distance of its keypoints. "squared-distance": the
        same with squares. "count": how many there are. "tf-idf", and compared in another way
        "tf-idf-l1": counts times `weights`. "tf-idf-stop": the same, the commonest words left out
        by `weights`. "tf-idf-root": square roots of counts times `weights`.
    weights : (K,) float32 array
        The collection's, from `word_weights`.

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
    return weigh_counts(bag.counts, weighting, weights)
