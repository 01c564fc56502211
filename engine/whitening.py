"""PCA-whitening: directions in which a collection's vectors vary, each brought to the same spread.

What all pictures share tells nothing, and a few strong directions outweigh all others; whitening
takes both away.

Jégou, Chum, "Negative evidences and co-occurences in image retrieval: the benefit of PCA and
whitening", ECCV 2012.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from engine.language import tr
from engine.pooling import unit

_FLAT = 1e-9  # of the largest spread: what varies less is rounding


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Whitening:
    """A linear map.

    Attributes
    ----------
    mean : (D,) float32 array
        Of the vectors that it was learned on.
    projection : (D, d) float32 array
        Directions, the one that varies most first, each divided by its standard deviation.
    """

    mean: NDArray[np.float32]
    projection: NDArray[np.float32]

    def apply(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (N, D) vectors whitened and of unit length: (N, d) float32."""
        return unit((vectors - self.mean) @ self.projection)


def learn(vectors: NDArray[np.float32], n_dimensions: int) -> Whitening:
    """Learn a whitening.

    Parameters
    ----------
    vectors : (N, D) float32 array
        At least two.
    n_dimensions : int
        d to keep, at least 1. Fewer are kept where fewer vary.

    Returns
    -------
    Whitening

    Raises
    ------
    ValueError
        If there is nothing to learn from.
    """
    if n_dimensions < 1:
        raise ValueError(f"n_dimensions must be at least 1, got {n_dimensions}")
    n, n_all = vectors.shape
    if n < 2:
        raise ValueError(tr("whitening needs at least two vectors, got {n}", n=n))
    mean = vectors.mean(axis=0, dtype=np.float64)
    centred = vectors - mean
    if n < n_all:  # as many directions as pictures: found among these, which are fewer
        spreads, sides = np.linalg.eigh(centred @ centred.T / n)
        directions = centred.T @ sides
        lengths = np.linalg.norm(directions, axis=0)
        directions /= np.where(lengths > 0, lengths, 1)
    else:
        spreads, directions = np.linalg.eigh(centred.T @ centred / n)
    order = np.argsort(-spreads, kind="stable")[: min(n_dimensions, n - 1, n_all)]
    kept = order[spreads[order] > _FLAT * max(float(spreads.max()), 0.0)]
    if len(kept) == 0:
        raise ValueError(tr("all vectors are the same: there is nothing to whiten"))
    chosen = directions[:, kept]
    largest = chosen[np.abs(chosen).argmax(axis=0), np.arange(len(kept))]
    chosen = chosen * np.where(largest < 0, -1, 1) / np.sqrt(spreads[kept])
    return Whitening(mean.astype(np.float32), chosen.astype(np.float32))
