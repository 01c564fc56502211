"""The command that takes one score apart: explain."""

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine import account, artifacts, images, index, options
from engine.errors import EngineError, ImageError
from engine.terminal import put, put_json, say

if TYPE_CHECKING:
    from engine.answer import Answer
    from engine.explanation import Explanation

N_WORDS = 10

Command: TypeAlias = Callable[
    [str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser
]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A query that was searched for.

    Attributes
    ----------
    answer : Answer
        Every picture ranked.
    size : tuple of int
        Width and height of the query, in pixels.
    rgb : (H, W, 3) uint8 array or None
        Its pixels; None where the file of a picture of the index is gone or has changed.
    xy : (N, 2) float32 array
        Its keypoints.
    word_ids : (N,) int32 array
        Their words.
    """

    answer: "Answer"
    size: tuple[int, int]
    rgb: NDArray[np.uint8] | None
    xy: NDArray[np.float32]
    word_ids: NDArray[np.int32]


def explain(args: argparse.Namespace) -> int:
    """Say why a picture stands where it does: its score taken apart."""
    from engine import explain as taken
    from engine.explanation import to_json

    opened = index.open_index(args.name)
    asked = _ask(opened, args.picture, args.method)
    image_id = _result(opened, asked.answer, args.result)
    try:
        explained = taken.explain(opened, asked.answer, image_id)
    except ValueError as error:
        path = opened.images[image_id].path
        raise EngineError(f"{path} has no place in the ranking: {error}") from None
    if args.html is not None:
        _write(opened, args, asked, explained)
    if args.json:
        told = to_json(explained, opened)
        put_json({"query": args.picture, **told, "total": explained.total})
    elif args.html is None:
        _put(opened, args.picture, asked, explained)
    else:
        put(str(args.html))
    return 0


def _write(
    opened: index.Index, args: argparse.Namespace, asked: Asked, explained: "Explanation"
) -> None:
    """Write one page about it; a file of that name is replaced."""
    from engine import report

    entry = opened.images[explained.image_id]
    result = None
    try:
        image = images.read(opened.picture_path(explained.image_id))
        result = image.rgb if image.sha256 == entry.sha256 else None
    except ImageError:
        pass
    if result is None:
        say(f"The file of {entry.path} is gone or has changed: the page shows it grey.")
    shown = report.Shown(Path(args.picture).name, asked.size, asked.rgb, asked.xy, asked.word_ids)
    page = report.make(opened, shown, asked.answer, explained, result)
    try:
        artifacts.write_bytes(args.html, page)
    except (OSError, ValueError) as error:
        told = getattr(error, "strerror", None) or error
        raise EngineError(f"{args.html} cannot be written: {told}") from None


def _ask(opened: index.Index, picture: str, method: str | None) -> Asked:
    """Search for a file or a picture of the index."""
    from engine import pipeline

    image_id = None if Path(picture).is_file() else opened.find_image(picture)
    image = images.read(Path(picture)) if image_id is None else None
    pipeline.warm_up(say)
    if image is not None:
        described: pipeline.QueryFeatures | None = pipeline.describe_query(opened, image)
    else:
        assert image_id is not None
        described = pipeline.describe_image(opened, image_id)
    if described is not None:
        answer = pipeline.search_query(opened, described, method, None)
        height, width = described.image.gray.shape
        xy, word_ids = described.features.xy, described.words.word_ids
        return Asked(answer, (width, height), described.image.rgb, xy, word_ids)
    assert image_id is not None
    answer = pipeline.search_stored(opened, image_id, method, None)
    xy, word_ids = opened.keypoints(image_id).xy, opened.words(image_id).word_ids
    entry = opened.images[image_id]
    return Asked(answer, (entry.width, entry.height), None, xy, word_ids)


def _result(opened: index.Index, answer: "Answer", key: str) -> int:
    """Find the picture that is asked about: by its path or sha256, else by its place."""
    image_id = opened.find_image(key)
    if image_id is not None:
        return image_id
    ids = answer.ranking.image_ids
    if len(ids) == 0:
        raise EngineError(
            f"the index {opened.name!r} holds nothing but the query: nothing is ranked"
        )
    if key.isascii() and key.isdigit() and 1 <= int(key) <= len(ids):
        return int(ids[int(key) - 1])
    raise EngineError(
        f"the index {opened.name!r} has no picture {key!r}. Give the path of one as 'query' "
        f"prints it, or its place in the ranking, from 1 to {len(ids)}"
    )


def _put(opened: index.Index, picture: str, asked: Asked, explained: "Explanation") -> None:
    """Print an explanation for people."""
    method = explained.method
    path = opened.images[explained.image_id].path
    put(f"{path}: {account.headline(explained)}, by {method} for {picture}")
    put(f"  {account.meaning(opened, asked.answer, explained.image_id)}")
    put(f"  {account.made(asked.answer, explained)}")
    mapped = account.mapped(explained)
    if mapped is not None:
        put(f"  By the map that its matches agree on, it is {mapped} in the picture.")
    fates = account.fates(explained)
    if fates:
        put("matches")
        for n, told in fates:
            put(f"{n:>8,}  {told}")
    lines, others = account.words(opened, explained, asked.word_ids, N_WORDS)
    if lines:
        put("words that add most")
        for line in lines:
            keypoints = f"{line.n_query} keypoints in the query, {line.n_picture} in the picture"
            _put_part(explained, line.value, f"word {line.word}: {keypoints}")
        if others is not None:
            _put_part(explained, others.value, others.told)
    put("the sum")
    for part in account.parts(opened, explained):
        _put_part(explained, part.value, part.told)
    total = account.number(method, explained.total)
    put(f"{total:>10}  all parts together; the score is {account.number(method, explained.score)}")


def _put_part(explained: "Explanation", value: float, told: str) -> None:
    put(
        f"{account.number(explained.method, value):>10}  "
        f"{account.share(value, explained):>7}  {told}"
    )


def add_command(command: Command) -> None:
    """Add this command to the parser that `command` adds to."""
    asked = command("explain", explain, "explain holidays photo.jpg 1 --html why.html")
    asked.add_argument("name", type=options.name, help="index")
    asked.add_argument("picture", metavar="query", help="a file, or a picture of the index")
    asked.add_argument(
        "result",
        nargs="?",
        default="1",
        help="a picture of the index, or else its place in the ranking (1, the best)",
    )
    asked.add_argument("--html", type=Path, metavar="FILE", help="write one page to look at")
    options.method_option(asked, "how to rank (the index's own)", by_model=True)
