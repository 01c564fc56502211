"""From a folder of pictures to an index: the stages, over processes, resumable at any moment.

Files of a build lie in ``artifacts/builds/NAME`` until it is done: ``plan.json`` (what was asked),
one record a picture (see `engine.worker`), the codebook, and what learning it cost. A run that
finds them with the same plan goes on from there.
"""

import contextlib
import dataclasses
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import (
    artifacts,
    codebook,
    datasets,
    features,
    images,
    index,
    methods,
    packing,
    records,
    upkeep,
    word_map,
    worker,
)
from engine.assemble import PATCH_SIDE, Assembled, assemble, write_patches
from engine.codebook import Codebook, CodebookParams
from engine.errors import ArtifactError, BuildError
from engine.features import ExtractionParams
from engine.index import Index, Skipped
from engine.index_format import is_large
from engine.language import mark, tr
from engine.pool import Progress, Run, available_cores
from engine.worker import Job, PatchJob

CODEBOOK = "codebook"
LEARNING_SECONDS = "learning-cpu-seconds"
IMAGE_FRACTION = 10  # the original learned its words on a tenth of the images


@dataclasses.dataclass(frozen=True, slots=True)
class BuildParams:
    """What an index is to be.

    Attributes
    ----------
    extraction : ExtractionParams
        How pictures become features.
    codebook : CodebookParams
        How words are learned; ignored with `codebook_name`.
    codebook_name : str or None
        Use the words of this codebook instead of learning new ones.
    method : str
        The index's own ranking method, one of `methods.METHODS`.
    keep_descriptors : bool
        Whether the index keeps every descriptor (512 bytes a keypoint).
    """

    extraction: ExtractionParams = dataclasses.field(default_factory=ExtractionParams)
    codebook: CodebookParams = dataclasses.field(default_factory=CodebookParams)
    codebook_name: str | None = None
    method: str = methods.DEFAULT
    keep_descriptors: bool = False

    def __post_init__(self) -> None:
        methods.check_method(self.method)

    def to_json(self) -> dict[str, Any]:
        """Return the parameters as plain values."""
        return {**dataclasses.asdict(self), "extraction": self.extraction.to_json()}


@dataclasses.dataclass(frozen=True, slots=True)
class _Plan:
    """Where a build works, and on what."""

    name: str
    root: Path
    work: Path
    params: BuildParams
    paths: tuple[str, ...]
    sizes: tuple[int, ...]
    keys: tuple[str, ...]
    unreadable: tuple[Skipped, ...]

    def jobs(self, ids: Iterable[int], words: Path | None) -> list[Job]:
        return [
            Job(
                picture=str(self.root / self.paths[i]),
                path=self.paths[i],
                n_bytes=self.sizes[i],
                record=self.record(i),
                extraction=self.params.extraction,
                codebook=None if words is None else str(words),
                keep_descriptors=self.params.keep_descriptors,
            )
            for i in ids
        ]

    def record(self, i: int) -> str:
        return str(self.work / "records" / self.keys[i][:1] / self.keys[i])


def work_folder(name: str) -> Path:
    """Return where a build of this name keeps what it has done so far."""
    return artifacts.artifacts_folder() / "builds" / artifacts.check_name(name)


def build(
    folder: Path,
    name: str,
    params: BuildParams | None = None,
    n_workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    overwrite: bool = False,
) -> Index:
    """Index a folder of pictures, all folders below it included.

    Parameters
    ----------
    folder : Path
        The pictures. It is only read.
    name : str
        What the index is called.
    params : BuildParams or None
        Defaults where None.
    n_workers : int or None
        Processes; the index does not depend on it. None takes every core.
    progress : callable or None
        Called in this thread with a `Progress`.
    cancelled : callable or None
        Asked after every picture; True ends the build with a CancelledError.
    overwrite : bool
        Whether an index of this name may be replaced. It stays in use until the new one is whole.

    Returns
    -------
    Index
        Opened.

    Raises
    ------
    BuildError
        If the folder or the codebook cannot be used.
    ArtifactError
        If the name is taken, or another process is writing it.
    CancelledError
        If it was cancelled; the next run goes on from there.
    ValueError
        If the name or n_workers is not valid.
    """
    if n_workers is not None and n_workers < 1:
        raise ValueError(f"n_workers must be at least 1, got {n_workers}")
    artifacts.check_name(name)
    with artifacts.writing(name):
        if index.stamp(name) and not overwrite:
            raise ArtifactError(
                tr(
                    "there is already an index {name!r}. Choose another name, add --overwrite to "
                    "replace it, or delete it with: {command}",
                    name=name,
                    command=f"python -m engine delete {name}",
                )
            )
        run = Run(n_workers or available_cores(), progress, cancelled)
        plan = _make_plan(folder, name, params or BuildParams(), run)
        features.warm_up(plan.params.extraction, run.say)
        words = _learn_words(plan, run)
        _finish_pictures(plan, run)
        _write_index(plan, words, run)
        shutil.rmtree(plan.work)
    return index.open_index(name)


def _make_plan(folder: Path, name: str, params: BuildParams, run: Run) -> _Plan:
    """Look through the folder, and keep or drop what an earlier run has left."""
    root = folder.expanduser().resolve()
    paths: list[str] = []
    sizes: list[int] = []
    keys: list[str] = []
    unreadable: list[Skipped] = []
    for file in datasets.walk(root, lambda *told: unreadable.append(Skipped(*told))):
        run.say(mark("Looking through the folder"), file.path)
        path = root / file.path
        if images.is_picture(path) or images.has_picture_name(path):
            told = f"{file.path}\0{file.n_bytes}\0{file.mtime_ns}"
            paths.append(file.path)
            sizes.append(file.n_bytes)
            keys.append(hashlib.sha256(told.encode(errors="surrogateescape")).hexdigest()[:32])
    if not paths:
        raise BuildError(
            tr("there are no pictures in {folder}. Name a folder that holds some.", folder=root)
        )
    work = work_folder(name)
    given = params.codebook_name and codebook.open_codebook(params.codebook_name).sha256
    content = {"folder": str(root), "words": given, **params.to_json()}
    asked = json.dumps(content, sort_keys=True)
    with contextlib.suppress(FileNotFoundError):
        if (work / "plan.json").read_text() != asked:
            shutil.rmtree(work)
    work.mkdir(parents=True, exist_ok=True)
    artifacts.write_bytes(work / "plan.json", asked.encode())
    found = (tuple(paths), tuple(sizes), tuple(keys), tuple(unreadable))
    return _Plan(name, root, work, params, *found)


def _finish_pictures(plan: _Plan, run: Run) -> None:
    """Give every picture its words, except those that an earlier run has finished."""
    # A record that power loss left empty is no record: its picture is done again.
    todo = [i for i in range(len(plan.paths)) if not worker.is_finished(plan.record(i))]
    n_before = len(plan.paths) - len(todo)
    run.process(
        mark("Finding keypoints and their words"), plan.jobs(todo, plan.work / CODEBOOK), n_before
    )


def _learn_words(plan: _Plan, run: Run) -> Codebook:
    """Open the codebook asked for, or the one an earlier run learned, or learn it."""
    params = plan.params
    kept = plan.work / CODEBOOK
    with contextlib.suppress(ArtifactError):
        return codebook.read_codebook(kept, "")
    if kept.exists():
        # These words are lost, and what was assigned to them with them.
        shutil.rmtree(plan.work / "records", ignore_errors=True)
    if params.codebook_name is None:
        sample, n_images = _training_sample(plan, run)
        run.say(mark("Learning {n} words"), n=params.codebook.n_words)
        begun_at = time.process_time()
        words = codebook.train(
            sample, params.codebook, params.extraction, n_images, available_cores()
        )
        spent = json.dumps(time.process_time() - begun_at)
        artifacts.write_bytes(plan.work / LEARNING_SECONDS, spent.encode())
    else:
        words = codebook.open_codebook(params.codebook_name)
        _check_same_features(words.extraction, params)
    codebook.write_codebook(words, kept)
    return words


def _check_same_features(theirs: ExtractionParams, params: BuildParams) -> None:
    """Raise a BuildError if the words asked for are words of other features."""
    name, ours = params.codebook_name, params.extraction
    if theirs.kind != ours.kind:
        raise BuildError(
            tr(
                "the codebook {name!r} holds words of {theirs}, and {ours} was asked for: they "
                "never mix. Add --features {kind}, or learn new words (without --codebook)",
                name=name,
                theirs=theirs.title,
                ours=ours.title,
                kind=theirs.kind,
            )
        )
    if theirs != ours:
        raise BuildError(
            tr(
                "the codebook {name!r} was learned on features of other parameters "
                "({parameters}); build with the same, or learn new words",
                name=name,
                parameters=theirs.to_json(),
            )
        )


def _training_sample(plan: _Plan, run: Run) -> tuple[NDArray[np.float32], int]:
    """Gather the descriptors to learn from; the choice depends on folder and seed alone.

    Images are taken in a random order: at least a tenth of them, then more until there are
    enough descriptors. From what they hold, random descriptors are drawn. Sampling by
    descriptors takes all images and draws from these.
    """
    params = plan.params.codebook
    random = np.random.default_rng(params.seed)
    order = random.permutation(len(plan.paths))
    n_taken = len(order) // IMAGE_FRACTION if params.sampling == "images" else len(order)
    counts: dict[int, int] = {}
    while True:
        new = [int(i) for i in order[len(counts) : max(n_taken, 1)]]
        outcomes = run.process(mark("Finding keypoints to learn words from"), plan.jobs(new, None))
        counts |= {i: outcomes[plan.paths[i]].n_keypoints for i in new}
        total = sum(counts.values())
        if total >= params.n_samples or len(counts) == len(order):
            break
        mean = max(total / len(counts), 1.0)
        missing = int(np.ceil((params.n_samples - total) / mean))
        # At most twice as many: the first few may be poor in keypoints by chance.
        n_taken = min(len(order), len(counts) + min(missing, len(counts)))
    drawn = np.sort(random.choice(total, min(total, params.n_samples), replace=False))
    sample = _gather(plan, counts, drawn)
    return sample, sum(count > 0 for count in counts.values())


def _gather(plan: _Plan, counts: dict[int, int], drawn: NDArray[np.int64]) -> NDArray[np.float32]:
    """Read the drawn rows of the images' descriptors, laid end to end in the order of `counts`."""
    sample = np.empty((len(drawn), plan.params.extraction.n_dimensions), np.float32)
    first = 0
    for i, count in counts.items():
        low, high = np.searchsorted(drawn, (first, first + count))
        if high > low:
            stored = records.read(worker.record_path(plan.record(i), finished=False))
            if stored is None or stored.description["n_keypoints"] != count:
                raise BuildError(
                    tr("the build's file for {path} is gone: run it again", path=plan.paths[i])
                )
            sample[low:high] = stored.arrays["descriptors"][drawn[low:high] - first]
        first += count
    return sample


def _write_index(plan: _Plan, words: Codebook, run: Run) -> None:
    """Put the arrays together, cut the patches, and commit the manifest."""
    run.say(mark("Writing the index"))
    begun_at = time.process_time()
    folder = index.index_folder(plan.name)
    folder.mkdir(parents=True, exist_ok=True)
    finished = [plan.record(i) for i in range(len(plan.paths))]
    n_dimensions = words.centres.shape[1] if plan.params.keep_descriptors else 0
    assembled = assemble(finished, folder, words.n_words, n_dimensions, plan.unreadable)
    parts = assembled.parts
    parts["images"]["parameters"] = {"folder": str(plan.root)}
    parts["keypoints"]["parameters"] = plan.params.extraction.to_json()
    parts["words"]["parameters"] = {"codebook": words.sha256}
    parts["signatures"]["parameters"] = {"codebook": words.sha256}
    parts["vectors"]["parameters"] = {"method": plan.params.method}
    parts["codebook"] = codebook.to_entry(words, folder)
    spent = time.process_time() - begun_at
    patches, cutting = _cut_patches(plan, assembled, parts["keypoints"]["arrays"], folder, run)
    begun_at = time.process_time()
    parts["patches"] = {
        "parameters": {"side": PATCH_SIDE},
        "arrays": write_patches(folder, patches, assembled.patch_rows),
    }
    spent += cutting + time.process_time() - begun_at + _earlier_seconds(plan)
    run.say(mark("Laying the words out on a map"))
    begun_at = time.process_time()
    parts[word_map.PART] = _lay_out(words, folder)
    mapping = time.process_time() - begun_at
    content = {
        "parts": parts,
        "build": plan.params.to_json(),
        "libraries": artifacts.library_versions(),
        upkeep.CPU_SECONDS: {
            upkeep.BUILD: round(spent, 3),
            word_map.PART: round(mapping, 3),
        },
    }
    large = is_large(words.n_words) or words.groups is not None
    version = artifacts.LARGE_VERSION if large else artifacts.FORMAT_VERSION
    artifacts.sweep(folder, artifacts.write_manifest(folder, "index", content, version))
    if plan.params.codebook_name is None:
        codebook.save_codebook(words, plan.name)


def _lay_out(words: Codebook, folder: Path) -> dict[str, Any]:
    """Make the map of the words, and write it as a part of the index."""
    parameters, arrays = word_map.to_part(word_map.lay_out(words.centres), words.sha256)
    written = {
        key: artifacts.write_array(folder, f"{word_map.PART}-{key}", array)
        for key, array in arrays.items()
    }
    return {"parameters": parameters, "arrays": written}


def _earlier_seconds(plan: _Plan) -> float:
    """Add up the CPU seconds of all pictures, in whichever run, and of learning the words."""
    spent = 0.0
    with contextlib.suppress(FileNotFoundError):
        spent = float(json.loads((plan.work / LEARNING_SECONDS).read_bytes()))
    for i in range(len(plan.paths)):
        said = records.read_description(worker.record_path(plan.record(i), finished=True))
        spent += (said or {}).get("cpu_seconds", 0.0)
    return spent


def _cut_patches(
    plan: _Plan, assembled: Assembled, entries: dict[str, Any], folder: Path, run: Run
) -> tuple[Iterator[NDArray[np.uint8]], float]:
    """Cut the patches that stand for each word out of the pictures: K times (P, S, S, 3) RGB.

    Also tells how many CPU seconds that took, in whichever process.
    """
    packed = {name: artifacts.open_array(folder, entries[name]) for name in packing.ARRAYS}
    wanted = np.unique(assembled.patch_rows[assembled.patch_rows >= 0])
    owners = np.searchsorted(assembled.offsets, wanted, side="right") - 1
    jobs = []
    for image_id in np.unique(owners):
        rows = wanted[owners == image_id]
        path, _, width, height, _ = assembled.images[image_id]
        found = packing.unpack({k: array[rows] for k, array in packed.items()}, width, height)
        picture = str(plan.root / path)
        angles = plan.params.extraction.patch_angles(found.angle)
        jobs.append(PatchJob(picture, rows, found.xy, found.size, angles, PATCH_SIDE))
    cut = np.zeros((len(wanted) + 1, PATCH_SIDE, PATCH_SIDE, 3), np.uint8)
    spent = 0.0
    with contextlib.closing(run.over(worker.cut_patches, jobs)) as results:
        for rows, patches, seconds in run.counted(
            mark("Cutting out patches of the words"), results, len(jobs)
        ):
            spent += seconds
            if patches is not None:
                cut[np.searchsorted(wanted, rows)] = patches
    places = np.searchsorted(wanted, assembled.patch_rows)
    places[assembled.patch_rows < 0] = len(wanted)
    return (cut[of_word] for of_word in places), spent
