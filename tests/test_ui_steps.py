"""What a click leads to, one step deeper."""

from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine.index import Index
from tests.pages_under_test import component

FRAME = Path(__file__).resolve().parents[1] / "ui" / "frame.py"


def _at(page: str, **parameters: str) -> AppTest:
    st.cache_resource.clear()
    at = AppTest.from_file(FRAME, default_timeout=60)
    at.query_params.update(parameters)
    if page != "search":
        at.switch_page(f"../pages/{page}.py")
    return at


def _follow(address: str) -> AppTest:
    """Open the page that a link leads to."""
    path, _, values = address.partition("?")
    return _at(path.strip("/") or "search", **dict(parse_qsl(values))).run()


def test_inspect_below_a_result_once_ended_in_a_sentence_about_the_log(tiny: Index) -> None:
    """The page's path was taken to start at the frame, so there was no such page."""
    at = _at("search", query="image-0", method="count").run()
    first = component(at, "results")["items"][0]
    address = dict(first["more"])["Inspect"]
    assert address == f"/inspect?query=image-{first['id']}&method=count"
    at = _follow(address)
    assert not at.error and not at.exception
    assert component(at, "picture")["label"].startswith(tiny.images[first["id"]].path)


@pytest.mark.parametrize("word", [0, 3])
def test_a_patch_clicked_shows_its_word_in_its_picture(tiny: Index, word: int) -> None:
    at = _at("vocabulary", word=str(word)).run()
    tile = component(at, "patches")["items"][0]
    owner = int(tiny.image_of_row(tiny.patch_keypoints[word][:1])[0])
    assert tile["href"] == f"/inspect?query=image-{owner}&word={word}"
    at = _follow(tile["href"])
    assert not at.error and not at.exception
    assert component(at, "picture")["lit"] == word


def test_inspect_offers_another_picture(tiny: Index) -> None:
    at = _at("inspect", query="image-0", word="3", method="count")
    at.run()
    next(b for b in at.button if b.label == "Another picture").click().run()
    assert not at.error and not at.exception
    assert at.query_params == {"method": "count"}
    assert at.file_uploader
