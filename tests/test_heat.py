"""What words and matches add lies on the query's keypoints, and nothing of it is lost."""

import numpy as np
import pytest

from engine import explain, heat, images, pipeline
from engine.explanation import COUNTS, Explanation, sorted_words
from engine.index import Index


@pytest.mark.parametrize("method", ["distance", "count", "tf-idf-l1", "signatures", "verified"])
def test_what_lies_in_the_query_and_what_has_no_place_add_up(tiny: Index, method: str) -> None:
    described = pipeline.describe_query(tiny, images.read(tiny.root / "china.jpg"))
    answer = pipeline.search_query(tiny, described, method, None)
    n_places = 0
    for image_id in answer.ranking.image_ids.tolist():
        explained = explain.explain(tiny, answer, image_id)
        xy, values = heat.places(explained, described.features.xy, described.words.word_ids)
        assert xy.shape == (len(values), 2)
        without_place = sum(term.value for term in explained.terms)
        assert values.sum() + without_place == pytest.approx(explained.score, rel=1e-6, abs=1e-9)
        n_places += len(values)
    assert n_places > 100


def test_a_word_is_shared_out_equally_among_its_keypoints() -> None:
    words = sorted_words(np.array([7, 2]), np.array([0.6, -0.3]))
    explained = Explanation("vlad", 0, 1, 1, 0.3, words=words)
    xy = np.arange(10, dtype=np.float32).reshape(5, 2)
    at, values = heat.places(explained, xy, np.array([7, 3, 7, 2, 7], np.int32))
    np.testing.assert_array_equal(at, xy[[0, 2, 3, 4]])
    np.testing.assert_allclose(values, [0.2, 0.2, -0.3, 0.2])
    with pytest.raises(ValueError, match="the word 7: these are not the query's"):
        heat.places(explained, xy, np.full(5, 2, np.int32))


def test_matches_lie_where_their_keypoints_do(tiny: Index) -> None:
    answer = pipeline.search_stored(tiny, 0, "verified", None)
    explained = explain.explain(tiny, answer, int(answer.ranking.image_ids[0]))
    matches = explained.matches
    assert matches is not None
    at, values = heat.places(explained, np.zeros((0, 2), np.float32), np.zeros(0, np.int32))
    counts = matches.fates == COUNTS
    assert len(values) == counts.sum() > 0
    np.testing.assert_array_equal(at, matches.query.xy[counts])


def test_what_shares_nothing_lies_nowhere() -> None:
    nothing = Explanation("verified", 0, 1, 1, 0.0)
    at, values = heat.places(nothing, np.zeros((4, 2), np.float32), np.zeros(4, np.int32))
    assert at.shape == (0, 2) and values.shape == (0,)
