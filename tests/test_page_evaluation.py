"""The evaluation page: runs, two side by side, sheets, measuring, ground truths."""

import dataclasses
import json
import time
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from engine import artifacts, build, evaluate, groundtruth, index, runs, truths, upkeep
from engine.codebook import CodebookParams
from engine.index import Index
from tests.conftest import tiny_params
from tests.pages_under_test import component, sentences, visit, well
from ui import measuring
from ui.evaluation import kept
from ui.evaluation.drafts import Draft

pytestmark = pytest.mark.usefixtures("fresh_caches", "no_build")

NAMES = ("china", "coffee", "rocket", "chelsea")


def keep_truth(opened: Index, name: str = "gt", extra: str = "") -> Path:
    """Keep a ground truth in which each picture's turned view is its right answer."""
    lines = ["query,relevant,label", *(f"{n}.jpg,turned/{n}.png,good" for n in NAMES)]
    lines.append("china.jpg,flower.jpg,junk")
    assert truths.add(name, ("\n".join(lines) + "\n" + extra).encode(), opened) == name
    return truths.path_of(name)


def measured(opened: Index, method: str, truth: str = "gt") -> str:
    """Keep a run, and return its name."""
    path = truths.path_of(truth)
    found = evaluate.evaluate(opened, groundtruth.read(path, opened), method)
    return runs.keep(opened, found, path).name


@pytest.fixture
def opened(scratch: Path) -> Index:
    return index.open_index("tiny")


@pytest.fixture
def pair(opened: Index) -> tuple[str, str]:
    """Two runs of one ground truth."""
    keep_truth(opened)
    return measured(opened, "count"), measured(opened, "verified")


def cells(at: AppTest, key: str) -> list[list[str]]:
    """Return the texts of a table."""
    return [[cell["text"] for cell in row["cells"]] for row in component(at, key)["rows"]]


def buttons(at: AppTest) -> list[str]:
    return [button.label for button in at.button]


def click(at: AppTest, label: str) -> AppTest:
    return well(next(b for b in at.button if b.label == label).click().run())


# Nothing there yet


def test_before_the_first_run_the_page_says_what_one_is_and_how_to_get_it(tiny: Index) -> None:
    at = well(visit("evaluation"))
    told = sentences(at)
    assert "that is a **ground truth**" in told and "kept as a **run**" in told
    assert "**mAP**: The mean of the average precisions" in told
    (code,) = at.code
    assert code.value.splitlines() == [
        "python -m engine evaluate tiny groundtruth.csv",
        "python -m engine ladder tiny groundtruth.csv",
    ]
    at = click(at, "Make a ground truth")
    assert at.query_params == {"part": "truths"}
    assert [one.label for one in at.text_input] == ["Make one on the screen: its name"]


# Runs


def test_every_run_stands_in_the_table_with_its_figures(
    opened: Index, pair: tuple[str, str]
) -> None:
    at = well(visit("evaluation"))
    shown = component(at, "runs")
    assert shown["heading"] == [
        "Run", "mAP", "95 %", "P@1", "P@4", "All four right", "Easy mAP", "CPU s", "When (UTC)",
        "Ground truth",
    ]  # fmt: skip
    rows = cells(at, "runs")
    assert sorted(row[0] for row in rows) == ["count", "verified"]
    for row in rows:
        run = next(runs.open_run(n) for n in pair if runs.open_run(n).evaluation.method == row[0])
        figures = run.summary()
        low, high = figures["mAP_interval"]
        assert row[1:6] == [
            f"{figures['mAP']:.3f}", f"{low:.3f} to {high:.3f}", f"{figures['P@1']:.3f}",
            f"{figures['P@4']:.3f}", f"{figures['top4_all_right']:.3f}",
        ]  # fmt: skip
        assert row[-1] == "gt.csv"


def test_a_run_shows_its_curve_and_its_queries_the_worst_first(
    opened: Index, pair: tuple[str, str]
) -> None:
    at = well(visit("evaluation", run=pair[0]))
    assert [row["chosen"] for row in component(at, "runs")["rows"]].count("✓") == 1
    assert "Precision and recall" in sentences(at)
    rows = cells(at, "queries")
    losses = [float(row[2]) for row in rows]
    assert losses == sorted(losses, reverse=True) and len(rows) == len(NAMES)
    hrefs = [row["cells"][0]["href"] for row in component(at, "queries")["rows"]]
    assert all(f"run={pair[0]}" in href and "asked=" in href for href in hrefs)


def test_two_runs_side_by_side_say_whether_one_is_better(
    opened: Index, pair: tuple[str, str]
) -> None:
    at = well(visit("evaluation", run=pair[0], beside=pair[1]))
    told = sentences(at)
    assert "is better than" in told or "do not tell the two apart" in told
    keys = ("queries-worse", "queries-better", "queries-the-same")
    found = [c.key for c in at.get("bidi_component")]
    n_rows = sum(len(cells(at, key)) for key in keys if key in found)
    assert n_rows == len(NAMES)
    at = click(at, "Swap A and B")
    assert at.query_params == {"run": pair[1], "beside": pair[0]}
    assert click(at, "Close").query_params == {}


def test_the_same_run_again_is_not_told_apart(opened: Index, pair: tuple[str, str]) -> None:
    again = measured(opened, "count")
    told = sentences(well(visit("evaluation", run=pair[0], beside=again)))
    assert "These queries do not tell the two apart" in told and "holds 0" in told
    assert f"0 worse, 0 better, {len(NAMES)} the same" in told


def test_runs_of_other_ground_truths_without_common_queries_say_so(
    opened: Index, pair: tuple[str, str]
) -> None:
    data = b"query,relevant,label\nflower.jpg,turned/flower.png,good\n"
    truths.add("other", data, opened)
    at = well(visit("evaluation", run=pair[0], beside=measured(opened, "count", "other")))
    assert "have no query in common" in sentences(at)


def test_a_part_that_a_method_does_not_read_makes_no_run_older(
    scratch: Path, pair: tuple[str, str]
) -> None:
    """Adding a graph once marked the runs of every method."""
    before = index.open_index("tiny")
    kept_runs = [kept.brief(runs.open_run(name)) for name in pair]
    upkeep.add_part("tiny", "more", {}, {"numbers": np.zeros(3, np.float32)})
    after = index.open_index("tiny")
    assert after.stamp != before.stamp
    assert [one.older(after) for one in kept_runs] == ["", ""]
    first = dataclasses.replace(kept_runs[0], content_read="")
    assert first.older(after) == "older state of the index", "of the first runs nothing is known"
    manifest = json.loads((after.folder / "manifest.json").read_text())
    manifest["parts"]["words"]["arrays"]["counts"]["sha256"] = "0" * 64
    changed = dataclasses.replace(after, manifest=manifest)
    methods_read = {one.method: runs.content_read(changed, one.method) for one in kept_runs}
    assert all(methods_read[one.method] != one.content_read for one in kept_runs)


def test_runs_of_an_older_state_are_marked(
    scratch: Path, folder: Path, pair: tuple[str, str]
) -> None:
    def notes() -> set[str]:
        rows = component(well(visit("evaluation")), "runs")["rows"]
        return {row["cells"][0]["note"] for row in rows}

    assert notes() == {""}
    fewer = CodebookParams(n_words=8, n_samples=3000, n_iterations=5)
    build.build(folder, "tiny", tiny_params(codebook=fewer), n_workers=1, overwrite=True)
    assert notes() == {"older: other words"}


def test_a_run_that_cannot_be_shown_is_named_and_the_others_stay(
    opened: Index, pair: tuple[str, str]
) -> None:
    at = well(visit("evaluation", run="no-such-run", beside=pair[1]))
    assert "There is no run no-such-run any more" in sentences(at)
    assert [len(row) for row in cells(at, "runs")] == [10, 10], "nothing to compare with"
    path = runs.runs_folder() / f"{pair[0]}.json"
    path.write_text(path.read_text()[:-30])
    for parameters in ({}, {"run": pair[0]}, {"run": pair[0], "asked": "0"}):
        at = well(visit("evaluation", **parameters))
        told = sentences(at)
        assert "cannot be read" in told and str(artifacts.artifacts_folder()) not in told
        assert [row[0] for row in cells(at, "runs")] == ["verified"]


def test_a_run_of_another_collection_is_not_shown_on_this_one(
    scratch: Path, folder: Path, pair: tuple[str, str]
) -> None:
    build.build(folder, "other", tiny_params(), n_workers=1)
    at = well(visit("evaluation", collection="other", run=pair[0]))
    assert "is one of the collection tiny" in sentences(at)


# One query's sheet


def test_a_sheet_tells_right_wrong_and_ignored_in_words(
    opened: Index, pair: tuple[str, str]
) -> None:
    run = runs.open_run(pair[1])
    place = next(i for i, r in enumerate(run.evaluation.results) if r.query == "china.jpg")
    at = well(visit("evaluation", run=pair[1], asked=str(place)))
    tiles = component(at, f"strip-a-{place}")["items"]
    result = run.evaluation.results[place]
    assert [tile["id"] for tile in tiles] == [one.image_id for one in result.ranked[:12]]
    marks = {tile["caption"]: tile["mark"] for tile in tiles}
    assert marks["china.png"] == "right" and marks["flower.jpg"] == "junk"
    ignored = next(tile for tile in tiles if tile["mark"] == "junk")
    assert ignored["rank"] == "–" and "ignored" in ignored["alt"]
    ranks = [int(tile["rank"]) for tile in tiles if tile["rank"] != "–"]
    assert ranks == list(range(1, len(tiles)))
    for tile in tiles:
        (why, reason), (inspect, picture) = tile["more"]
        assert (why, inspect) == ("Why", "Inspect")
        assert reason.startswith("/why?") and f"result={tile['id']}" in reason
        assert picture.startswith("/inspect?")
    query = component(at, "query-picture")["items"][0]
    assert "method=verified" in query["href"]


def test_a_sheet_tells_what_stands_there_only_by_way_of_others(
    opened: Index, pair: tuple[str, str]
) -> None:
    run = runs.open_run(pair[1])
    place = next(i for i, r in enumerate(run.evaluation.results) if r.query == "china.jpg")
    path = runs.runs_folder() / f"{run.name}.json"
    held = json.loads(path.read_text())
    result = held["evaluation"]["results"][place]
    result["ranked"][1][3] = "added"
    result["added"] = {"right": 0, "wrong": 1, "junk": 0}
    held["sha256"] = artifacts.manifest_digest(held)
    path.write_text(json.dumps(held))
    at = well(visit("evaluation", run=run.name, asked=str(place)))
    first, second, *rest = component(at, f"strip-a-{place}")["items"]
    assert second["note"] == "Only by way of others"
    assert second["alt"].endswith(", only by way of others")
    assert all(tile.get("note") is None for tile in (first, *rest))
    told = sentences(well(visit("evaluation", run=run.name)))
    assert "by their own score" in told and "only by way of others 0 right, 1 wrong" in told
    assert "Accepted" not in sentences(well(visit("evaluation", run=pair[0])))


def test_missed_answers_stand_with_the_ranks_they_came_at(
    opened: Index, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ui.evaluation import sheet

    monkeypatch.setattr(sheet, "FEW", 1)
    extra = "coffee.jpg,flat.png,good\ncoffee.jpg,broken.jpg,good\n"
    keep_truth(opened, "hard", extra)
    run = runs.open_run(measured(opened, "verified", "hard"))
    place = next(i for i, r in enumerate(run.evaluation.results) if r.query == "coffee.jpg")
    at = well(visit("evaluation", run=run.name, asked=str(place)))
    result = run.evaluation.results[place]
    late = dict(zip(result.right_ids, result.right_ranks))
    shown = {tile["id"]: tile["rank"] for tile in component(at, f"missed-a-{place}")["items"]}
    flat = opened.find_image("flat.png")
    assert flat is not None and shown[flat] == str(late[flat])
    assert "1 right answer could not be found at all" in sentences(at)


def test_a_sheet_steps_through_the_queries_in_the_order_of_the_list(
    opened: Index, pair: tuple[str, str]
) -> None:
    at = well(visit("evaluation", run=pair[0]))
    hrefs = [row["cells"][0]["href"] for row in component(at, "queries")["rows"]]
    places = [href.partition("asked=")[2] for href in hrefs]
    at = well(visit("evaluation", run=pair[0], asked=places[0]))
    assert "Previous" not in buttons(at)
    for place in places[1:]:
        at = click(at, "Next")
        assert at.query_params["asked"] == place
    assert "Next" not in buttons(at)
    assert click(at, "All queries").query_params == {"run": pair[0]}
    assert "has no query 99" in sentences(well(visit("evaluation", run=pair[0], asked="99")))


def test_a_run_of_schema_1_has_sheets_too(opened: Index, pair: tuple[str, str]) -> None:
    path = runs.runs_folder() / f"{pair[0]}.json"
    held = json.loads(path.read_text()) | {"schema_version": 1}
    for result in held["evaluation"]["results"]:
        del result["right_ids"]
    held["sha256"] = artifacts.manifest_digest(held)
    path.write_text(json.dumps(held))
    well(visit("evaluation", run=pair[0], beside=pair[1], asked="1"))


def test_a_sheet_of_pictures_that_are_gone_names_them(
    scratch: Path, folder: Path, tmp_path: Path, pair: tuple[str, str]
) -> None:
    fewer = tmp_path / "fewer"
    fewer.mkdir()
    for name in ("china.jpg", "coffee.jpg", "rocket.jpg"):
        (fewer / name).write_bytes((folder / name).read_bytes())
    build.build(fewer, "tiny", tiny_params(), n_workers=1, overwrite=True)
    at = well(visit("evaluation", run=pair[0], asked="0"))
    assert "No longer in the collection: " in sentences(at)
    rows = component(well(visit("evaluation")), "runs")["rows"]
    assert {row["cells"][0]["note"] for row in rows} == {"older: other pictures"}


# Measuring


def finished(at: AppTest) -> AppTest:
    """Wait until nothing is measured any more, and show the page as it is then."""
    end = time.monotonic() + 60
    while any(one.active for one in measuring.of("tiny")):
        assert time.monotonic() < end
        time.sleep(0.05)
    return at.run()


def test_a_method_is_measured_and_kept_as_a_run(opened: Index) -> None:
    keep_truth(opened)
    at = well(visit("evaluation", part="measure", truth="gt", method="count"))
    assert "4 queries, 4 right answers in all." in sentences(at)
    at = well(finished(click(at, "Measure")))
    assert str(at.success[0].value).startswith("Measured: count on gt, mAP ")
    (name,) = runs.list_runs()
    at = click(at, "Open the run")
    assert at.query_params == {"method": "count", "run": name}
    assert not at.success and cells(at, "queries")


def test_faults_of_a_csv_are_told_line_by_line(opened: Index) -> None:
    path = keep_truth(opened)
    path.write_text("query,relevant,label\nchina.jpg,gone.jpg,good\nchina.jpg,coffee.jpg,fine\n")
    at = visit("evaluation", part="measure", truth="gt")
    assert not at.exception
    (error,) = at.error
    told = str(error.value).replace("\\", "")
    assert "- line 2: 'gone.jpg' is not in index 'tiny'" in told and "- line 3: label" in told
    assert str(artifacts.artifacts_folder()) not in told
    assert next(b for b in at.button if b.label == "Measure").disabled
    (line,) = cells(well(visit("evaluation", part="truths")), "truths")
    assert line[0] == "gt" and line[1].startswith("does not fit tiny: line 3")


def test_without_a_ground_truth_measuring_leads_to_making_one(tiny: Index) -> None:
    at = well(visit("evaluation", part="measure"))
    assert "There is no ground truth yet" in sentences(at)
    assert next(b for b in at.button if b.label == "Measure").disabled
    assert click(at, "Make a ground truth").query_params == {"part": "truths"}


# Making a ground truth


def test_a_ground_truth_begins_with_a_name_and_a_query(opened: Index) -> None:
    at = well(visit("evaluation", part="truths"))
    at.text_input[0].input("../etc")
    at = click_form(at)
    assert "A name is made of letters" in at.error[0].value
    at.text_input[0].input("mine")
    at = well(click_form(at))
    assert at.query_params == {"part": "truths", "truth": "mine"}
    assert "Pick the first query" in sentences(at)
    tiles = component(at, "pick")["items"]
    assert len(tiles) == opened.n_images and "truth=mine" in tiles[0]["href"]


def click_form(at: AppTest) -> AppTest:
    return next(b for b in at.button if b.label == "Begin").click().run()


def test_results_are_marked_saved_and_gone_on_with(opened: Index) -> None:
    image_id = opened.find_image("coffee.jpg")
    address = {"part": "truths", "truth": "mine", "query": f"image-{image_id}"}
    at = well(visit("evaluation", **address))
    shown = component(at, "marking-coffee.jpg")
    assert len(shown["items"]) == opened.n_images - 1 and shown["marks"] == {}
    saves = [b for b in at.button if b.label == "Save"]
    assert all(save.disabled for save in saves)
    turned = opened.find_image("turned/coffee.png")
    draft: Draft = at.session_state["drafts"]["tiny", "mine"]
    draft.mark("coffee.jpg", {"turned/coffee.png": "right"})
    at = well(at.run())
    assert "1 right, 0 wrong, 0 ignored" in sentences(at)
    assert "Not saved yet: 1 query" in sentences(at)
    at = click(at, "Mark the rest wrong")
    marks = component(at, "marking-coffee.jpg")["marks"]
    assert marks.pop(str(turned)) == "right" and set(marks.values()) == {"wrong"}
    at = click(at, "Save")
    assert "All is saved" in sentences(at)
    assert truths.path_of("mine").read_text().splitlines()[1:] == [
        "coffee.jpg,turned/coffee.png,good"
    ]
    at = click(at, "Next query")
    assert cells(at, "asked") == [["coffee.jpg", "1", "11", "0"]]
    assert image_id not in [tile["id"] for tile in component(at, "pick")["items"]]
    again = well(visit("evaluation", **address))
    assert component(again, "marking-coffee.jpg")["marks"][str(turned)] == "right"


def test_a_second_visitor_did_overwrite_the_first(opened: Index) -> None:
    address = {
        "part": "truths",
        "truth": "mine",
        "query": f"image-{opened.find_image('coffee.jpg')}",
    }
    first, second = well(visit("evaluation", **address)), well(visit("evaluation", **address))
    for at, marks in (
        (first, {"turned/coffee.png": "right", "china.jpg": "junk"}),
        (second, {"turned/coffee.png": "right", "flower.jpg": "right"}),
    ):
        at.session_state["drafts"]["tiny", "mine"].mark("coffee.jpg", marks)
    first = click(well(first.run()), "Save")
    second = click(well(second.run()), "Save")
    assert "Someone else saved mine since you opened it" in sentences(second)
    assert "flower" not in truths.path_of("mine").read_text()
    assert all(b.disabled for b in second.button if b.label == "Save")
    second = click(click(second, "Put my marks onto theirs"), "Save")
    assert "All is saved" in sentences(second)
    assert truths.open_truth("mine", opened).marks == {
        "coffee.jpg": {"turned/coffee.png": "right", "china.jpg": "junk", "flower.jpg": "right"}
    }
    third = first
    third.session_state["drafts"]["tiny", "mine"].mark("coffee.jpg", {})
    third = click(click(well(third.run()), "Save"), "Drop my marks")
    assert "3 results" not in sentences(third) and "2 right, 0 wrong, 1 ignored" in sentences(third)


def test_a_flat_query_says_that_its_results_say_nothing(tiny: Index) -> None:
    flat = f"image-{tiny.find_image('flat.png')}"
    at = well(visit("evaluation", part="truths", truth="mine", query=flat))
    assert "No keypoints were found" in sentences(at)


def test_a_query_that_is_not_there_is_refused(tiny: Index) -> None:
    at = visit("evaluation", part="truths", truth="mine", query="image-999")
    assert "has no picture 999" in at.error[0].value and not at.exception


@pytest.mark.parametrize(
    "parameters",
    [
        {"part": "no such"},
        {"run": "../x"},
        {"beside": "alone"},
        {"asked": "-1"},
        {"asked": "1"},
        {"truth": "a/b"},
    ],
    ids=str,
)
def test_choices_without_meaning_are_left_out(tiny: Index, parameters: dict[str, str]) -> None:
    at = well(visit("evaluation", **parameters))
    assert "How good is the search on your own pictures?" in sentences(at)


@pytest.mark.parametrize("part", ["measure", "truths"])
def test_the_page_promised_to_take_a_larger_csv_than_it_took(tiny: Index, part: str) -> None:
    (uploader,) = visit("evaluation", part=part).file_uploader
    assert uploader.proto.max_upload_size_mb * 2**20 == truths.MAX_BYTES
