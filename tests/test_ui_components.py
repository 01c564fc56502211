"""What the components' files promise before their scripts have run."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

COMPONENTS = Path(__file__).resolve().parents[1] / "ui" / "components"
FILES = sorted(COMPONENTS.glob("*.html"))


def unnamed(element: ElementTree.Element) -> list[str]:
    """Return the controls that are shown and have no name."""
    if "hidden" in element.attrib:
        return []
    found = [name for child in element for name in unnamed(child)]
    named = (element.text or "").strip() or element.get("aria-label")
    if element.tag in ("button", "input") and not named:
        found.append(ElementTree.tostring(element, encoding="unicode").strip())
    return found


def tree(path: Path) -> ElementTree.Element:
    text = re.sub(r"<(img|input)([^>]*)>", r"<\1\2/>", path.read_text(encoding="utf-8"))
    text = re.sub(r" hidden(?=[ >/])", ' hidden=""', text)
    return ElementTree.fromstring(f"<all>{text}</all>")


def test_there_are_files() -> None:
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_control_is_shown_before_it_has_a_name(path: Path) -> None:
    assert unnamed(tree(path)) == []


def test_a_control_without_a_name_is_found() -> None:
    shown = ElementTree.fromstring("<div><button/><p hidden=''><button/></p></div>")
    assert len(unnamed(shown)) == 1
