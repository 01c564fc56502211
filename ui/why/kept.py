"""The explanation as a file: one page that opens anywhere, or JSON for programs."""

import json

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import report
from engine.errors import ImageError
from engine.explanation import to_json
from engine.language import tr
from ui import opened, query
from ui.language import kept
from ui.why import changed
from ui.why.asked import Asked


def downloads(asked: Asked) -> None:
    """Show what can be downloaded; it is made when it is asked for."""
    stem = f"why-{asked.place}"
    st.download_button(
        tr("Download as a page"),
        kept(lambda: page(asked)),
        file_name=f"{stem}.html",
        mime="text/html",
        on_click="ignore",
    )
    st.download_button(
        tr("Download as JSON"),
        lambda: as_json(asked),
        file_name=f"{stem}.json",
        mime="application/json",
        on_click="ignore",
    )


def page(asked: Asked) -> bytes:
    """Return the explanation as one HTML file that holds all it needs."""
    shown, link = asked.shown, asked.here.link
    try:
        ours: NDArray[np.uint8] | None = opened.describe_unchanged(shown, link).image.rgb
    except ImageError:
        ours = None
    try:
        theirs: NDArray[np.uint8] | None = opened.pixels(shown, asked.result)
    except ImageError:
        theirs = None
    name = query.name(shown, link).rsplit("/", 1)[-1]
    if asked.here.is_changed:
        left_out = changed.left_out(asked.here)
        name = tr("{name}, without {left_out}", name=name, left_out=left_out)
    asks = report.Shown(name, asked.size, ours, asked.query.xy, asked.query_words)
    return report.make(shown, asks, asked.answer, asked.explained, theirs)


def as_json(asked: Asked) -> str:
    """Return the explanation for programs."""
    told = to_json(asked.explained, asked.shown)
    left_out = {"words": list(asked.here.off), "areas": [list(area) for area in asked.here.areas]}
    name = query.name(asked.shown, asked.here.link)
    whole = {"query": name, "left_out": left_out, **told, "total": asked.explained.total}
    return json.dumps(whole, indent=1, allow_nan=False)
