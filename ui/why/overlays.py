"""Drawings on the query: where the score comes from, and the result laid on it."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import draw, images
from engine import heat as heats
from engine.errors import ImageError
from engine.language import tr
from ui import opened, urls
from ui.components import overlay
from ui.why import view
from ui.why.asked import Asked

SIDE = 960  # pixels, the longer


def _query(asked: Asked) -> NDArray[np.uint8]:
    """Return the query's picture, at most SIDE pixels long."""
    return images.shrink(opened.describe_unchanged(asked.shown, asked.here.link).image.rgb, SIDE)


def heat(asked: Asked) -> NDArray[np.uint8]:
    """Draw where on the query the score comes from."""
    rgb = _query(asked)
    xy, values = heats.places(asked.drawn, asked.query.xy, asked.query_words)
    return draw.heat(rgb, xy, values, max(rgb.shape[:2]) / max(asked.size))


def warp(asked: Asked) -> NDArray[np.uint8]:
    """Draw the result as it lies on the query.

    Raises
    ------
    ImageError
        If the two do not agree on a map, or the result's file is gone.
    """
    affine = asked.drawn.affine
    if affine is None:
        raise ImageError(tr("the two pictures do not agree on a map"))
    entry, rgb = asked.shown.images[asked.result], opened.pixels(asked.shown, asked.result)
    factor = min(1.0, SIDE / max(asked.size))
    size = (max(1, round(asked.size[0] * factor)), max(1, round(asked.size[1] * factor)))
    scale = max(rgb.shape[:2]) / max(entry.width, entry.height)
    return draw.warp(rgb, affine, size, scale, factor)


def show(asked: Asked) -> None:
    """Show both drawings, each over the query."""
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(tr("Where the score comes from"), anchor=False)
        if asked.explained.total == 0 or not len(asked.words.values):
            st.caption(tr("Nothing of the query adds anything here."))
        else:
            overlay(
                urls.query(asked.shown, asked.here.link, 1280),
                view.drawing(asked.shown, asked.here, "heat"),
                *asked.size,
                "heat",
                tr("The query"),
                tr("Where the score comes from"),
            )
            st.caption(tr("The brighter, the more of the score comes from there."))
    with right:
        laid(asked)


def laid(asked: Asked) -> None:
    """Show the result laid on the query."""
    st.subheader(tr("The result laid on the query"), anchor=False)
    if asked.drawn.affine is None:
        st.caption(tr("The matches do not agree on a map, so there is nothing to lay on it."))
    else:
        overlay(
            urls.query(asked.shown, asked.here.link, 1280),
            view.drawing(asked.shown, asked.here, "warp"),
            *asked.size,
            "warp",
            tr("The query"),
            tr("The result"),
        )
        told = tr("Move the line, or press Swap: what is the same thing stays where it is.")
        st.caption(told)
