"""An index takes further parts, names its faults, and can be deleted."""

import json
from pathlib import Path

import numpy as np
import pytest

from engine import artifacts, index, upkeep
from engine.errors import ArtifactError
from engine.index import Index


def _files(place: Path) -> list[Path]:
    return sorted(p for p in (place / "indexes" / "tiny").iterdir() if p.suffix == ".npy")


def test_all_is_well_with_a_fresh_index(tiny: Index) -> None:
    assert upkeep.verify("tiny") == []
    assert index.list_indexes() == ["tiny"]


def test_every_flipped_bit_is_named(scratch: Path) -> None:
    for path in _files(scratch):
        data = path.read_bytes()
        damaged = bytearray(data)
        damaged[len(data) // 2] ^= 16
        path.write_bytes(damaged)
        faults = upkeep.verify("tiny")
        assert len(faults) == 1, path.name
        assert path.name in faults[0]
        path.write_bytes(data)
    assert upkeep.verify("tiny") == []


def test_numbers_that_do_not_fit_together_are_faults(scratch: Path) -> None:
    folder = scratch / "indexes" / "tiny"
    manifest = artifacts.read_manifest(folder, "index", "")
    kept = artifacts.open_array(folder, manifest["parts"]["vectors"]["arrays"]["frequency"])
    wrong = kept.copy()
    wrong[7] += 1
    entry = artifacts.write_array(folder, "vectors-frequency", wrong)
    manifest["parts"]["vectors"]["arrays"]["frequency"] = entry
    content = {k: v for k, v in manifest.items() if k not in ("kind", "format_version", "sha256")}
    artifacts.write_manifest(folder, "index", content)
    assert upkeep.verify("tiny") == ["vectors/frequency does not add up words/counts"]


def test_a_part_is_added_without_touching_the_others(scratch: Path) -> None:
    before = json.loads((scratch / "indexes" / "tiny" / "manifest.json").read_text())
    reader = index.open_index("tiny")
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    upkeep.add_part("tiny", "embedding", {"model": "m"}, {"features": values})
    after = index.open_index("tiny")
    assert after.stamp != reader.stamp
    assert after.manifest["parts"]["embedding"]["parameters"] == {"model": "m"}
    np.testing.assert_array_equal(after.parts["embedding"]["features"], values)
    others = {k: v for k, v in after.manifest["parts"].items() if k != "embedding"}
    assert others == before["parts"]
    upkeep.add_part("tiny", "embedding", {"model": "n"}, {"features": values + 1})
    assert upkeep.verify("tiny") == []
    assert len(list((scratch / "indexes" / "tiny").glob("embedding-*"))) == 1
    assert reader.matrix("count").shape == (reader.n_images, reader.n_words)


def test_the_parts_of_every_index_cannot_be_replaced(scratch: Path) -> None:
    with pytest.raises(ValueError, match="belongs to the index itself"):
        upkeep.add_part("tiny", "vectors", {}, {})


def test_a_deleted_index_is_gone_and_its_readers_go_on(scratch: Path) -> None:
    reader = index.open_index("tiny")
    upkeep.delete("tiny")
    assert index.list_indexes() == []
    assert reader.matrix("distance").sum() > 0
    with pytest.raises(ArtifactError, match="there is no index 'tiny'"):
        index.open_index("tiny")
    with pytest.raises(ArtifactError, match="indexes here: none yet"):
        upkeep.delete("tiny")


def test_what_is_not_there_is_a_fault(empty_artifacts: Path) -> None:
    assert upkeep.verify("tiny") != []
