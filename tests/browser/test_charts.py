"""Charts are as wide as their place, however early that changes."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route

from .conftest import Visitor

pytestmark = pytest.mark.browser

# What a browser does that is told of a new size while it makes the chart: Streamlit measures anew,
# and draws the chart that it has just made for the old size.
NARROWED_EARLY = """
const observers = new Map();
let early = false;
window.narrowed = 0;
window.ResizeObserver = class extends window.ResizeObserver {
  constructor(tell) { super(tell); this.tell = tell; }
  observe(element, options) { observers.set(element, this); super.observe(element, options); }
};
const later = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (tell) => early ? (tell(performance.now()), 0) : later(tell);
const append = Node.prototype.appendChild;
Node.prototype.appendChild = function (child) {
  const appended = append.call(this, child);
  if (this.matches?.("[data-testid=stEChartsChart]") && window.narrowed === 0) {
    document.querySelector("[data-testid=stMainBlockContainer]").style.width = "390px";
    early = true;
    observers.get(this).tell([], observers.get(this));
    early = false;
    window.narrowed += 1;
  }
  return appended;
};
"""
FITS = """[...document.querySelectorAll("[data-testid=stEChartsChart]")].every((chart) =>
  chart.getAttribute("aria-busy") === "false" && chart.querySelector("canvas") &&
  chart.querySelector("canvas").clientWidth === chart.clientWidth)"""


def _comes_true(page: Page, script: str) -> None:
    """Wait until a script is true. The app's policy keeps Playwright from waiting in the page."""
    end = time.monotonic() + 20
    while not page.evaluate(script) and time.monotonic() < end:
        page.wait_for_timeout(100)
    assert page.evaluate(script)


def charts_fit(page: Page) -> None:
    """Wait until each chart is drawn as wide as its place."""
    _comes_true(page, FITS)


def narrowed_early(visitor: Visitor, address: str, style_is_late: bool) -> None:
    """Open a page that gets narrow while its first chart is made, and wait for its charts.

    The app's style comes by a script of its own, and may come after the chart's.
    """
    held: list[Route] = []
    if style_is_late:
        visitor.page.route("**/static/js/Html.*.js", lambda route: held.append(route))
    visitor.page.add_init_script(NARROWED_EARLY)
    page = visitor.open(address)
    _comes_true(page, "window.narrowed === 1")
    for route in held:
        _comes_true(page, "document.querySelector('[data-testid=stEChartsChart] canvas') !== null")
        page.wait_for_timeout(500)
        route.continue_()
    assert bool(held) == style_is_late
    charts_fit(page)


@pytest.mark.parametrize("style_is_late", [False, True])
def test_a_histogram_passed_over_a_page_that_got_narrow_early(
    visitors: Callable[..., Visitor], style_is_late: bool
) -> None:
    narrowed_early(visitors(), "/inspect?query=image-1&word=3", style_is_late)
