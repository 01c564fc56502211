"""Residuals: where the keypoints of each word of a picture lie around it, and how they point.

A signature (`engine.signatures`) tells for 128 directions on which side of its word a descriptor
lies: 128 signs, a residual of unit length once divided by their number's root. For each picture and
each of its words these are added up, the strong keypoints counting more, in the 32 directions in
which the collection's signatures vary most; once as they are, and once for each of two
frequencies with the cosine and the sine of the keypoints' angles. From these sums come three
forms of one vector: bytes (`vlad`), product codes of it (`vlad-codes`), signs (`asmk`).

The sums come from what the index holds, so no picture is read again. With the descriptors' own
residuals in place of signatures the three find less than 0.015 mAP more (`docs/ranking.md`).

Jégou, Perronnin, Douze, Sánchez, Pérez, Schmid, "Aggregating local image descriptors into compact
codes", PAMI 2012. Tolias, Bursuc, Furon, Jégou, "Rotation and translation covariant match kernels
for image retrieval", CVIU 2015.
"""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import methods, threads, typed
from engine.errors import ArtifactError
from engine.index import Index
from engine.language import tr
from engine.lookup import Words
from engine.shortlist import strengths
from engine.signatures import N_BITS, sign
from engine.surf import Features
from engine.typed import MALFORMED

PART = "residuals"
SIGNS = 8  # dimensions whose signs stand in one byte
WORDS_AT_ONCE = 64  # of the query; the tables of their codes or signs take 3 MB
LOOKED_UP = 4  # signs of one table: with eight it would leave the cache


@dataclasses.dataclass(frozen=True, slots=True)
class ResidualParams:
    """What is kept of each word of a picture.

    Attributes
    ----------
    n_dimensions : int
        Directions, d; a multiple of 16, at most 128.
    n_frequencies : int
        Frequencies of the angle besides the constant part, F.
    power : float
        Power of each sum's modulus, so that repetition counts less.
    word_power : float
        Power of each word's length: 0 lets all words of a picture count alike, 1 as much as
        they hold.
    seed : int
        Decides what the product codes are learned from.
    """

    n_dimensions: int = 32
    n_frequencies: int = 2
    power: float = 0.5
    word_power: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        if not 16 <= self.n_dimensions <= N_BITS or self.n_dimensions % 16:
            raise ValueError(
                f"n_dimensions must be a multiple of 16, at most {N_BITS}, got {self.n_dimensions}"
            )
        if self.n_frequencies < 0:
            raise ValueError(f"n_frequencies must be at least 0, got {self.n_frequencies}")
        if not (0 < self.power <= 1 and 0 <= self.word_power <= 1):
            raise ValueError("powers must lie above 0, at most 1")

    @property
    def n_parts(self) -> int:
        """Parts of a vector: the constant one, cosine and sine of each frequency."""
        return 2 * self.n_frequencies + 1


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class WordSums:
    """One picture, word by word.

    Attributes
    ----------
    words : (E,) int32 array
        Its words, rising.
    sums : (E, 2 F + 1, d) float32 array
        Of each: weighted sums of residuals, of these times √2 cos(angle), times √2 sin(angle), and
        so on with multiples of the angle.
    """

    words: NDArray[np.int32]
    sums: NDArray[np.float32]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Residuals:
    """The part of an index, opened: E rows, one for each word of each picture, by word.

    Attributes
    ----------
    params : ResidualParams
    basis : (128, d) float32 array
        Directions among the bits of signatures.
    starts : (K + 1,) int64 array
        The rows of word w are starts[w] to starts[w + 1]; pictures rise in each.
    image_ids : (E,) int32 array
        Picture of each row.
    vectors : (E, 2 F + 1, d) int8 array
        Dampened sums (see `dampen`), all times one factor.
    vector_norms : (I,) float32 array
        Length of all rows of a picture together.
    centres : (P, C, L) float32 array
        Of the product codes' pieces, in the units of `vectors`.
    codes : (E, P) uint8 array
        Product codes of `vectors`.
    code_norms : (I,) float32 array
        As `vector_norms`, of what the codes stand for.
    signs : (E, (2 F + 1) d / 8) uint8 array
        Signs of the sums, eight a byte, the lowest bit first.
    n_words : (I,) int32 array
        Rows of each picture.
    """

    params: ResidualParams
    basis: NDArray[np.float32]
    starts: NDArray[np.int64]
    image_ids: NDArray[np.int32]
    vectors: NDArray[np.int8]
    vector_norms: NDArray[np.float32]
    centres: NDArray[np.float32]
    codes: NDArray[np.uint8]
    code_norms: NDArray[np.float32]
    signs: NDArray[np.uint8]
    n_words: NDArray[np.int32]


def open_residuals(index: Index) -> Residuals:
    """Return the residuals of an index.

    Raises
    ------
    ArtifactError
        If it has none, or they are of another making.
    """
    arrays = index.parts.get(PART)
    add = methods.adding(PART, index.name)
    if arrays is None:
        raise ArtifactError(
            tr(
                "the index {name!r} has no residuals of its words. Make them with: {command}",
                name=index.name,
                command=add,
            )
        )
    try:
        told = index.manifest["parts"][PART]["parameters"]
        typed.check(ResidualParams, told)
        params = ResidualParams(**told)
        held = Residuals(params, **arrays)
        if held.vectors.shape[1:] != (params.n_parts, params.n_dimensions):
            raise ValueError(f"vectors of {held.vectors.shape} for {params}")
        return held
    except MALFORMED as error:
        raise ArtifactError(
            tr(
                "the residuals of the index {name!r} do not fit ({error}). Make them anew with: "
                "{command}",
                name=index.name,
                error=error,
                command=add,
            )
        ) from None


def check_fits(collection: Residuals, query: WordSums) -> None:
    """Raise a ValueError if a query's sums are not of this collection's words and making."""
    shape = (collection.params.n_parts, collection.params.n_dimensions)
    if query.sums.shape != (len(query.words), *shape):
        raise ValueError(f"sums of {query.sums.shape} do not fit words of {shape}")
    n_words = len(collection.starts) - 1
    if len(query.words) and not 0 <= query.words.min() <= query.words.max() < n_words:
        raise ValueError(f"words must be 0 to {n_words - 1}")


def nothing(params: ResidualParams = ResidualParams()) -> Residuals:
    """Return the residuals of one empty picture with one word, read-only as an index's are."""
    n_pieces = len(piece_frequencies(params))
    n_numbers = params.n_parts * params.n_dimensions
    arrays: dict[str, NDArray[Any]] = {
        "basis": np.zeros((N_BITS, params.n_dimensions), np.float32),
        "starts": np.zeros(2, np.int64),
        "image_ids": np.zeros(0, np.int32),
        "vectors": np.zeros((0, params.n_parts, params.n_dimensions), np.int8),
        "vector_norms": np.zeros(1, np.float32),
        "centres": np.zeros((n_pieces, 1, 16), np.float32),
        "codes": np.zeros((0, n_pieces), np.uint8),
        "code_norms": np.zeros(1, np.float32),
        "signs": np.zeros((0, n_numbers // SIGNS), np.uint8),
        "n_words": np.zeros(1, np.int32),
    }
    for array in arrays.values():
        array.setflags(write=False)
    return Residuals(params, **arrays)


def bits_to_signs(bits: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Return (N, 128) float32 of ±1 / √128 for (N, 2) uint64 signatures."""
    packed = np.ascontiguousarray(bits, "<u8").view(np.uint8).reshape(len(bits), -1)
    signs = np.unpackbits(packed, axis=1, bitorder="little").astype(np.float32)
    signs -= np.float32(0.5)
    signs *= np.float32(2 / np.sqrt(N_BITS))
    return signs


def add_up(
    word_ids: NDArray[np.int32],
    bits: NDArray[np.uint64],
    angles: NDArray[np.float32],
    weights: NDArray[np.float32],
    basis: NDArray[np.float32],
    n_frequencies: int,
) -> WordSums:
    """Add up the residuals of a picture's keypoints, word by word.

    Parameters
    ----------
    word_ids : (N,) int32 array
    bits : (N, 2) uint64 array
        Signatures.
    angles : (N,) float32 array
        Degrees.
    weights : (N,) float32 array
        What each keypoint counts.
    basis : (128, d) float32 array
    n_frequencies : int

    Returns
    -------
    WordSums
    """
    order = np.argsort(word_ids, kind="stable")
    words, starts = np.unique(word_ids[order], return_index=True)
    sums = np.zeros((len(words), 2 * n_frequencies + 1, basis.shape[1]), np.float32)
    if len(words) == 0:
        return WordSums(words.astype(np.int32), sums)
    residuals = bits_to_signs(bits[order]) @ basis
    residuals *= weights[order, None]
    radians = np.radians(angles[order].astype(np.float64))[:, None]
    sums[:, 0] = np.add.reduceat(residuals, starts)
    for f in range(1, n_frequencies + 1):
        for place, wave in ((2 * f - 1, np.cos(f * radians)), (2 * f, np.sin(f * radians))):
            turned = residuals * (np.sqrt(2) * wave).astype(np.float32)
            sums[:, place] = np.add.reduceat(turned, starts)
    return WordSums(words.astype(np.int32), sums)


def of_query(index: Index, features: Features, words: Words, kept: Residuals) -> WordSums:
    """Add up the residuals of a picture from outside, as those of the collection were."""
    bits = sign(features.descriptors, words.word_ids, index.codebook.signatures)
    weights = strengths(features.response, index.extraction.least_response)
    of_words = (words.word_ids, bits, features.angle, weights)
    return add_up(*of_words, kept.basis, kept.params.n_frequencies)


def of_stored(index: Index, image_id: int, kept: "Residuals") -> WordSums:
    """Add up the residuals of a picture of the collection, from what the index holds of it."""
    return add_up_stored(index, image_id, kept.basis, kept.params.n_frequencies)


def add_up_stored(
    index: Index, image_id: int, basis: NDArray[np.float32], n_frequencies: int
) -> WordSums:
    """As `of_stored`, while the residuals are being made."""
    keypoints = index.keypoints(image_id)
    bits = index.signatures[index.offsets[image_id] : index.offsets[image_id + 1]]
    weights = strengths(keypoints.response, index.extraction.least_response)
    word_ids = index.words(image_id).word_ids
    return add_up(word_ids, bits, keypoints.angle, weights, basis, n_frequencies)


def dampen(sums: NDArray[np.float32], params: ResidualParams) -> NDArray[np.float32]:
    """Let repetition count less: a power of each modulus, then of each word's length.

    Cosine and sine of one frequency share their modulus, so that a turned picture gets turned
    sums.

    Parameters
    ----------
    sums : (E, 2 F + 1, d) float32 array
    params : ResidualParams

    Returns
    -------
    (E, 2 F + 1, d) float32 array
        Zeros stay zeros.
    """
    tiny = np.float32(1e-12)
    moduli = np.empty_like(sums)
    moduli[:, 0] = np.abs(sums[:, 0])
    moduli[:, 1::2] = moduli[:, 2::2] = np.hypot(sums[:, 1::2], sums[:, 2::2])
    np.maximum(moduli, tiny, out=moduli)
    dampened: NDArray[np.float32] = sums * moduli ** np.float32(params.power - 1)
    lengths = np.sqrt(np.einsum("eck,eck->e", dampened, dampened))
    dampened *= (np.maximum(lengths, tiny) ** np.float32(params.word_power - 1))[:, None, None]
    return dampened


def quarter(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn the parts of each frequency by a quarter of its wave; the constant part becomes 0.

    The product of a query's `quarter` with a vector is the imaginary part of their products.
    """
    turned = np.zeros_like(vectors)
    turned[:, 1::2], turned[:, 2::2] = -vectors[:, 2::2], vectors[:, 1::2]
    return turned


def cut(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut vectors into the pieces of the product codes, 16 numbers each.

    Parameters
    ----------
    vectors : (E, 2 F + 1, d) float32 array

    Returns
    -------
    (E, P, 16) float32 array
        d / 16 pieces of the constant part, d / 8 of each frequency, cosines before sines.
        Dimensions are dealt out in turn, since the first of them vary most.
    """
    n, n_parts, n_dimensions = vectors.shape
    constant = vectors[:, 0].reshape(n, 16, n_dimensions // 16).swapaxes(1, 2)
    both = vectors[:, 1:].reshape(n, n_parts // 2, 2, 8, n_dimensions // 8)
    waves = both.transpose(0, 1, 4, 2, 3).reshape(n, (n_parts // 2) * (n_dimensions // 8), 16)
    return np.ascontiguousarray(np.concatenate((constant, waves), axis=1))


def piece_frequencies(params: ResidualParams) -> NDArray[np.int64]:
    """Return the frequency to which each piece of `cut` belongs."""
    per = [params.n_dimensions // 16] + [params.n_dimensions // 8] * params.n_frequencies
    return np.repeat(np.arange(params.n_frequencies + 1), per)


def byte_frequencies(params: ResidualParams) -> NDArray[np.int64]:
    """Return the frequency to which each byte of signs belongs."""
    parts = (np.arange(params.n_parts) + 1) // 2
    return np.repeat(parts, params.n_dimensions // SIGNS)


def pack_signs(sums: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the signs of (E, 2 F + 1, d) sums, eight a byte: (E, (2 F + 1) d / 8) uint8."""
    n, n_parts, n_dimensions = sums.shape
    return np.packbits((sums > 0).reshape(n, n_parts * n_dimensions), axis=1, bitorder="little")


def sign_centres() -> NDArray[np.float32]:
    """Return what half a byte of signs stands for: (16, 4) float32 of ±1."""
    bits = np.arange(2**LOOKED_UP)[:, None] >> np.arange(LOOKED_UP) & 1
    return (2 * bits - 1).astype(np.float32)


def add_blocks(
    n_words: int,
    shape: tuple[int, ...],
    dtype: type[np.int64 | np.float32 | np.float64],
    add: Callable[[slice, NDArray[Any]], None],
    n_threads: int,
) -> NDArray[Any]:
    """Let a few of the query's words at once add to sums of their own, and add these up.

    Parameters
    ----------
    n_words : int
        Of the query.
    shape : tuple of int
        Of the sums.
    dtype : type
        Of a block's sums; what is not whole is added up in float64.
    add : callable
        Told a block of words and its sums, zero so far.
    n_threads : int
        The result does not depend on it: blocks are added in order, whichever was done first.

    Returns
    -------
    array of `shape`
    """
    blocks = [slice(i, i + WORDS_AT_ONCE) for i in range(0, n_words, WORDS_AT_ONCE)]
    found: list[NDArray[Any]] = [np.zeros(shape, dtype) for _ in blocks]
    threads.run([partial(add, *one) for one in zip(blocks, found)], n_threads)
    total: NDArray[Any] = np.zeros(shape, dtype if dtype is np.int64 else np.float64)
    for sums in found:
        total += sums
    return total
