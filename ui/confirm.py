"""Deleting something: what is lost is said first, and asked for once more."""

from collections.abc import Callable, Sequence

import streamlit as st

from engine.errors import EngineError, reason
from engine.language import tr

_SAID = "deleted"


def said() -> None:
    """Say once what became of the last deletion."""
    if _SAID in st.session_state:
        good, text = st.session_state.pop(_SAID)
        (st.success if good else st.warning)(text)


def ask(
    title: str,
    sentences: Sequence[str],
    delete: Callable[[], str],
    told: Callable[[Exception], str],
) -> None:
    """Open the question.

    Parameters
    ----------
    title : str
        The question.
    sentences : sequence of str
        What is deleted, what is lost by it and what stays; Markdown.
    delete : callable
        Does it, and returns what is then said.
    told : callable
        Returns for Markdown why it could not be done.
    """

    def confirmed() -> None:
        try:
            st.session_state[_SAID] = True, delete()
        except EngineError as error:
            st.session_state[_SAID] = False, told(error)
        except OSError as error:
            why = tr("It could not be deleted: {why}", why=reason(error))
            st.session_state[_SAID] = False, told(EngineError(why))

    @st.dialog(title)
    def asked() -> None:
        for sentence in sentences:
            st.markdown(sentence)
        with st.container(horizontal=True):
            # Both close the dialog.
            deleted = st.button(tr("Delete it for good"), on_click=confirmed)
            if deleted or st.button(tr("Keep it")):
                st.rerun()

    asked()
