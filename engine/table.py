"""What each picture holds of each word: a table, or of large vocabularies a list of pairs.

A table has one entry for every picture and word. Pairs are entries of the words that a picture
holds, picture by picture, by rising word; see `docs/index-format.md`.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.index_format import SUMS, Arrays
from engine.kernels.signatures import Held
from engine.signatures import all_of


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Counts and summed distances of an index.

    Attributes
    ----------
    parts : mapping of str to mapping of str to array
        Of the index. Entries are named counts, distances or squared_distances.
    n_words : int
        K.
    """

    parts: Mapping[str, Arrays]
    n_words: int

    @property
    def is_large(self) -> bool:
        """Whether there are pairs."""
        return "word_ids" in self.parts["words"]

    @property
    def held(self) -> Held:
        """The words that each picture holds, and how many keypoints of each."""
        words = self.parts["words"]
        if not self.is_large:
            return all_of(words["counts"])
        return Held(words["starts"], words["word_ids"], words["counts"], self.n_words)

    def entries(self, name: str) -> NDArray[Any]:
        """Return all entries: (I, K), or (M,) of pairs."""
        return self.parts["vectors" if name in SUMS.values() else "words"][name]

    def words_of(self, image_id: int) -> NDArray[np.int32]:
        """Return the words that a picture has entries of, rising."""
        if not self.is_large:
            return np.arange(self.n_words, dtype=np.int32)
        return self.of("word_ids", image_id)

    def of(self, name: str, image_id: int) -> NDArray[Any]:
        """Return a picture's entries, one for each of `words_of`."""
        entries = self.entries(name)
        if not self.is_large:
            row: NDArray[Any] = entries[image_id]
            return row
        starts = self.parts["words"]["starts"]
        return entries[starts[image_id] : starts[image_id + 1]]

    def row(self, name: str, image_id: int) -> NDArray[np.float32]:
        """Return a picture's entries in the places of their words: (K,) float32."""
        entries: NDArray[np.float32] = self.of(name, image_id).astype(np.float32, copy=False)
        if not self.is_large:
            return entries
        row = np.zeros(self.n_words, np.float32)
        row[self.words_of(image_id)] = entries
        return row

    def holders(self, word: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the pictures that hold a word, rising, and how many keypoints of it."""
        counts = self.parts["words"]["counts"]
        if not self.is_large:
            column = counts[:, word]
            image_ids = np.flatnonzero(column)
            return image_ids, column[image_ids].astype(np.int64)
        places = np.flatnonzero(self.parts["words"]["word_ids"] == word)
        owners = np.searchsorted(self.parts["words"]["starts"], places, side="right") - 1
        return owners, counts[places].astype(np.int64)

    def keypoints_before(self, image_ids: NDArray[np.int64], word: int) -> NDArray[np.int64]:
        """Return how many keypoints of lower words some pictures hold."""
        if not self.is_large:
            counts = self.parts["words"]["counts"]
            lower: NDArray[np.int64] = counts[:, :word].sum(axis=1, dtype=np.int64)
            return lower[image_ids]
        before = np.empty(len(image_ids), np.int64)
        for place, image_id in enumerate(image_ids.tolist()):
            n_lower = int(np.searchsorted(self.words_of(image_id), word))
            before[place] = self.of("counts", image_id)[:n_lower].sum(dtype=np.int64)
        return before

    def of_word(self, name: str, word: int, image_ids: NDArray[np.int32]) -> NDArray[Any]:
        """Return the entries of one word in some pictures that hold it."""
        entries = self.entries(name)
        if not self.is_large:
            column: NDArray[Any] = entries[image_ids, word]
            return column
        found = [self.of(name, i)[self.words_of(i) == word] for i in image_ids.tolist()]
        return np.concatenate([np.empty(0, entries.dtype), *found])
