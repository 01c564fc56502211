"""Each kind of features is whole in itself, says what it is, and never mixes with another."""

import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engine import (
    artifacts,
    build,
    cli,
    codebook,
    features,
    images,
    index,
    packing,
    patches,
    pipeline,
    sift,
    signatures,
    surf,
    upkeep,
)
from engine.errors import ArtifactError, BuildError
from engine.features import KINDS, ExtractionParams
from engine.sift import SiftParams
from engine.surf import SurfParams
from tests.conftest import tiny_params

SETTINGS = {
    "surf": ExtractionParams(),
    "root-surf": ExtractionParams(kind="root-surf"),
    "rootsift": ExtractionParams(kind="rootsift"),
    "upright": ExtractionParams(SurfParams(upright=True)),
    "short root-surf": ExtractionParams(SurfParams(extended=False), kind="root-surf"),
    "small rootsift": ExtractionParams(kind="rootsift", max_side=200),
    "large surf": ExtractionParams(min_side=480),
}
every_setting = pytest.mark.parametrize("params", SETTINGS.values(), ids=SETTINGS)
OLD_JSON = {
    "feature": "surf",
    "surf": {
        "hessian_threshold": 400.0,
        "n_octaves": 4,
        "n_octave_layers": 3,
        "extended": True,
        "upright": False,
    },
    "max_side": None,
}


@pytest.fixture(scope="module")
def gray(photographs: dict[str, Any]) -> NDArray[np.uint8]:
    return np.asarray(photographs["coffee"].convert("L"))


def naive_root(row: NDArray[np.float32]) -> list[float]:
    total = sum(abs(float(x)) for x in row)
    return [np.sign(x) * (abs(float(x)) / total) ** 0.5 if total else 0.0 for x in row]


# What is found


@every_setting
def test_features_are_whole(gray: NDArray[np.uint8], params: ExtractionParams) -> None:
    found = features.extract(gray, params)
    n = len(found)
    assert n > 50
    assert found.xy.shape == (n, 2)
    assert found.descriptors.shape == (n, params.n_dimensions)
    floats = (found.xy, found.size, found.angle, found.response, found.descriptors)
    assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in floats)
    for array in (found.size, found.angle, found.response, found.octave, found.class_id):
        assert array.shape == (n,)
    assert found.octave.dtype == found.class_id.dtype == np.int32
    assert np.all((found.xy >= -0.5) & (found.xy <= np.array(gray.shape[::-1]) - 0.5))
    assert found.size.min() > 0
    assert 0 <= found.angle.min() <= found.angle.max() <= 360
    assert np.all(np.diff(found.response) <= 0), "strongest first"
    assert found.octave.min() >= 0
    assert found.response.min() >= params.least_response == pytest.approx(400)
    assert set(found.class_id.tolist()) <= {-1, 0, 1}
    np.testing.assert_allclose(np.linalg.norm(found.descriptors, axis=1), 1, atol=1e-5)


@every_setting
def test_the_same_picture_gives_the_same_features(
    gray: NDArray[np.uint8], params: ExtractionParams
) -> None:
    first = features.extract(gray, params)
    for n_threads in (1, 2):
        again = features.extract(gray, params, n_threads)
        for field in dataclasses.fields(first):
            before, after = getattr(first, field.name), getattr(again, field.name)
            np.testing.assert_array_equal(before, after, field.name)


@every_setting
def test_keypoints_survive_packing(gray: NDArray[np.uint8], params: ExtractionParams) -> None:
    found = features.extract(gray, params)
    height, width = gray.shape
    back = packing.unpack(packing.pack(found, width, height), width, height)
    np.testing.assert_array_equal(back.octave, found.octave)
    np.testing.assert_array_equal(back.class_id, found.class_id)
    np.testing.assert_allclose(back.response, found.response, rtol=0.04)
    np.testing.assert_allclose(back.size, found.size, rtol=1e-4)
    # A SIFT of contrasts as they come, 0.01 to 0.1, would be one step.
    assert len(np.unique(back.response)) > 10


@every_setting
def test_flat_and_tiny_pictures_have_no_keypoints(params: ExtractionParams) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (4, 4)).astype(np.uint8)
    flat = np.full((90, 70), 128, np.uint8)
    for some in (flat, flat[:1, :1], flat[:1], noise, noise[:1], noise[:, :2]):
        found = features.extract(some, params)
        assert len(found) == 0
        assert found.xy.shape == (0, 2)
        assert found.descriptors.shape == (0, params.n_dimensions)
        assert found.descriptors.dtype == np.float32


def test_root_surf_is_surf_with_roots(gray: NDArray[np.uint8]) -> None:
    plain = features.extract(gray, ExtractionParams())
    rooted = features.extract(gray, ExtractionParams(kind="root-surf"))
    for field in dataclasses.fields(plain)[:-1]:
        np.testing.assert_array_equal(getattr(plain, field.name), getattr(rooted, field.name))
    for row, expected in zip(rooted.descriptors[:40], plain.descriptors):
        np.testing.assert_allclose(row, naive_root(expected), atol=1e-6)


def test_surf_is_what_it_was(gray: NDArray[np.uint8]) -> None:
    here, there = features.extract(gray, ExtractionParams()), surf.extract(gray)
    for field in dataclasses.fields(here):
        np.testing.assert_array_equal(getattr(here, field.name), getattr(there, field.name))


def test_rootsift_is_opencvs_sift_with_roots(gray: NDArray[np.uint8]) -> None:
    theirs = cv2.SIFT_create(0, 3, 0.04, 10.0, 1.6, enable_precise_upscale=True)
    points, described = theirs.detectAndCompute(gray, None)
    found = features.extract(gray, ExtractionParams(kind="rootsift"))
    assert len(found) == len(points)
    order = sorted(range(len(points)), key=lambda i: -points[i].response)
    for row, i in enumerate(order[:60]):
        point = points[i]
        assert tuple(found.xy[row]) == pytest.approx(point.pt)
        assert found.size[row] == pytest.approx(point.size * 6 / 2.8)
        assert found.angle[row] == pytest.approx(point.angle)
        assert found.response[row] == pytest.approx(point.response * 30_000)
        low = point.octave & 255
        assert found.octave[row] == (low - 256 if low > 127 else low) + 1
        np.testing.assert_allclose(found.descriptors[row], naive_root(described[i]), atol=1e-6)
    assert found.response[-1] > 400
    assert found.octave.min() == 0


def test_directions_and_windows_mean_the_same_for_every_kind(gray: NDArray[np.uint8]) -> None:
    """Patches are cut with each keypoint's direction to the right: there it gets brighter."""
    for kind in KINDS:
        found = features.extract(gray, ExtractionParams(kind=kind))
        some = slice(None, 200)
        cut = patches.cut(gray, found.xy[some], found.size[some], found.angle[some], 24)
        middle = cut[:, 6:18, 6:18].astype(float)
        rising = np.diff(middle, axis=2).mean()
        # About nothing if angles ran the other way.
        assert rising > 0.5 * np.abs(np.diff(middle, axis=2).mean((1, 2))).mean(), kind


def test_sift_was_a_quarter_of_a_pixel_off() -> None:
    """OpenCV's way unless it is asked to double pictures precisely."""
    y, x = np.mgrid[:61, :71]
    blob = 255 * np.exp(-((x - 40) ** 2 + (y - 30) ** 2) / (2 * 4**2))
    found = features.extract(blob.astype(np.uint8), ExtractionParams(kind="rootsift"))
    assert len(found) > 0
    np.testing.assert_allclose(found.xy, np.tile([40, 30], (len(found), 1)), atol=0.01)  # pixels


def test_a_turned_picture_has_the_same_sift_patches(gray: NDArray[np.uint8]) -> None:
    params = ExtractionParams(kind="rootsift")
    turned = np.ascontiguousarray(np.rot90(gray))
    one, two = features.extract(gray, params), features.extract(turned, params)
    # (x, y) goes to (y, W - 1 - x).
    there = np.stack((one.xy[:, 1], gray.shape[1] - 1 - one.xy[:, 0]), 1)
    away = np.linalg.norm(there[:, None] - two.xy[None], axis=2) + 100 * (
        np.abs(np.log(one.size[:, None] / two.size[None])) > 0.01
    )
    turn = (one.angle[:, None] - two.angle[None]) % 360
    away += 100 * (np.abs(turn - 90) > 3)
    near = away.argmin(1)
    same = np.flatnonzero(away.min(1) < 0.1)[:100]
    assert len(same) == 100
    first = patches.cut(gray, one.xy[same], one.size[same], one.angle[same])
    second = patches.cut(turned, two.xy[near[same]], two.size[near[same]], two.angle[near[same]])
    assert np.median(np.abs(first.astype(int) - second)) <= 2  # grey levels


def test_patches_of_upright_keypoints_lay_on_their_side() -> None:
    angles = np.full(3, 270, np.float32)
    assert not ExtractionParams(SurfParams(upright=True)).patch_angles(angles).any()
    np.testing.assert_array_equal(ExtractionParams().patch_angles(angles), angles)


def test_large_pictures_are_shrunk_for_sift(gray: NDArray[np.uint8]) -> None:
    small = SiftParams(max_pixels=20_000)
    found = features.extract(gray, ExtractionParams(kind="rootsift", sift=small))
    longest = int(max(gray.shape) * np.sqrt(20_000 / gray.size))
    shrunk = images.shrink(gray, longest)
    assert 0.95 * 20_000 < shrunk.size < 1.01 * 20_000
    inside = sift.extract(shrunk)
    assert 0 < len(found) == len(inside)
    np.testing.assert_allclose(found.size / inside.size, max(gray.shape) / longest, rtol=0.01)
    assert found.xy.max() > max(shrunk.shape), "in the original's pixels"


@pytest.mark.parametrize("kind", KINDS)
def test_small_pictures_are_enlarged_when_asked(gray: NDArray[np.uint8], kind: str) -> None:
    small = images.shrink(gray, 120)
    as_it_is = features.extract(small, ExtractionParams(kind=kind))
    enlarged = features.extract(small, ExtractionParams(kind=kind, min_side=240))
    assert len(enlarged) > 1.5 * len(as_it_is)
    assert enlarged.xy.max() <= 119.5, "in the original's pixels"
    # The stronger ones that were found before are found again, in place.
    strong = as_it_is.xy[as_it_is.size > 12]
    assert len(strong) > 5
    away = np.linalg.norm(strong[:, None] - enlarged.xy[None], axis=2).min(axis=1)
    assert np.median(away) < 0.8  # pixels; by chance about 3
    # A picture that is large enough stays as it is.
    whole = features.extract(gray, ExtractionParams(kind=kind, min_side=int(max(gray.shape))))
    np.testing.assert_array_equal(
        whole.descriptors, features.extract(gray, ExtractionParams(kind=kind)).descriptors
    )


def test_an_icon_is_enlarged_fourfold_at_most() -> None:
    icon = np.random.default_rng(1).integers(0, 256, (20, 30)).astype(np.uint8)
    far = features.extract(icon, ExtractionParams(min_side=2000))
    near = features.extract(icon, ExtractionParams(min_side=120))
    assert len(far) > 0
    np.testing.assert_array_equal(far.xy, near.xy)
    for shape in ((1, 1), (1, 9), (9, 1)):
        found = features.extract(np.zeros(shape, np.uint8), ExtractionParams(min_side=400))
        assert len(found) == 0


@pytest.mark.parametrize(("least", "most"), [(0, None), (2001, None), (300, 200), (3000, 2500)])
def test_sizes_that_contradict_each_other_are_refused(least: int, most: int | None) -> None:
    with pytest.raises(ValueError, match="min_side must be from 1 pixel to"):
        ExtractionParams(min_side=least, max_side=most)
    ExtractionParams(min_side=2000, max_side=2000)


# What it says it is


@every_setting
def test_parameters_come_back_from_json(params: ExtractionParams) -> None:
    written = json.loads(json.dumps(params.to_json()))
    assert ExtractionParams.from_json(written) == params
    for wrong in ({"kind": "surf"}, {"scales": [1, 2]}, {"surf": None}, {"sift": None}):
        with pytest.raises(ValueError):
            ExtractionParams.from_json(written | wrong)
    own = "surf" if params.uses_surf else "sift"
    with pytest.raises(ValueError, match="do not fit"):
        ExtractionParams.from_json(written | {own: written[own] | {"sharpness": 1}})
    with pytest.raises(ValueError, match="do not fit"):
        ExtractionParams.from_json({k: v for k, v in written.items() if k != own})
    with pytest.raises(ValueError, match=r"unknown feature 'orb'; there are surf, root-surf"):
        ExtractionParams.from_json(written | {"feature": "orb"})


def test_what_was_written_before_there_were_kinds_is_surf() -> None:
    assert ExtractionParams.from_json(OLD_JSON) == ExtractionParams()
    assert ExtractionParams().to_json() == OLD_JSON, "and older programs read what is written now"


def test_each_kind_takes_its_own_parameters_alone() -> None:
    with pytest.raises(ValueError, match="RootSIFT takes no parameters of SURF"):
        ExtractionParams(SurfParams(hessian_threshold=3000), kind="rootsift")
    for kind in ("surf", "root-surf"):
        with pytest.raises(ValueError, match="takes no parameters of SIFT"):
            ExtractionParams(kind=kind, sift=SiftParams(sigma=1.2))
    with pytest.raises(ValueError, match="unknown feature 'sift'"):
        ExtractionParams(kind="sift")


@pytest.mark.parametrize(
    "wrong",
    [
        {"contrast_threshold": -0.1},
        {"contrast_threshold": float("nan")},
        {"edge_threshold": 0.0},
        {"sigma": 0.4},
        {"sigma": float("inf")},
        {"n_octave_layers": 0},
        {"n_octave_layers": 3.0},
        {"max_pixels": True},
    ],
)
def test_parameters_of_sift_without_meaning_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SiftParams(**wrong)


# Roots are taken once


def test_rooted_descriptors_are_not_rooted_again(gray: NDArray[np.uint8]) -> None:
    """Signatures take roots; of features that come rooted they are the same bits, not others."""
    plain = features.extract(gray, ExtractionParams()).descriptors
    rooted = features.extract(gray, ExtractionParams(kind="root-surf")).descriptors
    words = np.zeros(len(plain), np.int32)
    of_plain = signatures.learn(plain, words, 1, seed=0)
    of_rooted = signatures.learn(rooted, words, 1, seed=0, rooted=True)
    np.testing.assert_array_equal(of_plain.medians, of_rooted.medians)
    np.testing.assert_array_equal(
        signatures.sign(plain, words, of_plain), signatures.sign(rooted, words, of_rooted)
    )
    twice = signatures.sign(rooted, words, of_plain)
    assert not np.array_equal(twice, signatures.sign(rooted, words, of_rooted))


@pytest.mark.parametrize("kind", KINDS)
def test_a_codebook_knows_whether_its_descriptors_come_rooted(
    kind: str, empty_artifacts: Path
) -> None:
    random = np.random.default_rng(0)
    rows = random.standard_normal((200, 128)).astype(np.float32)
    params = codebook.CodebookParams(4, n_iterations=2)
    learned = codebook.train(rows, params, ExtractionParams(kind=kind), 1)
    codebook.save_codebook(learned, "kept")
    opened = codebook.open_codebook("kept")
    assert learned.signatures.rooted is opened.signatures.rooted is (kind != "surf")
    assert opened.extraction.kind == kind
    words = np.zeros(200, np.int32)
    np.testing.assert_array_equal(
        signatures.sign(rows, words, learned.signatures),
        signatures.sign(rows, words, opened.signatures),
    )


# From a folder to an answer


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    """An artifacts folder with one index of every setting."""
    place = tmp_path_factory.mktemp("kinds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISWORD_ARTIFACTS", str(place))
        for name, params in SETTINGS.items():
            plain = name.replace(" ", "-")
            build.build(folder, plain, tiny_params(extraction=params), n_workers=1)
    return place


@pytest.mark.parametrize("name", SETTINGS)
def test_a_collection_of_each_kind_is_searched_with_its_own(
    name: str, kinds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(kinds))
    plain, params = name.replace(" ", "-"), SETTINGS[name]
    opened = index.open_index(plain)
    assert opened.extraction == opened.codebook.extraction == params
    assert upkeep.verify(plain) == []
    places = 0
    for picture in ("astronaut", "chelsea", "china", "coffee"):
        image = images.read(opened.root / f"{picture}.jpg")
        query = pipeline.describe_query(opened, image)
        assert query.features.descriptors.shape[1] == params.n_dimensions
        answer = pipeline.search_query(opened, query, None, None)
        order = answer.ranking.image_ids.tolist()
        places += order.index(opened.find_image(f"turned/{picture}.png"))
        image_id = opened.find_image(f"{picture}.jpg")
        assert image_id is not None
        inside = pipeline.search_image(opened, image_id, None, None)
        np.testing.assert_array_equal(inside.ranking.image_ids, answer.ranking.image_ids)
        # Signatures of the picture again are those that the index keeps.
        by_word = np.argsort(query.words.word_ids, kind="stable")
        model = opened.codebook.signatures
        bits = signatures.sign(query.features.descriptors, query.words.word_ids, model)[by_word]
        rows = slice(opened.offsets[image_id], opened.offsets[image_id + 1])
        differing = np.unpackbits((bits ^ opened.signatures[rows]).view(np.uint8))
        assert differing.sum() <= 1e-3 * len(differing)
    assert places <= 6, "of 44; by chance 22"
    flat = pipeline.describe_query(opened, images.read(opened.root / "flat.png"))
    assert pipeline.search_query(opened, flat).ranking.scores.tolist() == [0, 0, 0, 0]


def test_indexes_of_plain_and_root_surf_differ_in_words_alone(
    kinds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(kinds))
    plain, rooted = index.open_index("surf"), index.open_index("root-surf")
    np.testing.assert_array_equal(plain.offsets, rooted.offsets)
    assert plain.codebook.sha256 != rooted.codebook.sha256


def test_an_index_of_rootsift_has_no_surf_to_move(
    kinds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(kinds))
    opened = index.open_index("rootsift")
    image = images.read(opened.root / "china.jpg")
    same = pipeline.describe_query(opened, image, opened.surf)
    np.testing.assert_array_equal(
        same.features.xy, pipeline.describe_query(opened, image).features.xy
    )
    with pytest.raises(ValueError, match="RootSIFT takes no parameters of SURF"):
        pipeline.describe_query(opened, image, SurfParams(hessian_threshold=3000))


@pytest.mark.parametrize("theirs", KINDS)
@pytest.mark.parametrize("ours", KINDS)
def test_words_of_another_kind_are_refused(
    theirs: str, ours: str, kinds: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if theirs == ours:
        return
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(kinds))
    params = tiny_params(extraction=ExtractionParams(kind=ours), codebook_name=theirs)
    with pytest.raises(BuildError, match="never mix") as caught:
        build.build(folder, "mixed", params, n_workers=1)
    told = str(caught.value)
    assert f"words of {KINDS[theirs]}" in told
    assert f"{KINDS[ours]} was asked for" in told
    assert f"--features {theirs}" in told
    assert index.stamp("mixed") == ""


def test_an_index_whose_words_are_of_another_kind_does_not_open(scratch: Path, kinds: Path) -> None:
    folder = scratch / "indexes" / "tiny"
    manifest = artifacts.read_manifest(folder, "index", "")
    content = copy.deepcopy(
        {k: v for k, v in manifest.items() if k not in ("kind", "format_version", "sha256")}
    )
    content["parts"]["codebook"]["extraction"]["feature"] = "root-surf"
    artifacts.write_manifest(folder, "index", content)
    with pytest.raises(ArtifactError, match="words of other features"):
        index.open_index("tiny")


def test_an_index_of_before_opens_as_surf(scratch: Path) -> None:
    """Then the manifest's note on the build had neither a kind nor SIFT's parameters."""
    folder = scratch / "indexes" / "tiny"
    manifest = artifacts.read_manifest(folder, "index", "")
    assert manifest["parts"]["keypoints"]["parameters"] == OLD_JSON
    assert manifest["parts"]["codebook"]["extraction"] == OLD_JSON
    content = {k: v for k, v in manifest.items() if k not in ("kind", "format_version", "sha256")}
    content["build"]["extraction"] = {"surf": OLD_JSON["surf"], "max_side": None}
    artifacts.write_manifest(folder, "index", content)
    assert index.open_index("tiny").extraction == ExtractionParams()
    assert upkeep.verify("tiny") == []


# On the command line


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_line_builds_and_tells_each_kind(
    kind: str,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(tmp_path))
    asked = ["build", str(folder / "turned"), "--name", "k", "--words", "8", "--samples", "500"]
    assert cli.main([*asked, "--features", kind, "--workers", "1"]) == 0
    assert f"\n  {KINDS[kind]:<12} " in capsys.readouterr().out
    assert index.open_index("k").extraction.kind == kind
    assert cli.main(["info", "k", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["extraction"]["feature"] == kind


def test_sift_with_surfs_options_is_a_wrong_call(
    empty_artifacts: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["build", str(folder), "--name", "k", "--features", "rootsift", "--threshold", "3000"]
    assert cli.main(asked) == 2
    assert "RootSIFT takes no parameters of SURF: no threshold" in capsys.readouterr().err
