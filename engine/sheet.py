"""One picture of what a search found: the query, and below it rows of five results.

Each stands with its place, its distance or score, and the name of its file, as on the sheets of
the original system: thirty pictures are six rows.
"""

import dataclasses
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

from engine import images, language, lettering
from engine.answer import Answer
from engine.errors import ImageError
from engine.index import Index
from engine.language import mark, tr, trn

COLUMNS = 5
N_PICTURES = 30  # as the original's sheets held
MOST = 200
PICTURE = (320, 240)  # the room for a picture, in pixels
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
_QUALITY = 92
_GAP = 20
_TEXT, _TITLE = 19, 30  # sizes of letters
_LINE = 26
_CELL = (PICTURE[0] + _GAP, PICTURE[1] + 2 * _LINE + _GAP)
_HEAD = PICTURE[1] + 2 * _GAP
_PAPER, _INK, _QUIET = (255, 255, 255), (24, 24, 24), (96, 96, 96)
_ROOM, _MISSING, _RULE = (242, 242, 242), (200, 200, 200), (220, 220, 220)
GONE, CHANGED, BROKEN = mark("file gone"), mark("file changed"), mark("cannot be read")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A query as a sheet shows it.

    Attributes
    ----------
    name : str
        What it is called.
    picture : (H, W, 3) uint8 array or str
        Its pixels, at any size; one of GONE, CHANGED, BROKEN where there are none.
    """

    name: str
    picture: NDArray[np.uint8] | str


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One result: the picture, and its score as it is told, or the distance told instead."""

    image_id: int
    told: str


def check_path(path: Path) -> str:
    """Return the format that a file's name asks for, "PNG" or "JPEG"; else raise a ValueError."""
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise ValueError(
            f"{path.name} is neither PNG nor JPEG: a sheet's name ends with {', '.join(FORMATS)}"
        )
    return found


def box(place: int) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the room for the picture at a place, from 1."""
    row, column = divmod(place - 1, COLUMNS)
    left, top = _GAP + column * _CELL[0], _HEAD + _GAP + row * _CELL[1]
    return left, top, left + PICTURE[0], top + PICTURE[1]


def query_box() -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the room for the query."""
    return _GAP, _GAP, _GAP + PICTURE[0], _GAP + PICTURE[1]


def make(index: Index, asked: Asked, answer: Answer, entries: Sequence[Entry]) -> Pillow.Image:
    """Make a sheet.

    Parameters
    ----------
    index : Index
        The collection.
    asked : Asked
        The query.
    answer : Answer
        What was found.
    entries : sequence of Entry
        The results to show, best first, at most `MOST`.

    Returns
    -------
    Pillow.Image
        RGB, as long as needed. A picture whose file is gone, has changed since the collection was
        built, or cannot be read, is grey and says so.

    Raises
    ------
    ValueError
        If there are more results than a sheet holds.
    """
    if len(entries) > MOST:
        raise ValueError(f"a sheet holds at most {MOST} pictures, got {len(entries)}")
    # In English, where the fonts lack the letters of the language that is spoken.
    readable = lettering.covers(tr(GONE) + tr("Method: {method}", method=""))
    with language.speaking(language.spoken() if readable else language.ENGLISH):
        return _drawn(index, asked, answer, entries)


def encode(sheet: Pillow.Image, kind: str) -> bytes:
    """Return a sheet as a file: "PNG", or "JPEG" of high quality."""
    buffer = io.BytesIO()
    if kind == "PNG":
        sheet.save(buffer, kind, compress_level=4)
    else:  # letters keep their colour only where it is stored as finely as brightness
        sheet.save(buffer, kind, quality=_QUALITY, subsampling=0)
    return buffer.getvalue()


def small(index: Index, image_id: int) -> NDArray[np.uint8] | str:
    """Return a picture of the collection as a sheet needs it, or in one word why it has none."""
    entry, path = index.images[image_id], index.picture_path(image_id)
    try:
        rgb, sha256 = images.read_draft(path, max(PICTURE))
    except ImageError:
        return BROKEN if path.is_file() else GONE
    return rgb if sha256 == entry.sha256 else CHANGED


def of_image(index: Index, image_id: int) -> Asked:
    """Return a picture of the collection as a query."""
    return Asked(index.images[image_id].shown, small(index, image_id))


def _drawn(index: Index, asked: Asked, answer: Answer, entries: Sequence[Entry]) -> Pillow.Image:
    n_rows = math.ceil(len(entries) / COLUMNS)
    size = (COLUMNS * _CELL[0] + _GAP, _HEAD + n_rows * _CELL[1] + _GAP * bool(n_rows))
    sheet = Pillow.new("RGB", size, _PAPER)
    on = ImageDraw.Draw(sheet)
    _paste(sheet, on, query_box(), asked.picture)
    left, y = query_box()[2] + _GAP, _GAP + _TITLE
    lettering.write(on, (left, y), _short(asked.name, size[0] - left, _TITLE), _TITLE, _INK)
    y += _LINE // 2
    for line in _lines(index, answer, len(entries)):
        y += _LINE + 4
        lettering.write(on, (left, y), _short(line, size[0] - left), _TEXT, _QUIET)
    on.line((_GAP, _HEAD, size[0] - _GAP, _HEAD), _RULE)
    for place, entry in enumerate(entries, 1):
        _paste(sheet, on, box(place), small(index, entry.image_id))
        _name(on, index, place, entry.image_id, _told(answer, entry))
    return sheet


def _short(text: str, room: float, size: int = _TEXT) -> str:
    return lettering.shorten(text, room - _GAP, size)


def _told(answer: Answer, entry: Entry) -> str:
    """Return what is told of a result: of a network's cosine, the distance too."""
    if not _has_both(answer):
        return entry.told
    assert answer.working.compared is not None
    return f"{entry.told} · {answer.working.compared.distances[entry.image_id]:.3f}"


def _has_both(answer: Answer) -> bool:
    """Tell whether a network's vectors alone are compared, and their cosine is the score told."""
    working = answer.working
    return working.compared is not None and working.fused is None and answer.distances is None


def _lines(index: Index, answer: Answer, n_shown: int) -> list[str]:
    """Say what was asked, and what the sheet shows."""
    if answer.distances is not None:
        told = tr("Below each picture: its place, its distance from the query, its file")
    elif _has_both(answer):
        told = tr("Below each picture: its place, its score and distance from the query, its file")
    else:
        told = tr("Below each picture: its place, its score, its file")
    return [
        tr("Query"),
        tr("Method: {method}", method=answer.method),
        tr("Collection: {collection}", collection=index.name),
        trn(
            "{n_shown} most similar of {n:,} image",
            "{n_shown} most similar of {n:,} images",
            answer.n_images,
            n_shown=n_shown,
        ),
        told,
    ]


def _paste(
    sheet: Pillow.Image,
    on: ImageDraw.ImageDraw,
    room: tuple[int, int, int, int],
    found: NDArray[np.uint8] | str,
) -> None:
    """Put a picture in the middle of its room, or a grey one with a word."""
    left, top, right, bottom = room
    if isinstance(found, str):
        on.rectangle((left, top, right - 1, bottom - 1), _MISSING)
        word = tr(found)
        at = ((left + right - lettering.width(word, _TEXT)) / 2, (top + bottom + _TEXT) / 2)
        lettering.write(on, at, word, _TEXT, _INK)
        return
    on.rectangle((left, top, right - 1, bottom - 1), _ROOM)
    height, width = found.shape[:2]
    scale = min(PICTURE[0] / width, PICTURE[1] / height, 1.0)
    picture = images.shrink(found, max(1, round(scale * max(width, height))))
    tall, wide = picture.shape[:2]
    at_corner = ((left + right - wide) // 2, (top + bottom - tall) // 2)
    sheet.paste(Pillow.fromarray(np.ascontiguousarray(picture)), at_corner)


def _name(on: ImageDraw.ImageDraw, index: Index, place: int, image_id: int, told: str) -> None:
    """Write below a picture what it is."""
    left, _, right, bottom = box(place)
    lettering.write(on, (left, bottom + _LINE), str(place), _TEXT, _INK)
    from_left = right - lettering.width(told, _TEXT)
    lettering.write(on, (from_left, bottom + _LINE), told, _TEXT, _INK)
    name = index.images[image_id].shown.rsplit("/", 1)[-1]
    if not lettering.covers(name):  # what is left of it might be another picture's as well
        name = f"#{image_id} {name}"
    short = lettering.shorten(name, PICTURE[0], _TEXT)
    lettering.write(on, (left, bottom + 2 * _LINE - 2), short, _TEXT, _QUIET)
