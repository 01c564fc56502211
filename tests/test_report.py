"""A report is one file: nothing fetched, nothing run, everything escaped, and it adds up."""

import dataclasses
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from engine import cli, explain, images, methods, pipeline, report
from engine.answer import Answer
from engine.explanation import Explanation
from engine.index import Index

HOSTILE = "</title><script>alert(1)</script>\" onload='x' &amp;\x00\u202e\n.jpg"


def _query(of: Index, name: str, method: str) -> tuple[report.Shown, Answer]:
    described = pipeline.describe_query(of, images.read(of.root / name))
    answer = pipeline.search_query(of, described, method, None)
    height, width = described.image.gray.shape
    of_words = (described.features.xy, described.words.word_ids)
    return report.Shown(name, (width, height), described.image.rgb, *of_words), answer


def _made(of: Index, name: str, method: str, place: int = 1) -> tuple[Explanation, str]:
    shown, answer = _query(of, name, method)
    image_id = int(answer.ranking.image_ids[place - 1])
    explained = explain.explain(of, answer, image_id)
    result = images.read(of.picture_path(image_id)).rgb
    return explained, report.make(of, shown, answer, explained, result).decode()


def _check(page: str) -> ElementTree.Element:
    """Parse strictly; nothing may point out of the file, nor be run."""
    tree = ElementTree.fromstring(page)
    ids = [element.attrib["id"] for element in tree.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    for element in tree.iter():
        assert element.tag not in ("script", "link", "iframe", "object", "embed", "base", "form")
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on")
            if name in ("href", "src"):
                inside = value[1:] in ids if value.startswith("#") else False
                assert inside or value.startswith("data:image/jpeg;base64,")
    for image in tree.iter("img"):
        assert image.attrib["alt"]
    for drawing in tree.iter("svg"):
        assert drawing.attrib.get("aria-label") or drawing.attrib.get("aria-hidden") == "true"
    assert not re.search(r"url\(|@import|https?:|//", re.sub(r"base64,[^\"]*", "", page))
    return tree


@pytest.mark.parametrize("method", methods.METHODS)
def test_a_report_stands_alone_and_its_lines_add_up(full: Index, method: str) -> None:
    explained, page = _made(full, "china.jpg", method)
    tree = _check(page)
    table = next(one for one in tree.iter("table") if one.attrib.get("class") == "sum")
    parts = [float(row[1].text or "") for row in table.findall("tbody/tr")]
    total = float(table.findall("tfoot/tr")[0][1].text or "")
    assert sum(parts) == pytest.approx(total, abs=0.001 * len(parts))
    assert total == pytest.approx(explained.score, abs=0.001)
    assert len(page) < report.MOST_BYTES


def test_matches_that_count_differ_by_more_than_colour(full: Index) -> None:
    explained, page = _made(full, "china.jpg", "verified", place=4)
    tree = _check(page)
    assert explained.matches is not None
    for kind in ("side", "stacked"):
        drawing = next(one for one in tree.iter("svg") if one.attrib.get("class") == kind)
        groups = [one.attrib["class"] for one in drawing.iter("g")]
        n_counted = int((explained.matches.fates == 0).sum())
        assert groups.count("counts") == min(n_counted, 50)
        assert len(groups) == min(len(explained.matches), 50)
    assert "stroke-dasharray" in page


@pytest.mark.parametrize("method", ["verified", "distance"])
def test_names_of_files_are_escaped(full: Index, method: str) -> None:
    shown, answer = _query(full, "china.jpg", method)
    image_id = int(answer.ranking.image_ids[0])
    named = list(full.images)
    named[image_id] = dataclasses.replace(named[image_id], path="\udcff" + HOSTILE)
    hostile = dataclasses.replace(full, images=tuple(named))
    shown = dataclasses.replace(shown, name=HOSTILE)
    explained = explain.explain(hostile, answer, image_id)
    result = images.read(full.picture_path(image_id)).rgb
    page = report.make(hostile, shown, answer, explained, result).decode()
    _check(page)
    assert "<script" not in page and "\u202e" not in page and "\x00" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_without_pixels_the_pictures_are_grey(full: Index) -> None:
    shown, answer = _query(full, "china.jpg", "verified")
    explained = explain.explain(full, answer, int(answer.ranking.image_ids[0]))
    shown = dataclasses.replace(shown, rgb=None)
    page = report.make(full, shown, answer, explained, None).decode()
    assert page.count("file gone or changed") == 2
    assert "laid on the query" not in page
    _check(page)


def test_without_keypoints_a_report_says_so(full: Index) -> None:
    for method in ("verified", "distance", "asmk"):
        _, page = _made(full, "flat.png", method)
        _check(page)
        assert "Nothing in the query adds to the score." in page


def test_noise_is_stored_rougher(full: Index) -> None:
    shown, answer = _query(full, "china.jpg", "verified")
    explained = explain.explain(full, answer, int(answer.ranking.image_ids[0]))
    noise = np.random.default_rng(0).integers(0, 256, (800, 800, 3), np.uint8)
    page = report.make(full, shown, answer, explained, noise)
    _check(page.decode())
    assert len(page) < 1.5 * report.MOST_BYTES


def test_the_command_writes_the_report(
    full: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "why.html"
    place.write_text("what was there")
    argv = ["explain", "tiny", "china.jpg", "turned/china.png", "--html"]
    assert cli.main([*argv, str(place)]) == 0
    assert capsys.readouterr().out == f"{place}\n"
    _check(place.read_text())
    assert [one.name for one in tmp_path.iterdir()] == ["why.html"]
    for wrong in (tmp_path, tmp_path / "none" / "why.html"):
        assert cli.main([*argv, str(wrong)]) == 1
        read = capsys.readouterr()
        assert "cannot be written" in read.err and read.out == ""


def test_a_result_whose_file_is_gone_is_said(
    full: Index,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read, place = images.read, tmp_path / "why.html"
    changed = read(full.root / "coffee.jpg")
    monkeypatch.setattr(
        images, "read", lambda path: changed if path.name == "china.png" else read(path)
    )
    assert cli.main(["explain", "tiny", "china.jpg", "1", "--html", str(place)]) == 0
    assert "turned/china.png is gone or has changed" in capsys.readouterr().err
    assert "file gone or changed" in place.read_text()
