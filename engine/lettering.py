"""Lines of text on pictures: whatever letters a file's name has, in the fonts that there are.

Pillow brings one font, with the letters of English alone; it looks the same everywhere. What it
lacks is taken from fonts of the system. What none has is not drawn as a box: an accented letter
loses its accents, and any other becomes an ellipsis.
"""

import functools
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

# Looked for by name where a system keeps its fonts: letters of Europe, then Chinese ones.
OTHERS = (
    *("DejaVuSans.ttf", "LiberationSans-Regular.ttf", "segoeui.ttf", "arial.ttf", "Arial.ttf"),
    *("NotoSansCJK-Regular.ttc", "NotoSansSC-Regular.otf", "SourceHanSansSC-Regular.otf"),
    *("wqy-microhei.ttc", "wqy-zenhei.ttc", "DroidSansFallbackFull.ttf"),
    *("PingFang.ttc", "Hiragino Sans GB.ttc", "STHeiti Light.ttc", "Arial Unicode.ttf"),
    *("msyh.ttc", "simsun.ttc"),
)
ELLIPSIS = "…"
_NOTHING = "\uffff"  # no font has it


@functools.cache
def _names() -> tuple[str, ...]:
    """Return the files of those fonts of OTHERS that are there."""
    from PIL import ImageFont

    found = []
    for name in OTHERS:
        try:
            found.append(str(ImageFont.truetype(name, 16).path))
        except OSError:
            continue
    return tuple(found)


@functools.lru_cache(maxsize=16)
def _fonts(size: int) -> "tuple[FreeTypeFont, ...]":
    """Return the fonts there are, in the order in which they are asked for a letter."""
    from PIL import ImageFont

    brought = ImageFont.load_default(size)
    if not isinstance(brought, ImageFont.FreeTypeFont):  # a Pillow built without FreeType
        raise RuntimeError("Pillow has no FreeType: install it anew with: pip install Pillow")
    return (brought, *(ImageFont.truetype(path, size) for path in _names()))


@functools.lru_cache(maxsize=4096)
def _font_of(letter: str) -> int | None:
    """Return the place of the first font that has a letter; None if none has."""
    if letter.isspace():
        return 0
    for place, font in enumerate(_fonts(16)):
        found, lacking = font.getmask(letter), font.getmask(_NOTHING)
        if found.size != lacking.size or bytes(found) != bytes(lacking):
            return place
    return None


def covers(text: str) -> bool:
    """Tell whether the fonts there are hold every letter of a text."""
    return all(_font_of(letter) is not None for letter in unicodedata.normalize("NFC", text))


def drawable(text: str) -> str:
    """Return a text in letters that the fonts have: without an accent, or with an ellipsis."""
    made = ""
    for letter in unicodedata.normalize("NFC", " ".join(text.split())):
        parts = unicodedata.normalize("NFKD", letter)
        plain = "".join(part for part in parts if not unicodedata.combining(part))
        if _font_of(letter) is not None:
            made += letter
        elif plain and covers(plain):
            made += plain
        elif not made.endswith(ELLIPSIS):
            made += ELLIPSIS
    return made


def _runs(text: str) -> list[tuple[int, str]]:
    """Part a text into runs of one font each."""
    runs: list[tuple[int, str]] = []
    for letter in drawable(text):
        place = _font_of(letter) or 0
        if letter.isspace() and runs:
            place = runs[-1][0]
        if runs and runs[-1][0] == place:
            runs[-1] = (place, runs[-1][1] + letter)
        else:
            runs.append((place, letter))
    return runs


def width(text: str, size: int) -> float:
    """Return how many pixels a line takes."""
    return sum(_fonts(size)[place].getlength(run) for place, run in _runs(text))


def shorten(text: str, room: float, size: int) -> str:
    """Return a line that takes at most `room` pixels: its middle is left out, not its end."""
    text = drawable(text)
    if width(text, size) <= room:
        return text
    low, high = 0, len(text) - 1  # letters that may be kept
    while low < high:
        kept = (low + high + 1) // 2
        low, high = (kept, high) if width(_cut(text, kept), size) <= room else (low, kept - 1)
    return _cut(text, low)


def _cut(text: str, kept: int) -> str:
    """Return the first and the last letters of a text, `kept` together."""
    after = max(kept // 2, min(4, kept - 1), 0)  # what kind of file it is, above all
    return f"{text[: kept - after]}{ELLIPSIS}{text[len(text) - after :]}"


def write(
    on: "ImageDraw", at: tuple[float, float], text: str, size: int, colour: tuple[int, int, int]
) -> None:
    """Draw a line; `at` is where its first letter's baseline begins."""
    x, y = at
    for place, run in _runs(text):
        font = _fonts(size)[place]
        on.text((x, y), run, fill=colour, font=font, anchor="ls")
        x += font.getlength(run)
