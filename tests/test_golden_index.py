"""An index of each present format, written once, opens and answers as it did then."""

import shutil
from pathlib import Path

import pytest

from engine import artifacts, index, methods, pipeline, upkeep
from engine.errors import ArtifactError

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = (artifacts.FORMAT_VERSION, artifacts.LARGE_VERSION)


@pytest.fixture(params=VERSIONS)
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(tmp_path))
    place = tmp_path / "indexes" / "golden"
    shutil.copytree(GOLDEN / f"index_v{request.param}", place)
    return place


def _rewrite(folder: Path, parameters: dict[str, str]) -> None:
    manifest = artifacts.read_manifest(folder, "index", "")
    manifest["parts"]["vectors"]["parameters"] = parameters
    told = {k: v for k, v in manifest.items() if k not in ("kind", "format_version", "sha256")}
    artifacts.write_manifest(folder, "index", told, manifest["format_version"])


def test_it_opens_and_every_checksum_fits(folder: Path) -> None:
    opened = index.open_index("golden")
    version = opened.manifest["format_version"]
    assert [entry.path for entry in opened.images] == ["a.png", "b.png", "c.png"]
    n_words = {artifacts.FORMAT_VERSION: 8, artifacts.LARGE_VERSION: 24}[version]
    assert (opened.n_keypoints, opened.n_words, opened.method) == (149, n_words, "verified")
    assert opened.patches(0).shape[1:] == (32, 32, 3)
    assert upkeep.verify("golden") == []


@pytest.mark.parametrize("method", methods.METHODS)
def test_a_picture_on_its_side_is_found_by_what_is_stored(folder: Path, method: str) -> None:
    ranking = pipeline.search_stored(index.open_index("golden"), 0, method).ranking
    assert ranking.image_ids.tolist() == [1, 2]
    assert ranking.scores[0] > ranking.scores[1]


def test_the_method_was_once_called_weighting(folder: Path) -> None:
    _rewrite(folder, {"weighting": "count"})
    assert index.open_index("golden").method == "count"


def test_an_unknown_method_is_told(folder: Path) -> None:
    _rewrite(folder, {"method": "bm25"})
    with pytest.raises(ArtifactError, match=r"golden.*method must be one of"):
        index.open_index("golden")
