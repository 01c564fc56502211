"""The keypoints of a picture as the viewer fetches them: once, in few bytes."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from engine.index import Index
from engine.language import mark, tr
from engine.pipeline import QueryFeatures
from engine.surf import SurfParams
from ui import opened

COLOURINGS = {"word": mark("word"), "response": mark("response"), "sign": mark("sign")}
N_BYTES = 6 * 4 + 3  # of one keypoint, see `pack`
SIGNS = {1: "#56b4e9", -1: "#e69f00", 0: "#999999"}
# Viridis, roughly: from dark blue over green to yellow.
VIRIDIS = ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725")


def colourings(shown: Index) -> tuple[str, ...]:
    """Return what keypoints can be coloured by; those of SIFT have no sign."""
    return tuple(name for name in COLOURINGS if name != "sign" or shown.extraction.uses_surf)


def limits(shown: Index) -> tuple[int, int]:
    """Return the largest threshold and number of octaves that one can look with."""
    return max(5000, 2 * int(shown.surf.hessian_threshold)), max(5, shown.surf.n_octaves)


def params(shown: Index, threshold: float, octaves: int) -> SurfParams:
    """Return the collection's detector with another threshold and number of octaves.

    Raises
    ------
    ValueError
        If they lie beyond `limits`.
    """
    most, highest = limits(shown)
    if not 0 <= threshold <= most:
        told = tr("threshold must be 0 to {most}, got {threshold}", most=most, threshold=threshold)
        raise ValueError(told)
    if not 1 <= octaves <= highest:
        told = tr("octaves must be 1 to {most}, got {octaves}", most=highest, octaves=octaves)
        raise ValueError(told)
    return dataclasses.replace(
        shown.surf, hessian_threshold=float(threshold), n_octaves=int(octaves)
    )


def _rgb(colours: list[str] | tuple[str, ...]) -> NDArray[np.uint8]:
    return np.array([list(bytes.fromhex(colour[1:])) for colour in colours], np.uint8)


def colours(shown: Index, described: QueryFeatures, colouring: str) -> NDArray[np.uint8]:
    """Return one colour a keypoint, by its word, its response or its sign: (N, 3) uint8."""
    if colouring not in COLOURINGS:
        raise ValueError(f"colouring must be one of {tuple(COLOURINGS)}, got {colouring!r}")
    features = described.features
    if colouring == "word":
        by_word = _rgb(opened.word_colours(shown))
        return np.take(by_word, described.words.word_ids, axis=0)
    if colouring == "sign":
        by_sign = _rgb([SIGNS[sign] for sign in (-1, 0, 1)])
        return np.take(by_sign, features.class_id + 1, axis=0)
    share = np.argsort(np.argsort(features.response)) / max(1, len(features) - 1)
    stops = np.linspace(0, 1, len(VIRIDIS))
    channels = [np.interp(share, stops, channel) for channel in _rgb(VIRIDIS).T]
    painted: NDArray[np.uint8] = np.rint(np.stack(channels, axis=1)).astype(np.uint8)
    return painted


def pack(shown: Index, described: QueryFeatures, colouring: str) -> bytes:
    """Lay all keypoints of a picture into bytes, strongest first.

    Returns
    -------
    bytes
        N rows of six little-endian float32 (x, y, size, angle, response, word), which hold every
        word's number exactly, then N rows of three uint8 (red, green, blue).
    """
    features = described.features
    numbers = np.column_stack(
        (features.xy, features.size, features.angle, features.response, described.words.word_ids)
    )
    return numbers.astype("<f4").tobytes() + colours(shown, described, colouring).tobytes()
