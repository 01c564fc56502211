"""Measuring a method on a ground truth, and how far that is."""

import streamlit as st

from engine import groundtruth, methods, truths
from engine.errors import ArtifactError, ConflictError, EngineError
from engine.index import Index
from engine.language import tr, trn
from ui import jobs, measuring, words
from ui.dropzone import dropzone
from ui.evaluation import kept, told, view
from ui.evaluation.view import View
from ui.jobs import DONE, FAILED, RUNNING, STOPPED, Job


def show(shown: Index, here: View) -> None:
    """Let a ground truth and a method be chosen, and measure."""
    st.header(tr("Measure a method"), anchor=False)
    st.caption(
        tr(
            "Each query of the ground truth ranks the whole collection. It goes on when you leave "
            "the page, and is kept as a run."
        )
    )
    names = truths.list_truths()
    name = ""
    if here.truth and here.truth not in names:
        st.warning(tr("There is no ground truth {name}.", name=words.plain(here.truth)))
    left, right = st.columns(2, gap="large")
    with left:
        if names:
            name = _choose_truth(names, here.truth)
        else:
            st.info(tr("There is no ground truth yet: upload a csv, or make one on the screen."))
            part = {"part": view.TRUTHS}
            st.button(tr("Make a ground truth"), on_click=view.go, kwargs=part)
        can = bool(name) and _fits(shown, name)
    with right:
        usual = shown.method if shown.method in methods.offered(shown.parts) else ""
        method = view.choose_method(methods.offered(shown.parts), here.link.method or usual)
        st.caption(words.about(shown, method))
        for line in words.lacking(shown.parts, shown.name):
            st.caption(line)
        if st.button(tr("Measure"), disabled=not can):
            st.session_state["measured"] = measuring.start(shown.name, name, method)
            st.rerun()
    with left:
        upload(shown)


def _choose_truth(names: list[str], current: str) -> str:
    key = "choose-truth"
    st.session_state[key] = current if current in names else names[0]
    chosen: str = st.selectbox(
        tr("Ground truth"),
        names,
        key=key,
        on_change=lambda: view.go(truth=st.session_state[key]),
    )
    return chosen


def _fits(shown: Index, name: str) -> bool:
    """Say what a ground truth holds, or why it cannot be used with this collection."""
    try:
        # What can be measured, and what can be edited, is not the same: read it as measuring does.
        queries = groundtruth.read(truths.path_of(name), shown, inside=True)
    except EngineError as error:
        st.error(told.told(error))
        return False
    n_right = sum(len(query.positives) + query.n_missing for query in queries)
    n_groups = len({query.landmark for query in queries})
    right = trn("{n:,} right answer", "{n:,} right answers", n_right)
    asked = told.n_queries(len(queries))
    if n_groups == len(queries):
        st.caption(tr("{queries}, {right} in all.", queries=asked, right=right))
    else:
        things = trn("{n:,} thing", "{n:,} things", n_groups)
        st.caption(
            tr("{queries} of {things}, {right} in all.", queries=asked, things=things, right=right)
        )
    return True


def upload(shown: Index) -> None:
    """Show the place for a csv; what can be used is kept."""
    key = f"csv-{st.session_state.setdefault('n_csvs', 0)}"

    def uploaded() -> None:
        file = st.session_state[key]
        if file is None:
            return
        st.session_state["n_csvs"] += 1
        try:
            name = truths.add(told.file_name(file.name), file.getvalue(), shown)
        except EngineError as error:
            st.session_state["csv_error"] = told.told(error)
            return
        view.go(truth=name)

    note = tr(
        "Columns query, relevant, label; labels good, ok and same are right, junk is ignored. A "
        "column landmark may name groups of queries."
    )
    dropzone(tr("Or upload a csv"), ["csv"], key, uploaded, truths.MAX_BYTES // 2**20, note)
    if "csv_error" in st.session_state:
        st.error(st.session_state.pop("csv_error"))


def progress(shown: Index) -> None:
    """Show what is being measured, and what became of what this visitor asked for."""
    if any(one.active for one in measuring.of(shown.name)):
        st.fragment(_running, run_every=1.0)(shown.name)
    mine: Job | None = st.session_state.get("measured")
    if mine is None or mine.active or measuring.what(mine).collection != shown.name:
        return
    what = _what(mine)
    with st.container(horizontal=True, vertical_alignment="center"):
        if mine.state == DONE:
            _measured(what, mine.result)
        elif mine.state == FAILED:
            failed = tr("The evaluation failed. The server's log says why.")
            st.error(told.told(ConflictError(mine.error or failed)))
        elif mine.state == STOPPED:
            st.info(tr("Stopped: {what}. Nothing of it was kept.", what=what))
        st.button(tr("Dismiss"), on_click=lambda: st.session_state.pop("measured", None))


def _what(one: Job) -> str:
    asked = measuring.what(one)
    return tr("{method} on {truth}", method=asked.method, truth=words.plain(asked.truth))


def _measured(what: str, run: str) -> None:
    try:
        map_ = kept.figures(run)["mAP"]
    except ArtifactError:
        st.info(tr("Measured: {what}. The run was deleted since.", what=what))
        return
    st.success(tr("Measured: {what}, mAP {map:.3f}.", what=what, map=map_))
    st.button(tr("Open the run"), on_click=_open, args=(run,))


def _open(run: str) -> None:
    st.session_state.pop("measured", None)
    view.go(part=view.RUNS, run=run, beside="", truth="", asked=None)


def _running(collection: str) -> None:
    """Show bars until something ends."""
    active = [one for one in measuring.of(collection) if one.active]
    shown_before = st.session_state.get("n_measuring", 0)
    st.session_state["n_measuring"] = len(active)
    if not active or len(active) < shown_before:
        st.rerun(scope="app")
    for one in active:
        what = _what(one)
        if one.state == RUNNING and not one.n_total:
            what = tr("Getting ready: {what}", what=what)
        elif one.n_total and not one.stopping:
            what = trn(
                "Measuring {what}: {n_done} of {n:,} query",
                "Measuring {what}: {n_done} of {n:,} queries",
                one.n_total,
                what=what,
                n_done=one.n_done,
            )
        jobs.bar(one, what)
