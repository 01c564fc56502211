"""Files under artifacts/: written whole or not at all, and checked before they are believed.

Every stored thing is a folder with a ``manifest.json`` and the plain ``.npy`` arrays that it
names. The manifest is the only commit point. An array's file name carries its digest, so that
new arrays never overwrite those which an open reader still maps; the manifest is replaced last,
by one rename, and readers see the old state or the new one.
"""

import contextlib
import fcntl
import hashlib
import io
import json
import os
import platform
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from engine.errors import ArtifactError, reason
from engine.language import mark, tr

FORMAT_VERSION = 2
_PROCESS = "process "  # before its number, in a lock file
# By kind; a kind is the name of a manifest, and stands in it.
_MISSING = {
    "index": mark("there is no index {name!r}. Make it with: {repair}"),
    "codebook": mark("there is no codebook {name!r}. Make it with: {repair}"),
    "model": mark("the model {name!r} is not installed. Get it with: {repair}"),
}
_OF_ANOTHER_KIND = {
    "index": mark("{path} does not describe an index. Make it anew: {repair}"),
    "codebook": mark("{path} does not describe a codebook. Make it anew: {repair}"),
    "model": mark("{path} does not describe a model. Get it again: {repair}"),
}
LARGE_VERSION = 3  # of what holds a large vocabulary, see `docs/index-format.md`
MANIFEST = "manifest.json"
DTYPES = frozenset(
    ("uint8", "int8", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")
)

Json: TypeAlias = dict[str, Any]

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?")
_FILE = re.compile(r"[a-z0-9_-]+-[0-9a-f]{16}\.(?:npy|json)")


def artifacts_folder() -> Path:
    """Return the folder of everything the app makes: $VISWORD_ARTIFACTS or artifacts/ here."""
    told = os.environ.get("VISWORD_ARTIFACTS")
    return Path(told).expanduser() if told else Path(__file__).resolve().parents[1] / "artifacts"


def check_name(name: str) -> str:
    """Return `name` if it is a plain name for an index or a codebook.

    Raises
    ------
    ValueError
        If it is anything that could be read as a path or hidden file.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            tr(
                "{name!r} cannot be a name: use up to 64 letters, digits, '-', '_' and '.', "
                "starting with a letter or digit",
                name=name,
            )
        )
    return name


def names_in(folder: Path) -> list[str]:
    """Return the names below `folder` that hold a manifest, sorted."""
    if not folder.is_dir():
        return []
    return sorted(
        entry.name
        for entry in folder.iterdir()
        if _NAME.fullmatch(entry.name) and (entry / MANIFEST).is_file()
    )


def library_versions() -> dict[str, str]:
    """Return the versions of what an artifact's numbers may depend on."""
    versions = {"python": platform.python_version()}
    for name in (
        "numpy",
        "scikit-learn",
        "numba",
        "Pillow",
        "opencv-contrib-python",
        "onnxruntime",
    ):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file beside its target, flush it to disk, then rename it into place."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Return the bytes that open an ``.npy`` file of C-ordered `dtype` and `shape`."""
    buffer = io.BytesIO()
    described = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    np.lib.format.write_array_header_1_0(buffer, described)
    return buffer.getvalue()


class ArrayWriter:
    """Write one array row by row, in bounded memory.

    Parameters
    ----------
    folder : Path
        Where the file goes; it must exist.
    name : str
        First part of the file name, in small letters.
    dtype : dtype
        One of DTYPES.
    shape : tuple of int
        Final shape. Rows are given with `write`, first axis first.
    """

    def __init__(self, folder: Path, name: str, dtype: DTypeLike, shape: tuple[int, ...]) -> None:
        self._folder, self._name = folder, name
        self._dtype, self._shape = np.dtype(dtype), shape
        self._beside = folder / f".{name}.{os.getpid()}.tmp"
        self._file: BinaryIO = self._beside.open("wb")
        self._digest = hashlib.sha256()
        self._missing = int(np.prod(shape, dtype=np.int64)) * self._dtype.itemsize
        self._put(_header(self._dtype, shape))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._beside.unlink(missing_ok=True)

    def _put(self, data: bytes | memoryview) -> None:
        self._digest.update(data)
        self._file.write(data)

    def write(self, rows: NDArray[Any]) -> None:
        """Append rows; they are converted to the array's dtype."""
        packed = np.ascontiguousarray(rows, dtype=self._dtype)
        if packed.nbytes > self._missing:
            raise ValueError(f"more rows than the array {self._name} holds")
        self._missing -= packed.nbytes
        if packed.nbytes:
            self._put(packed.reshape(-1).view(np.uint8).data)

    def close(self) -> Json:
        """Flush the file, give it its name, and return its entry for the manifest."""
        if self._missing:
            raise ValueError(f"the array {self._name} lacks {self._missing} bytes")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        digest = self._digest.hexdigest()
        file = f"{self._name}-{digest[:16]}.npy"
        self._beside.replace(self._folder / file)
        return {
            "file": file,
            "dtype": self._dtype.name,
            "shape": list(self._shape),
            "sha256": digest,
        }


def write_array(folder: Path, name: str, array: NDArray[Any]) -> Json:
    """Write one array and return its entry for the manifest."""
    with ArrayWriter(folder, name, array.dtype, array.shape) as writer:
        writer.write(array)
        return writer.close()


def write_json(folder: Path, name: str, value: Any) -> Json:
    """Write one JSON file and return its entry for the manifest."""
    data = json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(data).hexdigest()
    file = f"{name}-{digest[:16]}.json"
    write_bytes(folder / file, data)
    return {"file": file, "bytes": len(data), "sha256": digest}


def _checked_path(folder: Path, entry: Json) -> Path:
    file = entry.get("file")
    if not isinstance(file, str) or not _FILE.fullmatch(file):
        raise ArtifactError(
            tr("{path} names a file that cannot be one of its own", path=folder / MANIFEST)
        )
    path = folder / file
    if not path.is_file():
        raise ArtifactError(tr("{path} is missing", path=path))
    return path


def _expected(folder: Path, entry: Json) -> tuple[np.dtype[Any], tuple[int, ...]]:
    name, shape = entry.get("dtype"), entry.get("shape")
    if not isinstance(name, str) or name not in DTYPES:
        raise ArtifactError(
            tr(
                "{path} names an array of unknown type {name!r}",
                path=folder / MANIFEST,
                name=name,
            )
        )
    if not isinstance(shape, list) or not all(
        type(side) is int and 0 <= side < 2**48 for side in shape
    ):
        raise ArtifactError(
            tr(
                "{path} names an array of impossible shape {shape!r}",
                path=folder / MANIFEST,
                shape=shape,
            )
        )
    return np.dtype(name), tuple(shape)


def open_array(folder: Path, entry: Json) -> NDArray[Any]:
    """Map one array of a manifest, read-only.

    Nothing in the file is interpreted: its first bytes must be the very header that follows
    from the manifest, and its length must fit.

    Raises
    ------
    ArtifactError
        If the file is missing, cut, or not the array that the manifest describes.
    """
    path = _checked_path(folder, entry)
    dtype, shape = _expected(folder, entry)
    header = _header(dtype, shape)
    n_bytes = dtype.itemsize
    for side in shape:
        n_bytes *= side
    if path.stat().st_size != len(header) + n_bytes:
        raise ArtifactError(tr("{path} has another length than its manifest says", path=path))
    with path.open("rb") as file:
        if file.read(len(header)) != header:
            raise ArtifactError(
                tr("{path} does not begin as the array that its manifest describes", path=path)
            )
    if n_bytes == 0:
        empty: NDArray[Any] = np.zeros(shape, dtype)
        empty.flags.writeable = False
        return empty
    return np.memmap(path, dtype, "r", len(header), shape)


def read_json(folder: Path, entry: Json) -> Any:
    """Read one JSON file of a manifest; its digest is checked."""
    path = _checked_path(folder, entry)
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != entry.get("sha256"):
        raise ArtifactError(tr("{path} is damaged: its checksum does not fit", path=path))
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise ArtifactError(tr("{path} holds no JSON", path=path)) from None


def manifest_digest(manifest: Json) -> str:
    """Return the digest of everything in a manifest except its own entry ``sha256``."""
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    data = json.dumps(rest, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(data).hexdigest()


def _digest_or_none(manifest: Json) -> str | None:
    """Return `manifest_digest`; None for numbers or nesting that no program would write."""
    try:
        json.dumps(manifest, allow_nan=False)
        return manifest_digest(manifest)
    except (ValueError, RecursionError):
        return None


def write_manifest(folder: Path, kind: str, content: Json, version: int = FORMAT_VERSION) -> Json:
    """Put a manifest in place: from here on, readers see what it names."""
    manifest: Json = {"kind": kind, "format_version": version, **content}
    manifest["sha256"] = manifest_digest(manifest)
    write_bytes(folder / MANIFEST, json.dumps(manifest, ensure_ascii=True, indent=1).encode())
    return manifest


def read_manifest(folder: Path, kind: str, repair: str) -> Json:
    """Read and check a manifest.

    Parameters
    ----------
    folder : Path
        The artifact.
    kind : str
        What it must be: "index", "codebook" or "model".
    repair : str
        The command that makes it anew, for the message.

    Raises
    ------
    ArtifactError
        If it is missing, damaged, of another kind or of another version.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ArtifactError(tr(_MISSING[kind], name=folder.name, repair=repair)) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError(
            tr(
                "{path} cannot be read ({why}). Make it anew: {repair}",
                path=path,
                why=reason(error),
                repair=repair,
            )
        ) from None
    if not isinstance(manifest, dict) or manifest.get("kind") != kind:
        raise ArtifactError(tr(_OF_ANOTHER_KIND[kind], path=path, repair=repair))
    if manifest.get("format_version") not in (FORMAT_VERSION, LARGE_VERSION):
        raise ArtifactError(
            tr(
                "{path} has format {format!r}, this program reads {usual} and {large}. "
                "Make it anew: {repair}",
                path=path,
                format=manifest.get("format_version"),
                usual=FORMAT_VERSION,
                large=LARGE_VERSION,
                repair=repair,
            )
        )
    if manifest.get("sha256") != _digest_or_none(manifest):
        raise ArtifactError(
            tr(
                "{path} is damaged: its checksum does not fit. Make it anew: {repair}",
                path=path,
                repair=repair,
            )
        )
    return manifest


def stamp(folder: Path) -> str:
    """Return a short text that changes whenever the manifest is replaced; empty if none."""
    try:
        state = (folder / MANIFEST).stat()
    except OSError:
        return ""
    return f"{state.st_ino:x}-{state.st_size:x}-{state.st_mtime_ns:x}"


def entries(manifest: Json) -> Iterator[tuple[str, Json]]:
    """Yield the place in the manifest and the entry of every file that it names."""

    def walk(value: Any, place: str) -> Iterator[tuple[str, Json]]:
        if isinstance(value, dict):
            if "file" in value and "sha256" in value:
                yield place, value
            else:
                for key, item in value.items():
                    yield from walk(item, f"{place}/{key}" if place else str(key))

    yield from walk(manifest, "")


def file_faults(folder: Path, manifest: Json) -> list[str]:
    """Compare every file that a manifest names with its checksum and shape.

    Returns
    -------
    list of str
        One line a fault, naming the file; empty if all is well.
    """
    return [fault for _, fault in damaged(folder, manifest)]


def damaged(folder: Path, manifest: Json) -> list[tuple[str, str]]:
    """Return the place in the manifest, and the fault, of each file that `file_faults` names."""
    faults: list[tuple[str, str]] = []
    for place, entry in entries(manifest):
        try:
            path = _checked_path(folder, entry)
            if "shape" in entry:
                open_array(folder, entry)
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest != entry["sha256"]:
                told = tr(
                    "{path} is damaged: its checksum does not fit ({place})", path=path, place=place
                )
                faults.append((place, told))
        except ArtifactError as error:
            faults.append((place, str(error)))
        except OSError as error:
            path = folder / str(entry["file"])
            told = tr("{path} cannot be read: {why}", path=path, why=reason(error))
            faults.append((place, told))
    return faults


def _holder(told: str) -> str:
    """Say who writes, from what its lock file tells."""
    _, found, number = told.partition(_PROCESS)
    return tr("process {number}", number=number) if found else tr("another process")


@contextlib.contextmanager
def writing(name: str, shown: str | None = None) -> Iterator[None]:
    """Hold the right to write what is called `name`; a dead writer's right ends with it.

    `shown` is what messages call it, where that is another name.

    Raises
    ------
    ArtifactError
        If another process (or thread) is writing it; the message says which.
    """
    folder = artifacts_folder() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{check_name(name)}.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            told = tr(
                "{name!r} is being written by {holder}. Wait until it is done, or stop it.",
                name=shown or name,
                holder=_holder(file.read(100).strip()),
            )
            raise ArtifactError(told) from None
        file.truncate(0)
        file.write(f"{_PROCESS}{os.getpid()}")
        file.flush()
        yield


def sweep(folder: Path, manifest: Json) -> None:
    """Delete files of `folder` that its manifest no longer names. Open readers keep theirs."""
    kept = {entry["file"] for _, entry in entries(manifest)} | {MANIFEST}
    for path in folder.iterdir():
        if path.is_file() and path.name not in kept:
            path.unlink(missing_ok=True)
