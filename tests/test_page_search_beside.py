"""The search page with two methods, with networks, and the sheet that it saves."""

import io
import shutil
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image as Pillow
from streamlit.testing.v1 import AppTest

from engine import embed, embedding_search, images, index, language, methods, model_store
from engine.index import Index
from tests.pages_under_test import component, sentences, visit, well
from tests.test_embed import MODEL, add_model
from ui import choices, opened, results
from ui.link import Link
from ui.search import both, saving, settings
from ui.search.view import View
from ui.uploads import STORE

pytestmark = pytest.mark.usefixtures("fresh_caches", "no_build")
FIRST, SECOND = both.KEYS


@pytest.fixture(scope="module")
def embedded_folder(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts with "tiny", its graph, and its vectors by a small network."""
    place = tmp_path_factory.mktemp("beside") / "artifacts"
    shutil.copytree(built, place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISWORD_ARTIFACTS", str(place))
        add_model(place.parent)
        embed.make_embeddings("tiny", MODEL)
    return place


@pytest.fixture
def embedded(embedded_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(embedded_folder))
    return index.open_index("tiny")


def ask(shown: Index, name: str = "chelsea.jpg", **more: str) -> AppTest:
    return visit("search", query=f"image-{shown.find_image(name)}", **more)


def tiles(at: AppTest, key: str) -> list[dict[str, object]]:
    return list(component(at, key)["items"])


def button(at: AppTest, label: str) -> object:
    return next(one for one in at.button if one.label.replace("\\", "") == label)


def choices_of(address: str) -> dict[str, str]:
    return {key: value for key, (value,) in parse_qs(urlsplit(address).query).items()}


def white() -> str:
    return STORE.keep("white.png", images.encode_png(np.full((90, 120, 3), 255, np.uint8)))


# --- two methods beside each other ----------------------------------------------------------


def test_each_picture_tells_its_place_in_the_other_ranking(embedded: Index) -> None:
    at = well(ask(embedded, method="verified", beside=MODEL))
    here = Link(image_id=embedded.find_image("chelsea.jpg"))
    ranked = {
        key: results.of(opened.search(embedded, here, method))
        for key, method in ((FIRST, "verified"), (SECOND, MODEL))
    }
    for key, other in ((FIRST, SECOND), (SECOND, FIRST)):
        places = {one.image_id: i for i, one in enumerate(ranked[other], 1) if one.score > 0}
        shown = tiles(at, key)
        assert [tile["id"] for tile in shown] == [one.image_id for one in ranked[key]]
        for tile in shown:
            place = places.get(tile["id"])
            told = "not found there" if place is None else f"place {place} there"
            assert tile["told"] == told and told in str(tile["alt"])
            assert tile.get("mark") == (None if place is None else "both")
    assert "not found there" in {tile["told"] for tile in tiles(at, SECOND)}
    orders = ([tile["id"] for tile in tiles(at, key)] for key in both.KEYS)
    n = sum(one == other for one, other in zip(*orders))
    assert f"{n} of all {embedded.n_images - 1} ha" in sentences(at), "that all are is no news"


def test_both_say_what_probably_is_something_else_where_they_can(embedded: Index) -> None:
    at = well(ask(embedded, method=MODEL, beside="verified"))
    above = [tile.get("above") for tile in tiles(at, SECOND)]
    assert above[:3] == [None, results.UNLIKELY, None]
    assert not any("above" in tile for tile in tiles(at, FIRST))
    assert f"1 of {embedded.n_images - 1} images shows the same thing" in sentences(at)


def test_links_lead_on_with_the_method_of_their_column(embedded: Index) -> None:
    at = well(ask(embedded, method="verified", beside=MODEL, lang="en"))
    for key, method in ((FIRST, "verified"), (SECOND, MODEL)):
        for tile in tiles(at, key)[:3]:
            again = choices_of(str(tile["href"]))
            assert again["query"] == f"image-{tile['id']}"
            assert (again["method"], again["beside"]) == ("verified", MODEL), "the same two"
            why, inspect = (choices_of(address) for _, address in tile["more"])  # type: ignore[attr-defined]
            assert why["method"] == inspect["method"] == method
            assert why["result"] == str(tile["id"]) and inspect["query"] == f"image-{tile['id']}"
            assert "beside" not in why | inspect


def test_how_much_two_agree_is_one_sentence(
    embedded: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(both, "FEW", 3)
    at = well(ask(embedded, method="verified", beside=MODEL))
    one, other = ({tile["id"] for tile in tiles(at, key)} for key in both.KEYS)
    assert len(one) == len(other) == 3
    n = len(one & other)
    expected = {0: "None of the first 3 is in both.", 1: "1 of the first 3 is in both."}
    assert expected.get(n, f"{n} of the first 3 are in both.") in sentences(at)
    marked = [tile["id"] for key in both.KEYS for tile in tiles(at, key) if tile.get("mark")]
    assert sorted(marked) == sorted([*(one & other)] * 2)
    well(button(at, "Show more").click().run())  # type: ignore[attr-defined]
    assert len(tiles(at, FIRST)) == len(tiles(at, SECOND)) == embedded.n_images - 1
    assert "Show more" not in [one.label for one in at.button]


def test_choosing_closing_and_swapping_are_one_click_each(embedded: Index) -> None:
    at = well(ask(embedded))
    query = at.query_params["query"]
    well(button(at, "Compare methods").click().run())  # type: ignore[attr-defined]
    assert at.query_params == {"query": query, "beside": MODEL}
    assert "Compare methods" not in [one.label for one in at.button]
    well(at.selectbox(key="choose-beside").select("count").run())
    assert at.query_params == {"query": query, "beside": "count"}
    assert "place 1 there" in {tile["told"] for tile in tiles(at, SECOND)}
    # Chosen as the first, it changes places with it.
    well(at.selectbox(key="choose-method").select("count").run())
    assert at.query_params == {"query": query, "method": "count", "beside": "verified"}
    well(button(at, "Close verified").click().run())  # type: ignore[attr-defined]
    assert at.query_params == {"query": query, "method": "count"}
    with pytest.raises(AssertionError):
        component(at, SECOND)


def test_a_second_method_without_meaning_is_none(tiny: Index) -> None:
    for beside in ("no such", "verified", MODEL):
        at = well(ask(tiny, method="verified", beside=beside))
        assert len(tiles(at, FIRST)) == 4
        assert at.selectbox(key="choose-beside").value == ""


def test_another_photograph_keeps_both_and_another_collection_does_not(embedded: Index) -> None:
    at = well(visit("search", method="verified", beside=MODEL))
    assert at.selectbox(key="choose-beside").value == MODEL
    for tile in component(at, "browse")["items"]:
        assert choices_of(tile["href"])["beside"] == MODEL
    here = View(Link(image_id=3, method="verified"), MODEL)
    assert View.read(here.write()) == here
    assert here.to(image_id=1).beside == MODEL and here.to(collection="other").beside == ""


def test_both_rankings_are_one_table(embedded: Index) -> None:
    here = Link(image_id=embedded.find_image("chelsea.jpg"))
    sides = []
    for method in ("verified", MODEL):
        found = opened.search(embedded, here, method)
        sides.append(both.Column(method, found, results.of(found)))
    head, *lines = both._as_csv(embedded, *sides).splitlines()
    assert head == f"image,rank_verified,score_verified,rank_{MODEL},score_{MODEL}"
    rows = [line.split(",") for line in lines]
    assert len(rows) == embedded.n_images - 1
    assert [int(row[1]) for row in rows] == list(range(1, len(rows) + 1))
    nearest = embedded.images[sides[1].listed[0].image_id].shown
    assert next(row[0] for row in rows if row[3] == "1") == nearest
    shorter = both.Column("count", sides[0].answer, sides[0].listed[:2])
    assert both._as_csv(embedded, shorter, sides[1]).splitlines()[3].split(",")[1:3] == ["", ""]


# --- networks -------------------------------------------------------------------------------


def test_every_method_tells_what_it_finds(embedded: Index) -> None:
    at = well(ask(embedded))
    told = at.selectbox(key="choose-method").options
    assert len(told) == len(methods.offered(embedded.parts)) == len(set(told))
    assert set(choices.ordered(embedded.parts)) == set(methods.offered(embedded.parts))
    assert f"{MODEL} · same kind of picture, by a network" in told
    assert f"verified+{MODEL} · same object, then same kind" in told
    assert all("same" in one for one in told)
    assert "neural network" not in "".join(c.value for c in at.caption if "MODEL" in c.value)


def test_what_is_set_beside_at_first_looks_in_another_way(embedded: Index, tiny: Index) -> None:
    for parts, pairs in (
        (embedded.parts, {"verified": MODEL, MODEL: "verified", f"verified+{MODEL}": "verified"}),
        (tiny.parts, {"verified": "distance", "expanded": "distance", "count": "verified"}),
    ):
        assert {method: choices.other(parts, method) for method in pairs} == pairs


def test_with_a_network_no_line_leads_to_models(embedded: Index) -> None:
    assert "Add them in Models" not in [page.label for page in ask(embedded).get("page_link")]


def test_without_a_network_one_line_leads_to_models(tiny: Index) -> None:
    at = well(ask(tiny))
    assert sum("neural network" in caption.value for caption in at.caption) == 1
    leads = [page for page in at.get("page_link") if page.label == "Add them in Models"]
    assert len(leads) == 1 and "models" in leads[0].proto.page
    assert settings.second(tiny, View(Link(), MODEL)) is None


@pytest.mark.parametrize("by", ["", "+rank"])
def test_a_white_picture_is_found_by_the_network_alone(embedded: Index, by: str) -> None:
    token = white()
    alone = well(visit("search", query=f"upload-{token}", method=MODEL))
    assert "No keypoints" not in sentences(alone)
    fused = well(visit("search", query=f"upload-{token}", method=f"verified+{MODEL}{by}"))
    assert "so words say nothing of this picture" in sentences(fused)
    order = [[tile["id"] for tile in tiles(at, FIRST)][:4] for at in (alone, fused)]
    assert order[0] == order[1], "names of files came before what the network said"


def test_a_white_picture_beside_words_that_find_nothing(embedded: Index) -> None:
    at = well(visit("search", query=f"upload-{white()}", method="verified", beside=MODEL))
    assert "Nothing to search with" in sentences(at)
    shown = tiles(at, SECOND)
    assert len(shown) == embedded.n_images
    assert not any("told" in tile or "mark" in tile for tile in shown)
    assert "in both" not in sentences(at)


def test_a_model_that_is_gone_replaced_the_whole_page(
    embedded: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(embedded.folder.parents[1], tmp_path / "artifacts")
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(tmp_path / "artifacts"))
    shutil.rmtree(model_store.model_folder(MODEL))
    embedding_search._loaded.cache_clear()
    turned = images.read(embedded.root / "china.jpg").rgb[::-1].copy()
    token = STORE.keep("turned.png", images.encode_png(turned))
    for method, beside in ((MODEL, ""), (f"verified+{MODEL}", ""), (MODEL, "verified")):
        at = visit("search", query=f"upload-{token}", method=method, beside=beside)
        assert not at.exception
        told = [error.value.replace("\\", "") for error in at.error]
        assert len(told) == 1 and "not installed" in told[0] and "`python -m engine" in told[0]
        assert str(tmp_path) not in told[0]
        assert "Look at it in Models" in [page.label for page in at.get("page_link")]
        assert at.selectbox(key="choose-method").value == method, "settings stay usable"
        if beside:
            assert len(tiles(at, SECOND)) == embedded.n_images
        well(at.selectbox(key="choose-method").select("count").run())
        assert at.query_params["method"] == "count"
        own = well(visit("search", query="image-0", method=method, beside=beside))
        assert len(tiles(own, FIRST)) >= 4


# --- the sheet ------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["en", "zh"])
def test_the_sheet_is_made_when_it_is_asked_for(embedded: Index, code: str) -> None:
    token = STORE.keep("china.jpg", (embedded.root / "china.jpg").read_bytes())
    for here in (Link(image_id=0), Link(upload=token), Link(upload="gone" * 8)):
        found = opened.search(embedded, Link(image_id=0), MODEL)
        with language.speaking(code):
            made = saving.sheet_of(embedded, here, found, results.of(found))
        picture = Pillow.open(io.BytesIO(made))
        assert picture.format == "JPEG" and picture.width == 1720
    at = well(ask(embedded, method=MODEL))
    assert [one.label for one in at.get("download_button")] == [
        "Results as CSV",
        "Sheet as a picture",
    ]
