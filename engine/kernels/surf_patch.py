"""Loop that cuts out keypoints' windows for showing."""

import math

import numpy as np
from numpy.typing import NDArray

from engine.kernels import inlined, kernel


@inlined
def _mix(
    pixels: NDArray[np.uint8],
    at: np.uint32,
    along: np.uint32,
    down: np.uint32,
    right: int,
    below: int,
) -> np.int64:
    """Weigh the four pixels around a place by its way to the next, in 256ths: times 65536."""
    both = right * below
    return (
        (65536 - (right << 8) - (below << 8) + both) * np.int64(pixels[at])
        + ((right << 8) - both) * np.int64(pixels[at + along])
        + ((below << 8) - both) * np.int64(pixels[at + down])
        + both * np.int64(pixels[at + down + along])
    )


@kernel
def cut_patches(
    pixels: NDArray[np.uint8],
    width: int,
    height: int,
    n_channels: int,
    xy: NDArray[np.float32],
    size: NDArray[np.float32],
    angle: NDArray[np.float32],
    side: int,
    patches: NDArray[np.uint8],
) -> None:
    """Average bilinear samples, about one a pixel, over each pixel of each turned window.

    `pixels`, `xy` and `patches` are flat, of 1 or 3 channels; beyond the border the image's edge
    goes on. Whole numbers throughout, places in 2**-32 of a pixel: a third of the time of
    float64, and never more than one level from it. Indices are unsigned, because a signed one is
    asked at every pixel whether it counts from the end.
    """
    unit = 2.0**32
    right_end = (width - 1) << 32
    bottom_end = (height - 1) << 32
    stride = width * n_channels
    nothing = np.uint32(0)
    green = np.uint32(1)
    blue = np.uint32(2)
    for p in range(size.shape[0]):
        # Far beyond any picture's size, so that no place overflows.
        window = min(np.float64(size[p]), 2.0**20) * (21 * 1.2 / 9)
        middle_x = min(max(np.float64(xy[2 * p]), -(2.0**28)), 2.0**28)
        middle_y = min(max(np.float64(xy[2 * p + 1]), -(2.0**28)), 2.0**28)
        finer = max(1, min(64, int(np.ceil(window / side - 1e-6))))
        theta = np.float64(angle[p]) * (math.pi / 180)
        step = window / (side * finer)
        cosine = int(np.rint(math.cos(theta) * step * unit))
        sine = int(np.rint(math.sin(theta) * step * unit))
        half = (side * finer - 1) / 2
        first_x = int(np.rint(middle_x * unit - half * (cosine - sine)))
        first_y = int(np.rint(middle_y * unit - half * (sine + cosine)))
        whole = (finer * finer) << 16
        for row in range(side):
            for column in range(side):
                total = np.int64(whole >> 1)
                total_green = total
                total_blue = total
                for i in range(row * finer, (row + 1) * finer):
                    for j in range(column * finer, (column + 1) * finer):
                        x = min(max(first_x + j * cosine - i * sine, 0), right_end)
                        y = min(max(first_y + j * sine + i * cosine, 0), bottom_end)
                        right = (x >> 24) & 255
                        below = (y >> 24) & 255
                        at = np.uint32((y >> 32) * stride + (x >> 32) * n_channels)
                        # At the end there is no next pixel, and its weight is 0.
                        along = np.uint32(n_channels) if right > 0 else nothing
                        down = np.uint32(stride) if below > 0 else nothing
                        total += _mix(pixels, at, along, down, right, below)
                        if n_channels == 3:
                            total_green += _mix(pixels, at + green, along, down, right, below)
                            total_blue += _mix(pixels, at + blue, along, down, right, below)
                place = ((p * side + row) * side + column) * n_channels
                patches[place] = np.uint8(total // whole)
                if n_channels == 3:
                    patches[place + 1] = np.uint8(total_green // whole)
                    patches[place + 2] = np.uint8(total_blue // whole)
