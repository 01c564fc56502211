"""A picture to what a model takes, as the model's own framework does it, to the last step.

The order of the steps is that of Keras, torchvision and transformers: Pillow resizes the 8-bit
picture, then come float32, the order of the channels, and the three numbers of each. Turning a
picture upright (EXIF), and laying what is transparent on white, happen before all this and are
ours: see `engine.images`.
"""

import numpy as np
from numpy.typing import NDArray

from engine.images import Image
from engine.models import Model

LONGEST = 20  # times the shorter side: as much of a strip is looked at where its middle is cut out
NARROWEST = 8  # with proportions kept, the shorter side becomes at least this part of the longer


def prepare(image: Image, model: Model) -> NDArray[np.float32]:
    """Return the model's input for one picture.

    Parameters
    ----------
    image : Image
    model : Model

    Returns
    -------
    (3, h, w) or (h, w, 3) float32 array
        By `model.layout`; h and w are the model's but for resize "longest".
    """
    pixels = resize(image.rgb, model, nearest=image.palette)
    return normalise(pixels, model)


def normalise(pixels: NDArray[np.uint8], model: Model) -> NDArray[np.float32]:
    """Turn (h, w, 3) RGB bytes into the numbers that a model takes."""
    ordered = pixels[:, :, ::-1] if model.channels == "bgr" else pixels
    values = ordered.astype(np.float32)
    if model.divisor != 1:
        values /= np.float32(model.divisor)
    values -= np.array(model.mean, np.float32)
    values /= np.array(model.std, np.float32)
    if model.layout == "nchw":
        values = values.transpose(2, 0, 1)
    return np.ascontiguousarray(values)


def resize(rgb: NDArray[np.uint8], model: Model, nearest: bool = False) -> NDArray[np.uint8]:
    """Bring a picture to the model's size.

    Parameters
    ----------
    rgb : (H, W, 3) uint8 array
        Upright.
    model : Model
    nearest : bool
        Whether its file holds a palette or two colours: Pillow resizes these, before they become
        RGB, by the nearest pixel. Only "squash" does it in this order.

    Returns
    -------
    (h, w, 3) uint8 array
    """
    from PIL import Image as Pillow

    way = getattr(Pillow.Resampling, model.resample.upper())
    picture = Pillow.fromarray(rgb)
    if model.resize == "squash":
        way = Pillow.Resampling.NEAREST if nearest else way
        return np.asarray(picture.resize((model.width, model.height), way))
    if model.resize.startswith("crop"):  # a strip would become gigabytes of which little is kept
        rgb = _middle_of(rgb, LONGEST * min(rgb.shape[:2]))
        picture = Pillow.fromarray(rgb)
    width, height = size_of(rgb.shape[1], rgb.shape[0], model)
    if (width, height) != picture.size:
        picture = picture.resize((width, height), way)
    if model.resize == "longest":
        return np.asarray(picture)
    left, top = _middle(width - model.width, model), _middle(height - model.height, model)
    return np.asarray(picture.crop((left, top, left + model.width, top + model.height)))


def _middle_of(rgb: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """Cut off the ends of a picture that is longer than this."""
    top, left = (max(0, side - longest) // 2 for side in rgb.shape[:2])
    return rgb[top : top + longest, left : left + longest]


def _middle(rest: int, model: Model) -> int:
    """Return how much of `rest` is cut off in front: torchvision rounds halves to even."""
    return rest // 2 if model.resize == "crop-floor" else round(rest / 2)


def size_of(width: int, height: int, model: Model) -> tuple[int, int]:
    """Return the width and height to which a picture is resized, before anything is cut off."""
    if model.resize == "squash":
        return model.width, model.height
    if model.resize == "longest":
        longest, to = max(width, height), max(model.width, model.height)
        least = to // NARROWEST  # a network halves maps until nothing is left of a narrow one
        return max(least, round(width * to / longest)), max(least, round(height * to / longest))
    long = int(model.shorter * max(width, height) / min(width, height))
    return (model.shorter, long) if width <= height else (long, model.shorter)
