"""A query without some of its keypoints is a query that never had them."""

import numpy as np
import pytest

from engine import encode, images, pipeline, whatif
from engine.index import Index
from engine.pipeline import QueryFeatures


@pytest.fixture
def query(tiny: Index) -> QueryFeatures:
    return pipeline.describe_query(tiny, images.read(tiny.root / "coffee.jpg"))


def test_what_is_left_out_is_gone_from_every_array(tiny: Index, query: QueryFeatures) -> None:
    word, area = int(query.words.word_ids[0]), (0.0, 0.0, 100.0, 80.0)
    left = whatif.without(query, tiny.n_words, [word], [area])
    expected = [
        i
        for i, (w, (x, y)) in enumerate(zip(query.words.word_ids, query.features.xy.tolist()))
        if w != word and not (x <= 100 and y <= 80)
    ]
    assert 0 < len(expected) < len(query.features)
    np.testing.assert_array_equal(left.features.xy, query.features.xy[expected])
    np.testing.assert_array_equal(left.features.descriptors, query.features.descriptors[expected])
    np.testing.assert_array_equal(left.words.distances, query.words.distances[expected])
    assert left.bag.counts[word] == 0
    assert left.bag.counts.sum() == len(expected)
    bag = encode.bag_of_words(left.words, tiny.n_words)
    np.testing.assert_array_equal(left.bag.distances, bag.distances)
    assert left.image is query.image


def test_leaving_nothing_out_changes_nothing(tiny: Index, query: QueryFeatures) -> None:
    left = whatif.without(query, tiny.n_words)
    np.testing.assert_array_equal(left.features.xy, query.features.xy)
    np.testing.assert_array_equal(left.bag.distances, query.bag.distances)


@pytest.mark.parametrize("method", ["distance", "signatures", "verified"])
def test_a_query_without_all_of_its_picture_finds_nothing(
    tiny: Index, query: QueryFeatures, method: str
) -> None:
    left = whatif.without(query, tiny.n_words, (), [(0, 0, 9999, 9999)])
    answer = pipeline.search_query(tiny, left, method, None)
    assert not answer.ranking.scores.any()
    assert len(answer.ranking) == tiny.n_images - 1
