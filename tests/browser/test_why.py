"""The page Why in a browser: the pair of pictures, painting over, the drawings on the query."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from engine.index import Index

from .conftest import Visitor
from .test_app import tiles

pytestmark = pytest.mark.browser

WIDTH = "document.querySelector('[data-testid=stMain]').scrollWidth"


def canvas(page: Page) -> Locator:
    expect(page.locator(".pair[data-zoom]")).to_be_visible()
    return page.locator(".pair canvas")


def zooms(page: Page) -> list[float]:
    told = page.locator(".pair").get_attribute("data-zoom") or ""
    return [float(part) for part in told.split()]


def of(tiny: Index, name: str) -> str:
    return f"/why?query=image-{tiny.find_image(name)}"


def test_from_a_result_to_why_it_was_found_and_back(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open(f"/?query=image-{tiny.find_image('china.jpg')}")
    tiles(page, "4 most similar of 12 images").first.wait_for()
    page.get_by_role("link", name=re.compile("^Why: turned.china.png")).click()
    expect(page.get_by_role("heading", name="china.png")).to_be_visible()
    expect(page.get_by_text("1st of 12, with a score of")).to_be_visible()
    page.get_by_role("button", name="Next result").click()
    expect(page.get_by_text("2nd of 12")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("1st of 12")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("link", name=re.compile("^Why: turned.china.png"))).to_be_visible()


def test_keys_step_through_the_matches_and_zoom_both_pictures(
    visitor: Visitor, tiny: Index
) -> None:
    page = visitor.open(of(tiny, "china.jpg"))
    canvas(page).focus()
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile(r"match=\d+-\d+"))
    first = page.url
    expect(page.get_by_text("In the query", exact=True)).to_be_visible()
    canvas(page).focus()
    page.keyboard.press("n")
    expect(page).not_to_have_url(first)
    canvas(page).focus()
    page.keyboard.press("p")
    expect(page).to_have_url(first)
    canvas(page).focus()
    page.keyboard.press("+")
    expect(page.locator(".pair")).not_to_have_attribute("data-zoom", "1.00 1.00")
    assert min(zooms(page)) > 1, "the result follows the query"
    before = canvas(page).evaluate("c => c.toDataURL()")
    page.keyboard.press("ArrowRight")
    assert canvas(page).evaluate("c => c.toDataURL()") != before
    page.keyboard.press("0")
    expect(page.locator(".pair")).to_have_attribute("data-zoom", "1.00 1.00")


def test_the_wheel_scrolls_the_page_and_zooms_with_control(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open(of(tiny, "china.jpg"))
    box = canvas(page).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    expect(page.locator(".pair")).to_have_attribute("data-zoom", re.compile(r"^2\.7"))
    page.get_by_role("button", name="Fit both pictures").click()
    page.mouse.wheel(0, 200)
    expect(page.get_by_test_id("stMain")).not_to_have_js_property("scrollTop", 0)
    assert zooms(page) == [1, 1]


@pytest.mark.parametrize("by", ["mouse", "keys"])
def test_a_part_painted_over_is_left_out_and_comes_back(
    visitor: Visitor, tiny: Index, by: str
) -> None:
    page = visitor.open(of(tiny, "china.jpg"))
    box = canvas(page).bounding_box()
    assert box is not None
    page.get_by_role("button", name="Paint over").click()
    if by == "mouse":
        page.mouse.move(box["x"] + 40, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + 200, box["y"] + box["height"] / 2 + 60, steps=4)
        page.mouse.up()
    else:
        expect(page.get_by_text("Enter paints")).to_be_visible()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Shift+ArrowDown")
        page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"areas=\d+-\d+-\d+-\d+"))
    expect(page.get_by_text("Without 1 part of the picture")).to_be_visible()
    page.get_by_role("button", name="Take all in again").click()
    expect(page.get_by_text("Without 1 part of the picture")).not_to_be_visible()
    expect(page).not_to_have_url(re.compile("areas="))


def test_a_word_is_looked_at_left_out_and_taken_in_again(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open(of(tiny, "coffee.jpg") + "&method=tf-idf")
    page.get_by_role("link", name=re.compile(r"^Word \d+: look at it")).first.click()
    expect(page).to_have_url(re.compile(r"word=\d+"))
    page.get_by_role("button", name="Leave it out").click()
    expect(page.get_by_text(re.compile(r"Without word \d+: place"))).to_be_visible()
    page.get_by_role("button", name="Take it in again").click()
    expect(page.get_by_text("Without word")).not_to_be_visible()


def test_the_result_is_laid_on_the_query_and_swapped(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open(of(tiny, "china.jpg"))
    laid = page.locator(".overlay").nth(1)
    laid.scroll_into_view_if_needed()
    for image in laid.locator("img").all():
        expect(image).to_have_js_property("complete", value=True)
        assert image.evaluate("i => i.naturalWidth") > 0
    stage = laid.locator(".stage")
    expect(stage).to_have_attribute("data-share", "100")
    laid.get_by_role("button", name="Swap").click()
    expect(stage).to_have_attribute("data-share", "0")
    laid.get_by_role("slider").press("ArrowRight")
    expect(stage).to_have_attribute("data-share", "1")
    expect(laid.get_by_role("status")).to_have_text(re.compile("^Left of the line"))
    blink = laid.get_by_role("button", name="Blink")
    blink.click()
    expect(blink).to_have_attribute("aria-pressed", "true")
    expect(stage).to_have_attribute("data-share", "100")
    expect(stage).to_have_attribute("data-share", "0")
    blink.click()
    expect(blink).to_have_attribute("aria-pressed", "false")


def test_the_page_fits_a_phone(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open(of(tiny, "china.jpg") + "&result=0&word=3")
    page.set_viewport_size({"width": 390, "height": 844})
    box = canvas(page).bounding_box()
    assert box is not None and box["width"] <= 390
    assert box["height"] > box["width"], "one picture above the other"
    expect(page.locator(".overlay").first).to_be_visible()
    assert page.evaluate(WIDTH) <= 390


def test_a_link_shows_the_same_to_someone_else(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open(of(tiny, "china.jpg"))
    canvas(page).focus()
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile(r"match=\d+-\d+"))
    told = page.get_by_text(re.compile(r"^Word \d+ · ")).inner_text()
    page.reload()
    expect(page.get_by_text(told)).to_be_visible()
