"""Packed keypoints come back within the steps that the format promises."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import packing
from engine.surf import Keypoints

derandomized = settings(deadline=None, derandomize=True)


@derandomized
@given(st.integers(0, 2**32 - 1), st.integers(1, 30_000), st.integers(1, 30_000))
def test_keypoints_come_back_within_the_steps(seed, width, height):
    random = np.random.default_rng(seed)
    n = 50
    given_keypoints = Keypoints(
        xy=random.uniform((-0.5, -0.5), (width - 0.5, height - 0.5), (n, 2)).astype(np.float32),
        size=np.exp(random.uniform(0, 11, n)).astype(np.float32),
        angle=random.uniform(0, 360, n).astype(np.float32),
        response=np.exp(random.uniform(0, 14, n)).astype(np.float32),
        octave=random.integers(0, 16, n).astype(np.int32),
        class_id=random.integers(-1, 2, n).astype(np.int32),
    )
    packed = packing.pack(given_keypoints, width, height)
    assert {k: (str(a.dtype), a.shape[1:]) for k, a in packed.items()} == packing.ARRAYS
    assert sum(a.nbytes for a in packed.values()) == 10 * n
    back = packing.unpack(packed, width, height)
    step = max(width, height) / 131_070
    assert np.abs(back.xy - given_keypoints.xy).max() <= step + 2e-7 * max(width, height)  # pixels
    np.testing.assert_allclose(back.size, given_keypoints.size, rtol=1e-4)
    turned = (back.angle - given_keypoints.angle + 180) % 360 - 180
    assert np.abs(turned).max() < 0.003  # degrees
    np.testing.assert_allclose(back.response + 1, given_keypoints.response + 1, rtol=0.03)
    np.testing.assert_array_equal(back.octave, given_keypoints.octave)
    np.testing.assert_array_equal(back.class_id, given_keypoints.class_id)
    again = packing.pack(back, width, height)
    for name, array in packed.items():
        np.testing.assert_array_equal(again[name], array, name)


def test_nothing_comes_back_as_nothing():
    nothing = Keypoints(
        np.zeros((0, 2), np.float32), *[np.zeros(0, np.float32)] * 3, *[np.zeros(0, np.int32)] * 2
    )
    back = packing.unpack(packing.pack(nothing, 10, 10), 10, 10)
    assert len(back) == 0
    assert back.xy.shape == (0, 2)


def test_a_full_turn_is_none():
    packed = packing.pack(
        Keypoints(
            np.zeros((2, 2), np.float32),
            np.ones(2, np.float32),
            np.array([359.999, 0], np.float32),
            np.ones(2, np.float32),
            np.zeros(2, np.int32),
            np.zeros(2, np.int32),
        ),
        5,
        5,
    )
    np.testing.assert_array_equal(packed["angle"], [0, 0])


def test_distances_come_back_within_their_step():
    distances = np.linspace(0, 1.99, 1000).astype(np.float32)
    back = packing.unpack_distances(packing.pack_distances(distances))
    assert np.abs(back - distances).max() <= 1 / 256 + 1e-6
