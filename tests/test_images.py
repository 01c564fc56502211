import io
import os
import socket
import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from engine import formats, images
from engine.errors import ImageError
from engine.formats import FORMATS, upright_rgb

ORIENTATION = 0x0112


def formula(rgb):
    r, g, b = (rgb[..., i].astype(np.int64) for i in range(3))
    return ((3735 * b + 19235 * g + 9798 * r + 16384) >> 15).astype(np.uint8)


def picture(height=48, width=64, seed=0):
    """A picture that survives lossy formats: four quadrants of their own colours."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[: height // 2, : width // 2] = (220, 30, 30)
    rgb[: height // 2, width // 2 :] = (30, 200, 40)
    rgb[height // 2 :, : width // 2] = (40, 50, 210)
    rgb[height // 2 :, width // 2 :] = (230, 220, 60)
    noise = np.random.default_rng(seed).integers(0, 8, rgb.shape)
    return (rgb + noise).astype(np.uint8)


def save(image, form, **options):
    if isinstance(image, np.ndarray):
        image = Pillow.fromarray(image)
    if form == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def png_chunk(kind, body):
    crc = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def png_header(width, height):
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head)


EVERY_FORMAT = {
    "JPEG": ("JPEG", {"quality": 95}),
    "PNG": ("PNG", {}),
    "WebP": ("WEBP", {"quality": 95}),
    "TIFF": ("TIFF", {"compression": "tiff_lzw"}),
    "BMP": ("BMP", {}),
    "GIF": ("GIF", {}),
    "HEIC": ("HEIF", {"quality": 95}),
}


def file_of(form):
    pillow_form, options = EVERY_FORMAT[form]
    return save(picture(), pillow_form, **options)


# --- gray


def test_gray_is_the_formula_on_many_colours():
    rng = np.random.default_rng(1)
    for shape in [(1, 1), (1, 7), (3, 33), (257, 1001)]:
        rgb = rng.integers(0, 256, (*shape, 3), np.uint8)
        assert np.array_equal(images.to_gray(rgb), formula(rgb))
    corners = np.array(np.meshgrid(*[[0, 1, 127, 128, 254, 255]] * 3), np.uint8).reshape(3, -1)
    rgb = np.ascontiguousarray(corners.T[None])
    assert np.array_equal(images.to_gray(rgb), formula(rgb))


def test_gray_falls_back_to_the_formula_where_opencv_rounds_otherwise(monkeypatch):
    monkeypatch.setattr(images, "_opencv_gray_is_exact", lambda: False)
    rgb = np.random.default_rng(2).integers(0, 256, (301, 99, 3), np.uint8)
    monkeypatch.setattr(images, "_STRIP_PIXELS", 500)
    assert np.array_equal(images.to_gray(rgb), formula(rgb))


def test_gray_of_a_gray_colour_is_its_value():
    ramp = np.arange(256, dtype=np.uint8)
    assert np.array_equal(images.to_gray(np.stack([ramp] * 3, -1)[None])[0], ramp)


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_gray_file_keeps_its_own_values(form):
    values = np.random.default_rng(3).integers(0, 256, (40, 56), np.uint8)
    data = save(values, form)
    own = np.asarray(Pillow.open(io.BytesIO(data)))
    image = images.decode(data, "x")
    assert np.array_equal(image.gray, own)
    assert np.array_equal(image.rgb, np.stack([own] * 3, -1))


@pytest.mark.parametrize("bad", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.int32)])
def test_gray_refuses_other_shapes(bad):
    with pytest.raises(ValueError, match="rgb must be uint8"):
        images.to_gray(bad)


def test_gray_of_no_pixels():
    assert images.to_gray(np.zeros((0, 5, 3), np.uint8)).shape == (0, 5)


# --- formats


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_read_and_probed(form, tmp_path):
    data = file_of(form)
    image = images.decode(data, "a b.dat")
    assert image.rgb.shape == (48, 64, 3)
    assert image.rgb.dtype == image.gray.dtype == np.uint8
    assert image.rgb.flags.c_contiguous and image.gray.flags.c_contiguous
    assert image.rgb.flags.writeable and image.gray.flags.writeable
    assert np.abs(image.rgb.astype(int) - picture()).mean() < 12
    assert np.array_equal(image.gray, formula(image.rgb))
    assert image.name == "a b.dat"
    assert len(image.sha256) == 64
    header = images.probe(data, "x")
    assert (header.format, header.width, header.height) == (form, 64, 48)
    path = tmp_path / "no-extension"
    path.write_bytes(data)
    assert images.is_picture(path)
    again = images.read(path)
    assert np.array_equal(again.rgb, image.rgb)
    assert again.sha256 == image.sha256


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_a_png_of_random_pixels_comes_back(data):
    height, width = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 20))
    seed = data.draw(st.integers(0, 2**32 - 1))
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    image = images.decode(save(rgb, "PNG"), "x.png")
    assert np.array_equal(image.rgb, rgb)
    assert np.array_equal(image.gray, formula(rgb))


def test_pixels_survive_being_copied_in_strips(monkeypatch):
    monkeypatch.setattr("engine.formats._STRIP_PIXELS", 100)
    rgb = picture()
    assert np.array_equal(images.decode(save(rgb, "PNG"), "x").rgb, rgb)


def test_the_content_decides_not_the_name(tmp_path):
    path = tmp_path / "really-a-png.jpg"
    path.write_bytes(file_of("PNG"))
    assert np.array_equal(images.read(path).rgb, picture())


def test_the_first_frame_and_the_first_page_are_taken():
    first, second = Pillow.fromarray(picture()), Pillow.new("RGB", (64, 48), "black")
    for form, options in [("GIF", {}), ("TIFF", {}), ("PNG", {}), ("WEBP", {"lossless": True})]:
        data = save(first, form, save_all=True, append_images=[second], **options)
        assert np.abs(images.decode(data, "x").rgb.astype(int) - picture()).mean() < 12


def test_a_phone_jpeg_with_a_second_picture_in_it_is_a_jpeg():
    pages = [Pillow.fromarray(picture()), Pillow.new("RGB", (64, 48), "black")]
    data = save(pages[0], "MPO", save_all=True, append_images=pages[1:], quality=95)
    assert images.probe(data, "x").format == "JPEG"
    assert np.abs(images.decode(data, "x").rgb.astype(int) - picture()).mean() < 12


# --- orientation


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_all_orientations_come_out_upright(form, orientation):
    upright = picture(48, 64)
    # What a camera stores, so that turning it as the tag says gives the upright picture.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Pillow.Exif()
    exif[ORIENTATION] = orientation
    lossless = {"WEBP": {"lossless": True, "exact": True}, "JPEG": {"quality": 100}}.get(form, {})
    data = save(np.ascontiguousarray(stored), form, exif=exif, **lossless)
    image = images.decode(data, "x")
    assert image.rgb.shape == upright.shape
    assert np.abs(image.rgb.astype(int) - upright).mean() < (5 if form == "JPEG" else 1e-9)
    assert image.rgb.flags.c_contiguous
    header = images.probe(data, "x")
    assert (header.width, header.height) == (64, 48)
    small = np.asarray(Pillow.open(io.BytesIO(images.thumbnail(data, "x", 32))))
    assert small.shape == (24, 32, 3)
    assert np.abs(small[4, 4].astype(int) - upright[4, 4]).max() < 40


def test_heic_comes_out_upright():
    exif = Pillow.Exif()
    exif[ORIENTATION] = 6
    stored = np.ascontiguousarray(np.rot90(picture()))
    data = save(stored, "HEIF", exif=exif.tobytes(), quality=95)
    assert np.abs(images.decode(data, "x").rgb.astype(int) - picture()).mean() < 12
    header = images.probe(data, "x")
    assert (header.width, header.height) == (64, 48)


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\x00\x00garbage that is no TIFF",
        b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x05\x01\x12\x00\x03\xff\xff",
        b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff" + b"\xff" * 40,
        b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x02\x00\x04\x00\x00\x00abc\x00",
        b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x63\x00\x00\x00",
        b"Exif\x00\x00",
    ],
)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_corrupt_exif_does_not_cost_the_picture(form, exif):
    data = save(picture(), form, exif=exif)
    assert images.decode(data, "x").rgb.shape == (48, 64, 3)
    assert images.probe(data, "x").width == 64
    images.thumbnail(data, "x", 20)


# --- modes


def test_transparent_pixels_lie_on_white():
    rgba = np.zeros((2, 3, 4), np.uint8)
    rgba[0, 0] = (10, 20, 30, 255)
    rgba[0, 1] = (10, 20, 30, 0)
    rgba[0, 2] = (0, 0, 0, 128)
    rgb = images.decode(save(rgba, "PNG"), "x").rgb
    assert rgb[0, 0].tolist() == [10, 20, 30]
    assert rgb[0, 1].tolist() == [255, 255, 255]
    assert rgb[0, 2].tolist() == [127, 127, 127]
    assert rgb[1, 1].tolist() == [255, 255, 255]


def test_palettes_with_and_without_transparency():
    indices = Pillow.new("P", (3, 1))
    indices.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    indices.putdata([0, 1, 2])
    plain = images.decode(save(indices, "PNG"), "x").rgb[0]
    assert plain.tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    one = images.decode(save(indices, "PNG", transparency=1), "x").rgb[0]
    assert one.tolist() == [[255, 0, 0], [255, 255, 255], [0, 0, 255]]
    half = images.decode(save(indices, "PNG", transparency=bytes([0, 128, 255])), "x").rgb[0]
    assert half.tolist() == [[255, 255, 255], [127, 255, 127], [0, 0, 255]]
    gif = images.decode(save(indices, "GIF", transparency=2), "x").rgb[0]
    assert gif.tolist() == [[255, 0, 0], [0, 255, 0], [255, 255, 255]]


def test_one_bit_gray_with_alpha_and_gray_with_a_transparent_value():
    bits = np.array([[True, False, True]])
    assert images.decode(save(bits, "PNG"), "x").gray[0].tolist() == [255, 0, 255]
    alpha = Pillow.merge("LA", [Pillow.new("L", (2, 1), 100), Pillow.new("L", (2, 1), 255)])
    assert images.decode(save(alpha, "PNG"), "x").gray[0].tolist() == [100, 100]
    values = np.array([[7, 8]], np.uint8)
    assert images.decode(save(values, "PNG", transparency=7), "x").gray[0].tolist() == [255, 8]


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_16_bit_gray_keeps_its_high_byte(form):
    narrow = np.random.default_rng(4).integers(0, 256, (9, 11), np.uint8)
    wide = narrow.astype(np.uint16) * 257
    assert np.array_equal(images.decode(save(wide, form), "x").gray, narrow)


def test_deep_tiffs_are_scaled_by_their_range():
    def gray(values):
        return images.decode(save(values, "TIFF"), "x").gray[0].tolist()

    assert gray(np.array([[0, 0.5, 1]], np.float32)) == [0, 128, 255]
    assert gray(np.array([[0, 100, 255]], np.float32)) == [0, 100, 255]
    assert gray(np.array([[-10, 0, 10]], np.float32)) == [0, 128, 255]
    assert gray(np.array([[np.nan, 0.5, np.inf]], np.float32)) == [0, 128, 0]
    assert gray(np.array([[5, 5, 5]], np.float32)) == [5, 5, 5]
    assert gray(np.array([[-5, -5, -5]], np.float32)) == [0, 0, 0]
    assert gray(np.array([[0, 1, 255]], np.int32)) == [0, 1, 255]
    assert gray(np.array([[0, 256, 65535]], np.int32)) == [0, 1, 255]
    assert gray(np.array([[0, 500_000, 1_000_000]], np.int32)) == [0, 128, 255]


def test_cmyk_ycbcr_and_lab():
    rgb = Pillow.fromarray(picture())
    for form, options in [("JPEG", {"quality": 95}), ("TIFF", {})]:
        back = images.decode(save(rgb.convert("CMYK"), form, **options), "x").rgb
        assert np.abs(back.astype(int) - picture()).mean() < 12
    back = images.decode(save(rgb.convert("YCbCr"), "TIFF"), "x").rgb
    assert np.abs(back.astype(int) - picture()).mean() < 12
    lab = Pillow.merge("LAB", [Pillow.new("L", (2, 2), v) for v in (255, 128, 128)])
    assert images.decode(save(lab, "TIFF"), "x").gray.min() > 250


# --- faults


def fault_of(data, name="bad.jpg", **options):
    with pytest.raises(ImageError) as caught:
        images.decode(data, name, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"just some words that nobody drew, saved as a picture", "holds text"),
        ("наконец-то текст, и весьма длинный, дальше шестидесяти байт".encode(), "holds text"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"  <svg/>", "SVG"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00", "AVIF"),
        (b"BM is how this text happens to start, and on it goes", "holds text"),
        (bytes(range(256)), "not a picture"),
        (b"\xff", "not a picture"),
    ],
)
def test_what_is_no_picture_is_named_for_what_it_is(data, words):
    message = fault_of(data)
    assert message.startswith("bad.jpg ")
    assert words in message
    assert "JPEG, PNG" in message or "again" in message
    with pytest.raises(ImageError):
        images.probe(data, "bad.jpg")
    with pytest.raises(ImageError):
        images.thumbnail(data, "bad.jpg", 10)


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_cut_anywhere_is_read_or_refused_in_words(form):
    data = file_of(form)
    step = max(1, len(data) // 60)
    refused = 0
    for length in [*range(0, 64), *range(64, len(data), step)]:
        for act in (images.decode, images.probe, lambda d, n: images.thumbnail(d, n, 16)):
            try:
                act(data[:length], "cut.bin")
            except ImageError as error:
                refused += 1
                assert str(error).startswith("cut.bin ")
    assert refused > 64


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_with_a_flipped_byte_is_read_or_refused_in_words(form):
    data = file_of(form)
    rng = np.random.default_rng(5)
    for where in [*range(0, 64), *rng.integers(64, len(data), 120).tolist()]:
        broken = bytearray(data)
        broken[where] ^= int(rng.integers(1, 256))
        try:
            image = images.decode(bytes(broken), "flipped.bin", max_pixels=1_000_000)
        except ImageError as error:
            assert str(error).startswith("flipped.bin ")
        else:
            assert image.rgb.shape[:2] == image.gray.shape


def test_a_broken_off_jpeg_is_named_with_its_cure():
    message = fault_of(file_of("JPEG")[:-300], "holiday.jpg")
    assert "holiday.jpg is a JPEG file that is damaged or incomplete" in message
    assert "Copy it again" in message


def test_a_bomb_is_refused_by_its_header():
    for side in (30_000, 12_000):
        bomb = png_header(side, side) + png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b"")
        message = fault_of(bomb, "bomb.png")
        assert "pixels" in message
        assert "at most 100 million" in message
        with pytest.raises(ImageError, match="pixels"):
            images.probe(bomb, "bomb.png")
        with pytest.raises(ImageError, match="pixels"):
            images.thumbnail(bomb, "bomb.png", 10)
    assert "64 x 48 pixels" in fault_of(file_of("PNG"), max_pixels=64 * 48 - 1)
    assert images.decode(file_of("PNG"), "x", max_pixels=64 * 48).rgb.shape == (48, 64, 3)


def test_memory_running_out_is_an_image_error(monkeypatch):
    def fail(*_args):
        raise MemoryError

    monkeypatch.setattr("engine.formats._pixels", fail)
    assert "memory" in fault_of(file_of("PNG"))


def test_pillows_warnings_do_not_escape():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # 95 million pixels: Pillow warns above 89 million.
        large = png_header(10_000, 9_500) + png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b"")
        assert images.probe(large, "x").width == 10_000
        tiff = bytearray(file_of("TIFF"))
        tiff[8:10] = b"\xff\x00"
        with pytest.raises(ImageError):
            images.decode(bytes(tiff), "x")


def test_names_are_shown_without_paths_and_control_characters():
    message = fault_of(b"", "../../etc/pass\x1b[31m\nwd\u202egpj.exe")
    assert message.startswith(r"pass\x1b[31m\nwd\u202egpj.exe is empty")
    assert len(fault_of(b"", "x" * 5000)) < 300
    assert fault_of(b"", "").startswith("(no name)")
    assert fault_of(b"", "bytes\udcff.jpg").encode("utf-8")


def test_limits_are_checked():
    with pytest.raises(ValueError, match="max_pixels"):
        images.decode(file_of("PNG"), "x", max_pixels=0)
    with pytest.raises(ValueError, match="side"):
        images.thumbnail(file_of("PNG"), "x", 0)


# --- paths


def test_paths_that_cannot_be_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "words.jpg").write_text("words, words, words")
    (tmp_path / "lost.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "socket.jpg"))
    try:
        names = ["pipe.jpg", "folder.jpg", "words.jpg", "lost.jpg", "loop.jpg", "socket.jpg"]
        for name in [*names, "missing.jpg", "nul\x00.jpg", "n" * 300]:
            with pytest.raises(ImageError) as caught:
                images.read(tmp_path / name)
            assert str(tmp_path) not in str(caught.value)
            assert not images.is_picture(tmp_path / name)
    finally:
        server.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path):
    path = tmp_path / "mine.jpg"
    path.write_bytes(file_of("JPEG"))
    path.chmod(0)
    with pytest.raises(ImageError, match="may read it"):
        images.read(path)


def test_a_permission_error_is_an_image_error(tmp_path, monkeypatch):
    def refuse(*_args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(images.os, "open", refuse)
    with pytest.raises(ImageError, match=r"mine\.jpg cannot be read: Permission denied"):
        images.read(tmp_path / "mine.jpg")


def test_a_link_to_a_picture_is_read(tmp_path):
    (tmp_path / "real").write_bytes(file_of("PNG"))
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert images.read(tmp_path / "link").name == "link"


def test_a_file_far_too_large_for_a_picture_is_not_read(tmp_path):
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.write(file_of("PNG"))
        file.truncate(10**10)  # sparse
    with pytest.raises(ImageError, match=r"10\.0 GB"):
        images.read(path)


# --- making pictures


def test_shrink_averages_and_leaves_small_ones_alone():
    gray = np.kron(np.arange(16, dtype=np.uint8).reshape(4, 4) * 10, np.ones((8, 8), np.uint8))
    assert images.shrink(gray, 32) is gray
    assert np.array_equal(images.shrink(gray, 4), np.arange(16).reshape(4, 4) * 10)
    assert images.shrink(np.zeros((1000, 2), np.uint8), 10).shape == (10, 1)
    assert images.shrink(np.zeros((30, 60, 3), np.uint8), 20).shape == (10, 20, 3)
    with pytest.raises(ValueError, match="max_side"):
        images.shrink(gray, 0)


def test_encode_png_loses_nothing():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    for each in (pixels, pixels[..., 0]):
        with Pillow.open(io.BytesIO(images.encode_png(each))) as opened:
            assert opened.format == "PNG"
            np.testing.assert_array_equal(np.asarray(opened), each)
    palette, rows = pixels.reshape(-1, 3), np.arange(35, dtype=np.uint8).reshape(5, 7)
    with Pillow.open(io.BytesIO(images.encode_png(rows, palette))) as opened:
        np.testing.assert_array_equal(np.asarray(opened.convert("RGB")), pixels)
    for wrong in (pixels.astype(float), pixels[:0], pixels[0, 0]):
        with pytest.raises(ValueError, match="a PNG is made of uint8 pixels"):
            images.encode_png(wrong)


def test_encode_jpeg():
    back = images.decode(images.encode_jpeg(picture(), 95), "x")
    assert np.abs(back.rgb.astype(int) - picture()).mean() < 12
    assert images.decode(images.encode_jpeg(images.to_gray(picture())), "x").rgb.shape[2] == 3
    for bad, quality in [
        (np.zeros((0, 3, 3), np.uint8), 85),
        (np.zeros((1, 65501), np.uint8), 85),
        (np.zeros((3, 3, 4), np.uint8), 85),
        (np.zeros((3, 3), np.float32), 85),
        (picture(), 0),
        (picture(), 100),
    ]:
        with pytest.raises(ValueError, match=r"JPEG|rgb|quality"):
            images.encode_jpeg(bad, quality)


@pytest.mark.parametrize("form", FORMATS)
def test_thumbnails_are_small_upright_jpegs(form):
    small = images.decode(images.thumbnail(file_of(form), "x", 32), "x")
    assert small.rgb.shape == (24, 32, 3)
    assert images.probe(images.thumbnail(file_of(form), "x", 500), "x").width == 64


def test_a_thumbnail_of_a_large_jpeg_is_drafted(monkeypatch):
    data = save(np.kron(picture(), np.ones((20, 20, 1), np.uint8)), "JPEG")
    seen = []

    def spy(opened, shown):
        seen.append(opened.size)
        return upright_rgb(opened, shown)

    monkeypatch.setattr(images, "upright_rgb", spy)
    images.thumbnail(data, "x", 100)
    assert max(seen[0]) < 400


def test_many_threads_decode_at_once():
    files = {form: file_of(form) for form in FORMATS}
    expected = {form: images.decode(data, form).rgb for form, data in files.items()}
    faults = []

    def work():
        for form, data in files.items():
            if not np.array_equal(images.decode(data, form).rgb, expected[form]):
                faults.append(form)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


def test_names_of_pictures():
    assert images.has_picture_name(Path("a/B.JPG"))
    assert images.has_picture_name(Path("x.heic"))
    assert not images.has_picture_name(Path("jpg"))
    assert not images.has_picture_name(Path("notes.jpg.txt"))


def test_read_names_the_file_not_its_path():
    with pytest.raises(ImageError) as caught:
        images.read(Path("/nowhere/at/all.jpg"))
    assert str(caught.value).startswith("all.jpg cannot be read")


# --- pictures that ask for too much


def _scanned(n_scans):
    """A progressive JPEG with as many scans more, which say nothing."""
    data = save(picture(), "JPEG", progressive=True)
    again = b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 63, 63, 0x10)
    end = data.rindex(b"\xff\xd9")
    return data[:end] + again * n_scans + data[end:]


def test_a_jpeg_is_not_walked_over_without_end(monkeypatch):
    monkeypatch.setattr(formats, "_SCANNED_PIXELS", 100 * 48 * 64)
    assert images.decode(_scanned(50), "x").rgb.shape == (48, 64, 3)
    with pytest.raises(ImageError, match="more than 100 scans"):
        images.decode(_scanned(100), "x")


def test_only_scans_of_the_picture_itself_count(monkeypatch):
    monkeypatch.setattr(formats, "_SCANNED_PIXELS", 0)
    scans = b"\xff\xda\0\x08" * 100
    data = save(picture(), "JPEG", exif=b"Exif\0\0" + scans) + scans
    assert images.decode(data, "x").rgb.shape == (48, 64, 3)


@pytest.mark.parametrize("size", [(1, formats.MAX_SIDE + 1), (formats.MAX_SIDE + 1, 1)])
def test_a_side_that_never_ends_is_refused(size):
    with pytest.raises(ImageError, match="at most 100,000 are read along a side"):
        images.probe(png_header(*size) + png_chunk(b"IDAT", b""), "x")
