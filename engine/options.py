"""Kinds of options that several commands share."""

import argparse
import contextlib
from pathlib import Path
from typing import Any

from engine import artifacts, index, methods, models
from engine.errors import EngineError


def positive(text: str) -> int:
    """Read a whole number from 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


def name(text: str) -> str:
    """Read the plain name of an index, a codebook or a run."""
    try:
        return artifacts.check_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def method_names(text: str) -> tuple[str, ...]:
    """Read names of methods, parted by commas, each once."""
    chosen = tuple(method(one.strip()) for one in text.split(","))
    if len(set(chosen)) < len(chosen):
        raise argparse.ArgumentTypeError(f"a method stands twice in {text!r}")
    return chosen


def model(text: str) -> str:
    """Read the name of a model; methods of words keep theirs."""
    try:
        if text in methods.METHODS:
            raise ValueError(f"{text!r} is the name of a method: choose another for a model")
        return models.check_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def method(text: str) -> str:
    """Read the name of a method, of a model, or of vectors that some index holds."""
    try:
        return methods.check_method(text, () if text in methods.METHODS else _held())
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _held() -> set[str]:
    """Return the parts of all indexes; an index that cannot be read has none."""
    held: set[str] = set()
    for name in index.list_indexes():
        with contextlib.suppress(EngineError):
            held |= artifacts.read_manifest(index.index_folder(name), "index", "")["parts"].keys()
    return held


def method_option(
    parser: argparse.ArgumentParser,
    told: str,
    default: str | None = None,
    by_model: bool = False,
) -> None:
    """Let a command choose one ranking method; `by_model`, the vectors of a model too."""
    flags, choices = ("--method", "--weighting"), methods.METHODS
    if not by_model:
        parser.add_argument(*flags, dest="method", choices=choices, default=default, help=told)
        return
    told = f"{told}: {', '.join(choices)}, a model by name, or both as verified+MODEL"
    metavar = "METHOD"
    parser.add_argument(
        *flags, dest="method", type=method, default=default, metavar=metavar, help=told
    )
    told = "by the vectors of this model, see 'models'"
    parser.add_argument("--model", dest="method", type=method, help=told)


def measured_options(parser: argparse.ArgumentParser) -> None:
    """Let a command measure an index on a ground truth."""
    parser.add_argument("name", type=name, help="index")
    parser.add_argument("groundtruth", type=Path, help="csv with query,relevant,label")
    parser.add_argument("--no-keep", action="store_true", help="do not keep the run")
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE",
        help="other parameters of the methods, as rerank.n_images=200 (a wrong name lists them)",
    )


def tuning(args: argparse.Namespace) -> Any:
    """Return the `Tuning` that was set; an EngineError if that cannot be done."""
    from engine.tuning import tune

    try:
        return tune(args.set)
    except ValueError as error:
        raise EngineError(f"--set: {error}") from None
