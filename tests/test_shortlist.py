"""A short list holds every picture once, and hardly depends on how it was made."""

import numpy as np
import pytest

from engine import images, pipeline, shortlist
from engine.index import Index
from engine.shortlist import ShortListParams, Signed


def _signed(tiny: Index, name: str, params: ShortListParams) -> Signed:
    query = pipeline.describe_query(tiny, images.read(tiny.root / name))
    height, width = query.image.gray.shape
    return shortlist.sign_query(tiny, query.features, query.words, (width, height), params)


def test_every_picture_is_listed_once_but_the_excluded(tiny: Index) -> None:
    for params in (ShortListParams(), ShortListParams(n_images=3), ShortListParams(n_images=1)):
        listed = shortlist.shortlist(tiny, _signed(tiny, "china.jpg", params), (2,), params)
        expected = [i for i in range(tiny.n_images) if i != 2]
        assert sorted(listed.image_ids.tolist()) == expected
        assert np.all(np.diff(listed.scores) <= 0)
        assert len(listed.turns) == len(listed.matches.image_ids)
        np.testing.assert_array_equal(
            listed.matches.image_ids, listed.image_ids[: len(listed.turns)]
        )


def test_strong_keypoints_choose_whom_all_meet(tiny: Index) -> None:
    params = ShortListParams(n_images=2, n_comparisons=20_000)
    for name in ("astronaut", "chelsea", "china", "coffee"):
        signed = _signed(tiny, f"{name}.jpg", params)
        assert signed.strongest is not None
        met = tiny.frequency[np.repeat(np.arange(tiny.n_words), np.diff(signed.strongest.starts))]
        assert 0 < met.sum() <= params.n_comparisons
        query_id = tiny.find_image(f"{name}.jpg")
        assert query_id is not None
        listed = shortlist.shortlist(tiny, signed, (query_id,), params)
        assert tiny.images[listed.image_ids[0]].path == f"turned/{name}.png"
        assert len(listed.turns) == 2


def test_a_small_collection_is_met_by_all(tiny: Index) -> None:
    assert _signed(tiny, "china.jpg", ShortListParams()).strongest is None


def test_the_turn_of_a_turned_picture_is_told(tiny: Index) -> None:
    query_id = tiny.find_image("china.jpg")
    assert query_id is not None
    signed = _signed(tiny, "china.jpg", ShortListParams())
    listed = shortlist.shortlist(tiny, signed, (query_id,))
    assert listed.image_ids[0] == tiny.find_image("turned/china.png")
    assert listed.turns[0] == pytest.approx(330, abs=5)  # degrees; it was turned by 30 to the left


def test_stored_signatures_find_almost_as_much(tiny: Index) -> None:
    image_id = tiny.find_image("coffee.jpg")
    assert image_id is not None
    stored = shortlist.sign_stored(tiny, image_id)
    fresh = _signed(tiny, "coffee.jpg", ShortListParams())
    assert len(stored) == len(fresh)
    listed = shortlist.shortlist(tiny, stored, (image_id,))
    again = shortlist.shortlist(tiny, fresh, (image_id,))
    assert listed.image_ids[0] == again.image_ids[0]
    assert listed.scores[0] == pytest.approx(again.scores[0], rel=0.3)
