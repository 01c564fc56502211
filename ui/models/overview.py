"""All models: what is installed, the vectors of the collection, how to get more."""

import streamlit as st

from engine.index import Index
from engine.language import tr
from ui import words
from ui.components import Cell, Row, table
from ui.models import fetching, kept, own, told, vectors
from ui.models.kept import Known
from ui.models.view import View, go


def show(shown: Index, here: View) -> None:
    """Show the page without a chosen model."""
    st.header(tr("Models"), anchor=False)
    st.caption(
        tr(
            "A model is a neural network that turns a whole picture into one row of numbers, its "
            "vector. Pictures whose vectors lie near each other look alike to it. Words find the "
            "same object and show where; most models find the same kind of picture, also where no "
            "keypoint agrees."
        )
    )
    found = kept.all_models()
    installed([one for one in found if one.is_here], here)
    vectors.listed(shown, found)
    more([one for one in found if not one.is_here])
    own.show()


def installed(found: list[Known], here: View) -> None:
    """Show the models on disk as a table, and what is wrong with one."""
    st.subheader(tr("Installed"), anchor=False)
    if not found:
        st.info(tr("No model is installed yet. Download one below, or bring a file of your own."))
        return
    numbers = [tr("Numbers a vector"), tr("Size on disk")]
    heading = [tr("Model"), tr("Finds"), *numbers, tr("Licence"), tr("Vectors of")]
    rows = [Row(tuple(_cells(one, here))) for one in found]
    table(heading, rows, "installed", tr("Installed models"), numbers)
    for one in found:
        if one.fault:
            st.warning(told.fault(one.fault))


def _cells(one: Known, here: View) -> list[Cell]:
    href = here.href(model=one.name)
    holders = dict.fromkeys(held.collection for held in kept.holding(one.name))
    of = Cell(tr(", ").join(holders) or "–")
    if one.installed is None:
        empty = Cell("–")
        return [Cell(one.name, href, note=tr("damaged")), empty, empty, empty, empty, of]
    model = one.installed.model
    notes = [tr(model.title)] + [tr(told.NOT_TRIED)] * (not model.tried)
    return [
        Cell(one.name, href, note=" · ".join(notes)),
        Cell(tr(told.GOOD_AT[model.good_at])),
        Cell(f"{one.installed.n_dimensions:,}"),
        Cell(told.size(one.installed.n_bytes)),
        Cell(model.licence or tr("not told")),
        of,
    ]


def more(found: list[Known]) -> None:
    """Show the models that can be fetched."""
    if not found:
        return
    st.subheader(tr("Models to download"), anchor=False)
    st.caption(
        tr(
            "A download goes on when you leave the page. It may be stopped, and goes on later "
            "where it broke off. What comes is compared with the published checksum, where there "
            "is one."
        )
    )
    for start in range(0, len(found), 2):
        for column, one in zip(st.columns(2, gap="medium"), found[start : start + 2]):
            with column, st.container(border=True):
                card(one)


def card(one: Known) -> None:
    """Show one model that can be fetched."""
    if one.declared is None:
        return
    model = one.declared.model
    st.button(
        f":primary[{one.name}]",
        key=f"open-{one.name}",
        type="tertiary",
        on_click=go,
        kwargs={"model": one.name},
    )
    st.markdown(told.title(model))
    notes = [told.finds(model), told.to_fetch(one.declared)]
    notes += [words.plain(model.licence)] + [tr(told.NOT_TRIED)] * (not model.tried)
    st.caption(" · ".join(filter(None, notes)))
    fetching.show(one)
