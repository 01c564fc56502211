"""Pictures by address: what is there, small enough; 404 and one sentence for all else."""

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from starlette.applications import Starlette
from starlette.testclient import TestClient

from engine import build, images, pipeline
from engine.features import ExtractionParams
from engine.index import Index
from engine.surf import SurfParams
from tests.conftest import tiny_params
from ui import keypoints, link, routes, urls
from ui.uploads import STORE


@pytest.fixture
def client(tiny: Index) -> Iterator[TestClient]:
    """A client of the routes alone; a fault in one of them would be raised here."""
    app = Starlette(routes=routes.all_routes(), middleware=routes.all_middleware())
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def picture(client: TestClient, address: str) -> Pillow.Image:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/jpeg"
    with Pillow.open(io.BytesIO(answer.content)) as opened:
        assert opened.format == "JPEG"
        return opened.convert("RGB")


def refused(client: TestClient, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 404, (answer.status_code, answer.text)
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "Traceback" not in answer.text
    assert "immutable" not in answer.headers.get("cache-control", "")
    return answer.text


@pytest.fixture
def token(folder: Path) -> str:
    return STORE.keep("a view.jpg", (folder / "coffee.jpg").read_bytes())


@pytest.mark.parametrize("side", routes.SIDES)
@pytest.mark.parametrize("kind", ["picture", "upload"])
def test_a_picture_comes_in_every_side(
    client: TestClient, tiny: Index, token: str, kind: str, side: int
) -> None:
    image_id = tiny.find_image("coffee.jpg")
    assert image_id is not None
    query = link.Link(image_id=image_id) if kind == "picture" else link.Link(upload=token)
    shown = picture(client, urls.query(tiny, query, side))
    entry = tiny.images[image_id]
    assert max(shown.size) == min(side, max(entry.width, entry.height))
    assert shown.width / shown.height == pytest.approx(entry.width / entry.height, rel=0.01)


@pytest.mark.parametrize("kind", ["picture", "upload"])
def test_keypoints_are_drawn_when_asked(
    client: TestClient, tiny: Index, token: str, kind: str
) -> None:
    image_id = tiny.find_image("coffee.jpg")
    assert image_id is not None
    query = link.Link(image_id=image_id) if kind == "picture" else link.Link(upload=token)
    word = int(tiny.words(image_id).word_ids[0])
    plain, drawn, some = (
        np.asarray(picture(client, urls.query(tiny, query, 320, **more)), np.int16)
        for more in ({}, {"keypoints": "all"}, {"keypoints": word})
    )
    assert plain.shape == drawn.shape == some.shape
    changed_by_all = np.count_nonzero(np.abs(drawn - plain).max(axis=2) > 40)
    changed_by_some = np.count_nonzero(np.abs(some - plain).max(axis=2) > 40)
    assert 0 < changed_by_some < changed_by_all


def test_the_same_picture_gets_the_same_keypoints_uploaded_or_not(
    client: TestClient, tiny: Index, token: str
) -> None:
    image_id = tiny.find_image("coffee.jpg")
    inside = link.Link(image_id=image_id)
    outside = link.Link(upload=token)
    answers = [
        np.asarray(picture(client, urls.query(tiny, query, 640, keypoints="all")), int)
        for query in (inside, outside)
    ]
    plain = np.asarray(picture(client, urls.query(tiny, inside, 640)), int)
    # The index rounds strengths to 3 %, so the last few of those drawn may differ.
    drawn = np.abs(answers[0] - plain).mean()
    assert np.abs(answers[0] - answers[1]).mean() < 0.2 * drawn


def test_keypoints_of_a_word_that_the_picture_lacks_are_none(
    client: TestClient, tiny: Index
) -> None:
    flat = tiny.find_image("flat.png")
    assert flat is not None
    for chosen in ("all", "3", "99999"):
        picture(client, urls.picture(tiny, flat, 160, keypoints=chosen))


def test_every_word_has_a_tile(client: TestClient, tiny: Index) -> None:
    for word in range(tiny.n_words):
        assert picture(client, urls.word(tiny, word)).size == (96, 96)


def test_health(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok", "collections": 1}


# What is not there


@pytest.mark.parametrize(
    "address",
    [
        "/pictures/tiny/13?side=160",
        "/pictures/tiny/999999999999999999999?side=160",
        "/pictures/tiny/0?side=0",
        "/pictures/tiny/0?side=-160",
        "/pictures/tiny/0?side=161",
        "/pictures/tiny/0?side=100000",
        "/pictures/tiny/0?side=x",
        "/pictures/tiny/0?side=",
        "/pictures/tiny/0?side=160.0",
        "/pictures/other/0?side=160",
        "/pictures/.tiny/0?side=160",
        "/pictures/tin%79%00/0?side=160",
        "/pictures/%2e%2e/0?side=160",
        "/pictures/..%5ctiny/0?side=160",
        "/pictures/%E2%80%AE/0?side=160",
        "/pictures/" + "a" * 5000 + "/0?side=160",
        "/uploads/" + "x" * 32 + "?side=160",
        "/uploads/%2e%2e?side=160",
        "/uploads/%00?side=160",
        "/keypoints/tiny",
        "/keypoints/tiny?threshold=400&octaves=4&colour=word",
        "/keypoints/tiny?query=image-13&threshold=400&octaves=4&colour=word",
        "/keypoints/tiny?query=image-0&threshold=400&octaves=4",
        "/keypoints/tiny?query=image-0&threshold=400&octaves=4&colour=other",
        "/keypoints/tiny?query=image-0&threshold=400&octaves=0&colour=word",
        "/keypoints/tiny?query=image-0&threshold=400&octaves=99&colour=word",
        "/keypoints/tiny?query=image-0&threshold=400&octaves=x&colour=word",
        "/keypoints/tiny?query=image-0&threshold=-1&octaves=4&colour=word",
        "/keypoints/tiny?query=image-0&threshold=nan&octaves=4&colour=word",
        "/keypoints/tiny?query=image-0&threshold=inf&octaves=4&colour=word",
        "/keypoints/other?query=image-0&threshold=400&octaves=4&colour=word",
        "/keypoints/tiny?query=upload-" + "x" * 32 + "&threshold=400&octaves=4&colour=word",
        "/words/tiny/24",
        "/words/tiny/999999999999999999999",
        "/words/other/0",
        "/words/%2e%2e/0",
    ],
)
def test_what_is_not_there_is_404_in_one_sentence(client: TestClient, address: str) -> None:
    assert len(refused(client, address).splitlines()) <= 1


@pytest.mark.parametrize(
    "address",
    [
        "/pictures/tiny/..%2f..%2f..%2fetc%2fpasswd",
        "/pictures/..%2ftiny/0",
        "/pictures/../../../etc/passwd",
        "/pictures/%2e%2e/%2e%2e/etc/passwd",
        "/pictures/tiny/-1",
        "/pictures/tiny/0.5",
        "/pictures/tiny/1e3",
        "/pictures/tiny/",
        "/pictures/tiny",
        "/uploads/",
        "/uploads/..%2f..%2fetc%2fpasswd",
        "/words/tiny/-1",
        "/words/tiny/0/0",
        "/words/..%2ftiny/0",
    ],
)
def test_a_path_is_no_name(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert "root:" not in answer.text


def test_keypoints_on_an_upload_without_a_collection_failed_the_server(
    client: TestClient, tiny: Index, token: str
) -> None:
    refused(client, f"/uploads/{token}?side=160&keypoints=all")
    refused(client, f"/uploads/{token}?side=160&keypoints=all&collection=")
    refused(client, f"/uploads/{token}?side=160&keypoints=all&collection=other")
    refused(client, f"/uploads/{token}?side=160&keypoints=all&collection=..%2ftiny")


def test_keypoints_of_an_odd_number_are_no_error_of_the_server(
    client: TestClient, tiny: Index
) -> None:
    for chosen in ("²", "-1", "1.5", "", "x", "9" * 30, "9" * 5000):
        answer = client.get(f"/pictures/tiny/0?side=160&keypoints={chosen}")
        assert answer.status_code in (200, 404)


def test_an_answer_to_a_missing_picture_told_where_the_server_keeps_its_files(
    client: TestClient, tiny: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Index, "picture_path", lambda self, i: tmp_path / self.images[i].path)
    for more in ("", "&keypoints=all"):
        told = refused(client, f"/pictures/tiny/0?side=160{more}")
        assert str(tmp_path) not in told


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_nothing_can_be_written(client: TestClient, tiny: Index, token: str, method: str) -> None:
    for address in ("/pictures/tiny/0", f"/uploads/{token}", "/words/tiny/0", "/health"):
        assert getattr(client, method)(address).status_code == 405


# Headers


def test_every_answer_carries_the_headers(client: TestClient, tiny: Index, token: str) -> None:
    for address in (
        urls.picture(tiny, 0, 160),
        urls.query(tiny, link.Link(upload=token), 160),
        urls.word(tiny, 0),
        "/health",
        "/pictures/tiny/99",
        "/nothing/here",
    ):
        headers = client.get(address).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert headers["referrer-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]
        assert headers["cross-origin-opener-policy"] == "same-origin"


def test_pictures_are_kept_by_browsers_and_by_no_cache_between(
    client: TestClient, tiny: Index, token: str
) -> None:
    inside = client.get(urls.picture(tiny, 0, 160)).headers["cache-control"]
    upload = client.get(urls.query(tiny, link.Link(upload=token), 160)).headers["cache-control"]
    assert inside.startswith("private") and "immutable" in inside
    assert upload.startswith("private") and "immutable" not in upload


def test_etags_name_the_bytes(client: TestClient, tiny: Index) -> None:
    first, again, other, drawn = (
        client.get(address).headers["etag"]
        for address in (
            urls.picture(tiny, 0, 160),
            urls.picture(tiny, 0, 160),
            urls.picture(tiny, 0, 320),
            urls.picture(tiny, 0, 160, keypoints="all"),
        )
    )
    assert first == again
    assert len({first, other, drawn}) == 3
    assert first.startswith('"') and first.endswith('"')


def test_an_index_built_anew_has_other_addresses(scratch: Path, folder: Path) -> None:
    """A picture is kept by browsers for a year, so its address must change with the index."""
    from conftest import tiny_params

    from engine import build, index

    before = urls.picture(index.open_index("tiny"), 0, 160)
    build.build(folder, "tiny", tiny_params(), n_workers=1, overwrite=True)
    assert urls.picture(index.open_index("tiny"), 0, 160) != before


def test_a_base_path_stands_before_every_address(
    tiny: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(urls, "prefix", lambda: "/visword")
    app = Starlette(routes=routes.all_routes(), middleware=routes.all_middleware())
    with TestClient(app) as client:
        assert client.get("/visword/health").status_code == 200
        picture(client, urls.picture(tiny, 0, 160))
        picture(client, urls.word(tiny, 0))


def test_a_picture_seen_before_is_not_sent_again(client: TestClient, tiny: Index) -> None:
    address = urls.picture(tiny, 0, 160)
    first = client.get(address)
    again = client.get(address, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = client.get(address, headers={"if-none-match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)


def test_keypoints_are_fetched_once(client: TestClient, tiny: Index, token: str) -> None:
    address = urls.keypoints(tiny, link.Link(upload=token, word=3), tiny.surf, "sign")
    assert "word=" not in address
    first = client.get(address)
    image_id = tiny.find_image("coffee.jpg")
    assert image_id is not None
    described = pipeline.describe_query(tiny, images.read(tiny.picture_path(image_id)))
    found = described.features
    assert len(first.content) == len(found) * keypoints.N_BYTES
    numbers = np.frombuffer(first.content, "<f4", len(found) * 6).reshape(-1, 6)
    for column, values in enumerate((found.xy[:, 0], found.xy[:, 1], found.size, found.angle)):
        assert np.array_equal(numbers[:, column], values)
    colours = np.frombuffer(first.content, np.uint8, offset=len(found) * 24).reshape(-1, 3)
    for sign, colour in keypoints.SIGNS.items():
        assert np.all(colours[found.class_id == sign] == list(bytes.fromhex(colour[1:])))
    assert first.headers["cache-control"].startswith("private")
    again = client.get(address, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_threshold_is_refused_where_there_is_none(
    client: TestClient, scratch: Path, folder: Path
) -> None:
    params = tiny_params(extraction=ExtractionParams(kind="rootsift"))
    shown = build.build(folder, "tiny", params, n_workers=1, overwrite=True)
    here = link.Link(image_id=shown.find_image("coffee.jpg"))
    assert client.get(urls.keypoints(shown, here, shown.surf, "word")).status_code == 200
    other = SurfParams(hessian_threshold=3000)
    told = refused(client, urls.keypoints(shown, here, other, "word"))
    assert "RootSIFT takes no parameters of SURF" in told


@pytest.mark.parametrize("colouring", keypoints.COLOURINGS)
def test_a_picture_without_keypoints_has_none_to_fetch(
    client: TestClient, tiny: Index, colouring: str
) -> None:
    flat = link.Link(image_id=tiny.find_image("flat.png"))
    answer = client.get(urls.keypoints(tiny, flat, tiny.surf, colouring))
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_picture_can_be_saved_as_it_is(client: TestClient, tiny: Index) -> None:
    image_id = tiny.find_image("turned/china.png")
    assert image_id is not None
    answer = client.get(urls.file(tiny, image_id))
    assert answer.content == tiny.picture_path(image_id).read_bytes()
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''china.png"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_is_no_picture_any_more_never_leaves_the_server(
    client: TestClient, scratch: Path, tmp_path: Path, folder: Path
) -> None:
    moved = tmp_path / "pictures"
    moved.mkdir()
    shutil.copy(folder / "china.jpg", moved)
    opened = build.build(moved, "swapped", tiny_params(codebook_name="tiny"), n_workers=1)
    (moved / "china.jpg").write_text("a secret of the server")
    told = refused(client, urls.file(opened, 0))
    assert "secret" not in told
