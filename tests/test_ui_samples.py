"""The demo's sample queries: links to them last, and what is missing says so."""

import hashlib
import io
import shutil
from pathlib import Path

import pytest
from PIL import Image as Pillow
from starlette.applications import Starlette
from starlette.testclient import TestClient

from engine import demo, index
from engine.errors import ImageError
from engine.index import Index
from ui import opened, routes, samples, urls
from ui.link import Link


@pytest.fixture
def made(scratch: Path, folder: Path) -> Index:
    """The tiny index, with photographs standing in for the demo's sample queries."""
    queries = demo.demo_folder() / "queries"
    queries.mkdir(parents=True)
    for sample in demo.SAMPLE_QUERIES:
        shutil.copy(folder / "china.jpg", queries / sample.file)
    return index.open_index("tiny")


def test_a_sample_has_an_address_that_lasts(made: Index) -> None:
    client = TestClient(Starlette(routes=routes.all_routes()))
    for more in ({}, {"keypoints": "all"}):
        answer = client.get(urls.query(made, Link(sample=2), 320, **more))
        assert answer.status_code == 200
        with Pillow.open(io.BytesIO(answer.content)) as shown:
            assert max(shown.size) == 320


def test_a_sample_is_read_from_its_file(made: Index, folder: Path) -> None:
    described = opened.describe(made, Link(sample=0))
    data = (folder / "china.jpg").read_bytes()
    assert described.image.sha256 == hashlib.sha256(data).hexdigest()


def test_what_is_no_sample_says_so(made: Index) -> None:
    client = TestClient(Starlette(routes=routes.all_routes()))
    assert samples.are_there()
    for place in (len(demo.SAMPLE_QUERIES), 999):
        with pytest.raises(ImageError, match="no sample query"):
            samples.path(place)
        assert client.get(f"/samples/{place}?side=160").status_code == 404
    shutil.rmtree(demo.demo_folder())
    assert not samples.are_there()
    with pytest.raises(ImageError, match="python -m engine demo"):
        samples.path(0)
