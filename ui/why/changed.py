"""What if: the query without some words and parts, and what that does to the result."""

import streamlit as st

from engine import explain
from engine.language import tr, trn
from ui import opened, results, words
from ui.why.asked import Asked
from ui.why.summary import place
from ui.why.view import View, go


def show(asked: Asked) -> None:
    """Say what was left out, and what it changed; or how to leave something out."""
    here = asked.here
    by_network = asked.explained.dimensions is not None
    if not here.is_changed:
        st.caption(
            tr(
                "What if? Press Paint over and drag over a part of the query: the search is made "
                "again, and the network sees nothing there."
            )
            if by_network
            else tr(
                "What if? Press Paint over and drag over a part of the query, or choose a word "
                "below and leave it out: the search is made again without these keypoints."
            )
        )
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_told(asked), width="stretch")
        if here.areas:
            st.button(tr("Take the last part in"), on_click=go, kwargs={"areas": here.areas[:-1]})
        st.button(tr("Take all in again"), on_click=go, kwargs={"off": (), "areas": ()})


def left_out(here: View) -> str:
    """Name what is left out of the query: "word 3 and 1 part of the picture"."""
    n_off, n_areas = len(here.off), len(here.areas)
    left = (
        tr("word {word}", word=here.off[0])
        if n_off == 1
        else trn("{n:,} word", "{n:,} words", n_off)
    )
    parts = trn("{n} part of the picture", "{n} parts of the picture", n_areas)
    if n_off and n_areas:
        return tr("{words} and {parts}", words=left, parts=parts)
    return left if n_off else parts


def _told(asked: Asked) -> str:
    here, method = asked.here, asked.answer.method
    whole = opened.search(asked.shown, here.link, method)
    before = [one.image_id for one in results.of(whole)].index(asked.result) + 1
    scores = (explain.explain(asked.shown, whole, asked.result).score, asked.explained.score)
    both = zip((whole, asked.answer), scores)
    score = [words.shown_score(answer, asked.result, one) for answer, one in both]
    if asked.explained.dimensions is not None:
        return tr(
            "**Without {left_out}**: place {before:,} → **{place}**, {score_before} → **{score}**.",
            left_out=left_out(here),
            before=before,
            place=place(asked.place, asked.explained.n_images),
            score_before=score[0],
            score=score[1],
        )
    return trn(
        "**Without {left_out}**: place {before:,} → **{place}**, score {score_before} → "
        "**{score}**. {n:,} keypoint of the query remain.",
        "**Without {left_out}**: place {before:,} → **{place}**, score {score_before} → "
        "**{score}**. {n:,} keypoints of the query remain.",
        len(asked.query_words),
        left_out=left_out(here),
        before=before,
        place=place(asked.place, asked.explained.n_images),
        score_before=score[0],
        score=score[1],
    )
