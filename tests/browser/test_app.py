"""The app as people use it: a real server, a real browser."""

import base64
import csv
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from engine import images, pipeline
from engine.index import Index

from .conftest import Server, Visitor

pytestmark = pytest.mark.browser

PAGES = {
    "/": "Find the pictures of the same thing",
    "/vocabulary": "24 visual words",
    "/inspect": "Look into a picture",
    "/why": "See why a picture is found",
    "/surf": "Follow a picture step by step",
    "/evaluation": "How good is the search on your own pictures?",
    "/models": "Models to download",
    "/lessons": "Learn how it works",
}


def tiles(page: Page, label: str) -> Locator:
    """Return the pictures of a gallery, each a link."""
    return page.get_by_role("list", name=label).locator("li > a")


def results(page: Page) -> Locator:
    return tiles(page, "4 most similar of")


def upload(visitor: Visitor, path: Path) -> Page:
    """Drop a photograph, and wait until it is the query."""
    visitor.page.locator("input[type=file]").set_input_files(path)
    expect(visitor.page).to_have_url(re.compile(r"query=upload-"))
    return visitor.settled()


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_the_first_that_a_fresh_server_shows(
    fresh_server: Server, visitors: Callable[..., Visitor], address: str
) -> None:
    page = visitors(fresh_server).open(address)
    expect(page.get_by_role("heading", name=PAGES[address])).to_be_visible()
    expect(page.get_by_text("tiny · 13 images · 24 words")).to_be_visible()


def test_an_upload_finds_pictures_and_a_result_becomes_the_query(
    visitor: Visitor, folder: Path, tiny: Index
) -> None:
    visitor.open("/")
    page = upload(visitor, folder / "chelsea.jpg")
    expect(results(page)).to_have_count(4)
    expect(results(page).first).to_have_accessible_name(re.compile(r"turned/chelsea\.png, rank 1"))
    expect(page.get_by_role("link", name="Query: chelsea.jpg")).to_be_visible()
    uploaded = page.url

    results(page).first.click()
    expect(page).to_have_url(re.compile(rf"query=image-{tiny.find_image('turned/chelsea.png')}\b"))
    expect(page.get_by_role("link", name="Query: turned/chelsea.png")).to_be_visible()
    expect(results(page).first).to_have_accessible_name(re.compile(r"^chelsea\.jpg, rank 1"))

    page.go_back()
    expect(page).to_have_url(uploaded)
    expect(page.get_by_role("link", name="Query: chelsea.jpg")).to_be_visible()
    expect(results(page).first).to_have_accessible_name(re.compile(r"turned/chelsea\.png, rank 1"))


def test_a_reload_and_a_page_change_keep_the_upload(visitor: Visitor, folder: Path) -> None:
    visitor.open("/")
    page = upload(visitor, folder / "coffee.jpg")
    page.reload()
    visitor.settled()
    expect(page.get_by_role("link", name="Query: coffee.jpg")).to_be_visible()
    for name in ("Vocabulary", "Inspect", "Search"):
        page.get_by_role("link", name=name, exact=True).click()
        expect(page).to_have_url(re.compile(r"query=upload-"))
        visitor.settled()
    expect(page.get_by_role("link", name="Query: coffee.jpg")).to_be_visible()


def test_every_picture_of_a_page_arrives(visitor: Visitor) -> None:
    for address in ("/", "/?query=image-0", "/vocabulary", "/vocabulary?word=3"):
        page = visitor.open(address)
        shown = page.locator("li > a img")
        expect(shown.first).to_be_visible()
        for i in range(shown.count()):
            shown.nth(i).scroll_into_view_if_needed()
            expect(shown.nth(i)).to_have_js_property("complete", True)
            assert shown.nth(i).evaluate("image => image.naturalWidth") > 0
        expect(page.locator("li > a.missing")).to_have_count(0)


def test_drawn_keypoints_change_the_pictures(visitor: Visitor) -> None:
    page = visitor.open("/?query=image-0")
    page.get_by_role("button", name="Settings").click()
    page.get_by_text("Show keypoints").click()
    drawn = results(page).first.locator("img")
    expect(drawn).to_have_attribute("src", re.compile("keypoints=all"))
    expect(drawn).to_have_js_property("complete", True)
    expect(page.locator("li > a.missing")).to_have_count(0)


def test_inspect_below_a_result_opens_it(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open(f"/?query=image-{tiny.find_image('coffee.jpg')}")
    page.get_by_role("link", name=re.compile(r"^Inspect: turned.coffee\.png")).click()
    expect(page).to_have_url(
        re.compile(rf"/inspect\?query=image-{tiny.find_image('turned/coffee.png')}$")
    )
    expect(page.get_by_role("heading", name="turned/coffee.png")).to_be_visible()


def test_the_first_click_above_a_bar_was_missed_while_bars_grew(visitor: Visitor) -> None:
    """An invisible bar of full height stands behind each, so that short ones can be met."""
    page = visitor.open("/inspect?query=image-0")
    chart = page.get_by_role("img", name=re.compile("^Histogram over 24 words"))
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    place = {"x": box["width"] * 0.6, "y": 40.0}
    chart.hover(position=place)
    tip = chart.locator("> div").nth(1)
    expect(tip).to_contain_text(re.compile(r"^\d+this picture"))
    word = (tip.text_content() or "").removesuffix("this picture").split("this")[0]
    chart.click(position=place)
    expect(page).to_have_url(re.compile(rf"word={word}\b"))
    expect(page.get_by_text(re.compile(rf"^Word {word}: \d+ keypoints? here$"))).to_be_visible()

    page.go_back()
    expect(page).not_to_have_url(re.compile("word="))
    expect(page.get_by_text(re.compile(f"^Word {word}:"))).to_have_count(0)


def test_a_keypoint_on_the_canvas_shows_its_numbers(visitor: Visitor, tiny: Index) -> None:
    described = pipeline.describe_query(tiny, images.read(tiny.picture_path(0)))
    points = described.features
    # The one that lies furthest from all others cannot be mistaken.
    gaps = np.linalg.norm(points.xy[:, None] - points.xy[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    chosen = int(gaps[:500, :500].min(axis=1).argmax())
    page = visitor.open("/inspect?query=image-0")
    # Keypoints come after the page: one that is not there yet cannot be hovered over.
    expect(page.locator(f".viewer[data-points='{len(points.xy)}']")).to_be_visible()
    canvas = page.locator("canvas[tabindex='0']")
    box = canvas.bounding_box()
    assert box is not None
    scale = box["width"] / tiny.images[0].width
    x, y = ((points.xy[chosen] + 0.5) * scale).tolist()
    canvas.hover(position={"x": x, "y": y})
    word = int(described.words.word_ids[chosen])
    expect(page.get_by_text(re.compile(rf"^word {word} · size "))).to_be_visible()
    canvas.click(position={"x": x, "y": y})
    expect(page.get_by_text(f"Keypoint {chosen + 1} of {len(points.xy)}")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"word={word}\b"))
    expect(page.get_by_role("cell", name=f"{points.size[chosen]:.0f} px")).to_be_visible()


def test_a_word_leads_to_its_patches_and_a_patch_to_its_picture(
    visitor: Visitor, tiny: Index
) -> None:
    page = visitor.open("/vocabulary")
    tiles(page, "Visual words").nth(5).click()
    expect(page).to_have_url(re.compile(r"/vocabulary\?word=5$"))
    expect(page.get_by_role("heading", name="Word 5")).to_be_visible()
    rows = tiny.patch_keypoints[5]
    owner = int(tiny.image_of_row(rows[:1])[0])
    tiles(page, "Patches of word 5").first.click()
    expect(page).to_have_url(re.compile(r"/inspect\?.*word=5"))
    expect(page).to_have_url(re.compile(rf"query=image-{owner}\b"))
    expect(page.get_by_role("heading", name=tiny.images[owner].path)).to_be_visible()
    expect(page.get_by_text(re.compile(r"^Word 5: \d+ keypoints? here$"))).to_be_visible()
    page.get_by_role("link", name="Open the word").click()
    expect(page).to_have_url(re.compile(r"/vocabulary\?.*word=5"))
    expect(page.get_by_role("heading", name="Word 5")).to_be_visible()


def test_the_name_of_an_upload_was_read_as_markdown(
    visitor: Visitor, folder: Path, tmp_path: Path
) -> None:
    name = "1. a_b_c *d* [e](f) $g$ $h$ :red[i] :smile: `j`.jpg"
    shutil.copy(folder / "coffee.jpg", tmp_path / name)
    visitor.open("/inspect")
    page = upload(visitor, tmp_path / name)
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    page.get_by_role("link", name="Search", exact=True).click()
    expect(page.get_by_text(name, exact=True).first).to_be_visible()


def test_a_second_visitor_never_sees_the_uploads_of_the_first(
    visitors: Callable[..., Visitor], server: Server, folder: Path
) -> None:
    first, second = visitors(), visitors()
    first.open("/")
    page = upload(first, folder / "flower.jpg")
    source = page.get_by_role("link", name="Query: flower.jpg").locator("img")
    address = source.get_attribute("src")
    assert address is not None and "/uploads/" in address
    # The token alone opens it: without, or with one letter changed, there is nothing.
    token = address.split("/uploads/")[1].split("?")[0]
    wrong = token[:-1] + ("A" if token[-1] != "A" else "B")
    for path, status in ((token, 200), (wrong, 404)):
        answer = second.context.request.get(f"{server.url}/uploads/{path}?side=160")
        assert answer.status == status
    other = second.open("/")
    expect(other.get_by_role("heading", name=PAGES["/"])).to_be_visible()
    expect(other.get_by_text("flower.jpg")).to_have_count(1)  # the collection's own
    assert token not in other.content()
    assert "query=" not in other.url


def test_a_broken_upload_is_named(visitor: Visitor, folder: Path) -> None:
    page = visitor.open("/")
    page.locator("input[type=file]").set_input_files(folder / "text.jpg")
    expect(page.get_by_role("alert").filter(has_text="text.jpg")).to_be_visible()
    expect(page.get_by_role("heading", name=PAGES["/"])).to_be_visible()


@pytest.mark.parametrize(
    "address", [*PAGES, "/?query=image-0", "/vocabulary?word=3", "/inspect?query=image-0&word=3"]
)
def test_a_page_fits_a_telephone(visitors: Callable[..., Visitor], address: str) -> None:
    page = visitors(viewport={"width": 390, "height": 800}).open(address)
    expect(page.get_by_text("tiny · 13 images · 24 words")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_results_are_reached_and_searched_from_by_keyboard(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open(f"/?query=image-{tiny.find_image('china.jpg')}")
    expect(results(page)).to_have_count(4)
    focused = "document.activeElement.shadowRoot?.activeElement ?? document.activeElement"
    for _ in range(60):
        page.keyboard.press("Tab")
        label = page.evaluate(f"({focused}).getAttribute('aria-label')") or ""
        if "rank 1," in label:
            break
    assert label.startswith("turned/china.png, rank 1,")
    page.keyboard.press("ArrowRight")
    expect(results(page).nth(1)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"query=image-{tiny.find_image('turned/china.png')}\b"))


def test_the_viewer_is_used_by_keyboard(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open("/inspect?query=image-0")
    canvas = page.locator("canvas[tabindex='0']")
    # A key pressed before the keypoints have come steps through none.
    expect(page.locator(".viewer[data-zoom]")).to_be_visible()
    canvas.focus()
    page.keyboard.press("+")
    page.keyboard.press("n")
    n_keypoints = len(tiny.keypoints(0).xy)
    expect(page.get_by_text(f"Keypoint 1 of {n_keypoints}")).to_be_visible()


def saved(page: Page, name: str, path: Path) -> list[dict[str, str]]:
    """Click a download button and read the table that it gives."""
    with page.expect_download() as download:
        page.get_by_role("button", name=name).click()
    download.value.save_as(path)
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_results_are_downloaded_as_csv(visitor: Visitor, tiny: Index, tmp_path: Path) -> None:
    page = visitor.open("/?query=image-0")
    rows = saved(page, "Results as CSV", tmp_path / "results.csv")
    assert [row["rank"] for row in rows] == [str(i) for i in range(1, tiny.n_images)]
    assert rows[0]["image"] == "turned/astronaut.png"
    assert {row["image"] for row in rows} == {entry.path for entry in tiny.images[1:]}
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)


def test_keypoints_are_downloaded_as_csv(visitor: Visitor, tiny: Index, tmp_path: Path) -> None:
    page = visitor.open("/inspect?query=image-0")
    rows = saved(page, "Keypoints as CSV", tmp_path / "keypoints.csv")
    described = pipeline.describe_query(tiny, images.read(tiny.picture_path(0)))
    found = described.features
    assert len(rows) == len(found)
    assert [int(row["word"]) for row in rows] == described.words.word_ids.tolist()
    places = np.array([[float(row["x"]), float(row["y"])] for row in rows])
    assert np.abs(places - found.xy).max() < 0.001  # pixels


def test_a_photograph_is_dropped_onto_the_page(visitor: Visitor, folder: Path) -> None:
    page = visitor.open("/")
    coded = base64.b64encode((folder / "coffee.jpg").read_bytes()).decode()
    carried = page.evaluate_handle(
        """(coded) => {
          const bytes = Uint8Array.from(atob(coded), (letter) => letter.charCodeAt(0))
          const carried = new DataTransfer()
          carried.items.add(new File([bytes], "dropped.jpg", { type: "image/jpeg" }))
          return carried
        }""",
        coded,
    )
    place = page.get_by_test_id("stFileUploaderDropzone")
    for event in ("dragenter", "dragover", "drop"):
        place.dispatch_event(event, {"dataTransfer": carried})
    expect(page).to_have_url(re.compile("query=upload-"))
    expect(page.get_by_role("link", name="Query: dropped.jpg")).to_be_visible()
    expect(results(page)).to_have_count(4)


def test_words_are_sorted_and_filtered(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open("/vocabulary")
    page.get_by_role("combobox", name="Sort and filter by").click()
    page.get_by_role("option", name="Keypoints").click()
    order = np.argsort(-tiny.frequency, kind="stable").tolist()
    words = tiles(page, "Visual words")
    expect(words.first).to_have_accessible_name(re.compile(f"^Word {order[0]}:"))
    expect(words.last).to_have_accessible_name(re.compile(f"^Word {order[-1]}:"))
    expect(words).to_have_count(tiny.n_words)
    visitor.settled()
    least = page.get_by_role("slider", name="Keypoints from, to").first
    rare = int(tiny.frequency.min())
    least.press("ArrowRight")
    n_left = int((tiny.frequency > rare).sum())
    expect(words).to_have_count(n_left)
    expect(page.get_by_text(f"{n_left} words · each")).to_be_visible()
    expect(words.last).to_have_accessible_name(re.compile(rf"^Word {order[n_left - 1]}:"))


def test_more_results_are_one_click_away(visitor: Visitor, tiny: Index) -> None:
    page = visitor.open("/?query=image-0")
    expect(results(page)).to_have_count(4)
    page.get_by_role("button", name="Show more").click()
    expect(tiles(page, "12 most similar of")).to_have_count(tiny.n_images - 1)
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)
