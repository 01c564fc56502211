"""The order of the steps, from a picture to an answer, and how long each took."""

import dataclasses
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine import codebook, encode, features, patches, search, surf
from engine.codebook import Words
from engine.encode import BagOfWords
from engine.images import Image
from engine.index import Index
from engine.pool import available_cores
from engine.search import Ranking
from engine.surf import Features, SurfParams


@dataclasses.dataclass(frozen=True, slots=True)
class Timings:
    """Wall seconds of each step; 0 for a step that was not needed."""

    surf: float = 0.0
    words: float = 0.0
    search: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class QueryFeatures:
    """A picture taken as far as its bag of words.

    Attributes
    ----------
    image : Image
        The picture.
    features : Features
        Its keypoints and descriptors.
    words : Words
        The word of each keypoint.
    bag : BagOfWords
        Sums over its keypoints, word by word.
    timings : Timings
        Of these steps.
    """

    image: Image
    features: Features
    words: Words
    bag: BagOfWords
    timings: Timings


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a search found.

    Attributes
    ----------
    ranking : Ranking
        The most similar images.
    weighting : str
        How words were weighted.
    vector : (K,) float32 array
        The query's.
    n_images : int
        Images that were compared.
    excluded : tuple of int
        Images left out because they are the query itself.
    timings : Timings
        Of all steps.
    """

    ranking: Ranking
    weighting: str
    vector: NDArray[np.float32]
    n_images: int
    excluded: tuple[int, ...]
    timings: Timings


def warm_up(message: Callable[[str], None] | None = None) -> None:
    """Compile or load every kernel of a query, and of showing patches of it, now.

    `message` is told if that takes a while.
    """
    surf.warm_up(message)
    codebook.assign(np.zeros((1, 64), np.float32), np.zeros((1, 64), np.float32))
    one = np.ones(1, np.float32)
    patches.cut(np.zeros((8, 8), np.uint8), np.zeros((1, 2), np.float32), one, one, side=8)


def describe_query(
    index: Index,
    image: Image,
    surf_params: SurfParams | None = None,
    n_threads: int | None = None,
) -> QueryFeatures:
    """Take a picture to its words, with the index's own parameters.

    Parameters
    ----------
    index : Index
        Gives the extraction parameters and the codebook.
    image : Image
        Any picture.
    surf_params : SurfParams or None
        Another detector setting, for looking; its descriptors must have the codebook's length.
    n_threads : int or None
        Threads of the extraction; None takes every core.

    Returns
    -------
    QueryFeatures

    Raises
    ------
    ValueError
        If `surf_params` gives descriptors of another length than the codebook's.
    """
    params = index.extraction
    if surf_params is not None:
        params = dataclasses.replace(params, surf=surf_params)
    started = time.perf_counter()
    found = features.extract(image.gray, params, n_threads or available_cores())
    described = time.perf_counter()
    words = codebook.assign(found.descriptors, index.codebook.centres)
    bag = encode.bag_of_words(words, index.n_words)
    timings = Timings(surf=described - started, words=time.perf_counter() - described)
    return QueryFeatures(image, found, words, bag, timings)


def search_query(
    index: Index,
    query: QueryFeatures,
    weighting: str | None = None,
    n_results: int | None = 4,
    exclude_self: bool = True,
) -> Answer:
    """Rank the collection for a described picture.

    Parameters
    ----------
    index : Index
        The collection.
    query : QueryFeatures
        From `describe_query`.
    weighting : str or None
        One of `encode.WEIGHTINGS`; None takes the index's own.
    n_results : int or None
        How many, at least 1; None gives all.
    exclude_self : bool
        Whether images with the very same file content are left out.

    Returns
    -------
    Answer
    """
    excluded = index.same_content(query.image.sha256) if exclude_self else ()
    chosen = weighting or index.weighting
    vector = encode.vector(query.bag, chosen, index.idf)
    return _answer(index, vector, chosen, n_results, excluded, query.timings)


def search_image(
    index: Index,
    image_id: int,
    weighting: str | None = None,
    n_results: int | None = 4,
    exclude_self: bool = True,
) -> Answer:
    """Rank the collection for one of its own pictures; its file is not read.

    Images with the same content as the query are left out with it, as in `search_query`.
    """
    index.check_image_id(image_id)
    excluded = index.same_content(index.images[image_id].sha256) if exclude_self else ()
    chosen = weighting or index.weighting
    vector = index.vector(image_id, chosen)
    return _answer(index, vector, chosen, n_results, excluded, Timings())


def _answer(
    index: Index,
    vector: NDArray[np.float32],
    weighting: str,
    n_results: int | None,
    excluded: tuple[int, ...],
    timings: Timings,
) -> Answer:
    started = time.perf_counter()
    scores = search.similarities(index.matrix(weighting), index.norms(weighting), vector)
    ranking = search.rank(scores, n_results, excluded)
    timings = dataclasses.replace(timings, search=time.perf_counter() - started)
    return Answer(ranking, weighting, vector, index.n_images - len(excluded), excluded, timings)
