"""A few trials of each script of `tests/torture`; those take a number, and a seed, for more."""

from pathlib import Path

import pytest

from tests.torture import damaged_index, damaged_pictures, hostile_names
from tests.torture.children import Child

HERE = "tests.test_torture"


@pytest.fixture(autouse=True)
def _artifacts_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripts set the folder of artifacts themselves; afterwards it is as before."""
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(tmp_path))


def _nothing() -> None:
    pass


def _do(what: str) -> list[str]:
    if what == "die":
        import ctypes

        ctypes.string_at(0)
    if what == "hang":
        while True:
            pass
    if what == "fill":
        return [str(len(bytearray(2**31)))]
    if what == "raise":
        raise KeyError(what)
    return []


def test_a_process_that_dies_hangs_or_fills_the_memory_is_a_fault() -> None:
    with Child(f"{HERE}:_nothing", f"{HERE}:_do", 2**29, seconds=1.0) as child:
        assert child.run("well").faults == []
        assert child.run("die").faults[0].startswith("dies of SIGSEGV")
        assert child.run("hang").faults[0].startswith("hangs")
        assert child.run("fill").faults[0].startswith("MemoryError")
        assert child.run("raise").faults[0].startswith("KeyError: 'raise'")
        assert child.run("well").faults == []


def test_a_damaged_index_does_no_harm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert damaged_index.run(15, 0, tmp_path / "kept") == 0
    assert "15 trials" in capsys.readouterr().out


def test_damaged_pictures_do_no_harm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert damaged_pictures.run(60, 0, tmp_path / "kept", n_built=10, is_short=True) == 0
    assert "0 faults" in capsys.readouterr().out


def test_hostile_names_do_no_harm(capsys: pytest.CaptureFixture[str]) -> None:
    assert hostile_names.run(10, 0, is_short=True) == 0
    assert "0 faults" in capsys.readouterr().out
