"""What the page computes once for all visitors: maps, signs, comparisons, samples."""

import dataclasses
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import (
    codebook,
    codebook_compare,
    codebook_quality,
    groundtruth,
    index,
    truths,
    word_map,
    word_sample,
    word_signs,
)
from engine.codebook import Codebook
from engine.codebook_compare import Comparison
from engine.codebook_quality import Informative
from engine.index import Index
from engine.word_map import WordMap
from ui import jobs, opened
from ui.jobs import Job

N_SAMPLED = 20_000  # descriptors that vocabularies are measured on
AT_ONCE = 4_000 * 4_000  # pairs of words that are compared while a page waits


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A vocabulary that can be compared: of a collection, or kept alone.

    Attributes
    ----------
    name : str
        Of the collection, or of the kept codebook.
    codebook : Codebook
        Its words.
    shown : Index or None
        The collection, if it is one of a collection.
    """

    name: str
    codebook: Codebook
    shown: Index | None


def side_of(shown: Index) -> Side:
    """Return the vocabulary of a collection."""
    return Side(shown.name, shown.codebook, shown)


def others(shown: Index) -> list[str]:
    """Return the names of the other vocabularies: of collections, then codebooks kept alone."""
    names = index.list_indexes()
    alone = [name for name in codebook.list_codebooks() if name not in names]
    return [name for name in names if name != shown.name] + alone


@st.cache_resource(max_entries=4, show_spinner=False)
def _codebook(folder: str, name: str) -> Codebook:
    return codebook.open_codebook(name)


def side(name: str) -> Side:
    """Open the vocabulary of this name; an ArtifactError says why it cannot be had."""
    if name in index.list_indexes():
        return side_of(opened.open_index(name))
    from engine import artifacts

    return Side(name, _codebook(str(artifacts.artifacts_folder()), name), None)


def map_key(shown: Index) -> tuple[str, str]:
    """Return the name of the job that lays out a collection's words."""
    return ("map", shown.codebook.sha256)


def map_of(shown: Index) -> WordMap | Job:
    """Return the map of the words, or the job that lays it out where none is kept."""
    kept = word_map.open_map(shown)
    if kept is not None:
        return kept
    centres, key = shown.codebook.centres, map_key(shown)
    job = jobs.JOBS.get(key) or jobs.JOBS.start(
        key, lambda _: word_map.lay_out(centres), jobs.VOCABULARY
    )
    found: WordMap | None = job.result
    return job if found is None else found


@st.cache_resource(max_entries=8, show_spinner=False)
def _dark_shares(name: str, stamp: str) -> NDArray[np.float64]:
    return word_signs.dark_shares(word_signs.counts(opened.open_index(name)))


def dark_shares(shown: Index) -> NDArray[np.float64]:
    """Return the share of each word's keypoints that are dark on light; nan without any."""
    return _dark_shares(shown.name, shown.stamp)


@st.cache_resource(max_entries=16, show_spinner=False)
def _compared(first: str, second: str, _a: Side, _b: Side) -> Comparison:
    return codebook_compare.compare(_a.codebook, _b.codebook, names=(_a.name, _b.name))


def compared(a: Side, b: Side) -> Comparison | None:
    """Compare two vocabularies by their words alone; None if that takes too long to wait for."""
    codebook_compare.check_comparable(a.codebook, b.codebook, (a.name, b.name))
    if a.codebook.n_words * b.codebook.n_words > AT_ONCE:
        return None
    return _compared(a.codebook.sha256, b.codebook.sha256, a, b)


def sample(shown: Index, job: Job, share: int) -> NDArray[np.float32]:
    """Draw descriptors of a collection, or recall those drawn last; `share` of the job's 100."""
    key = (shown.name, shown.stamp, N_SAMPLED)
    if _LAST.get("key") != key:
        drawn = word_sample.sample(shown, N_SAMPLED, progress=job.part(0, share))
        _LAST.update(key=key, sample=drawn)
    found: NDArray[np.float32] = _LAST["sample"]
    return found


_LAST: dict[str, Any] = {}  # one job runs at a time, so nobody else writes it


@st.cache_resource(max_entries=16, show_spinner=False)
def _informative(name: str, stamp: str, truth: str, digest: str) -> Informative:
    shown = opened.open_index(name)
    queries = groundtruth.read(truths.path_of(truth), shown, inside=True)
    return codebook_quality.informative(shown, queries)


def informative(shown: Index, truth: str) -> Informative:
    """Return what each word tells about the landmarks of a kept ground truth.

    Raises
    ------
    GroundTruthError
        If it does not fit the collection, or tells apart fewer than two landmarks.
    """
    return _informative(shown.name, shown.stamp, truth, truths.digest_of(truth))
