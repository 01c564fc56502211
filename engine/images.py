"""Bytes to pixels: any picture that people have, upright, as RGB and as the one gray.

Decoded by Pillow alone, in named formats alone, and only after the size in the header was
checked: a picture is input from anyone. Colour profiles are left aside, as OpenCV leaves them,
so that a gray file's own values are its gray.
"""

import hashlib
import io
import os
import stat
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine import opencv
from engine.errors import ImageError, reason
from engine.formats import (
    SNIFFED_BYTES,
    exif_orientation,
    open_picture,
    require_format,
    shown_name,
    sniff,
    upright_rgb,
)
from engine.language import mark, tr

MAX_PIXELS = 100_000_000
PICTURE_SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *("jpg", "jpeg", "jpe", "jfif", "png", "webp", "tif", "tiff"),
        *("bmp", "dib", "gif", "heic", "heif", "hif"),
    )
)
_STRIP_PIXELS = 1 << 22
_JPEG_MAX_SIDE = 65_500


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A decoded picture.

    Attributes
    ----------
    rgb : (H, W, 3) uint8 array
        Upright, on white where the file is transparent.
    gray : (H, W) uint8 array
        The gray of `to_gray`.
    sha256 : str
        Digest of the file's bytes, in hexadecimal.
    name : str
        The file's name as shown to people, control characters escaped.
    palette : bool
        Whether the file holds a palette or two colours, and nothing transparent.
    """

    rgb: NDArray[np.uint8]
    gray: NDArray[np.uint8]
    sha256: str
    name: str
    palette: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """What a picture's header says.

    Attributes
    ----------
    format : str
        One of `engine.formats.FORMATS`.
    width, height : int
        Size in pixels, of the upright picture.
    """

    format: str
    width: int
    height: int


def decode(data: bytes, name: str, max_pixels: int = MAX_PIXELS) -> Image:
    """Decode a picture.

    Parameters
    ----------
    data : bytes
        The whole file. Its content alone tells the format, never its name. Of several frames or
        pages the first one is taken.
    name : str
        What messages call it.
    max_pixels : int
        The largest width x height that is decoded, at least 1; checked in the header. Pillow's
        own limit of 178 million pixels holds as well.

    Returns
    -------
    Image

    Raises
    ------
    ImageError
        If it is no picture of a known format, is too large or damaged.
    ValueError
        If max_pixels is below 1.
    """
    shown = shown_name(name)
    with open_picture(data, shown, max_pixels) as picture:
        palette = picture.mode in ("1", "P") and not picture.has_transparency_data
        rgb = upright_rgb(picture, shown)
    digest = hashlib.sha256(data).hexdigest()
    return Image(rgb=rgb, gray=to_gray(rgb), sha256=digest, name=shown, palette=palette)


def read(path: Path, max_pixels: int = MAX_PIXELS) -> Image:
    """Read a picture from a file.

    Parameters
    ----------
    path : Path
        A regular file or a link to one.
    max_pixels : int
        As in `decode`.

    Returns
    -------
    Image

    Raises
    ------
    ImageError
        If the file cannot be read, or as in `decode`.
    """
    return decode(_read(path, max_pixels), path.name, max_pixels)


def probe(data: bytes, name: str) -> Probe:
    """Read a picture's format and upright size from its header, without decoding it.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        What messages call it.

    Returns
    -------
    Probe

    Raises
    ------
    ImageError
        If it is no picture of a known format, its header is damaged, or it has more pixels than
        `MAX_PIXELS`.
    """
    shown = shown_name(name)
    with open_picture(data, shown, MAX_PIXELS) as picture:
        width, height = picture.size
        # Pillow and libheif give the size of a TIFF and a HEIC file upright already.
        if picture.format not in ("TIFF", "HEIF") and exif_orientation(picture) >= 5:
            width, height = height, width
    return Probe(format=sniff(data) or "", width=width, height=height)


def is_picture(path: Path) -> bool:
    """Tell by its first bytes whether a file claims to be a picture of a known format.

    Parameters
    ----------
    path : Path
        A file. One that is missing, unreadable or not a regular file is no picture.

    Returns
    -------
    bool
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return False
            return sniff(file.read(SNIFFED_BYTES)) is not None
    except (OSError, ValueError):
        return False


def has_picture_name(path: Path) -> bool:
    """Tell whether a file's name ends like that of a picture, whatever it holds."""
    return path.suffix.lower() in PICTURE_SUFFIXES


def to_gray(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn RGB into the one gray: (3735 B + 19235 G + 9798 R + 16384) >> 15.

    The coefficients sum to 32768, so a gray colour keeps its value.

    Parameters
    ----------
    rgb : (H, W, 3) uint8 array

    Returns
    -------
    (H, W) uint8 array

    Raises
    ------
    ValueError
        If the shape or type differs.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ValueError(f"rgb must be uint8 (H, W, 3), got {rgb.dtype} {rgb.shape}")
    if rgb.size == 0:
        return np.zeros(rgb.shape[:2], np.uint8)
    if _opencv_gray_is_exact():
        cv2 = opencv.load()
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), np.uint8)
    return _gray_by_formula(rgb)


def shrink(gray: NDArray[np.uint8], max_side: int) -> NDArray[np.uint8]:
    """Make a picture smaller by averaging areas.

    Parameters
    ----------
    gray : (H, W) or (H, W, 3) uint8 array
    max_side : int
        The longest side afterwards, in pixels, at least 1.

    Returns
    -------
    (h, w) or (h, w, 3) uint8 array
        The same array where it is small enough already.

    Raises
    ------
    ValueError
        If max_side is below 1.
    """
    if max_side < 1:
        raise ValueError(f"max_side must be at least 1, got {max_side}")
    height, width = gray.shape[:2]
    longest = max(height, width)
    if longest <= max_side:
        return gray
    size = (max(1, round(width * max_side / longest)), max(1, round(height * max_side / longest)))
    cv2 = opencv.load()
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)


def encode_jpeg(rgb: NDArray[np.uint8], quality: int = 85) -> bytes:
    """Encode pixels as JPEG.

    Parameters
    ----------
    rgb : (H, W, 3) or (H, W) uint8 array
        No side may be 0 or longer than 65500 pixels.
    quality : int
        From 1 to 95.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        If shape, type, size or quality is out of range.
    """
    from PIL import Image as Pillow

    if rgb.dtype != np.uint8 or rgb.ndim not in (2, 3) or (rgb.ndim == 3 and rgb.shape[2] != 3):
        raise ValueError(f"rgb must be uint8 (H, W, 3) or (H, W), got {rgb.dtype} {rgb.shape}")
    if not 1 <= min(rgb.shape[:2]) <= max(rgb.shape[:2]) <= _JPEG_MAX_SIDE:
        raise ValueError(f"a JPEG's sides are 1 to {_JPEG_MAX_SIDE} pixels, got {rgb.shape[:2]}")
    if not 1 <= quality <= 95:
        raise ValueError(f"quality must be from 1 to 95, got {quality}")
    buffer = io.BytesIO()
    Pillow.fromarray(np.ascontiguousarray(rgb)).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def encode_png(pixels: NDArray[np.uint8], palette: NDArray[np.uint8] | None = None) -> bytes:
    """Encode pixels as PNG, without loss.

    Parameters
    ----------
    pixels : (H, W, 3) or (H, W) uint8 array
        RGB or gray, at least one pixel; with a palette (H, W), rows of it.
    palette : (P, 3) uint8 array or None
        RGB colours, at most 256.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        If shape or type differs.
    """
    from PIL import Image as Pillow

    dimensions = (2, 3) if palette is None else (2,)
    if pixels.dtype != np.uint8 or pixels.ndim not in dimensions or not pixels.size:
        raise ValueError(f"a PNG is made of uint8 pixels, got {pixels.dtype} {pixels.shape}")
    picture = Pillow.fromarray(np.ascontiguousarray(pixels))
    if palette is not None:
        picture.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def thumbnail(data: bytes, name: str, side: int) -> bytes:
    """Make a small upright JPEG of a picture; a large JPEG is never decoded at full size.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        What messages call it.
    side : int
        The longest side of the result in pixels, at least 1. Small pictures are not enlarged.

    Returns
    -------
    bytes
        A JPEG file.

    Raises
    ------
    ImageError
        As in `decode`.
    ValueError
        If side is below 1.
    """
    return encode_jpeg(shrink(draft(data, name, side), side))


def draft(data: bytes, name: str, side: int) -> NDArray[np.uint8]:
    """Decode a picture no larger than a small copy needs; a large JPEG never at full size.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        What messages call it.
    side : int
        The longest side that will be needed in pixels, at least 1.

    Returns
    -------
    (H, W, 3) uint8 array
        RGB, upright; its longest side is at least `side`, unless the picture is smaller.

    Raises
    ------
    ImageError
        As in `decode`.
    ValueError
        If side is below 1.
    """
    if side < 1:
        raise ValueError(f"side must be at least 1, got {side}")
    shown = shown_name(name)
    with open_picture(data, shown, MAX_PIXELS) as picture:
        picture.draft("RGB", (side, side))
        return upright_rgb(picture, shown)


def read_draft(path: Path, side: int) -> tuple[NDArray[np.uint8], str]:
    """Read a picture from a file as `draft` does; return its pixels, and its sha256.

    Raises
    ------
    ImageError
        As in `read`.
    """
    data = _read(path, MAX_PIXELS)
    return draft(data, path.name, side), hashlib.sha256(data).hexdigest()


def _read(path: Path, max_pixels: int) -> bytes:
    """Return the bytes of a picture's file; an ImageError if it cannot be read."""
    shown = shown_name(path.name)
    try:
        return _read_bytes(path, shown, max_pixels)
    except (OSError, ValueError) as error:
        raise ImageError(
            tr(
                "{name} cannot be read: {why}. Check that the file is there and that you may read "
                "it.",
                name=shown,
                why=reason(error),
            )
        ) from error


def _read_bytes(path: Path, shown: str, max_pixels: int) -> bytes:
    """Read a regular file, having looked at its kind, first bytes and size."""
    # Without O_NONBLOCK, opening a pipe would wait for someone to write into it.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            told = mark("{name} is not a regular file. Give a picture file.")
            if stat.S_ISDIR(status.st_mode):
                told = mark("{name} is a folder. Give a picture file.")
            raise ImageError(tr(told, name=shown))
        first = file.read(SNIFFED_BYTES)
        require_format(first, shown)
        # 16-bit RGBA, uncompressed, is 8 bytes a pixel: what is larger holds something else.
        if status.st_size > 8 * max_pixels + (1 << 26):
            raise ImageError(
                tr(
                    "{name} is {size:.1f} GB, more than a picture needs. Save a smaller copy and "
                    "use that.",
                    name=shown,
                    size=status.st_size / 1e9,
                )
            )
        return first + file.read()


@cache
def _opencv_gray_is_exact() -> bool:
    """Try whether this OpenCV's RGB2GRAY is the formula; builds with other kernels may round.

    4.10 and 5.0 on x86 agree on all 16.7 million colours.
    """
    cv2 = opencv.load()
    colours = np.random.default_rng(0).integers(0, 256, (67, 1021, 3), np.uint8)
    gray = cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)
    return bool(np.array_equal(gray, _gray_by_formula(colours)))


def _gray_by_formula(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    gray = np.empty((height, width), np.uint8)
    rows = max(1, _STRIP_PIXELS // max(1, width))
    for top in range(0, height, rows):
        strip = rgb[top : top + rows].astype(np.int32)
        total = 9798 * strip[:, :, 0] + 19235 * strip[:, :, 1] + 3735 * strip[:, :, 2]
        gray[top : top + rows] = (total + 16384) >> 15
    return gray
