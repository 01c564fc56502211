"""Signatures and their matching equal slow twins, and tell near descriptors from far ones."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import signatures
from engine.signatures import NOTHING
from tests.uncompiled import said_compiled_and_not

N_WORDS = 7

derandomized = settings(deadline=None, derandomize=True, max_examples=25)


def unit(random, n, n_dimensions=128):
    vectors = random.standard_normal((n, n_dimensions)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def collection(random, sizes):
    """Pictures of random keypoints sorted by word: model, offsets, counts, words, signatures."""
    words = np.concatenate([np.sort(random.integers(0, N_WORDS, n)) for n in sizes] + [[]])
    words = words.astype(np.int32)
    descriptors = unit(random, len(words))
    model = signatures.learn(descriptors, words, N_WORDS, seed=3)
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    counts = np.array(
        [np.bincount(words[a:b], minlength=N_WORDS) for a, b in pairwise(offsets)],
        np.uint16,
    ).reshape(len(sizes), N_WORDS)
    signed = signatures.sign(descriptors, words, model)
    return model, offsets, counts, words, signed


def slow_match(signed, words, keypoints, n_keypoints, database, image_ids, most):
    """Compare everything with everything."""
    _, offsets, _, their_words, theirs = database
    distances = np.full((len(image_ids), n_keypoints), NOTHING)
    rows = np.full((len(image_ids), n_keypoints), -1)
    for r, image in enumerate(image_ids):
        for e, q in enumerate(keypoints):
            for k in range(offsets[image], offsets[image + 1]):
                if their_words[k] != words[e]:
                    continue
                apart = sum(int(a ^ b).bit_count() for a, b in zip(signed[e], theirs[k]))
                row = k - offsets[image]
                if apart <= most and (apart, row) < (distances[r, q], rows[r, q] % 2**31):
                    distances[r, q], rows[r, q] = apart, row
    return distances, rows


@derandomized
@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(0, 25), min_size=1, max_size=4),
    st.integers(0, 20),
    st.integers(1, 3),
    st.sampled_from([0, 40, 60, 128]),
)
def test_matching_equals_the_slow_twin(seed, sizes, n_keypoints, n_alternatives, most):
    random = np.random.default_rng(seed)
    database = collection(random, sizes)
    model, offsets, counts, _, signed = database
    descriptors = unit(random, n_keypoints)
    words = np.array(
        [random.permutation(N_WORDS)[:n_alternatives] for _ in range(n_keypoints)], np.int32
    ).reshape(n_keypoints, n_alternatives)
    entries = signatures.enter(descriptors, words, model)
    ids = random.permutation(len(sizes))
    found = signatures.match(entries, n_keypoints, offsets, counts, signed, ids, most, n_threads=2)
    flat = words.reshape(-1)
    ours = signatures.sign(np.repeat(descriptors, n_alternatives, 0), flat, model)
    keypoints = np.repeat(np.arange(n_keypoints), n_alternatives)
    distances, rows = slow_match(ours, flat, keypoints, n_keypoints, database, ids, most)
    np.testing.assert_array_equal(found.distances, distances)
    np.testing.assert_array_equal(found.rows, rows)


def test_every_bit_tells_the_side_of_its_words_median():
    random = np.random.default_rng(1)
    descriptors, words = unit(random, 400), random.integers(0, N_WORDS, 400).astype(np.int32)
    model = signatures.learn(descriptors, words, N_WORDS, seed=0)
    np.testing.assert_allclose(model.projection.T @ model.projection, np.eye(128), atol=1e-5)
    signed = signatures.sign(descriptors, words, model)
    for row in (0, 17, 399):
        rooted = np.sign(descriptors[row]) * np.sqrt(np.abs(descriptors[row]))
        rooted /= np.linalg.norm(rooted)
        for bit in (0, 1, 63, 64, 127):
            expected = rooted @ model.projection[:, bit] > model.medians[words[row], bit]
            assert bool(int(signed[row, bit // 64]) >> (bit % 64) & 1) == bool(expected)
    # By the median, half of the bits are set in each word.
    bits = np.unpackbits(signed.view(np.uint8), axis=1)
    for word in range(N_WORDS):
        assert abs(bits[words == word].mean() - 0.5) < 0.02


def test_noise_moves_few_bits_and_another_descriptor_half_of_them():
    random = np.random.default_rng(2)
    descriptors, words = unit(random, 500), np.zeros(500, np.int32)
    model = signatures.learn(descriptors, words, 1, seed=0)
    shaken = descriptors + 0.15 * unit(random, 500)
    other = unit(random, 500)

    def apart(some):
        crossed = signatures.sign(descriptors, words, model) ^ signatures.sign(some, words, model)
        return np.unpackbits(crossed.view(np.uint8), axis=1).sum(1)

    assert apart(descriptors).max() == 0
    assert apart(shaken).mean() < 30
    assert 60 < apart(other).mean() < 68


def test_root_keeps_signs_and_has_length_one():
    descriptors = np.array([[0.6, -0.8, 0, 0], [0, 0, 0, 0]], np.float32)
    rooted = signatures.root(descriptors)
    np.testing.assert_allclose(rooted[0], np.array([0.6**0.5, -(0.8**0.5), 0, 0]) / 1.4**0.5, 1e-6)
    assert not rooted[1].any()


def test_short_descriptors_and_words_without_any_have_signatures_too():
    random = np.random.default_rng(4)
    descriptors, words = unit(random, 50, 64), np.full(50, 2, np.int32)
    model = signatures.learn(descriptors, words, 4, seed=0)
    assert model.projection.shape == (64, 128)
    np.testing.assert_array_equal(model.medians[0], model.medians[3])
    assert signatures.sign(descriptors, words, model).shape == (50, 2)
    nothing = signatures.learn(descriptors[:0], words[:0], 4, seed=0)
    assert not nothing.medians.any()


def test_wrong_arguments_are_named():
    random = np.random.default_rng(5)
    model, offsets, counts, _, signed = collection(random, [5, 6])
    entries = signatures.enter(unit(random, 3), np.zeros((3, 1), np.int32), model)

    def match(counts, ids, most):
        return signatures.match(entries, 3, offsets, counts, signed, np.array(ids), most)

    with pytest.raises(ValueError, match="most must be from 0 to 128, got 129"):
        match(counts, [0], 129)
    with pytest.raises(ValueError, match="image_ids must be 0 to 1"):
        match(counts, [2], 40)
    with pytest.raises(ValueError, match="does not fit 6 words"):
        match(counts[:, :-1], [0], 40)


def test_uncompiled_it_gives_the_same():
    code = (
        "import sys; sys.path.insert(0, 'tests'); import test_signatures as t, numpy as np;"
        "np.seterr(over='ignore'); r = np.random.default_rng(9); d = t.collection(r, [9, 8]);"
        "e = t.signatures.enter(t.unit(r, 5), np.tile(np.arange(3, dtype=np.int32), (5, 1)), d[0]);"
        "f = t.signatures.match(e, 5, d[1], d[2], d[4], np.arange(2), 128);"
        "print(*f.distances.ravel(), *f.rows.ravel())"
    )
    said = said_compiled_and_not(code)
    assert said[0] == said[1]
    assert len(said[0].split()) == 20
