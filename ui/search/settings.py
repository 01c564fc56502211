"""Which collection, which methods, and whether keypoints are drawn."""

import streamlit as st

from engine import index, methods
from engine.index import Index
from engine.language import tr
from ui import choices, link, opened, words
from ui.search.view import View, go


def second(shown: Index, here: View) -> str | None:
    """Return the method beside the first one; None where the address names none that differs."""
    able = methods.offered(shown.parts)
    chosen = here.beside if here.beside in able else None
    return None if chosen == opened.method_of(shown, here.link) else chosen


def controls(shown: Index, here: View) -> bool:
    """Show collection and methods; return whether keypoints are drawn."""
    with st.popover(tr("Settings")):
        link.choose(tr("Collection"), index.list_indexes(), "collection", shown.name)
        # Two of them are chosen above their rankings, where there are any.
        if second(shown, here) is None or not here.link.has_query:
            first_method(shown, here)
            second_method(shown, here)
            st.caption(words.about(shown, opened.method_of(shown, here.link)))
        for line in words.lacking(shown.parts, shown.name):
            st.caption(line)
        if not methods.embedded(shown.parts):
            _without_networks()
        drawn: bool = st.toggle(
            tr("Show keypoints"),
            key="drawn",
            persist_state="session",
            help=tr(words.TERMS["keypoint"]),
        )
    return drawn


def compare(shown: Index, here: View) -> None:
    """Offer to set a second method beside the first, in one click."""
    if second(shown, here) is None:
        chosen = choices.other(shown.parts, opened.method_of(shown, here.link))
        st.button(tr("Compare methods"), on_click=go, kwargs={"beside": chosen})


def first_method(shown: Index, here: View) -> None:
    """Show which method ranks."""
    method, beside = opened.method_of(shown, here.link), second(shown, here) or ""
    key = "choose-method"
    st.session_state[key] = method

    def changed() -> None:
        chosen = st.session_state[key]
        # The one beside takes the other's place where it is chosen as the first.
        go(method=chosen, beside=method if chosen == beside else beside)

    labels = choices.labels(shown)
    st.selectbox(
        tr("Method"),
        list(labels),
        key=key,
        on_change=changed,
        format_func=labels.__getitem__,
        help=tr("What is compared, and how."),
    )


def second_method(shown: Index, here: View) -> None:
    """Show which method ranks beside it, if one does."""
    method, beside = opened.method_of(shown, here.link), second(shown, here) or ""
    key = "choose-beside"
    st.session_state[key] = beside

    def changed() -> None:
        go(beside=st.session_state[key])

    labels = {"": tr("none")} | choices.labels(shown)
    st.selectbox(
        tr("Method beside it"),
        [one for one in labels if one != method],
        key=key,
        on_change=changed,
        format_func=labels.__getitem__,
        help=tr("Both rankings stand beside each other, with each picture's place in the other."),
    )


def _without_networks() -> None:
    """Say that pictures of the same kind cannot be found yet, and lead to what mends that."""
    st.caption(tr("To find pictures of the same kind too, add a neural network's vectors."))
    link.page_link("models", tr("Add them in Models"))
