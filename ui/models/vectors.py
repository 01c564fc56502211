"""The vectors of a model for the collection on the bench: there, to be made, or under way."""

import dataclasses

import streamlit as st

from engine import embed, index, methods
from engine.index import Index
from engine.language import sentences, tr, trn
from engine.model_store import Installed
from ui import jobs, link, words
from ui.models import kept, told, work
from ui.models.kept import Held, Known

N_SKIPPED = 50  # that are listed


def listed(shown: Index, found: list[Known]) -> None:
    """Show which models' vectors a collection has, and those that can be made."""
    name = words.plain(shown.name)
    st.subheader(tr("Vectors of {collection}", collection=name), anchor=False)
    names = index.list_indexes()
    if len(names) > 1:
        link.choose(tr("Collection"), names, "collection", shown.name, width=240)
    held = {one.method: one for one in kept.held_by(shown.name)}
    here = {one.name: one for one in found if one.is_here}
    if not here and not held:
        st.caption(tr("None yet. Once a model is installed, they are made here."))
        return
    for method in sorted({*held, *here}):
        one(shown, method, here.get(methods.model_of(method)), held.get(method))


def one(shown: Index, method: str, model: Known | None, held: Held | None) -> None:
    """Show what a collection has of one kind of vectors, and what can be done."""
    key = work.Embedding(shown.name, method)
    with st.container(border=True):
        job = jobs.JOBS.get(key)
        if job is not None and job.active:
            jobs.progress(job, work.making)
            return
        if job is not None and job.state == jobs.FAILED:
            st.error(jobs.fault(job))
        state = _state(shown, method, model, held)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(state.told)
            if held is not None and not held.fault:
                link.page_link("search", tr("Search by {method}", method=method), method=method)
            if state.button and shown.n_images:
                st.button(
                    state.button,
                    key=f"make-{method}",
                    on_click=work.make,
                    args=(shown.name, method, held is not None),
                )
            if job is not None and job.state == jobs.FAILED:
                jobs.dismiss(job)
        if state.warning:
            st.warning(state.warning)
        if held is not None and held.skipped:
            _skipped(held)


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """How things stand, for Markdown; what can be done about it, and what is wrong."""

    told: str
    button: str = ""
    warning: str = ""


def _state(shown: Index, method: str, model: Known | None, held: Held | None) -> State:
    """Say how things stand with one kind of vectors, and what can be done."""
    installed = None if model is None else model.installed
    if held is None:
        return _without(shown, method, installed)
    by_button = methods.model_of(method) == method and installed is not None
    anew = tr("Make them anew") if by_button else ""
    if held.fault:
        return State(f"**{method}**", anew, told.fault(held.fault))
    have = trn(
        "**{method}**: {n:,} picture has a vector of {dimensions:,} numbers.",
        "**{method}**: {n:,} pictures have a vector of {dimensions:,} numbers.",
        held.n_vectors,
        method=method,
        dimensions=held.n_dimensions,
    )
    if installed is None:
        lost = tr(
            "The model is not installed: pictures of the collection can be searched for, other "
            "photographs cannot."
        )
        return State(sentences(have, lost))
    if installed.digest != held.digest:
        other = tr(
            "They were made with another model of this name: other weights, or pictures prepared "
            "in another way. Pictures of the collection can be searched for, other photographs "
            "cannot."
        )
        return State(have, anew, other)
    return State(have, anew if held.skipped else "")


def _without(shown: Index, method: str, installed: Installed | None) -> State:
    if installed is None:
        return State(tr("**{method}**: no vectors; the model is damaged.", method=method))
    n_done = embed.n_begun(shown, installed)
    if not n_done:
        return State(tr("**{method}**: no vectors yet.", method=method), tr("Make the vectors"))
    begun = trn(
        "**{method}**: {n:,} picture is done; it goes on from there.",
        "**{method}**: {n:,} pictures are done; it goes on from there.",
        n_done,
        method=method,
    )
    return State(begun, tr("Go on"))


def _skipped(held: Held) -> None:
    """List the pictures without a vector, and why."""
    n = len(held.skipped)
    label = trn("{n:,} picture has no vector", "{n:,} pictures have no vector", n)
    with st.expander(label):
        lines = [
            f"- {words.plain(path)}: {told.fault(reason)}"
            for path, reason in held.skipped[:N_SKIPPED]
        ]
        st.markdown("\n".join(lines))
        if n > N_SKIPPED:
            st.caption(tr("and {n:,} more", n=n - N_SKIPPED))
        st.caption(
            tr("Put their files back as they were, and make the vectors anew. They stand last.")
        )
