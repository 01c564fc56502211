"""The models that are installed: what each is, and its file.

A model is a small record beside one ONNX file, in ``artifacts/models/NAME``: its manifest holds the
record and the file's checksum.
"""

import dataclasses
import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

from engine import artifacts
from engine.errors import ArtifactError, ModelError, reason
from engine.language import tr
from engine.models import DECLARED, Model, check_name, is_name

_FILE = re.compile(r"weights-[0-9a-f]{16}\.onnx")
_ONLY_TOLD = ("name", "title", "good_at", "licence", "source", "tried", "metric")


@dataclasses.dataclass(frozen=True, slots=True)
class Installed:
    """A model on disk.

    Attributes
    ----------
    model : Model
    path : Path
        Its ONNX file.
    n_bytes : int
        Length of it.
    sha256 : str
        Its digest.
    n_dimensions : int
        Of its vectors.
    origin : dict
        Where the file was taken from: a `file` or `url`, its `md5`, whether that is the `published`
        one.
    """

    model: Model
    path: Path
    n_bytes: int
    sha256: str
    n_dimensions: int
    origin: dict[str, Any]

    @property
    def digest(self) -> str:
        """A name for just these weights, used in just this way."""
        used = {k: v for k, v in self.model.to_json().items() if k not in _ONLY_TOLD}
        content = json.dumps([self.sha256, used], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


def models_folder() -> Path:
    """Return the folder of all models."""
    return artifacts.artifacts_folder() / "models"


def model_folder(name: str) -> Path:
    """Return where the model of this name lies, or would."""
    return models_folder() / check_name(name)


def list_models() -> list[str]:
    """Return the names of all installed models, sorted."""
    return [name for name in artifacts.names_in(models_folder()) if is_name(name)]


def getting(name: str) -> str:
    """Return the command that installs a model."""
    if name in DECLARED:
        return f"python -m engine models get {name}"
    return f"python -m engine models add FILE.onnx --name {name}"


def open_model(name: str) -> Installed:
    """Return an installed model; its file's length is checked, `check_file` checks the rest.

    Raises
    ------
    ModelError
        If there is none, or it is damaged; the message names the command that gets it.
    """
    folder, get = model_folder(name), getting(name)
    if not (folder / artifacts.MANIFEST).is_file():
        raise ModelError(
            tr(
                "the model {name!r} is not installed (here: {here}). Get it with: {command}",
                name=name,
                here=_here(),
                command=get,
            )
        )
    try:
        manifest = artifacts.read_manifest(folder, "model", get)
        weights = manifest["weights"]
        if not _FILE.fullmatch(weights["name"]):
            raise ValueError(tr("its manifest names a file that cannot be one of its own"))
        path = folder / str(weights["name"])
        if not path.is_file() or path.stat().st_size != weights["n_bytes"]:
            raise ValueError(tr("{file} is missing or has another length", file=path.name))
        model = Model.from_json(manifest["model"])
        told = int(manifest["n_dimensions"]), dict(manifest["origin"])
        return Installed(model, path, weights["n_bytes"], weights["sha256"], *told)
    except ArtifactError as error:
        raise ModelError(str(error)) from None
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise ModelError(
            tr(
                "the model {name!r} in {folder} is damaged ({why}). Get it again: {command}",
                name=name,
                folder=folder,
                why=reason(error),
                command=get,
            )
        ) from None


def _here() -> str:
    return ", ".join(list_models()) or tr("none yet")


def check_file(model: Installed) -> None:
    """Raise a ModelError if a model's file is not the one that was installed."""
    if sha256(model.path) != model.sha256:
        raise ModelError(
            tr(
                "{path} is damaged: its checksum does not fit. Get it again: {command}",
                path=model.path,
                command=getting(model.model.name),
            )
        )


def sha256(path: Path) -> str:
    """Return the digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def install(model: Model, file: Path, n_dimensions: int, origin: dict[str, Any]) -> Installed:
    """Move a file that was checked into the model's folder; a model of this name is replaced.

    Readers see the old model or the new one.

    Parameters
    ----------
    model : Model
    file : Path
        ONNX, on the same disk. It is renamed.
    n_dimensions : int
        Of its vectors.
    origin : dict
        See `Installed`.

    Raises
    ------
    ArtifactError
        If another process installs a model of this name.
    """
    folder = model_folder(model.name)
    with artifacts.writing(_lock(model.name), shown=model.name):
        folder.mkdir(parents=True, exist_ok=True)
        digest = sha256(file)
        name = f"weights-{digest[:16]}.onnx"
        weights = {
            "name": name,
            "n_bytes": file.stat().st_size,
            "sha256": digest,
        }
        file.replace(folder / name)
        content = {
            "model": model.to_json(),
            "weights": weights,
            "n_dimensions": n_dimensions,
            "origin": origin,
        }
        artifacts.write_manifest(folder, "model", content)
        for path in folder.iterdir():
            if path.is_file() and path.name not in (name, artifacts.MANIFEST):
                path.unlink(missing_ok=True)
    return open_model(model.name)


def _lock(name: str) -> str:
    return f"model-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def remove(name: str) -> int:
    """Delete a model and what is left of its download; return how many bytes that were.

    Vectors that indexes hold stay, and are still searched for pictures of the collection.

    Raises
    ------
    ModelError
        If there is neither.
    """
    gone = [path for path in (model_folder(name), download_folder(name)) if path.is_dir()]
    if not gone:
        raise ModelError(
            tr("the model {name!r} is not installed (here: {here})", name=name, here=_here())
        )
    n_bytes = 0
    with artifacts.writing(_lock(name), shown=name):
        for folder in gone:
            n_bytes += folder_bytes(folder)
            away = folder.with_name(f".deleted-{folder.name.lstrip('.')}")
            shutil.rmtree(away, ignore_errors=True)
            folder.rename(away)
            shutil.rmtree(away)
    return n_bytes


def download_folder(name: str) -> Path:
    """Return where a download for this model lies until it is no longer needed."""
    return models_folder() / f".download-{check_name(name)}"


def download_bytes(name: str) -> int:
    """Return how many bytes of a download for this model are on disk."""
    folder = download_folder(name)
    hidden = sum(path.stat().st_size for path in folder.glob(".*") if path.is_file())
    return folder_bytes(folder) - hidden  # what a killed conversion left was not downloaded


def folder_bytes(folder: Path) -> int:
    """Return the bytes of all files in a folder; 0 if there is none."""
    if not folder.is_dir():
        return 0
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
