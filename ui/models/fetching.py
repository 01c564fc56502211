"""Fetching a model: the button, how far it is, what has come already, what went wrong."""

import streamlit as st

from engine import installing, model_store
from engine.errors import EngineError
from engine.language import tr
from ui import jobs
from ui.models import told, work
from ui.models.kept import Known

_ERROR = "model-error"


def show(one: Known) -> None:
    """Offer to fetch a model, or show how far that is."""
    if one.declared is None:
        return
    job = jobs.JOBS.get(work.Getting(one.name))
    if job is not None and job.active:
        jobs.progress(job, work.getting)
        return
    if job is not None and job.state == jobs.FAILED:
        st.error(jobs.fault(job))
        st.caption(tr("On this page, the button below does what the command does."))
    said(one.name)
    n_kept, total = model_store.download_bytes(one.name), one.declared.download.n_bytes
    if n_kept:
        parts = {"kept": told.size(n_kept), "total": told.size(total)}
        came = tr("{kept} of {total} are on disk already.", **parts)
        st.caption(came if total else tr("{kept} are on disk already.", **parts))
    if one.fault:
        label = tr("Get it again")
    else:
        label = tr("Go on with the download") if n_kept else tr("Download")
    with st.container(horizontal=True):
        st.button(label, key=f"get-{one.name}", on_click=work.get, args=(one.name,))
        if n_kept:
            label = tr("Throw away what has come")
            st.button(label, key=f"tidy-{one.name}", on_click=throw_away, args=(one.name,))
        if job is not None and job.state == jobs.FAILED:
            jobs.dismiss(job)


def said(name: str) -> None:
    """Say once why what was fetched for a model could not be deleted."""
    if _ERROR in st.session_state and st.session_state[_ERROR][0] == name:
        st.warning(st.session_state.pop(_ERROR)[1])


def throw_away(name: str) -> None:
    """Delete what was fetched for a model; why that cannot be done is said next to its button."""
    try:
        installing.tidy(name)
    except EngineError as error:
        st.session_state[_ERROR] = name, told.fault(error)
