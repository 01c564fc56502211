"""Sentences and numbers of the Evaluation page."""

import datetime
import re
from collections.abc import Mapping
from typing import Any

import streamlit as st

from engine import artifacts
from engine.compare import Comparison
from engine.evaluate import ADDED, DIRECT
from ui import words

TERMS = {
    "Query": "A picture whose right answers are known. The whole collection is ranked for it.",
    "AP": "Average precision of one query: 1 when all its right answers come before any wrong one, "
    "near 0 when they come last. Its loss is 1 − AP.",
    "mAP": "The mean of the average precisions of all queries.",
    "95 %": "Where mAP would fall, 95 times of 100, with other queries of the same kind.",
    "P@1, P@4": "The share of right answers among the first one, the first four results.",
    "All four right": "The share of queries whose first four results are all right.",
    "Easy mAP": "mAP with the answers labelled good (or same) as the only right ones, without "
    "those labelled ok. – where there are none.",
    "CPU": "Seconds of processor time that ranking one query takes (median), without describing "
    "its picture. What else the server did meanwhile is in it.",
    "Ignored": "Junk: pictures that count neither way, as if they were not in the collection.",
}
RIGHT, WRONG, JUNK = "right", "wrong", "junk"
SHOWN = {RIGHT: "right", WRONG: "wrong", JUNK: "ignored", "unlabelled": "wrong"}
MARK_OF = {RIGHT: RIGHT, WRONG: WRONG, JUNK: JUNK, "unlabelled": WRONG}


def glossary(*chosen: str) -> None:
    """Say what the numbers mean, behind one line."""
    with st.expander("What the numbers mean"):
        for term in chosen or tuple(TERMS):
            st.markdown(f"**{term}**: {TERMS[term]}")


def when(made: str) -> str:
    """Return a time of day for people: "2 Jan 2026, 18:30"."""
    try:
        at = datetime.datetime.fromisoformat(made).astimezone(datetime.UTC)
    except ValueError:
        return made
    return f"{at.day} {at:%b %Y, %H:%M}"


def signed(value: float) -> str:
    """Return a difference with its sign: "+0.092", "−0.010"."""
    return f"{value:+.3f}".replace("-", "−")


def n_queries(count: int) -> str:
    """Return "1 query", "45 queries"."""
    return "1 query" if count == 1 else f"{count:,} queries"


def between(interval: tuple[float, float], *, sign: bool = False) -> str:
    """Return an interval: "0.672 to 0.763"."""
    low, high = interval
    return f"{signed(low)} to {signed(high)}" if sign else f"{low:.3f} to {high:.3f}"


def _holds_0(interval: tuple[float, float]) -> bool:
    return interval[0] <= 0 <= interval[1]


def verdict(compared: Comparison, before: str, after: str) -> str:
    """Say in plain words whether one run is better than the other, for Markdown."""
    gap, n_queries = compared.difference, len(compared.queries)
    how = f"mAP {compared.mean_before:.3f} to {compared.mean_after:.3f}, {signed(gap)}"
    queries = f"95 % interval {between(compared.interval, sign=True)}"
    if _holds_0(compared.interval):
        return (
            f"**These queries do not tell the two apart.** {how}; the {queries} holds 0: on other "
            "queries of the same kind either might come out ahead."
        )
    better, worse = (after, before) if gap > 0 else (before, after)
    told = f"**{better} is better than {worse}** on these {n_queries} queries: {how}, {queries}."
    n_groups = len({query.landmark for query in compared.queries})
    if n_groups < n_queries and _holds_0(compared.interval_landmarks):
        told += (
            f" But they show {words.counted(n_groups, 'thing')} only; counted by these, the "
            f"interval {between(compared.interval_landmarks, sign=True)} holds 0: on other things "
            "it may be otherwise."
        )
    return told


def accepted(figures: Mapping[str, Any]) -> str | None:
    """Say how much of what a run accepted is right; None where it does not tell."""
    found = figures["accepted"]
    if found is None:
        return None
    parts = [
        f"{title} {n['right']:,} right, {n['wrong']:,} wrong, {n['junk']:,} ignored"
        for kind, title in ((DIRECT, "by their own score"), (ADDED, "only by way of others"))
        if (n := found[kind]) is not None
    ]
    parts.append(f"nothing for {n_queries(found['n_queries_without'])}")
    of_all = words.counted(found["n_positives"], "right answer")
    return f"Accepted as the same thing, of {of_all}: {'; '.join(parts)}."


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
