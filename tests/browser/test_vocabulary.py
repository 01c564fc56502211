"""The atlas of the vocabulary, used with a mouse and without one."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from .conftest import Visitor
from .test_charts import charts_fit

pytestmark = pytest.mark.browser

NOTHING_SIDEWAYS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def the_map(page: Page) -> dict[str, float]:
    """Return where the map lies on the screen."""
    charts_fit(page)
    canvas = page.locator("[data-testid=stEChartsChart] canvas").first
    canvas.scroll_into_view_if_needed()
    found = canvas.bounding_box()
    assert found is not None
    return dict(found)


def test_a_box_is_drawn_and_the_grid_follows(visitor: Visitor) -> None:
    page = visitor.open("/vocabulary")
    grid = page.get_by_role("list", name="Visual words")
    expect(grid.locator("li")).to_have_count(24)
    place = the_map(page)
    left, top = place["x"], place["y"]
    page.mouse.click(left + place["width"] - 64, top + 26)  # the sign of the box
    page.mouse.move(left + 5, top + 45)
    page.mouse.down()
    page.mouse.move(left + place["width"] / 3, top + place["height"] / 2, steps=4)
    page.mouse.move(left + place["width"] / 2, top + place["height"] - 5, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"area=box-\d+-\d+-\d+-\d+"))
    visitor.settled()
    expect(page.get_by_text("of the part chosen")).to_be_visible()
    assert 0 < grid.locator("li").count() < 24
    page.go_back()
    expect(page.get_by_text("of the part chosen")).to_have_count(0)
    expect(grid.locator("li")).to_have_count(24)


def test_words_are_chosen_and_searched_for_by_keyboard(visitor: Visitor) -> None:
    page = visitor.open("/vocabulary")
    page.get_by_role("button", name="Choose a part of the map").press("Enter")
    page.get_by_label("A word", exact=True).fill("3")
    page.get_by_label("A word", exact=True).press("Enter")
    page.get_by_label("and how many nearest to it").fill("2")
    page.get_by_label("and how many nearest to it").press("Enter")
    visitor.settled()
    page.get_by_role("button", name="Show these").press("Enter")
    expect(page).to_have_url(re.compile("area=near-3-3"))
    page.get_by_role("button", name="Search with these words").press("Enter")
    expect(page).to_have_url(re.compile(r"part=search&words=\d+-\d+-\d+(&|$)"))
    expect(page.get_by_role("heading", name="Pictures that hold these words")).to_be_visible()
    visitor.settled()
    page.get_by_role("link", name="Take away: Word 3").press("Enter")
    expect(page).to_have_url(re.compile(r"words=\d+-\d+(&|$)"))


def test_a_clicked_keypoint_leads_to_the_search(visitor: Visitor) -> None:
    page = visitor.open("/inspect?query=image-1&word=3")
    page.get_by_role("link", name="Search with this word").click()
    expect(page).to_have_url(re.compile(r"/vocabulary\?query=image-1&part=search&words=3$"))
    expect(page.get_by_role("heading", name="Pictures that hold these words")).to_be_visible()


@pytest.mark.parametrize("part", ["", "?part=search&words=3-7", "?part=compare", "?part=quality"])
def test_nothing_is_wider_than_a_telephone(visitors: Callable[..., Visitor], part: str) -> None:
    visitor = visitors(viewport={"width": 390, "height": 800})
    page = visitor.open(f"/vocabulary{part}")
    assert page.evaluate(NOTHING_SIDEWAYS)
