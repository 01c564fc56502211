"""The picture that is worked on, and what SURF finds in it: kept for pages and routes alike."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from engine import images, lookup, repeatability, surf, trace
from engine.index import Index
from engine.repeatability import Repeated, Variant, Variation
from engine.surf import Features, SurfParams
from engine.trace import Prepared
from ui import opened
from ui.described import Store
from ui.link import Link

SIDE = 640  # pixels: the longer side of the picture that is worked on, so that sliders are live
COMPARED = 400  # pixels: the same where variants are made, up to three times as long


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """The picture that is worked on.

    Attributes
    ----------
    gray : (H, W) uint8 array
        Its pixels, at most SIDE or COMPARED long.
    sha256 : str
        Digest of the file.
    width, height : int
        Of the file's picture, in pixels.
    """

    gray: NDArray[np.uint8]
    sha256: str
    width: int
    height: int

    @property
    def is_shrunk(self) -> bool:
        """Whether it is smaller than the file's picture."""
        return bool(max(self.width, self.height) > max(self.gray.shape))


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Varied:
    """A picture, its variant, and what became of its keypoints.

    Attributes
    ----------
    variant : Variant
        The other picture.
    one, other : Features
        Keypoints of both.
    found : Repeated
        Which are the same.
    ratios : (N,) float32
        For each keypoint of the one the distance to the nearest descriptor in the other over that
        to the second nearest; 1 where there are no two.
    """

    variant: Variant
    one: Features
    other: Features
    found: Repeated
    ratios: NDArray[np.float32]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """Two pictures that no known map joins.

    Attributes
    ----------
    one, other : Features
        Keypoints of both.
    nearest : (N,) int64
        For each keypoint of the one the row of the nearest descriptor in the other; -1 for none.
    ratios : (N,) float32
        As in Varied.
    """

    one: Features
    other: Features
    nearest: NDArray[np.int64]
    ratios: NDArray[np.float32]


_BENCHES: Store[tuple[str, int], Bench] = Store(64 * 2**20)
_PREPARED: Store[tuple[str, SurfParams], Prepared] = Store(128 * 2**20)
_FEATURES: Store[tuple[str, int, SurfParams], Features] = Store(64 * 2**20)
_VARIED: Store[tuple[str, SurfParams, Variation], Varied] = Store(64 * 2**20)
_BESIDE: Store[tuple[str, str, SurfParams], Beside] = Store(32 * 2**20)


def of(shown: Index, link: Link, side: int = SIDE) -> Bench:
    """Return the query of a link as it is worked on, or recall it.

    Raises
    ------
    ImageError
        If its file is gone or cannot be read.
    """
    sha256, read = opened.query_file(shown, link)

    def make() -> Bench:
        image = read()
        height, width = image.gray.shape
        gray = image.gray
        if max(height, width) > side:
            gray = images.to_gray(images.shrink(image.rgb, side))
        return Bench(gray, image.sha256, width, height)

    return _BENCHES.get((sha256, side), make)


def prepared(bench: Bench, params: SurfParams) -> Prepared:
    """Return what SURF finds in it with these parameters, and the responses on the way."""
    return _PREPARED.get((bench.sha256, params), lambda: trace.prepare(bench.gray, params))


def features(bench: Bench, params: SurfParams) -> Features:
    """Return what SURF finds in it, and nothing else."""
    key = bench.sha256, max(bench.gray.shape), params
    return _FEATURES.get(key, lambda: surf.extract(bench.gray, params))


def varied(bench: Bench, params: SurfParams, variation: Variation) -> Varied:
    """Return a picture of COMPARED pixels beside its variant."""

    def make() -> Varied:
        variant, one = repeatability.vary(bench.gray, variation), features(bench, params)
        other = surf.extract(variant.gray, params)
        found = repeatability.compare(
            one, bench.gray.shape, other, variant.gray.shape, variant.affine
        )
        ratios = repeatability.ratios(one.descriptors, other.descriptors, found.nearest)
        return Varied(variant, one, other, found, ratios)

    return _VARIED.get((bench.sha256, params, variation), make)


def beside(bench: Bench, other: Bench, params: SurfParams) -> Beside:
    """Return a picture beside another one."""

    def make() -> Beside:
        one, two = features(bench, params), features(other, params)
        nearest = np.full(len(one), -1, np.int64)
        if len(two):
            nearest = lookup.assign(one.descriptors, two.descriptors).word_ids.astype(np.int64)
        ratios = repeatability.ratios(one.descriptors, two.descriptors, nearest)
        return Beside(one, two, nearest, ratios)

    return _BESIDE.get((bench.sha256, other.sha256, params), make)


def nearest_row(features: Features, at: tuple[float, ...] | None) -> int:
    """Return the keypoint at a place and size, or the nearest to it; 0 for the strongest."""
    if at is None or not len(features):
        return 0
    apart = np.hypot(*(features.xy - np.array(at[:2], np.float32)).T)
    return int((apart + np.abs(features.size - np.float32(at[2]))).argmin())


def place(features: Features, row: int) -> tuple[float, float, float]:
    """Return a keypoint's place and size as the address holds them."""
    x, y = features.xy[row].tolist()
    return round(x, 1), round(y, 1), round(float(features.size[row]), 1)


def is_there(features: Features, row: int, at: tuple[float, ...] | None) -> bool:
    """Tell whether a keypoint is the one that an address means."""
    if at is None:
        return True
    x, y, size = place(features, row)
    return abs(x - at[0]) <= 0.15 and abs(y - at[1]) <= 0.15 and abs(size - at[2]) <= 0.15


def pack(features: Features) -> bytes:
    """Lay keypoints into bytes as `ui.keypoints.pack` does, without words; coloured by sign."""
    from ui.keypoints import SIGNS

    none = np.full(len(features), np.nan, np.float32)
    numbers = np.column_stack((features.xy, features.size, features.angle, features.response, none))
    by_sign = np.array([list(bytes.fromhex(SIGNS[sign][1:])) for sign in (-1, 0, 1)], np.uint8)
    colours = by_sign[features.class_id + 1]
    return numbers.astype("<f4").tobytes() + colours.tobytes()
