"""A trace ends in the very keypoint that was extracted, and each step is its slow twin's."""

import re
from pathlib import Path
from typing import Any

import naive_surf
import numpy as np
import pytest
from PIL import Image as Pillow

from engine import surf, trace, trace_cells, trace_scales
from engine.surf import SurfParams
from engine.trace import Prepared
from tests.uncompiled import said

REFERENCE = Path(__file__).parents[2] / "shared" / "surf"
GOLDEN = Path(__file__).parent / "golden" / "surf"
VARIANTS = [
    SurfParams(extended=False),
    SurfParams(upright=True),
    SurfParams(100.0, 3, 2, extended=False, upright=True),
    SurfParams(0.0, 5, 1),
    SurfParams(1500.0, 1, 4),
]
SMALL = SurfParams(40.0, 3, 3)


def gray_of(picture: Pillow.Image) -> Any:
    return np.asarray(picture.convert("L")).copy()


@pytest.fixture(scope="module")
def small() -> Prepared:
    """A picture that the slow twin can follow."""
    gray = np.load(GOLDEN / "noise_two_layers.npz")["gray"]
    return trace.prepare(gray[:90, :101], SMALL)


def assert_all_end_as_extracted(gray: Any, params: SurfParams) -> int:
    """Follow all keypoints; each float is the extracted one, to the last bit."""
    features = surf.extract(gray, params)
    prepared = trace.prepare(gray, params)
    for row in range(len(features)):
        traced = trace.follow(prepared, row, reach=0)
        np.testing.assert_array_equal(traced.xy, features.xy[row])
        np.testing.assert_array_equal(traced.descriptor, features.descriptors[row])
        for field in ("size", "angle", "response", "class_id"):
            assert getattr(traced, field) == getattr(features, field)[row], field
        layer = traced.octave.layers[traced.cell.layer]
        assert layer.octave == features.octave[row]
        assert layer.signs[traced.cell.row, traced.cell.column] == features.class_id[row]
    counts = [
        trace_cells.funnel(octave, layer.layer, params.hessian_threshold)
        for octave in prepared.octaves
        for layer in octave.layers[1:-1]
    ]
    assert sum(count.n_kept for count in counts) >= len(features)
    return len(features)


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket", "china", "flower"])
def test_traces_end_in_the_extracted_keypoint(name, photographs):
    assert assert_all_end_as_extracted(gray_of(photographs[name]), SurfParams()) > 50


@pytest.mark.parametrize("params", VARIANTS, ids=str)
def test_traces_end_in_the_extracted_keypoint_for_all_parameters(params, photographs):
    gray = gray_of(photographs["china"])[:180, 40:240]
    assert assert_all_end_as_extracted(gray, params) > 20


@pytest.mark.parametrize("name", ["blobs", "noise_two_layers"])
def test_traces_end_in_the_golden_keypoint(name):
    params = SurfParams() if name == "blobs" else SurfParams(100.0, 3, 2)
    golden = np.load(GOLDEN / f"{name}.npz")
    prepared = trace.prepare(golden["gray"], params)
    assert len(prepared.features) == len(golden["rows"]) >= 5
    for row, expected in enumerate(golden["rows"]):
        found = trace.follow(prepared, row)
        ours = (*found.xy, found.size, found.angle, found.response)
        np.testing.assert_array_equal(ours, expected[:5].astype(np.float32))


@pytest.mark.parametrize(
    "path",
    sorted((REFERENCE / "reference").glob("leuvenA__h1000*.npz"))
    or [pytest.param(None, marks=pytest.mark.skip(reason="no ../shared/surf/reference here"))],
    ids=lambda path: path.stem if path else "none",
)
def test_traces_end_in_opencvs_keypoint(path):
    name, *numbers = re.fullmatch(r"(\w+?)__h(\d+)_o(\d)_l(\d)_e(\d)_u(\d)", path.stem).groups()
    threshold, octaves, layers, extended, upright = map(int, numbers)
    with Pillow.open(REFERENCE / "gray" / f"{name}.png") as picture:
        gray = np.asarray(picture)
    record = np.load(path)
    params = SurfParams(float(threshold), octaves, layers, bool(extended), bool(upright))
    prepared = trace.prepare(gray, params)
    assert len(prepared.features) == len(record["x"]) > 100
    for row in range(len(record["x"])):
        found = trace.follow(prepared, row, reach=0)
        assert tuple(found.xy) == (record["x"][row], record["y"][row])
        for field in ("size", "angle", "response", "class_id"):
            assert getattr(found, field) == record[field][row], field
        np.testing.assert_allclose(found.descriptor, record["descriptors"][row], atol=5e-3)


# Each step and its slow twin


def test_the_integral_image_is_the_slow_one(small):
    np.testing.assert_array_equal(
        trace_scales.integral(small.gray), naive_surf.integral(small.gray)
    )
    np.testing.assert_array_equal(small.integral, naive_surf.integral(small.gray))


def test_responses_and_signs_are_the_slow_ones(small):
    height, width = small.gray.shape
    for index, octave in enumerate(small.octaves):
        assert len(octave.layers) == 5
        for layer in octave.layers:
            side, step = (9 + 6 * layer.layer) << index, 1 << index
            assert (layer.side, layer.step) == (side, step)
            det = np.zeros((height // step, width // step), np.float32)
            trace_ = np.zeros_like(det)
            inside = np.zeros(det.shape, bool)
            if side <= min(height, width):
                dx, dy, dxy = (
                    naive_surf.response(small.integral, boxes, side, step)
                    for boxes in (naive_surf.DX, naive_surf.DY, naive_surf.DXY)
                )
                m = side // 2 // step
                inner = np.s_[m : m + dx.shape[0], m : m + dx.shape[1]]
                det[inner] = dx * dy - (np.float32(0.81) * dxy) * dxy
                trace_[inner] = dx + dy
                inside[inner] = True
            np.testing.assert_array_equal(layer.determinants, det)
            np.testing.assert_array_equal(layer.signs, np.sign(trace_))
            np.testing.assert_array_equal(layer.is_inside, inside)


def test_boxes_give_the_response_of_a_cell(small):
    """Box by box from the integral image, and again from the pixels themselves."""
    random = np.random.default_rng(1)
    for octave in small.octaves:
        for layer in octave.layers:
            if not layer.is_inside.any():
                continue
            places = np.argwhere(layer.is_inside)
            for row, column in places[random.integers(0, len(places), 5)].tolist():
                x, y = layer.origin(row, column)
                values = []
                for box_filter in layer.filters:
                    sums = trace_scales.apply(small.integral, box_filter, x, y)
                    for (x1, y1, x2, y2), total in zip(box_filter.boxes, sums.boxes):
                        assert min(x1, y1) >= 0 and max(x2, y2) <= layer.side
                        assert small.gray[y + y1 : y + y2, x + x1 : x + x2].sum() == total
                    values.append(sums.value)
                dxx, dyy, dxy = values
                assert dxx * dyy - np.float32(0.81) * dxy * dxy == layer.determinants[row, column]
                assert np.sign(dxx + dyy) == layer.signs[row, column]


def test_filters_are_those_of_the_paper():
    """The 9 x 9 filters of figure 2, and weights whose sum over all pixels is 0."""
    dxx, dyy, dxy = trace_scales.box_filters(0, 0)
    assert [(dxx.name, dyy.name, dxy.name)] == [("Dxx", "Dyy", "Dxy")]
    assert dxx.boxes.tolist() == [[0, 2, 3, 7], [3, 2, 6, 7], [6, 2, 9, 7]]
    assert dyy.boxes.tolist() == [[2, 0, 7, 3], [2, 3, 7, 6], [2, 6, 7, 9]]
    assert dxy.template_weights.tolist() == [1, -1, -1, 1]
    for octave in range(4):
        for layer in range(5):
            for each in trace_scales.box_filters(octave, layer):
                x1, y1, x2, y2 = each.boxes.T
                areas = (x2 - x1) * (y2 - y1)
                np.testing.assert_allclose(each.weights * areas, each.template_weights, rtol=1e-6)


def test_fates_are_the_slow_ones(small):
    """The detector's tests, one cell at a time, in all searched layers."""
    fates = set()
    n_kept = 0
    for octave in small.octaves:
        for layer in octave.layers[1:-1]:
            rows, columns = layer.determinants.shape
            margin = octave.layers[layer.layer + 1].side // 2 // layer.step + 1
            for row in range(0, rows):
                for column in range(0, columns):
                    cell = trace_cells.judge(octave, layer.layer, row, column, 40.0)
                    fates.add(cell.fate)
                    n_kept += cell.fate == trace_cells.KEPT
                    if not (margin <= row < rows - margin and margin <= column < columns - margin):
                        assert cell.fate == trace_cells.MARGIN
                        continue
                    n = np.array(
                        [
                            each.determinants[row - 1 : row + 2, column - 1 : column + 2]
                            for each in octave.layers[layer.layer - 1 : layer.layer + 2]
                        ]
                    )
                    v = n[1, 1, 1]
                    np.testing.assert_array_equal(cell.around, n)
                    assert cell.response == v
                    assert (cell.rival is None) == ((n >= v).sum() == 1)
                    if not v > 40:
                        assert cell.fate == trace_cells.BELOW
                    elif cell.rival is not None:
                        assert cell.fate == trace_cells.NOT_LARGEST
                        other, y, x = cell.rival
                        beaten = np.delete(n.reshape(-1), 13)
                        assert octave.layers[other].determinants[y, x] == beaten.max() >= v
                    else:
                        step = naive_surf.interpolate(n)
                        assert (cell.fate == trace_cells.KEPT) == (step is not None)
                        if step is not None:
                            np.testing.assert_array_equal(cell.newton.step, step)
    assert n_kept == len(naive_surf.detect(small.gray, 40.0, 3, 3)) == len(small.features)
    assert {"margin", "below threshold", "not the largest", "step too far", "kept"} <= fates


def test_newtons_step_solves_its_equation(small):
    for row in range(len(small.features)):
        newton = trace.follow(small, row, reach=0).cell.newton
        n = trace.follow(small, row, reach=0).cell.around.astype(np.float64)
        gradient = [n[1, 1, 2] - n[1, 1, 0], n[1, 2, 1] - n[1, 0, 1], n[2, 1, 1] - n[0, 1, 1]]
        np.testing.assert_allclose(newton.gradient, np.array(gradient) / 2, rtol=1e-5)
        largest = np.abs(newton.hessian).max()
        residue = newton.hessian.astype(np.float64) @ newton.step + newton.gradient
        assert np.abs(residue).max() < 1e-3 * largest
        assert np.abs(newton.step).max() <= 1
        determinant = np.linalg.det(newton.hessian.astype(np.float64))
        np.testing.assert_allclose(newton.determinant, determinant, atol=1e-4 * largest**3)


def test_a_flat_neighbourhood_is_refused():
    """Where the Hessian is singular there is no step, and no warning."""
    octave = trace_scales.respond(np.zeros((65, 65), np.int32), 0, 3)
    newton = trace_cells.newton_step(octave.layout, 1, 20, 20, np.zeros((3, 3, 3), np.float32))
    assert not newton.is_accepted
    assert not newton.step.any() and newton.determinant == 0


def test_neighbours_say_why_they_are_none(small):
    traced = trace.follow(small, 0, reach=2)
    assert len(traced.near) == 3 * 25 - 1
    for cell in traced.near:
        apart = abs(cell.row - traced.cell.row), abs(cell.column - traced.cell.column)
        if max(*apart, abs(cell.layer - traced.cell.layer)) <= 1 and cell.fate != "margin":
            assert cell.fate in ("below threshold", "not the largest")


def test_orientation_is_the_slow_one(small):
    for row in range(len(small.features)):
        traced = trace.follow(small, row, reach=0)
        ours = traced.orientation
        samples = naive_surf.wavelets(small.gray, *traced.xy, traced.size)
        inside = ours.is_inside
        assert inside.sum() == len(samples)
        for k, (a, b, left, top, vx, vy, weight, phase) in zip(np.flatnonzero(inside), samples):
            assert ours.offsets[k].tolist() == [a, b]
            assert ours.origins[k].tolist() == [left, top]
            assert (ours.dx[k], ours.dy[k]) == (vx, vy)
            assert ours.weights[k] == weight
            assert (ours.weighted_dx[k], ours.weighted_dy[k]) == (vx * weight, vy * weight)
            assert ours.degrees[k] == phase
        assert not ours.weights[~inside].any() and (ours.origins[~inside] == -1).all()
        sums = np.array(naive_surf.sectors(samples))
        np.testing.assert_array_equal(ours.sums, sums)
        assert ours.winner == ours.strengths.argmax()
        x, y = sums[ours.winner]
        assert ours.angle == naive_surf.arctangent(-y, x, fused=False)
        members = ours.weighted_dx[ours.is_member].sum(), ours.weighted_dy[ours.is_member].sum()
        np.testing.assert_allclose(members, (x, y), rtol=1e-3, atol=1e-3)
    assert len(ours.offsets) == 113


@pytest.mark.parametrize("upright", [False, True])
@pytest.mark.parametrize("extended", [False, True])
def test_description_is_the_slow_one(upright, extended, small):
    params = SurfParams(40.0, 3, 3, extended=extended, upright=upright)
    prepared = trace.prepare(small.gray, params)
    n = 8 if extended else 4
    for row in range(len(prepared.features)):
        traced = trace.follow(prepared, row, reach=0)
        ours = traced.description
        window = naive_surf.sample_window(
            small.gray, *traced.xy, traced.size, traced.angle, upright
        )
        patch = naive_surf.shrink(window)
        assert ours.window_side == len(window)
        np.testing.assert_array_equal(ours.patch, patch)
        np.testing.assert_array_equal(ours.dx, _haar(patch))
        np.testing.assert_array_equal(ours.dy, _haar(patch.T).T)
        np.testing.assert_array_equal(ours.weighted_dx, ours.dx * ours.weights)
        np.testing.assert_array_equal(ours.weighted_dy, ours.dy * ours.weights)
        slow = np.array(naive_surf.cell_sums(patch, extended)).reshape(4, 4, n)
        np.testing.assert_array_equal(ours.sums, slow)
        scale = np.float32(1 / (ours.length + 1.1920929e-7))
        np.testing.assert_array_equal(ours.descriptor, ours.sums.reshape(-1) * scale)


def _haar(patch: Any) -> Any:
    """Right less left half of each 2 x 2 pixels."""
    rise = patch[:, 1:] - patch[:, :-1]
    return rise[:-1] + rise[1:]


@pytest.mark.parametrize("upright", [False, True])
def test_corners_hold_the_corner_samples(upright, small):
    """Windows begin at the first corner, and their rows run to the second."""
    prepared = trace.prepare(small.gray, SurfParams(40.0, 3, 3, upright=upright))
    bottom, right = np.array(small.gray.shape) - 1
    for row in range(len(prepared.features)):
        traced = trace.follow(prepared, row, reach=0)
        side, corners = traced.description.window_side, traced.description.corners
        place = traced.xy, traced.size, traced.angle, upright
        window = naive_surf.sample_window(small.gray, *traced.xy, *place[1:]).astype(int)
        samples = window[0, 0], window[0, -1], window[-1, -1], window[-1, 0]
        for (x, y), value in zip(corners, samples):
            left, top = np.clip([np.floor(x), np.floor(y)], 0, [right, bottom]).astype(int)
            near = small.gray[max(0, top - 1) : top + 3, max(0, left - 1) : left + 3]
            assert near.min() <= value <= near.max()
            if upright:
                assert small.gray[top, left] == value
        along = corners[1] - corners[0]
        np.testing.assert_allclose(np.linalg.norm(along), side - 1, atol=1e-3)
        turn = np.radians(float(traced.angle))
        np.testing.assert_allclose(
            along, (side - 1) * np.array([np.cos(turn), np.sin(turn)]), atol=1e-2
        )
        # An upright window lies on whole pixels.
        off = 1.0 if upright else 1e-2
        np.testing.assert_allclose(corners.mean(axis=0), traced.xy, atol=off)


# Laws and errors


def test_following_changes_nothing(small):
    gray, table = small.gray.copy(), small.integral.copy()
    one, other = trace.follow(small, 1), trace.trace(small.gray, SMALL, 1)
    np.testing.assert_array_equal(one.descriptor, other.descriptor)
    np.testing.assert_array_equal(one.orientation.sums, other.orientation.sums)
    np.testing.assert_array_equal(gray, small.gray)
    np.testing.assert_array_equal(table, small.integral)


def test_any_memory_order_is_taken(small):
    for gray in (np.asfortranarray(small.gray), np.repeat(small.gray, 2, 1)[:, ::2]):
        gray.flags.writeable = False
        traced = trace.trace(gray, SMALL, 2)
        np.testing.assert_array_equal(traced.descriptor, small.features.descriptors[2])


def test_a_row_that_is_none_is_named(small):
    for row in (-1, len(small.features)):
        with pytest.raises(ValueError, match=f"keypoint_row must be from 0 to .*, got {row}"):
            trace.follow(small, row)
    with pytest.raises(ValueError, match="no keypoint was found"):
        trace.trace(np.zeros((50, 50), np.uint8), SurfParams(), 0)
    with pytest.raises(ValueError, match="gray must be a uint8"):
        trace.trace(np.zeros((50, 50)), SurfParams(), 0)
    with pytest.raises(ValueError, match="layer 0 is not searched"):
        trace_cells.judge(small.octaves[0], 0, 20, 20, 40.0)


def test_features_of_another_picture_are_refused(small):
    """A trace never ends in another keypoint than the one asked for."""
    import dataclasses

    other = trace.prepare(np.ascontiguousarray(small.gray[:, ::-1]), SMALL)
    mixed = dataclasses.replace(small, features=other.features)
    with pytest.raises(ValueError, match="prepare it again"):
        trace.follow(mixed, 0)


def test_traces_are_the_same_uncompiled():
    code = (
        "import sys; sys.path.insert(0, 'tests');"
        "import numpy as np; from engine import trace; from engine.surf import SurfParams;"
        "from tests.test_trace import GOLDEN;"
        "gray = np.load(GOLDEN / 'noise_two_layers.npz')['gray'][:70, :70].copy();"
        "p = trace.prepare(gray, SurfParams(40.0, 2, 2));"
        "t = [trace.follow(p, row) for row in range(min(3, len(p.features)))];"
        "print([(x.xy.tolist(), float(x.angle), x.cell.newton.step.tolist(),"
        " x.orientation.sums.tolist(), [c.fate for c in x.near]) for x in t])"
    )
    compiled, plain = said(code, compiled=True), said(code, compiled=False)
    assert compiled == plain
    assert len(compiled) > 1000
