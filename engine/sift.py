"""SIFT keypoints and descriptors by OpenCV, as the peer that everyone compares with.

Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004. What OpenCV gives is
put into the record of `engine.surf`, in its units, so that whatever follows reads both alike.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine import opencv
from engine.surf import Features

N_DIMENSIONS = 128
# OpenCV's size is two scales, and SIFT describes 4 x 4 cells of three scales: six of its sizes.
# Of Features' sizes a descriptor's window takes 2.8 (SURF's 21 scales of size * 1.2 / 9).
_SIZE = 6 / 2.8
# OpenCV keeps contrasts above contrast_threshold / n_octave_layers, 0.0133 as a rule: so they
# begin at 400, where SURF's responses do.
_RESPONSE = 30_000


@dataclass(frozen=True, slots=True)
class SiftParams:
    """What to detect and describe; the defaults are OpenCV's, but for max_pixels.

    Fields
    ------
    contrast_threshold : float
        Least contrast, times n_octave_layers, at least 0; larger gives fewer keypoints. The
        default finds about as many as SURF with a threshold of 400.
    edge_threshold : float
        Greatest ratio of the principal curvatures, above 0; larger gives more keypoints.
    n_octave_layers : int
        Layers that are searched in each octave, 1 to 16.
    sigma : float
        Blur of the first layer, in pixels, above 0.5: pictures count as blurred by that already.
    max_pixels : int
        Larger pictures are shrunk to this many before extraction, at least 1,024: OpenCV doubles
        a picture first, and takes 0.23 GB a megapixel.
    """

    contrast_threshold: float = 0.04
    edge_threshold: float = 10.0
    n_octave_layers: int = 3
    sigma: float = 1.6
    max_pixels: int = 3_000_000

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        for name, least in (("edge_threshold", 0.0), ("sigma", 0.5)):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > least):
                raise ValueError(f"{name} must be above {least:g}, got {value}")
        if not (math.isfinite(self.contrast_threshold) and self.contrast_threshold >= 0):
            raise ValueError(
                f"contrast_threshold must be at least 0, got {self.contrast_threshold}"
            )
        for name, low, high in (("n_octave_layers", 1, 16), ("max_pixels", 1024, 2**40)):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise ValueError(
                    f"{name} must be a whole number from {low} to {high}, got {value!r}"
                )

    @property
    def least_response(self) -> float:
        """The response below which nothing is found."""
        return _RESPONSE * self.contrast_threshold / self.n_octave_layers


def extract(gray: NDArray[np.uint8], params: SiftParams = SiftParams()) -> Features:
    """Find and describe SIFT keypoints.

    Parameters
    ----------
    gray : (H, W) uint8 array
        The picture, at the size at which it is given; `max_pixels` is the caller's to keep.
    params : SiftParams

    Returns
    -------
    Features
        Strongest first. A spot with several directions gives a keypoint for each. `size` is such
        that the descriptor's window is 2.8 of it wide, as with SURF; `response` is the contrast
        times 30,000; `octave` counts from 0, the doubled picture; `class_id` is 0, since OpenCV
        does not tell the sign. `descriptors` are (N, 128), SIFT's own, of length about 512.

    References
    ----------
    Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004.
    """
    # Without the precise doubling every place is a quarter of a pixel too far right and down.
    detector = opencv.load().SIFT_create(
        nfeatures=0,
        nOctaveLayers=params.n_octave_layers,
        contrastThreshold=params.contrast_threshold,
        edgeThreshold=params.edge_threshold,
        sigma=params.sigma,
        enable_precise_upscale=True,
    )
    found, described = detector.detectAndCompute(np.ascontiguousarray(gray), None)
    if not found:
        described = np.zeros((0, N_DIMENSIONS), np.float32)
    response = np.array([point.response for point in found], np.float32)
    order = np.argsort(-response, kind="stable")
    # The lowest byte of OpenCV's octave is a signed number that begins with -1.
    octave = np.array([point.octave for point in found], np.int32).astype(np.int8)
    return Features(
        xy=np.array([point.pt for point in found], np.float32).reshape(-1, 2)[order],
        size=np.array([point.size for point in found], np.float32)[order] * np.float32(_SIZE),
        angle=np.array([point.angle for point in found], np.float32)[order],
        response=response[order] * np.float32(_RESPONSE),
        octave=octave[order].astype(np.int32) + 1,
        class_id=np.zeros(len(found), np.int32),
        descriptors=np.ascontiguousarray(described, np.float32)[order],
    )
