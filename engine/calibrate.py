"""Calibration: how high the best false match of a picture scores, in one collection.

Two kinds of pictures show nothing of the collection, or are made to. Pictures of the collection
itself are searched for in it without whatever shows the same thing: what the graph joins them
with, and any match whose map is undone by the map back. Pictures of a folder of distractors, if
one is named, show other things altogether. For each kind the tail of the best scores is fitted,
and the least score is the higher one that the stated share of either reaches.

How far that can be trusted is measured on pictures that it was not set with: each kind in five
parts, every part by the score that the other four give (pictures that show the same thing are in
one part), and folders that take no part in setting it.
"""

import dataclasses
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine import (
    artifacts,
    calibration,
    datasets,
    graph,
    images,
    methods,
    pipeline,
    records,
    rerank,
    shortlist,
    statistics,
    upkeep,
)
from engine.calibration import PART
from engine.errors import ArtifactError, ImageError
from engine.graph import Graph, GraphParams
from engine.index import Index, open_index
from engine.language import ENGLISH, speaking, tr
from engine.records import Record
from engine.rerank import Verified

N_PARTS = 5
Progress = Callable[[str, int, int], None]


@dataclasses.dataclass(frozen=True, slots=True)
class CalibrateParams:
    """How a collection is calibrated.

    Attributes
    ----------
    rate : float
        Share of the pictures without a match that may reach the least score.
    n_pictures : int
        Pictures of the collection that are searched for, evenly spread over it; of each folder
        as many at most.
    least_checked : float
        Scores below this are taken as false without looking at the map back, and the least score
        is never below it.
    """

    rate: float = 0.01
    n_pictures: int = 1000
    least_checked: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.rate < calibration.TAIL:
            raise ValueError(f"rate must be above 0 and below {calibration.TAIL}, got {self.rate}")
        if self.n_pictures < calibration.N_LEAST:
            raise ValueError(f"n_pictures must be at least {calibration.N_LEAST}")


@dataclasses.dataclass(frozen=True, slots=True)
class Measured:
    """How many pictures without a match reached the least score.

    Attributes
    ----------
    source : str
        Where they are from: empty for the collection's own, else a folder.
    n_pictures, n_reached : int
        All of them, and those that did.
    interval : tuple of float
        95 % of the share (Clopper and Pearson, Biometrika 1934).
    took_part : bool
        Whether others of this source took part in setting the score.
    skipped : tuple of str
        Files that could not be read, and why; files that are in the collection or came before.
    """

    source: str
    n_pictures: int
    n_reached: int
    interval: tuple[float, float]
    took_part: bool
    skipped: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """A calibration.

    Attributes
    ----------
    least_score, rate : float
        The least score, and the share that it was set for.
    measured : tuple of Measured
        What was measured of it.
    edges : str
        Digest of the graph's edges, see `calibration.edges`.
    """

    least_score: float
    rate: float
    measured: tuple[Measured, ...]
    edges: str


@dataclasses.dataclass(frozen=True, slots=True)
class _Sample:
    """Best false scores: (n,) float32, and the part that each picture is in: (n,)."""

    source: str
    scores: NDArray[np.float32]
    parts: NDArray[np.int64]
    skipped: tuple[str, ...] = ()


def calibrate(
    name: str,
    distractors: Sequence[Path] = (),
    check: Sequence[Path] = (),
    params: CalibrateParams = CalibrateParams(),
    n_threads: int = 1,
    progress: Progress | None = None,
) -> Report:
    """Set the verified score from which results of an index count as the same thing, and keep it.

    Parameters
    ----------
    name : str
        The index; it must have its graph.
    distractors, check : sequence of Path
        Folders of pictures that show nothing of the collection: those take part, these do not.
    params : CalibrateParams
    n_threads : int
        The result does not depend on it.
    progress : callable or None
        Told the source, and how many pictures of how many are done.

    Returns
    -------
    Report

    Raises
    ------
    ArtifactError
        If the index cannot be read, has no graph, was replaced meanwhile, or another process
        calibrates it.
    BuildError, ImageError
        If a folder is missing or holds no pictures.
    ValueError
        If there are fewer than `calibration.N_LEAST` pictures of one kind.
    """
    index = open_index(name)
    joined = graph.open_graph(index)
    _check_enough("the collection", index.n_images)
    files = {folder: _files(folder) for folder in (*distractors, *check)}
    work = artifacts.artifacts_folder() / "calibrations" / artifacts.check_name(name)
    with upkeep.making(name, PART):
        place = work / _digest(index, params)
        place.mkdir(parents=True, exist_ok=True)
        own = _own(index, joined, place, params, n_threads, progress)
        met: set[str] = set()
        sources = [
            _folder(index, folder, files[folder], met, place, params, n_threads, progress)
            for folder in (*distractors, *check)
        ]
        others, unused = sources[: len(distractors)], sources[len(distractors) :]
        kinds = [own, *([_joined(others)] if others else [])]
        for kind in kinds:
            _check_enough(kind.source or "the collection", len(kind.scores))
        least = _least_score(kinds, params)
        measured = [_crossed(kinds, source, params) for source in (own, *others)]
        measured += [_measured(s, int((s.scores >= least).sum()), False) for s in unused]
        report = Report(least, params.rate, tuple(measured), calibration.edges(index))
        if _digest(open_index(name), params) != place.name:
            raise ArtifactError(
                tr("the index {name!r} was replaced meanwhile; calibrate it again", name=name)
            )
        arrays = {f"scores_{i}": np.sort(kind.scores) for i, kind in enumerate(kinds)}
        upkeep.add_part(name, PART, dataclasses.asdict(report), arrays)
        shutil.rmtree(work)
    return report


def _check_enough(source: str, n_pictures: int) -> None:
    if n_pictures < calibration.N_LEAST:
        raise ValueError(
            f"{source} has {n_pictures} pictures that can be searched for; calibration needs "
            f"{calibration.N_LEAST}"
        )


def _digest(index: Index, params: CalibrateParams) -> str:
    """Return a name for a calibration of just these keypoints and edges."""
    return upkeep.digest(index, (*upkeep.KEYPOINTS, graph.PART), dataclasses.asdict(params))


def _kept(path: Path, make: Callable[[], float]) -> float:
    """Return a score that an earlier run has left, or make and keep it."""
    record = records.read(path)
    if record is None:
        record = Record({}, {"score": np.array([make()], np.float32)})
        records.write(path, record)
    return float(record.arrays["score"][0])


def _own(
    index: Index,
    joined: Graph,
    place: Path,
    params: CalibrateParams,
    n_threads: int,
    progress: Progress | None,
) -> _Sample:
    """Search for pictures of the collection among those that show other things."""
    things = graph.connected(joined)
    n = min(params.n_pictures, index.n_images)
    chosen = np.unique(np.linspace(0, max(0, index.n_images - 1), n).round().astype(int))
    scores = []
    for done, image_id in enumerate(chosen.tolist(), 1):
        same = tuple(np.flatnonzero(things == things[image_id]).tolist())
        make = partial(_stranger, index, image_id, same, params, n_threads)
        scores.append(_kept(place / f"{image_id}", make))
        if progress is not None:
            progress("", done, len(chosen))
    return _Sample("", np.array(scores, np.float32), things[chosen] % N_PARTS)


def _stranger(
    index: Index, image_id: int, same: tuple[int, ...], params: CalibrateParams, n_threads: int
) -> float:
    """Return the best score of one picture of the collection among those of other things."""
    excluded = tuple({*same, *index.same_content(index.images[image_id].sha256)})
    described = pipeline.describe_image(index, image_id, n_threads)
    if described is None:
        query = shortlist.sign_stored(index, image_id)
    else:
        height, width = described.image.gray.shape
        query = shortlist.sign_query(index, described.features, described.words, (width, height))
    listed = shortlist.shortlist(index, query, excluded, n_threads=n_threads)
    found = rerank.rerank(index, query, listed, n_threads=n_threads)
    for one in sorted(found, key=lambda one: -one.score):
        if one.score < params.least_checked or not _is_undone(index, image_id, one):
            return one.score
    return 0.0


def _is_undone(index: Index, image_id: int, found: Verified) -> bool:
    """Tell whether the match from the other side maps a picture back to where it was."""
    query = shortlist.sign_stored(index, found.image_id)
    others = tuple(i for i in range(index.n_images) if i != image_id)
    listed = shortlist.shortlist(index, query, others)
    (back,) = rerank.rerank(index, query, listed)
    returns = graph.returns(index, image_id, found.verification.affine, back.verification.affine)
    return back.score > 0 and returns <= GraphParams().returns


def _files(folder: Path) -> tuple[list[Path], list[str]]:
    """List the pictures of a folder, and what cannot be looked into."""
    root = folder.expanduser().resolve()
    unreadable: list[str] = []
    files = [
        root / file.path
        for file in datasets.walk(root, lambda path, why: unreadable.append(f"{path}: {why}"))
        if images.is_picture(root / file.path)
    ]
    if not files:
        raise ImageError(
            tr("there are no pictures in {folder}. Name a folder that holds some.", folder=root)
        )
    return files, unreadable


def _folder(
    index: Index,
    folder: Path,
    listed: tuple[list[Path], list[str]],
    met: set[str],
    place: Path,
    params: CalibrateParams,
    n_threads: int,
    progress: Progress | None,
) -> _Sample:
    """Search for the pictures of a folder that show nothing of the collection.

    Each counts once: `met` holds the digests of those that came before, and takes these.
    """
    files, skipped = listed[0], list(listed[1])
    spread = np.linspace(0, len(files) - 1, min(params.n_pictures, len(files))).round().astype(int)
    scores, parts = [], []
    for done, path in enumerate((files[i] for i in np.unique(spread).tolist()), 1):
        if progress is not None:
            progress(str(folder), done, len(spread))
        try:
            with speaking(ENGLISH):  # the index keeps what is told
                image = images.read(path)
        except ImageError as error:
            skipped.append(str(error))
            continue
        if index.same_content(image.sha256):
            skipped.append(f"{path}: it is a picture of the collection")
            continue
        if image.sha256 in met:
            skipped.append(f"{path}: it came before")
            continue
        met.add(image.sha256)
        scores.append(_kept(place / image.sha256, partial(_best, index, image, n_threads)))
        parts.append(int(image.sha256[:8], 16) % N_PARTS)
    return _Sample(
        str(folder), np.array(scores, np.float32), np.array(parts, np.int64), tuple(skipped)
    )


def _best(index: Index, image: images.Image, n_threads: int) -> float:
    """Return the best verified score of a picture that shows nothing of the collection."""
    described = pipeline.describe_query(index, image, n_threads=n_threads)
    found = pipeline.search_query(index, described, methods.VERIFIED, 1, n_threads=n_threads)
    return float(found.ranking.scores[0]) if len(found.ranking) else 0.0


def _joined(samples: Sequence[_Sample]) -> _Sample:
    return _Sample(
        ", ".join(sample.source for sample in samples),
        np.concatenate([sample.scores for sample in samples]),
        np.concatenate([sample.parts for sample in samples]),
    )


def _least_score(
    kinds: Sequence[_Sample], params: CalibrateParams, without: int | None = None
) -> float:
    """Return the least score of all kinds of pictures, leaving out one part of each."""
    left = [kind.scores[kind.parts != without] for kind in kinds]
    enough = [scores for scores in left if len(scores) >= calibration.N_LEAST]
    if not enough:
        raise ValueError(
            f"without one part in {N_PARTS} of the pictures {max(map(len, left))} are left to set "
            f"the score with, and {calibration.N_LEAST} are needed. Name more pictures that show "
            "nothing of the collection, with --distractors FOLDER"
        )
    least = max(calibration.fit(scores).score_at(params.rate) for scores in enough)
    return max(params.least_checked, least)


def _crossed(kinds: Sequence[_Sample], source: _Sample, params: CalibrateParams) -> Measured:
    """Count the pictures of a source that reach the score set without their part."""
    reached = sum(
        int((source.scores[source.parts == part] >= _least_score(kinds, params, part)).sum())
        for part in np.unique(source.parts).tolist()
    )
    return _measured(source, reached, True)


def _measured(sample: _Sample, n_reached: int, took_part: bool) -> Measured:
    n = len(sample.scores)
    interval = statistics.share_interval(n_reached, n)
    return Measured(sample.source, n, n_reached, interval, took_part, sample.skipped)
