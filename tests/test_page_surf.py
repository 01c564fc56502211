"""The page Step by step: every number it shows is the engine's own."""

import io
import json
import re
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from engine import build, draw, images, pipeline, repeatability, surf, trace
from engine.features import ExtractionParams
from engine.index import Index
from engine.surf import SurfParams
from engine.trace import Prepared
from tests.conftest import tiny_params
from tests.pages_under_test import component, refused, sentences, visit, well
from ui import routes
from ui.link import Link
from ui.surf import bench, curves, view
from ui.surf.compare import MOST_LINES
from ui.surf.view import View
from ui.uploads import STORE

pytestmark = pytest.mark.usefixtures("fresh_caches", "no_build")


def page(tiny: Index, name: str = "china.jpg", **more: str) -> AppTest:
    return visit("surf", query=f"image-{tiny.find_image(name)}", **more)


@pytest.fixture
def china(tiny: Index) -> Prepared:
    return trace.prepare(images.read(tiny.root / "china.jpg").gray, tiny.surf)


def captions(at: AppTest, key: str) -> list[str]:
    return [item["caption"] for item in component(at, key)["items"]]


def rows(at: AppTest, key: str) -> list[list[str]]:
    return [[cell["text"] for cell in row["cells"]] for row in component(at, key)["rows"]]


def test_every_step_of_the_strongest_keypoint_is_shown(tiny: Index, china: Prepared) -> None:
    at = well(page(tiny))
    told = sentences(at)
    for number in range(1, 10):
        assert re.search(rf"^{number} · ", told, re.MULTILINE), number
    traced = trace.follow(china, 0)
    assert f"Keypoint 1 of {len(china.features)}" in told
    response = float(traced.response)
    assert f"= **{response:,.2f}**" in told
    cube = [json.dumps(item) for item in component(at, "cube")["items"]]
    assert traced.cell.around is not None
    for layer, values in zip(cube, traced.cell.around):
        for value in values.ravel().tolist():
            assert f">{value:,.0f}<" in layer
    assert [row[-1] for row in rows(at, "newton")] == [
        f"{float(value):,.2f}" for value in (*traced.xy, traced.size)
    ]
    sums = [float(row[2]) for row in rows(at, "square")]
    place = next(int(found[1]) for found in re.finditer(r"Cell (\d+) of 16", told)) - 1
    of = traced.description.descriptor.reshape(16, 8)[place]
    np.testing.assert_allclose(sums, of, atol=1e-4)
    assert "Nearest to them is visual word" in told


def test_the_sum_of_a_box_is_that_of_its_pixels(tiny: Index) -> None:
    for more in ({}, {"cell": "1-2-30-40"}, {"threshold": "50", "cell": "0-4-60-70"}):
        told = sentences(well(page(tiny, **more)))
        (by_corners,) = re.findall(r"A = .*\*\*([\d,]+)\*\*", told)
        (by_pixels,) = re.findall(r"added up one by one: \*\*([\d,]+)\*\*", told)
        assert by_corners == by_pixels


def test_all_drawings_are_sound_and_have_a_name(tiny: Index) -> None:
    for more in ({}, {"upright": "1", "short": "1"}, {"window": "3", "square": "7"}):
        at = well(page(tiny, **more))
        keys = ["integral", "filters", "responses", "cube", "step", "patch", "cells"]
        keys += [] if "upright" in more else ["samples"]
        for key in keys:
            for item in component(at, key)["items"]:
                ElementTree.fromstring(f"<svg>{item['svg']}</svg>")
                assert item["label"]


def test_cells_are_counted_where_it_is_asked_for(tiny: Index, china: Prepared) -> None:
    at = well(page(tiny, funnel="1"))
    counted = rows(at, "funnel")
    assert len(counted) == 3 * len(china.octaves)
    kept = sum(int(row[-1].replace(",", "")) for row in counted)
    assert kept >= len(china.features)
    assert not [e for e in well(page(tiny)).get("bidi_component") if e.key == "funnel"]


def test_a_keypoint_survives_a_moved_threshold(tiny: Index, china: Prepared) -> None:
    x, y, size = bench.place(china.features, 40)
    at = f"{x:g}-{y:g}-{size:g}"
    assert "Keypoint 41 of" in sentences(well(page(tiny, at=at)))
    fewer = sentences(well(page(tiny, at=at, threshold="390")))
    assert "Keypoint 41 of" in fewer and "any more" not in fewer
    gone = sentences(well(page(tiny, at=at, threshold="5000")))
    assert "no keypoint of this size at this place any more" in gone


def test_the_sliders_stand_in_the_address(tiny: Index) -> None:
    at = well(page(tiny))
    at.slider(key="surf-threshold").set_value(1000).run()
    at.slider(key="surf-octaves").set_value(2).run()
    at.toggle(key="surf-short").set_value(True).run()
    well(at)
    wanted = {"threshold": "1000", "octaves": "2", "short": "1"}
    assert {name: at.query_params[name] for name in wanted} == wanted
    gray = images.read(tiny.root / "china.jpg").gray
    found = surf.extract(gray, SurfParams(1000.0, 2, 3, extended=False))
    assert f"Keypoint 1 of {len(found)}" in sentences(at)
    assert "9 · The 64 numbers" in sentences(at)
    assert "are made of 128 numbers" in sentences(at)


def test_a_cell_that_is_no_keypoint_says_why(tiny: Index) -> None:
    told = sentences(well(page(tiny, cell="0-1-50-50")))
    assert "The cell that is looked at is not that of the keypoint" in told
    border = sentences(well(page(tiny, cell="0-1-0-0")))
    assert "so near the border" in border and "The filter leaves the picture" in border
    assert "only serve as neighbours" in sentences(well(page(tiny, cell="0-0-50-50")))


def test_a_button_and_a_number_lead_back(tiny: Index) -> None:
    at = well(page(tiny, cell="0-1-50-50"))
    next(b for b in at.button if b.label == "Back to the keypoint").click().run()
    assert "cell" not in well(at).query_params
    next(b for b in at.button if b.label == "Another picture").click().run()
    assert "Follow a picture step by step" in sentences(well(at))


def test_a_picture_smaller_than_a_filter_is_no_fault(tiny: Index) -> None:
    for side in (1, 12, 20):
        buffer = io.BytesIO()
        Pillow.new("RGB", (side, side)).save(buffer, "PNG")
        token = STORE.keep("small.png", buffer.getvalue())
        well(visit("surf", query=f"upload-{token}"))
        well(visit("surf", query=f"upload-{token}", part="compare"))


def test_words_of_other_features_are_met_or_not_offered(scratch: Path, folder: Path) -> None:
    for kind, told in (
        ("root-surf", "made of the roots of such numbers"),
        ("rootsift", "are not made of such numbers"),
    ):
        params = tiny_params(extraction=ExtractionParams(kind=kind))
        shown = build.build(folder, "tiny", params, n_workers=1, overwrite=True)
        image_id = shown.find_image("china.jpg")
        at = well(visit("surf", query=f"image-{image_id}"))
        assert told in sentences(at)
        if kind == "root-surf":
            (word,) = re.findall(r"visual word \*\*(\d+)\*\*", sentences(at))
            query = pipeline.describe_query(shown, images.read(folder / "china.jpg"))
            assert int(word) == query.words.word_ids[0]


# What survives


def test_the_shares_are_those_of_the_engine(tiny: Index) -> None:
    at = well(page(tiny, part="compare", turn="45", zoom="80"))
    gray = images.read(tiny.root / "china.jpg").gray
    change = repeatability.Variation(turn=45, zoom=0.8)
    _, one, other, found = repeatability.repeat(gray, tiny.surf, change)
    told = sentences(at)
    assert f"**{found.repeatability:.0%} are found again**: {len(found.pairs):,}" in told
    ratios = repeatability.ratios(one.descriptors, other.descriptors, found.nearest)
    passed = ratios < 0.8
    assert f"{int((passed & found.is_right).sum())} of {int(passed.sum())} that pass" in told
    matches = component(at, "surf-pair")["matches"]
    assert len(matches) == min(MOST_LINES, int(passed.sum()))
    assert {match[9] for match in matches} <= {0, 1}


def test_what_is_drawn_can_be_chosen(tiny: Index) -> None:
    kept = component(well(page(tiny, part="compare", show="kept")), "surf-pair")
    assert kept["matches"] and {match[9] for match in kept["matches"]} == {0}
    lost = component(well(page(tiny, part="compare", show="lost")), "surf-pair")
    assert not lost["matches"] and all(lost["points"])


def test_a_line_that_is_chosen_is_told(tiny: Index) -> None:
    matches = component(well(page(tiny, part="compare")), "surf-pair")
    at = well(page(tiny, part="compare", match="0-0", turn="0"))
    shown = component(at, "surf-pair")
    assert matches["chosen"] is None and shown["chosen"] == 0
    assert shown["told"][0] in sentences(at) and shown["told"][0].startswith("right")


def test_another_picture_stands_beside_it(tiny: Index) -> None:
    at = well(page(tiny, part="compare", beside="other"))
    assert re.search(r"\*\*\d+ of \d+ matches agree\*\*", sentences(at))
    assert len(component(at, "surf-others")["items"]) == 12
    turned = str(tiny.find_image("turned/china.png"))
    at = well(page(tiny, part="compare", beside="other", other=turned))
    (agree, n) = re.findall(r"\*\*(\d+) of (\d+) matches agree", sentences(at))[0]
    assert int(agree) > int(n) / 2 > 20
    assert "no picture 99" in refused(page(tiny, part="compare", beside="other", other="99"))


def test_a_line_to_another_picture_was_forgotten_once_it_was_chosen(tiny: Index) -> None:
    turned = tiny.find_image("turned/china.png")
    assert turned is not None
    one, two = (bench.of(tiny, link) for link in (_link(tiny), Link(image_id=turned)))
    found = bench.beside(one, two, tiny.surf)
    row = int(np.flatnonzero(found.ratios < 0.5)[0])
    match = f"{row}-{found.nearest[row]}"
    more = {"part": "compare", "beside": "other", "other": str(turned), "match": match}
    at = well(page(tiny, **more))
    shown = component(at, "surf-pair")
    assert shown["chosen"] is not None
    assert f"**{shown['told'][shown['chosen']]}**" in sentences(at)


def test_a_picture_beside_it_that_was_removed_took_the_others_with_it(
    scratch: Path, folder: Path, tmp_path: Path
) -> None:
    pictures = tmp_path / "copied"
    shutil.copytree(folder, pictures)
    shown = build.build(pictures, "tiny", tiny_params(), n_workers=1, overwrite=True)
    (pictures / "turned" / "china.png").unlink()
    gone = str(shown.find_image("turned/china.png"))
    at = well(page(shown, part="compare", beside="other", other=gone))
    assert "no longer where it was" in at.warning[0].value
    assert component(at, "surf-others")["items"]


def test_a_picture_without_keypoints_was_told_of_in_shares_of_nothing(tiny: Index) -> None:
    buffer = io.BytesIO()
    Pillow.new("RGB", (80, 60), "gray").save(buffer, "PNG")
    query = f"upload-{STORE.keep('flat.png', buffer.getvalue())}"
    for beside in ("", "other"):
        told = sentences(well(visit("surf", query=query, part="compare", beside=beside)))
        assert "No keypoints were found" in told
        assert "0%" not in told


def test_an_upright_patch_was_said_not_to_be_turned_and_to_survive_turning(tiny: Index) -> None:
    told = sentences(well(page(tiny, upright="1")))
    assert "points straight up, which is 270° clockwise" in told
    assert "laid upwards for every keypoint" in told and "turning does" in told
    assert "neither turning nor zooming" not in told
    assert "neither turning nor zooming" in sentences(well(page(tiny)))


def test_a_curve_that_fails_was_begun_again_for_ever(
    tiny: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[object] = []

    def fails(*given: object) -> None:
        tried.append(given)
        raise RuntimeError("no")

    monkeypatch.setattr(curves, "repeat", fails)
    monkeypatch.setattr(curves, "CURVES", curves.Curves())
    on = bench.of(tiny, _link(tiny), bench.COMPARED)
    assert curves.CURVES.get(on, tiny.surf, view.BLUR).wait(60)
    for _ in range(2):
        at = well(page(tiny, part="compare", curve="blur"))
        assert any("ended early" in warning.value for warning in at.warning)
    assert len(tried) == 1
    next(b for b in at.button if b.label == "Measure again").click().run()
    again = curves.CURVES.find(on, tiny.surf, view.BLUR)
    assert again is not None and again.wait(60)
    assert len(tried) >= 2


def test_a_curve_is_drawn(tiny: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(curves.STEPS, view.BLUR, (0, 2))
    monkeypatch.setattr(curves, "CURVES", curves.Curves())
    gray = bench.of(tiny, _link(tiny), bench.COMPARED)
    assert curves.CURVES.get(gray, tiny.surf, view.BLUR).wait(60)
    at = well(page(tiny, part="compare", curve="blur"))
    chart = at.get("echarts_chart")[0].proto
    assert "0: 100% found again, 100% right" in str(chart)


def _link(tiny: Index) -> Link:
    return Link(image_id=tiny.find_image("china.jpg"))


# Pictures by address


@pytest.fixture
def client(tiny: Index) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes.all_routes()), base_url="http://localhost") as client:
        yield client


def pixels(client: TestClient, address: str) -> np.ndarray:  # type: ignore[type-arg]
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    with Pillow.open(io.BytesIO(answer.content)) as opened:
        return np.asarray(opened.convert("RGB") if opened.mode == "P" else opened)


def test_pictures_hold_the_engines_own_values(
    client: TestClient, tiny: Index, china: Prepared
) -> None:
    here = View(link=_link(tiny), threshold=100, turn=90, contrast=50)
    np.testing.assert_array_equal(pixels(client, view.drawing(tiny, here, "picture")), china.gray)
    drawn = pixels(client, view.drawing(tiny, here, "integral"))
    np.testing.assert_array_equal(drawn, draw.integral(china.integral)[1:, 1:])
    layer = china.octaves[1].layers[2]
    np.testing.assert_array_equal(
        pixels(client, view.drawing(tiny, here, "response-1-2")),
        draw.response_palette()[draw.responses(layer.determinants, 100.0)],
    )
    change = repeatability.Variation(turn=90, contrast=0.5)
    np.testing.assert_array_equal(
        pixels(client, view.drawing(tiny, here, "variant")),
        repeatability.vary(china.gray, change).gray,
    )
    other = View(link=_link(tiny), other=0)
    np.testing.assert_array_equal(
        pixels(client, view.drawing(tiny, other, "other")),
        images.read(tiny.picture_path(0)).gray,
    )
    points = client.get(view.drawing(tiny, here, "points"))
    assert points.content == bench.pack(surf.extract(china.gray, SurfParams(100.0)))


@pytest.mark.parametrize(
    "what", ["nothing", "response-9-1", "response-0-9", "response-x", "other", "picture-1"]
)
def test_what_is_not_there_is_refused(client: TestClient, tiny: Index, what: str) -> None:
    address = view.drawing(tiny, View(link=_link(tiny)), what).replace("other=None&", "")
    assert client.get(address).status_code == 404
    assert client.get(f"/surf/tiny/{what}").status_code == 404
