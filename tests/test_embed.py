"""A model's vectors in an index: made, resumed, searched, measured, and what can go wrong."""

import dataclasses
import errno
import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import (
    artifacts,
    cli,
    cnn,
    embed,
    embedding_search,
    embeddings,
    evaluate,
    explain,
    groundtruth,
    images,
    index,
    installing,
    ladder,
    methods,
    model_store,
    pipeline,
    records,
    runs,
    upkeep,
)
from engine.embeddings import Embeddings
from engine.errors import ArtifactError, CancelledError, ModelError
from engine.models import Model
from tests import keras_file, naive_cnn
from tests.test_models import tiny_model

MODEL = "own"
derandomized = settings(deadline=None, derandomize=True, max_examples=30)


def add_model(place: Path, name: str = MODEL, **told: object) -> None:
    """Install a small network of convolutions; other channels make other weights."""
    path = tiny_model(place / f"{name}.onnx", out=("n", 12), channels=12)
    told = {"divisor": 255.0, "mean": (0.4, 0.4, 0.4), **told}
    installing.add(path, installing.propose(path, name, **told))


@pytest.fixture
def prepared(scratch: Path, tmp_path: Path) -> Path:
    add_model(tmp_path)
    return scratch


@pytest.fixture
def embedded(prepared: Path) -> index.Index:
    embed.make_embeddings("tiny", MODEL)
    return index.open_index("tiny")


def query(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, object]:
    assert cli.main(["query", "tiny", *argv, "--json"]) == 0
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return told


# --- making ---------------------------------------------------------------------------------


def test_each_row_is_its_picture_and_nothing_else_is_touched(
    prepared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = index.open_index("tiny")
    files = {path.name for path in before.folder.iterdir()}
    kept = embed.make_embeddings("tiny", MODEL, n_threads=2)
    after = index.open_index("tiny")
    assert files <= {path.name for path in after.folder.iterdir()}
    assert {k: v for k, v in after.manifest["parts"].items() if k in before.manifest["parts"]} == (
        before.manifest["parts"]
    )
    network = cnn.open_network(model_store.open_model(MODEL))
    for image_id in range(after.n_images):
        alone = network.embed([images.read(after.picture_path(image_id))])[0]
        assert np.array_equal(kept.vectors[image_id], alone)
    assert methods.embedded(after.parts) == [MODEL]
    assert upkeep.verify("tiny") == []
    assert cli.main(["info", "tiny"]) == 0
    assert "vectors      by own" in capsys.readouterr().out
    assert not list((prepared / "embeddings" / "tiny").glob("*"))
    assert after.manifest["cpu_seconds"]["embedding-own"] > 0


def test_threads_and_batches_do_not_change_it(
    prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = np.array(embed.make_embeddings("tiny", MODEL, n_threads=1).vectors)
    three = embed.make_embeddings("tiny", MODEL, n_threads=3, overwrite=True)
    assert np.array_equal(one, three.vectors)
    monkeypatch.setattr(embed, "BATCH", 4)
    monkeypatch.setattr(embed, "AT_ONCE", 7)
    other = embed.make_embeddings("tiny", MODEL, n_threads=2, overwrite=True)
    assert other.vectors == pytest.approx(one, abs=1e-6)


def test_one_model_that_is_done_leaves_the_work_of_another(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that stopped runs had left was deleted with the first that came to its end."""
    add_model(tmp_path, "slow", mean=(0.5, 0.5, 0.5))
    monkeypatch.setattr(embed, "AT_ONCE", 4)
    with pytest.raises(CancelledError):
        embed.make_embeddings("tiny", "slow", cancelled=lambda: True)
    embed.make_embeddings("tiny", MODEL)
    opened, slow = index.open_index("tiny"), model_store.open_model("slow")
    assert embed.n_begun(opened, slow) == 4
    add_model(tmp_path, "slow", mean=(0.6, 0.6, 0.6))
    with pytest.raises(CancelledError):
        embed.make_embeddings("tiny", "slow", cancelled=lambda: True)
    work = artifacts.artifacts_folder() / "embeddings" / "tiny"
    assert len(list(work.iterdir())) == 1, "of weights that are no longer those nothing stays"
    embed.make_embeddings("tiny", "slow")
    assert not work.exists()


@pytest.mark.parametrize("where", ["room", "record"])
def test_a_full_disk_is_told_and_the_next_run_goes_on(
    prepared: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    """To write into a mapped file that the disk has no room for ends the process."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = index.stamp("tiny")
    with monkeypatch.context() as patch:
        if where == "room":
            patch.setattr(os, "posix_fallocate", full)
        else:
            patch.setattr(records, "write", full)
        assert cli.main(["embed", "tiny", "--model", MODEL]) == 1
    assert "No space left on device. Free some space" in capsys.readouterr().err
    assert index.stamp("tiny") == before
    assert embed.make_embeddings("tiny", MODEL).vectors.any()


def test_room_for_all_vectors_is_taken_at_once(tmp_path: Path) -> None:
    path = tmp_path / "vectors.npy"
    laid = embed._map(path, (500, 300))
    assert laid.shape == (500, 300) and not laid.any()
    assert path.stat().st_blocks * 512 >= laid.nbytes
    laid[7, 3] = 2
    laid.flush()
    assert np.load(path)[7, 3] == 2


def test_visitors_who_come_at_once_wait_for_one_network(
    embedded: index.Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedding_search._loaded.cache_clear()
    made: list[tuple[Any, ...]] = []
    network = cnn.Network

    def counted(*args: Any) -> cnn.Network:
        made.append(args)
        return network(*args)

    monkeypatch.setattr(cnn, "Network", counted)
    image = images.read(embedded.root / "china.jpg")
    together = threading.Barrier(4)

    def search() -> None:
        together.wait()
        embedding_search.search_picture(embedded, image, MODEL)

    visitors = [threading.Thread(target=search) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert len(made) == 1


def test_a_stopped_run_goes_on(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "AT_ONCE", 4)
    with pytest.raises(CancelledError, match="go on from here"):
        embed.make_embeddings("tiny", MODEL, cancelled=lambda: True)
    opened = index.open_index("tiny")
    assert methods.embedded(opened.parts) == []
    installed = model_store.open_model(MODEL)
    assert embed.n_begun(opened, installed) == 4
    read: list[int] = []
    picture = embed._picture

    def counted(opened: index.Index, image_id: int) -> images.Image:
        read.append(image_id)
        return picture(opened, image_id)

    monkeypatch.setattr(embed, "_picture", counted)
    told: list[tuple[int, int]] = []
    kept = embed.make_embeddings("tiny", MODEL, progress=lambda *args: told.append(args))
    n_images = len(kept.vectors)
    assert read == list(range(4, n_images))
    assert embed.n_begun(opened, installed) == 0
    assert told[0] == (4, n_images) and told[-1] == (n_images, n_images)
    read.clear()
    embed.make_embeddings("tiny", MODEL)
    assert read == [], "what is there is not made again"


def test_overwriting_reads_every_picture_again(
    embedded: index.Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    picture = embed._picture
    monkeypatch.setattr(embed, "_picture", lambda *of: (read.append(of[1]), picture(*of))[1])
    embed.make_embeddings("tiny", MODEL, overwrite=True)
    assert read == list(range(embedded.n_images))


def test_a_damaged_piece_is_made_again(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "AT_ONCE", 4)
    with pytest.raises(CancelledError):
        embed.make_embeddings("tiny", MODEL, cancelled=lambda: True)
    (piece,) = (prepared / "embeddings" / "tiny").glob("*/0")
    piece.write_bytes(piece.read_bytes()[:-8])
    monkeypatch.setattr(embed, "AT_ONCE", 3)
    with pytest.raises(CancelledError):
        embed.make_embeddings("tiny", MODEL, cancelled=lambda: True)
    monkeypatch.setattr(embed, "AT_ONCE", 5)  # pieces of another size are not taken for these
    kept = embed.make_embeddings("tiny", MODEL)
    assert np.linalg.norm(kept.vectors, axis=1) == pytest.approx(np.ones(len(kept.vectors)))


def test_pictures_that_are_gone_or_changed_are_listed_once_and_stand_last(
    prepared: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from engine import build
    from tests.conftest import tiny_params

    place = tmp_path / "pictures"
    shutil.copytree(folder, place)
    build.build(place, "tiny", tiny_params(), n_workers=1, overwrite=True)
    (place / "coffee.jpg").unlink()
    (place / "china.jpg").write_bytes((place / "rocket.jpg").read_bytes())
    assert cli.main(["embed", "tiny", "--model", MODEL]) == 0
    told = capsys.readouterr().err
    assert "2 pictures have no vector" in told
    assert "coffee.jpg cannot be read" in told and "china.jpg has changed" in told
    assert cli.main(["embed", "tiny", "--model", MODEL]) == 0
    assert "no vector" not in capsys.readouterr().err
    results = query(capsys, "rocket.jpg", "--model", MODEL)["results"]
    assert isinstance(results, list)
    assert {one["image"] for one in results[-2:]} == {"coffee.jpg", "china.jpg"}
    assert [one["score"] for one in results[-2:]] == [-1, -1]
    lost = query(capsys, "coffee.jpg", "--model", MODEL)["results"]
    assert isinstance(lost, list) and {one["score"] for one in lost[:-1]} == {0}


def test_build_does_all_at_once_and_again(
    prepared: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["build", str(folder), "--name", "all", "--words", "20", "--workers", "1"]
    assert cli.main([*argv, "--model", MODEL]) == 0
    assert cli.main(["embed", "all", "--model", MODEL, "--whiten", "5"]) == 0
    assert methods.embedded(index.open_index("all").parts) == [MODEL, "own-pca5"]
    assert cli.main([*argv, "--overwrite"]) == 0
    assert "making them anew" in capsys.readouterr().err
    assert methods.embedded(index.open_index("all").parts) == [MODEL, "own-pca5"]
    model_store.remove(MODEL)
    assert cli.main([*argv, "--overwrite", "--model", MODEL]) == 1
    assert "models add FILE.onnx --name own" in capsys.readouterr().err
    assert cli.main([*argv, "--overwrite"]) == 0
    assert "They are missing now" in capsys.readouterr().err


def test_whitened_vectors_stand_beside_the_others(
    embedded: index.Index, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed, "_picture", None)  # no picture is read again
    kept = embed.make_embeddings("tiny", MODEL, whiten=4)
    n_images = len(kept.vectors)
    assert kept.method == "own-pca4" and kept.vectors.shape[1] == min(4, n_images // 4) == 3
    raw = embeddings.open_embeddings(embedded, MODEL)
    assert kept.whitening is not None
    assert kept.whitening.apply(np.asarray(raw.vectors)) == pytest.approx(
        np.asarray(kept.vectors), abs=1e-6
    )
    picture = embedded.picture_path(2)
    outside = query(capsys, str(picture), "--model", "own-pca4")["results"]
    inside = query(capsys, embedded.images[2].path, "--model", "own-pca4")["results"]
    assert isinstance(outside, list) and isinstance(inside, list)
    assert [one["image"] for one in outside] == [one["image"] for one in inside]
    for one, other in zip(outside, inside):
        assert one["distance"] == pytest.approx(other["distance"], abs=1e-5)


def test_too_few_pictures_are_not_whitened(
    prepared: Path, photographs: dict[str, object], tmp_path: Path
) -> None:
    from engine import build
    from tests.conftest import tiny_params

    place = tmp_path / "few"
    place.mkdir()
    for name in ("china", "coffee", "rocket"):
        photographs[name].save(place / f"{name}.png")  # type: ignore[attr-defined]
    build.build(place, "few", tiny_params(), n_workers=1)
    with pytest.raises(ArtifactError, match="cannot be whitened: that takes at least 4"):
        embed.make_embeddings("few", MODEL, whiten=4)
    assert methods.embedded(index.open_index("few").parts) == []


# --- searching ------------------------------------------------------------------------------


def kept_of(vectors: np.ndarray, metric: str = "euclidean") -> Embeddings:
    return Embeddings("m", Model("m", "m", metric=metric), "", vectors, None, ())


@given(st.integers(1, 12), st.integers(1, 6), st.integers(0, 99), st.integers(0, 12))
@derandomized
def test_distances_equal_their_slow_twin(n, n_dimensions, seed, empty):
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((n, n_dimensions)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[empty:] = 0
    query = np.zeros(n_dimensions, np.float32) if seed % 9 == 0 else vectors[0]
    found = np.sqrt(embeddings.compare(kept_of(vectors), query))
    assert found == pytest.approx(naive_cnn.distances(vectors, query), abs=1e-6)


def test_blocks_do_not_change_distances(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.random.default_rng(0).standard_normal((50, 8)).astype(np.float32)
    whole = embeddings.compare(kept_of(vectors), vectors[3])
    monkeypatch.setattr(embeddings, "_NUMBERS", 24)
    assert np.array_equal(embeddings.compare(kept_of(vectors), vectors[3]), whole)
    with pytest.raises(ValueError, match="does not fit"):
        embeddings.compare(kept_of(vectors), vectors[3, :4])


def test_near_copies_are_ordered_though_their_cosines_are_the_same(embedded: index.Index) -> None:
    angles = np.arange(embedded.n_images)[::-1] * 2e-5
    vectors = np.stack((np.cos(angles), np.sin(angles)), axis=1).astype(np.float32)
    answer = embedding_search.search_vector(
        embedded, kept_of(vectors), np.array([1, 0], np.float32), None
    )
    assert answer.ranking.image_ids.tolist() == list(range(embedded.n_images))[::-1]
    assert (np.diff(answer.ranking.scores) <= 0).all()


def test_scores_are_cosines_and_the_original_shows_distances(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_model(tmp_path, metric="euclidean")
    assert cli.main(["embed", "tiny", "--model", MODEL]) == 0
    capsys.readouterr()
    told = query(capsys, "china.jpg", "--method", MODEL)
    results = told["results"]
    assert isinstance(results, list)
    assert len(results) == index.open_index("tiny").n_images - 1, "30 if nothing is said"
    for one in results:
        assert one["score"] == pytest.approx(1 - one["distance"] ** 2 / 2, abs=3e-6)
        assert one["same_thing"] is None
    distances = [one["distance"] for one in results]
    assert distances == sorted(distances)
    assert told["left_out"] == ["china.jpg"] and told["n_keypoints"] is None
    assert cli.main(["query", "tiny", "china.jpg", "--model", MODEL, "-k", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [float(line.split()[1]) for line in lines] == pytest.approx(distances[:3], abs=5e-4)
    assert (
        cli.main(["query", "tiny", "china.jpg", "--model", MODEL, "-k", "1", "--keep-query"]) == 0
    )
    assert capsys.readouterr().out == "  1  0.000  china.jpg\n"


def test_a_picture_from_outside_is_ranked_as_one_of_its_own(
    embedded: index.Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inside = query(capsys, "china.jpg", "--model", MODEL)
    other = tmp_path / "other.jpg"
    shutil.copy(embedded.root / "china.jpg", other)
    assert query(capsys, str(other), "--model", MODEL)["results"] == inside["results"]
    described = pipeline.describe_query(embedded, images.read(other))
    for answer in (
        pipeline.search_query(embedded, described, MODEL, None),
        pipeline.search_image(embedded, described_id(embedded), MODEL, None),
    ):
        assert answer.method == MODEL
        ids = [one["image_id"] for one in inside["results"]]  # type: ignore[attr-defined]
        assert answer.ranking.image_ids.tolist() == ids


def described_id(opened: index.Index) -> int:
    found = opened.find_image("china.jpg")
    assert found is not None
    return found


def test_a_score_is_the_sum_over_dimensions(embedded: index.Index) -> None:
    answer = embedding_search.search_image(embedded, 0, MODEL, None)
    for image_id, score in zip(answer.ranking.image_ids.tolist(), answer.ranking.scores.tolist()):
        told = explain.explain(embedded, answer, image_id)
        assert told.total == pytest.approx(score, abs=1e-6)
        assert told.dimensions is not None and told.dimensions.shape == (12,)


# --- measuring ------------------------------------------------------------------------------


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    path = tmp_path / "gt.csv"
    lines = [f"{n}.jpg,turned/{n}.png,good" for n in ("china", "coffee", "rocket")]
    path.write_text("\n".join(["query,relevant,label", *lines]) + "\n")
    return path


def test_it_is_measured_kept_and_climbs_the_ladder(
    embedded: index.Index, truth: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["evaluate", "tiny", str(truth), "--model", MODEL, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["method"] == MODEL and 0 < figures["mAP"] <= 1 and figures["accepted"] is None
    run = runs.open_run(figures["run"])
    assert run.summary()["mAP"] == pytest.approx(figures["mAP"])
    queries = groundtruth.read(truth, embedded)
    outside = [dataclasses.replace(one, image_id=None) for one in queries]
    again = evaluate.evaluate(embedded, outside, MODEL)
    assert again.mean("average_precision") == pytest.approx(figures["mAP"])
    counted, rung = ladder.climb(embedded, queries, ("count", MODEL))
    assert rung.evaluation is not None and counted.evaluation is not None
    vectors = next(embedded.folder.glob("embedding-own-vectors-*"))
    assert rung.bytes_per_image == pytest.approx(vectors.stat().st_size / embedded.n_images)
    assert rung.build_cpu_seconds is not None and counted.build_cpu_seconds is not None
    assert rung.build_cpu_seconds > counted.build_cpu_seconds


def test_a_rung_without_vectors_says_the_command(tiny: index.Index, truth: Path) -> None:
    queries = groundtruth.read(truth, tiny)
    (rung,) = ladder.climb(tiny, queries, ("vgg16-fc1",))
    assert rung.error is not None and "embed tiny --model vgg16-fc1" in rung.error
    with pytest.raises(ArtifactError, match="embed tiny --model vgg16-fc1"):
        evaluate.evaluate(tiny, queries, "vgg16-fc1")
    with pytest.raises(ValueError, match=r"method must be one of .*vgg16-fc1.*got 'verifed'"):
        evaluate.evaluate(tiny, queries, "verifed")


# --- what can go wrong ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "code", "told"),
    [
        (["embed", "tiny", "--model", "vgg16-fc1"], 1, "models get vgg16-fc1"),
        (["embed", "tiny", "--model", "dreams"], 1, "models add FILE.onnx --name dreams"),
        (["embed", "nothing", "--model", MODEL], 1, "there is no index 'nothing'"),
        (["query", "tiny", "china.jpg", "--model", "vgg16-fc1"], 1, "embed tiny --model vgg16-fc1"),
        (["query", "tiny", "china.jpg", "--model", "own-pca9"], 1, "--model own --whiten 9"),
    ],
)
def test_what_cannot_be_done_names_the_cure(
    prepared: Path, capsys: pytest.CaptureFixture[str], argv: list[str], code: int, told: str
) -> None:
    assert cli.main(argv) == code
    captured = capsys.readouterr()
    assert captured.out == "" and told in captured.err and "Traceback" not in captured.err


def test_a_wrong_name_is_a_wrong_call(prepared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["query", "tiny", "china.jpg", "--method", "verifed"])
    assert caught.value.code == 2
    assert "or a model (vgg16-fc1" in capsys.readouterr().err
    with pytest.raises(ValueError, match="got 'verifed'"):
        pipeline.search_image(index.open_index("tiny"), 0, "verifed")


def test_vectors_of_another_model_of_the_same_name(
    embedded: index.Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_model(tmp_path, channels="bgr")
    outside = str(embedded.picture_path(0))
    assert cli.main(["query", "tiny", outside, "--model", MODEL]) == 1
    cure = "python -m engine embed tiny --model own --overwrite"
    assert cure in capsys.readouterr().err
    assert cli.main(["query", "tiny", embedded.images[0].path, "--model", MODEL]) == 0
    assert cli.main(["embed", "tiny", "--model", MODEL]) == 1
    assert cure in capsys.readouterr().err
    assert cli.main(cure.split()[3:]) == 0
    assert cli.main(["query", "tiny", outside, "--model", MODEL]) == 0


def test_a_model_that_is_gone_still_serves_pictures_of_the_collection(
    embedded: index.Index, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["models", "remove", MODEL]) == 0
    assert cli.main(["query", "tiny", "china.jpg", "--model", MODEL]) == 0
    capsys.readouterr()
    assert cli.main(["query", "tiny", str(embedded.picture_path(0)), "--model", MODEL]) == 1
    assert "is not installed" in capsys.readouterr().err


def test_a_damaged_model_is_found_before_it_works_for_hours(prepared: Path) -> None:
    path = model_store.open_model(MODEL).path
    data = bytearray(path.read_bytes())
    data[-30] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="checksum does not fit"):
        embed.make_embeddings("tiny", MODEL)


def test_vectors_that_do_not_fit_are_said(embedded: index.Index) -> None:
    part = embeddings.part_of(MODEL)
    for wrong in ({"vectors": np.zeros((3, 4), np.float32)}, {}):
        parts = {**embedded.parts, part: wrong}
        with pytest.raises(ArtifactError, match=r"do not fit.*embed tiny --model own --over"):
            embeddings.open_embeddings(dataclasses.replace(embedded, parts=parts), MODEL)


def test_vectors_of_another_length_are_a_fault(embedded: index.Index) -> None:
    told = embedded.manifest["parts"][embeddings.part_of(MODEL)]["parameters"]
    vectors = np.array(embedded.parts[embeddings.part_of(MODEL)]["vectors"]) * np.float32(1.1)
    upkeep.add_part("tiny", embeddings.part_of(MODEL), told, {"vectors": vectors})
    assert upkeep.verify("tiny") == ["embedding-own/vectors are not of length 1"]


def test_an_index_that_was_replaced_meanwhile(
    prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = index.open_index("tiny")
    other = dataclasses.replace(opened, images=opened.images[1:])
    answers = iter((opened, other))
    monkeypatch.setattr(embed, "open_index", lambda _name: next(answers))
    with pytest.raises(ArtifactError, match="replaced meanwhile"):
        embed.make_embeddings("tiny", MODEL)


def test_vgg_from_a_keras_file_end_to_end(
    scratch: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "vgg.h5"
    keras_file.write(path, keras_file.weights())
    assert cli.main(["models", "get", "vgg16-fc1", "--from", str(path), "--unchecked"]) == 0
    assert cli.main(["embed", "tiny", "--model", "vgg16-fc1"]) == 0
    capsys.readouterr()
    told = query(capsys, "china.jpg", "--method", "vgg16-fc1", "-k", "30")
    results = told["results"]
    assert isinstance(results, list) and len(results) == index.open_index("tiny").n_images - 1
    assert results[0]["distance"] <= results[-1]["distance"]
    assert artifacts.names_in(scratch / "models") == ["vgg16-fc1"]
