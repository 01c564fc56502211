"""Deleting on the evaluation page: asked first, told afterwards, also to whoever had it open."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from engine import index, runs, truths
from engine.index import Index
from tests.pages_under_test import sentences, visit, well
from tests.test_page_evaluation import buttons, cells, click, finished, keep_truth, measured

pytestmark = pytest.mark.usefixtures("fresh_caches", "no_build")


@pytest.fixture
def opened(scratch: Path) -> Index:
    return index.open_index("tiny")


@pytest.fixture
def pair(opened: Index) -> tuple[str, str]:
    """Two runs of one ground truth."""
    keep_truth(opened)
    return measured(opened, "count"), measured(opened, "verified")


def said(at: AppTest) -> list[str]:
    """Return what the page says of a deletion."""
    return [str(e.value).replace("\\", "") for kind in (at.success, at.warning) for e in kind]


def test_a_run_is_deleted_after_a_question(opened: Index, pair: tuple[str, str]) -> None:
    at = click(well(visit("evaluation", run=pair[0])), "Delete this run")
    told = sentences(at)
    assert "**count of " in told and "** on gt.csv, 4 queries." in told
    assert "**Lost** for everyone" in told and "**Stays**: the pictures, the ground truth" in told
    assert runs.list_runs() == [*pair], "nothing is deleted yet"
    at = click(at, "Delete it for good")
    assert runs.list_runs() == [pair[1]]
    assert at.query_params == {}
    assert said(at)[0].startswith("Deleted: the run count of ")
    assert [row[0] for row in cells(at, "runs")] == ["verified"]
    assert said(well(at.run())) == [], "it is said once"
    assert truths.list_truths() == ["gt"]


def test_a_run_stays_where_the_question_is_answered_no(
    opened: Index, pair: tuple[str, str]
) -> None:
    at = click(well(visit("evaluation", run=pair[0])), "Delete this run")
    at = click(at, "Keep it")
    assert runs.list_runs() == [*pair]
    assert at.query_params == {"run": pair[0]} and said(at) == []


def test_of_two_runs_side_by_side_none_is_offered(opened: Index, pair: tuple[str, str]) -> None:
    assert "Delete this run" not in buttons(visit("evaluation", run=pair[0], beside=pair[1]))
    assert "Delete this run" not in buttons(visit("evaluation"))


def test_who_has_a_deleted_run_open_is_told_that_it_is_gone(
    opened: Index, pair: tuple[str, str]
) -> None:
    addresses = ({"run": pair[0]}, {"run": pair[1], "beside": pair[0]}, {"run": pair[0]})
    one, beside, asking = (well(visit("evaluation", **address)) for address in addresses)
    sheet = well(visit("evaluation", run=pair[0], asked="1"))
    asking = click(asking, "Delete this run")
    click(click(one, "Delete this run"), "Delete it for good")
    for at in (well(beside.run()), well(sheet.run())):
        assert f"There is no run {pair[0]} any more" in sentences(at)
        assert [row[0] for row in cells(at, "runs")] == ["verified"]
    asking = click(asking, "Delete it for good")
    assert said(asking) == ["This run is gone already: someone else deleted it"]
    last = well(visit("evaluation", run=pair[1]))
    click(click(last, "Delete this run"), "Delete it for good")
    assert "How good is the search on your own pictures?" in sentences(well(beside.run()))


def test_a_run_that_cannot_be_read_is_deleted_too(opened: Index, pair: tuple[str, str]) -> None:
    path = runs.runs_folder() / f"{pair[0]}.json"
    path.write_text(path.read_text()[:-30])
    at = click(well(visit("evaluation")), "Delete this run")
    assert f"The run {pair[0]} cannot be read" in sentences(at)
    at = click(at, "Delete it for good")
    assert said(at) == [f"Deleted: the run {pair[0]}."]
    assert runs.list_runs() == [pair[1]]


def test_a_run_that_was_measured_here_and_deleted_elsewhere_broke_the_page(opened: Index) -> None:
    keep_truth(opened)
    at = well(visit("evaluation", part="measure", truth="gt", method="count"))
    at = well(finished(click(at, "Measure")))
    runs.delete_run(runs.list_runs()[0])
    at = well(at.run())
    assert "Measured: count on gt. The run was deleted since." in sentences(at)
    assert "Open the run" not in buttons(at)


def test_a_ground_truth_is_deleted_after_a_question(opened: Index, pair: tuple[str, str]) -> None:
    at = click(well(visit("evaluation", part="truths", truth="gt")), "Delete")
    told = sentences(at)
    assert "**gt**: 4 queries, 4 right, 1 ignored." in told
    assert "all its marks. Download the csv first" in told and "not saved too" not in told
    assert truths.list_truths() == ["gt"]
    at = click(at, "Delete it for good")
    assert truths.list_truths() == [] and at.query_params == {"part": "truths"}
    assert said(at) == ["Deleted: the ground truth gt."]
    assert not list(truths.truths_folder().glob("gt*"))
    well(visit("evaluation", run=pair[0], asked="1"))
    assert len(cells(well(visit("evaluation")), "runs")) == 2, "its runs stay"


def test_unsaved_marks_go_with_their_ground_truth_and_that_is_said(opened: Index) -> None:
    keep_truth(opened)
    at = well(visit("evaluation", part="truths", truth="gt"))
    at.session_state["drafts"]["tiny", "gt"].mark("flower.jpg", {"flat.png": "right"})
    at = click(well(at.run()), "Delete")
    assert "those that you have not saved too" in sentences(at)
    click(at, "Delete it for good")
    keep_truth(opened)
    at.query_params.update({"part": "truths", "truth": "gt"})
    assert "Not saved yet" not in sentences(well(at.run()))


def test_a_ground_truth_that_someone_else_saved_meanwhile_stays(opened: Index) -> None:
    keep_truth(opened)
    at = click(well(visit("evaluation", part="truths", truth="gt")), "Delete")
    digest = truths.open_truth("gt", opened).digest
    truths.save("gt", digest, {"flower.jpg": {"turned/flower.png": "right"}}, opened)
    at = click(at, "Delete it for good")
    assert said(at) == ["The ground truth 'gt' was saved by someone else since you opened it"]
    assert truths.list_truths() == ["gt"] and at.query_params["truth"] == "gt"
    at = click(click(at, "Delete"), "Delete it for good")
    assert truths.list_truths() == []


def test_who_has_a_deleted_ground_truth_open_is_told(opened: Index) -> None:
    keep_truth(opened)
    query = f"image-{opened.find_image('flower.jpg')}"
    address = {"part": "truths", "truth": "gt", "query": query}
    looking, marking = (well(visit("evaluation", **address)) for _ in range(2))
    measuring = well(visit("evaluation", part="measure", truth="gt"))
    marking.session_state["drafts"]["tiny", "gt"].mark("flower.jpg", {"turned/flower.png": "right"})
    marking = well(marking.run())
    truths.delete("gt", truths.digest_of("gt"))
    gone = "Someone else deleted gt since you opened it."
    assert gone + " Saving makes it anew." in sentences(well(looking.run()))
    assert "There is no ground truth gt." in sentences(well(measuring.run()))
    marking = click(marking, "Save")
    assert f"{gone} Your marks of 1 query are not saved." in sentences(marking)
    marking = click(click(marking, "Make it anew with my marks"), "Save")
    assert "All is saved" in sentences(marking) and gone not in sentences(marking)
    assert truths.open_truth("gt", opened).marks == {"flower.jpg": {"turned/flower.png": "right"}}


def test_a_ground_truth_that_fits_no_collection_is_deleted_too(opened: Index) -> None:
    keep_truth(opened).write_text("query,relevant,label\nchina.jpg,gone.jpg,good\n")
    at = visit("evaluation", part="truths", truth="gt")
    at = next(b for b in at.button if b.label == "Delete").click().run()
    assert "**gt**: it does not fit tiny." in sentences(at)
    at = next(b for b in at.button if b.label == "Delete it for good").click().run()
    well(at)
    assert truths.list_truths() == []
