"""Evaluations that were asked for on a page: measured in the background, kept as runs."""

import dataclasses
import hashlib
from functools import partial
from typing import cast

from engine import evaluate, groundtruth, index, runs, truths
from engine.errors import GroundTruthError
from engine.language import tr
from ui import jobs
from ui.jobs import Job


@dataclasses.dataclass(frozen=True, slots=True)
class Measurement:
    """What is measured; the job's result is the name of the kept run.

    Attributes
    ----------
    collection, truth, method : str
        An index, a kept ground truth, one of `methods.METHODS`.
    """

    collection: str
    truth: str
    method: str


def start(collection: str, truth: str, method: str) -> Job:
    """Begin an evaluation, unless the very same is under way: then that one is returned."""
    asked = Measurement(collection, truth, method)
    return jobs.JOBS.start(asked, partial(_work, asked), jobs.EVALUATIONS, again=True)


def what(job: Job) -> Measurement:
    """Return what a job measures."""
    return cast(Measurement, job.key)


def of(collection: str) -> list[Job]:
    """Return the evaluations of a collection, the oldest first."""
    return [one for one in jobs.JOBS.of(jobs.EVALUATIONS) if what(one).collection == collection]


def _work(asked: Measurement, job: Job) -> str:
    """Measure, and keep the run; return its name."""
    opened = index.open_index(asked.collection)
    path = truths.path_of(asked.truth)
    try:
        data = path.read_bytes()
    except OSError:
        told = tr("there is no ground truth {name!r} any more", name=asked.truth)
        raise GroundTruthError(told) from None
    queries = groundtruth.read(path, opened, data, inside=True)
    job.tell(0, len(queries))
    measured = evaluate.evaluate(opened, queries, asked.method, job.tell)
    try:
        made = runs.keep(opened, measured, path)
    except GroundTruthError:
        told = tr(
            "the ground truth {name!r} was deleted meanwhile: nothing is kept", name=asked.truth
        )
        raise GroundTruthError(told) from None
    if made.groundtruth_sha256 != hashlib.sha256(data).hexdigest():
        runs.delete_run(made.name)
        told = tr(
            "the ground truth {name!r} was changed meanwhile. Measure again", name=asked.truth
        )
        raise GroundTruthError(told)
    return made.name
