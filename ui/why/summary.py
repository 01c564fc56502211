"""In words and numbers: where the result stands, and what its score is made of."""

import streamlit as st

from engine import account, methods, pose
from engine.account import Part
from engine.language import tr, trn
from ui import link, words
from ui.components import Cell, Row, table
from ui.why.asked import Asked
from ui.why.view import go


def place(rank: int, n_images: int) -> str:
    """Return "1st of 411", "22nd of 411"."""
    last = 0 if rank % 100 in (11, 12, 13) else rank % 10
    if last == 1:
        return tr("{rank:,}st of {n_images:,}", rank=rank, n_images=n_images)
    if last == 2:
        return tr("{rank:,}nd of {n_images:,}", rank=rank, n_images=n_images)
    if last == 3:
        return tr("{rank:,}rd of {n_images:,}", rank=rank, n_images=n_images)
    return tr("{rank:,}th of {n_images:,}", rank=rank, n_images=n_images)


def headline(asked: Asked) -> str:
    """Say where the result stands."""
    told = asked.explained
    where = place(asked.place, told.n_images)
    if methods.expands(told.method):  # its score orders, and is no measure
        return where
    score = words.shown_score(asked.answer, asked.result, told.score)
    if asked.answer.distances is not None:
        return tr("{place}, at a distance of {distance}", place=where, distance=score)
    return tr("{place}, with a score of {score}", place=where, score=score)


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
        return tr(
            "Shows the same thing by way of {names}. The query itself matches it with "
            "{score:.1f} only, less than the {least:.1f} that count.",
            names=names,
            score=score,
            least=least,
        )
    if answer.accepts(image_id):
        return tr(
            "Shows the same thing: its verified score of {score:.1f} is {least:.1f} or more.",
            score=score,
            least=least,
        )
    return tr(
        "Probably not the same thing: its verified score of {score:.1f} is less than {least:.1f}.",
        score=score,
        least=least,
    )


def stands(asked: Asked) -> str | None:
    """Say how the thing stands in the result, where the matches surely agree on a map."""
    if asked.explained.affine is None or not asked.answer.accepts(asked.result):
        return None
    return tr("Against the query: {how}.", how=pose.pose(asked.explained.affine).told())


def parts(asked: Asked) -> None:
    """Show what adds up to the score, and how a verified score is made."""
    told, meaning = asked.explained, words.score_means(asked.answer)
    st.subheader(tr("What the score is made of"), help=meaning, anchor=False)
    if methods.expands(told.method):
        st.caption(tr("What it is ordered by; whether it shows the same thing is told above."))
    st.markdown(words.plain(account.made(asked.answer, told)))
    rows = [
        Row((Cell(part.told, _href(asked, part)), Cell(account.number(told.method, part.value))))
        for part in account.parts(asked.shown, told)
    ]
    total = Row((Cell(tr("All together")), Cell(account.number(told.method, told.total))), "=")
    heading = [tr("Part"), tr("Adds")]
    table(heading, [*rows, total], "parts", tr("The parts of the score"), heading[1:])
    counts = _counts(asked)
    if counts:
        st.caption(counts)


def made(asked: Asked) -> None:
    """Say in a sentence how the score is made, where its parts are shown elsewhere."""
    meaning = words.score_means(asked.answer)
    st.subheader(tr("What the score is made of"), help=meaning, anchor=False)
    st.markdown(words.plain(account.made(asked.answer, asked.explained)))


def _href(asked: Asked, part: Part) -> str | None:
    """Return where a part of the score is taken apart further."""
    if part.method is not None:
        return asked.here.href(method=part.method)
    if part.number is not None:
        return asked.here.href(number=part.number)
    return None if part.image_id is None else asked.here.href(result=part.image_id)


def _counts(asked: Asked) -> str | None:
    """Say what became of the matches."""
    of = asked.explained.matches
    if of is None:
        return None
    if len(of) == 0:
        return tr("Nothing of it matches the query, so there is nothing to add up.")
    fates = account.fates(asked.explained)
    told = [tr("{n:,} {what}", n=n, what=what) for n, what in fates]
    return words.plain(
        trn(
            "Of {n:,} match of keypoints: {fates}.",
            "Of {n:,} matches of keypoints: {fates}.",
            len(of),
            fates=tr("; ").join(told),
        )
    )


def steps(asked: Asked) -> None:
    """Lead to the results before and after, and back to all."""
    ids, at = asked.order, asked.place - 1
    if at > 0:
        st.button(tr("Previous result"), on_click=go, kwargs={"result": ids[at - 1]})
    if at + 1 < len(ids):
        st.button(tr("Next result"), on_click=go, kwargs={"result": ids[at + 1]})
    link.page_link("search", tr("All results"))
