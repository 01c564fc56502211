"""A record is read as it was written, or not at all."""

from pathlib import Path

import numpy as np
import pytest

from engine import records
from engine.records import Record

SAID = {"path": "caf\udce9.jpg", "reason": None, "n_keypoints": 3}
ARRAYS = {
    "xy": np.arange(6, dtype=np.float32).reshape(3, 2),
    "octave": np.array([0, -1, 3], np.int8),
    "descriptors": np.random.default_rng(0).random((3, 128), np.float32),
    "empty": np.zeros((0, 2), np.float32),
}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "0a.done"
    records.write(path, Record(SAID, ARRAYS))
    return path


def test_a_record_comes_back(written: Path) -> None:
    stored = records.read(written)
    assert stored is not None
    assert stored.description == SAID == records.read_description(written)
    assert stored.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert stored.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(stored.arrays[name], array)
        # Kernels are compiled for such arrays alone.
        assert stored.arrays[name].flags.writeable
        assert stored.arrays[name].flags.aligned
    assert list(written.parent.iterdir()) == [written]


def test_a_description_alone_is_a_record(tmp_path: Path) -> None:
    records.write(tmp_path / "skipped.done", Record({"reason": "it is broken"}, {}))
    stored = records.read(tmp_path / "skipped.done")
    assert stored is not None
    assert stored.description == {"reason": "it is broken"}
    assert stored.arrays == {}


def test_wherever_it_is_cut_it_is_absent(written: Path) -> None:
    data = written.read_bytes()
    for length in (*range(0, len(data) - 1, 7), len(data) - 1):
        written.write_bytes(data[:length])
        assert records.read(written) is None, length
    written.unlink()
    assert records.read(written) is None
    assert records.read_description(written) is None


def test_whichever_bit_is_flipped_it_is_absent(written: Path) -> None:
    data = written.read_bytes()
    end_of_line = data.index(b"\n")
    for place in range(0, len(data), 5):
        if place == end_of_line:
            continue
        damaged = bytearray(data)
        damaged[place] ^= 4
        written.write_bytes(damaged)
        assert records.read(written) is None, place
        if place < end_of_line:
            assert records.read_description(written) is None, place


@pytest.mark.parametrize("data", [b"", b"\n", b"00000000 \n", b"PK\x03\x04", b"\xff" * 100])
def test_what_is_no_record_is_absent(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.done").write_bytes(data)
    assert records.read(tmp_path / "x.done") is None
    assert records.read_description(tmp_path / "x.done") is None
