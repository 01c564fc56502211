"""The kept runs of a collection, two of them side by side, and their queries by loss."""

from typing import Any

import streamlit as st

from engine import language, measures, runs
from engine.compare import Comparison, compare
from engine.errors import ArtifactError, EngineError
from engine.index import Index
from engine.language import mark, tr, trn
from engine.runs import Run
from ui import words
from ui.components import Cell, Row, table
from ui.evaluation import deleting, kept, told, view
from ui.evaluation.kept import Brief
from ui.evaluation.queries import queries
from ui.evaluation.view import View

N_RUNS = 12
SHORT = mark(
    "mAP: how early the right answers come, 0 to 1; 95 %: where it would lie with other queries of "
    "the same kind. P@4: the share of right answers among the first four results."
)
FIGURES = (
    "mAP",
    "95 %",
    "P@1",
    "P@4",
    mark("All four right"),
    mark("Easy mAP"),
    mark("CPU s"),
)


def empty(shown: Index) -> None:
    """Say what an evaluation is, and how to come by one."""
    st.header(tr("How good is the search on your own pictures?"), anchor=False)
    st.markdown(
        tr(
            "For some pictures you say which others are right answers: that is a **ground truth**. "
            "An **evaluation** then ranks the whole collection for each of these queries, and "
            "tells how early the right answers come. It is kept as a **run**, so that two methods "
            "can be laid side by side. There are two ways to get one:"
        )
    )
    left, right = st.columns(2, gap="large")
    with left, st.container(border=True):
        st.markdown(tr("**Here, on the screen**"))
        st.markdown(
            tr(
                "Pick a picture, look at its results, mark each right, wrong or ignored; a handful "
                "of queries will do to begin with. Then measure a method."
            )
        )
        with st.container(horizontal=True):
            part = {"part": view.TRUTHS}
            st.button(tr("Make a ground truth"), on_click=view.go, kwargs=part)
            part = {"part": view.MEASURE}
            st.button(tr("Measure with a csv"), on_click=view.go, kwargs=part)
    with right, st.container(border=True):
        st.markdown(tr("**On the command line**"))
        st.markdown(
            tr(
                "With a csv of the columns query, relevant, label; the second measures every "
                "method."
            )
        )
        st.code(
            f"python -m engine evaluate {shown.name} groundtruth.csv\n"
            f"python -m engine ladder {shown.name} groundtruth.csv",
            language=None,
        )
    told.glossary()


def show(shown: Index, here: View) -> None:
    """Show the runs, and the chosen ones."""
    found, faults = kept.of_collection(shown)
    for name, fault in faults.items():
        st.warning(told.told(EngineError(fault)))
        deleting.run(name, None)
    chosen = chosen_runs(shown, here)
    names = [run.name for run in chosen]
    if here.run not in names:
        here, chosen = here.to(run="", beside="", asked=None), []
    elif here.beside not in names:
        here = here.to(beside="")
    if not found:
        empty(shown)
        return
    runs_table(shown, here, found, chosen)
    if not chosen:
        st.caption(tr("Open a run to see its curve and its queries, the worst first."))
        told.glossary()
        return
    told.glossary()
    if len(chosen) == 2:
        comparison(chosen[0], chosen[1])
    accepted(chosen)
    curves(chosen)
    queries(shown, here, chosen)


def chosen_runs(shown: Index, here: View) -> list[Run]:
    """Return the runs that the address names; say why one of them cannot be shown."""
    found: list[Run] = []
    for name in dict.fromkeys((here.run, here.beside)):
        if not name or (name == here.beside and not found):
            continue
        if name not in runs.list_runs():
            st.warning(tr("There is no run {name} any more.", name=words.plain(name)))
            continue
        try:
            run = kept.open_run(name)
        except ArtifactError as error:
            st.warning(told.told(error))
            continue
        if run.evaluation.index != shown.name:
            st.warning(
                tr(
                    "The run {name} is one of the collection {collection}: choose that collection "
                    "to see it.",
                    name=words.plain(name),
                    collection=words.plain(run.evaluation.index),
                )
            )
            continue
        found.append(run)
    return found


def names_of(chosen: list[Run]) -> list[str]:
    """Return what one or two runs are called, so that they can be told apart."""
    if len({run.evaluation.method for run in chosen}) == len(chosen):
        titles = [run.evaluation.method for run in chosen]
    else:
        titles = [_title(run) for run in chosen]
    if len(chosen) == 2 and len(set(titles)) < 2:
        titles = [run.name for run in chosen]
    return titles if len(chosen) < 2 else [f"{sign}: {t}" for sign, t in zip("AB", titles)]


def _title(run: Run) -> str:
    return ", ".join((run.evaluation.method, *run.settings, told.when(run.made)))


def _truth_name(run: Brief, found: list[Brief]) -> str:
    """Return what a run's ground truth is called; with its digest where others have that name."""
    same = {one.groundtruth_sha256 for one in found if one.groundtruth == run.groundtruth}
    return run.groundtruth + (f" ({run.groundtruth_sha256[:6]})" if len(same) > 1 else "")


def runs_table(shown: Index, here: View, found: list[Brief], opened: list[Run]) -> None:
    """Show the runs with their figures; one or two of them can be chosen."""
    told_all = bool(st.session_state.get("all-runs"))
    named = [run for run in found if run.name in (here.run, here.beside)]
    listed = found if told_all else found[:N_RUNS]
    listed += [run for run in named if run not in listed]
    figures_told = [tr(name) for name in FIGURES]
    heading = [tr("Run"), *([tr("Beside")] if here.run else []), *figures_told]
    heading += [tr("When (UTC)"), tr("Ground truth")]
    name = words.plain(shown.name)
    n_runs = trn("{n:,} run of {name}", "{n:,} runs of {name}", len(found), name=name)
    st.subheader(n_runs, anchor=False)
    rows = []
    for run in listed:
        try:
            figures = kept.figures(run.name)
        except ArtifactError:  # someone else has just deleted it
            continue
        chosen = None
        if here.run == run.name:
            chosen = "A" if here.beside else "✓"
        elif here.run and here.beside == run.name:
            chosen = "B"
        cells = [_run_cell(run, here, shown)]
        if here.run:
            cells.append(_beside_cell(run, here))
        cells += _figure_cells(figures)
        cells += [Cell(told.when(run.made)), Cell(_truth_name(run, found))]
        rows.append(Row(tuple(cells), chosen))
    table(heading, rows, "runs", tr("Runs of {name}", name=shown.name), figures_told)
    st.caption(tr(SHORT))
    with st.container(horizontal=True):
        if len(listed) < len(found) and st.button(tr("Show all {n} runs", n=len(found))):
            st.session_state["all-runs"] = True
            st.rerun()
        if here.run and here.beside:
            swapped = {"run": here.beside, "beside": here.run, "asked": None}
            st.button(tr("Swap A and B"), on_click=view.go, kwargs=swapped)
        if here.run:
            closed = {"run": "", "beside": "", "asked": None}
            st.button(tr("Close"), on_click=view.go, kwargs=closed)
        if len(opened) == 1:
            deleting.run(opened[0].name, opened[0])


def _run_cell(run: Brief, here: View, shown: Index) -> Cell:
    return Cell(
        run.method,
        here.href(run=run.name, beside="", asked=None),
        label=tr("{method}: open the run of {when}", method=run.method, when=told.when(run.made)),
        note=tr(", ").join(note for note in (*run.settings, run.older(shown)) if note),
    )


def _beside_cell(run: Brief, here: View) -> Cell:
    if run.name == here.run:
        return Cell("")
    if run.name == here.beside:
        label = tr("Take away: {method}, {when}", method=run.method, when=told.when(run.made))
        return Cell(tr("Take away"), here.href(beside="", asked=None), label=label)
    label = tr("Compare: {method}, {when}", method=run.method, when=told.when(run.made))
    return Cell(tr("Compare"), here.href(beside=run.name, asked=None), label=label)


def _figure_cells(figures: dict[str, Any]) -> list[Cell]:
    easy = figures["mAP_easy"]
    return [
        Cell(f"{figures['mAP']:.3f}"),
        Cell(told.between(figures["mAP_interval"])),
        Cell(f"{figures['P@1']:.3f}"),
        Cell(f"{figures['P@4']:.3f}"),
        Cell(f"{figures['top4_all_right']:.3f}"),
        Cell("–" if easy is None else f"{easy:.3f}"),
        Cell(f"{figures['query_cpu_seconds']:.4f}"),
    ]


@st.cache_resource(max_entries=64, show_spinner=False)
def _compared(folder: str, before: str, after: str, made: tuple[str, str], code: str) -> Comparison:
    return compare(kept.open_run(before), kept.open_run(after))


def comparison(before: Run, after: Run) -> None:
    """Say whether one of two runs is better."""
    try:
        made = before.made, after.made
        spoken = language.spoken()  # its notes are in it
        compared = _compared(str(runs.runs_folder()), before.name, after.name, made, spoken)
    except ArtifactError as error:  # no query in common
        st.warning(told.told(error))
        return
    first, second = names_of([before, after])
    st.markdown(told.verdict(compared, words.plain(first), words.plain(second)))
    for note in compared.notes:
        st.caption(tr("Note: {note}.", note=words.plain(note)))


def accepted(chosen: list[Run]) -> None:
    """Say how much of what each run accepted is right, of methods that accept."""
    for run, name in zip(chosen, names_of(chosen)):
        if (said := told.accepted(kept.figures(run.name))) is not None:
            several = len(chosen) > 1
            st.caption(tr("{run}. {told}", run=words.plain(name), told=said) if several else said)


def curves(chosen: list[Run]) -> None:
    """Draw precision over recall, the mean over the queries of each run."""
    st.subheader(tr("Precision and recall"), anchor=False)
    lines, said = [], []
    for run, name, kind in zip(chosen, names_of(chosen), ("solid", "dashed")):
        answers = [(r.right_ranks, r.n_positives) for r in run.evaluation.results]
        recall, precision = measures.mean_precision(answers)
        lines.append(
            {
                "type": "line",
                "name": name,
                "data": [[round(r, 3), round(p, 4)] for r, p in zip(recall, precision)],
                "showSymbol": False,
                "lineStyle": {"type": kind, "width": 2.5},
            }
        )
        at = tr(", ").join(
            tr("{p:.2f} at recall {r:.1f}", p=precision[i], r=recall[i]) for i in (20, 50, 80)
        )
        said.append(tr("{run}: precision {values}", run=name, values=at))
    axis = {"type": "value", "min": 0, "max": 1, "nameLocation": "middle", "interval": 0.2}
    spec: dict[str, Any] = {
        "animation": False,
        "grid": {"left": 28, "right": 16, "top": 36, "bottom": 24},  # names and labels are added
        "legend": {"top": 0, "left": 8},
        "tooltip": {"trigger": "axis"},
        "xAxis": axis | {"name": tr("Recall"), "nameGap": 28},
        "yAxis": axis | {"name": tr("Precision"), "nameGap": 36},
        "series": lines,
    }
    alt = tr("Precision over recall. {values}", values=tr("; ").join(said))
    st.echarts_chart(spec, height=320, key="curves", alt=alt)
    st.caption(
        tr(
            "Going down the results until a share of the right answers is found (recall), how many "
            "of the results so far are right (precision): the best reached there or later, the "
            "mean over all queries. Higher is better."
        )
    )
