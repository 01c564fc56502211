"""Each page as a visitor's first: full, empty, broken, and with addresses that mean nothing."""

import base64
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from numpy.typing import NDArray
from PIL import Image as Pillow
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from engine import images, methods, pipeline, upkeep
from engine.build import Progress
from engine.index import Index
from engine.surf import SurfParams
from ui import keypoints, routes, startup
from ui.uploads import STORE

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("search", "vocabulary", "inspect")
TITLES = {
    "search": "Find the pictures of the same thing",
    "vocabulary": "24 visual words",
    "inspect": "Look into a picture",
}


@pytest.fixture(autouse=True)
def fresh_caches() -> Iterator[None]:
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


class NoBuild:
    """Stands where the demo's build stands; counts its starts."""

    def __init__(self, running: bool = False, error: str | None = None) -> None:
        self.running, self.error, self.n_starts = running, error, 0
        self.progress = Progress("Making the demo's pictures", 12, 96)

    def start(self) -> None:
        self.n_starts += 1
        self.running, self.error = True, None


@pytest.fixture(autouse=True)
def no_build(monkeypatch: pytest.MonkeyPatch) -> NoBuild:
    build = NoBuild()
    monkeypatch.setattr(startup, "DEMO", build)
    return build


def visit(page: str, **parameters: str) -> AppTest:
    """Open a page by its own link, as the first page of a session."""
    at = AppTest.from_file(ROOT / "ui" / "frame.py", default_timeout=60)
    at.query_params.update(parameters)
    if page != "search":
        at.switch_page(f"../pages/{page}.py")
    return at.run()


def sentences(at: AppTest) -> str:
    """Return all text of a page."""
    kinds = (at.header, at.subheader, at.markdown, at.caption, at.info, at.warning, at.error)
    # Names are escaped for Markdown.
    return "\n".join(str(e.value) for kind in kinds for e in kind).replace("\\", "")


def well(at: AppTest) -> AppTest:
    """Check that a page shows what it should, and no failure of any kind."""
    assert not at.exception
    assert not at.error, [error.value for error in at.error]
    return at


def refused(at: AppTest) -> str:
    """Check that a page says in one sentence what is wrong, and offers a way on."""
    assert not at.exception
    assert len(at.error) == 1
    told = str(at.error[0].value).replace("\\", "")
    assert "Something went wrong" not in told
    assert "Traceback" not in told
    assert any(page.label == "Back to the start" for page in at.get("page_link"))
    return told


def component(at: AppTest, key: str) -> dict[str, Any]:
    """Return what one of the app's own components was given to show."""
    for found in at.get("bidi_component"):
        if found.key == key:
            data: dict[str, Any] = json.loads(found.proto.json)
            return data
    raise AssertionError(f"there is no component {key!r}")


def fetched(address: str) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Fetch keypoints as the viewer does: x, y, size, angle, response, word; and colours."""
    with TestClient(Starlette(routes=routes.all_routes())) as client:
        data = client.get(address).raise_for_status().content
    count = len(data) // keypoints.N_BYTES
    numbers = np.frombuffer(data, "<f4", count * 6).reshape(count, 6)
    return numbers, np.frombuffer(data, np.uint8, offset=count * 24).reshape(count, 3)


def png(colour: int = 0, side: int = 64) -> bytes:
    file = io.BytesIO()
    Pillow.new("RGB", (side, side), (colour, colour, colour)).save(file, "png")
    return file.getvalue()


# Full


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_by_its_own_link(tiny: Index, page: str) -> None:
    at = well(visit(page))
    assert TITLES[page] in sentences(at)
    assert f"tiny · {tiny.n_images} images · 24 words" in sentences(at)


def test_the_search_page_offers_every_picture(tiny: Index) -> None:
    shown = component(well(visit("search")), "browse")["items"]
    assert [tile["alt"] for tile in shown] == [entry.path for entry in tiny.images]


def test_a_picture_of_the_collection_finds_its_turned_view(tiny: Index) -> None:
    image_id = tiny.find_image("chelsea.jpg")
    at = well(visit("search", query=f"image-{image_id}"))
    tiles = component(at, "results")["items"]
    assert len(tiles) == 4
    assert tiles[0]["alt"].startswith("turned/chelsea.png, rank 1, score ")
    assert image_id not in [tile["id"] for tile in tiles]
    assert f"4 most similar of {tiny.n_images - 1} images" in sentences(at)


def test_more_results_are_one_click_away(tiny: Index) -> None:
    at = visit("search", query="image-0")
    well(next(b for b in at.button if b.label == "Show more").click().run())
    assert len(component(at, "results")["items"]) == tiny.n_images - 1
    assert "Show more" not in [b.label for b in at.button]


@pytest.mark.parametrize("method", methods.available(()))
def test_the_method_stands_in_the_address(tiny: Index, method: str) -> None:
    at = well(visit("search", query="image-0", method=method))
    assert at.selectbox(key="choose-method").value == method
    well(at.selectbox(key="choose-method").select("count").run())
    assert at.query_params == {"query": "image-0", "method": "count"}


def test_a_method_that_lacks_its_part_tells_the_command(tiny: Index) -> None:
    at = well(visit("search", query="image-0", method="expanded"))
    assert at.selectbox(key="choose-method").value == tiny.method
    assert any("python -m engine graph tiny" in caption.value for caption in at.caption)


def test_clearing_the_query_shows_the_collection_again(tiny: Index) -> None:
    at = visit("search", query="image-0")
    well(next(b for b in at.button if b.label == "Clear the query").click().run())
    assert "query" not in at.query_params
    assert component(at, "browse")["items"]


def test_another_collection_forgets_pictures_and_words_of_the_first(
    scratch: Path, folder: Path
) -> None:
    from conftest import tiny_params

    from engine import build

    build.build(folder, "other", tiny_params(), n_workers=1)
    token = STORE.keep("astronaut.jpg", (folder / "astronaut.jpg").read_bytes())
    for given, left in (
        ({"query": "image-1", "word": "3"}, {}),
        ({"query": f"upload-{token}", "method": "count"}, {"query": f"upload-{token}"}),
    ):
        at = well(visit("search", collection="other", **given))
        well(at.selectbox(key="choose-collection").select("tiny").run())
        assert at.query_params == {"collection": "tiny", **left}


def test_a_word_shows_its_patches_images_and_neighbours(tiny: Index) -> None:
    at = well(visit("vocabulary", word="3"))
    assert "Word 3" in sentences(at)
    rows = tiny.patch_keypoints[3]
    patches = component(at, "patches")["items"]
    assert len(patches) == int((rows >= 0).sum())
    for place, tile in enumerate(patches):
        kind, _, coded = tile["url"].partition(",")
        assert kind == "data:image/jpeg;base64"
        with Pillow.open(io.BytesIO(base64.b64decode(coded))) as patch:
            seen = np.asarray(patch, np.int16)
        assert np.abs(seen - tiny.patches(3)[place]).mean() < 8  # of 255, by JPEG
    spread = component(at, "spread")
    assert sum(spread["values"]) == int(tiny.frequency[3])
    assert len(spread["ends"]) == len(spread["values"]) + 1
    assert len(component(at, "near")["items"]) == 8
    assert component(at, "holders")["items"][0]["id"] == tiny.images_of_word(3, 1)[0][0]


def test_the_vocabulary_shows_every_word_once(tiny: Index) -> None:
    tiles = component(well(visit("vocabulary")), "words")["items"]
    assert sorted(tile["id"] for tile in tiles) == list(range(tiny.n_words))


@pytest.mark.parametrize("word", [0, 23])
def test_the_first_and_the_last_word_have_one_neighbour_in_number(tiny: Index, word: int) -> None:
    labels = [b.label for b in well(visit("vocabulary", word=str(word))).button]
    assert ("Previous" in labels, "Next" in labels) == (word > 0, word < 23)


def test_stepping_through_words_changes_the_address(tiny: Index) -> None:
    at = visit("vocabulary", word="3")
    well(next(b for b in at.button if b.label == "Next").click().run())
    assert at.query_params == {"word": "4"}
    well(next(b for b in at.button if b.label == "All words").click().run())
    assert at.query_params == {}
    well(at.number_input(key="find").set_value(7).run())
    assert at.query_params == {"word": "7"}


def test_the_query_stays_while_words_are_looked_at(tiny: Index) -> None:
    at = well(visit("vocabulary", query="image-2", word="3"))
    well(next(b for b in at.button if b.label == "All words").click().run())
    assert at.query_params == {"query": "image-2"}


@pytest.mark.parametrize("word", [None, 3])
def test_inspect_shows_the_keypoints_of_a_picture(tiny: Index, word: int | None) -> None:
    image_id = tiny.find_image("coffee.jpg")
    assert image_id is not None
    more = {} if word is None else {"word": str(word)}
    at = well(visit("inspect", query=f"image-{image_id}", **more))
    shown = component(at, "picture")
    numbers, _ = fetched(shown["points"])
    assert shown["lit"] == word
    described = pipeline.describe_query(tiny, images.read(tiny.picture_path(image_id)))
    assert np.array_equal(numbers[:, 5], described.words.word_ids)
    assert np.array_equal(numbers[:, :2], described.features.xy)
    assert (shown["width"], shown["height"]) == (
        tiny.images[image_id].width,
        tiny.images[image_id].height,
    )
    if word is not None:
        assert f"Word {word}" in sentences(at)


def test_a_higher_threshold_leaves_fewer_keypoints(tiny: Index) -> None:
    at = well(visit("inspect", query="image-0"))
    before = len(fetched(component(at, "picture")["points"])[0])
    well(at.slider(key="threshold-tiny").set_value(5000).run())
    after = len(fetched(component(at, "picture")["points"])[0])
    assert 0 < after < before


def test_every_selection_sent_all_keypoints_again(tiny: Index) -> None:
    """Now they are fetched by their address, which a selection leaves as it is."""
    few = json.dumps(component(well(visit("inspect", query="image-0")), "picture"))
    lit = component(well(visit("inspect", query="image-0", word="3")), "picture")
    assert lit["points"] == json.loads(few)["points"]
    assert len(few) < 600


@pytest.mark.parametrize("colouring", ["word", "response", "sign"])
def test_keypoints_are_coloured(tiny: Index, colouring: str) -> None:
    at = visit("inspect", query="image-0")
    well(at.selectbox(key="colouring").select(colouring).run())
    address = component(at, "picture")["points"]
    assert f"colour={colouring}" in address
    numbers, colours = fetched(address)
    assert colours.shape == (len(numbers), 3)
    assert len(np.unique(colours, axis=0)) > 1


def test_the_histogram_can_be_summed_otherwise(tiny: Index) -> None:
    at = visit("inspect", query="image-0", word="3")
    well(at.segmented_control(key="summed").set_value("tf-idf").run())
    well(at.toggle(key="with_mean").set_value(True).run())


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


@pytest.mark.parametrize("page", ["search", "inspect"])
def test_an_upload_that_is_gone_says_so(tiny: Index, page: str) -> None:
    told = refused(visit(page, query="upload-" + "x" * 32))
    assert "gone" in told and "Drop it again" in told


@pytest.mark.parametrize("page", ["search", "inspect"])
@pytest.mark.parametrize("place", ["0", "5", "999"])
def test_a_sample_that_is_not_there_says_so(tiny: Index, page: str, place: str) -> None:
    """Here is no demo at all: its samples can have no picture."""
    assert "sample" in refused(visit(page, query=f"sample-{place}"))


# Nothing to find


@pytest.mark.parametrize("word", [{}, {"word": "3"}])
@pytest.mark.parametrize("page", PAGES)
def test_a_flat_picture_has_no_keypoints_and_that_is_an_answer(
    tiny: Index, page: str, word: dict[str, str]
) -> None:
    at = well(visit(page, query=f"image-{tiny.find_image('flat.png')}", **word))
    if page != "vocabulary":
        assert "No keypoints were found" in sentences(at)


@pytest.mark.parametrize("page", ["search", "inspect"])
@pytest.mark.parametrize("side", [1, 64])
def test_a_flat_upload_has_no_keypoints(tiny: Index, page: str, side: int) -> None:
    token = STORE.keep("black.png", png(side=side))
    assert "No keypoints were found" in sentences(well(visit(page, query=f"upload-{token}")))


def test_a_flat_query_offered_more_results_of_none(tiny: Index) -> None:
    at = well(visit("search", query=f"image-{tiny.find_image('flat.png')}"))
    assert [b.label for b in at.button] == ["Clear the query"]
    assert "Nothing to search with" in sentences(at) and "most similar" not in sentences(at)
    assert "Look into it in Inspect" in [page.label for page in at.get("page_link")]


def test_a_picture_without_keypoints_had_a_histogram_of_millionths(tiny: Index) -> None:
    at = well(visit("inspect", query=f"image-{tiny.find_image('flat.png')}"))
    assert "Histogram of words" not in sentences(at)


def test_after_a_broken_upload_there_was_no_place_for_another(tiny: Index, folder: Path) -> None:
    token = STORE.keep("cut.jpg", (folder / "china.jpg").read_bytes()[:3000])
    at = visit("search", query=f"upload-{token}")
    refused(at)
    good = (folder / "china.jpg").read_bytes()
    well(at.file_uploader[0].set_value(("china.jpg", good, "image/jpeg")).run())
    assert len(component(at, "results")["items"]) == 4


# Addresses that mean nothing


@pytest.mark.parametrize("page", PAGES)
def test_an_unknown_collection_is_named_beside_those_there_are(tiny: Index, page: str) -> None:
    told = refused(visit(page, collection="nothing-of-this-name"))
    assert "nothing-of-this-name" in told and "tiny" in told


@pytest.mark.parametrize("page", ["search", "inspect"])
@pytest.mark.parametrize("image_id", ["999999999", "13"])
def test_an_image_out_of_range_is_refused(tiny: Index, page: str, image_id: str) -> None:
    assert tiny.n_images == 13
    told = refused(visit(page, query=f"image-{image_id}"))
    assert told.startswith(f"The collection tiny has no picture {image_id}: it has 13")


def test_a_word_out_of_range_is_refused(tiny: Index) -> None:
    told = refused(visit("vocabulary", word="24"))
    assert told.startswith("The collection tiny has no word 24: it has 24")


def test_a_word_out_of_range_leaves_inspect_as_it_is(tiny: Index) -> None:
    at = well(visit("inspect", query="image-0", word="999999999"))
    assert component(at, "picture")["lit"] is None


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


def test_a_method_without_meaning_gives_the_usual_ranking(tiny: Index) -> None:
    usual = component(well(visit("search", query="image-0")), "results")
    other = component(well(visit("search", query="image-0", method="no such")), "results")
    for shown in (usual, other):
        for tile in shown["items"]:
            del tile["href"], tile["more"]  # these keep what the address says
    assert usual == other


# First start


@pytest.mark.parametrize("page", PAGES)
def test_the_first_start_offers_the_demo(
    empty_artifacts: Path, no_build: NoBuild, page: str
) -> None:
    at = well(visit(page))
    assert "python -m engine build" in sentences(at)
    well(at.button[0].click().run())
    assert no_build.n_starts == 1
    assert "12 of 96" in at.get("progress")[0].proto.text


def test_the_first_start_shows_how_far_it_is(empty_artifacts: Path, no_build: NoBuild) -> None:
    no_build.running = True
    at = well(visit("search"))
    assert at.get("progress")[0].proto.value == 12
    assert "Keypoints" in sentences(at)


def test_a_failed_first_start_says_why_and_can_be_tried_again(
    empty_artifacts: Path, no_build: NoBuild
) -> None:
    no_build.error = "the disk is full"
    at = visit("search")
    assert not at.exception
    assert [error.value for error in at.error] == ["the disk is full"]
    assert at.button[0].label == "Try again"
    well(at.button[0].click().run())
    assert no_build.n_starts == 1


def test_an_artifacts_folder_that_is_a_file_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(tmp_path / "file"))
    assert not visit("search").exception


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
    from conftest import tiny_params

    from engine import build
    from engine.codebook import CodebookParams

    at = well(visit("vocabulary"))
    fewer = CodebookParams(n_words=8, n_samples=3000, n_iterations=5)
    build.build(folder, "tiny", tiny_params(codebook=fewer), n_workers=1, overwrite=True)
    well(at.run())
    assert "8 visual words" in sentences(at)


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


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_fails_keeps_its_traceback_to_the_log(
    tiny: Index, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, page: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of the server")

    used = "ui.components.gallery" if page == "vocabulary" else "ui.query.browse"
    monkeypatch.setattr(used, fail)
    at = visit(page)
    assert "Something went wrong" in at.error[0].value
    assert "a secret" not in sentences(at)
    assert "a secret of the server" in caplog.text


def test_the_number_of_keypoints_shown_follows_the_threshold(tiny: Index) -> None:
    """A slider that keeps its place while its range shrinks would stand outside of it."""
    at = well(visit("inspect", query=f"image-{tiny.find_image('turned/coffee.png')}"))
    at = well(at.slider(key="threshold-tiny").set_value(0).run())
    many = next(s for s in at.slider if s.label.startswith("Keypoints shown"))
    at = well(many.set_value(many.max).run())
    at = well(at.slider(key="threshold-tiny").set_value(100).run())
    fewer = next(s for s in at.slider if s.label.startswith("Keypoints shown"))
    assert fewer.value <= fewer.max < many.max


# Other features than plain SURF


def _rebuild(folder: Path, **extraction: Any) -> Index:
    from conftest import tiny_params

    from engine import build
    from engine.features import ExtractionParams

    params = tiny_params(extraction=ExtractionParams(**extraction))
    return build.build(folder, "tiny", params, n_workers=1, overwrite=True)


@pytest.mark.parametrize("page", ["search", "inspect"])
def test_pages_name_the_features_that_they_show(scratch: Path, folder: Path, page: str) -> None:
    shown = _rebuild(folder, kind="root-surf")
    token = STORE.keep("a view.jpg", (folder / "coffee.jpg").read_bytes())
    at = well(visit(page, query=f"upload-{token}"))
    assert "root SURF 0" in sentences(at) or "root SURF under" in sentences(at)
    at = well(visit("inspect", query=f"image-{shown.find_image('flat.png')}"))
    assert "Lower the threshold in the settings" in sentences(at)
    assert [s.key for s in at.slider] == ["threshold-tiny", "octaves-tiny"]


def test_rootsift_has_no_sliders_of_surf_and_no_signs(scratch: Path, folder: Path) -> None:
    surf = visit("inspect", query="image-0")
    well(surf.selectbox(key="colouring").select("sign").run())
    shown = _rebuild(folder, kind="rootsift")
    at = well(surf.run())  # who coloured by sign goes on with what there is
    assert "colour=word" in component(at, "picture")["points"]
    image_id = shown.find_image("coffee.jpg")
    assert image_id is not None
    at = well(visit("inspect", query=f"image-{image_id}"))
    assert "Threshold and octaves are settings of SURF" in sentences(at)
    assert not [s for s in at.slider if s.label in ("Threshold", "Octaves")]
    assert at.selectbox(key="colouring-unsigned").options == ["word", "response"]
    well(at.selectbox(key="colouring-unsigned").select("response").run())
    numbers, _ = fetched(component(at, "picture")["points"])
    described = pipeline.describe_query(shown, images.read(shown.picture_path(image_id)))
    assert np.array_equal(numbers[:, :2], described.features.xy)
    assert "RootSIFT 0" in sentences(at)
    for page in ("search", "inspect"):
        told = sentences(well(visit(page, query=f"image-{shown.find_image('flat.png')}")))
        assert "smooth or dark. Try another picture." in told


@pytest.mark.parametrize("extraction", [{"kind": "rootsift"}, {"surf": SurfParams(upright=True)}])
def test_a_keypoint_of_each_kind_is_shown(
    scratch: Path, folder: Path, extraction: dict[str, Any]
) -> None:
    shown = _rebuild(folder, **extraction)
    image_id = shown.find_image("coffee.jpg")
    assert image_id is not None
    described = pipeline.describe_query(shown, images.read(shown.picture_path(image_id)))
    at = visit("inspect", query=f"image-{image_id}", word=str(described.words.word_ids[0]))
    at.session_state["keypoint"] = 0
    at = well(at.run())
    assert f"Keypoint 1 of {len(described.features):,}" in sentences(at)
    rows = at.table[0].value.iloc[:, 0].tolist()
    assert ("Sign" in rows) == shown.extraction.uses_surf
    for page in ("search", "vocabulary"):
        well(visit(page, query=f"image-{image_id}", word="3"))
