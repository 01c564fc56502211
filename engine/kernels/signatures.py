"""Loop that finds, for each query keypoint, the nearest signature of its words in each picture."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.kernels import inlined, kernel


class Entries(NamedTuple):
    """A query sorted by word: a keypoint enters under each word that is near it.

    Fields
    ------
    starts : (K + 1,) int64
        The entries of word w stand from starts[w] to starts[w + 1].
    low, high : (E,) uint64
        The two halves of each signature, by the medians of that word.
    keypoints : (E,) int32
        Query keypoint of each entry.
    """

    starts: NDArray[np.int64]
    low: NDArray[np.uint64]
    high: NDArray[np.uint64]
    keypoints: NDArray[np.int32]


class Held(NamedTuple):
    """How many rows of each picture belong to each word that it holds.

    Fields
    ------
    starts : (I + 1,) int64
        The entries of picture i stand from starts[i] to starts[i + 1].
    word_ids : (M,) int32
        The word of each entry, rising within a picture; empty if there is an entry for every word.
    counts : (M,) uint16
        Rows of that word in that picture.
    n_words : int
        Size of the vocabulary.
    """

    starts: NDArray[np.int64]
    word_ids: NDArray[np.int32]
    counts: NDArray[np.uint16]
    n_words: int


@inlined
def _count_bits(x: np.uint64) -> Any:
    """Count the ones; LLVM knows this formula and puts one instruction in its place."""
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (x * np.uint64(0x0101010101010101)) >> np.uint64(56)


@kernel
def nearest(
    entries: Entries,
    offsets: NDArray[np.int64],
    held: Held,
    signatures: NDArray[np.uint64],
    image_ids: NDArray[np.int64],
    most: int,
    best: NDArray[np.uint64],
    distances: NDArray[np.uint8],
    rows: NDArray[np.int32],
) -> None:
    """Match a query with some pictures; each query keypoint keeps its nearest in each.

    Parameters
    ----------
    entries : Entries
        The query.
    offsets : (I + 1,) int64
        First keypoint row of each picture; the rows of a picture are sorted by word.
    held : Held
        How many rows of each picture belong to each word.
    signatures : (2 * N,) uint64
        Both halves of each row's signature.
    image_ids : (R,) int64
        Which pictures.
    most : int
        Largest Hamming distance of a match, below 255.
    best : (E,) uint64
        Room.
    distances : (R, Q) uint8
        Receives the Hamming distance for each query keypoint, 255 where nothing is near.
    rows : (R, Q) int32
        Receives the matched row, counted from the picture's first, -1 where none.
    """
    every = held.word_ids.shape[0] == 0
    shift = np.uint64(32)
    two = np.uint64(2)
    one = np.uint64(1)
    for r in range(image_ids.shape[0]):
        image = image_ids[r]
        for q in range(distances.shape[1]):
            distances[r, q] = 255
            rows[r, q] = -1
        for e in range(np.uint64(best.shape[0])):
            best[e] = np.uint64(0xFFFFFFFFFFFFFFFF)
        row = np.uint64(0)
        first = np.uint64(offsets[image])
        for j in range(held.starts[image], held.starts[image + 1]):
            word = j - held.starts[image] if every else np.int64(held.word_ids[j])
            after = row + np.uint64(held.counts[j])
            begin = np.uint64(entries.starts[word])
            end = np.uint64(entries.starts[word + 1])
            if begin < end:
                # Distance and row in one number: the least of them is the nearest, first row first.
                for k in range(row, after):
                    low = signatures[two * (first + k)]
                    high = signatures[two * (first + k) + one]
                    for e in range(begin, end):
                        apart = _count_bits(entries.low[e] ^ low)
                        apart += _count_bits(entries.high[e] ^ high)
                        best[e] = min(best[e], (apart << shift) | k)
            row = after
        for e in range(best.shape[0]):
            apart = best[e] >> shift
            if apart <= most:
                q = entries.keypoints[e]
                near = np.int32(best[e] & np.uint64(0xFFFFFFFF))
                if apart < distances[r, q] or (apart == distances[r, q] and near < rows[r, q]):
                    distances[r, q] = apart
                    rows[r, q] = near
