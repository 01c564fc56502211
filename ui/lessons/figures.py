"""Figures that several lessons show: keypoints on a picture, lines, patches, bars."""

from typing import Any, Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import draw, images, nearest, patches
from engine.language import tr, trn
from engine.surf import Features, Keypoints
from ui import charts, opened, query, urls
from ui.components import Side, pair, viewer
from ui.lessons.shared import Bench, n_keypoints
from ui.lessons.view import go

N_LINES = 100  # more are a wall
SIDE = 800  # pixels, of a picture that is drawn on here
PATCH = 64
MOST_BARS = 1000
NEAR = 0.02  # of the diagonal: how far from its place a match may lie
COUNTS, OFF = 0, 3  # as the pair takes fates


def keypoints(bench: Bench, n_shown: int, key: str) -> None:
    """Show the photograph with its strongest keypoints; one that is clicked is looked at."""
    found = bench.query()
    height, width = found.image.gray.shape
    name = query.name(bench.shown, bench.link)

    def picked(place: int) -> None:
        go(keypoint=place, word=int(found.words.word_ids[place]))

    viewer(
        urls.query(bench.shown, bench.link, 1280),
        width,
        height,
        urls.keypoints(bench.shown, bench.link, bench.shown.surf, "word"),
        n_shown,
        key,
        tr(
            "{name} with {keypoints}. Plus and minus zoom, arrows move, n and p step through the "
            "keypoints.",
            name=name,
            keypoints=n_keypoints(n_shown),
        ),
        picked,
        bench.here.keypoint,
        None,
    )


def drawn(
    rgb: NDArray[np.uint8], found: Features | Keypoints, rows: NDArray[np.int64], alt: str
) -> None:
    """Draw some keypoints on a picture."""
    small = images.shrink(rgb, SIDE)
    scale = max(small.shape[:2]) / max(rgb.shape[:2])
    painted = draw.keypoints(small, found.xy[rows], found.size[rows], found.angle[rows], scale)
    st.image(painted, width="stretch", output_format="JPEG", alt=alt)


def evenly(n: int, most: int) -> NDArray[np.int64]:
    """Return at most so many of the places 0 to n - 1, spread evenly."""
    if n <= most:
        return np.arange(n)
    places: NDArray[np.int64] = np.linspace(0, n - 1, most).astype(np.int64)
    return places


def lines(
    one: Features | Keypoints,
    other: Features | Keypoints,
    rows: NDArray[np.int64],
    good: NDArray[np.bool_] | None = None,
) -> list[list[float]]:
    """Return matches as the pair takes them; what is not good is drawn broken."""
    sides = [
        np.column_stack((found.xy[at], found.size[at], found.angle[at]))
        for found, at in ((one, rows[:, 0]), (other, rows[:, 1]))
    ]
    numbers = np.round(np.concatenate(sides, axis=1).astype(float), 1).tolist()
    fates = [COUNTS] * len(rows) if good is None else np.where(good, COUNTS, OFF).tolist()
    return [[*line, 1, fate, 0] for line, fate in zip(numbers, fates)]


def judged(
    bench: Bench, image_id: int, other: Features | Keypoints, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64] | None, NDArray[np.bool_] | None]:
    """Return the map from the photograph to a picture, and which matches lie where it says.

    Nothing where the two do not surely match. `other` are the keypoints that rows number: those of
    an index stand in another order than those just found.
    """
    affine = bench.explained(image_id).affine
    if affine is None or not bench.answer().accepts(image_id):
        return None, None
    entry = bench.shown.images[image_id]
    within = NEAR * float(np.hypot(entry.width, entry.height))
    places = bench.query().features.xy[rows[:, 0]], other.xy[rows[:, 1]]
    return affine, nearest.on_map(affine, *places, within)


def beside(
    bench: Bench,
    image_id: int,
    matches: list[list[float]],
    told: list[str],
    key: str,
    affine: NDArray[np.float64] | None = None,
) -> None:
    """Show the photograph beside a picture of the collection, with lines between matches."""
    height, width = bench.query().image.gray.shape
    entry = bench.shown.images[image_id]
    pair(
        Side(urls.query(bench.shown, bench.link, 1280), width, height),
        Side(urls.picture(bench.shown, image_id, 1280), entry.width, entry.height),
        key,
        label(bench.name_of(image_id), len(matches)),
        lambda place: None,
        None,
        matches,
        told,
        affine=None if affine is None else affine.ravel().tolist(),
    )


def label(name: str, n: int) -> str:
    """Say what a pair of pictures shows."""
    return trn(
        "Your photograph beside {name}, with {n:,} line between keypoints. Plus and minus zoom, "
        "arrows move, n and p step through the lines.",
        "Your photograph beside {name}, with {n:,} lines between keypoints. Plus and minus zoom, "
        "arrows move, n and p step through the lines.",
        n,
        name=name,
    )


def strip(
    bench: Bench, rgb: NDArray[np.uint8], found: Features, rows: NDArray[np.int64], alt: str
) -> None:
    """Show the patches of some keypoints in whole lines of eight, or one shorter line."""
    rows = rows[: max(len(rows) // 8 * 8, min(len(rows), 8))]
    angles = bench.shown.extraction.patch_angles(found.angle[rows])
    cut = patches.cut(rgb, found.xy[rows], found.size[rows], angles, PATCH)
    framed = np.pad(cut, ((0, 0), (2, 2), (2, 2), (0, 0)), constant_values=128)
    across = min(8, len(framed))
    tall = [np.concatenate(list(framed[i : i + across]), 1) for i in range(0, len(framed), across)]
    whole = np.concatenate(tall, 0)
    width: Literal["stretch"] | int = "stretch" if across == 8 else whole.shape[1]
    st.image(whole, width=width, output_format="JPEG", alt=alt)


def patch(bench: Bench, row: int) -> NDArray[np.uint8]:
    """Return the patch of one keypoint of the photograph."""
    found, part = bench.query(), slice(row, row + 1)
    of = found.features
    angles = bench.shown.extraction.patch_angles(of.angle[part])
    cut: NDArray[np.uint8] = patches.cut(
        found.image.rgb, of.xy[part], of.size[part], angles, 2 * PATCH
    )[0]
    return cut


def descriptor(bench: Bench, row: int) -> None:
    """Show the numbers of one keypoint, a line between the 16 cells."""
    numbers = bench.query().features.descriptors[row].astype(float)
    spec = {
        "animation": False,
        "grid": {"left": 44, "right": 8, "top": 8, "bottom": 24},
        "tooltip": {"trigger": "axis"},
        "xAxis": {
            "type": "category",
            "data": list(range(1, len(numbers) + 1)),
            "splitLine": {"show": True, "interval": max(0, len(numbers) // 16 - 1)},
            "axisLabel": {"interval": max(0, len(numbers) // 8 - 1)},
        },
        "yAxis": {"type": "value"},
        "series": [{"type": "bar", "data": np.round(numbers, 3).tolist(), "barCategoryGap": "0%"}],
    }
    alt = tr("The {n} numbers of this keypoint's descriptor, as bars", n=len(numbers))
    st.echarts_chart(spec, height=170, key="lesson-descriptor", alt=alt)


def histogram(bench: Bench, values: NDArray[np.float32], key: str) -> None:
    """Show one bar a word of the photograph; a bar that is clicked is the word looked at."""
    ids = np.arange(len(values))
    if len(values) > MOST_BARS:
        ids = np.sort(np.argsort(-values, kind="stable")[:MOST_BARS])
    colours = np.array(opened.word_colours(bench.shown))[ids].tolist()
    heights = np.round(values[ids].astype(float), 3).tolist()
    top = max(heights, default=1.0)
    bars: list[Any] = [
        {"value": value, "itemStyle": {"color": colour}} for value, colour in zip(heights, colours)
    ]
    spec = {
        "animation": False,
        "grid": {"left": 44, "right": 8, "top": 16, "bottom": 56},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": ids.tolist()},
        "yAxis": {"type": "value"},
        "dataZoom": [{"type": "slider", "height": 18, "bottom": 8}, {"type": "inside"}],
        "series": [
            {"type": "bar", "name": tr("keypoints"), "data": bars, "barCategoryGap": "0%"},
            charts.targets(len(bars), top),
        ],
    }

    def clicked() -> None:
        place = charts.clicked(key, len(ids))
        if place is not None:
            go(word=int(ids[place]))

    used = int((values > 0).sum())
    alt = trn(
        "Histogram over {all:,} words; {n:,} of them occurs in this photograph",
        "Histogram over {all:,} words; {n:,} of them occur in this photograph",
        used,
        all=len(values),
    )
    st.echarts_chart(spec, height=260, key=key, on_select=clicked, alt=alt)


def curve(
    named: list[tuple[str, list[list[float]]]],
    x_name: str,
    y_name: str,
    key: str,
    alt: str,
    unit: bool = False,
) -> None:
    """Draw lines of points; `unit` where both axes go from 0 to 1."""
    axis: dict[str, Any] = {"type": "value", "nameLocation": "middle"}
    axis |= {"min": 0, "max": 1, "interval": 0.2} if unit else {}
    spec: dict[str, Any] = {
        "animation": False,
        "grid": {"left": 28, "right": 16, "top": 36, "bottom": 24},  # names and labels are added
        "tooltip": {"trigger": "axis"},
        "xAxis": axis | {"name": x_name, "nameGap": 28},
        "yAxis": axis | {"name": y_name, "nameGap": 40},
        "series": [
            {
                "type": "line",
                "name": name,
                "data": points,
                "showSymbol": unit,
                "lineStyle": {"type": kind, "width": 2.5},
            }
            for (name, points), kind in zip(named, ("solid", "dashed"))
        ],
    }
    if len(named) > 1:
        spec["legend"] = {"top": 0, "left": 8}
    st.echarts_chart(spec, height=280, key=key, alt=alt)


def word_tiles_alt(bench: Bench, word: int) -> str:
    """Say what the tile of a word shows."""
    return trn(
        "Word {word}: the patches nearest to it; {n:,} keypoint of the collection has it",
        "Word {word}: the patches nearest to it; {n:,} keypoints of the collection have it",
        int(bench.shown.frequency[word]),
        word=word,
    )
