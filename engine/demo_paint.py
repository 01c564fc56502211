"""The brushes of the demo's scenes: quads, pasting with a shadow, borders, light, noise.

Pixels are (H, W, 3) uint8 arrays, a canvas the same in float32, quads (4, 2) float32 arrays of
x, y in pixels: top left, top right, bottom right, bottom left.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine import opencv

Pixels: TypeAlias = NDArray[np.uint8]
Canvas: TypeAlias = NDArray[np.float32]
Quad: TypeAlias = NDArray[np.float32]

_SHADOW_REACH = 28


def relight(rgb: Pixels, gamma: float = 1.0, gain: Sequence[float] = (1.0, 1.0, 1.0)) -> Pixels:
    """Change brightness and colour of the light."""
    levels = np.linspace(0, 1, 256) ** gamma * 255
    table = np.clip(levels[:, None] * np.asarray(gain), 0, 255).round().astype(np.uint8)
    return np.stack([table[rgb[:, :, c], c] for c in range(3)], axis=-1)


def rectangle(width: float, height: float) -> Quad:
    """Return the corners of a picture's outer edge; (0, 0) is the centre of the first pixel."""
    return np.array(
        [(-0.5, -0.5), (width - 0.5, -0.5), (width - 0.5, height - 0.5), (-0.5, height - 0.5)],
        np.float32,
    )


def turned_rectangle(
    middle: Sequence[float] | NDArray[np.float64], size: tuple[float, float], degrees: float
) -> Quad:
    """Return the corners of a rectangle that is turned clockwise about its middle, in degrees."""
    angle = np.deg2rad(degrees)
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    half = np.asarray(size) / 2
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half
    return np.asarray(corners @ turn + middle, np.float32)


def tilted(quad: Quad, tilt: float) -> Quad:
    """Lean a quad around the origin backwards: what is higher gets narrower and flatter."""
    reach = float(np.abs(quad[:, 1]).max()) or 1.0
    depth = 1 + tilt * (-quad[:, 1:] / reach + 1) / 2
    leant = quad / depth
    leant[:, 1] -= leant[:, 1].mean()
    return np.asarray(leant * (1, 1 - tilt / 3), np.float32)


def area(quad: Quad) -> float:
    """Return the area of a quad, in pixels, at least 1."""
    x, y = quad[:, 0].astype(np.float64), quad[:, 1].astype(np.float64)
    return max(1.0, abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2)


def fill(owners: NDArray[np.uint8], quad: Quad, owner: int) -> None:
    """Write `owner` into all pixels of a quad."""
    opencv.load().fillConvexPoly(owners, np.rint(quad).astype(np.int32), owner)


def fitted(picture: Pixels, quad: Quad) -> Pixels:
    """Shrink a picture to about the size at which it will be seen, against jagged edges."""
    cv2 = opencv.load()
    sides = np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1)
    seen = (max(sides[0], sides[2]), max(sides[1], sides[3]))
    scale = min(1.0, max(seen[0] / picture.shape[1], seen[1] / picture.shape[0]))
    size = (max(2, round(picture.shape[1] * scale)), max(2, round(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def paste(canvas: Canvas, picture: Pixels, quad: Quad) -> None:
    """Lay a picture into a quad of the canvas, with a soft shadow around it."""
    cv2 = opencv.load()
    height, width = canvas.shape[:2]
    low = np.floor(quad.min(axis=0)).astype(int) - _SHADOW_REACH
    high = np.ceil(quad.max(axis=0)).astype(int) + _SHADOW_REACH
    left, top = max(0, int(low[0])), max(0, int(low[1]))
    right, bottom = min(width, int(high[0])), min(height, int(high[1]))
    if left >= right or top >= bottom:
        return
    size = (right - left, bottom - top)
    shift = np.array((left, top), np.float32)
    corners = rectangle(picture.shape[1], picture.shape[0])
    matrix = cv2.getPerspectiveTransform(corners, (quad - shift).astype(np.float32))
    seen = cv2.warpPerspective(
        picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    # Drawn at four times the size and averaged, so that edges are smooth.
    outline = np.zeros((4 * size[1], 4 * size[0]), np.uint8)
    fill(outline, (quad - shift) * 4 + 1.5, 255)
    inside = cv2.resize(outline, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    shade = cv2.GaussianBlur(np.roll(inside, (6, 4), axis=(0, 1)), (0, 0), 6)
    region = canvas[top:bottom, left:right]
    region *= 1 - 0.5 * (shade * (1 - inside))[:, :, None]
    region += (seen - region) * inside[:, :, None]


def bordered(rgb: Pixels, colour: tuple[int, int, int], share: float) -> Pixels:
    """Put a plain border around a picture, `share` of its longer side wide."""
    edge = max(2, round(share * max(rgb.shape[:2])))
    height, width = rgb.shape[:2]
    out = np.empty((height + 2 * edge, width + 2 * edge, 3), np.uint8)
    out[:] = colour
    out[edge:-edge, edge:-edge] = rgb
    return out


def light(shape: tuple[int, int], rng: np.random.Generator, fall: float) -> Canvas:
    """Return brightness (H, W, 1) that falls off from a bright spot, by `fall` at most."""
    height, width = shape
    spot = rng.uniform(0.15, 0.85, 2)
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None] - np.float32(spot[1])
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :] - np.float32(spot[0])
    distance = np.sqrt(x * x + y * y)
    return np.asarray(1.06 - fall * distance**1.3, np.float32)[:, :, None]


def finish(canvas: NDArray[np.floating], rng: np.random.Generator, noise: float) -> Pixels:
    """Add the camera's noise and round to 8 bits."""
    if noise:
        grain = rng.standard_normal(canvas.shape[:2], np.float32)[:, :, None]
        canvas = canvas + np.float32(noise) * grain
    return np.asarray(np.clip(np.rint(canvas), 0, 255), np.uint8)
