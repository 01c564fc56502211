"""Which language a visitor reads: what the address says, else what the browser asks for."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from engine import language
from engine.language import ENGLISH, LANGUAGES
from ui import link

P = ParamSpec("P")
T = TypeVar("T")


def wanted() -> str:
    """Return the language of this page's address, else of the browser."""
    if get_script_run_ctx(suppress_warning=True) is None:  # a thread of the server
        return ENGLISH
    return link.here().language or language.nearest(st.context.locale or "")


def kept(act: Callable[P, T]) -> Callable[P, T]:
    """Return what does the same in the language spoken now, wherever and whenever it is called."""
    code = language.spoken()

    def acts(*values: P.args, **named: P.kwargs) -> T:
        with language.speaking(code):
            return act(*values, **named)

    return acts


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
