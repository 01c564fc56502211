"""Two methods beside each other: the same query, each picture with its place in the other."""

import dataclasses

import streamlit as st

from engine.answer import Answer
from engine.index import Index
from engine.language import tr, trn
from ui import opened, results, words
from ui.components import gallery
from ui.results import Result
from ui.search import saving, settings
from ui.search.find import find
from ui.search.view import View, go

FEW, MORE = 20, 60
KEYS = ("results", "results-beside")


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """One of the two rankings."""

    method: str
    answer: Answer
    listed: list[Result]


def show(shown: Index, here: View, second: str, drawn: bool) -> None:
    """Show both rankings."""
    order = (opened.method_of(shown, here.link), second)
    above = st.container()
    # On a telephone too they stand beside each other: see the frame's style.
    with st.container(key="both"):
        # In rows of two, so that both rankings begin at one height.
        heads, places = st.columns(2, gap="medium"), st.columns(2, gap="medium")
    with heads[0]:
        settings.first_method(shown, here)
    with heads[1]:
        settings.second_method(shown, here)
    found: list[Column | None] = []
    for place, method in zip(places, order):
        with place, st.spinner(tr("Searching by {method}", method=words.plain(method))):
            answer = find(shown, here.link.to(method=method), method)
        listed = [] if answer is None else results.of(answer)
        found.append(None if answer is None else Column(method, answer, listed))
    many = here in st.session_state.setdefault("many", set())
    counts = [len(one.listed) for one in found if one is not None]
    n_shown = min(MORE if many else FEW, max(counts, default=0))
    with above, st.container(horizontal=True, vertical_alignment="center"):
        _above(shown, here, found, n_shown, second)
    for head, place, one, other, key in zip(heads, places, found, reversed(found), KEYS):
        if one is not None:
            with head:
                told = results.headline(one.answer, one.listed, n_shown)
                st.caption(told, help=words.score_means(one.answer))
            with place:
                _column(shown, here, one, other, n_shown, drawn, key)


def _above(shown: Index, here: View, found: list[Column | None], n_shown: int, second: str) -> None:
    """Show what both rankings have in common, and what can be done with them."""
    left, right = found
    if left is not None and right is not None:
        st.subheader(_agreement(left, right, n_shown), anchor=False)
        longest = max(len(left.listed), len(right.listed))
        if n_shown < min(longest, MORE) and st.button(tr("Show more")):
            st.session_state["many"].add(here)
            st.rerun()
        saving.table(lambda: _as_csv(shown, left, right))
    label = tr("Close {method}", method=words.plain(second))
    st.button(label, key="close-beside", on_click=go, kwargs={"beside": ""})


def _agreement(left: Column, right: Column, n_shown: int) -> str:
    """Say how many pictures are among the first of both."""
    first, other = ([one.image_id for one in side.listed] for side in (left, right))
    n_all = len(first)
    if not first and not other:
        return tr(results.NOTHING)
    if n_all <= n_shown and set(first) == set(other):  # of course: all there are
        return trn(
            "{n} of all {n_all} has the same place in both.",
            "{n} of all {n_all} have the same place in both.",
            sum(one == there for one, there in zip(first, other)),
            n_all=n_all,
        )
    n = len({*first[:n_shown]} & {*other[:n_shown]})
    if n == 0:
        return tr("None of the first {n_shown} is in both.", n_shown=n_shown)
    if n == n_shown:
        return tr("The first {n_shown} are the same pictures in both.", n_shown=n_shown)
    return trn(
        "{n} of the first {n_shown} is in both.",
        "{n} of the first {n_shown} are in both.",
        n,
        n_shown=n_shown,
    )


def _column(
    shown: Index,
    here: View,
    one: Column,
    other: Column | None,
    n_shown: int,
    drawn: bool,
    key: str,
) -> None:
    """Show one ranking."""
    beside = results.Beside(here, n_shown, () if other is None else other.listed)
    own = here.link.to(method=one.method)
    tiles = results.tiles(shown, own, one.answer, one.listed, n_shown, drawn, beside)
    label = f"{one.method}: {results.most_similar(one.answer, n_shown)}"
    gallery(tiles, key, label, columns=2, columns_small=1)
    saving.sheet_button(shown, own, one.answer, one.listed)
    promise = results.promise(one.answer, shown.name)
    if promise:
        st.caption(promise)
    st.caption(words.about(shown, one.method))


def _as_csv(shown: Index, left: Column, right: Column) -> str:
    """Return both rankings as one table: places and scores of each picture in either."""
    told = [
        {one.image_id: (rank, f"{one.score:.6f}") for rank, one in enumerate(side.listed, 1)}
        for side in (left, right)
    ]
    ids = dict.fromkeys([*told[0], *told[1]])
    rows: list[list[object]] = [
        [shown.images[i].shown, *(cell for side in told for cell in side.get(i, ("", "")))]
        for i in ids
    ]
    heads = [f"{what}_{side.method}" for side in (left, right) for what in ("rank", "score")]
    return words.csv(["image", *heads], rows)
