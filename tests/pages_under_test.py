"""Pages as a visitor's first: opened by their own links, and what they show."""

import json
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from engine.build import Progress

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("search", "vocabulary", "why", "inspect", "surf", "evaluation", "models", "lessons")


class NoBuild:
    """Stands where the demo's build stands; counts its starts."""

    def __init__(self, running: bool = False, error: str | None = None) -> None:
        self.running, self.error, self.n_starts = running, error, 0
        self.progress = Progress("Making the demo's pictures", 12, 96)

    def start(self) -> None:
        self.n_starts += 1
        self.running, self.error = True, None


def visit(page: str, **parameters: str) -> AppTest:
    """Open a page by its own link, as the first page of a session."""
    at = AppTest.from_file(ROOT / "ui" / "frame.py", default_timeout=60)
    at.query_params.update(parameters)
    if page != "search":
        at.switch_page(f"../pages/{page}.py")
    return at.run()


def sentences(at: AppTest) -> str:
    """Return all text of a page."""
    kinds = (at.header, at.subheader, at.markdown, at.caption, at.info, at.warning, at.error)
    # Names are escaped for Markdown.
    return "\n".join(str(e.value) for kind in kinds for e in kind).replace("\\", "")


def well(at: AppTest) -> AppTest:
    """Check that a page shows what it should, and no failure of any kind."""
    assert not at.exception
    assert not at.error, [error.value for error in at.error]
    return at


def refused(at: AppTest) -> str:
    """Check that a page says in one sentence what is wrong, and offers a way on."""
    assert not at.exception
    assert len(at.error) == 1
    told = str(at.error[0].value).replace("\\", "")
    assert "Something went wrong" not in told
    assert "Traceback" not in told
    assert any(page.label == "Back to the start" for page in at.get("page_link"))
    return told


def component(at: AppTest, key: str) -> dict[str, Any]:
    """Return what one of the app's own components was given to show."""
    for found in at.get("bidi_component"):
        if found.key == key:
            data: dict[str, Any] = json.loads(found.proto.json)
            return data
    raise AssertionError(f"there is no component {key!r}")
