"""Kinds of options that several commands share."""

import argparse
from pathlib import Path
from typing import Any

from engine import artifacts, methods
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
    try:
        chosen = tuple(methods.check_method(one.strip()) for one in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if len(set(chosen)) < len(chosen):
        raise argparse.ArgumentTypeError(f"a method stands twice in {text!r}")
    return chosen


def method_option(parser: argparse.ArgumentParser, told: str, default: str | None = None) -> None:
    """Let a command choose one ranking method."""
    flags, choices = ("--method", "--weighting"), methods.METHODS
    parser.add_argument(*flags, dest="method", choices=choices, default=default, help=told)


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
