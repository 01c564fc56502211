"""What a search found, what it was made from, and how long each step took."""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from engine.calibration import Calibration
from engine.embeddings import Compared
from engine.expand import Expansion
from engine.fusion import Fused
from engine.models import EUCLIDEAN
from engine.rerank import Verified
from engine.residuals import WordSums
from engine.search import Ranking
from engine.shortlist import ShortList, Signed
from engine.tuning import USUAL, Tuning
from engine.turns import Settled


@dataclasses.dataclass(frozen=True, slots=True)
class Timings:
    """Wall seconds of each step; 0 for a step that was not needed. `surf`: of any features."""

    surf: float = 0.0
    words: float = 0.0
    search: float = 0.0
    verify: float = 0.0
    expand: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Working:
    """What an answer was made from, for whoever explains it; None for what the method does without.

    Attributes
    ----------
    vector : (K,) float32 array or None
        The query's vector.
    sums : WordSums or None
        What the keypoints of each of its words add up to.
    settled : Settled or None
        At which turn each picture was compared.
    signed : Signed or None
        Its keypoints, signed.
    listed : ShortList or None
        The short list.
    tuning : Tuning
        Parameters of the method.
    compared : Compared or None
        How far a model's vectors lie from the query's.
    fused : Fused or None
        What words and vectors give each picture, where both do.
    """

    vector: NDArray[np.float32] | None = None
    sums: WordSums | None = None
    settled: Settled | None = None
    signed: Signed | None = None
    listed: ShortList | None = None
    tuning: Tuning = USUAL
    compared: Compared | None = None
    fused: Fused | None = None


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a search found.

    Attributes
    ----------
    ranking : Ranking
        The most similar images.
    method : str
        One of `methods.METHODS`, or a model's vectors by name.
    n_images : int
        Images that were compared.
    excluded : tuple of int
        Images left out because they are the query itself.
    timings : Timings
        Of all steps.
    verified : mapping of int to Verified
        How the images that were verified match the query, by image id; empty for methods that
        do not verify.
    expansion : Expansion or None
        The views that expansion went by, and what was verified with them; None for the others.
    calibration : Calibration or None
        From which verified score a result shows the same thing; None where nothing is verified.
    working : Working
        What it was made from.
    """

    ranking: Ranking
    method: str
    n_images: int
    excluded: tuple[int, ...]
    timings: Timings
    verified: Mapping[int, Verified] = dataclasses.field(default_factory=dict)
    expansion: Expansion | None = None
    calibration: Calibration | None = None
    working: Working = Working()

    @property
    def distances(self) -> NDArray[np.float32] | None:
        """Distances of all images, (I,) float32, where they are shown instead of scores.

        That is where a model's vectors alone are compared and its record says "euclidean".
        """
        compared = self.working.compared
        if compared is None or self.working.fused is not None or compared.metric != EUCLIDEAN:
            return None
        return compared.distances

    def accepts(self, image_id: int) -> bool | None:
        """Tell whether an image shows the same thing as the query.

        Its direct verified score decides, or that a way of such scores leads to it; None where
        the method verifies nothing and so cannot tell.
        """
        if self.expansion is not None and image_id in self.expansion.ways:
            return True
        return self.matches(image_id)

    def matches(self, image_id: int) -> bool | None:
        """Tell whether its direct verified score alone decides so; None as for `accepts`."""
        if self.calibration is None:
            return None
        direct = self.verified.get(image_id)
        return direct is not None and direct.score >= self.calibration.least_score

    def led_by(self, image_id: int) -> tuple[int, ...]:
        """Return the pictures that led to an image; none if the query matches it itself."""
        if self.expansion is None or self.matches(image_id):
            return ()
        way = self.expansion.ways.get(image_id)
        return () if way is None else way.path[:-1]

    def found(self) -> dict[int, float]:
        """Return what pictures scored, directly or by way of others, before any ceiling."""
        direct = {one.image_id: one.score for one in self.verified.values()}
        return direct | dict({} if self.expansion is None else self.expansion.scores)

    def ceiling(self) -> float:
        """Return what no picture scores more than that an expanded answer does not accept.

        Just below the least that it accepts.
        """
        found, ways = self.found(), {} if self.expansion is None else self.expansion.ways
        accepted = [found.get(i, 0.0) for i in found.keys() | ways.keys() if self.accepts(i)]
        least = np.float32(min(accepted, default=math.inf))
        return max(float(np.nextafter(least, np.float32(0))), 0.0)
