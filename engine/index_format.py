"""The arrays of an index: their parts, names, types and shapes."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine import codebook, encode, packing
from engine.language import tr

Arrays: TypeAlias = Mapping[str, NDArray[Any]]

SUMS = {"distance": "distances", "squared-distance": "squared_distances"}


def is_large(n_words: int) -> bool:
    """Tell whether an index of so many words keeps, of each image, only the words that it holds."""
    return n_words > codebook.LARGE


def _shapes(
    n_images: int, n_keypoints: int, n_words: int, n_held: int | None
) -> dict[str, dict[str, tuple[int, ...]]]:
    """Say which shape each array of the format must have; `n_held` of large vocabularies."""
    vectors: dict[str, tuple[int, ...]] = {"norms": (len(encode.STORED), n_images)}
    table = (n_images, n_words) if n_held is None else (n_held,)
    vectors |= dict.fromkeys(SUMS.values(), table)
    per_word = ("document_frequency", "frequency", "mean_distance", "std_distance")
    vectors |= dict.fromkeys(per_word, (n_words,))
    return {
        "keypoints": {name: (n_keypoints, *tail) for name, (_, tail) in packing.ARRAYS.items()},
        "words": {"counts": table, "distances": (n_keypoints,)},
        "signatures": {"bits": (n_keypoints, 2)},
        "vectors": vectors,
    }


def check_shapes(parts: Mapping[str, Arrays], n_images: int, n_words: int) -> None:
    """Raise a ValueError if the arrays of an index do not fit together."""
    offsets = parts["images"]["offsets"]
    if offsets.shape != (n_images + 1,) or offsets[0] != 0 or np.any(np.diff(offsets) < 0):
        raise ValueError(tr("its offsets do not fit its images"))
    n_held = len(parts["words"]["word_ids"]) if "word_ids" in parts["words"] else None
    for part, arrays in _shapes(n_images, int(offsets[-1]), n_words, n_held).items():
        for name, shape in arrays.items():
            if parts[part][name].shape != shape:
                raise ValueError(_shaped(f"{part}/{name}", parts[part][name], shape))
    if n_held is None:
        counted = parts["words"]["counts"].sum(axis=1, dtype=np.int64)
    else:
        counted = _check_held(parts["words"], n_images, n_words)
    if not np.array_equal(counted, np.diff(offsets)):
        raise ValueError(tr("words/counts does not count the keypoints of its images"))
    if "residuals" in parts:
        _check_residuals(parts["residuals"], n_images, n_words)
    if "graph" in parts:
        _check_graph(parts["graph"], n_images)
    if "calibration" in parts:
        _check_calibration(parts["calibration"])
    if "map" in parts:
        _check_map(parts["map"], n_words)
    rows, starts, jpeg = (parts["patches"][name] for name in ("rows", "starts", "jpeg"))
    if rows.ndim != 2 or starts.shape != (n_words + 1,) or jpeg.ndim != 1:
        raise ValueError(tr("its patches do not fit"))
    if starts[0] != 0 or starts[-1] != len(jpeg) or np.any(np.diff(starts) <= 0):
        raise ValueError(tr("patches/starts does not cut patches/jpeg into one piece a word"))
    if len(rows) != n_words:
        raise ValueError(tr("it has patches of another number of words"))


def _check_residuals(held: Arrays, n_images: int, n_words: int) -> None:
    starts, ids, vectors, centres = (
        held[name] for name in ("starts", "image_ids", "vectors", "centres")
    )
    n_rows, (n_parts, n_dimensions) = len(ids), vectors.shape[1:]
    shapes = {
        "basis": (128, n_dimensions),
        "starts": (n_words + 1,),
        "image_ids": (n_rows,),
        "vectors": (n_rows, n_parts, n_dimensions),
        "vector_norms": (n_images,),
        "centres": (n_parts * n_dimensions // 16, centres.shape[1], 16),
        "codes": (n_rows, len(centres)),
        "code_norms": (n_images,),
        "signs": (n_rows, n_parts * n_dimensions // 8),
        "n_words": (n_images,),
    }
    for name, shape in shapes.items():
        if held[name].shape != shape:
            raise ValueError(_shaped(f"residuals/{name}", held[name], shape))
    if starts[0] != 0 or starts[-1] != n_rows or np.any(np.diff(starts) < 0):
        raise ValueError(
            tr("residuals/starts does not cut residuals/image_ids into one piece a word")
        )
    if n_rows and not 0 <= ids.min() <= ids.max() < n_images:
        raise ValueError(tr("residuals/image_ids names images that are not there"))
    if n_rows and centres.shape[1] < 256 and held["codes"].max() >= centres.shape[1]:
        raise ValueError(tr("residuals/codes names centres that are not there"))


def _check_held(words: Arrays, n_images: int, n_words: int) -> NDArray[np.int64]:
    """Check what a large vocabulary's images hold, and count their keypoints."""
    starts, word_ids = words["starts"], words["word_ids"]
    if starts.shape != (n_images + 1,) or starts[0] != 0 or starts[-1] != len(word_ids):
        raise ValueError(tr("words/starts does not cut words/word_ids into one piece an image"))
    if np.any(np.diff(starts) < 0):
        raise ValueError(tr("words/starts falls"))
    if len(word_ids) and not 0 <= word_ids.min() <= word_ids.max() < n_words:
        raise ValueError(tr("words/word_ids names words that are not there"))
    # Image by image: NumPy's cumsum and reduceat, made int64, cost ten times as much.
    sums = [words["counts"][a:b].sum(dtype=np.int64) for a, b in pairwise(starts.tolist())]
    counted: NDArray[np.int64] = np.array(sums, np.int64)
    return counted


def _check_graph(graph: Arrays, n_images: int) -> None:
    starts, targets = graph["starts"], graph["targets"]
    shapes = (starts.shape, graph["scores"].shape, graph["affines"].shape)
    if shapes != ((n_images + 1,), targets.shape, (len(targets), 2, 3)):
        raise ValueError(tr("its graph does not fit its images"))
    if starts[0] != 0 or starts[-1] != len(targets) or np.any(np.diff(starts) < 0):
        raise ValueError(tr("graph/starts does not cut graph/targets into one piece an image"))
    if len(targets) and not 0 <= targets.min() <= targets.max() < n_images:
        raise ValueError(tr("graph/targets names images that are not there"))


def _check_calibration(kept: Arrays) -> None:
    if not kept or set(kept) != {f"scores_{i}" for i in range(len(kept))}:
        raise ValueError(tr("its calibration does not hold scores_0, scores_1 and so on"))
    for name, scores in kept.items():
        if scores.ndim != 1 or scores.dtype != np.float32 or not np.isfinite(scores).all():
            raise ValueError(tr("{array} does not hold finite scores", array=f"calibration/{name}"))
        if not len(scores) or np.any(np.diff(scores) < 0):
            raise ValueError(tr("{array} does not rise", array=f"calibration/{name}"))


def _check_map(kept: Arrays, n_words: int) -> None:
    places = kept["places"]
    if places.shape != (n_words, 2):
        raise ValueError(_shaped("map/places", places, (n_words, 2)))
    if not ((places >= 0) & (places <= 1)).all():
        raise ValueError(tr("map/places lie outside of 0 to 1"))


def _shaped(array: str, held: NDArray[Any], shape: tuple[int, ...]) -> str:
    told, wanted = str(held.shape), str(shape)
    return tr("{array} has shape {shape}, not {wanted}", array=array, shape=told, wanted=wanted)
