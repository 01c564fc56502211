"""The page Why in an address: what it shows is what its address says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_ui_link import links
from ui.link import Link
from ui.why import view
from ui.why.summary import place
from ui.why.view import View

SIDES = st.integers(0, 9_999)
AREAS = st.tuples(SIDES, SIDES, SIDES, SIDES).filter(lambda a: a[0] < a[2] and a[1] < a[3])


@st.composite
def views(draw: st.DrawFn) -> View:
    numbers = st.integers(0, 10**6)
    return View(
        link=draw(links()),
        result=draw(st.none() | numbers),
        lines=draw(st.sampled_from(list(view.LINES))),
        off=tuple(sorted(draw(st.sets(numbers, max_size=5)))),
        areas=tuple(draw(st.lists(AREAS, max_size=4))),
        match=draw(st.none() | st.tuples(numbers, numbers)),
    )


@given(views())
def test_an_address_says_all_that_is_shown(one: View) -> None:
    assert View.read(one.write()) == one


@given(st.dictionaries(st.sampled_from(view.PARAMETERS), st.text(max_size=60)))
def test_any_address_can_be_read(values: dict[str, str]) -> None:
    found = View.read(values)
    assert View.read(found.write()) == found


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"off": "7-3-7-x"}, {"off": (3, 7)}),
        ({"areas": "1-2-3-4.9-9-1-1.x"}, {"areas": ((1, 2, 3, 4),)}),
        ({"lines": "most"}, {"lines": view.FEW}),
        ({"match": "3"}, {"match": None}),
        ({"result": "-1"}, {"result": None}),
    ],
)
def test_what_has_no_meaning_is_left_out(written: dict[str, str], expected: dict[str, Any]) -> None:
    assert View.read(written) == View(Link(), **expected)


def test_no_more_is_read_than_a_page_would_ever_write() -> None:
    many = View.read({"off": "-".join(map(str, range(900))), "areas": ".".join(["0-0-1-1"] * 99)})
    assert len(many.off) == view.MOST_OFF
    assert len(many.areas) == view.MOST_AREAS


def test_another_query_takes_what_belonged_to_the_first_with_it() -> None:
    one = View(Link(image_id=1), 5, "all", (3,), ((0, 0, 1, 1),), (7, 8))
    assert one.to(image_id=2) == View(Link(image_id=2), lines="all")
    assert one.to(result=6) == View(Link(image_id=1), 6, "all", (3,), ((0, 0, 1, 1),))
    assert one.to(word=4) == View(Link(image_id=1, word=4), 5, "all", (3,), ((0, 0, 1, 1),), (7, 8))


@pytest.mark.parametrize(
    ("rank", "told"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (13, "13th"),
        (22, "22nd"),
        (111, "111th"),
        (1023, "1,023rd"),
    ],
)
def test_places_are_told_as_people_say_them(rank: int, told: str) -> None:
    assert place(rank, 4000) == f"{told} of 4,000"
