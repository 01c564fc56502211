"""What an affine map between two pictures means: how much larger, turned how far, squeezed."""

import dataclasses
import math
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from engine.language import tr

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
            parts.append(tr("{scale:.1f} times larger", scale=self.scale))
        elif 1 / self.scale >= SAME_SCALE:
            parts.append(tr("{scale:.1f} times smaller", scale=1 / self.scale))
        if abs(self.turn) >= SAME_TURN:
            if self.turn > 0:
                parts.append(tr("turned {turn:.0f}° clockwise", turn=self.turn))
            else:
                parts.append(tr("turned {turn:.0f}° anticlockwise", turn=-self.turn))
        if self.stretch >= SAME_STRETCH:
            told = tr(
                "seen from another side: {stretch:.1f} times longer one way", stretch=self.stretch
            )
            parts.append(told)
        if not parts:
            return tr("as large, upright and from the same side")
        return reduce(lambda one, other: tr("{one}, {other}", one=one, other=other), parts)


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
