"""Binary signatures: where a descriptor lies within the cell of its visual word.

Two descriptors of one word can be far apart. A signature tells, for 128 random directions, on
which side of the word's median the descriptor lies; the Hamming distance of two signatures then
tells how near they are (Hamming embedding).

Jégou, Douze, Schmid, "Hamming embedding and weak geometric consistency", ECCV 2008.
"""

import dataclasses
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine import threads
from engine.features import root
from engine.kernels import signatures as kernels
from engine.kernels.signatures import Entries, Held

N_BITS = 128
NOTHING = 255  # Hamming distance where nothing matches
_BLOCK = 16_384  # rows projected at a time: 8 MB


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class SignatureModel:
    """How descriptors become signatures.

    Attributes
    ----------
    projection : (D, 128) float32 array
        Orthogonal directions.
    medians : (K, 128) float32 array
        Median of each word's descriptors along each direction.
    rooted : bool
        Whether descriptors come rooted (see `engine.features.root`); others are rooted here.
    """

    projection: NDArray[np.float32]
    medians: NDArray[np.float32]
    rooted: bool = False

    def project(self, descriptors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return how far rooted descriptors go along each direction: (N, 128) float32."""
        return (descriptors if self.rooted else root(descriptors)) @ self.projection


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """What each keypoint of a query found in each of some pictures.

    Attributes
    ----------
    image_ids : (R,) int64 array
        The pictures.
    distances : (R, Q) uint8 array
        Hamming distance of the nearest signature of its words; NOTHING where none is near.
    rows : (R, Q) int32 array
        That keypoint, counted from the picture's first; -1 where none.
    """

    image_ids: NDArray[np.int64]
    distances: NDArray[np.uint8]
    rows: NDArray[np.int32]


def learn(
    descriptors: NDArray[np.float32],
    word_ids: NDArray[np.int32],
    n_words: int,
    seed: int,
    rooted: bool = False,
) -> SignatureModel:
    """Draw the directions and measure the medians of each word.

    Parameters
    ----------
    descriptors : (N, D) float32 array
        A sample; D at most 128.
    word_ids : (N,) int32 array
        Their words.
    n_words : int
        Size of the vocabulary. A word without descriptors gets the medians of some of all.
    seed : int
        Decides the directions.
    rooted : bool
        Whether the descriptors come rooted.

    Returns
    -------
    SignatureModel
    """
    n_dimensions = descriptors.shape[1]
    random = np.random.default_rng(seed).standard_normal((N_BITS, N_BITS))
    projection = np.linalg.qr(random)[0][:n_dimensions].astype(np.float32)
    medians = np.empty((n_words, N_BITS), np.float32)
    model = SignatureModel(projection, medians, rooted)
    order = np.argsort(word_ids, kind="stable")
    cuts = np.searchsorted(word_ids[order], np.arange(n_words + 1))
    spread = descriptors[:: max(1, len(descriptors) // _BLOCK)]
    general = np.median(model.project(spread), axis=0) if len(spread) else np.zeros(N_BITS)
    # Word by word, since the whole sample projected would take as much memory again.
    for word in range(n_words):
        own = descriptors[order[cuts[word] : cuts[word + 1]]]
        medians[word] = np.median(model.project(own), axis=0) if len(own) else general
    return model


def sign(
    descriptors: NDArray[np.float32], word_ids: NDArray[np.int32], model: SignatureModel
) -> NDArray[np.uint64]:
    """Compute signatures.

    Parameters
    ----------
    descriptors : (N, D) float32 array
    word_ids : (N,) int32 array
        The word by whose medians each is judged.
    model : SignatureModel

    Returns
    -------
    (N, 2) uint64 array
        Bit b of the first, or b - 64 of the second: above the median along direction b.
    """
    signatures = np.empty((len(descriptors), 2), np.uint64)
    for start in range(0, len(descriptors), _BLOCK):
        rows = slice(start, start + _BLOCK)
        above = model.project(descriptors[rows]) > model.medians[word_ids[rows]]
        packed = np.packbits(above, axis=1, bitorder="little")
        signatures[rows] = packed.view("<u8")
    return signatures


def enter(
    descriptors: NDArray[np.float32],
    word_ids: NDArray[np.int32],
    model: SignatureModel,
) -> Entries:
    """Sort a query's signatures by word.

    Parameters
    ----------
    descriptors : (Q, D) float32 array
        The query's.
    word_ids : (Q, A) int32 array
        The words near each, all different.
    model : SignatureModel

    Returns
    -------
    Entries
    """
    n_alternatives = word_ids.shape[1]
    flat = word_ids.reshape(-1)
    signatures = sign(np.repeat(descriptors, n_alternatives, axis=0), flat, model)
    return enter_signed(
        signatures, flat, np.repeat(np.arange(len(word_ids)), n_alternatives), model
    )


def enter_signed(
    signatures: NDArray[np.uint64],
    word_ids: NDArray[np.int32],
    keypoints: NDArray[np.int64],
    model: SignatureModel,
) -> Entries:
    """Sort signatures that stand already by word.

    Parameters
    ----------
    signatures : (E, 2) uint64 array
    word_ids : (E,) int32 array
        The word of each.
    keypoints : (E,) int64 array
        Query keypoint that each belongs to.
    model : SignatureModel
        Where they come from.

    Returns
    -------
    Entries
    """
    order = np.argsort(word_ids, kind="stable")
    n_entries = np.bincount(word_ids, minlength=len(model.medians))
    return Entries(
        starts=np.concatenate(([0], np.cumsum(n_entries))).astype(np.int64),
        low=np.ascontiguousarray(signatures[order, 0]),
        high=np.ascontiguousarray(signatures[order, 1]),
        keypoints=keypoints[order].astype(np.int32),
    )


def all_of(counts: NDArray[np.uint16]) -> Held:
    """Tell the kernel of a table with one entry for every picture and word."""
    n_images, n_words = counts.shape
    every = Held(
        starts=np.arange(n_images + 1) * n_words,
        word_ids=np.empty(0, np.int32),
        counts=counts.reshape(-1),
        n_words=n_words,
    )
    for array in (every.starts, every.word_ids):
        array.setflags(write=False)  # as an index's arrays are: to Numba another type
    return every


def match(
    entries: Entries,
    n_keypoints: int,
    offsets: NDArray[np.int64],
    counts: NDArray[np.uint16] | Held,
    signatures: NDArray[np.uint64],
    image_ids: NDArray[np.int64],
    most: int,
    n_threads: int = 1,
) -> Matches:
    """Match a query with some pictures; each query keypoint keeps its nearest in each.

    Parameters
    ----------
    entries : Entries
        The query.
    n_keypoints : int
        Q, of the query.
    offsets : (I + 1,) int64 array
        First keypoint row of each picture; a picture's rows are sorted by word.
    counts : (I, K) uint16 array, or Held
        Rows of each word in each picture; of large vocabularies only of the words that it holds.
    signatures : (N, 2) uint64 array
        Of all rows.
    image_ids : (R,) int64 array
        Pictures to match.
    most : int
        Largest Hamming distance of a match, 0 to 128.
    n_threads : int
        Threads to use; the result does not depend on it.

    Returns
    -------
    Matches
    """
    if not 0 <= most <= N_BITS:
        raise ValueError(f"most must be from 0 to {N_BITS}, got {most}")
    held = counts if isinstance(counts, Held) else all_of(counts)
    if len(entries.starts) != held.n_words + 1:
        raise ValueError(
            f"a query in {len(entries.starts) - 1} words does not fit {held.n_words} words"
        )
    n_images = len(held.starts) - 1
    if len(image_ids) and not 0 <= image_ids.min() <= image_ids.max() < n_images:
        raise ValueError(f"image_ids must be 0 to {n_images - 1}")
    ids = np.ascontiguousarray(image_ids, np.int64)
    distances = np.empty((len(ids), n_keypoints), np.uint8)
    rows = np.empty((len(ids), n_keypoints), np.int32)
    flat = signatures.reshape(-1)
    cuts = np.linspace(0, len(ids), min(len(ids), 4 * n_threads) + 1).astype(int)

    def some(low: int, high: int) -> None:
        best = np.empty(len(entries.low), np.uint64)
        part = slice(low, high)
        kernels.nearest(
            entries, offsets, held, flat, ids[part], most, best, distances[part], rows[part]
        )

    threads.run([partial(some, a, b) for a, b in pairwise(cuts)], n_threads)
    return Matches(ids, distances, rows)
