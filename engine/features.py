"""From a gray picture to features: the extractor, and the size at which it looks."""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import images, surf
from engine.surf import Features, SurfParams


@dataclasses.dataclass(frozen=True, slots=True)
class ExtractionParams:
    """How a collection's pictures become features; every picture of it is treated alike.

    Attributes
    ----------
    surf : SurfParams
        The detector and descriptor.
    max_side : int or None
        Longer pictures are shrunk to this many pixels before extraction. Coordinates and sizes
        are given in the original's pixels all the same. None looks at every pixel.
    """

    surf: SurfParams = dataclasses.field(default_factory=SurfParams)
    max_side: int | None = None

    def __post_init__(self) -> None:
        if self.max_side is not None and self.max_side < 32:
            raise ValueError(f"max_side must be at least 32 pixels, got {self.max_side}")

    def to_json(self) -> dict[str, Any]:
        """Return the parameters as plain values, with the feature's tag."""
        return {"feature": "surf", **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "ExtractionParams":
        """Read what `to_json` gave; an unknown key or feature is a ValueError."""
        rest = dict(values)
        feature = rest.pop("feature", None)
        if feature != "surf":
            raise ValueError(f"unknown feature {feature!r}")
        try:
            return cls(surf=SurfParams(**rest.pop("surf")), **rest)
        except (KeyError, TypeError) as error:
            raise ValueError(f"extraction parameters do not fit: {error}") from None


def extract(gray: NDArray[np.uint8], params: ExtractionParams, n_threads: int = 1) -> Features:
    """Find and describe the keypoints of one picture.

    Parameters
    ----------
    gray : (H, W) uint8 array
        The picture.
    params : ExtractionParams
        Detector, descriptor and size.
    n_threads : int
        Threads inside this picture; the result does not depend on it.

    Returns
    -------
    Features
        In the original's pixels, strongest first.
    """
    small = gray if params.max_side is None else images.shrink(gray, params.max_side)
    features = surf.extract(small, params.surf, n_threads=n_threads)
    if small.shape == gray.shape:
        return features
    factor_y = gray.shape[0] / small.shape[0]
    factor_x = gray.shape[1] / small.shape[1]
    factors = np.array([factor_x, factor_y])
    # Pixel centres stand at whole numbers, so the picture's corner is at (-0.5, -0.5).
    xy = ((features.xy + 0.5) * factors - 0.5).astype(np.float32)
    size = (features.size * np.sqrt(factor_x * factor_y)).astype(np.float32)
    return dataclasses.replace(features, xy=xy, size=size)
