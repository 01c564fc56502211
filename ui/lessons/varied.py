"""The photograph after a change, and which of its keypoints were found again: kept for a while."""

import dataclasses

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import features, images, repeatability
from engine.repeatability import Repeated, Variant, Variation
from engine.surf import Features
from ui import opened
from ui.lessons.shared import Bench
from ui.lessons.view import View
from ui.link import Link

SIDE = 640  # pixels: the photograph is shrunk to this first, so that a change stays quick


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Varied:
    """A photograph and its variant.

    Attributes
    ----------
    gray : (H, W) uint8 array
        The photograph, at most SIDE pixels long.
    variant : Variant
        After the change.
    one, other : Features
        Keypoints of both.
    found : Repeated
        Which are the same.
    """

    gray: NDArray[np.uint8]
    variant: Variant
    one: Features
    other: Features
    found: Repeated

    @property
    def kept(self) -> float:
        """Share of the photograph's keypoints, of those that both show, that are found again."""
        common = int(self.found.is_common_one.sum())
        return len(self.found.pairs) / common if common else 0.0


@st.cache_resource(max_entries=16, ttl=1800, show_spinner=False)
def _unchanged(
    name: str, stamp: str, sha256: str, _link: Link
) -> tuple[NDArray[np.uint8], Features]:
    """Return the photograph as it is changed, and its keypoints: the same for every change."""
    shown = opened.open_index(name)
    gray = images.shrink(Bench(shown, View(_link)).query().image.gray, SIDE)
    # As the collection's own pictures are looked at: not always by SURF.
    return gray, features.extract(gray, shown.extraction, n_threads=2)


@st.cache_resource(max_entries=16, ttl=1800, show_spinner=False)
def _made(name: str, stamp: str, sha256: str, variation: Variation, _link: Link) -> Varied:
    gray, one = _unchanged(name, stamp, sha256, _link)
    variant = repeatability.vary(gray, variation)
    extraction = opened.open_index(name).extraction
    other = features.extract(variant.gray, extraction, n_threads=2)
    found = repeatability.compare(one, gray.shape, other, variant.gray.shape, variant.affine)
    return Varied(gray, variant, one, other, found)


def vary(bench: Bench, variation: Variation) -> Varied:
    """Change the photograph, find keypoints again, and compare, or recall it."""
    shown = bench.shown
    return _made(shown.name, shown.stamp, bench.query().image.sha256, variation, bench.link)
