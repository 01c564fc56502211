"""What the page Models shows stands in its address, beside what all pages keep there."""

import dataclasses
from typing import Any, Self

import streamlit as st

from engine import models
from ui import link, urls
from ui.link import Link, divide


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """The choices of this page, checked for form but not for existence.

    Attributes
    ----------
    link : Link
        What all pages have in common.
    model : str
        The model that is shown; empty for all.
    """

    link: Link
    model: str = ""

    @classmethod
    def here(cls) -> Self:
        """Read this page's address; what has no meaning is left out."""
        model = st.query_params.get("model", "")
        return cls(link.here(), model if models.is_name(model) else "")

    def write(self) -> dict[str, str]:
        """Return the parameters of this address, without those that say nothing."""
        return self.link.write() | ({"model": self.model} if self.model else {})

    def to(self, **changes: Any) -> Self:
        """Return this view with other choices, of its own or of the link."""
        found, mine = divide(self, changes)
        return dataclasses.replace(self, link=found, **mine)

    def href(self, **changes: Any) -> str:
        """Return the address of this view with other choices."""
        return urls.page("models", self.to(**changes))


def go(**changes: Any) -> None:
    """Change this page's address; the browser's back button undoes it."""
    st.query_params.from_dict(View.here().to(**changes).write())
