"""Ground truths that are kept: made, gone on with, never overwritten unseen."""

import csv
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import build, groundtruth, index, truths
from engine.errors import ArtifactError, ConflictError, GroundTruthError
from engine.index import Index
from tests.conftest import tiny_params

FIRST = {"chelsea.jpg": {"turned/chelsea.png": "right", "coffee.jpg": "wrong", "china.jpg": "junk"}}


@pytest.fixture
def opened(scratch: Path) -> Index:
    return index.open_index("tiny")


def rows(name: str) -> list[list[str]]:
    return list(csv.reader(truths.path_of(name).read_text().splitlines()))


def test_what_was_saved_is_read_as_a_ground_truth(opened: Index) -> None:
    assert truths.list_truths() == []
    saved = truths.save("mine", truths.open_truth("mine", opened).digest, FIRST, opened)
    assert truths.list_truths() == ["mine"]
    assert rows("mine") == [
        ["query", "relevant", "label"],
        ["chelsea.jpg", "turned/chelsea.png", "good"],
        ["chelsea.jpg", "china.jpg", "junk"],
    ]
    (query,) = groundtruth.read(truths.path_of("mine"), opened)
    assert query.positives == {opened.find_image("turned/chelsea.png")}
    assert query.junk == {opened.find_image("china.jpg")}
    again = truths.open_truth("mine", opened)
    assert again == saved and again.marks == FIRST and again.queries == ("chelsea.jpg",)


def test_a_second_save_does_not_overwrite_the_first_unseen(opened: Index) -> None:
    before = truths.open_truth("mine", opened).digest
    truths.save("mine", before, FIRST, opened)
    written = truths.path_of("mine").read_bytes()
    with pytest.raises(ConflictError, match="saved by someone else"):
        truths.save("mine", before, {"coffee.jpg": {"turned/coffee.png": "right"}}, opened)
    assert truths.path_of("mine").read_bytes() == written


def test_what_was_looked_at_alone_is_a_change_too(opened: Index) -> None:
    first = truths.save("mine", "", FIRST, opened)
    marks = {"chelsea.jpg": FIRST["chelsea.jpg"] | {"rocket.jpg": "wrong"}}
    second = truths.save("mine", first.digest, marks, opened)
    assert second.digest != first.digest
    with pytest.raises(ConflictError):
        truths.save("mine", first.digest, FIRST, opened)


def test_of_many_savers_at_once_one_comes_through(opened: Index) -> None:
    def attempt(_: int) -> bool:
        try:
            truths.save("mine", "", FIRST, opened)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) == 1


def test_a_query_without_a_right_answer_waits_beside_the_csv(opened: Index) -> None:
    """In the csv it would bar the way to all others."""
    marks = {"coffee.jpg": {"china.jpg": "junk", "rocket.jpg": "wrong"}}
    saved = truths.save("mine", "", marks, opened)
    assert rows("mine") == [["query", "relevant", "label"]]
    assert saved.queries == () and saved.marks == marks
    both = truths.save("mine", saved.digest, FIRST, opened)
    assert len(groundtruth.read(truths.path_of("mine"), opened)) == 1
    assert both.marks == marks | FIRST


def test_lines_that_need_no_change_stay_word_for_word(scratch: Path, folder: Path) -> None:
    opened = build.build(folder, "other", tiny_params(), n_workers=1)
    assert {entry.path for entry in opened.skipped} >= {"broken.jpg"}
    data = (
        "query,relevant,label,landmark\n"
        "chelsea.jpg,turned/chelsea.png,ok,cat\n"
        "chelsea.jpg,broken.jpg,good,cat\n"
        "chelsea.jpg,coffee.jpg,junk,cat\n"
        "rocket.jpg,turned/rocket.png,same,sky\n"
    )
    assert truths.add("theirs", data.encode(), opened) == "theirs"
    before = truths.open_truth("theirs", opened)
    marks = dict(before.marks["chelsea.jpg"]) | {"coffee.jpg": "right", "china.jpg": "right"}
    truths.save("theirs", before.digest, {"chelsea.jpg": marks}, opened)
    assert rows("theirs")[1:] == [
        ["chelsea.jpg", "turned/chelsea.png", "ok", "cat"],
        ["chelsea.jpg", "broken.jpg", "good", "cat"],
        ["chelsea.jpg", "coffee.jpg", "good", "cat"],
        ["chelsea.jpg", "china.jpg", "good", "cat"],
        ["rocket.jpg", "turned/rocket.png", "same", "sky"],
    ]
    cat, sky = groundtruth.read(truths.path_of("theirs"), opened)
    assert (cat.n_missing, cat.landmark, sky.landmark) == (1, "cat", "sky")


@pytest.mark.parametrize(
    "changes",
    [
        {"chelsea.jpg": {"nothing.jpg": "right"}},
        {"nothing.jpg": {"chelsea.jpg": "right"}},
        {"chelsea.jpg": {"chelsea.jpg": "right"}},
        {"chelsea.jpg": {"coffee.jpg": "good"}},
    ],
)
def test_marks_that_mean_nothing_are_not_written(
    opened: Index, changes: dict[str, dict[str, str]]
) -> None:
    with pytest.raises(ValueError, match="cannot be marked"):
        truths.save("mine", "", changes, opened)
    assert truths.list_truths() == []


@given(
    st.dictionaries(
        st.sampled_from(["chelsea.jpg", "coffee.jpg", "turned/rocket.png"]),
        st.dictionaries(
            st.sampled_from(["china.jpg", "flower.jpg", "flat.png", "turned/china.png"]),
            st.sampled_from(truths.MARKS),
        ),
    )
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_set_of_marks_comes_back(opened: Index, marks: dict[str, dict[str, str]]) -> None:
    before = truths.open_truth("law", opened)
    cleared = {asked: {} for asked in before.marks}
    saved = truths.save("law", before.digest, {**cleared, **marks}, opened)
    assert saved.marks == {asked: told for asked, told in marks.items() if told}
    assert truths.open_truth("law", opened) == saved


# What is sent


def test_a_csv_that_is_sent_names_no_files_of_the_server(opened: Index, tmp_path: Path) -> None:
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(b"a secret")
    for name in (str(outside), "../outside.jpg", "nothing.jpg"):
        data = f"query,relevant,label\n{name},coffee.jpg,good\n".encode()
        with pytest.raises(GroundTruthError, match="is not in the index 'tiny'"):
            truths.add("sent", data, opened)
    assert truths.list_truths() == []


def test_a_csv_under_a_name_that_is_taken_gets_one_of_its_own(opened: Index) -> None:
    one = b"query,relevant,label\ncoffee.jpg,turned/coffee.png,good\n"
    other = b"query,relevant,label\nchina.jpg,turned/china.png,good\n"
    assert [truths.add("gt", data, opened) for data in (one, other, one, other)] == [
        "gt",
        "gt-2",
        "gt",
        "gt-2",
    ]


def test_a_csv_that_is_too_large_is_refused(opened: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truths, "MAX_BYTES", 10)
    with pytest.raises(GroundTruthError, match="larger than"):
        truths.add("gt", b"query,relevant,label\n", opened)


def test_damage_is_said(opened: Index) -> None:
    truths.save("mine", "", FIRST, opened)
    looked = truths.truths_folder() / "mine.looked.json"
    looked.write_text("not json")
    with pytest.raises(ArtifactError, match="is damaged"):
        truths.open_truth("mine", opened)
    looked.unlink()
    assert truths.open_truth("mine", opened).queries == ("chelsea.jpg",)
    looked.write_text(json.dumps({"queries": {"gone.jpg": {"x.jpg": "wrong"}, "coffee.jpg": 3}}))
    assert set(truths.open_truth("mine", opened).marks) == {"chelsea.jpg"}
    truths.path_of("mine").write_text("query,relevant,label\nchelsea.jpg,gone.jpg,good\n")
    with pytest.raises(GroundTruthError, match="line 2: 'gone"):
        truths.open_truth("mine", opened)


def test_one_query_under_two_names_cannot_be_gone_on_with(opened: Index, folder: Path) -> None:
    path = truths.path_of("mine")
    path.parent.mkdir(parents=True)
    lines = ["query,relevant,label", "chelsea.jpg,turned/chelsea.png,good"]
    path.write_text("\n".join([*lines, f"{folder}/chelsea.jpg,coffee.jpg,good"]))
    with pytest.raises(GroundTruthError, match="in two ways"):
        truths.open_truth("mine", opened)


@pytest.mark.parametrize(
    "name", ["a\0b.jpg", "x" * 5000 + ".jpg", "\ud7ff\uffff.jpg", "~/a.jpg", "."]
)
def test_unusual_names_that_are_sent_are_faults_of_their_line(opened: Index, name: str) -> None:
    data = f"query,relevant,label\nchelsea.jpg,{name},good\n".encode()
    with pytest.raises(GroundTruthError, match="line 2"):
        truths.add("gt", data, opened)


def test_a_deleted_ground_truth_leaves_nothing(opened: Index) -> None:
    saved = truths.save("mine", "", FIRST, opened)
    assert truths.digest_of("mine") == saved.digest
    truths.delete("mine", saved.digest)
    assert truths.list_truths() == [] and truths.digest_of("mine") == ""
    assert [path.name for path in truths.truths_folder().iterdir()] == [".lock"]
    assert truths.open_truth("mine", opened).marks == {}


def test_a_csv_that_was_deleted_is_still_had_as_it_was_seen(opened: Index) -> None:
    saved = truths.save("mine", "", FIRST, opened)
    on_disk = truths.path_of("mine").read_bytes()
    assert truths.csv_of(saved) == on_disk
    truths.delete("mine", saved.digest)
    assert truths.csv_of(saved) == on_disk


def test_what_was_saved_since_it_was_seen_is_not_deleted(opened: Index) -> None:
    first = truths.save("mine", "", FIRST, opened)
    changes = {"coffee.jpg": {"turned/coffee.png": "right"}}
    second = truths.save("mine", first.digest, changes, opened)
    with pytest.raises(ConflictError, match="'mine' was saved by someone else"):
        truths.delete("mine", first.digest)
    assert truths.open_truth("mine", opened).marks == second.marks
    truths.delete("mine", second.digest)
    for seen in ("", second.digest):
        with pytest.raises(ConflictError, match="'mine' was deleted by someone else"):
            truths.delete("mine", seen)
    with pytest.raises(ConflictError, match="was deleted by someone else"):
        truths.save("mine", second.digest, changes, opened)


def test_a_deletion_cut_off_after_the_csv_left_marks_for_the_next(opened: Index) -> None:
    truths.save("mine", "", FIRST, opened)
    truths.path_of("mine").unlink()
    assert (truths.truths_folder() / "mine.looked.json").exists()
    again = truths.open_truth("mine", opened)
    assert again.marks == {} and again.digest == ""
    changes = {"coffee.jpg": {"turned/coffee.png": "right"}}
    assert truths.save("mine", "", changes, opened).marks == changes
    assert truths.open_truth("mine", opened).marks == changes


def test_what_cannot_be_deleted_is_said(opened: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = truths.save("mine", "", FIRST, opened)

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(ArtifactError, match=r"mine\.csv cannot be deleted: Permission denied"):
        truths.delete("mine", saved.digest)
    assert truths.open_truth("mine", opened).marks == saved.marks
