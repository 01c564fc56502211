"""Every text has its translation, and the right one is spoken."""

import re
import string
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from engine import language
from engine.language import tr, trn
from languages import update

CATALOGUES = sorted(update.HERE.glob("*/LC_MESSAGES/visword.po"))


def places(text: str) -> set[tuple[str, str]]:
    return {(name, spec) for _, name, spec, _ in string.Formatter().parse(text) if name}


def strings(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,)


def test_there_is_a_catalogue_for_every_language_but_english() -> None:
    assert {path.parents[1].name for path in CATALOGUES} == set(language.LANGUAGES) - {"en"}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parents[1].name)
def test_a_catalogue_holds_all_texts_of_the_code_and_no_other(path: Path) -> None:
    wanted = {strings(message.id) for message in update.extracted() if message.id}
    held = {strings(message.id) for message in update.read(path) if message.id}
    assert wanted - held == set(), "run python languages/update.py"
    assert held - wanted == set(), "run python languages/update.py"


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parents[1].name)
def test_every_text_is_translated(path: Path) -> None:
    assert update.waiting(update.read(path)) == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parents[1].name)
def test_a_translation_has_the_places_of_its_text(path: Path) -> None:
    for message in update.read(path):
        if message.id:
            wanted = places(strings(message.id)[-1])
            for told in strings(message.string):
                assert places(told) == wanted, told


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parents[1].name)
def test_what_is_compiled_is_what_the_catalogue_says(path: Path) -> None:
    assert path.with_suffix(".mo").read_bytes() == update.compiled(update.read(path))
    assert path.read_bytes() == update.written(update.read(path))


def test_a_text_that_waits_is_named(tmp_path: Path) -> None:
    path = tmp_path / "zh" / "LC_MESSAGES" / "visword.po"
    path.parent.mkdir(parents=True)
    path.write_text('msgid ""\nmsgstr ""\n"Language: zh\\n"\n\nmsgid "Left"\nmsgstr ""\n')
    with path.open("rb") as file:
        assert update.waiting(read_po(file, locale="zh")) == ["Left"]


def test_english_is_spoken_where_nobody_chose() -> None:
    assert language.spoken() == "en"
    assert tr("Search") == "Search"
    assert trn("{n:,} image", "{n:,} images", 1) == "1 image"
    assert trn("{n:,} image", "{n:,} images", 1200) == "1,200 images"


def test_another_language_is_spoken_for_a_while() -> None:
    with language.speaking("zh"):
        assert re.search("[一-鿿]", tr("Search"))
        assert re.search("[一-鿿]", trn("{n:,} image", "{n:,} images", 1200))
        assert "1,200" in trn("{n:,} image", "{n:,} images", 1200)
    assert tr("Search") == "Search"


@pytest.mark.parametrize(
    ("tag", "code"),
    [("zh-CN", "zh"), ("zh_TW", "zh"), ("ZH", "zh"), ("en-GB", "en"), ("fr-FR", "en"), ("", "en")],
)
def test_the_nearest_language_of_a_browser(tag: str, code: str) -> None:
    assert language.nearest(tag) == code


def test_an_unknown_language_is_english() -> None:
    with language.speaking("xx"):
        assert language.spoken() == "en"
        assert tr("Search") == "Search"


def test_text_without_places_keeps_its_braces() -> None:
    assert tr("{not} a place") == "{not} a place"


def test_a_key_of_a_table_is_not_taken_for_a_text() -> None:
    code = 'tr(TERMS["idf"]); tr("{a} of", a=trn("{n} x", "{n} xs", of["k"])); tr(f"no")'
    assert list(update.texts(code)) == ["{a} of", ("{n} x", "{n} xs")]
