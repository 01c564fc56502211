"""Slow, obvious versions of pooling, whitening and fusion."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def gem(maps: NDArray[Any], power: float) -> NDArray[np.float64]:
    """Of one picture: (C, H, W)."""
    out = []
    for one in maps:
        total, n = 0.0, 0
        for row in one:
            for value in row:
                total += max(float(value), 1e-6) ** power
                n += 1
        out.append((total / n) ** (1 / power))
    return np.array(out)


def rmac(maps: NDArray[Any], levels: int = 3) -> NDArray[np.float64]:
    """Of one picture: (C, H, W). As the authors' own program chooses regions."""
    n_maps, height, width = maps.shape
    w = min(width, height)
    steps = [2, 3, 4, 5, 6, 7]
    apart = [(max(height, width) - w) / (s - 1) for s in steps]
    overlaps = [abs((w**2 - w * b) / w**2 - 0.4) for b in apart]
    best = overlaps.index(min(overlaps))
    more_x = best + 1 if height < width else 0
    more_y = best + 1 if height > width else 0

    def region(top: int, left: int, rows: int, columns: int) -> NDArray[np.float64]:
        found = []
        for c in range(n_maps):
            largest = -math.inf
            for y in range(top, top + rows):
                for x in range(left, left + columns):
                    largest = max(largest, float(maps[c, y, x]))
            found.append(largest)
        length = math.sqrt(sum(v * v for v in found))
        return np.array([v / length if length else 0.0 for v in found])

    total = region(0, 0, height, width)
    for level in range(1, levels + 1):
        side = math.floor(2 * w / (level + 1))
        if side == 0:
            break
        half = math.floor(side / 2 - 1)
        lefts, tops = [], []
        for n, length, starts in ((level + more_x, width, lefts), (level + more_y, height, tops)):
            b = 0 if n == 1 else (length - side) / (n - 1)
            starts += [math.floor(half + i * b) - half for i in range(n)]
        for top in tops:
            for left in lefts:
                total += region(top, left, side, side)
    return total


def reciprocal_ranks(rankings: list[list[int]], n_images: int, constant: float) -> list[float]:
    scores = [0.0] * n_images
    for ranking in rankings:
        for image_id in range(n_images):
            if image_id in ranking:
                scores[image_id] += 1 / (constant + ranking.index(image_id) + 1)
    return scores


def distances(matrix: NDArray[Any], vector: NDArray[Any]) -> list[float]:
    found = []
    for row in matrix:
        if not any(row):
            found.append(2.0)
            continue
        if not any(vector):
            found.append(math.sqrt(2))
            continue
        found.append(math.sqrt(sum((float(a) - float(b)) ** 2 for a, b in zip(row, vector))))
    return found
