"""Uploads: kept for a while, in bounds, each under a name that cannot be guessed."""

import io
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from engine.errors import ImageError
from ui.uploads import MAX_AGE, UploadStore


def picture(n_bytes: int = 0) -> bytes:
    """Return a tiny PNG, filled up to a length by what decoders ignore."""
    file = io.BytesIO()
    Pillow.new("RGB", (8, 8)).save(file, "png")
    data = file.getvalue()
    assert not n_bytes or n_bytes >= len(data)
    return data + b"\0" * (n_bytes - len(data))


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_is_kept_comes_back_as_it_was() -> None:
    store = UploadStore()
    data = picture(500)
    found = store.get(store.keep("a view.png", data))
    assert found is not None
    assert (found.name, found.data) == ("a view.png", data)


def test_an_unknown_token_gives_nothing() -> None:
    assert UploadStore().get("") is None
    assert UploadStore().get("x" * 32) is None


def test_tokens_are_long_and_all_different() -> None:
    """24 bytes from the system's source of randomness are 192 bits: 32 letters."""
    store, data = UploadStore(), picture()
    tokens = {store.keep("a.png", data) for _ in range(200)}
    assert len(tokens) == 200
    assert {len(token) for token in tokens} == {32}
    assert all(token.isascii() and not set(token) & set("/.%?#&") for token in tokens)


def test_tokens_come_from_the_secret_source(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def token_urlsafe(n_bytes: int) -> str:
        asked.append(n_bytes)
        return "secret"

    monkeypatch.setattr("secrets.token_urlsafe", token_urlsafe)
    assert UploadStore().keep("a.png", picture()) == "secret"
    assert asked[0] >= 16


@pytest.mark.parametrize(
    "data", [b"", b"a text", b"\xff\xd8\xff", b"<svg xmlns='http://www.w3.org/2000/svg'/>"]
)
def test_what_is_no_picture_is_refused_by_name(data: bytes) -> None:
    store = UploadStore()
    with pytest.raises(ImageError, match=r"holiday\.jpg"):
        store.keep("holiday.jpg", data)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    file = io.BytesIO()
    Pillow.new("1", (30_000, 30_000)).save(file, "png")
    with pytest.raises(ImageError, match=r"huge\.png"):
        UploadStore().keep("huge.png", file.getvalue())


def test_the_least_recently_used_is_given_up_first() -> None:
    store = UploadStore(max_bytes=3000)
    first, second, third = (store.keep(f"{i}.png", picture(1000)) for i in range(3))
    assert store.get(first) is not None  # used: the second is the oldest now
    fourth = store.keep("3.png", picture(1000))
    assert store.get(second) is None
    assert all(store.get(token) is not None for token in (first, third, fourth))


def test_one_that_is_larger_than_the_bound_stays_until_the_next() -> None:
    """Whoever uploaded it can still search with it."""
    store = UploadStore(max_bytes=1000)
    large = store.keep("large.png", picture(2000))
    assert store.get(large) is not None
    small = store.keep("small.png", picture(500))
    assert store.get(large) is None
    assert store.get(small) is not None


@given(st.lists(st.integers(100, 1500), min_size=1, max_size=30))
def test_all_together_stay_within_the_bound(sizes: list[int]) -> None:
    store = UploadStore(max_bytes=3000)
    tokens = [store.keep("a.png", picture(size)) for size in sizes]
    kept = [upload for upload in map(store.get, tokens) if upload is not None]
    assert store.get(tokens[-1]) is not None
    assert sum(len(upload.data) for upload in kept) <= 3000


def test_an_unused_upload_expires_and_a_used_one_does_not() -> None:
    clock = Clock()
    store = UploadStore(clock=clock)
    left, used = store.keep("left.png", picture()), store.keep("used.png", picture())
    clock.now += MAX_AGE * 0.6
    assert store.get(used) is not None
    clock.now += MAX_AGE * 0.6
    assert store.get(left) is None
    assert store.get(used) is not None
    clock.now += MAX_AGE * 1.01
    assert store.get(used) is None


def test_the_only_upload_expires_too() -> None:
    clock = Clock()
    store = UploadStore(clock=clock, max_age=10)
    token = store.keep("a.png", picture())
    clock.now += 11
    assert store.get(token) is None


def test_many_threads_may_keep_and_get() -> None:
    store, data = UploadStore(max_bytes=20_000), picture(1000)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(200):
                token = store.keep("a.png", data)
                found = store.get(token)
                assert found is None or found.data == data
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures


def test_a_picture_of_the_collection_is_kept_whole(folder: Path) -> None:
    store, data = UploadStore(), (folder / "china.jpg").read_bytes()
    found = store.get(store.keep("china.jpg", data))
    assert found is not None and found.data == data
