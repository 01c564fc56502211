"""Lesson 6: measuring."""

from collections import Counter

import streamlit as st

from engine import measures, methods
from engine.language import mark, tr, trn
from ui import results, urls
from ui.components import Cell, Row, Tile, marking, table
from ui.lessons import figures
from ui.lessons.shared import Bench, Lesson, Step
from ui.lessons.view import go

N_POOLED = 8
FIRST, SECOND = methods.VERIFIED, "tf-idf"
KEY = "lesson-marks"


def order(bench: Bench, method: str) -> list[int]:
    """Return all results of a method, in the order in which they are shown."""
    return [one.image_id for one in results.of(bench.answer(method))]


def pooled(bench: Bench) -> list[int]:
    """Return the first results of both methods, each once, so that neither is favoured."""
    firsts = [order(bench, method)[:N_POOLED] for method in (FIRST, SECOND)]
    return list(dict.fromkeys(i for pair in zip(*firsts) for i in pair))


def marks(bench: Bench) -> dict[int, str]:
    """Return the reader's marks of this photograph, by picture; kept in the session."""
    kept: dict[tuple[str, str, str], dict[int, str]] = st.session_state.setdefault(KEY, {})
    shown = bench.shown
    return kept.setdefault((shown.name, shown.stamp, bench.query().image.sha256), {})


def by_hand(bench: Bench) -> bool:
    """Let the first results be marked."""
    found, held = pooled(bench), marks(bench)
    tiles = [
        Tile(
            id=i,
            url=urls.picture(bench.shown, i, 320),
            href="",
            alt=bench.name_of(i),
            title=bench.name_of(i),
            caption=bench.name_of(i),
        )
        for i in found
    ]

    def changed(told: dict[int, str]) -> None:
        held.clear()
        held.update(told)

    version = f"{bench.shown.stamp[:12]}-{bench.query().image.sha256[:12]}"
    label = tr("Results to be marked")
    marking(tiles, dict(held), version, "lesson-marking", label, changed)
    count = Counter(held.values())
    st.markdown(
        tr("{right} right, {wrong} wrong, {junk} ignored of {n}", right=count["right"],
           wrong=count["wrong"], junk=count["junk"], n=len(found))
    )  # fmt: skip
    return count["right"] > 0 and len(held) >= min(4, len(found))


def _figures(bench: Bench, method: str) -> tuple[tuple[int, ...], int, float, float] | None:
    """Return the ranks of the right answers, how many there are, AP and P@4; None without any."""
    held = marks(bench)
    right = {i for i, m in held.items() if m == "right"}
    junk = {i for i, m in held.items() if m == "junk"}
    if not right:
        return None
    ranked = order(bench, method)
    ranks = measures.right_ranks(ranked, right, junk)
    average = measures.average_precision_of(ranks, len(right))
    return ranks, len(right), average, measures.precision_at(ranked, right, 4, junk)


def _unmarked(bench: Bench) -> None:
    st.info(tr("Nothing is marked right yet, so there is nothing to measure."))
    st.button(tr("Go and mark"), on_click=go, kwargs={"step": 1})


def curve(bench: Bench) -> None:
    """Draw the precision-recall curve of the reader's marks."""
    _curves(bench, (FIRST,))


def two(bench: Bench) -> None:
    """Draw the curves of two methods."""
    _curves(bench, (FIRST, SECOND))


def _curves(bench: Bench, chosen: tuple[str, ...]) -> None:
    found = {method: _figures(bench, method) for method in chosen}
    rows, lines, said = [], [], []
    for method, told in found.items():
        if told is None:
            _unmarked(bench)
            return
        ranks, n_right, average, first = told
        drawn = measures.precision_recall(ranks, n_right)
        points = [[round(r, 3), round(p, 3)] for r, p in zip(drawn.recall, drawn.precision)]
        lines.append((method, points))
        said.append(tr("{method}: average precision {ap:.3f}", method=method, ap=average))
        places = ", ".join(f"{rank:,}" for rank in ranks)
        rows.append(Row((Cell(method), Cell(f"{average:.3f}"), Cell(f"{first:.2f}"), Cell(places))))
    alt = tr("Precision over recall. {figures}", figures="; ".join(said))
    figures.curve(lines, tr("Recall"), tr("Precision"), "lesson-curve", alt, unit=True)
    heading = [tr("Method"), "AP", "P@4", tr("Places of the right ones")]
    table(heading, rows, "lesson-figures", tr("How good each ranking is"), heading[1:])


def hides(bench: Bench) -> None:
    """Show what average precision would be if the ranking were a little different."""
    told = _figures(bench, FIRST)
    if told is None:
        _unmarked(bench)
        return
    ranks, n_right, _, _ = told
    n_images = len(order(bench, FIRST))
    junk = sum(mark == "junk" for mark in marks(bench).values())
    last = n_images - junk + 1  # behind all there are; what is ignored takes no place
    cases = [
        (tr("As it is"), ranks, n_right),
        (tr("One wrong picture more before all others"), tuple(r + 1 for r in ranks), n_right),
        (tr("The last right one not found at all"), ranks[:-1], n_right),
        (tr("One more right one in the collection, last of all"), (*ranks, last), n_right + 1),
    ]
    rows = []
    for name, places, n in cases:
        average = measures.average_precision_of(places, n)
        first = sum(rank <= 4 for rank in places) / 4
        shown = ", ".join(f"{rank:,}" for rank in places) or "–"
        rows.append(Row((Cell(name), Cell(f"{average:.3f}"), Cell(f"{first:.2f}"), Cell(shown))))
    heading = [tr("If"), "AP", "P@4", tr("Places of the right ones")]
    table(heading, rows, "lesson-cases", tr("The same ranking, a little different"), heading[1:])
    count = trn("{n} picture", "{n} pictures", len(marks(bench)))
    st.caption(tr("You have marked {pictures} of {all:,}.", pictures=count, all=n_images))


LESSON = Lesson(
    name="measuring",
    title=mark("Measuring"),
    learns=mark("How good a ranking is, in numbers, and what they do not say."),
    minutes=6,
    steps=(
        Step(
            mark("Right or wrong, by hand"),
            (
                mark(
                    "No program knows what you look for. So someone has to say which pictures are "
                    "right answers: this is the ground truth."
                ),
                mark(
                    "Here are the first results of two methods, mixed, so that neither gains by "
                    "being looked at first. Ignored: too little is seen to say. What you do not "
                    "mark counts as wrong."
                ),
            ),
            by_hand,
            mark("Mark at least four pictures, and at least one of them right."),
        ),
        Step(
            mark("The precision-recall curve"),
            (
                mark(
                    "Go down the results one by one. Recall is the share of the right answers "
                    "found so far; precision is the share of right ones among all results so far."
                ),
                mark(
                    "Average precision (AP) is the area below the curve: 1 if all right answers "
                    "come first. P@4 is the share of right ones among the first four."
                ),
            ),
            curve,
            seen=mark(
                "Each wrong result on the way makes precision fall, each right one moves on to "
                "the right. If fewer than four pictures are right at all, P@4 cannot reach 1."
            ),
        ),
        Step(
            mark("Two methods"),
            (
                mark(
                    "The same marks, two rankings: verified looks at keypoints and their places, "
                    "tf-idf at histograms only."
                ),
            ),
            two,
            seen=mark(
                "One query proves little: another photograph may turn the order around. Methods "
                "are compared over many queries, by the mean of their AP (mAP)."
            ),
        ),
        Step(
            mark("What AP hides"),
            (
                mark(
                    "One number cannot say everything. The table changes your ranking a little and "
                    "computes AP again."
                ),
                mark("Compare the second line with the third: which would you mind more?"),
            ),
            hides,
            seen=mark(
                "A wrong picture in the first place costs three quarters where there is one right "
                "answer, and little where there are many. A right answer in the last place costs "
                "nearly as much as one that is missing. And right pictures that nobody marked "
                "count as wrong."
            ),
        ),
    ),
    further=mark("Measure many queries in Evaluation"),
    page="evaluation",
    paper="Manning, Raghavan, Schütze, “Introduction to Information Retrieval”, chapter 8, 2008",
)
