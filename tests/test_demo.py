import csv
import importlib.util
import os
import time

import numpy as np
import pytest

from engine import artifacts, build, demo, demo_paint, demo_scenes, images, index
from engine.demo_sources import HELD_OUT, PHOTOGRAPHS, TEXTURES
from engine.errors import ArtifactError, BuildError

# The sample queries need these; fewer walls and views make the other tests quick.
FEW = tuple(
    source
    for source in PHOTOGRAPHS
    if source.name in ("china", "cat", "astronaut", "coffee", "rocket", "flower")
)


def all_files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("artifacts") / "demo"
    told = []
    started = time.process_time()
    demo.make_pictures(folder, told.append)
    return folder, told, time.process_time() - started


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(demo, "PHOTOGRAPHS", FEW)
    monkeypatch.setattr(demo, "N_WALLS", 3)
    monkeypatch.setattr(demo, "_VIEWS", {"close": demo_scenes.close_up, "dark": demo_scenes.dark})


def rows_of(folder):
    with (folder / "groundtruth.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["query", "relevant", "label"]
    return rows[1:]


def test_the_collection(made):
    folder, _, seconds = made
    pictures = sorted((folder / "pictures").iterdir())
    assert 110 <= len(pictures) <= 130
    assert sum(path.name.startswith("wall-") for path in pictures) == demo.N_WALLS == 30
    for path in pictures:
        image = images.read(path)
        assert max(image.gray.shape) <= 1024
        assert np.ptp(image.gray) > 60, path.name
    assert seconds < 20  # about 4 on a free machine
    assert sum(path.stat().st_size for path in folder.rglob("*")) < 20_000_000
    assert sorted(path.name for path in folder.iterdir()) == [
        ".version",
        "SOURCES.md",
        "groundtruth.csv",
        "pictures",
        "queries",
    ]


def test_progress_goes_from_the_first_to_the_last_picture(made):
    folder, told, _ = made
    n = len(list((folder / "pictures").iterdir())) + len(demo.SAMPLE_QUERIES)
    assert [step.done for step in told] == list(range(1, n + 1))
    assert {step.total for step in told} == {n}
    assert isinstance(told[0], build.Progress)
    assert told[-1].seconds_left == 0
    assert told[0].picture == "china.jpg"


def test_ground_truth_names_only_pictures_that_are_there(made):
    folder, _, _ = made
    rows = rows_of(folder)
    assert len({(query, relevant) for query, relevant, _ in rows}) == len(rows)
    for query, relevant, label in rows:
        assert (folder / query).is_file()
        assert (folder / relevant).is_file()
        assert relevant.startswith("pictures/")
        assert query != relevant
        assert label in ("good", "ok", "junk")
    labels = {label: sum(row[2] == label for row in rows) for label in ("good", "ok", "junk")}
    assert labels["good"] > 200
    assert labels["ok"] > 200
    assert labels["junk"] > 5
    for query in {row[0] for row in rows}:
        assert sum(row[0] == query and row[2] != "junk" for row in rows) >= 8
    queries = {f"queries/{q.file}" for q in demo.SAMPLE_QUERIES}
    assert {row[0] for row in rows if row[0].startswith("queries/")} == queries - {
        f"queries/{demo.SAMPLE_QUERIES[-1].file}"
    }


def test_every_source_is_named_with_its_licence(made):
    folder, _, _ = made
    text = (folder / "SOURCES.md").read_text()
    for source in (*PHOTOGRAPHS, *TEXTURES, HELD_OUT):
        line = next(line for line in text.splitlines() if line.startswith(f"| {source.name} |"))
        for told in (source.author, source.licence, source.origin, source.path):
            assert told in line
    stems = {path.stem.partition("-")[0] for path in (folder / "pictures").iterdir()}
    assert stems == {source.name for source in PHOTOGRAPHS} | {"wall"}


def test_sample_queries_lie_outside_the_collection(made):
    folder, _, _ = made
    assert len(demo.SAMPLE_QUERIES) == 5
    assert {path.name for path in (folder / "queries").iterdir()} == {
        query.file for query in demo.SAMPLE_QUERIES
    }
    contents = {path.read_bytes() for path in (folder / "pictures").iterdir()}
    for file, title, expectation in demo.SAMPLE_QUERIES:
        assert images.read(folder / "queries" / file).gray.shape[0] > 200
        assert (folder / "queries" / file).read_bytes() not in contents
        assert title[0].isupper()
        assert expectation.endswith(".")
        assert "!" not in title + expectation
    assert HELD_OUT.name not in {source.name for source in PHOTOGRAPHS}


def test_two_runs_make_the_same_bytes(few, tmp_path):
    demo.make_pictures(tmp_path / "one")
    demo.make_pictures(tmp_path / "two")
    one = all_files(tmp_path / "one")
    assert one == all_files(tmp_path / "two")
    assert len(one) == 6 * 3 + 3 + 5 + 3
    assert len(set(one.values())) == len(one)


def test_an_interrupted_run_leaves_nothing(few, tmp_path):
    def interrupt(step):
        if step.done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.make_pictures(tmp_path / "demo", interrupt)
    assert list(tmp_path.iterdir()) == []


def test_an_older_demo_is_replaced_and_leftovers_are_swept(few, tmp_path):
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "SOURCES.md").write_text("old")
    (folder / "old.jpg").write_text("old")
    for name, age in ((".demo-killed", 2 * 3600), (".demo-running", 0)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    demo.make_pictures(folder)
    assert not (folder / "old.jpg").exists()
    assert (folder / "pictures" / "china.jpg").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".demo-running", "demo"]


def test_a_quicker_process_wins(few, tmp_path):
    folder = tmp_path / "demo"

    def other_is_quicker(step):
        if step.done == step.total:
            demo.make_pictures(folder)

    demo.make_pictures(folder, other_is_quicker)
    assert (folder / "pictures" / "china.jpg").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_other_things_are_left_alone(few, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BuildError, match="holds other things"):
        demo.make_pictures(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_package_that_is_missing_or_lacks_a_file(few, tmp_path, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        demo.importlib.util, "find_spec", lambda name: None if name == "sklearn" else real(name)
    )
    with pytest.raises(BuildError, match=r"needs scikit-learn.*pip install -r"):
        demo.make_pictures(tmp_path / "demo")
    monkeypatch.setattr(demo.importlib.util, "find_spec", real)
    monkeypatch.setattr(demo.images, "read", images.read)
    monkeypatch.setattr(demo.Path, "is_file", lambda path: path.name != "chelsea.png")
    with pytest.raises(BuildError, match=r"does not bring data/chelsea\.png"):
        demo.make_pictures(tmp_path / "demo")


def test_ensure_builds_once_and_mends_what_is_lost(few, tmp_path, monkeypatch):
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(tmp_path))
    built = []

    def note(folder, name, params, progress=None, overwrite=False):
        assert (folder / "china.jpg").is_file()
        assert overwrite
        assert params.codebook.n_words == 500
        built.append(name)

    def open_index(name):
        if broken:
            raise ArtifactError("broken")

    broken = False
    monkeypatch.setattr(build, "build", note)
    monkeypatch.setattr(index, "list_indexes", lambda: list(dict.fromkeys(built)))
    monkeypatch.setattr(index, "open_index", open_index)
    assert demo.ensure() == "demo" == demo.ensure()
    assert built == ["demo"]
    assert demo.demo_folder() == artifacts.artifacts_folder() / "demo"
    broken = True
    demo.ensure()
    assert len(built) == 2
    broken = False
    (tmp_path / "demo" / ".version").write_text("0")
    demo.ensure()
    assert len(built) == 3
    demo.ensure()
    assert len(built) == 3


# --- scenes


@pytest.fixture(scope="module")
def photograph():
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (12, 16, 3), np.uint8)
    return np.kron(coarse, np.ones((20, 20, 1), np.uint8))


@pytest.mark.parametrize(
    "view", [*demo._VIEWS.values(), lambda rgb, rng: demo_scenes.on_table(rgb, rng, 90.0)]
)
def test_views_are_pictures_and_leave_the_photograph_alone(photograph, view):
    before = photograph.copy()
    seen = view(photograph, np.random.default_rng(1))
    assert np.array_equal(photograph, before)
    assert seen.dtype == np.uint8
    assert seen.ndim == 3
    assert np.array_equal(seen, view(photograph, np.random.default_rng(1)))


def test_perspective_of_the_whole_is_the_picture(photograph):
    height, width = photograph.shape[:2]
    whole = [(0, 0), (1, 0), (1, 1), (0, 1)]
    seen = demo_scenes.perspective(photograph, whole, (width, height))
    assert np.abs(seen[2:-2, 2:-2].astype(int) - photograph[2:-2, 2:-2]).mean() < 8


def test_notes_cover_about_the_share_that_was_asked_for(photograph):
    plain = np.full((300, 400, 3), 10, np.uint8)
    seen = demo_scenes.covered(plain, np.random.default_rng(3), share=0.4)
    assert 0.33 < (seen.max(axis=2) > 100).mean() < 0.46


def test_relight_does_nothing_by_default(photograph):
    assert np.array_equal(demo_paint.relight(photograph), photograph)


@pytest.mark.parametrize("ground", ["brick", "gravel", "grass", "plaster"])
def test_what_a_wall_shows_of_each_photograph(photograph, ground):
    texture = np.random.default_rng(2).integers(0, 256, (512, 512), np.uint8)
    pictures = [(name, photograph) for name in "abcd"]
    rgb, hung = demo_scenes.wall(
        pictures,
        ground,
        None if ground == "plaster" else texture,
        np.random.default_rng(4),
        peeking=("e", photograph),
    )
    assert rgb.shape == (768, 1024, 3)
    assert [one.name for one in hung] == list("abcde")
    assert all(0.5 < one.visible <= 1.05 for one in hung[:4])
    assert 0 < hung[4].visible < 0.15
