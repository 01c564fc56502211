"""Words as tiles, and the words that were chosen for a search."""

from collections.abc import Sequence

import streamlit as st

from engine.index import Index
from engine.language import tr, trn
from ui import urls
from ui.components import Tile, gallery
from ui.vocabulary import view
from ui.vocabulary.view import View


def n_keypoints(n: int) -> str:
    """Return "1 keypoint", "1,214 keypoints"."""
    return trn("{n:,} keypoint", "{n:,} keypoints", n)


def n_images(n: int) -> str:
    """Return "1 image", "118 images"."""
    return trn("{n:,} image", "{n:,} images", n)


def n_words(n: int) -> str:
    """Return "1 word", "500 words"."""
    return trn("{n:,} word", "{n:,} words", n)


def word_tiles(
    shown: Index,
    here: View,
    chosen: Sequence[int],
    adds: bool = False,
    scores: Sequence[str] | None = None,
) -> list[Tile]:
    """Make the tiles of some words.

    Parameters
    ----------
    shown : Index
        Their collection.
    here : View
        The page that they stand on.
    chosen : sequence of int
        The words.
    adds : bool
        Whether each has a link that adds it to the search by words, or takes it away.
    scores : sequence of str or None
        What stands beside the numbers of the words.
    """
    idf, most = shown.idf, max(1, int(shown.frequency.max()))
    made = []
    for place, word in enumerate(chosen):
        count, held = int(shown.frequency[word]), int(shown.document_frequency[word])
        told = f"{n_keypoints(count)} · idf {idf[word]:.2f}"
        where = tr("in {images}", images=n_images(held))
        named = tr("Word {word}", word=word)
        score = None if scores is None else scores[place]
        made.append(
            Tile(
                id=word,
                url=urls.word(shown, word),
                href=here.href(word=word),
                alt=f"{named}: {n_keypoints(count)} {where}" + (f", {score}" if score else ""),
                title=f"{named} · {told}",
                rank=str(word),
                score=score,
                share=count / most,
                more=_changes(here, word) if adds else (),
            )
        )
    return made


def _changes(here: View, word: int) -> tuple[tuple[str, str], ...]:
    if word in here.words:
        return ((tr("Take away"), here.href(words=here.without_word(word))),)
    if len(here.words) == view.MOST_WORDS:
        return ()
    return ((tr("Add"), here.href(words=here.with_word(word))),)


def chosen_tiles(shown: Index, here: View) -> None:
    """Show the words of the search; each can be taken away."""
    gallery(
        word_tiles(shown, here, here.words, adds=True),
        "chosen-words",
        tr("Words of the search"),
        columns=12,
        columns_small=4,
        ratio="1 / 1",
        sharp=True,
    )


def tray(shown: Index, here: View) -> None:
    """Show the words of the search where they are gathered, and lead on to it."""
    if not here.words:
        return
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            told = trn("{n} word for the search", "{n} words for the search", len(here.words))
            st.markdown(f"**{told}**", width="content")
            st.button(
                tr("Search by words"),
                key="tray-search",
                on_click=view.go,
                kwargs={"part": view.SEARCH, "word": None},
            )
            st.button(tr("Take all away"), on_click=view.go, kwargs={"words": ()})
        chosen_tiles(shown, here)
