"""Files are whole or absent, and damage is named."""

import json
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine import artifacts
from engine.errors import ArtifactError


@given(
    array=hnp.arrays(
        st.sampled_from(sorted(artifacts.DTYPES)),
        hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5),
    )
)
def test_an_array_comes_back_as_it_went(
    array: np.ndarray, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("a")
    entry = artifacts.write_array(folder, "some-array", array)
    opened = artifacts.open_array(folder, json.loads(json.dumps(entry)))
    assert opened.dtype == array.dtype
    assert opened.shape == array.shape
    assert opened.tobytes() == array.tobytes()
    assert not opened.flags.writeable
    np.testing.assert_array_equal(np.load(folder / entry["file"], allow_pickle=False), array)


def test_rows_written_one_by_one_make_the_same_file(tmp_path: Path) -> None:
    array = np.arange(60, dtype=np.float32).reshape(20, 3)
    whole = artifacts.write_array(tmp_path, "whole", array)
    with artifacts.ArrayWriter(tmp_path, "rows", np.float32, (20, 3)) as writer:
        for row in array:
            writer.write(row)
        rows = writer.close()
    assert rows["sha256"] == whole["sha256"]


def test_an_unfinished_array_leaves_nothing_behind(tmp_path: Path) -> None:
    with artifacts.ArrayWriter(tmp_path, "cut", np.float32, (20, 3)) as writer:
        writer.write(np.zeros((7, 3), np.float32))
        with pytest.raises(ValueError, match="lacks 156 bytes"):
            writer.close()
    assert list(tmp_path.iterdir()) == []


def test_more_rows_than_told_are_refused(tmp_path: Path) -> None:
    with (
        artifacts.ArrayWriter(tmp_path, "full", np.uint8, (2,)) as writer,
        pytest.raises(ValueError, match="more rows"),
    ):
        writer.write(np.zeros(3, np.uint8))


@pytest.mark.parametrize("cut", [0, 1, 63, 64, 127, 128, 160])
def test_a_cut_array_is_named(tmp_path: Path, cut: int) -> None:
    entry = artifacts.write_array(tmp_path, "a", np.arange(10, dtype=np.int32))
    path = tmp_path / entry["file"]
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ArtifactError, match=entry["file"]):
        artifacts.open_array(tmp_path, entry)


def test_a_header_that_lies_is_refused(tmp_path: Path) -> None:
    entry = artifacts.write_array(tmp_path, "a", np.arange(10, dtype=np.int32))
    path = tmp_path / entry["file"]
    path.write_bytes(path.read_bytes().replace(b"<i4", b"<f4"))
    with pytest.raises(ArtifactError, match="does not begin"):
        artifacts.open_array(tmp_path, entry)


@pytest.mark.parametrize(
    "change",
    [
        {"file": "../../etc/passwd"},
        {"file": "/etc/passwd"},
        {"file": None},
        {"dtype": "object"},
        {"dtype": "O"},
        {"shape": [-1]},
        {"shape": [2**60]},
        {"shape": "10"},
        {"shape": [10.0]},
        {"shape": [True]},
    ],
)
def test_a_manifest_that_lies_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    entry = artifacts.write_array(tmp_path, "a", np.arange(10, dtype=np.int32))
    with pytest.raises(ArtifactError):
        artifacts.open_array(tmp_path, entry | change)


def test_a_manifest_comes_back_and_is_checked(tmp_path: Path) -> None:
    written = artifacts.write_manifest(tmp_path, "index", {"parts": {"ä": 1}})
    assert artifacts.read_manifest(tmp_path, "index", "cure") == written
    with pytest.raises(ArtifactError, match="does not describe a codebook"):
        artifacts.read_manifest(tmp_path, "codebook", "cure")
    path = tmp_path / artifacts.MANIFEST
    path.write_text(path.read_text().replace('e4": 1', 'e4": 2', 1))
    with pytest.raises(ArtifactError, match="checksum does not fit"):
        artifacts.read_manifest(tmp_path, "index", "cure")


def test_another_format_version_names_both(tmp_path: Path) -> None:
    artifacts.write_manifest(tmp_path, "index", {})
    path = tmp_path / artifacts.MANIFEST
    manifest = json.loads(path.read_text())
    manifest["format_version"] = 99
    path.write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match=rf"99, this program reads {artifacts.FORMAT_VERSION}"):
        artifacts.read_manifest(tmp_path, "index", "cure")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b"null"])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / artifacts.MANIFEST).write_bytes(data)
    with pytest.raises(ArtifactError, match="cure"):
        artifacts.read_manifest(tmp_path, "index", "cure")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "/a", "a\\b", ".hidden", "a" * 65, "a b", "a\n", "a.", "ä", "-a"]
)
def test_a_name_is_never_a_path(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a name"):
        artifacts.check_name(name)


@pytest.mark.parametrize("name", ["a", "demo", "Oxford-5k", "a.b_c", "2026", "a" * 64])
def test_plain_names_are_taken(name: str) -> None:
    assert artifacts.check_name(name) == name


def test_sweeping_keeps_what_the_manifest_names(tmp_path: Path) -> None:
    old = artifacts.write_array(tmp_path, "a", np.arange(3, dtype=np.int32))
    new = artifacts.write_array(tmp_path, "a", np.arange(4, dtype=np.int32))
    reader = artifacts.open_array(tmp_path, old)
    manifest = artifacts.write_manifest(tmp_path, "index", {"parts": {"a": new}})
    artifacts.sweep(tmp_path, manifest)
    assert not (tmp_path / old["file"]).exists()
    assert (tmp_path / new["file"]).exists()
    assert reader.tolist() == [0, 1, 2], "an open reader keeps what it has mapped"


def test_the_stamp_changes_with_the_manifest(tmp_path: Path) -> None:
    assert artifacts.stamp(tmp_path) == ""
    artifacts.write_manifest(tmp_path, "index", {"a": 1})
    first = artifacts.stamp(tmp_path)
    artifacts.write_manifest(tmp_path, "index", {"a": 1})
    assert first != artifacts.stamp(tmp_path) != ""


def _hold(name: str, ready: str, go: str) -> None:
    with artifacts.writing(name):
        Path(ready).touch()
        while not Path(go).exists():
            pass


def test_a_second_writer_is_told_who_holds_the_lock(empty_artifacts: Path, tmp_path: Path) -> None:
    ready, go = tmp_path / "ready", tmp_path / "go"
    other = multiprocessing.get_context("spawn").Process(
        target=_hold, args=("x", str(ready), str(go))
    )
    other.start()
    while not ready.exists():
        assert other.is_alive()
    with pytest.raises(ArtifactError, match=f"process {other.pid}"), artifacts.writing("x"):
        pass
    os.kill(other.pid or 0, 9)
    other.join()
    with artifacts.writing("x"):
        pass
