"""What the page Step by step shows stands in its address, beside what all pages keep there."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import quote, urlencode

import streamlit as st

from engine.index import Index
from engine.repeatability import Variation
from engine.surf import SurfParams
from ui import keypoints, urls
from ui.link import Link, divide

STEPS, COMPARE = "", "compare"
MATCHES, KEPT, LOST = "", "kept", "lost"
TURN, ZOOM, BLUR, LIGHT = "turn", "zoom", "blur", "light"
CURVES = (TURN, ZOOM, BLUR, LIGHT)
MOST_LAYERS = 5
# Whole numbers in the address: name, least, most, what stands where nothing is said.
RANGES = {
    "threshold": (0, 10_000_000, None),
    "octaves": (1, 16, None),
    "layers": (1, 16, None),
    "upright": (0, 1, None),
    "short": (0, 1, None),
    "window": (0, 71, None),
    "square": (0, 15, None),
    "funnel": (0, 1, 0),
    "turn": (-180, 180, 30),
    "zoom": (30, 200, 100),
    "blur": (0, 60, 0),
    "contrast": (30, 200, 100),
    "brightness": (-100, 100, 0),
    "ratio": (50, 100, 80),
    "other": (0, 999_999_999, None),
}
PATTERNS = {
    "at": r"(\d{1,5}(?:\.\d)?)-(\d{1,5}(?:\.\d)?)-(\d{1,5}(?:\.\d)?)",
    "cell": r"(\d{1,2})-(\d{1,2})-(\d{1,5})-(\d{1,5})",
    "match": r"(\d{1,9})-(\d{1,9})",
}
# With these a line between two pictures is another one, or gone.
MOVES = {"threshold", "octaves", "layers", "upright", "short", "turn", "zoom", "blur"}
MOVES |= {"contrast", "brightness", "show", "beside", "other"}
CHOICES = {
    "part": (STEPS, COMPARE),
    "show": (MATCHES, KEPT, LOST),
    "curve": ("", *CURVES),
    "beside": ("", "other"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """The choices of this page, checked for form but not for existence.

    Attributes
    ----------
    link : Link
        What all pages have in common.
    part : str
        STEPS or COMPARE.
    threshold, octaves, layers, upright, short : int or None
        Parameters of SURF, 0 and 1 for no and yes; None for the collection's own.
    at : (x, y, size) or None
        The keypoint that is followed, in pixels of the picture that is worked on; None for the
        strongest.
    cell : (octave, layer, row, column) or None
        A cell of the scale space that is looked at instead.
    window : int or None
        The window of directions that is looked at, in steps of 5 degrees; None for the winner.
    square : int or None
        The cell of the descriptor that is looked at, line by line.
    funnel : int
        1 if it is told how many cells pass each test.
    turn, zoom, blur, contrast, brightness : int
        What is done to the picture: degrees; percent; tenths of a pixel; percent; levels.
    ratio : int
        Percent of the second nearest distance that the nearest may have.
    show : str
        MATCHES, KEPT or LOST.
    match : tuple of int or None
        Keypoints of both pictures whose line is looked at.
    curve : str
        One of CURVES, or none.
    beside : str
        "other" if another picture stands beside it.
    other : int or None
        Which one of the collection; None for the first result.
    """

    link: Link
    part: str = STEPS
    threshold: int | None = None
    octaves: int | None = None
    layers: int | None = None
    upright: int | None = None
    short: int | None = None
    at: tuple[float, ...] | None = None
    cell: tuple[int, ...] | None = None
    window: int | None = None
    square: int | None = None
    funnel: int = 0
    turn: int = 30
    zoom: int = 100
    blur: int = 0
    contrast: int = 100
    brightness: int = 0
    ratio: int = 80
    show: str = MATCHES
    match: tuple[int, ...] | None = None
    curve: str = ""
    beside: str = ""
    other: int | None = None

    @classmethod
    def here(cls) -> Self:
        """Read this page's address."""
        return cls.read(st.query_params)

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Self:
        """Read an address's parameters; what has no meaning is left out."""
        found: dict[str, Any] = {}
        for name, (least, most, _) in RANGES.items():
            told = values.get(name, "")
            if re.fullmatch(r"-?[0-9]{1,9}", told) and least <= int(told) <= most:
                found[name] = int(told)
        for name, pattern in PATTERNS.items():
            groups = re.fullmatch(pattern, values.get(name, ""), re.ASCII)
            if groups:
                kind = float if name == "at" else int
                found[name] = tuple(kind(part) for part in groups.groups())
        for name, choices in CHOICES.items():
            if values.get(name, "") in choices:
                found[name] = values.get(name, "")
        return cls(link=Link.read(values), **found)

    def write(self) -> dict[str, str]:
        """Return the parameters of this address, without those that say nothing."""
        own = {name: getattr(self, name) for name in CHOICES}
        for name, (_, _, usual) in RANGES.items():
            value = getattr(self, name)
            own[name] = "" if value == usual else str(value)
        for name in PATTERNS:
            value = getattr(self, name)
            # Whole numbers as they are: "g" would write a long one as 1e+06.
            told = (str(part) if isinstance(part, int) else f"{part:g}" for part in value or ())
            own[name] = "-".join(told)
        return self.link.write() | {key: value for key, value in own.items() if value}

    def to(self, **changes: Any) -> Self:
        """Return this view with other choices, of its own or of the link.

        Another query takes what was looked at in the first with it, other pictures the line between
        them.
        """
        found, mine = divide(self, changes)
        if found.query() != self.link.query() or found.collection != self.link.collection:
            mine = {"at": None, "cell": None, "match": None, "other": None} | mine
        if mine.keys() & MOVES:
            mine = {"match": None} | mine
        if "at" in mine:
            mine = {"cell": None, "window": None} | mine
        return dataclasses.replace(self, link=found, **mine)

    def href(self, **changes: Any) -> str:
        """Return the address of this view with other choices."""
        return urls.page("surf", self.to(**changes))

    def params(self, shown: Index) -> SurfParams:
        """Return the parameters of SURF that it names; the collection's own where it does not."""
        most, highest = keypoints.limits(shown)
        own = shown.surf
        threshold = own.hessian_threshold if self.threshold is None else float(self.threshold)
        octaves = own.n_octaves if self.octaves is None else self.octaves
        layers = own.n_octave_layers if self.layers is None else self.layers
        return SurfParams(
            hessian_threshold=min(threshold, float(most)),
            n_octaves=min(octaves, highest),
            n_octave_layers=min(layers, max(MOST_LAYERS, own.n_octave_layers)),
            extended=own.extended if self.short is None else not self.short,
            upright=own.upright if self.upright is None else bool(self.upright),
        )

    @property
    def variation(self) -> Variation:
        """What is done to the picture."""
        return Variation(
            turn=float(self.turn),
            zoom=self.zoom / 100,
            blur=self.blur / 10,
            contrast=self.contrast / 100,
            brightness=float(self.brightness),
        )


def drawing(shown: Index, here: View, what: str) -> str:
    """Return the address of a picture of this view, as `ui.routes` serves it."""
    kept = {"threshold", "octaves", "layers", "upright", "short"}
    if what == "variant":
        kept |= {"turn", "zoom", "blur", "contrast", "brightness"}
    elif what in ("picture", "compared", "integral"):
        kept = set()
    elif what == "other":
        kept = {"other"}
    values = {name: value for name, value in here.write().items() if name in kept}
    values |= here.link.query().write() | {"v": shown.stamp}
    return f"{urls.prefix()}/surf/{quote(shown.name)}/{what}?{urlencode(values)}"


def go(**changes: Any) -> None:
    """Change this page's address; the browser's back button undoes it."""
    st.query_params.from_dict(View.here().to(**changes).write())


def slider(
    label: str,
    name: str,
    least: int,
    most: int,
    now: int,
    step: int = 1,
    part: int = 1,
    **more: Any,
) -> None:
    """Show a slider whose number, divided by `part`, stands in the address under `name`."""
    key = f"surf-{name}"
    st.session_state[key] = min(most, max(least, part * now))

    def changed() -> None:
        go(**{name: int(st.session_state[key]) // part})

    st.slider(label, least, most, step=step, key=key, on_change=changed, **more)


def toggle(label: str, name: str, now: bool, **more: Any) -> None:
    """Show a switch that stands in the address as 0 or 1."""
    key = f"surf-{name}"
    st.session_state[key] = now

    def changed() -> None:
        go(**{name: int(st.session_state[key])})

    st.toggle(label, key=key, on_change=changed, **more)


def segments(
    label: str, name: str, options: Mapping[Any, str], now: Any, required: bool = True
) -> None:
    """Show a row of choices of which one stands in the address."""
    key = f"surf-{name}"
    st.session_state[key] = now if now in options else None

    def changed() -> None:
        chosen = st.session_state[key]
        go(**{name: "" if chosen is None else chosen})

    st.segmented_control(
        label,
        list(options),
        format_func=lambda option: options[option],
        key=key,
        on_change=changed,
        required=required,
        label_visibility="collapsed",
    )
