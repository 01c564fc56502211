"""Small formats of the pages, and tables that no spreadsheet takes for formulas."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.answer import Timings
from engine.features import ExtractionParams
from ui import words

CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x","y")', "=a,b"],
)
def test_names_do_not_become_formulas(text: str) -> None:
    (row,) = csv.reader(io.StringIO(words.csv([text], [])))
    assert row == ["'" + text]


@pytest.mark.parametrize("text", ["a;=1+1;b", "a\t@x", "a;\n +1", "a\r-1", ";=1", ";;\n;=1"])
def test_names_do_not_become_formulas_where_semicolons_part_cells(text: str) -> None:
    (row,) = csv.reader(io.StringIO(words.csv([text], [])))
    assert not any(cell.strip()[:1] in "=+-@" for cell in re.split("[;\t\r\n]+", row[0]) if cell)


def test_numbers_stay_numbers() -> None:
    assert words.csv(["score", "n"], [[-0.5, -3]]) == "score,n\n-0.5,-3\n"


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=5))
def test_a_table_is_read_back_with_every_cell_in_its_place(table: list[list[str]]) -> None:
    text = words.csv(["first", "second"], [list(row) for row in table])
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read[0] == ["first", "second"]
    assert len(read) == len(table) + 1
    for row, given_row in zip(read[1:], table, strict=True):
        for cell, given_cell in zip(row, given_row, strict=True):
            assert cell in (given_cell, "'" + given_cell)
            assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r")


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 images"), (1, "1 image"), (2, "2 images"), (1214, "1,214 images")]
)
def test_counts_agree_with_their_noun(count: int, told: str) -> None:
    assert words.counted(count, "image") == told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (9.4e-05, "under 0.001 s"),
        (0.00123, "0.0012 s"),
        (0.214, "0.21 s"),
        (1.26, "1.3 s"),
        (9.96, "10 s"),
        (61.4, "61 s"),
    ],
)
def test_times_have_two_figures(value: float, told: str) -> None:
    assert words.seconds(value) == told


def test_steps_that_were_not_taken_are_not_told() -> None:
    assert words.steps(Timings(surf=0.2, words=0.0, search=0.01)) == "SURF 0.2 s · search 0.01 s"
    assert words.steps(Timings(surf=0.0, words=0.0, search=0.0)) == ""
    assert words.steps(Timings(surf=0.2), "RootSIFT") == "RootSIFT 0.2 s"


def test_a_threshold_that_is_not_there_is_not_offered() -> None:
    surf, sift = ExtractionParams(), ExtractionParams(kind="rootsift")
    assert "Lower the threshold here" in words.no_keypoints(surf, "here")
    assert "threshold" not in words.no_keypoints(sift, "here")


def test_every_method_is_explained() -> None:
    from engine.methods import METHODS

    assert set(words.METHODS) == set(words.SCORES) == set(METHODS)


@given(CELLS)
def test_plain_text_loses_nothing_but_its_escapes(text: str) -> None:
    escaped = words.plain(text)
    assert re.sub(r"\\(.)", r"\1", escaped, flags=re.DOTALL) == text
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_`\[\]<>$:#|~!]", escaped)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/srv/vw/indexes/a/manifest.json is damaged", "indexes/a/manifest.json is damaged"),
        ("/home/me/x.npy is missing.", "x.npy is missing."),
        ("[Errno 13] denied: '/etc/secret/x'", "[Errno 13] denied: 'x'"),
        ("the codebook in /srv/vw/indexes/a: cut", "the codebook in indexes/a: cut"),
        ("it has 3/4 of them", "it has 3/4 of them"),
        ("format 2 and/or 1", "format 2 and/or 1"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
    ],
)
def test_a_message_keeps_no_path_of_the_server(text: str, told: str) -> None:
    assert words.without_paths(text, "/srv/vw") == told
    assert words.without_paths(text, "/srv/vw/") == told


def test_the_command_that_mends_is_set_as_code() -> None:
    told = "a_b is damaged. Make it anew: python -m engine build FOLDER --name a_b --overwrite"
    code = "`python -m engine build FOLDER --name a_b --overwrite`"
    assert words.with_command(told) == rf"a\_b is damaged\. Make it anew\: {code}"
    assert words.with_command(told + ".").endswith(f"{code}.")
    assert words.with_command(told + "。").endswith(f"{code}。")
    quoted = words.with_command("There is none. 'python -m engine runs' lists them: it's short")
    assert quoted == r"There is none\. `python -m engine runs` lists them\: it\'s short"
    listed = words.with_command("Make it: python -m engine build A --name b (codebooks here: c)")
    assert listed == r"Make it\: `python -m engine build A --name b` \(codebooks here\: c\)"
    assert words.with_command("no *command*") == r"no \*command\*"
    assert "`" not in words.with_command("python -m engine `x`").replace("\\`", "")


def test_an_address_took_the_chinese_after_it_into_its_link() -> None:
    for after in ("：无法解析", ": refused", ". And", ", and"):
        told = words.with_command(f"cannot reach http://a.b:80/c_d.h5{after}")
        assert told == f"cannot reach `http://a.b:80/c_d.h5`{words.plain(after)}"
    assert words.with_command("an https://`x`") == words.plain("an https://`x`")
