"""Why: one result, and every point of its score accounted for."""

import streamlit as st

from engine import methods
from engine.index import Index
from engine.language import sentences, tr
from ui import opened, query, words
from ui.why import asked, changed, instead, kept, network, overlays, pictures, shared, summary, view
from ui.why.asked import Asked
from ui.why.view import View


def empty(shown: Index) -> None:
    """Offer pictures to search with."""
    st.header(tr("See why a picture is found"), anchor=False)
    query.uploader()
    query.samples(shown, tr("Or take one of these"), "why")
    query.browse(shown, "why")


def settings(found: Asked) -> None:
    """Show which method is explained."""
    able = methods.offered(found.shown.parts)
    with st.popover(tr("Settings")):
        view.choose(tr("Method"), able, "method", found.answer.method)
        st.caption(words.about(found.shown, found.answer.method))
        kept.downloads(found)
        other = {"image_id": None, "word": None}
        st.button(tr("Another query"), on_click=view.go, kwargs=other)


def heading(found: Asked) -> None:
    """Say in words where the result stands."""
    st.header(words.plain(found.name), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        summary.steps(found)
        settings(found)
    stands = summary.headline(found)
    st.markdown(
        tr("**{stands}**, by the method {method}.", stands=stands, method=found.answer.method)
    )
    told = [summary.verdict(found), summary.stands(found)]
    st.markdown(sentences(*(part for part in told if part)))


def by_network(found: Asked) -> None:
    """Show what a network's score is made of."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        network.where(found)
        summary.made(found)
        instead.beside_winner(found)
    with right:
        network.one(found)
        network.numbers(found)
    left, right = st.columns([2, 3], gap="large")
    with left:
        instead.methods_table(found)
    with right:
        instead.choose(found)


def main() -> None:
    """Show the page."""
    here = View.here()
    shown = opened.collection(here.link)
    if shown.n_images == 0:
        st.info(tr("This collection is empty. Add pictures to its folder and build it again."))
        return
    if not here.link.has_query:
        empty(shown)
        return
    found = asked.ask(shown, here)
    if found is None:
        st.info(tr("This collection holds nothing but the query, so nothing can be found."))
        return
    heading(found)
    changed.show(found)
    pictures.show(found)
    if found.explained.dimensions is not None:
        by_network(found)
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        summary.parts(found)
        instead.beside_winner(found)
    with right:
        if found.drawn is found.explained:
            shared.one(found)
            shared.show(found)
        else:
            overlays.laid(found)
    if found.drawn is found.explained:
        overlays.show(found)
    left, right = st.columns([2, 3], gap="large")
    with left:
        instead.methods_table(found)
    with right:
        instead.choose(found)


main()
