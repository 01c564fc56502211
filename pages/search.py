"""Search: one photograph, and the most similar pictures of the collection."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import embedding_search, index, methods
from engine.answer import Answer
from engine.index import Index
from engine.language import tr, trn
from ui import link, opened, query, results, words
from ui.components import gallery
from ui.link import Link

N_NEAREST = embedding_search.N_RESULTS  # of a network's vectors, as the original showed
FEW = 4
MORE = 20


def controls(shown: Index, here: Link) -> bool:
    """Show collection and method; return whether keypoints are drawn."""
    with st.popover(tr("Settings")):
        link.choose(tr("Collection"), index.list_indexes(), "collection", shown.name)
        method = link.choose(
            tr("Method"),
            methods.offered(shown.parts),
            "method",
            opened.method_of(shown, here),
            help=tr("What is compared, and how."),
        )
        st.caption(words.about(shown, method))
        for line in words.lacking(shown.parts, shown.name):
            st.caption(line)
        drawn: bool = st.toggle(
            tr("Show keypoints"),
            key="drawn",
            persist_state="session",
            help=tr(words.TERMS["keypoint"]),
        )
    return drawn


def word_ids(shown: Index, here: Link) -> NDArray[np.int32]:
    """Return the word of each keypoint of the query."""
    if here.image_id is not None:
        return shown.words(here.image_id).word_ids
    return opened.describe(shown, here).words.word_ids


def answer(shown: Index, here: Link, drawn: bool) -> None:
    """Show the most similar pictures."""
    method = opened.method_of(shown, here)
    if methods.is_embedding(method):
        found = opened.search(shown, here, method)
        show(shown, here, found, drawn)
        st.caption(words.steps(found.timings, tr("network")))
        st.caption(words.about(shown, method))
        return
    used = word_ids(shown, here)
    if len(used) == 0 and methods.fused_of(method) is None:
        st.subheader(tr("Nothing to search with"), anchor=False)
        st.warning(words.no_keypoints(shown.extraction, tr("in Inspect")))
        link.page_link("inspect", tr("Look into it in Inspect"))
        return
    if method == methods.EXPANDED and not opened.is_answered(shown, here, method):
        show(shown, here, opened.search(shown, here, methods.VERIFIED), drawn)
        with st.spinner(tr("Looking further, by way of these")):
            opened.search(shown, here, method)
        st.rerun()
    found = opened.search(shown, here, method)
    show(shown, here, found, drawn)
    n_keypoints = trn("{n:,} keypoint", "{n:,} keypoints", len(used))
    n_used = tr("{n:,} of {n_words:,} words", n=len(set(used.tolist())), n_words=shown.n_words)
    steps = words.steps(found.timings, shown.extraction.title)
    st.caption(f"{n_keypoints} · {n_used} · {steps}")
    st.caption(words.about(shown, found.method))


def show(shown: Index, here: Link, found: Answer, drawn: bool) -> None:
    """Show an answer: what it says in one line, and its pictures."""
    many = here in st.session_state.setdefault("many", set())
    listed = results.of(found)
    few, more = (N_NEAREST, 2 * N_NEAREST) if methods.is_embedding(found.method) else (FEW, MORE)
    n_shown = min(more if many else few, len(listed))
    with st.container(horizontal=True, vertical_alignment="center"):
        told = results.headline(found, listed, n_shown)
        st.subheader(told, help=words.score_means(found), anchor=False)
        if not many and n_shown < len(listed) and st.button(tr("Show more")):
            st.session_state["many"].add(here)
            st.rerun()
        st.download_button(
            tr("Results as CSV"),
            lambda: results.as_csv(shown, listed),
            file_name="results.csv",
            mime="text/csv",
            on_click="ignore",
        )
    promise = results.promise(found, shown.name)
    if promise:
        st.caption(promise)
    tiles = results.tiles(shown, here, found, listed, n_shown, drawn)
    gallery(tiles, "results", results.most_similar(found, n_shown))


def main() -> None:
    """Show the page."""
    here = link.here()
    shown = opened.collection(here)
    if shown.n_images == 0:
        st.info(tr("This collection is empty. Add pictures to its folder and build it again."))
        return
    if here.image_id is not None:
        opened.check_image(shown, here.image_id)
    left, right = st.columns([1, 3], gap="large")
    with left:
        if here.has_query:
            query.picture(shown, here, keypoints=bool(st.session_state.get("drawn")))
            st.caption(words.plain(query.name(shown, here)))
            expected = query.expectation(here)
            if expected:
                st.caption(expected)
        else:
            query.uploader()
        with st.container(horizontal=True):
            drawn = controls(shown, here)
            if here.has_query:
                st.button(tr("Clear the query"), on_click=link.go, kwargs={"image_id": None})
        if here.has_query:
            query.uploader(tr("Drop another photograph"))
    with right:
        if here.has_query:
            answer(shown, here, drawn)
            invitation = tr("Or try one of these, from easy to really hard")
            query.samples(shown, invitation, "search")
        else:
            st.header(tr("Find the pictures of the same thing"), anchor=False)
            invitation = tr("Try one of these, from easy to really hard, or drop your own")
            query.samples(shown, invitation, "search")
            query.browse(shown, "search")


main()
