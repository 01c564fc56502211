"""Whatever an index says with right checksums, it is opened only if every number can be used.

Each of these opened once, and then failed with a traceback, or read past an array.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import artifacts, codebook, index, upkeep
from engine.errors import ArtifactError
from engine.signatures import SignatureModel

GOLDEN = Path(__file__).parent / "golden"
Change = Callable[[Any], Any]


@pytest.fixture(params=[artifacts.FORMAT_VERSION, artifacts.LARGE_VERSION])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(tmp_path))
    place = tmp_path / "indexes" / "golden"
    shutil.copytree(GOLDEN / f"index_v{request.param}", place)
    return place


def _manifest(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    manifest = json.loads((folder / artifacts.MANIFEST).read_bytes())
    change(manifest)
    manifest["sha256"] = artifacts.manifest_digest(manifest)
    (folder / artifacts.MANIFEST).write_text(json.dumps(manifest))


def _array(folder: Path, part: str, name: str, change: Change) -> None:
    def put(manifest: dict[str, Any]) -> None:
        arrays = manifest["parts"][part]["arrays"]
        array = change(artifacts.open_array(folder, arrays[name]).copy())
        arrays[name] = artifacts.write_array(folder, f"{part}-{name}".replace("_", "-"), array)

    _manifest(folder, put)


def _catalogue(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    def put(manifest: dict[str, Any]) -> None:
        told = manifest["parts"]["images"]
        held = artifacts.read_json(folder, told["catalogue"])
        change(held)
        told["catalogue"] = artifacts.write_json(folder, "catalogue", held)

    _manifest(folder, put)


def _refused(match: str) -> None:
    with pytest.raises(ArtifactError, match=match):
        index.open_index("golden")
    assert upkeep.verify("golden") != []


def _set(at: Any, value: Any) -> Change:
    def change(array: np.ndarray) -> np.ndarray:
        array[at] = value
        return array

    return change


@pytest.mark.parametrize(
    ("part", "name", "change", "match"),
    [
        ("patches", "rows", _set((0, 0), 149), "patches/rows holds numbers outside"),
        ("patches", "rows", _set((0, 0), -2), "patches/rows holds numbers outside"),
        ("vectors", "document_frequency", _set(0, 4), "document_frequency holds numbers outside"),
        ("vectors", "frequency", _set(0, -1), "frequency holds numbers outside"),
        ("vectors", "norms", _set((0, 0), np.nan), "vectors/norms holds numbers that are not fin"),
        ("graph", "affines", _set((0, 0, 0), np.inf), "graph/affines holds numbers that are not"),
        ("residuals", "image_ids", lambda a: a[::-1], "residuals/image_ids does not rise"),
        ("residuals", "starts", _set(1, 0), "residuals/starts does not"),
        ("residuals", "centres", _set(0, np.nan), "residuals/centres holds numbers that are not"),
        ("words", "counts", lambda a: a.astype(np.int64), "words/counts is of type int64"),
        ("keypoints", "kind", lambda a: a.astype(np.int8), "keypoints/kind is of type int8"),
        ("images", "offsets", lambda a: a.astype(np.float64), "images/offsets is of type float64"),
    ],
)
def test_numbers_that_point_nowhere(
    folder: Path, part: str, name: str, change: Change, match: str
) -> None:
    _array(folder, part, name, change)
    _refused(match)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *((0, value) for value in ("", "/etc/passwd", "../a.png", "a/../../b", "a\0", "\ud800", 3)),
        *((1, value) for value in ("", "x" * 64, None)),
        *((2, value) for value in (0, -1, 2**31, 1.5, "40", True, None)),
        (4, -1),
    ],
)
def test_pictures_that_cannot_be(folder: Path, column: int, value: object) -> None:
    def change(held: dict[str, Any]) -> None:
        held["images"][1][column] = value

    _catalogue(folder, change)
    _refused("its catalogue cannot list")


def test_names_that_are_no_utf8_are_names(folder: Path) -> None:
    def change(held: dict[str, Any]) -> None:
        held["images"][1][0] = "caf\udce9..jpg"

    _catalogue(folder, change)
    assert index.open_index("golden").images[1].shown == "caf�..jpg"


@pytest.mark.parametrize(
    ("keys", "value", "match"),
    [
        (("parts",), [], "names no parts"),
        (("parts", "../x"), {}, "describes no part by '../x'"),
        (("parts", "graph"), 7, "describes no part by 'graph'"),
        (("parts", "graph", "arrays"), [], "does not describe the part graph"),
        (("parts", "graph", "arrays", "starts"), True, "does not describe the part graph"),
        (("parts", "words", "arrays", "counts", "dtype"), ["x"], "of unknown type"),
        (("parts", "images", "parameters", "folder"), "a\0b", "no folder of pictures"),
        (("parts", "codebook", "parameters", "seed"), "x", "CodebookParams.seed cannot be 'x'"),
        (("parts", "codebook", "training", "distortion"), None, "not told in numbers"),
        (("parts", "keypoints", "parameters", "max_side"), "9", "max_side cannot be '9'"),
        (("cpu_seconds",), {"build": "long"}, "does not tell what it cost"),
    ],
)
def test_manifests_that_say_what_cannot_be(
    folder: Path, keys: tuple[str, ...], value: object, match: str
) -> None:
    def change(manifest: dict[str, Any]) -> None:
        at = manifest
        for key in keys[:-1]:
            at = at[key]
        at[keys[-1]] = value

    _manifest(folder, change)
    _refused(match)


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity"])
def test_a_manifest_holds_finite_numbers(folder: Path, number: str) -> None:
    _manifest(folder, lambda manifest: manifest.update(more=float(number)))
    _refused("its checksum does not fit")


def test_words_far_from_unit_length_are_none(folder: Path) -> None:
    """Their squares left float32: with groups, keypoints then got the word -1."""

    def change(manifest: dict[str, Any]) -> None:
        entry = manifest["parts"]["codebook"]
        held = {k: artifacts.open_array(folder, of) for k, of in entry["arrays"].items()}
        centres = held["centres"].copy()
        centres[1:] = -1e38
        entry["arrays"]["centres"] = artifacts.write_array(folder, "centres", centres)
        model = SignatureModel(held["projection"], held["medians"], False)
        groups = None
        if "heads" in held:
            groups = codebook.Groups(held["heads"], held["group_starts"])
        entry["digest"] = codebook.digest_of(centres, model, groups)

    _manifest(folder, change)
    _refused("holds words that are none")


def test_residuals_of_other_parameters_are_told(folder: Path) -> None:
    """Loops took the number of frequencies from the parameters, and read past the arrays."""
    from engine import residuals

    def change(manifest: dict[str, Any]) -> None:
        manifest["parts"]["residuals"]["parameters"]["n_frequencies"] = 0

    _manifest(folder, change)
    with pytest.raises(ArtifactError, match=r"residuals .* do not fit"):
        residuals.open_residuals(index.open_index("golden"))
