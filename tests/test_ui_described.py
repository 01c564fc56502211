"""Described pictures: made once for everyone, in bounds, and telling nobody of anyone else."""

import dataclasses
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from engine import pipeline
from engine.errors import ImageError
from engine.images import Image
from engine.index import Index
from engine.pipeline import QueryFeatures
from ui import described, opened, routes, urls
from ui.described import Key, Store
from ui.link import Link
from ui.uploads import STORE


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The digests of the pictures that were described, in order."""
    described.STORE.clear()
    digests: list[str] = []
    describe = pipeline.describe_query

    def counted(index: Index, image: Image, *more: object, **named: object) -> QueryFeatures:
        digests.append(image.sha256)
        return describe(index, image, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "describe_query", counted)
    yield digests
    described.STORE.clear()


@pytest.fixture
def query(tiny: Index, folder: Path) -> QueryFeatures:
    return pipeline.describe_query(tiny, opened.images.read(folder / "flat.png"))


def key(number: int) -> Key:
    return Key("tiny", "stamp", f"{number:064x}", pipeline.surf.SurfParams())


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_every_overlay_of_an_upload_found_its_keypoints_anew(
    tiny: Index, folder: Path, made: list[str]
) -> None:
    token = STORE.keep("coffee.jpg", (folder / "coffee.jpg").read_bytes())
    link = Link(upload=token)
    page = opened.describe(tiny, link)
    with TestClient(Starlette(routes=routes.all_routes())) as client:
        for side in (160, 320, 640):
            for keypoints in ("all", 3):
                address = urls.query(tiny, link, side, keypoints=keypoints)
                assert client.get(address).status_code == 200
    assert opened.describe(tiny, link) is page
    assert len(made) == 1


def test_two_visitors_with_one_photograph_share_the_work_and_no_name(
    tiny: Index, folder: Path, made: list[str]
) -> None:
    data = (folder / "coffee.jpg").read_bytes()
    tokens = [STORE.keep(name, data) for name in ("my secret holiday.jpg", "coffee.jpg")]
    first, second = (opened.describe(tiny, Link(upload=token)) for token in tokens)
    assert second is first and len(made) == 1
    assert "secret" not in str(first.image.name)


def test_without_the_token_there_is_nothing(tiny: Index, folder: Path, made: list[str]) -> None:
    token = STORE.keep("coffee.jpg", (folder / "coffee.jpg").read_bytes())
    opened.describe(tiny, Link(upload=token))
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), made[0], ""):
        with pytest.raises(ImageError, match="gone"):
            opened.describe(tiny, Link(upload=wrong))


def test_other_parameters_give_other_keypoints(tiny: Index, folder: Path, made: list[str]) -> None:
    link = Link(upload=STORE.keep("coffee.jpg", (folder / "coffee.jpg").read_bytes()))
    higher = dataclasses.replace(tiny.surf, hessian_threshold=5000.0)
    many, few = opened.describe(tiny, link), opened.describe(tiny, link, higher)
    assert 0 < len(few.features) < len(many.features)
    assert opened.describe(tiny, link, higher) is few and opened.describe(tiny, link) is many
    assert len(made) == 2


def test_a_picture_changed_on_disk_is_described_anew(
    tiny: Index, folder: Path, made: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "picture.jpg"
    shutil.copy(folder / "coffee.jpg", path)
    monkeypatch.setattr(Index, "picture_path", lambda self, i: path)
    opened.describe(tiny, Link(image_id=0))
    opened.describe(tiny, Link(image_id=0))
    shutil.copy(folder / "china.jpg", path)
    opened.describe(tiny, Link(image_id=0))
    assert len(made) == 2 and made[0] != made[1]


def test_several_who_ask_at_once_wait_for_one(query: QueryFeatures) -> None:
    store, calls, all_here = Store(), [], threading.Barrier(8)

    def make() -> QueryFeatures:
        calls.append(1)
        time.sleep(0.05)
        return query

    def ask(_: int) -> QueryFeatures:
        all_here.wait()
        return store.get(key(0), make)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    assert len(calls) == 1
    assert all(answer is answers[0] for answer in answers)


def test_a_failure_is_told_and_not_kept(query: QueryFeatures) -> None:
    store = Store()

    def fail() -> QueryFeatures:
        raise ImageError("broken")

    for _ in range(2):
        with pytest.raises(ImageError):
            store.get(key(0), fail)
    assert store.get(key(0), lambda: query).words is query.words


def test_the_least_recently_used_is_given_up_first(query: QueryFeatures) -> None:
    one = described.n_bytes(query)
    assert one >= query.image.rgb.nbytes + query.image.gray.nbytes + query.bag.counts.nbytes
    store, calls = Store(max_bytes=2 * one), []

    def ask(number: int) -> None:
        store.get(key(number), lambda: calls.append(number) or query)  # type: ignore[func-returns-value]

    for number in (0, 1, 0, 2, 0, 1):
        ask(number)
    assert calls == [0, 1, 2, 1]


def test_arrays_are_counted_however_deep_they_lie(tiny: Index) -> None:
    answer = pipeline.search_image(tiny, 0, "verified", None)
    one = next(iter(answer.verified.values()))
    assert described.n_bytes(one) >= one.query_rows.nbytes + one.weights.nbytes
    whole = described.n_bytes(answer)
    assert whole >= sum(described.n_bytes(v) for v in answer.verified.values())
    assert described.n_bytes((answer, [answer])) == 2 * whole


def test_one_picture_is_kept_however_large(query: QueryFeatures) -> None:
    store, calls = Store(max_bytes=1), []
    for _ in range(2):
        store.get(key(0), lambda: calls.append(1) or query)  # type: ignore[func-returns-value]
    assert len(calls) == 1


def test_what_nobody_looks_at_is_forgotten(query: QueryFeatures) -> None:
    clock, calls = Clock(), []
    store = Store(max_age=60.0, clock=clock)
    for later in (0.0, 59.0, 59.0, 61.0):
        clock.now += later
        store.get(key(0), lambda: calls.append(1) or query)  # type: ignore[func-returns-value]
    assert len(calls) == 2


def test_what_is_kept_is_not_changed(tiny: Index, folder: Path, made: list[str]) -> None:
    link = Link(upload=STORE.keep("coffee.jpg", (folder / "coffee.jpg").read_bytes()))
    first = opened.describe(tiny, link).image.rgb.copy()
    with TestClient(Starlette(routes=routes.all_routes())) as client:
        client.get(urls.query(tiny, link, 1280, keypoints="all"))
    assert np.array_equal(opened.describe(tiny, link).image.rgb, first)
