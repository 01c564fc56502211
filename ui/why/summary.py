"""In words and numbers: where the result stands, and what its score is made of."""

import streamlit as st

from engine import account, methods, pose
from engine.explanation import BASE, COUNTS, LIMIT, WAY
from ui import link, words
from ui.components import Cell, Row, table
from ui.why.asked import Asked
from ui.why.view import go

NO_MATCH = "Nothing of it matches the query, so there is nothing to add up."


def place(rank: int, n_images: int) -> str:
    """Return "1st of 411", "22nd of 411"."""
    ending = "th"
    if rank % 100 not in (11, 12, 13):
        ending = {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank:,}{ending} of {n_images:,}"


def headline(asked: Asked) -> str:
    """Say where the result stands."""
    told = asked.explained
    where = place(asked.place, told.n_images)
    if methods.expands(told.method):  # its score orders, and is no measure
        return where
    return f"{where}, with a score of {words.score(told.method, told.score)}"


def verdict(asked: Asked) -> str | None:
    """Say whether it shows the same thing, where the method can tell."""
    answer, image_id = asked.answer, asked.result
    if answer.calibration is None:
        return None
    least = answer.calibration.least_score
    direct = answer.verified.get(image_id)
    score = 0.0 if direct is None else direct.score
    path = answer.led_by(image_id)
    if path:
        names = " → ".join(words.plain(asked.name_of(i)) for i in path)
        return (
            f"Shows the same thing by way of {names}. The query itself matches it with "
            f"{score:.1f} only, less than the {least:.1f} that count."
        )
    if answer.accepts(image_id):
        return f"Shows the same thing: its verified score of {score:.1f} is {least:.1f} or more."
    return (
        f"Probably not the same thing: its verified score of {score:.1f} is less than {least:.1f}."
    )


def stands(asked: Asked) -> str | None:
    """Say how the thing stands in the result, where the matches surely agree on a map."""
    if asked.explained.affine is None or not asked.answer.accepts(asked.result):
        return None
    return f"Against the query: {pose.pose(asked.explained.affine).told()}."


def parts(asked: Asked) -> None:
    """Show what adds up to the score, and how a verified score is made."""
    st.subheader("What the score is made of", help=words.SCORES[asked.answer.method], anchor=False)
    told = asked.explained
    if methods.expands(told.method):
        st.caption("What it is ordered by; whether it shows the same thing is told above.")
    st.markdown(words.plain(account.made(asked.answer, told)))
    rows = [
        Row((Cell(name, href), Cell(account.number(told.method, value))))
        for name, href, value in _parts(asked)
    ]
    total = Row((Cell("All together"), Cell(account.number(told.method, told.total))), "=")
    table(["Part", "Adds"], [*rows, total], "parts", "The parts of the score", ["Adds"])
    counts = _counts(asked)
    if counts:
        st.caption(counts)


def _parts(asked: Asked) -> list[tuple[str, str | None, float]]:
    told = asked.explained
    found: list[tuple[str, str | None, float]] = []
    if told.matches is not None:
        values, sources = told.matches.values, told.matches.sources
        counts = told.matches.fates == COUNTS
        own = counts & (sources < 0)
        found.append(
            (account.counted(int(own.sum()), "match", "matches"), None, float(values[own].sum()))
        )
        for source in sorted(set(sources[counts & (sources >= 0)].tolist())):
            rows = counts & (sources == source)
            n = account.counted(int(rows.sum()), "match", "matches")
            name = f"{n} carried over from {asked.name_of(source)}"
            found.append((name, asked.here.href(result=source), float(values[rows].sum())))
    if told.words is not None:
        n = account.counted(len(told.words.values), "word", "words")
        found.append((f"{n} that both hold", None, float(told.words.values.sum())))
    for term in told.terms:
        if term.kind == BASE:
            found.append(("Every two pictures begin with", None, term.value))
        elif term.kind == LIMIT:
            found.append(("Brought to its limit", None, term.value))
        elif term.kind == WAY:
            by = term.path[0]
            name = f"By way of {asked.name_of(by)}"
            found.append((name, asked.here.href(result=by), term.value))
    return found


def _counts(asked: Asked) -> str | None:
    """Say what became of the matches."""
    of = asked.explained.matches
    if of is None:
        return None
    if len(of) == 0:
        return NO_MATCH
    told = [f"{n:,} {what}" for n, what in account.fates(asked.shown, asked.explained)]
    return words.plain(
        f"Of {account.counted(len(of), 'match', 'matches')} of keypoints: {'; '.join(told)}."
    )


def steps(asked: Asked) -> None:
    """Lead to the results before and after, and back to all."""
    ids, at = asked.order, asked.place - 1
    if at > 0:
        st.button("Previous result", on_click=go, kwargs={"result": ids[at - 1]})
    if at + 1 < len(ids):
        st.button("Next result", on_click=go, kwargs={"result": ids[at + 1]})
    link.page_link("search", "All results")
