"""The page Why for a network's scores, alone and with words."""

from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from engine import embed, embeddings, images, index, model_store, pipeline
from engine.index import Index
from tests.pages_under_test import component, sentences, visit, well
from tests.test_embed import MODEL, add_model
from ui import routes
from ui.uploads import STORE

pytestmark = pytest.mark.usefixtures("fresh_caches", "no_build")
BOTH = f"verified+{MODEL}"


@pytest.fixture
def embedded(scratch: Path, tmp_path: Path) -> Index:
    add_model(tmp_path, good_at="kind")
    add_model(tmp_path, "apart", metric="euclidean")
    for model in (MODEL, "apart"):
        embed.make_embeddings("tiny", model)
    return index.open_index("tiny")


def _why(of: Index, method: str, **more: str) -> AppTest:
    return visit("why", query=f"image-{of.find_image('china.jpg')}", method=method, **more)


def _cells(at: AppTest, key: str) -> list[list[str]]:
    return [[cell["text"] for cell in row["cells"]] for row in component(at, key)["rows"]]


def test_the_numbers_add_up_to_the_score(embedded: Index) -> None:
    result = embedded.find_image("turned/coffee.png") or 0
    at = well(_why(embedded, MODEL, result=str(result)))
    rows = _cells(at, "numbers")
    assert len(rows) == 10
    rest = next(c.value for c in at.caption if "further numbers together" in c.value)
    adds = sum(float(row[1]) for row in rows) + float(rest.rstrip(".").rpartition(" ")[2])
    image_id = embedded.find_image("china.jpg") or 0
    answer = pipeline.search_image(embedded, image_id, MODEL, None)
    place = answer.ranking.image_ids.tolist().index(result)
    assert adds == pytest.approx(float(answer.ranking.scores[place]), abs=2e-3)
    for row in rows:
        assert float(row[1]) == pytest.approx(float(row[3]) * float(row[4]), abs=2e-3)
    assert "each adds the product" in sentences(at)
    next(b for b in at.button if b.label == "Show more numbers").click().run()
    assert len(_cells(at, "numbers")) == 12 and not at.exception


def test_a_number_is_the_pictures_in_which_it_is_largest(embedded: Index) -> None:
    at = well(_why(embedded, MODEL, number="3"))
    vectors = embeddings.open_embeddings(embedded, MODEL).vectors[:, 3]
    items = component(at, "largest")["items"]
    shown = [item["id"] for item in items]
    assert shown == np.argsort(-vectors, kind="stable")[:12].tolist()
    assert [item["score"] for item in items] == [f"{vectors[i]:.3f}" for i in shown]
    assert all("number=3" in item["href"] for item in items)
    assert any(row["cells"][0]["text"] == "Number 3" and row["chosen"] for row in _rows(at))
    well(_why(embedded, MODEL, number="999999"))


def _rows(at: AppTest) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = component(at, "numbers")["rows"]
    return rows


def test_a_distance_is_told_where_the_model_is_compared_by_it(embedded: Index) -> None:
    at = well(_why(embedded, "apart"))
    image_id = embedded.find_image("china.jpg") or 0
    answer = pipeline.search_image(embedded, image_id, "apart", None)
    assert answer.distances is not None
    first = int(answer.ranking.image_ids[0])
    told = f"at a distance of {answer.distances[first]:.3f}"
    assert told in sentences(at)
    assert "Their distance is √(2 − 2 × " in sentences(at)


def test_where_the_network_looks_is_shown_when_asked(embedded: Index) -> None:
    at = well(_why(embedded, MODEL))
    next(b for b in at.button if b.label == "Cover part after part").click().run()
    drawn = component(well(at), "covered")
    with TestClient(Starlette(routes=routes.all_routes())) as client:
        answer = client.get(drawn["above"])
        assert answer.status_code == 200 and answer.headers["content-type"] == "image/jpeg"
        assert images.decode(answer.content, "covered").rgb.std() > 1
    model_store.remove(MODEL)
    other = well(_why(embedded, MODEL, result=str(embedded.find_image("rocket.jpg"))))
    next(b for b in other.button if b.label == "Cover part after part").click().run()
    assert "is not installed" in well(other).warning[0].value


def test_a_part_that_is_painted_over_is_not_seen(embedded: Index) -> None:
    first = well(_why(embedded, MODEL))
    changed = well(_why(embedded, MODEL, areas="0-0-999-200"))
    assert "Without 1 part of the picture" in sentences(changed)
    assert "keypoints of the query remain" not in sentences(changed)
    assert _cells(first, "numbers") != _cells(changed, "numbers")
    both = well(_why(embedded, BOTH, areas="0-0-999-200"))
    assert "Without 1 part of the picture" in sentences(both)


@pytest.mark.parametrize("method", [BOTH, f"{BOTH}+rank"])
def test_both_parts_are_shown_and_lead_on(embedded: Index, method: str) -> None:
    at = well(_why(embedded, method))
    words, vectors, total = component(at, "parts")["rows"]
    adds = [float(row["cells"][1]["text"]) for row in (words, vectors, total)]
    assert adds[0] + adds[1] == pytest.approx(adds[2], abs=2e-3)
    assert "method=verified" in words["cells"][0]["href"]
    assert f"method={MODEL}" in vectors["cells"][0]["href"]
    assert len(component(at, "pair")["matches"]) > 0
    assert "The lines are those of verified" in sentences(at)
    other = well(_why(embedded, method, result=str(embedded.find_image("rocket.jpg"))))
    assert [row[0] for row in _cells(other, "beside")[2:]] == [
        "Of that by verified",
        f"Of that by {MODEL}",
    ]


def test_all_methods_are_compared_also_without_the_model(embedded: Index) -> None:
    token = STORE.keep("mine.jpg", (embedded.root / "rocket.jpg").read_bytes() + b" ")
    model_store.remove(MODEL)
    at = visit("why", query=f"upload-{token}", method="verified")
    next(b for b in well(at).button if b.label == "Compare all methods").click().run()
    rows = {row[0]: row[1:] for row in _cells(well(at), "methods")}
    assert rows[MODEL] == ["–", "–", "no model"] == rows[BOTH]
    assert rows["apart"][0] != "–" and rows["verified"][2] == "yes"
