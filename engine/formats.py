"""What a file claims to be, and opening it as that and nothing else.

The first bytes choose one format; Pillow gets that format's name alone, reads the header, and
the size is checked before a single pixel is decoded. File names decide nothing here.
"""

import io
import re
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import ImageError
from engine.language import mark, tr

if TYPE_CHECKING:
    from PIL import Image as PillowImage

FORMATS = ("JPEG", "PNG", "WebP", "TIFF", "BMP", "GIF", "HEIC")
SNIFFED_BYTES = 64
MAX_SIDE = 100_000  # pixels: of longer ones each line, or each column, costs as much as a picture

_OTHERS = (
    mark("{name} is an SVG drawing, which has no pixels. Use a {formats} or {last} file."),
    mark("{name} holds a web page, not a picture. Use a {formats} or {last} file."),
    mark("{name} is a PDF document, not a picture. Use a {formats} or {last} file."),
    mark("{name} is an AVIF file, which this app does not read. Use a {formats} or {last} file."),
    mark("{name} holds text, not a picture. Use a {formats} or {last} file."),
    mark(
        "{name} is not a picture of a format that this app knows. Use a {formats} or {last} file."
    ),
)
_HEIF_BRANDS = frozenset(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
)
_BMP_HEADER_SIZES = frozenset((12, 40, 52, 56, 64, 108, 124))
_ORIENTATION_TAG = 0x0112
# Every scan of a JPEG is a walk over all its pixels, in a few bytes. Programs write a dozen.
_USUAL_SCANS = 20
_SCANNED_PIXELS = 2_000_000_000
_JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # but for those that stand within a scan
_STRIP_PIXELS = 1 << 22
_QUIET = ("ignore", None, Warning, re.compile(r"(PIL|pillow_heif)\."), 0)


def shown_name(name: str) -> str:
    """Return a file's name for people: no path, no control characters, not endless."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2] or name or tr("(no name)")
    escaped = _escape(last)
    return escaped if len(escaped) <= 120 else f"{escaped[:80]}…{escaped[-30:]}"


def _escape(text: str) -> str:
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def sniff(data: bytes) -> str | None:
    """Return the format that a file's first bytes announce, one of `FORMATS`, or None."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return "TIFF"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return "HEIC"
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADER_SIZES:
        return "BMP"
    return None


def require_format(data: bytes, shown: str) -> str:
    """Return the format of a picture, or say what the file holds instead."""
    found = sniff(data)
    if found is not None:
        return found
    if not data:
        raise ImageError(
            tr("{name} is empty (0 bytes). Copy or upload the picture again.", name=shown)
        )
    svg, page, pdf, avif, prose, unknown = _OTHERS
    start = data[:SNIFFED_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<svg") or (start.startswith(b"<?xml") and b"svg" in data[:1024].lower()):
        told = svg
    elif start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")):
        told = page
    elif start.startswith(b"%pdf"):
        told = pdf
    elif data[4:12] in (b"ftypavif", b"ftypavis"):
        told = avif
    elif b"\x00" not in data[:SNIFFED_BYTES] and _is_text(data[:SNIFFED_BYTES]):
        told = prose
    else:
        told = unknown
    *formats, last = FORMATS
    raise ImageError(tr(told, name=shown, formats=tr(", ").join(formats), last=last))


def _is_text(data: bytes) -> bool:
    # A multi-byte letter may be cut at the end of the sample.
    return all(c.isprintable() or c in "\t\r\n" for c in data.decode("utf-8", "replace")[:-1])


def damaged(shown: str, found: str, error: BaseException) -> ImageError:
    """Return the error for a file that starts as format `found` and then fails."""
    if isinstance(error, MemoryError):
        return ImageError(
            tr("{name} needs more memory than there is. Save a smaller copy.", name=shown)
        )
    why = _escape(" ".join(str(error).split()) or type(error).__name__)[:200]
    return ImageError(
        tr(
            "{name} is a {format} file that is damaged or incomplete ({why}). Copy it again from "
            "its source, or open it in a picture program and save it anew.",
            name=shown,
            format=found,
            why=why,
        )
    )


def too_large(shown: str, size: tuple[int, int] | None, limit: int) -> ImageError:
    """Return the error for a picture of more than `limit` pixels."""
    millions = limit / 1e6
    if size is None:
        told = tr(
            "{name} has too many pixels; at most {millions:g} million are read. Save a smaller "
            "copy and use that.",
            name=shown,
            millions=millions,
        )
    else:
        told = tr(
            "{name} has {width} x {height} pixels; at most {millions:g} million are read. Save a "
            "smaller copy and use that.",
            name=shown,
            width=size[0],
            height=size[1],
            millions=millions,
        )
    return ImageError(told)


def open_picture(data: bytes, shown: str, max_pixels: int) -> "PillowImage.Image":
    """Read the header with the one plugin that the first bytes call for, and check the size."""
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    if max_pixels < 1:
        raise ValueError(f"max_pixels must be at least 1, got {max_pixels}")
    found = require_format(data, shown)
    _quieten_pillow()
    plugin = "HEIF" if found == "HEIC" else found.upper()
    if plugin == "HEIF":
        _register_heif(shown)
    try:
        picture = Pillow.open(io.BytesIO(data), formats=(plugin,))
    except Pillow.DecompressionBombError as error:
        raise too_large(shown, None, max_pixels) from error
    except UnidentifiedImageError as error:
        raise damaged(shown, found, SyntaxError(tr("its header cannot be read"))) from error
    except Exception as error:  # plugins raise whatever a hostile header brings them to
        raise damaged(shown, found, error) from error
    if min(picture.size) < 1:
        raise damaged(shown, found, ValueError(tr("it has no pixels")))
    if picture.width * picture.height > max_pixels:
        raise too_large(shown, picture.size, max_pixels)
    if max(picture.size) > MAX_SIDE:
        raise ImageError(
            tr(
                "{name} has {width} x {height} pixels; at most {most:,} are read along a side. "
                "Save a part of it and use that.",
                name=shown,
                width=picture.width,
                height=picture.height,
                most=MAX_SIDE,
            )
        )
    if found == "JPEG":
        _check_scans(data, shown, picture.width * picture.height)
    return picture


def _check_scans(data: bytes, shown: str, n_pixels: int) -> None:
    """Raise an ImageError if a JPEG would be walked over too often."""
    most = max(_USUAL_SCANS, _SCANNED_PIXELS // n_pixels)
    n_scans, place = 0, 2
    while n_scans <= most and (marker := _JPEG_MARKER.search(data, place)) is not None:
        kind = data[marker.start() + 1]
        if kind == 0xD9:  # the end: what follows is another picture
            return
        n_scans += kind == 0xDA
        place = marker.end()
        if kind not in (0x01, 0xD8):
            place += max(2, int.from_bytes(data[place : place + 2], "big"))
    if n_scans > most:
        told = tr(
            "{name} has more than {most:,} scans, which no camera or program writes. Open it in a "
            "picture program and save it anew.",
            name=shown,
            most=most,
        )
        raise ImageError(told)


def _quieten_pillow() -> None:
    """Ignore Pillow's warnings: what matters of them is checked here, the rest does no harm.

    `warnings.catch_warnings` would switch filters under other threads' feet, so this one is set
    for good, in front, and only for what Pillow's own modules say.
    """
    if list(warnings.filters[:1]) != [_QUIET]:
        warnings.filterwarnings("ignore", module=_QUIET[3].pattern)


@cache
def _register_heif_once() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()


def _register_heif(shown: str) -> None:
    try:
        _register_heif_once()
    except ImportError as error:
        raise ImageError(
            tr(
                "{name} is a HEIC file, and reading those needs one more package: run {command!r}, "
                "or save the picture as JPEG.",
                name=shown,
                command="pip install pillow-heif",
            )
        ) from error


def exif_orientation(picture: "PillowImage.Image") -> int:
    """Return the EXIF orientation, 1 to 8; 1 where there is none or it makes no sense."""
    from PIL import Image as Pillow

    try:
        # PngImageFile's own getexif would decode the whole picture in search of a late chunk.
        value = Pillow.Image.getexif(picture).get(_ORIENTATION_TAG, 1)
    except Exception:  # corrupt EXIF fails in many ways, and none should cost the picture
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright_rgb(picture: "PillowImage.Image", shown: str) -> NDArray[np.uint8]:
    """Decode, turn upright and bring to RGB."""
    from PIL import Image as Pillow

    turns = {
        2: Pillow.Transpose.FLIP_LEFT_RIGHT,
        3: Pillow.Transpose.ROTATE_180,
        4: Pillow.Transpose.FLIP_TOP_BOTTOM,
        5: Pillow.Transpose.TRANSPOSE,
        6: Pillow.Transpose.ROTATE_270,
        7: Pillow.Transpose.TRANSVERSE,
        8: Pillow.Transpose.ROTATE_90,
    }
    found = {"HEIF": "HEIC", "MPO": "JPEG", "WEBP": "WebP"}.get(
        picture.format or "", picture.format or "picture"
    )
    try:
        picture.load()
        rgb = _flatten(picture)
        # Asked after loading: Pillow turns a TIFF, and libheif a HEIC file, by itself.
        turn = turns.get(exif_orientation(picture))
        return _pixels(rgb if turn is None else rgb.transpose(turn))
    except Exception as error:  # decoders raise whatever a hostile file brings them to
        raise damaged(shown, found, error) from error


def _flatten(picture: "PillowImage.Image") -> "PillowImage.Image":
    """Bring any mode to RGB.

    Transparent pixels are laid on white: most cut-out pictures are drawn for a white page, and
    colours that nobody can see must not give keypoints.
    """
    from PIL import Image as Pillow

    if picture.mode in ("I", "F") or picture.mode.startswith("I;"):
        return Pillow.fromarray(_scale_to_8_bits(np.asarray(picture))).convert("RGB")
    if picture.has_transparency_data or picture.mode in ("La", "RGBa", "PA"):
        layer = picture.convert("RGBA")
        page = Pillow.new("RGBA", layer.size, (255, 255, 255, 255))
        return Pillow.alpha_composite(page, layer).convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _scale_to_8_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Bring the values of a deep gray picture to 0..255.

    16-bit values keep their high byte, as Pillow does with 16-bit colour, so that one picture
    stored both ways is one picture (and 8-bit values widened by 257 come back). Other depths do
    not say their range: real values within 0..1 are times 255, any within 0..255 stay, integers
    within 0..65535 count as 16-bit, and all else is stretched from its least to its greatest.
    """
    if values.dtype == np.uint16:
        return np.asarray(values >> 8, np.uint8)
    real = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(real.min()), float(real.max())
    integers = bool(np.issubdtype(values.dtype, np.integer))
    if low >= 0 and high <= 1 and not integers:
        real *= 255
    elif low >= 0 and high <= 65535 and high > 255 and integers:
        real = np.floor(real / 256)
    elif low < 0 or high > 255:
        real = (real - low) * (255 / (high - low or 1.0))
    return np.rint(real).astype(np.uint8)


def _pixels(picture: "PillowImage.Image") -> NDArray[np.uint8]:
    """Copy Pillow's pixels strip by strip: in one piece it would hold them three times."""
    width, height = picture.size
    rows = max(1, _STRIP_PIXELS // width)
    if rows >= height:
        return np.array(picture)
    rgb = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        rgb[top:bottom] = np.asarray(picture.crop((0, top, width, bottom)))
    return rgb
