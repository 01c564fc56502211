"""Search: one photograph, and the most similar pictures of the collection."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import encode, index, methods
from engine.index import Index
from engine.pipeline import Answer
from ui import link, opened, query, urls, words
from ui.components import Tile, gallery
from ui.link import Link

FEW = 4
MORE = 20
FULL_BAR = 10.0  # a verified score whose bar is full, unless there is a higher one


def controls(shown: Index, here: Link) -> bool:
    """Show collection and method; return whether keypoints are drawn."""
    with st.popover("Settings"):
        link.choose("Collection", index.list_indexes(), "collection", shown.name)
        method = link.choose(
            "Method",
            methods.available(shown.parts),
            "method",
            method_of(shown, here),
            help="What is compared, and how.",
        )
        st.caption(words.METHODS[method])
        for other in methods.METHODS:
            for part in methods.lacking(other, shown.parts):
                st.caption(f"For {other}, run `{methods.adding(part, shown.name)}`.")
        drawn: bool = st.toggle(
            "Show keypoints", key="drawn", persist_state="session", help=words.TERMS["keypoint"]
        )
    return drawn


def method_of(shown: Index, here: Link) -> str:
    """Return the method that a link names, or the collection's own."""
    return here.method if here.method in methods.available(shown.parts) else shown.method


def word_ids(shown: Index, here: Link) -> NDArray[np.int32]:
    """Return the word of each keypoint of the query."""
    if here.image_id is not None:
        return shown.words(here.image_id).word_ids
    return opened.describe(shown, here).words.word_ids


def shares(found: Answer) -> NDArray[np.float32]:
    """Return how long each score's bar is, 0 to 1."""
    scores = found.ranking.scores
    if found.method == encode.L1:
        return scores
    if found.method in methods.VECTORS:
        return np.maximum(2 * scores - 1, 0)
    if found.method in methods.AGGREGATED:
        return scores
    return scores / max(float(scores.max(initial=0)), FULL_BAR)


def result_tiles(
    shown: Index, here: Link, found: Answer, n_results: int, drawn: bool
) -> list[Tile]:
    """Make the tiles of an answer."""
    more = {"keypoints": "all"} if drawn else {}
    tiles = []
    columns = (found.ranking.image_ids.tolist(), found.ranking.scores.tolist(), shares(found))
    for rank, (image_id, score, share) in enumerate(zip(*columns), 1):
        if rank > n_results:
            break
        path, told = shown.images[image_id].shown, words.score(found.method, score)
        tiles.append(
            Tile(
                id=image_id,
                url=urls.picture(shown, image_id, 640 if drawn else 320, **more),
                href=urls.page("search", here.to(image_id=image_id)),
                alt=f"{path}, rank {rank}, score {told}",
                title=f"{path}: search from here",
                caption=path.rsplit("/", 1)[-1],
                rank=str(rank),
                score=told,
                share=float(share),
                more=(("Inspect", urls.page("inspect", here.to(image_id=image_id))),),
                download=urls.file(shown, image_id),
            )
        )
    return tiles


def results(shown: Index, here: Link, drawn: bool) -> None:
    """Show the most similar pictures."""
    many = here in st.session_state.setdefault("many", set())
    used = word_ids(shown, here)
    if len(used) == 0:
        st.subheader("Nothing to search with", anchor=False)
        st.warning(words.no_keypoints(shown.extraction, "in Inspect"))
        link.page_link("inspect", "Look into it in Inspect")
        return
    found = opened.search(shown, here, method_of(shown, here))
    n_results = min(MORE if many else FEW, found.n_images)
    told = f"{n_results} most similar of {words.counted(found.n_images, 'image')}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(told, help=words.SCORES[found.method], anchor=False)
        if not many and n_results < found.n_images and st.button("Show more"):
            st.session_state["many"].add(here)
            st.rerun()
        st.download_button(
            "Results as CSV",
            lambda: as_csv(shown, found),
            file_name="results.csv",
            mime="text/csv",
            on_click="ignore",
        )
    gallery(result_tiles(shown, here, found, n_results, drawn), "results", told)
    st.caption(
        f"{words.counted(len(used), 'keypoint')} · {len(set(used.tolist()))} of "
        f"{shown.n_words:,} words · {words.steps(found.timings, shown.extraction.title)}"
    )
    st.caption(words.METHODS[found.method])


def as_csv(shown: Index, found: Answer) -> str:
    """Return the whole ranking as a table."""
    pairs = zip(found.ranking.image_ids.tolist(), found.ranking.scores.tolist())
    rows: list[list[object]] = [
        [rank, shown.images[image_id].shown, f"{score:.6f}"]
        for rank, (image_id, score) in enumerate(pairs, 1)
    ]
    return words.csv(["rank", "image", "score"], rows)


def main() -> None:
    """Show the page."""
    here = link.here()
    shown = opened.collection(here)
    if shown.n_images == 0:
        st.info("This collection is empty. Add pictures to its folder and build it again.")
        return
    if here.image_id is not None:
        opened.check_image(shown, here.image_id)
    left, right = st.columns([1, 3], gap="large")
    with left:
        if here.has_query:
            query.picture(shown, here, keypoints=bool(st.session_state.get("drawn")))
            st.caption(words.plain(query.name(shown, here)))
            expected = query.expectation(here)
            if expected:
                st.caption(expected)
        else:
            query.uploader()
        with st.container(horizontal=True):
            drawn = controls(shown, here)
            if here.has_query:
                st.button("Clear the query", on_click=link.go, kwargs={"image_id": None})
        if here.has_query:
            query.uploader("Drop another photograph")
    with right:
        if here.has_query:
            results(shown, here, drawn)
            query.samples(shown, "Or try one of these, from easy to really hard", "search")
        else:
            st.header("Find the pictures of the same thing", anchor=False)
            invitation = "Try one of these, from easy to really hard, or drop your own"
            query.samples(shown, invitation, "search")
            query.browse(shown, "search")


main()
