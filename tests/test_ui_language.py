"""Every page in Chinese: no English is left, and a language is chosen by link or browser."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from engine import evaluate, groundtruth, index, runs, truths
from engine.index import Index
from engine.language import speaking, tr
from tests.pages_under_test import PAGES, NoBuild, sentences, visit, well
from ui import language, startup

pytestmark = pytest.mark.usefixtures("fresh_caches", "no_build")

NOT_YET = ("vocabulary",)  # pages that wait for their translation
HIDDEN = {"html_content", "js_content", "css_content", "arrow_data", "svg"}  # styles, programs
ENGLISH = re.compile(r"[A-Za-z]{2,}(?: [a-z']{2,})+")
COMMAND = re.compile(r"`[^`]*`|<[^>]*>")  # or a sign of a drawing


def _strings(value: Any) -> Iterator[str]:
    """Yield what people read in a component's data or a chart."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in HIDDEN:
                yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _texts(of: Message) -> Iterator[str]:
    """Yield what people read in an element: all strings that are no keys or addresses."""
    for field, value in of.ListFields():
        if field.name in HIDDEN:
            continue
        for one in value if isinstance(value, (list, tuple)) or field.is_repeated else (value,):
            if isinstance(one, Message):
                yield from _texts(one)
            elif isinstance(one, str):
                yield from _strings(json.loads(one)) if one[:1] in ("{", "[") else (one,)


def shown(at: AppTest) -> list[str]:
    """Return all texts of a page."""
    found: list[str] = []
    for node in at._tree:
        proto = getattr(node, "proto", None)
        if isinstance(proto, Message) and node.type not in ("html", "code", "css"):
            found += _texts(proto)
    return found


def english(at: AppTest) -> list[str]:
    """Return the texts of a page that are English: commands and names alone may be."""
    return [text for text in shown(at) if ENGLISH.search(COMMAND.sub("", text))]


@pytest.fixture
def pair(scratch: Path) -> tuple[str, str]:
    """Two runs of one ground truth."""
    opened = index.open_index("tiny")
    lines = (
        "query,relevant,label\nchina.jpg,turned/china.png,good\ncoffee.jpg,turned/coffee.png,ok\n"
    )
    truths.add("gt", lines.encode(), opened)
    path = truths.path_of("gt")

    def run(method: str) -> str:
        found = evaluate.evaluate(opened, groundtruth.read(path, opened), method)
        return runs.keep(opened, found, path).name

    return run("count"), run("verified")


@pytest.mark.parametrize("page", [page for page in PAGES if page not in NOT_YET])
@pytest.mark.parametrize("query", ["", "image-0"])
def test_no_english_is_left_on_a_page(tiny: Index, page: str, query: str) -> None:
    at = well(visit(page, lang="zh", query=query, word="3"))
    assert len(shown(at)) > 20
    assert english(at) == []


@pytest.mark.parametrize("method", ["verified", "signatures", "tf-idf", "tf-idf-l1"])
def test_no_english_is_left_in_an_explanation(tiny: Index, method: str) -> None:
    kwargs = {"query": "image-0", "method": method, "lang": "zh", "lines": "all"}
    for more in ({}, {"result": "8", "off": "3", "areas": "0-0-90-90"}, {"off": "3-4"}):
        at = well(visit("why", **kwargs, **more))
        assert english(at) == []
        compare = next(b for b in at.button if b.label == "比较所有方法")
        assert english(well(compare.click().run())) == []


@pytest.mark.parametrize(
    "more",
    [
        {"cell": "0-1-50-50", "window": "3", "funnel": "1"},
        {"upright": "1", "short": "1", "cell": "0-0-0-0"},
        {"part": "compare", "match": "0-0"},
        {"part": "compare", "show": "kept"},
        {"part": "compare", "show": "lost"},
        {"part": "compare", "beside": "other"},
    ],
)
def test_no_english_is_left_step_by_step(tiny: Index, more: dict[str, str]) -> None:
    assert english(well(visit("surf", query="image-0", lang="zh", **more))) == []


def test_no_english_is_left_where_all_parts_are_there(full: Index) -> None:
    for method in ("expanded", "averaged", "asmk", "vlad"):
        for page in ("search", "why"):
            assert english(well(visit(page, query="image-0", lang="zh", method=method))) == []


def test_no_english_is_left_in_an_evaluation(pair: tuple[str, str]) -> None:
    first, second = pair
    for more in (
        {},
        {"run": first},
        {"run": first, "beside": second},
        {"run": first, "beside": second, "asked": "0"},
        {"part": "measure", "truth": "gt"},
        {"part": "truths"},
        {"part": "truths", "truth": "gt"},
        {"part": "truths", "truth": "gt", "query": "image-0"},
    ):
        at = well(visit("evaluation", lang="zh", **more))
        assert english(at) == []
    at = visit("evaluation", lang="zh", run=first)
    asked = next(b for b in at.button if b.label == "删除此评测记录").click().run()
    assert english(well(asked)) == []


@pytest.mark.parametrize(
    "address",
    [
        {"collection": "other"},
        {"query": "image-99"},
        {"query": "sample-77"},
        {"query": "upload-AAAAAAAAAAAAAAAAAAAAAAAA"},
    ],
)
def test_no_english_is_left_where_something_is_wrong(tiny: Index, address: dict[str, str]) -> None:
    at = visit("search", lang="zh", **address)
    assert len(at.error) == 1
    assert english(at) == []


@pytest.mark.parametrize("running", [False, True])
def test_no_english_is_left_at_the_first_start(
    empty_artifacts: Path, no_build: NoBuild, running: bool
) -> None:
    no_build.running = running
    assert english(well(visit("search", lang="zh"))) == []


def test_english_is_found_where_it_is(tiny: Index) -> None:
    """Whoever looks for it would find it: in labels, helps, components and charts."""
    told = "\n".join(english(well(visit("inspect", query="image-0"))))
    for text in ("Another picture", "Zoom in", "A small spot", "this picture", "Histogram over"):
        assert text in told


def test_the_switch_changes_the_language_and_nothing_else(tiny: Index) -> None:
    at = well(visit("search", query="image-1", method="tf-idf"))
    assert "most similar of" in sentences(at)
    at = well(at.button(key="language-zh").click().run())
    assert at.query_params == {"query": "image-1", "method": "tf-idf", "lang": "zh"}
    assert "最相似" in sentences(at)
    at = well(at.button(key="language-en").click().run())
    assert at.query_params == {"query": "image-1", "method": "tf-idf", "lang": "en"}
    assert "most similar of" in sentences(at)


def test_a_browser_is_answered_in_its_language_unless_the_address_names_one(
    tiny: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ContextProxy, "locale", property(lambda _: "zh-CN"))
    assert "找出同一事物的图片" in sentences(well(visit("search")))
    assert "Find the pictures of the same thing" in sentences(well(visit("search", lang="en")))


def test_choices_stay_when_the_language_changes(tiny: Index) -> None:
    """They are kept by what they mean, not by what they are called."""
    at = well(visit("inspect", query="image-0"))
    at = well(at.selectbox(key="colouring").set_value("response").run())
    at = well(at.button(key="language-zh").click().run())
    assert at.selectbox(key="colouring").value == "response"
    assert at.selectbox(key="colouring").options == ["单词", "响应", "符号"]


def test_what_is_told_later_is_told_in_the_language_of_whoever_asked() -> None:
    with speaking("zh"):
        later = language.kept(startup._failed)
    assert "服务器日志" in later()
    assert "server's log" in startup._failed()


def test_the_way_back_from_an_error_forgot_the_language(tiny: Index) -> None:
    at = visit("search", lang="zh", query="image-99")
    with speaking("zh"):
        back = tr("Back to the start")
    ways = [way.proto for way in at.get("page_link") if way.label == back]
    assert [way.query_string for way in ways] == ["lang=zh"]
