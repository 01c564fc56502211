"""What if: the query without some words and parts, and what that does to the result."""

import streamlit as st

from engine import explain
from ui import opened, results, words
from ui.why.asked import Asked
from ui.why.summary import place
from ui.why.view import View, go

HELP = (
    "Press Paint over and drag over a part of the query, or choose a word below and leave it out: "
    "the search is made again without these keypoints."
)


def show(asked: Asked) -> None:
    """Say what was left out, and what it changed; or how to leave something out."""
    here = asked.here
    if not here.is_changed:
        st.caption(f"What if? {HELP}")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_told(asked), width="stretch")
        if here.areas:
            st.button("Take the last part in", on_click=go, kwargs={"areas": here.areas[:-1]})
        st.button("Take all in again", on_click=go, kwargs={"off": (), "areas": ()})


def left_out(here: View) -> str:
    """Name what is left out of the query: "word 3 and 1 part of the picture"."""
    parts = []
    if here.off:
        parts.append(f"word {here.off[0]}" if len(here.off) == 1 else f"{len(here.off)} words")
    if here.areas:
        parts.append(words.counted(len(here.areas), "part") + " of the picture")
    return " and ".join(parts)


def _told(asked: Asked) -> str:
    here, method = asked.here, asked.answer.method
    whole = opened.search(asked.shown, here.link, method)
    before = [one.image_id for one in results.of(whole)].index(asked.result) + 1
    scores = (explain.explain(asked.shown, whole, asked.result).score, asked.explained.score)
    score = [words.score(method, one) for one in scores]
    return (
        f"**Without {left_out(here)}**: place {before:,} → "
        f"**{place(asked.place, asked.explained.n_images)}**, score {score[0]} → **{score[1]}**. "
        f"{words.counted(len(asked.query_words), 'keypoint')} of the query remain."
    )
