"""Light and dark both stand, and axe-core finds no serious fault in either."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .conftest import Visitor

pytestmark = pytest.mark.browser

ADDRESSES = (
    "/",
    "/?query=image-0",
    "/?query=image-0&method=verified&beside=distance",
    "/vocabulary",
    "/vocabulary?word=3&query=image-0",
    "/vocabulary?colour=picture&query=image-0&area=near-3-5&words=3-7",
    "/vocabulary?part=search&words=3-7",
    "/vocabulary?part=compare",
    "/vocabulary?part=quality",
    "/inspect",
    "/inspect?query=image-0&word=3",
    "/inspect?query=image-4",
    "/inspect?query=image-999",
    "/?query=image-4",
    "/why",
    "/why?query=image-0",
    "/why?query=image-0&method=distance&word=3",
    "/why?query=image-0&result=5&areas=10-10-90-90&lines=all",
    "/why?query=image-4",
    "/surf",
    "/surf?query=image-0&at=10-10-20",
    "/surf?query=image-0&cell=1-0-20-20&upright=1&short=1&funnel=1",
    "/surf?query=image-4",
    "/surf?query=image-0&part=compare&curve=blur&match=0-0",
    "/surf?query=image-0&part=compare&beside=other",
    "/evaluation",
    "/evaluation?part=measure",
    "/evaluation?part=truths",
    "/evaluation?part=truths&truth=new&query=image-4",
    "/models",
    "/models?model=vgg16-fc1",
    "/lessons",
    "/lessons?lesson=words",
    "/lessons?lesson=keypoints&step=2&query=image-0",
    "/lessons?lesson=survives&step=3&query=image-0",
    "/lessons?lesson=weights&step=3&query=image-0&off=3",
    "/lessons?lesson=measuring&query=image-0",
)


def brightness(page: Page) -> float:
    """Return how bright the page's ground is, 0 to 255."""
    told = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    red, green, blue = map(float, re.findall(r"[\d.]+", told)[:3])
    return (red + green + blue) / 3


def faults(page: Page) -> list[str]:
    """Return what axe-core calls serious or critical."""
    return [
        f"{found['id']}: {node['target']} {node['html'][:200]} {node['failureSummary']}"
        for found in Axe().run(page).response["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_has_no_serious_fault(
    visitors: Callable[..., Visitor], address: str, scheme: str
) -> None:
    page = visitors(color_scheme=scheme, reduced_motion="reduce").open(address)
    expect(page.get_by_text("tiny · 13 images · 24 words")).to_be_visible()
    assert faults(page) == []
    assert (brightness(page) > 200) if scheme == "light" else (brightness(page) < 60)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_opens_has_no_serious_fault(visitors: Callable[..., Visitor], scheme: str) -> None:
    visitor = visitors(color_scheme=scheme, reduced_motion="reduce")
    for address in ("/?query=image-0", "/inspect?query=image-0"):
        page = visitor.open(address)
        page.get_by_role("button", name="Settings").click()
        expect(page.get_by_test_id("stPopoverBody")).to_be_visible()
        assert faults(page) == []
        page.keyboard.press("Escape")
    page.locator("canvas[tabindex='0']").press("n")
    expect(page.get_by_text("Keypoint 1 of")).to_be_visible()
    visitor.settled()
    assert faults(page) == []


def test_every_gallery_has_a_name_and_labels_hold_what_is_seen(visitor: Visitor) -> None:
    for address in ("/?query=image-0", "/vocabulary?word=3"):
        page = visitor.open(address)
        expect(page.locator("ul.gallery").first).to_be_visible()
        for gallery in page.locator("ul.gallery").all():
            assert gallery.get_attribute("aria-label")
        for link in page.locator("ul.gallery a").all():
            label = link.get_attribute("aria-label") or ""
            assert label
            assert (link.text_content() or "").strip() in label


def test_every_page_has_a_title_of_its_own(visitor: Visitor) -> None:
    pages = (("/", "Search"), ("/vocabulary", "Vocabulary"), ("/inspect", "Inspect"))
    more = (("/surf", "Step by step"), ("/evaluation", "Evaluation"))
    for address, title in (*pages, *more):
        expect(visitor.open(address)).to_have_title(f"{title} · Visword")


def test_choosing_by_keyboard_lost_the_place_among_the_results(visitor: Visitor) -> None:
    page = visitor.open("/?query=image-0")
    found = page.get_by_role("list", name="4 most similar of").locator("li > a")
    found.nth(2).focus()
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(re.compile("image-0$"))
    expect(found.first).to_be_focused()


def test_collections_that_are_not_there_lead_to_those_that_are(visitor: Visitor) -> None:
    page = visitor.open("/?collection=nothing")
    page.get_by_role("link", name="Open the collection tiny").wait_for()
    assert faults(page) == []
    page.get_by_role("link", name="Open the collection tiny").click()
    expect(page.get_by_text("tiny · 13 images · 24 words")).to_be_visible()
