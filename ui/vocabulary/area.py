"""A part of the map, as it stands in addresses: a box, a lasso, or a word and its nearest."""

import dataclasses
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.index import Index

BOX, LASSO, NEAR = "box", "lasso", "near"
SIDE = 1000  # the map's length in the whole numbers of addresses and charts
MOST_CORNERS = 24
MOST_NEAR = 500


@dataclasses.dataclass(frozen=True, slots=True)
class Area:
    """A part of the map.

    Attributes
    ----------
    kind : str
        BOX, LASSO or NEAR.
    numbers : tuple of int
        Of a box left, right, bottom, top; of a lasso x, y of each corner, both in thousandths of
        the map; else a word, and how many words, itself included.
    """

    kind: str
    numbers: tuple[int, ...]

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read what `write` wrote; None for anything else."""
        kind, *told = text.split("-")
        if not told or not all(part.isdecimal() and len(part) <= 9 for part in told):
            return None
        numbers = tuple(int(part) for part in told)
        fits = {
            BOX: len(numbers) == 4,
            LASSO: len(numbers) % 2 == 0 and 6 <= len(numbers) <= 2 * MOST_CORNERS,
            NEAR: len(numbers) == 2 and 1 <= numbers[1] <= MOST_NEAR,
        }
        if not fits.get(kind, False) or (kind != NEAR and max(numbers) > SIDE):
            return None
        return cls(kind, numbers)

    def write(self) -> str:
        """Return it as it stands in an address."""
        return "-".join((self.kind, *map(str, self.numbers)))

    @property
    def corners(self) -> tuple[tuple[int, int], ...]:
        """Its outline, of a box or a lasso."""
        if self.kind == BOX:
            left, right, bottom, top = self.numbers
            return ((left, bottom), (right, bottom), (right, top), (left, top))
        if self.kind == LASSO:
            return tuple(zip(self.numbers[::2], self.numbers[1::2]))
        return ()


def _clipped(values: Sequence[float]) -> list[int]:
    return [min(max(round(float(value)), 0), SIDE) for value in values]


def box(across: Sequence[float], up: Sequence[float]) -> Area:
    """Return a box from its ends across and up, in thousandths of the map."""
    return Area(BOX, (*sorted(_clipped(across)), *sorted(_clipped(up))))


def lasso(points: Sequence[Sequence[float]]) -> Area | None:
    """Return a lasso through some points, of which few enough are kept; None of fewer than three.

    Those are left out, one by one, whose triangle with both neighbours is the smallest.
    """
    rounded = [tuple(_clipped(point)) for point in points]
    kept = [p for i, p in enumerate(rounded) if p != rounded[i - 1]]
    while len(kept) > MOST_CORNERS:
        here = np.array(kept, np.float64)
        before, after = np.roll(here, 1, axis=0), np.roll(here, -1, axis=0)
        one, other = before - here, after - here
        sizes = np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0])
        kept.pop(int(sizes.argmin()))
    return Area(LASSO, tuple(v for p in kept for v in p)) if len(kept) >= 3 else None


def selected(area: Area, shown: Index, places: NDArray[np.float32] | None) -> NDArray[np.bool_]:
    """Tell which words lie in a part of the map.

    Parameters
    ----------
    area : Area
        The part.
    shown : Index
        Whose words.
    places : (K, 2) float32 array or None
        Where they lie, 0 to 1; only a word and its nearest can do without.

    Returns
    -------
    (K,) bool array
    """
    inside = np.zeros(shown.n_words, bool)
    if area.kind == NEAR:
        word, n_words = area.numbers
        if word < shown.n_words:
            inside[shown.nearest_words(word, n_words - 1)[0]] = True
            inside[word] = True
        return inside
    if places is None:
        return ~inside
    return within(area.corners, places * SIDE)


def within(corners: Sequence[Sequence[float]], points: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell which points lie within an outline, by the even-odd rule: (N, 2) to (N,) bool."""
    x, y = points[:, 0].astype(np.float64), points[:, 1].astype(np.float64)
    inside = np.zeros(len(points), bool)
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]]):
        if y0 == y1:
            continue
        crosses = (y0 > y) != (y1 > y)
        inside ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return inside
