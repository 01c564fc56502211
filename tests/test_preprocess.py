"""Preparing pictures, against values computed by hand and the frameworks' own formulas."""

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from engine import images, models, preprocess
from engine.models import DECLARED, Model

VGG = DECLARED["vgg16-fc1"].model
DINO = DECLARED["dinov2-small"].model


def picture(rgb, palette=False):
    return images.Image(rgb, images.to_gray(rgb), "", "p", palette)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_vgg_of_one_colour_by_hand():
    rgb = np.full((300, 200, 3), (10, 20, 30), np.uint8)
    given = preprocess.prepare(picture(rgb), VGG)
    assert given.shape == (3, 224, 224) and given.dtype == np.float32
    f = np.float32
    expected = [f(30) - f(103.939), f(20) - f(116.779), f(10) - f(123.68)]  # blue first
    assert np.unique(given.reshape(3, -1), axis=1).T.tolist() == [expected]


def test_vgg_is_what_keras_does():
    rgb = noise(140, 333)
    resized = Pillow.fromarray(rgb).resize((224, 224)).convert("RGB")  # Pillow's usual: bicubic
    values = np.asarray(resized).astype("float32")[..., ::-1]
    values = values.copy()
    for channel, mean in enumerate((103.939, 116.779, 123.68)):
        values[..., channel] -= mean
    assert np.array_equal(preprocess.prepare(picture(rgb), VGG), values.transpose(2, 0, 1))


@pytest.mark.parametrize("mode", ["1", "P", "L"])
def test_files_of_other_modes_are_resized_before_they_become_rgb(mode):
    original = Pillow.fromarray(noise(61, 90)).convert(mode)
    buffer = io.BytesIO()
    original.save(buffer, "PNG")
    image = images.decode(buffer.getvalue(), "p.png")
    assert image.palette is (mode in ("1", "P"))
    expected = np.asarray(original.resize((224, 224)).convert("RGB"))
    assert np.array_equal(preprocess.resize(image.rgb, VGG, image.palette), expected)


def test_what_is_transparent_is_laid_on_white_and_smoothed():
    clear = Pillow.new("RGBA", (40, 30), (255, 0, 0, 0))
    buffer = io.BytesIO()
    clear.convert("P").save(buffer, "PNG", transparency=clear.convert("P").getpixel((0, 0)))
    image = images.decode(buffer.getvalue(), "p.png")
    assert not image.palette
    assert (preprocess.resize(image.rgb, VGG) == 255).all()


def test_upright_first_and_then_squashed():
    wide = noise(60, 90)
    buffer = io.BytesIO()
    exif = Pillow.Exif()
    exif[0x0112] = 6
    Pillow.fromarray(wide).save(buffer, "PNG", exif=exif)
    image = images.decode(buffer.getvalue(), "p.png")
    upright = np.rot90(wide, -1)
    expected = np.asarray(Pillow.fromarray(np.ascontiguousarray(upright)).resize((224, 224)))
    assert np.array_equal(preprocess.resize(image.rgb, VGG), expected)


def test_values_of_imagenet_and_signed_by_hand():
    rgb = np.full((256, 256, 3), (255, 0, 51), np.uint8)
    given = preprocess.prepare(picture(rgb), DINO)
    f = np.float32
    expected = [(f(v) / f(255) - f(m)) / f(s) for v, m, s in zip((255, 0, 51), DINO.mean, DINO.std)]
    assert np.unique(given.reshape(3, -1), axis=1).T.tolist() == [expected]
    signed = Model("m", "m", divisor=127.5, mean=(1, 1, 1), layout="nhwc")
    given = preprocess.prepare(picture(rgb), signed)
    assert given.shape == (224, 224, 3)
    assert given[0, 0].tolist() == [1.0, -1.0, f(51) / f(127.5) - f(1)]


@pytest.mark.parametrize(("height", "width"), [(300, 500), (501, 333), (256, 259), (9, 170)])
def test_the_middle_as_each_framework_cuts_it(height, width):
    rgb = noise(height, width)
    short, long = min(height, width), max(height, width)
    to = int(256 * long / short)
    size = (to, 256) if width > height else (256, to)
    resized = Pillow.fromarray(rgb).resize(size, Pillow.Resampling.BICUBIC)
    top, left = (resized.height - 224) // 2, (resized.width - 224) // 2  # transformers
    expected = np.asarray(resized)[top : top + 224, left : left + 224]
    assert np.array_equal(preprocess.resize(rgb, DINO), expected)
    torch = Model("t", "t", resize="crop", shorter=256)
    top, left = (round((side - 224) / 2.0) for side in (resized.height, resized.width))
    expected = np.asarray(resized)[top : top + 224, left : left + 224]
    assert np.array_equal(preprocess.resize(rgb, torch), expected)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1024, 768), (512, 384)),
        ((300, 512), (300, 512)),
        ((30, 10), (512, 171)),
        ((5000, 2), (512, 64)),
    ],
)
def test_the_longer_side_is_brought_to_the_size(size, expected):
    gem = DECLARED["vgg16-gem"].model
    assert preprocess.size_of(*size, gem) == expected
    given = preprocess.prepare(picture(noise(size[1], size[0])), gem)
    assert given.shape == (3, expected[1], expected[0])


def test_a_strip_is_cut_before_it_is_enlarged():
    strip = np.zeros((2, 60_000, 3), np.uint8)
    strip[:, 29_980:30_020] = 200
    assert (preprocess.resize(strip, DINO) == 200).all()
    assert preprocess.resize(strip.swapaxes(0, 1), DINO).shape == (224, 224, 3)


def test_records_go_to_json_and_back():
    for declared in DECLARED.values():
        assert Model.from_json(declared.model.to_json()) == declared.model
        assert declared.download.urls[0].endswith(declared.download.file)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Big"},
        {"name": "a--b"},
        {"name": "m-pca12"},
        {"name": "x" * 41},
        {"name": "../x"},
        {"resize": "stretch"},
        {"height": 0},
        {"resize": "crop"},
        {"divisor": 0},
        {"std": (1, 0, 1)},
        {"pooling": "sum"},
        {"metric": "hamming"},
        {"channels": "cmyk"},
        {"power": 0},
    ],
)
def test_records_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=r"must|cannot"):
        Model(**{"name": "m", "title": "m", **wrong})


def test_names_of_whitened_vectors():
    assert models.unwhitened("vgg16-fc1-pca512") == "vgg16-fc1"
    assert models.unwhitened("pca512") == "pca512"
