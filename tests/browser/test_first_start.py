"""The first start of all: no collection yet, and nothing to do but wait."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from engine import demo

from .conftest import Server, Visitor, serving
from .test_accessibility import faults

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def _results(page: Page) -> list[str]:
    found = page.get_by_role("list", name="4 most similar of").locator("li > a")
    expect(found).to_have_count(4)
    return [tile.get_attribute("aria-label") or "" for tile in found.all()]


@pytest.fixture
def bare_server(tmp_path: Path) -> Iterator[Server]:
    """An app without any collection."""
    with serving(tmp_path / "artifacts", tmp_path / "log.txt") as running:
        yield running


def test_the_demo_is_made_and_its_samples_searched_with(
    bare_server: Server, visitors: Callable[..., Visitor]
) -> None:
    """Two watch, one by the link of another page: the build belongs to the server."""
    light, dark = visitors(bare_server), visitors(bare_server, color_scheme="dark")
    for visitor, address in ((light, "/"), (dark, "/vocabulary")):
        visitor.page.goto(bare_server.url + address)
        expect(visitor.page.get_by_role("progressbar")).to_be_visible()
        assert faults(visitor.page) == []
    for stage in ("Making the demo's pictures", "Finding keypoints"):
        expect(dark.page.get_by_text(stage)).to_have_count(0)
    expect(dark.page.get_by_role("heading", name="500 visual words")).to_be_visible()

    page = light.page
    samples = page.get_by_role("list", name="Sample queries").locator("li > a")
    expect(samples).to_have_count(len(demo.SAMPLE_QUERIES))
    assert faults(page) == []
    samples.first.click()
    expect(page).to_have_url(re.compile("query=sample-0"))
    expect(page.get_by_text(demo.SAMPLE_QUERIES[0].expectation)).to_be_visible()
    assert "china" in _results(page)[0]
