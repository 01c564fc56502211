"""What is believed of an index's files when it is opened, whoever wrote them.

Checksums tell what was damaged, not what is wrong: an index may come from anyone. Compiled loops
read where numbers point to, and pages count on types; so both are looked at here, at a cost that
grows with words and pictures but not with keypoints.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import images, packing
from engine.index_format import Arrays
from engine.language import tr
from engine.typed import LARGEST, fits

_PART = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
CPU_SECONDS = "cpu_seconds"
_OPTIONAL: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "graph": {
        "starts": ("int64",),
        "targets": ("int32",),
        "scores": ("float32",),
        "affines": ("float32",),
    },
    "map": {"places": ("float32",)},
    "residuals": {
        "basis": ("float32",),
        "starts": ("int64",),
        "image_ids": ("int32",),
        "vectors": ("int8",),
        "vector_norms": ("float32",),
        "centres": ("float32",),
        "codes": ("uint8",),
        "code_norms": ("float32",),
        "signs": ("uint8",),
        "n_words": ("int32",),
    },
}
# By part and array; further arrays are left to whoever reads them.
TYPES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "images": {"offsets": ("int64",)},
    "keypoints": {name: (kind,) for name, (kind, _) in packing.ARRAYS.items()},
    "words": {"counts": ("uint16", "uint32"), "distances": ("uint8",)},
    "signatures": {"bits": ("uint64",)},
    "vectors": {
        "distances": ("float32",),
        "squared_distances": ("float32",),
        "norms": ("float64",),
        "frequency": ("int64",),
        "document_frequency": ("int64",),
        "mean_distance": ("float32",),
        "std_distance": ("float32",),
    },
    "patches": {"jpeg": ("uint8",), "starts": ("int64",), "rows": ("int64",)},
}
_PAIRS = {"word_ids": ("int32",), "starts": ("int64",)}


def check_manifest(manifest: Mapping[str, Any]) -> None:
    """Raise a ValueError if a manifest does not describe parts as every reader takes them."""
    parts = manifest.get("parts")
    if not isinstance(parts, dict):
        raise ValueError(tr("its manifest names no parts"))
    for name, content in parts.items():
        if not _PART.fullmatch(name) or not isinstance(content, dict):
            raise ValueError(tr("its manifest describes no part by {name!r:.60}", name=name))
        tables = (content.get("arrays", {}), content.get("parameters", {}))
        if not all(isinstance(table, dict) for table in tables):
            raise ValueError(tr("its manifest does not describe the part {name}", name=name))
        if not all(isinstance(entry, dict) for entry in tables[0].values()):
            raise ValueError(tr("its manifest does not describe the part {name}", name=name))
    costs = manifest.get(CPU_SECONDS, {})
    if not isinstance(costs, dict) or not all(fits(cost, float) for cost in costs.values()):
        raise ValueError(tr("its manifest does not tell what it cost"))
    kept = parts.get("map", {}).get("parameters", {"kept": 1})["kept"]
    if not fits(kept, float) or not 0 <= kept <= 1:
        raise ValueError(tr("its manifest does not tell how far the map of its words holds"))
    root = parts["images"]["parameters"]["folder"]
    if not isinstance(root, str) or "\0" in root or not _is_name(root):
        raise ValueError(tr("its manifest names no folder of pictures"))


def check_catalogue(catalogue: Any) -> None:
    """Raise a ValueError if a catalogue does not list pictures, or one beyond their folder."""
    if not isinstance(catalogue, dict):
        raise ValueError(tr("its catalogue lists no pictures"))
    for row in catalogue["images"]:
        if not (isinstance(row, list) and len(row) == 5 and _is_picture(*row)):
            raise ValueError(tr("its catalogue cannot list {row}", row=f"{row!r:.120}"))
    for row in catalogue["skipped"]:
        if not (
            isinstance(row, list)
            and len(row) == 2
            and all(type(x) is str and (x == "" or _is_name(x)) for x in row)
        ):
            raise ValueError(tr("its catalogue cannot list {row}", row=f"{row!r:.120}"))


def _is_picture(path: Any, digest: Any, width: Any, height: Any, n_bytes: Any) -> bool:
    return (
        type(path) is str
        and path != ""
        and not path.startswith("/")
        and "\0" not in path
        and _is_name(path)
        and (".." not in path or ".." not in path.split("/"))
        and type(digest) is str
        and _DIGEST.fullmatch(digest) is not None
        and type(width) is int
        and type(height) is int
        and min(width, height) >= 1
        and width * height <= images.MAX_PIXELS
        and type(n_bytes) is int
        and 0 <= n_bytes <= LARGEST
    )


def _is_name(path: str) -> bool:
    """Tell whether a file can be called so: of surrogates only those that stand for lone bytes."""
    try:
        return path.isascii() or bool(path.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        return False


def check_types(parts: Mapping[str, Arrays]) -> None:
    """Raise a ValueError if an array of the format is missing or of another type."""
    pairs = {"words": _PAIRS} if "word_ids" in parts["words"] else {}
    optional = {name: kinds for name, kinds in _OPTIONAL.items() if name in parts}
    for tables in (TYPES, pairs, optional):
        for part, arrays in tables.items():
            for name, kinds in arrays.items():
                _check_type(parts.get(part, {}), f"{part}/{name}", kinds)


def _check_type(held: Arrays, array: str, kinds: tuple[str, ...]) -> None:
    name = array.rpartition("/")[2]
    if name not in held:
        raise ValueError(tr("it lacks {array}", array=array))
    if held[name].dtype.name not in kinds or held[name].ndim == 0:
        told = held[name].dtype.name
        raise ValueError(
            tr("{array} is of type {type}, not {wanted}", array=array, type=told, wanted=kinds[0])
        )


def check_values(parts: Mapping[str, Arrays], n_images: int, n_words: int) -> None:
    """Raise a ValueError if numbers point to what is not there, or are none.

    Types and shapes must have been checked. What runs over keypoints, and the tables of pictures
    by words, are left to `upkeep.verify`: no loop trusts them.
    """
    n_keypoints = int(parts["images"]["offsets"][-1])
    vectors = parts["vectors"]
    _check_within("patches/rows", parts["patches"]["rows"], -1, n_keypoints - 1)
    _check_within("vectors/document_frequency", vectors["document_frequency"], 0, n_images)
    _check_within("vectors/frequency", vectors["frequency"], 0, n_keypoints)
    for name in ("norms", "mean_distance", "std_distance"):
        _check_within(f"vectors/{name}", vectors[name], 0, np.inf)
    if "graph" in parts:
        for name in ("scores", "affines"):
            _check_within(f"graph/{name}", parts["graph"][name], -np.inf, np.inf)
    if "residuals" in parts:
        _check_residuals(parts["residuals"], vectors["document_frequency"], n_words)


def _check_within(array: str, held: NDArray[Any], low: float, high: float) -> None:
    """Raise a ValueError if numbers are not finite, or lie outside."""
    if not held.size:
        return
    least, most = held.min(), held.max()
    if not (np.isfinite(least) and np.isfinite(most)):
        raise ValueError(tr("{array} holds numbers that are not finite", array=array))
    if not low <= least <= most <= high:
        raise ValueError(
            tr("{array} holds numbers outside of {low} to {high}", array=array, low=low, high=high)
        )


def _check_residuals(held: Arrays, document_frequency: NDArray[np.int64], n_words: int) -> None:
    if not np.array_equal(np.diff(held["starts"]), document_frequency):
        raise ValueError(tr("residuals/starts does not fit the pictures that hold each word"))
    rises = np.diff(held["image_ids"]) > 0
    firsts = held["starts"][1:-1]
    rises[firsts[(firsts > 0) & (firsts < len(held["image_ids"]))] - 1] = True
    if not rises.all():
        raise ValueError(tr("residuals/image_ids does not rise within each word"))
    _check_within("residuals/n_words", held["n_words"], 0, n_words)
    for name in ("vector_norms", "code_norms"):
        _check_within(f"residuals/{name}", held[name], 0, np.inf)
    for name in ("basis", "centres"):
        _check_within(f"residuals/{name}", held[name], -1e6, 1e6)
