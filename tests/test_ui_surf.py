"""The page Step by step: its address, its drawings, and what it keeps."""

import dataclasses
import math
import re
import threading
import time
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import images, repeatability, surf, trace, trace_cells
from engine.index import Index
from engine.surf import SurfParams
from engine.trace_cells import FLAT, KEPT
from tests.test_ui_link import links
from ui.link import Link
from ui.surf import bench, compare, curves, describing, followed, steps, svg, view
from ui.surf.curves import Curves
from ui.surf.view import View

pytestmark = pytest.mark.usefixtures("fresh_caches")
TENTHS = st.integers(0, 99_999).map(lambda tenths: tenths / 10)


@st.composite
def views(draw: st.DrawFn) -> View:
    values: dict[str, Any] = {"link": draw(links())}
    for name, (least, most, usual) in view.RANGES.items():
        numbers = st.integers(least, most)
        values[name] = draw(numbers if usual is not None else st.none() | numbers)
    for name, choices in view.CHOICES.items():
        values[name] = draw(st.sampled_from(choices))
    values["at"] = draw(st.none() | st.tuples(TENTHS, TENTHS, TENTHS))
    small, large = st.integers(0, 99), st.integers(0, 99_999)
    values["cell"] = draw(st.none() | st.tuples(small, small, large, large))
    values["match"] = draw(st.none() | st.tuples(large, large))
    return View(**values)


@given(views())
def test_an_address_says_all_that_is_shown(one: View) -> None:
    assert View.read(one.write()) == one


NAMES = [*view.RANGES, *view.PATTERNS, *view.CHOICES]


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=40)))
def test_any_address_can_be_read(values: dict[str, str]) -> None:
    found = View.read(values)
    assert View.read(found.write()) == found


@pytest.mark.parametrize(
    "written",
    [
        {"threshold": "-1"},
        {"turn": "181"},
        {"zoom": "0"},
        {"at": "1-2"},
        {"cell": "1-2-3"},
        {"show": "all"},
        {"turn": "٣"},
        {"ratio": "49"},
    ],
)
def test_what_has_no_meaning_is_left_out(written: dict[str, str]) -> None:
    assert View.read(written) == View(Link())


def test_another_picture_and_another_change_leave_behind_what_does_not_fit_them() -> None:
    one = View(Link(image_id=1), at=(1.0, 2.0, 15.0), cell=(0, 1, 2, 3), match=(4, 5), other=6)
    assert one.to(image_id=2) == View(Link(image_id=2))
    assert one.to(turn=10).match is None
    assert one.to(threshold=10).at == one.at
    assert one.to(at=(3.0, 4.0, 15.0)).cell is None


def test_long_numbers_of_a_line_were_written_so_that_nobody_could_read_them() -> None:
    one = View(Link(), match=(1_234_567, 999_999_999))
    assert View.read(one.write()) == one


def test_many_layers_were_left_out_of_the_address(tiny: Index) -> None:
    assert View.read({"layers": "7"}).params(tiny).n_octave_layers == view.MOST_LAYERS
    many = SimpleNamespace(surf=SurfParams(n_octave_layers=8))
    assert View.read({"layers": "7"}).params(many).n_octave_layers == 7  # type: ignore[arg-type]


def test_the_collections_own_parameters_stand_where_nothing_is_said(tiny: Index) -> None:
    assert View(Link()).params(tiny) == tiny.surf
    changed = View(Link(), threshold=9_999_999, octaves=16, layers=2, short=1, upright=1)
    assert changed.params(tiny) == SurfParams(5000.0, 5, 2, extended=False, upright=True)


# Drawings


def elements(drawn: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(f"<svg>{drawn}</svg>"))


def test_texts_and_addresses_cannot_leave_their_place() -> None:
    said = svg.text("said", 1, 2, '<script>"&', 3) + svg.image('a?b=1&c="', 0, 0, 1, 1)
    text, image = elements(said)
    assert text.text == '<script>"&'
    assert image.get("href") == 'a?b=1&c="'


def test_a_square_around_a_place_shows_as_much_of_the_picture_as_it_can() -> None:
    assert svg.around(50, 40, 10, (80, 100)) == (40, 30, 20, 20)
    assert svg.around(2, 79, 10, (80, 100)) == (-0.5, 59.5, 20, 20)
    assert svg.around(50, 40, 60, (80, 200)) == (-0.5, -20.5, 120, 120)


def test_a_wedge_turns_counterclockwise() -> None:
    (found,) = elements(svg.wedge(0, 0, 1, 90, 30))
    numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*", found.get("d") or "")]
    assert numbers[2:4] == pytest.approx([math.cos(math.pi / 3), -math.sin(math.pi / 3)], abs=0.01)
    assert numbers[-2:] == pytest.approx([-math.cos(math.pi / 3), -math.sin(math.pi / 3)], abs=0.01)


def test_the_window_that_wins_holds_its_members(photographs: dict[str, Any]) -> None:
    made = trace.prepare(np.asarray(photographs["china"].convert("L")).copy(), SurfParams())
    for row in range(0, len(made.features), 25):
        of = trace.follow(made, row).orientation
        assert of is not None
        np.testing.assert_array_equal(describing.members(of, of.winner), of.is_member)
        for window in range(0, 72, 7):
            held = describing.members(of, window)
            expected = of.weighted_dx[held].sum(), of.weighted_dy[held].sum()
            assert describing.sum_of(of, window) == pytest.approx(expected, abs=1e-3)


# What is looked at


@pytest.fixture
def china(tiny: Index) -> View:
    image_id = tiny.find_image("china.jpg")
    assert image_id is not None
    return View(Link(image_id=image_id))


def test_the_picture_is_worked_on_as_it_is_or_shrunk(tiny: Index, china: View) -> None:
    gray = images.read(tiny.root / "china.jpg").gray
    on = bench.of(tiny, china.link)
    np.testing.assert_array_equal(on.gray, gray)
    assert not on.is_shrunk
    small = bench.of(tiny, china.link, 100)
    assert max(small.gray.shape) == 100 and small.is_shrunk
    assert (small.width, small.height) == (gray.shape[1], gray.shape[0])


def test_a_keypoint_is_found_again_by_its_place_with_other_settings(
    tiny: Index, china: View
) -> None:
    found = followed.follow(tiny, china)
    row = len(found.prepared.features) // 3
    at = bench.place(found.prepared.features, row)
    assert followed.follow(tiny, china.to(at=at)).row == row
    more = followed.follow(tiny, china.to(at=at, threshold=50))
    assert bench.place(more.prepared.features, more.row) == at
    assert bench.is_there(more.prepared.features, more.row, at)
    fewer = followed.follow(tiny, china.to(at=at, threshold=5000))
    assert not bench.is_there(fewer.prepared.features, fewer.row, at)


def test_a_cell_is_looked_at_and_one_that_was_kept_is_its_keypoint(
    tiny: Index, china: View
) -> None:
    found = followed.follow(tiny, china)
    assert found.is_own and found.judged is not None and found.judged.fate == KEPT
    number, (x, y) = found.layer.octave, found.places
    to = followed.moved(found, number, found.layer.layer, x, y)
    assert to == {"at": bench.place(found.prepared.features, found.row)}
    cell = 0, 1, 3, 4
    other = followed.follow(tiny, china.to(cell=cell))
    assert (other.layer.octave, *other.cell) == cell
    assert not other.is_own and other.judged is not None and other.judged.fate != KEPT
    unsearched = followed.follow(tiny, china.to(cell=(1, 0, 3, 4)))
    assert unsearched.judged is None
    for beyond in ((9, 1, 3, 4), (0, 9, 3, 4), (0, 1, 9999, 4), (0, 1, 3, 9999)):
        assert followed.follow(tiny, china.to(cell=beyond)).is_own


def test_a_click_on_a_map_near_a_keypoint_means_it(tiny: Index, china: View) -> None:
    found = followed.follow(tiny, china)
    layers, features = followed.layers_of(found), found.prepared.features
    row = int(np.flatnonzero(layers == 2)[0])
    x, y = features.xy[row].tolist()
    assert followed.picked(found, 2, x + 1, y) == {"at": bench.place(features, row)}
    assert "cell" in followed.picked(found, 2, 1.0, 1.0)


def test_a_cell_whose_top_is_its_middle_was_said_to_have_no_top(tiny: Index, china: View) -> None:
    found = followed.follow(tiny, china)
    judged = found.judged
    assert judged is not None and judged.newton is not None
    none = np.zeros(3, np.float32)
    still = dataclasses.replace(judged.newton, gradient=none, step=none, is_accepted=False)
    flat = dataclasses.replace(still, determinant=np.float32(0))
    for newton, told in ((still, "very middle"), (flat, "no single top")):
        of = dataclasses.replace(judged, fate=FLAT, newton=newton)
        assert told in steps.fate(dataclasses.replace(found, judged=of))


def test_all_layers_are_counted(tiny: Index, china: View) -> None:
    found = followed.follow(tiny, china)
    counted = followed.funnels(found)
    assert sum(of.n_kept for _, of in counted) >= len(found.prepared.features)
    expected = trace_cells.funnel(found.prepared.octaves[0], 1, 400.0)
    assert counted[0][1] == expected


# What survives


def test_the_ratio_test_takes_all_at_100_percent() -> None:
    ratios = np.array([0.2, 0.8, 0.81, 1.0], np.float32)
    assert compare.taken(ratios, 80).tolist() == [True, False, False, False]
    assert compare.taken(ratios, 81).tolist() == [True, True, False, False]
    assert compare.taken(ratios, 100).all()


def test_a_picture_beside_itself_is_found_again_whole(tiny: Index, china: View) -> None:
    on = bench.of(tiny, china.link, bench.COMPARED)
    found = bench.varied(on, tiny.surf, repeatability.Variation())
    assert found.found.repeatability == found.found.right_matches == 1
    assert "**100% are found again**" in compare.told_repeated(found)
    assert "**100% of the matches are right**" in compare.told_matches(found, 80)
    both = bench.beside(on, on, tiny.surf)
    np.testing.assert_array_equal(both.nearest, found.found.nearest)
    np.testing.assert_array_equal(both.ratios, found.ratios)


def test_keypoints_are_packed_for_the_viewer(tiny: Index, china: View) -> None:
    features = surf.extract(bench.of(tiny, china.link).gray, tiny.surf)
    data = bench.pack(features)
    assert len(data) == 27 * len(features)
    numbers = np.frombuffer(data, "<f4", 6 * len(features)).reshape(-1, 6)
    np.testing.assert_array_equal(numbers[:, :2], features.xy)
    assert np.isnan(numbers[:, 5]).all()


def test_a_curve_is_measured_once_and_grows(tiny: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(curves.STEPS, view.LIGHT, (0.5, 1.0))
    kept, on = Curves(), bench.of(tiny, Link(image_id=0), 160)
    curve = kept.get(on, tiny.surf, view.LIGHT)
    assert kept.get(on, tiny.surf, view.LIGHT) is curve
    curve.wait(30)
    assert curve.is_done and not curve.is_failed
    assert [point[0] for point in curve.points] == [0.5, 1.0]
    assert curve.points[1][1:] == (1, 1)
    expected = repeatability.repeat(on.gray, tiny.surf, repeatability.Variation(contrast=0.5))[3]
    assert curve.points[0][1:] == (expected.repeatability, expected.right_matches)


def test_each_setting_looked_at_once_had_a_thread_of_its_own_to_the_end(
    tiny: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go, threads, done = threading.Event(), set(), []

    def waits(_: object, params: SurfParams, change: repeatability.Variation) -> Any:
        threads.add(threading.get_ident())
        done.append(params.hessian_threshold)
        may_go.wait(30)
        return 0, 0, 0, SimpleNamespace(repeatability=1.0, right_matches=1.0)

    now = [1000.0]
    monkeypatch.setattr(curves, "repeat", waits)
    monkeypatch.setattr(curves, "time", SimpleNamespace(monotonic=lambda: now[0]))
    kept, on = Curves(), bench.of(tiny, Link(image_id=0), 160)
    first = kept.get(on, SurfParams(100.0), view.LIGHT)
    while not done:
        time.sleep(0.01)
    left = kept.get(on, SurfParams(200.0), view.LIGHT)
    now[0] += curves.PATIENCE + 1
    last = kept.get(on, SurfParams(300.0), view.LIGHT)
    may_go.set()
    assert last.wait(30) and last.is_done
    # Nobody looks at the others any more: they rest, as far as they are, until somebody does.
    assert len(threads) == 1 and set(done) == {100.0, 300.0}
    assert not left.points and len(first.points) == 1
    assert kept.find(on, SurfParams(100.0), view.LIGHT) is first
    assert first.wait(30) and len(first.points) == len(curves.STEPS[view.LIGHT])
    assert done.count(100.0) == len(first.points)


def test_a_curve_that_failed_is_measured_again(
    tiny: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(curves, "repeat", fails)
    kept, on = Curves(), bench.of(tiny, Link(image_id=0), 160)
    curve = kept.get(on, tiny.surf, view.BLUR)
    curve.wait(30)
    assert curve.is_failed and curve.is_done
    assert kept.get(on, tiny.surf, view.BLUR) is not curve
