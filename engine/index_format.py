"""The arrays of an index: their parts, names, types and shapes."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine import encode

Arrays: TypeAlias = Mapping[str, NDArray[Any]]

KEYPOINT_ARRAYS = {
    "xy": ("float32", (2,)),
    "size": ("float32", ()),
    "angle": ("float32", ()),
    "response": ("float32", ()),
    "octave": ("int8", ()),
    "class_id": ("int8", ()),
}
SUMS = {"distance": "distances", "squared-distance": "squared_distances", "count": "counts"}


def _shapes(n_images: int, n_keypoints: int, n_words: int) -> dict[str, dict[str, tuple[int, ...]]]:
    """Say which shape each array of the format must have."""
    vectors: dict[str, tuple[int, ...]] = {"norms": (len(encode.WEIGHTINGS), n_images)}
    vectors |= dict.fromkeys(SUMS.values(), (n_images, n_words))
    per_word = ("document_frequency", "frequency", "mean_distance", "std_distance")
    vectors |= dict.fromkeys(per_word, (n_words,))
    return {
        "keypoints": {name: (n_keypoints, *tail) for name, (_, tail) in KEYPOINT_ARRAYS.items()},
        "words": {"word_ids": (n_keypoints,), "distances": (n_keypoints,)},
        "vectors": vectors,
    }


def check_shapes(parts: Mapping[str, Arrays], n_images: int, n_words: int) -> None:
    """Raise a ValueError if the arrays of an index do not fit together."""
    offsets = parts["images"]["offsets"]
    if offsets.shape != (n_images + 1,) or offsets[0] != 0 or np.any(np.diff(offsets) < 0):
        raise ValueError("its offsets do not fit its images")
    for part, arrays in _shapes(n_images, int(offsets[-1]), n_words).items():
        for name, shape in arrays.items():
            if parts[part][name].shape != shape:
                raise ValueError(f"{part}/{name} has shape {parts[part][name].shape}, not {shape}")
    rows, pixels = parts["patches"]["rows"], parts["patches"]["pixels"]
    if rows.ndim != 2 or pixels.ndim != 5 or pixels.shape[:2] != rows.shape:
        raise ValueError("its patches do not fit")
    if len(rows) != n_words:
        raise ValueError("it has patches of another number of words")
