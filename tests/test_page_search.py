"""The search page: every picture to choose, rankings, methods and collections."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from engine import build, calibration, graph, images, methods, pipeline
from engine.answer import Answer, Timings
from engine.index import Index
from engine.search import Ranking
from tests.conftest import tiny_params
from tests.pages_under_test import component, sentences, visit, well
from ui import described, results
from ui.link import Link
from ui.uploads import STORE

pytestmark = pytest.mark.usefixtures("fresh_caches", "no_build")


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
    assert f"1 of {tiny.n_images - 1} images shows the same thing" in sentences(at)
    assert [tile.get("above") for tile in tiles] == [None, results.UNLIKELY, None, None]
    assert "a cautious guess" in sentences(at)


def test_a_method_that_cannot_tell_says_what_is_most_similar(tiny: Index) -> None:
    at = well(visit("search", query="image-0", method="distance"))
    assert f"4 most similar of {tiny.n_images - 1} images" in sentences(at)
    assert not any("above" in tile for tile in component(at, "results")["items"])
    assert "same thing" not in sentences(at)


def test_an_upload_without_a_match_gives_no_answer(tiny: Index) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8)
    token = STORE.keep("noise.jpg", images.encode_jpeg(noise))
    at = well(visit("search", query=f"upload-{token}"))
    assert results.NOTHING in sentences(at)
    assert component(at, "results")["items"][0]["above"] == results.UNLIKELY


def test_more_results_are_one_click_away(tiny: Index) -> None:
    at = visit("search", query="image-0")
    well(next(b for b in at.button if b.label == "Show more").click().run())
    assert len(component(at, "results")["items"]) == tiny.n_images - 1
    assert "Show more" not in [b.label for b in at.button]


def test_a_flat_query_offered_more_results_of_none(tiny: Index) -> None:
    at = well(visit("search", query=f"image-{tiny.find_image('flat.png')}"))
    assert [b.label for b in at.button if not (b.key or "").startswith("language")] == [
        "Compare methods",
        "Clear the query",
    ]
    assert "Nothing to search with" in sentences(at) and "most similar" not in sentences(at)
    assert "Look into it in Inspect" in [page.label for page in at.get("page_link")]


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


def test_with_a_graph_the_verified_answer_is_expanded_by_itself(
    tiny: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny.folder, tmp_path / "indexes" / "tiny")
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(tmp_path))
    graph.make_graph("tiny")
    image_id = tiny.find_image("chelsea.jpg")
    at = well(visit("search", query=f"image-{image_id}"))
    assert "Expanded: from what is verified" in sentences(at)
    tiles = component(at, "results")["items"]
    verified = well(visit("search", query=f"image-{image_id}", method="verified"))
    direct = component(verified, "results")["items"]
    assert tiles[0]["alt"] == direct[0]["alt"], "with its verified score"
    assert [tile.get("above") for tile in tiles] == [None, results.UNLIKELY, None, None]


def test_the_expanded_answer_verified_anew_what_the_first_one_had(
    joined: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    described.ANSWERS.clear()
    listed, verified = [], []
    shortlist, rerank = pipeline.short.shortlist, pipeline.rerank.rerank

    def counted_list(*asked: object) -> object:
        listed.append(asked[1])
        return shortlist(*asked)

    def counted_rerank(*asked: object) -> object:
        verified.append(asked[1])
        return rerank(*asked)

    monkeypatch.setattr(pipeline.short, "shortlist", counted_list)
    monkeypatch.setattr(pipeline.rerank, "rerank", counted_rerank)
    query = f"image-{joined.find_image('chelsea.jpg')}"
    at = well(visit("search", query=query))
    assert "Expanded: from what is verified" in sentences(at)
    # The query itself once, and once what was carried back to it along the graph.
    assert len(listed) == len(verified) == 2 and len({id(asked) for asked in verified}) == 2
    for method in ("verified", "averaged"):
        assert component(well(visit("search", query=query, method=method)), "results")["items"]
    assert len(listed) == len(verified) == 2


def test_what_was_found_by_way_of_others_tells_the_way(tiny: Index) -> None:
    listed = [
        results.Result(0, 9.0, True),
        results.Result(1, 4.5, True, (0, 2)),
        results.Result(2, 0.5, False),
    ]
    nothing = Ranking(np.zeros(0, np.int32), np.zeros(0, np.float32))
    found = Answer(nothing, "expanded", 12, (), Timings())
    tiles = results.tiles(tiny, Link(), found, listed, 3, False)
    assert [tile.above for tile in tiles] == [None, results.BY_WAY, results.UNLIKELY]
    first, other = (tiny.images[i].path.rsplit("/", 1)[-1] for i in (0, 2))
    assert tiles[1].note == f"By way of {first} → {other}; weakest step 4.5"
    table = results.as_csv(tiny, listed).splitlines()
    assert table[0] == "rank,image,score,same_thing,by_way_of"
    assert [line.split(",")[3] for line in table[1:]] == ["yes", "yes", "no"]


def test_a_calibrated_collection_says_how_many_strangers_score_as_much(tiny: Index) -> None:
    scores = np.linspace(0, 2, 200, dtype=np.float32)
    told = calibration.Calibration(2.5, 0.01, (calibration.fit(scores),))
    nothing = Ranking(np.zeros(0, np.int32), np.zeros(0, np.float32))
    found = Answer(nothing, "verified", 12, (), Timings(), calibration=told)
    listed = [results.Result(0, 90.0, True), results.Result(1, 1.0, False)]
    sure, doubtful = results.tiles(tiny, Link(), found, listed, 2, False)
    assert sure.title.endswith("\nunder 0.1 % of pictures that match nothing here score as much")
    assert doubtful.title.endswith("\n50.0 % of pictures that match nothing here score as much")
    promise = results.promise(found, "tiny")
    assert promise is not None and "2.5" in promise and "1% of pictures" in promise
    assert "python -m engine" not in promise
    earlier = dataclasses.replace(found, calibration=dataclasses.replace(told, earlier_graph=True))
    noted = results.promise(earlier, "tiny")
    assert noted == (
        f"{promise} Its graph has changed since; to measure again, run "
        "`python -m engine calibrate tiny`."
    )


def test_a_method_without_meaning_gives_the_usual_ranking(tiny: Index) -> None:
    usual = component(well(visit("search", query="image-0")), "results")
    other = component(well(visit("search", query="image-0", method="no such")), "results")
    for shown in (usual, other):
        for tile in shown["items"]:
            del tile["href"], tile["more"]  # these keep what the address says
    assert usual == other


def test_clearing_the_query_shows_the_collection_again(tiny: Index) -> None:
    at = visit("search", query="image-0")
    well(next(b for b in at.button if b.label == "Clear the query").click().run())
    assert "query" not in at.query_params
    assert component(at, "browse")["items"]


def test_another_collection_forgets_pictures_and_words_of_the_first(
    scratch: Path, folder: Path
) -> None:
    build.build(folder, "other", tiny_params(), n_workers=1)
    token = STORE.keep("astronaut.jpg", (folder / "astronaut.jpg").read_bytes())
    for given, left in (
        ({"query": "image-1", "word": "3"}, {}),
        ({"query": f"upload-{token}", "method": "count"}, {"query": f"upload-{token}"}),
    ):
        at = well(visit("search", collection="other", **given))
        well(at.selectbox(key="choose-collection").select("tiny").run())
        assert at.query_params == {"collection": "tiny", **left}
