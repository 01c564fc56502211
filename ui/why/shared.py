"""The words that both pictures hold, by what they add, and one of them looked at."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import patches
from engine.errors import ImageError
from engine.index import Index
from engine.language import tr, trn
from engine.verify import Geometry
from ui import link, opened, urls, words
from ui.components import Cell, Row, table
from ui.why.asked import Asked
from ui.why.view import MOST_OFF, go

FEW, MORE = 10, 100
N_PATCHES = 6
PATCH = 72


def show(asked: Asked) -> None:
    """Show the shared words in a table; a click looks at one."""
    found = asked.words
    st.subheader(tr("Words that both hold"), help=tr(words.TERMS["word"]), anchor=False)
    if len(found.values) == 0:
        st.caption(tr("No word that both hold adds anything to this score."))
        return
    many = st.session_state.setdefault("many-words", False)
    n_shown = min(MORE if many else FEW, len(found.values))
    held = _counts(asked.shown.words(asked.result).word_ids, asked.shown.n_words)
    ours = _counts(asked.query_words, asked.shown.n_words)
    score = asked.explained.score
    places = list(range(n_shown))
    chosen = np.flatnonzero(found.word_ids == asked.here.link.word).tolist()
    places += [place for place in chosen if place >= n_shown]  # stands below the others
    rows = [
        _row(asked, int(word), float(value), score, int(ours[word]), int(held[word]))
        for word, value in zip(found.word_ids[places], found.values[places])
    ]
    heading = [tr("Word"), tr("Adds"), tr("Share"), "idf", tr("In the query"), tr("In the result")]
    table(heading, rows, "shared", tr("Words that both hold, by what they add"), heading[1:])
    rest = float(found.values[n_shown:].sum())
    if n_shown < len(found.values):
        n_left = len(found.values) - n_shown
        st.caption(
            trn(
                "{n:,} further word together: {value:.3f}.",
                "{n:,} further words together: {value:.3f}.",
                n_left,
                value=rest,
            )
        )
        if not many and st.button(tr("Show more words")):
            st.session_state["many-words"] = True
            st.rerun()
    st.caption(tr(words.TERMS["idf"]))


def _counts(word_ids: NDArray[np.int32], n_words: int) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = np.bincount(word_ids, minlength=n_words)
    return counts


def _row(asked: Asked, word: int, value: float, score: float, ours: int, theirs: int) -> Row:
    shown = asked.shown
    name, label = tr("Word {word}", word=word), tr("Word {word}: look at it", word=word)
    cells = (
        Cell(name, asked.here.href(word=word), urls.word(shown, word), label=label),
        Cell(f"{value:.4f}"),
        Cell(f"{value / score:.1%}" if score else "–"),
        Cell(f"{shown.idf[word]:.2f}"),
        Cell(f"{ours:,}"),
        Cell(f"{theirs:,}"),
    )
    return Row(cells, "▸" if word == asked.here.link.word else None)


def one(asked: Asked) -> None:
    """Show the chosen word: its keypoints' patches in both pictures, and a way to leave it out."""
    word = asked.here.link.word
    if word is None or word >= asked.shown.n_words:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{tr('Word {word}', word=word)}**", width="content")
        if word in asked.here.off:
            off = tuple(w for w in asked.here.off if w != word)
            st.button(tr("Take it in again"), on_click=go, kwargs={"off": off})
        elif len(asked.here.off) < MOST_OFF:
            off = tuple(sorted((*asked.here.off, word)))
            st.button(tr("Leave it out"), on_click=go, kwargs={"off": off, "match": None})
        link.page_link("vocabulary", tr("Open the word"))
        st.button(tr("All words"), on_click=go, kwargs={"word": None, "match": None})
    image_id = asked.here.link.image_id
    try:
        rgb = opened.describe_unchanged(asked.shown, asked.here.link).image.rgb
        _patches(asked.shown, tr("In the query"), rgb, asked.query, asked.query_words == word)
    except ImageError as error:
        if image_id is None:
            raise
        st.caption(words.plain(str(error)))
    try:
        rgb = opened.pixels(asked.shown, asked.result)
    except ImageError as error:
        st.caption(words.plain(str(error)))
        return
    stored = asked.shown.keypoints(asked.result)
    geometry = Geometry(stored.xy, stored.size, stored.angle)
    chosen = asked.shown.words(asked.result).word_ids == word
    _patches(asked.shown, tr("In the result"), rgb, geometry, chosen)


def _patches(
    shown: Index, title: str, rgb: NDArray[np.uint8], of: Geometry, chosen: NDArray[np.bool_]
) -> None:
    """Show the largest patches of some keypoints of a picture."""
    rows = np.flatnonzero(chosen)
    told = trn("{where}: {n:,} keypoint", "{where}: {n:,} keypoints", len(rows), where=title)
    st.caption(told)
    rows = rows[np.argsort(-of.size[rows], kind="stable")][:N_PATCHES]
    if len(rows) == 0:
        return
    angles = shown.extraction.patch_angles(of.angle[rows])
    cut = patches.cut(rgb, of.xy[rows], of.size[rows], angles, PATCH)
    strip = np.concatenate(
        [np.pad(one, ((0, 0), (0, 4), (0, 0)), constant_values=255) for one in cut], 1
    )
    alt = tr("{where}: {n} patches of the word", where=title, n=len(rows))
    st.image(strip, width=(PATCH + 4) * len(rows), alt=alt)
