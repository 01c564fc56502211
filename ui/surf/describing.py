"""Steps 6 to 9: how a keypoint gets its direction, and its numbers."""

from base64 import b64encode
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import features, images, lookup
from engine.language import tr, trn
from engine.trace import Trace
from engine.trace_describe import Orientation
from ui import charts, urls
from ui.components import Cell, Figure, Row, Tile, figures, gallery, table
from ui.surf import svg, view
from ui.surf.followed import Followed
from ui.surf.steps import heading

SHORT = ("Σ dx", "Σ dy", "Σ |dx|", "Σ |dy|")
EXTENDED = (
    "Σ dx, dy ≥ 0",
    "Σ |dx|, dy ≥ 0",
    "Σ dx, dy < 0",
    "Σ |dx|, dy < 0",
    "Σ dy, dx ≥ 0",
    "Σ |dy|, dx ≥ 0",
    "Σ dy, dx < 0",
    "Σ |dy|, dx < 0",
)
CHOSEN, OTHERS = "#d55e00", "#0b66b8"


def members(of: Orientation, window: int) -> NDArray[np.bool_]:
    """Tell which samples a window of directions holds: less than 30 degrees from its middle."""
    apart = np.abs(of.degrees - 5 * window)
    inside: NDArray[np.bool_] = of.is_inside & ((apart < 30) | (apart > 330))
    return inside


def orientation(found: Followed, traced: Trace) -> None:
    """Show the 113 samples, the window that turns, and the direction that wins."""
    heading(
        6,
        tr("The direction"),
        tr(
            "In a disc of six scales around the keypoint, 113 small wavelets measure how "
            "brightness changes to the right and upwards, those in the middle counting more. A "
            "window of 60° turns around; where the sum of its samples is longest, there the "
            "keypoint points."
        ),
    )
    of = traced.orientation
    if of is None:
        st.info(
            tr(
                "Upright: no direction is looked for. Every keypoint points straight up, which is "
                "270° clockwise from the right."
            )
        )
        return
    asked = found.here.window
    window = max(0, of.winner) if asked is None else asked
    held = of.is_member if asked is None else members(of, window)
    x, y = sum_of(of, window)
    n_outside = int((~of.is_inside).sum())
    left, right = st.columns(2, gap="large")
    with left:
        figures([_samples(found, traced, of, held), _fan(of, held, window)], "samples", 220)
    with right:
        _sectors(of, window)
    told = trn(
        "The window around {degrees}° holds {n} sample; its sum is ({x:,.1f}, {y:,.1f}), "
        "{length:,.1f} long.",
        "The window around {degrees}° holds {n} samples; their sum is ({x:,.1f}, {y:,.1f}), "
        "{length:,.1f} long.",
        int(held.sum()),
        degrees=5 * window,
        x=x,
        y=y,
        length=float(np.hypot(x, y)),
    )
    told += " " + tr(
        "The longest is that around {degrees}°: it points to {up:.1f}° counterclockwise, which is "
        "{angle:.1f}° clockwise, the keypoint's angle.",
        degrees=5 * max(0, of.winner),
        up=(360 - float(of.angle)) % 360,
        angle=float(of.angle),
    )
    if n_outside:
        told += " " + trn(
            "{n} wavelet leaves the picture and does not count.",
            "{n} wavelets leave the picture and do not count.",
            n_outside,
        )
    st.markdown(told)
    if asked is not None:
        st.button(tr("Back to the winner"), on_click=view.go, kwargs={"window": None})


def sum_of(of: Orientation, window: int) -> tuple[float, float]:
    """Return the sum of a window's samples."""
    x, y = of.sums[window].tolist()
    return x, y


def _samples(found: Followed, traced: Trace, of: Orientation, held: NDArray[np.bool_]) -> Figure:
    """Draw the samples over the picture: discs by their weight, lines by their response."""
    shape, (x, y) = found.prepared.gray.shape, traced.xy.tolist()
    scale = float(of.scale)
    drawn = svg.picture(view.drawing(found.shown, found.here, "picture"), shape)
    longest = max(float(np.hypot(of.weighted_dx, of.weighted_dy).max()), 1e-9)
    heaviest = max(float(of.weights.max()), 1e-9)
    for kind, part in (("out", ~held & of.is_inside), ("in", held)):
        lines = []
        for i in np.flatnonzero(part).tolist():
            px, py = of.xy[i].tolist()
            radius = scale * (0.08 + 0.22 * float(of.weights[i]) / heaviest)
            drawn += svg.circle(kind, px, py, radius)
            reach = 3 * scale / longest
            dx, dy = reach * float(of.weighted_dx[i]), reach * float(of.weighted_dy[i])
            lines.append(svg.segment(px, py, px + dx, py - dy))
        drawn += svg.path(kind, lines)
    drawn += svg.keypoint("chosen", x, y, float(traced.size), float(of.angle))
    label = tr("113 samples around the keypoint, {n} of them in the window", n=int(held.sum()))
    return Figure(drawn, svg.around(x, y, 8 * scale, shape), label, tr("Where the samples lie"))


def _fan(of: Orientation, held: NDArray[np.bool_], window: int) -> Figure:
    """Draw the samples by their responses, with the window and its sum."""
    far = max(float(np.hypot(of.weighted_dx, of.weighted_dy).max()), 1e-9)
    x, y = sum_of(of, window)
    length = max(float(np.sqrt(of.strengths.max())), 1e-9)
    drawn = svg.rectangle("sheet", -1.1, -1.1, 2.2, 2.2)
    drawn += svg.path("faint", ["M-1.1 0h2.2M0 -1.1v2.2"])
    drawn += svg.wedge(0, 0, 1, 5 * window, 30)
    for kind, part in (("out", ~held & of.is_inside), ("in", held)):
        for i in np.flatnonzero(part).tolist():
            px, py = float(of.weighted_dx[i]) / far, -float(of.weighted_dy[i]) / far
            drawn += svg.circle(kind, px, py, 0.018)
    drawn += svg.path("ink", [svg.segment(0, 0, x / length, -y / length)])
    label = tr(
        "The samples by their responses to the right and upwards, the window around {degrees}° and "
        "the sum of its samples",
        degrees=5 * window,
    )
    return Figure(drawn, (-1.1, -1.1, 2.2, 2.2), label, tr("How they point; the line is the sum"))


def _sectors(of: Orientation, window: int) -> None:
    """Draw how long the sum of each window is; a bar clicked is a window looked at.

    An invisible bar behind each makes low ones clickable.
    """
    lengths = np.sqrt(of.strengths.astype(float))
    bars = [
        {"value": round(value, 2), "itemStyle": {"color": CHOSEN if i == window else OTHERS}}
        for i, value in enumerate(lengths.tolist())
    ]
    spec: dict[str, Any] = {
        "animation": False,
        "grid": {"left": 48, "right": 8, "top": 16, "bottom": 40},
        "tooltip": {"trigger": "axis"},
        "xAxis": {
            "type": "category",
            "data": [f"{5 * i}°" for i in range(72)],
            "name": tr("Middle of the window"),
            "nameLocation": "middle",
            "nameGap": 26,
            "axisLabel": {"interval": 11},
        },
        "yAxis": {"type": "value"},
        "series": [
            {
                "type": "bar",
                "name": tr("Length of the sum"),
                "data": bars,
                "barCategoryGap": "0%",
            },
            charts.targets(len(lengths), float(lengths.max())),
        ],
    }

    def clicked() -> None:
        place = charts.clicked("sectors", len(lengths))
        if place is not None:
            view.go(window=place)

    alt = tr(
        "Length of the sum for each of 72 windows; the longest, {length:,.1f}, around {degrees}°",
        length=float(lengths.max()),
        degrees=5 * max(0, of.winner),
    )
    st.echarts_chart(spec, height=250, key="sectors", on_select=clicked, alt=alt)
    view.slider(tr("Turn the window, degrees"), "window", 0, 355, window, 5, part=5)


def _inlined(pixels: NDArray[np.uint8]) -> str:
    return f"data:image/png;base64,{b64encode(images.encode_png(pixels)).decode()}"


def patch(found: Followed, traced: Trace) -> None:
    """Show the turned window on the picture, and the patch that is made of it."""
    of, shape = traced.description, found.prepared.gray.shape
    heading(
        7,
        tr("The turned patch"),
        tr(
            "A window of 21 scales, {side} × {side} samples here, is laid along the direction and "
            "shrunk to 21 × 21 pixels. So neither turning nor zooming the picture changes it much.",
            side=of.window_side,
        )
        if not found.params.upright
        else tr(
            "A window of 21 scales, {side} × {side} samples here, is laid upwards for every "
            "keypoint, so that the patch lies on its side, and shrunk to 21 × 21 pixels. Zooming "
            "the picture does not change it much; turning does.",
            side=of.window_side,
        ),
    )
    x, y = traced.xy.tolist()
    angle = None if found.params.upright else float(traced.angle)
    drawn = svg.picture(view.drawing(found.shown, found.here, "picture"), shape)
    drawn += svg.polygon("rim", of.corners) + svg.polygon("line", of.corners)
    first = of.corners[0].tolist()
    drawn += svg.circle("in", first[0], first[1], of.window_side / 40)
    drawn += svg.keypoint("chosen", x, y, float(traced.size), angle)
    reach = 0.8 * max(of.window_side, 16)
    label = tr("The window on the picture; a dot marks its first corner")
    whole = Figure(drawn, svg.around(x, y, reach, shape), label, label)
    cut = svg.picture(_inlined(of.patch), of.patch.shape)
    label = tr(
        "The patch, 21 × 21 pixels, values {low} to {high}", low=of.patch.min(), high=of.patch.max()
    )
    figures([whole, Figure(cut, svg.whole(of.patch.shape), label, label)], "patch", 260)


def square_of(found: Followed, traced: Trace) -> int:
    """Return the cell of the descriptor that is looked at: the one with the largest sum first."""
    if found.here.square is not None:
        return found.here.square
    sums = np.abs(traced.description.sums).reshape(16, -1)
    return int(sums.max(axis=1).argmax())


def cells(found: Followed, traced: Trace) -> None:
    """Show the gradients of the patch, and what each of the 4 × 4 cells adds up."""
    of = traced.description
    n = of.sums.shape[2]
    heading(
        8,
        tr("Gradients, 4 × 4 cells"),
        tr(
            "Between the pixels lie 20 × 20 gradients; those in the middle count more. Each cell "
            "of 5 × 5 adds them up in {n} ways. Click a cell to see its sums (by keys: arrows, "
            "then Enter).",
            n=n,
        ),
    )
    square = square_of(found, traced)

    def picked(_: int, x: float, y: float) -> None:
        column, row = min(3, max(0, int(x // 5))), min(3, max(0, int(y // 5)))
        view.go(square=4 * row + column)

    left, right = st.columns([2, 1], gap="large")
    with left:
        figures([_gradients(traced, square), _sums(traced, square)], "cells", 240, picked)
    with right:
        names = EXTENDED if n == 8 else SHORT
        first = square * n
        rows = [
            Row(
                (
                    Cell(name),
                    Cell(f"{float(value):,.2f}"),
                    Cell(f"{float(of.descriptor[first + i]):.4f}"),
                )
            )
            for i, (name, value) in enumerate(zip(names, of.sums.reshape(16, n)[square]))
        ]
        st.markdown(
            tr("**Cell {n} of 16**, row {row}, column {column}",
               n=square + 1, row=square // 4 + 1, column=square % 4 + 1)
        )  # fmt: skip
        numbers = [tr("Sum"), tr("Divided by the length")]
        table([tr("What is added"), *numbers], rows, "square", tr("Sums of the cell"), numbers)


def _gradients(traced: Trace, square: int) -> Figure:
    """Draw the weighted gradients over the patch, as lines from dark to light."""
    of = traced.description
    # A gradient lies between the pixels of the patch that it is made of.
    drawn = svg.image(_inlined(of.patch), -0.5, -0.5, 21, 21)
    longest = max(float(np.hypot(of.weighted_dx, of.weighted_dy).max()), 1e-9)
    lines = []
    for row in range(20):
        for column in range(20):
            dx, dy = (
                float(v[row, column]) * 1.6 / longest for v in (of.weighted_dx, of.weighted_dy)
            )
            if abs(dx) + abs(dy) > 0.04:
                x, y = column + 0.5, row + 0.5
                lines.append(svg.segment(x, y, x + dx, y + dy))
    drawn += svg.both(lines)
    return Figure(
        drawn + _squares(square),
        (0.0, 0.0, 20.0, 20.0),
        tr(
            "400 weighted gradients over the patch, in 4 × 4 cells; cell {n} is chosen",
            n=square + 1,
        ),
        tr("Gradients, times their weights"),
        5.0,
        _middle(square),
    )


def _sums(traced: Trace, square: int) -> Figure:
    """Draw each cell's sums as bars from its middle line."""
    of = traced.description
    n = of.sums.shape[2]
    top = max(float(np.abs(of.sums).max()), 1e-9)
    drawn = svg.rectangle("sheet", 0, 0, 20, 20)
    for place, sums in enumerate(of.sums.reshape(16, n).tolist()):
        left, middle = 5 * (place % 4), 5 * (place // 4) + 2.5
        wide = 4 / n
        for i, value in enumerate(sums):
            tall = abs(value) / top * 2.2
            up = middle - tall if value > 0 else middle
            kind = "plus" if value > 0 else "minus"
            drawn += svg.rectangle(kind, left + 0.5 + i * wide, up, wide * 0.8, tall)
        drawn += svg.path("faint", [svg.segment(left + 0.4, middle, left + 4.6, middle)])
    return Figure(
        drawn + _squares(square),
        (0.0, 0.0, 20.0, 20.0),
        tr("{n} sums of each of 16 cells as bars; cell {square} is chosen", n=n, square=square + 1),
        tr("Sums of each cell"),
        5.0,
        _middle(square),
    )


def _middle(square: int) -> tuple[float, float]:
    return 5 * (square % 4) + 2.5, 5 * (square // 4) + 2.5


def _squares(square: int) -> str:
    left, top = 5 * (square % 4), 5 * (square // 4)
    drawn = svg.path("grid", ["M5 0v20M10 0v20M15 0v20M0 5h20M0 10h20M0 15h20"])
    drawn += svg.rectangle("rim", left + 0.15, top + 0.15, 4.7, 4.7)
    return drawn + svg.rectangle("chosen", left + 0.15, top + 0.15, 4.7, 4.7)


def numbers(found: Followed, traced: Trace) -> None:
    """Show the descriptor, and the visual word that it is nearest to."""
    of = traced.description
    n = len(of.descriptor)
    heading(
        9,
        tr("The {n} numbers", n=n),
        tr(
            "All sums together are {length:,.1f} long as one vector, and are divided by that: a "
            "picture with less contrast gives the same numbers. The cells follow each other line "
            "by line; the chosen one is orange.",
            length=of.length,
        ),
    )
    square, each = square_of(found, traced), n // 16
    bars = [
        {
            "value": round(value, 4),
            "itemStyle": {"color": CHOSEN if i // each == square else OTHERS},
        }
        for i, value in enumerate(of.descriptor.astype(float).tolist())
    ]
    spec: dict[str, Any] = {
        "animation": False,
        "grid": {"left": 44, "right": 8, "top": 8, "bottom": 24},
        "tooltip": {"trigger": "axis"},
        "xAxis": {
            "type": "category",
            "data": list(range(n)),
            "splitLine": {"show": True, "interval": each - 1},
            "axisLabel": {"interval": 2 * each - 1},
        },
        "yAxis": {"type": "value"},
        "series": [{"type": "bar", "data": bars, "barCategoryGap": "0%"}],
    }
    low, high = float(of.descriptor.min()), float(of.descriptor.max())
    alt = tr("{n} numbers from {low:.3f} to {high:.3f} as bars", n=n, low=low, high=high)
    st.echarts_chart(spec, height=220, key="numbers", alt=alt)
    word(found, traced)


def word(found: Followed, traced: Trace) -> None:
    """Say which visual word the numbers become, where the collection's words are made of such."""
    shown, params = found.shown, found.params
    own = shown.surf
    if not shown.extraction.uses_surf:
        st.caption(tr("The words of this collection are not made of such numbers."))
        return
    if (params.extended, params.upright) != (own.extended, own.upright):
        st.caption(
            tr(
                "The words of this collection are made of {n} numbers, {how}: choose the same "
                "above to see which word these become.",
                n=own.n_dimensions,
                how=tr("upright") if own.upright else tr("turned"),
            )
        )
        return
    codebook = shown.codebook
    descriptors = traced.descriptor[None]
    if shown.extraction.rooted:
        descriptors = features.root(descriptors)
    nearest = lookup.assign(descriptors, codebook.centres, codebook.groups)
    chosen = int(nearest.word_ids[0])
    if shown.extraction.rooted:
        st.caption(tr("The words of this collection are made of the roots of such numbers."))
    st.markdown(
        tr(
            "Nearest to them is visual word **{n}**, at a distance of {distance:.3f}.",
            n=chosen,
            distance=float(nearest.distances[0]),
        )
    )
    tile = Tile(
        id=chosen,
        url=urls.word(shown, chosen),
        href=urls.page("vocabulary", found.here.link.to(word=chosen)),
        alt=tr("Word {n}: the patches nearest to it", n=chosen),
        title=tr("Open the word"),
        caption=tr("Word {n}", n=chosen),
    )
    label = tr("The nearest visual word")
    gallery([tile], "surf-word", label, 8, 3, ratio="1 / 1", sharp=True)
