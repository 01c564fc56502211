"""Kinds of options that several commands share."""

import argparse

from engine import artifacts, methods


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
