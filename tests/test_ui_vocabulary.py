"""What the page Vocabulary keeps in its address, draws, and does in the background."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import codebook_compare, word_map
from engine.index import Index
from ui.link import Link
from ui.vocabulary import area, atlas, colouring, compare, usage, view
from ui.vocabulary.area import Area
from ui.vocabulary.view import View

thousandths = st.integers(0, area.SIDE)


@given(
    st.one_of(
        st.lists(thousandths, min_size=4, max_size=4).map(lambda n: area.box(n[:2], n[2:])),
        st.lists(st.tuples(thousandths, thousandths), min_size=3, max_size=80).map(area.lasso),
        st.tuples(st.integers(0, 10**9 - 1), st.integers(1, area.MOST_NEAR)).map(
            lambda n: Area(area.NEAR, n)
        ),
    )
)
def test_a_part_of_the_map_survives_an_address(chosen: Area | None) -> None:
    if chosen is not None:  # a lasso of nothing
        assert Area.read(chosen.write()) == chosen
        assert len(chosen.corners) <= area.MOST_CORNERS


@pytest.mark.parametrize(
    "text",
    ["", "box", "box-1-2-3", "box-1-2-3-1001", "lasso-1-2-3-4", "near-3", "near-3-0", "near-3-501",
     "circle-1-2", "box-1-2-3-x", "near-3-²", "lasso-1-2-3-4-5", "near-1-1234567890"],
)  # fmt: skip
def test_what_is_no_part_of_the_map_is_none(text: str) -> None:
    assert Area.read(text) is None


def test_a_lasso_keeps_its_corners_and_loses_what_lies_between() -> None:
    top = [(x, 1000) for x in range(0, 1000, 10)]
    found = area.lasso([(0, 0), *top, (1000, 1000), (1000, 0)])
    assert found is not None and len(found.corners) == area.MOST_CORNERS
    assert {(0, 0), (0, 1000), (1000, 1000), (1000, 0)} <= set(found.corners)
    assert area.lasso([(1, 1), (1, 1), (2, 2)]) is None


def test_points_within_an_outline_are_those_that_a_ray_leaves_once() -> None:
    hollow = ((0, 0), (10, 0), (10, 10), (5, 2), (0, 10))
    points = np.array([[1, 1], [9, 1], [5, 1], [5, 5], [11, 1], [1, 9]], np.float32)
    assert area.within(hollow, points).tolist() == [True, True, True, False, False, False]


def test_a_word_and_its_nearest_are_chosen_with_and_without_a_map(tiny: Index) -> None:
    chosen = area.selected(Area(area.NEAR, (3, 5)), tiny, None)
    assert set(np.flatnonzero(chosen)) == {3, *tiny.nearest_words(3, 4)[0].tolist()}
    assert not area.selected(Area(area.NEAR, (24, 5)), tiny, None).any()
    laid = word_map.open_map(tiny)
    assert laid is not None
    everything = area.selected(area.box((0, 1000), (0, 1000)), tiny, laid.places)
    assert everything.sum() >= tiny.n_words - 4  # those on the very rim may be out


def test_the_view_survives_an_address() -> None:
    here = View(
        Link(collection="tiny", word=3), view.SEARCH, (3, 17), view.SIGN,
        area.box((1, 2), (3, 4)), True, "other", "truth",
        view.SPREAD, view.RISING, "0.1-0.52",
    )  # fmt: skip
    assert View.read(here.write()) == here
    assert View.read({}) == View(Link()) and View(Link()).write() == {}


def test_the_words_of_a_search_stand_once_and_are_not_too_many() -> None:
    many = "-".join(map(str, range(100)))
    assert View.read({"words": many}).words == tuple(range(view.MOST_WORDS))
    here = View.read({"words": "3-17-3-x--217-1234567890"})
    assert here.words == (3, 17, 217)
    assert here.with_word(17) == (3, 17, 217) and here.with_word(4) == (3, 17, 217, 4)
    assert here.without_word(17) == (3, 217)


@pytest.mark.parametrize(
    "values",
    [{"part": "x"}, {"colour": "x"}, {"area": "x"}, {"map": "x"}, {"beside": "../x"},
     {"truth": "a b"}, {"words": "x"}, {"sort": "x"}, {"order": "x"}, {"between": "1-x"}],
)  # fmt: skip
def test_what_has_no_meaning_is_left_out(values: dict[str, str]) -> None:
    assert View.read(values) == View(Link())


def test_of_many_words_common_and_rare_ones_are_drawn_and_the_chosen(
    tiny: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = np.zeros(24, bool)
    assert len(atlas.drawn_words(tiny, View(Link()), nobody, None)) == 24
    monkeypatch.setattr(atlas, "MOST_DRAWN", 5)
    order = np.argsort(-tiny.frequency, kind="stable")
    for words in ((), (int(order[1]), 99)):
        drawn = atlas.drawn_words(tiny, View(Link(), words=words), nobody, None)
        assert drawn.dtype.kind == "i" and len(drawn) == 5 + len(words[:1])
        assert {int(order[0]), int(order[-1])} <= set(drawn.tolist())


def test_the_drawn_words_of_a_large_vocabulary_all_had_one_colour(
    tiny: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atlas, "MOST_DRAWN", 10)
    here = View(Link(collection="tiny"), colour=view.FREQUENCY)
    found = colouring.colouring(tiny, here)
    drawn = atlas.drawn_words(tiny, here, found.faint, None)
    assert set(found.classes[drawn].tolist()) == set(found.classes.tolist())


def test_the_rare_words_of_a_picture_or_a_part_were_not_drawn(
    tiny: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atlas, "MOST_DRAWN", 8)
    rarest = np.argsort(tiny.frequency, kind="stable")
    held, chosen = np.isin(np.arange(24), rarest[:4]), np.isin(np.arange(24), rarest[2:5])
    here = View(Link(image_id=1), colour=view.PICTURE)
    assert set(rarest[:4]) <= set(atlas.drawn_words(tiny, here, ~held, None))
    assert set(rarest[:5]) <= set(atlas.drawn_words(tiny, here, ~held, chosen))
    many = atlas.drawn_words(tiny, View(Link()), np.zeros(24, bool), np.ones(24, bool))
    assert len(many) == 8


@pytest.mark.usefixtures("fresh_caches")
def test_a_word_without_a_sign_was_told_to_be_half_dark(
    tiny: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = np.linspace(0, 1, 24)
    shares[3] = np.nan
    monkeypatch.setattr(colouring.kept, "dark_shares", lambda _: shares)
    found = colouring.colouring(tiny, View(Link(collection="tiny"), colour=view.SIGN))
    laid = word_map.WordMap(np.zeros((24, 2), np.float32), 1.0)
    told = [point[3] for point in atlas._points(laid, found, np.arange(24))]
    assert told[3] == "–" and told[0] == 0 and told[23] == 100


def test_each_word_is_drawn_once(tiny: Index) -> None:
    faint = np.arange(24) % 3 == 0
    chosen = np.arange(24) < 12
    for part in (None, chosen):
        back, front = atlas.series_words(np.arange(24), faint, part)
        assert sorted([*back, *front]) == list(range(24))
        assert not faint[front].any() and (part is None or part[front].all())


def test_what_is_drawn_on_the_map_is_read() -> None:
    box = atlas.drawn_area({"brush_type": "rect", "coord_range": [[300.4, 100], [-5, 2000]]})
    assert box == area.box((100, 300), (0, 1000))
    round_ = {"brush_type": "polygon", "coord_range": [[0, 0], [10, 0], [10.2, 10]]}
    assert atlas.drawn_area(round_) == Area(area.LASSO, (0, 0, 10, 0, 10, 10))
    assert atlas.drawn_area({"brush_type": "lineX", "coord_range": [1, 2]}) is None


@pytest.mark.parametrize("kind", [view.OWN, view.FREQUENCY, view.IDF, view.SIGN])
@pytest.mark.usefixtures("fresh_caches")
def test_each_class_of_words_has_a_colour_and_a_line_in_the_legend(tiny: Index, kind: str) -> None:
    found = colouring.colouring(tiny, View(Link(collection="tiny"), colour=kind))
    assert found.classes.shape == found.values.shape == found.faint.shape == (24,)
    assert found.classes.min() >= 0 and found.classes.max() < len(found.colours)
    if kind != view.OWN:
        assert len(found.legend) == len(found.colours)
        counted = [line.rpartition("(")[2].split(" ")[0] for line in found.legend if line]
        assert sum(map(int, counted)) == 24


@pytest.mark.usefixtures("fresh_caches")
def test_words_that_a_picture_lacks_stand_back(tiny: Index) -> None:
    here = View(Link(collection="tiny", image_id=1), colour=view.PICTURE)
    found = colouring.colouring(tiny, here)
    held = np.bincount(tiny.words(1).word_ids, minlength=24)
    np.testing.assert_array_equal(found.faint, held == 0)
    np.testing.assert_array_equal(found.values, held)


def test_a_usage_curve_is_straight_where_all_words_are_used_alike() -> None:
    x, y = usage.curve(np.full(200, 7))
    np.testing.assert_allclose(x, y)
    x, y = usage.curve(np.array([0, 9, 1]))
    np.testing.assert_allclose(y, [0, 0.9, 1.0, 1.0])
    assert usage.curve(np.zeros(3, np.int64))[1].tolist() == [0, 0, 0, 0]


def test_members_of_a_split_word_are_the_nearest_first(tiny: Index) -> None:
    found = codebook_compare.compare(tiny.codebook, tiny.codebook)
    assert compare.members_of(found.a, 3).tolist() == [3]
