"""A map is read as it was made, and said as people say it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.pose import pose


def _turned(degrees: float) -> np.ndarray:
    radians = math.radians(degrees)
    return np.array(
        [[math.cos(radians), -math.sin(radians)], [math.sin(radians), math.cos(radians)]]
    )


def _map(linear: np.ndarray) -> np.ndarray:
    return np.column_stack((linear, [5.0, -7.0]))


@given(st.floats(0.1, 10), st.floats(-179, 179), st.floats(1.01, 4), st.floats(1, 179))
def test_a_pose_is_what_the_map_was_made_of(
    scale: float, turn: float, stretch: float, direction: float
) -> None:
    root = math.sqrt(stretch)
    squeeze = _turned(direction) @ np.diag([root, 1 / root]) @ _turned(-direction)
    found = pose(_map(scale * squeeze @ _turned(turn)))
    assert found.scale == pytest.approx(scale)
    assert found.turn == pytest.approx(turn, abs=1e-6)
    assert found.stretch == pytest.approx(stretch)
    assert found.direction == pytest.approx(direction, abs=1e-4)


@pytest.mark.parametrize(
    ("linear", "told"),
    [
        (np.eye(2), "as large, upright and from the same side"),
        (1.4 * _turned(12), "1.4 times larger, turned 12° clockwise"),
        (0.5 * _turned(-90), "2.0 times smaller, turned 90° anticlockwise"),
        (_turned(180), "turned 180° clockwise"),
        (np.diag([2.0, 1.0]), "1.4 times larger, seen from another side: 2.0 times longer one way"),
    ],
)
def test_a_pose_in_words(linear: np.ndarray, told: str) -> None:
    assert pose(_map(linear)).told() == told


@pytest.mark.parametrize("linear", [np.diag([1.0, -1.0]), np.zeros((2, 2)), np.ones((2, 2))])
def test_a_mirror_is_no_pose(linear: np.ndarray) -> None:
    with pytest.raises(ValueError, match="determinant"):
        pose(_map(linear))
