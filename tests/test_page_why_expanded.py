"""The page Why, for results that are found by way of other pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from engine import build, explain, graph, images, index, pipeline
from engine.index import Index
from tests.conftest import tiny_params
from tests.pages_under_test import sentences, visit, well
from ui.why import asked, pictures, view

pytestmark = pytest.mark.usefixtures("fresh_caches", "no_build")


@pytest.fixture
def row(
    photographs: dict[str, Pillow.Image], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Index:
    """One thing, seen more and more from the side."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    whole = photographs["china"].resize((480, 320))
    for width in (480, 400, 330, 270, 220, 180, 150, 125, 105, 88):
        whole.resize((width, 320)).save(folder / f"{width}.png")
    for name in ("astronaut", "chelsea", "rocket"):
        photographs[name].save(folder / f"{name}.png")
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(tmp_path / "artifacts"))
    build.build(folder, "row", tiny_params(), n_workers=1)
    graph.make_graph("row")
    return index.open_index("row")


def test_a_match_carried_over_from_another_picture_showed_no_patch_of_it(row: Index) -> None:
    image_id = row.find_image("480.png")
    assert image_id is not None
    query = pipeline.describe_query(row, images.read(row.root / "480.png"))
    answer = pipeline.search_query(row, query, "expanded", image_id)
    far = next(i for i in answer.ranking.image_ids.tolist() if answer.led_by(i))
    of = explain.explain(row, answer, far).matches
    assert of is not None
    i = int(np.flatnonzero(of.sources >= 0)[0])
    address = {
        "query": f"image-{image_id}",
        "method": "expanded",
        "result": str(far),
        "lines": "all",
        "word": str(of.word_ids[i]),
        "match": f"{of.query_rows[i]}-{of.database_rows[i]}",
    }
    at = well(visit("why", **address))
    name = row.images[int(of.sources[i])].shown
    assert f"carried over from {name}" in sentences(at)
    captions = [image.proto.imgs[0].caption.replace("\\", "") for image in at.get("image")]
    assert captions[:2] == [f"In {name}", "In the result"]
    # What is carried has the size and angle of its own keypoint, but for the map's one scale.
    here = asked.ask(row, view.View.read(address))
    assert here is not None
    carried = np.flatnonzero(of.sources == of.sources[i])
    rows = [pictures.source_row(here, int(place)) for place in carried]
    sizes = row.keypoints(int(of.sources[i])).size[rows]
    ratios = sizes / of.query.size[carried]
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-3)
