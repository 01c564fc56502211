"""What the page Lessons shows stands in its address, beside what all pages keep there."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Self, TypeVar

import streamlit as st

from ui import urls
from ui.link import Link, divide

PARAMETERS = ("lesson", "step", "result", "keypoint", "off", "moved")
MOST_OFF = 64
PLACE = ("lesson", "step")
_NUMBER = re.compile(r"\d{1,9}")
_MOVED = re.compile(r"([a-z]{1,12})_(-?[0-9]{1,7}(?:\.[0-9]{1,2})?)")
MOST_MOVED = 8


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """The choices of this page, checked for form but not for existence.

    Attributes
    ----------
    link : Link
        What all pages have in common.
    lesson : str
        Name of a lesson; empty for the list of all.
    step : int
        Which of its steps, from 1.
    result : int or None
        The picture that the query is laid beside; None for the first result.
    keypoint : int or None
        The keypoint of the query that is looked at, the strongest being 0.
    off : tuple of int
        Words that are left out of the query, rising.
    moved : tuple of (str, float)
        What was moved or chosen in this step, by name.
    """

    link: Link
    lesson: str = ""
    step: int = 1
    result: int | None = None
    keypoint: int | None = None
    off: tuple[int, ...] = ()
    moved: tuple[tuple[str, float], ...] = ()

    @classmethod
    def here(cls) -> Self:
        """Read this page's address."""
        return cls.read(st.query_params)

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Self:
        """Read an address's parameters; what has no meaning is left out."""
        told = {key: values.get(key, "") for key in PARAMETERS}
        number = {key: int(v) if _NUMBER.fullmatch(v) else None for key, v in told.items()}
        off = {int(word) for word in told["off"].split("-") if _NUMBER.fullmatch(word)}
        parts = [_MOVED.fullmatch(part) for part in told["moved"].split("~")[:MOST_MOVED]]
        moved = {part[1]: float(part[2]) for part in parts if part}
        return cls(
            link=Link.read(values),
            lesson=told["lesson"] if re.fullmatch(r"[a-z]{1,20}", told["lesson"]) else "",
            step=number["step"] or 1,
            result=number["result"],
            keypoint=number["keypoint"],
            off=tuple(sorted(off)[:MOST_OFF]),
            moved=tuple(sorted(moved.items())),
        )

    def write(self) -> dict[str, str]:
        """Return the parameters of this address, without those that say nothing."""
        own = {
            "lesson": self.lesson,
            "step": str(self.step) if self.lesson and self.step > 1 else "",
            "result": "" if self.result is None else str(self.result),
            "keypoint": "" if self.keypoint is None else str(self.keypoint),
            "off": "-".join(map(str, self.off)),
            "moved": "~".join(f"{name}_{_short(value)}" for name, value in self.moved),
        }
        return self.link.write() | {key: value for key, value in own.items() if value}

    def to(self, **changes: Any) -> Self:
        """Return this view with other choices, of its own or of the link.

        Another query or lesson takes what was chosen in the first with it, another step what was
        moved.
        """
        found, mine = divide(self, changes)
        nothing: dict[str, Any] = {"result": None, "keypoint": None, "off": ()}
        if found.query() != self.link.query() or found.collection != self.link.collection:
            mine = nothing | mine
        if mine.get("lesson", self.lesson) != self.lesson:
            mine = nothing | {"step": 1} | mine
            found = dataclasses.replace(found, word=None) if "word" not in changes else found
        is_there = all(mine.get(key, getattr(self, key)) == getattr(self, key) for key in PLACE)
        if not is_there or found.query() != self.link.query():
            mine = {"moved": ()} | mine
        return dataclasses.replace(self, link=found, **mine)

    def href(self, **changes: Any) -> str:
        """Return the address of this view with other choices."""
        return urls.page("lessons", self.to(**changes))


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def value(name: str, usual: float) -> float:
    """Return what the address says of something that can be moved, or what is usual."""
    return dict(View.here().moved).get(name, usual)


def move(name: str, to: float, usual: float) -> None:
    """Keep in the address what was moved; what is usual says nothing."""
    moved = {key: told for key, told in View.here().moved if key != name}
    if to != usual:
        moved[name] = to
    go(moved=tuple(sorted(moved.items())))


Number = TypeVar("Number", int, float)


def slider(
    label: str, name: str, least: Number, most: Number, usual: Number, step: Number, key: str
) -> Number:
    """Show a slider whose number stands in the address under `name`."""
    kind = type(usual)
    st.session_state[key] = min(most, max(least, kind(value(name, usual))))
    changed = lambda: move(name, float(st.session_state[key]), float(usual))  # noqa: E731
    chosen: Number = st.slider(label, least, most, step=step, key=key, on_change=changed)
    return chosen


def segments(label: str, name: str, options: Mapping[str, str], key: str) -> str:
    """Show a row of choices; the place of the one chosen stands in the address under `name`."""
    names = list(options)
    place = int(value(name, 0))
    st.session_state[key] = names[place] if 0 <= place < len(names) else names[0]
    chosen = st.segmented_control(
        label,
        names,
        format_func=lambda one: options[one],
        key=key,
        on_change=lambda: move(name, names.index(st.session_state[key]), 0),
        required=True,
        label_visibility="collapsed",
    )
    return str(chosen)


def go(**changes: Any) -> None:
    """Change this page's address; the browser's back button undoes it."""
    st.query_params.from_dict(View.here().to(**changes).write())
