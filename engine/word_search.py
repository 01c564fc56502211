"""Search by words: which pictures hold the words that somebody chose?

What a picture holds of a word is the root of its share of the picture's keypoints, √(n / N): a
picture of few keypoints is not lost beside a rich one, and a word that repeats, as on a facade,
says less each time. A word weighs log(1 + I / df), not log(I / df), which is 0 for a word that
every picture holds and next to 0 for many of a small vocabulary: of 500 words over 412 pictures,
30 % weigh less than 0.1, and a choice of these would be ranked by the rarest alone.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.index import Index


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class WordSearch:
    """The pictures that hold some words.

    Attributes
    ----------
    word_ids : (W,) int32 array
        The chosen words, in the order given.
    word_weights : (W,) float64 array
        What each weighs: log(1 + I / df), in nats, times the weight it was given; 0 where no
        picture holds it.
    image_ids : (R,) int32 array
        Pictures that hold all of the words come first, then the others that hold any; in both
        parts scores fall, and ties rise by id.
    scores : (R,) float64 array
        Sum of the picture's row of `added`.
    added : (R, W) float64 array
        What each word adds: its weight times √(keypoints of the word / keypoints of the picture).
    counts : (R, W) int64 array
        Keypoints of each word.
    n_complete : int
        How many pictures, of all found and not only of these R, hold all of the words.
    n_found : int
        How many hold any.
    """

    word_ids: NDArray[np.int32]
    word_weights: NDArray[np.float64]
    image_ids: NDArray[np.int32]
    scores: NDArray[np.float64]
    added: NDArray[np.float64]
    counts: NDArray[np.int64]
    n_complete: int
    n_found: int

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Which of the pictures hold all of the words: (R,) bool."""
        return np.arange(len(self.image_ids)) < self.n_complete


def weigh(document_frequency: NDArray[np.int64], n_images: int) -> NDArray[np.float64]:
    """Weigh words by how few of `n_images` hold them: log(1 + I / df) in nats, 0 for unseen ones.

    Never 0 for a word that is held, and the rarer word still weighs more.
    """
    seen = np.maximum(document_frequency, 1)
    weights: NDArray[np.float64] = np.where(document_frequency > 0, np.log1p(n_images / seen), 0.0)
    return weights


def search(
    index: Index,
    word_ids: Sequence[int],
    weights: Sequence[float] | None = None,
    n_results: int | None = None,
) -> WordSearch:
    """Find the pictures that hold some words.

    Parameters
    ----------
    index : Index
        The collection.
    word_ids : sequence of int
        The words, at least one, each once.
    weights : sequence of float or None
        How much each matters, above 0; all the same where None.
    n_results : int or None
        How many pictures at most; all where None.

    Returns
    -------
    WordSearch

    Raises
    ------
    ValueError
        If there is no word, one is not in the index or stands twice, a weight is not a finite
        number above 0, or n_results is below 1.
    """
    chosen = [index.check_word(int(word)) for word in word_ids]
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError("choose at least one word, and each only once")
    given = np.ones(len(chosen)) if weights is None else np.asarray(weights, np.float64)
    if given.shape != (len(chosen),) or not (np.isfinite(given) & (given > 0)).all():
        raise ValueError(f"there must be one weight above 0 for each of {len(chosen)} words")
    if n_results is not None and n_results < 1:
        raise ValueError(f"n_results must be at least 1, got {n_results}")
    ids = np.array(chosen, np.int32)
    table = index.table
    counts = np.zeros((index.n_images, len(chosen)), np.int64)
    for place, word in enumerate(chosen):
        holders, held = table.holders(word)
        counts[holders, place] = held
    word_weights = given * weigh(index.document_frequency[ids], index.n_images)
    n_keypoints = np.maximum(np.diff(index.offsets), 1)
    added = np.sqrt(counts / n_keypoints[:, None]) * word_weights
    scores = added.sum(axis=1)
    complete = (counts > 0).all(axis=1)
    order = np.lexsort((-scores, ~complete))  # stable, so that ties rise by id
    order = order[counts[order].any(axis=1)]
    kept = order[:n_results]
    return WordSearch(
        word_ids=ids,
        word_weights=word_weights,
        image_ids=kept.astype(np.int32),
        scores=scores[kept],
        added=added[kept],
        counts=counts[kept],
        n_complete=int(complete.sum()),
        n_found=len(order),
    )
