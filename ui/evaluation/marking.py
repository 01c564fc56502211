"""Making a ground truth on the screen: pick a query, mark its results, save."""

import contextlib
from collections import Counter

import streamlit as st

from engine import artifacts, methods, truths
from engine.errors import EngineError
from engine.index import Index
from engine.language import tr, trn
from engine.truths import Truth
from ui import opened, urls, words
from ui.components import Cell, Row, Tile, gallery, marking, table
from ui.evaluation import deleting, kept, measure, told, view
from ui.evaluation.drafts import Draft, draft
from ui.evaluation.view import View
from ui.link import Link

FEW = 24
PER_PAGE = 24


def show(shown: Index, here: View) -> None:
    """Show the ground truths, one of them, or one of its queries."""
    if not here.truth:
        overview(shown, here)
        return
    try:
        held = draft(here.truth, shown)
    except EngineError as error:
        st.header(words.plain(here.truth), anchor=False)
        st.error(told.told(error))
        with st.container(horizontal=True):
            st.button(tr("All ground truths"), on_click=view.go, kwargs={"truth": ""})
            _delete_unfit(shown, here.truth)
        return
    if here.link.image_id is None:
        one_truth(shown, here, held)
    else:
        opened.check_image(shown, here.link.image_id)
        one_query(shown, here, held, here.link.image_id)


def _delete_unfit(shown: Index, name: str) -> None:
    """Offer to delete what does not fit this collection, if it can be read at all."""
    with contextlib.suppress(EngineError):
        if digest := truths.digest_of(name):
            what = tr("it does not fit {name}", name=words.plain(shown.name))
            deleting.truth(name, what, digest)


def overview(shown: Index, here: View) -> None:
    """Show the ground truths that are kept, and begin another."""
    st.header(tr("Ground truths"), anchor=False)
    st.caption(
        tr(
            "A ground truth says for some queries which pictures are right answers, and which are "
            "to be ignored. All others count as wrong."
        )
    )
    rows = []
    for name in truths.list_truths():
        cell = Cell(name, here.href(truth=name), label=tr("{name}: open it", name=name))
        try:
            found = kept.open_truth(name, shown)
        except EngineError as error:
            first = str(error).splitlines()[-1].strip()
            why = tr("does not fit {name}: {why}", name=shown.name, why=first)
            rows.append(Row((cell, Cell(why[:160]))))
            continue
        rows.append(Row((cell, Cell(_holds(found)))))
    if rows:
        table([tr("Name"), tr("What it holds")], rows, "truths", tr("Ground truths"))
    left, right = st.columns(2, gap="large")
    with left, st.form("new", border=False):
        name = st.text_input(tr("Make one on the screen: its name"), max_chars=48)
        if st.form_submit_button(tr("Begin")):
            _begin(name.strip())
    with right:
        measure.upload(shown)


def _holds(found: Truth) -> str:
    """Say what is in a ground truth."""
    count = Counter(mark for marks in found.marks.values() for mark in marks.values())
    asked = told.n_queries(len(found.queries))
    right, wrong, junk = count["right"], count["wrong"], count["junk"]
    if not wrong:
        return tr(
            "{queries}, {right:,} right, {junk:,} ignored", queries=asked, right=right, junk=junk
        )
    return tr(
        "{queries}, {right:,} right, {junk:,} ignored, {wrong:,} looked at and wrong",
        queries=asked,
        right=right,
        junk=junk,
        wrong=wrong,
    )


def _begin(name: str) -> None:
    try:
        artifacts.check_name(name)
    except ValueError:
        st.error(
            tr(
                "A name is made of letters, digits, '-', '_' and '.', and begins with a letter or "
                "digit."
            )
        )
        return
    if name in truths.list_truths():
        told_name = words.plain(name)
        st.error(tr("There is a ground truth {name} already: open it above.", name=told_name))
        return
    view.go(truth=name)
    st.rerun()


def _save(shown: Index, held: Draft, key: str = "save") -> None:
    """Show the button that writes the marks down."""
    can = bool(held.changes) and not held.conflict
    if st.button(tr("Save"), disabled=not can, key=key):
        try:
            held.save(shown)
        except (EngineError, ValueError) as error:
            st.session_state["save_error"] = told.told(error)
        st.rerun()


def _download(held: Draft) -> None:
    """Offer the csv as it is on disk."""
    if held.base.digest:
        seen = held.base
        st.download_button(
            tr("Download csv"),
            lambda: truths.csv_of(seen),
            file_name=f"{seen.name}.csv",
            mime="text/csv",
            on_click="ignore",
        )


def _state(shown: Index, held: Draft) -> None:
    """Say what is unsaved, and what to do where someone else saved."""
    if "save_error" in st.session_state:
        st.error(st.session_state.pop("save_error"))
    name = words.plain(held.base.name)
    if held.conflict:
        theirs = kept.open_truth(held.base.name, shown)
        if theirs.digest:
            label = tr("Put my marks onto theirs")
            said = trn(
                "Someone else saved {name} since you opened it. Your marks of {n:,} query are not "
                "saved, and theirs are not overwritten.",
                "Someone else saved {name} since you opened it. Your marks of {n:,} queries are "
                "not saved, and theirs are not overwritten.",
                len(held.changes),
                name=name,
            )
        else:
            label = tr("Make it anew with my marks")
            said = trn(
                "Someone else deleted {name} since you opened it. Your marks of {n:,} query are "
                "not saved.",
                "Someone else deleted {name} since you opened it. Your marks of {n:,} queries are "
                "not saved.",
                len(held.changes),
                name=name,
            )
        st.warning(said)
        with st.container(horizontal=True):
            for answer, keep in ((label, True), (tr("Drop my marks"), False)):
                if st.button(answer):
                    held.rebase(theirs, keep=keep)
                    st.rerun()
        return
    if held.gone:
        st.warning(
            tr("Someone else deleted {name} since you opened it. Saving makes it anew.", name=name)
        )
    if held.changes:
        n = len(held.changes)
        st.caption(trn("Not saved yet: {n:,} query.", "Not saved yet: {n:,} queries.", n))
    elif held.base.digest:
        st.caption(tr("All is saved."))


def one_truth(shown: Index, here: View, held: Draft) -> None:
    """Show the queries of a ground truth, and offer pictures to be the next."""
    st.header(words.plain(here.truth), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        _save(shown, held)
        _download(held)
        if held.base.queries:
            kwargs = {"part": view.MEASURE}
            st.button(tr("Measure with it"), on_click=view.go, kwargs=kwargs)
        st.button(tr("All ground truths"), on_click=view.go, kwargs={"truth": ""})
        if held.base.digest:
            what = here.truth, _holds(held.base), held.base.digest
            deleting.truth(*what, unsaved=bool(held.changes))
    _state(shown, held)
    places = kept.places(shown)
    rows = []
    for path in held.queries():
        image_id = places.get(path)
        if image_id is None:
            continue
        count = Counter(held.marks(path).values())
        name = path.rsplit("/", 1)[-1]
        note = "" if count["right"] else tr("does not count: nothing is right yet")
        note = tr("not saved yet") if path in held.changes and not note else note
        rows.append(
            Row(
                (
                    Cell(
                        name,
                        here.href(image_id=image_id),
                        urls.picture(shown, image_id, 160),
                        label=tr("{name}: mark its results", name=name),
                        note=note,
                    ),
                    *(Cell(f"{count[mark]:,}") for mark in truths.MARKS),
                )
            )
        )
    if rows:
        counted = [tr(told.SHOWN[mark]).capitalize() for mark in truths.MARKS]
        table([tr("Query"), *counted], rows, "asked", tr("Queries of this ground truth"), counted)
    _pick(shown, here, held)


def _pick(shown: Index, here: View, held: Draft) -> None:
    """Show the collection's pictures; one of them becomes the next query."""
    taken = set(held.queries())
    n_shown = st.session_state.setdefault("n_picked", PER_PAGE)
    free = [i for i, entry in enumerate(shown.images) if entry.path not in taken]
    st.subheader(tr("Pick the next query") if taken else tr("Pick the first query"), anchor=False)
    st.caption(
        tr(
            "A picture of something that other pictures show too. You mark its results, save, and "
            "pick the next; the more queries, the surer the figures."
        )
    )
    tiles = [
        Tile(
            id=i,
            url=urls.picture(shown, i, 320),
            href=here.href(image_id=i),
            alt=shown.images[i].shown,
            title=tr("{name}: mark its results", name=shown.images[i].shown),
            caption=shown.images[i].shown.rsplit("/", 1)[-1],
        )
        for i in free[:n_shown]
    ]
    gallery(tiles, "pick", tr("Pictures of the collection"), columns=6, columns_small=2)
    if n_shown < len(free) and st.button(tr("Show more pictures")):
        st.session_state["n_picked"] = n_shown + PER_PAGE
        st.rerun()


def one_query(shown: Index, here: View, held: Draft, image_id: int) -> None:
    """Show the results of a query, each to be marked."""
    entry = shown.images[image_id]
    available = methods.offered(shown.parts)
    usual = shown.method if shown.method in available else available[0]
    left, right = st.columns([1, 3], gap="large")
    with left:
        st.header(words.plain(entry.shown.rsplit("/", 1)[-1]), anchor=False)
        tile = Tile(
            id=image_id,
            url=urls.picture(shown, image_id, 640),
            href=urls.page("inspect", here.link),
            alt=tr("Query: {name}", name=entry.shown),
            title=tr("Inspect"),
        )
        ratio = f"{entry.width} / {entry.height}"
        gallery([tile], "query-picture", tr("Query"), columns=1, columns_small=1, ratio=ratio)
        st.caption(tr("A query of {name}", name=words.plain(here.truth)))
        method = view.choose_method(
            available,
            here.link.method or usual,
            help=tr("What the results are ranked by. Marks do not depend on it: try several."),
        )
    with right:
        if len(shown.words(image_id).word_ids) == 0:
            st.warning(
                tr(
                    "No keypoints were found: the picture is very smooth or dark. Its results say "
                    "nothing: pick another query."
                )
            )
        found = opened.search(shown, Link(image_id=image_id), method).ranking.image_ids.tolist()
        _results(shown, here, held, entry.path, found)


def _results(shown: Index, here: View, held: Draft, query: str, found: list[int]) -> None:
    """Show the first results, and what was marked before, with their marks."""
    places = kept.places(shown)
    marks = {places[p]: mark for p, mark in held.marks(query).items() if p in places}
    page = (held.base.name, query)
    counts: dict[tuple[str, str], int] = st.session_state.setdefault("n_marked", {})
    n_shown = counts.get(page, FEW)
    ranks = {i: rank for rank, i in enumerate(found, 1)}
    further = [i for i in ranks if ranks[i] > n_shown and i in marks]
    listed = [*found[:n_shown], *further]
    st.subheader(tr("Which of these show the same thing?"), anchor=False)
    st.caption(
        tr(
            "A click on a picture marks it right, the buttons below it the rest. Ignored: too "
            "little is seen to say. What you do not mark counts as wrong."
        )
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        _save(shown, held)
        rest = [i for i in found[:n_shown] if i not in marks]
        if rest and st.button(tr("Mark the rest wrong")):
            wrong = {shown.images[i].path: "wrong" for i in rest}
            held.mark(query, held.marks(query) | wrong)
            held.version += 1
            st.rerun()
        st.button(tr("Next query"), on_click=view.go, kwargs={"image_id": None})
    _state(shown, held)

    def changed(told_marks: dict[int, str]) -> None:
        hidden = {p: m for p, m in held.marks(query).items() if places.get(p) not in listed}
        held.mark(query, hidden | {shown.images[i].path: m for i, m in told_marks.items()})

    count = Counter(marks.values())
    _count(count, len(found))
    tiles = [_tile(shown, here, i, ranks[i]) for i in listed]
    version = f"{held.base.digest[:16]}-{held.version}"
    marking(tiles, marks, version, f"marking-{query}", tr("Results to be marked"), changed)
    with st.container(horizontal=True):
        _save(shown, held, "save-below")
        if n_shown < len(found) and st.button(tr("Show more results")):
            counts[page] = n_shown + FEW
            st.rerun()


def _count(count: Counter[str], n_results: int) -> None:
    """Say how many are marked how."""
    if count["right"] or not count:
        said = trn(
            "{right} right, {wrong} wrong, {junk} ignored of {n:,} result.",
            "{right} right, {wrong} wrong, {junk} ignored of {n:,} results.",
            n_results,
            right=count["right"],
            wrong=count["wrong"],
            junk=count["junk"],
        )
    else:
        said = trn(
            "{right} right, {wrong} wrong, {junk} ignored of {n:,} result. The query counts once "
            "one is right.",
            "{right} right, {wrong} wrong, {junk} ignored of {n:,} results. The query counts once "
            "one is right.",
            n_results,
            right=count["right"],
            wrong=count["wrong"],
            junk=count["junk"],
        )
    st.markdown(said)


def _tile(shown: Index, here: View, image_id: int, rank: int) -> Tile:
    path = shown.images[image_id].shown
    return Tile(
        id=image_id,
        url=urls.picture(shown, image_id, 320),
        href="",
        alt=tr("{path}, rank {rank}", path=path, rank=rank),
        title=path,
        caption=path.rsplit("/", 1)[-1],
        rank=str(rank),
        more=((tr("Inspect"), urls.page("inspect", here.link.to(image_id=image_id))),),
    )
