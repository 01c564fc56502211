"""A network's score: the numbers that add most, what one of them stands for, where it looks."""

import dataclasses
from collections.abc import Callable, Hashable

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import account, draw, embedding_search, embeddings, images, occlusion
from engine.embeddings import Embeddings
from engine.errors import ImageError, ModelError
from engine.images import Image
from engine.language import tr, trn
from ui import opened, urls, words
from ui.components import Cell, Row, Tile, gallery, overlay, table
from ui.described import Store
from ui.why import view
from ui.why.asked import Asked
from ui.why.view import go

FEW, MORE = 10, 100
N_LARGEST = 12
SIDE = 960  # pixels, the longer
_LOSSES: Store[Hashable, NDArray[np.float64]] = Store(2**20)


def numbers(asked: Asked) -> None:
    """Show the numbers of both pictures that add most to the score; a click looks at one."""
    products, compared = asked.explained.dimensions, asked.answer.working.compared
    if products is None or compared is None:
        return
    st.subheader(tr("The network's numbers"), anchor=False)
    st.caption(
        tr(
            "The network turns every picture into the same list of numbers. Each adds the product "
            "of its values in the two pictures. What one stands for nobody has told it: look at "
            "the pictures where it is largest."
        )
    )
    many = st.session_state.setdefault("many-numbers", False)
    order = np.argsort(-np.abs(products), kind="stable")
    shown = order[: MORE if many else FEW].tolist()
    if asked.here.number is not None and asked.here.number < len(products):
        shown += [asked.here.number] if asked.here.number not in shown else []
    theirs = _kept(asked).vectors[asked.result]
    rows = [_row(asked, i, float(compared.vector[i]), float(theirs[i])) for i in shown]
    heading = [
        *(tr("Number"), tr("Adds"), tr("Share")),
        *(tr("In the query"), tr("In the result")),
    ]
    label = tr("The numbers that add most")
    table(heading, rows, "numbers", label, heading[1:])
    rest = np.setdiff1d(order, shown)
    if len(rest):
        st.caption(
            trn(
                "{n:,} further number together: {value}.",
                "{n:,} further numbers together: {value}.",
                len(rest),
                value=account.number(asked.answer.method, float(products[rest].sum())),
            )
        )
    if not many and len(order) > FEW and st.button(tr("Show more numbers")):
        st.session_state["many-numbers"] = True
        st.rerun()


def _kept(asked: Asked) -> Embeddings:
    return embeddings.open_embeddings(asked.shown, asked.answer.method)


def _row(asked: Asked, number: int, ours: float, theirs: float) -> Row:
    product = ours * theirs
    label = tr("Number {number}: look at it", number=number)
    cells = (
        Cell(tr("Number {number}", number=number), asked.here.href(number=number), label=label),
        Cell(account.number(asked.answer.method, product)),
        Cell(account.share(product, asked.explained)),
        Cell(f"{ours:.3f}"),
        Cell(f"{theirs:.3f}"),
    )
    return Row(cells, "▸" if number == asked.here.number else None)


def one(asked: Asked) -> None:
    """Show the pictures of the collection in which the chosen number is largest."""
    number, products = asked.here.number, asked.explained.dimensions
    if number is None or products is None or number >= len(products):
        return
    values = _kept(asked).vectors[:, number]
    largest = np.argsort(-values, kind="stable")[:N_LARGEST].tolist()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{tr('Number {number}', number=number)}**", width="content")
        st.button(tr("All numbers"), on_click=go, kwargs={"number": None})
    st.caption(tr("The pictures of the collection in which it is largest"))
    excluded = asked.answer.excluded
    tiles = [
        Tile(
            id=i,
            url=urls.picture(asked.shown, i, 320),
            href=asked.here.href(number=number, **({} if i in excluded else {"result": i})),
            alt=tr(
                "{path}: {value} in number {number}",
                path=asked.shown.images[i].shown,
                value=f"{values[i]:.3f}",
                number=number,
            ),
            title=asked.shown.images[i].shown,
            caption=asked.name_of(i),
            score=f"{values[i]:.3f}",
        )
        for i in largest
    ]
    label = tr("Pictures in which the number is largest")
    gallery(tiles, "largest", label, columns=6, columns_small=3)


def where(asked: Asked) -> None:
    """Show, when it is asked for, which parts of the query the score needs."""
    st.subheader(tr("Where the network looks"), anchor=False)
    key = f"covered-{asked.here.link.query()}-{asked.answer.method}-{asked.result}"
    if not st.session_state.get(key):
        st.caption(
            tr(
                "A square is moved over the query, and each time the score is taken again: where "
                "it falls most, the network looked."
            )
        )
        if st.button(tr("Cover part after part")):
            st.session_state[key] = True
            st.rerun()
        return
    bar = st.empty()

    def tell(n_done: int, n: int) -> None:
        """Show how far it is; a click elsewhere on the page ends it here."""
        share = tr("Covering part after part: {n_done} of {n}", n_done=n_done, n=n)
        bar.progress(n_done / n, share)

    try:
        lost = losses(asked, tell)
        bar.empty()
    except (ImageError, ModelError) as error:
        st.warning(words.with_command(str(error)))
        return
    if not (lost > 0).any():
        st.caption(tr("The score does not fall anywhere: no part of the query is needed."))
        return
    overlay(
        urls.query(asked.shown, asked.here.link, 1280),
        view.drawing(asked.shown, asked.here, "covered"),
        *asked.size,
        "covered",
        tr("The query"),
        tr("Where the network looks"),
    )
    most = float(lost.max())
    told = tr(
        "The brighter, the more the score of {score} falls when this part is covered: by up to "
        "{most} (on average over the squares that cover it).",
        score=f"{asked.explained.score:.3f}",
        most=f"{most:.3f}",
    )
    st.caption(told)


def losses(asked: Asked, progress: Callable[[int, int], None] | None = None) -> NDArray[np.float64]:
    """Return what the score loses where the query is covered, or recall it: (rows, columns).

    Raises
    ------
    ImageError
        If the query's file is gone or has changed.
    ModelError
        If the model is not installed, or is another than the one of the vectors.
    """
    kept = _kept(asked)
    image = opened.describe_unchanged(asked.shown, asked.here.link).image
    theirs = kept.vectors[asked.result].astype(np.float64)

    def score(rgb: NDArray[np.uint8]) -> float:
        covered = dataclasses.replace(image, rgb=rgb)
        vector = embedding_search.embed_query(asked.shown.name, kept, covered)
        return float(vector.astype(np.float64) @ theirs)

    rgb = occlusion.cover(image.rgb, asked.here.areas)
    return _LOSSES.get(_key(asked, image), lambda: occlusion.losses(rgb, score, progress))


def _key(asked: Asked, image: Image) -> Hashable:
    shown, areas = asked.shown, asked.here.areas
    return shown.name, shown.stamp, asked.answer.method, image.sha256, areas, asked.result


def covered(asked: Asked) -> NDArray[np.uint8]:
    """Draw what the score loses where the query is covered, once the page has found it out.

    Raises
    ------
    ImageError
        If it has not: an address alone starts no work.
    """
    image = opened.describe_unchanged(asked.shown, asked.here.link).image
    if _key(asked, image) not in _LOSSES:
        raise ImageError(tr("there is no such drawing"))
    return draw.heat_cells(images.shrink(image.rgb, SIDE), losses(asked))
