"""The vocabulary page: every word, one word, and the steps between them."""

import base64
import io
import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from streamlit.testing.v1 import AppTest

from engine import word_map, word_search
from engine.errors import ArtifactError
from engine.index import Index
from tests.pages_under_test import component, refused, sentences, visit, well
from ui import jobs
from ui.jobs import Job
from ui.vocabulary import kept, quality, view

pytestmark = pytest.mark.usefixtures("fresh_caches", "no_build")


def test_the_vocabulary_shows_every_word_once(tiny: Index) -> None:
    tiles = component(well(visit("vocabulary")), "words")["items"]
    assert sorted(tile["id"] for tile in tiles) == list(range(tiny.n_words))


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


def test_a_word_out_of_range_is_refused(tiny: Index) -> None:
    told = refused(visit("vocabulary", word="24"))
    assert told.startswith("The collection tiny has no word 24: it has 24")


def pressed(at: AppTest, label: str) -> AppTest:
    return next(b for b in at.button if b.label == label).click().run()


def finished(at: AppTest, said: str) -> AppTest:
    """Run a page until something in the background has ended."""
    end = time.monotonic() + 60
    while said not in sentences(well(at)) and time.monotonic() < end:
        time.sleep(0.1)
        at.run()
    assert said in sentences(at)
    return at


def chart(at: AppTest) -> dict[str, Any]:
    """Return the chart of the map."""
    found: dict[str, Any] = json.loads(at.get("echarts_chart")[0].proto.spec)
    return found


@pytest.mark.parametrize("colour", view.COLOURINGS)
def test_the_map_shows_every_word_once(tiny: Index, colour: str) -> None:
    at = well(visit("vocabulary", colour=colour, query="image-1"))
    points = [row for part in chart(at)["series"][:2] for row in part["data"]]
    assert sorted(row[2] for row in points) == list(range(tiny.n_words))
    assert len(component(at, "words")["items"]) == tiny.n_words


def test_the_grid_follows_the_chosen_part_of_the_map(tiny: Index) -> None:
    chosen = {3, *tiny.nearest_words(3, 4)[0].tolist()}
    at = well(visit("vocabulary", area="near-3-5"))
    assert {tile["id"] for tile in component(at, "words")["items"]} == chosen
    assert {row[2] for row in chart(at)["series"][1]["data"]} == chosen
    at = well(pressed(at, "Search with these words"))
    assert at.query_params["part"] == "search" and len(at.query_params["words"].split("-")) == 5
    at = well(visit("vocabulary", area="near-3-5", map="away"))
    assert not at.get("echarts_chart") and len(component(at, "words")["items"]) == 5
    at = well(visit("vocabulary", area="box-0-1-0-1"))
    assert "No word is left" in sentences(at)


def test_a_part_of_the_map_is_chosen_without_a_mouse(tiny: Index) -> None:
    at = well(visit("vocabulary"))
    at.number_input(key="near-word-None").set_value(7)
    at.number_input(key="near-count-None").set_value(3).run()
    assert well(pressed(at, "Show these")).query_params == {"area": "near-7-4"}
    at.slider(key="box-across-None").set_value((10, 60)).run()
    assert well(at).query_params == {"area": "box-100-600-0-1000"}
    assert well(pressed(at, "The whole map")).query_params == {}


def test_a_picture_is_chosen_to_colour_the_map_by(tiny: Index) -> None:
    at = well(visit("vocabulary", colour="picture"))
    tile = component(at, "map-pictures")["items"][0]
    assert tile["href"].endswith("?query=image-0&colour=picture")
    at = well(visit("vocabulary", colour="picture", query="image-0"))
    assert "occur in this picture" in sentences(at)
    assert well(pressed(at, "Another picture")).query_params == {"colour": "picture"}


def test_an_index_without_a_map_lays_it_out_meanwhile(
    tiny: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "JOBS", jobs.Jobs())
    monkeypatch.setattr(word_map, "open_map", lambda _: None)
    at = well(visit("vocabulary"))
    assert len(component(at, "words")["items"]) == tiny.n_words
    finished(at, "also its nearest here")


def test_before_the_map_was_laid_out_all_words_were_told_to_be_in_the_part_chosen(
    tiny: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "map_of", lambda _: Job("map"))
    for more in ({}, {"map": "away"}):
        at = well(visit("vocabulary", area="box-0-500-0-500", **more))
        assert "of the part chosen" not in sentences(at)
        assert "Laying the words out" in sentences(at) or at.get("progress")
        assert well(pressed(at, "The whole map")).query_params == more


@pytest.mark.parametrize(("state", "told"), [(jobs.WAITING, None), (jobs.RUNNING, "so far")])
def test_the_layout_of_the_map_offered_a_stop_that_did_nothing(
    tiny: Index, monkeypatch: pytest.MonkeyPatch, state: str, told: str | None
) -> None:
    job = Job("map", state, begun=time.monotonic() - 7)
    monkeypatch.setattr(kept, "map_of", lambda _: job)
    at = well(visit("vocabulary"))
    assert "Stop" not in [button.label for button in at.button]
    if told is None:
        assert at.get("progress")
    else:
        assert "Laying the words out" in sentences(at) and told in sentences(at)


def test_a_part_could_not_be_left_while_the_map_was_away(tiny: Index) -> None:
    at = well(visit("vocabulary", area="near-3-5", map="away"))
    assert well(pressed(at, "The whole map")).query_params == {"map": "away"}


@pytest.mark.parametrize("query", ["image-999", "upload-0123456789abcdef"])
def test_a_picture_that_is_gone_took_the_whole_map_with_it(tiny: Index, query: str) -> None:
    at = well(visit("vocabulary", colour="picture", query=query))
    assert len(at.warning) == 1
    assert len(component(at, "words")["items"]) == tiny.n_words
    assert component(at, "map-pictures")["items"]


def test_more_words_of_one_part_were_more_of_every_other(
    tiny: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.vocabulary.grid.PER_PAGE", 3)
    at = well(pressed(visit("vocabulary"), "Show more words"))
    assert len(component(at, "words")["items"]) == 6
    at.query_params["area"] = "near-3-8"
    assert len(component(well(at.run()), "words")["items"]) == 3


def test_a_broken_codebook_beside_took_the_page_with_it(
    tiny: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(name: str) -> None:
        raise ArtifactError(f"{name}: its words are damaged")

    monkeypatch.setattr(kept, "others", lambda _: ["other"])
    monkeypatch.setattr(kept, "side", broken)
    at = well(visit("vocabulary", part="compare", beside="other"))
    assert "its words are damaged" in str(at.warning[0].value)
    assert "Would the same words be learned again?" in sentences(at)


def test_a_link_forgot_how_words_were_sorted_and_filtered(tiny: Index) -> None:
    at = well(visit("vocabulary"))
    at = well(at.selectbox(key="measure").set_value("keypoints").run())
    assert at.query_params == {"sort": "keypoints"}
    at = well(at.toggle(key="falling-keypoints").set_value(False).run())
    most = int(tiny.frequency.max())
    least = int(np.sort(tiny.frequency)[5])
    at = well(at.slider(key=f"range-keypoints-{most:g}").set_value((least, most)).run())
    address = {"sort": "keypoints", "order": "rising", "between": f"{least}-{most}"}
    assert at.query_params == address
    order = np.argsort(tiny.frequency, kind="stable")
    there = [int(word) for word in order if tiny.frequency[word] >= least]
    for shown in (at, well(visit("vocabulary", **address))):
        assert [tile["id"] for tile in component(shown, "words")["items"]] == there
    for sort in view.MEASURES:  # ends that the measure does not reach
        well(visit("vocabulary", sort=sort, between="999999-0.25"))


def test_a_look_at_another_part_of_the_page_lost_the_chosen_part_of_the_map(tiny: Index) -> None:
    address = {"colour": "idf", "area": "near-3-5", "sort": "idf", "words": "3-4"}
    at = well(visit("vocabulary", **address))
    at = well(at.segmented_control(key="choose-vocabulary-part").set_value("quality").run())
    assert at.query_params == address | {"part": "quality"}
    at = well(at.segmented_control(key="choose-vocabulary-part").set_value("").run())
    assert at.query_params == address


def test_a_word_without_keypoints_opened_another_window(
    tiny: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality, "N_DEAD", 2)
    monkeypatch.setattr(quality.codebook_quality, "dead_words", lambda _: np.array([3, 5, 7]))
    at = well(visit("vocabulary", part="quality", lang="en"))
    found = component(at, "dead")["items"]
    assert [tile["href"].partition("?")[2] for tile in found] == [
        "word=3&lang=en&part=quality",
        "word=5&lang=en&part=quality",
    ]
    assert "The first 2 of them." in sentences(at)


def test_words_are_gathered_and_searched_for(tiny: Index) -> None:
    at = well(visit("vocabulary", words="3"))
    more = {tile["id"]: tile["more"] for tile in component(at, "words")["items"]}
    assert more[3] == [["Take away", "/vocabulary"]]
    assert more[7] == [["Add", "/vocabulary?words=3-7"]]
    at = well(visit("vocabulary", words="3-7"))
    assert [tile["id"] for tile in component(at, "chosen-words")["items"]] == [3, 7]
    at = well(pressed(at, "Search by words"))
    assert at.query_params == {"part": "search", "words": "3-7"}
    found = word_search.search(tiny, [3, 7])
    tiles = component(at, "found-by-words")["items"]
    assert [tile["id"] for tile in tiles] == found.image_ids.tolist()
    assert tiles[0]["above"].endswith("hold all 2 words") == (found.n_complete > 0)
    assert "keypoints=3-7" in tiles[0]["url"]
    assert len(component(at, "word-weights")["rows"]) == 2
    at.number_input(key="add-word-2").set_value(9).run()
    assert well(at).query_params["words"] == "3-7-9"
    assert well(pressed(at, "Take all away")).query_params == {"part": "search"}


def test_a_word_page_leads_to_the_search(tiny: Index) -> None:
    at = well(pressed(visit("vocabulary", word="3"), "Search with this word"))
    assert at.query_params == {"part": "search", "words": "3"}
    at = well(pressed(visit("vocabulary", word="7", words="3"), "Search with this word too"))
    assert at.query_params == {"part": "search", "words": "3-7"}


def test_a_search_without_words_says_how_to_choose_them(tiny: Index) -> None:
    assert "Choose some visual words" in sentences(well(visit("vocabulary", part="search")))
    at = well(visit("vocabulary", part="search", query="image-1"))
    offered = [tile["id"] for tile in component(at, "suggested")["items"]]
    assert len(offered) == 8
    words = well(pressed(at, "Search with these words")).query_params["words"]
    assert words == "-".join(map(str, offered))


def test_words_that_the_collection_lacks_are_left_out_of_a_search(tiny: Index) -> None:
    at = well(visit("vocabulary", part="search", words="3-99"))
    assert "1 word is left out" in sentences(at)
    assert [tile["id"] for tile in component(at, "chosen-words")["items"]] == [3]


def test_a_vocabulary_alone_has_none_to_compare_with(tiny: Index) -> None:
    at = well(visit("vocabulary", part="compare", beside="gone"))
    assert "There is no other vocabulary yet" in sentences(at)


def test_two_vocabularies_are_compared_and_measured(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "JOBS", jobs.Jobs())
    monkeypatch.setattr(kept, "N_SAMPLED", 300)
    shutil.copytree(scratch / "indexes" / "tiny", scratch / "indexes" / "twin")
    at = well(visit("vocabulary", part="compare", collection="tiny"))
    at.selectbox(key="choose-beside").set_value("twin").run()
    assert well(at).query_params["beside"] == "twin"
    assert [cell["text"] for cell in component(at, "compared")["rows"][0]["cells"]] == [
        "tiny", "24", "24", "0", "0",
    ]  # fmt: skip
    assert len(component(at, "pairs")["rows"]) == 16
    finished(pressed(at, "Measure both on pictures"), "Agreement 1.000")
    assert len(component(at, "compared")["rows"][0]["cells"]) == 8
    finished(pressed(at, "Learn it again"), "have a counterpart in all 3")
    assert len(component(at, "again")["rows"]) == 4


def test_the_quality_of_a_vocabulary_is_told(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "JOBS", jobs.Jobs())
    monkeypatch.setattr(kept, "N_SAMPLED", 300)
    monkeypatch.setattr(quality, "SIZES", (4, 8))
    at = well(visit("vocabulary", part="quality"))
    assert component(at, "figures")["rows"][0]["cells"][0]["text"] == "24"
    assert "There is no ground truth yet" in sentences(at)
    finished(pressed(at, "Learn other sizes"), "Where the two lines part")
    assert [row["cells"][0]["text"] for row in component(at, "sizes")["rows"]] == ["4", "8"]
    lines = [f"{name}.jpg,turned/{name}.png,good" for name in ("coffee", "china", "chelsea")]
    truths = scratch / "groundtruths"
    truths.mkdir()
    (truths / "three.csv").write_text("\n".join(["query,relevant,label", *lines]) + "\n")
    (truths / "one.csv").write_text("\n".join(["query,relevant,label", lines[0]]) + "\n")
    at.run()
    at.selectbox(key="choose-informing-truth").set_value("three").run()
    assert well(at).query_params["truth"] == "three"
    assert "about 3 landmarks" in sentences(at)
    assert len(component(at, "best")["items"]) == len(component(at, "worst")["items"]) == 12
    at.selectbox(key="choose-informing-truth").set_value("one").run()
    assert "name one with two or more" in sentences(well(at))
