"""Residuals, slow and obvious: one keypoint, one word, one turn at a time."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def word_sums(
    word_ids: NDArray[Any],
    bits: NDArray[np.uint64],
    angles: NDArray[Any],
    weights: NDArray[Any],
    basis: NDArray[Any],
    n_frequencies: int,
) -> dict[int, NDArray[np.float64]]:
    """Each word's sums: constant, cosine and sine of each multiple of the angle."""
    found: dict[int, NDArray[np.float64]] = {}
    for word, signature, angle, weight in zip(word_ids, bits, angles, weights):
        signs = [1 if int(signature[b // 64]) >> (b % 64) & 1 else -1 for b in range(128)]
        residual = np.array(signs) / math.sqrt(128) @ basis.astype(np.float64) * float(weight)
        parts = [residual]
        for f in range(1, n_frequencies + 1):
            turned = f * math.radians(float(angle))
            parts += [residual * math.sqrt(2) * math.cos(turned)]
            parts += [residual * math.sqrt(2) * math.sin(turned)]
        found[int(word)] = found.get(int(word), 0) + np.array(parts)
    return found


def dampened(sums: NDArray[np.float64], power: float, word_power: float) -> NDArray[np.float64]:
    """One word's sums with powers of their moduli, then of its length."""
    result = np.zeros(sums.shape)
    for k in range(sums.shape[1]):
        result[0, k] = np.sign(sums[0, k]) * abs(sums[0, k]) ** power
        for c in range(1, len(sums), 2):
            modulus = math.hypot(*sums[c : c + 2, k])
            if modulus:
                result[c : c + 2, k] = sums[c : c + 2, k] / modulus * modulus**power
    length = math.sqrt(float((result**2).sum()))
    return result * (length ** (word_power - 1) if length else 0)


def turned(sums: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    """What one word's sums would be with all keypoints turned."""
    result = sums.copy()
    for f in range(1, len(sums) // 2 + 1):
        c, s = math.cos(f * math.radians(degrees)), math.sin(f * math.radians(degrees))
        cosine, sine = sums[2 * f - 1], sums[2 * f]
        result[2 * f - 1], result[2 * f] = c * cosine - s * sine, s * cosine + c * sine
    return result


def settled(scores: list[list[float]], exclude: tuple[int, ...], own: float, n: int) -> list[float]:
    """Each picture's score at the turn of the best, or a part of that at its own."""
    deciding = [row for i, row in enumerate(scores) if i not in exclude]
    best, turn = -math.inf, 0
    for t in range(len(scores[0])):
        total = sum(sorted((row[t] for row in deciding), reverse=True)[:n])
        if total > best:
            best, turn = total, t
    return [max(0.0, row[turn], own * max(row)) for row in scores]
