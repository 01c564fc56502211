"""Asking for a ranking, and what is said where there is none."""

import logging

import streamlit as st

from engine import artifacts, methods
from engine.answer import Answer
from engine.errors import ModelError
from engine.index import Index
from engine.language import sentences, tr
from ui import link, opened, words
from ui.link import Link

log = logging.getLogger(__name__)


def find(shown: Index, here: Link, method: str) -> Answer | None:
    """Rank the collection by a method; where that cannot be, say why, and return None.

    A model that cannot be used is no fault of the page: by other methods, and for pictures of the
    collection, it goes on.
    """
    by_words = not methods.is_embedding(method)
    none = by_words and len(opened.word_ids(shown, here)) == 0
    if none and methods.fused_of(method) is None:
        st.subheader(tr("Nothing to search with"), anchor=False)
        st.warning(words.no_keypoints(shown.extraction, tr("in Inspect")))
        link.page_link("inspect", tr("Look into it in Inspect"))
        return None
    try:
        found = opened.search(shown, here, method)
    except ModelError as error:
        log.warning("%s", error)
        st.subheader(tr("{method} cannot look at this picture", method=words.plain(method)))
        told = words.without_paths(str(error), str(artifacts.artifacts_folder()))
        st.error(words.with_command(told))
        st.caption(
            tr(
                "Pictures of the collection can be searched all the same: their vectors are kept. "
                "Or choose another method."
            )
        )
        link.page_link("models", tr("Look at it in Models"))
        return None
    if none:
        st.info(
            sentences(
                tr("No keypoints were found, so words say nothing of this picture."),
                tr("This is what the network alone finds."),
            )
        )
    return found
