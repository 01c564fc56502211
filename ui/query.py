"""Choosing the query: an upload, a sample, or a picture of the collection."""

from collections.abc import Callable
from typing import Any, Protocol

import streamlit as st

from engine import demo
from engine.errors import ImageError
from engine.index import Index
from engine.language import tr, trn
from ui import link, opened, urls, words
from ui import samples as sample_files
from ui.components import Tile, gallery
from ui.dropzone import dropzone
from ui.link import Link
from ui.uploads import STORE

PER_PAGE = 24
EXTENSIONS = ["jpg", "jpeg", "png", "webp", "tif", "tiff", "bmp", "gif", "heic", "heif"]


class Chooses(Protocol):
    """A link, or what a page shows beyond it, that can get another query."""

    def to(self, **changes: Any) -> urls.Writes:
        """Return the same with other choices."""


def name(shown: Index, here: Link) -> str:
    """Return what the query is called."""
    if here.image_id is not None:
        return shown.images[shown.check_image_id(here.image_id)].shown
    if here.sample is not None:
        return sample_files.path(here.sample).name
    upload = STORE.get(here.upload or "")
    return upload.name if upload else tr("an upload that is gone")


def uploader(label: str = "", then: Callable[..., None] = link.go) -> None:
    """Show the place for an upload. What is dropped becomes the query: `then` takes its token."""
    key = f"uploader-{st.session_state.setdefault('n_uploads', 0)}"

    def uploaded() -> None:
        file = st.session_state[key]
        if file is None:
            return
        st.session_state["n_uploads"] += 1
        try:
            token = STORE.keep(file.name, file.getvalue())
        except ImageError as error:
            st.session_state["upload_error"] = str(error)
            return
        st.session_state.pop("upload_error", None)
        then(upload=token)

    label = label or tr("Drop a photograph here")
    dropzone(label, EXTENSIONS, key, uploaded)
    if "upload_error" in st.session_state:
        st.error(words.plain(st.session_state.pop("upload_error")))


def samples(shown: Index, invitation: str, page: str, view: Chooses | None = None) -> None:
    """Offer the demo's sample queries, one click each; `view` is what the page shows now."""
    here = view or link.here()
    if shown.name != demo.NAME or not sample_files.are_there():
        return
    tiles = [
        Tile(
            id=i,
            url=urls.query(shown, Link(sample=i), 160),
            href=urls.page(page, here.to(sample=i)),
            alt=tr("Try this one: {title}", title=tr(sample.title)),
            title=tr(sample.expectation),
            caption=tr(sample.title),
        )
        for i, sample in enumerate(demo.SAMPLE_QUERIES)
    ]
    st.caption(invitation)
    gallery(tiles, "samples", tr("Sample queries"), columns=5, columns_small=3)


def browse(shown: Index, page: str, view: Chooses | None = None) -> None:
    """Show the collection's pictures, to choose one of them."""
    here = view or link.here()
    n_shown = st.session_state.setdefault("n_browsed", PER_PAGE)
    asked = trn("Or choose one of {n:,} image", "Or choose one of {n:,} images", shown.n_images)
    st.subheader(asked, anchor=False)
    tiles = [
        Tile(
            id=image_id,
            url=urls.picture(shown, image_id, 320),
            href=urls.page(page, here.to(image_id=image_id)),
            alt=entry.shown,
            title=entry.shown,
            caption=entry.shown.rsplit("/", 1)[-1],
        )
        for image_id, entry in enumerate(shown.images[:n_shown])
    ]
    gallery(tiles, "browse", tr("Pictures of the collection"), columns=6, columns_small=2)
    if n_shown < shown.n_images and st.button(tr("Show more pictures")):
        st.session_state["n_browsed"] = n_shown + PER_PAGE
        st.rerun()


def expectation(here: Link) -> str | None:
    """Return what to expect of a sample query, if the query is one."""
    if here.sample is None or here.sample >= len(demo.SAMPLE_QUERIES):
        return None
    return tr(demo.SAMPLE_QUERIES[here.sample].expectation)


def picture(shown: Index, here: Link, *, keypoints: bool = False) -> None:
    """Show the query picture; a click looks into it."""
    described = opened.describe(shown, here) if here.image_id is None else None
    label = name(shown, here)
    more = {"keypoints": "all"} if keypoints else {}
    tile = Tile(
        id=0,
        url=urls.query(shown, here, 640, **more),
        href=urls.page("inspect", here),
        alt=tr("Query: {name}", name=label),
        title=tr("Inspect"),
    )
    if described is not None:
        height, width = described.image.gray.shape
    else:
        entry = shown.images[here.image_id or 0]
        width, height = entry.width, entry.height
    gallery(
        [tile],
        "query-picture",
        tr("Query"),
        columns=1,
        columns_small=1,
        ratio=f"{width} / {height}",
    )
