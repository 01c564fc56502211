"""Why not: another picture that was expected, beside the one that won, and under every method."""

import numpy as np
import streamlit as st

from engine import account, explain, methods
from engine.errors import ModelError
from engine.explanation import FATES, Explanation, by_word
from engine.language import mark, tr
from ui import opened, results, urls, words
from ui.components import Cell, Row, Tile, gallery, table
from ui.why.asked import Asked

N_FOUND = 12
MATCHES = {
    "counts": mark("Matches that agree on one map of the picture, and count"),
    "turned": mark("Matches that turn otherwise than the picture as a whole"),
    "beyond": mark("Matches that were not looked at: too many are better, or too many pictures"),
    "off": mark("Matches that do not lie where the map says, or are turned or sized otherwise"),
    "double": mark("Matches that stand beside a better one"),
}


def choose(asked: Asked) -> None:
    """Let another picture of the collection be chosen by its name."""
    st.subheader(tr("Did you expect another picture?"), anchor=False)
    text = st.text_input(
        tr("Part of its name"), key="expected", persist_state="session", placeholder="tower"
    )
    order = asked.order
    wanted = str(text or "").strip().casefold()
    if not wanted:
        st.caption(tr("See which place it has, and what it lacks."))
        return
    shown = asked.shown
    found = [i for i in order if wanted in shown.images[i].shown.casefold()]
    if not found:
        st.caption(tr("No picture that was ranked has this in its name."))
        return
    places = {image_id: rank for rank, image_id in enumerate(order, 1)}
    tiles = [
        Tile(
            id=i,
            url=urls.picture(shown, i, 320),
            href=asked.here.href(result=i),
            alt=tr("{path}, rank {rank}: why not", path=shown.images[i].shown, rank=places[i]),
            title=shown.images[i].shown,
            caption=asked.name_of(i),
            rank=f"{places[i]:,}",
        )
        for i in found[:N_FOUND]
    ]
    gallery(tiles, "expected-pictures", tr("Pictures of this name"), columns=6, columns_small=2)
    if len(found) > N_FOUND:
        st.caption(
            tr(
                "The best {n_shown} of {n:,}. Type more of the name for the others.",
                n_shown=N_FOUND,
                n=len(found),
            )
        )


def beside_winner(asked: Asked) -> None:
    """Show a result beside the first one: what it has less of."""
    first = asked.order[0]
    if asked.result == first:
        return
    winner = explain.explain(asked.shown, asked.answer, first)
    st.subheader(tr("Beside the first result"), anchor=False)
    rows = [
        Row((Cell(name), Cell(ours), Cell(theirs)))
        for name, ours, theirs in _compared(asked, winner)
    ]
    heading = ["", tr("This one"), asked.shown.images[first].shown.rsplit("/", 1)[-1]]
    table(heading, rows, "beside", tr("This result beside the first"), heading[1:])
    lacked = _lacked(asked, winner)
    if lacked:
        st.caption(tr("Words that add most to the first and nothing to this one"))
        tiles = [
            Tile(
                id=word,
                url=urls.word(asked.shown, word),
                href=asked.here.href(word=word),
                alt=tr("Word {word}: look at it", word=word),
                title=tr("Word {word}", word=word),
                rank=str(word),
            )
            for word in lacked
        ]
        label = tr("Words that this result lacks")
        gallery(tiles, "lacked", label, columns=8, columns_small=4, ratio="1 / 1", sharp=True)


def _compared(asked: Asked, winner: Explanation) -> list[tuple[str, str, str]]:
    """Return what can be counted, of this result and of the first."""
    method, both = asked.answer.method, (asked.explained, winner)
    rows: list[tuple[str, str, str]] = []

    def add(name: str, values: list[str]) -> None:
        rows.append((name, values[0], values[1]))

    add(tr("Place"), [f"{asked.place:,}", "1"])
    scores = [words.shown_score(asked.answer, one.image_id, one.score) for one in both]
    add(tr("Score") if asked.answer.distances is None else tr("Distance"), scores)
    if methods.fused_of(method) is not None:
        parts = [account.parts(asked.shown, one) for one in both]
        for ours, theirs in zip(*parts):
            told = tr("Of that by {method}", method=ours.method)
            add(told, [account.number(method, part.value) for part in (ours, theirs)])
        return rows
    if methods.is_embedding(method):
        counts = [0 if one.dimensions is None else int((one.dimensions > 0).sum()) for one in both]
        add(tr("Numbers that add something"), [f"{count:,}" for count in counts])
        return rows
    adding = [f"{int((by_word(one).values > 0).sum()):,}" for one in both]
    add(tr("Words that add something"), adding)
    used = set(asked.query_words.tolist())
    held = [set(asked.shown.words(one.image_id).word_ids.tolist()) for one in both]
    add(tr("Words of the query that it lacks"), [f"{len(used - one):,}" for one in held])
    if any(one.matches is not None for one in both):
        for i, fate in enumerate(FATES):
            counts = [
                0 if one.matches is None else int((one.matches.fates == i).sum()) for one in both
            ]
            if any(counts):
                add(tr(MATCHES[fate]), [f"{count:,}" for count in counts])
    if any(one.factors is not None for one in both):
        of = [one.factors for one in both]
        add(tr("Weight of those that agree"), [f"{f.weight:.2f}" if f else "–" for f in of])
        add(tr("Cells that they lie in"), [str(f.n_cells) if f else "–" for f in of])
        add(tr("Their share of all"), [f"{f.weight / f.total:.1%}" if f else "–" for f in of])
    return rows


def _lacked(asked: Asked, winner: Explanation, n_words: int = 8) -> list[int]:
    """Return the words that add most to the first result, and nothing to this one."""
    theirs = by_word(winner)
    ours = by_word(asked.explained)
    nothing = ~np.isin(theirs.word_ids, ours.word_ids[ours.values > 0]) & (theirs.values > 0)
    found: list[int] = theirs.word_ids[nothing][:n_words].tolist()
    return found


def methods_table(asked: Asked) -> None:
    """Show which place the result has under every method."""
    st.subheader(tr("Under every method"), anchor=False)
    here, shown = asked.here, asked.shown
    able = methods.offered(shown.parts)
    key = f"all-methods-{here.link.query()}"
    known = [m for m in able if m == asked.answer.method or st.session_state.get(key)]
    if len(known) < len(able):
        if st.button(tr("Compare all methods")):
            st.session_state[key] = True
            st.rerun()
        return
    rows = []
    with st.spinner(tr("Searching by every method")):
        for method in able:
            try:
                answer = opened.search_without(shown, here.link, method, here.off, here.areas)
            except ModelError:  # to search with this photograph its network is needed
                name = Cell(method, here.href(method=method))
                rows.append(Row((name, Cell("–"), Cell("–"), Cell(tr("no model")))))
                continue
            told = explain.explain(shown, answer, asked.result)
            place = [one.image_id for one in results.of(answer)].index(asked.result) + 1
            rows.append(
                Row(
                    (
                        Cell(method, here.href(method=method)),
                        Cell(f"{place:,}"),
                        Cell(words.shown_score(answer, asked.result, told.score)),
                        Cell(_same(answer.accepts(asked.result))),
                    ),
                    "▸" if method == asked.answer.method else None,
                )
            )
    heading = [tr("Method"), tr("Place"), tr("Score"), tr("Same thing")]
    table(heading, rows, "methods", tr("The result under every method"), heading[1:3])
    n_images = asked.explained.n_images
    st.caption(tr("Places of {n:,}. Scores of two methods do not compare.", n=n_images))


def _same(accepted: bool | None) -> str:
    return {True: tr("yes"), False: tr("probably not"), None: tr("cannot tell")}[accepted]
