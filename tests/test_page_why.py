"""The page Why: one result, its parts, its matches, and what else could have been."""

import io
import json
import shutil
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image as Pillow
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from engine import build, explain, images, index, methods, pipeline
from engine.explanation import COUNTS
from engine.index import Index
from tests.conftest import tiny_params
from tests.pages_under_test import component, refused, sentences, visit, well
from ui import routes
from ui.uploads import STORE
from ui.why import asked, kept, view

pytestmark = pytest.mark.usefixtures("fresh_caches", "no_build")


def _id(tiny: Index, name: str) -> int:
    found = tiny.find_image(name)
    assert found is not None
    return found


def _why(tiny: Index, result: str | None = None, **more: str) -> AppTest:
    if result is not None:
        more["result"] = str(_id(tiny, result))
    return visit("why", query=f"image-{_id(tiny, 'china.jpg')}", **more)


def _parts(at: AppTest) -> list[list[str]]:
    return [[cell["text"] for cell in row["cells"]] for row in component(at, "parts")["rows"]]


@pytest.mark.parametrize("method", methods.available(()))
def test_the_page_adds_the_parts_up_to_the_score(tiny: Index, method: str) -> None:
    at = well(_why(tiny, "turned/coffee.png", method=method))
    *parts, total = _parts(at)
    assert total[0] == "All together"
    assert sum(float(part[1]) for part in parts) == pytest.approx(float(total[1]), abs=1e-3)
    query = pipeline.describe_query(tiny, images.read(tiny.root / "china.jpg"))
    answer = pipeline.search_query(tiny, query, method, None)
    told = explain.explain(tiny, answer, _id(tiny, "turned/coffee.png"))
    assert float(total[1]) == pytest.approx(told.score, abs=1e-3)


def test_the_first_result_is_explained_unless_another_is_named(tiny: Index) -> None:
    at = well(_why(tiny))
    assert at.header[0].value.replace("\\", "") == "china.png"
    assert "1st of 12" in sentences(at)
    assert "Shows the same thing" in sentences(at)
    other = well(_why(tiny, "rocket.jpg"))
    assert other.header[0].value.replace("\\", "") == "rocket.jpg"
    assert "Probably not the same thing" in sentences(other)


def test_lines_are_the_matches_that_add_most(tiny: Index) -> None:
    query = pipeline.describe_query(tiny, images.read(tiny.root / "china.jpg"))
    answer = pipeline.search_query(tiny, query, "verified", None)
    of = explain.explain(tiny, answer, _id(tiny, "turned/china.png")).matches
    assert of is not None
    n_counted = int((of.fates == COUNTS).sum())
    assert n_counted > view.N_FEW
    few, counted, every = (
        component(well(_why(tiny, lines=lines)), "pair")["matches"] for lines in view.LINES
    )
    assert [len(few), len(counted), len(every)] == [view.N_FEW, n_counted, len(of)]
    values = [match[8] for match in every]
    assert values == sorted(values, reverse=True)
    assert few == every[: view.N_FEW]
    assert {match[9] for match in counted} == {COUNTS} < {match[9] for match in every}
    assert few[0][:2] == pytest.approx(of.query.xy[of.order[0]].tolist(), abs=0.06)


def test_a_chosen_match_shows_its_two_patches(tiny: Index) -> None:
    at = well(_why(tiny))
    shown = component(at, "pair")
    assert shown["chosen"] is None
    query = pipeline.describe_query(tiny, images.read(tiny.root / "china.jpg"))
    answer = pipeline.search_query(tiny, query, "verified", None)
    of = explain.explain(tiny, answer, _id(tiny, "turned/china.png")).matches
    assert of is not None
    best = of.order[2]
    match = f"{of.query_rows[best]}-{of.database_rows[best]}"
    at = well(_why(tiny, match=match, word=str(of.word_ids[best])))
    shown = component(at, "pair")
    assert shown["chosen"] == 2
    assert shown["lit"] == of.word_ids[best]
    assert shown["told"][2] in sentences(at)
    captions = [image.proto.imgs[0].caption for image in at.get("image")]
    assert captions[:2] == ["In the query", "In the result"]
    assert component(well(_why(tiny, match="999-999")), "pair")["chosen"] is None


def test_a_chosen_word_shows_its_keypoints_in_both_pictures(tiny: Index) -> None:
    at = well(_why(tiny, method="distance", word="3"))
    ours, theirs = component(at, "pair")["points"]
    query = pipeline.describe_query(tiny, images.read(tiny.root / "china.jpg"))
    assert len(ours) == int((query.words.word_ids == 3).sum()) > 0
    held = tiny.words(_id(tiny, "turned/china.png")).word_ids
    assert len(theirs) == int((held == 3).sum()) > 0
    shared = component(at, "shared")["rows"]
    assert [row["cells"][0]["text"] for row in shared if row["chosen"]] == ["Word 3"]


def test_a_word_left_out_moves_score_and_place_at_once(tiny: Index) -> None:
    usual = well(_why(tiny, method="distance"))
    words = [row["cells"][0]["text"].split()[1] for row in component(usual, "shared")["rows"]]
    without = well(_why(tiny, method="distance", off="-".join(sorted(words[:3], key=int))))
    assert "Without 3 words" in sentences(without)
    left = {row["cells"][0]["text"].split()[1] for row in component(without, "shared")["rows"]}
    assert left.isdisjoint(words[:3])
    assert _parts(without)[-1] != _parts(usual)[-1]
    again = well(next(b for b in without.button if b.label == "Take all in again").click().run())
    assert _parts(again) == _parts(usual)


def test_a_part_painted_over_is_left_out_of_the_search(tiny: Index) -> None:
    entry = tiny.images[_id(tiny, "china.jpg")]
    half = f"0-0-{entry.width}-{entry.height // 2}"
    at = well(_why(tiny, lines="all", areas=half))
    shown = component(at, "pair")
    assert shown["hidden"] == [[0, 0, entry.width, entry.height // 2]]
    assert "Without 1 part of the picture" in sentences(at)
    assert min(match[1] for match in shown["matches"]) > entry.height // 2 - 0.1
    whole = well(_why(tiny, areas=f"0-0-{entry.width}-{entry.height}"))
    assert "0 keypoints of the query remain" in sentences(whole)


def test_why_not_stands_beside_what_won(tiny: Index) -> None:
    at = well(_why(tiny, "rocket.jpg"))
    rows = {row["cells"][0]["text"]: row["cells"] for row in component(at, "beside")["rows"]}
    assert rows["Place"][2]["text"] == "1"
    assert int(rows["Place"][1]["text"]) > 1
    ours, winner = (
        int(cell["text"].replace(",", ""))
        for cell in rows["Matches that agree on one map of the picture, and count"][1:]
    )
    assert ours < winner
    at.text_input(key="expected").set_value("FLOWER")
    well(at.run())
    found = component(at, "expected-pictures")["items"]
    assert sorted(item["title"] for item in found) == ["flower.jpg", "turned/flower.png"]
    result = parse_qs(urlsplit(found[0]["href"]).query)["result"]
    assert result == [str(found[0]["id"])]


def test_every_method_tells_its_place(tiny: Index) -> None:
    at = well(_why(tiny, "rocket.jpg"))
    well(next(b for b in at.button if b.label == "Compare all methods").click().run())
    rows = component(at, "methods")["rows"]
    assert [row["cells"][0]["text"] for row in rows] == methods.available(tiny.parts)
    assert [row["cells"][0]["text"] for row in rows if row["chosen"]] == ["verified"]
    for row in rows:
        assert 1 <= int(row["cells"][1]["text"]) <= tiny.n_images - 1


@pytest.mark.parametrize("method", ["distance", "verified"])
def test_heat_and_the_laid_picture_have_the_query_s_shape(tiny: Index, method: str) -> None:
    at = well(_why(tiny, method=method))
    entry = tiny.images[_id(tiny, "china.jpg")]
    app = Starlette(routes=routes.all_routes())
    with TestClient(app) as client:
        for what in ("heat", "warp"):
            if what == "warp" and method == "distance":
                assert "so there is nothing to lay on it" in sentences(at)
                continue
            shown = component(at, what)
            answer = client.get(shown["above"]).raise_for_status()
            with Pillow.open(io.BytesIO(answer.content)) as drawn:
                assert drawn.size == (entry.width, entry.height)
                assert np.asarray(drawn).std() > 10
            assert "private" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "address",
    [
        "/why/tiny/heat",
        "/why/tiny/heat?query=image-999",
        "/why/tiny/nothing?query=image-0",
        "/why/none/heat?query=image-0",
        "/why/tiny/warp?query=image-0&method=distance",
    ],
)
def test_a_drawing_that_cannot_be_made_is_refused_in_one_line(tiny: Index, address: str) -> None:
    with TestClient(Starlette(routes=routes.all_routes())) as client:
        answer = client.get(address)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text and "\n" not in answer.text


def test_the_query_is_no_result_of_its_own(tiny: Index) -> None:
    assert "is the query itself" in refused(_why(tiny, "china.jpg"))
    assert "has no picture 999" in refused(visit("why", query="image-0", result="999"))


def test_a_query_without_keypoints_has_nothing_to_add_up(tiny: Index) -> None:
    at = well(visit("why", query=f"image-{_id(tiny, 'flat.png')}"))
    assert "Nothing of it matches the query" in sentences(at)
    assert "Nothing of the query adds anything here" in sentences(at)


def test_an_upload_is_explained_like_any_picture(tiny: Index, folder: Path) -> None:
    token = STORE.keep("mine.png", (folder / "turned" / "china.png").read_bytes())
    at = well(visit("why", query=f"upload-{token}", result=str(_id(tiny, "china.jpg"))))
    assert "1st of 12" in sentences(at)
    assert "mine.png" in sentences(at)
    assert token in component(at, "heat")["above"]


def test_without_a_query_the_page_offers_pictures(tiny: Index) -> None:
    at = well(visit("why"))
    assert at.header[0].value == "See why a picture is found"
    assert component(at, "browse")["items"][0]["href"].startswith("/why?")


@pytest.mark.parametrize("method", ["distance", "verified"])
def test_what_is_downloaded_says_what_the_page_says(tiny: Index, method: str) -> None:
    here = view.View.read(
        {"query": f"image-{_id(tiny, 'china.jpg')}", "method": method, "off": "3"}
    )
    found = asked.ask(tiny, here)
    assert found is not None
    told = json.loads(kept.as_json(found))
    assert told["query"] == "china.jpg"
    assert told["left_out"] == {"words": [3], "areas": []}
    assert told["score"] == found.explained.score == pytest.approx(told["total"], rel=1e-6)
    page = kept.page(found).decode()
    assert "china.jpg" in page and "turned/china.png" in page
    assert "china.jpg, without word 3" in page
    assert "://" not in page.replace("http://www.w3.org/", "")


@pytest.mark.parametrize("left", ["nothing", "another picture"])
def test_a_query_whose_file_is_not_what_it_was_is_explained_as_stored(
    built: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    """The page took the new file's keypoints for those that the search was made with."""
    place, pictures = tmp_path / "artifacts", tmp_path / "pictures"
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(place))
    shutil.copytree(folder, pictures)
    build.build(pictures, "tiny", tiny_params(), n_workers=1)
    tiny = index.open_index("tiny")
    query, result = _id(tiny, "china.jpg"), _id(tiny, "turned/china.png")
    if left == "nothing":
        (pictures / "china.jpg").unlink()
    else:
        shutil.copy(pictures / "coffee.jpg", pictures / "china.jpg")
    at = well(visit("why", query=f"image-{query}", result=str(result), method="distance", word="3"))
    ours, _ = component(at, "pair")["points"]
    assert len(ours) == int((tiny.words(query).word_ids == 3).sum())
    *parts, total = _parts(at)
    assert sum(float(part[1]) for part in parts) == pytest.approx(float(total[1]), abs=1e-3)
    told = "changed since" if left == "another picture" else "no longer where it was"
    assert told in sentences(at)
    refused(visit("why", query=f"image-{query}", method="distance", off="3"))


def test_a_word_that_is_not_there_lets_no_line_fade(tiny: Index) -> None:
    assert component(well(_why(tiny, word="999")), "pair")["lit"] is None
