"""The inspect page: keypoints of a picture, their words, and what the settings do."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.testclient import TestClient

from engine import build, images, pipeline
from engine.features import ExtractionParams
from engine.index import Index
from engine.surf import SurfParams
from tests.conftest import tiny_params
from tests.pages_under_test import component, sentences, visit, well
from ui import keypoints, routes
from ui.uploads import STORE

pytestmark = pytest.mark.usefixtures("fresh_caches", "no_build")


def fetched(address: str) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Fetch keypoints as the viewer does: x, y, size, angle, response, word; and colours."""
    with TestClient(Starlette(routes=routes.all_routes())) as client:
        data = client.get(address).raise_for_status().content
    count = len(data) // keypoints.N_BYTES
    numbers = np.frombuffer(data, "<f4", count * 6).reshape(count, 6)
    return numbers, np.frombuffer(data, np.uint8, offset=count * 24).reshape(count, 3)


@pytest.mark.parametrize("word", [None, 3])
def test_inspect_shows_the_keypoints_of_a_picture(tiny: Index, word: int | None) -> None:
    image_id = tiny.find_image("coffee.jpg")
    assert image_id is not None
    more = {} if word is None else {"word": str(word)}
    at = well(visit("inspect", query=f"image-{image_id}", **more))
    shown = component(at, "picture")
    numbers, _ = fetched(shown["points"])
    assert shown["lit"] == word
    described = pipeline.describe_query(tiny, images.read(tiny.picture_path(image_id)))
    assert np.array_equal(numbers[:, 5], described.words.word_ids)
    assert np.array_equal(numbers[:, :2], described.features.xy)
    assert (shown["width"], shown["height"]) == (
        tiny.images[image_id].width,
        tiny.images[image_id].height,
    )
    if word is not None:
        assert f"Word {word}" in sentences(at)


def test_a_higher_threshold_leaves_fewer_keypoints(tiny: Index) -> None:
    at = well(visit("inspect", query="image-0"))
    before = len(fetched(component(at, "picture")["points"])[0])
    well(at.slider(key="threshold-tiny").set_value(5000).run())
    after = len(fetched(component(at, "picture")["points"])[0])
    assert 0 < after < before


def test_the_number_of_keypoints_shown_follows_the_threshold(tiny: Index) -> None:
    """A slider that keeps its place while its range shrinks would stand outside of it."""
    at = well(visit("inspect", query=f"image-{tiny.find_image('turned/coffee.png')}"))
    at = well(at.slider(key="threshold-tiny").set_value(0).run())
    many = next(s for s in at.slider if s.label.startswith("Keypoints shown"))
    at = well(many.set_value(many.max).run())
    at = well(at.slider(key="threshold-tiny").set_value(100).run())
    fewer = next(s for s in at.slider if s.label.startswith("Keypoints shown"))
    assert fewer.value <= fewer.max < many.max


def test_every_selection_sent_all_keypoints_again(tiny: Index) -> None:
    """Now they are fetched by their address, which a selection leaves as it is."""
    given = component(well(visit("inspect", query="image-0")), "picture")
    given.pop("texts")  # always the same
    few = json.dumps(given)
    lit = component(well(visit("inspect", query="image-0", word="3")), "picture")
    assert lit["points"] == json.loads(few)["points"]
    assert len(few) < 600


@pytest.mark.parametrize("colouring", ["word", "response", "sign"])
def test_keypoints_are_coloured(tiny: Index, colouring: str) -> None:
    at = visit("inspect", query="image-0")
    well(at.selectbox(key="colouring").select(colouring).run())
    address = component(at, "picture")["points"]
    assert f"colour={colouring}" in address
    numbers, colours = fetched(address)
    assert colours.shape == (len(numbers), 3)
    assert len(np.unique(colours, axis=0)) > 1


def test_the_histogram_can_be_summed_otherwise(tiny: Index) -> None:
    at = visit("inspect", query="image-0", word="3")
    well(at.segmented_control(key="summed").set_value("tf-idf").run())
    well(at.toggle(key="with_mean").set_value(True).run())


def test_a_picture_without_keypoints_had_a_histogram_of_millionths(tiny: Index) -> None:
    at = well(visit("inspect", query=f"image-{tiny.find_image('flat.png')}"))
    assert "Histogram of words" not in sentences(at)


def test_a_word_out_of_range_leaves_inspect_as_it_is(tiny: Index) -> None:
    at = well(visit("inspect", query="image-0", word="999999999"))
    assert component(at, "picture")["lit"] is None


# Other features than plain SURF


def _rebuild(folder: Path, **extraction: Any) -> Index:
    params = tiny_params(extraction=ExtractionParams(**extraction))
    return build.build(folder, "tiny", params, n_workers=1, overwrite=True)


@pytest.mark.parametrize("page", ["search", "inspect"])
def test_pages_name_the_features_that_they_show(scratch: Path, folder: Path, page: str) -> None:
    shown = _rebuild(folder, kind="root-surf")
    token = STORE.keep("a view.jpg", (folder / "coffee.jpg").read_bytes())
    at = well(visit(page, query=f"upload-{token}"))
    assert "root SURF 0" in sentences(at) or "root SURF under" in sentences(at)
    at = well(visit("inspect", query=f"image-{shown.find_image('flat.png')}"))
    assert "Lower the threshold in the settings" in sentences(at)
    assert [s.key for s in at.slider] == ["threshold-tiny", "octaves-tiny"]


def test_rootsift_has_no_sliders_of_surf_and_no_signs(scratch: Path, folder: Path) -> None:
    surf = visit("inspect", query="image-0")
    well(surf.selectbox(key="colouring").select("sign").run())
    shown = _rebuild(folder, kind="rootsift")
    at = well(surf.run())  # who coloured by sign goes on with what there is
    assert "colour=word" in component(at, "picture")["points"]
    image_id = shown.find_image("coffee.jpg")
    assert image_id is not None
    at = well(visit("inspect", query=f"image-{image_id}"))
    assert "Threshold and octaves are settings of SURF" in sentences(at)
    assert not [s for s in at.slider if s.label in ("Threshold", "Octaves")]
    assert at.selectbox(key="colouring-unsigned").options == ["word", "response"]
    well(at.selectbox(key="colouring-unsigned").select("response").run())
    numbers, _ = fetched(component(at, "picture")["points"])
    described = pipeline.describe_query(shown, images.read(shown.picture_path(image_id)))
    assert np.array_equal(numbers[:, :2], described.features.xy)
    assert "RootSIFT 0" in sentences(at)
    for page in ("search", "inspect"):
        told = sentences(well(visit(page, query=f"image-{shown.find_image('flat.png')}")))
        assert "smooth or dark. Try another picture." in told


@pytest.mark.parametrize("extraction", [{"kind": "rootsift"}, {"surf": SurfParams(upright=True)}])
def test_a_keypoint_of_each_kind_is_shown(
    scratch: Path, folder: Path, extraction: dict[str, Any]
) -> None:
    shown = _rebuild(folder, **extraction)
    image_id = shown.find_image("coffee.jpg")
    assert image_id is not None
    described = pipeline.describe_query(shown, images.read(shown.picture_path(image_id)))
    at = visit("inspect", query=f"image-{image_id}", word=str(described.words.word_ids[0]))
    at.session_state["keypoint"] = 0
    at = well(at.run())
    assert f"Keypoint 1 of {len(described.features):,}" in sentences(at)
    rows = at.table[0].value.iloc[:, 0].tolist()
    assert ("Sign" in rows) == shown.extraction.uses_surf
    for page in ("search", "vocabulary"):
        well(visit(page, query=f"image-{image_id}", word="3"))
