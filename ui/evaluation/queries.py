"""The queries of one run by loss, or of two by what changed from one to the other."""

import dataclasses

import streamlit as st

from engine import methods
from engine.compare import SAME
from engine.evaluate import QueryResult
from engine.index import Index
from engine.language import tr, trn
from engine.runs import Run
from ui import urls
from ui.components import Cell, Row, table
from ui.evaluation import kept, told
from ui.evaluation.view import View

N_QUERIES = 60


@dataclasses.dataclass(frozen=True, slots=True)
class Ordered:
    """A query among those of a run: its place there, and by what it is sorted."""

    place: int
    result: QueryResult
    beside: QueryResult | None

    @property
    def difference(self) -> float:
        """How much the second run gained on the first; 0 where there is none."""
        if self.beside is None:
            return 0.0
        return self.beside.average_precision - self.result.average_precision


def ordered(chosen: list[Run]) -> list[Ordered]:
    """Return queries by falling loss; of two runs those of both, what was lost most first."""
    results = chosen[0].evaluation.results
    if len(chosen) == 1:
        rows = [Ordered(place, result, None) for place, result in enumerate(results)]
    else:
        others = {r.query: r for r in chosen[1].evaluation.results}
        rows = [Ordered(i, r, others[r.query]) for i, r in enumerate(results) if r.query in others]
    return sorted(rows, key=lambda r: (r.difference, r.result.average_precision, r.result.query))


def queries(shown: Index, here: View, chosen: list[Run]) -> None:
    """Show the queries, each leading to its sheet."""
    rows = ordered(chosen)
    if not rows:
        return
    if len(chosen) == 1:
        st.subheader(tr("Queries, the worst first"), anchor=False)
        st.caption(tr("Loss is 1 − AP: 0 is perfect. Open a query to see what went wrong."))
        _queries_table(shown, here, chosen, rows, "queries")
        return
    worse = [r for r in rows if r.difference < -SAME]
    better = [r for r in reversed(rows) if r.difference > SAME]
    same = [r for r in rows if abs(r.difference) <= SAME]
    st.subheader(tr("Queries, by what changed from A to B"), anchor=False)
    st.caption(
        trn(
            "{n:,} query: {worse} worse, {better} better, {same} the same.",
            "{n:,} queries: {worse} worse, {better} better, {same} the same.",
            len(rows),
            worse=len(worse),
            better=len(better),
            same=len(same),
        )
    )
    parts = (
        ("worse", tr("{n} worse", n=len(worse)), worse),
        ("better", tr("{n} better", n=len(better)), better),
        ("the-same", tr("{n} the same", n=len(same)), same),
    )
    for key, title, part in parts:
        if part:
            st.markdown(f"**{title}**")
            _queries_table(shown, here, chosen, part, f"queries-{key}")


def _queries_table(
    shown: Index, here: View, chosen: list[Run], rows: list[Ordered], key: str
) -> None:
    pair = len(chosen) == 2
    if pair:
        heading = [tr("Query"), tr("First four: A"), tr("First four: B")]
        numbers = ["A: AP", "B: AP", tr("Difference")]
    else:
        heading = [tr("Query"), tr("First four")]
        numbers = [tr("Loss"), "AP", "P@4", tr("Right answers"), tr("Last one at rank")]
    told_all = key in st.session_state.setdefault("all-queries", set())
    listed = rows if told_all else rows[:N_QUERIES]
    table(
        [*heading, *numbers],
        [Row(_pair_cells(shown, here, r) if pair else _cells(shown, here, r)) for r in listed],
        key,
        tr("Queries"),
        numbers,
    )
    more = tr("Show all {n} queries", n=len(rows))
    if len(listed) < len(rows) and st.button(more, key=f"more-{key}"):
        st.session_state["all-queries"].add(key)
        st.rerun()


def _query_cell(shown: Index, here: View, row: Ordered) -> Cell:
    name = row.result.query.rsplit("/", 1)[-1]
    image_id = kept.places(shown).get(row.result.query)
    if image_id is None and row.result.image_id is not None:
        run = kept.open_run(here.run)
        image_id = kept.places(shown).get(run.paths.get(row.result.image_id, ""))
    image = None if image_id is None else urls.picture(shown, image_id, 160)
    return Cell(
        name, here.href(asked=row.place), image, label=tr("{name}: open its sheet", name=name)
    )


def first_four(result: QueryResult) -> Cell:
    """Return the first four results as signs; what is ignored is passed over, as P@4 does."""
    marks = [told.MARK_OF[r.label] for r in result.ranked if r.label != told.JUNK][:4]
    named = [tr(told.SHOWN[mark]) for mark in marks]
    return Cell(tr(", ").join(named) or tr("none"), marks=tuple(marks))


def _cells(shown: Index, here: View, row: Ordered) -> tuple[Cell, ...]:
    result = row.result
    ap = result.average_precision
    found = len(result.right_ranks)
    last = f"{result.right_ranks[-1]:,}" if result.right_ranks else "–"
    if found < result.n_positives:
        last = tr("{rank}, {n} not found", rank=last, n=result.n_positives - found)
    return (
        _query_cell(shown, here, row),
        first_four(result),
        Cell(f"{1 - ap:.3f}"),
        Cell(f"{ap:.3f}"),
        Cell(f"{result.precision_4:.2f}"),
        Cell(f"{result.n_positives:,}"),
        Cell(last),
    )


def _pair_cells(shown: Index, here: View, row: Ordered) -> tuple[Cell, ...]:
    after = row.beside or row.result
    return (
        _query_cell(shown, here, row),
        first_four(row.result),
        first_four(after),
        Cell(f"{row.result.average_precision:.3f}"),
        Cell(f"{after.average_precision:.3f}"),
        Cell(told.signed(row.difference)),
    )


def method_of(shown: Index, run: Run) -> str:
    """Return a run's method if the collection can still be ranked so; else nothing."""
    method = run.evaluation.method
    return method if method in methods.offered(shown.parts) else ""
