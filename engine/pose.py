"""What an affine map between two pictures means: how much larger, turned how far, squeezed."""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

SAME_SCALE, SAME_TURN, SAME_STRETCH = 1.05, 2.0, 1.1  # what nobody sees


@dataclasses.dataclass(frozen=True, slots=True)
class Pose:
    """How the thing stands in a picture, against how it stands in the query.

    Attributes
    ----------
    scale : float
        Length there of what is 1 long in the query: the root of the map's determinant.
    turn : float
        Degrees clockwise, above -180, at most 180.
    stretch : float
        Longest over shortest length there of what is 1 long in the query; at least 1.
    direction : float
        Degrees from the right, clockwise, 0 to below 180: along which way there it is longest.
    """

    scale: float
    turn: float
    stretch: float
    direction: float

    def told(self) -> str:
        """Say it in words: "1.4 times larger, turned 12° clockwise"."""
        parts = []
        if self.scale >= SAME_SCALE:
            parts.append(f"{self.scale:.1f} times larger")
        elif 1 / self.scale >= SAME_SCALE:
            parts.append(f"{1 / self.scale:.1f} times smaller")
        if abs(self.turn) >= SAME_TURN:
            way = "clockwise" if self.turn > 0 else "anticlockwise"
            parts.append(f"turned {abs(self.turn):.0f}° {way}")
        if self.stretch >= SAME_STRETCH:
            parts.append(f"seen from another side: {self.stretch:.1f} times longer one way")
        return ", ".join(parts) or "as large, upright and from the same side"


def pose(affine: NDArray[np.floating]) -> Pose:
    """Read an affine map that mirrors nothing.

    Parameters
    ----------
    affine : (2, 3) array
        Carries pixels of the query to pixels of the picture.

    Returns
    -------
    Pose

    Raises
    ------
    ValueError
        If the map mirrors, or carries the picture onto a line.
    """
    linear = np.asarray(affine, np.float64)[:, :2]
    determinant = float(np.linalg.det(linear))
    if determinant <= 0:
        raise ValueError(f"the map has the determinant {determinant:.3g}, it must be above 0")
    left, lengths, right = np.linalg.svd(linear)
    rotation = left @ right  # the turn that is nearest to the map
    turn = math.degrees(math.atan2(rotation[1, 0], rotation[0, 0]))
    direction = math.degrees(math.atan2(left[1, 0], left[0, 0])) % 180.0
    stretch = float(lengths[0] / lengths[1])
    turn = 180.0 if turn == -180.0 else turn
    return Pose(math.sqrt(determinant), turn, stretch, direction)
