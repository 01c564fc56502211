"""Turning every picture of a collection into a model's vector.

Pictures are taken some at a time; what these give lies in ``artifacts/embeddings/NAME`` until all
are done, so that a run that was stopped goes on. Then all vectors go into the index as one part,
with one rename. Several threads share one session, each with its own pictures: the weights are in
memory once, and a picture's vector does not depend on how many threads there are.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import (
    artifacts,
    cnn,
    images,
    methods,
    model_store,
    models,
    records,
    threads,
    upkeep,
    whitening,
)
from engine.embeddings import Embeddings, open_embeddings, part_of
from engine.errors import ArtifactError, CancelledError, ImageError, reason
from engine.index import Index, open_index
from engine.language import ENGLISH, speaking, tr, trn
from engine.model_store import Installed
from engine.records import Record

AT_ONCE = 16  # pictures of one record: what a stop can lose
BATCH = 1  # pictures of one run of the network
N_LEARNING = 2_000  # pictures from which whitening is learned
# Pictures a dimension that whitening needs: with as many dimensions as pictures, all of them would
# lie equally far apart. 4 was best or near it on 35, 250 and 412 pictures (`docs/models.md`).
N_PER_DIMENSION = 4


def name_of(model: str, whiten: int | None) -> str:
    """Return what a model's vectors are called, whitened to so many dimensions or not."""
    return model if whiten is None else f"{model}{models.WHITENED}{whiten}"


def make_embeddings(
    name: str,
    model: str,
    whiten: int | None = None,
    n_threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    overwrite: bool = False,
) -> Embeddings:
    """Give an index the vectors of a model.

    Parameters
    ----------
    name : str
        The index. Its other parts are not touched.
    model : str
        An installed model.
    whiten : int or None
        Whiten vectors by PCA, learned on the collection, to at most so many dimensions, and to
        at most a quarter of the number of pictures. They stand beside those that are not.
    n_threads : int
        The result does not depend on it.
    progress : callable or None
        Told how many pictures of how many are done.
    cancelled : callable or None
        Asked after every few pictures; True raises CancelledError.
    overwrite : bool
        Whether vectors that were made by another model of this name are replaced.

    Returns
    -------
    Embeddings
        Those that are there, if they are what was asked for. What could not be read stands in
        `skipped`.

    Raises
    ------
    ModelError
        If the model is not installed, is damaged, or cannot take these pictures.
    ArtifactError
        If the index cannot be read, was replaced meanwhile, holds vectors of another model of this
        name, or another process makes these.
    CancelledError
        If it was cancelled; the next run goes on from there.
    """
    if whiten is not None and whiten < 1:
        raise ValueError(f"whiten must be at least 1, got {whiten}")
    index, installed = open_index(name), model_store.open_model(model)
    method = name_of(model, whiten)
    if not methods.is_embedding(method):
        raise ValueError(
            tr(
                "vectors cannot be called {method!r}: a method has that name, or it is longer than "
                "{most} letters. Take the model under another name",
                method=method,
                most=models.MOST_LETTERS,
            )
        )
    if part_of(method) in index.parts and not overwrite:
        kept = open_embeddings(index, method)
        if kept.digest == installed.digest:
            return kept
        raise ArtifactError(
            tr(
                "the index {name!r} has vectors by {method} of another model of this name. To "
                "replace them: {command}",
                name=name,
                method=method,
                command=f"{methods.adding(part_of(method), name)} --overwrite",
            )
        )
    model_store.check_file(installed)
    job = _Job(index, installed, n_threads, progress, cancelled or (lambda: False))
    try:
        with upkeep.making(name, "embeddings"):
            _make(job, method, whiten)
    except OSError as error:
        raise ArtifactError(
            tr(
                "the vectors of {name!r} cannot be written: {why}. Free some space, then run the "
                "same command again: it goes on from there.",
                name=name,
                why=reason(error),
            )
        ) from error
    return open_embeddings(open_index(name), method)


def n_begun(index: Index, installed: Installed) -> int:
    """Return of how many pictures an unfinished run has left the vectors: it goes on from there."""
    place = _Job(index, installed, 1, None, lambda: False).place
    if not place.is_dir():
        return 0
    starts = range(0, index.n_images, AT_ONCE)
    return sum(min(AT_ONCE, index.n_images - s) for s in starts if (place / str(s)).is_file())


def _work_folder(name: str) -> Path:
    return artifacts.artifacts_folder() / "embeddings" / name


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """Pictures to be turned into vectors."""

    index: Index
    installed: Installed
    n_threads: int
    progress: Callable[[int, int], None] | None
    cancelled: Callable[[], bool]

    @property
    def place(self) -> Path:
        """The folder in which this job leaves what it has done."""
        return (
            _work_folder(self.index.name) / f"{self.installed.model.name}-{self.digest(self.index)}"
        )

    def digest(self, index: Index) -> str:
        """Return a name for the vectors of just these pictures by just this model."""
        pictures = [(entry.path, entry.sha256) for entry in index.images]
        content = json.dumps([pictures, str(index.root), self.installed.digest])
        return hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _make(job: _Job, method: str, whiten: int | None) -> None:
    index, installed = job.index, job.installed
    place = job.place
    place.mkdir(parents=True, exist_ok=True)
    for other in place.parent.iterdir():  # of pictures or weights that are no longer those
        model, _, _ = other.name.rpartition("-")
        if other != place and (model == installed.model.name or not model):
            shutil.rmtree(other, ignore_errors=True)
    stored = None if whiten is None else _stored(job)
    vectors, skipped, spent = stored or _embed_all(job, place)
    begun_at = time.process_time()
    arrays: dict[str, NDArray[Any]] = {"vectors": vectors}
    if whiten is not None:
        arrays = _whiten(vectors, whiten, place)
    if job.digest(open_index(index.name)) != job.digest(index):
        raise ArtifactError(
            tr(
                "the index {name!r} was replaced meanwhile. Make its vectors again with: {command}",
                name=index.name,
                command=methods.adding(part_of(method), index.name),
            )
        )
    told = {
        "model": installed.model.to_json(),
        "digest": installed.digest,
        "weights": installed.sha256,
        "orientation": "upright",  # by EXIF, before the model's own preparation
        "whiten": whiten,
        "skipped": skipped,
    }
    spent += time.process_time() - begun_at
    upkeep.add_part(index.name, part_of(method), told, arrays, spent)
    del vectors, arrays
    shutil.rmtree(place, ignore_errors=True)
    with contextlib.suppress(OSError):  # other models' work may go on there
        place.parent.rmdir()


_Made = tuple[NDArray[np.float32], list[tuple[str, str]], float]


def _stored(job: _Job) -> _Made | None:
    """Return the vectors that the index holds, if they only wait to be whitened."""
    name = job.installed.model.name
    if part_of(name) not in job.index.parts:
        return None
    kept = open_embeddings(job.index, name)
    if kept.digest != job.installed.digest:
        return None
    spent = job.index.manifest.get(upkeep.CPU_SECONDS, {}).get(part_of(name), 0.0)
    return kept.vectors, [(one.path, one.reason) for one in kept.skipped], spent


def _embed_all(job: _Job, place: Path) -> _Made:
    """Return the vectors of all pictures, in a file; who could not be read; the CPU seconds."""
    pieces = _embed_pieces(job, place)
    vectors = _map(place / "vectors.npy", (job.index.n_images, job.installed.n_dimensions))
    skipped, spent = [], 0.0
    for ids, path in pieces:
        record = _read(path, job.installed, len(ids))
        if record is None:
            raise ArtifactError(
                tr("{path} is gone or damaged. Run the same command again.", path=path)
            )
        vectors[ids.start : ids.stop] = record.arrays["vectors"]
        skipped += [(picture, reason) for picture, reason in record.description["skipped"]]
        spent += record.description["cpu_seconds"]
    return vectors, skipped, spent


def _embed_pieces(job: _Job, place: Path) -> list[tuple[range, Path]]:
    """Leave one record for every few pictures; return which these are, and its file."""
    network, n_images = None, job.index.n_images
    pieces = []
    for start in range(0, n_images, AT_ONCE):
        path = place / str(start)
        ids = range(start, min(n_images, start + AT_ONCE))
        if _read(path, job.installed, len(ids)) is None:
            network = network or cnn.open_network(job.installed)
            begun_at = time.process_time()
            vectors, skipped = _embed_some(job, network, ids)
            spent = round(time.process_time() - begun_at, 6)
            told = {"skipped": skipped, "cpu_seconds": spent}
            records.write(path, Record(told, {"vectors": vectors}))
        pieces.append((ids, path))
        if job.progress is not None:
            job.progress(ids.stop, n_images)
        if job.cancelled():
            raise CancelledError(tr("embedding was stopped; run it again to go on from here"))
    return pieces


def _read(path: Path, installed: Installed, n_images: int) -> Record | None:
    """Read what some pictures gave; None if it is not there, damaged or of another size."""
    record = records.read(path)
    if record is None or record.arrays["vectors"].shape != (n_images, installed.n_dimensions):
        return None
    return record


def _embed_some(
    job: _Job, network: cnn.Network, ids: range
) -> tuple[NDArray[np.float32], list[tuple[str, str]]]:
    """Embed a few pictures, some threads at work; also tell which could not be read, and why."""
    vectors = np.zeros((len(ids), job.installed.n_dimensions), np.float32)
    reasons: dict[int, str] = {}

    def some(part: range) -> None:
        readable = []
        for image_id in part:
            try:
                with speaking(ENGLISH):  # the index keeps what is told
                    readable.append((image_id, _picture(job.index, image_id)))
            except ImageError as error:
                reasons[image_id] = str(error)
        if readable:
            found = network.embed([image for _, image in readable])
            vectors[[image_id - ids.start for image_id, _ in readable]] = found

    parts = [ids[i : i + BATCH] for i in range(0, len(ids), BATCH)]
    threads.run([partial(some, part) for part in parts], job.n_threads)
    return vectors, [(job.index.images[i].path, reasons[i]) for i in sorted(reasons)]


def _picture(index: Index, image_id: int) -> images.Image:
    image = images.read(index.picture_path(image_id))
    if image.sha256 != index.images[image_id].sha256:
        raise ImageError(
            tr(
                "{name} has changed since the index was built. Build the index again.",
                name=image.name,
            )
        )
    return image


def _map(path: Path, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Make room for vectors in a file, so that memory does not grow with their number.

    All of it is taken from the disk at once: to write into a mapped file that finds no room later
    ends the process.
    """
    if 0 in shape:  # nothing cannot be mapped
        return np.zeros(shape, np.float32)
    described = {"descr": "<f4", "fortran_order": False, "shape": shape}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, described)
        row = 4 * shape[1]
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), file.tell(), shape[0] * row)
        else:
            for _ in range(shape[0]):
                file.write(bytes(row))
    laid: NDArray[np.float32] = np.lib.format.open_memmap(path, "r+")
    return laid


def _whiten(vectors: NDArray[np.float32], whiten: int, place: Path) -> dict[str, NDArray[Any]]:
    """Whiten all vectors as some of them vary; those of unreadable pictures stay zero."""
    there = np.array([bool(vector.any()) for vector in vectors], bool)
    ids = np.flatnonzero(there)
    taken = ids[
        np.unique(np.linspace(0, max(0, len(ids) - 1), min(len(ids), N_LEARNING)).astype(int))
    ]
    most = len(taken) // N_PER_DIMENSION
    try:
        if most == 0:
            raise ValueError(
                trn(
                    "that takes at least {n} picture",
                    "that takes at least {n} pictures",
                    N_PER_DIMENSION,
                )
            )
        learned = whitening.learn(np.asarray(vectors[taken]), min(whiten, most))
    except ValueError as error:
        raise ArtifactError(
            tr("these vectors cannot be whitened: {why}. Leave out --whiten.", why=error)
        ) from None
    whitened = _map(place / "whitened.npy", (len(vectors), learned.projection.shape[1]))
    for start in range(0, len(vectors), N_LEARNING):
        rows = slice(start, start + N_LEARNING)
        whitened[rows] = np.where(there[rows, None], learned.apply(vectors[rows]), 0)
    return {"vectors": whitened, "mean": learned.mean, "projection": learned.projection}
