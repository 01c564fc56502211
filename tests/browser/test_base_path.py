"""The app below a path of a server, as behind a proxy: nothing it asks for is missing."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Response, expect

from .conftest import Server, Visitor, serving
from .test_app import results, tiles, upload

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def below(artifacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An app whose addresses all begin with /visword."""
    log = tmp_path_factory.mktemp("below") / "log.txt"
    with serving(artifacts, log, base_path="visword") as running:
        yield running


@pytest.fixture
def visitor(below: Server, visitors: Callable[..., Visitor]) -> Iterator[Visitor]:
    visitor = visitors(below)
    asked: list[str] = []
    missing: list[str] = []

    def note(response: Response) -> None:
        path = response.url.removeprefix(below.url.removesuffix("/visword"))
        asked.append(path)
        # Streamlit's own question whether a page's name belongs to the base path.
        if response.status >= 400 and not path.endswith(
            ("/_stcore/health", "/_stcore/host-config")
        ):
            missing.append(f"{response.status} {path}")

    visitor.page.on("response", note)
    yield visitor
    assert missing == []
    assert [path for path in asked if not path.startswith(("/visword", "blob:", "data:"))] == []


def test_pictures_links_and_uploads_work_below_a_path(visitor: Visitor, folder: Path) -> None:
    page = visitor.open("/")
    shown = tiles(page, "Pictures of the collection").locator("img")
    expect(shown.first).to_have_js_property("complete", True)
    assert shown.first.evaluate("image => image.naturalWidth") > 0

    upload(visitor, folder / "chelsea.jpg")
    results(page).first.click()
    expect(page).to_have_url(re.compile(r"/visword/\?query=image-\d+$"))
    expect(results(page).first).to_have_accessible_name(re.compile(r"^chelsea\.jpg, rank 1"))
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("^Download: ")).first.click()
    assert download.value.suggested_filename == "chelsea.jpg"

    page.get_by_role("link", name="Vocabulary", exact=True).click()
    expect(page).to_have_url(re.compile(r"/visword/vocabulary\?query=image-\d+$"))
    tiles(page, "Visual words").nth(3).click()
    expect(page).to_have_url(re.compile(r"/visword/vocabulary\?.*word=3$"))
    patches = tiles(page, "Patches of word 3")
    expect(patches.first.locator("img")).to_have_js_property("naturalWidth", 32)
    patches.first.click()
    expect(page).to_have_url(re.compile(r"/visword/inspect\?.*word=3$"))
    expect(page.get_by_text(re.compile("^Word 3: "))).to_be_visible()
    page.locator("canvas[tabindex='0']").press("n")
    expect(page.get_by_text(re.compile("^Keypoint 1 of"))).to_be_visible()
    for name in ("Its patch, upright", "Word "):
        picture = page.get_by_role("img", name=name).first
        expect(picture).not_to_have_js_property("naturalWidth", 0)
    visitor.settled()


@pytest.mark.parametrize(
    "address",
    ["/vocabulary?word=3", "/inspect?query=image-0", "/evaluation?part=truths&truth=a"],
)
def test_a_page_below_a_path_opens_by_its_own_link(visitor: Visitor, address: str) -> None:
    page = visitor.open(address)
    expect(page.get_by_text("tiny · 13 images · 24 words")).to_be_visible()


def test_links_of_the_evaluation_page_keep_the_path(visitor: Visitor) -> None:
    page = visitor.open("/evaluation?part=truths&truth=a")
    tiles(page, "Pictures of the collection").first.click()
    expect(page).to_have_url(re.compile(r"/visword/evaluation\?query=image-0&part=truths&truth=a$"))
    expect(page.get_by_role("list", name="Results to be marked")).to_be_visible()
