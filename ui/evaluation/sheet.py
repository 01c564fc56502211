"""One query of a run: its first results told right, wrong or ignored, and what was missed."""

import streamlit as st

from engine.evaluate import ADDED, QueryResult
from engine.index import Index
from engine.language import mark, tr, trn
from engine.runs import Run
from ui import urls, words
from ui.components import Tile, gallery
from ui.evaluation import kept, overview, queries, told, view
from ui.evaluation.view import View
from ui.link import Link
from ui.why.view import View as Why

FEW, MORE = 12, 100
N_MISSED = 24
BY_WAY = mark("Only by way of others")


def show(shown: Index, here: View, chosen: list[Run], place: int) -> None:
    """Show the sheet of the query at this place of the first run."""
    results = chosen[0].evaluation.results
    if place >= len(results):
        st.warning(
            tr(
                "This run has no query {place}: it has {n}, numbered from 0.",
                place=place,
                n=len(results),
            )
        )
        st.button(tr("All queries"), on_click=view.go, kwargs={"asked": None})
        return
    asked = results[place]
    name = asked.query.rsplit("/", 1)[-1]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(words.plain(name), anchor=False)
        _steps(chosen, place)
    left, right = st.columns([1, 3], gap="large")
    with left:
        _query(shown, here, chosen[0], asked)
    with right:
        for run, title, sign in zip(chosen, overview.names_of(chosen), "ab"):
            found = next((r for r in run.evaluation.results if r.query == asked.query), None)
            st.subheader(tr("{run}: the first results", run=words.plain(title)), anchor=False)
            if found is None:
                st.caption(tr("This run does not have the query."))
                continue
            strip(shown, here, run, found, f"{sign}-{place}")
        told.glossary("AP", "P@1, P@4", "Ignored")


def _steps(chosen: list[Run], place: int) -> None:
    """Lead to the queries before and after, in the order of the list, and back to it."""
    order = [row.place for row in queries.ordered(chosen)]
    at = order.index(place) if place in order else None
    if at is not None and at > 0:
        st.button(tr("Previous"), on_click=view.go, kwargs={"asked": order[at - 1]})
    if at is not None and at + 1 < len(order):
        st.button(tr("Next"), on_click=view.go, kwargs={"asked": order[at + 1]})
    st.button(tr("All queries"), on_click=view.go, kwargs={"asked": None})


def _find(shown: Index, run: Run, image_id: int | None) -> int | None:
    """Return what a picture of a run is numbered now; None if it is no longer there."""
    return None if image_id is None else kept.places(shown).get(run.paths.get(image_id, ""))


def _query(shown: Index, here: View, run: Run, asked: QueryResult) -> None:
    """Show the query's picture, and lead into Search and Inspect with it."""
    image_id = _find(shown, run, asked.image_id)
    if image_id is None:
        st.caption(tr("The query's picture is not in the collection."))
        return
    entry = shown.images[image_id]
    to = _link(shown, here, run, image_id)
    tile = Tile(
        id=image_id,
        url=urls.picture(shown, image_id, 640),
        href=urls.page("search", to),
        alt=tr("Query: {name}", name=entry.shown),
        title=tr("Search with it, by this run's method"),
        more=((tr("Search"), urls.page("search", to)), (tr("Inspect"), urls.page("inspect", to))),
    )
    ratio = f"{entry.width} / {entry.height}"
    gallery([tile], "query-picture", tr("Query"), columns=1, columns_small=1, ratio=ratio)
    st.caption(words.plain(entry.shown))


def _link(shown: Index, here: View, run: Run, image_id: int) -> Link:
    return here.link.to(image_id=image_id, method=queries.method_of(shown, run), word=None)


def ranks(result: QueryResult) -> list[int | None]:
    """Return the rank of each kept result as average precision counts; None for what is ignored."""
    counted, found = 0, []
    for one in result.ranked:
        counted += one.label != told.JUNK
        found.append(None if one.label == told.JUNK else counted)
    return found


def missed(result: QueryResult, n_shown: int) -> list[tuple[int, int | None]]:
    """Return rank and picture of the right answers behind the first results.

    Runs of schema 1 name the pictures of their first 100 results only; of others it is None.
    """
    ids: list[int | None] = list(result.right_ids)
    if not ids:
        ids = [one.image_id for one in result.ranked if one.label == told.RIGHT]
        ids += [None] * (len(result.right_ranks) - len(ids))
    seen = {one.image_id for one in result.ranked[:n_shown]}
    return [(rank, i) for rank, i in zip(result.right_ranks, ids) if i is None or i not in seen]


def strip(shown: Index, here: View, run: Run, result: QueryResult, key: str) -> None:
    """Show the first results and what was missed."""
    ap = result.average_precision
    st.markdown(
        tr("AP **{ap:.3f}** (loss {loss:.3f})", ap=ap, loss=1 - ap)
        + f" · P@1 {result.precision_1:.2f} · P@4 {result.precision_4:.2f} · "
        + trn("{n:,} right answer", "{n:,} right answers", result.n_positives)
    )
    more = key in st.session_state.setdefault("more-results", set())
    n_shown = min(MORE if more else FEW, len(result.ranked))
    tiles, gone = [], []
    for one, rank in list(zip(result.ranked, ranks(result)))[:n_shown]:
        path = run.paths.get(one.image_id, "")
        image_id = _find(shown, run, one.image_id)
        if image_id is None:
            gone.append(path)
            continue
        tiles.append(
            _tile(
                shown,
                _link(shown, here, run, image_id),
                _why(shown, here, run, result, image_id),
                image_id,
                "–" if rank is None else str(rank),
                told.MARK_OF[one.label],
                words.score(run.evaluation.method, one.score),
                tr(BY_WAY) if one.accepted == ADDED else None,
            )
        )
    label = tr("First {n} results", n=n_shown)
    gallery(tiles, f"strip-{key}", label, columns=6, columns_small=2)
    if gone:
        names = words.plain(", ".join(gone))
        st.caption(tr("No longer in the collection: {names}.", names=names))
    if not more and n_shown < len(result.ranked):
        label = tr("Show the first {n} results", n=len(result.ranked))
        if st.button(label, key=f"more-{key}"):
            st.session_state["more-results"].add(key)
            st.rerun()
    _missed(shown, here, run, result, n_shown, key)


def _tile(
    shown: Index,
    to: Link,
    why: str | None,
    image_id: int,
    rank: str,
    mark: str,
    score: str = "",
    note: str | None = None,
) -> Tile:
    path, label = shown.images[image_id].shown, tr(told.SHOWN[mark])
    alt = tr("{path}, rank {rank}, {mark}", path=path, rank=rank, mark=label)
    return Tile(
        id=image_id,
        url=urls.picture(shown, image_id, 320),
        href=urls.page("search", to),
        alt=alt + (f", {note.lower()}" if note else ""),
        title=tr("{path}: search from here", path=path),
        caption=path.rsplit("/", 1)[-1],
        rank=rank,
        score=score,
        more=(((tr("Why"), why),) if why else ()) + ((tr("Inspect"), urls.page("inspect", to)),),
        mark=mark,
        note=note,
    )


def _why(shown: Index, here: View, run: Run, result: QueryResult, image_id: int) -> str | None:
    """Return where it is told why a picture stands where it does; None for outside queries."""
    query = _find(shown, run, result.image_id)
    if query is None:
        return None
    return Why(_link(shown, here, run, query), image_id).href()


def _missed(
    shown: Index, here: View, run: Run, result: QueryResult, n_shown: int, key: str
) -> None:
    behind = missed(result, n_shown)
    n_lost = result.n_positives - len(result.right_ranks)
    if not behind and not n_lost:
        st.caption(tr("No right answer was missed: all are among these."))
        return
    st.markdown(
        trn(
            "**Missed: {n:,} right answer not among these**",
            "**Missed: {n:,} right answers not among these**",
            len(behind) + n_lost,
        )
    )
    tiles, unknown = [], []
    for rank, found in behind[:N_MISSED]:
        image_id = _find(shown, run, found)
        if image_id is None:
            unknown.append(rank)
        else:
            to = _link(shown, here, run, image_id)
            why = _why(shown, here, run, result, image_id)
            tiles.append(_tile(shown, to, why, image_id, f"{rank:,}", told.RIGHT))
    if tiles:
        label = tr("Missed right answers, with the ranks they came at")
        gallery(tiles, f"missed-{key}", label, columns=6, columns_small=2)
    unknown += [rank for rank, _ in behind[N_MISSED:]]
    if unknown:
        listed = _listed(unknown)
        st.caption(
            tr("More of them came at rank {ranks}.", ranks=listed)
            if tiles
            else tr("They came at rank {ranks}.", ranks=listed)
        )
    if n_lost:
        st.caption(
            trn(
                "{n:,} right answer could not be found at all: left out when the collection was "
                "built.",
                "{n:,} right answers could not be found at all: left out when the collection was "
                "built.",
                n_lost,
            )
        )
    if any(one.label == told.JUNK for one in result.ranked):
        st.caption(tr("Ranks are counted as if what is ignored were not there."))


def _listed(numbers: list[int], most: int = 40) -> str:
    told_ranks = ", ".join(f"{number:,}" for number in numbers[:most])
    if len(numbers) <= most:
        return told_ranks
    return tr("{ranks} and {n} more", ranks=told_ranks, n=len(numbers) - most)
