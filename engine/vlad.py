"""Cosine of two pictures' residuals: vectors of locally aggregated descriptors.

The vector of a picture is all its words' dampened sums one after the other, 80,000 numbers with 500
words, zero for words that it lacks. What is kept of it are bytes (`vlad`) or product codes
(`vlad-codes`); the query stays as it is.

Jégou, Perronnin, Douze, Sánchez, Pérez, Schmid, "Aggregating local image descriptors into compact
codes", PAMI 2012. Arandjelović, Zisserman, "All about VLAD", CVPR 2013.
"""

import numpy as np
from numpy.typing import NDArray

from engine import codes, residuals, turns
from engine.kernels import residuals as kernels
from engine.residuals import Residuals, WordSums
from engine.turns import Settled, TurnParams

USUAL = TurnParams()
_LARGEST = 2**15 - 1


def score_vectors(
    collection: Residuals,
    query: WordSums,
    exclude: tuple[int, ...] = (),
    params: TurnParams = USUAL,
    n_threads: int = 1,
) -> Settled:
    """Compare a query with every picture by bytes.

    Parameters
    ----------
    collection : Residuals
    query : WordSums
        With the collection's basis and frequencies.
    exclude : tuple of int
        Pictures that do not decide how the collection is turned: the query itself.
    params : TurnParams
    n_threads : int
        The result does not depend on it.

    Returns
    -------
    Settled
        Cosines at the turn that counts, 0 to 1; 0 where there are no keypoints.

    Raises
    ------
    ValueError
        If the query's sums do not fit the collection.
    """
    return turns.settle(vectors_at_turns(collection, query, params, n_threads), exclude, params)


def score_codes(
    collection: Residuals,
    query: WordSums,
    exclude: tuple[int, ...] = (),
    params: TurnParams = USUAL,
    n_threads: int = 1,
) -> Settled:
    """Compare a query with every picture by product codes; as `score_vectors` otherwise."""
    return turns.settle(codes_at_turns(collection, query, params, n_threads), exclude, params)


def vectors_at_turns(
    collection: Residuals, query: WordSums, params: TurnParams = USUAL, n_threads: int = 1
) -> NDArray[np.float32]:
    """Return the cosine of a query with every picture, by bytes, at every turn: (I, T)."""
    residuals.check_fits(collection, query)
    dampened = residuals.dampen(query.sums, collection.params)
    # Products of two bytes and 15 bits, at most 128 times twice, stay below 2^30.
    largest = float(np.abs(dampened).max(initial=0)) or 1.0
    steps = np.rint(dampened * (_LARGEST / largest)).astype(np.int16)

    def some(rows: slice, sums: NDArray[np.int64]) -> None:
        kernels.add_products(
            collection.starts,
            collection.image_ids,
            collection.vectors,
            query.words[rows],
            steps[rows],
            sums,
        )

    shape = (len(collection.n_words), collection.params.n_parts)
    total = residuals.add_blocks(len(query.words), shape, np.int64, some, n_threads)
    length = float(np.sqrt(np.sum(steps.astype(np.float64) ** 2)))
    return _cosines(total.astype(np.float64), length, collection.vector_norms, params)


def codes_at_turns(
    collection: Residuals, query: WordSums, params: TurnParams = USUAL, n_threads: int = 1
) -> NDArray[np.float32]:
    """Return the cosine of a query with every picture, by product codes, at every turn: (I, T)."""
    residuals.check_fits(collection, query)
    dampened = residuals.dampen(query.sums, collection.params)
    pieces = residuals.cut(dampened)
    turned = residuals.cut(residuals.quarter(dampened))
    frequencies = residuals.piece_frequencies(collection.params)

    def some(rows: slice, sums: NDArray[np.float64]) -> None:
        kernels.add_coded(
            collection.starts,
            collection.image_ids,
            collection.codes,
            query.words[rows],
            codes.tables(pieces[rows], collection.centres),
            codes.tables(turned[rows], collection.centres),
            frequencies,
            sums,
        )

    shape = (len(collection.n_words), collection.params.n_parts)
    total = residuals.add_blocks(len(query.words), shape, np.float64, some, n_threads)
    length = float(np.sqrt(np.sum(dampened.astype(np.float64) ** 2)))
    return _cosines(total, length, collection.code_norms, params)


def _cosines(
    sums: NDArray[np.float64], length: float, norms: NDArray[np.float32], params: TurnParams
) -> NDArray[np.float32]:
    """Turn products into cosines at every turn."""
    lengths = length * norms.astype(np.float64)
    relative = np.divide(
        sums, lengths[:, None], out=np.zeros_like(sums), where=lengths[:, None] > 0
    )
    at_turns = relative @ turns.waves(sums.shape[1], params.n_turns)
    return np.minimum(at_turns, 1).astype(np.float32)
