"""What the Evaluation page shows stands in its address, beside what all pages keep there."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Any, Self

import streamlit as st

from engine.language import mark, tr
from ui import link, urls
from ui.link import Link, divide

RUNS, MEASURE, TRUTHS = "", "measure", "truths"
PARTS = {RUNS: mark("Runs"), MEASURE: mark("Measure"), TRUTHS: mark("Ground truths")}
PARAMETERS = ("part", "run", "beside", "asked", "truth")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """The choices of this page, checked for form but not for existence.

    Attributes
    ----------
    link : Link
        What all pages have in common. Its query is the one that is being marked.
    part : str
        One of PARTS.
    run, beside : str
        The chosen run, and the one it is compared with; empty for none.
    asked : int or None
        Place of a query in the chosen run: its sheet is shown.
    truth : str
        The ground truth that is being made; empty for none.
    """

    link: Link
    part: str = RUNS
    run: str = ""
    beside: str = ""
    asked: int | None = None
    truth: str = ""

    @classmethod
    def here(cls) -> Self:
        """Read this page's address; what has no meaning is left out."""
        told = {key: st.query_params.get(key, "") for key in PARAMETERS}
        named = {key: told[key] for key in ("run", "beside", "truth") if _NAME.fullmatch(told[key])}
        asked = told["asked"]
        return cls(
            link=link.here(),
            part=told["part"] if told["part"] in PARTS else RUNS,
            asked=int(asked) if re.fullmatch(r"\d{1,6}", asked) else None,
            **named,
        )

    def write(self) -> dict[str, str]:
        """Return the parameters of this address, without those that say nothing."""
        own = {key: getattr(self, key) for key in ("part", "run", "beside", "truth")}
        own["asked"] = "" if self.asked is None else str(self.asked)
        return self.link.write() | {key: value for key, value in own.items() if value}

    def to(self, **changes: Any) -> Self:
        """Return this view with other choices, of its own or of the link."""
        found, mine = divide(self, changes)
        return dataclasses.replace(self, link=found, **mine)

    def href(self, **changes: Any) -> str:
        """Return the address of this view with other choices."""
        return urls.page("evaluation", self.to(**changes))


def go(**changes: Any) -> None:
    """Change this page's address; the browser's back button undoes it."""
    st.query_params.from_dict(View.here().to(**changes).write())


def choose_part(current: View) -> None:
    """Show the parts of the page; the chosen one stands in the address."""
    key = "choose-part"
    st.session_state[key] = current.part

    def changed() -> None:
        values = View(dataclasses.replace(link.here(), image_id=None), st.session_state[key])
        st.query_params.from_dict(values.write())

    st.segmented_control(
        tr("Part"),
        list(PARTS),
        format_func=lambda part: tr(PARTS[part]),
        key=key,
        on_change=changed,
        required=True,
        label_visibility="collapsed",
    )


def choose_method(options: Sequence[str], current: str, **arguments: Any) -> str:
    """Show the methods; the chosen one stands in the address."""
    key = "choose-evaluated"
    st.session_state[key] = current if current in options else options[0]
    chosen: str = st.selectbox(
        tr("Method"),
        options,
        key=key,
        on_change=lambda: go(method=st.session_state[key]),
        **arguments,
    )
    return chosen
