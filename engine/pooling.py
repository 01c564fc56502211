"""What a network gives for one picture, to one vector.

Maps are (N, C, H, W): C of them, over places. Tokens are (N, T, C), the first of which stands for
the whole picture.
"""

import math

import numpy as np
from numpy.typing import NDArray

from engine.language import tr

LEVELS = 3
OVERLAP = 0.4
_TINY = 1e-6


def pool(features: NDArray[np.float32], how: str, power: float = 3.0) -> NDArray[np.float32]:
    """Return one vector a picture, of any length.

    Parameters
    ----------
    features : (N, D), (N, C, H, W) or (N, T, C) float32 array
        The network's output. (N, C, 1, 1) counts as a vector too.
    how : str
        "none" for vectors; "mean", "max", "gem", "rmac" for maps; "cls", "mean" for tokens.
    power : float
        Of "gem".

    Returns
    -------
    (N, D) or (N, C) float32 array

    Raises
    ------
    ValueError
        If features of this shape cannot be pooled so.
    """
    fits = {"none": (2, 4), "mean": (3, 4), "max": (4,), "gem": (4,), "rmac": (4,), "cls": (3,)}
    if how not in fits:
        raise ValueError(f"pooling must be one of {', '.join(fits)}, got {how!r}")
    shape = " x ".join(map(str, features.shape))
    if features.ndim not in fits[how] or 0 in features.shape[1:]:
        raise ValueError(
            tr("an output of shape {shape} cannot be pooled by {how!r}", shape=shape, how=how)
        )
    if how == "none":
        if math.prod(features.shape[2:]) != 1:
            raise ValueError(
                tr("an output of shape {shape} has to be pooled: it holds maps", shape=shape)
            )
        return features.reshape(len(features), -1)
    if how == "cls":
        return np.ascontiguousarray(features[:, 0])
    if how == "rmac":
        return rmac(features)
    flat = features.reshape(*features.shape[:2], -1) if features.ndim == 4 else features
    if how == "gem":
        return gem(flat, power)
    axis = 2 if features.ndim == 4 else 1
    pooled = flat.max(axis=axis) if how == "max" else flat.mean(axis=axis, dtype=np.float32)
    return np.asarray(pooled, np.float32)


def gem(maps: NDArray[np.float32], power: float) -> NDArray[np.float32]:
    """Return the generalised mean of each map: (mean of x^p)^(1 / p), x at least 1e-6.

    Parameters
    ----------
    maps : (N, C, P) float32 array
    power : float
        1 is the mean, infinity the maximum.

    Returns
    -------
    (N, C) float32 array

    References
    ----------
    Radenović, Tolias, Chum, "Fine-tuning CNN image retrieval with no human annotation", PAMI 2019.
    """
    raised = np.maximum(maps, np.float32(_TINY)) ** np.float32(power)
    means: NDArray[np.float32] = raised.mean(axis=2, dtype=np.float32)
    return means ** np.float32(1 / power)


def regions(height: int, width: int, levels: int = LEVELS) -> list[tuple[int, int, int]]:
    """Return the squares of R-MAC: top, left, side.

    At level l they are 2 min(H, W) / (l + 1) wide, l of them along the shorter side, and along the
    longer one so many more that neighbours overlap by 40 % or as near as can be.

    Parameters
    ----------
    height, width : int
        Of the maps.
    levels : int

    Returns
    -------
    list of (int, int, int)
        Without the whole map.
    """
    short, long = min(height, width), max(height, width)
    more = 0
    if long > short:
        apart = [(long - short) / (n - 1) for n in range(2, 8)]
        more = 1 + int(np.argmin([abs((short - b) / short - OVERLAP) for b in apart]))
    found = []
    for level in range(1, levels + 1):
        side = 2 * short // (level + 1)
        if side == 0:
            break
        rows = _starts(height, side, level + more * (height > width))
        columns = _starts(width, side, level + more * (width > height))
        found += [(top, left, side) for top in rows for left in columns]
    return found


def _starts(length: int, side: int, n: int) -> list[int]:
    """Return where `n` pieces begin that are spread over a length."""
    apart = 0.0 if n == 1 else (length - side) / (n - 1)
    return [math.floor(i * apart) for i in range(n)]


def rmac(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the sum over regions of the unit vectors of each map's largest values.

    Parameters
    ----------
    maps : (N, C, H, W) float32 array

    Returns
    -------
    (N, C) float32 array

    References
    ----------
    Tolias, Sicre, Jégou, "Particular object retrieval with integral max-pooling of CNN
    activations", ICLR 2016.
    """
    n, n_maps, height, width = maps.shape
    total = np.zeros((n, n_maps), np.float32)
    for top, left, side in [*regions(height, width), (0, 0, max(height, width))]:
        total += unit(maps[:, :, top : top + side, left : left + side].max(axis=(2, 3)))
    return total


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Bring (N, D) vectors to length 1; zeros stay zeros. Lengths are added up in float64."""
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    lengths[lengths == 0] = 1
    scaled: NDArray[np.float32] = (vectors / lengths[:, None]).astype(np.float32)
    return scaled
