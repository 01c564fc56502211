"""Lessons: the list, the tour, and each lesson: without a photograph, with one, with a flat one."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from engine import build, features, images, language, nearest, pipeline, repeatability
from engine.features import ExtractionParams
from engine.index import Index
from engine.repeatability import Variation
from tests.conftest import tiny_params
from tests.pages_under_test import component, refused, sentences, visit, well
from tests.test_ui_language import english
from ui.lessons import measuring, show
from ui.lessons.view import View
from ui.uploads import STORE

pytestmark = pytest.mark.usefixtures("fresh_caches", "no_build")

STEPS = [
    (name, place) for name, one in show.LESSONS.items() for place in range(1, len(one.steps) + 1)
]


def _id(tiny: Index, name: str) -> int:
    found = tiny.find_image(name)
    assert found is not None
    return found


def _open(tiny: Index, name: str = "china.jpg", **parameters: str) -> AppTest:
    return visit("lessons", query=f"image-{_id(tiny, name)}", **parameters)


def _press(at: AppTest, label: str) -> AppTest:
    return well(next(b for b in at.button if b.label == label).click().run())


def test_the_list_tells_of_the_tour_and_six_lessons(tiny: Index) -> None:
    at = well(visit("lessons"))
    assert at.header[0].value == "Learn how it works"
    labels = [b.label for b in at.button if b.label.startswith("Begin")]
    assert labels == ["Begin the tour", *(f"Begin lesson {n}" for n in range(1, 7))]


@pytest.mark.parametrize(("lesson", "step"), STEPS)
def test_every_step_stands_on_a_photograph(tiny: Index, lesson: str, step: int) -> None:
    at = well(_open(tiny, lesson=lesson, step=str(step)))
    one = show.LESSONS[lesson]
    assert at.header[0].value == one.steps[step - 1].title
    assert f"step {step} of {len(one.steps)}" in sentences(at)
    assert one.steps[step - 1].text[0] in sentences(at)
    assert not at.warning


@pytest.mark.parametrize("lesson", list(show.LESSONS))
def test_a_lesson_without_a_photograph_asks_for_one(tiny: Index, lesson: str) -> None:
    at = well(visit("lessons", lesson=lesson, step="2"))
    if lesson == "tour":  # takes a picture of the collection
        assert "Pixels from" in sentences(at)
        return
    assert "First choose a photograph" in sentences(at)
    offered = component(at, "offered")["items"]
    assert offered[0]["href"].startswith("/lessons?")
    assert f"lesson={lesson}" in offered[0]["href"] and "step=2" in offered[0]["href"]


@pytest.mark.parametrize("lesson", list(show.LESSONS))
def test_a_photograph_without_keypoints_is_told_of(tiny: Index, lesson: str) -> None:
    at = well(_open(tiny, "flat.png", lesson=lesson, step="3"))
    assert "No keypoints were found" in at.warning[0].value
    assert component(at, "offered")["items"]


@pytest.mark.parametrize(("lesson", "step"), STEPS)
def test_every_step_is_told_in_chinese(tiny: Index, lesson: str, step: int) -> None:
    at = well(_open(tiny, lesson=lesson, step=str(step), lang="zh"))
    with language.speaking("zh"):
        assert at.header[0].value == language.tr(show.LESSONS[lesson].steps[step - 1].title)
    assert [text for text in english(at) if not text.startswith("延伸阅读")] == []


def test_next_and_previous_walk_through_a_lesson_and_out_of_it(tiny: Index) -> None:
    at = _press(_open(tiny, lesson="geometry"), "Next step")
    assert at.query_params["step"] == "2"
    at = _press(at, "Previous step")
    assert "step" not in at.query_params
    at = _press(at, "All lessons")
    assert "lesson" not in at.query_params
    assert at.query_params["query"] == f"image-{_id(tiny, 'china.jpg')}"
    at = _press(at, "Begin lesson 6")
    assert at.query_params["lesson"] == "measuring"


def test_an_upload_is_done_the_lesson_on(tiny: Index, folder: Path) -> None:
    token = STORE.keep("mine.png", (folder / "turned" / "china.png").read_bytes())
    for lesson, step in (("keypoints", "5"), ("survives", "2"), ("words", "4")):
        at = well(visit("lessons", query=f"upload-{token}", lesson=lesson, step=step))
        assert not at.warning


def test_who_dropped_a_photograph_again_was_led_out_of_the_lesson(
    tiny: Index, folder: Path
) -> None:
    gone = "upload-" + "a" * 32
    at = visit("lessons", lesson="survives", step="1", query=gone, keypoint="3")
    assert "kept for two hours" in refused(at)
    data = (folder / "china.jpg").read_bytes()
    at = well(at.file_uploader[0].upload("mine.jpg", data, "image/jpeg").run())
    assert at.query_params["query"] != [gone] and at.query_params["query"] != gone
    assert at.header[0].value == "Turned, zoomed, darkened, blurred"


def test_the_threshold_is_met_when_fewer_than_100_are_left(tiny: Index) -> None:
    at = well(_open(tiny, lesson="keypoints", step="2"))
    assert [task.value for task in at.info] == ["○ Move the slider until fewer than 100 are left."]
    slider = at.slider[0]
    at = well(slider.set_value(slider.max).run())
    assert [task.value[0] for task in at.success] == ["✓"]
    responses = tiny.keypoints(_id(tiny, "china.jpg")).response
    left = int((responses >= slider.max).sum())
    assert f"**{left}** of {len(responses):,} keypoints" in sentences(at)
    assert component(at, "lesson-threshold-picture")["shown"] == left


def test_a_clicked_keypoint_shows_its_numbers(tiny: Index) -> None:
    at = well(_open(tiny, lesson="keypoints", keypoint="3"))
    assert "Number 4 of" in sentences(at)
    assert at.success
    assert component(at, "lesson-spots")["chosen"] == 3
    at = well(_open(tiny, lesson="keypoints", keypoint="999999"))
    assert "Number 1 of" in sentences(at)


def test_a_change_is_measured_by_the_engine(tiny: Index, folder: Path) -> None:
    at = well(_open(tiny, lesson="survives"))
    for slider, value in zip(at.slider, (90, 1.0, 1.0, 0.0)):
        slider.set_value(value)
    at = well(at.run())
    gray = images.read(folder / "china.jpg").gray
    *_, found = repeatability.repeat(gray, tiny.surf, Variation(turn=90.0))
    kept = len(found.pairs) / found.is_common_one.sum()
    assert f"**{kept:.0%}** of your photograph" in sentences(at)
    assert f"with fewer, {found.repeatability:.0%}" in sentences(at)
    at.slider[1].set_value(0.25)
    at = well(at.run())
    assert at.success


def test_a_change_was_measured_on_other_keypoints_than_the_collections(
    scratch: Path, folder: Path
) -> None:
    params = tiny_params(extraction=ExtractionParams(kind="rootsift"))
    shown = build.build(folder, "tiny", params, n_workers=1, overwrite=True)
    at = well(_open(shown, lesson="keypoints", step="5"))
    gray = images.read(folder / "china.jpg").gray
    n = len(features.extract(gray, shown.extraction))
    assert f"{n:,} keypoints on the left" in sentences(at)


def test_a_change_that_makes_the_picture_large_took_longer_than_a_slider_may(tiny: Index) -> None:
    at = well(_open(tiny, lesson="survives"))
    # Four times the pixels, turned and blurred, are 0.4 s of a processor.
    assert at.slider(key="lesson-change-zoom").max == 1.5


def test_what_was_moved_in_a_lesson_was_lost_to_whoever_got_the_link(tiny: Index) -> None:
    at = well(_open(tiny, lesson="survives"))
    at = well(at.slider(key="lesson-change-turn").set_value(90).run())
    at = well(at.slider(key="lesson-change-zoom").set_value(0.5).run())
    (told,) = (
        at.query_params["moved"]
        if isinstance(at.query_params["moved"], list)
        else (at.query_params["moved"],)
    )
    assert told == "turn_90~zoom_0.5"
    again = well(_open(tiny, lesson="survives", moved=told))
    assert again.slider(key="lesson-change-turn").value == 90
    assert sentences(again) == sentences(at)
    assert "moved" not in View.read({"lesson": "survives", "moved": told}).to(step=2).write()
    assert View.read({"moved": "turn_nan~zoom_1e9~x~-1_2"}) == View.read({})
    for lesson, step, moved in (
        ("survives", "1", "turn_9999999~zoom_-3"),
        ("keypoints", "3", "sizes_-1"),
        ("geometry", "2", "lines_77"),
        ("words", "4", "size_3"),
    ):
        well(_open(tiny, lesson=lesson, step=step, moved=moved))


def test_what_is_ignored_took_a_place_behind_the_last(tiny: Index) -> None:
    at = _open(tiny, lesson="measuring", step="4")
    sha256 = tiny.images[_id(tiny, "china.jpg")].sha256
    marks = {_id(tiny, "turned/china.png"): "right", _id(tiny, "rocket.jpg"): "junk"}
    at.session_state[measuring.KEY] = {(tiny.name, tiny.stamp, sha256): marks}
    cells = component(well(at.run()), "lesson-cases")["rows"][3]["cells"]
    # Of 13 pictures the query and the ignored one have no place: there are 11, and one more.
    assert cells[-1]["text"] == "1, 12"


def test_the_ratio_test_leaves_the_clear_matches(tiny: Index, folder: Path) -> None:
    at = well(_open(tiny, lesson="survives", step="3"))
    at = well(at.slider[0].set_value(0.6).run())
    one, other = (
        pipeline.describe_query(tiny, images.read(folder / name)).features.descriptors
        for name in ("china.jpg", "turned/china.png")
    )
    n = len(nearest.nearest(one, other).within(0.6))
    assert f"{n:,} matches" in sentences(at)
    assert at.success
    assert len(component(at, "lesson-ratio-pair")["matches"]) == min(n, 100)


def test_fewer_words_match_more_pairs(tiny: Index) -> None:
    at = well(_open(tiny, lesson="words", step="4"))
    at = well(at.select_slider[0].set_value(10).run())
    assert at.success
    assert "pairs of keypoints have an equal word" in sentences(at)


def test_a_word_is_switched_off_and_on_by_links(tiny: Index) -> None:
    at = well(_open(tiny, lesson="weights", step="3"))
    tile = component(at, "lesson-off")["items"][0]
    word = tile["rank"]
    assert tile["alt"] == f"Word {word}: leave it out" and f"off={word}" in tile["href"]
    at = well(_open(tiny, lesson="weights", step="3", off=word))
    assert "score goes from" in sentences(at)
    assert component(at, "lesson-off")["items"][0]["caption"] == "✕ left out"
    assert "off" not in _press(at, "Take all in again").query_params


def test_the_pair_takes_the_picture_that_is_asked_for(tiny: Index) -> None:
    other = _id(tiny, "rocket.jpg")
    at = well(_open(tiny, lesson="geometry", step="3", result=str(other)))
    assert "rocket.jpg" in sentences(at)
    assert "picture 999" in refused(_open(tiny, lesson="geometry", result="999"))


def test_marks_make_a_curve_and_an_average_precision(tiny: Index) -> None:
    query = _id(tiny, "china.jpg")
    at = well(_open(tiny, lesson="measuring", step="3"))
    assert "Nothing is marked right yet" in at.info[0].value
    sha256 = tiny.images[query].sha256
    right = _id(tiny, "turned/china.png")
    kept = {(tiny.name, tiny.stamp, sha256): {right: "right"}}
    at.session_state[measuring.KEY] = kept
    at = well(at.run())
    cells = component(at, "lesson-figures")["rows"][0]["cells"]
    assert [cell["text"] for cell in cells] == ["verified", "1.000", "0.25", "1"]
    assert component(at, "lesson-figures")["rows"][1]["cells"][0]["text"] == "tf-idf"


def test_addresses_keep_what_was_chosen_and_forget_what_has_no_meaning() -> None:
    here = View.read({"lesson": "words", "step": "2", "keypoint": "7", "off": "5-3", "result": "x"})
    assert here.off == (3, 5) and here.keypoint == 7 and here.result is None
    assert View.read(here.write()) == here
    assert here.to(step=3).keypoint == 7
    other = here.to(lesson="weights")
    assert (other.step, other.keypoint, other.off) == (1, None, ())
    assert here.to(image_id=4).keypoint is None
    assert View.read({"lesson": "../x", "step": "-1"}) == View.read({})


def test_a_step_beyond_the_last_is_the_last(tiny: Index) -> None:
    at = well(_open(tiny, lesson="measuring", step="99"))
    assert "step 4 of 4" in sentences(at)
    assert well(visit("lessons", lesson="nothing")).header[0].value == "Learn how it works"


@pytest.mark.parametrize(
    ("lesson", "step", "key"), [("survives", "4", "lesson-equal"), ("words", "4", "lesson-fewer")]
)
def test_lines_of_equal_words_join_keypoints_of_one_word(
    tiny: Index, folder: Path, lesson: str, step: str, key: str
) -> None:
    """The index keeps keypoints in another order than they are found in."""
    other = _id(tiny, "turned/china.png")
    at = well(_open(tiny, lesson=lesson, step=step, result=str(other)))
    found = pipeline.describe_query(tiny, images.read(folder / "china.jpg"))
    ours = {tuple(p): w for p, w in zip(found.features.xy.tolist(), found.words.word_ids)}
    stored, word_ids = tiny.keypoints(other), tiny.words(other).word_ids
    lines = component(at, key)["matches"]
    assert lines
    for line in lines:
        one = min(ours, key=lambda p: (p[0] - line[0]) ** 2 + (p[1] - line[1]) ** 2)
        places = np.abs(stored.xy - line[4:6]).max(axis=1) < 0.06
        assert ours[one] in word_ids[places].tolist() or _doubled(ours, one)


def _doubled(ours: dict[tuple[float, ...], int], one: tuple[float, ...]) -> bool:
    """Tell whether another keypoint lies so near that rounding confuses the two."""
    return sum(abs(p[0] - one[0]) < 0.2 and abs(p[1] - one[1]) < 0.2 for p in ours) > 1
