"""Small pictures of every format that is read, and bombs: few bytes that ask for much."""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL import ImageCms

SIDE = (40, 56)
ORIENTATION = 0x0112


def _rgb(seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    y, x = np.mgrid[: SIDE[0], : SIDE[1]]
    waves = [128 + 90 * np.sin(x / a + seed) * np.cos(y / b) for a, b in ((3, 5), (7, 2), (4, 9))]
    return np.clip(np.stack(waves, -1) + random.normal(0, 6, (*SIDE, 3)), 0, 255).astype(np.uint8)


def _save(image: Pillow.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    if "append_images" in options:
        options["append_images"] = [one.copy() for one in options["append_images"]]
    image.copy().save(buffer, form, **options)  # what saving leaves in an image fails the next one
    return buffer.getvalue()


def _described() -> dict[str, Any]:
    """An orientation, and a colour profile."""
    exif = Pillow.Exif()
    exif[ORIENTATION] = 6
    exif[0x010E] = "a caption"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return {"exif": exif.tobytes(), "icc_profile": profile}


def seeds() -> dict[str, bytes]:
    """Return small whole pictures by name."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    rgb = Pillow.fromarray(_rgb())
    gray = rgb.convert("L")
    deep = Pillow.fromarray(_rgb()[..., 0].astype(np.uint16) * 257)
    real = Pillow.fromarray(_rgb()[..., 0].astype(np.float32) / 255)
    whole = Pillow.fromarray(_rgb()[..., 0].astype(np.int32) * 300)
    clear = rgb.copy()
    clear.putalpha(gray)
    few = rgb.quantize(16)
    more = [Pillow.fromarray(_rgb(seed)) for seed in (1, 2)]
    animated = {"save_all": True, "append_images": more}
    told = _described()
    frames = {"save_all": True, "append_images": [m.quantize(16) for m in more]}
    return {
        "jpeg": _save(rgb, "JPEG"),
        "jpeg-gray": _save(gray, "JPEG"),
        "jpeg-cmyk": _save(rgb.convert("CMYK"), "JPEG"),
        "jpeg-progressive-told": _save(rgb, "JPEG", progressive=True, **told),
        "jpeg-mpo": _save(rgb, "MPO", **animated),
        "png": _save(rgb, "PNG"),
        "png-16": _save(deep, "PNG"),
        "png-palette": _save(few, "PNG", transparency=3),
        "png-clear-told": _save(clear, "PNG", **told),
        "png-1": _save(gray.convert("1"), "PNG"),
        "png-animated": _save(rgb, "PNG", **animated),
        "webp": _save(rgb, "WEBP"),
        "webp-lossless-told": _save(clear, "WEBP", lossless=True, **told),
        "webp-animated": _save(rgb, "WEBP", **animated),
        "tiff": _save(rgb, "TIFF"),
        "tiff-lzw-told": _save(rgb, "TIFF", compression="tiff_lzw", **told),
        "tiff-deflate": _save(clear, "TIFF", compression="tiff_adobe_deflate"),
        "tiff-jpeg": _save(rgb, "TIFF", compression="jpeg"),
        "tiff-fax": _save(gray.convert("1"), "TIFF", compression="group4"),
        "tiff-packbits": _save(few, "TIFF", compression="packbits"),
        "tiff-16": _save(deep, "TIFF"),
        "tiff-32": _save(whole, "TIFF"),
        "tiff-real": _save(real, "TIFF"),
        "tiff-cmyk": _save(rgb.convert("CMYK"), "TIFF"),
        "tiff-lab": _save(rgb.convert("LAB"), "TIFF"),
        "tiff-pages": _save(rgb, "TIFF", **animated),
        "tiff-big": _save(rgb, "TIFF", big_tiff=True),
        "bmp": _save(rgb, "BMP"),
        "bmp-palette": _save(few, "BMP"),
        "bmp-1": _save(gray.convert("1"), "BMP"),
        "bmp-clear": _save(clear, "BMP"),
        "gif": _save(few, "GIF"),
        "gif-animated": _save(few, "GIF", **frames),
        "gif-clear": _save(few, "GIF", transparency=2),
        "heic": _save(rgb, "HEIF"),
        "heic-clear-told": _save(clear, "HEIF", **told),
        "heic-several": _save(rgb, "HEIF", **animated),
    }


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """Return a chunk with a checksum that fits."""
    crc = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def with_right_checksums(data: bytes) -> bytes:
    """Make the checksums of a PNG's chunks right, so that what lies behind them is read."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    made, at = bytearray(data[:8]), 8
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + length > len(data):
            break
        made += png_chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + length])
        at += 12 + length
    return bytes(made) + data[at:]


def _png(width: int, height: int, body: bytes, *chunks: bytes, kind: int = 2) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    parts = (png_chunk(b"IHDR", head), *chunks, png_chunk(b"IDAT", body), png_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _zeros(n: int) -> bytes:
    """Deflate n zeros without holding them."""
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    made = [packer.compress(block) for _ in range(n >> 20)]
    return b"".join((*made, packer.compress(bytes(n & 0xFFFFF)), packer.flush()))


def _tiff(width: int, height: int, tags: dict[int, tuple[int, int, int]], body: bytes) -> bytes:
    """Return a TIFF of one directory; `tags` are type, count and value."""
    entries = {
        256: (4, 1, width),
        257: (4, 1, height),
        258: (3, 1, 8),
        259: (3, 1, 1),
        262: (3, 1, 1),
        273: (4, 1, 8),
        277: (3, 1, 1),
        278: (4, 1, height),
        279: (4, 1, len(body)),
    } | tags
    directory = struct.pack("<H", len(entries))
    for tag, (kind, count, value) in sorted(entries.items()):
        directory += struct.pack("<HHII", tag, kind, count, value)
    return b"II*\0" + struct.pack("<I", 8 + len(body)) + body + directory + bytes(4)


def _scans(width: int, height: int, n: int) -> bytes:
    """A progressive JPEG of n scans that each say nothing, and cost a walk over all pixels."""
    small = _save(Pillow.new("L", (width, height)), "JPEG", progressive=True)
    end = small.rindex(b"\xff\xd9")
    # A refinement scan of the last coefficient: with a table of one code, an end of all blocks.
    again = b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 63, 63, 0x10) + b"\xff" * 0
    return small[:end] + again * n + b"\xff\xd9"


# Headers that lie: they cost nothing where they are refused.
LIGHT = (
    *("png-2-billion", "gif-65535", "bmp-huge", "bmp-below-zero", "tiff-huge", "tiff-many-values"),
    *("tiff-many-samples", "tiff-itself", "jpeg-65535", "webp-16383"),
)


def bombs() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield names of bombs, and what makes each."""
    huge = Pillow.new("1", (1, 1))
    yield "png-2-billion", lambda: _png(2**31 - 1, 2**31 - 1, b"")
    yield "png-100-million", lambda: _png(10_000, 10_000, _zeros(30_001 * 10_000))
    yield "png-99-million-clear", lambda: _png(9_900, 10_000, _zeros(39_601 * 10_000), kind=6)
    yield "png-wide", lambda: _png(99_000_000, 1, _zeros(297_000_001))
    yield "png-tall", lambda: _png(1, 99_000_000, _zeros(4 * 99_000_000))
    for kind, start in ((b"zTXt", b"a\0\0"), (b"iCCP", b"a\0\0"), (b"iTXt", b"a\0\1\0\0\0")):
        yield (
            f"png-{kind.decode()}",
            lambda kind=kind, start=start: _png(
                8, 8, _zeros(25 * 8), *[png_chunk(kind, start + _zeros(1 << 28))] * 20
            ),
        )
    yield "png-more-pixels-than-told", lambda: _png(8, 8, _zeros(1 << 30))
    frames = [Pillow.new("1", (8, 8), i % 2) for i in range(3000)]
    many = {"save_all": True, "append_images": frames}
    for form in ("GIF", "PNG", "TIFF"):
        yield f"{form}-3000-frames", lambda form=form: _save(frames[0], form, **many)
    gif = _save(huge.convert("P"), "GIF")
    yield "gif-65535", lambda: gif[:6] + struct.pack("<HH", 65_535, 65_535) + gif[10:]
    yield "gif-98-million", lambda: gif[:6] + struct.pack("<HH", 65_535, 1_500) + gif[10:]
    bmp = _save(huge.convert("RGB"), "BMP")
    yield "bmp-huge", lambda: bmp[:18] + struct.pack("<ii", 2**31 - 1, 2**31 - 1) + bmp[26:]
    yield "bmp-below-zero", lambda: bmp[:18] + struct.pack("<ii", -5, -(2**31)) + bmp[26:]
    yield "bmp-99-million", lambda: bmp[:18] + struct.pack("<ii", 9_900, 10_000) + bmp[26:]
    yield "tiff-huge", lambda: _tiff(2**32 - 1, 2**32 - 1, {}, b"x")
    yield "tiff-99-million", lambda: _tiff(9_900, 10_000, {}, b"x")
    yield "tiff-many-values", lambda: _tiff(8, 8, {273: (4, 2**30, 8)}, bytes(64))
    yield "tiff-many-samples", lambda: _tiff(8, 8, {277: (3, 1, 65_535)}, bytes(64))
    tags = {259: (3, 1, 8), 278: (4, 1, 2**31)}
    yield "tiff-deflated", lambda: _tiff(8, 8, tags, zlib.compress(bytes(1 << 26), 9))
    yield "tiff-itself", lambda: _tiff(8, 8, {}, bytes(64))[:-4] + struct.pack("<I", 72)
    jpeg = _save(huge.convert("L").resize((8, 8)), "JPEG")
    place = jpeg.index(b"\xff\xc0") + 5
    yield "jpeg-65535", lambda: jpeg[:place] + b"\xff\xff\xff\xff" + jpeg[place + 4 :]
    sides = struct.pack(">HH", 9_900, 10_000)
    yield "jpeg-99-million", lambda: jpeg[:place] + sides + jpeg[place + 4 :]
    yield "jpeg-many-scans", lambda: _scans(9_900, 10_000, 20_000)
    webp = _save(huge.convert("RGB"), "WEBP", lossless=True)
    head = webp.index(b"VP8L") + 9
    yield "webp-16383", lambda: webp[:head] + b"\xff\xff\xff\x0f" + webp[head + 4 :]
