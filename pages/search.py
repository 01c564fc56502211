"""Search: one photograph, and the most similar pictures of the collection."""

import streamlit as st

from engine.language import tr
from ui import opened, query, words
from ui.search import both, one, settings
from ui.search.view import View, go


def main() -> None:
    """Show the page."""
    view = View.here()
    here = view.link
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
            query.uploader(then=go)
        with st.container(horizontal=True):
            drawn = settings.controls(shown, view)
            if here.has_query:
                settings.compare(shown, view)
                st.button(tr("Clear the query"), on_click=go, kwargs={"image_id": None})
        if here.has_query:
            query.uploader(tr("Drop another photograph"), go)
    with right:
        if here.has_query:
            second = settings.second(shown, view)
            if second is None:
                one.show(shown, view, drawn)
            else:
                both.show(shown, view, second, drawn)
            invitation = tr("Or try one of these, from easy to really hard")
            query.samples(shown, invitation, "search", view)
        else:
            st.header(tr("Find the pictures of the same thing"), anchor=False)
            invitation = tr("Try one of these, from easy to really hard, or drop your own")
            query.samples(shown, invitation, "search", view)
            query.browse(shown, "search", view)


main()
