"""What the map is coloured by: classes of words, each with a colour and a line in the legend."""

import dataclasses
import html
from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine.index import Index
from engine.language import tr
from ui import opened, words
from ui.keypoints import SIGNS
from ui.vocabulary import kept, view
from ui.vocabulary.tiles import n_words
from ui.vocabulary.view import View

GREY = "#999999"
# From little to much, darkest first; none so dark or so light that it is lost on the ground.
STEPS = ("#7b3294", "#4575b4", "#1fa088", "#7ad151", "#fde725")
_SIGN_COLOURS: tuple[str, ...] = (SIGNS[-1], "#c9aa68", GREY, "#7aa8c1", SIGNS[1])
_N_CLASSES = 5


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Colouring:
    """How the words of a map are coloured.

    Attributes
    ----------
    classes : (K,) int32 array
        Class of each word, a place in `colours`.
    colours : tuple of str
        One a class.
    legend : tuple of str
        What the classes are, one each; empty where colours stand for nothing but the words.
    values : (K,) array
        What is told of each word when it is pointed at; nan for nothing.
    what : str
        What `values` are, translated.
    faint : (K,) bool array
        Words that stand back.
    told : str
        A line below the map.
    """

    classes: NDArray[np.int32]
    colours: tuple[str, ...]
    legend: tuple[str, ...]
    values: NDArray[np.float64]
    what: str
    faint: NDArray[np.bool_]
    told: str = ""


def colouring(shown: Index, here: View) -> Colouring:
    """Colour the words of a collection as an address says."""
    nobody = np.zeros(shown.n_words, bool)
    frequency = shown.frequency.astype(np.float64)
    if here.colour == view.FREQUENCY:
        return _graded(frequency, tr("Keypoints"), nobody)
    if here.colour == view.IDF:
        return _graded(shown.idf.astype(np.float64), "idf", nobody, digits=2)
    if here.colour == view.SIGN:
        return _signs(shown)
    if here.colour == view.PICTURE and here.link.has_query:
        return _of_picture(shown, here)
    classes, distinct = _own(shown.name, shown.stamp)
    told = tr(
        "Each word has the colour that its keypoints have on pictures; near words look alike."
    )
    return Colouring(classes, distinct, (), frequency, tr("Keypoints"), nobody, told)


@st.cache_resource(max_entries=8, show_spinner=False)
def _own(name: str, stamp: str) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Return the class of each word by its own colour, and the colours of the classes."""
    coarse = [_coarse(colour) for colour in opened.word_colours(opened.open_index(name))]
    distinct = tuple(sorted(set(coarse)))
    places = {colour: place for place, colour in enumerate(distinct)}
    return np.array([places[colour] for colour in coarse], np.int32), distinct


def _coarse(colour: str) -> str:
    """Return a colour of four bits a channel, so that thousands of words share hundreds."""
    return "#" + "".join(f"{round(int(colour[i : i + 2], 16) / 17):x}" for i in (1, 3, 5))


def _graded(
    values: NDArray[np.float64],
    what: str,
    faint: NDArray[np.bool_],
    digits: int = 0,
    told: str = "",
) -> Colouring:
    """Colour by classes that hold about as many words each; what is faint has one of its own."""
    counted = values[~faint]
    shares = np.linspace(0, 1, _N_CLASSES + 1)[1:-1]
    ends = np.unique(np.quantile(counted, shares, method="lower")) if len(counted) else np.zeros(0)
    classes = np.searchsorted(ends, values, side="left").astype(np.int32)
    n_classes = len(ends) + 1
    legend = []
    for place in range(n_classes):
        inside = values[(classes == place) & ~faint]
        if len(inside):
            low, high = f"{inside.min():,.{digits}f}", f"{inside.max():,.{digits}f}"
            span = low if low == high else f"{low}–{high}"
            legend.append(f"{span} ({n_words(len(inside))})")
        else:
            legend.append("")
    stops = np.linspace(0, len(STEPS) - 1, n_classes).round().astype(int)
    colours = [STEPS[stop] for stop in stops]
    if faint.any():
        classes[faint] = n_classes
        colours.append(GREY)
        legend.append(tr("not in the picture ({words})", words=n_words(int(faint.sum()))))
    return Colouring(classes, tuple(colours), tuple(legend), values, what, faint, told)


def _signs(shown: Index) -> Colouring:
    shares = kept.dark_shares(shown)
    unknown = np.isnan(shares)
    filled = np.where(unknown, 0.5, shares)
    classes = np.minimum((filled * _N_CLASSES).astype(np.int32), _N_CLASSES - 1)
    classes[unknown] = _N_CLASSES
    legend = []
    for place in range(_N_CLASSES):
        low, high = 20 * place, 20 * (place + 1)
        span = tr("{low} to {high} % dark on light", low=low, high=high)
        legend.append(f"{span} ({n_words(int((classes == place).sum()))})")
    colours = _SIGN_COLOURS
    if unknown.any():
        colours = (*colours, GREY)
        legend.append(tr("without a sign ({words})", words=n_words(int(unknown.sum()))))
    told = tr(
        "Whether the keypoints of a word are darker or lighter than what is around them: SURF "
        "finds it as the sign of the Laplacian."
    )
    values = np.round(100 * shares)
    return Colouring(classes, colours, tuple(legend), values, tr("Dark on light, %"), unknown, told)


def _of_picture(shown: Index, here: View) -> Colouring:
    image_id = here.link.image_id
    if image_id is None:
        held = opened.describe(shown, here.link).words
    else:  # known, even where its file is gone
        opened.check_image(shown, image_id)
        held = shown.words(image_id)
    counts = np.bincount(held.word_ids, minlength=shown.n_words).astype(np.float64)
    told = tr(
        "{used} of {words} occur in this picture.",
        used=f"{int((counts > 0).sum()):,}",
        words=n_words(shown.n_words),
    )
    return _graded(counts, tr("Keypoints in the picture"), counts == 0, told=told)


def legend(found: Colouring) -> None:
    """Say what the colours stand for, in numbers."""
    lines = [
        f'<span style="white-space:nowrap"><span aria-hidden="true" style="display:inline-block;'
        f"width:0.8em;height:0.8em;border-radius:50%;border:1px solid #888;background:{colour};"
        f'margin-right:0.35em"></span>{html.escape(told)}</span>'
        for colour, told in zip(found.colours, found.legend)
        if told
    ]
    if lines:
        st.html(
            '<div style="display:flex;flex-wrap:wrap;gap:0.2em 1em;font-size:0.875rem">'
            f"<span>{html.escape(found.what)}:</span>{''.join(lines)}</div>"
        )
    if found.told:
        st.caption(words.plain(found.told))


def options(shown: Index) -> Sequence[str]:
    """Return what the words of a collection can be coloured by."""
    if shown.extraction.uses_surf:
        return tuple(view.COLOURINGS)
    return tuple(kind for kind in view.COLOURINGS if kind != view.SIGN)
