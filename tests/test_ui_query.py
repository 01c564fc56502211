"""The picture that is looked for, on every page that takes one: whole, flat, broken, gone."""

import io
from pathlib import Path

import pytest
from PIL import Image as Pillow

from engine.index import Index
from tests.pages_under_test import PAGES, component, refused, sentences, visit, well
from ui.uploads import STORE

pytestmark = pytest.mark.usefixtures("fresh_caches", "no_build")


def png(colour: int = 0, side: int = 64) -> bytes:
    file = io.BytesIO()
    Pillow.new("RGB", (side, side), (colour, colour, colour)).save(file, "png")
    return file.getvalue()


# Uploads


@pytest.mark.parametrize("page", ["search", "inspect"])
def test_an_upload_becomes_the_query(tiny: Index, folder: Path, page: str) -> None:
    at = visit(page)
    data = (folder / "china.jpg").read_bytes()
    well(at.file_uploader[0].set_value(("a view of mine.jpg", data, "image/jpeg")).run())
    assert set(at.query_params) == {"query"}
    token = at.query_params["query"].removeprefix("upload-")
    kept = STORE.get(token)
    assert kept is not None and kept.data == data
    assert "a view of mine.jpg" in sentences(at)
    if page == "search":
        # The collection's own copy of these bytes is left out.
        tiles = component(at, "results")["items"]
        assert tiles[0]["caption"] == "china.png"


@pytest.mark.parametrize("page", ["search", "inspect"])
def test_a_broken_upload_is_named_and_the_page_goes_on(
    tiny: Index, folder: Path, page: str
) -> None:
    at = visit(page, query="image-0") if page == "search" else visit(page)
    data = b"a text that calls itself a picture"
    at.file_uploader[0].set_value(("holiday.jpg", data, "image/jpeg")).run()
    assert not at.exception
    assert len(at.error) == 1
    assert "holiday.jpg" in sentences(at)
    assert at.query_params == ({"query": "image-0"} if page == "search" else {})
    good = (folder / "china.jpg").read_bytes()
    well(at.file_uploader[0].set_value(("china.jpg", good, "image/jpeg")).run())
    assert at.query_params["query"].startswith("upload-")


def test_an_upload_cut_short_is_named_where_it_is_used(tiny: Index, folder: Path) -> None:
    """Its header is whole, so it is kept; its pixels are not."""
    at = visit("search")
    data = (folder / "china.jpg").read_bytes()[:3000]
    at.file_uploader[0].set_value(("cut short.jpg", data, "image/jpeg")).run()
    assert "cut short.jpg" in refused(at)


def test_after_a_broken_upload_there_was_no_place_for_another(tiny: Index, folder: Path) -> None:
    token = STORE.keep("cut.jpg", (folder / "china.jpg").read_bytes()[:3000])
    at = visit("search", query=f"upload-{token}")
    refused(at)
    good = (folder / "china.jpg").read_bytes()
    well(at.file_uploader[0].set_value(("china.jpg", good, "image/jpeg")).run())
    assert len(component(at, "results")["items"]) == 4


# Nothing to find


@pytest.mark.parametrize("word", [{}, {"word": "3"}])
@pytest.mark.parametrize("page", PAGES)
def test_a_flat_picture_has_no_keypoints_and_that_is_an_answer(
    tiny: Index, page: str, word: dict[str, str]
) -> None:
    at = well(visit(page, query=f"image-{tiny.find_image('flat.png')}", **word))
    if page in ("search", "inspect", "surf"):
        assert "No keypoints were found" in sentences(at)


@pytest.mark.parametrize("page", ["search", "inspect", "surf"])
@pytest.mark.parametrize("side", [1, 64])
def test_a_flat_upload_has_no_keypoints(tiny: Index, page: str, side: int) -> None:
    token = STORE.keep("black.png", png(side=side))
    assert "No keypoints were found" in sentences(well(visit(page, query=f"upload-{token}")))


# Not there


@pytest.mark.parametrize("page", ["search", "inspect"])
def test_an_upload_that_is_gone_says_so(tiny: Index, page: str) -> None:
    told = refused(visit(page, query="upload-" + "x" * 32))
    assert "gone" in told and "Drop it again" in told


@pytest.mark.parametrize("page", ["search", "inspect"])
@pytest.mark.parametrize("place", ["0", "5", "999"])
def test_a_sample_that_is_not_there_says_so(tiny: Index, page: str, place: str) -> None:
    """Here is no demo at all: its samples can have no picture."""
    assert "sample" in refused(visit(page, query=f"sample-{place}"))


@pytest.mark.parametrize("page", ["search", "inspect"])
@pytest.mark.parametrize("image_id", ["999999999", "13"])
def test_an_image_out_of_range_is_refused(tiny: Index, page: str, image_id: str) -> None:
    assert tiny.n_images == 13
    told = refused(visit(page, query=f"image-{image_id}"))
    assert told.startswith(f"The collection tiny has no picture {image_id}: it has 13")


def test_a_picture_that_is_gone_is_named(
    scratch: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Search needs no pixels of it; Inspect does, and says what to do."""
    monkeypatch.setattr(
        Index, "picture_path", lambda self, i: tmp_path / "gone" / self.images[i].path
    )
    well(visit("search", query="image-0"))
    told = refused(visit("inspect", query="image-0"))
    assert "no longer" in told and str(tmp_path) not in told
