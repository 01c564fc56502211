"""Two methods beside each other, and the sheet, as a person uses them."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as Pillow
from playwright.sync_api import Page, expect

from engine import sheet
from engine.index import Index

from .conftest import Visitor
from .test_app import saved, tiles

pytestmark = pytest.mark.browser


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label, exact=False).click()
    page.get_by_role("option", name=re.compile(f"^{option} ·")).click()


def test_a_second_method_is_set_followed_and_closed(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open(f"/?query=image-{tiny.find_image('coffee.jpg')}")
    alone = page.url
    page.get_by_role("button", name="Compare methods").click()
    expect(page).to_have_url(re.compile(r"beside=distance"))
    choose(page, "Method beside it", "count")
    expect(page).to_have_url(re.compile(r"beside=count"))
    visitor.settled()
    told = re.compile("[0-9]+ of all 12 ha(s|ve) the same place in both")
    expect(page.get_by_role("heading", name=told)).to_be_visible()
    for method in ("verified", "count"):
        shown = tiles(page, f"{method}: 12 most similar")
        expect(shown).to_have_count(12)
        expect(shown.first).to_have_accessible_name(re.compile(r"rank 1, .*place \d+ there"))

    nearest = tiles(page, "count: 12 most similar").first
    nearest.click()
    expect(page).to_have_url(re.compile(rf"image-{tiny.find_image('turned/coffee.png')}\b"))
    visitor.settled()
    expect(tiles(page, "count: 12 most similar")).to_have_count(12)
    page.go_back()
    expect(page).to_have_url(re.compile(rf"image-{tiny.find_image('coffee.jpg')}\b.*beside=count"))
    visitor.settled()
    why = page.get_by_role("list", name="count: 12").get_by_role("link", name=re.compile("^Why"))
    expect(why.first).to_have_attribute("href", re.compile(r"/why\?.*method=count"))

    page.get_by_role("button", name="Close count").click()
    expect(page).to_have_url(alone)
    visitor.settled()
    expect(tiles(page, "4 most similar of")).to_have_count(4)


def test_two_rankings_stand_beside_each_other_on_a_telephone(
    visitors: Callable[..., Visitor], tmp_path: Path, tiny: Index
) -> None:
    page = visitors(viewport={"width": 390, "height": 844}).open(
        "/?query=image-0&method=verified&beside=distance"
    )
    both = tiles(page, ": 12 most similar")
    expect(both).to_have_count(24)
    measure = "all => all.map((one) => one.getBoundingClientRect().toJSON())"
    for _ in range(200):  # the page's style comes by a script of its own, and may come last
        boxes = both.evaluate_all(measure)
        left, right = boxes[0], boxes[12]
        if abs(left["top"] - right["top"]) <= 2:
            break
        page.wait_for_timeout(100)
    assert left["top"] == pytest.approx(right["top"], abs=2)
    assert left["right"] <= right["left"] and right["right"] <= 390
    assert left["width"] > 150
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    rows = saved(page, "Results as CSV", tmp_path / "results.csv")
    assert len(rows) == tiny.n_images - 1
    assert list(rows[0])[1::2] == ["rank_verified", "rank_distance"]


def test_the_sheet_is_downloaded(visitor: Visitor, tiny: Index, tmp_path: Path) -> None:
    page = visitor.open("/?query=image-0&method=distance")
    with page.expect_download() as download:
        page.get_by_role("button", name="Sheet as a picture").click()
    assert download.value.suggested_filename == "distance.jpg"
    download.value.save_as(tmp_path / "sheet.jpg")
    with Pillow.open(tmp_path / "sheet.jpg") as picture:
        assert picture.format == "JPEG"
        assert picture.height > sheet.box(tiny.n_images - 1)[3]
