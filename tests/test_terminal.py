"""What is printed says what is there and moves no terminal."""

import pytest

from engine import terminal
from engine.pool import Progress


def test_names_cannot_move_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.put("a\x1b[2Jb\u202ec")
    assert capsys.readouterr().out == "a\\x1b[2Jb\\u202ec\n"


def test_a_stage_of_known_length_has_one_bar(capsys: pytest.CaptureFixture[str]) -> None:
    bars = terminal.Bars()
    bars(Progress("Looking", 0, 0))
    bars(Progress("Looking", 0, 0, "a.jpg"))
    for done in range(4):
        bars(Progress("Finding", done, 3, n_skipped=done // 2))
    bars.close()
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("Looking ...") == 1
    assert "Finding: 100%" in printed.err
    assert "1 skipped" in printed.err
