"""What is saved from a search: its ranking as a table, and the first results on one sheet."""

from collections.abc import Callable

import streamlit as st

from engine import language, sheet
from engine.answer import Answer
from engine.errors import ImageError
from engine.index import Index
from engine.language import tr
from ui import opened, query, words
from ui.link import Link
from ui.results import Result


def table(make: Callable[[], str]) -> None:
    """Offer a ranking as a table; it is made when it is asked for."""
    st.download_button(
        tr("Results as CSV"), make, file_name="results.csv", mime="text/csv", on_click="ignore"
    )


def sheet_of(shown: Index, here: Link, found: Answer, listed: list[Result]) -> bytes:
    """Make the sheet of the first results: a JPEG file."""
    if here.image_id is not None:
        asked = sheet.of_image(shown, here.image_id)
    else:
        try:
            asked = sheet.Asked(query.name(shown, here), opened.describe(shown, here).image.rgb)
        except ImageError:  # an upload that is gone since the page was shown
            asked = sheet.Asked(query.name(shown, here), sheet.GONE)
    entries = [
        sheet.Entry(one.image_id, words.shown_score(found, one.image_id, one.score))
        for one in listed[: sheet.N_PICTURES]
    ]
    return sheet.encode(sheet.make(shown, asked, found, entries), "JPEG")


def sheet_button(shown: Index, here: Link, found: Answer, listed: list[Result]) -> None:
    """Offer the first results as one picture; it is made when it is asked for."""
    spoken = language.spoken()

    def make() -> bytes:
        with language.speaking(spoken):  # it is made where nobody's address is known
            return sheet_of(shown, here, found, listed)

    st.download_button(
        tr("Sheet as a picture"),
        make,
        file_name=f"{found.method}.jpg",
        mime="image/jpeg",
        on_click="ignore",
        help=tr("The query and the first 30 on one picture, with place, score and file name."),
        key=f"sheet-{found.method}",
    )
