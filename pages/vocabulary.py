"""Vocabulary: every visual word by the patches that lie nearest to it."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import images
from engine.index import Index
from ui import link, opened, urls, words
from ui.components import Tile, bars, gallery
from ui.link import Link

MEASURES = ("Number", "Keypoints", "Images", "idf", "Spread")
N_BINS = 30
N_IMAGES = 8
N_NEIGHBOURS = 8
PER_PAGE = 500


def measured(shown: Index, measure: str) -> NDArray[Any]:
    """Return one value a word, by which words are sorted and filtered."""
    values: dict[str, NDArray[Any]] = {
        "Number": np.arange(shown.n_words),
        "Keypoints": shown.frequency,
        "Images": shown.document_frequency,
        "idf": shown.idf,
        "Spread": shown.mean_distance,
    }
    return values[measure]


def between(measure: str, values: NDArray[Any]) -> tuple[float, float]:
    """Show a slider over the values of a measure; return its two ends."""
    # The range follows the collection, so each range has a slider of its own.
    label, key = f"{measure} from, to", f"range-{measure}-{values.max():g}"
    if values.dtype.kind in "iu":
        low, high = int(values.min()), max(int(values.max()), int(values.min()) + 1)
        return st.slider(label, low, high, (low, high), key=key, persist_state="session")
    top = max(round(float(values.max()) + 0.005, 2), 0.01)
    return st.slider(label, 0.0, top, (0.0, top), 0.01, key=key, persist_state="session")


def chosen_words(shown: Index) -> NDArray[np.int64]:
    """Show how words are sorted and filtered; return those that remain, in order."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        measure = st.selectbox(
            "Sort and filter by",
            MEASURES,
            key="measure",
            persist_state="session",
            help="Keypoints: how many belong to the word. Images: how many hold it. "
            f"{words.TERMS['idf']} Spread: mean distance of its keypoints to its centre.",
        )
        values = measured(shown, measure)
        ends = between(measure, values)
        falling = st.toggle(
            "Highest first",
            measure != "Number",
            key=f"falling-{measure}",
            persist_state="session",
        )
        st.number_input(
            "Find a word",
            0,
            shown.n_words - 1,
            None,
            key="find",
            placeholder=f"0 to {shown.n_words - 1}",
            on_change=lambda: link.go(word=st.session_state["find"]),
        )
    order = np.argsort(-values if falling else values, kind="stable")
    return order[(values[order] >= ends[0]) & (values[order] <= ends[1])]


def word_tiles(shown: Index, here: Link, chosen: NDArray[Any]) -> list[Tile]:
    """Make the tiles of some words."""
    idf, most = shown.idf, max(1, int(shown.frequency.max()))
    return [word_tile(shown, here, word, float(idf[word]), most) for word in chosen.tolist()]


def word_tile(shown: Index, here: Link, word: int, idf: float, most: int) -> Tile:
    """Make the tile of a word; the bar is full at `most` keypoints."""
    count = int(shown.frequency[word])
    return Tile(
        id=word,
        url=urls.word(shown, word),
        href=urls.page("vocabulary", here.to(word=word)),
        alt=f"Word {word}: {words.counted(count, 'keypoint')} in "
        f"{words.counted(int(shown.document_frequency[word]), 'image')}",
        title=f"Word {word} · {words.counted(count, 'keypoint')} · idf {idf:.2f}",
        rank=str(word),
        share=count / most,
    )


def grid(shown: Index, here: Link) -> None:
    """Show the vocabulary, sorted and filtered."""
    st.header(words.counted(shown.n_words, "visual word"), help=words.TERMS["word"], anchor=False)
    kept = chosen_words(shown)
    n_shown = st.session_state.setdefault("n_words_shown", PER_PAGE)
    st.caption(
        f"{words.counted(len(kept), 'word')} · each by the patches nearest to its centre; "
        "the bar says how many keypoints it has"
    )
    tiles = word_tiles(shown, here, kept[:n_shown])
    gallery(
        tiles,
        "words",
        "Visual words",
        columns=12,
        columns_small=4,
        ratio="1 / 1",
        sharp=True,
    )
    if n_shown < len(kept) and st.button("Show more words"):
        st.session_state["n_words_shown"] = n_shown + PER_PAGE
        st.rerun()


def patches(shown: Index, here: Link, word: int) -> None:
    """Show the kept patches of a word, each with the picture it comes from."""
    rows = shown.patch_keypoints[word]
    rows = rows[rows >= 0]
    owners = shown.image_of_row(rows)
    distances = shown.distances(rows)
    cut = shown.patches(word)
    tiles = [
        Tile(
            id=place,
            url=urls.inlined(images.encode_jpeg(cut[place], 90)),
            href=urls.page("inspect", here.to(image_id=owner, word=word)),
            alt=f"Patch from {shown.images[owner].shown}, distance {distance:.2f}",
            title=f"{shown.images[owner].shown}: show where",
            caption=f"{distance:.2f}",
        )
        for place, (owner, distance) in enumerate(zip(owners.tolist(), distances.tolist()))
    ]
    st.markdown("**Nearest patches**", help="Cut out upright: turned and scaled as the keypoint.")
    gallery(
        tiles,
        "patches",
        f"Patches of word {word}",
        columns=8,
        columns_small=4,
        ratio="1 / 1",
        sharp=True,
    )


def spread(shown: Index, word: int) -> None:
    """Show how far the keypoints of a word lie from it."""
    rows = shown.keypoint_rows_of_word(word)
    distances = shown.distances(rows)
    counts, edges = np.histogram(distances, bins=N_BINS, range=(0.0, max(0.8, distances.max())))
    st.markdown("**Distances to the word**", help=words.TERMS["descriptor"])
    bars(
        counts.tolist(),
        [f"{edge:.2f}" for edge in edges],
        "spread",
        "keypoints",
        "distance",
        f"Distances of {len(rows)} keypoints to word {word}: mean "
        f"{distances.mean():.3f}, from {distances.min():.3f} to {distances.max():.3f}",
    )


def holders(shown: Index, here: Link, word: int) -> None:
    """Show the images that hold most of a word."""
    ids, counts, _ = shown.images_of_word(word, N_IMAGES)
    tiles = [
        Tile(
            id=image_id,
            url=urls.picture(shown, image_id, 320, keypoints=word),
            href=urls.page("inspect", here.to(image_id=image_id, word=word)),
            alt=f"{shown.images[image_id].shown}: {words.counted(count, 'keypoint')} of the word",
            title=f"{shown.images[image_id].shown}: show where",
            caption=shown.images[image_id].shown.rsplit("/", 1)[-1],
            score=f"{count:,}",
            share=count / max(1, int(counts[0])),
        )
        for image_id, count in zip(ids.tolist(), counts.tolist())
    ]
    st.markdown("**Images that hold most of it**")
    gallery(tiles, "holders", f"Images that hold most of word {word}")


def one_word(shown: Index, here: Link, word: int) -> None:
    """Show everything about one word."""
    opened.check_word(shown, word)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(f"Word {word}", anchor=False, help=words.TERMS["word"])
        if word > 0:
            st.button("Previous", on_click=link.go, kwargs={"word": word - 1})
        if word + 1 < shown.n_words:
            st.button("Next", on_click=link.go, kwargs={"word": word + 1})
        st.button("All words", on_click=link.go, kwargs={"word": None})
    st.caption(
        f"{words.counted(int(shown.frequency[word]), 'keypoint')} in "
        f"{words.counted(int(shown.document_frequency[word]), 'image')} · "
        f"idf {shown.idf[word]:.2f} · distance {shown.mean_distance[word]:.3f} "
        f"± {shown.std_distance[word]:.3f}"
    )
    if shown.frequency[word] == 0:
        st.info("No keypoint of this collection belongs to this word.")
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        patches(shown, here, word)
        holders(shown, here, word)
    with right:
        spread(shown, word)
        near, distances = shown.nearest_words(word, N_NEIGHBOURS)
        st.markdown("**Nearest other words**")
        tiles = word_tiles(shown, here, near)
        gallery(tiles, "near", "Nearest other words", 4, 4, ratio="1 / 1", sharp=True)
        st.caption(f"At distances {distances.min():.3f} to {distances.max():.3f}")


def main() -> None:
    """Show the page."""
    here = link.here()
    shown = opened.collection(here)
    if here.word is None:
        grid(shown, here)
    else:
        one_word(shown, here, here.word)


main()
