"""The trace's numbers as SVG: every line below stands where an array says."""

import math
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]


def number(value: float) -> str:
    """Return a number as short as it may be: two places, which is finer than any screen."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value else "0"


def image(url: str, left: float, top: float, width: float, height: float) -> str:
    """Draw a picture into a rectangle."""
    x, y, w, h = (number(value) for value in (left, top, width, height))
    told = f'x="{x}" y="{y}" width="{w}" height="{h}" preserveAspectRatio="none"'
    return f'<image href="{escape(url)}" {told}/>'


def picture(url: str, shape: tuple[int, ...]) -> str:
    """Draw a picture whose pixels are 1 wide: the middle of the first lies at 0, 0."""
    return image(url, -0.5, -0.5, shape[1], shape[0])


def rectangle(kind: str, left: float, top: float, width: float, height: float) -> str:
    """Draw a rectangle."""
    x, y, w, h = (number(value) for value in (left, top, width, height))
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{w}" height="{h}"/>'


def circle(kind: str, x: float, y: float, radius: float) -> str:
    """Draw a circle."""
    return f'<circle class="{kind}" cx="{number(x)}" cy="{number(y)}" r="{number(radius)}"/>'


def path(kind: str, steps: Iterable[str]) -> str:
    """Draw a path from its steps."""
    return f'<path class="{kind}" d="{"".join(steps)}"/>'


def segment(x: float, y: float, to_x: float, to_y: float) -> str:
    """Return the steps of a line from one place to another."""
    return f"M{number(x)} {number(y)}L{number(to_x)} {number(to_y)}"


def polygon(kind: str, corners: NDArray[np.floating]) -> str:
    """Draw a closed line through corners (C, 2)."""
    places = [f"{number(x)} {number(y)}" for x, y in corners.tolist()]
    return f'<path class="{kind}" d="M{"L".join(places)}Z"/>'


def text(kind: str, x: float, y: float, said: str, size: float) -> str:
    """Write a text around a place."""
    told = f'x="{number(x)}" y="{number(y)}" font-size="{number(size)}"'
    return f'<text class="{kind}" {told}>{escape(said)}</text>'


def both(draw: Sequence[str]) -> str:
    """Draw the same path twice: a dark rim, and the line on it."""
    return path("rim", draw) + path("line", draw)


def keypoint(kind: str, x: float, y: float, size: float, angle: float | None) -> str:
    """Draw a keypoint as a circle of its size, with a radius for its direction."""
    drawn = circle("rim", x, y, size / 2) + circle(kind, x, y, size / 2)
    if angle is None:
        return drawn
    turn = math.radians(angle)
    tip = x + size / 2 * math.cos(turn), y + size / 2 * math.sin(turn)
    return drawn + path("rim", [segment(x, y, *tip)]) + path(kind, [segment(x, y, *tip)])


def wedge(x: float, y: float, radius: float, middle: float, half: float) -> str:
    """Draw the part of a disc within `half` degrees of `middle`, counterclockwise."""
    ends = [math.radians(middle - half), math.radians(middle + half)]
    (ax, ay), (bx, by) = ((x + radius * math.cos(t), y - radius * math.sin(t)) for t in ends)
    arc = f"A{number(radius)} {number(radius)} 0 0 0 {number(bx)} {number(by)}"
    return path("wedge", [f"M{number(x)} {number(y)}L{number(ax)} {number(ay)}{arc}Z"])


def around(x: float, y: float, reach: float, shape: tuple[int, ...]) -> Box:
    """Return a square around a place, moved so that it shows as much of the picture as it can."""
    height, width = shape[:2]
    side = 2 * reach

    def start(middle: float, length: int) -> float:
        if side >= length:
            return (length - side) / 2 - 0.5
        return min(max(middle - reach, -0.5), length - 0.5 - side)

    return round(start(x, width), 2), round(start(y, height), 2), round(side, 2), round(side, 2)


def whole(shape: tuple[int, ...]) -> Box:
    """Return all of a picture."""
    return -0.5, -0.5, float(shape[1]), float(shape[0])
