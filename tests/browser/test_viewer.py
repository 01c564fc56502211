"""The viewer: wheel, fingers, keys and mouse; keypoints that travel once."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from engine.index import Index

from .conftest import Visitor

pytestmark = pytest.mark.browser


def canvas(page: Page) -> Locator:
    found = page.locator("canvas[tabindex='0']")
    expect(page.locator(".viewer[data-zoom]")).to_be_visible()
    return found


def zoom(page: Page) -> float:
    return float(page.locator(".viewer").get_attribute("data-zoom") or "")


def middle(page: Page) -> tuple[float, float]:
    box = canvas(page).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_wheel_scrolls_the_page_and_zooms_with_control(visitor: Visitor) -> None:
    page = visitor.open("/inspect?query=image-0")
    page.mouse.move(*middle(page))
    page.mouse.wheel(0, 200)
    expect(page.get_by_test_id("stMain")).not_to_have_js_property("scrollTop", 0)
    assert zoom(page) == 1
    page.mouse.wheel(0, -200)
    expect(page.get_by_test_id("stMain")).to_have_js_property("scrollTop", 0)

    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    expect(page.locator(".viewer")).to_have_attribute("data-zoom", re.compile(r"^2\.7"))
    assert page.evaluate("window.visualViewport.scale") == 1


def test_a_focused_viewer_kept_the_wheel_from_scrolling_the_page(visitor: Visitor) -> None:
    page = visitor.open("/inspect?query=image-0")
    canvas(page).focus()
    page.mouse.move(*middle(page))
    page.mouse.wheel(0, -300)
    expect(page.locator(".viewer")).not_to_have_attribute("data-zoom", "1.00")
    page.mouse.wheel(0, 3000)
    expect(page.locator(".viewer")).to_have_attribute("data-zoom", "1.00")
    page.mouse.wheel(0, 200)
    expect(page.get_by_test_id("stMain")).not_to_have_js_property("scrollTop", 0)


def test_keys_zoom_move_and_fit(visitor: Visitor) -> None:
    page = visitor.open("/inspect?query=image-0")
    canvas(page).focus()
    page.keyboard.press("+")
    expect(page.locator(".viewer")).to_have_attribute("data-zoom", "1.40")
    page.keyboard.press("+")
    expect(page.locator(".viewer")).to_have_attribute("data-zoom", "1.96")
    before = canvas(page).evaluate("c => c.toDataURL()")
    page.keyboard.press("ArrowRight")
    after = canvas(page).evaluate("c => c.toDataURL()")
    assert before != after
    page.keyboard.press("-")
    expect(page.locator(".viewer")).to_have_attribute("data-zoom", "1.40")
    page.keyboard.press("0")
    expect(page.locator(".viewer")).to_have_attribute("data-zoom", "1.00")
    page.get_by_role("button", name="Zoom in").click()
    expect(page.locator(".viewer")).to_have_attribute("data-zoom", "1.60")
    page.get_by_role("button", name="Fit the whole picture").click()
    expect(page.locator(".viewer")).to_have_attribute("data-zoom", "1.00")


def test_two_fingers_zoom(visitors: Callable[..., Visitor]) -> None:
    visitor = visitors(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page = visitor.open("/inspect?query=image-0")
    canvas(page).scroll_into_view_if_needed()
    x, y = middle(page)
    session = visitor.context.new_cdp_session(page)

    def touch(kind: str, apart: float | None) -> None:
        points = [] if apart is None else [{"x": x - apart, "y": y}, {"x": x + apart, "y": y}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 20)
    for apart in range(25, 65, 5):
        touch("touchMove", apart)
    touch("touchEnd", None)
    assert 2.5 < zoom(page) < 3.5
    assert page.evaluate("window.visualViewport.scale") == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    page.get_by_role("button", name="Fit the whole picture").tap()
    expect(page.locator(".viewer")).to_have_attribute("data-zoom", "1.00")
    expect(page).not_to_have_url(re.compile("word="))


def test_every_selection_sent_all_keypoints_again(visitor: Visitor, tiny: Index) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/keypoints/" in request.url:
            asked.append(request.url)

    visitor.page.on("request", note)
    page = visitor.open("/inspect?query=image-0")
    canvas(page).focus()
    for chosen in (1, 2, 3):
        page.keyboard.press("n")
        expect(
            page.get_by_text(f"Keypoint {chosen} of {len(tiny.keypoints(0).xy)}")
        ).to_be_visible()
        visitor.settled()
    assert len(asked) == 1


def test_keypoints_that_do_not_arrive_are_missed_in_words(visitors: Callable[..., Visitor]) -> None:
    visitor = visitors()

    def refuse(route: Route) -> None:
        route.fulfill(status=503, body="")

    visitor.page.route(re.compile("/keypoints/"), refuse)
    page = visitor.open("/inspect?query=image-0")
    told = page.get_by_role("status").filter(has_text="The keypoints could not be loaded")
    expect(told).to_be_visible()
    assert all("503" in error for error in visitor.errors)
    visitor.errors.clear()
