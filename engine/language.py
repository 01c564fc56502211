"""The language that is spoken: English stands in the code, others in catalogues of gettext.

Every text that a person reads goes through `tr`, or `trn` where it counts something; `mark` names
one that stands in a constant and is translated where it is used. Catalogues lie in `languages/`;
`docs/languages.md` tells how they are kept.
"""

import functools
import gettext
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "zh": "中文"}
TAGS = {ENGLISH: "en", "zh": "zh-Hans"}  # as HTML names them
_UNSPACED = ("zh",)  # sentences follow each other without a space
CATALOGUES = Path(__file__).resolve().parents[1] / "languages"

_spoken: ContextVar[str | None] = ContextVar("spoken", default=None)
_askers: list[Callable[[], str]] = []


def ask(asker: Callable[[], str]) -> None:
    """Have the language asked for wherever `speak` and `speaking` have not set it."""
    _askers[:] = [asker]


def spoken() -> str:
    """Return the code of the language that is spoken here, one of LANGUAGES."""
    code = _spoken.get()
    if code is None and _askers:
        code = _askers[0]()
    return code if code in LANGUAGES else ENGLISH


def speak(code: str) -> None:
    """Speak a language from here on, in this thread or task alone."""
    _spoken.set(code)


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speak a language for a while, in this thread or task alone."""
    before = _spoken.set(code)
    try:
        yield
    finally:
        _spoken.reset(before)


def nearest(wanted: str) -> str:
    """Return the code in LANGUAGES that is nearest to a tag such as "zh-CN"; else English."""
    code = wanted.replace("_", "-").split("-")[0].lower()
    return code if code in LANGUAGES else ENGLISH


@functools.lru_cache(maxsize=len(LANGUAGES))
def _catalogue(code: str) -> gettext.NullTranslations:
    return gettext.translation("visword", CATALOGUES, [code], fallback=code == ENGLISH)


def sentences(*told: str) -> str:
    """Set whole sentences one after the other, as the language that is spoken does."""
    return ("" if spoken() in _UNSPACED else " ").join(told)


def mark(text: str) -> str:
    """Name a text that `tr` will translate later; it stays as it is."""
    return text


def tr(text: str, **values: Any) -> str:
    """Return a text in the language that is spoken.

    Parameters
    ----------
    text : str
        The English text, as it stands in the code: a literal, or one named by `mark`.
    **values
        What stands in its {places}, set as `str.format` sets them.
    """
    told = _catalogue(spoken()).gettext(text) if text else text
    return told.format(**values) if values else told


def trn(one: str, many: str, n: int, **values: Any) -> str:
    """Return a text that counts something, in the language that is spoken.

    Parameters
    ----------
    one, many : str
        The English text for one and for any other number.
    n : int
        The number; stands in {n}.
    **values
        What else stands in {places}.
    """
    return _catalogue(spoken()).ngettext(one, many, n).format(n=n, **values)
