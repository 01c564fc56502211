"""An index says what it holds, and opens only when it is whole."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from engine import artifacts, encode, index
from engine.errors import ArtifactError
from engine.index import Index


def test_an_index_holds_every_readable_picture(tiny: Index) -> None:
    assert [entry.path for entry in tiny.images] == sorted(
        ["flat.png"]
        + [f"{n}.jpg" for n in ("astronaut", "chelsea", "china", "coffee", "flower", "rocket")]
        + [
            f"turned/{n}.png"
            for n in ("astronaut", "chelsea", "china", "coffee", "flower", "rocket")
        ]
    )
    assert {skipped.path for skipped in tiny.skipped} == {"broken.jpg", "text.jpg"}
    assert all(skipped.reason for skipped in tiny.skipped)


def test_rows_fit_together(tiny: Index) -> None:
    assert tiny.offsets[-1] == tiny.n_keypoints == tiny.frequency.sum() > 1000
    total = np.zeros(tiny.n_words)
    for image_id in range(tiny.n_images):
        words, keypoints = tiny.words(image_id), tiny.keypoints(image_id)
        assert len(words) == len(keypoints)
        same_word = np.diff(words.word_ids) == 0
        assert np.all(np.diff(words.word_ids) >= 0), "by word"
        assert np.all(np.diff(keypoints.response)[same_word] <= 0), "strongest first"
        bag = encode.bag_of_words(words, tiny.n_words)
        for weighting in encode.WEIGHTINGS:
            row = tiny.matrix(weighting)[image_id]
            np.testing.assert_array_equal(tiny.vector(image_id, weighting), row)
            sums = weighting in ("distance", "squared-distance")
            rounding = 0.5 / 128 * 2 * bag.counts if sums else 0
            away = np.abs(encode.vector(bag, weighting, tiny.word_weights(weighting)) - row)
            assert np.all(away <= rounding + 1e-4), "as far as distances are rounded"
            if weighting not in encode.STORED:
                continue
            length = np.linalg.norm(row.astype(np.float64))
            assert tiny.norms(weighting)[image_id] == pytest.approx(length)
        total += bag.counts
    np.testing.assert_array_equal(total, tiny.frequency)


def test_a_picture_without_keypoints_is_kept_with_none(tiny: Index) -> None:
    flat = tiny.find_image("flat.png")
    assert flat is not None
    assert len(tiny.keypoints(flat)) == 0
    assert not tiny.matrix("distance")[flat].any()


def test_word_statistics_follow_from_the_keypoints(tiny: Index) -> None:
    every = [tiny.words(i) for i in range(tiny.n_images)]
    ids = np.concatenate([words.word_ids for words in every])
    distances = np.concatenate([words.distances for words in every]).astype(np.float64)
    for word in range(tiny.n_words):
        own = distances[ids == word]
        # Distances are kept to 1/128.
        assert tiny.mean_distance[word] == pytest.approx(own.mean(), abs=0.5 / 128)
        assert tiny.std_distance[word] == pytest.approx(own.std(), abs=0.5 / 128)
        assert tiny.document_frequency[word] == sum(word in words.word_ids for words in every)


def test_rows_of_a_word_stand_nearest_first(tiny: Index) -> None:
    word = int(np.argmax(tiny.frequency))
    rows = tiny.keypoint_rows_of_word(word)
    distances = tiny.distances(rows)
    every = np.concatenate([tiny.words(i).word_ids for i in range(tiny.n_images)])
    np.testing.assert_array_equal(np.sort(rows), np.flatnonzero(every == word))
    assert len(rows) == tiny.frequency[word]
    assert np.all(np.diff(distances) >= 0)
    owners = tiny.image_of_row(rows)
    for row, owner in zip(rows[:50].tolist(), owners[:50].tolist()):
        assert tiny.offsets[owner] <= row < tiny.offsets[owner + 1]
    image_ids, counts, sums = tiny.images_of_word(word, 5)
    expected = np.bincount(owners, minlength=tiny.n_images)
    np.testing.assert_array_equal(counts, np.sort(expected)[::-1][:5])
    np.testing.assert_array_equal(expected[image_ids], counts)
    own = distances[owners == image_ids[0]].astype(np.float64).sum()
    assert sums[0] == pytest.approx(own, rel=0.02)


def test_patches_are_those_of_the_nearest_keypoints(tiny: Index) -> None:
    for word in range(tiny.n_words):
        patches = tiny.patches(word)
        assert patches.shape == (tiny.patch_keypoints.shape[1], 32, 32, 3)
        kept = tiny.patch_keypoints[word]
        kept = kept[kept >= 0]
        rows = tiny.keypoint_rows_of_word(word)
        assert len(kept) > 0
        nearest = tiny.distances(rows[:1])
        assert tiny.distances(kept[:1]) == nearest, "the nearest of all stands first"
        assert np.all(np.isin(kept, rows))
        assert patches[0].std() > 0, "a keypoint's patch is never flat"
        owners = tiny.image_of_row(kept)
        assert np.bincount(owners).max() <= 4, "few from one picture"


def test_neighbours_of_a_word_exclude_itself(tiny: Index) -> None:
    words, distances = tiny.nearest_words(3, 5)
    assert 3 not in words
    assert np.all(np.diff(distances) >= 0)
    centres = tiny.codebook.centres
    assert distances[0] == pytest.approx(np.linalg.norm(centres[3] - centres[words[0]]), rel=1e-5)


def test_ids_outside_are_value_errors(tiny: Index) -> None:
    for wrong in (-1, tiny.n_images):
        with pytest.raises(ValueError, match="image_id must be 0 to"):
            tiny.keypoints(wrong)
    for wrong in (-1, tiny.n_words):
        with pytest.raises(ValueError, match="word must be 0 to"):
            tiny.keypoint_rows_of_word(wrong)


def test_pictures_are_found_by_path_and_by_content(tiny: Index) -> None:
    place = tiny.find_image("turned/china.png")
    assert place is not None
    entry = tiny.images[place]
    assert tiny.find_image(entry.sha256) == place
    assert tiny.same_content(entry.sha256) == (place,)
    assert tiny.find_image("turned/../china.jpg") is None


def _files(place: Path) -> list[Path]:
    return sorted(p for p in (place / "indexes" / "tiny").iterdir() if p.suffix == ".npy")


def test_every_missing_file_stops_opening_with_a_cure(scratch: Path) -> None:
    for path in _files(scratch):
        away = path.rename(path.with_suffix(".away"))
        with pytest.raises(ArtifactError, match=r"build FOLDER --name tiny --overwrite") as caught:
            index.open_index("tiny")
        assert path.name in str(caught.value)
        away.rename(path)
    index.open_index("tiny")


def test_shapes_that_do_not_fit_stop_opening(scratch: Path) -> None:
    folder = scratch / "indexes" / "tiny"
    manifest = artifacts.read_manifest(folder, "index", "")
    entry = artifacts.write_array(folder, "images-offsets", np.array([0, 5], np.int64))
    manifest["parts"]["images"]["arrays"]["offsets"] = entry
    content = {k: v for k, v in manifest.items() if k not in ("kind", "format_version", "sha256")}
    artifacts.write_manifest(folder, "index", content)
    with pytest.raises(ArtifactError, match="offsets do not fit"):
        index.open_index("tiny")


def test_nothing_at_all_is_an_empty_list(empty_artifacts: Path) -> None:
    assert index.list_indexes() == []
    assert index.stamp("tiny") == ""


def test_a_folder_moved_elsewhere_opens_the_same(
    scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.move(scratch, tmp_path / "elsewhere")
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(tmp_path / "elsewhere"))
    assert index.open_index("tiny").n_images == 13
