"""Scores at every turn of a picture, from its waves: which turn counts.

Vectors that keep, for each word, how its keypoints point (`engine.residuals`) have a product that
is a trigonometric polynomial in the angle by which one picture is turned against the other. It
is looked at in steps of 15 degrees. Photographs of one thing stand alike, so the collection has one
turn; a picture follows its own where that agrees far better.

Tolias, Bursuc, Furon, Jégou, "Rotation and translation covariant match kernels for image
retrieval", CVIU 2015.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True, slots=True)
class TurnParams:
    """How turned pictures are compared.

    Attributes
    ----------
    n_turns : int
        Turns that are looked at, in equal steps.
    own : float
        What a picture's best turn counts against the collection's: 0 never, 1 always.
    n_leading : int
        Best pictures that decide the collection's turn.
    """

    n_turns: int = 24
    own: float = 0.6
    n_leading: int = 10

    def __post_init__(self) -> None:
        if self.n_turns < 1 or self.n_leading < 1:
            raise ValueError("n_turns and n_leading must be at least 1")
        if not 0 <= self.own <= 1:
            raise ValueError(f"own must be from 0 to 1, got {self.own}")


def waves(n_parts: int, n_turns: int) -> NDArray[np.float32]:
    """Return what each part of a product counts at each turn.

    Parameters
    ----------
    n_parts : int
        2 F + 1: the constant, then real and imaginary part of each frequency.
    n_turns : int
        T.

    Returns
    -------
    (2 F + 1, T) float32 array
    """
    angles = np.arange(n_turns) * (2 * np.pi / n_turns)
    found = np.ones((n_parts, n_turns), np.float32)
    for f in range(1, n_parts // 2 + 1):
        found[2 * f - 1], found[2 * f] = np.cos(f * angles), np.sin(f * angles)
    return found


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """What each picture scores, and at which turn.

    Attributes
    ----------
    scores : (I,) float32 array
        The score at the collection's turn, or `own` times that at the picture's best, whichever
        is more; never below 0.
    turns : (I,) int64 array
        Which of the turns that is.
    parts : (I,) float32 array
        What the score at that turn was multiplied by.
    """

    scores: NDArray[np.float32]
    turns: NDArray[np.int64]
    parts: NDArray[np.float32]


def settle(scores: NDArray[np.float32], exclude: tuple[int, ...], params: TurnParams) -> Settled:
    """Choose a turn for each picture.

    Parameters
    ----------
    scores : (I, T) float32 array
        Of each picture at each turn.
    exclude : tuple of int
        Pictures that do not decide: the query itself.
    params : TurnParams

    Returns
    -------
    Settled
    """
    n = len(scores)
    if n == 0:
        return Settled(np.zeros(0, np.float32), np.zeros(0, np.int64), np.ones(0, np.float32))
    deciding = np.delete(scores, list(exclude), axis=0)
    n_leading = min(params.n_leading, len(deciding))
    turn = 0
    if n_leading:
        leading = np.partition(deciding, len(deciding) - n_leading, axis=0)[-n_leading:]
        turn = int(leading.sum(axis=0, dtype=np.float64).argmax())
    best = scores.argmax(axis=1)
    at_best = np.float32(params.own) * scores[np.arange(n), best]
    is_own = at_best > scores[:, turn]
    return Settled(
        np.maximum(np.where(is_own, at_best, scores[:, turn]), 0),
        np.where(is_own, best, turn),
        np.where(is_own, params.own, 1.0).astype(np.float32),
    )
