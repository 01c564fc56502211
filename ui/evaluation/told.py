"""Sentences and numbers of the Evaluation page."""

import datetime
import re
from collections.abc import Mapping
from typing import Any

import streamlit as st

from engine import artifacts
from engine.compare import Comparison
from engine.evaluate import ADDED, DIRECT
from engine.language import mark, sentences, tr, trn
from ui import words

TERMS = {
    "Query": mark(
        "**Query**: A picture whose right answers are known. The whole collection is ranked for it."
    ),
    "AP": mark(
        "**AP**: Average precision of one query: 1 when all its right answers come before any "
        "wrong one, near 0 when they come last. Its loss is 1 − AP."
    ),
    "mAP": mark("**mAP**: The mean of the average precisions of all queries."),
    "95 %": mark(
        "**95 %**: Where mAP would fall, 95 times of 100, with other queries of the same kind."
    ),
    "P@1, P@4": mark(
        "**P@1, P@4**: The share of right answers among the first one, the first four results."
    ),
    "All four right": mark(
        "**All four right**: The share of queries whose first four results are all right."
    ),
    "Easy mAP": mark(
        "**Easy mAP**: mAP with the answers labelled good (or same) as the only right ones, "
        "without those labelled ok. – where there are none."
    ),
    "CPU": mark(
        "**CPU**: Seconds of processor time that ranking one query takes (median), without "
        "describing its picture. What else the server did meanwhile is in it."
    ),
    "Ignored": mark(
        "**Ignored**: Junk: pictures that count neither way, as if they were not in the collection."
    ),
}
RIGHT, WRONG, JUNK = "right", "wrong", "junk"
SHOWN = {
    RIGHT: mark("right"),
    WRONG: mark("wrong"),
    JUNK: mark("ignored"),
    "unlabelled": mark("wrong"),
}
MONTHS = (
    mark("Jan"),
    mark("Feb"),
    mark("Mar"),
    mark("Apr"),
    mark("May"),
    mark("Jun"),
    mark("Jul"),
    mark("Aug"),
    mark("Sep"),
    mark("Oct"),
    mark("Nov"),
    mark("Dec"),
)
MARK_OF = {RIGHT: RIGHT, WRONG: WRONG, JUNK: JUNK, "unlabelled": WRONG}


def glossary(*chosen: str) -> None:
    """Say what the numbers mean, behind one line."""
    with st.expander(tr("What the numbers mean")):
        for term in chosen or tuple(TERMS):
            st.markdown(tr(TERMS[term]))


def when(made: str) -> str:
    """Return a time of day for people: "2 Jan 2026, 18:30"."""
    try:
        at = datetime.datetime.fromisoformat(made).astimezone(datetime.UTC)
    except ValueError:
        return made
    month, time = tr(MONTHS[at.month - 1]), f"{at:%H:%M}"
    return tr("{day} {month} {year}, {time}", day=at.day, month=month, year=at.year, time=time)


def signed(value: float) -> str:
    """Return a difference with its sign: "+0.092", "−0.010"."""
    return f"{value:+.3f}".replace("-", "−")


def n_queries(count: int) -> str:
    """Return "1 query", "45 queries"."""
    return trn("{n:,} query", "{n:,} queries", count)


def between(interval: tuple[float, float], *, sign: bool = False) -> str:
    """Return an interval: "0.672 to 0.763"."""
    low, high = interval
    ends = (signed(low), signed(high)) if sign else (f"{low:.3f}", f"{high:.3f}")
    return tr("{low} to {high}", low=ends[0], high=ends[1])


def _holds_0(interval: tuple[float, float]) -> bool:
    return interval[0] <= 0 <= interval[1]


def verdict(compared: Comparison, before: str, after: str) -> str:
    """Say in plain words whether one run is better than the other, for Markdown."""
    gap, n_queries = compared.difference, len(compared.queries)
    figures = {
        "map_before": compared.mean_before,
        "map_after": compared.mean_after,
        "gap": signed(gap),
        "interval": between(compared.interval, sign=True),
    }
    if _holds_0(compared.interval):
        return tr(
            "**These queries do not tell the two apart.** mAP {map_before:.3f} to "
            "{map_after:.3f}, {gap}; the 95 % interval {interval} holds 0: on other queries of "
            "the same kind either might come out ahead.",
            **figures,
        )
    better, worse = (after, before) if gap > 0 else (before, after)
    told = trn(
        "**{better} is better than {worse}** on these {n} queries: mAP {map_before:.3f} to "
        "{map_after:.3f}, {gap}, 95 % interval {interval}.",
        "**{better} is better than {worse}** on these {n} queries: mAP {map_before:.3f} to "
        "{map_after:.3f}, {gap}, 95 % interval {interval}.",
        n_queries,
        better=better,
        worse=worse,
        **figures,
    )
    n_groups = len({query.landmark for query in compared.queries})
    if n_groups < n_queries and _holds_0(compared.interval_landmarks):
        but = trn(
            "But they show {n:,} thing only; counted by these, the interval {interval} holds 0: on "
            "other things it may be otherwise.",
            "But they show {n:,} things only; counted by these, the interval {interval} holds 0: "
            "on other things it may be otherwise.",
            n_groups,
            interval=between(compared.interval_landmarks, sign=True),
        )
        return sentences(told, but)
    return told


def accepted(figures: Mapping[str, Any]) -> str | None:
    """Say how much of what a run accepted is right; None where it does not tell."""
    found = figures["accepted"]
    if found is None:
        return None
    parts = []
    if (n := found[DIRECT]) is not None:
        parts.append(
            tr(
                "by their own score {right:,} right, {wrong:,} wrong, {junk:,} ignored",
                right=n["right"],
                wrong=n["wrong"],
                junk=n["junk"],
            )
        )
    if (n := found[ADDED]) is not None:
        parts.append(
            tr(
                "only by way of others {right:,} right, {wrong:,} wrong, {junk:,} ignored",
                right=n["right"],
                wrong=n["wrong"],
                junk=n["junk"],
            )
        )
    without = found["n_queries_without"]
    parts.append(trn("nothing for {n:,} query", "nothing for {n:,} queries", without))
    return trn(
        "Accepted as the same thing, of {n:,} right answer: {parts}.",
        "Accepted as the same thing, of {n:,} right answers: {parts}.",
        found["n_positives"],
        parts=tr("; ").join(parts),
    )


def told(error: Exception) -> str:
    """Return what went wrong for Markdown: faults of a csv line by line, no paths."""
    text = words.without_paths(str(error), str(artifacts.artifacts_folder()))
    text = text.removeprefix("groundtruths/")
    first, *lines = text.split("\n")
    if not lines:
        return words.with_command(text[:1].upper() + text[1:])
    listed = "\n".join(f"- {words.plain(line.strip())}" for line in lines)
    return f"{words.plain(first)}\n\n{listed}"


def file_name(name: str) -> str:
    """Return a name for what is kept, made of what a file is called."""
    stem = re.sub(r"\.csv$", "", name.replace("\\", "/").rpartition("/")[2], flags=re.IGNORECASE)
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_")
    return plain[:48].strip("-_") or "groundtruth"
