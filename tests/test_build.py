"""Builds go on after everything, and end in the same arrays however they were run."""

import contextlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor

from engine import artifacts, build, datasets, index, lookup, records, upkeep, worker
from engine.build import BuildParams
from engine.codebook import CodebookParams
from engine.errors import ArtifactError, BuildError, CancelledError
from engine.features import ExtractionParams
from engine.index import Index
from engine.pool import Progress
from engine.surf import SurfParams
from tests.conftest import N_TINY_WORDS, tiny_params


def _digests(name: str) -> dict[str, str]:
    manifest = artifacts.read_manifest(index.index_folder(name), "index", "")
    return {place: entry["sha256"] for place, entry in artifacts.entries(manifest)}


def test_any_number_of_workers_builds_the_same_arrays(folder: Path, scratch: Path) -> None:
    build.build(folder, "two", tiny_params(), n_workers=2)
    assert _digests("two") == _digests("tiny")


def test_another_seed_builds_other_words(folder: Path, scratch: Path) -> None:
    words = CodebookParams(n_words=N_TINY_WORDS, n_samples=3000, n_iterations=5, seed=1)
    other = build.build(folder, "other", tiny_params(codebook=words), n_workers=1)
    assert other.codebook.sha256 != index.open_index("tiny").codebook.sha256


def test_sampling_by_descriptors_takes_as_many_as_asked(folder: Path, scratch: Path) -> None:
    words = CodebookParams(N_TINY_WORDS, sampling="descriptors", n_samples=1000, n_iterations=2)
    opened = build.build(folder, "drawn", tiny_params(codebook=words), n_workers=1)
    assert opened.codebook.training["n_descriptors"] == 1000
    assert opened.codebook.training["n_images"] == 12, "all that have keypoints"


def test_sampling_by_images_tops_up_until_there_are_enough(tiny: Index) -> None:
    training = tiny.codebook.training
    assert training["n_descriptors"] == 3000
    assert 1 < training["n_images"] < 12


def test_a_build_leaves_nothing_behind(folder: Path, scratch: Path) -> None:
    build.build(folder, "clean", tiny_params(), n_workers=1)
    assert not build.work_folder("clean").exists()
    named = {e["file"] for _, e in artifacts.entries(index.open_index("clean").manifest)}
    kept = {path.name for path in index.index_folder("clean").iterdir()}
    assert kept == named | {artifacts.MANIFEST}


def test_what_a_build_cost_counts_earlier_runs_too(folder: Path, scratch: Path) -> None:
    def stop_at_the_fifth(progress: Progress) -> None:
        if progress.stage == "Finding keypoints and their words" and progress.done == 5:
            raise CancelledError("enough")

    with pytest.raises(CancelledError):
        build.build(folder, "cost", tiny_params(), 1, stop_at_the_fifth)
    work = build.work_folder("cost")
    described = [records.read_description(path) for path in work.rglob("*.done")]
    assert len(described) == 5
    assert all(said is not None and said["cpu_seconds"] > 0 for said in described)
    assert float((work / build.LEARNING_SECONDS).read_text()) > 0
    (work / build.LEARNING_SECONDS).write_text("1000")
    opened = build.build(folder, "cost", tiny_params(), n_workers=1)
    assert opened.manifest["cpu_seconds"]["build"] > 1000
    build.build(folder, "again", tiny_params(codebook_name="tiny"), n_workers=2)
    assert 0 < index.open_index("again").manifest["cpu_seconds"]["build"] < 500


def test_progress_counts_every_picture(folder: Path, scratch: Path) -> None:
    told: list[Progress] = []
    build.build(folder, "told", tiny_params(), n_workers=1, progress=told.append)
    words = [p for p in told if p.stage == "Finding keypoints and their words"]
    assert [p.done for p in words] == list(range(words[0].done, 16))
    assert words[-1].total == 15
    assert words[-1].n_skipped == 2
    assert words[-1].rate > 0
    assert words[-1].seconds_left == 0


class _Stop:
    """Cancel after so many questions."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("after", [1, 8, 20, 28, 35, 42])
def test_a_cancelled_build_goes_on_without_repeating(
    folder: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    seen: list[str] = []
    find = worker._find_features

    def count(job: worker.Job) -> object:
        seen.append(job.path)
        return find(job)

    monkeypatch.setattr(worker, "_find_features", count)
    with pytest.raises(CancelledError):
        build.build(folder, "cut", tiny_params(), n_workers=1, cancelled=_Stop(after))
    assert index.stamp("cut") == "", "nothing that a reader would open"
    build.build(folder, "cut", tiny_params(), n_workers=1)
    assert sorted(seen) == sorted(set(seen)), "no picture was looked at twice"
    assert _digests("cut") == _digests("tiny")


@pytest.mark.parametrize("after", [12, 24, 40])
def test_no_process_works_on_behind_a_cancelled_build(
    folder: Path, scratch: Path, after: int
) -> None:
    with pytest.raises(CancelledError):
        build.build(folder, "cut", tiny_params(), n_workers=2, cancelled=_Stop(after))

    def files() -> list[tuple[str, int]]:
        found = build.work_folder("cut").rglob("*")
        return sorted((str(path), path.stat().st_mtime_ns) for path in found)

    before = files()
    time.sleep(0.5)
    assert files() == before
    build.build(folder, "cut", tiny_params(), n_workers=2)
    assert _digests("cut") == _digests("tiny")


def _build_in_process(folder: str, place: str) -> None:
    os.environ["VISWORD_ARTIFACTS"] = place
    build.build(Path(folder), "killed", tiny_params(), n_workers=1)


def test_a_killed_build_goes_on(folder: Path, scratch: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(
        target=_build_in_process, args=(str(folder), str(scratch))
    )
    process.start()
    records = build.work_folder("killed") / "records"
    while len(list(records.glob("*/*.features"))) < 4 and process.is_alive():
        time.sleep(0.005)
    assert process.is_alive(), f"it ended by itself, with {process.exitcode}"
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert index.stamp("killed") == ""
    build.build(folder, "killed", tiny_params(), n_workers=1)
    assert _digests("killed") == _digests("tiny")


def test_a_damaged_record_is_made_again(folder: Path, scratch: Path) -> None:
    with pytest.raises(CancelledError):
        build.build(folder, "cut", tiny_params(), n_workers=1, cancelled=_Stop(24))
    for path in (build.work_folder("cut") / "records").glob("*/*.features"):
        path.write_bytes(path.read_bytes()[:-500])
    build.build(folder, "cut", tiny_params(), n_workers=1)
    assert _digests("cut") == _digests("tiny")


def test_other_parameters_start_anew(folder: Path, scratch: Path) -> None:
    with pytest.raises(CancelledError):
        build.build(folder, "cut", tiny_params(), n_workers=1, cancelled=_Stop(24))
    surf = SurfParams(hessian_threshold=1000)
    params = tiny_params(extraction=ExtractionParams(surf))
    opened = build.build(folder, "cut", params, n_workers=1)
    assert opened.surf == surf
    assert opened.n_keypoints < index.open_index("tiny").n_keypoints


def test_an_index_is_replaced_only_when_told(folder: Path, scratch: Path) -> None:
    with pytest.raises(ArtifactError, match="already an index 'tiny'"):
        build.build(folder, "tiny", tiny_params(), n_workers=1)
    reader = index.open_index("tiny")
    old = reader.matrix("distance").copy()
    words = CodebookParams(n_words=10, n_samples=2000, n_iterations=2)
    params = tiny_params(codebook=words, method="tf-idf")
    replaced = build.build(folder, "tiny", params, n_workers=1, overwrite=True)
    assert replaced.n_words == 10
    assert replaced.method == "tf-idf"
    np.testing.assert_array_equal(reader.matrix("distance"), old)
    assert upkeep.verify("tiny") == []


def test_a_codebook_serves_another_collection(folder: Path, scratch: Path) -> None:
    params = tiny_params(codebook_name="tiny")
    other = build.build(folder / "turned", "turned", params, n_workers=1)
    tiny = index.open_index("tiny")
    assert other.codebook.sha256 == tiny.codebook.sha256
    assert other.n_images == 6
    here, there = other.find_image("china.png"), tiny.find_image("turned/china.png")
    assert here is not None
    assert there is not None
    np.testing.assert_array_equal(other.matrix("distance")[here], tiny.matrix("distance")[there])


def test_words_of_other_features_are_refused(folder: Path, scratch: Path) -> None:
    upright = ExtractionParams(SurfParams(upright=True))
    params = tiny_params(codebook_name="tiny", extraction=upright)
    with pytest.raises(BuildError, match="features of other"):
        build.build(folder, "wrong", params, n_workers=1)


def test_descriptors_are_kept_when_asked(folder: Path, scratch: Path) -> None:
    opened = build.build(folder, "kept", tiny_params(keep_descriptors=True), n_workers=1)
    descriptors = opened.parts["descriptors"]["descriptors"]
    words = lookup.assign(np.asarray(descriptors), opened.codebook.centres)
    every = np.concatenate([opened.words(i).word_ids for i in range(opened.n_images)])
    np.testing.assert_array_equal(words.word_ids, every)
    assert "descriptors" not in index.open_index("tiny").parts


def test_a_smaller_side_gives_coordinates_in_the_originals_pixels(
    folder: Path, scratch: Path
) -> None:
    params = tiny_params(extraction=ExtractionParams(max_side=160))
    small = build.build(folder, "small", params, n_workers=1)
    whole = index.open_index("tiny")
    for name in ("china.jpg", "coffee.jpg"):
        image_id = small.find_image(name)
        assert image_id is not None
        entry, xy = small.images[image_id], small.keypoints(image_id).xy
        assert np.all(xy < (entry.width, entry.height))
        # A coarse keypoint of the whole picture is found again at half the size, in its place.
        there = whole.keypoints(image_id)
        coarse = there.xy[there.size > 40][:10]
        distances = np.linalg.norm(coarse[:, None] - xy[None], axis=2).min(axis=1)
        assert np.median(distances) < 5, "pixels"


def test_an_empty_folder_says_so(tmp_path: Path, empty_artifacts: Path) -> None:
    (tmp_path / "readme.txt").write_text("nothing here")
    with pytest.raises(BuildError, match="there are no pictures in"):
        build.build(tmp_path, "none", tiny_params(), n_workers=1)
    with pytest.raises(BuildError, match="nowhere"):
        build.build(tmp_path / "nowhere", "none", tiny_params(), n_workers=1)


def test_only_broken_pictures_say_which(tmp_path: Path, empty_artifacts: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
    with pytest.raises(BuildError, match="cannot be learned from 0 keypoints"):
        build.build(tmp_path, "none", tiny_params(), n_workers=1)


def test_too_few_keypoints_say_what_to_do(tmp_path: Path, folder: Path, scratch: Path) -> None:
    pictures = tmp_path / "few"
    pictures.mkdir()
    shutil.copy(folder / "rocket.jpg", pictures)
    with pytest.raises(BuildError, match=r"5000 words cannot be learned from .*--words"):
        build.build(pictures, "few", BuildParams(codebook=CodebookParams(5000)), n_workers=1)


def test_two_builds_of_one_name_do_not_mix(folder: Path, scratch: Path) -> None:
    with artifacts.writing("busy"), pytest.raises(ArtifactError, match="being written by"):
        build.build(folder, "busy", tiny_params(), n_workers=1)


def test_links_loops_and_pipes_are_no_trouble(tmp_path: Path, folder: Path, scratch: Path) -> None:
    pictures = tmp_path / "odd"
    pictures.mkdir()
    for name in ("china.jpg", "coffee.jpg"):
        shutil.copy(folder / name, pictures)
    (pictures / "again").symlink_to(pictures)
    (pictures / "gone.jpg").symlink_to(pictures / "nowhere.jpg")
    os.mkfifo(pictures / "pipe.jpg")
    (pictures / "=1+1\u202e<b>.jpg").write_bytes((folder / "rocket.jpg").read_bytes())
    opened = build.build(pictures, "odd", tiny_params(codebook_name="tiny"), n_workers=1)
    assert [e.path for e in opened.images] == ["=1+1\u202e<b>.jpg", "china.jpg", "coffee.jpg"]
    assert sorted(s.path for s in opened.skipped) == ["gone.jpg", "pipe.jpg"]


def test_the_processes_of_a_killed_build_end_with_it(folder: Path, scratch: Path) -> None:
    argv = [sys.executable, "-m", "engine", "build", str(folder), "--name", "orphans"]
    killed = subprocess.Popen(
        [*argv, "--words", "24", "--samples", "3000", "--workers", "2"],
        cwd=Path(__file__).resolve().parents[1],
        env=os.environ | {"VISWORD_ARTIFACTS": str(scratch)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    records = build.work_folder("orphans") / "records"
    while not list(records.glob("*/*.features")) and killed.poll() is None:
        time.sleep(0.01)
    killed.kill()
    killed.wait()

    def living() -> list[bytes]:
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if os.getpgid(int(path.parent.name)) == killed.pid:
                    found.append(path.read_bytes())
        return [line for line in found if b"LokyProcess" in line]

    deadline = time.monotonic() + 60
    while living() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert living() == []


CRASHES = b"crashes the decoder"
SITECUSTOMIZE = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).resolve().parents[1])!r})
import engine.images as images
decode = images.decode
def crash(data, *rest, **more):
    if data.endswith({CRASHES!r}):
        os.abort()
    return decode(data, *rest, **more)
images.decode = crash
"""


def test_a_picture_that_kills_its_process_is_skipped(
    tmp_path: Path, folder: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = tmp_path / "deadly"
    pictures.mkdir()
    for name in ("china.jpg", "coffee.jpg", "flower.jpg", "rocket.jpg"):
        shutil.copy(folder / name, pictures)
    (pictures / "deadly.jpg").write_bytes((folder / "china.jpg").read_bytes() + CRASHES)
    patched = tmp_path / "patched"
    patched.mkdir()
    (patched / "sitecustomize.py").write_text(SITECUSTOMIZE)
    monkeypatch.setenv("PYTHONPATH", str(patched))
    get_reusable_executor().shutdown(wait=True)  # its processes started without the patch
    try:
        params = tiny_params(codebook_name="tiny")
        opened = build.build(pictures, "deadly", params, n_workers=2)
    finally:
        get_reusable_executor().shutdown(wait=True)
    assert [e.path for e in opened.images] == [
        "china.jpg",
        "coffee.jpg",
        "flower.jpg",
        "rocket.jpg",
    ]
    (skipped,) = opened.skipped
    assert skipped.path == "deadly.jpg"
    assert "crashed" in skipped.reason


def test_a_picture_in_work_when_the_build_was_killed_is_kept(folder: Path, scratch: Path) -> None:
    with pytest.raises(CancelledError):
        build.build(folder, "cut", tiny_params(), n_workers=1, cancelled=_Stop(20))
    records = build.work_folder("cut") / "records"
    waiting = next(records.glob("*/*.features"))
    waiting.with_name(waiting.name.replace(".features", ".begun")).touch()
    waiting.unlink()
    build.build(folder, "cut", tiny_params(), n_workers=1)
    assert _digests("cut") == _digests("tiny")


def test_a_finished_record_that_power_loss_emptied_is_made_again(
    folder: Path, scratch: Path
) -> None:
    """The index could never be written: the picture counted as finished, its record as gone."""
    with pytest.raises(CancelledError):
        build.build(folder, "cut", tiny_params(), n_workers=1, cancelled=_Stop(42))
    finished = list((build.work_folder("cut") / "records").glob("*/*.done"))
    assert len(finished) > 4
    finished[0].write_bytes(b"")
    finished[1].write_bytes(finished[1].read_bytes()[:-40])
    build.build(folder, "cut", tiny_params(), n_workers=1)
    assert _digests("cut") == _digests("tiny")


def test_words_lost_after_they_were_used_are_learned_again(folder: Path, scratch: Path) -> None:
    with pytest.raises(CancelledError):
        build.build(folder, "cut", tiny_params(), n_workers=1, cancelled=_Stop(42))
    assert (build.work_folder("cut") / build.CODEBOOK).exists()
    (build.work_folder("cut") / "codebook" / artifacts.MANIFEST).write_bytes(b"")
    build.build(folder, "cut", tiny_params(), n_workers=1)
    assert _digests("cut") == _digests("tiny")


def test_what_cannot_be_looked_into_is_listed(
    folder: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = datasets.walk

    def partly(root: Path, unreadable: Callable[[str, str], None]) -> Iterator[object]:
        unreadable("locked", "Permission denied")
        return walk(root, unreadable)

    monkeypatch.setattr(datasets, "walk", partly)
    opened = build.build(folder, "partly", tiny_params(codebook_name="tiny"), n_workers=1)
    assert index.Skipped("locked", "Permission denied") in opened.skipped


def test_a_name_that_is_no_utf_8_is_kept_and_can_be_shown(
    tmp_path: Path, folder: Path, scratch: Path
) -> None:
    pictures = tmp_path / "odd names"
    pictures.mkdir()
    name = os.fsdecode(b"caf\xe9.jpg")
    shutil.copy(folder / "china.jpg", pictures / name)
    opened = build.build(pictures, "latin", tiny_params(codebook_name="tiny"), n_workers=1)
    (entry,) = opened.images
    assert entry.path == name
    assert entry.shown == "caf\N{REPLACEMENT CHARACTER}.jpg"
    assert opened.picture_path(0).read_bytes() == (folder / "china.jpg").read_bytes()


def test_copies_of_one_file_do_not_fill_the_patches_of_a_word(
    tmp_path: Path, folder: Path, scratch: Path
) -> None:
    pictures = tmp_path / "copies"
    pictures.mkdir()
    shutil.copy(folder / "coffee.jpg", pictures / "z.jpg")
    for place in range(3):
        shutil.copy(folder / "china.jpg", pictures / f"{place}.jpg")
    opened = build.build(pictures, "copies", tiny_params(codebook_name="tiny"), n_workers=1)
    owners = opened.image_of_row(opened.patch_keypoints[opened.patch_keypoints >= 0])
    assert sorted(set(owners.tolist())) == [opened.find_image("0.jpg"), opened.find_image("z.jpg")]
    # They are pictures of the collection all the same.
    assert opened.n_images == 4
