"""Verification equals its slow twin, finds planted maps, and accepts no absurd ones."""

import naive_verify
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import verify
from engine.verify import Geometry, VerifyParams
from tests.uncompiled import said_compiled_and_not

SIZE = (640, 480)

derandomized = settings(deadline=None, derandomize=True, max_examples=30)


def planted(seed, n_true, n_false, linear, shift, noise=2.0):
    """Matches of which `n_true` follow an affine map, apart from `noise` pixels, shuffled."""
    random = np.random.default_rng(seed)
    n = n_true + n_false
    linear = np.asarray(linear, float)
    qxy = random.uniform((0, 0), SIZE, (n, 2))
    dxy = qxy @ linear.T + shift + random.normal(0, noise, (n, 2))
    dxy[n_true:] = random.uniform((0, 0), SIZE, (n_false, 2))
    scale = np.sqrt(abs(np.linalg.det(linear)))
    turn = np.degrees(np.arctan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1]))
    qsize, qangle = random.uniform(10, 60, n), random.uniform(0, 360, n)
    dsize = qsize * scale * np.exp(random.normal(0, 0.1, n))
    dangle = qangle + turn + random.normal(0, 5, n)
    dsize[n_true:] = random.uniform(10, 60, n_false)
    dangle[n_true:] = random.uniform(0, 360, n_false)
    distances = random.integers(10, 49, n)
    weights = random.uniform(0.1, 5, n).astype(np.float32)
    order = random.permutation(n)
    truth = order < n_true

    def side(xy, size, angle):
        return Geometry(*(a[order].astype(np.float32) for a in (xy, size, angle % 360)))

    arrays = side(qxy, qsize, qangle), side(dxy, dsize, dangle)
    return *arrays, distances[order], weights[order], truth


@derandomized
@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 40),
    st.integers(3, 60),
    st.floats(-180, 180),
    st.floats(0.3, 3),
)
def test_the_kernel_equals_its_slow_twin(seed, n_true, n_false, turn, scale):
    c, s = scale * np.cos(np.radians(turn)), scale * np.sin(np.radians(turn))
    query, database, distances, weights, _ = planted(
        seed, n_true, n_false, [[c, -s], [s * 0.9, c * 1.1]], (20, 30)
    )
    params = VerifyParams(n_matches=70, n_hypotheses=50)
    ours = verify.verify(query, database, distances, weights, SIZE, params)
    score, affine, inliers = naive_verify.verify(query, database, distances, weights, SIZE, params)
    np.testing.assert_array_equal(ours.inliers, inliers)
    np.testing.assert_allclose(ours.affine, affine, rtol=1e-6, atol=1e-4)
    assert ours.score == pytest.approx(score, rel=1e-5)


@pytest.mark.parametrize("turn", [0, 37, 90, 180, 271])
@pytest.mark.parametrize("scale", [0.4, 1.0, 2.5])
def test_a_planted_map_is_found_among_four_times_as_many_wrong_matches(turn, scale):
    c, s = scale * np.cos(np.radians(turn)), scale * np.sin(np.radians(turn))
    linear = np.array([[c, -s * 1.15], [s, c * 0.9]])
    query, database, distances, weights, truth = planted(1, 60, 240, linear, (100, -50))
    found = verify.verify(query, database, distances, weights, SIZE)
    assert truth[found.inliers].mean() > 0.9
    assert truth[found.inliers].sum() > 45
    corners = np.array([[0, 0], [640, 0], [0, 480], [640, 480]], float)
    carried = corners @ found.affine[:, :2].T + found.affine[:, 2]
    expected = corners @ linear.T + (100, -50)
    assert np.abs(carried - expected).max() < 6 * max(1, scale)  # pixels


def test_chance_scores_far_below_a_planted_map():
    """200 random matches: the best of 20 draws stays under a third of 60 planted ones."""
    true = planted(3, 60, 140, np.eye(2), (5, 5))
    score = verify.verify(*true[:4], SIZE).score
    by_chance = [
        verify.verify(*planted(seed, 0, 200, np.eye(2), (0, 0))[:4], SIZE).score
        for seed in range(20)
    ]
    assert 0 < 3 * max(by_chance) < score


def test_a_mirrored_picture_is_no_match():
    query, database, distances, weights, truth = planted(5, 80, 0, [[-1, 0], [0, 1]], (640, 0), 0)
    found = verify.verify(query, database, distances, weights, SIZE)
    assert len(found.inliers) < 20
    assert truth.all()


def test_two_matches_at_one_place_count_once():
    query, database, distances, weights, _ = planted(7, 40, 0, np.eye(2), (0, 0), 0.5)

    def twice(side):
        return Geometry(*(np.concatenate([a, a]) for a in (side.xy, side.size, side.angle)))

    once = verify.verify(query, database, distances, weights, SIZE)
    doubled = verify.verify(
        twice(query), twice(database), np.tile(distances, 2), np.tile(weights, 2), SIZE
    )
    assert len(doubled.inliers) == len(once.inliers) > 20
    assert doubled.n_cells == once.n_cells


def test_the_order_of_matches_changes_nothing():
    """As long as no two distances are equal."""
    query, database, _, weights, _ = planted(11, 50, 100, np.eye(2), (9, 9))
    distances = np.arange(150)
    found = verify.verify(query, database, distances, weights, SIZE)
    back = slice(None, None, -1)

    def reverse(side):
        return Geometry(*(a[back].copy() for a in (side.xy, side.size, side.angle)))

    again = verify.verify(
        reverse(query), reverse(database), distances[back], weights[back].copy(), SIZE
    )
    assert again.score == found.score > 0
    np.testing.assert_array_equal(149 - again.inliers, found.inliers)


def test_too_few_matches_or_no_weight_are_no_map():
    query, database, distances, weights, _ = planted(2, 2, 0, np.eye(2), (0, 0))
    assert verify.verify(query, database, distances, weights, SIZE) is verify.NOTHING
    query, database, distances, weights, _ = planted(2, 20, 0, np.eye(2), (0, 0))
    nothing = verify.verify(query, database, distances, 0 * weights, SIZE)
    assert nothing.score == 0
    assert len(nothing.inliers) == 0


def test_wrong_shapes_and_parameters_are_named():
    query, database, distances, weights, _ = planted(2, 20, 0, np.eye(2), (0, 0))
    with pytest.raises(ValueError, match="one row a match"):
        verify.verify(query, database, distances[:5], weights, SIZE)
    with pytest.raises(ValueError, match="n_hypotheses must be at least 1, got 0"):
        VerifyParams(n_hypotheses=0)


def test_uncompiled_it_gives_the_same():
    code = (
        "import sys; sys.path.insert(0, 'tests'); import test_verify as t, numpy as np;"
        "a = t.planted(13, 30, 60, [[0.9, -0.3], [0.3, 1]], (10, 20));"
        "p = t.VerifyParams(n_matches=60, n_hypotheses=20);"
        "f = t.verify.verify(*a[:4], t.SIZE, p); print(f.score, *f.inliers)"
    )
    said = [[float(word) for word in text.split()] for text in said_compiled_and_not(code)]
    assert len(said[0]) > 10
    np.testing.assert_allclose(said[0], said[1], rtol=1e-6)
