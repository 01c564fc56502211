"""All methods on one ground truth, rung by rung: what each step adds, and what it costs."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import artifacts, evaluate, methods, statistics, upkeep
from engine.evaluate import Evaluation, Progress
from engine.groundtruth import Query
from engine.index import Index
from engine.statistics import Interval
from engine.tuning import USUAL, Tuning


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """How much mAP rose from one rung to the next.

    Attributes
    ----------
    before : str
        The method of the rung below.
    difference : float
        Of mAP.
    interval, interval_landmarks : tuple of float
        95 %, paired bootstrap over queries, and over landmarks.
    """

    before: str
    difference: float
    interval: Interval
    interval_landmarks: Interval


@dataclasses.dataclass(frozen=True, slots=True)
class Rung:
    """One method on the ladder.

    Attributes
    ----------
    name : str
        One of `methods.METHODS`.
    evaluation : Evaluation or None
        None where it could not be measured.
    step : Step or None
        From the measured rung below; None for the first.
    bytes_per_image : float or None
        On disk, of what the method reads of every image (`methods.READS`).
    build_cpu_seconds : float or None
        Of building the index and adding the parts that the method needs; None where it is not
        known (an index built before that was kept).
    missing : tuple of str
        The parts that the index lacks.
    add : str or None
        The command that adds the first of them.
    error : str or None
        Why it could not be measured.
    """

    name: str
    evaluation: Evaluation | None
    step: Step | None = None
    bytes_per_image: float | None = None
    build_cpu_seconds: float | None = None
    missing: tuple[str, ...] = ()
    add: str | None = None
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the rung in plain values; figures only where it was measured."""
        told: dict[str, Any] = {"name": self.name, "error": self.error}
        if self.evaluation is None:
            return told | {"missing": self.missing, "add": self.add}
        told |= self.evaluation.figures()
        del told["features_cpu_seconds"]  # the ladder's, see `features_cpu_seconds`
        return told | {
            "step": None if self.step is None else dataclasses.asdict(self.step),
            "bytes_per_image": self.bytes_per_image,
            "build_cpu_seconds": self.build_cpu_seconds,
            "missing": (),
        }


def climb(
    index: Index,
    queries: Sequence[Query],
    chosen: Sequence[str] = methods.METHODS,
    progress: Progress | None = None,
    tuning: Tuning = USUAL,
) -> list[Rung]:
    """Measure methods in order, each against the one before that could be measured.

    Parameters
    ----------
    index : Index
        The collection.
    queries : sequence of Query
        From `groundtruth.read`. Each picture is described once for all methods.
    chosen : sequence of str
        Some of `methods.METHODS`.
    progress : callable or None
        Told how many queries of how many are done.
    tuning : Tuning
        Parameters of the methods.

    Returns
    -------
    list of Rung
        In the order of `chosen`. A method for which the index lacks a part, or that fails, is
        there, unmeasured.
    """
    known = [methods.check_method(method, index.parts) for method in chosen]
    missing = {method: methods.lacking(method, index.parts) for method in known}
    able = [method for method in chosen if not missing[method]]
    faults: dict[str, str] = {}
    evaluations = evaluate.evaluate_all(index, queries, able, progress, tuning, faults)
    measured = {e.method: e for e in evaluations}
    rungs: list[Rung] = []
    below: Evaluation | None = None
    for method in chosen:
        if missing[method]:
            add = methods.adding(missing[method][0], index.name)
            error = f"the index lacks {', '.join(missing[method])}. Add it with: {add}"
            rungs.append(Rung(method, None, missing=missing[method], add=add, error=error))
            continue
        if method in faults:
            rungs.append(Rung(method, None, error=faults[method]))
            continue
        evaluation = measured[method]
        step = None if below is None else _step(below, evaluation)
        costs = bytes_per_image(index, method), build_cpu_seconds(index, method)
        rungs.append(Rung(method, evaluation, step, *costs))
        below = evaluation
    return rungs


def _step(below: Evaluation, above: Evaluation) -> Step:
    old, new = below.values("average_precision"), above.values("average_precision")
    landmarks = [result.landmark for result in above.results]
    return Step(
        before=below.method,
        difference=above.mean("average_precision") - below.mean("average_precision"),
        interval=statistics.paired_interval(old, new),
        interval_landmarks=statistics.paired_interval(old, new, groups=landmarks),
    )


def bytes_per_image(index: Index, method: str) -> float:
    """Return how many bytes on disk an image takes in what the method reads of every image."""
    total = 0
    for place, entry in artifacts.entries(index.manifest["parts"]):
        part, _, array = place.replace("/arrays/", "/").partition("/")
        if part in methods.reads(method) or f"{part}/{array}" in methods.reads(method):
            total += (index.folder / entry["file"]).stat().st_size
    return total / max(1, index.n_images)


def build_cpu_seconds(index: Index, method: str) -> float | None:
    """Return the CPU seconds of the build and of the parts that a method needs; None if unknown."""
    costs = index.manifest.get(upkeep.CPU_SECONDS, {})
    read = methods.parts_read(method)
    parts = [p for p in read if p in methods.OPTIONAL or p.startswith(methods.EMBEDDING)]
    told = [costs.get(part) for part in (upkeep.BUILD, *parts)]
    return None if None in told else sum(told)


def features_cpu_seconds(rungs: Sequence[Rung]) -> float | None:
    """Return the median CPU seconds of describing a query; None if no rung had to."""
    told = [r.evaluation.values("features_cpu_seconds") for r in rungs if r.evaluation is not None]
    return max((float(np.median(seconds)) for seconds in told), default=0.0) or None
