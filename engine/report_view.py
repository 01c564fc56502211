"""Two pictures and the lines between what matches, as SVG: side by side, and stacked."""

import dataclasses
import html

import numpy as np

from engine import account
from engine.explanation import COUNTS, Explanation
from engine.language import tr, trn

N_LINES = 50
_BOX = 800  # units of the longer side of each picture
_GAP = 16


def text(value: str) -> str:
    """Escape a text for HTML; what cannot be printed stands as Python writes it."""
    return html.escape("".join(c if c.isprintable() else repr(c)[1:-1] for c in value))


@dataclasses.dataclass(frozen=True, slots=True)
class Side:
    """One of the two pictures.

    Attributes
    ----------
    key : str
        Its id in the page.
    name : str
        What it is called, not escaped.
    size : tuple of int
        Width and height of the original, in pixels.
    source : str or None
        An address that holds the picture itself; None where its pixels are gone.
    """

    key: str
    name: str
    size: tuple[int, int]
    source: str | None

    @property
    def scale(self) -> float:
        """Units of the drawing a pixel of the original."""
        return _BOX / max(self.size)

    @property
    def box(self) -> tuple[float, float]:
        """Width and height in the drawing."""
        return self.size[0] * self.scale, self.size[1] * self.scale


def define(*sides: Side) -> str:
    """Return the pictures, once, for every drawing of the page to use by their keys."""
    drawn, gone = [], text(tr("file gone or changed"))
    for side in sides:
        width, height = side.size
        if side.source is None:
            shape = (
                f'<g id="{side.key}"><rect width="{width}" height="{height}" fill="#808080"/>'
                f'<text x="{width / 2:g}" y="{height / 2:g}" text-anchor="middle" fill="#000000" '
                f'font-size="{max(side.size) / 24:g}">{gone}</text></g>'
            )
        else:
            shape = (
                f'<image id="{side.key}" width="{width}" height="{height}" '
                f'preserveAspectRatio="none" href="{side.source}"/>'
            )
        drawn.append(shape)
    hidden = 'width="0" height="0" class="hidden" aria-hidden="true"'
    return f"<svg {hidden}><defs>{''.join(drawn)}</defs></svg>"


def matched(left: Side, right: Side, explained: Explanation) -> tuple[str, int]:
    """Draw two pictures and the matches that add most.

    Returns
    -------
    str
        Two drawings, one for wide and one for narrow pages.
    int
        Matches that are drawn.
    """
    rows: list[int] = []
    of = explained.matches
    if of is not None:
        rows = of.order[:N_LINES].tolist()
    beside = (left.box[0] + _GAP, 0.0)
    below = (0.0, left.box[1] + _GAP)
    return (
        _drawing(left, right, explained, rows, "side", beside)
        + _drawing(left, right, explained, rows, "stacked", below),
        len(rows),
    )


def _drawing(
    left: Side,
    right: Side,
    explained: Explanation,
    rows: list[int],
    kind: str,
    at: tuple[float, float],
) -> str:
    width = max(left.box[0], at[0] + right.box[0])
    height = max(left.box[1], at[1] + right.box[1])
    lines = [_line(left, right, explained, i, at) for i in reversed(rows)]  # the best on top
    names = {"query": left.name, "result": right.name}
    told = tr("{query} and {result}", **names)
    if rows:
        told = trn(
            "{query} and {result}, with lines between {n:,} match",
            "{query} and {result}, with lines between {n:,} matches",
            len(rows),
            **names,
        )
    return (
        f'<svg class="{kind}" viewBox="0 0 {width:.1f} {height:.1f}" role="img" '
        f'aria-label="{text(told)}">'
        f'<use href="#{left.key}" transform="scale({left.scale:.6g})"/>'
        f'<use href="#{right.key}" transform="translate({at[0]:.1f} {at[1]:.1f}) '
        f'scale({right.scale:.6g})"/>{"".join(lines)}</svg>'
    )


def _line(left: Side, right: Side, explained: Explanation, i: int, at: tuple[float, float]) -> str:
    of = explained.matches
    assert of is not None
    x1, y1 = ((of.query.xy[i].astype(float) + 0.5) * left.scale).tolist()
    x2, y2 = ((of.database.xy[i].astype(float) + 0.5) * right.scale + np.array(at)).tolist()
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    counts = of.fates[i] == COUNTS
    value = float(of.values[i])
    word = int(of.word_ids[i])
    if counts:
        adds, share = account.number(explained.method, value), account.share(value, explained)
        told = tr("word {word}: adds {adds}, {share}", word=word, adds=adds, share=share)
    else:
        told = tr("word {word}: does not count", word=word)
    return (
        f'<g class="{"counts" if counts else "other"}"><title>{text(told)}</title>'
        f'<line class="rim" {ends}/><line class="core" {ends}/></g>'
    )
