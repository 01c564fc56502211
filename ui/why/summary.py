"""In words and numbers: where the result stands, and what its score is made of."""

import streamlit as st

from engine import account, methods, pose
from engine.account import Part
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
        Row((Cell(part.told, _href(asked, part)), Cell(account.number(told.method, part.value))))
        for part in account.parts(asked.shown, told)
    ]
    total = Row((Cell("All together"), Cell(account.number(told.method, told.total))), "=")
    table(["Part", "Adds"], [*rows, total], "parts", "The parts of the score", ["Adds"])
    counts = _counts(asked)
    if counts:
        st.caption(counts)


def _href(asked: Asked, part: Part) -> str | None:
    return None if part.image_id is None else asked.here.href(result=part.image_id)


def _counts(asked: Asked) -> str | None:
    """Say what became of the matches."""
    of = asked.explained.matches
    if of is None:
        return None
    if len(of) == 0:
        return NO_MATCH
    told = [f"{n:,} {what}" for n, what in account.fates(asked.explained)]
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
