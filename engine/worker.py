"""What one process of a build does with one picture, and the record that it leaves.

A picture is finished when its record (see `engine.records`) says how its keypoints were assigned
to words, or why it was skipped.
"""

import contextlib
import dataclasses
import functools
import gc
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import artifacts, codebook, features, images, lookup, patches, records, signatures
from engine.codebook import Codebook
from engine.errors import ImageError
from engine.features import ExtractionParams
from engine.language import ENGLISH, speaking
from engine.records import Record

PARENT_SECONDS = 1.0  # between two looks whether the parent still lives


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """One picture to work on.

    Attributes
    ----------
    picture : str
        Path of the file.
    path : str
        The same, below the collection's folder.
    n_bytes : int
        Length of the file.
    record : str
        Where its record goes, without ending.
    extraction : ExtractionParams
        How to find features.
    codebook : str or None
        Folder of the words. Without it the features are kept with their descriptors, for the
        training sample; with it they are assigned and the descriptors dropped.
    keep_descriptors : bool
        Whether the finished record keeps them.
    """

    picture: str
    path: str
    n_bytes: int
    record: str
    extraction: ExtractionParams
    codebook: str | None
    keep_descriptors: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a picture: its number of keypoints, or the reason it was skipped."""

    path: str
    n_keypoints: int
    reason: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class PatchJob:
    """Patches to cut from one picture: `rows` are their keypoint rows in the index."""

    picture: str
    rows: NDArray[np.int64]
    xy: NDArray[np.float32]
    size: NDArray[np.float32]
    angle: NDArray[np.float32]
    side: int


@functools.cache
def prepare() -> None:
    """Keep OpenCV to one thread in this process, and end a pool's process with its parent.

    Ctrl+C reaches all processes of a terminal; a pool's leave the answer to the parent, which
    lets them finish their pictures.
    The BLAS is held by the pool. A pool's processes would outlive a parent that was killed, each
    with its 200 MB. And once a second loky has them collect garbage, which takes 0.1 s among all
    that Numba brings: what stands when work begins is none, and need not be looked at.
    """
    from engine import opencv

    opencv.load().setNumThreads(1)
    if multiprocessing.current_process().name.startswith("LokyProcess"):
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        gc.freeze()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    os._exit(1)


@functools.lru_cache(maxsize=2)
def _codebook(folder: str, stamp: str) -> Codebook:
    """Open a codebook once; the stamp tells one that has taken its place."""
    return codebook.read_codebook(Path(folder), "run the build again")


def record_path(record: str, *, finished: bool) -> Path:
    """Return the file of a finished record, or of features that wait for their words."""
    return Path(f"{record}.done" if finished else f"{record}.features")


def is_finished(record: str) -> bool:
    """Tell whether a picture's finished record is there and whole."""
    return records.read(record_path(record, finished=True)) is not None


def _find_features(job: Job) -> Record:
    """Decode a picture and find its features; an unreadable one yields its reason."""
    try:
        with speaking(ENGLISH):  # the index keeps what is told
            image = images.read(Path(job.picture))
    except ImageError as error:
        return _skipped(job, str(error))
    found = features.extract(image.gray, job.extraction)
    height, width = image.gray.shape
    description = {
        "path": job.path,
        "reason": None,
        "n_keypoints": len(found),
        "sha256": image.sha256,
        "width": width,
        "height": height,
        "n_bytes": job.n_bytes,
    }
    arrays: dict[str, NDArray[Any]] = {
        "xy": found.xy,
        "size": found.size,
        "angle": found.angle,
        "response": found.response,
        "octave": found.octave.astype(np.int8),
        "class_id": found.class_id.astype(np.int8),
        "descriptors": found.descriptors,
    }
    return Record(description, arrays)


def _skipped(job: Job, reason: str) -> Record:
    return Record({"path": job.path, "reason": reason, "n_keypoints": 0}, {})


def _begun_path(job: Job) -> Path:
    return Path(f"{job.record}.begun")


def was_begun(job: Job) -> bool:
    """Tell whether work on this picture was begun and never ended, well or badly."""
    return _begun_path(job).exists()


def give_up(job: Job) -> Outcome:
    """Skip a picture for good: reading it killed the process."""
    name = Path(job.path).name
    reason = (
        f"{name} cannot be read: the program that decodes it crashed or ran out of memory. "
        "Open it in another program, save a copy, and use that."
    )
    records.write(record_path(job.record, finished=True), _skipped(job, reason))
    _begun_path(job).unlink(missing_ok=True)
    return Outcome(job.path, 0, reason)


def process(job: Job) -> Outcome:
    """Take one picture as far as the job asks, from wherever an earlier run left it."""
    prepare()
    begun_at = time.process_time()
    done = records.read(record_path(job.record, finished=True))
    if done is not None:
        return _outcome(done)
    begun = _begun_path(job)
    begun.parent.mkdir(parents=True, exist_ok=True)
    begun.touch()
    outcome = _process(job, begun_at)
    begun.unlink(missing_ok=True)
    return outcome


def _process(job: Job, begun_at: float) -> Outcome:
    """Leave the next record; it says how many CPU seconds it took, with those before it."""
    finished = record_path(job.record, finished=True)
    waiting = record_path(job.record, finished=False)
    kept = records.read(waiting)
    found = kept or _find_features(job)
    spent = 0.0 if kept is None else kept.description.get("cpu_seconds", 0.0)

    def write(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
        cpu_seconds = round(spent + time.process_time() - begun_at, 6)
        records.write(path, Record(found.description | {"cpu_seconds": cpu_seconds}, arrays))

    if found.description["reason"] is not None:
        write(finished, {})
    elif job.codebook is None:
        if kept is None:
            write(waiting, found.arrays)
    else:
        arrays = dict(found.arrays)
        vocabulary = _codebook(job.codebook, artifacts.stamp(Path(job.codebook)))
        words = lookup.assign(arrays["descriptors"], vocabulary.centres, vocabulary.groups)
        bits = signatures.sign(arrays["descriptors"], words.word_ids, vocabulary.signatures)
        arrays |= {"word_ids": words.word_ids, "distances": words.distances, "bits": bits}
        if not job.keep_descriptors:
            del arrays["descriptors"]
        write(finished, arrays)
        waiting.unlink(missing_ok=True)
    return _outcome(found)


def _outcome(record: Record) -> Outcome:
    told = record.description
    return Outcome(told["path"], told["n_keypoints"], told["reason"])


def cut_patches(job: PatchJob) -> tuple[NDArray[np.int64], NDArray[np.uint8] | None, float]:
    """Cut patches out of one picture; None where the file can no longer be read.

    The last value is how many CPU seconds it took.
    """
    prepare()
    begun_at = time.process_time()
    cut = None
    with contextlib.suppress(ImageError):
        rgb = images.read(Path(job.picture)).rgb
        cut = patches.cut(rgb, job.xy, job.size, job.angle, job.side)
    return job.rows, cut, time.process_time() - begun_at
