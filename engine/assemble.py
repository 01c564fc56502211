"""From the records of a build to the arrays of an index, picture by picture."""

import contextlib
import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import artifacts, encode, images, packing, records, search, worker
from engine.artifacts import ArrayWriter, Json
from engine.errors import BuildError
from engine.index import Skipped
from engine.index_format import SUMS, is_large
from engine.language import tr
from engine.lookup import Words
from engine.surf import Keypoints

PATCH_SIDE = 32
MOST_PATCHES = 16  # of one word; enough for a tile and a first look
PATCH_BUDGET = 8_000  # over all words: 25 MB of pixels, 4 MB as JPEG
PATCH_QUALITY = 85


class NearestKeypoints:
    """The P keypoints nearest to each word, kept while pictures go by.

    At most `n_per_image` come from one picture, so that a word shows more than one of them.
    """

    def __init__(self, n_words: int, n_kept: int, n_per_image: int) -> None:
        self.rows = np.full((n_words, n_kept), -1, np.int64)
        self._distances = np.full((n_words, n_kept), np.inf, np.float32)
        self._n_per_image = n_per_image

    def add(self, words: Words, first_row: int) -> None:
        """Take in the keypoints of the next picture, whose rows start at `first_row`."""
        ids, distances = words.word_ids, words.distances
        near = np.flatnonzero(distances < self._distances[ids, -1])
        near = near[np.lexsort((distances[near], ids[near]))]
        rank = np.arange(len(near)) - np.searchsorted(ids[near], ids[near], side="left")
        for turn in range(self._n_per_image):
            places = near[rank == turn]
            self._insert(ids[places], distances[places], first_row + places)

    def _insert(
        self, ids: NDArray[np.int32], distances: NDArray[np.float32], rows: NDArray[np.int64]
    ) -> None:
        """Put one keypoint into each word's row of `ids`, behind those that are as near."""
        kept, kept_rows = self._distances[ids], self.rows[ids]
        slots = (kept <= distances[:, None]).sum(axis=1)[:, None]
        columns = np.arange(kept.shape[1])
        self._distances[ids] = np.where(
            columns < slots,
            kept,
            np.where(columns == slots, distances[:, None], np.roll(kept, 1, axis=1)),
        )
        self.rows[ids] = np.where(
            columns < slots,
            kept_rows,
            np.where(columns == slots, rows[:, None], np.roll(kept_rows, 1, axis=1)),
        )


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Assembled:
    """What assembly gives: the parts for the manifest, and the patches still to be cut.

    Attributes
    ----------
    parts : dict
        images, keypoints, words, signatures, vectors (and descriptors) of the manifest, without
        their parameters.
    offsets : (I + 1,) int64 array
        First keypoint row of each image.
    images : list
        Path, sha256, width, height and bytes of each image.
    patch_rows : (K, P) int64 array
        Keypoints whose patches stand for each word.
    """

    parts: dict[str, Json]
    offsets: NDArray[np.int64]
    images: list[list[Any]]
    patch_rows: NDArray[np.int64]


class _WordStatistics:
    """Sums over all keypoints, word by word, in float64."""

    def __init__(self, n_words: int) -> None:
        self.frequency = np.zeros(n_words, np.int64)
        self.document_frequency = np.zeros(n_words, np.int64)
        self._sum = np.zeros(n_words)
        self._squares = np.zeros(n_words)

    def add(self, bag: encode.BagOfWords) -> None:
        counts = bag.counts.astype(np.int64)
        self.frequency += counts
        self.document_frequency += counts > 0
        self._sum += bag.distances
        self._squares += bag.squared_distances

    def arrays(self) -> dict[str, NDArray[Any]]:
        seen = np.maximum(self.frequency, 1)
        mean = self._sum / seen
        variance = np.maximum(self._squares / seen - mean**2, 0.0)
        return {
            "frequency": self.frequency,
            "document_frequency": self.document_frequency,
            "mean_distance": mean.astype(np.float32),
            "std_distance": np.sqrt(variance).astype(np.float32),
        }


def patches_per_word(n_words: int) -> int:
    """Return how many patches of each word an index keeps."""
    return int(np.clip(PATCH_BUDGET // n_words, 1, MOST_PATCHES))


def _gone(record: str) -> BuildError:
    return BuildError(
        tr(
            "the build's own file {path} is gone or damaged: run the build again",
            path=worker.record_path(record, finished=True),
        )
    )


def _catalogue(finished: Sequence[str]) -> tuple[list[str], list[list[Any]], list[list[str]], Any]:
    """Read what the records say of their files: those to keep, images, skipped, offsets."""
    kept, entries, skipped, counts = [], [], [], []
    for record in finished:
        said = records.read_description(worker.record_path(record, finished=True))
        if said is None:
            raise _gone(record)
        if said["reason"] is not None:
            skipped.append([said["path"], said["reason"]])
            continue
        kept.append(record)
        counts.append(said["n_keypoints"])
        entries.append([said[key] for key in ("path", "sha256", "width", "height", "n_bytes")])
    return kept, entries, skipped, np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))


def _count_held(kept: Sequence[str]) -> int:
    """Count the different words of each picture, over all pictures."""
    n_held = 0
    for record in kept:
        stored = records.read(worker.record_path(record, finished=True))
        if stored is None:
            raise _gone(record)
        n_held += len(np.unique(stored.arrays["word_ids"]))
    return n_held


def _specs(
    n_rows: int, table: tuple[int, ...], n_dimensions: int, counts_dtype: str
) -> dict[str, dict[str, tuple[str, tuple[int, ...]]]]:
    """Say the dtype and shape of every array that assembly streams, by part and name.

    A `table` of one axis holds of each picture only the words that it has.
    """
    specs: dict[str, dict[str, tuple[str, tuple[int, ...]]]] = {
        "keypoints": {k: (dtype, (n_rows, *tail)) for k, (dtype, tail) in packing.ARRAYS.items()},
        "words": {"counts": (counts_dtype, table), "distances": ("uint8", (n_rows,))},
        "signatures": {"bits": ("uint64", (n_rows, 2))},
        "vectors": dict.fromkeys(SUMS.values(), ("float32", table)),
    }
    if len(table) == 1:
        specs["words"]["word_ids"] = ("int32", table)
    if n_dimensions:
        specs["descriptors"] = {"descriptors": ("float32", (n_rows, n_dimensions))}
    return specs


def _by_word(
    stored: dict[str, NDArray[Any]], width: int, height: int
) -> tuple[Words, dict[str, NDArray[Any]]]:
    """Sort a picture's keypoints by word, the strongest first in each, and pack them."""
    order = np.argsort(stored["word_ids"], kind="stable")
    sorted_ = {name: array[order] for name, array in stored.items()}
    fields = ("xy", "size", "angle", "response", "octave", "class_id")
    packed = packing.pack(Keypoints(*(sorted_[name] for name in fields)), width, height)
    packed |= {name: sorted_[name] for name in ("bits", "descriptors") if name in sorted_}
    return Words(sorted_["word_ids"], sorted_["distances"]), packed


def assemble(
    finished: Sequence[str],
    folder: Path,
    n_words: int,
    n_dimensions: int = 0,
    unreadable: Sequence[Skipped] = (),
) -> Assembled:
    """Stream finished records into the arrays of an index, in the order given.

    Parameters
    ----------
    finished : sequence of str
        Records without ending, one a picture.
    folder : Path
        The index; arrays are written into it under names of their own.
    n_words : int
        Size of the vocabulary.
    n_dimensions : int
        Length of descriptors, where they are kept; 0 leaves them out.
    unreadable : sequence of Skipped
        Files and folders that have no record; listed with the skipped pictures.

    Returns
    -------
    Assembled

    Raises
    ------
    BuildError
        If a record is missing or no picture could be read.
    """
    kept, entries, skipped, offsets = _catalogue(finished)
    skipped += [[one.path, one.reason] for one in unreadable]
    if not entries:
        if not skipped:
            raise BuildError(tr("none of {n} pictures could be read.", n=0))
        told = tr(
            "none of {n} pictures could be read. The first of them: {first}",
            n=len(skipped),
            first=skipped[0][1],
        )
        raise BuildError(told)
    n_patches = patches_per_word(n_words)
    nearest = NearestKeypoints(n_words, n_patches, 1 if len(entries) >= 4 * n_patches else 4)
    statistics = _WordStatistics(n_words)
    most = int(np.diff(offsets).max())
    counts_dtype = "uint16" if most < 2**16 else "uint32"
    large = is_large(n_words)
    table = (_count_held(kept),) if large else (len(entries), n_words)
    specs = _specs(int(offsets[-1]), table, n_dimensions, counts_dtype)
    starts = [0]
    with contextlib.ExitStack() as stack:
        writers = {
            (part, name): stack.enter_context(
                ArrayWriter(folder, f"{part}-{name}".replace("_", "-"), dtype, shape)
            )
            for part, arrays in specs.items()
            for name, (dtype, shape) in arrays.items()
        }
        seen: set[str] = set()
        for record, first_row, image in zip(kept, offsets, entries):
            stored = records.read(worker.record_path(record, finished=True))
            if stored is None:
                raise _gone(record)
            _, sha256, width, height, _ = image
            words, arrays = _by_word(stored.arrays, width, height)
            bag = encode.bag_of_words(words, n_words)
            statistics.add(bag)
            if sha256 not in seen:  # copies of one file would fill a word's patches
                seen.add(sha256)
                nearest.add(words, int(first_row))
            arrays |= {name: getattr(bag, name)[None] for name in SUMS.values()}
            arrays["counts"] = bag.counts[None].astype(counts_dtype)
            if large:
                held = np.flatnonzero(bag.counts)
                arrays |= {name: arrays[name][0, held] for name in ("counts", *SUMS.values())}
                arrays["word_ids"] = held
                starts.append(starts[-1] + len(held))
            for (part, name), writer in writers.items():
                ours = part == "words" and name == "distances"
                writer.write(packing.pack_distances(words.distances) if ours else arrays[name])
        parts: dict[str, Json] = {part: {"arrays": {}} for part in specs}
        for (part, name), writer in writers.items():
            parts[part]["arrays"][name] = writer.close()
    vectors = parts["vectors"]["arrays"]
    extra = statistics.arrays()
    idf = encode.idf(extra["document_frequency"], len(entries))
    if large:
        words_ = parts["words"]["arrays"]
        words_["starts"] = artifacts.write_array(folder, "words-starts", np.array(starts))
        extra["norms"] = _norms_of_entries(folder, words_, vectors, idf)
    else:
        counts = artifacts.open_array(folder, parts["words"]["arrays"]["counts"])
        extra["norms"] = _norms(folder, vectors, counts, idf)
    for name, array in extra.items():
        vectors[name] = artifacts.write_array(folder, f"vectors-{name}".replace("_", "-"), array)
    parts["images"] = {
        "catalogue": artifacts.write_json(
            folder, "catalogue", {"images": entries, "skipped": skipped}
        ),
        "arrays": {"offsets": artifacts.write_array(folder, "offsets", offsets)},
    }
    return Assembled(parts, offsets, entries, nearest.rows)


def _norms(
    folder: Path, vectors: Json, counts: NDArray[Any], idf: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Measure the image vectors under every stored weighting: (4, I) float64."""
    lengths = []
    for weighting in encode.STORED:
        if weighting in SUMS:
            lengths.append(search.norms(artifacts.open_array(folder, vectors[SUMS[weighting]])))
            continue
        factors = idf if weighting == "tf-idf" else np.ones_like(idf)
        blocks = range(0, len(counts), search.SCORE_BLOCK)
        rows = [search.norms(counts[i : i + search.SCORE_BLOCK] * factors) for i in blocks]
        lengths.append(np.concatenate(rows))
    return np.stack(lengths)


def _norms_of_entries(
    folder: Path, words: Json, vectors: Json, idf: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Measure the image vectors of a large vocabulary, image by image: (4, I) float64."""
    opened = {name: artifacts.open_array(folder, entry) for name, entry in words.items()}
    sums = {name: artifacts.open_array(folder, vectors[name]) for name in SUMS.values()}
    lengths = np.zeros((len(encode.STORED), len(opened["starts"]) - 1))
    for i, (start, stop) in enumerate(itertools.pairwise(opened["starts"].tolist())):
        rows = slice(start, stop)
        counts = opened["counts"][rows].astype(np.float64)
        weighed = counts * idf[opened["word_ids"][rows]]
        rows_of = {"count": counts, "tf-idf": weighed}
        rows_of |= {w: sums[name][rows].astype(np.float64) for w, name in SUMS.items()}
        lengths[:, i] = [np.sqrt(rows_of[w] @ rows_of[w]) for w in encode.STORED]
    return lengths


def write_patches(
    folder: Path, patches: Iterable[NDArray[np.uint8]], rows: NDArray[np.int64]
) -> Json:
    """Write the patches of all words, side by side in one JPEG a word.

    Parameters
    ----------
    folder : Path
        The index.
    patches : iterable of (P, S, S, 3) uint8 array
        RGB, of each of the K words; S a multiple of 16, so that no patch bleeds into its neighbour.
    rows : (K, P) int64 array
        Their keypoint rows.

    Returns
    -------
    dict
        The arrays' part of the manifest.
    """
    strips = [
        images.encode_jpeg(np.concatenate(list(of_word), axis=1), PATCH_QUALITY)
        for of_word in patches
    ]
    starts = np.concatenate(([0], np.cumsum([len(strip) for strip in strips], dtype=np.int64)))
    arrays = {"jpeg": np.frombuffer(b"".join(strips), np.uint8), "starts": starts, "rows": rows}
    return {k: artifacts.write_array(folder, f"patches-{k}", array) for k, array in arrays.items()}
