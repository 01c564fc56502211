"""A damaged index is mended from the rest of it, or from its pictures."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from engine import artifacts, cli, index, repair, upkeep
from engine.errors import ArtifactError, BuildError
from tests.torture import subjects


@pytest.fixture(scope="session")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts with two tiny indexes that have every part."""
    place = tmp_path_factory.mktemp("repair") / "artifacts"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISWORD_ARTIFACTS", str(place))
        subjects.make(place)
    return place


@pytest.fixture
def place(discs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copied = tmp_path / "artifacts"
    shutil.copytree(discs, copied)
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(copied))
    return copied


def _pictures(name: str, folder: Path) -> None:
    """Let an index look for its pictures in a folder."""
    held = index.index_folder(name)
    manifest = artifacts.read_manifest(held, "index", "")
    manifest["parts"]["images"]["parameters"]["folder"] = str(folder)
    told = {k: v for k, v in manifest.items() if k not in ("kind", "format_version", "sha256")}
    artifacts.write_manifest(held, "index", told, manifest["format_version"])


def _break(name: str, part: str) -> None:
    """Flip a bit of the first array of a part."""
    opened = index.open_index(name)
    (entry, *_) = opened.manifest["parts"][part]["arrays"].values()
    path = opened.folder / entry["file"]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert upkeep.verify(name) != []


def _arrays(name: str, *parts: str) -> dict[str, np.ndarray]:
    opened = index.open_index(name)
    chosen = parts or opened.parts
    return {f"{p}/{k}": v.copy() for p in chosen for k, v in opened.parts[p].items()}


def test_an_index_that_is_well_is_left_as_it_is(place: Path) -> None:
    before = index.stamp("small")
    assert repair.repair("small") == repair.Mended((), ())
    assert index.stamp("small") == before


@pytest.mark.parametrize("part", ["graph", "residuals", "map"])
def test_what_follows_from_the_rest_is_computed_again(place: Path, part: str) -> None:
    before = _arrays("small", part)
    _break("small", part)
    shutil.rmtree(place / "pictures")  # they are not needed
    mended = repair.repair("small")
    assert mended == repair.Mended((f"the part {part}, from the others",), ())
    assert upkeep.verify("small") == []
    for name, array in _arrays("small", part).items():
        np.testing.assert_array_equal(array, before[name])


def test_vectors_of_a_model_are_told_as_lost(place: Path) -> None:
    (part,) = [p for p in index.open_index("small").parts if p.startswith("embedding-")]
    _break("small", part)
    (lost,) = repair.repair("small").lost
    assert lost.startswith(f"the part {part}. Make it anew: python -m engine embed small")
    assert upkeep.verify("small") == []


@pytest.mark.parametrize("part", ["keypoints", "words", "signatures", "vectors", "patches"])
def test_pictures_are_read_again_and_give_what_they_gave(place: Path, part: str) -> None:
    parts = ("keypoints", "codebook", "words", "signatures", "vectors", "patches", "graph")
    before = _arrays("small", *parts)
    _pictures("small", place / "pictures")
    _break("small", part)
    mended = repair.repair("small", n_workers=1)
    assert upkeep.verify("small") == []
    assert mended.made[0].startswith("the index, from 3 pictures")
    assert {lost.split(".")[0] for lost in mended.lost} == {
        "the part calibration",
        "the part embedding-vgg16-fc1",
    }
    for name, array in _arrays("small", *parts).items():
        np.testing.assert_array_equal(array, before[name], name)
    assert not list((place / "codebooks").glob("repair-*"))


def test_words_come_back_from_the_codebook_that_the_build_kept(place: Path) -> None:
    _pictures("small", place / "pictures")
    before = index.open_index("small").codebook.sha256
    _break("small", "codebook")
    assert not any("words" in lost for lost in repair.repair("small", n_workers=1).lost)
    assert index.open_index("small").codebook.sha256 == before


def test_words_that_are_nowhere_are_learned_anew_and_told_as_lost(place: Path) -> None:
    _pictures("small", place / "pictures")
    shutil.rmtree(place / "codebooks")
    _break("small", "codebook")
    (lost, *_) = repair.repair("small", n_workers=1).lost
    assert lost.startswith("its words: new ones were learned")
    assert upkeep.verify("small") == []


def test_pictures_that_are_gone_or_changed_are_told(place: Path) -> None:
    pictures = place / "pictures"
    _pictures("small", pictures)
    (pictures / "c.png").unlink()
    shutil.copy(pictures / "a.png", pictures / "b.png")
    _break("small", "keypoints")
    lost = repair.repair("small", n_workers=1).lost
    assert "c.png: its file is gone" in lost
    assert "b.png: its file has changed, and was taken as it is now" in lost


def test_without_pictures_the_index_stays_as_it_is(place: Path) -> None:
    _pictures("small", place / "nowhere")
    _break("small", "keypoints")
    before = sorted(path.name for path in index.index_folder("small").iterdir())
    with pytest.raises(BuildError, match="does not exist"):
        repair.repair("small", n_workers=1)
    assert sorted(path.name for path in index.index_folder("small").iterdir()) == before


def test_without_its_manifest_the_message_names_the_words(place: Path) -> None:
    (index.index_folder("small") / artifacts.MANIFEST).write_text("{")
    with pytest.raises(ArtifactError, match="Its words are still kept: add --codebook small"):
        repair.repair("small")


def test_the_command_says_what_it_did(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", "small", "--repair"]) == 0
    assert capsys.readouterr().out == "small: all well\n"
    _break("small", "graph")
    assert cli.main(["verify", "small"]) == 1
    assert cli.main(["verify", "small", "--repair"]) == 0
    told = capsys.readouterr().out
    assert "made anew: the part graph, from the others\n" in told
    assert told.endswith("small: all well\n")
