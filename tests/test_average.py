"""Average query expansion: whose scores count, who leads where, and what is not expanded."""

import dataclasses

import numpy as np
import pytest

from engine import average, expand, pipeline
from engine.average import AverageParams
from engine.expand import ExpandParams
from engine.graph import Graph
from engine.index import Index
from engine.rerank import Verified
from engine.verify import NOTHING

LEAST = 3.0
EVERYTHING = range(10)


def matching(image_id: int, score: float) -> Verified:
    nothing = np.zeros(0, np.int64)
    found = dataclasses.replace(NOTHING, score=score)
    return Verified(
        image_id, nothing, nothing, np.zeros(0, np.uint8), np.zeros(0, np.float32), found
    )


def joining(pairs: dict[tuple[int, int], float]) -> Graph:
    rows = sorted((a, b, score) for (x, y), score in pairs.items() for a, b in ((x, y), (y, x)))
    starts = np.searchsorted([a for a, _, _ in rows], np.arange(len(EVERYTHING) + 1))
    return Graph(
        starts.astype(np.int64),
        np.array([b for _, b, _ in rows], np.int32),
        np.array([score for _, _, score in rows], np.float32),
        np.tile(np.eye(2, 3, dtype=np.float32), (len(rows), 1, 1)),
    )


PAIRS = {(0, 1): 9.0, (0, 2): 4.0, (1, 2): 25.0, (1, 3): 16.0, (4, 5): 36.0, (2, 6): 49.0}
DIRECT = [matching(0, 16.0), matching(1, 9.0), matching(4, 1.0), matching(3, 0.25)]


def test_ways_count_half_of_their_weaker_step_on_top_of_the_direct_score() -> None:
    found = average.average(joining(PAIRS), DIRECT, EVERYTHING, LEAST)
    assert [view.path for view in found.views] == [(0,), (1,)]
    assert found.scores == {
        0: 16 + 9 / 2,
        1: 9 + 9 / 2,
        2: 4 / 2 + 9 / 2,
        3: 0.25 + 9 / 2,
        4: 1,
    }, "4 is no sure match, so 5 gets nothing by it; 6 is two steps away"
    full = average.average(joining(PAIRS), DIRECT, EVERYTHING, LEAST, AverageParams(step=1.0))
    assert full.scores[2] == 4 + 9


def test_two_have_to_agree_before_a_picture_shows_the_same_thing() -> None:
    made = joining(PAIRS)
    found = average.average(made, DIRECT, EVERYTHING, LEAST)
    assert set(found.ways) == {0, 1, 2}
    assert (found.ways[2].path, found.ways[2].weakest) == ((1, 2), 9.0)
    assert found.ways[2].n_agreeing == 2
    one = AverageParams(n_agreeing=1)
    assert set(average.average(made, DIRECT, EVERYTHING, LEAST, one).ways) == {0, 1, 2, 3}


def test_neighbours_are_the_best_and_the_query_itself_is_none() -> None:
    made = joining(PAIRS)
    (view,) = average.average(made, DIRECT, EVERYTHING, LEAST, AverageParams(n_neighbours=1)).views
    assert view.path == (0,)
    without = average.average(made, DIRECT, range(1, 10), LEAST)
    assert [view.path for view in without.views] == [(1,)]
    assert 0 not in without.scores


def test_without_a_sure_match_scores_stay_as_they_were() -> None:
    found = average.average(joining(PAIRS), DIRECT[2:], EVERYTHING, LEAST)
    assert (found.views, found.ways) == ((), {})
    assert found.scores == {4: 1.0, 3: 0.25}


def test_the_method_orders_a_collection(joined: Index) -> None:
    image_id, twin = joined.find_image("china.jpg") or 0, joined.find_image("turned/china.png")
    answer = pipeline.search_image(joined, image_id, "averaged", None)
    assert answer.ranking.image_ids[0] == twin
    assert answer.accepts(twin or 0)
    assert answer.expansion is not None
    assert answer.ranking.scores[0] == pytest.approx(answer.expansion.scores[twin or 0])
    assert len(answer.ranking) == joined.n_images - 1


def test_ways_are_no_longer_than_asked() -> None:
    made, direct = joining(PAIRS), [matching(0, 16.0)]
    far = expand.walk(made, direct, EVERYTHING, ExpandParams(least_score=LEAST))
    assert {view.image_id for view in far} == {0, 1, 2, 3, 6}
    for longest, reached in ((1, {0}), (2, {0, 1, 2})):
        params = ExpandParams(least_score=LEAST, longest=longest)
        assert {v.image_id for v in expand.walk(made, direct, EVERYTHING, params)} == reached
