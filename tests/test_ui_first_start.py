"""The first start: every page offers the demo, says how far it is, and why it failed."""

from pathlib import Path

import pytest

from tests.pages_under_test import PAGES, NoBuild, sentences, visit, well

pytestmark = pytest.mark.usefixtures("fresh_caches", "no_build")


@pytest.mark.parametrize("page", PAGES)
def test_the_first_start_offers_the_demo(
    empty_artifacts: Path, no_build: NoBuild, page: str
) -> None:
    at = well(visit(page))
    assert "python -m engine build" in sentences(at)
    well(at.button(key="make-demo").click().run())
    assert no_build.n_starts == 1
    assert "12 of 96" in at.get("progress")[0].proto.text


def test_the_first_start_shows_how_far_it_is(empty_artifacts: Path, no_build: NoBuild) -> None:
    no_build.running = True
    at = well(visit("search"))
    assert at.get("progress")[0].proto.value == 12
    assert "Keypoints" in sentences(at)


def test_a_failed_first_start_says_why_and_can_be_tried_again(
    empty_artifacts: Path, no_build: NoBuild
) -> None:
    no_build.error = "the disk is full"
    at = visit("search")
    assert not at.exception
    assert [error.value for error in at.error] == ["the disk is full"]
    assert at.button(key="make-demo").label == "Try again"
    well(at.button(key="make-demo").click().run())
    assert no_build.n_starts == 1


def test_an_artifacts_folder_that_is_a_file_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(tmp_path / "file"))
    assert not visit("search").exception
