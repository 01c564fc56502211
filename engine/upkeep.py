"""What is done to a whole index after it was built: further parts, checking, deleting."""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import artifacts, methods
from engine.errors import ArtifactError
from engine.index import Index, index_folder, list_indexes, open_index, repair_command
from engine.language import tr
from engine.typed import MALFORMED

KEYPOINTS = ("keypoints", "words", "signatures")  # the parts that matching reads
CPU_SECONDS = "cpu_seconds"  # of the manifest: what the build and each further part took
BUILD = "build"


def add_part(
    name: str,
    part: str,
    parameters: dict[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    cpu_seconds: float | None = None,
) -> None:
    """Add a named part to an index, or replace it; the other parts are not touched.

    Readers see the index without the part or with all of it. `cpu_seconds` is what making it took,
    where that is known.

    Raises
    ------
    ArtifactError
        If the index cannot be read.
    ValueError
        If the part is one of those that every index has.
    """
    if part in ("images", "keypoints", "codebook", "words", "signatures", "vectors"):
        raise ValueError(f"{part!r} belongs to the index itself and cannot be replaced")
    folder = index_folder(name)
    with artifacts.writing(name):
        manifest = artifacts.read_manifest(folder, "index", repair_command(name))
        written = {
            key: artifacts.write_array(folder, f"{part}-{key}".replace("_", "-"), array)
            for key, array in arrays.items()
        }
        content = {
            key: value
            for key, value in manifest.items()
            if key not in ("kind", "format_version", "sha256")
        }
        content["parts"] = manifest["parts"] | {part: {"parameters": parameters, "arrays": written}}
        costs = {k: v for k, v in manifest.get(CPU_SECONDS, {}).items() if k != part}
        if cpu_seconds is not None:
            costs[part] = round(cpu_seconds, 3)
        content[CPU_SECONDS] = costs
        version = manifest["format_version"]
        artifacts.sweep(folder, artifacts.write_manifest(folder, "index", content, version))


def drop_parts(name: str, dropped: Collection[str]) -> None:
    """Take parts out of an index; the other parts are not touched.

    Raises
    ------
    ArtifactError
        If the manifest cannot be read.
    """
    folder = index_folder(name)
    with artifacts.writing(name):
        manifest = artifacts.read_manifest(folder, "index", repair_command(name))
        content = {
            key: value
            for key, value in manifest.items()
            if key not in ("kind", "format_version", "sha256")
        }
        content["parts"] = {k: v for k, v in manifest["parts"].items() if k not in dropped}
        version = manifest["format_version"]
        artifacts.sweep(folder, artifacts.write_manifest(folder, "index", content, version))


@contextlib.contextmanager
def making(name: str, part: str) -> Iterator[None]:
    """Hold the right to make a part of an index; an ArtifactError if another process has it."""
    lock = f"{part}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    with artifacts.writing(lock, shown=name):
        yield


def digest(index: Index, parts: Sequence[str], told: Mapping[str, Any] = {}) -> str:
    """Return a name for just these arrays of an index, and what is made of them."""
    described = index.manifest["parts"]
    content = json.dumps([[described[part]["arrays"] for part in parts], told], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def verify(name: str) -> list[str]:
    """Check every checksum and shape of an index, and that its numbers fit together.

    Returns
    -------
    list of str
        One line a fault; empty if all is well.
    """
    folder = index_folder(name)
    try:
        manifest = artifacts.read_manifest(folder, "index", repair_command(name))
        faults = artifacts.file_faults(folder, manifest)
        return faults or _content_faults(open_index(name))
    except ArtifactError as error:
        return [str(error)]
    except MALFORMED as error:
        return [tr("the numbers of {folder} do not fit ({why})", folder=folder, why=error)]


def _content_faults(index: Index) -> list[str]:
    faults = []
    n_rows = index.n_keypoints
    rows = index.patch_keypoints
    if rows.size and not -1 <= int(rows.min()) <= int(rows.max()) < max(n_rows, 1):
        faults.append(tr("patches/rows names keypoints that are not there"))
    for part, name in (
        ("vectors", "distances"),
        ("vectors", "squared_distances"),
        ("vectors", "norms"),
    ):
        if not np.isfinite(index.parts[part][name]).all():
            array = f"{part}/{name}"
            faults.append(tr("{array} holds numbers that are not finite", array=array))
    embedded = [methods.EMBEDDING + method for method in methods.embedded(index.parts)]
    wrong = [part for part in embedded if not _have_length(index.parts[part]["vectors"])]
    faults += [tr("{part}/vectors are not of length 1", part=part) for part in wrong]
    held = index.table.held
    if index.is_large:
        owners = np.repeat(np.arange(index.n_images), np.diff(held.starts))
        if np.any(np.diff(owners * index.n_words + held.word_ids) <= 0):
            faults.append(tr("words/word_ids does not rise within each image"))
        frequency = np.bincount(held.word_ids, held.counts, index.n_words).astype(np.int64)
        owned = np.bincount(held.word_ids[held.counts > 0], minlength=index.n_words)
    else:
        frequency = index.parts["words"]["counts"].sum(axis=0, dtype=np.int64)
        owned = np.count_nonzero(index.parts["words"]["counts"], axis=0)
    if not np.array_equal(frequency, index.frequency):
        faults.append(tr("vectors/frequency does not add up words/counts"))
    if not np.array_equal(owned, index.document_frequency):
        faults.append(tr("vectors/document_frequency does not count words/counts"))
    return faults


def _have_length(vectors: NDArray[np.float32]) -> bool:
    """Tell whether all vectors have length 1, or are zero: of pictures that were not read."""
    for block in np.array_split(vectors, 1 + len(vectors) // 1024):
        squares = np.einsum("nd,nd->n", block, block, dtype=np.float64)
        if not np.all((np.abs(squares - 1) < 1e-3) | (squares == 0)):
            return False
    return True


def delete(name: str) -> None:
    """Delete an index. Open readers keep what they have mapped.

    Raises
    ------
    ArtifactError
        If there is none.
    """
    folder = index_folder(name)
    if not folder.is_dir():
        known = ", ".join(list_indexes()) or tr("none yet")
        raise ArtifactError(
            tr("there is no index {name!r} (indexes here: {known})", name=name, known=known)
        )
    with artifacts.writing(name):
        away = folder.with_name(f".deleted-{name}")
        shutil.rmtree(away, ignore_errors=True)
        folder.rename(away)
        shutil.rmtree(away)
