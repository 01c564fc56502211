"""The parts of a score: records that add up to what a picture scored."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from engine.verify import Geometry

BASE = "base"  # what every pair of pictures begins with
LIMIT = "limit"  # what a score was brought down or up by
WAY = "way"  # what another picture, which the query matches, knows of this one
# What became of a match.
COUNTS, TURNED, BEYOND, OFF, DOUBLE = range(5)
FATES = ("counts", "turned", "beyond", "off", "double")


@dataclasses.dataclass(frozen=True, slots=True)
class Term:
    """A part of a score that has no place in the pictures.

    Attributes
    ----------
    kind : str
        BASE, LIMIT or WAY.
    value : float
        What it adds.
    path : tuple of int
        Of a WAY: the picture it leads by, then the picture itself.
    """

    kind: str
    value: float
    path: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class WordShares:
    """What each word adds to a score.

    Attributes
    ----------
    word_ids : (n,) int32 array
        The words that both pictures hold, by falling value, then rising id.
    values : (n,) float64 array
    """

    word_ids: NDArray[np.int32]
    values: NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class MatchShares:
    """What each match of two keypoints adds to a score.

    Attributes
    ----------
    query_rows : (M,) int64 array
        Keypoints of the query; numbers from its own on are carried back from other pictures.
    database_rows : (M,) int64 array
        Keypoints of the picture, counted from its first.
    word_ids : (M,) int32 array
        The words in which they met.
    sources : (M,) int64 array
        Picture that the query's keypoint was carried back from; -1 for its own.
    query, database : Geometry
        Where they lie, each in its picture's pixels; carried ones in the query's.
    distances : (M,) uint8 array
        Hamming distances of the signatures.
    values : (M,) float64 array
        0 where a match does not count.
    fates : (M,) uint8 array
        Place in FATES: "counts"; "turned" otherwise than the pictures; "beyond" the number that is
        looked at; "off" the map; "double", beside a better one.
    residuals : (M,) float64 array
        Pixels of the picture between where the map carries the keypoint and where its match lies;
        NaN without a map.
    """

    query_rows: NDArray[np.int64]
    database_rows: NDArray[np.int64]
    word_ids: NDArray[np.int32]
    sources: NDArray[np.int64]
    query: Geometry
    database: Geometry
    distances: NDArray[np.uint8]
    values: NDArray[np.float64]
    fates: NDArray[np.uint8]
    residuals: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def order(self) -> NDArray[np.int64]:
        """Rows by falling value; what does not count follows by distance."""
        return np.lexsort((np.arange(len(self)), self.distances, self.fates, -self.values))


@dataclasses.dataclass(frozen=True, slots=True)
class Factors:
    """How a verified score is made: sqrt(weight * n_cells * weight / total) * part.

    Attributes
    ----------
    weight : float
        Of the matches that agree on one map, W.
    n_cells : int
        Cells of the 16 x 16 grid on the query that they lie in, C.
    total : float
        Weight of all matches, T.
    part : float
        What expansion multiplied the score by, to let the query's own matches stand first.
    """

    weight: float
    n_cells: int
    total: float
    part: float = 1.0


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Why a picture stands where it does.

    Attributes
    ----------
    method : str
        One of `methods.METHODS`.
    image_id : int
        The picture.
    rank : int
        Its place, from 1.
    n_images : int
        Pictures that were ranked.
    score : float
        What it was ranked by.
    terms : tuple of Term
        Parts of the score without a place in the pictures.
    words : WordShares or None
        What each word adds, for methods that compare pictures word by word.
    matches : MatchShares or None
        What each match adds, for those that compare them keypoint by keypoint.
    affine : (2, 3) float64 array or None
        Carries pixels of the query to pixels of the picture, where the matches agree on that.
    factors : Factors or None
        Of a verified score.
    """

    method: str
    image_id: int
    rank: int
    n_images: int
    score: float
    terms: tuple[Term, ...] = ()
    words: WordShares | None = None
    matches: MatchShares | None = None
    affine: NDArray[np.float64] | None = None
    factors: Factors | None = None

    @property
    def total(self) -> float:
        """All parts together; the score but for rounding."""
        parts = [sum(term.value for term in self.terms)]
        parts += [float(one.values.sum()) for one in (self.words, self.matches) if one is not None]
        return sum(parts)


def by_word(explained: Explanation) -> WordShares:
    """Return what each word adds to a score, be it taken apart by words or by matches."""
    if explained.words is not None:
        return explained.words
    if explained.matches is None:
        return sorted_words(np.zeros(0, np.int64), np.zeros(0))
    counted = explained.matches.fates == COUNTS
    word_ids, places = np.unique(explained.matches.word_ids[counted], return_inverse=True)
    values = np.zeros(len(word_ids))
    np.add.at(values, places, explained.matches.values[counted])
    return sorted_words(word_ids, values)


def sorted_words(word_ids: NDArray[np.integer], values: NDArray[np.float64]) -> WordShares:
    """Put words into the order of `WordShares`."""
    order = np.lexsort((word_ids, -values))
    return WordShares(word_ids[order].astype(np.int32), values[order].astype(np.float64))
