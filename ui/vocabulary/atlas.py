"""The map of the words: coloured, clicked, and a part of it chosen for the grid below."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine.errors import EngineError
from engine.index import Index
from engine.language import sentences, tr
from engine.word_map import WordMap
from ui import jobs, query, urls, words
from ui.components import Tile, gallery
from ui.jobs import Job
from ui.vocabulary import area, colouring, kept, view
from ui.vocabulary.area import BOX, NEAR, SIDE, Area
from ui.vocabulary.colouring import Colouring
from ui.vocabulary.tiles import n_words
from ui.vocabulary.view import View

MOST_DRAWN = 3000
N_NEAR = 24
N_PICTURES = 12


def show(shown: Index, here: View) -> NDArray[np.bool_] | None:
    """Show the map; return which words lie in the chosen part of it, None without one."""
    is_drawn_part = here.area is not None and here.area.kind != NEAR
    laid = kept.map_of(shown) if is_drawn_part or not here.folded else None
    if isinstance(laid, Job):
        _being_laid_out(shown, laid)
    elif laid is not None and not here.folded:
        _map(shown, here, laid)
    if here.area is None:
        return None
    if here.folded or isinstance(laid, Job):
        _whole()
    if isinstance(laid, Job) and is_drawn_part:
        return None  # nobody knows yet which words lie there
    return area.selected(here.area, shown, laid.places if isinstance(laid, WordMap) else None)


def _whole() -> None:
    st.button(tr("The whole map"), on_click=view.go, kwargs={"area": None})


def _being_laid_out(shown: Index, job: Job) -> None:
    if job.active:
        what = tr("Laying the words out on a map. Below, they can be used already.")
        jobs.progress(job, what, stops=False)
    else:
        jobs.failed(job)
    st.caption(
        tr(
            "This collection was built before maps were kept. Built again, it has one from the "
            "start."
        )
    )


def _map(shown: Index, here: View, laid: WordMap) -> None:
    left, right = st.columns([3, 2], gap="large")
    with right:
        _choose_colouring(shown, here)
        try:
            found = colouring.colouring(shown, here)
        except EngineError as error:  # the picture is gone: another can be chosen
            st.warning(words.plain(str(error)))
            here = here.to(image_id=None)
            found = colouring.colouring(shown, here)
        colouring.legend(found)
        if here.colour == view.PICTURE:
            _picture(shown, here)
        choose_part(shown, here)
    inside = None if here.area is None else area.selected(here.area, shown, laid.places)
    drawn = drawn_words(shown, here, found.faint, inside)
    with left:
        _chart(shown, here, laid, found, drawn, inside)
        told = [
            tr(
                "Words that look alike lie together: {share:.0%} of each word's ten nearest are "
                "also its nearest here.",
                share=laid.kept,
            )
        ]
        if len(drawn) < shown.n_words:
            some = tr(
                "Of {all:,} words {n:,} are drawn: those of the picture, of a small part chosen "
                "and of the search, and some of all others, from common to rare. A choice holds "
                "those that are not drawn too.",
                all=shown.n_words,
                n=len(drawn),
            )
            told.append(some)
        st.caption(sentences(*told))


def drawn_words(
    shown: Index, here: View, faint: NDArray[np.bool_], inside: NDArray[np.bool_] | None
) -> NDArray[np.int64]:
    """Choose the words that are drawn: all, or some of many.

    First those of the chosen part, if they leave room for as many others, and of the picture by
    which the map is coloured; then, from the commonest to the rarest, every so many of the others:
    the commonest alone would all have one colour by their keypoints. Those of the search always.
    """
    if shown.n_words <= MOST_DRAWN:
        return np.arange(shown.n_words)
    first = np.zeros(shown.n_words, np.int64)
    if here.colour == view.PICTURE and faint.any():
        first += ~faint
    if inside is not None and inside.sum() <= MOST_DRAWN // 2:
        first += 2 * inside
    order = np.lexsort((-shown.frequency, -first))
    n_first = min(int((first > 0).sum()), MOST_DRAWN)
    others = np.linspace(n_first, len(order) - 1, MOST_DRAWN - n_first).round().astype(int)
    some = order[np.concatenate([np.arange(n_first), others])]
    chosen = [word for word in here.words if word < shown.n_words]
    return np.union1d(some, np.array(chosen, np.int64))


def _choose_colouring(shown: Index, here: View) -> None:
    key, options = "choose-colouring", colouring.options(shown)
    st.session_state[key] = here.colour if here.colour in options else view.OWN
    st.selectbox(
        tr("Colour by"),
        options,
        format_func=lambda kind: tr(view.COLOURINGS[kind]),
        key=key,
        on_change=lambda: view.go(colour=st.session_state[key]),
    )


def _picture(shown: Index, here: View) -> None:
    """Let a picture be chosen, or name the one that was."""
    if here.link.has_query:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(words.plain(query.name(shown, here.link)), width="content")
            st.button(tr("Another picture"), on_click=view.go, kwargs={"image_id": None})
        return
    st.caption(tr("Which picture? A query that you bring from Search is taken too."))
    step = max(1, shown.n_images // N_PICTURES)
    tiles = [
        Tile(
            id=image_id,
            url=urls.picture(shown, image_id, 160),
            href=here.href(image_id=image_id),
            alt=shown.images[image_id].shown,
            title=shown.images[image_id].shown,
        )
        for image_id in range(0, shown.n_images, step)[:N_PICTURES]
    ]
    gallery(tiles, "map-pictures", tr("Pictures of the collection"), columns=6, columns_small=4)


def choose_part(shown: Index, here: View) -> None:
    """Let a part of the map be chosen without a mouse, and show what is chosen."""
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover(tr("Choose a part of the map")):
            _near(shown, here)
            _box(here)
        if here.area is not None:
            _whole()
    st.caption(
        tr(
            "Or draw a box or a lasso on the map, by the signs at its corner: the words below "
            "follow. A click on a point opens its word."
        )
    )


def _near(shown: Index, here: View) -> None:
    now = here.area if here.area is not None and here.area.kind == NEAR else None
    word = st.number_input(
        tr("A word"),
        0,
        shown.n_words - 1,
        None if now is None else min(now.numbers[0], shown.n_words - 1),
        key=f"near-word-{now}",
        placeholder=tr("0 to {last}", last=shown.n_words - 1),
    )
    count = st.number_input(
        tr("and how many nearest to it"),
        1,
        min(area.MOST_NEAR, shown.n_words) - 1,
        min(N_NEAR if now is None else max(now.numbers[1] - 1, 1), shown.n_words - 1),
        key=f"near-count-{now}",
    )
    chosen = None if word is None else Area(NEAR, (int(word), int(count) + 1))
    st.button(tr("Show these"), disabled=chosen is None, on_click=view.go, kwargs={"area": chosen})


def _box(here: View) -> None:
    now = here.area if here.area is not None and here.area.kind == BOX else None
    left, right, bottom, top = (0, SIDE, 0, SIDE) if now is None else now.numbers
    keys = (f"box-across-{now}", f"box-up-{now}")

    def moved() -> None:
        ends = [[10 * end for end in st.session_state[key]] for key in keys]
        view.go(area=area.box(ends[0], ends[1]))

    across = (left // 10, right // 10)
    up = (bottom // 10, top // 10)
    st.slider(tr("Across, % from the left"), 0, 100, across, key=keys[0], on_change=moved)
    st.slider(tr("Up, % from below"), 0, 100, up, key=keys[1], on_change=moved)


def _chart(
    shown: Index,
    here: View,
    laid: WordMap,
    found: Colouring,
    drawn: NDArray[np.int64],
    inside: NDArray[np.bool_] | None,
) -> None:
    groups = series_words(drawn, found.faint, inside)
    spec = spec_of(shown, here, laid, found, groups)
    # What is chosen stands in the address alone: another choice is another chart, without the
    # outline that the mouse has drawn on this one.
    key = f"map-{'' if here.area is None else here.area.write()}-{here.colour}-{here.link.image_id}"

    def picked() -> None:
        state = st.session_state[key]["selection"]
        drawn_areas = state.get("areas") or []
        if drawn_areas:
            made = drawn_area(drawn_areas[-1])
            if made is not None:
                view.go(area=made)
            return
        for part in state.get("selected") or []:
            group, places = part.get("series_index", -1), part.get("data_indices", [])
            if 0 <= group < len(groups) and places and places[0] < len(groups[group]):
                view.go(word=int(groups[group][places[0]]))
                return

    what = tr(view.COLOURINGS[here.colour])
    st.echarts_chart(
        spec,
        height=height_of(laid),
        key=key,
        on_select=picked,
        alt=tr(
            "Map of {words}, coloured by: {what}. The grid below shows the same words, and a part "
            "of the map can be chosen beside it.",
            words=n_words(len(drawn)),
            what=what,
        ),
    )


def extents(laid: WordMap) -> list[tuple[int, int]]:
    """Return from where to where the map reaches, across and up."""
    ends = np.rint(np.stack([laid.places.min(axis=0), laid.places.max(axis=0)], axis=1) * SIDE)
    return [(int(low), int(high)) for low, high in ends]


def height_of(laid: WordMap) -> int:
    """Return how high the chart is, in pixels: at a desk as the map is wide and high."""
    across, up = (high - low for low, high in extents(laid))
    return int(np.clip(620 * up / max(across, 1), 260, 500)) + 34


def drawn_area(told: dict[str, Any]) -> Area | None:
    """Return what was drawn on the chart, a box or a lasso."""
    span = told.get("coord_range") or []
    if told.get("brush_type") == "rect" and len(span) == 2:
        return area.box(span[0], span[1])
    return area.lasso(span) if told.get("brush_type") == "polygon" else None


def series_words(
    drawn: NDArray[np.int64], faint: NDArray[np.bool_], chosen: NDArray[np.bool_] | None
) -> list[NDArray[np.int64]]:
    """Part the drawn words into those that stand back, and the others."""
    back = faint[drawn] if chosen is None else faint[drawn] | ~chosen[drawn]
    return [drawn[back], drawn[~back]]


def spec_of(
    shown: Index,
    here: View,
    laid: WordMap,
    found: Colouring,
    groups: list[NDArray[np.int64]],
) -> dict[str, Any]:
    """Return the chart: points of x, y, word, value, class; outline; words of the search."""
    size = 9 if len(groups[0]) + len(groups[1]) <= 800 else 6
    x_axis, y_axis = (
        {"type": "value", "min": low - 15, "max": high + 15, "show": False}
        for low, high in extents(laid)
    )
    tile = urls.word(shown, 0).replace("/0?", "/{@[2]}?")
    named = tr("Word {word}", word="{@[2]}")
    line = f"{found.what}: {{@[3]}}"
    series: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "data": _points(laid, found, group),
            "symbolSize": size,
            "selectedMode": "single",
            "itemStyle": {"borderColor": "#88888899", "borderWidth": 0.6, "opacity": opacity},
            "select": {"itemStyle": {"borderColor": "#888888"}},
            "z": depth,
        }
        for depth, (group, opacity) in enumerate(zip(groups, (0.22, 0.95)), 2)
    ]
    series += _outline(here) + _marked(shown, here, laid)
    return {
        "animation": False,
        "grid": {"left": 4, "right": 4, "top": 30, "bottom": 4},
        "tooltip": {
            "trigger": "item",
            "formatter": f"<b>{named}</b><br><img src='{tile}' width='96' height='96' alt=''>"
            f"<br>{line}",
        },
        "toolbox": {
            "right": 4,
            "top": 0,
            "itemSize": 18,
            "feature": {
                "brush": {
                    "type": ["rect", "polygon"],
                    "title": {"rect": tr("Draw a box"), "polygon": tr("Draw a lasso")},
                }
            },
        },
        "brush": {"xAxisIndex": 0, "yAxisIndex": 0, "brushMode": "single", "seriesIndex": [0, 1]},
        "visualMap": {
            "type": "piecewise",
            "show": False,
            "seriesIndex": [0, 1],
            "dimension": 4,
            "pieces": [
                {"value": place, "color": colour} for place, colour in enumerate(found.colours)
            ],
        },
        "xAxis": x_axis,
        "yAxis": y_axis,
        "series": series,
    }


def _points(
    laid: WordMap, found: Colouring, group: NDArray[np.int64]
) -> list[tuple[int, int, int, float | str, int]]:
    places = np.rint(laid.places[group] * SIDE).astype(int)
    values = [_value(value) for value in found.values[group].tolist()]
    classes = found.classes[group].tolist()
    return list(zip(*places.T.tolist(), group.tolist(), values, classes))


def _value(value: float) -> float | str:
    """Return what the tip tells of a word; a dash where there is nothing to tell."""
    if np.isnan(value):
        return "–"
    return int(value) if value == int(value) else round(value, 2)


def _outline(here: View) -> list[dict[str, Any]]:
    """Return the outline of the chosen part, where it has one."""
    if here.area is None or not here.area.corners:
        return []
    corners = [list(corner) for corner in here.area.corners]
    return [
        {
            "type": "line",
            "data": [*corners, corners[0]],
            "symbol": "none",
            "silent": True,
            "lineStyle": {"type": "dashed", "width": 1.5, "color": "#888888"},
            "tooltip": {"show": False},
        }
    ]


def _marked(shown: Index, here: View, laid: WordMap) -> list[dict[str, Any]]:
    """Return rings, with numbers, around the words of the search."""
    ids = [word for word in here.words if word < shown.n_words]
    if not ids:
        return []
    data = [
        {"value": np.rint(laid.places[word] * SIDE).astype(int).tolist(), "name": str(word)}
        for word in ids
    ]
    return [
        {
            "type": "scatter",
            "data": data,
            "silent": True,
            "symbolSize": 16,
            "itemStyle": {"color": "transparent", "borderColor": "#d55e00", "borderWidth": 2},
            "label": {"show": True, "formatter": "{b}", "position": "top", "fontWeight": "bold"},
            "z": 5,
            "tooltip": {"show": False},
        }
    ]
