"""Mending a damaged index: from what is whole of it, else from the pictures themselves.

Parts that follow from others (graph, residuals, map) are computed again. Where a part that every
index has is damaged, the folder of pictures is read again with the index's own words, so that
pictures that have not changed get the very keypoints, words and vectors that they had.
"""

import contextlib
import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine import (
    aggregate,
    artifacts,
    build,
    codebook,
    graph,
    index,
    methods,
    residuals,
    typed,
    upkeep,
    word_map,
)
from engine.codebook import Codebook, CodebookParams
from engine.errors import ArtifactError
from engine.features import ExtractionParams
from engine.index import Index
from engine.language import tr
from engine.pool import Progress, available_cores
from engine.typed import MALFORMED

CORE = ("images", "keypoints", "codebook", "words", "signatures", "vectors", "patches")


@dataclasses.dataclass(frozen=True, slots=True)
class Mended:
    """What mending did.

    Attributes
    ----------
    made : tuple of str
        What was made anew, one line each.
    lost : tuple of str
        What is gone, with the command that makes it again where there is one.
    """

    made: tuple[str, ...]
    lost: tuple[str, ...]


def repair(
    name: str,
    progress: Callable[[Progress], None] | None = None,
    n_workers: int | None = None,
) -> Mended:
    """Mend an index as far as it can be.

    Parameters
    ----------
    name : str
        The index. One that is well is left as it is.
    progress : callable or None
        Told how far a build is, where the pictures are read again.
    n_workers : int or None
        Processes of that build.

    Returns
    -------
    Mended

    Raises
    ------
    ArtifactError
        If its manifest is damaged: nothing else tells what belonged to it.
    BuildError
        If its pictures are needed, and are gone. The index is left as it is.
    """
    folder = index.index_folder(name)
    manifest = _manifest(name, folder)
    broken = {place.split("/")[1] for place, _ in artifacts.damaged(folder, manifest)}
    further = [part for part in manifest["parts"] if part not in CORE]
    made: list[str] = []
    lost: list[str] = []
    if not broken and not upkeep.verify(name):
        return Mended((), ())
    if not broken & set(CORE):
        # Where every file is whole, the numbers of one do not fit: of which, nothing tells.
        gone = [part for part in further if part in broken or not broken]
        upkeep.drop_parts(name, gone)
        if not upkeep.verify(name):
            _remake(name, gone, made, lost)
            return Mended(tuple(made), tuple(lost))
    _rebuild(name, manifest, broken, progress, n_workers, made, lost)
    _remake(name, [part for part in further if part != word_map.PART], made, lost)
    return Mended(tuple(made), tuple(lost))


def _manifest(name: str, folder: Path) -> dict[str, Any]:
    try:
        return artifacts.read_manifest(folder, "index", index.repair_command(name))
    except ArtifactError as error:
        if not folder.is_dir() or name not in codebook.list_codebooks():
            raise
        told = tr(
            "{why}. Its words are still kept: add {option}",
            why=error,
            option=f"--codebook {name}",
        )
        raise ArtifactError(told) from None


def _remake(name: str, parts: list[str], made: list[str], lost: list[str]) -> None:
    """Compute parts again that follow from others; the rest is told as lost."""
    for part in parts:
        if part == graph.PART:
            graph.make_graph(name, n_threads=available_cores())
        elif part == residuals.PART:
            aggregate.make_residuals(name, n_threads=available_cores())
        elif part == word_map.PART:
            found = index.open_index(name)
            laid = word_map.lay_out(found.codebook.centres)
            parameters, arrays = word_map.to_part(laid, found.codebook.sha256)
            upkeep.add_part(name, part, parameters, arrays)
        else:
            command = f"python -m engine calibrate {name}"
            if part.startswith(methods.EMBEDDING):
                command = methods.adding(part, name)
            lost.append(f"the part {part}. Make it anew: {command}")
            continue
        made.append(f"the part {part}, from the others")


def _rebuild(
    name: str,
    manifest: dict[str, Any],
    broken: set[str],
    progress: Callable[[Progress], None] | None,
    n_workers: int | None,
    made: list[str],
    lost: list[str],
) -> None:
    """Read the pictures again with the index's own words."""
    folder, parts = index.index_folder(name), manifest["parts"]
    before = _catalogue(folder, parts)
    words = _words(name, folder, parts)
    try:
        root = Path(parts["images"]["parameters"]["folder"])
        extraction = ExtractionParams.from_json(parts["keypoints"]["parameters"])
        typed.check(CodebookParams, parts["codebook"]["parameters"])
        params = build.BuildParams(
            extraction=extraction,
            codebook=CodebookParams(**parts["codebook"]["parameters"]),
            method=index.method_of(parts["vectors"]["parameters"]),
            keep_descriptors="descriptors" in parts,
        )
    except MALFORMED as error:
        why = tr("its manifest does not tell how it was built ({why})", why=error)
        raise ArtifactError(tr("the index {name!r}: {why}", name=name, why=why)) from None
    if words is None:
        lost.append("its words: new ones were learned, and scores differ from earlier ones")
        build.build(root, name, params, n_workers, progress, overwrite=True)
    else:
        with _kept(words) as kept:
            params = dataclasses.replace(params, codebook_name=kept)
            build.build(root, name, params, n_workers, progress, overwrite=True)
    opened = index.open_index(name)
    told = ", ".join(sorted(broken)) or "its numbers"
    made.append(f"the index, from {opened.n_images:,} pictures in {root} (damaged: {told})")
    lost += _missing(before, opened)


def _words(name: str, folder: Path, parts: dict[str, Any]) -> Codebook | None:
    """Return the index's own words: from itself, or from the codebook that its build kept."""
    with contextlib.suppress(ArtifactError):
        return codebook.from_entry(parts["codebook"], folder)
    with contextlib.suppress(ArtifactError):
        kept = codebook.open_codebook(name)
        if kept.sha256 == parts["codebook"].get("digest"):
            return kept
    return None


@contextlib.contextmanager
def _kept(words: Codebook) -> Any:
    """Keep words as a codebook while an index is built with them; yields its name."""
    name = f"repair-{words.sha256[:16]}"
    folder = artifacts.artifacts_folder() / "codebooks" / name
    codebook.save_codebook(words, name)
    try:
        yield name
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _catalogue(folder: Path, parts: dict[str, Any]) -> dict[str, str] | None:
    """Return path and digest of each picture that the index held; None if that is damaged."""
    try:
        held = artifacts.read_json(folder, parts["images"]["catalogue"])
        return {str(row[0]): str(row[1]) for row in held["images"]}
    except (ArtifactError, OSError, *MALFORMED):
        return None


def _missing(before: dict[str, str] | None, opened: Index) -> list[str]:
    """Say which pictures the index no longer holds, or holds in another state."""
    if before is None:
        return ["the list of pictures that it held: which of them are gone is not known"]
    after = {entry.path: entry.sha256 for entry in opened.images}
    why = {one.path: one.reason for one in opened.skipped}
    lost = []
    for path, digest in before.items():
        if path not in after:
            lost.append(f"{path}: {why.get(path, 'its file is gone')}")
        elif after[path] != digest:
            lost.append(f"{path}: its file has changed, and was taken as it is now")
    return lost
