"""What stands in an address: written and read back unchanged, nonsense left out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.link import PARAMETERS, Link

NAMES = st.text(max_size=40)
NUMBERS = st.integers(0, 10**9 - 1)
TOKENS = st.from_regex(r"[A-Za-z0-9_-]{16,64}", fullmatch=True)
QUERIES = st.one_of(
    st.just({}),
    st.builds(lambda i: {"image_id": i}, NUMBERS),
    st.builds(lambda token: {"upload": token}, TOKENS),
    st.builds(lambda place: {"sample": place}, st.integers(0, 999)),
)


@st.composite
def links(draw: st.DrawFn) -> Link:
    query: dict[str, Any] = draw(QUERIES)
    word = draw(st.none() | NUMBERS)
    return Link(collection=draw(NAMES), method=draw(NAMES), word=word, **query)


@given(links())
def test_a_link_written_and_read_is_the_same(link: Link) -> None:
    assert Link.read(link.write()) == link


@given(links())
def test_a_link_writes_only_what_says_something(link: Link) -> None:
    written = link.write()
    assert set(written) <= set(PARAMETERS)
    assert all(written.values())


@given(st.dictionaries(st.sampled_from([*PARAMETERS, "other", "q"]), st.text(max_size=80)))
def test_any_parameters_can_be_read(values: dict[str, str]) -> None:
    link = Link.read(values)
    assert Link.read(link.write()) == link
    assert sum(kind is not None for kind in (link.image_id, link.sample, link.upload)) <= 1


@pytest.mark.parametrize(
    "query",
    [
        "image-",
        "image--1",
        "image-1.0",
        "image-1e3",
        "image-1 ",
        " image-1",
        "image-1\n",
        "image-1234567890",
        "Image-1",
        "upload-",
        "upload-tooshort",
        "upload-" + "x" * 65,
        "upload-../../../../etc/passwd",
        "upload-%2e%2e%2fxxxxxxxxxxxxxxxx",
        "upload-<script>alert(1)</script>",
        "1",
        "\x00",
    ],
)
def test_a_query_without_meaning_is_left_out(query: str) -> None:
    assert Link.read({"query": query}) == Link()


@pytest.mark.parametrize("word", ["-1", "1.5", "", " 1", "1\n", "0x10", "1_000", "9" * 10, "word"])
def test_a_word_without_meaning_is_left_out(word: str) -> None:
    assert Link.read({"word": word}) == Link()


def test_nothing_gives_the_empty_link() -> None:
    assert Link.read({}) == Link()
    assert Link().write() == {}


def test_a_new_query_takes_the_place_of_the_old_one() -> None:
    link = Link(collection="tiny", upload="x" * 32, word=3)
    assert link.to(image_id=7) == Link(collection="tiny", image_id=7, word=3)
    assert link.to(image_id=7).to(upload="y" * 32) == link.to(upload="y" * 32)
    assert link.to(image_id=None) == Link(collection="tiny", word=3)
    assert link.to(word=None) == Link(collection="tiny", upload="x" * 32)


def test_an_unknown_choice_is_an_error() -> None:
    with pytest.raises(TypeError):
        Link().to(image=7)
