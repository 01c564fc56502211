"""What the page Why shows stands in its address, beside what all pages keep there."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import quote, urlencode

import streamlit as st

from engine.index import Index
from engine.language import mark
from ui import urls
from ui.link import Link, divide

FEW, COUNTED, ALL = "", "counted", "all"
LINES = {
    FEW: mark("The 50 that add most"),
    COUNTED: mark("All that count"),
    ALL: mark("All matches"),
}
PARAMETERS = ("result", "lines", "off", "areas", "match", "number")
N_FEW = 50
MOST_OFF, MOST_AREAS = 64, 16
Area = tuple[int, int, int, int]
_AREA = re.compile(r"(\d{1,5})-(\d{1,5})-(\d{1,5})-(\d{1,5})")


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """The choices of this page, checked for form but not for existence.

    Attributes
    ----------
    link : Link
        What all pages have in common.
    result : int or None
        The picture that is explained; None for the first result.
    lines : str
        One of LINES: which matches are drawn.
    off : tuple of int
        Words that are left out of the query, rising.
    areas : tuple of (left, top, right, bottom)
        Parts of the query that are left out, in its pixels.
    match : tuple of int or None
        Keypoints of the query and of the result whose match is looked at.
    number : int or None
        Place in a network's vectors that is looked at.
    """

    link: Link
    result: int | None = None
    lines: str = FEW
    off: tuple[int, ...] = ()
    areas: tuple[Area, ...] = ()
    match: tuple[int, int] | None = None
    number: int | None = None

    @classmethod
    def here(cls) -> Self:
        """Read this page's address."""
        return cls.read(st.query_params)

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Self:
        """Read an address's parameters; what has no meaning is left out."""
        told = {key: values.get(key, "") for key in PARAMETERS}
        off = {int(word) for word in told["off"].split("-") if re.fullmatch(r"\d{1,7}", word)}
        areas = [_AREA.fullmatch(text) for text in told["areas"].split(".")]
        match = re.fullmatch(r"(\d{1,9})-(\d{1,9})", told["match"])
        sides = [tuple(int(side) for side in found.groups()) for found in areas if found]
        return cls(
            link=Link.read(values),
            result=int(told["result"]) if re.fullmatch(r"\d{1,9}", told["result"]) else None,
            lines=told["lines"] if told["lines"] in LINES else FEW,
            off=tuple(sorted(off)[:MOST_OFF]),
            areas=tuple((a, b, c, d) for a, b, c, d in sides[:MOST_AREAS] if a < c and b < d),
            match=(int(match[1]), int(match[2])) if match else None,
            number=int(told["number"]) if re.fullmatch(r"\d{1,6}", told["number"]) else None,
        )

    @property
    def is_changed(self) -> bool:
        """Whether something is left out of the query."""
        return bool(self.off or self.areas)

    def write(self) -> dict[str, str]:
        """Return the parameters of this address, without those that say nothing."""
        own = {
            "result": "" if self.result is None else str(self.result),
            "lines": self.lines,
            "off": "-".join(map(str, self.off)),
            "areas": ".".join("-".join(map(str, area)) for area in self.areas),
            "match": "" if self.match is None else "-".join(map(str, self.match)),
            "number": "" if self.number is None else str(self.number),
        }
        return self.link.write() | {key: value for key, value in own.items() if value}

    def to(self, **changes: Any) -> Self:
        """Return this view with other choices, of its own or of the link.

        Another query takes what was left out of the first with it, and its result; another result
        takes the match.
        """
        found, mine = divide(self, changes)
        if found.query() != self.link.query() or found.collection != self.link.collection:
            mine = {"result": None, "off": (), "areas": ()} | mine
        if "result" in mine:
            mine = {"match": None} | mine
        if found.method != self.link.method:
            mine = {"number": None} | mine
        return dataclasses.replace(self, link=found, **mine)

    def href(self, **changes: Any) -> str:
        """Return the address of this view with other choices."""
        return urls.page("why", self.to(**changes))


def drawing(opened: Index, here: View, what: str) -> str:
    """Return the address of a drawing of this view: heat, warp or covered, see `ui.routes`."""
    values = urlencode(here.to(collection=opened.name, word=None).write() | {"v": opened.stamp})
    return f"{urls.prefix()}/why/{quote(opened.name)}/{what}?{values}"


def go(**changes: Any) -> None:
    """Change this page's address; the browser's back button undoes it."""
    st.query_params.from_dict(View.here().to(**changes).write())


def choose(label: str, options: list[str], parameter: str, current: str, **more: Any) -> None:
    """Show a selectbox whose choice stands in the address under `parameter`."""
    key = f"choose-why-{parameter}"
    st.session_state[key] = current if current in options else options[0]

    def changed() -> None:
        go(**{parameter: st.session_state[key]})

    st.selectbox(label, options, key=key, on_change=changed, **more)
