"""Records to RGB arrays: keypoints and heat on a picture, one picture on another, words' tiles."""

import math

import numpy as np
from numpy.typing import NDArray

from engine import images, opencv
from engine.index import Index

WORD_TILE = 3  # patches along a side
_RIM = (20, 20, 20)
_LINE = (255, 210, 60)
_FRACTION_BITS = 4
# From little to much: from violet to yellow in equal steps of lightness.
HEAT = (
    (46, 1, 126),
    (99, 24, 153),
    (163, 43, 145),
    (225, 70, 96),
    (254, 123, 56),
    (254, 185, 99),
    (255, 237, 134),
)
_SPREAD = 0.02  # of the picture's longer side: standard deviation of one place's heat
_MOST_HEAT = 0.8  # opacity of the most
_DIMMED = 0.6  # brightness of the grey picture, so that heat is the brightest thing on it
_OUTSIDE = 128  # grey, where a warped picture does not reach
_SHADES = 24  # of responses below the threshold, and as many above it: a quarter of the bytes
_MOST_GREY = 150
_MOST_WARPED = 30_000  # pixels a side; OpenCV warps nothing above 32,766


def keypoints(
    rgb: NDArray[np.uint8],
    xy: NDArray[np.float32],
    size: NDArray[np.float32],
    angle: NDArray[np.float32],
    scale: float = 1.0,
) -> NDArray[np.uint8]:
    """Draw keypoints as circles of their size with a radius for their direction.

    Parameters
    ----------
    rgb : (H, W, 3) uint8 array
        The picture; it is not changed.
    xy : (N, 2) float32 array
        Places, in pixels of the original.
    size : (N,) float32 array
        Diameters, in pixels of the original.
    angle : (N,) float32 array
        Directions in degrees, clockwise from the right.
    scale : float
        Length of `rgb` over that of the original.

    Returns
    -------
    (H, W, 3) uint8 array
        Thin lines with a dark rim, so that they read on sky and stone.
    """
    cv2 = opencv.load()
    drawn = np.ascontiguousarray(rgb).copy()
    one = 1 << _FRACTION_BITS
    centres = np.rint((xy * scale) * one).astype(int)
    radii = np.maximum(np.rint(size * scale / 2 * one), one).astype(int)
    turned = np.deg2rad(angle)
    tips = centres + np.rint(np.stack((np.cos(turned), np.sin(turned)), 1) * radii[:, None]).astype(
        int
    )
    for colour, width in ((_RIM, 2), (_LINE, 1)):
        for centre, radius, tip in zip(centres.tolist(), radii.tolist(), tips.tolist()):
            cv2.circle(drawn, centre, radius, colour, width, cv2.LINE_AA, _FRACTION_BITS)
            cv2.line(drawn, centre, tip, colour, width, cv2.LINE_AA, _FRACTION_BITS)
    return drawn


def heat(
    rgb: NDArray[np.uint8],
    xy: NDArray[np.float32],
    values: NDArray[np.float64],
    scale: float = 1.0,
) -> NDArray[np.uint8]:
    """Draw where a score comes from, see `engine.heat.places`, over a grey picture.

    Each place spreads its value as a Gaussian of 0.02 of the picture's longer side; the most that
    comes together anywhere is brightest.

    Parameters
    ----------
    rgb : (H, W, 3) uint8 array
        The picture; it is not changed.
    xy : (P, 2) float32 array
        Places, in pixels of the original.
    values : (P,) float64 array
        What each adds. What takes more away than others add shows no heat.
    scale : float
        Length of `rgb` over that of the original.

    Returns
    -------
    (H, W, 3) uint8 array
        Colours of `HEAT`, on the dimmed grey picture.
    """
    cv2 = opencv.load()
    height, width = rgb.shape[:2]
    sigma = max(1.0, _SPREAD * max(height, width))
    reach = math.ceil(3 * sigma)  # heat of what lies just outside still shows
    columns, rows = np.rint((xy + 0.5) * scale - 0.5).astype(np.int64).T + reach
    tall, wide = height + 2 * reach, width + 2 * reach
    near = (columns >= 0) & (columns < wide) & (rows >= 0) & (rows < tall)
    field = np.zeros((tall, wide))
    np.add.at(field, (rows[near], columns[near]), values[near])
    spread = cv2.GaussianBlur(field, (2 * reach + 1, 2 * reach + 1), sigma)
    return _glowing(rgb, spread[reach : reach + height, reach : reach + width])


def heat_cells(rgb: NDArray[np.uint8], values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Draw numbers of a grid of cells, as `engine.occlusion.losses` gives them, like `heat`.

    Parameters
    ----------
    rgb : (H, W, 3) uint8 array
        The picture; it is not changed.
    values : (rows, columns) float64 array
        Of cells of one size that fill the picture; what is below 0 shows no heat.

    Returns
    -------
    (H, W, 3) uint8 array
    """
    height, width = rgb.shape[:2]
    cv2 = opencv.load()
    return _glowing(rgb, cv2.resize(values, (width, height), interpolation=cv2.INTER_CUBIC))


def _glowing(rgb: NDArray[np.uint8], values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Lay colours of `HEAT` on the dimmed grey picture: the most of (H, W) values is brightest."""
    grey = _DIMMED * images.to_gray(rgb).astype(np.float32)[..., None]
    shown = np.maximum(values, 0.0)
    shown /= max(float(shown.max(initial=0.0)), 1e-300)
    opacity = (_MOST_HEAT * np.sqrt(shown))[..., None]
    drawn = grey * (1 - opacity) + ramp(shown) * opacity
    return np.asarray(np.rint(drawn), np.uint8)


def ramp(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the colours of `HEAT` for values from 0 to 1: one axis of 3 more, 0 to 255."""
    stops = np.linspace(0, 1, len(HEAT))
    return np.stack([np.interp(values, stops, channel) for channel in zip(*HEAT)], -1)


def responses(determinants: NDArray[np.float32], threshold: float) -> NDArray[np.uint8]:
    """Draw one layer's responses, a pixel a cell.

    Parameters
    ----------
    determinants : (rows, columns) float32 array
        As in `engine.trace_scales.Layer`.
    threshold : float
        What a keypoint must lie above.

    Returns
    -------
    (rows, columns) uint8 array
        Rows of `response_palette`. Up to the threshold the first half, by the square root; what is
        not above 0 is the first. Above it the second half, by the logarithm, so that one bright
        spot does not hide the others.
    """
    values = np.maximum(determinants, 0.0).astype(np.float64)
    least = max(float(threshold), 1e-6)
    below = np.sqrt(np.minimum(values / least, 1.0))
    top = max(float(values.max(initial=0.0)), least * 1.0001)
    above = np.log(np.maximum(values, least) / least) / np.log(top / least)
    shades = _SHADES - 1
    drawn = np.where(values > threshold, _SHADES + np.rint(above * shades), below * shades)
    return np.rint(drawn).astype(np.uint8)


def response_palette() -> NDArray[np.uint8]:
    """Return the colours of `responses`: (2 S, 3) RGB, from black to grey, then those of HEAT."""
    grey = np.repeat(np.linspace(0, _MOST_GREY, _SHADES)[:, None], 3, axis=1)
    coloured = ramp(np.linspace(0.25, 1, _SHADES))
    return np.rint(np.concatenate((grey, coloured))).astype(np.uint8)


def integral(table: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Draw an integral image: black for nothing, white for the sum of all pixels.

    Parameters
    ----------
    table : (H + 1, W + 1) int32 array
        As in `engine.trace_scales.integral`, of a picture whose sum does not wrap.

    Returns
    -------
    (H + 1, W + 1) uint8 array
    """
    return np.rint(table / max(1, int(table[-1, -1])) * 255).astype(np.uint8)


def warp(
    rgb: NDArray[np.uint8],
    affine: NDArray[np.float64],
    size: tuple[int, int],
    scale: float = 1.0,
    query_scale: float = 1.0,
) -> NDArray[np.uint8]:
    """Lay a picture on the query, as the map between them says.

    Parameters
    ----------
    rgb : (h, w, 3) uint8 array
        The picture.
    affine : (2, 3) float64 array
        Carries pixels of the query's original to pixels of the picture's.
    size : tuple of int
        Width and height of what is made, in pixels.
    scale : float
        Length of `rgb` over that of the picture's original.
    query_scale : float
        Length of what is made over that of the query's original.

    Returns
    -------
    (height, width, 3) uint8 array
        Grey where the picture does not reach.
    """
    cv2 = opencv.load()
    linear, moved = affine[:, :2], affine[:, 2]
    # Pixels of the picture that one pixel of what is made covers: more are averaged first.
    covered = math.sqrt(abs(float(np.linalg.det(linear)))) * scale / query_scale
    longest = max(rgb.shape[:2])
    smaller = images.shrink(rgb, max(1, min(round(longest / max(covered, 1.0)), _MOST_WARPED)))
    factors = np.array([smaller.shape[1] / rgb.shape[1], smaller.shape[0] / rgb.shape[0]]) * scale
    # Centres of pixels stand at whole numbers: the corner of every picture is at (-0.5, -0.5).
    corner = linear @ np.full(2, 0.5 / query_scale - 0.5) + moved + 0.5
    back = np.column_stack((linear / query_scale, corner)) * factors[:, None]
    back[:, 2] -= 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    grey = (_OUTSIDE,) * 3
    warped = cv2.warpAffine(smaller, back, size, flags=flags, borderValue=grey)
    return np.asarray(warped, np.uint8)


def word_tile(opened: Index, word: int) -> NDArray[np.uint8]:
    """Lay the patches nearest to a word on a square tile, nearest first.

    Returns
    -------
    (3 S, 3 S, 3) uint8 array
        RGB, S the side of a patch; grey where the word has fewer patches. Where the index keeps
        one of each word, as of large vocabularies, it fills the tile.
    """
    patches = opened.patches(word)
    side = patches.shape[1]
    if len(patches) == 1 and opened.patch_keypoints[word, 0] >= 0:
        alone: NDArray[np.uint8] = patches[0].repeat(WORD_TILE, 0).repeat(WORD_TILE, 1)
        return alone
    tile = np.full((WORD_TILE * side, WORD_TILE * side, 3), 128, np.uint8)
    for place in range(min(WORD_TILE**2, len(patches))):
        if opened.patch_keypoints[word, place] >= 0:
            row, column = divmod(place, WORD_TILE)
            top, left = row * side, column * side
            tile[top : top + side, left : left + side] = patches[place]
    return tile


def bars(values: NDArray[np.float32], width: int, height: int) -> NDArray[np.uint8]:
    """Draw numbers as bars from left to right.

    Parameters
    ----------
    values : (K,) float32 array
        Not negative, K at least 1.
    width, height : int
        Size in pixels.

    Returns
    -------
    (height, width, 3) uint8 array
        Blue on light grey; where there are more bars than columns, the largest of a column shows.
    """
    tall = np.zeros(width)
    np.maximum.at(tall, np.arange(len(values)) * width // len(values), values)
    filled = tall / max(float(tall.max()), 1e-12) * (height - 4)
    rows = np.arange(height, 0, -1)[:, None]
    drawn = np.where((rows <= filled)[..., None], (11, 102, 184), (240, 240, 240))
    return drawn.astype(np.uint8)
