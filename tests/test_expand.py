"""Expansion accepts nothing by itself: only ways of sure scores that agree."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine import build, expand, graph, images, index, pipeline
from engine.answer import Answer, Timings
from engine.calibration import Calibration
from engine.expand import ExpandParams, Expansion, Reached, View, Way
from engine.graph import Graph
from engine.rerank import Verified
from engine.search import Ranking
from engine.verify import N_CELLS, Verification
from tests.conftest import tiny_params

PARAMS = ExpandParams(least_score=3.0)


def _found(image_id: int, score: float, rows: list[int] | None = None) -> Verified:
    """A verified picture; `rows` of the query are its inliers, others match and do not agree."""
    agree = np.array(rows or [], np.int64)
    matched = np.concatenate(([0, 1], agree))  # two matches that are no inliers
    inliers = np.arange(2, len(matched))
    told = Verification(score, np.eye(2, 3), inliers, float(len(agree)), len(agree))
    weights = np.ones(len(matched), np.float32)
    return Verified(image_id, matched, matched, np.zeros(len(matched), np.uint8), weights, told)


def _graph(n: int, edges: dict[tuple[int, int], float]) -> Graph:
    """Edges in both directions, each with a score; nothing moves along them."""
    both = sorted({(a, b): s for (x, y), s in edges.items() for a, b in ((x, y), (y, x))}.items())
    sources = [a for (a, _), _ in both]
    return Graph(
        np.searchsorted(sources, np.arange(n + 1)).astype(np.int64),
        np.array([b for (_, b), _ in both], np.int32),
        np.array([score for _, score in both], np.float32),
        np.tile(np.eye(2, 3, dtype=np.float32), (len(both), 1, 1)),
    )


def test_a_view_carries_its_path_and_its_weakest_score() -> None:
    chain = _graph(4, {(0, 1): 8.0, (1, 2): 4.0, (2, 3): 6.0})
    views = expand.walk(chain, [_found(0, 5.0)], range(4), PARAMS)
    assert [view.path for view in views] == [(0,), (0, 1), (0, 1, 2), (0, 1, 2, 3)]
    assert [view.weakest for view in views] == [5, 5, 4, 4]
    decay = PARAMS.decay
    strengths = [5, 5 * decay, 5 * decay**2, 5 * decay**3]
    assert [view.strength for view in views] == pytest.approx(strengths)
    weak = expand.walk(_graph(2, {(0, 1): 1.5}), [_found(0, 5.0)], range(2), PARAMS)
    assert (weak[1].weakest, weak[1].strength) == (1.5, pytest.approx(1.5 * decay))


def test_a_query_that_matches_nothing_surely_leads_nowhere() -> None:
    chain = _graph(3, {(0, 1): 9.0, (1, 2): 9.0})
    just_below = float(np.nextafter(PARAMS.least_score, 0))
    assert expand.walk(chain, [_found(0, just_below)], range(3), PARAMS) == []
    assert len(expand.walk(chain, [_found(0, PARAMS.least_score)], range(3), PARAMS)) == 3


def test_a_step_that_does_not_hold_is_not_taken_but_another_way_may_be() -> None:
    ring = _graph(4, {(0, 1): 8.0, (1, 3): 7.0, (0, 2): 6.0, (2, 3): 5.0})
    asked: list[tuple[int, int]] = []

    def step(view: View, target: int, affine: np.ndarray) -> Reached | None:
        asked.append((view.image_id, target))
        moved = affine.copy()
        moved[:, 2] += 1
        less = view.support.copy()
        less[target] = False
        return None if (view.image_id, target) == (1, 3) else Reached(moved, less)

    supports = {0: np.ones(N_CELLS**2, bool)}
    views = expand.walk(ring, [_found(0, 9.0)], range(4), PARAMS, step, supports)
    assert [view.path for view in views] == [(0,), (0, 1), (0, 2), (0, 2, 3)]
    assert sorted(asked) == [(0, 1), (0, 2), (1, 3), (2, 3)]
    assert [view.affine[0, 2] for view in views] == [0, 1, 1, 2], "each step tells its own map"
    assert [int(supports[0].sum() - view.support.sum()) for view in views] == [0, 1, 1, 2]


def test_in_a_crowd_the_walk_once_looked_at_every_step() -> None:
    crowd = _graph(60, {(0, i): 60.0 - i for i in range(1, 60)})
    asked: list[int] = []

    def step(view: View, target: int, affine: np.ndarray) -> Reached | None:
        asked.append(target)
        return Reached(affine, view.support) if target == 2 else None

    few = dataclasses.replace(PARAMS, n_steps=5)
    views = expand.walk(crowd, [_found(0, 99.0)], range(60), few, step)
    assert asked == [1, 2, 3, 4, 5], "the strongest first"
    assert [view.image_id for view in views] == [0, 2]


@pytest.mark.parametrize("beside", [False, True])
def test_photographs_on_one_wall_led_to_each_other(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    photographs: dict[str, Image.Image],
    beside: bool,
) -> None:
    """Two share the wall; what the query shows is in one of them only.

    The query's frame may hold the place on the wall, where the query shows something else.
    """
    names = ("astronaut", "chelsea", "china", "rocket")
    shown = {name: photographs[name].convert("RGB").resize((300, 300)) for name in names}

    def pasted(*what: str) -> Image.Image:
        wall = Image.new("RGB", (800, 320), (90, 90, 90))
        for name, x in zip(what, (5, 495)):
            wall.paste(shown[name], (x, 10))
        return wall

    folder = tmp_path / "walls"
    folder.mkdir()
    pasted("astronaut", "china").save(folder / "first.png")
    pasted("chelsea", "china").save(folder / "second.png")
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(tmp_path / "artifacts"))
    build.build(folder, "walls", tiny_params(), n_workers=1)
    graph.make_graph("walls")
    walls = index.open_index("walls")
    first, second = walls.find_image("first.png"), walls.find_image("second.png")
    assert first is not None and second is not None
    assert graph.open_graph(walls).targets.tolist() == [1, 0]

    for name, n_same in (("astronaut", {first}), ("china", {first, second})):
        asked = shown[name]
        if beside:
            asked = pasted(*(("astronaut", "rocket") if name == "astronaut" else ("rocket", name)))
        asked.save(tmp_path / f"{name}.png")
        query = pipeline.describe_query(walls, images.read(tmp_path / f"{name}.png"))
        answer = pipeline.search_query(walls, query, "expanded", None)
        assert {i for i in (first, second) if answer.accepts(i)} == n_same


def test_what_the_query_surely_matches_stands_above_what_the_walk_finds() -> None:
    direct = [_found(0, 9.0), _found(1, 3.0), _found(2, 2.0), _found(3, 1.0)]
    again = [_found(0, 500.0), _found(1, 20.0), _found(2, 40.0), _found(4, 400.0)]
    scores, part = expand._scores(direct, again, 3.0)
    assert scores[4] == 400 * part
    assert sorted(scores, key=lambda i: -scores[i]) == [0, 1, 4, 2, 3]
    assert (scores[0], scores[1]) == (9, 3), "as the query itself matches them"
    assert scores[4] < 3 and scores[4] / scores[2] == pytest.approx(10), "the others keep step"
    low, part = expand._scores(direct, [_found(4, 2.5)], 3.0)
    assert (low[4], low[2], part) == (2.5, 2.0, 1.0), "nothing is lifted"


VIEWS = [View((4,), 5.0, 5.0, np.eye(2, 3)), View((4, 6), 3.5, 4.0, np.eye(2, 3))]
# Rows of the carried query: ten of its own, ten of each view.
SOURCES = np.repeat([-1, 0, 1], 10)
OWN, FIRST, SECOND = (list(range(start, start + PARAMS.n_inliers)) for start in (0, 10, 20))


def _way(score: float, rows: list[int]) -> Way | None:
    return expand._ways(VIEWS, [_found(9, score, rows)], SOURCES, PARAMS).get(9)


def test_views_stand_in_the_graph_themselves() -> None:
    ways = expand._ways(VIEWS, [_found(4, 0.5), _found(6, 9.0, OWN + FIRST)], SOURCES, PARAMS)
    assert ways == {4: Way((4,), 5.0), 6: Way((4, 6), 4.0)}


def test_one_supporting_view_is_not_enough() -> None:
    assert _way(9.0, FIRST) is None
    assert _way(9.0, [*range(10, 20)]) is None, "however much of it agrees"
    assert _way(9.0, OWN) is None
    assert _way(9.0, FIRST + SECOND[:-1]) is None, "the other lacks a keypoint"


def test_two_that_agree_lead_there_by_the_one_that_shows_most() -> None:
    assert _way(9.0, FIRST + SECOND) == Way((4, 9), 5.0, 2)
    assert _way(9.0, [*FIRST, *SECOND, 25]) == Way((4, 6, 9), 4.0, 2)
    assert _way(9.0, OWN + SECOND) == Way((4, 6, 9), 4.0, 2)
    assert _way(9.0, OWN + FIRST + SECOND) == Way((4, 9), 5.0, 3)


def test_what_the_last_verification_doubts_has_no_way() -> None:
    assert _way(2.9, OWN + FIRST + SECOND) is None
    assert _way(3.0, OWN + FIRST + SECOND) is not None


def _answer(
    direct: dict[int, float], again: dict[int, float] | None, ways: tuple[int, ...] = ()
) -> Answer:
    """An answer of these direct scores, and of those that expansion gave."""
    expansion = None
    if again is not None:
        verified = [_found(i, score) for i, score in again.items()]
        views = tuple(VIEWS if ways else ())
        expansion = Expansion(views, verified, {i: Way((i,), 5.0) for i in ways}, again)
    nothing = Ranking(np.zeros(0, np.int32), np.zeros(0, np.float32))
    return Answer(
        nothing,
        "expanded",
        len(direct),
        (),
        Timings(),
        {i: _found(i, score) for i, score in direct.items()},
        expansion,
        Calibration(3.0),
    )


def _ordered(answer: Answer, n_results: int | None = None) -> Ranking:
    ids = np.array(sorted(answer.verified), np.int64)
    scores = np.array([answer.verified[i].score for i in ids.tolist()], np.float32)
    return pipeline._order(answer, ids, scores, n_results)


def test_a_direct_score_or_a_way_accepts() -> None:
    answer = _answer({0: 5.0, 1: 3.0, 2: 2.9, 3: 0.1}, {2: 9.0, 3: 9.0}, ways=(3,))
    assert [answer.accepts(i) for i in range(5)] == [True, True, False, True, False]


def test_nothing_expanded_is_accepted_where_the_query_matches_nothing_surely() -> None:
    """Whatever score the last verification gives."""
    answer = _answer({0: 2.9, 1: 0.0}, {0: 20.0, 1: 30.0})
    assert not answer.accepts(0) and not answer.accepts(1)


def test_a_method_that_verifies_nothing_cannot_tell() -> None:
    answer = dataclasses.replace(_answer({0: 5.0}, None), calibration=None)
    assert answer.accepts(0) is None


def test_what_is_not_accepted_stands_just_below_what_is() -> None:
    direct = {0: 5.0, 1: 2.0, 2: 1.0, 3: 0.5, 4: 0.25}
    answer = _answer(direct, {0: 6.0, 1: 9.0, 2: 8.0, 3: 4.0}, ways=(3,))
    ranking = _ordered(answer)
    assert ranking.image_ids.tolist() == [0, 3, 1, 2, 4]
    cap = float(np.nextafter(np.float32(4), np.float32(0)))
    assert ranking.scores.tolist() == pytest.approx([6, 4, cap, cap, 0.25], rel=1e-9)
    assert ranking.scores[2] == cap < ranking.scores[1]
    told = [bool(answer.accepts(i)) for i in ranking.image_ids.tolist()]
    assert told == sorted(told, reverse=True)
    assert _ordered(answer, 2).image_ids.tolist() == [0, 3]


def test_what_is_below_the_least_accepted_keeps_its_score_and_ties_their_order() -> None:
    answer = _answer({0: 5.0, 1: 1.5, 2: 2.5, 3: 2.5}, {0: 6.0}, ways=(0,))
    ranking = _ordered(answer)
    assert ranking.image_ids.tolist() == [0, 2, 3, 1]
    assert ranking.scores.tolist() == [6, 2.5, 2.5, 1.5]


def test_an_accepted_picture_of_no_score_stood_behind_others_of_none() -> None:
    """A view beyond the query's frame lends it no keypoints, and may match none."""
    answer = _answer({0: 5.0, 1: 1.5, 2: 1.0}, {0: 6.0, 1: 2.0, 2: 0.0}, ways=(0, 2))
    ranking = _ordered(answer)
    assert ranking.image_ids.tolist() == [0, 2, 1]
    assert ranking.scores.tolist() == [6, 0, 0]
