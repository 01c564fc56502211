"""Poolings and whitening equal their slow twins, and keep their laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import pooling, whitening
from tests import naive_cnn as naive

derandomized = settings(deadline=None, derandomize=True, max_examples=25)
sides = st.integers(1, 9)


@given(sides, sides, st.floats(1, 6), st.integers(0, 99))
@derandomized
def test_gem_equals_its_slow_twin(height, width, power, seed):
    maps = np.random.default_rng(seed).uniform(-0.5, 2, (2, 3, height, width)).astype(np.float32)
    found = pooling.pool(maps, "gem", power)
    expected = [naive.gem(one, power) for one in maps]
    assert found == pytest.approx(np.array(expected), rel=2e-5, abs=1e-6)


@given(sides, sides, st.integers(0, 99))
@derandomized
def test_rmac_equals_its_slow_twin(height, width, seed):
    maps = np.random.default_rng(seed).uniform(0, 2, (2, 3, height, width)).astype(np.float32)
    found = pooling.pool(maps, "rmac")
    assert found == pytest.approx(np.array([naive.rmac(one) for one in maps]), rel=1e-5)


@given(st.integers(1, 60), st.integers(1, 60))
@derandomized
def test_regions_lie_within_the_maps_and_reach_their_ends(height, width):
    found = pooling.regions(height, width)
    assert all(min(t, x) >= 0 and t + s <= height and x + s <= width for t, x, s in found)
    assert (0, 0, min(height, width)) in found
    if min(height, width) > 1:
        assert max(t + s for t, _, s in found) == height
        assert max(x + s for _, x, s in found) == width


def test_a_square_has_the_fourteen_regions_of_the_paper():
    assert len(pooling.regions(16, 16)) == 1 + 4 + 9


def test_gem_goes_from_the_mean_to_the_maximum():
    maps = np.random.default_rng(0).uniform(0.1, 1, (1, 4, 5, 6)).astype(np.float32)
    assert pooling.pool(maps, "gem", 1) == pytest.approx(pooling.pool(maps, "mean"), rel=1e-5)
    assert pooling.pool(maps, "gem", 60) == pytest.approx(pooling.pool(maps, "max"), rel=0.1)


def test_tokens_and_vectors():
    tokens = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    assert pooling.pool(tokens, "cls").tolist() == [[0, 1, 2, 3], [12, 13, 14, 15]]
    assert pooling.pool(tokens, "mean").tolist() == [[4, 5, 6, 7], [16, 17, 18, 19]]
    assert pooling.pool(tokens[:, 0], "none").tolist() == tokens[:, 0].tolist()
    assert pooling.pool(tokens[:, 0, :, None, None], "none").tolist() == tokens[:, 0].tolist()


@pytest.mark.parametrize(
    ("shape", "how"),
    [
        ((2, 3), "gem"),
        ((2, 3, 4), "none"),
        ((2, 3, 4, 4), "none"),
        ((2, 3, 4, 4), "cls"),
        ((2, 3, 4), "rmac"),
        ((2,), "none"),
        ((2, 3, 0, 4), "max"),
        ((2, 3), "dreams"),
    ],
)
def test_what_does_not_fit_is_refused(shape, how):
    with pytest.raises(ValueError, match=r"pool"):
        pooling.pool(np.zeros(shape, np.float32), how)


def test_unit_length_of_long_short_and_no_vectors():
    vectors = np.array([[3e18, 4e18], [3e-18, 4e-18], [0, 0]], np.float32)
    assert pooling.unit(vectors) == pytest.approx(np.array([[0.6, 0.8], [0.6, 0.8], [0, 0]]))


@pytest.mark.parametrize("n", [30, 200])  # fewer and more than dimensions
def test_whitened_vectors_have_no_mean_and_one_spread(n):
    random = np.random.default_rng(3)
    mixed = random.standard_normal((60, 60)) / 3
    vectors = (random.standard_normal((n, 60)) @ mixed + 5).astype(np.float32)
    learned = whitening.learn(vectors, 20)
    projected = (vectors - learned.mean).astype(np.float64) @ learned.projection
    assert projected.shape == (n, 20)
    assert projected.mean(axis=0) == pytest.approx(np.zeros(20), abs=1e-4)
    assert projected.T @ projected / n == pytest.approx(np.eye(20), abs=2e-3)
    assert np.linalg.norm(learned.apply(vectors), axis=1) == pytest.approx(np.ones(n))


def test_both_ways_of_whitening_agree():
    random = np.random.default_rng(4)
    vectors = (random.standard_normal((40, 40)) * np.arange(1, 41)).astype(np.float32)
    wide = np.pad(vectors, ((0, 0), (0, 5)))
    assert whitening.learn(vectors, 8).projection == pytest.approx(
        whitening.learn(wide, 8).projection[:40], abs=1e-5
    )


def test_no_more_directions_than_vary():
    random = np.random.default_rng(5)
    line = np.outer(random.standard_normal(9), np.ones(6)).astype(np.float32)
    assert whitening.learn(line, 6).projection.shape == (6, 1)
    assert whitening.learn(random.standard_normal((4, 6)).astype(np.float32), 6).mean.shape == (6,)
    for few in (line[:1], np.ones((5, 6), np.float32)):
        with pytest.raises(ValueError, match=r"at least two|the same"):
            whitening.learn(few, 3)
    with pytest.raises(ValueError, match="at least 1"):
        whitening.learn(line, 0)
