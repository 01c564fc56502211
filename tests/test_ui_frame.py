"""The frame around every page: own links, addresses that mean nothing, damaged collections."""

import json
import re
import shutil
from pathlib import Path

import pytest

from engine import build, upkeep
from engine.codebook import CodebookParams
from engine.index import Index
from tests.conftest import tiny_params
from tests.pages_under_test import PAGES, refused, sentences, visit, well

pytestmark = pytest.mark.usefixtures("fresh_caches", "no_build")

TITLES = {
    "search": "Find the pictures of the same thing",
    "vocabulary": "24 visual words",
    "inspect": "Look into a picture",
    "why": "See why a picture is found",
    "surf": "Follow a picture step by step",
    "evaluation": "How good is the search on your own pictures?",
    "models": "No model is installed yet.",
    "lessons": "Learn how it works",
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_by_its_own_link(tiny: Index, page: str) -> None:
    at = well(visit(page))
    assert TITLES[page] in sentences(at)
    assert f"tiny · {tiny.n_images} images · 24 words" in sentences(at)


# Addresses that mean nothing


@pytest.mark.parametrize("page", PAGES)
def test_an_unknown_collection_is_named_beside_those_there_are(tiny: Index, page: str) -> None:
    told = refused(visit(page, collection="nothing-of-this-name"))
    assert "nothing-of-this-name" in told and "tiny" in told


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "parameters",
    [
        {"query": "image--1"},
        {"query": "image-1e3"},
        {"query": "upload-../../etc/passwd"},
        {"query": "<script>"},
        {"word": "-1"},
        {"word": "1.5"},
        {"word": "word"},
        {"method": "no such method"},
        {"nothing": "of this name"},
        {"query": ""},
    ],
    ids=str,
)
def test_parameters_without_meaning_are_left_out(
    tiny: Index, page: str, parameters: dict[str, str]
) -> None:
    assert TITLES[page] in sentences(well(visit(page, **parameters)))


# Broken


def _damage(place: Path, how: str) -> None:
    manifest = place / "indexes" / "tiny" / "manifest.json"
    if how == "text":
        manifest.write_text("not json")
    elif how == "empty":
        manifest.write_bytes(b"")
    elif how == "version":
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format_version": 99}))
    elif how == "changed":
        manifest.write_text(manifest.read_text().replace("400.0", "401.0"))
    else:
        next(manifest.parent.glob("words-counts-*.npy")).unlink()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("how", ["text", "empty", "version", "changed", "missing"])
def test_a_damaged_index_names_its_cure(scratch: Path, page: str, how: str) -> None:
    _damage(scratch, how)
    assert "python -m engine build FOLDER --name tiny" in refused(visit(page, query="image-0"))


@pytest.mark.parametrize("how", ["text", "empty", "version", "changed", "missing"])
def test_a_visitor_was_told_where_the_server_keeps_its_files(scratch: Path, how: str) -> None:
    _damage(scratch, how)
    told = refused(visit("search"))
    assert str(scratch) not in told and "/tmp" not in told
    assert told.startswith("The collection tiny cannot be opened: ")
    assert told.endswith("`python -m engine build FOLDER --name tiny --overwrite`")


@pytest.mark.parametrize("how", ["text", "version", "changed", "missing"])
def test_a_chinese_visitor_is_told_in_chinese_with_the_command_whole(
    scratch: Path, how: str
) -> None:
    _damage(scratch, how)
    at = visit("search", lang="zh")
    assert not at.exception
    (told,) = (str(error.value).replace("\\", "") for error in at.error)
    assert str(scratch) not in told and "/tmp" not in told
    assert told.startswith("图库 tiny ")
    assert told.endswith("`python -m engine build FOLDER --name tiny --overwrite`")
    without = re.sub(r"（.*）", "", told.partition("`")[0])  # what a library says
    assert not re.search(r"[A-Za-z]+ [a-z]+ [a-z]+", without)


def test_a_damaged_first_collection_barred_the_way_to_the_others(scratch: Path) -> None:
    shutil.copytree(scratch / "indexes" / "tiny", scratch / "indexes" / "whole")
    _damage(scratch, "text")
    at = visit("vocabulary")
    refused(at)
    links = {page.label: page.query_string for page in at.get("page_link")}
    assert links["Open the collection whole"] == "collection=whole"


def test_an_index_damaged_while_the_page_is_open_names_its_cure(scratch: Path) -> None:
    at = well(visit("search", query="image-0"))
    _damage(scratch, "text")
    assert "python -m engine build FOLDER --name tiny" in refused(at.run())


def test_an_index_deleted_while_the_page_is_open_leads_to_the_first_start(scratch: Path) -> None:
    at = well(visit("search", query="image-0"))
    upkeep.delete("tiny")
    assert "There is no collection yet" in sentences(well(at.run()))


def test_an_index_built_anew_is_seen_without_a_restart(scratch: Path, folder: Path) -> None:
    at = well(visit("vocabulary"))
    fewer = CodebookParams(n_words=8, n_samples=3000, n_iterations=5)
    build.build(folder, "tiny", tiny_params(codebook=fewer), n_workers=1, overwrite=True)
    well(at.run())
    assert "8 visual words" in sentences(at)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_fails_keeps_its_traceback_to_the_log(
    tiny: Index, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, page: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of the server")

    used = {
        "vocabulary": "ui.vocabulary.grid.show",
        "evaluation": "ui.evaluation.overview.show",
        "models": "ui.models.overview.show",
        "lessons": "ui.lessons.show.overview",
    }
    monkeypatch.setattr(used.get(page, "ui.query.browse"), fail)
    at = visit(page)
    assert "Something went wrong" in at.error[0].value
    assert "a secret" not in sentences(at)
    assert "a secret of the server" in caplog.text
