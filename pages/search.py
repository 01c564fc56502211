"""Search: one photograph, and the most similar pictures of the collection."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import index, methods
from engine.answer import Answer
from engine.index import Index
from ui import link, opened, query, results, words
from ui.components import gallery
from ui.link import Link

FEW = 4
MORE = 20


def controls(shown: Index, here: Link) -> bool:
    """Show collection and method; return whether keypoints are drawn."""
    with st.popover("Settings"):
        link.choose("Collection", index.list_indexes(), "collection", shown.name)
        method = link.choose(
            "Method",
            methods.available(shown.parts),
            "method",
            opened.method_of(shown, here),
            help="What is compared, and how.",
        )
        st.caption(words.METHODS[method])
        for line in words.lacking(shown.parts, shown.name):
            st.caption(line)
        drawn: bool = st.toggle(
            "Show keypoints", key="drawn", persist_state="session", help=words.TERMS["keypoint"]
        )
    return drawn


def word_ids(shown: Index, here: Link) -> NDArray[np.int32]:
    """Return the word of each keypoint of the query."""
    if here.image_id is not None:
        return shown.words(here.image_id).word_ids
    return opened.describe(shown, here).words.word_ids


def answer(shown: Index, here: Link, drawn: bool) -> None:
    """Show the most similar pictures."""
    used = word_ids(shown, here)
    if len(used) == 0:
        st.subheader("Nothing to search with", anchor=False)
        st.warning(words.no_keypoints(shown.extraction, "in Inspect"))
        link.page_link("inspect", "Look into it in Inspect")
        return
    method = opened.method_of(shown, here)
    if method == methods.EXPANDED and not opened.is_answered(shown, here, method):
        show(shown, here, opened.search(shown, here, methods.VERIFIED), drawn)
        with st.spinner("Looking further, by way of these"):
            opened.search(shown, here, method)
        st.rerun()
    found = opened.search(shown, here, method)
    show(shown, here, found, drawn)
    st.caption(
        f"{words.counted(len(used), 'keypoint')} · {len(set(used.tolist()))} of "
        f"{shown.n_words} words · {words.steps(found.timings, shown.extraction.title)}"
    )
    st.caption(words.METHODS[found.method])


def show(shown: Index, here: Link, found: Answer, drawn: bool) -> None:
    """Show an answer: what it says in one line, and its pictures."""
    many = here in st.session_state.setdefault("many", set())
    listed = results.of(found)
    n_shown = min(MORE if many else FEW, len(listed))
    with st.container(horizontal=True, vertical_alignment="center"):
        told = results.headline(found, listed, n_shown)
        st.subheader(told, help=words.SCORES[found.method], anchor=False)
        if not many and n_shown < len(listed) and st.button("Show more"):
            st.session_state["many"].add(here)
            st.rerun()
        st.download_button(
            "Results as CSV",
            lambda: results.as_csv(shown, listed),
            file_name="results.csv",
            mime="text/csv",
            on_click="ignore",
        )
    promise = results.promise(found, shown.name)
    if promise:
        st.caption(promise)
    tiles = results.tiles(shown, here, found, listed, n_shown, drawn)
    gallery(tiles, "results", f"{n_shown} most similar of {words.counted(found.n_images, 'image')}")


def main() -> None:
    """Show the page."""
    here = link.here()
    shown = opened.collection(here)
    if shown.n_images == 0:
        st.info("This collection is empty. Add pictures to its folder and build it again.")
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
                st.button("Clear the query", on_click=link.go, kwargs={"image_id": None})
        if here.has_query:
            query.uploader("Drop another photograph")
    with right:
        if here.has_query:
            answer(shown, here, drawn)
            query.samples(shown, "Or try one of these, from easy to really hard", "search")
        else:
            st.header("Find the pictures of the same thing", anchor=False)
            invitation = "Try one of these, from easy to really hard, or drop your own"
            query.samples(shown, invitation, "search")
            query.browse(shown, "search")


main()
