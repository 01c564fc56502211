"""Keypoints in few bytes: what an index keeps of each, and what comes back.

A keypoint takes 10 bytes: place 4, size 2, angle 2, response 1, octave and sign 1. Each number is
rounded to steps far below what a pixel grid can tell.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.surf import Features, Keypoints

ARRAYS = {
    "xy": ("uint16", (2,)),
    "size": ("uint16", ()),
    "angle": ("uint16", ()),
    "response": ("uint8", ()),
    "kind": ("uint8", ()),
}
FULL_TURN = 65_536  # steps of an angle
_PLACES = 65_535  # steps along the longer side of a picture
_SIZE_STEPS = 4_096  # a doubling
_RESPONSE_STEPS = 12  # a doubling
_DISTANCE_STEPS = 128  # one unit


def pack(features: Keypoints | Features, width: int, height: int) -> dict[str, NDArray[Any]]:
    """Round keypoints to the steps of the index.

    Parameters
    ----------
    features : Keypoints or Features
        N keypoints of a picture.
    width, height : int
        The picture's, in pixels.

    Returns
    -------
    dict of str to array
        One entry for each of ARRAYS. Places fall to 1/131,070 of the longer side (0.01 pixels in
        a picture of 1,300), sizes to 0.01 %, angles to 0.003 degrees, responses to 3 %.
    """
    step = max(width, height) / _PLACES
    places = np.rint((features.xy.astype(np.float64) + 0.5) / step)
    responses = np.rint(_RESPONSE_STEPS * np.log2(1 + features.response.astype(np.float64)))
    sizes = np.rint(_SIZE_STEPS * np.log2(np.maximum(features.size.astype(np.float64), 1)))
    return {
        "xy": np.clip(places, 0, _PLACES).astype(np.uint16),
        "size": np.clip(sizes, 0, 65_535).astype(np.uint16),
        "angle": pack_angles(features.angle),
        "response": np.clip(responses, 0, 255).astype(np.uint8),
        "kind": (4 * features.octave + features.class_id + 1).astype(np.uint8),
    }


def unpack(arrays: Mapping[str, NDArray[Any]], width: int, height: int) -> Keypoints:
    """Bring packed keypoints back.

    Parameters
    ----------
    arrays : mapping of str to array
        As `pack` gave them, or rows of them.
    width, height : int
        The picture's, in pixels.

    Returns
    -------
    Keypoints
    """
    kind = arrays["kind"].astype(np.int32)
    response = np.exp2(arrays["response"].astype(np.float32) / np.float32(_RESPONSE_STEPS)) - 1
    return Keypoints(
        xy=unpack_places(arrays["xy"], width, height),
        size=np.exp2(arrays["size"].astype(np.float32) / np.float32(_SIZE_STEPS)),
        angle=arrays["angle"].astype(np.float32) * np.float32(360 / FULL_TURN),
        response=response.astype(np.float32),
        octave=kind // 4,
        class_id=kind % 4 - 1,
    )


def unpack_places(xy: NDArray[np.uint16], width: int, height: int) -> NDArray[np.float32]:
    """Bring packed places back: (N, 2) float32, in pixels."""
    step = max(width, height) / _PLACES
    places: NDArray[np.float32] = (xy * step - 0.5).astype(np.float32)
    return places


def pack_angles(degrees: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Round directions to steps of which 65,536 make a full turn."""
    steps = np.rint(degrees.astype(np.float64) * (FULL_TURN / 360)).astype(np.int64)
    packed: NDArray[np.uint16] = (steps % FULL_TURN).astype(np.uint16)
    return packed


def pack_distances(distances: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Round distances to words, 0 to 2, to 1/128."""
    steps = np.rint(distances * np.float32(_DISTANCE_STEPS))
    packed: NDArray[np.uint8] = np.clip(steps, 0, 255).astype(np.uint8)
    return packed


def unpack_distances(packed: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Bring packed distances back."""
    return packed.astype(np.float32) / np.float32(_DISTANCE_STEPS)
