"""What the command line prints: results on stdout, progress and messages on stderr."""

import contextlib
import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from engine import calibration, methods
from engine.codes import MOST_CENTRES
from engine.errors import EngineError
from engine.features import KINDS
from engine.index import Index
from engine.pool import Progress


def printable(text: str) -> str:
    """Return a file's name or message with everything escaped that could move a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def say(text: str) -> None:
    """Tell a person something, on stderr."""
    print(printable(text), file=sys.stderr, flush=True)


def put(text: str = "") -> None:
    """Print a result on stdout."""
    print(printable(text))


def interval(interval: Sequence[float], spec: str = ".3f") -> str:
    """Return the two ends of an interval as they are printed."""
    return f"{interval[0]:{spec}} to {interval[1]:{spec}}"


def put_json(value: Any) -> None:
    """Print a result on stdout for programs."""
    print(json.dumps(value, indent=1, allow_nan=False))


class Bars:
    """Progress of a build as one tqdm bar a stage."""

    def __init__(self) -> None:
        self._stage: str | None = None
        self._bar: Any = None

    def __call__(self, progress: Progress) -> None:
        """Show how far a build is."""
        from tqdm import tqdm

        if progress.stage != self._stage:
            self.close()
            self._stage = progress.stage
            if progress.total == 0:
                say(f"{progress.stage} ...")
        if progress.total and self._bar is None:
            self._bar = tqdm(
                total=progress.total,
                initial=progress.done,
                desc=progress.stage,
                unit="picture",
                file=sys.stderr,
                dynamic_ncols=True,
            )
        if self._bar is not None:
            skipped = f"{progress.n_skipped} skipped" * (progress.n_skipped > 0)
            self._bar.set_postfix_str(skipped, refresh=False)
            self._bar.update(progress.done - self._bar.n)

    def close(self) -> None:
        """End the bar that is being drawn."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


@contextlib.contextmanager
def bar(total: int | None, what: str = "Queries") -> Iterator[Callable[..., None]]:
    """Draw a bar on stderr; what is yielded is told how many are done, and of how many."""
    from tqdm import tqdm

    with tqdm(total=total, desc=what, file=sys.stderr, leave=False) as drawn:

        def told(done: int, of: int | None = total) -> None:
            drawn.total = of
            drawn.update(done - drawn.n)

        yield told


def add_graph(name: str, n_threads: int | None = None) -> int:
    """Give an index the graph of its pictures, under a bar; return how many pairs it joins."""
    from engine.graph import make_graph
    from engine.pool import available_cores

    with bar(None, "Pictures matched with all others") as progress:
        made = make_graph(name, n_threads=n_threads or available_cores(), progress=progress)
    return len(made.targets) // 2


def add_residuals(name: str, n_threads: int | None = None) -> int:
    """Give an index the residuals of its words, under a bar; return how many rows there are."""
    from engine.aggregate import make_residuals
    from engine.pool import available_cores

    with bar(None, "Pictures added up word by word") as progress:
        made = make_residuals(name, n_threads=n_threads or available_cores(), progress=progress)
    if made.centres.shape[1] < MOST_CENTRES:
        say(
            f"The collection is small: the product codes of vlad-codes have "
            f"{made.centres.shape[1]} centres instead of {MOST_CENTRES}. "
            "vlad and asmk do without them."
        )
    return len(made.image_ids)


ADDING: Mapping[str, Callable[[str], int]] = {"residuals": add_residuals, "graph": add_graph}


def say_skipped(opened: Index) -> None:
    """Tell which files an index leaves out, and why."""
    if opened.skipped:
        say(f"\nSkipped {len(opened.skipped)} files:")
        for skipped in opened.skipped:
            say(f"  {skipped.path}: {skipped.reason}")


def summary(opened: Index) -> dict[str, Any]:
    """Return what an index holds, in plain values."""
    training = opened.codebook.training
    n_bytes = sum(path.stat().st_size for path in opened.folder.iterdir() if path.is_file())
    return {
        "name": opened.name,
        "folder": str(opened.root),
        "n_images": opened.n_images,
        "n_skipped": len(opened.skipped),
        "n_keypoints": opened.n_keypoints,
        "n_words": opened.n_words,
        "method": opened.method,
        "extraction": opened.extraction.to_json(),
        "codebook": {**dataclasses.asdict(opened.codebook.params), **training},
        "calibration": _calibrated(opened),
        "parts": sorted(opened.manifest["parts"]),
        "models": methods.embedded(opened.parts),
        "n_bytes": n_bytes,
    }


def _calibrated(opened: Index) -> dict[str, Any] | None:
    """Return from which score results of an index count as the same thing; None if by a guess."""
    if calibration.PART not in opened.parts:
        return None
    try:
        told = calibration.of(opened)
    except EngineError as error:
        return {"error": str(error)}
    names = ("least_score", "rate", "earlier_graph")
    return {name: getattr(told, name) for name in names} | {"error": None}


def say_earlier_graph(opened: Index) -> None:
    """Tell if an index was calibrated when its graph had other edges."""
    told = _calibrated(opened)
    if told is not None and told.get("earlier_graph"):
        say(
            "The index was calibrated when its graph had other edges. Measure its least score "
            f"again: {calibration.again(opened.name)}"
        )


def put_summary(told: dict[str, Any]) -> None:
    """Print what `summary` gave."""
    training = told["codebook"]
    put(f"{told['name']}: {told['n_images']:,} images in {told['folder']}")
    put(f"  keypoints    {told['n_keypoints']:,}")
    put(f"  words        {told['n_words']:,}, ranking {told['method']}")
    put(
        f"  learned      on {training['n_descriptors']:,} descriptors of {training['n_images']:,} "
        f"images by {training['algorithm']}, mean squared distance {training['distortion']:.5f}"
    )
    extraction = told["extraction"]
    settings = extraction.get("surf") or extraction["sift"]
    title = KINDS[extraction["feature"]]
    put(f"  {title:<12} {', '.join(f'{k} {v}' for k, v in settings.items())}")
    if told["models"]:
        put(f"  vectors      by {', '.join(told['models'])}")
    if told["calibration"] is not None:
        put(f"  same thing   {_same_thing(told['calibration'], told['name'])}")
    put(f"  skipped      {told['n_skipped']}")
    put(f"  on disk      {told['n_bytes'] / 1e6:,.1f} MB")


def _same_thing(told: dict[str, Any], name: str) -> str:
    """Say what the calibration of an index is, and whether it is of the graph that it has."""
    if told["error"] is not None:
        return str(told["error"])
    said = f"from a verified score of {told['least_score']:.2f}, measured"
    if told["earlier_graph"] is None:
        return f"{said}; with which graph was not kept"
    if told["earlier_graph"]:
        return f"{said} with an earlier graph; again: {calibration.again(name)}"
    return f"{said} with this graph"
