"""Removing a model: what goes and what stays is said first."""

import streamlit as st

from engine import installing, model_store
from engine.errors import ConflictError
from engine.language import tr
from ui import confirm, words
from ui.models import kept, told, view, work
from ui.models.kept import Known


def button(one: Known) -> None:
    """Show the button that removes a model; none while something needs its files."""
    if work.busy(one.name) is not None:
        st.caption(tr("It cannot be removed now: work with it is under way."))
        return
    if not st.button(tr("Remove this model")):
        return
    n_bytes = model_store.folder_bytes(model_store.model_folder(one.name))
    n_fetched = model_store.download_bytes(one.name)
    goes = tr("**Lost** for everyone: its weights, {size}.", size=told.size(n_bytes))
    if n_fetched:
        sizes = {"size": told.size(n_bytes), "fetched": told.size(n_fetched)}
        goes = tr(
            "**Lost** for everyone: its weights, {size}, and what was fetched for it, {fetched}.",
            **sizes,
        )
    names = dict.fromkeys(held.collection for held in kept.holding(one.name))
    if names:
        stays = tr(
            "**Stays**: the vectors of {collections}. Their pictures can still be searched for; "
            "other photographs only once the model is installed again.",
            collections=tr(", ").join(map(words.plain, names)),
        )
    else:
        stays = tr("**Stays**: all collections. None holds its vectors.")

    def remove() -> str:
        if work.busy(one.name) is not None:
            raise ConflictError(tr("work with this model has begun meanwhile: stop it first"))
        if one.name not in model_store.list_models():
            raise ConflictError(tr("this model is gone already: someone else removed it"))
        installing.remove(one.name)
        if one.declared is None:
            view.go(model="")
        return tr("Removed: the model {name}.", name=one.name)

    confirm.ask(tr("Remove {name}?", name=one.name), [goes, stays], remove, told.fault)
