"""Lessons in a browser: the tour by clicks, and exercises done."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from engine.index import Index
from ui.lessons import show

from .conftest import Visitor

pytestmark = pytest.mark.browser

SCROLLED = "document.querySelector('[data-testid=stMain]').scrollTop"
OVER = "(m => m.scrollWidth - m.clientWidth)(document.querySelector('[data-testid=stMain]'))"


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", name=text, exact=True)).to_be_visible()


def test_the_tour_is_walked_by_clicks_and_back(visitor: Visitor) -> None:
    page = visitor.open("/lessons")
    page.get_by_role("button", name="Begin the tour").click()
    steps = show.LESSONS["tour"].steps
    for place, step in enumerate(steps, 1):
        heading(page, step.title)
        expect(page.get_by_text(f"step {place} of {len(steps)}")).to_be_visible()
        visitor.settled()
        assert page.evaluate(SCROLLED) == 0
        if place < len(steps):
            page.get_by_role("button", name="Next step").last.click()
    page.go_back()
    heading(page, steps[-2].title)
    visitor.settled()
    results = page.get_by_role("list", name="The first results").get_by_role("link")
    results.nth(1).click()
    expect(page).to_have_url(re.compile(r"result=\d+"))
    heading(page, steps[-1].title)
    page.get_by_role("button", name="All lessons").first.click()
    heading(page, "Learn how it works")


def test_a_keypoint_chosen_by_key_does_the_task(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open(f"/lessons?lesson=words&query=image-{tiny.find_image('china.jpg')}")
    task = page.get_by_text("How sure is its word?")
    expect(task).to_contain_text("○")
    page.locator("canvas[tabindex='0']").press("n")
    expect(page).to_have_url(re.compile("keypoint=0"))
    expect(task).to_contain_text("✓")


def test_marks_are_measured_and_stay(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open(f"/lessons?lesson=measuring&query=image-{tiny.find_image('china.jpg')}")
    right = page.get_by_role("button", name=re.compile("^Right: "))
    for place in range(4):
        right.nth(place).click()
        expect(page.get_by_text(f"{place + 1} right, 0 wrong")).to_be_visible()
    page.get_by_role("button", name="Next step").first.click()
    heading(page, "The precision-recall curve")
    expect(page.get_by_role("rowheader", name="verified")).to_be_visible()
    page.get_by_role("button", name="Previous step").first.click()
    expect(page.get_by_text("4 right, 0 wrong")).to_be_visible()


@pytest.mark.parametrize("lesson", ["tour", "survives", "weights", "measuring"])
def test_a_narrow_page_does_not_scroll_sideways(
    visitors: Callable[..., Visitor], tiny: Index, lesson: str
) -> None:
    visitor = visitors(viewport={"width": 390, "height": 800})
    query = tiny.find_image("china.jpg")
    page = visitor.open(f"/lessons?lesson={lesson}&step=2&query=image-{query}")
    assert page.evaluate(OVER) <= 0
