"""The aggregated selective match kernel: words that agree well count far more than others.

Of each word of a picture only the signs of its summed residuals are kept. The cosine of the query's
sums with these signs counts by its square, word by word, so that one word that agrees is worth more
than many that hardly do. The query keeps its numbers (asymmetric), and one word for each keypoint.

Tolias, Avrithis, Jégou, "To aggregate or not to aggregate: selective match kernels for image
search", ICCV 2013.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from engine import codes, residuals, turns
from engine.kernels import residuals as kernels
from engine.residuals import Residuals, WordSums
from engine.turns import Settled, TurnParams


@dataclasses.dataclass(frozen=True, slots=True)
class AsmkParams:
    """What a word counts.

    Attributes
    ----------
    power : int
        Of the cosine, at least 1.
    least : float
        Cosines up to it count nothing; at least 0.
    turn : TurnParams
    """

    power: int = 2
    least: float = 0.0
    turn: TurnParams = dataclasses.field(default_factory=TurnParams)

    def __post_init__(self) -> None:
        if self.power < 1:
            raise ValueError(f"power must be at least 1, got {self.power}")
        if not 0 <= self.least < 1:
            raise ValueError(f"least must be from 0 to below 1, got {self.least}")


def score(
    collection: Residuals,
    query: WordSums,
    exclude: tuple[int, ...] = (),
    params: AsmkParams = AsmkParams(),
    n_threads: int = 1,
) -> Settled:
    """Compare a query with every picture by signs.

    Parameters
    ----------
    collection : Residuals
    query : WordSums
        With the collection's basis and frequencies.
    exclude : tuple of int
        Pictures that do not decide how the collection is turned: the query itself.
    params : AsmkParams
    n_threads : int
        The result does not depend on it.

    Returns
    -------
    Settled
        Sum over the common words, over the root of both pictures' numbers of words: 0 to 1.

    Raises
    ------
    ValueError
        If the query's sums do not fit the collection.
    """
    return turns.settle(at_turns(collection, query, params, n_threads), exclude, params.turn)


def at_turns(
    collection: Residuals,
    query: WordSums,
    params: AsmkParams = AsmkParams(),
    n_threads: int = 1,
) -> NDArray[np.float32]:
    """Return the score of every picture at every turn: (I, T); see `score`."""
    residuals.check_fits(collection, query)
    n_parts = collection.params.n_parts
    n_signs = query.sums.shape[1] * query.sums.shape[2]
    lengths = np.sqrt(np.einsum("eck,eck->e", query.sums, query.sums)) * np.sqrt(n_signs)
    unit = query.sums / np.maximum(lengths, np.float32(1e-12))[:, None, None]
    pieces, turned = (
        some.reshape(len(unit), n_signs // residuals.LOOKED_UP, residuals.LOOKED_UP)
        for some in (unit, residuals.quarter(unit))
    )
    centres = residuals.sign_centres()
    frequencies = residuals.byte_frequencies(collection.params)
    waves = turns.waves(n_parts, params.turn.n_turns)
    n_images = len(collection.n_words)

    def some(rows: slice, sums: NDArray[np.float32]) -> None:
        kernels.select_signs(
            collection.starts,
            collection.image_ids,
            collection.signs,
            query.words[rows],
            codes.tables(pieces[rows], centres),
            codes.tables(turned[rows], centres),
            frequencies,
            waves,
            params.power,
            params.least,
            sums,
        )

    shape = (n_images, params.turn.n_turns)
    total = residuals.add_blocks(len(unit), shape, np.float32, some, n_threads)
    norms = np.sqrt(len(unit) * np.maximum(collection.n_words, 1).astype(np.float64))
    relative = total / np.maximum(norms, 1)[:, None]
    return relative.astype(np.float32)
