"""What each word adds to the score of one picture, for methods that compare word by word."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from engine import asmk, encode, methods, vlad
from engine.explanation import BASE, Term, WordShares, sorted_words
from engine.index import Index
from engine.residuals import Residuals, WordSums
from engine.tuning import Tuning
from engine.turns import Settled


def of_vector(
    index: Index, query: NDArray[np.float32], image_id: int, method: str
) -> tuple[WordShares, tuple[Term, ...]]:
    """Take the comparison of two vectors apart.

    A word adds half its part of the cosine, its product over both lengths; under tf-idf-l1 the
    lesser of its two parts. Vectors of all zeros have nothing in common, and score nothing.

    Parameters
    ----------
    index : Index
        The collection.
    query : (K,) float32 array
        The query's vector.
    image_id : int
        The picture.
    method : str
        One of `encode.WEIGHTINGS`.

    Returns
    -------
    WordShares
        Of the words that both hold.
    tuple of Term
        The 0.5 that a cosine of 0 is worth.
    """
    ours = query.astype(np.float64)
    theirs = index.vector(image_id, method).astype(np.float64)
    common = np.flatnonzero((ours > 0) & (theirs > 0))
    if not ours.any() or not theirs.any():
        return sorted_words(common, np.zeros(len(common))), ()
    if method == encode.L1:
        values = np.minimum(ours / ours.sum(), theirs / theirs.sum())[common]
        return sorted_words(common, values), ()
    lengths = np.sqrt(ours @ ours) * np.sqrt(theirs @ theirs)
    return sorted_words(common, 0.5 * (ours * theirs)[common] / lengths), (Term(BASE, 0.5),)


def of_sums(
    collection: Residuals,
    query: WordSums,
    settled: Settled,
    image_id: int,
    method: str,
    tuning: Tuning,
) -> WordShares:
    """Take the comparison of two pictures' residuals apart.

    Each word of the picture is compared as if it were a picture of its own, by the same program,
    at the turn that counted.

    Parameters
    ----------
    collection : Residuals
    query : WordSums
    settled : Settled
        Of this query with the collection.
    image_id : int
        The picture.
    method : str
        One of `methods.AGGREGATED`.
    tuning : Tuning

    Returns
    -------
    WordShares
        Of the words that both hold; a word whose residuals oppose each other takes away.
    """
    word_ids, alone = _apart(collection, image_id)
    if method == methods.ASMK:
        at_turns = asmk.at_turns(alone, query, tuning.asmk)
    else:
        compare = vlad.vectors_at_turns if method == methods.VLAD else vlad.codes_at_turns
        at_turns = compare(alone, query, tuning.turn)
    values = at_turns[:, settled.turns[image_id]].astype(np.float64) * settled.parts[image_id]
    common = np.isin(word_ids, query.words)
    return sorted_words(word_ids[common], values[common])


def _apart(collection: Residuals, image_id: int) -> tuple[NDArray[np.int64], Residuals]:
    """Take a picture's words apart, each as a picture of its own that is as long as the whole."""
    rows = np.flatnonzero(collection.image_ids == image_id)
    word_ids = np.searchsorted(collection.starts, rows, side="right") - 1
    counts = np.bincount(word_ids, minlength=len(collection.starts) - 1)
    n = len(rows)
    alone = dataclasses.replace(
        collection,
        starts=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        image_ids=np.arange(n, dtype=np.int32),
        vectors=np.ascontiguousarray(collection.vectors[rows]),
        vector_norms=np.full(n, collection.vector_norms[image_id], np.float32),
        codes=np.ascontiguousarray(collection.codes[rows]),
        code_norms=np.full(n, collection.code_norms[image_id], np.float32),
        signs=np.ascontiguousarray(collection.signs[rows]),
        n_words=np.full(n, collection.n_words[image_id], np.int32),
    )
    for array in (alone.starts, alone.image_ids, alone.vectors, alone.codes, alone.signs):
        array.setflags(write=False)  # as an index's arrays are: to Numba another type
    return word_ids, alone
