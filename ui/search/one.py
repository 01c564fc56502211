"""One ranking: what it says in one line, and its pictures."""

import streamlit as st

from engine import embedding_search, methods
from engine.answer import Answer
from engine.index import Index
from engine.language import tr, trn
from ui import opened, results, words
from ui.components import gallery
from ui.search import saving
from ui.search.find import find
from ui.search.view import View

N_NEAREST = embedding_search.N_RESULTS  # of a network's vectors, as the original showed
FEW = 4
MORE = 20


def show(shown: Index, here: View, drawn: bool) -> None:
    """Show the most similar pictures."""
    method = opened.method_of(shown, here.link)
    if method == methods.EXPANDED and not opened.is_answered(shown, here.link, method):
        first = find(shown, here.link, methods.VERIFIED)
        if first is None:
            return
        _ranking(shown, here, first, drawn)
        with st.spinner(tr("Looking further, by way of these")):
            opened.search(shown, here.link, method)
        st.rerun()
    found = find(shown, here.link, method)
    if found is None:
        return
    _ranking(shown, here, found, drawn)
    st.caption(_spent(shown, here, found))
    st.caption(words.about(shown, found.method))


def _spent(shown: Index, here: View, found: Answer) -> str:
    """Say what the query was taken to, and how long each step took."""
    if methods.is_embedding(found.method):
        return words.steps(found.timings, tr("network"))
    used = opened.word_ids(shown, here.link).tolist()
    return " · ".join(
        (
            trn("{n:,} keypoint", "{n:,} keypoints", len(used)),
            tr("{n:,} of {n_words:,} words", n=len(set(used)), n_words=shown.n_words),
            words.steps(found.timings, shown.extraction.title),
        )
    )


def _ranking(shown: Index, here: View, found: Answer, drawn: bool) -> None:
    """Show an answer: what it says in one line, and its pictures."""
    many = here.link in st.session_state.setdefault("many", set())
    listed = results.of(found)
    few, more = (N_NEAREST, 2 * N_NEAREST) if methods.is_embedding(found.method) else (FEW, MORE)
    n_shown = min(more if many else few, len(listed))
    with st.container(horizontal=True, vertical_alignment="center"):
        told = results.headline(found, listed, n_shown)
        st.subheader(told, help=words.score_means(found), anchor=False)
        if not many and n_shown < len(listed) and st.button(tr("Show more")):
            st.session_state["many"].add(here.link)
            st.rerun()
        saving.table(lambda: results.as_csv(shown, listed))
        saving.sheet_button(shown, here.link, found, listed)
    promise = results.promise(found, shown.name)
    if promise:
        st.caption(promise)
    tiles = results.tiles(shown, here.link, found, listed, n_shown, drawn)
    gallery(tiles, "results", results.most_similar(found, n_shown))
