"""Product codes: a long vector kept as a few bytes, one for each piece of it.

Each piece becomes the number of the nearest of up to 256 centres. A query stays as it is: its
products with all centres of a piece are looked up in a table (asymmetric distance).

Jégou, Douze, Schmid, "Product quantization for nearest neighbor search", PAMI 2011.
"""

import warnings

import numpy as np
from numpy.typing import NDArray

MOST_CENTRES = 256
PER_CENTRE = 8  # vectors that a centre should have to be learned from
_BLOCK = 4096  # rows encoded at a time: 4 MB of distances


def learn(pieces: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Learn the centres of each piece by k-means.

    Parameters
    ----------
    pieces : (N, P, L) float32 array
        A sample of vectors, cut into P pieces.
    seed : int
        Decides every random choice.

    Returns
    -------
    (P, C, L) float32 array
        C is 256, fewer where there are not eight vectors for each, at least 1.
    """
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    n_centres = int(np.clip(len(pieces) // PER_CENTRE, 1, MOST_CENTRES))
    centres = np.zeros((pieces.shape[1], n_centres, pieces.shape[2]), np.float32)
    if len(pieces) == 0:
        return centres
    # One thread, or the order of additions and with it the centres would depend on the machine.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for place in range(len(centres)):
            means = MiniBatchKMeans(
                n_centres, batch_size=_BLOCK, max_iter=15, n_init=1, random_state=seed
            )
            centres[place] = means.fit(pieces[:, place]).cluster_centers_
    return centres


def encode(pieces: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the nearest centre of each piece: (N, P) uint8 for (N, P, L) pieces."""
    codes = np.empty(pieces.shape[:2], np.uint8)
    halves = 0.5 * np.einsum("pcl,pcl->pc", centres, centres)
    for start in range(0, len(pieces), _BLOCK):
        rows = slice(start, start + _BLOCK)
        for place in range(len(centres)):
            scores = np.ascontiguousarray(pieces[rows, place]) @ centres[place].T
            scores -= halves[place]
            codes[rows, place] = scores.argmax(axis=1)
    return codes


def tables(pieces: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the products of a query's pieces with all centres.

    Parameters
    ----------
    pieces : (Q, P, L) float32 array
    centres : (P, C, L) or (C, L) float32 array
        Of each piece, or the same for all.

    Returns
    -------
    (Q, P, C) float32 array
    """
    products: NDArray[np.float32]
    if centres.ndim == 2:
        products = (pieces.reshape(-1, pieces.shape[2]) @ centres.T).reshape(
            *pieces.shape[:2], len(centres)
        )
        return products
    products = np.matmul(pieces.swapaxes(0, 1), centres.swapaxes(1, 2)).swapaxes(0, 1)
    return np.ascontiguousarray(products)
