"""The parts of a score: records that add up to what a picture scored."""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.index import Index
from engine.pose import pose
from engine.verify import Geometry

BASE = "base"  # what every pair of pictures begins with
LIMIT = "limit"  # what a score was brought down or up by
OF_WORDS, OF_VECTORS = "words", "vectors"  # the two parts of a fused score
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
        BASE, LIMIT or WAY; OF_WORDS and OF_VECTORS of a fused score.
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
    dimensions : (D,) float64 array or None
        What each number of a model's vectors adds: the product of the two pictures'.
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
    dimensions: NDArray[np.float64] | None = None

    @property
    def total(self) -> float:
        """All parts together; the score but for rounding."""
        parts = [sum(term.value for term in self.terms)]
        parts += [float(one.values.sum()) for one in (self.words, self.matches) if one is not None]
        parts += [] if self.dimensions is None else [float(self.dimensions.sum())]
        return sum(parts)


def to_json(explained: Explanation, index: Index, n_matches: int | None = None) -> dict[str, Any]:
    """Return an explanation for programs.

    Parameters
    ----------
    explained : Explanation
    index : Index
        Names its pictures.
    n_matches : int or None
        How many matches are told, those that add most first; None tells all.

    Returns
    -------
    dict
        Of numbers, texts, lists and dicts. Places are pixels; `parts`, `dimensions` and either
        `words` or `matches` add up to `score`.
    """
    of = explained.matches
    told: dict[str, Any] = {
        "index": index.name,
        "method": explained.method,
        "image": index.images[explained.image_id].path,
        "image_id": explained.image_id,
        "rank": explained.rank,
        "n_images": explained.n_images,
        "score": explained.score,
        "parts": [
            {
                "kind": term.kind,
                "value": term.value,
                "by_way_of": [index.images[i].path for i in term.path[:-1]],
            }
            for term in explained.terms
        ],
        "words": None,
        "dimensions": None,
        "matches": None,
        "map": None,
        "factors": None if explained.factors is None else dataclasses.asdict(explained.factors),
    }
    if explained.words is not None or of is not None:
        words = by_word(explained)
        told["words"] = [
            {"word": word, "value": value}
            for word, value in zip(words.word_ids.tolist(), words.values.tolist())
        ]
    if explained.dimensions is not None:
        told["dimensions"] = explained.dimensions.tolist()
    if of is not None:
        told["matches"] = [_match(of, i, index) for i in of.order[:n_matches].tolist()]
        told["n_matches"] = {fate: int((of.fates == i).sum()) for i, fate in enumerate(FATES)}
    if explained.affine is not None:
        shown = pose(explained.affine)
        told["map"] = {
            "affine": explained.affine.tolist(),
            "told": shown.told(),
            **dataclasses.asdict(shown),
        }
    return told


def _match(of: MatchShares, i: int, index: Index) -> dict[str, Any]:
    source, residual = int(of.sources[i]), float(of.residuals[i])
    return {
        "value": float(of.values[i]),
        "fate": FATES[of.fates[i]],
        "word": int(of.word_ids[i]),
        "distance": int(of.distances[i]),
        "query": [round(float(v), 2) for v in of.query.xy[i]],
        "image": [round(float(v), 2) for v in of.database.xy[i]],
        "residual": None if np.isnan(residual) else round(residual, 3),
        "carried_from": None if source < 0 else index.images[source].path,
    }


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
