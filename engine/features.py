"""From a gray picture to features: which kind, and the size at which it looks.

Three kinds, each a tag of its own that goes with every codebook and index: words of one kind are
never asked about features of another.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import images, opencv, sift, surf, typed
from engine.sift import SiftParams
from engine.surf import Features, SurfParams

_MOST_SIDE = 2_000  # pictures are enlarged to
_MOST_ENLARGED = 4  # fold; beyond, there is nothing more to see
KINDS = {"surf": "SURF", "root-surf": "root SURF", "rootsift": "RootSIFT"}


@dataclasses.dataclass(frozen=True, slots=True)
class ExtractionParams:
    """How a collection's pictures become features; every picture of it is treated alike.

    Attributes
    ----------
    surf : SurfParams
        The detector and descriptor of SURF; with "rootsift" they must stay as they are.
    max_side : int or None
        Longer pictures are shrunk to this many pixels before extraction. Coordinates and sizes
        are given in the original's pixels all the same. None looks at every pixel.
    kind : str
        One of KINDS: "surf"; "root-surf", with the descriptors of SURF rooted (see `root`);
        "rootsift", with the keypoints of SIFT and its descriptors rooted.
    sift : SiftParams
        The detector and descriptor of SIFT; with the other kinds they must stay as they are.
    min_side : int or None
        Pictures whose longer side is shorter are enlarged to this many pixels before extraction,
        at most fourfold. None leaves them as they are.
    """

    surf: SurfParams = dataclasses.field(default_factory=SurfParams)
    max_side: int | None = None
    kind: str = "surf"
    sift: SiftParams = dataclasses.field(default_factory=SiftParams)
    min_side: int | None = None

    def __post_init__(self) -> None:
        if self.max_side is not None and self.max_side < 32:
            raise ValueError(f"max_side must be at least 32 pixels, got {self.max_side}")
        if self.min_side is not None and not 1 <= self.min_side <= (self.max_side or _MOST_SIDE):
            raise ValueError(
                f"min_side must be from 1 pixel to max_side ({self.max_side or _MOST_SIDE}), "
                f"got {self.min_side}"
            )
        if self.kind not in KINDS:
            raise ValueError(f"unknown feature {self.kind!r}; there are {', '.join(KINDS)}")
        if not self.uses_surf and self.surf != SurfParams():
            raise ValueError(
                f"{self.title} takes no parameters of SURF: no threshold, octaves, layers, "
                "upright keypoints or short descriptors"
            )
        if self.uses_surf and self.sift != SiftParams():
            raise ValueError(f"{self.title} takes no parameters of SIFT")

    @property
    def title(self) -> str:
        """The kind's name for people."""
        return KINDS[self.kind]

    @property
    def uses_surf(self) -> bool:
        """Whether SURF finds the keypoints, so that its parameters mean something."""
        return self.kind != "rootsift"

    @property
    def rooted(self) -> bool:
        """Whether descriptors come rooted, and must not be rooted again."""
        return self.kind != "surf"

    @property
    def least_response(self) -> float:
        """The response below which nothing is found."""
        return self.surf.hessian_threshold if self.uses_surf else self.sift.least_response

    @property
    def n_dimensions(self) -> int:
        """Length of a descriptor."""
        return self.surf.n_dimensions if self.uses_surf else sift.N_DIMENSIONS

    def patch_angles(self, angle: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the angles at which keypoints' patches are cut out for people.

        They are the keypoints' own, but for upright ones: their 270 degrees are OpenCV's custom,
        and would lay every patch on its side.
        """
        return np.zeros_like(angle) if self.surf.upright else angle

    def to_json(self) -> dict[str, Any]:
        """Return the parameters as plain values, with the kind as the feature's tag."""
        own = {"surf": self.surf} if self.uses_surf else {"sift": self.sift}
        plain = {name: dataclasses.asdict(params) for name, params in own.items()}
        # What was written before pictures could be enlarged has no such key.
        enlarged = {} if self.min_side is None else {"min_side": self.min_side}
        return {"feature": self.kind, **plain, "max_side": self.max_side, **enlarged}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "ExtractionParams":
        """Read what `to_json` gave; an unknown key or feature is a ValueError."""
        rest = dict(values)
        kind = rest.pop("feature", None)
        if kind not in KINDS:
            raise ValueError(f"unknown feature {kind!r}; there are {', '.join(KINDS)}")
        try:
            of, params = ("sift", SiftParams) if kind == "rootsift" else ("surf", SurfParams)
            typed.check(params, rest[of])
            own: dict[str, Any] = {of: params(**rest.pop(of))}
            typed.check(cls, rest)
            return cls(kind=kind, **own, **rest)
        except (KeyError, TypeError) as error:
            raise ValueError(f"extraction parameters do not fit: {error}") from None


def warm_up(params: ExtractionParams, message: Callable[[str], None] | None = None) -> None:
    """Compile or load what `extract` needs, now; `message` is told if that takes a while."""
    if params.uses_surf:
        surf.warm_up(message)


def root(descriptors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take the signed square root of each component, and bring the result to length 1.

    Parameters
    ----------
    descriptors : (N, D) float32 array

    Returns
    -------
    (N, D) float32 array
        Zeros stay zeros.

    References
    ----------
    Arandjelović, Zisserman, "Three things everyone should know to improve object retrieval",
    CVPR 2012; here with signs, which SURF has and SIFT has not.
    """
    rooted = np.sqrt(np.abs(descriptors))
    lengths = np.sqrt(np.abs(descriptors).sum(axis=1, keepdims=True))
    np.copysign(rooted, descriptors, out=rooted)
    rooted /= np.maximum(lengths, np.finfo(np.float32).tiny)
    return rooted


def _resized(gray: NDArray[np.uint8], params: ExtractionParams) -> NDArray[np.uint8]:
    """Return a picture at the size at which it is looked at; the same array if as it is."""
    longest = int(max(gray.shape))
    if params.min_side is not None and longest < params.min_side:
        factor = min(params.min_side / longest, _MOST_ENLARGED)
        height, width = (max(1, round(side * factor)) for side in gray.shape)
        cv2 = opencv.load()
        enlarged = cv2.resize(gray, (width, height), interpolation=cv2.INTER_CUBIC)
        return np.asarray(enlarged, np.uint8)
    most = longest if params.max_side is None else min(longest, params.max_side)
    if not params.uses_surf:
        most = min(most, math.floor(longest * math.sqrt(params.sift.max_pixels / gray.size)))
    return images.shrink(gray, most)


def extract(gray: NDArray[np.uint8], params: ExtractionParams, n_threads: int = 1) -> Features:
    """Find and describe the keypoints of one picture.

    Parameters
    ----------
    gray : (H, W) uint8 array
        The picture.
    params : ExtractionParams
        Kind, detector, descriptor and size.
    n_threads : int
        Threads inside this picture, for SURF; the result does not depend on it. SIFT takes as
        many as OpenCV was set to.

    Returns
    -------
    Features
        In the original's pixels, strongest first.
    """
    seen = _resized(gray, params)
    if params.uses_surf:
        features = surf.extract(seen, params.surf, n_threads=n_threads)
    else:
        features = sift.extract(seen, params.sift)
    if params.rooted:
        features = dataclasses.replace(features, descriptors=root(features.descriptors))
    if seen.shape == gray.shape:
        return features
    factor_y = gray.shape[0] / seen.shape[0]
    factor_x = gray.shape[1] / seen.shape[1]
    factors = np.array([factor_x, factor_y])
    # Pixel centres stand at whole numbers, so the picture's corner is at (-0.5, -0.5).
    xy = ((features.xy + 0.5) * factors - 0.5).astype(np.float32)
    size = (features.size * np.sqrt(factor_x * factor_y)).astype(np.float32)
    return dataclasses.replace(features, xy=xy, size=size)
