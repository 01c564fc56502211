"""What the page Vocabulary shows stands in its address, beside what all pages keep there."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Self

import streamlit as st

from engine.language import mark, tr
from ui import link, urls
from ui.link import Link, divide
from ui.vocabulary.area import Area

WORDS, SEARCH, COMPARE, QUALITY = "", "search", "compare", "quality"
PARTS = {
    WORDS: mark("Words"),
    SEARCH: mark("Search by words"),
    COMPARE: mark("Compare"),
    QUALITY: mark("Quality"),
}
OWN, FREQUENCY, IDF, SIGN, PICTURE = "", "frequency", "idf", "sign", "picture"
COLOURINGS = {
    OWN: mark("Their own colours"),
    FREQUENCY: mark("Keypoints"),
    IDF: mark("idf"),
    SIGN: mark("Dark or light"),
    PICTURE: mark("Words of a picture"),
}
NUMBER, KEYPOINTS, IMAGES, SORT_IDF, SPREAD = "", "keypoints", "images", "idf", "spread"
MEASURES = {
    NUMBER: mark("Number"),
    KEYPOINTS: mark("Keypoints"),
    IMAGES: mark("Images"),
    SORT_IDF: mark("idf"),
    SPREAD: mark("Spread"),
}
FALLING, RISING = "falling", "rising"
PARAMETERS = (
    "part", "words", "colour", "area", "map", "beside", "truth", "sort", "order", "between"
)  # fmt: skip
MOST_WORDS = 32
_SPAN = re.compile(r"\d{1,12}(\.\d{1,4})?-\d{1,12}(\.\d{1,4})?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """The choices of this page, checked for form but not for existence.

    Attributes
    ----------
    link : Link
        What all pages have in common.
    part : str
        One of PARTS; a word of the link is shown before it.
    words : tuple of int
        What is searched for, at most MOST_WORDS, in the order chosen.
    colour : str
        One of COLOURINGS: what the map is coloured by.
    area : Area or None
        The part of the map that the grid shows; None for all.
    folded : bool
        Whether the map is away.
    beside : str
        The collection whose vocabulary is compared; empty for none.
    truth : str
        The ground truth by which words are judged; empty for none.
    sort : str
        One of MEASURES: what the grid is sorted and filtered by.
    order : str
        FALLING or RISING; empty for what is usual.
    between : str
        The least and the most of that measure that are shown, as "3-17"; empty for all.
    """

    link: Link
    part: str = WORDS
    words: tuple[int, ...] = ()
    colour: str = OWN
    area: Area | None = None
    folded: bool = False
    beside: str = ""
    truth: str = ""
    sort: str = NUMBER
    order: str = ""
    between: str = ""

    @classmethod
    def here(cls) -> Self:
        """Read this page's address."""
        return cls.read(st.query_params)

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Self:
        """Read an address's parameters; what has no meaning is left out."""
        told = {key: values.get(key, "") for key in PARAMETERS}
        numbers = [int(w) for w in told["words"].split("-") if re.fullmatch(r"\d{1,9}", w)]
        shared = {key: values.get(key, "") for key in link.PARAMETERS}
        return cls(
            link=Link.read(shared),
            part=told["part"] if told["part"] in PARTS else WORDS,
            words=tuple(dict.fromkeys(numbers))[:MOST_WORDS],
            colour=told["colour"] if told["colour"] in COLOURINGS else OWN,
            area=Area.read(told["area"]),
            folded=told["map"] == "away",
            beside=told["beside"] if _NAME.fullmatch(told["beside"]) else "",
            truth=told["truth"] if _NAME.fullmatch(told["truth"]) else "",
            sort=told["sort"] if told["sort"] in MEASURES else NUMBER,
            order=told["order"] if told["order"] in (FALLING, RISING) else "",
            between=told["between"] if _SPAN.fullmatch(told["between"]) else "",
        )

    def write(self) -> dict[str, str]:
        """Return the parameters of this address, without those that say nothing."""
        own = {
            "part": self.part,
            "words": "-".join(map(str, self.words)),
            "colour": self.colour,
            "area": "" if self.area is None else self.area.write(),
            "map": "away" if self.folded else "",
            "beside": self.beside,
            "truth": self.truth,
            "sort": self.sort,
            "order": self.order,
            "between": self.between,
        }
        return self.link.write() | {key: value for key, value in own.items() if value}

    def to(self, **changes: Any) -> Self:
        """Return this view with other choices, of its own or of the link."""
        found, mine = divide(self, changes)
        return dataclasses.replace(self, link=found, **mine)

    def href(self, **changes: Any) -> str:
        """Return the address of this view with other choices."""
        return urls.page("vocabulary", self.to(**changes))

    def with_word(self, word: int) -> tuple[int, ...]:
        """Return the words of the search and this one; the same if there is no room."""
        return tuple(dict.fromkeys((*self.words, word)))[:MOST_WORDS]

    def without_word(self, word: int) -> tuple[int, ...]:
        """Return the words of the search but this one."""
        return tuple(one for one in self.words if one != word)


def go(**changes: Any) -> None:
    """Change this page's address; the browser's back button undoes it."""
    st.query_params.from_dict(View.here().to(**changes).write())


def choose_part(here: View) -> None:
    """Show the parts of the page; the chosen one stands in the address."""
    key = "choose-vocabulary-part"
    st.session_state[key] = here.part if here.link.word is None else None

    def changed() -> None:
        now = View.here()
        part = st.session_state[key] or WORDS
        st.query_params.from_dict(now.to(word=None, part=part).write())

    st.segmented_control(
        tr("Part"),
        list(PARTS),
        format_func=lambda part: tr(PARTS[part]),
        key=key,
        on_change=changed,
        label_visibility="collapsed",
    )
