"""SURF equals OpenCV's records, its slow twin and its own golden files, and keeps its laws."""

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import naive_surf
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from engine import surf
from engine.opencv import load
from engine.surf import Features, Keypoints, SurfParams
from tests.uncompiled import said, said_compiled_and_not

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = Path(__file__).parents[2] / "shared" / "surf"
GOLDEN = Path(__file__).parent / "golden" / "surf"
FIELDS = ("xy", "size", "angle", "response", "octave", "class_id", "descriptors")

derandomized = settings(deadline=None, derandomize=True, max_examples=12)


def scene(name="astronaut", side=480):
    """A gray photograph that scikit-image brings with it."""
    import skimage

    with Pillow.open(Path(skimage.__file__).parent / "data" / f"{name}.png") as picture:
        picture.thumbnail((side, side))
        return np.asarray(picture.convert("L")).copy()


ASTRONAUT = scene()


def assert_equal(ours: Features, theirs: Features) -> None:
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(ours, field), getattr(theirs, field), field)


def assert_rows(features: Features, rows, descriptors) -> None:
    """Keypoints to the last bit, descriptors within 1e-6."""
    assert len(features) == len(rows)
    np.testing.assert_array_equal(features.xy, rows[:, :2].astype(np.float32))
    for column, field in enumerate(FIELDS[1:6], start=2):
        ours = getattr(features, field)
        np.testing.assert_array_equal(ours, rows[:, column].astype(ours.dtype), field)
    np.testing.assert_allclose(features.descriptors, descriptors, rtol=0, atol=1e-6)


def cosines(a, b):
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return (a * b).sum(1) / np.maximum(norms, 1e-12)


# Parity with OpenCV


@pytest.mark.parametrize(
    "path",
    sorted((REFERENCE / "reference").glob("*.npz"))
    or [pytest.param(None, marks=pytest.mark.skip(reason="no ../shared/surf/reference here"))],
    ids=lambda path: path.stem if path else "none",
)
def test_every_record_of_opencv_is_met_to_the_last_bit(path):
    found = re.fullmatch(r"(\w+?)__h(\d+)_o(\d)_l(\d)_e(\d)_u(\d)(_masked)?", path.stem)
    name, threshold, octaves, layers, extended, upright, _ = found.groups()
    with Pillow.open(REFERENCE / "gray" / f"{name}.png") as picture:
        gray = np.asarray(picture)
    record = np.load(path)
    params = SurfParams(
        float(threshold), int(octaves), int(layers), extended == "1", upright == "1"
    )
    features = surf.extract(gray, params, record["mask"] if "mask" in record.files else None)
    assert len(features) == len(record["x"])
    np.testing.assert_array_equal(features.xy, np.stack([record["x"], record["y"]], 1))
    for field in FIELDS[1:6]:
        np.testing.assert_array_equal(getattr(features, field), record[field], field)
    assert cosines(features.descriptors, record["descriptors"]).min() > 0.99999


# The slow twin and the golden files


@pytest.mark.parametrize(
    "settings_",
    [
        {},
        {"extended": False, "upright": True},
        {"extended": False, "threshold": 40.0, "n_octaves": 3, "n_layers": 2},
        {"upright": True, "threshold": 40.0, "n_layers": 4},
        {"threshold": 0.0, "n_layers": 1, "n_octaves": 5},
    ],
    ids=str,
)
def test_kernels_equal_the_slow_twin(settings_):
    gray = ASTRONAUT[60:157, 180:291]
    rows, descriptors = naive_surf.extract(gray, **settings_)
    assert len(rows) > 5
    assert_rows(surf.extract(gray, params_of(settings_)), rows, descriptors)


def params_of(settings_):
    return SurfParams(
        settings_.get("threshold", 400.0),
        settings_.get("n_octaves", 4),
        settings_.get("n_layers", 3),
        settings_.get("extended", True),
        settings_.get("upright", False),
    )


def test_a_mask_equals_the_slow_twin():
    gray = ASTRONAUT[60:157, 180:291]
    mask = np.zeros(gray.shape, np.uint8)
    mask[20:80, 10:70] = 200
    rows, descriptors = naive_surf.extract(gray, threshold=50.0, mask=mask)
    everywhere = surf.extract(gray, SurfParams(50.0))
    assert 3 < len(rows) < len(everywhere)
    assert_rows(surf.extract(gray, SurfParams(50.0), mask), rows, descriptors)
    assert_equal(
        surf.extract(gray, SurfParams(50.0), mask > 0), surf.extract(gray, SurfParams(50.0), mask)
    )


@derandomized
@given(st.integers(0, 2**32 - 1), st.integers(20, 70), st.integers(20, 70), st.booleans())
def test_random_pictures_equal_the_slow_twin(seed, height, width, upright):
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (height // 5 + 1, width // 5 + 1)).astype(np.uint8)
    gray = np.kron(coarse, np.ones((5, 5), np.uint8))[:height, :width].copy()
    gray = np.clip(gray + random.integers(-9, 10, gray.shape), 0, 255).astype(np.uint8)
    rows, descriptors = naive_surf.extract(gray, threshold=20.0, upright=upright)
    assert_rows(surf.extract(gray, SurfParams(20.0, upright=upright)), rows, descriptors)


GOLDEN_PARAMS = {
    "blobs": SurfParams(),
    "blobs_upright_64": SurfParams(extended=False, upright=True),
    "noise_two_layers": SurfParams(100.0, 3, 2),
    "blobs_masked": SurfParams(100.0),
}


@pytest.mark.parametrize("name", GOLDEN_PARAMS)
def test_golden_files_are_met(name):
    golden = np.load(GOLDEN / f"{name}.npz")
    mask = golden["mask"] if "mask" in golden.files else None
    features = surf.extract(golden["gray"], GOLDEN_PARAMS[name], mask)
    assert len(features) >= 5
    assert_rows(features, golden["rows"], golden["descriptors"])


def test_uncompiled_kernels_give_the_same(tmp_path):
    """Compiled or not, the same keypoints; without LLVM cosf may round its last bit otherwise."""
    code = (
        "import warnings; warnings.simplefilter('error');"
        "import os, sys, numpy as np; from engine import patches, surf;"
        "gray = np.load(sys.argv[1])['gray'];"
        "f = surf.extract(gray, surf.SurfParams(900.0, 2), n_threads=2);"
        "u = surf.extract(gray, surf.SurfParams(20.0, 2, extended=False, upright=True));"
        "p = patches.cut(gray, f.xy, f.size, f.angle, 8);"
        "target = sys.argv[2] + os.environ['NUMBA_DISABLE_JIT'] + '.npz'; print(target);"
        "np.savez(target, *(getattr(f, n) for n in sys.argv[3].split()), u.descriptors, p)"
    )
    arguments = [str(GOLDEN / "noise_two_layers.npz"), str(tmp_path / "jit"), " ".join(FIELDS)]
    results = []
    for target in said_compiled_and_not(code, *arguments):
        with np.load(target.strip()) as arrays:
            results.append([arrays[name] for name in arrays.files])
    compiled, plain = results
    assert len(compiled[0]) >= 3
    for ours, theirs in zip(compiled[:6], plain[:6]):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_allclose(compiled[6], plain[6], atol=0.01)
    np.testing.assert_allclose(compiled[7], plain[7], atol=1e-6)
    np.testing.assert_allclose(compiled[8].astype(int), plain[8].astype(int), atol=1)


# Laws


@derandomized
@given(st.floats(0, 3000), st.floats(0, 3000))
def test_thresholds_nest(one, other):
    """A higher threshold leaves a first part of the rows, unchanged in every bit."""
    low, high = sorted((one, other))
    gray = ASTRONAUT[100:260, 150:330]
    all_of_them = surf.extract(gray, SurfParams(low))
    fewer = surf.extract(gray, SurfParams(high))
    n = int((all_of_them.response > np.float32(high)).sum())
    assert len(fewer) == n
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(fewer, field), getattr(all_of_them, field)[:n])


def nearest_rows(features: Features, xy, response):
    """For each given keypoint the row of the same place (within 0.01 px) and response, or -1."""
    apart = np.abs(features.xy[None] - xy[:, None]).max(-1)
    apart += np.where(np.isclose(features.response[None], response[:, None], rtol=1e-4), 0, 1e6)
    row = apart.argmin(1)
    return np.where(apart[np.arange(len(xy)), row] < 0.01, row, -1)


@derandomized
@given(st.integers(0, 20), st.integers(0, 20), st.integers(1, 3))
def test_a_picture_turned_by_quarters_finds_itself(top, left, quarters):
    """Sides are multiples of 8, so that the grids of all octaves lie on themselves.

    Places agree within 0.01 px and responses within 1e-4. Angles hang on rounded wavelet
    corners, so nine in ten must agree within 2 degrees; window samples are turned too, so nine
    in ten of those keep a cosine of 0.95.
    """
    gray = ASTRONAUT[80 + top : 80 + top + 192, 120 + left : 120 + left + 160]
    upright = surf.extract(gray)
    turned = surf.extract(np.rot90(gray, quarters))
    assert len(turned) == len(upright) > 50
    x, y = turned.xy.T
    # np.rot90 sends (x, y) to (y, width - 1 - x); here back again, quarter by quarter.
    for quarter in range(quarters, 0, -1):
        width = 160 if quarter % 2 == 1 else 192
        x, y = width - 1 - y, x
    row = nearest_rows(upright, np.stack([x, y], 1), turned.response)
    assert (row >= 0).all()
    assert len(np.unique(row)) == len(row)
    np.testing.assert_array_equal(turned.size, upright.size[row])
    np.testing.assert_array_equal(turned.class_id, upright.class_id[row])
    difference = (upright.angle[row] - turned.angle - 90 * quarters + 180) % 360 - 180
    alike = np.abs(difference) < 2
    assert alike.mean() > 0.9
    same = cosines(upright.descriptors[row], turned.descriptors)[alike]
    assert (same > 0.95).mean() > 0.9


@derandomized
@given(st.integers(0, 20), st.integers(0, 20), st.booleans())
def test_a_mirrored_picture_has_mirrored_keypoints(top, left, across):
    gray = ASTRONAUT[80 + top : 80 + top + 192, 120 + left : 120 + left + 160]
    ours = surf.extract(gray)
    mirrored = surf.extract(gray[:, ::-1] if across else gray[::-1])
    xy = mirrored.xy.copy()
    axis = 0 if across else 1
    xy[:, axis] = (160, 192)[axis] - 1 - xy[:, axis]
    row = nearest_rows(ours, xy, mirrored.response)
    assert len(mirrored) == len(ours) > 50
    assert (row >= 0).all()
    np.testing.assert_array_equal(mirrored.size, ours.size[row])
    np.testing.assert_array_equal(mirrored.class_id, ours.class_id[row])


@derandomized
@given(st.integers(0, 8), st.integers(0, 8))
def test_a_shifted_view_keeps_keypoints_far_from_its_border(right, down):
    """Shifts by multiples of 8 keep the grids of all octaves.

    What lies so far inside that filter, wavelets and window see no border keeps response, size
    and sign in every bit, its place within 1e-3 px, its descriptor with a cosine of 0.999 in
    nine of ten cases: float32 places round otherwise, and window samples with them.
    """
    whole = surf.extract(ASTRONAUT)
    y0, x0 = 8 * down, 8 * right
    view = surf.extract(ASTRONAUT[y0 : y0 + 360, x0 : x0 + 360])
    reach = 2.2 * whole.size + 24
    x, y = whole.xy[:, 0] - x0, whole.xy[:, 1] - y0
    inner = (np.minimum(x, y) > reach) & (np.maximum(x, y) < 359 - reach)
    inner &= (whole.xy.min(1) > reach) & (whole.xy.max(1) < min(ASTRONAUT.shape) - 1 - reach)
    row = nearest_rows(view, np.stack([x, y], 1)[inner], whole.response[inner])
    assert inner.sum() > 100
    assert (row >= 0).all()
    for field in ("response", "size", "octave", "class_id"):
        np.testing.assert_array_equal(getattr(view, field)[row], getattr(whole, field)[inner])
    np.testing.assert_allclose(view.xy[row], np.stack([x, y], 1)[inner], atol=1e-3)
    assert (cosines(view.descriptors[row], whole.descriptors[inner]) > 0.999).mean() > 0.9


def test_descriptors_have_length_one_and_rows_fall_by_response():
    features = surf.extract(ASTRONAUT)
    np.testing.assert_allclose(np.linalg.norm(features.descriptors, axis=1), 1, atol=1e-5)
    assert (np.diff(features.response) <= 0).all()
    assert features.response.min() > 400
    assert set(np.unique(features.class_id)) <= {-1, 0, 1}


# Threads and processes


@pytest.mark.parametrize("n_threads", [2, 3, 7])
def test_threads_change_nothing(n_threads):
    mask = np.ones(ASTRONAUT.shape, np.uint8)
    mask[:, :90] = 0
    for params in (SurfParams(), SurfParams(100.0, 5, 2, extended=False, upright=True)):
        alone = surf.extract(ASTRONAUT, params, mask)
        assert len(alone) > 200
        assert_equal(surf.extract(ASTRONAUT, params, mask, n_threads=n_threads), alone)


def test_many_callers_at_once_get_the_same():
    alone = surf.extract(ASTRONAUT)
    with ThreadPoolExecutor(6) as callers:
        for result in callers.map(lambda n: surf.extract(ASTRONAUT, n_threads=n), [1, 2, 3] * 6):
            assert_equal(result, alone)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_the_pool_survives_a_fork():
    code = (
        "import os, sys, numpy as np; from engine import surf;"
        "gray = np.load(sys.argv[1])['gray'];"
        "n = len(surf.extract(gray, n_threads=2));"
        "child = os.fork();\n"
        "if child == 0: os._exit(len(surf.extract(gray, n_threads=2)))\n"
        "assert n > 0 and os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == n"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, str(GOLDEN / "blobs.npz")]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120)


# Given keypoints


def keypoints_at(xy, size) -> Keypoints:
    n = len(size)
    zeros, ids = np.zeros(n, np.float32), np.arange(n, dtype=np.int32)
    return Keypoints(np.array(xy, np.float32), np.array(size, np.float32), zeros, zeros, ids, ids)


def test_describing_what_was_found_gives_the_same():
    found = surf.extract(ASTRONAUT)
    for array in (found.xy, found.size):
        array.flags.writeable = False
    assert_equal(surf.describe(ASTRONAUT, found, n_threads=2), found)


@pytest.mark.parametrize("upright", [False, True])
def test_given_keypoints_equal_the_slow_twin(upright):
    """Fractional sizes, at and beyond the border; windows below 21 px by OpenCV's own resize."""
    gray = ASTRONAUT[60:160, 180:300].copy()
    size = [0.4, 0.9, 1.8, 2.5, 4, 6.1, 7.49, 7.5, 8.25, 15, 22.5, 30, 41.3, 60, 100, 20, 20, 35]
    random = np.random.default_rng(3)
    xy = random.uniform(5, 95, (len(size), 2)).astype(np.float32)
    xy[-3:] = [[0, 0], [119.5, 98.2], [-3.5, 40]]
    given_keypoints = keypoints_at(xy, size)
    features = surf.describe(gray, given_keypoints, SurfParams(upright=upright))
    np.testing.assert_array_equal(features.octave, np.arange(len(size)))
    for row in range(len(size)):
        x, y, s = (np.float32(v) for v in (*given_keypoints.xy[row], given_keypoints.size[row]))
        angle = naive_surf.orientation(gray, x, y, s, upright)
        window = naive_surf.sample_window(gray, x, y, s, angle, upright)
        if len(window) < 21:
            cv2 = load()
            patch = cv2.resize(window, (21, 21), interpolation=cv2.INTER_AREA).astype(int)
        else:
            patch = naive_surf.shrink(window)
        assert features.angle[row] == angle
        expected = naive_surf.describe_patch(patch, True)
        np.testing.assert_allclose(features.descriptors[row], expected, rtol=0, atol=1e-6)


def test_axis_aligned_windows_run_their_sums_in_float64():
    """Steps too small for an exact product: the direction of a straight ramp."""
    y, x = np.mgrid[:120, :140]
    for gray in (x, y, 139 - x, 119 - y):
        plane = gray.astype(np.uint8)
        features = surf.describe(plane, keypoints_at([[60.3, 50.7], [10, 9]], [19, 44]))
        for row in range(2):
            x1, y1 = features.xy[row]
            angle = naive_surf.orientation(plane, x1, y1, features.size[row], False)
            window = naive_surf.sample_window(plane, x1, y1, features.size[row], angle, False)
            expected = naive_surf.describe_patch(naive_surf.shrink(window), True)
            assert features.angle[row] == angle
            np.testing.assert_allclose(features.descriptors[row], expected, rtol=0, atol=1e-6)


def test_keypoints_without_room_are_dropped():
    gray = ASTRONAUT[:100, :100]
    far = keypoints_at([[50, 50], [5000, 50], [50, 50], [-1e6, 3]], [20, 20, 4000, 9])
    np.testing.assert_array_equal(surf.describe(gray, far).octave, [0])
    upright = surf.describe(gray, far, SurfParams(upright=True))
    np.testing.assert_array_equal(upright.octave, [0, 1, 3])


# Edges of the input


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (20, 20), (9, 9), (33, 40)])
@pytest.mark.parametrize("value", [0, 255])
def test_small_and_flat_pictures_have_no_keypoints(shape, value):
    for params in (SurfParams(0.0), SurfParams(0.0, 6, 1, extended=False)):
        features = surf.extract(np.full(shape, value, np.uint8), params, n_threads=2)
        assert len(features) == 0
        assert features.xy.shape == (0, 2)
        assert features.descriptors.shape == (0, params.n_dimensions)
        assert features.descriptors.dtype == features.xy.dtype == np.float32
        assert features.octave.dtype == features.class_id.dtype == np.int32


def test_a_checkerboard_has_only_plateaus():
    """Equal maxima are none: neither a fine board nor a coarse one crashes or repeats a place."""
    for square in (1, 8):
        board = (np.indices((96, 96)).sum(0) // square % 2 * 255).astype(np.uint8)
        rows, descriptors = naive_surf.extract(board, threshold=400.0)
        assert_rows(surf.extract(board), rows, descriptors)


def test_a_flat_window_gives_a_descriptor_of_zeros():
    features = surf.describe(np.full((80, 80), 9, np.uint8), keypoints_at([[40, 40]], [12]))
    assert features.angle[0] == 0
    assert not features.descriptors.any()


def test_memory_order_does_not_matter():
    gray = ASTRONAUT[:200, :240]
    expected = surf.extract(gray)
    assert len(expected) > 50
    frozen = gray.copy()
    frozen.flags.writeable = False
    wide = np.repeat(np.repeat(gray, 2, 0), 3, 1)
    for view in (
        np.asfortranarray(gray),
        frozen,
        wide[::2, ::3],
        np.frombuffer(gray.tobytes(), np.uint8).reshape(gray.shape),
    ):
        assert_equal(surf.extract(view), expected)
    assert_equal(surf.extract(gray, mask=np.asfortranarray(np.ones(gray.shape, bool))), expected)


def test_integral_images_may_overflow():
    """Sums wrap beyond 2^31; bright ground adds nothing but the wrap."""
    base = ASTRONAUT[100:228, 100:260]
    tall = np.full((2700, 3400), 255, np.uint8)
    tall[-200:-72, -300:-140] = base
    features = surf.extract(tall, SurfParams(1000.0), n_threads=2)
    small = np.full((500, 600), 255, np.uint8)
    small[-200:-72, -300:-140] = base
    expected = surf.extract(small, SurfParams(1000.0))
    assert len(features) == len(expected) > 20
    np.testing.assert_array_equal(features.response, expected.response)
    np.testing.assert_array_equal(features.size, expected.size)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((5, 5)),), "gray must be a uint8"),
        ((np.zeros((5, 5, 3), np.uint8),), "gray must be a uint8"),
        (([[1, 2]],), "gray must be a uint8"),
        ((np.zeros((0, 5), np.uint8),), "at least one pixel"),
        ((ASTRONAUT, SurfParams(), np.ones((5, 5), np.uint8)), "mask must have the shape"),
        ((ASTRONAUT, SurfParams(), np.ones(ASTRONAUT.shape)), "mask must be a uint8 or bool"),
        ((ASTRONAUT, SurfParams(), None, 0), "n_threads must be at least 1"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        surf.extract(*arguments)


@pytest.mark.parametrize(
    "wrong",
    [
        {"hessian_threshold": -1.0},
        {"hessian_threshold": float("nan")},
        {"n_octaves": 0},
        {"n_octave_layers": 0},
        {"n_octaves": 2.5},
        {"extended": 1},
    ],
)
def test_wrong_parameters_are_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SurfParams(**wrong)


def test_wrong_keypoints_are_named():
    with pytest.raises(ValueError, match=r"at least 0\.36 pixels"):
        surf.describe(ASTRONAUT, keypoints_at([[9, 9]], [0.3]))
    with pytest.raises(ValueError, match="finite"):
        surf.describe(ASTRONAUT, keypoints_at([[9, np.nan]], [9]))
    with pytest.raises(ValueError, match=r"keypoints\.xy must be float32"):
        surf.describe(ASTRONAUT, keypoints_at([[9, 9, 9]], [9]))


def test_parameters_compare_and_hash():
    assert SurfParams() == SurfParams(400.0, 4, 3, True, False)
    assert len({SurfParams(), SurfParams(), SurfParams(upright=True)}) == 2


# Compiling


@pytest.mark.slow
def test_warming_up_speaks_once_for_a_machine(tmp_path):
    """An empty cache brings one message; the next process finds the kernels and says nothing."""
    code = (
        "from engine import surf; said = []; surf.warm_up(said.append); n = len(said);"
        "surf.warm_up(said.append); assert len(said) == n; print(n)"
    )
    counts = [said(code, compiled=True, NUMBA_CACHE_DIR=str(tmp_path)).strip() for _ in range(2)]
    assert counts == ["1", "0"]


def test_a_place_without_a_writable_folder_compiles_without_a_cache(tmp_path):
    """As in a read-only installation: no folder beside the source, none in the home."""
    package = tmp_path / "engine"
    shutil.copytree(ROOT / "engine", package, ignore=shutil.ignore_patterns("__pycache__"))
    # A file in the folder's place refuses even the superuser.
    (package / "kernels" / "__pycache__").write_text("")
    nowhere = str(tmp_path / "engine" / "errors.py" / "home")
    environment = {**os.environ, "HOME": nowhere, "XDG_CACHE_HOME": nowhere}
    environment.pop("NUMBA_CACHE_DIR", None)
    code = (
        "import numpy as np; from engine.kernels import surf_detect;"
        "table = np.zeros(12, np.int32);"
        "surf_detect.integrate(np.ones(6, np.uint8), 3, 0, 2, table);"
        "assert table[-1] == 6, table; print(surf_detect.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", code],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
    )
    assert str(tmp_path) in done.stdout.decode()
