"""What a page shows stands in its address: collection, query, method, word, language.

The address is the only home of these choices. A reload, a link sent to someone and the browser's
back button therefore all show the same page, and nothing has to be restored from a session.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import streamlit as st

from engine.language import LANGUAGES

_PAGES = Path(__file__).resolve().parents[1] / "pages"
_QUERY = re.compile(
    r"image-(?P<image>\d{1,9})|sample-(?P<sample>\d{1,3})|upload-(?P<upload>[A-Za-z0-9_-]{16,64})"
)
_QUERIES = ("image_id", "sample", "upload")
PARAMETERS = ("collection", "query", "method", "word", "lang")


@dataclasses.dataclass(frozen=True, slots=True)
class Link:
    """The choices in a page's address, checked for form but not for existence.

    Attributes
    ----------
    collection : str
        Name of an index; empty for the first there is.
    image_id : int or None
        The query, if it is a picture of the collection.
    sample : int or None
        The query, if it is one of the demo's sample queries.
    upload : str or None
        Token of the query, if it was uploaded.
    method : str
        Weighting; empty for the collection's own.
    word : int or None
        The chosen visual word.
    language : str
        Code of the language, one of LANGUAGES; empty for the browser's.
    """

    collection: str = ""
    image_id: int | None = None
    sample: int | None = None
    upload: str | None = None
    method: str = ""
    word: int | None = None
    language: str = ""

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Self:
        """Read an address's parameters; what has no meaning is left out."""
        found = _QUERY.fullmatch(values.get("query", ""))
        image = found["image"] if found else None
        sample = found["sample"] if found else None
        word, language = values.get("word", ""), values.get("lang", "")
        return cls(
            collection=values.get("collection", ""),
            image_id=None if image is None else int(image),
            sample=None if sample is None else int(sample),
            upload=found["upload"] if found else None,
            method=values.get("method", ""),
            word=int(word) if re.fullmatch(r"\d{1,9}", word) else None,
            language=language if language in LANGUAGES else "",
        )

    @property
    def has_query(self) -> bool:
        """Whether it names a query at all."""
        return any(getattr(self, kind) is not None for kind in _QUERIES)

    def query(self) -> Self:
        """Return a link that names the query and nothing else."""
        return type(self)(image_id=self.image_id, sample=self.sample, upload=self.upload)

    def write(self) -> dict[str, str]:
        """Return the parameters of this link, without those that say nothing."""
        query = f"upload-{self.upload}" if self.upload else ""
        if self.sample is not None:
            query = f"sample-{self.sample}"
        if self.image_id is not None:
            query = f"image-{self.image_id}"
        values = {
            "collection": self.collection,
            "query": query,
            "method": self.method,
            "word": "" if self.word is None else str(self.word),
            "lang": self.language,
        }
        return {key: value for key, value in values.items() if value}

    def to(self, **changes: Any) -> Self:
        """Return this link with other choices. A new query replaces the one there was."""
        if any(kind in changes for kind in _QUERIES):
            changes = dict.fromkeys(_QUERIES) | changes
        return dataclasses.replace(self, **changes)


class Viewed(Protocol):
    """What a page shows: its link, and choices of its own."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def link(self) -> Link:
        """What all pages have in common."""


def divide(view: Viewed, changes: Mapping[str, Any]) -> tuple[Link, dict[str, Any]]:
    """Return a view's link with the changes that are the link's, and those that are its own."""
    own = {field.name for field in dataclasses.fields(view)}
    mine = {key: value for key, value in changes.items() if key in own}
    inner = {key: value for key, value in changes.items() if key not in own}
    return (view.link.to(**inner) if inner else view.link), mine


def here() -> Link:
    """Return the link of the page that is being shown."""
    return Link.read({key: st.query_params.get(key, "") for key in PARAMETERS})


def go(**changes: Any) -> None:
    """Change this page's address; the browser's back button undoes it."""
    st.query_params.from_dict(here().to(**changes).write())


def page_link(page: str, label: str, **more: str) -> None:
    """Show a link to another page that keeps the choices of this one, but for `more`.

    These are parameters of its address; what is empty is left out.
    """
    values = {key: value for key, value in (here().write() | more).items() if value}
    # Relative paths would start at the frame, which lies beside this file.
    st.page_link(str(_PAGES / f"{page}.py"), label=label, query_params=values, width="content")


def choose(
    label: str, options: Sequence[str], parameter: str, current: str, **arguments: Any
) -> str:
    """Show a selectbox whose choice stands in the address under `parameter`."""
    key = f"choose-{parameter}"
    st.session_state[key] = current if current in options else options[0]

    def changed() -> None:
        value = st.session_state[key]
        if parameter == "collection":
            # Pictures and words are numbered by collection; another query fits any of them.
            now = here()
            kept = dataclasses.replace(now, image_id=None).query()
            kept = dataclasses.replace(kept, collection=value, language=now.language)
            st.query_params.from_dict(kept.write())
        else:
            go(**{parameter: value})

    chosen: str = st.selectbox(label, options, key=key, on_change=changed, **arguments)
    return chosen
