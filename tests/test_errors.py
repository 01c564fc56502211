"""What is wrong is said in the language that is spoken, and what is kept of it stays English."""

import json
import re
import shutil
import string
from collections.abc import Callable
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from engine import (
    artifacts,
    build,
    codebook,
    demo,
    evaluate,
    graph,
    groundtruth,
    images,
    index,
    methods,
    runs,
    truths,
)
from engine.compare import Comparison, Note
from engine.embeddings import open_embeddings
from engine.errors import ArtifactError, EngineError, reason
from engine.formats import too_large
from engine.index import Index
from engine.language import CATALOGUES, speaking, tr
from engine.models import DECLARED
from engine.pool import Progress
from tests.conftest import tiny_params
from tests.model_faults import MODEL_FAULTS, OWN, embedded
from tests.test_account import CHINESE, ENGLISH
from ui import words

COMMAND = re.compile(r"python -m engine [a-z]+(?: [\w.-]+)*")


def _damaged(of: Index) -> None:
    next(of.folder.glob("words-*")).unlink(missing_ok=True)
    (of.folder / artifacts.MANIFEST).write_text("{}")
    index.open_index(of.name)


def _shortened(of: Index) -> None:
    for path in of.folder.glob("*.npy"):
        path.write_bytes(path.read_bytes()[:100])
    index.open_index(of.name)


def _lines(text: str) -> Callable[[Index], object]:
    def read(of: Index) -> object:
        return groundtruth.read(Path("gt.csv"), of, text.encode(), inside=True)

    return read


FAULTS: dict[str, Callable[[Index], object]] = {
    "no index": lambda _: index.open_index("nothing"),
    "damaged": _damaged,
    "shortened": _shortened,
    "no codebook": lambda _: codebook.open_codebook("nothing"),
    "no graph": graph.open_graph,
    "lacking": lambda of: evaluate.evaluate(of, [], "expanded"),
    "taken": lambda of: build.build(of.root, of.name, tiny_params(), n_workers=1),
    "no folder": lambda of: build.build(of.root / "none", "other", n_workers=1),
    "no run": lambda _: runs.open_run("nothing"),
    "text": lambda of: images.read(of.root / "text.jpg"),
    "broken": lambda of: images.read(of.root / "broken.jpg"),
    "gone": lambda of: images.read(of.root / "gone.jpg"),
    "a folder": lambda of: images.read(of.root / "turned"),
    "empty": lambda _: images.decode(b"", "a.jpg"),
    "column": _lines("query,label\n"),
    "no lines": _lines("query,relevant,label\n"),
    "unknown": _lines("query,relevant,label\nx.jpg,y.jpg,good\nchina.jpg,,fine\n"),
    "large": lambda of: truths.add("x", b" " * (truths.MAX_BYTES + 1), of),
    "other things": lambda of: demo.make_pictures(of.root),
    "image": lambda of: of.check_image_id(10**6),
    "word": lambda of: of.check_word(-1),
    "method": lambda _: methods.check_method("none"),
    "name": lambda _: artifacts.check_name("/"),
    **MODEL_FAULTS,
}
LISTING = ("method", "model's field")  # these errors list names


def _raised(what: Callable[[Index], object], of: Index) -> Exception:
    with pytest.raises((EngineError, ValueError)) as caught:
        what(of)
    return caught.value


@pytest.mark.parametrize("fault", FAULTS)
def test_an_error_is_chinese_and_its_command_whole(scratch: Path, fault: str) -> None:
    of = index.open_index("tiny")
    english = _raised(FAULTS[fault], of)
    with speaking("zh"):
        chinese = _raised(FAULTS[fault], of)
    assert type(chinese) is type(english)
    assert CHINESE.search(str(chinese)), chinese
    without = re.sub(r"\(.*?\)|（.*?）|query,relevant,label|" + COMMAND.pattern, "", str(chinese))
    if fault not in LISTING:
        assert not ENGLISH.search(without), chinese
    assert COMMAND.findall(str(chinese)) == COMMAND.findall(str(english))
    for command in COMMAND.findall(str(english)):
        assert f"`{command}`" in words.with_command(str(chinese))
        assert f"`{command}`" in words.with_command(str(english))
    shown = words.without_paths(str(chinese), str(scratch))
    assert str(scratch.parent) not in shown
    assert str(of.root.parent) not in shown


def test_a_collection_that_cannot_be_opened_is_named_apart_from_why(scratch: Path) -> None:
    of = index.open_index("tiny")
    with speaking("zh"):
        error = _raised(_shortened, of)
    assert isinstance(error, ArtifactError)
    assert "tiny" in str(error).partition(error.why)[0]
    assert str(error).endswith(error.why)
    assert "tiny" not in error.why.partition(str(of.folder))[0]
    assert ArtifactError("all of it").why == "all of it"


def test_what_the_system_says_is_translated_where_it_is_known() -> None:
    with speaking("zh"):
        assert CHINESE.search(reason(PermissionError(13, "Permission denied")))
        assert reason(OSError(5, "Something new")) == "Something new"
        assert reason(ValueError("as it is")) == "as it is"
    assert reason(PermissionError(13, "Permission denied", "/x")) == "Permission denied"


def test_what_an_index_keeps_of_a_picture_is_english(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(tmp_path))
    with speaking("zh"):
        built = build.build(folder, "told", tiny_params(), n_workers=1)
    assert built.skipped
    for skipped in built.skipped:
        assert not CHINESE.search(skipped.reason), skipped
    for path in built.folder.glob("*.json"):
        assert not CHINESE.search(path.read_text())


def test_what_is_kept_of_a_picture_without_a_vector_is_english(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(tmp_path / "artifacts"))
    place = tmp_path / "pictures"
    shutil.copytree(folder, place)
    of = build.build(place, "told", tiny_params(), n_workers=1)
    (place / "coffee.jpg").unlink()
    (place / "china.jpg").write_bytes((place / "rocket.jpg").read_bytes())
    with speaking("zh"):
        kept = open_embeddings(embedded(of), OWN)
    assert [one.path for one in kept.skipped] == ["china.jpg", "coffee.jpg"]
    for skipped in kept.skipped:
        assert not CHINESE.search(skipped.reason), skipped


@pytest.mark.parametrize("name", DECLARED)
def test_what_is_told_of_a_model_is_translated_where_it_is_shown(name: str) -> None:
    model = DECLARED[name].model
    assert tr(model.title) == model.title and not CHINESE.search(model.title + model.source)
    with speaking("zh"):
        assert CHINESE.search(tr(model.title)) and CHINESE.search(tr(model.source))


def test_a_step_is_named_in_the_language_of_who_looks() -> None:
    progress = Progress("Learning {n} words", 0, 0, values={"n": 500})
    assert progress.stage == "Learning 500 words"
    with speaking("zh"):
        assert CHINESE.search(progress.stage)
        assert "500" in progress.stage


def test_notes_of_a_comparison_are_told_and_kept_apart() -> None:
    note = Note("compared on queries in common: {n}, of {before} and {after}")
    note = Note(note.text, {"n": 1, "before": 2, "after": 3})
    found = Comparison("a", "b", (), 0, 0, (0, 0), (0, 0), (note,))
    with speaking("zh"):
        assert CHINESE.search(found.notes[0])
        told = json.dumps(found.to_json())
    assert "compared on queries in common: 1, of 2 and 3" in told
    assert "\\u" not in told


def test_a_picture_too_large_is_one_sentence() -> None:
    assert "a.jpg has 3 x 4 pixels; at most 2 million" in str(too_large("a.jpg", (3, 4), 2_000_000))
    assert "a.jpg has too many pixels; at most 2 million" in str(
        too_large("a.jpg", None, 2_000_000)
    )


@pytest.mark.parametrize("path", sorted(CATALOGUES.glob("*/LC_MESSAGES/visword.po")))
def test_paths_and_commands_stand_where_pages_look_for_them(path: Path) -> None:
    """A path that follows a letter of any script is taken for a part of a relative one."""
    with path.open("rb") as file:
        catalogue = read_po(file)
    for message in catalogue:
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        for text in texts:
            parts = list(string.Formatter().parse(text)) if message.id else []
            for place, (before, name, _, kind) in enumerate(parts):
                if name in ("path", "folder"):
                    assert not re.search(r"\w$", before), text
                if name in ("command", "repair") and kind is None and len(parts) > place + 1:
                    assert re.match(r"[.。(（`']", parts[place + 1][0]), text
