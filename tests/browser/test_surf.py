"""The page Step by step in a browser: a keypoint followed by mouse and by keys."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from engine.index import Index

from .conftest import Visitor

pytestmark = pytest.mark.browser

WIDTH = "document.querySelector('[data-testid=stMain]').scrollWidth"


def drawings(page: Page, label: str) -> Locator:
    return page.get_by_role("img", name=re.compile(label))


def of(tiny: Index, name: str = "china.jpg") -> str:
    return f"/surf?query=image-{tiny.find_image(name)}"


def test_a_keypoint_is_followed_by_keys_and_survives_a_moved_threshold(
    visitor: Visitor, tiny: Index
) -> None:
    page = visitor.open(of(tiny))
    expect(page.get_by_text(re.compile("^Keypoint 1 of"))).to_be_visible()
    page.locator(".viewer canvas").press("n")
    expect(page.get_by_text(re.compile("^Keypoint 2 of"))).to_be_visible()
    expect(page).to_have_url(re.compile(r"at=[\d.]+-[\d.]+-\d+"))
    followed = page.url.partition("at=")[2]
    page.get_by_role("slider", name="Threshold").press("ArrowLeft")
    expect(page).to_have_url(re.compile(r"threshold=350"))
    assert followed in page.url
    page.go_back()
    expect(page).not_to_have_url(re.compile("threshold="))


def test_a_place_of_a_map_is_looked_at_by_mouse_and_keys(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open(of(tiny))
    second = drawings(page, "Responses of layer 2 of octave 0")
    second.scroll_into_view_if_needed()
    second.click(position={"x": 6, "y": 6})
    expect(page).to_have_url(re.compile(r"cell=0-2-\d+-\d+"))
    expect(page.get_by_text("not that of the keypoint")).to_be_visible()
    clicked = page.url
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        second.press(key)
    expect(page).not_to_have_url(clicked)
    page.get_by_text("octave 1", exact=True).click()
    expect(page).to_have_url(re.compile(r"cell=1-2-\d+-\d+"))
    page.get_by_role("button", name="Back to the keypoint").click()
    expect(page).not_to_have_url(re.compile("cell="))


def test_pictures_of_the_engine_arrive(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open(of(tiny) + "&window=5")
    expect(page.get_by_text("The window around 25°")).to_be_visible()
    expect(page.locator("svg image")).to_have_count(15)
    addresses = page.evaluate(
        "[...document.querySelectorAll('*')].flatMap(e => e.shadowRoot ? [e.shadowRoot] : [])"
        ".concat(document).flatMap(r => [...r.querySelectorAll('svg image')])"
        ".map(i => i.getAttribute('href')).filter(h => !h.startsWith('data:'))"
    )
    kinds = {re.sub(r"\?.*|.*/", "", address.partition("?")[0]) for address in addresses}
    assert kinds >= {"picture", "integral", *(f"response-0-{n}" for n in range(5))}
    for address in set(addresses):
        answer = page.request.get(visitor.server.url + address)
        assert answer.ok and answer.headers["content-type"] == "image/png"


def test_the_table_of_tests_opens_and_stays_open(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open(of(tiny))
    page.get_by_text("How many cells pass each test").click()
    expect(page).to_have_url(re.compile("funnel=1"))
    page.get_by_role("link", name="Octave 1, layer 2").click()
    expect(page).to_have_url(re.compile("cell=1-2-"))
    expect(page.get_by_role("link", name="Octave 1, layer 2")).to_be_visible()


def test_a_cell_of_the_descriptor_is_chosen(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open(of(tiny))
    gradients = drawings(page, "400 weighted gradients")
    gradients.scroll_into_view_if_needed()
    box = gradients.bounding_box()
    assert box is not None
    gradients.click(position={"x": box["width"] * 0.9, "y": box["height"] * 0.1})
    expect(page.get_by_text("Cell 4 of 16")).to_be_visible()


def test_what_survives_is_moved_and_measured(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open(of(tiny) + "&part=compare&turn=0")
    expect(page.get_by_text("100% are found again")).to_be_visible()
    page.get_by_role("slider", name="Turn, degrees").press("ArrowRight")
    expect(page).to_have_url(re.compile("turn=5"))
    expect(page.get_by_text("100% are found again")).not_to_be_visible()
    page.locator(".pair canvas").press("n")
    expect(page).to_have_url(re.compile(r"match=\d+-\d+"))
    page.get_by_text("Light", exact=True).click()
    expect(page.get_by_text("keypoints whose nearest descriptor is that")).to_be_visible()
    page.get_by_text("Beside another picture", exact=True).click()
    expect(page.get_by_text(re.compile(r"\d+ of \d+ matches? agree"))).to_be_visible()


@pytest.mark.parametrize("more", ["", "&part=compare"])
def test_the_page_fits_a_phone(visitor: Visitor, tiny: Index, more: str) -> None:
    page = visitor.page
    page.set_viewport_size({"width": 390, "height": 844})
    visitor.open(of(tiny) + more)
    expect(page.locator("canvas").first).to_be_visible()
    assert page.evaluate(WIDTH) <= 390
