"""Kept runs and ground truths, read once and shared by all visitors."""

import dataclasses
from pathlib import Path
from typing import Any

import streamlit as st

from engine import runs, truths
from engine.errors import EngineError
from engine.index import Index
from engine.language import tr
from engine.runs import Run
from engine.truths import Truth
from ui import opened


def _state(*paths: Path) -> tuple[tuple[int, int, int], ...]:
    """Return what changes whenever one of these files is replaced."""
    found = []
    for path in paths:
        try:
            told = path.stat()
            found.append((told.st_ino, told.st_size, told.st_mtime_ns))
        except OSError:
            found.append((0, 0, 0))
    return tuple(found)


def _run_state(name: str) -> tuple[tuple[int, int, int], ...]:
    return _state(runs.runs_folder() / f"{name}.json")


@st.cache_resource(max_entries=16, show_spinner=False)
def _run(folder: str, name: str, state: object) -> Run:
    return runs.open_run(name)


def open_run(name: str) -> Run:
    """Return a kept run; an ArtifactError says why it cannot be had."""
    return _run(str(runs.runs_folder()), name, _run_state(name))


@dataclasses.dataclass(frozen=True, slots=True)
class Brief:
    """What a list of runs needs to know of one.

    Attributes
    ----------
    name, made, collection, method, groundtruth, groundtruth_sha256 : str
        As in the run.
    index_stamp, catalogue, codebook, content_read : str
        The state of the index at that time: of all, of its pictures, of its words, of what the
        method reads; of the last, nothing is known of the first runs.
    settings : tuple of str
        Parameters of the method that were not the usual ones.
    """

    name: str
    made: str
    collection: str
    method: str
    groundtruth: str
    groundtruth_sha256: str
    index_stamp: str
    catalogue: str
    codebook: str
    content_read: str = ""
    settings: tuple[str, ...] = ()

    def older(self, shown: Index) -> str:
        """Say what the index was at that time, if that is not what it is now; else nothing."""
        if self.catalogue != shown.manifest["parts"]["images"]["catalogue"]["sha256"]:
            return tr("older: other pictures")
        if self.codebook != shown.manifest["parts"]["codebook"]["digest"]:
            return tr("older: other words")
        same = self.index_stamp == shown.stamp
        if not same and self.content_read:
            same = self.content_read == _content_read(shown.name, shown.stamp, self.method)
        return "" if same else tr("older state of the index")


@st.cache_resource(max_entries=256, show_spinner=False)
def _content_read(collection: str, stamp: str, method: str) -> str:
    return runs.content_read(opened.open_index(collection), method)


def brief(run: Run) -> Brief:
    """Return what a list needs to know of a run."""
    return Brief(
        name=run.name,
        made=run.made,
        collection=run.evaluation.index,
        method=run.evaluation.method,
        groundtruth=run.groundtruth,
        groundtruth_sha256=run.groundtruth_sha256,
        index_stamp=run.index_stamp,
        catalogue=run.catalogue,
        codebook=str(run.parameters.get("codebook_digest", "")),
        content_read=str(run.parameters.get("content_read", "")),
        settings=run.settings,
    )


@st.cache_resource(max_entries=4096, show_spinner=False)
def _brief(folder: str, name: str, state: object) -> Brief:
    return brief(runs.open_run(name))


@st.cache_resource(max_entries=1024, show_spinner=False)
def _figures(folder: str, name: str, state: object) -> dict[str, Any]:
    return runs.open_run(name).evaluation.figures()


def figures(name: str) -> dict[str, Any]:
    """Return what is said of all queries of a run together; the intervals take a moment."""
    return _figures(str(runs.runs_folder()), name, _run_state(name))


def of_collection(shown: Index) -> tuple[list[Brief], dict[str, str]]:
    """Return the runs of a collection, the newest first, and why others cannot be read, by name."""
    found: list[Brief] = []
    faults: dict[str, str] = {}
    for name in runs.list_runs():
        try:
            told = _brief(str(runs.runs_folder()), name, _run_state(name))
        except EngineError as error:
            if name.startswith(shown.name[:20]):
                faults[name] = str(error)
            continue
        if told.collection == shown.name:
            found.append(told)
    return sorted(found, key=lambda one: (one.made, one.name), reverse=True), faults


@st.cache_resource(max_entries=32, show_spinner=False)
def _truth(folder: str, name: str, state: object, collection: str, stamp: str) -> Truth:
    return truths.open_truth(name, opened.open_index(collection))


def open_truth(name: str, shown: Index) -> Truth:
    """Return a ground truth, also one that is not there yet; an error if it does not fit."""
    path = truths.path_of(name)
    state = _state(path, path.with_name(f"{name}.looked.json"))
    return _truth(str(truths.truths_folder()), name, state, shown.name, shown.stamp)


@st.cache_resource(max_entries=8, show_spinner=False)
def _places(collection: str, stamp: str) -> dict[str, int]:
    return {entry.path: i for i, entry in enumerate(opened.open_index(collection).images)}


def places(shown: Index) -> dict[str, int]:
    """Return the image id of every path of a collection."""
    return _places(shown.name, shown.stamp)
