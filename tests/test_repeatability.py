"""Keypoints of a picture and of its variants: where points go, and which are found again."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import repeatability, surf
from engine.repeatability import Variation
from engine.surf import Features, SurfParams

IDENTITY = np.array([[1.0, 0, 0], [0, 1, 0]])
SHAPE = (100, 100)


def features_at(xy, size, descriptors=None) -> Features:
    """Keypoints by place and size; each with a descriptor of its own unless given."""
    n = len(size)
    if descriptors is None:
        descriptors = np.eye(n, 64)
    zeros = np.zeros(n, np.float32)
    return Features(
        np.array(xy, np.float32).reshape(n, 2),
        np.array(size, np.float32),
        zeros,
        zeros,
        np.zeros(n, np.int32),
        np.zeros(n, np.int32),
        np.array(descriptors, np.float32).reshape(n, 64),
    )


def compared(one, other, affine=IDENTITY, **more):
    return repeatability.compare(one, SHAPE, other, SHAPE, np.array(affine), **more)


@pytest.fixture(scope="module")
def gray(photographs):
    return np.asarray(photographs["astronaut"].convert("L")).copy()


# Overlap


@given(st.floats(0, 30), st.floats(3, 15), st.floats(3, 15))
def test_overlap_is_that_of_counted_pixels(distance, one, other):
    """Circles on a grid of 1/8 pixels: their shares agree within 0.02."""
    y, x = np.mgrid[-15:15:0.125, -15:46:0.125]
    first = x**2 + y**2 <= one**2
    second = (x - distance) ** 2 + y**2 <= other**2
    expected = (first & second).sum() / (first | second).sum()
    share = repeatability.overlap(*(np.array([value]) for value in (distance, one, other)))
    assert abs(share[0] - expected) < 0.02


def test_overlap_of_plain_cases():
    distance = np.array([0.0, 0.0, 20.0, 3.0, 10.0])
    one, other = np.array([5.0, 5, 5, 10, 5]), np.array([5.0, 10, 5, 5, 5])
    expected = [1, 0.25, 0, 0.25, 0]
    np.testing.assert_allclose(repeatability.overlap(distance, one, other), expected, atol=1e-12)


def test_overlap_does_not_depend_on_scale():
    values = np.array([2.0]), np.array([5.0]), np.array([6.0])
    larger = (7 * value for value in values)
    np.testing.assert_allclose(repeatability.overlap(*values), repeatability.overlap(*larger))


# Comparing


def test_the_same_keypoints_are_all_found_again():
    one = features_at([[20, 20], [50, 60], [70, 30]], [12, 20, 9])
    found = compared(one, one)
    assert found.repeatability == found.right_matches == 1
    assert sorted(found.pairs.tolist()) == [[0, 0], [1, 1], [2, 2]]
    np.testing.assert_allclose(found.overlaps, 1)
    assert found.nearest.tolist() == [0, 1, 2]


def test_too_far_or_too_large_is_not_the_same():
    """At size 20 six tenths of the union are left at 4 pixels, or at 1.29 times the size."""
    one = features_at([[50, 50]], [20])
    for x, size, is_same in [(53.9, 20, 1), (54.2, 20, 0), (50, 25.7, 1), (50, 26, 0)]:
        found = compared(one, features_at([[x, 50]], [size]))
        assert found.repeatability == found.right_matches == is_same
        assert len(found.pairs) == is_same


def test_each_keypoint_counts_once():
    """Two near one: the nearer takes it, and the other stays without."""
    one = features_at([[50, 50]], [20])
    other = features_at([[51, 50], [50.5, 50], [20, 20]], [20, 20, 20])
    found = compared(one, other)
    assert found.pairs.tolist() == [[0, 1]]
    assert found.repeatability == 1
    back = compared(other, one)
    assert back.pairs.tolist() == [[1, 0]]
    assert back.repeatability == 1


def test_only_what_both_pictures_show_counts():
    """A shift by 50 pixels leaves half of the picture, and circles must lie in it whole."""
    one = features_at([[20, 50], [75, 50], [52, 50]], [10, 10, 10])
    other = features_at([[25, 50], [80, 50]], [10, 10], np.eye(3, 64)[[1, 0]])
    found = compared(one, other, [[1, 0, -50], [0, 1, 0]])
    assert found.is_common_one.tolist() == [False, True, False]
    assert found.is_common_other.tolist() == [True, False]
    assert found.pairs.tolist() == [[1, 0]]
    assert found.repeatability == found.right_matches == 1


def test_a_wrong_nearest_neighbour_is_not_right():
    one = features_at([[20, 20], [60, 60]], [10, 10])
    other = features_at([[20, 20], [60, 60]], [10, 10], np.eye(2, 64)[[1, 0]])
    found = compared(one, other)
    assert found.repeatability == 1
    assert found.right_matches == 0
    assert found.nearest.tolist() == [1, 0]


def test_no_keypoints_are_an_answer():
    none, some = features_at([], [], np.zeros((0, 64))), features_at([[50, 50]], [10])
    for one, other in [(none, none), (none, some), (some, none)]:
        found = compared(one, other)
        assert found.repeatability == found.right_matches == 0
        assert found.pairs.shape == (0, 2)
        assert found.nearest.shape == (len(one),)
        assert (found.nearest == -1).all()


def test_pairs_are_those_of_all_pairs():
    """Searching near each keypoint leaves out no pair, whatever the overlap asked for."""
    random = np.random.default_rng(5)
    one, other = (
        features_at(random.uniform(20, 80, (60, 2)), random.uniform(9, 40, 60)) for _ in range(2)
    )
    for least in (0.0, 0.1, 0.6):
        found = compared(one, other, least_overlap=least)
        a, b = (np.repeat(np.arange(60), 60), np.tile(np.arange(60), 60))
        apart = np.linalg.norm(one.xy[a] - other.xy[b], axis=1)
        shares = repeatability.overlap(apart, one.size[a] / 2, other.size[b] / 2)
        shares[~(found.is_common_one[a] & found.is_common_other[b])] = 0
        expected = []
        while shares.max() > least:
            k = int(shares.argmax())
            expected.append([a[k], b[k]])
            shares[(a == a[k]) | (b == b[k])] = 0
        assert found.pairs.tolist() == expected
        assert (np.diff(found.overlaps) <= 0).all()


# Variants


def test_nothing_done_changes_nothing(gray):
    variant = repeatability.vary(gray, Variation())
    np.testing.assert_array_equal(variant.gray, gray)
    np.testing.assert_array_equal(variant.affine, IDENTITY)


@pytest.mark.parametrize("quarters", [1, 2, 3, -1])
def test_quarter_turns_are_exact(quarters, gray):
    variant = repeatability.vary(gray, Variation(turn=90.0 * quarters))
    np.testing.assert_array_equal(variant.gray, np.rot90(gray, -quarters))
    for x, y in [(0, 0), (30, 7), (gray.shape[1] - 1, 5)]:
        there = variant.affine @ [x, y, 1]
        np.testing.assert_allclose(there, np.rint(there), atol=1e-9)
        there_x, there_y = np.rint(there).astype(int)
        assert variant.gray[there_y, there_x] == gray[y, x]


@pytest.mark.parametrize("turn", [0.0, 17.0, 200.0])
@pytest.mark.parametrize("zoom", [0.5, 0.8, 1.0, 1.7])
def test_a_blob_goes_where_the_map_says(turn, zoom):
    """The middle of a bright blob, within 0.05 pixels."""
    y, x = np.mgrid[:120, :150]
    blob = 250 * np.exp(-((x - 40.3) ** 2 + (y - 71.6) ** 2) / 100)
    variant = repeatability.vary(blob.astype(np.uint8), Variation(turn, zoom))
    values = variant.gray.astype(float)
    rows, columns = np.indices(values.shape)
    middle = np.array([(columns * values).sum(), (rows * values).sum()]) / values.sum()
    np.testing.assert_allclose(variant.affine @ [40.3, 71.6, 1], middle, atol=0.05)
    corners = variant.affine[:, :2] @ [[0, 149, 0, 149], [0, 0, 119, 119]]
    corners += variant.affine[:, 2:]
    height, width = values.shape
    assert corners.min() > -1
    assert (corners.max(axis=1) < [width, height]).all()
    assert math.isclose(np.linalg.det(variant.affine[:, :2]), zoom**2, rel_tol=1e-9)


def test_brightness_and_contrast_are_those_of_the_pixels(gray):
    variant = repeatability.vary(gray, Variation(contrast=0.5, brightness=20))
    np.testing.assert_array_equal(variant.gray, np.rint(gray * 0.5 + 20).astype(np.uint8))
    bright = repeatability.vary(gray, Variation(brightness=300)).gray
    assert bright.min() == 255


def test_blur_keeps_the_mean_and_smooths(gray):
    blurred = repeatability.vary(gray, Variation(blur=3)).gray.astype(float)
    assert abs(blurred.mean() - gray.mean()) < 1
    assert np.abs(np.diff(blurred)).mean() < 0.5 * np.abs(np.diff(gray.astype(float))).mean()


# Both


def test_a_picture_repeats_itself(gray):
    variant, one, other, found = repeatability.repeat(gray, SurfParams(), Variation())
    assert len(one) == len(other) > 50
    assert found.repeatability == found.right_matches == 1
    np.testing.assert_array_equal(variant.gray, gray)


@pytest.mark.parametrize(
    "variation",
    [Variation(turn=180), Variation(turn=20), Variation(zoom=1.5), Variation(blur=1.2)],
    ids=str,
)
def test_most_of_a_varied_picture_is_found_again_and_chance_finds_little(variation, gray):
    """More than four in ten, and more than three times what an unrelated picture gives."""
    variant, one, _, found = repeatability.repeat(gray, SurfParams(), variation)
    assert found.repeatability > 0.4
    assert found.right_matches > 0.25
    noise = np.random.default_rng(2).integers(0, 256, np.array(variant.gray.shape) // 6 + 1)
    unrelated = np.kron(noise, np.ones((6, 6)))[tuple(map(slice, variant.gray.shape))]
    other = surf.extract(np.ascontiguousarray(unrelated.astype(np.uint8)))
    assert len(other) > 50
    chance = repeatability.compare(one, gray.shape, other, unrelated.shape, variant.affine)
    assert chance.right_matches < 0.05
    assert chance.repeatability < found.repeatability


def test_both_ways_give_the_same_pairs(gray):
    variant, one, other, found = repeatability.repeat(gray, SurfParams(), Variation(25, 0.8))
    whole = np.linalg.inv(np.vstack([variant.affine, [0, 0, 1]]))
    back = repeatability.compare(other, variant.gray.shape, one, gray.shape, whole[:2])
    assert abs(back.repeatability - found.repeatability) < 1e-9
    assert {tuple(pair) for pair in back.pairs[:, ::-1].tolist()} == {
        tuple(pair) for pair in found.pairs.tolist()
    }


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"zoom": 0}, "zoom must be from"),
        ({"zoom": 11}, "zoom must be from"),
        ({"blur": -1}, "blur must be from"),
        ({"contrast": 0}, "contrast must be above 0"),
        ({"turn": math.nan}, "turn must be finite"),
    ],
)
def test_wrong_variations_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        Variation(**wrong)


def test_wrong_arguments_are_named(gray):
    one = features_at([[50, 50]], [10])
    for affine in ([[2, 0, 0], [0, 1, 0]], [[1, 0.5, 0], [0, 1, 0]]):
        with pytest.raises(ValueError, match="turn, zoom and shift only"):
            compared(one, one, affine)
    with pytest.raises(ValueError, match="to a point"):
        compared(one, one, np.zeros((2, 3)))
    with pytest.raises(ValueError, match="least_overlap"):
        compared(one, one, least_overlap=1.0)
    with pytest.raises(ValueError, match="gray must be"):
        repeatability.vary(gray.astype(float), Variation())
    with pytest.raises(ValueError, match="more than 2"):
        repeatability.vary(np.zeros((2000, 2000), np.uint8), Variation(zoom=10))


# The ratio test


def test_ratios_are_the_slow_ones():
    random = np.random.default_rng(3)
    one, other = (random.random((n, 64)).astype(np.float32) for n in (600, 41))
    apart = np.linalg.norm(one[:, None].astype(float) - other[None].astype(float), axis=2)
    nearest = apart.argmin(axis=1)
    ordered = np.sort(apart, axis=1)
    found = repeatability.ratios(one, other, nearest)
    np.testing.assert_allclose(found, ordered[:, 0] / ordered[:, 1], atol=1e-5)


def test_without_a_second_nearest_or_a_distance_the_ratio_is_1():
    one = np.eye(3, 64, dtype=np.float32)
    none, nobody = np.zeros((0, 64), np.float32), np.full(3, -1)
    np.testing.assert_array_equal(repeatability.ratios(one, none, nobody), np.ones(3))
    np.testing.assert_array_equal(repeatability.ratios(one, one[:1], np.zeros(3, int)), np.ones(3))
    twice = np.repeat(one[:1], 2, axis=0)
    np.testing.assert_array_equal(repeatability.ratios(one[:1], twice, np.zeros(1, int)), [1])
    assert repeatability.ratios(one[:0], one, np.zeros(0, int)).shape == (0,)
