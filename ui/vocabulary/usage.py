"""How the words of vocabularies are used: how many keypoints the commonest of them have."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine.language import sentences, tr
from ui import words
from ui.vocabulary.kept import Side

N_POINTS = 50
KINDS = ("solid", "dashed")


def explained() -> str:
    """Say what the measures of a vocabulary mean."""
    return tr(
        "Distortion: mean squared distance of a keypoint's descriptor to its word, less is better "
        "among vocabularies of one size. Evenness: 100 % if all words are used alike. Unused: "
        "words without a keypoint."
    )


def curve(frequency: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return which share of the keypoints the commonest share of the words have.

    Parameters
    ----------
    frequency : (K,) int64 array
        Keypoints of each word.

    Returns
    -------
    words, keypoints : (P,) float64 arrays
        Shares, from 0 to 1, both rising.
    """
    falling = np.sort(frequency)[::-1].astype(np.float64)
    summed = np.concatenate([[0.0], np.cumsum(falling)]) / max(float(falling.sum()), 1.0)
    at = np.unique(np.linspace(0, len(falling), N_POINTS + 1).round().astype(int))
    return at / len(falling), summed[at]


def lines(sides: Sequence[Side]) -> None:
    """Draw the curves of one or two collections."""
    drawn, said = [], []
    for one, kind in zip(sides, KINDS):
        if one.shown is None:
            continue
        x, y = curve(one.shown.frequency)
        half = float(np.interp(0.5, x, y))
        said.append(tr("{name}: half of the words have {share:.0%}", name=one.name, share=half))
        drawn.append(
            {
                "type": "line",
                "name": one.name,
                "data": np.round(100 * np.stack([x, y], axis=1), 2).tolist(),
                "showSymbol": False,
                "lineStyle": {"type": kind, "width": 2.5},
            }
        )
    st.subheader(tr("How evenly words are used"), anchor=False)
    st.echarts_chart(
        percents(drawn, tr("The commonest words, %"), tr("Their keypoints, %")),
        height=300,
        key=f"usage-{len(drawn)}",
        alt=tr("Usage of the words. {curves}", curves="; ".join(said)),
    )
    told = tr(
        "Words from the commonest on, and the share of all keypoints of the collection that they "
        "have: a straight line if all are used alike."
    )
    st.caption(sentences(told, words.plain(tr("{curves}.", curves="; ".join(said)))))


def percents(drawn: list[dict[str, Any]], x: str, y: str) -> dict[str, Any]:
    """Return a chart of lines over two axes of 0 to 100 %."""
    axis = {"type": "value", "min": 0, "max": 100, "nameLocation": "middle", "interval": 20}
    return {
        "animation": False,
        "grid": {"left": 28, "right": 16, "top": 36, "bottom": 24},  # names and labels are added
        "legend": {"top": 0, "left": 8},
        "tooltip": {"trigger": "axis"},
        "xAxis": axis | {"name": x, "nameGap": 28},
        "yAxis": axis | {"name": y, "nameGap": 36},
        "series": drawn,
    }
