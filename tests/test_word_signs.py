"""Words by the sign of their keypoints."""

import dataclasses

import numpy as np
import pytest

from engine import word_signs
from engine.index import Index


def obvious(index: Index) -> np.ndarray:
    found = np.zeros((index.n_words, 3), np.int64)
    for image_id in range(index.n_images):
        signs = index.keypoints(image_id).class_id
        for word, sign in zip(index.words(image_id).word_ids.tolist(), signs.tolist()):
            found[word, word_signs.SIGNS.index(sign)] += 1
    return found


@pytest.mark.parametrize("block", [1, 1000, 4_000_000])
def test_signs_are_counted_word_by_word(
    tiny: Index, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word_signs, "_BLOCK", block)
    found = word_signs.counts(tiny)
    np.testing.assert_array_equal(found, obvious(tiny))
    np.testing.assert_array_equal(found.sum(axis=1), tiny.frequency)


def test_an_empty_collection_has_no_signs(tiny: Index) -> None:
    offsets = {"offsets": np.zeros(1, np.int64)}
    empty = dataclasses.replace(tiny, images=(), parts={**tiny.parts, "images": offsets})
    assert word_signs.counts(empty).sum() == 0


def test_shares_leave_out_what_has_no_sign() -> None:
    found = np.array([[1, 5, 3], [0, 4, 0], [0, 0, 2]], np.int64)
    np.testing.assert_allclose(word_signs.dark_shares(found), [0.75, np.nan, 1.0])
