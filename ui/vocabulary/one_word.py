"""Everything about one word: its patches, the pictures that hold it, the words around it."""

import numpy as np
import streamlit as st

from engine import images
from engine.index import Index
from engine.language import tr
from ui import opened, urls, words
from ui.components import Tile, bars, gallery
from ui.vocabulary import kept, tiles, view
from ui.vocabulary.view import View

N_BINS = 30
N_IMAGES = 8
N_NEIGHBOURS = 8


def show(shown: Index, here: View, word: int) -> None:
    """Show everything about one word."""
    opened.check_word(shown, word)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(tr("Word {word}", word=word), anchor=False, help=tr(words.TERMS["word"]))
        if word > 0:
            st.button(tr("Previous"), on_click=view.go, kwargs={"word": word - 1})
        if word + 1 < shown.n_words:
            st.button(tr("Next"), on_click=view.go, kwargs={"word": word + 1})
        back = {"word": None, "part": view.WORDS}
        st.button(tr("All words"), on_click=view.go, kwargs=back)
        _search(here, word)
    st.caption(" · ".join(_facts(shown, word)))
    if shown.frequency[word] == 0:
        st.info(tr("No keypoint of this collection belongs to this word."))
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        patches(shown, here, word)
        holders(shown, here, word)
    with right:
        spread(shown, word)
        near, distances = shown.nearest_words(word, N_NEIGHBOURS)
        st.markdown(f"**{tr('Nearest other words')}**")
        gallery(
            tiles.word_tiles(shown, here, near.tolist()),
            "near",
            tr("Nearest other words"),
            4,
            4,
            ratio="1 / 1",
            sharp=True,
        )
        low, high = float(distances.min()), float(distances.max())
        st.caption(tr("At distances {low:.3f} to {high:.3f}", low=low, high=high))


def _search(here: View, word: int) -> None:
    """Lead to the search by words with this one, alone or with those chosen before."""
    if word in here.words:
        to = {"part": view.SEARCH, "word": None}
        st.button(tr("To the search by words"), on_click=view.go, kwargs=to)
        return
    chosen = (*here.words, word)[-view.MOST_WORDS :]
    label = tr("Search with this word too") if here.words else tr("Search with this word")
    st.button(label, on_click=view.go, kwargs={"part": view.SEARCH, "word": None, "words": chosen})


def _facts(shown: Index, word: int) -> list[str]:
    facts = [
        tr(
            "{keypoints} in {images}",
            keypoints=tiles.n_keypoints(int(shown.frequency[word])),
            images=tiles.n_images(int(shown.document_frequency[word])),
        ),
        f"idf {shown.idf[word]:.2f}",
        tr(
            "distance {mean:.3f} ± {std:.3f}",
            mean=shown.mean_distance[word],
            std=shown.std_distance[word],
        ),
    ]
    share = kept.dark_shares(shown)[word] if shown.extraction.uses_surf else np.nan
    if not np.isnan(share):
        facts.append(tr("{share:.0%} dark on light", share=share))
    return facts


def patches(shown: Index, here: View, word: int) -> None:
    """Show the kept patches of a word, each with the picture it comes from."""
    rows = shown.patch_keypoints[word]
    rows = rows[rows >= 0]
    owners = shown.image_of_row(rows)
    distances = shown.distances(rows)
    cut = shown.patches(word)
    made = [
        Tile(
            id=place,
            url=urls.inlined(images.encode_jpeg(cut[place], 90)),
            href=urls.page("inspect", here.link.to(image_id=owner, word=word)),
            alt=tr(
                "Patch from {picture}, distance {distance:.2f}",
                picture=shown.images[owner].shown,
                distance=distance,
            ),
            title=tr("{picture}: show where", picture=shown.images[owner].shown),
            caption=f"{distance:.2f}",
        )
        for place, (owner, distance) in enumerate(zip(owners.tolist(), distances.tolist()))
    ]
    told = tr("Cut out upright: turned and scaled as the keypoint.")
    st.markdown(f"**{tr('Nearest patches')}**", help=told)
    gallery(
        made,
        "patches",
        tr("Patches of word {word}", word=word),
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
    st.markdown(f"**{tr('Distances to the word')}**", help=tr(words.TERMS["descriptor"]))
    bars(
        counts.tolist(),
        [f"{edge:.2f}" for edge in edges],
        "spread",
        tr("keypoints"),
        tr("distance"),
        tr(
            "Distances of {keypoints} to word {word}: mean {mean:.3f}, from {low:.3f} to "
            "{high:.3f}",
            keypoints=tiles.n_keypoints(len(rows)),
            word=word,
            mean=distances.mean(),
            low=distances.min(),
            high=distances.max(),
        ),
    )


def holders(shown: Index, here: View, word: int) -> None:
    """Show the images that hold most of a word."""
    ids, counts, _ = shown.images_of_word(word, N_IMAGES)
    made = []
    for image_id, count in zip(ids.tolist(), counts.tolist()):
        name = shown.images[image_id].shown
        made.append(
            Tile(
                id=image_id,
                url=urls.picture(shown, image_id, 320, keypoints=word),
                href=urls.page("inspect", here.link.to(image_id=image_id, word=word)),
                alt=tr(
                    "{picture}: {keypoints} of the word",
                    picture=name,
                    keypoints=tiles.n_keypoints(count),
                ),
                title=tr("{picture}: show where", picture=name),
                caption=name.rsplit("/", 1)[-1],
                score=f"{count:,}",
                share=count / max(1, int(counts[0])),
            )
        )
    st.markdown(f"**{tr('Images that hold most of it')}**")
    gallery(made, "holders", tr("Images that hold most of word {word}", word=word))
