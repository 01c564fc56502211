"""What the page Search shows stands in its address, beside what all pages keep there."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

import streamlit as st

from ui import urls
from ui.link import Link, divide


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """The choices of this page, checked for form but not for existence.

    Attributes
    ----------
    link : Link
        What all pages have in common.
    beside : str
        A second method, whose ranking stands beside the first one's; empty for none.
    """

    link: Link
    beside: str = ""

    @classmethod
    def here(cls) -> Self:
        """Read this page's address."""
        return cls.read(st.query_params)

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Self:
        """Read an address's parameters."""
        return cls(Link.read(values), values.get("beside", ""))

    def write(self) -> dict[str, str]:
        """Return the parameters of this address, without those that say nothing."""
        own = {"beside": self.beside} if self.beside else {}
        return self.link.write() | own

    def to(self, **changes: Any) -> Self:
        """Return this view with other choices, of its own or of the link.

        Another collection may have other methods: the second one goes.
        """
        found, mine = divide(self, changes)
        if found.collection != self.link.collection:
            mine = {"beside": ""} | mine
        return dataclasses.replace(self, link=found, **mine)

    def href(self, **changes: Any) -> str:
        """Return the address of this view with other choices."""
        return urls.page("search", self.to(**changes))


def go(**changes: Any) -> None:
    """Change this page's address; the browser's back button undoes it."""
    st.query_params.from_dict(View.here().to(**changes).write())
