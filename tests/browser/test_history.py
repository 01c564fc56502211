"""One click is one step of the browser's back button, and a step back shows the former page."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from engine.index import Index

from .conftest import Visitor
from .test_app import results, tiles

pytestmark = pytest.mark.browser

TOP = "document.querySelector('[data-testid=stMain]').scrollTop"


def _first_result(page: Page) -> None:
    results(page).first.click()


def _inspect_a_result(page: Page) -> None:
    page.get_by_role("link", name=re.compile("^Inspect: ")).first.click()


def _query(page: Page) -> None:
    page.get_by_role("link", name=re.compile("^Query: ")).click()


def _browsed(page: Page) -> None:
    tiles(page, "Pictures of the collection").nth(2).click()


def _word(page: Page) -> None:
    tiles(page, "Visual words").nth(5).click()


def _neighbour(page: Page) -> None:
    tiles(page, "Nearest other words").first.click()


def _patch(page: Page) -> None:
    tiles(page, "Patches of word 3").first.click()


def _holder(page: Page) -> None:
    tiles(page, "Images that hold most of word 3").first.click()


def _button(name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("button", name=name, exact=True).click()


def _link(name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("link", name=name, exact=True).click()


STEPS = {
    "a result becomes the query": ("/?query=image-0", _first_result, "query=image-"),
    "Inspect below a result": ("/?query=image-0", _inspect_a_result, "/inspect"),
    "the query itself": ("/?query=image-0", _query, "/inspect"),
    "a picture of the collection": ("/", _browsed, "query=image-2"),
    "a picture to inspect": ("/inspect", _browsed, "/inspect.*query=image-2"),
    "a word": ("/vocabulary?query=image-0", _word, "word=5"),
    "a word near it": ("/vocabulary?word=3", _neighbour, r"word=(?!3\b)"),
    "a patch": ("/vocabulary?word=3", _patch, "/inspect.*word=3"),
    "a picture that holds the word": ("/vocabulary?word=3", _holder, "/inspect.*word=3"),
    "next word": ("/vocabulary?word=3", _button("Next"), "word=4"),
    "all words": ("/vocabulary?word=3", _button("All words"), "/vocabulary$"),
    "open the word": ("/inspect?query=image-0&word=3", _link("Open the word"), "/vocabulary"),
    "all keypoints": ("/inspect?query=image-0&word=3", _button("All keypoints"), "image-0$"),
    "another picture": ("/inspect?query=image-0", _button("Another picture"), "/inspect$"),
    "clear the query": ("/?query=image-0", _button("Clear the query"), "/$"),
    "another page": ("/?query=image-0", _link("Vocabulary"), "/vocabulary"),
    "back to search": ("/inspect?query=image-0", _link("Search"), r"/\?query=image-0"),
}


def _shown(visitor: Visitor) -> list[str]:
    """Return what a page says: its headings, and what its galleries and pictures show."""
    page = visitor.settled()
    told = page.get_by_role("heading").all_text_contents()
    told += page.get_by_text(re.compile(r"^Word \d+: ")).all_text_contents()
    shown = page.locator("ul.gallery a.picture, canvas[role]")
    told += shown.evaluate_all("all => all.map((one) => one.getAttribute('aria-label'))")
    return told


def _comes_to_show(visitor: Visitor, expected: list[str]) -> None:
    """Wait until a page shows what it should; its parts arrive one after the other."""
    end = time.monotonic() + 20
    while _shown(visitor) != expected and time.monotonic() < end:
        visitor.page.wait_for_timeout(100)
    assert _shown(visitor) == expected


def _steady(visitor: Visitor) -> list[str]:
    """Return what a page shows once that does not change any more."""
    before: list[str] = []
    while not (now := _shown(visitor)) or now != before:
        before = now
        visitor.page.wait_for_timeout(500)
    return now


@pytest.mark.parametrize("step", STEPS)
def test_one_click_took_two_steps_back(visitor: Visitor, step: str) -> None:
    address, click, leads_to = STEPS[step]
    page = visitor.open(address)
    start, before = page.url, _steady(visitor)
    length = page.evaluate("history.length")
    click(page)
    expect(page).to_have_url(re.compile(leads_to))
    expect(page).not_to_have_url(start)
    there, after = page.url, _steady(visitor)
    assert page.evaluate("history.length") == length + 1
    assert after != before

    page.go_back()
    expect(page).to_have_url(start)
    _comes_to_show(visitor, before)
    page.go_forward()
    expect(page).to_have_url(there)
    _comes_to_show(visitor, after)


@pytest.mark.parametrize("pause", [0, 80])
def test_going_back_and_forth_fast_cut_off_the_steps_ahead(visitor: Visitor, pause: int) -> None:
    """A page that had begun to run wrote its path into the address of the next."""
    page = visitor.open("/vocabulary?word=3")
    tiles(page, "Patches of word 3").first.click()
    expect(page).to_have_url(re.compile("/inspect"))
    there, after = page.url, _steady(visitor)
    length = page.evaluate("history.length")
    for _ in range(4):
        page.go_back()
        page.wait_for_timeout(pause)
        page.go_forward()
        page.wait_for_timeout(pause)
    _comes_to_show(visitor, after)
    assert (page.url, page.evaluate("history.length")) == (there, length)
    page.go_back()
    expect(page.get_by_role("heading", name="Word 3")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/vocabulary\?word=3$"))


def test_a_slow_browser_dropped_a_message_before_it_was_referred_to(visitor: Visitor) -> None:
    page = visitor.open("/vocabulary?word=3")
    tiles(page, "Patches of word 3").first.click()
    expect(page).to_have_url(re.compile("/inspect"))
    after = _steady(visitor)
    visitor.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 6})
    for _ in range(12):
        page.evaluate("history.back()")
        page.wait_for_timeout(60)
        page.evaluate("history.forward()")
        page.wait_for_timeout(60)
    _comes_to_show(visitor, after)


def test_a_link_opens_in_a_tab_of_its_own(visitor: Visitor) -> None:
    page = visitor.open("/vocabulary?word=3")
    with visitor.context.expect_page() as opened:
        tiles(page, "Patches of word 3").first.click(modifiers=["ControlOrMeta"])
    expect(opened.value).to_have_url(re.compile(r"/inspect\?query=image-\d+&word=3$"))
    expect(opened.value.get_by_text(re.compile("^Word 3: "))).to_be_visible()
    expect(page).to_have_url(re.compile(r"/vocabulary\?word=3$"))


def test_back_forgot_how_far_the_page_was_scrolled(visitor: Visitor) -> None:
    page = visitor.open("/vocabulary")
    page.set_viewport_size({"width": 390, "height": 500})
    _steady(visitor)  # the map above is drawn anew for the phone, and moves what lies below it
    last = tiles(page, "Visual words").last
    last.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    top = page.evaluate(TOP)
    assert top > 100
    last.click()
    expect(page.get_by_role("heading", name=re.compile(r"^Word \d+"))).to_be_visible()
    visitor.settled()
    page.evaluate(f"{TOP} = 0")  # else a page as long would stand where this one has to come
    page.go_back()
    expect(last).to_be_in_viewport()
    page.wait_for_function(f"{TOP} === {top}")  # the map arrives on its own


def test_back_forgot_how_words_were_sorted_and_filtered(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open("/vocabulary")
    page.get_by_role("combobox", name="Sort and filter by").click()
    page.get_by_role("option", name="Keypoints").click()
    expect(page.get_by_role("slider", name="Keypoints from, to").first).to_be_visible()
    visitor.settled()
    page.get_by_test_id("stCheckbox").get_by_text("Highest first").click()
    rarest = int(tiny.frequency.argmin())
    first = tiles(page, "Visual words").first
    expect(first).to_have_accessible_name(re.compile(rf"^Word {rarest}:"))
    lowest = page.get_by_role("slider", name="Keypoints from, to").first
    lowest.press("ArrowRight")
    expect(first).not_to_have_accessible_name(re.compile(rf"^Word {rarest}:"))
    before = _steady(visitor)
    first.click()
    expect(page).to_have_url(re.compile("word="))
    visitor.settled()
    page.go_back()
    expect(first).to_be_visible()
    _comes_to_show(visitor, before)


def test_back_forgot_that_more_results_were_shown(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open("/?query=image-0")
    page.get_by_role("button", name="Show more").click()
    many = tiles(page, "12 most similar of")
    expect(many).to_have_count(tiny.n_images - 1)
    many.nth(1).click()
    expect(results(page)).to_have_count(4)
    page.get_by_role("button", name="Show more").click()
    expect(many).to_have_count(tiny.n_images - 1)
    page.go_back()
    expect(page).to_have_url(re.compile("query=image-0$"))
    expect(many).to_have_count(tiny.n_images - 1)
