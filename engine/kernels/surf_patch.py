"""Loop that cuts out keypoints' windows for showing."""

import math

import numpy as np
from numpy.typing import NDArray

from engine.kernels import kernel


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

    `pixels`, `xy` and `patches` are flat; beyond the border the image's edge goes on.
    """
    right = np.float64(width - 1)
    bottom = np.float64(height - 1)
    for p in range(size.shape[0]):
        window = np.float64(size[p]) * (21 * 1.2 / 9)
        finer = max(1, min(64, int(np.ceil(window / side - 1e-6))))
        theta = np.float64(angle[p]) * (math.pi / 180)
        step = window / (side * finer)
        cosine = math.cos(theta) * step
        sine = math.sin(theta) * step
        middle = (side * finer - 1) / 2
        for row in range(side):
            for column in range(side):
                for channel in range(n_channels):
                    total = 0.0
                    for i in range(row * finer, (row + 1) * finer):
                        for j in range(column * finer, (column + 1) * finer):
                            along = j - middle
                            down = i - middle
                            x = xy[2 * p] + along * cosine - down * sine
                            y = xy[2 * p + 1] + along * sine + down * cosine
                            x = min(max(x, 0.0), right)
                            y = min(max(y, 0.0), bottom)
                            x0 = int(x)
                            y0 = int(y)
                            x1 = min(x0 + 1, width - 1)
                            y1 = min(y0 + 1, height - 1)
                            a = x - x0
                            b = y - y0
                            upper = (
                                pixels[(y0 * width + x0) * n_channels + channel] * (1 - a)
                                + pixels[(y0 * width + x1) * n_channels + channel] * a
                            )
                            lower = (
                                pixels[(y1 * width + x0) * n_channels + channel] * (1 - a)
                                + pixels[(y1 * width + x1) * n_channels + channel] * a
                            )
                            total += upper * (1 - b) + lower * b
                    at = ((p * side + row) * side + column) * n_channels + channel
                    patches[at] = np.uint8(int(np.rint(total / (finer * finer))))
