"""Records to RGB arrays: keypoints on a picture, the patches of a word on a tile."""

import numpy as np
from numpy.typing import NDArray

from engine import opencv
from engine.index import Index

WORD_TILE = 3  # patches along a side
_RIM = (20, 20, 20)
_LINE = (255, 210, 60)
_FRACTION_BITS = 4


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


def word_tile(opened: Index, word: int) -> NDArray[np.uint8]:
    """Lay the patches nearest to a word on a square tile, nearest first.

    Returns
    -------
    (3 S, 3 S, 3) uint8 array
        RGB, S the side of a patch; grey where the word has fewer patches.
    """
    patches = opened.patches(word)
    side = patches.shape[1]
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
