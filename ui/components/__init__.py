"""The app's own components: pictures in a grid or to be marked, tables, a picture with keypoints.

Each is one small JavaScript file without a build step, after what they share. Triggers fire once;
`data` stays the same between reruns unless what is shown has changed.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from engine.language import mark, tr

KINDS = {"right": mark("right"), "wrong": mark("wrong"), "junk": mark("ignored")}
_HERE = Path(__file__).parent


def _kinds() -> dict[str, str]:
    """Return what the marks are called."""
    return {kind: tr(name) for kind, name in KINDS.items()}


def _canvas() -> dict[str, str]:
    """Return what the buttons of a picture with zoom are called."""
    return {"in": tr("Zoom in"), "out": tr("Zoom out"), "fit": tr("Fit")}


def _source(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


_LANGUAGE = st.components.v2.component(
    "visword_language",
    html="<span hidden></span>",
    js="export default ({ data }) => { document.documentElement.lang = data.code }\n",
)
_TOP = st.components.v2.component(
    "visword_top",
    html="<span hidden></span>",
    js=_source("top.js"),
)
_GALLERY = st.components.v2.component(
    "visword_gallery",
    html='<ul class="gallery"></ul>\n',
    css=_source("mark.css") + _source("gallery.css"),
    js=_source("history.js") + _source("mark.js") + _source("gallery.js"),
)
_TABLE = st.components.v2.component(
    "visword_table",
    html='<div class="scroll" role="region" tabindex="0"></div>\n',
    css=_source("mark.css") + _source("table.css"),
    js=_source("history.js") + _source("mark.js") + _source("table.js"),
)
_MARKING = st.components.v2.component(
    "visword_marking",
    html='<ul class="gallery"></ul>\n',
    css=_source("mark.css") + _source("gallery.css") + _source("marking.css"),
    js=_source("history.js") + _source("mark.js") + _source("marking.js"),
)
_BARS = st.components.v2.component(
    "visword_bars",
    html=_source("bars.html"),
    css=_source("bars.css"),
    js=_source("history.js") + _source("bars.js"),
)
_VIEWER = st.components.v2.component(
    "visword_viewer",
    html=_source("viewer.html"),
    css=_source("viewer.css"),
    js=_source("history.js") + _source("viewer.js"),
)
_PAIR = st.components.v2.component(
    "visword_pair",
    html=_source("pair.html"),
    css=_source("pair.css"),
    js=_source("history.js") + _source("pair.js"),
)
_OVERLAY = st.components.v2.component(
    "visword_overlay",
    html=_source("overlay.html"),
    css=_source("overlay.css"),
    js=_source("history.js") + _source("overlay.js"),
)

_FIGURES = st.components.v2.component(
    "visword_figures",
    html='<div class="figures"></div>\n',
    css=_source("figures.css"),
    js=_source("figures.js"),
)


def start_at_top(place: str) -> None:
    """Scroll the page to its start whenever `place` is another one than before."""
    _TOP(data={"place": place}, key="start-at-top")


def page_language(code: str) -> None:
    """Tell the browser which language the page is in: screen readers speak by it."""
    _LANGUAGE(data={"code": code}, key="page-language")


@dataclasses.dataclass(frozen=True, slots=True)
class Tile:
    """One picture of a gallery.

    Attributes
    ----------
    id : int
        What it shows: an image, a word, a patch.
    url : str
        The picture.
    href : str
        Where a click on it leads: a page of this app.
    alt : str
        What it is, for those who do not see it.
    title : str
        Shown on hover.
    caption, rank, score : str or None
        The line below the picture.
    share : float or None
        Length of the bar, 0 to 1; None shows no bar.
    more : tuple of (text, address)
        Further pages, as links below the picture.
    download : str or None
        Where the file itself is had, as a link below the picture.
    mark : str or None
        "right", "wrong" or "junk": told by sign, word, colour and rim; or "both", for a picture
        that stands in another gallery too.
    told : str or None
        What is said beside the mark instead of its name; without a mark, a quiet line.
    above : str or None
        A line over the whole width, with which a group of pictures begins.
    note : str or None
        A line of its own below the caption.
    """

    id: int
    url: str
    href: str
    alt: str
    title: str
    caption: str | None = None
    rank: str | None = None
    score: str | None = None
    share: float | None = None
    more: tuple[tuple[str, str], ...] = ()
    download: str | None = None
    mark: str | None = None
    told: str | None = None
    above: str | None = None
    note: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what the browser needs."""
        return {k: v for k, v in dataclasses.asdict(self).items() if v is not None}


def gallery(
    tiles: Sequence[Tile],
    key: str,
    label: str,
    columns: int = 4,
    columns_small: int = 2,
    ratio: str = "4 / 3",
    sharp: bool = False,
) -> None:
    """Show pictures in a grid, each a link.

    Parameters
    ----------
    tiles : sequence of Tile
        The pictures.
    key : str
        Name of this gallery on the page.
    label : str
        What the list is, for those who do not see it.
    columns, columns_small : int
        Wide and at 640 pixels or less.
    ratio : str
        Width / height of a tile.
    sharp : bool
        Whether tiles are filled to their edges.
    """
    data = {
        "items": [tile.to_json() for tile in tiles],
        "columns": columns,
        "small": columns_small,
        "ratio": ratio,
        "label": label,
        "sharp": sharp,
        "texts": {
            "download": tr("Download"),
            "of": tr("{what}: {name}"),
            "kinds": _kinds(),
        },
    }
    _GALLERY(key=key, data=data)


@dataclasses.dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table.

    Attributes
    ----------
    text : str
        What it says.
    href : str or None
        Where a click on it leads: a page of this app.
    image : str or None
        A small picture before the text.
    marks : tuple of str
        Results as signs, instead of the text, which then tells them in words.
    label : str or None
        What the link is called, where its text alone says too little; it must hold that text.
    note : str
        A line below the text.
    """

    text: str
    href: str | None = None
    image: str | None = None
    marks: tuple[str, ...] = ()
    label: str | None = None
    note: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One row of a table; `chosen` sets it off, with a sign before its first cell."""

    cells: tuple[Cell, ...]
    chosen: str | None = None


def table(
    heading: Sequence[str], rows: Sequence[Row], key: str, label: str, numbers: Sequence[str] = ()
) -> None:
    """Show a table that scrolls sideways where there is little room.

    Parameters
    ----------
    heading : sequence of str
        One a column.
    rows : sequence of Row
        As many cells each.
    key : str
        Name of this table on the page.
    label : str
        What it is, for those who do not see it.
    numbers : sequence of str
        The headings of the columns that hold numbers.
    """
    data = {
        "heading": list(heading),
        "rows": [dataclasses.asdict(row) for row in rows],
        "label": label,
        "numbers": [name in numbers for name in heading],
    }
    _TABLE(key=key, data=data)


def marking(
    tiles: Sequence[Tile],
    marks: Mapping[int, str],
    version: str,
    key: str,
    label: str,
    on_change: Callable[[dict[int, str]], None],
) -> None:
    """Show pictures that can each be marked right, wrong or ignored.

    Parameters
    ----------
    tiles : sequence of Tile
        The pictures.
    marks : mapping of int to str
        Marks by the tiles' ids, as the component begins with.
    version : str
        A new one makes it begin again.
    key : str
        Name of this component on the page.
    label : str
        What the list is, for those who do not see it.
    on_change : callable
        Called with all marks of these tiles when one has changed.
    """

    def changed() -> None:
        told = st.session_state[key].marks
        if told is not None and told.get("version") == version:
            ids = {tile.id for tile in tiles}
            found = {int(i): str(mark) for i, mark in told["marks"].items() if i.isdigit()}
            on_change({i: m for i, m in found.items() if i in ids and m in KINDS})

    data = {
        "items": [tile.to_json() for tile in tiles],
        "marks": {str(image_id): mark for image_id, mark in marks.items()},
        "version": version,
        "label": label,
        "texts": {
            "of": tr("{what}: {name}"),
            "right": tr("Right: {name}"),
            "click": tr("{name}: a click marks it right"),
            "mark": tr("Mark {name}"),
            "kinds": _kinds(),
        },
    }
    _MARKING(key=key, data=data, on_marks_change=changed)


def bars(
    values: Sequence[int], ends: Sequence[str], key: str, what: str, name: str, label: str
) -> None:
    """Show how many fall between one end and the next, as bars.

    Parameters
    ----------
    values : sequence of int
        One count a bar.
    ends : sequence of str
        What stands between two bars and at both ends: one more than values.
    key : str
        Name of these bars on the page.
    what, name : str
        What is counted, and what it is counted over.
    label : str
        What they say, for those who do not see them.
    """
    data = {
        "values": list(values),
        "ends": list(ends),
        "what": what,
        "name": name,
        "label": label,
        "texts": {"bar": tr("{low} to {high}: {n}")},
    }
    _BARS(key=key, data=data)


def viewer(
    url: str,
    width: int,
    height: int,
    points: str,
    n_shown: int,
    key: str,
    label: str,
    on_pick: Callable[[int], None],
    chosen: int | None = None,
    lit: int | None = None,
    point: str = "",
) -> None:
    """Show a picture with its keypoints: zoom, pan, hover, click.

    Parameters
    ----------
    url : str
        The picture.
    width, height : int
        Of the original, in pixels; keypoints are given in these.
    points : str
        Where the keypoints are fetched, as `ui.keypoints.pack` lays them.
    n_shown : int
        How many of them are shown, from the first; of the lit word all are.
    key : str
        Name of this viewer on the page.
    label : str
        What it shows, for those who do not see it.
    on_pick : callable
        Called with a keypoint's place when it is clicked.
    chosen : int or None
        Place of the keypoint to mark.
    lit : int or None
        Word whose keypoints stand out; the others fade.
    point : str
        What is said of a keypoint on hover, with {word}, {size} and {response}; empty for all
        three.
    """

    def picked() -> None:
        choice = st.session_state[key].picked
        if choice is not None:
            on_pick(int(choice))

    data = {
        "url": url,
        "width": width,
        "height": height,
        "points": points,
        "shown": n_shown,
        "label": label,
        "chosen": chosen,
        "lit": lit,
        "texts": {
            **_canvas(),
            "whole": tr("Fit the whole picture"),
            "loading": tr("Loading keypoints"),
            "failed": tr("The keypoints could not be loaded. Reload the page to try again."),
            "point": point or tr("word {word} · size {size} px · response {response}"),
        },
    }
    _VIEWER(key=key, data=data, on_picked_change=picked)


@dataclasses.dataclass(frozen=True, slots=True)
class Side:
    """One of two pictures: its address, and its width and height in pixels of the original."""

    url: str
    width: int
    height: int


def pair(
    left: Side,
    right: Side,
    key: str,
    label: str,
    on_pick: Callable[[int], None],
    on_paint: Callable[[tuple[int, int, int, int]], None] | None,
    matches: Sequence[Sequence[float]] = (),
    told: Sequence[str] = (),
    points: tuple[Sequence[Sequence[float]], Sequence[Sequence[float]]] = ((), ()),
    affine: Sequence[float] | None = None,
    hidden: Sequence[Sequence[int]] = (),
    chosen: int | None = None,
    lit: int | None = None,
) -> None:
    """Show two pictures, and lines between what matches.

    Parameters
    ----------
    left, right : Side
        The query and a result.
    key : str
        Name of this pair on the page.
    label : str
        What it shows, for those who do not see it.
    on_pick : callable
        Called with a match's place when it is clicked.
    on_paint : callable or None
        Called with left, top, right, bottom of what was painted over on the left picture; None
        where it cannot be.
    matches : sequence of numbers
        x, y, size, angle on the left, the same on the right, value, fate (0: it counts), word.
    told : sequence of str
        What is said of each match.
    points : two sequences of (x, y, size, angle)
        Keypoints to show besides, on either side.
    affine : six numbers or None
        Map from left to right: x' = a x + b y + c, y' = d x + e y + f.
    hidden : sequence of (left, top, right, bottom)
        Parts of the left picture that are left out.
    chosen : int or None
        Place of the match to mark.
    lit : int or None
        Word whose matches stand out; the others fade.
    """

    def picked() -> None:
        choice = st.session_state[key].picked
        if choice is not None and 0 <= int(choice) < len(matches):
            on_pick(int(choice))

    def painted() -> None:
        area = st.session_state[key].painted
        if area is not None and on_paint is not None and len(area) == 4:
            x0, y0, x1, y1 = (int(side) for side in area)
            on_paint((x0, y0, x1, y1))

    data = {
        "left": dataclasses.asdict(left),
        "right": dataclasses.asdict(right),
        "matches": [list(match) for match in matches],
        "told": list(told),
        "points": [[list(point) for point in side] for side in points],
        "affine": None if affine is None else list(affine),
        "hidden": [list(area) for area in hidden],
        "chosen": chosen,
        "lit": lit,
        "label": label,
        "paints": on_paint is not None,
        "texts": {
            **_canvas(),
            "whole": tr("Fit both pictures"),
            "paint": tr("Paint over"),
            "painting": tr(
                "Drag over a part of the query. By keys: arrows move it, with Shift they size it, "
                "Enter paints."
            ),
        },
    }
    _PAIR(key=key, data=data, on_picked_change=picked, on_painted_change=painted)


def overlay(
    below: str, above: str, width: int, height: int, key: str, name_below: str, name_above: str
) -> None:
    """Show one picture over another, parted by a line that is moved.

    Parameters
    ----------
    below, above : str
        Addresses of the two.
    width, height : int
        Shape of both.
    key : str
        Name of this component on the page.
    name_below, name_above : str
        What they show.
    """
    data = {
        "below": below,
        "above": above,
        "width": width,
        "height": height,
        "name_below": name_below,
        "name_above": name_above,
        "texts": {
            "share": tr("How much of it: {name}"),
            "parted": tr("Left of the line: {above}. Right of it: {below}."),
            "failed": tr("This drawing could not be loaded. Reload the page to try again."),
            "swap": tr("Swap"),
            "blink": tr("Blink"),
        },
    }
    _OVERLAY(key=key, data=data)


@dataclasses.dataclass(frozen=True, slots=True)
class Figure:
    """One drawing, see `ui.surf.svg`.

    Attributes
    ----------
    svg : str
        What stands inside the <svg>; the classes that it may use stand in figures.css.
    box : (left, top, width, height)
        The part of the plane that is shown.
    label : str
        What it shows, for those who do not see it.
    caption : str
        The line below.
    step : float
        How far an arrow key moves the cross in the plane; 0 if nothing can be picked.
    start : (x, y) or None
        Where the cross stands first; None for the middle.
    """

    svg: str
    box: tuple[float, float, float, float]
    label: str
    caption: str = ""
    step: float = 0.0
    start: tuple[float, float] | None = None


def figures(
    items: Sequence[Figure],
    key: str,
    width: int = 280,
    on_pick: Callable[[int, float, float], None] | None = None,
) -> None:
    """Show drawings side by side, as many as have room.

    Parameters
    ----------
    items : sequence of Figure
        The drawings.
    key : str
        Name of these drawings on the page.
    width : int
        Least width of one in pixels, where there is so much room.
    on_pick : callable or None
        Called with the place of a drawing and x, y in its plane when it is clicked there, or
        Enter is pressed.
    """

    def picked() -> None:
        told = st.session_state[key].picked
        if told is not None and on_pick is not None and len(told) == 3:
            i, x, y = int(told[0]), float(told[1]), float(told[2])
            if 0 <= i < len(items) and items[i].step:
                on_pick(i, x, y)

    data = {"items": [dataclasses.asdict(item) for item in items], "width": width}
    _FIGURES(key=key, data=data, on_picked_change=picked)
