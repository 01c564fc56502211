"""Sentences, ranks and drafts of the evaluation page."""

import dataclasses

import pytest

from engine.compare import Comparison, Difference
from engine.evaluate import QueryResult, Result
from engine.truths import Truth
from tests.golden.runs.make import COUNTED, RUN
from ui.evaluation import kept, overview, sheet, told
from ui.evaluation.drafts import Draft


def compared(
    interval: tuple[float, float], landmarks: tuple[float, float], gap: float = 0.1
) -> Comparison:
    rows = tuple(Difference(q, g, 0.5, 0.5 + gap) for q, g in (("a", "x"), ("b", "x"), ("c", "y")))
    return Comparison("r1", "r2", rows, 0.5, 0.5 + gap, interval, landmarks, ())


def test_a_verdict_follows_from_the_intervals() -> None:
    open_ = told.verdict(compared((-0.1, 0.3), (-0.2, 0.4)), "A: count", "B: verified")
    assert open_.startswith("**These queries do not tell the two apart.**")
    assert "−0.100 to +0.300 holds 0" in open_
    sure = told.verdict(compared((0.05, 0.15), (0.01, 0.2)), "A: count", "B: verified")
    assert sure.startswith("**B: verified is better than A: count** on these 3 queries: mAP 0.500")
    assert "holds 0" not in sure
    few = told.verdict(compared((0.05, 0.15), (-0.01, 0.2)), "A: count", "B: verified")
    assert "they show 2 things only" in few and "−0.010 to +0.200 holds 0" in few
    worse = told.verdict(compared((-0.2, -0.1), (-0.3, -0.1), -0.15), "A", "B")
    assert worse.startswith("**A is better than B**")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("groundtruth.csv", "groundtruth"),
        ("My labels (2).CSV", "My-labels-2"),
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\gt.csv", "gt"),
        ("ö.csv", "groundtruth"),
        (".csv", "groundtruth"),
        ("x" * 300, "x" * 48),
    ],
)
def test_a_csv_is_kept_under_a_plain_name(name: str, kept: str) -> None:
    assert told.file_name(name) == kept


def test_times_are_told_in_utc() -> None:
    assert told.when("2026-01-02T18:30:00+00:00") == "2 Jan 2026, 18:30"
    assert told.when("2026-01-02T01:30:00+02:00") == "1 Jan 2026, 23:30"
    assert told.when("long ago") == "long ago"


def test_runs_of_other_parameters_can_be_told_apart() -> None:
    parameters = {**RUN.parameters, "set": ["rerank.n_images=200"]}
    tuned = dataclasses.replace(RUN, parameters=parameters)
    assert kept.brief(tuned).settings == ("rerank.n_images=200",)
    assert kept.brief(RUN).settings == ()
    usual, other = overview.names_of([RUN, tuned])
    assert other == usual.replace("A: expanded,", "B: expanded, rerank.n_images=200,")


def test_what_was_accepted_is_told_where_a_run_tells_it() -> None:
    figures = RUN.evaluation.figures()
    assert told.accepted(figures) == (
        "Accepted as the same thing, of 1 right answer: by their own score 0 right, 1 wrong, 0 "
        "ignored; only by way of others 0 right, 0 wrong, 1 ignored; nothing for 0 queries."
    )
    figures["accepted"]["added"] = None
    assert "by way" not in (told.accepted(figures) or "")
    assert told.accepted(COUNTED.evaluation.figures()) is None


def result(**changes: object) -> QueryResult:
    labels = ("right", "junk", "wrong", "right", "unlabelled")
    ranked = tuple(Result(i, 1.0 - i / 10, label) for i, label in enumerate(labels))
    (base,) = RUN.evaluation.results
    whole = dataclasses.replace(
        base, n_positives=5, right_ranks=(1, 3, 40, 90), right_ids=(0, 3, 77, 78), ranked=ranked
    )
    return dataclasses.replace(whole, **changes)  # type: ignore[arg-type]


def test_ranks_pass_over_what_is_ignored() -> None:
    assert sheet.ranks(result()) == [1, None, 2, 3, 4]


def test_missed_answers_are_those_behind_what_is_shown() -> None:
    assert sheet.missed(result(), 2) == [(3, 3), (40, 77), (90, 78)]
    assert sheet.missed(result(), 5) == [(40, 77), (90, 78)]
    assert sheet.missed(result(right_ids=()), 2) == [(3, 3), (40, None), (90, None)]


def draft() -> Draft:
    marks = {"a.jpg": {"b.jpg": "right", "c.jpg": "wrong"}, "d.jpg": {"e.jpg": "right"}}
    return Draft(Truth("mine", "1", marks, ()))


def test_marks_that_are_taken_back_leave_no_change() -> None:
    held = draft()
    held.mark("a.jpg", {"b.jpg": "junk"})
    assert held.changes == {"a.jpg": {"b.jpg": "junk"}} and held.marks("a.jpg") == {"b.jpg": "junk"}
    held.mark("a.jpg", {"c.jpg": "wrong", "b.jpg": "right"})
    assert held.changes == {}
    held.mark("x.jpg", {"y.jpg": "right"})
    held.mark("d.jpg", {})
    assert held.queries() == ["a.jpg", "x.jpg"]


def test_marks_put_onto_what_someone_else_saved_keep_theirs() -> None:
    theirs = Truth(
        "mine", "2", {"a.jpg": {"b.jpg": "junk", "c.jpg": "wrong", "z.jpg": "right"}}, ()
    )
    held = draft()
    held.mark("a.jpg", {"b.jpg": "right", "n.jpg": "right"})  # c.jpg unmarked, n.jpg added
    held.rebase(theirs, keep=True)
    assert held.marks("a.jpg") == {"b.jpg": "junk", "z.jpg": "right", "n.jpg": "right"}
    held.rebase(theirs, keep=False)
    assert held.changes == {} and held.marks("a.jpg") == dict(theirs.marks["a.jpg"])
