"""Search by words: the pictures that hold the words that somebody chose."""

import numpy as np
import streamlit as st

from engine import word_search
from engine.errors import EngineError
from engine.index import Index
from engine.language import tr, trn
from engine.word_search import WordSearch
from ui import opened, query, urls, words
from ui.components import Cell, Row, Tile, gallery, table
from ui.vocabulary import tiles, view
from ui.vocabulary.view import View

PER_PAGE = 24
N_SUGGESTED = 8
N_NAMED = 3  # words that a result names


def show(shown: Index, here: View) -> None:
    """Show the chosen words, and what they find."""
    known = tuple(word for word in here.words if word < shown.n_words)
    if len(known) < len(here.words):
        gone = len(here.words) - len(known)
        st.warning(
            trn(
                "{n} word is left out: this collection has no such word.",
                "{n} words are left out: this collection has no such words.",
                gone,
            )
        )
        here = here.to(words=known)
    if not known:
        empty(shown, here)
        return
    st.header(tr("Pictures that hold these words"), anchor=False, help=tr(words.TERMS["word"]))
    with st.container(border=True):
        tiles.chosen_tiles(shown, here)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            _add(shown, here)
            st.button(tr("Choose on the map"), on_click=view.go, kwargs={"part": view.WORDS})
            st.button(tr("Take all away"), on_click=view.go, kwargs={"words": ()})
    n_shown = st.session_state.setdefault("n_found_shown", PER_PAGE)
    found = word_search.search(shown, known, n_results=n_shown)
    results(shown, here, found)
    if n_shown < found.n_found and st.button(tr("Show more pictures")):
        st.session_state["n_found_shown"] = n_shown + PER_PAGE
        st.rerun()
    weights(here, found, shown)


def empty(shown: Index, here: View) -> None:
    """Say how words are chosen, and offer some."""
    st.header(tr("Which pictures hold these words?"), anchor=False, help=tr(words.TERMS["word"]))
    st.markdown(
        tr(
            "Choose some visual words: from the map, from the grid, or by a keypoint that you "
            "click in Inspect. The pictures that hold them come, weighted: a rare word counts "
            "more, and a word that repeats says less each time."
        )
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            tr("Choose on the map"),
            on_click=view.go,
            kwargs={"part": view.WORDS},
        )
        _add(shown, here)
    if here.link.has_query:
        suggested(shown, here)


def _add(shown: Index, here: View) -> None:
    key = f"add-word-{len(here.words)}"

    def added() -> None:
        word = st.session_state[key]
        if word is not None:
            view.go(words=View.here().with_word(int(word)))

    st.number_input(
        tr("Add a word"),
        0,
        shown.n_words - 1,
        None,
        key=key,
        placeholder=tr("0 to {last}", last=shown.n_words - 1),
        on_change=added,
        disabled=len(here.words) == view.MOST_WORDS,
        width=200,
    )


def suggested(shown: Index, here: View) -> None:
    """Offer the words that tell most of the query."""
    try:
        counts = np.asarray(opened.describe(shown, here.link).bag.counts, np.float64)
    except EngineError as error:
        st.warning(words.plain(str(error)))
        return
    weights = np.sqrt(counts) * word_search.weigh(shown.document_frequency, shown.n_images)
    best = np.argsort(-weights, kind="stable")[:N_SUGGESTED]
    chosen = best[weights[best] > 0].tolist()
    if not chosen:
        return
    name = query.name(shown, here.link).rsplit("/", 1)[-1]
    st.markdown(tr("**The words that tell most of {picture}**", picture=words.plain(name)))
    st.button(tr("Search with these words"), on_click=view.go, kwargs={"words": tuple(chosen)})
    gallery(
        tiles.word_tiles(shown, here, chosen, adds=True),
        "suggested",
        tr("Words of the query"),
        columns=8,
        columns_small=4,
        ratio="1 / 1",
        sharp=True,
    )


def results(shown: Index, here: View, found: WordSearch) -> None:
    """Show the pictures: those that hold all of the words, then the others."""
    if not found.n_found:
        st.info(tr("No picture holds any of these words."))
        return
    all_of, some_of = _headings(found)
    made = []
    most = float(found.scores.max()) or 1.0
    for place, image_id in enumerate(found.image_ids.tolist()):
        above = None
        if place == 0 and found.n_complete:
            above = all_of
        elif place == found.n_complete:
            above = some_of
        made.append(_result(shown, here, found, place, image_id, most, above))
    gallery(made, "found-by-words", tr("Pictures that hold these words"))


def _headings(found: WordSearch) -> tuple[str, str]:
    """Return what stands above the pictures with all of the words, and above the others."""
    n_words, n_some = len(found.word_ids), found.n_found - found.n_complete
    if n_words == 1:
        return trn("{n:,} picture holds it", "{n:,} pictures hold it", found.n_found), ""
    all_of = trn(
        "{n:,} picture holds all {words} words",
        "{n:,} pictures hold all {words} words",
        found.n_complete,
        words=n_words,
    )
    if found.n_complete:
        return all_of, trn("{n:,} more holds some of them", "{n:,} more hold some of them", n_some)
    none = trn(
        "No picture holds all {words} words; {n:,} holds some of them",
        "No picture holds all {words} words; {n:,} hold some of them",
        n_some,
        words=n_words,
    )
    return all_of, none


def _result(
    shown: Index,
    here: View,
    found: WordSearch,
    place: int,
    image_id: int,
    most: float,
    above: str | None,
) -> Tile:
    """Make the tile of one picture, with the words that add most to its score."""
    counts, added = found.counts[place], found.added[place]
    order = [i for i in np.argsort(-added, kind="stable").tolist() if counts[i]]
    named = [f"{found.word_ids[i]} × {counts[i]:,}" for i in order[:N_NAMED]]
    note = ", ".join(named)
    if len(order) > N_NAMED:
        more = len(order) - N_NAMED
        note = trn("{named} and {n} more", "{named} and {n} more", more, named=note)
    name = shown.images[image_id].shown
    held = tr("{held} of {all} words", held=len(order), all=len(found.word_ids))
    first = int(found.word_ids[order[0]])
    drawn = "-".join(map(str, found.word_ids.tolist()))
    return Tile(
        id=image_id,
        url=urls.picture(shown, image_id, 320, keypoints=drawn),
        href=urls.page("inspect", here.link.to(image_id=image_id, word=first)),
        alt=f"{place + 1}: {name}, {held}, {found.scores[place]:.3f}",
        title=tr("{picture}: show where", picture=name),
        caption=name.rsplit("/", 1)[-1],
        rank=str(place + 1),
        score=f"{found.scores[place]:.3f}",
        share=float(found.scores[place]) / most,
        above=above,
        note=tr("{held}: {words}", held=held, words=note),
        more=((tr("Search from here"), urls.page("search", here.link.to(image_id=image_id))),),
    )


def weights(here: View, found: WordSearch, shown: Index) -> None:
    """Say what each word weighs, and what the score is made of."""
    st.subheader(tr("What each word weighs"), anchor=False)
    st.caption(
        tr(
            "A picture's score is the sum, over the words, of the word's weight times the root of "
            "the share that the picture's keypoints of it have. A word weighs log(1 + pictures / "
            "pictures that hold it): the rarer, the more."
        )
    )
    heading = [tr("Word"), tr("Weight"), tr("Images"), tr("Keypoints"), tr("Adds to the first")]
    rows = [
        Row(
            (
                Cell(
                    str(word),
                    here.href(word=word),
                    urls.word(shown, word),
                    label=tr("Word {word}", word=word),
                ),
                Cell(f"{found.word_weights[place]:.3f}"),
                Cell(f"{int(shown.document_frequency[word]):,}"),
                Cell(f"{int(shown.frequency[word]):,}"),
                Cell(f"{found.added[0][place]:.3f}" if found.n_found else "–"),
            )
        )
        for place, word in enumerate(found.word_ids.tolist())
    ]
    table(heading, rows, "word-weights", tr("What each word weighs"), heading[1:])
