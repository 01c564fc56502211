"""One model: all that is known of it, and what can be done with it."""

import streamlit as st

from engine import model_store
from engine.errors import EngineError
from engine.index import Index
from engine.language import tr, trn
from engine.model_store import Installed
from ui import link, words
from ui.components import Cell, Row, table
from ui.models import fetching, kept, removing, told, vectors
from ui.models.kept import Held, Known
from ui.models.view import View, go


def show(shown: Index, here: View) -> None:
    """Show the model that the address names."""
    label = f":primary[{tr('All models')}]"
    st.button(label, type="tertiary", on_click=go, kwargs={"model": ""})
    st.header(here.model, anchor=False)
    found, held = kept.known(here.model), kept.holding(here.model)
    if found is None:
        st.warning(tr("This model is not installed, and none of this name can be fetched."))
        holders(shown, here, held)
        return
    if found.fault:
        st.warning(told.fault(found.fault))
    if found.installed is None and found.declared is None:
        _actions(shown, found, held)  # damaged: nothing else is known of it
    else:
        left, right = st.columns(2, gap="large")
        with left:
            facts(found)
        with right:
            _actions(shown, found, held)
    holders(shown, here, held)


def facts(found: Known) -> None:
    """Tell all that is known of a model."""
    if found.installed is not None:
        model, n_dimensions = found.installed.model, found.installed.n_dimensions
    elif found.declared is not None:
        model, n_dimensions = found.declared.model, None
    else:
        return
    st.markdown(told.title(model))
    if not model.tried:
        st.caption(
            tr(
                "Not tried on this machine: how it is used was written down without its published "
                "weights at hand. Measure it in Evaluation before you rely on it."
            )
        )
    lines = told.facts(model, n_dimensions)
    if found.installed is not None:
        lines += told.weights(found.installed)
    elif found.declared is not None:
        lines += told.published(found.declared)
    st.markdown("\n".join("- " + tr("**{label}**: {value}", label=a, value=b) for a, b in lines))
    st.caption(
        tr("First, each picture is turned upright, and laid on white where it is transparent.")
    )


def _actions(shown: Index, found: Known, held: list[Held]) -> None:
    if found.installed is None and found.declared is not None:
        st.subheader(tr("Get it"), anchor=False)
        fetching.show(found)
        st.caption(tr("The same by a command; with a file that you have, it is only read:"))
        command = f"python -m engine models get {found.name}"
        st.code(f"{command}\n{command} --from FILE", language=None, wrap_lines=True)
    if found.is_here:
        own = {one.method: one for one in held if one.collection == shown.name}
        name = words.plain(shown.name)
        st.subheader(tr("Vectors of {collection}", collection=name), anchor=False)
        for method in sorted({found.name, *own}):
            vectors.one(shown, method, found, own.get(method))
        if found.installed is not None:
            st.caption(
                tr(
                    "The same by a command; the second makes shorter vectors besides, whitened by "
                    "PCA (their directions weigh alike):"
                )
            )
            command = f"python -m engine embed {shown.name} --model {found.name}"
            st.code(f"{command}\n{command} --whiten 512", language=None, wrap_lines=True)
        st.subheader(tr("Its files"), anchor=False)
        if found.installed is not None:
            _check(found.installed)
        _fetched(found)
        removing.button(found)


def _check(installed: Installed) -> None:
    """Compare the file with its checksum, when asked to."""
    if not st.button(tr("Compare the file with its checksum")):
        return
    try:
        with st.spinner(tr("Reading {size}", size=told.size(installed.n_bytes))):
            model_store.check_file(installed)
    except EngineError as error:
        st.error(told.fault(error))
    else:
        st.success(tr("The file is as it was installed."))


def _fetched(found: Known) -> None:
    """Offer to delete what was fetched and is kept to be converted again."""
    fetching.said(found.name)
    n_bytes = model_store.download_bytes(found.name)
    if found.installed is None or not n_bytes:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        kept_ = tr("What was fetched, {size}, is kept.", size=told.size(n_bytes))
        st.caption(kept_, width="content")
        label = tr("Delete what was fetched")
        st.button(label, on_click=fetching.throw_away, args=(found.name,))


def holders(shown: Index, here: View, held: list[Held]) -> None:
    """List the collections that hold a model's vectors."""
    if not held:
        return
    st.subheader(tr("Collections with its vectors"), anchor=False)
    numbers = [tr("Pictures"), tr("Without a vector"), tr("Numbers a vector")]
    rows = [
        Row(
            (
                Cell(one.collection, _href(shown, here, one)),
                Cell(one.method),
                Cell(f"{one.n_vectors:,}"),
                Cell(f"{len(one.skipped):,}"),
                Cell(f"{one.n_dimensions:,}"),
            )
        )
        for one in held
    ]
    heading = [tr("Collection"), tr("Method"), *numbers]
    n = len({one.collection for one in held})
    label = trn("{n:,} collection with vectors", "{n:,} collections with vectors", n)
    table(heading, rows, "holders", label, numbers)


def _href(shown: Index, here: View, one: Held) -> str | None:
    """Return the address of the model with another collection, whose pictures are others."""
    if one.collection == shown.name:
        return None
    return View(link.Link(one.collection, language=here.link.language), here.model).href()
