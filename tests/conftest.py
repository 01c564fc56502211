"""A folder of small real photographs and one tiny index of it, shared by all tests."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image as Pillow

from engine import aggregate, build, graph, index
from engine.codebook import CodebookParams
from engine.features import ExtractionParams
from engine.index import Index

if TYPE_CHECKING:
    from tests.pages_under_test import NoBuild

pytest.register_assert_rewrite("tests.pages_under_test")

SHARED = Path(__file__).resolve().parents[2] / "shared"
N_TINY_WORDS = 24


def pytest_configure() -> None:
    """Let no test touch the artifacts of whoever runs it, nor fail for being slow."""
    settings.register_profile("visword", deadline=None)
    settings.load_profile("visword")
    os.environ.pop("VISWORD_ARTIFACTS", None)


@pytest.fixture(scope="session")
def photographs() -> dict[str, Pillow.Image]:
    """Small views of photographs that scikit-learn and scikit-image bring with them."""
    import skimage
    import sklearn.datasets

    brought = Path(skimage.__file__).parent / "data"
    more = Path(sklearn.datasets.__file__).parent / "images"
    files = {
        "astronaut": brought / "astronaut.png",
        "chelsea": brought / "chelsea.png",
        "coffee": brought / "coffee.png",
        "rocket": brought / "rocket.jpg",
        "china": more / "china.jpg",
        "flower": more / "flower.jpg",
    }
    result = {}
    for name, path in files.items():
        with Pillow.open(path) as picture:
            picture = picture.convert("RGB")
            picture.thumbnail((320, 320))
            result[name] = picture
    return result


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, photographs: dict[str, Pillow.Image]) -> Path:
    """Each photograph upright and turned, a flat picture, a text file, a broken picture."""
    root = tmp_path_factory.mktemp("pictures")
    (root / "turned").mkdir()
    for name, picture in photographs.items():
        picture.save(root / f"{name}.jpg", quality=92)
        turned = picture.rotate(30, Pillow.Resampling.BICUBIC, expand=True)
        turned.save(root / "turned" / f"{name}.png")
    Pillow.fromarray(np.full((64, 64, 3), 128, np.uint8)).save(root / "flat.png")
    (root / "notes.txt").write_text("not a picture")
    (root / "broken.jpg").write_bytes((root / "china.jpg").read_bytes()[:3000])
    (root / "text.jpg").write_text("a text that calls itself a picture")
    return root


def tiny_params(**changes: object) -> build.BuildParams:
    """Return build parameters that fit a few small pictures."""
    words = CodebookParams(n_words=N_TINY_WORDS, n_samples=3000, n_iterations=5)
    values: dict[str, object] = {"extraction": ExtractionParams(), "codebook": words}
    return build.BuildParams(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    """An artifacts folder that holds the index "tiny"."""
    place = tmp_path_factory.mktemp("artifacts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISWORD_ARTIFACTS", str(place))
        build.build(folder, "tiny", tiny_params(), n_workers=1)
    return place


@pytest.fixture
def tiny(built: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """The tiny index, opened. Do not write to it: see `scratch`."""
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(built))
    return index.open_index("tiny")


@pytest.fixture
def joined(tiny: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """A copy of the tiny index with its graph."""
    folder = tmp_path / "indexes" / "tiny"
    shutil.copytree(tiny.folder, folder)
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(tmp_path))
    graph.make_graph("tiny")
    return index.open_index("tiny")


@pytest.fixture(scope="session")
def whole(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts with "tiny", and all of its parts."""
    place = tmp_path_factory.mktemp("told") / "artifacts"
    shutil.copytree(built, place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISWORD_ARTIFACTS", str(place))
        aggregate.make_residuals("tiny")
        graph.make_graph("tiny")
    return place


@pytest.fixture
def full(whole: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(whole))
    return index.open_index("tiny")


@pytest.fixture
def scratch(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the artifacts with the tiny index, to be written to or damaged."""
    place = tmp_path / "artifacts"
    shutil.copytree(built, place)
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(place))
    return place


@pytest.fixture
def empty_artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An artifacts folder that does not exist yet."""
    place = tmp_path / "none yet"
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(place))
    yield place


@pytest.fixture
def fresh_caches() -> Iterator[None]:
    """Nothing of former pages in Streamlit's caches, nothing of this one in them afterwards."""
    import streamlit as st

    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def no_build(monkeypatch: pytest.MonkeyPatch) -> "NoBuild":
    """What stands where the demo's build stands."""
    from tests.pages_under_test import NoBuild
    from ui import startup

    build = NoBuild()
    monkeypatch.setattr(startup, "DEMO", build)
    return build
