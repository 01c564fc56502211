"""The command that looks at vocabularies says what the engine measures."""

import json
from pathlib import Path

import pytest

from engine import cli
from engine.index import Index


def test_an_index_compared_with_itself(tiny: Index, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["codebooks", "compare", "tiny", "tiny", "--descriptors", "200"]
    assert cli.main(argv) == 0
    said = capsys.readouterr().out
    assert "24 words are each other's nearest" in said and "agreement     1.000" in said
    assert cli.main([*argv, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["n_counterparts"] == 24
    assert [one["n_split"] for one in told["codebooks"]] == [0, 0]


def test_the_words_of_an_index_are_judged(
    tiny: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f"{name}.jpg,turned/{name}.png,good" for name in ("coffee", "china", "chelsea")]
    csv = tmp_path / "truth.csv"
    csv.write_text("\n".join(["query,relevant,label", *lines]) + "\n")
    argv = ["codebooks", "quality", "tiny", "--groundtruth", str(csv)]
    assert cli.main(argv) == 0
    assert "bits about 3 landmarks" in capsys.readouterr().out
    assert cli.main([*argv, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["words"]) == told["usage"]["n_words"] == 24


@pytest.mark.parametrize("names", [["compare", "tiny"], ["quality", "tiny", "tiny"]])
def test_a_wrong_number_of_indexes_is_told(
    tiny: Index, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["codebooks", *names]) == 1
    assert "python -m engine codebooks" in capsys.readouterr().err


def test_other_sizes_are_not_of_comparing(tiny: Index, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["codebooks", "compare", "tiny", "tiny", "--again", "2"]) == 1
    assert "--sizes and --again are of quality" in capsys.readouterr().err


def test_sizes_and_seeds_are_learned_when_asked_for(
    tiny: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["codebooks", "quality", "tiny", "--sizes", "4,8", "--again", "2"]
    argv += ["--descriptors", "400"]
    assert cli.main(argv) == 0
    said = capsys.readouterr().out
    assert "8 words  distortion" in said and "learned again with 2 seeds from 200" in said
    assert cli.main([*argv, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [size["n_words"] for size in told["sizes"]] == [4, 8]
    assert len(told["again"]["found"]) == 24 and told["again"]["seeds"] == [1, 2]


@pytest.mark.parametrize("sizes", ["1,5", "many", ""])
def test_sizes_that_are_none_are_refused(sizes: str) -> None:
    with pytest.raises(SystemExit):
        cli.main(["codebooks", "quality", "tiny", "--sizes", sizes])
