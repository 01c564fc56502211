"""Votes equal a slow count, follow the turn of the collection, and of a picture where it must."""

import numpy as np
import pytest

from engine import voting
from engine.signatures import NOTHING, Matches
from engine.voting import VoteParams


def matched(seed, n_images, n_keypoints, n_rows):
    """Random matches, about half of the places empty."""
    random = np.random.default_rng(seed)
    rows = random.integers(-n_rows, n_rows, (n_images, n_keypoints)).astype(np.int32)
    distances = random.integers(0, 60, rows.shape).astype(np.uint8)
    distances[rows < 0] = NOTHING
    rows[rows < 0] = -1
    offsets = n_rows * np.arange(n_images + 1, dtype=np.int64)
    angles = random.integers(0, 65_536, n_images * n_rows).astype(np.uint16)
    query_angles = random.integers(0, 65_536, n_keypoints).astype(np.uint16)
    weights = random.uniform(0, 3, n_keypoints).astype(np.float32)
    return Matches(np.arange(n_images), distances, rows), weights, query_angles, offsets, angles


def test_without_turns_it_is_the_plain_sum():
    matches, weights, query_angles, offsets, angles = matched(1, 5, 40, 30)
    params = VoteParams(half_window=180)
    votes = voting.vote(matches, weights, query_angles, offsets, angles, params)
    for image in range(5):
        total = 0.0
        for q in range(40):
            h = int(matches.distances[image, q])
            if h <= params.most:
                total += np.exp(-((h / params.spread) ** 2)) * weights[q]
        assert votes.scores[image] == pytest.approx(total / np.sqrt(30), rel=1e-5)


def test_windows_equal_a_slow_count():
    matches, weights, query_angles, offsets, angles = matched(2, 6, 80, 30)
    votes = voting.vote(
        matches, weights, query_angles, offsets, angles, VoteParams(own_turn=1.0, half_window=20)
    )
    usual = VoteParams()
    table = voting.by_distance(usual.most, usual.spread)
    for image in range(6):
        sums = np.zeros(72)
        for q in np.flatnonzero(matches.rows[image] >= 0):
            row = offsets[image] + matches.rows[image, q]
            turn = (int(angles[row]) - int(query_angles[q])) % 65_536
            sums[turn * 72 // 65_536] += table[matches.distances[image, q]] * weights[q]
        best = max(np.roll(sums, shift)[:9].sum() for shift in range(72))
        assert votes.scores[image] == pytest.approx(best / np.sqrt(30), rel=1e-5)


def turned_alike(turns, n_good=40, n_bad=10):
    """Pictures that each hold `n_good` matches turned by so many degrees, and some at random."""
    random = np.random.default_rng(3)
    n = n_good + n_bad
    query_angles = random.integers(0, 65_536, n).astype(np.uint16)
    angles = []
    for turn in turns:
        wobble = random.normal(turn, 4, n_good) / 360 * 65_536
        good = (query_angles[:n_good] + wobble.astype(int)) % 65_536
        angles.append(np.concatenate([good, random.integers(0, 65_536, n_bad)]))
    rows = np.tile(np.arange(n, dtype=np.int32), (len(turns), 1))
    matches = Matches(np.arange(len(turns)), np.full(rows.shape, 10, np.uint8), rows)
    offsets = n * np.arange(len(turns) + 1, dtype=np.int64)
    weights = np.ones(n, np.float32)
    return matches, weights, query_angles, offsets, np.concatenate(angles).astype(np.uint16)


def test_a_query_on_its_side_finds_the_common_turn():
    votes = voting.vote(*turned_alike([90] * 6))
    np.testing.assert_allclose(votes.turns, 90, atol=10)
    assert votes.scores.min() > 0.8 * votes.scores.max()


def test_a_picture_on_its_side_among_upright_ones_follows_its_own_turn():
    votes = voting.vote(*turned_alike([0, 0, 0, 0, 180]))
    away = np.abs((votes.turns + 180) % 360 - 180)
    assert (away[:4] < 10).all()
    assert away[4] > 170
    assert 0.5 < votes.scores[4] / votes.scores[:4].mean() < 0.75


def test_rare_keypoints_count_more_and_those_found_everywhere_nothing():
    distances = np.full((400, 3), NOTHING, np.uint8)
    distances[0, 0] = 5
    distances[:, 1] = 5
    matches = Matches(np.arange(400), distances, np.where(distances < 255, 0, -1).astype(np.int32))
    np.testing.assert_allclose(voting.rarity(matches, 36, 400), [np.log(400), 0, 0], rtol=1e-6)


def test_in_a_collection_of_one_picture_keypoints_still_count():
    matches = Matches(
        np.zeros(1, np.int64), np.full((1, 1), 5, np.uint8), np.zeros((1, 1), np.int32)
    )
    np.testing.assert_allclose(voting.rarity(matches, 36, 1), [np.log(100)], rtol=1e-6)


def test_pictures_without_keypoints_score_nothing():
    matches, weights, query_angles, offsets, angles = matched(4, 3, 10, 5)
    nothing = Matches(
        matches.image_ids, np.full((3, 10), NOTHING, np.uint8), np.full((3, 10), -1, np.int32)
    )
    assert not voting.vote(nothing, weights, query_angles, 0 * offsets, angles).scores.any()
    nobody = Matches(np.arange(0), np.zeros((0, 10), np.uint8), np.zeros((0, 10), np.int32))
    assert len(voting.vote(nobody, weights, query_angles, offsets, angles).scores) == 0


@pytest.mark.parametrize(
    "wrong", [{"most": 255}, {"spread": 0}, {"half_window": 0}, {"own_turn": 1.5}]
)
def test_wrong_parameters_are_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        VoteParams(**wrong)
