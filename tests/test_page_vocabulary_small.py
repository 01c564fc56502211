"""The vocabulary page of the smallest collection there can be: one picture, two words."""

import time
from pathlib import Path

import pytest
from PIL import Image as Pillow

from engine import build, index
from engine.codebook import CodebookParams
from engine.index import Index
from tests.conftest import tiny_params
from tests.pages_under_test import sentences, visit, well
from ui import jobs
from ui.vocabulary import view

pytestmark = pytest.mark.usefixtures("fresh_caches", "no_build")


@pytest.fixture(scope="module")
def place(photographs: dict[str, Pillow.Image], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("small")
    (place / "pictures").mkdir()
    photographs["china"].resize((160, 120)).save(place / "pictures" / "one.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISWORD_ARTIFACTS", str(place / "artifacts"))
        params = tiny_params(codebook=CodebookParams(n_words=2))
        build.build(place / "pictures", "small", params, n_workers=1)
    return place / "artifacts"


@pytest.fixture
def small(place: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(place))
    return index.open_index("small")


@pytest.mark.parametrize("colour", view.COLOURINGS)
def test_two_words_of_one_picture_are_mapped(small: Index, colour: str) -> None:
    well(visit("vocabulary", colour=colour, query="image-0"))


@pytest.mark.parametrize(
    "address",
    [
        {"word": "0"},
        {"area": "near-0-1"},
        {"area": "near-0-500"},
        {"area": "near-77-3"},
        {"area": "box-0-1000-0-1000"},
        {"part": "search"},
        {"part": "search", "query": "image-0"},
        {"part": "search", "words": "0-1"},
        {"part": "search", "words": "77"},
        {"part": "compare"},
        {"part": "compare", "beside": "small"},
        {"part": "quality"},
        {"sort": "spread"},
        {"sort": "idf", "between": "0-0"},
    ],
    ids=str,
)
def test_every_part_of_the_page_stands_with_two_words(
    small: Index, address: dict[str, str]
) -> None:
    well(visit("vocabulary", **address))


@pytest.mark.parametrize(("part", "key"), [("quality", "learn-sizes"), ("compare", "learn-again")])
def test_two_words_are_learned_again_and_other_sizes_of_them(
    small: Index, monkeypatch: pytest.MonkeyPatch, part: str, key: str
) -> None:
    monkeypatch.setattr(jobs, "JOBS", jobs.Jobs())
    at = well(visit("vocabulary", part=part))
    at = well(at.button(key=key).click().run())
    end = time.monotonic() + 60
    while any(button.label == "Stop" for button in at.button) and time.monotonic() < end:
        time.sleep(0.1)
        at = well(at.run())
    assert not at.error, [one.value for one in at.error]
    assert ("Where the two lines part" if part == "quality" else "counterpart in all") in sentences(
        at
    )
