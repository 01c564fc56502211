"""Why not: another picture that was expected, beside the one that won, and under every method."""

import numpy as np
import streamlit as st

from engine import account, explain, methods
from engine.explanation import FATES, Explanation, by_word
from ui import opened, results, urls, words
from ui.components import Cell, Row, Tile, gallery, table
from ui.why.asked import Asked

N_FOUND = 12


def choose(asked: Asked) -> None:
    """Let another picture of the collection be chosen by its name."""
    st.subheader("Did you expect another picture?", anchor=False)
    text = st.text_input(
        "Part of its name", key="expected", persist_state="session", placeholder="tower"
    )
    order = asked.order
    wanted = str(text or "").strip().casefold()
    if not wanted:
        st.caption("See which place it has, and what it lacks.")
        return
    shown = asked.shown
    found = [i for i in order if wanted in shown.images[i].shown.casefold()]
    if not found:
        st.caption("No picture that was ranked has this in its name.")
        return
    places = {image_id: rank for rank, image_id in enumerate(order, 1)}
    tiles = [
        Tile(
            id=i,
            url=urls.picture(shown, i, 320),
            href=asked.here.href(result=i),
            alt=f"{shown.images[i].shown}, rank {places[i]}: why not",
            title=shown.images[i].shown,
            caption=asked.name_of(i),
            rank=f"{places[i]:,}",
        )
        for i in found[:N_FOUND]
    ]
    gallery(tiles, "expected-pictures", "Pictures of this name", columns=6, columns_small=2)
    if len(found) > N_FOUND:
        st.caption(f"The best {N_FOUND} of {len(found):,}. Type more of the name for the others.")


def beside_winner(asked: Asked) -> None:
    """Show a result beside the first one: what it has less of."""
    first = asked.order[0]
    if asked.result == first:
        return
    winner = explain.explain(asked.shown, asked.answer, first)
    st.subheader("Beside the first result", anchor=False)
    rows = [
        Row((Cell(name), Cell(ours), Cell(theirs)))
        for name, ours, theirs in _compared(asked, winner)
    ]
    name = asked.shown.images[first].shown.rsplit("/", 1)[-1]
    table(
        ["", "This one", name], rows, "beside", "This result beside the first", ["This one", name]
    )
    lacked = _lacked(asked, winner)
    if lacked:
        st.caption("Words that add most to the first and nothing to this one")
        tiles = [
            Tile(
                id=word,
                url=urls.word(asked.shown, word),
                href=asked.here.href(word=word),
                alt=f"Word {word}: look at it",
                title=f"Word {word}",
                rank=str(word),
            )
            for word in lacked
        ]
        label = "Words that this result lacks"
        gallery(tiles, "lacked", label, columns=8, columns_small=4, ratio="1 / 1", sharp=True)


def _compared(asked: Asked, winner: Explanation) -> list[tuple[str, str, str]]:
    """Return what can be counted, of this result and of the first."""
    method, both = asked.answer.method, (asked.explained, winner)
    rows: list[tuple[str, str, str]] = []

    def add(name: str, values: list[str]) -> None:
        rows.append((name, values[0], values[1]))

    add("Place", [f"{asked.place:,}", "1"])
    add("Score", [words.score(method, one.score) for one in both])
    add("Words that add something", [f"{int((by_word(one).values > 0).sum()):,}" for one in both])
    used = set(asked.query_words.tolist())
    held = [set(asked.shown.words(one.image_id).word_ids.tolist()) for one in both]
    add("Words of the query that it lacks", [f"{len(used - one):,}" for one in held])
    if any(one.matches is not None for one in both):
        for i, fate in enumerate(FATES):
            counts = [
                0 if one.matches is None else int((one.matches.fates == i).sum()) for one in both
            ]
            if any(counts):
                add(f"Matches that {account.OF_MANY[fate]}", [f"{count:,}" for count in counts])
    if any(one.factors is not None for one in both):
        of = [one.factors for one in both]
        add("Weight of those that agree", [f"{f.weight:.2f}" if f else "–" for f in of])
        add("Cells that they lie in", [str(f.n_cells) if f else "–" for f in of])
        add("Their share of all", [f"{f.weight / f.total:.1%}" if f else "–" for f in of])
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
    st.subheader("Under every method", anchor=False)
    here, shown = asked.here, asked.shown
    able = methods.available(shown.parts)
    key = f"all-methods-{here.link.query()}"
    known = [m for m in able if m == asked.answer.method or st.session_state.get(key)]
    if len(known) < len(able):
        if st.button("Compare all methods"):
            st.session_state[key] = True
            st.rerun()
        return
    rows = []
    with st.spinner("Searching by every method"):
        for method in able:
            answer = opened.search_without(shown, here.link, method, here.off, here.areas)
            told = explain.explain(shown, answer, asked.result)
            place = [one.image_id for one in results.of(answer)].index(asked.result) + 1
            rows.append(
                Row(
                    (
                        Cell(method, here.href(method=method)),
                        Cell(f"{place:,}"),
                        Cell(words.score(method, told.score)),
                        Cell(_same(answer.accepts(asked.result))),
                    ),
                    "▸" if method == asked.answer.method else None,
                )
            )
    heading = ["Method", "Place", "Score", "Same thing"]
    table(heading, rows, "methods", "The result under every method", ["Place", "Score"])
    st.caption(f"Places of {asked.explained.n_images:,}. Scores of two methods do not compare.")


def _same(accepted: bool | None) -> str:
    return {True: "yes", False: "probably not", None: "cannot tell"}[accepted]
