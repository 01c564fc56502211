"""What the page Models has done in the background: downloads, and vectors of a collection."""

import dataclasses
from functools import partial
from typing import cast

from engine import embed, installing
from engine.language import tr, trn
from engine.models import DECLARED
from engine.pool import available_cores
from ui import jobs, words
from ui.jobs import Job
from ui.models import told

DOWNLOADING, CONVERTING = "downloading", "converting"


@dataclasses.dataclass(frozen=True, slots=True)
class Getting:
    """A model that is fetched and converted."""

    model: str


@dataclasses.dataclass(frozen=True, slots=True)
class Embedding:
    """A collection whose pictures are turned into a model's vectors."""

    collection: str
    model: str


def get(name: str) -> None:
    """Begin to fetch a model, or go on with it."""
    jobs.JOBS.start(Getting(name), partial(_get, name), jobs.DOWNLOADS, again=True)


def _get(name: str, job: Job) -> None:
    # The engine tells what it does in words, of the language in which the job was asked for.
    converting = tr("Converting {file}", file=DECLARED[name].download.file)

    def tell(what: str, done: int, total: int | None) -> None:
        job.stage = CONVERTING if what == converting else DOWNLOADING
        job.tell(done, total or 0)

    installing.get(name, progress=tell)


def getting(job: Job) -> str:
    """Say how far a download is."""
    name, done, total = cast(Getting, job.key).model, told.size(job.n_done), told.size(job.n_total)
    if job.stage == CONVERTING:
        return tr("Converting {name}: {done} of {total}", name=name, done=done, total=total)
    if not (job.n_total and job.n_done):
        return tr("Downloading {name}", name=name)
    share = int(100 * job.n_done / job.n_total)
    numbers = {"done": done, "total": total, "share": share}
    return tr("Downloading {name}: {done} of {total}, {share} %", name=name, **numbers)


def make(collection: str, model: str, overwrite: bool) -> None:
    """Begin to turn the pictures of a collection into vectors, or go on with it."""
    key = Embedding(collection, model)
    jobs.JOBS.start(key, partial(_make, key, overwrite), jobs.VECTORS, again=True)


def _make(asked: Embedding, overwrite: bool, job: Job) -> None:
    embed.make_embeddings(
        asked.collection,
        asked.model,
        n_threads=available_cores(),
        progress=job.tell,
        cancelled=lambda: job.stopping,
        overwrite=overwrite,
    )


def making(job: Job) -> str:
    """Say how far the vectors of a collection are."""
    asked = cast(Embedding, job.key)
    names = {"model": asked.model, "collection": words.plain(asked.collection)}
    if not job.n_total:
        return tr("Vectors by {model} for {collection}", **names)
    return trn(
        "Vectors by {model} for {collection}: {n_done:,} of {n:,} picture",
        "Vectors by {model} for {collection}: {n_done:,} of {n:,} pictures",
        job.n_total,
        n_done=job.n_done,
        **names,
    )


def busy(model: str) -> Job | None:
    """Return a job under way that needs a model's files, if there is one."""
    all_ = [*jobs.JOBS.of(jobs.DOWNLOADS), *jobs.JOBS.of(jobs.VECTORS)]
    for one in all_:
        if isinstance(one.key, Getting | Embedding) and one.key.model == model and one.active:
            return one
    return None
