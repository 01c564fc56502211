"""Query and result side by side, with their matches as lines."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import patches
from engine.errors import ImageError
from engine.explanation import COUNTS, FATES
from engine.language import mark, tr
from engine.verify import Geometry
from ui import opened, query, urls, words
from ui.components import Side, pair
from ui.why.asked import Asked
from ui.why.view import ALL, COUNTED, LINES, MOST_AREAS, N_FEW, Area, go

SIDE = 1280
MOST = 1500  # lines; more are a wall, and take long to send
PATCH = 96
NOT_COUNTED = {
    "turned": mark("does not count: it turns otherwise than the picture as a whole"),
    "beyond": mark(
        "does not count: it was not looked at: too many are better, or too many pictures"
    ),
    "off": mark(
        "does not count: it does not lie where the map says, or is turned or sized otherwise"
    ),
    "double": mark("does not count: it stands beside a better one"),
}


def show(asked: Asked) -> None:
    """Show both pictures; a line that is clicked is looked at."""
    shown, here, of = asked.shown, asked.here, asked.drawn.matches
    entry = shown.images[asked.result]
    rows = drawn(asked)
    chosen = _chosen(asked, rows)
    if of is not None and len(of) > N_FEW:
        _choose_lines(asked)
    pair(
        Side(urls.query(shown, here.link, SIDE), *asked.size),
        Side(urls.picture(shown, asked.result, SIDE), entry.width, entry.height),
        "pair",
        _label(asked, len(rows)),
        lambda place: _pick(asked, int(rows[place])),
        lambda area: _paint(asked, area),
        [] if of is None else [_numbers(asked, i) for i in rows.tolist()],
        [] if of is None else [told(asked, i) for i in rows.tolist()],
        _points(asked),
        None if asked.drawn.affine is None else asked.drawn.affine.ravel().tolist(),
        here.areas,
        chosen,
        here.link.word if here.link.word is not None and here.link.word < shown.n_words else None,
    )
    name = words.plain(query.name(shown, here.link))
    st.caption(
        _told(name, has_lines=of is not None, cut=of is not None and len(of) > len(rows) == MOST)
        if asked.explained.dimensions is None
        else tr("The query, {name}, and the result.", name=name)
    )
    if asked.drawn is not asked.explained:
        told_of = tr(
            "The lines are those of {method}, whose own score of this result is {score}.",
            method=asked.drawn.method,
            score=words.score(asked.drawn.method, asked.drawn.score),
        )
        st.caption(told_of)
    if chosen is not None:
        _match(asked, int(rows[chosen]))


def _told(name: str, *, has_lines: bool, cut: bool) -> str:
    """Say what stands here; `cut`: not all lines are drawn that were asked for."""
    if not has_lines:
        return tr(
            "The query, {name}, and the result. Choose a word to see its keypoints in both.",
            name=name,
        )
    if cut:
        return tr(
            "The query, {name}, and the result. The {n:,} lines that add most or are nearest. A "
            "full line is a match that counts, a broken one does not. Click a line, or press n, to "
            "look at it.",
            name=name,
            n=MOST,
        )
    return tr(
        "The query, {name}, and the result. A full line is a match that counts, a broken one does "
        "not. Click a line, or press n, to look at it.",
        name=name,
    )


def drawn(asked: Asked) -> NDArray[np.int64]:
    """Return the matches that are drawn, those that add most first."""
    of = asked.drawn.matches
    if of is None:
        return np.zeros(0, np.int64)
    order = of.order
    if asked.here.lines == ALL:
        return order[:MOST]
    counted: NDArray[np.int64] = order[of.fates[order] == COUNTS]
    if asked.here.lines == COUNTED:
        return counted[:MOST]
    return counted[:N_FEW] if len(counted) else order[:N_FEW]


def _choose_lines(asked: Asked) -> None:
    """Show which lines are drawn; the choice stands in the address."""
    key = "choose-lines"
    st.session_state[key] = asked.here.lines
    st.segmented_control(
        tr("Lines"),
        list(LINES),
        format_func=lambda lines: tr(LINES[lines]),
        key=key,
        on_change=lambda: go(lines=st.session_state[key]),
        required=True,
        label_visibility="collapsed",
    )


def _label(asked: Asked, n_drawn: int) -> str:
    name = asked.shown.images[asked.result].shown
    if n_drawn == 0:
        return tr(
            "The query beside {name}. Plus and minus zoom, arrows move, n and p step through the "
            "matches.",
            name=name,
        )
    return tr(
        "The query beside {name} with {n} lines between matching keypoints. Plus and minus zoom, "
        "arrows move, n and p step through the matches.",
        name=name,
        n=n_drawn,
    )


def _numbers(asked: Asked, i: int) -> list[float]:
    """Return a match as the pair takes it."""
    of = asked.drawn.matches
    assert of is not None
    sides = [
        round(float(value), 1)
        for side in (of.query, of.database)
        for value in (*side.xy[i], side.size[i], side.angle[i])
    ]
    return [*sides, round(float(of.values[i]), 4), int(of.fates[i]), int(of.word_ids[i])]


def told(asked: Asked, i: int) -> str:
    """Say what one match is."""
    of = asked.drawn.matches
    assert of is not None
    parts = [
        tr("Word {word}", word=of.word_ids[i]),
        tr("{n} of 128 bits differ", n=of.distances[i]),
    ]
    if of.fates[i] == COUNTS:
        share = of.values[i] / asked.drawn.score if asked.drawn.score else 0.0
        parts.append(tr("adds {value:.3f} ({share:.1%})", value=of.values[i], share=share))
        if not np.isnan(of.residuals[i]):
            parts.append(tr("{n:.1f} px from where the map says", n=of.residuals[i]))
    else:
        parts.append(tr(NOT_COUNTED[FATES[of.fates[i]]]))
    if of.sources[i] >= 0:
        source = asked.shown.images[of.sources[i]].shown
        parts.append(tr("carried over from {name}", name=source))
    return " · ".join(parts)


def _points(asked: Asked) -> tuple[list[list[float]], list[list[float]]]:
    """Return the keypoints of the chosen word in both pictures."""
    word = asked.here.link.word
    if word is None or word >= asked.shown.n_words:
        return [], []
    ours = np.flatnonzero(asked.query_words == word)
    theirs = np.flatnonzero(asked.shown.words(asked.result).word_ids == word)
    found = asked.shown.keypoints(asked.result)
    stored = Geometry(found.xy, found.size, found.angle)
    return _places(asked.query, ours), _places(stored, theirs)


def _places(of: Geometry, rows: NDArray[np.int64]) -> list[list[float]]:
    columns = np.column_stack((of.xy[rows], of.size[rows], of.angle[rows]))
    rounded: list[list[float]] = np.round(columns.astype(float), 1).tolist()
    return rounded


def _pick(asked: Asked, row: int) -> None:
    """Choose a match, and its word with it."""
    of = asked.drawn.matches
    assert of is not None
    go(word=int(of.word_ids[row]), match=(int(of.query_rows[row]), int(of.database_rows[row])))


def _chosen(asked: Asked, rows: NDArray[np.int64]) -> int | None:
    """Return the place of the chosen match among those that are drawn."""
    of, match = asked.drawn.matches, asked.here.match
    if of is None or match is None:
        return None
    found = (of.query_rows[rows] == match[0]) & (of.database_rows[rows] == match[1])
    return int(found.argmax()) if found.any() else None


def _paint(asked: Asked, area: Area) -> None:
    """Leave a part of the query out; the oldest part comes back where there are too many."""
    left, top, right, bottom = area
    if left < right and top < bottom:
        go(areas=(*asked.here.areas, area)[-MOST_AREAS:], match=None)


def _match(asked: Asked, i: int) -> None:
    """Show the two patches of a match: what was carried over is shown in its own picture."""
    of, shown = asked.drawn.matches, asked.shown
    assert of is not None
    source = int(of.sources[i])
    left, right, rest = st.columns([1, 1, 4], vertical_alignment="center")
    try:
        if source < 0:
            rgb = opened.describe_unchanged(shown, asked.here.link).image.rgb
            patch = _patch(asked, rgb, of.query, i)
            left.image(patch, caption=tr("In the query"), width=PATCH, alt=tr("The query's patch"))
        else:
            rows = np.array([source_row(asked, i)])
            stored = shown.keypoints(source)
            there = Geometry(stored.xy[rows], stored.size[rows], stored.angle[rows])
            patch = _patch(asked, opened.pixels(shown, source), there, 0)
            caption = tr("In {name}", name=words.plain(asked.name_of(source)))
            alt = tr("The patch that was carried over from {name}", name=asked.name_of(source))
            left.image(patch, caption=caption, width=PATCH, alt=alt)
        rgb = opened.pixels(shown, asked.result)
        patch = _patch(asked, rgb, of.database, i)
        right.image(patch, caption=tr("In the result"), width=PATCH, alt=tr("The result's patch"))
    except ImageError as error:
        rest.caption(words.plain(str(error)))
    rest.markdown(told(asked, i))


def source_row(asked: Asked, i: int) -> int:
    """Return the keypoint that a match's side of the query was carried over from.

    It is the keypoint of the same word that lies nearest to where the map from the query to the
    picture it comes from says.
    """
    of, expansion = asked.drawn.matches, asked.answer.expansion
    assert of is not None and expansion is not None
    source = int(of.sources[i])
    affine = next(view.affine for view in expansion.views if view.image_id == source)
    place = affine[:, :2] @ of.query.xy[i] + affine[:, 2]
    held = np.flatnonzero(asked.shown.words(source).word_ids == of.word_ids[i])
    apart = np.linalg.norm(asked.shown.keypoints(source).xy[held] - place, axis=1)
    return int(held[apart.argmin()])


def _patch(asked: Asked, rgb: NDArray[np.uint8], of: Geometry, i: int) -> NDArray[np.uint8]:
    part = slice(i, i + 1)
    angles = asked.shown.extraction.patch_angles(of.angle[part])
    cut: NDArray[np.uint8] = patches.cut(rgb, of.xy[part], of.size[part], angles, PATCH)[0]
    return cut
