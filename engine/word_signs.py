"""On which side of their surroundings do the keypoints of a word lie: dark on light, or reverse?

The sign of the Laplacian, which SURF finds with each keypoint and an index keeps (`class_id`).
"""

import numpy as np
from numpy.typing import NDArray

from engine.index import Index

SIGNS = (-1, 0, 1)  # light on dark, neither, dark on light
_BLOCK = 4_000_000  # keypoints looked at at once: 36 MB


def counts(index: Index) -> NDArray[np.int64]:
    """Count the keypoints of each word by their sign.

    Parameters
    ----------
    index : Index
        The collection. Features without a sign, as SIFT's, count as neither.

    Returns
    -------
    (K, 3) int64 array
        Keypoints light on dark, neither, dark on light.
    """
    found = np.zeros(3 * index.n_words, np.int64)
    kinds, offsets = index.parts["keypoints"]["kind"], index.offsets
    first = 0
    while first < index.n_images:
        last = int(np.searchsorted(offsets, offsets[first] + _BLOCK, side="right")) - 1
        last = min(max(last, first + 1), index.n_images)
        words = np.concatenate([_words(index, image_id) for image_id in range(first, last)])
        # An octave and a sign share a byte, see `engine.packing`.
        signs = kinds[offsets[first] : offsets[last]] % 4
        found += np.bincount(3 * words + np.minimum(signs, 2), minlength=len(found))
        first = last
    return found.reshape(-1, 3)


def _words(index: Index, image_id: int) -> NDArray[np.int64]:
    """Return the word of each keypoint row of a picture."""
    table = index.table
    return np.repeat(table.words_of(image_id).astype(np.int64), table.of("counts", image_id))


def dark_shares(found: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of each word's keypoints that are dark on light: (K,), nan without any.

    Parameters
    ----------
    found : (K, 3) int64 array
        From `counts`; those that are neither are left out.
    """
    signed = found[:, 0] + found[:, 2]
    shares = np.full(len(found), np.nan)
    np.divide(found[:, 2], signed, out=shares, where=signed > 0)
    return shares
