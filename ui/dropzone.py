"""A place for a file to be dropped, in the language that is spoken.

Streamlit's own words for it are English alone; in another language a style sets ours in their
place.
"""

import json
from collections.abc import Callable, Sequence

import streamlit as st

from engine import language
from engine.language import tr

_STYLE = """<style>
.st-key-{key} [data-testid="stFileUploaderDropzone"] button p {{ display: none; }}
.st-key-{key} [data-testid="stFileUploaderDropzone"] button div:has(> p)::after
{{ content: {choose}; }}
.st-key-{key} [data-testid="stFileUploaderDropzoneInstructions"] span {{ display: none; }}
.st-key-{key} [data-testid="stFileUploaderDropzoneInstructions"]::after
{{ content: {limit}; font-size: 0.875rem; opacity: 0.8; }}
</style>"""


def dropzone(
    label: str,
    kinds: Sequence[str],
    key: str,
    on_change: Callable[[], None],
    megabytes: int | None = None,
    note: str | None = None,
) -> None:
    """Show a place for a file.

    Parameters
    ----------
    label : str
        What it is for.
    kinds : sequence of str
        Endings of the files that are taken.
    key : str
        Name of this widget on the page: letters, digits, hyphens.
    on_change : callable
        Called when a file is there.
    megabytes : int or None
        The most that a file may hold; None for the server's limit.
    note : str or None
        Shown on hover.
    """
    st.file_uploader(
        label, kinds, key=key, on_change=on_change, max_upload_size=megabytes, help=note
    )
    if language.spoken() != language.ENGLISH:
        most = megabytes or st.get_option("server.maxUploadSize")
        listed = ", ".join(kind.upper() for kind in kinds)
        limit = tr("{megabytes} MB per file · {kinds}", megabytes=most, kinds=listed)
        choose = json.dumps(tr("Choose a file"), ensure_ascii=False)
        limit = json.dumps(limit, ensure_ascii=False)
        st.html(_STYLE.format(key=key, choose=choose, limit=limit))
