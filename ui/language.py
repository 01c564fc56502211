"""Which language a visitor reads: what the address says, else what the browser asks for."""

import streamlit as st

from engine import language
from engine.language import LANGUAGES
from ui import link


def wanted() -> str:
    """Return the language of this page's address, else of the browser."""
    return link.here().language or language.nearest(st.context.locale or "")


def _switch(code: str) -> None:
    st.query_params["lang"] = code


def switch() -> None:
    """Offer each other language by its own name."""
    now = language.spoken()
    for code, name in LANGUAGES.items():
        if code != now:
            st.button(
                name,
                key=f"language-{code}",
                type="tertiary",
                on_click=_switch,
                args=(code,),
            )


language.ask(wanted)
