"""The evaluation page in a browser: runs, sheets, measuring, and marking by two visitors."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from engine import evaluate, groundtruth, index, runs, truths

from .conftest import Server, Visitor, serving
from .test_accessibility import faults
from .test_app import tiles
from .test_charts import charts_fit, narrowed_early
from .test_history import _comes_to_show, _shown, _steady

pytestmark = pytest.mark.browser

WIDTH = "document.querySelector('[data-testid=stMain]').scrollWidth"
NAMES = ("china", "coffee", "rocket", "chelsea")


@pytest.fixture(scope="module")
def evaluated(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifacts folder with a ground truth and two runs."""
    place = tmp_path_factory.mktemp("evaluated") / "artifacts"
    shutil.copytree(built, place)
    lines = ["query,relevant,label", *(f"{n}.jpg,turned/{n}.png,good" for n in NAMES)]
    lines += ["china.jpg,flower.jpg,junk", "coffee.jpg,flat.png,ok"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISWORD_ARTIFACTS", str(place))
        opened = index.open_index("tiny")
        truths.add("gt", ("\n".join(lines) + "\n").encode(), opened)
        queries = groundtruth.read(truths.path_of("gt"), opened)
        for method in ("count", "verified"):
            measured = evaluate.evaluate(opened, queries, method)
            runs.keep(opened, measured, truths.path_of("gt"))
    return place


@pytest.fixture(scope="module")
def served(evaluated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An app on it."""
    with serving(evaluated, tmp_path_factory.mktemp("log") / "log.txt") as running:
        yield running


@pytest.fixture
def addresses(evaluated: Path) -> dict[str, str]:
    """Addresses of the page's views."""
    count, verified = sorted(path.stem for path in (evaluated / "runs").glob("*.json"))[:2]
    return {
        "runs": "/evaluation",
        "run": f"/evaluation?run={verified}",
        "pair": f"/evaluation?run={count}&beside={verified}",
        "sheet": f"/evaluation?run={count}&beside={verified}&asked=1",
        "measure": "/evaluation?part=measure&truth=gt",
        "truths": "/evaluation?part=truths",
        "truth": "/evaluation?part=truths&truth=gt",
        "query": "/evaluation?part=truths&truth=gt&query=image-0",
    }


VIEWS = ("runs", "run", "pair", "sheet", "measure", "truths", "truth", "query")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_has_no_serious_fault_and_fits_a_phone(
    visitors: Callable[..., Visitor],
    served: Server,
    addresses: dict[str, str],
    view: str,
    scheme: str,
) -> None:
    visitor = visitors(served, color_scheme=scheme, reduced_motion="reduce")
    page = visitor.open(addresses[view])
    expect(page.get_by_text("tiny · 13 images · 24 words")).to_be_visible()
    expect(page.locator(".scroll:not([aria-label])")).to_have_count(0)
    assert faults(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    end = time.monotonic() + 20  # the chart follows a moment later
    while page.evaluate(WIDTH) > 390 and time.monotonic() < end:
        page.wait_for_timeout(100)
    assert page.evaluate(WIDTH) <= 390
    charts_fit(page)


@pytest.mark.parametrize("style_is_late", [False, True])
def test_a_curve_passed_over_a_page_that_got_narrow_early(
    visitors: Callable[..., Visitor],
    served: Server,
    addresses: dict[str, str],
    style_is_late: bool,
) -> None:
    narrowed_early(visitors(served), addresses["pair"], style_is_late)


def _table(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name)


def _run(page: Page) -> None:
    page.get_by_role("link", name=re.compile("^verified: open the run")).click()


def _compare(page: Page) -> None:
    page.get_by_role("link", name=re.compile("^Compare: ")).first.click()


def _sheet(page: Page) -> None:
    page.get_by_role("link", name=re.compile("^coffee.jpg: open its sheet")).click()


def _part(page: Page) -> None:
    page.get_by_role("radio", name="Ground truths").click()


def _pick(page: Page) -> None:
    tiles(page, "Pictures of the collection").first.click()


def _asked(page: Page) -> None:
    page.get_by_role("link", name=re.compile("^china.jpg: mark its results")).click()


STEPS: dict[str, tuple[str, Callable[[Page], None], str]] = {
    "a run": ("runs", _run, "run=tiny-verified"),
    "a second run": ("run", _compare, "beside=tiny-count"),
    "a sheet": ("run", _sheet, "asked="),
    "a part": ("runs", _part, "part=truths$"),
    "a picture to ask with": ("truth", _pick, "query=image-"),
    "a query asked before": ("truth", _asked, "query=image-"),
}


@pytest.mark.parametrize("step", STEPS)
def test_one_click_is_one_step_back(
    visitors: Callable[..., Visitor], served: Server, addresses: dict[str, str], step: str
) -> None:
    view, click, leads_to = STEPS[step]
    visitor = visitors(served)
    page = visitor.open(addresses[view])
    start, before = page.url, _steady(visitor)
    length = page.evaluate("history.length")
    click(page)
    expect(page).to_have_url(re.compile(leads_to))
    after = _steady(visitor)
    assert page.evaluate("history.length") == length + 1
    page.go_back()
    expect(page).to_have_url(start)
    _comes_to_show(visitor, before)
    page.go_forward()
    expect(page).to_have_url(re.compile(leads_to))
    _comes_to_show(visitor, after)
    assert _shown(visitor) == after


def test_a_sheet_leads_to_search_and_inspect(
    visitors: Callable[..., Visitor], served: Server, addresses: dict[str, str]
) -> None:
    visitor = visitors(served)
    page = visitor.open(addresses["sheet"])
    strip = page.get_by_role("list", name="First 12 results").first
    expect(strip.get_by_text(re.compile("^.right$")).first).to_be_visible()
    expect(strip.get_by_text(re.compile("^.wrong$")).first).to_be_visible()
    page.get_by_role("link", name=re.compile("^Search: Query")).click()
    expect(page).to_have_url(re.compile(r"/\?query=image-\d+&method=count$"))
    page.go_back()
    visitor.settled()
    page.get_by_role("link", name=re.compile("^Inspect: .*rank 1")).first.click()
    expect(page).to_have_url(re.compile(r"/inspect\?query=image-\d+"))


def test_a_csv_is_uploaded_measured_and_opened_as_a_run(
    visitors: Callable[..., Visitor], served: Server, tmp_path: Path
) -> None:
    visitor = visitors(served)
    page = visitor.open("/evaluation?part=measure&method=distance")
    expect(page.get_by_text("8MB per file")).to_be_visible()
    large = tmp_path / "large.csv"
    large.write_bytes(b"query,relevant,label\n" + b"\n" * 8 * 2**20)
    page.locator("input[type=file]").set_input_files(large)
    expect(page.get_by_text("File must be 8.0MB or smaller.")).to_be_visible()
    broken = tmp_path / "broken.csv"
    broken.write_text("query,relevant,label\nchina.jpg,gone.jpg,good\nchina.jpg,,good\n")
    page.locator("input[type=file]").set_input_files(broken)
    expect(page.get_by_text("line 2: 'gone.jpg' is not in index 'tiny'")).to_be_visible()
    expect(page.get_by_text("line 3: the column relevant is empty")).to_be_visible()
    visitor.settled()
    whole = tmp_path / "mine too.csv"
    whole.write_text("query,relevant,label\nflower.jpg,turned/flower.png,good\n")
    page.locator("input[type=file]").set_input_files(whole)
    expect(page).to_have_url(re.compile("truth=mine-too"))
    visitor.settled()
    page.get_by_role("button", name="Measure", exact=True).click()
    expect(page.get_by_text(re.compile("Measured: distance on mine-too, mAP"))).to_be_visible()
    visitor.settled()
    page.get_by_role("button", name="Open the run").click()
    expect(page).to_have_url(re.compile("run=tiny-distance-"))
    expect(page.get_by_role("heading", name="Queries, the worst first")).to_be_visible()


def _marking(visitor: Visitor, address: str) -> Locator:
    page = visitor.open(address)
    listed = page.get_by_role("list", name="Results to be marked").locator("li")
    expect(listed).to_have_count(12)
    return listed


def _mark(listed: Locator, name: str, kind: str) -> None:
    tile = listed.filter(has_text=name)
    button = tile.get_by_role("button", name=kind, exact=True)
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")


def test_a_ground_truth_is_made_by_touch_on_a_phone(
    visitors: Callable[..., Visitor], served: Server, evaluated: Path
) -> None:
    visitor = visitors(
        served, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = visitor.open("/evaluation?part=truths")
    page.get_by_label("Make one on the screen: its name").fill("phone")
    page.get_by_role("button", name="Begin").tap()
    expect(page.get_by_role("heading", name="Pick the first query")).to_be_visible()
    visitor.settled()
    page.get_by_role("list", name="Pictures of the collection").get_by_role(
        "link", name="coffee.jpg", exact=True
    ).tap()
    expect(page).to_have_url(re.compile("truth=phone"))
    listed = page.get_by_role("list", name="Results to be marked").locator("li")
    expect(listed).to_have_count(12)
    listed.filter(has_text="coffee.png").locator("button.picture").tap()
    _mark(listed, "flat.png", "ignored")
    # Of three marks one holds, however often it is changed.
    _mark(listed, "rocket.jpg", "right")
    _mark(listed, "rocket.jpg", "wrong")
    expect(listed.filter(has_text="rocket.jpg").locator("[aria-pressed=true]")).to_have_count(1)
    expect(page.get_by_text("1 right, 1 wrong, 1 ignored of 12 results.")).to_be_visible()
    visitor.settled()
    page.get_by_role("button", name="Save").first.tap()
    expect(page.get_by_text("All is saved.")).to_be_visible()
    written = (evaluated / "groundtruths" / "phone.csv").read_text().splitlines()
    assert sorted(written[1:]) == [
        "coffee.jpg,flat.png,junk",
        "coffee.jpg,turned/coffee.png,good",
    ]
    visitor.settled()
    page.get_by_role("button", name="Next query").tap()
    expect(page.get_by_role("heading", name="Pick the next query")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download csv").tap()
    assert Path(download.value.path()).read_text().splitlines() == written


def test_marks_made_faster_than_the_page_answers_all_count(
    visitors: Callable[..., Visitor], served: Server
) -> None:
    visitor = visitors(served)
    listed = _marking(visitor, "/evaluation?part=truths&truth=fast&query=image-0")
    pictures = listed.locator("button.picture")
    pictures.evaluate_all("all => all.slice(0, 8).forEach((one) => one.click())")
    pictures.nth(3).click()
    expect(visitor.page.get_by_text("7 right, 0 wrong, 0 ignored of 12")).to_be_visible()
    visitor.settled()
    expect(listed.locator("button.picture[aria-pressed=true]")).to_have_count(7)


def test_two_visitors_save_one_after_the_other(
    visitors: Callable[..., Visitor], served: Server, evaluated: Path
) -> None:
    address = "/evaluation?part=truths&truth=both&query=image-0"
    one, two = visitors(served), visitors(served)
    first, second = _marking(one, address), _marking(two, address)
    _mark(first, "rocket.jpg", "right")
    _mark(second, "flower.jpg", "right")
    for visitor in (one, two):
        expect(visitor.page.get_by_text("Not saved yet: 1 query.")).to_be_visible()
        visitor.settled()
        visitor.page.get_by_role("button", name="Save").first.click()
    expect(one.page.get_by_text("All is saved.")).to_be_visible()
    expect(two.page.get_by_text("Someone else saved both since you opened it")).to_be_visible()
    path = evaluated / "groundtruths" / "both.csv"
    assert "flower" not in path.read_text()
    two.settled()
    two.page.get_by_role("button", name="Put my marks onto theirs").click()
    expect(two.page.get_by_text("2 right, 0 wrong, 0 ignored")).to_be_visible()
    two.settled()
    two.page.get_by_role("button", name="Save").first.click()
    expect(two.page.get_by_text("All is saved.")).to_be_visible()
    assert len(path.read_text().splitlines()) == 3


def test_unsaved_marks_outlast_a_look_at_another_page(
    visitors: Callable[..., Visitor], served: Server
) -> None:
    visitor = visitors(served)
    listed = _marking(visitor, "/evaluation?part=truths&truth=look&query=image-0")
    _mark(listed, "rocket.jpg", "right")
    page = visitor.page
    expect(page.get_by_text("Not saved yet: 1 query.")).to_be_visible()
    visitor.settled()
    listed.filter(has_text="rocket.jpg").get_by_role("link", name="Inspect").click()
    expect(page).to_have_url(re.compile("/inspect"))
    visitor.settled()
    page.go_back()
    expect(page.get_by_text("Not saved yet: 1 query.")).to_be_visible()
    right = listed.filter(has_text="rocket.jpg").get_by_role("button", name="right", exact=True)
    expect(right).to_have_attribute("aria-pressed", "true")


def test_what_one_visitor_deletes_is_gone_for_the_other(
    visitors: Callable[..., Visitor], evaluated: Path, tmp_path: Path
) -> None:
    place = tmp_path / "artifacts"
    shutil.copytree(evaluated, place)
    (run,) = (path.stem for path in (place / "runs").glob("*-count-*.json"))
    with serving(place, tmp_path / "log.txt") as own:
        one, two = visitors(own), visitors(own, viewport={"width": 390, "height": 844})
        two.open(f"/evaluation?run={run}")
        page = one.open(f"/evaluation?run={run}")
        page.get_by_role("button", name="Delete this run").click()
        asked = page.get_by_role("dialog", name="Delete this run?")
        expect(asked.get_by_text("Stays: the pictures")).to_be_visible()
        assert faults(page) == []
        asked.get_by_role("button", name="Keep it").click()
        expect(asked).to_have_count(0)
        page.get_by_role("button", name="Delete this run").click()
        asked.get_by_role("button", name="Delete it for good").click()
        expect(page.get_by_text("Deleted: the run count of")).to_be_visible()
        expect(asked).to_have_count(0)
        expect(page).to_have_url(re.compile("/evaluation$"))
        assert not (place / "runs" / f"{run}.json").exists()

        two.page.get_by_role("button", name="Delete this run").click()
        expect(two.page.get_by_text(f"There is no run {run} any more.")).to_be_visible()
        table = _table(two.page, "Runs of tiny")
        expect(table.get_by_role("link", name=re.compile("^count"))).to_have_count(0)
        assert two.page.evaluate(WIDTH) <= 390

        page = one.open("/evaluation?part=truths&truth=gt")
        page.get_by_role("button", name="Delete", exact=True).click()
        asked = page.get_by_role("dialog", name="Delete this ground truth?")
        asked.get_by_role("button", name="Delete it for good").click()
        expect(page.get_by_text("Deleted: the ground truth gt.")).to_be_visible()
        expect(page).to_have_url(re.compile(r"part=truths$"))
        assert not list((place / "groundtruths").glob("gt*"))
        # The server must not go while a page still loads what it shows.
        expect(page.get_by_test_id("stFileUploader")).to_be_visible()
        for visitor in (one, two):
            visitor.settled()
            visitor.context.close()
