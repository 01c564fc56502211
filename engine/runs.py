"""Evaluations that are kept: one JSON file each under ``artifacts/runs/``.

A run holds all that its figures follow from (parameters, ground truth, versions) and, for each
query, the ranks of all right answers and the first results with their labels: precision-recall
curves and comparisons are drawn from it without ranking again, also when the index has changed.
"""

import contextlib
import dataclasses
import datetime
import fcntl
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine import artifacts, calibration, encode, methods
from engine.errors import ArtifactError, GroundTruthError, reason
from engine.evaluate import Evaluation, QueryResult, Result
from engine.index import Index
from engine.language import sentences, tr
from engine.measures import Accepted
from engine.tuning import USUAL, Tuning, changes

SCHEMA_VERSION = 3
READABLE = (1, 2, 3)  # 1 lacks right_ids; 1 and 2 do not tell what was accepted
KIND = "run"


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """One kept evaluation.

    Attributes
    ----------
    name : str
        Index, method and time, as ``oxford-verified-20260102-183000``.
    made : str
        When, UTC, ISO 8601.
    index_stamp : str
        State of the index; it changes with any part.
    catalogue : str
        sha256 of the index's list of pictures: while it is the same, image ids mean the same.
    groundtruth, groundtruth_sha256 : str
        Name and digest of the csv.
    parameters : dict
        Of the index's features and words, and of the method.
    versions : dict of str to str
        Libraries that the figures may depend on.
    paths : dict of int to str
        Path of every image that the run names, by image id.
    evaluation : Evaluation
        Index name, method, and what each query reached.
    """

    name: str
    made: str
    index_stamp: str
    catalogue: str
    groundtruth: str
    groundtruth_sha256: str
    parameters: Mapping[str, Any]
    versions: Mapping[str, str]
    paths: Mapping[int, str]
    evaluation: Evaluation

    @property
    def settings(self) -> tuple[str, ...]:
        """Parameters of the method that were not the usual ones, as ``rerank.n_images=200``."""
        return tuple(self.parameters.get("set", ()))

    def summary(self) -> dict[str, Any]:
        """Return what a list of runs shows."""
        return {
            "name": self.name,
            "made": self.made,
            "index": self.evaluation.index,
            "method": self.evaluation.method,
            "set": self.settings,
            "groundtruth": self.groundtruth,
            "groundtruth_sha256": self.groundtruth_sha256,
            **self.evaluation.figures(),
        }


def runs_folder() -> Path:
    """Return where runs lie."""
    return artifacts.artifacts_folder() / "runs"


def _path(name: str) -> Path:
    return runs_folder() / f"{artifacts.check_name(name)}.json"


def _parameters(index: Index, method: str, tuning: Tuning) -> dict[str, Any]:
    """Return everything that was chosen and that the ranking depends on."""
    told: dict[str, Any]
    if (both := methods.fused_of(method)) is not None:
        told = _parameters(index, both.words, tuning)
        told["parts"] |= _parameters(index, both.vectors, tuning)["parts"]
        return told | {"fusion": "rank" if both.by_rank else "score"}
    told = {
        "extraction": index.extraction.to_json(),
        "codebook": dataclasses.asdict(index.codebook.params),
        "codebook_digest": index.manifest["parts"]["codebook"]["digest"],
    }
    if method in methods.VECTORS and method not in encode.STORED:
        told["weights"] = dataclasses.asdict(encode.WeightParams())
    if method in methods.AGGREGATED:
        name = "asmk" if method == methods.ASMK else "turn"
        told[name] = dataclasses.asdict(getattr(tuning, name))
    elif method not in methods.VECTORS and not methods.is_embedding(method):
        told["shortlist"] = dataclasses.asdict(tuning.shortlist)
    if method == methods.VERIFIED or methods.expands(method):
        told["rerank"] = dataclasses.asdict(tuning.rerank)
    if method == methods.AVERAGED:
        told["average"] = dataclasses.asdict(tuning.average)
        told["least_score"] = calibration.of(index).least_score
    if method == methods.EXPANDED:
        accepted = calibration.of(index).least_score
        told["expand"] = dataclasses.asdict(tuning.expand) | {"least_score": accepted}
    told["set"] = [setting for setting in changes(tuning) if setting.split(".")[0] in told]
    parts = index.manifest["parts"]
    told["parts"] = {p: parts[p].get("parameters", {}) for p in methods.parts_read(method)}
    return told


def content_read(index: Index, method: str) -> str:
    """Return a digest of what a method reads of an index: other parts may change beside it."""
    parts = index.manifest["parts"]
    read = {"images", "codebook", *methods.parts_read(method)}
    both = methods.fused_of(method)
    if (both.words if both else method) in (methods.VERIFIED, methods.AVERAGED, methods.EXPANDED):
        read.add(calibration.PART)
    told = {
        place: entry["sha256"]
        for part in sorted(read & parts.keys())
        for place, entry in artifacts.entries({part: parts[part]})
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    """Wait for the right to add a run; a dead writer's right ends with it."""
    folder = runs_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _free_name(index: str, method: str, made: datetime.datetime) -> str:
    """Return a plain name that no run has: the index's, shortened if need be, method and time."""
    tail = f"-{method.replace('+', '-')[:40]}-{made:%Y%m%d-%H%M%S}"
    again = 1
    while True:
        ending = tail if again == 1 else f"{tail}-{again}"
        name = artifacts.check_name(index[: 64 - len(ending)] + ending)
        if not _path(name).exists():
            return name
        again += 1


def keep(index: Index, evaluation: Evaluation, groundtruth: Path, tuning: Tuning = USUAL) -> Run:
    """Write an evaluation down.

    Parameters
    ----------
    index : Index
        On which it was made.
    evaluation : Evaluation
        From `evaluate.evaluate`.
    groundtruth : Path
        The csv that it was measured with.
    tuning : Tuning
        With which it was made.

    Returns
    -------
    Run

    Raises
    ------
    ArtifactError
        If it cannot be written.
    GroundTruthError
        If the csv cannot be read any more.
    """
    try:
        digest = hashlib.sha256(groundtruth.read_bytes()).hexdigest()
    except OSError as error:
        told = tr("{path} cannot be read: {why}", path=groundtruth, why=reason(error))
        raise GroundTruthError(told) from None
    named = {r.image_id for q in evaluation.results for r in q.ranked}
    named |= {q.image_id for q in evaluation.results if q.image_id is not None}
    named |= {image_id for q in evaluation.results for image_id in q.right_ids}
    made = datetime.datetime.now(datetime.UTC)
    try:
        with _locked():
            run = Run(
                name=_free_name(evaluation.index, evaluation.method, made),
                made=made.isoformat(timespec="seconds"),
                index_stamp=index.stamp,
                catalogue=index.manifest["parts"]["images"]["catalogue"]["sha256"],
                groundtruth=groundtruth.name,
                groundtruth_sha256=digest,
                parameters=_parameters(index, evaluation.method, tuning)
                | {"content_read": content_read(index, evaluation.method)},
                versions=artifacts.library_versions(),
                paths={i: index.images[i].path for i in sorted(named)},
                evaluation=evaluation,
            )
            artifacts.write_bytes(_path(run.name), to_bytes(run))
    except OSError as error:
        folder, why = runs_folder(), reason(error)
        told = tr("the run cannot be kept in {folder}: {why}", folder=folder, why=why)
        raise ArtifactError(told) from None
    return run


def to_bytes(run: Run) -> bytes:
    """Return a run as it stands in its file."""
    content = dataclasses.asdict(run)
    evaluation = content.pop("evaluation")
    for told in evaluation["results"]:
        told["ranked"] = [list(place.values()) for place in told["ranked"]]
    held = {"kind": KIND, "schema_version": SCHEMA_VERSION, **content, "evaluation": evaluation}
    # What is hashed must be what JSON gives back: there, keys are texts and tuples lists.
    held = json.loads(json.dumps(held))
    held["sha256"] = artifacts.manifest_digest(held)
    return json.dumps(held, ensure_ascii=True, separators=(",", ":")).encode()


def list_runs() -> list[str]:
    """Return the names of all runs, the oldest first."""
    folder = runs_folder()
    if not folder.is_dir():
        return []
    found = []
    for path in folder.glob("*.json"):
        with contextlib.suppress(ValueError, FileNotFoundError):  # no run's name, or just deleted
            found.append((path.stat().st_mtime_ns, artifacts.check_name(path.stem)))
    return [name for _, name in sorted(found)]


def open_run(name: str) -> Run:
    """Read a run.

    Raises
    ------
    ArtifactError
        If there is none, or it is damaged or of another version.
    """
    path = _path(name)
    try:
        held = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ArtifactError(_none(name)) from None
    except (OSError, ValueError, RecursionError) as error:
        why = tr("{path} cannot be read ({why}).", path=path, why=reason(error))
        raise _unreadable(name, why) from None
    if not isinstance(held, dict) or held.get("kind") != KIND:
        raise _unreadable(name, tr("{path} does not describe a run.", path=path))
    if held.get("schema_version") not in READABLE:
        why = tr(
            "{path} has schema version {version!r}, this program reads {versions} and {last}.",
            path=path,
            version=held.get("schema_version"),
            versions=", ".join(map(str, READABLE[:-1])),
            last=READABLE[-1],
        )
        raise _unreadable(name, why)
    if held.get("sha256") != artifacts.manifest_digest(held):
        why = tr("{path} is damaged: its checksum does not fit.", path=path)
        raise _unreadable(name, why)
    try:
        return _from_json(held)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        why = tr("{path} does not hold a whole run ({error!r}).", path=path, error=error)
        raise _unreadable(name, why) from None


def _none(name: str) -> str:
    command = "python -m engine runs"
    return tr("there is no run {name!r}. {command!r} lists them", name=name, command=command)


def _unreadable(name: str, why: str) -> ArtifactError:
    mend = tr(
        "Delete it with {command!r} and evaluate again",
        command=f"python -m engine runs --delete {name}",
    )
    return ArtifactError(sentences(why, mend))


def _from_json(held: dict[str, Any]) -> Run:
    content = {
        key: value for key, value in held.items() if key not in ("kind", "schema_version", "sha256")
    }
    told = content.pop("evaluation")
    results = tuple(
        QueryResult(
            **(
                row
                | {
                    "first": tuple(row["first"]),
                    "right_ranks": tuple(row["right_ranks"]),
                    "right_ids": tuple(row.get("right_ids", ())),
                    "ranked": tuple(Result(*place) for place in row["ranked"]),
                    "direct": _accepted(row.get("direct")),
                    "added": _accepted(row.get("added")),
                }
            )
        )
        for row in told["results"]
    )
    content["paths"] = {int(image_id): path for image_id, path in content["paths"].items()}
    return Run(**content, evaluation=Evaluation(told["index"], told["method"], results))


def _accepted(counted: dict[str, int] | None) -> Accepted | None:
    return None if counted is None else Accepted(**counted)


def delete_run(name: str) -> None:
    """Delete a run, also one that cannot be read.

    Raises
    ------
    ArtifactError
        If there is none, or it cannot be deleted.
    """
    path = _path(name)
    try:
        path.unlink()
    except FileNotFoundError:
        raise ArtifactError(_none(name)) from None
    except OSError as error:
        told = tr("{path} cannot be deleted: {why}", path=path, why=reason(error))
        raise ArtifactError(told) from None
