"""What the page Lessons shows stands in its address, beside what all pages keep there."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlencode

import streamlit as st

from ui import urls
from ui.link import Link

PARAMETERS = ("lesson", "step", "result", "keypoint", "off")
MOST_OFF = 64
_NUMBER = re.compile(r"\d{1,9}")


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
    """

    link: Link
    lesson: str = ""
    step: int = 1
    result: int | None = None
    keypoint: int | None = None
    off: tuple[int, ...] = ()

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
        return cls(
            link=Link.read(values),
            lesson=told["lesson"] if re.fullmatch(r"[a-z]{1,20}", told["lesson"]) else "",
            step=number["step"] or 1,
            result=number["result"],
            keypoint=number["keypoint"],
            off=tuple(sorted(off)[:MOST_OFF]),
        )

    def write(self) -> dict[str, str]:
        """Return the parameters of this address, without those that say nothing."""
        own = {
            "lesson": self.lesson,
            "step": str(self.step) if self.lesson and self.step > 1 else "",
            "result": "" if self.result is None else str(self.result),
            "keypoint": "" if self.keypoint is None else str(self.keypoint),
            "off": "-".join(map(str, self.off)),
        }
        return self.link.write() | {key: value for key, value in own.items() if value}

    def to(self, **changes: Any) -> Self:
        """Return this view with other choices, of its own or of the link.

        Another query or lesson takes what was chosen in the first with it.
        """
        own = {field.name for field in dataclasses.fields(self)}
        inner = {key: value for key, value in changes.items() if key not in own}
        mine = {key: value for key, value in changes.items() if key in own}
        found = self.link.to(**inner) if inner else self.link
        nothing: dict[str, Any] = {"result": None, "keypoint": None, "off": ()}
        if found.query() != self.link.query() or found.collection != self.link.collection:
            mine = nothing | mine
        if mine.get("lesson", self.lesson) != self.lesson:
            mine = nothing | {"step": 1} | mine
            found = dataclasses.replace(found, word=None) if "word" not in inner else found
        return dataclasses.replace(self, link=found, **mine)

    def href(self, **changes: Any) -> str:
        """Return the address of this view with other choices."""
        values = urlencode(self.to(**changes).write())
        return f"{urls.prefix()}/lessons" + (f"?{values}" if values else "")


def go(**changes: Any) -> None:
    """Change this page's address; the browser's back button undoes it."""
    st.query_params.from_dict(View.here().to(**changes).write())
