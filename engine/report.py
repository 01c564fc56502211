"""One HTML file that shows why a picture stands where it does: nothing in it is fetched.

It needs no scripts, and its policy lets none run. Whatever comes from outside, names of files
above all, is escaped. It is well-formed XML too, so that a strict parser can check it.
"""

import dataclasses
from base64 import b64encode

import numpy as np
from numpy.typing import NDArray

from engine import account, draw, heat, images, language
from engine.answer import Answer
from engine.explanation import COUNTS, Explanation
from engine.index import Index
from engine.language import sentences, tr, trn
from engine.report_style import STYLE
from engine.report_view import N_LINES, Side, define, matched, text

SIDE = 800  # pixels of the longer side of the two pictures
SMALL_SIDE = 640  # of heat, and of the result laid on the query
N_WORDS = 10
MOST_BYTES = 600_000
_QUALITIES = (82, 60, 35)  # of JPEG: the first that fits, else the last
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A query as a report shows it.

    Attributes
    ----------
    name : str
        What it is called.
    size : tuple of int
        Width and height, in pixels.
    rgb : (H, W, 3) uint8 array or None
        Its pixels; None where they are gone.
    xy : (N, 2) float32 array
        Its keypoints, in pixels.
    word_ids : (N,) int32 array
        Their words.
    """

    name: str
    size: tuple[int, int]
    rgb: NDArray[np.uint8] | None
    xy: NDArray[np.float32]
    word_ids: NDArray[np.int32]


def make(
    index: Index,
    query: Shown,
    answer: Answer,
    explained: Explanation,
    result: NDArray[np.uint8] | None,
) -> bytes:
    """Make a report.

    Parameters
    ----------
    index : Index
        The collection.
    query : Shown
    answer : Answer
        Of a search for it.
    explained : Explanation
        Of one result.
    result : (h, w, 3) uint8 array or None
        Pixels of that; None where its file is gone or has changed.

    Returns
    -------
    bytes
        An HTML file in UTF-8. Pictures are stored the rougher the more they would take beyond
        600 KB.
    """
    page = b""
    for quality in _QUALITIES:
        page = _page(index, query, answer, explained, result, quality).encode()
        if len(page) <= MOST_BYTES:
            break
    return page


def _page(
    index: Index,
    query: Shown,
    answer: Answer,
    explained: Explanation,
    result: NDArray[np.uint8] | None,
    quality: int,
) -> str:
    entry = index.images[explained.image_id]
    left = Side("query", query.name, query.size, _inlined(query.rgb, SIDE, quality))
    size = (entry.width, entry.height)
    right = Side("result", entry.shown, size, _inlined(result, SIDE, quality))
    sections = [
        _head(index, query, answer, explained),
        _matches(index, left, right, explained),
        _heat(query, explained, quality),
        _laid(query, entry.shown, explained, result, quality),
        _words(index, query, explained, quality),
        _sum(index, explained),
    ]
    title = text(tr("Why {picture}", picture=entry.shown))
    tag = language.TAGS[language.spoken()]
    return (
        f'<!DOCTYPE html>\n<html lang="{tag}"><head><meta charset="utf-8"/>'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body>{define(left, right)}<main>\n"
        + "\n".join(section for section in sections if section)
        + "\n</main></body></html>\n"
    )


def _inlined(rgb: NDArray[np.uint8] | None, side: int, quality: int) -> str | None:
    """Return an address that holds a picture itself."""
    if rgb is None:
        return None
    jpeg = images.encode_jpeg(images.shrink(rgb, side), quality)
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode()}"


def _img(rgb: NDArray[np.uint8], alt: str, quality: int, name: str = "") -> str:
    height, width = rgb.shape[:2]
    named = f' class="{name}"' if name else ""
    source = _inlined(rgb, max(width, height), quality)
    return f'<img{named} src="{source}" width="{width}" height="{height}" alt="{text(alt)}"/>'


def _head(index: Index, query: Shown, answer: Answer, explained: Explanation) -> str:
    name = index.images[explained.image_id].shown
    told = [
        account.meaning(index, answer, explained.image_id),
        account.made(answer, explained),
    ]
    mapped = account.mapped(explained)
    if mapped is not None:
        told.append(
            tr("By the map that its matches agree on, it is {mapped} in the result.", mapped=mapped)
        )
    rows = "".join(f"<p>{text(line)}</p>" for line in told)
    heading = tr("{picture}: {place}", picture=name, place=account.headline(explained))
    found = tr(
        "Found for {query} in the collection {collection}, by the method {method}.",
        query=query.name,
        collection=index.name,
        method=explained.method,
    )
    return f'<h1>{text(heading)}</h1><p class="quiet">{text(found)}</p>{rows}'


def _matches(index: Index, left: Side, right: Side, explained: Explanation) -> str:
    drawn, n_drawn = matched(left, right, explained)
    fates = [
        trn("{n:,} match: {what}", "{n:,} matches: {what}", n, what=what)
        for n, what in account.fates(explained)
    ]
    rows = [f"<li>{text(fate)}</li>" for fate in fates]
    notes = []
    n = 0 if explained.matches is None else len(explained.matches)
    if n:
        if n_drawn == N_LINES < n:
            told = tr(
                "Drawn are {n_drawn:,} of {n:,} matches, the {n_drawn:,} that add most.",
                n_drawn=n_drawn,
                n=n,
            )
        else:
            told = trn(
                "Drawn are {n_drawn:,} of {n:,} match.",
                "Drawn are {n_drawn:,} of {n:,} matches.",
                n,
                n_drawn=n_drawn,
            )
        notes = [told, tr("Solid lines count, dashed thin ones do not.")]
    note = f'<p class="quiet">{text(sentences(*notes))}</p>' if notes else ""
    listed = f"<ul>{''.join(rows)}</ul>" if rows else ""
    unmatched = explained.matches is None
    heading = text(tr("The two pictures") if unmatched else tr("The two pictures, matched"))
    return f"<section><h2>{heading}</h2>{drawn}{note}{listed}</section>"


def _heat(query: Shown, explained: Explanation, quality: int) -> str:
    if explained.words is None and explained.matches is None:
        return ""  # by a network, in part or alone: of no number is it known where it comes from
    xy, values = heat.places(explained, query.xy, query.word_ids)
    title = text(tr("Where in the query the score comes from"))
    heading = f"<section><h2>{title}</h2>"
    if not (values > 0).any():
        nothing = tr("Nothing in the query adds to the score.")
        return f"{heading}<p>{text(nothing)}</p></section>"
    scale = min(1.0, SMALL_SIDE / max(query.size))
    rgb = _shrunk(query, scale)
    drawn = draw.heat(rgb, xy, values, scale)
    colours = ", ".join(f"rgb({r}, {g}, {b})" for r, g, b in draw.HEAT)
    method = explained.method
    lies = account.number(method, float(values.sum()))
    told = [tr("{value} of the score lies in the query.", value=lies)]
    if explained.terms:
        told.append(tr("The rest has no place there."))
    if (values < 0).any():
        less = account.number(method, float(values[values < 0].sum()))
        told.append(tr("Words that oppose each other take {less}; they show no heat.", less=less))
    alt = tr("{query}, brighter where more of the score comes from", query=query.name)
    scale_told = tr("little to much.")
    return (
        f"{heading}<figure>{_img(drawn, alt, quality)}"
        f'<figcaption><span class="scale" style="background: linear-gradient(to right, {colours})">'
        f"</span> {text(scale_told)} "
        f'<span class="quiet">{text(sentences(*told))}</span></figcaption>'
        "</figure></section>"
    )


def _shrunk(query: Shown, scale: float) -> NDArray[np.uint8]:
    """Return the query at a scale; plain grey where its pixels are gone."""
    if query.rgb is not None:
        return images.shrink(query.rgb, max(1, round(max(query.size) * scale)))
    width, height = (max(1, round(side * scale)) for side in query.size)
    return np.full((height, width, 3), 128, np.uint8)


def _laid(
    query: Shown,
    name: str,
    explained: Explanation,
    result: NDArray[np.uint8] | None,
    quality: int,
) -> str:
    if explained.affine is None or result is None or query.rgb is None:
        return ""
    scale = min(1.0, SMALL_SIDE / max(query.size))
    below = _shrunk(query, scale)
    size = (below.shape[1], below.shape[0])
    drawn = draw.warp(result, explained.affine, size, query_scale=scale)
    alt = tr("{picture}, laid on the query by the map that the matches agree on", picture=name)
    box = f'viewBox="0 0 {query.size[0]} {query.size[1]}" role="img"'
    title, asked = tr("The result laid on the query"), tr("The query")
    reaches = tr("The result, as the map lays it; grey where it does not reach")
    return (
        f'<section><h2>{text(title)}</h2><div class="pair">'
        f'<figure><svg {box} aria-label="{text(query.name)}"><use href="#query"/></svg>'
        f"<figcaption>{text(asked)}</figcaption></figure>"
        f"<figure>{_img(drawn, alt, quality)}<figcaption>{text(reaches)}</figcaption></figure>"
        "</div></section>"
    )


def _words(index: Index, query: Shown, explained: Explanation, quality: int) -> str:
    lines, others = account.words(index, explained, query.word_ids, N_WORDS)
    if not lines:
        return ""
    method, idf = explained.method, index.idf
    rows = []
    for line in lines:
        alt = tr("Patches of word {word}", word=line.word)
        tile = _img(draw.word_tile(index, line.word), alt, quality, "tile")
        rows.append(
            f'<tr><td>{tile}</td><th scope="row">{line.word}</th>'
            f"<td>{account.number(method, line.value)}</td>"
            f"<td>{account.share(line.value, explained)}</td><td>{idf[line.word]:.2f}</td>"
            f"<td>{line.n_query:,}</td><td>{line.n_picture:,}</td></tr>"
        )
    if others is not None:
        rows.append(
            f'<tr><th scope="row" colspan="2">{text(others.told)}</th>'
            f"<td>{account.number(method, others.value)}</td>"
            f"<td>{account.share(others.value, explained)}</td><td></td><td></td><td></td></tr>"
        )
    notes = [
        tr(
            "Idf tells how rare the word is, in nats; Query and Result, how many keypoints of it "
            "there are."
        )
    ]
    if explained.matches is not None:
        notes.append(
            tr(
                "Words are those of the result's keypoints; a keypoint of the query is also "
                "compared under words that are near to its own."
            )
        )
    title = text(tr("Words that add most"))
    columns = (
        *(tr("Patches"), tr("Word"), tr("Adds"), tr("Share"), tr("Idf")),
        *(tr("Query"), tr("Result")),
    )
    return (
        f"<section><h2>{title}</h2>"
        f'<div class="wide" role="region" aria-label="{title}" tabindex="0"><table>'
        f"<thead><tr>{_titles(*columns)}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
        f'<p class="quiet">{text(sentences(*notes))}</p></section>'
    )


def _titles(*columns: str) -> str:
    """Return the cells over a table's columns."""
    return "".join(f'<th scope="col">{text(column)}</th>' for column in columns)


def _sum(index: Index, explained: Explanation) -> str:
    method = explained.method
    rows = [
        f'<tr><th scope="row">{text(part.told)}</th><td>{account.number(method, part.value)}</td>'
        f"<td>{account.share(part.value, explained)}</td></tr>"
        for part in account.parts(index, explained)
    ]
    total = account.number(method, explained.total)
    counts = explained.matches is not None and (explained.matches.fates == COUNTS).any()
    note = ""
    if counts and explained.factors is not None:
        told = tr(
            "The part that matches make is one number of all of them; each match gets the share of "
            "it that its weight has."
        )
        note = f'<p class="quiet">{text(told)}</p>'
    columns = _titles(tr("Part"), tr("Adds"), tr("Share"))
    title, together = tr("The sum"), tr("All parts together: the score")
    return (
        f'<section><h2>{text(title)}</h2><table class="sum"><thead><tr>{columns}</tr>'
        f"</thead><tbody>{''.join(rows)}</tbody><tfoot><tr>"
        f'<th scope="row">{text(together)}</th><td>{total}</td>'
        f"<td>{account.share(explained.total, explained)}</td></tr></tfoot></table>{note}</section>"
    )
