"""What a click leads to, one step deeper."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine.index import Index

FRAME = Path(__file__).resolve().parents[1] / "ui" / "frame.py"


def _at(page: str, **parameters: str) -> AppTest:
    st.cache_resource.clear()
    at = AppTest.from_file(FRAME, default_timeout=60)
    at.query_params.update(parameters)
    if page != "search":
        at.switch_page(f"../pages/{page}.py")
    return at


def test_inspect_below_a_result_once_ended_in_a_sentence_about_the_log(tiny: Index) -> None:
    """The page's path was taken to start at the frame, so there was no such page."""
    at = _at("search", query="image-0", method="count")
    at.session_state["then"] = ("inspect", 2)
    at.run()
    assert not at.error and not at.exception
    assert at.query_params == {"query": "image-2", "method": "count"}
    assert at.get("bidi_component")[0].key == "picture"


@pytest.mark.parametrize("word", [0, 3])
def test_a_patch_clicked_shows_its_word_in_its_picture(tiny: Index, word: int) -> None:
    at = _at("vocabulary", word=str(word))
    at.session_state["then"] = (1, word)
    at.run()
    assert not at.error and not at.exception
    assert at.query_params == {"query": "image-1", "word": str(word)}


def test_inspect_offers_another_picture(tiny: Index) -> None:
    at = _at("inspect", query="image-0", word="3", method="count")
    at.run()
    next(b for b in at.button if b.label == "Another picture").click().run()
    assert not at.error and not at.exception
    assert at.query_params == {"method": "count"}
    assert at.file_uploader
