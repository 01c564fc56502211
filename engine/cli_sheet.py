"""The option of a query that saves what was found as one picture."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from engine import artifacts, index
from engine.errors import EngineError, reason
from engine.terminal import say

if TYPE_CHECKING:
    from engine.answer import Answer
    from engine.images import Image


def add_option(parser: argparse.ArgumentParser) -> None:
    """Let a command save a sheet."""
    told = "save the results as one picture, PNG or JPEG by its name (with -k 30)"
    parser.add_argument("--sheet", type=Path, metavar="FILE", help=told)


def n_results(args: argparse.Namespace, usual: int) -> int:
    """Return how many results a command gives; what asks for no sheet that can be is refused.

    Raises
    ------
    ValueError
        If the sheet's name is no picture's, or more results are asked for than it holds.
    EngineError
        If its folder is not there.
    """
    if args.sheet is None:
        return int(args.k or usual)
    from engine import sheet

    sheet.check_path(args.sheet)
    if (args.k or 0) > sheet.MOST:
        raise ValueError(f"a sheet holds at most {sheet.MOST} pictures, got -k {args.k}")
    if not args.sheet.parent.is_dir():
        raise EngineError(
            f"{args.sheet} cannot be written: there is no folder {args.sheet.parent}. Make it first"
        )
    return int(args.k or sheet.N_PICTURES)


def save(
    opened: index.Index,
    args: argparse.Namespace,
    answer: "Answer",
    image: "Image | None",
    image_id: int | None,
) -> None:
    """Save the sheet of an answer, if one is asked for; a file of that name is replaced.

    Parameters
    ----------
    opened : Index
    args : argparse.Namespace
        Of the command.
    answer : Answer
    image : Image or None
        The query, if it is a file.
    image_id : int or None
        The query, if it is a picture of the index.
    """
    if args.sheet is None:
        return
    from engine import sheet

    if image is not None:
        asked = sheet.Asked(image.name, image.rgb)
    else:
        assert image_id is not None
        asked = sheet.of_image(opened, image_id)
    numbers = answer.ranking.scores if answer.distances is None else answer.distances
    entries = [
        sheet.Entry(i, f"{numbers[place if answer.distances is None else i]:.3f}")
        for place, i in enumerate(answer.ranking.image_ids.tolist())
    ]
    made = sheet.encode(sheet.make(opened, asked, answer, entries), sheet.check_path(args.sheet))
    try:
        artifacts.write_bytes(args.sheet, made)
    except (OSError, ValueError) as error:
        raise EngineError(f"{args.sheet} cannot be written: {reason(error)}") from None
    say(f"Saved {args.sheet}: {len(entries)} pictures")
