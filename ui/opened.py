"""What is opened once and shared by all visitors: indexes, recent queries and answers."""

import colorsys
import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import (
    embedding_search,
    fused,
    images,
    index,
    methods,
    occlusion,
    pipeline,
    whatif,
    word_map,
)
from engine.answer import Answer
from engine.errors import ArtifactError, EngineError, ImageError, reason
from engine.images import Image
from engine.index import Index
from engine.language import tr
from engine.pipeline import QueryFeatures
from engine.surf import SurfParams
from ui import described, samples
from ui.link import Link
from ui.uploads import STORE, Upload


def _is_current(opened: Index) -> bool:
    return index.stamp(opened.name) == opened.stamp


@st.cache_resource(max_entries=8, show_spinner=False, validate=_is_current)
def open_index(name: str) -> Index:
    """Open an index; it is opened again when it has changed on disk."""
    return index.open_index(name)


def collection(link: Link) -> Index:
    """Return the collection that a link names, or the first there is.

    Raises
    ------
    ArtifactError
        If there is none.
    """
    names = index.list_indexes()
    if not names:
        raise ArtifactError(tr("There is no collection yet. Make one with: python -m engine demo"))
    if link.collection and link.collection not in names:
        raise ArtifactError(
            tr(
                "There is no collection {name!r}. Those there are: {names}.",
                name=link.collection,
                names=", ".join(names),
            )
        )
    return open_index(name_of(link))


def name_of(link: Link) -> str:
    """Return the name of the collection that a link leads to; empty if there is none at all."""
    names = index.list_indexes()
    return link.collection or ("demo" if "demo" in names else "".join(names[:1]))


def others(link: Link) -> list[str]:
    """Return the names of the collections that a link does not lead to."""
    return [name for name in index.list_indexes() if name != name_of(link)]


def check_image(opened: Index, image_id: int) -> None:
    """Raise an ImageError if the collection has no such picture."""
    if image_id >= opened.n_images:
        raise ImageError(
            tr(
                "The collection {name} has no picture {image_id}: it has {n_images}, numbered "
                "from 0. It may have been built anew since this link was made.",
                name=opened.name,
                image_id=image_id,
                n_images=opened.n_images,
            )
        )


def check_word(opened: Index, word: int) -> None:
    """Raise an EngineError if the collection has no such word."""
    if word >= opened.n_words:
        raise EngineError(
            tr(
                "The collection {name} has no word {word}: it has {n_words}, numbered from 0. It "
                "may have been built anew since this link was made.",
                name=opened.name,
                word=word,
                n_words=opened.n_words,
            )
        )


def _query_file(opened: Index, link: Link) -> Upload | Path:
    """Return the query picture of a link: what was uploaded, or where it lies."""
    if link.image_id is not None:
        check_image(opened, link.image_id)
        return opened.picture_path(link.image_id)
    if link.sample is not None:
        return samples.path(link.sample)
    upload = STORE.get(link.upload or "")
    if upload is None:
        raise ImageError(tr("This upload is gone: uploads are kept for two hours. Drop it again."))
    return upload


def describe(opened: Index, link: Link, surf: SurfParams | None = None) -> QueryFeatures:
    """Take the query of a link from its file to its words, or recall it.

    Raises
    ------
    ImageError
        If its file is gone or cannot be read.
    """
    chosen = surf or opened.surf
    found = _query_file(opened, link)

    def make() -> QueryFeatures:
        data = found.data if isinstance(found, Upload) else found.read_bytes()
        made = pipeline.describe_query(opened, images.decode(data, found.name), chosen)
        return dataclasses.replace(made, image=dataclasses.replace(made.image, name=""))

    try:
        sha256 = found.sha256 if isinstance(found, Upload) else described.file_digest(found)
        return described.STORE.get(described.Key(opened.name, opened.stamp, sha256, chosen), make)
    except OSError as error:
        raise ImageError(
            tr(
                "{name} is no longer where it was when the collection was built ({why}). Put it "
                "back, or build the collection again.",
                name=found.name,
                why=reason(error),
            )
        ) from None


def describe_unchanged(opened: Index, link: Link) -> QueryFeatures:
    """Take the query of a link to its words, where its file is still what was searched with.

    Raises
    ------
    ImageError
        If it is gone, cannot be read, or, a picture of the collection, has changed.
    """
    found = describe(opened, link)
    if link.image_id is not None:
        _check_unchanged(opened, link.image_id, found.image.sha256)
    return found


def word_ids(opened: Index, link: Link) -> NDArray[np.int32]:
    """Return the word of each keypoint of the query of a link."""
    if link.image_id is not None:
        return opened.words(link.image_id).word_ids
    return describe(opened, link).words.word_ids


def pixels(opened: Index, image_id: int) -> NDArray[np.uint8]:
    """Return the pixels of a picture of the collection: (H, W, 3) RGB.

    Raises
    ------
    ImageError
        If its file is gone, cannot be read, or has changed since the collection was built.
    """
    image = images.read(opened.picture_path(image_id))
    _check_unchanged(opened, image_id, image.sha256)
    return image.rgb


def _check_unchanged(opened: Index, image_id: int, sha256: str) -> None:
    entry = opened.images[image_id]
    if sha256 != entry.sha256:
        raise ImageError(
            tr(
                "{name} has changed since the collection was built. Build the collection again.",
                name=entry.shown,
            )
        )


def _answer_key(opened: Index, link: Link, method: str) -> described.SearchKey:
    if link.image_id is not None:
        check_image(opened, link.image_id)
        sha256 = opened.images[link.image_id].sha256
    else:
        sha256, _ = query_file(opened, link)
    query = described.Key(opened.name, opened.stamp, sha256, opened.surf)
    return described.SearchKey(query, method)


def is_answered(opened: Index, link: Link, method: str) -> bool:
    """Tell whether `search` would recall the answer."""
    return _answer_key(opened, link, method) in described.ANSWERS


def method_of(shown: Index, here: Link) -> str:
    """Return the method that a link names, or the collection's own."""
    able = methods.offered(shown.parts)
    if here.method in able:
        return here.method
    # What is verified stands first all the same, and at once.
    expands = shown.method == methods.VERIFIED and methods.EXPANDED in able
    return methods.EXPANDED if expands else shown.method


def search_without(
    opened: Index,
    link: Link,
    method: str,
    off: tuple[int, ...] = (),
    areas: tuple[tuple[int, int, int, int], ...] = (),
) -> Answer:
    """Rank the whole collection for a query without some words and parts, or recall how it was.

    Raises
    ------
    ImageError
        If the query's file is gone or cannot be read.
    """
    if not off and not areas:
        return search(opened, link, method)
    key = dataclasses.replace(_answer_key(opened, link, method), off=off, areas=areas)

    def make() -> Answer:
        both = methods.fused_of(method)
        if both is not None:
            words = search_without(opened, link, both.words, off, areas)
            vectors = search_without(opened, link, both.vectors, off, areas)
            return fused.join(words, vectors, method, opened.n_images, None)
        query = describe_unchanged(opened, link)
        if methods.is_embedding(method):
            image = dataclasses.replace(query.image, rgb=occlusion.cover(query.image.rgb, areas))
            return embedding_search.search_picture(opened, image, method, None)
        query = whatif.without(query, opened.n_words, off, areas)
        return pipeline.search_query(opened, query, method, None)

    return described.ANSWERS.get(key, make)


def search(opened: Index, link: Link, method: str) -> Answer:
    """Rank the whole collection for the query of a link, or recall how it was.

    Raises
    ------
    ImageError
        If the query's file is gone or cannot be read; for a picture of the collection only if
        it has no place in it.
    """
    key = _answer_key(opened, link, method)

    def make() -> Answer:
        if methods.expands(method):
            verified = search(opened, link, methods.VERIFIED)
            return pipeline.expand_answer(opened, verified, method, None)
        if link.image_id is None and methods.is_embedding(method):
            _, decode = query_file(opened, link)
            return embedding_search.search_picture(opened, decode(), method, None)
        if link.image_id is None:
            return pipeline.search_query(opened, describe(opened, link), method, None)
        if method not in methods.VECTORS and not methods.is_embedding(method):
            with contextlib.suppress(ImageError):  # gone or broken: what is stored is used
                query = describe(opened, link)
                if query.image.sha256 == key.query.sha256:
                    return pipeline.search_query(opened, query, method, None)
        return pipeline.search_stored(opened, link.image_id, method, None)

    return described.ANSWERS.get(key, make)


@st.cache_resource(max_entries=8, show_spinner=False)
def _colours(name: str, stamp: str) -> list[str]:
    opened = open_index(name)
    laid = word_map.open_map(opened)
    if laid is not None:
        plane = laid.places.astype(np.float64) - 0.5
    else:  # to lay them out takes seconds: by their two main directions
        centres = opened.codebook.centres.astype(np.float64)
        centred = centres - centres.mean(axis=0)
        _, _, axes = np.linalg.svd(centred, full_matrices=False)
        plane = centred @ axes[:2].T
    hues = np.arctan2(plane[:, 1], plane[:, 0]) / (2 * np.pi) % 1.0
    radius = np.linalg.norm(plane, axis=1)
    strength = 0.6 + 0.4 * radius / max(float(radius.max()), 1e-12)
    rgb = [colorsys.hsv_to_rgb(h, s, 0.85) for h, s in zip(hues, strength)]
    return ["#" + "".join(f"{round(255 * c):02x}" for c in colour) for colour in rgb]


def word_colours(opened: Index) -> list[str]:
    """Return one colour a word, as #rrggbb: hue by its place on the map, near ones alike."""
    return _colours(opened.name, opened.stamp)


def query_file(opened: Index, link: Link) -> tuple[str, Callable[[], Image]]:
    """Return the digest of the query's file, and what decodes it.

    Raises
    ------
    ImageError
        If its file is gone; when decoding it, if it cannot be read.
    """
    found = _query_file(opened, link)
    if isinstance(found, Upload):
        return found.sha256, lambda: images.decode(found.data, found.name)
    try:
        return described.file_digest(found), lambda: images.read(found)
    except OSError as error:
        raise ImageError(
            tr(
                "{name} is no longer where it was when the collection was built ({why}). Put it "
                "back, or build the collection again.",
                name=found.name,
                why=reason(error),
            )
        ) from None
