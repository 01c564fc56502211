"""The piece of a picture that a keypoint describes, cut out upright, for people to look at."""

import numpy as np
from numpy.typing import NDArray

from engine.kernels import surf_patch


def cut(
    image: NDArray[np.uint8],
    xy: NDArray[np.float32],
    size: NDArray[np.float32],
    angle: NDArray[np.float32],
    side: int = 32,
) -> NDArray[np.uint8]:
    """Cut out keypoints' descriptor windows, for showing.

    A window is 21 scales wide (2.8 times the keypoint's size) and turned so that the keypoint's
    direction points right; beyond the border the image's edge goes on.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8 array
        Gray or colour.
    xy : (N, 2) array
        Positions in pixels.
    size, angle : (N,) arrays
        Pixels and degrees, as in Features.
    side : int
        Side of the patches in pixels, 1 to 1024.

    Returns
    -------
    (N, side, side) or (N, side, side, 3) uint8 array
        Mean over the area of each patch pixel.

    Raises
    ------
    ValueError
        If an argument has the wrong type, shape or range.
    """
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.size == 0:
        raise ValueError("image must be a uint8 array with at least one pixel")
    if image.ndim != 2 and not (image.ndim == 3 and image.shape[2] == 3):
        raise ValueError(f"image must have the shape (H, W) or (H, W, 3), got {image.shape}")
    if not 1 <= side <= 1024:
        raise ValueError(f"side must be from 1 to 1024, got {side}")
    n = len(size)
    places = np.array(xy, np.float32, order="C")
    sizes = np.array(size, np.float32)
    angles = np.array(angle, np.float32)
    if places.shape != (n, 2) or sizes.shape != (n,) or angles.shape != (n,):
        raise ValueError(
            f"xy, size and angle must have the shapes (N, 2), (N,) and (N,), "
            f"got {places.shape}, {sizes.shape} and {angles.shape}"
        )
    if not all(np.isfinite(array).all() for array in (places, sizes, angles)):
        raise ValueError("xy, size and angle must be finite")
    if n and sizes.min() <= 0:
        raise ValueError(f"size must be above 0, got {sizes.min()}")
    height, width = image.shape[:2]
    result = np.empty((n, side, side, *image.shape[2:]), np.uint8)
    surf_patch.cut_patches(
        np.require(image, requirements=("C", "A", "W")).reshape(-1),
        width,
        height,
        3 if image.ndim == 3 else 1,
        places.reshape(-1),
        sizes,
        angles,
        side,
        result.reshape(-1),
    )
    return result
