"""The sheet: the right picture at the right place, with its name, whatever became of its file."""

import dataclasses
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from engine import build, cli, images, index, language, lettering, pipeline, sheet
from engine.answer import Answer, Timings
from engine.index import Index
from engine.search import Ranking
from tests.conftest import tiny_params
from tests.test_embed import MODEL, embedded, prepared

__all__ = ["embedded", "prepared"]
COLOURS = [
    (250, 20, 20),
    (20, 200, 20),
    (20, 20, 250),
    (230, 220, 10),
    (10, 220, 230),
    (220, 0, 220),
]
LONG = "an extraordinarily long name of a file that no cell has room for 0001.png"


@pytest.fixture(scope="module")
def coloured(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    """Artifacts with "many": a photograph, and 44 pictures that each have a colour of their own."""
    place = tmp_path_factory.mktemp("coloured")
    pictures = place / "pictures"
    pictures.mkdir()
    for i in range(44):
        wide = 400 if i % 2 else 90
        rgb = np.full((180, wide, 3), COLOURS[i % len(COLOURS)], np.uint8)
        rgb[:, : wide // 2] = rgb[:, : wide // 2] // (1 + i // len(COLOURS))
        name = {3: "教堂的照片.png", 4: LONG}.get(i, f"{i:03}.png")
        Pillow.fromarray(rgb).save(pictures / name)
    shutil.copy(folder / "china.jpg", pictures / "zzz.jpg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISWORD_ARTIFACTS", str(place / "artifacts"))
        build.build(pictures, "many", tiny_params(), n_workers=1)
    return place / "artifacts"


@pytest.fixture
def many(coloured: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(coloured))
    return index.open_index("many")


def found(shown: Index, ids: list[int]) -> Answer:
    ranking = Ranking(np.array(ids, np.int32), np.linspace(1, 0, len(ids), dtype=np.float32))
    return Answer(ranking, "count", shown.n_images, (), Timings())


def made(shown: Index, ids: list[int], query: int = 0) -> NDArray[np.uint8]:
    entries = [sheet.Entry(i, f"0.{i:03}") for i in ids]
    return np.asarray(sheet.make(shown, sheet.of_image(shown, query), found(shown, ids), entries))


def part(drawn: NDArray[np.uint8], box: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    left, top, right, bottom = box
    return drawn[top:bottom, left:right]


def expected(shown: Index, image_id: int) -> NDArray[np.uint8]:
    """The room of a picture, made in another way: Pillow's own thumbnail, in its middle."""
    picture = Pillow.open(shown.picture_path(image_id)).convert("RGB")
    picture.thumbnail(sheet.PICTURE, Pillow.Resampling.BOX)
    room = Pillow.new("RGB", sheet.PICTURE, sheet._ROOM)
    wide, tall = picture.size
    room.paste(picture, ((sheet.PICTURE[0] - wide) // 2, (sheet.PICTURE[1] - tall) // 2))
    return np.asarray(room)


def differs(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    assert one.shape == other.shape
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.mark.parametrize("n", [1, 4, 5, 6, 30, 44])
def test_each_picture_stands_at_its_place(many: Index, n: int) -> None:
    ids = np.random.default_rng(n).permutation(44)[:n].tolist()
    drawn = made(many, ids, query=44)
    assert differs(part(drawn, sheet.query_box()), expected(many, 44)) < 6
    for place, image_id in enumerate(ids, 1):
        assert differs(part(drawn, sheet.box(place)), expected(many, image_id)) < 2
    rows = -(-n // 5)
    last = sheet.box(5 * rows)
    assert drawn.shape[1] == last[2] + sheet.box(1)[0]
    assert last[3] < drawn.shape[0] < sheet.box(5 * rows + 1)[3], "as long as needed"
    for place in range(n + 1, 5 * rows + 1):
        assert (part(drawn, sheet.box(place)) == 255).all(), "nothing stands after the last"


def test_below_each_picture_stand_place_number_and_name(many: Index) -> None:
    drawn = made(many, [5, 6, 7])
    other = made(many, [5, 7, 6])

    def below(on: NDArray[np.uint8], place: int) -> NDArray[np.uint8]:
        left, _, right, bottom = sheet.box(place)
        return part(on, (left, bottom, right, bottom + 56))

    assert (below(drawn, 1) == below(other, 1)).all()
    # Only the place is the same: number and name go with the picture.
    for first, second in ((2, 3), (3, 2)):
        mine, there = below(drawn, first), below(other, second)
        assert (mine[:28, :20] != there[:28, :20]).any()
        assert (mine[:28, 160:] == there[:28, 160:]).all() and (mine[28:] == there[28:]).all()
        assert (mine[28:] < 200).any() and (mine[:28, 160:] < 200).any()


def test_nothing_written_leaves_its_cell(many: Index) -> None:
    ids = [
        i for i, entry in enumerate(many.images) if entry.path == LONG or not entry.path.isascii()
    ]
    assert len(ids) == 2
    drawn = made(many, [ids[0], ids[1], ids[0], ids[0], ids[1]])
    for place in range(1, 6):
        _, _, right, bottom = sheet.box(place)
        assert (part(drawn, (right, bottom, right + 20, bottom + 60)) == 255).all()


def test_pictures_that_are_gone_or_changed_are_grey_with_a_word(
    many: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = tmp_path / "pictures"
    shutil.copytree(many.root, copied)
    monkeypatch.setattr(Index, "picture_path", lambda self, i: copied / self.images[i].path)
    (copied / many.images[5].path).unlink()
    shutil.copy(copied / many.images[8].path, copied / many.images[6].path)
    (copied / many.images[7].path).write_bytes(b"\x89PNG\r\n\x1a\n, and no more")
    drawn = made(many, [5, 6, 7, 8], query=5)
    rooms = [part(drawn, sheet.box(place)) for place in (1, 2, 3, 4)]
    rooms.append(part(drawn, sheet.query_box()))
    for i in (0, 1, 2, 4):
        grey = rooms[i].reshape(-1, 3)
        assert (grey[:, 0] == grey[:, 1]).all() and (grey == sheet._MISSING).mean() > 0.95
        assert (grey < 60).any(), "with a word"
    assert (rooms[0] == rooms[4]).all()
    assert (rooms[0] != rooms[1]).any() and (rooms[1] != rooms[2]).any()
    assert differs(rooms[3], expected(many, 8)) < 2


def test_too_many_pictures_are_refused(many: Index) -> None:
    with pytest.raises(ValueError, match="at most 200 pictures, got 201"):
        made(many, [0] * 201)
    assert made(many, [0] * 200).shape[0] > 40 * 240
    assert made(many, []).shape[0] == sheet.query_box()[3] + 20


def test_a_chinese_sheet_needs_chinese_letters(
    many: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    def head(code: str) -> NDArray[np.uint8]:
        with language.speaking(code):
            return made(many, [])

    english = head("en")
    if lettering.covers("方法"):
        assert (head("zh") != english).any()
    without_fonts(monkeypatch)
    brought = head("en")
    assert (head("zh") == brought).all(), "English, rather than a row of ellipses"


# --- letters --------------------------------------------------------------------------------


def without_fonts(patch: pytest.MonkeyPatch) -> None:
    """Let the system have no fonts of its own."""
    patch.setattr(lettering, "_names", lambda: ())
    for kept in (lettering._fonts, lettering._font_of):
        kept.cache_clear()


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    without_fonts(monkeypatch)


@pytest.fixture(autouse=True)
def _fonts_again() -> object:
    yield
    for kept in (lettering._fonts, lettering._font_of):
        kept.cache_clear()


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("photo_01.jpg", "photo_01.jpg"),
        ("café über.jpg", "cafe uber.jpg"),
        ("cafe\u0301.jpg", "cafe.jpg"),
        ("教堂.jpg", "….jpg"),
        ("ａｂ①.png", "ab1.png"),
        ("a\tb\nc", "a b c"),
        ("", ""),
    ],
)
def test_letters_that_no_font_has_are_not_boxes(name: str, drawn: str) -> None:
    assert lettering.drawable(name) == drawn
    assert lettering.covers(drawn) and lettering.covers(name) == (drawn == " ".join(name.split()))


@pytest.mark.usefixtures("bare")
def test_names_without_a_letter_left_are_told_apart(many: Index) -> None:
    image_id = next(i for i, e in enumerate(many.images) if not e.path.isascii())
    drawn = made(many, [image_id])
    left, _, right, bottom = sheet.box(1)
    line = part(drawn, (left, bottom + 27, right, bottom + 60))
    columns = np.flatnonzero((line < 200).any(axis=(0, 2)))
    assert columns[-1] > lettering.width("….png", 19), "the picture's number stands there too"


@pytest.mark.parametrize("room", [40, 100, 233, 320])
@pytest.mark.parametrize("text", [LONG, "教堂" * 40 + ".jpg", "photo.jpg"])
def test_what_is_too_long_keeps_its_beginning_and_its_end(text: str, room: int) -> None:
    short = lettering.shorten(text, room, 19)
    assert lettering.width(short, 19) <= room
    if short != lettering.drawable(text):
        assert "…" in short and len(short) < len(text)
        assert room < 100 or short.endswith(text[-4:])


# --- the command ----------------------------------------------------------------------------


def opened(path: Path) -> NDArray[np.uint8]:
    with Pillow.open(path) as picture:
        assert picture.format == ("PNG" if path.suffix == ".png" else "JPEG")
        return np.asarray(picture.convert("RGB"))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG"])
def test_the_command_saves_what_it_prints(
    many: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    path = tmp_path / f"sheet{suffix}"
    argv = ["query", "many", "zzz.jpg", "--method", "count", "--sheet", str(path)]
    assert cli.main(argv) == 0
    printed = capsys.readouterr()
    assert "30 pictures" in printed.err
    ids = [many.find_image(line.split(None, 2)[2]) for line in printed.out.splitlines()]
    assert len(ids) == 30
    drawn = opened(path)
    for place, image_id in enumerate(ids, 1):
        assert image_id is not None
        assert differs(part(drawn, sheet.box(place)), expected(many, image_id)) < 3
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name], "nothing beside it"
    assert cli.main([*argv, "-k", "2"]) == 0
    assert opened(path).shape[0] < drawn.shape[0], "one of that name is replaced"


@pytest.mark.parametrize("method", ["distance", "verified", MODEL, f"verified+{MODEL}"])
def test_every_kind_of_method_has_a_sheet(
    embedded: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str], method: str
) -> None:
    picture = str(embedded.root / "china.jpg")
    path = tmp_path / "sheet.png"
    argv = ["query", "tiny", picture, "--method", method, "--sheet", str(path)]
    assert cli.main(argv) == 0
    first = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("  1"))
    image_id = embedded.find_image(first.split()[2])
    assert image_id is not None
    drawn = opened(path)
    assert differs(part(drawn, sheet.box(1)), expected(embedded, image_id)) < 6
    own = embedded.find_image("china.jpg")
    assert own is not None
    assert differs(part(drawn, sheet.query_box()), expected(embedded, own)) < 6


def test_a_network_tells_its_distance(embedded: Index) -> None:
    answer = pipeline.search_image(embedded, 0, MODEL, None)
    compared = answer.working.compared
    assert compared is not None
    entry = sheet.Entry(3, "0.987")
    assert sheet._told(answer, entry) == f"0.987 · {compared.distances[3]:.3f}"
    euclidean = dataclasses.replace(
        answer,
        working=dataclasses.replace(
            answer.working, compared=dataclasses.replace(compared, metric="euclidean")
        ),
    )
    assert sheet._told(euclidean, entry) == "0.987", "which is the distance then"
    fused = pipeline.search_image(embedded, 0, f"verified+{MODEL}", None)
    assert sheet._told(fused, entry) == "0.987"


@pytest.mark.parametrize(
    ("name", "more", "code", "told"),
    [
        ("a.gif", [], 2, "a.gif is neither PNG nor JPEG: a sheet's name ends with .png, .jpg"),
        ("a", [], 2, "neither PNG nor JPEG"),
        ("none/a.png", [], 1, "there is no folder"),
        ("a.png", ["-k", "201"], 2, "at most 200 pictures, got -k 201"),
    ],
)
def test_a_sheet_that_cannot_be_is_refused_before_the_search(
    tiny: Index,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    more: list[str],
    code: int,
    told: str,
) -> None:
    monkeypatch.setattr(pipeline, "search_image", None)
    path = tmp_path / name
    assert cli.main(["query", "tiny", "china.jpg", "--sheet", str(path), *more]) == code
    assert told in capsys.readouterr().err
    assert not path.exists() and list(tmp_path.iterdir()) == []


def test_a_sheet_that_cannot_be_written_leaves_nothing(
    tiny: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.png"
    path.mkdir()
    argv = ["query", "tiny", "china.jpg", "--method", "count", "--sheet", str(path)]
    assert cli.main(argv) == 1
    assert f"{path} cannot be written: Is a directory" in capsys.readouterr().err
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]


def test_a_file_is_jpeg_of_high_quality() -> None:
    drawn = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    page = Pillow.fromarray(drawn)
    picture = Pillow.open(io.BytesIO(sheet.encode(page, "JPEG")))
    assert differs(np.asarray(picture), drawn) < 8
    assert (np.asarray(Pillow.open(io.BytesIO(sheet.encode(page, "PNG")))) == drawn).all()


def test_a_draft_is_at_least_as_large_as_asked(folder: Path) -> None:
    whole = images.read(folder / "china.jpg")
    rgb, sha256 = images.read_draft(folder / "china.jpg", 100)
    assert sha256 == whole.sha256 and 100 <= max(rgb.shape) <= max(whole.rgb.shape)
    small = images.shrink(rgb, 100)
    assert differs(small, images.shrink(whole.rgb, 100)) < 8
