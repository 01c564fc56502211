"""An index on disk: what it holds, and how it is opened.

An index is a folder of named parts (images, keypoints, codebook, words, signatures, vectors,
patches). Each part has its own parameters and arrays in the manifest, so a part can be added or
replaced without touching the others. Arrays that run over all keypoints are cut by `offsets`:
image i owns the rows offsets[i] to offsets[i + 1], sorted by word, the strongest first in each.
Keypoints are packed, see `engine.packing`.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import artifacts, codebook, encode, images, index_checks, methods, packing
from engine.codebook import Codebook
from engine.encode import check_weighting
from engine.errors import ArtifactError, reason
from engine.features import ExtractionParams
from engine.index_format import SUMS, Arrays, check_shapes
from engine.language import tr
from engine.lookup import Words
from engine.surf import Keypoints, SurfParams
from engine.table import Table
from engine.typed import MALFORMED


@dataclasses.dataclass(frozen=True, slots=True)
class ImageEntry:
    """One picture of a collection.

    Attributes
    ----------
    path : str
        Below the collection's folder, with forward slashes.
    sha256 : str
        Digest of the file's bytes.
    width, height : int
        Pixels, upright.
    n_bytes : int
        Length of the file.
    """

    path: str
    sha256: str
    width: int
    height: int
    n_bytes: int

    @property
    def shown(self) -> str:
        """The path for people; what is no UTF-8 in a file's name stands as a question mark."""
        return self.path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@dataclasses.dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was left out, and why."""

    path: str
    reason: str


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Index:
    """An opened index: read-only, its arrays memory-mapped.

    Attributes
    ----------
    name : str
        Plain name.
    folder : Path
        Where it lies.
    stamp : str
        Changes whenever the index does.
    manifest : dict
        As on disk.
    images : tuple of ImageEntry
        I pictures; an image id is a place in it.
    skipped : tuple of Skipped
        Files that the build left out.
    root : Path
        Folder of the pictures.
    extraction : ExtractionParams
        How pictures become features.
    method : str
        Its own ranking method, one of `methods.METHODS`.
    codebook : Codebook
        K words.
    parts : mapping of str to mapping of str to array
        Every array, by part and name.
    """

    name: str
    folder: Path
    stamp: str
    manifest: dict[str, Any]
    images: tuple[ImageEntry, ...]
    skipped: tuple[Skipped, ...]
    root: Path
    extraction: ExtractionParams
    method: str
    codebook: Codebook
    parts: Mapping[str, Arrays]

    @property
    def n_images(self) -> int:
        """Pictures in the collection."""
        return len(self.images)

    @property
    def n_words(self) -> int:
        """Size of the vocabulary."""
        return self.codebook.n_words

    @property
    def n_keypoints(self) -> int:
        """Keypoints over all pictures."""
        return int(self.offsets[-1])

    @property
    def surf(self) -> SurfParams:
        """Detector and descriptor of the collection's features, where SURF finds them."""
        return self.extraction.surf

    @property
    def max_side(self) -> int | None:
        """Size at which features were found, see `ExtractionParams`."""
        return self.extraction.max_side

    @property
    def offsets(self) -> NDArray[np.int64]:
        """First keypoint row of each image, and the end: (I + 1,) int64."""
        return self.parts["images"]["offsets"]

    @property
    def document_frequency(self) -> NDArray[np.int64]:
        """Images that hold each word: (K,) int64."""
        return self.parts["vectors"]["document_frequency"]

    @property
    def frequency(self) -> NDArray[np.int64]:
        """Keypoints of each word: (K,) int64."""
        return self.parts["vectors"]["frequency"]

    @property
    def idf(self) -> NDArray[np.float32]:
        """Weight of each word by rarity, in nats: (K,) float32."""
        return encode.idf(self.document_frequency, max(1, self.n_images))

    def word_weights(self, weighting: str) -> NDArray[np.float32]:
        """Return what each word weighs under a weighting, see `encode`: (K,) float32."""
        return encode.word_weights(weighting, self.idf, self.frequency)

    @property
    def mean_distance(self) -> NDArray[np.float32]:
        """Mean distance of each word's keypoints to it: (K,) float32, 0 where it has none."""
        return self.parts["vectors"]["mean_distance"]

    @property
    def std_distance(self) -> NDArray[np.float32]:
        """Standard deviation of these distances: (K,) float32."""
        return self.parts["vectors"]["std_distance"]

    @property
    def patch_keypoints(self) -> NDArray[np.int64]:
        """Keypoint rows of these patches: (K, P) int64, nearest first, -1 where none."""
        return self.parts["patches"]["rows"]

    @property
    def signatures(self) -> NDArray[np.uint64]:
        """Signature of each keypoint row: (N, 2) uint64, see `engine.signatures`."""
        return self.parts["signatures"]["bits"]

    @property
    def is_large(self) -> bool:
        """Whether of each picture only the words that it holds are kept, see `table`."""
        return self.table.is_large

    @property
    def table(self) -> Table:
        """What each picture holds of each word."""
        return Table(self.parts, self.n_words)

    def check_image_id(self, image_id: int) -> int:
        """Return `image_id` if it names a picture of the index, else raise a ValueError."""
        if not 0 <= image_id < self.n_images:
            told = tr(
                "image_id must be 0 to {most}, got {got}", most=self.n_images - 1, got=image_id
            )
            raise ValueError(told)
        return image_id

    def check_word(self, word: int) -> int:
        """Return `word` if it names a word of the index, else raise a ValueError."""
        if not 0 <= word < self.n_words:
            told = tr("word must be 0 to {most}, got {got}", most=self.n_words - 1, got=word)
            raise ValueError(told)
        return word

    def picture_path(self, image_id: int) -> Path:
        """Return where the picture lies (or lay when the index was built)."""
        return self.root / self.images[self.check_image_id(image_id)].path

    def find_image(self, key: str) -> int | None:
        """Return the first image with this path or sha256; None if there is none."""
        path = str(PurePosixPath(key))
        for image_id, entry in enumerate(self.images):
            if entry.path == path or entry.sha256 == key:
                return image_id
        return None

    def same_content(self, sha256: str) -> tuple[int, ...]:
        """Return every image whose file has this digest."""
        return tuple(i for i, entry in enumerate(self.images) if entry.sha256 == sha256)

    def _rows(self, image_id: int) -> slice:
        self.check_image_id(image_id)
        return slice(int(self.offsets[image_id]), int(self.offsets[image_id + 1]))

    def keypoints(self, image_id: int) -> Keypoints:
        """Return the keypoints of one picture, by word, the strongest first in each."""
        rows, entry = self._rows(image_id), self.images[image_id]
        packed = {name: self.parts["keypoints"][name][rows] for name in packing.ARRAYS}
        return packing.unpack(packed, entry.width, entry.height)

    def words(self, image_id: int) -> Words:
        """Return the word and distance of each keypoint of one picture, in the same order."""
        rows = self._rows(image_id)
        table = self.table
        word_ids = np.repeat(table.words_of(image_id), table.of("counts", image_id))
        return Words(word_ids, packing.unpack_distances(self.parts["words"]["distances"][rows]))

    def distances(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return how far some keypoint rows lie from their words, to 1/128."""
        return packing.unpack_distances(self.parts["words"]["distances"][rows])

    def matrix(self, weighting: str) -> NDArray[np.float32]:
        """Return the image vectors under a weighting: (I, K) float32.

        Of a large vocabulary they would fill the memory: see `engine.vectors`, which does without.

        Raises
        ------
        ValueError
            If there is no such weighting, or the vocabulary is large.
        """
        check_weighting(weighting)
        if self.is_large:
            raise ValueError(f"image vectors over {self.n_words} words are not held as a table")
        if weighting in SUMS:
            return self.parts["vectors"][SUMS[weighting]]
        counts: NDArray[np.float32] = self.parts["words"]["counts"].astype(np.float32)
        return encode.weigh_counts(counts, weighting, self.word_weights(weighting))

    def vector(self, image_id: int, weighting: str) -> NDArray[np.float32]:
        """Return one row of `matrix`: (K,) float32."""
        self.check_image_id(image_id)
        check_weighting(weighting)
        if weighting in SUMS:
            return self.table.row(SUMS[weighting], image_id)
        counts = self.table.row("counts", image_id)
        return encode.weigh_counts(counts, weighting, self.word_weights(weighting))

    def norms(self, weighting: str) -> NDArray[np.float64]:
        """Return the lengths of the rows of `matrix`, for one of `encode.STORED`: (I,) float64."""
        place = encode.STORED.index(weighting)
        lengths: NDArray[np.float64] = self.parts["vectors"]["norms"][place]
        return lengths

    def mean_vector(self, weighting: str) -> NDArray[np.float32]:
        """Return the mean of all image vectors: (K,) float32, zero for an empty collection."""
        if self.n_images == 0:
            return np.zeros(self.n_words, np.float32)
        if self.is_large:
            return self._mean_of_pairs(weighting)
        mean: NDArray[np.float64] = self.matrix(weighting).mean(axis=0, dtype=np.float64)
        return mean.astype(np.float32)

    def _mean_of_pairs(self, weighting: str) -> NDArray[np.float32]:
        word_ids = self.parts["words"]["word_ids"]
        if weighting in SUMS:
            values = self.parts["vectors"][SUMS[weighting]]
        else:
            ones = np.ones(1, np.float32)
            counts = self.parts["words"]["counts"].astype(np.float32)
            values = encode.weigh_counts(counts, weighting, ones)
        sums = np.bincount(word_ids, values, self.n_words) / self.n_images
        if weighting not in (*SUMS, "count"):
            sums *= self.word_weights(weighting)
        return sums.astype(np.float32)

    def keypoint_rows_of_word(self, word: int) -> NDArray[np.int64]:
        """Return the keypoint rows of a word over the whole collection, nearest first."""
        image_ids, held = self.table.holders(self.check_word(word))
        before = self.table.keypoints_before(image_ids, word)
        # Each image's rows of the word stand together; count on from the first of each.
        starts = self.offsets[image_ids] + before - (np.cumsum(held) - held)
        rows = np.repeat(starts, held) + np.arange(held.sum())
        order = np.argsort(self.parts["words"]["distances"][rows], kind="stable")
        return rows[order]

    def patches(self, word: int) -> NDArray[np.uint8]:
        """Return the P patches nearest to a word: (P, S, S, 3) uint8 RGB, black where none."""
        starts = self.parts["patches"]["starts"]
        data = self.parts["patches"]["jpeg"][starts[self.check_word(word)] : starts[word + 1]]
        strip = images.decode(data.tobytes(), tr("patches of word {word}", word=word)).rgb
        side = len(strip)
        return strip.reshape(side, -1, side, 3).swapaxes(0, 1)

    def image_of_row(self, rows: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return which image each keypoint row belongs to."""
        return (np.searchsorted(self.offsets, rows, side="right") - 1).astype(np.int32)

    def images_of_word(
        self, word: int, n_images: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
        """Return the images that hold most of a word.

        Returns
        -------
        image_ids : (R,) int32 array
            By falling count, then rising id; only images that hold the word.
        counts : (R,) int32 array
            Keypoints of the word in each.
        distances : (R,) float32 array
            Their summed distances.
        """
        holders, counts = self.table.holders(self.check_word(word))
        order = np.lexsort((holders, -counts))[:n_images]
        ids = holders[order].astype(np.int32)
        distances = self.table.of_word("distances", word, ids)
        return ids, counts[order].astype(np.int32), distances

    def nearest_words(
        self, word: int, n_words: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the other words nearest to a word, and their Euclidean distances."""
        centre = self.codebook.centres[self.check_word(word)].astype(np.float64)
        squared = [
            ((block - centre) ** 2).sum(axis=1)
            for block in np.array_split(self.codebook.centres, 1 + self.n_words // 4096)
        ]
        distances = np.sqrt(np.concatenate(squared))
        order = np.argsort(distances, kind="stable")
        order = order[order != word][:n_words]
        return order.astype(np.int32), distances[order].astype(np.float32)


def index_folder(name: str) -> Path:
    """Return where the index of this name lies, or would."""
    return artifacts.artifacts_folder() / "indexes" / artifacts.check_name(name)


def list_indexes() -> list[str]:
    """Return the names of all indexes, sorted."""
    return artifacts.names_in(artifacts.artifacts_folder() / "indexes")


def stamp(name: str) -> str:
    """Return a short text that changes whenever the index does; empty if there is none."""
    return artifacts.stamp(index_folder(name))


def repair_command(name: str) -> str:
    """Return the command that makes an index anew."""
    if name == "demo":
        return "python -m engine demo"
    return f"python -m engine build FOLDER --name {name} --overwrite"


def open_index(name: str) -> Index:
    """Open an index by name.

    Headers, lengths, shapes and the small files' checksums are checked; `verify` checks the rest.

    Raises
    ------
    ArtifactError
        If there is none, or it is damaged; the message names the file and the command that
        makes it anew.
    """
    folder, repair = index_folder(name), repair_command(name)
    for attempt in range(3):
        before = artifacts.stamp(folder)
        manifest = artifacts.read_manifest(folder, "index", repair)
        try:
            return _open(name, folder, before, manifest)
        except (ArtifactError, OSError, *MALFORMED) as error:
            # A writer may have replaced the manifest and swept the files that the old one names.
            if attempt < 2 and artifacts.stamp(folder) != before:
                continue
            fault, path = reason(error), getattr(error, "filename", None)
            if path is not None:
                fault = tr("{path} cannot be read: {why}", path=path, why=fault)
            why = tr("{fault}. Make it anew: {command}", fault=fault, command=repair)
            told = tr("the index {name!r} cannot be opened: {why}", name=name, why=why)
            raise ArtifactError(told, why) from None
    raise ArtifactError(tr("the index {name!r} keeps changing; try again", name=name))


def method_of(parameters: Mapping[str, str]) -> str:
    """Return an index's own method; the first indexes called it weighting."""
    return parameters["method"] if "method" in parameters else parameters["weighting"]


def _open(name: str, folder: Path, stamp_: str, manifest: dict[str, Any]) -> Index:
    index_checks.check_manifest(manifest)
    described = manifest["parts"]
    catalogue = artifacts.read_json(folder, described["images"]["catalogue"])
    index_checks.check_catalogue(catalogue)
    parts = {
        part: {
            key: artifacts.open_array(folder, entry)
            for key, entry in content.get("arrays", {}).items()
        }
        for part, content in described.items()
    }
    images = tuple(ImageEntry(*row) for row in catalogue["images"])
    index = Index(
        name=name,
        folder=folder,
        stamp=stamp_,
        manifest=manifest,
        images=images,
        skipped=tuple(Skipped(*row) for row in catalogue["skipped"]),
        root=Path(described["images"]["parameters"]["folder"]),
        extraction=ExtractionParams.from_json(described["keypoints"]["parameters"]),
        method=methods.check_method(method_of(described["vectors"]["parameters"])),
        codebook=codebook.from_entry(described["codebook"], folder),
        parts=parts,
    )
    index_checks.check_types(parts)
    check_shapes(parts, len(images), index.n_words)
    index_checks.check_values(parts, len(images), index.n_words)
    if (
        index.codebook.extraction != index.extraction
        or index.codebook.centres.shape[1] != index.extraction.n_dimensions
    ):
        raise ValueError(tr("its words are words of other features than its keypoints'"))
    return index
