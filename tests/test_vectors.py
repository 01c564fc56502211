"""Every vector method beside its naive twin, on a whole index."""

import numpy as np
import pytest

from engine import encode, vectors
from engine.index import Index
from tests import naive


@pytest.mark.parametrize("weighting", encode.WEIGHTINGS)
def test_scores_equal_their_naive_twin(tiny: Index, weighting: str) -> None:
    compare = naive.overlap if weighting == encode.L1 else naive.similarity
    matrix = tiny.matrix(weighting)
    for image_id in range(tiny.n_images):
        vector = tiny.vector(image_id, weighting)
        got = vectors.scores(tiny, vector, weighting)
        np.testing.assert_allclose(got, [compare(row, vector) for row in matrix], atol=1e-6)
        if vector.any():
            assert got[image_id] == got.max() == 1, "every picture is most like itself"


def test_the_commonest_words_say_nothing_after_the_stop_list(tiny: Index) -> None:
    commonest = np.argsort(-tiny.frequency, kind="stable")[: round(0.05 * tiny.n_words)]
    assert len(commonest) > 0
    assert not tiny.matrix(encode.STOP)[:, commonest].any()
    assert tiny.matrix("tf-idf")[:, commonest].any()
