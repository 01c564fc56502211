"""Steps 1 to 5: how a place of the picture becomes a keypoint, or does not."""

from collections.abc import Callable

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine.language import mark, tr, trn
from engine.trace_cells import BELOW, FAR, FLAT, KEPT, MARGIN, NOT_LARGEST
from engine.trace_scales import BoxFilter, Sums, apply
from ui.components import Cell, Figure, Row, figures, table
from ui.surf import followed, svg, view
from ui.surf.followed import Followed

MOST_CIRCLES = 150  # on one map, the strongest
FATES = {
    MARGIN: mark("It lies so near the border that a filter of the next layer leaves the picture."),
    BELOW: mark("Its response is not above the threshold."),
    NOT_LARGEST: mark("One of its 26 neighbours is at least as strong."),
    FLAT: mark("The parabola through its neighbours has no single top: the step is refused."),
    FAR: mark("The step would be longer than one cell or one layer: it is refused."),
    KEPT: mark("It passed all tests and is a keypoint."),
}
STILL = mark("The top lies in the very middle of the cell. Such a step of 0 is refused.")


def fate(found: Followed) -> str:
    """Say what became of the cell that is looked at."""
    judged = found.judged
    assert judged is not None
    if judged.fate == FLAT and judged.newton is not None and judged.newton.determinant != 0:
        return STILL
    return FATES[judged.fate]


def heading(number: int, title: str, told: str) -> None:
    """Begin a section: its number, its name, and what is done in it."""
    st.subheader(f"{number} · {title}", anchor=f"step-{number}")
    st.markdown(told)


def integral(found: Followed) -> None:
    """Show the integral image, and one box whose sum takes four of its numbers."""
    gray, table_ = found.prepared.gray, found.prepared.integral
    heading(
        1,
        tr("The integral image"),
        tr(
            "Each place of it holds the sum of all pixels above and left of it. So the sum over "
            "any box, however large, takes four numbers."
        ),
    )
    shape = gray.shape
    below, layer = view.drawing(found.shown, found.here, "integral"), found.layer
    left, top = layer.origin(*found.cell[1:])
    drawn, label = svg.picture(below, shape), tr("The integral image")
    is_inside = bool(layer.is_inside[found.cell[1:]])
    told = tr("The filter leaves the picture at this place, so there is no box to sum up.")
    near = ""
    if is_inside:
        x0, y0, x1, y1 = (int(v) for v in layer.filters[0].boxes[1] + [left, top, left, top])
        a, b, c, d = (int(table_[y, x]) for y, x in ((y0, x0), (y0, x1), (y1, x0), (y1, x1)))
        drawn += svg.rectangle("rim", x0 - 0.5, y0 - 0.5, x1 - x0, y1 - y0)
        drawn += svg.rectangle("line", x0 - 0.5, y0 - 0.5, x1 - x0, y1 - y0)
        size = max(shape) / 30
        for letter, x, y in (("A", x0, y0), ("B", x1, y0), ("C", x0, y1), ("D", x1, y1)):
            away = (
                size * (0.8 if letter in "BD" else -0.8),
                size * (0.8 if letter in "CD" else -0.8),
            )
            drawn += svg.circle("line", x - 0.5, y - 0.5, max(shape) / 250)
            drawn += svg.text("said", x + away[0], y + away[1], letter, size)
        label = tr("The integral image with the four corners of a box")
        near = svg.picture(view.drawing(found.shown, found.here, "picture"), shape)
        near += svg.rectangle("rim", x0 - 0.5, y0 - 0.5, x1 - x0, y1 - y0)
        near += svg.rectangle("line", x0 - 0.5, y0 - 0.5, x1 - x0, y1 - y0)
        n_pixels, total = (x1 - x0) * (y1 - y0), int(gray[y0:y1, x0:x1].sum(dtype=np.int64))
        told = tr(
            "The box is the middle lobe of Dxx at the place that is looked at, {wide} × {tall} "
            "pixels.\n\n"
            "D − B − C + A = {d:,} − {b:,} − {c:,} + {a:,} = **{box:,}**\n\n"
            "The {n:,} pixels, added up one by one: **{total:,}**.",
            wide=x1 - x0,
            tall=y1 - y0,
            a=a,
            b=b,
            c=c,
            d=d,
            box=d - b - c + a,
            n=n_pixels,
            total=total,
        )
    items = [Figure(drawn, svg.whole(shape), label, tr("The integral image"))]
    if near:
        box, label = _near(found), tr("The same box on the picture")
        items.append(Figure(near, box, label, label))
    one, two = st.columns([3, 2], gap="large", vertical_alignment="center")
    with one:
        figures(items, "integral", 240)
    two.markdown(told)


def look(found: Followed) -> None:
    """Choose the octave and layer that are looked at."""
    here, made = found.layer, found.prepared.octaves

    def to(octave: int, layer: int) -> None:
        view.go(**followed.moved(found, octave, layer, *found.places))

    with st.container(horizontal=True, vertical_alignment="bottom"):
        octaves = {n: tr("octave {n}", n=n) for n in range(len(made))}
        layers = {n: tr("layer {n}", n=n) for n in range(len(made[here.octave].layers))}
        _numbers(tr("Octave"), "octave", octaves, here.octave, lambda n: to(n, here.layer))
        _numbers(tr("Layer"), "layer", layers, here.layer, lambda n: to(here.octave, n))
        if not found.is_own and found.trace is not None:
            st.button(tr("Back to the keypoint"), on_click=view.go, kwargs={"cell": None})


def _numbers(
    label: str, name: str, options: dict[int, str], now: int, chosen: Callable[[int], None]
) -> None:
    key = f"surf-look-{name}"
    st.session_state[key] = now
    st.segmented_control(
        label,
        list(options),
        format_func=lambda n: options[n],
        key=key,
        on_change=lambda: chosen(int(st.session_state[key])),
        required=True,
        label_visibility="collapsed",
    )


def filters(found: Followed) -> None:
    """Show the three box filters over the picture, and what they sum up to."""
    layer = found.layer
    heading(
        2,
        tr("Box filters"),
        tr(
            "Three filters of {side} × {side} pixels measure how brightness bends across, along "
            "and askew: blue boxes add, orange ones take away. With every layer the filter grows, "
            "with every octave twice as fast.",
            side=layer.side,
        ),
    )
    look(found)
    if not layer.is_inside[found.cell[1:]]:
        st.info(tr("The filter leaves the picture at this place: the response counts as 0."))
        return
    left, top = layer.origin(*found.cell[1:])
    sums = [apply(found.prepared.integral, each, left, top) for each in layer.filters]
    shape = found.prepared.gray.shape
    below = svg.picture(view.drawing(found.shown, found.here, "picture"), shape)
    box = _near(found)
    figures(
        [
            Figure(
                below + _boxes(each, left, top),
                box,
                tr("{name} over the picture", name=each.name),
                _sum(each, done),
            )
            for each, done in zip(layer.filters, sums)
        ],
        "filters",
    )
    dxx, dyy, dxy = (float(done.value) for done in sums)
    st.markdown(
        tr(
            "Response: Dxx · Dyy − (0.9 · Dxy)² = {dxx} · {dyy} − (0.9 · {dxy})² = "
            "**{response:,.2f}**",
            dxx=_factor(dxx),
            dyy=_factor(dyy),
            dxy=_factor(dxy),
            response=float(layer.determinants[found.cell[1:]]),
        )
    )


def _factor(value: float) -> str:
    """Write a number as it stands in a product: in brackets below 0."""
    return f"{value:,.2f}" if value >= 0 else f"(−{-value:,.2f})"


def _near(found: Followed) -> svg.Box:
    """Return the part of the picture around the filters at the cell that is looked at."""
    layer = found.layer
    left, top = layer.origin(*found.cell[1:])
    middle = left + (layer.side - 1) / 2, top + (layer.side - 1) / 2
    return svg.around(*middle, max(12.0, 0.75 * layer.side), found.prepared.gray.shape)


def _boxes(one: BoxFilter, left: int, top: int) -> str:
    """Draw a filter's boxes at a place, each with what it counts."""
    drawn = ""
    for (x0, y0, x1, y1), weight in zip(one.boxes.tolist(), one.template_weights.tolist()):
        kind, said = ("plus", f"+{weight}") if weight > 0 else ("minus", f"−{-weight}")
        x, y = left + x0 - 0.5, top + y0 - 0.5
        drawn += svg.rectangle(kind, x, y, x1 - x0, y1 - y0)
        drawn += svg.text(
            "said", x + (x1 - x0) / 2, y + (y1 - y0) / 2, said, min(x1 - x0, y1 - y0) * 0.5
        )
    return drawn


def _sum(one: BoxFilter, done: Sums) -> str:
    """Write a filter's sum out: each box by its weight, over the pixels that a box has."""
    left, top, right, bottom = one.boxes.T
    area = int(((right - left) * (bottom - top))[0])
    parts = " ".join(
        f"{'+' if weight > 0 else '−'} {'' if abs(weight) == 1 else f'{abs(weight)} · '}{box:,}"
        for weight, box in zip(one.template_weights.tolist(), done.boxes.tolist())
    )
    return f"{one.name} = ({parts.removeprefix('+ ')}) / {area:,} = {float(done.value):,.2f}"


def responses(found: Followed) -> None:
    """Show the responses of all layers of the octave; a click looks at that place."""
    assert found.octave is not None
    heading(
        3,
        tr("Response maps"),
        tr(
            "The same at every cell of the octave's grid, one every {step} pixels. Grey is below "
            "the threshold, colour above; circles are keypoints of about the filter's size. Click "
            "a place to look at it (by keys: arrows, then Enter).",
            step=found.layer.step,
        )
        if found.layer.step > 1
        else tr(
            "The same at every pixel. Grey is below the threshold, colour above; circles are "
            "keypoints of about the filter's size. Click a place to look at it (by keys: arrows, "
            "then Enter)."
        ),
    )
    shape, features = found.prepared.gray.shape, found.prepared.features
    number, (x, y) = found.layer.octave, found.places
    step = found.layer.step
    layers = followed.layers_of(found)
    items = []
    for layer in found.octave.layers:
        rows, columns = layer.determinants.shape
        address = view.drawing(found.shown, found.here, f"response-{number}-{layer.layer}")
        drawn = svg.rectangle("dark", -0.5, -0.5, shape[1], shape[0])
        drawn += svg.image(address, -0.5, -0.5, columns * step, rows * step)
        for i in np.flatnonzero(layers == layer.layer)[:MOST_CIRCLES].tolist():
            px, py = features.xy[i].tolist()
            drawn += svg.circle("line", px, py, float(features.size[i]) / 2)
        if layer is found.layer:
            arm = max(shape) / 30
            cross = [f"M{svg.number(x - arm)} {svg.number(y)}h{svg.number(2 * arm)}"]
            cross += [f"M{svg.number(x)} {svg.number(y - arm)}v{svg.number(2 * arm)}"]
            drawn += svg.path("rim", cross) + svg.path("chosen", cross)
        told = tr("Layer {n}: filters of {side} pixels", n=layer.layer, side=layer.side)
        if not layer.is_searched:
            told += " · " + tr("only a neighbour")
        label = tr("Responses of layer {n} of octave {octave}", n=layer.layer, octave=number)
        items.append(Figure(drawn, svg.whole(shape), label, told, float(step), (x, y)))

    def picked(i: int, to_x: float, to_y: float) -> None:
        view.go(**followed.picked(found, i, to_x, to_y))

    figures(items, "responses", 160, picked)


def maxima(found: Followed) -> None:
    """Show the cell among its 26 neighbours, and how many cells pass each test."""
    heading(
        4,
        tr("The largest of 27"),
        tr(
            "A keypoint must lie above the threshold of {threshold:,.0f} and above its 26 "
            "neighbours: eight in its own layer, nine in the layer below and nine in that above.",
            threshold=found.params.hessian_threshold,
        ),
    )
    judged = found.judged
    if judged is None:
        st.info(tr("The first and last layer of an octave only serve as neighbours."))
    else:
        st.markdown(f"**{tr(fate(found))}**")
        if judged.around is not None:
            _cube(found)
    key = "surf-funnel"
    st.session_state[key] = bool(found.here.funnel)
    told = st.expander(
        tr("How many cells pass each test"),
        key=key,
        on_change=lambda: view.go(funnel=int(bool(st.session_state[key]))),
    )
    if found.here.funnel:  # it takes as long as all the rest of the page
        with told:
            _funnel(found)


def _cube(found: Followed) -> None:
    """Show the 27 values as three squares of nine."""
    judged = found.judged
    assert judged is not None and judged.around is not None
    around = judged.around
    top = max(float(around.max()), 1e-6)
    items = []
    for k in range(3):
        layer, drawn, said = judged.layer - 1 + k, "", []
        for row in range(3):
            for column in range(3):
                value = float(around[k, row, column])
                share = max(0.0, value / top)
                drawn += (
                    f'<rect x="{column}" y="{row}" width="1" height="1" '
                    f'fill="rgb(86 180 233 / {round(100 * share * 0.75)}%)" class="cell"/>'
                )
                drawn += svg.text("word", column + 0.5, row + 0.5, f"{value:,.0f}", 0.19)
                said.append(f"{value:,.0f}")
        drawn += svg.path("faint", ["M1 0v3M2 0v3M0 1h3M0 2h3"])
        if k == 1:
            drawn += svg.rectangle("ink", 1.02, 1.02, 0.96, 0.96)
        if judged.rival is not None and judged.rival[0] == layer:
            right = judged.rival[2] - judged.column + 1
            down = judged.rival[1] - judged.row + 1
            drawn += svg.rectangle("gone", right + 0.04, down + 0.04, 0.92, 0.92)
        label = tr(
            "Nine values of layer {n}, line by line: {values}", n=layer, values=", ".join(said)
        )
        items.append(Figure(drawn, (0.0, 0.0, 3.0, 3.0), label, tr("Layer {n}", n=layer)))
    figures(items, "cube", 160)


def _funnel(found: Followed) -> None:
    """Show how many cells of each layer pass each test."""
    counted = followed.funnels(found)
    names = [tr("Cells"), tr("Above the threshold"), tr("Largest of 27"), tr("Kept")]
    x, y = found.places
    rows = []
    for layer, of in counted:
        told = tr("Octave {octave}, layer {n}", octave=layer.octave, n=layer.layer)
        href = found.here.href(**followed.moved(found, layer.octave, layer.layer, x, y))
        numbers = of.n_cells, of.n_above, of.n_largest, of.n_kept
        cells = (Cell(told, href), *(Cell(f"{value:,}") for value in numbers))
        rows.append(Row(cells, "✓" if layer is found.layer else None))
    table([tr("Layer"), *names], rows, "funnel", tr("Cells that pass each test"), names)
    n_kept, n = sum(of.n_kept for _, of in counted), len(found.prepared.features)
    if n_kept > n:
        st.caption(
            trn(
                "{n} of them has no room for any of its wavelets and is dropped later.",
                "{n} of them have no room for any of their wavelets and are dropped later.",
                n_kept - n,
            )
        )


def newton(found: Followed) -> None:
    """Show the step from the cell to the top between the cells."""
    heading(
        5,
        tr("The Newton step"),
        tr(
            "The largest value rarely lies in the middle of a cell. A parabola through the 27 "
            "values says where its top is; a step of more than one cell or layer is refused, and "
            "so is a step of 0."
        ),
    )
    judged = found.judged
    if judged is None or judged.newton is None:
        st.info(tr("This cell did not come so far: no step is taken."))
        return
    step = judged.newton
    (x, y), size = found.places, float(found.layer.side)
    to_x, to_y, to_size = (float(value) for value in step.found[:3])
    left, right = st.columns([2, 3], gap="large", vertical_alignment="center")
    with left:
        _step(found)
    names = [tr("x, pixels"), tr("y, pixels"), tr("Size, pixels")]
    values = [(x, to_x), (y, to_y), (size, to_size)]
    rows = [
        Row(
            (
                Cell(name),
                Cell(f"{before:,.2f}"),
                Cell(f"{float(moved):+.3f}"),
                Cell(f"{after:,.2f}" if step.is_accepted else "–"),
            )
        )
        for name, (before, after), moved in zip(names, values, step.step)
    ]
    numbers = [tr("Cell"), tr("Step, cells"), tr("Keypoint")]
    with right:
        table(["", *numbers], rows, "newton", tr("The Newton step"), numbers)
        st.caption(
            tr(
                "The step solves Hessian · step = −gradient; a step of 1 is a cell, or a layer. "
                "Gradient {gradient}; Hessian {hessian}. Sizes are rounded to whole pixels.",
                gradient=_row(step.gradient),
                hessian="; ".join(_row(row) for row in step.hessian),
            )
        )


def _row(values: NDArray[np.floating]) -> str:
    return "(" + ", ".join(f"{float(value):,.0f}" for value in values) + ")"


def _step(found: Followed) -> None:
    """Draw the step over the picture: from the middle of the cell to the top."""
    judged, step = found.judged, found.layer.step
    assert judged is not None and judged.newton is not None
    (x, y), shape = found.places, found.prepared.gray.shape
    drawn = svg.picture(view.drawing(found.shown, found.here, "picture"), shape)
    edges = [x + (k - 1.5) * step for k in range(4)], [y + (k - 1.5) * step for k in range(4)]
    lines = [svg.segment(at, edges[1][0], at, edges[1][3]) for at in edges[0]]
    lines += [svg.segment(edges[0][0], at, edges[0][3], at) for at in edges[1]]
    drawn += svg.both(lines)
    to_x = x + step * float(judged.newton.step[0])
    to_y = y + step * float(judged.newton.step[1])
    drawn += svg.both([svg.segment(x, y, to_x, to_y)])
    drawn += svg.circle("chosen", x, y, step / 12) + svg.circle("in", to_x, to_y, step / 9)
    label = tr("Nine cells over the picture, and the step from the middle one to the top")
    box = x - 2 * step, y - 2 * step, 4.0 * step, 4.0 * step
    figures([Figure(drawn, box, label)], "step")
