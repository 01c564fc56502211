"""The words as a grid: sorted, filtered, and those of the chosen part of the map alone."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine.index import Index
from engine.language import sentences, tr, trn
from ui import words
from ui.components import gallery
from ui.vocabulary import atlas, tiles, view
from ui.vocabulary.view import View

PER_PAGE = 240


def measured(shown: Index, measure: str) -> NDArray[Any]:
    """Return one value a word, by which words are sorted and filtered."""
    values: dict[str, NDArray[Any]] = {
        view.NUMBER: np.arange(shown.n_words),
        view.KEYPOINTS: shown.frequency,
        view.IMAGES: shown.document_frequency,
        view.SORT_IDF: shown.idf,
        view.SPREAD: shown.mean_distance,
    }
    return values[measure]


def between(here: View, values: NDArray[Any]) -> tuple[float, float]:
    """Show a slider over the values of a measure; return its two ends."""
    label = tr("{measure} from, to", measure=tr(view.MEASURES[here.sort]))
    lowest: float
    highest: float
    step: float
    kind: type[int] | type[float] = int if values.dtype.kind in "iu" else float
    if kind is int:
        step = 1
        lowest, highest = int(values.min()), max(int(values.max()), int(values.min()) + 1)
    else:
        step = 0.01
        lowest, highest = 0.0, max(round(float(values.max()) + 0.005, 2), 0.01)
    # The range follows the collection, so each range has a slider of its own.
    key = f"range-{here.sort}-{highest:g}"
    told = [kind(float(end)) for end in here.between.split("-")] if here.between else []
    low, high = (min(max(end, lowest), highest) for end in told or (lowest, highest))
    st.session_state[key] = (min(low, high), max(low, high))

    def moved() -> None:
        ends = st.session_state[key]
        is_all = tuple(ends) == (lowest, highest)
        view.go(
            between="" if is_all else "-".join(f"{end:.2f}".removesuffix(".00") for end in ends)
        )

    found: Any = st.slider(label, lowest, highest, step=step, key=key, on_change=moved)
    return float(found[0]), float(found[1])


def chosen_words(shown: Index, here: View) -> NDArray[np.int64]:
    """Show how words are sorted and filtered; return those that remain, in order."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _choose_measure(here)
        values = measured(shown, here.sort)
        ends = between(here, values)
        falling = _choose_order(here)
        st.number_input(
            tr("Find a word"),
            0,
            shown.n_words - 1,
            None,
            key="find",
            placeholder=tr("0 to {last}", last=shown.n_words - 1),
            on_change=lambda: view.go(word=st.session_state["find"]),
        )
    order = np.argsort(-values if falling else values, kind="stable")
    return order[(values[order] >= ends[0]) & (values[order] <= ends[1])]


def _choose_measure(here: View) -> None:
    st.session_state["measure"] = here.sort
    st.selectbox(
        tr("Sort and filter by"),
        list(view.MEASURES),
        format_func=lambda kind: tr(view.MEASURES[kind]),
        key="measure",
        on_change=lambda: view.go(sort=st.session_state["measure"], order="", between=""),
        help=sentences(
            tr("Keypoints: how many belong to the word. Images: how many hold it."),
            tr(words.TERMS["idf"]),
            tr("Spread: mean distance of its keypoints to its centre."),
        ),
    )


def _choose_order(here: View) -> bool:
    usual = view.RISING if here.sort == view.NUMBER else view.FALLING
    key = f"falling-{here.sort}"
    st.session_state[key] = (here.order or usual) == view.FALLING

    def turned() -> None:
        order = view.FALLING if st.session_state[key] else view.RISING
        view.go(order="" if order == usual else order)

    return st.toggle(tr("Highest first"), key=key, on_change=turned)


def show(shown: Index, here: View) -> None:
    """Show the map and the vocabulary below it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        told = trn("{n:,} visual word", "{n:,} visual words", shown.n_words)
        st.header(told, help=tr(words.TERMS["word"]), anchor=False)
        st.button(
            tr("Show the map") if here.folded else tr("Fold the map away"),
            on_click=view.go,
            kwargs={"folded": not here.folded},
        )
    inside = atlas.show(shown, here)
    tiles.tray(shown, here)
    kept = chosen_words(shown, here)
    if inside is not None:
        kept = kept[inside[kept]]
    _tiles(shown, here, kept, inside is not None)


def _tiles(shown: Index, here: View, kept: NDArray[np.int64], is_part: bool) -> None:
    # More words of one part or collection are not more of all others.
    n_key = f"n-words-shown-{shown.name}-{'' if here.area is None else here.area.write()}"
    n_shown = st.session_state.setdefault(n_key, PER_PAGE)
    with st.container(horizontal=True, vertical_alignment="center"):
        what = tiles.n_words(len(kept))
        if is_part:
            what = trn("{n:,} word of the part chosen", "{n:,} words of the part chosen", len(kept))
        told = tr(
            "each by the patches nearest to its centre; the bar says how many keypoints it has"
        )
        st.caption(f"{what} · {told}", width="content")
        adds = st.toggle(
            tr("Choose words to search with"),
            bool(here.words),
            key=f"adds-{bool(here.words)}",
            help=tr("Then each word has a link that adds it to the search by words."),
        )
        if is_part and len(kept):
            _search_with(here, kept)
    if not len(kept):
        st.info(tr("No word is left: choose a larger part of the map, or move the slider."))
        return
    gallery(
        tiles.word_tiles(shown, here, kept[:n_shown].tolist(), adds=adds),
        "words",
        tr("Visual words"),
        columns=12,
        columns_small=4,
        ratio="1 / 1",
        sharp=True,
    )
    if n_shown < len(kept) and st.button(tr("Show more words")):
        st.session_state[n_key] = n_shown + PER_PAGE
        st.rerun()


def _search_with(here: View, kept: NDArray[np.int64]) -> None:
    chosen = tuple(kept[: view.MOST_WORDS].tolist())
    label = tr("Search with these words")
    if len(kept) > view.MOST_WORDS:
        label = tr("Search with the first {n}", n=view.MOST_WORDS)
    st.button(label, on_click=view.go, kwargs={"part": view.SEARCH, "words": chosen})
