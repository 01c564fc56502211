"""Draw what a camera might see of a photograph: other views of it, and walls where it hangs.

Everything random comes from the generator that is passed in. Pixels, canvas and quads are those of
`engine.demo_paint`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine import opencv
from engine.demo_paint import (
    Canvas,
    Pixels,
    Quad,
    area,
    bordered,
    fill,
    finish,
    fitted,
    light,
    paste,
    rectangle,
    relight,
    tilted,
    turned_rectangle,
)

Ground: TypeAlias = Literal["brick", "gravel", "grass", "plaster"]

WALL_SIZE = (1024, 768)
_TABLES = ((196, 186, 170), (120, 131, 141), (158, 128, 100), (205, 204, 200), (92, 104, 98))
_NOTES = ((244, 226, 122), (240, 164, 176), (158, 208, 222), (176, 218, 150))
_FRAMES = ((34, 32, 31), (96, 66, 42), (166, 132, 74), (236, 234, 228))
_GROUND_COLOURS = {
    "brick": (152, 92, 74),
    "gravel": (142, 136, 126),
    "grass": (94, 116, 66),
    "plaster": (198, 190, 176),
}


@dataclass(frozen=True, slots=True, eq=False)
class Hung:
    """A photograph on a wall.

    Attributes
    ----------
    name : str
        Of the photograph.
    visible : float
        Share of its area that the picture of the wall shows, 0 to 1.
    """

    name: str
    visible: float


def perspective(
    rgb: Pixels, corners: Sequence[tuple[float, float]], size: tuple[int, int]
) -> Pixels:
    """See the part of a picture between four corners (as shares of its sides) straight on."""
    cv2 = opencv.load()
    height, width = rgb.shape[:2]
    quad = np.asarray(corners, np.float32) * np.asarray((width, height), np.float32)
    matrix = cv2.getPerspectiveTransform(quad, rectangle(*size))
    return np.asarray(cv2.warpPerspective(rgb, matrix, size, flags=cv2.INTER_LINEAR))


def from_left(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """See it from one side: the far edge looks shorter."""
    height, width = rgb.shape[:2]
    near = rng.uniform(0.12, 0.17)
    corners = [(0.03, near), (0.97, 0.0), (0.97, 1.0), (0.03, 1 - near)]
    return perspective(rgb, corners, (round(width * 0.86), height))


def close_up(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """See a part of it, larger and in warmer light."""
    height, width = rgb.shape[:2]
    left, top = rng.uniform(0.16, 0.26, 2)
    part = perspective(
        rgb,
        [
            (left, top),
            (left + 0.58, top + 0.02),
            (left + 0.57, top + 0.6),
            (left - 0.01, top + 0.57),
        ],
        (width, height),
    )
    return relight(part, gain=(1.08, 1.0, 0.88))


def sideways(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Turn it by a quarter, in uneven light."""
    turned = np.ascontiguousarray(np.rot90(rgb))
    return finish(turned * light(turned.shape[:2], rng, 0.55), rng, 0.0)


def dark(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """See it in the evening: dark, a little blurred, with the camera's noise."""
    cv2 = opencv.load()
    dim = relight(cv2.GaussianBlur(rgb, (0, 0), 1.1), gamma=1.5, gain=(0.62, 0.64, 0.74))
    return finish(dim.astype(np.float32), rng, 3.0)


def covered(rgb: Pixels, rng: np.random.Generator, share: float = 0.42) -> Pixels:
    """Stick notes on it until about this share of it is hidden."""
    canvas = rgb.astype(np.float32)
    height, width = rgb.shape[:2]
    side = 0.42 * min(height, width)
    hidden = np.zeros((height, width), np.uint8)
    for attempt in range(40):
        middle = rng.uniform((0.12, 0.12), (0.88, 0.88)) * (width, height)
        quad = turned_rectangle(middle, (side, side), rng.uniform(-25, 25))
        before = hidden.copy()
        fill(hidden, quad, 1)
        if hidden.mean() > share + 0.04:
            hidden = before
            continue
        note = np.full((64, 64, 3), _NOTES[attempt % len(_NOTES)], np.uint8)
        paste(canvas, note, quad)
        if hidden.mean() > share - 0.03:
            break
    return finish(canvas, rng, 0.0)


def on_table(
    rgb: Pixels,
    rng: np.random.Generator,
    degrees: float,
    size: tuple[int, int] = (640, 480),
    share: float = 0.74,
    tilt: float = 0.0,
) -> Pixels:
    """See it as a print with a white border that lies on a table.

    Parameters
    ----------
    rgb : (H, W, 3) uint8 array
    rng : numpy.random.Generator
    degrees : float
        How far it is turned clockwise.
    size : (int, int)
        Width and height of the result, in pixels.
    share : float
        Share of the result's height or width that the print takes.
    tilt : float
        How much narrower its far end looks, 0 to 0.5.

    Returns
    -------
    (height, width, 3) uint8 array
    """
    width, height = size
    colour = np.asarray(_TABLES[int(rng.integers(len(_TABLES)))], np.float32)
    canvas = np.broadcast_to(colour, (height, width, 3)) * light((height, width), rng, 0.35)
    printed = bordered(rgb, (248, 247, 244), 0.035)
    around = turned_rectangle((0, 0), (printed.shape[1], printed.shape[0]), degrees)
    extent = around.max(axis=0) - around.min(axis=0)
    around *= share * min(width / extent[0], height / extent[1])
    middle = np.asarray(((width - 1) / 2, (height - 1) / 2)) + rng.uniform(-8, 8, 2)
    quad = np.asarray(tilted(around, tilt) + middle, np.float32)
    paste(canvas, fitted(printed, quad), quad)
    return finish(canvas, rng, 1.0)


def wall(
    photographs: Sequence[tuple[str, Pixels]],
    ground: Ground,
    texture: Pixels | None,
    rng: np.random.Generator,
    peeking: tuple[str, Pixels] | None = None,
) -> tuple[Pixels, list[Hung]]:
    """Hang three or four photographs on a wall, or lay them on gravel or grass, and look at it.

    Parameters
    ----------
    photographs : sequence of (str, (H, W, 3) uint8 array)
        Names and pixels, three or four.
    ground : {"brick", "gravel", "grass", "plaster"}
    texture : (H, W) uint8 array or None
        Its gray; plaster needs none.
    rng : numpy.random.Generator
    peeking : (str, (H, W, 3) uint8 array) or None
        One more that the picture's edge cuts off almost wholly.

    Returns
    -------
    rgb : (768, 1024, 3) uint8 array
    hung : list of Hung
        With the share of each that can be seen.
    """
    width, height = WALL_SIZE
    view = _view(rng, WALL_SIZE)
    canvas = _backdrop(ground, texture, view, rng)
    owners = np.zeros((height, width), np.uint8)
    lying = ground in ("gravel", "grass")
    placed: list[tuple[str, Quad]] = []
    cells = _cells(len(photographs), rng)
    turned = int(rng.integers(len(photographs)))
    for place, (name, rgb) in enumerate(photographs):
        degrees = rng.uniform(-30, 30) if lying else rng.uniform(-4, 4)
        if place == turned:
            degrees += rng.choice((-90, 35, 90, 180) if lying else (-18, 14, 90))
        middle, room = cells[place]
        picture = bordered(rgb, (245, 244, 240), 0.04) if lying else _framed(rgb, rng)
        quad = _hang(picture, middle, room * rng.uniform(0.66, 0.92), degrees, view, rng)
        paste(canvas, fitted(picture, quad), quad)
        placed.append((name, quad))
    if peeking is not None:
        picture = bordered(peeking[1], (245, 244, 240), 0.04)
        quad = _at_the_edge(picture, rng)
        paste(canvas, fitted(picture, quad), quad)
        placed.append((peeking[0], quad))
    for owner, (_, quad) in enumerate(placed, start=1):
        fill(owners, quad, owner)
    hung = [
        Hung(name, float((owners == owner).sum() / area(quad)))
        for owner, (name, quad) in enumerate(placed, start=1)
    ]
    return finish(canvas * light((height, width), rng, 0.6), rng, 2.5), hung


def _framed(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Put a photograph behind a mat, sometimes, and into a frame with a lit upper edge."""
    matted = bordered(rgb, (240, 237, 230), 0.06) if rng.random() < 0.5 else rgb
    colour = _FRAMES[int(rng.integers(len(_FRAMES)))]
    framed = bordered(matted, colour, rng.uniform(0.025, 0.045))
    lit = np.clip(np.asarray(colour) * 1.35 + 18, 0, 255).astype(np.uint8)
    framed[:4], framed[:, :4] = lit, lit
    return framed


def _view(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return where the camera stands: the homography from the wall to the picture."""
    cv2 = opencv.load()
    width, height = size
    # The wall is drawn larger than the picture, so that no view shows its end.
    out = 0.06
    pull = rng.uniform(0.0, 0.17, 4) * rng.permutation((1.0, 1.0, 0.25, 0.25))
    signs = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    corners = rectangle(width, height)
    seen = corners + signs * (out + pull)[:, None] * np.array((0.5 * width, height))
    return np.asarray(cv2.getPerspectiveTransform(corners, seen.astype(np.float32)))


def _through(view: NDArray[np.float64], points: NDArray[np.floating]) -> Quad:
    cv2 = opencv.load()
    return np.asarray(
        cv2.perspectiveTransform(points.astype(np.float32)[None], view)[0], np.float32
    )


def _cells(n: int, rng: np.random.Generator) -> list[tuple[NDArray[np.float64], float]]:
    """Return a place and its room (in pixels) on the wall for each photograph, in random order."""
    width, height = WALL_SIZE
    if n == 4:
        grid = [(x, y) for y in (0.29, 0.72) for x in (0.28, 0.72)]
        room = 0.36 * height
    else:
        grid = [(0.24, 0.38), (0.53, 0.6), (0.79, 0.36)]
        room = 0.38 * height
    cells = [
        (np.array((x * width, y * height)) + rng.uniform(-18, 18, 2), room) for x, y in grid[:n]
    ]
    return [cells[i] for i in rng.permutation(len(cells))]


def _hang(
    picture: Pixels,
    middle: NDArray[np.float64],
    room: float,
    degrees: float,
    view: NDArray[np.float64],
    rng: np.random.Generator,
) -> Quad:
    """Return where a photograph is seen that hangs a little askew."""
    longest = max(picture.shape[:2])
    size = (room * picture.shape[1] / longest, room * picture.shape[0] / longest)
    flat = turned_rectangle(middle, size, degrees)
    return _through(view, flat + rng.uniform(-0.03, 0.03, (4, 2)) * room)


def _at_the_edge(picture: Pixels, rng: np.random.Generator) -> Quad:
    """Return a quad of which only about a tenth lies within the wall's picture."""
    width, height = WALL_SIZE
    side = 300.0
    longest = max(picture.shape[:2])
    size = (side * picture.shape[1] / longest, side * picture.shape[0] / longest)
    inside = rng.uniform(0.07, 0.12) * size[0]
    x = inside - size[0] / 2 if rng.random() < 0.5 else width - inside + size[0] / 2
    return turned_rectangle((x, rng.uniform(0.25, 0.75) * height), size, rng.uniform(-2, 2))


def _backdrop(
    ground: Ground,
    texture: Pixels | None,
    view: NDArray[np.float64],
    rng: np.random.Generator,
) -> Canvas:
    """Draw the wall or ground itself, soft enough not to drown what hangs on it."""
    cv2 = opencv.load()
    width, height = WALL_SIZE
    colour = np.asarray(_GROUND_COLOURS[ground], np.float32) * rng.uniform(0.85, 1.1)
    if texture is None:
        coarse = rng.normal(0, 1, (height // 48, width // 48)).astype(np.float32)
        soft = cv2.resize(coarse, WALL_SIZE, interpolation=cv2.INTER_CUBIC)
        return np.asarray((1 + 0.012 * soft)[:, :, None] * colour, np.float32)
    tile = np.rot90(texture) if ground == "brick" else np.rot90(texture, int(rng.integers(4)))
    tile = cv2.GaussianBlur(np.ascontiguousarray(tile), (0, 0), 1.0 if ground == "brick" else 1.4)
    scale = 2.0 if ground == "brick" else 1.25
    zoom = np.array([(scale, 0, -rng.uniform(0, 200)), (0, scale, -rng.uniform(0, 200)), (0, 0, 1)])
    flat = cv2.warpPerspective(
        tile, view @ zoom, WALL_SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    ).astype(np.float32)
    contrast = 0.55 if ground == "brick" else 0.42
    level = 1 + contrast * (flat / max(1.0, float(flat.mean())) - 1)
    return np.asarray(level[:, :, None] * colour, np.float32)
