"""The order of the steps, from a picture to an answer, and how long each took."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from engine import (
    asmk,
    calibration,
    embedding_search,
    encode,
    features,
    fused,
    groups,
    images,
    lookup,
    methods,
    packing,
    patches,
    rerank,
    residuals,
    search,
    signatures,
    surf,
    trace,
    vectors,
    vlad,
    voting,
)
from engine import shortlist as short
from engine import verify as verification
from engine.answer import Answer, Timings, Working
from engine.average import average
from engine.encode import BagOfWords
from engine.errors import ImageError
from engine.expand import expand
from engine.graph import open_graph
from engine.images import Image
from engine.index import Index
from engine.lookup import Words
from engine.pool import available_cores
from engine.rerank import Verified
from engine.residuals import Residuals, WordSums, open_residuals
from engine.search import Ranking
from engine.shortlist import Signed
from engine.surf import Features, SurfParams
from engine.tuning import USUAL, Tuning
from engine.verify import Geometry


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


def warm_up(message: Callable[[str], None] | None = None) -> None:
    """Compile or load every kernel of a query, and of showing patches of it, now.

    `message` is told if that takes a while.
    """
    surf.warm_up(message)
    _warm_up_matching()
    _warm_up_residuals()
    _warm_up_trace()
    one = np.ones(1, np.float32)
    patches.cut(np.zeros((8, 8), np.uint8), np.zeros((1, 2), np.float32), one, one, side=8)


def _warm_up_matching() -> None:
    """Match and verify three keypoints of nothing."""
    points = np.zeros((3, 64), np.float32)
    words = lookup.assign(points, points)
    near = lookup.near_words(points, points, words.word_ids, 2)
    centres = points.copy()
    centres.setflags(write=False)
    groups.near(points, centres, groups.gather(points)[1], 1)
    model = signatures.learn(points, words.word_ids, 3, 0)
    offsets, counts = np.array([0, 3]), np.array([[3, 0, 0]], np.uint16)
    bits, angles = np.zeros((3, 2), np.uint64), np.zeros(3, np.uint16)
    for mapped in (offsets, counts, bits, angles):
        mapped.setflags(write=False)  # as an index's arrays are: to Numba another type
    entries = signatures.enter(points, near, model)
    matches = signatures.match(entries, 3, offsets, counts, bits, np.array([0]), most=48)
    rarity = voting.rarity(matches, 48, 1)
    voting.vote(matches, rarity, packing.pack_angles(points[:, 0]), offsets, angles)
    geometry = Geometry(points[:, :2], points[:, 0] + 1, points[:, 0])
    verification.verify(geometry, geometry, matches.distances[0], rarity, (8, 8))


def _warm_up_residuals() -> None:
    """Compare one word of nothing."""
    empty = residuals.nothing()
    one, bits = np.ones(1, np.float32), np.zeros((1, 2), np.uint64)
    sums = residuals.add_up(np.zeros(1, np.int32), bits, one, one, empty.basis, 2)
    for score in (vlad.score_vectors, vlad.score_codes, asmk.score):
        score(empty, sums)


def _warm_up_trace() -> None:
    """Follow the one keypoint of a blob."""
    y, x = np.indices((48, 48))
    blob = 255 * np.exp(-((x - 24) ** 2 + (y - 24) ** 2) / 50)
    trace.trace(blob.astype(np.uint8), SurfParams(), 0)


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
        Another setting of SURF, for looking; its descriptors must have the codebook's length. The
        kind of features is always the index's own.
    n_threads : int or None
        Threads of the extraction; None takes every core.

    Returns
    -------
    QueryFeatures

    Raises
    ------
    ValueError
        If `surf_params` gives descriptors of another length than the codebook's, or the index's
        keypoints are not those of SURF.
    """
    params = index.extraction
    if surf_params is not None:
        params = dataclasses.replace(params, surf=surf_params)
    started = time.perf_counter()
    found = features.extract(image.gray, params, n_threads or available_cores())
    described = time.perf_counter()
    vocabulary = index.codebook
    words = lookup.assign(
        found.descriptors, vocabulary.centres, vocabulary.groups, n_threads or available_cores()
    )
    bag = encode.bag_of_words(words, index.n_words)
    timings = Timings(surf=described - started, words=time.perf_counter() - described)
    return QueryFeatures(image, found, words, bag, timings)


def search_query(
    index: Index,
    query: QueryFeatures,
    method: str | None = None,
    n_results: int | None = 4,
    exclude_self: bool = True,
    n_threads: int | None = None,
    tuning: Tuning = USUAL,
) -> Answer:
    """Rank the collection for a described picture.

    Parameters
    ----------
    index : Index
        The collection.
    query : QueryFeatures
        From `describe_query`.
    method : str or None
        One of `methods.METHODS`, or a model's vectors by name; None takes the index's own.
    n_results : int or None
        How many, at least 1; None gives all.
    exclude_self : bool
        Whether images with the very same file content are left out.
    n_threads : int or None
        Threads of matching and verification; None takes every core.
    tuning : Tuning
        Parameters of the method.

    Returns
    -------
    Answer

    Raises
    ------
    ArtifactError
        If the index lacks what the method needs; the message names the command that adds it.
    ValueError
        If there is no such method, or `n_results` is below 1.
    """
    chosen = methods.check_method(method or index.method, index.parts)
    if methods.is_embedding(chosen):
        return _search_vectors(index, query.image, chosen, n_results, exclude_self, n_threads)
    if (both := methods.fused_of(chosen)) is not None:
        words = search_query(index, query, both.words, None, exclude_self, n_threads, tuning)
        nearby = _search_vectors(index, query.image, both.vectors, None, exclude_self, n_threads)
        return fused.join(words, nearby, chosen, index.n_images, n_results)
    excluded = index.same_content(query.image.sha256) if exclude_self else ()
    if chosen in methods.VECTORS:
        vector = encode.vector(query.bag, chosen, index.word_weights(chosen))
        return _compare_vectors(index, vector, chosen, n_results, excluded, query.timings)
    if chosen in methods.AGGREGATED:
        kept = open_residuals(index)
        started = time.perf_counter()
        sums = residuals.of_query(index, query.features, query.words, kept)
        timings = dataclasses.replace(query.timings, search=time.perf_counter() - started)
        asked = (chosen, n_results, excluded, timings, n_threads, tuning)
        return _compare_sums(index, kept, sums, *asked)
    started = time.perf_counter()
    height, width = query.image.gray.shape
    size = (width, height)
    signed = short.sign_query(index, query.features, query.words, size, tuning.shortlist)
    timings = dataclasses.replace(query.timings, search=time.perf_counter() - started)
    return _match(index, signed, chosen, n_results, excluded, timings, n_threads, tuning)


def _search_vectors(
    index: Index,
    image: Image,
    method: str,
    n_results: int | None,
    exclude_self: bool,
    n_threads: int | None,
) -> Answer:
    """Rank images by a model's vectors; that of a picture of the collection is stored."""
    asked_of = (method, n_results, exclude_self)
    same = index.same_content(image.sha256)
    if same:
        return embedding_search.search_image(index, same[0], *asked_of)
    return embedding_search.search_picture(index, image, *asked_of, n_threads)


def search_image(
    index: Index,
    image_id: int,
    method: str | None = None,
    n_results: int | None = 4,
    exclude_self: bool = True,
    n_threads: int | None = None,
    tuning: Tuning = USUAL,
) -> Answer:
    """Rank the collection for one of its own pictures, as `search_query` would.

    Vectors are compared as stored, a model's too. The other methods look at the picture's file
    again; where it is gone or has changed they do with what is stored, see `search_stored`.
    """
    chosen = methods.check_method(method or index.method, index.parts)
    if chosen not in methods.VECTORS and not methods.is_embedding(chosen):
        described = describe_image(index, image_id, n_threads)
        if described is not None:
            asked = (chosen, n_results, exclude_self, n_threads, tuning)
            return search_query(index, described, *asked)
    return search_stored(index, image_id, chosen, n_results, exclude_self, n_threads, tuning)


def describe_image(
    index: Index, image_id: int, n_threads: int | None = None
) -> QueryFeatures | None:
    """Take a picture of the collection to its words; None if its file is gone or has changed."""
    try:
        image = images.read(index.picture_path(image_id))
    except ImageError:
        return None
    if image.sha256 != index.images[image_id].sha256:
        return None
    return describe_query(index, image, n_threads=n_threads)


def search_stored(
    index: Index,
    image_id: int,
    method: str | None = None,
    n_results: int | None = 4,
    exclude_self: bool = True,
    n_threads: int | None = None,
    tuning: Tuning = USUAL,
) -> Answer:
    """Rank the collection for one of its own pictures without its file.

    Vectors give what `search_query` gives, and so do residuals but for rounding. Stored signatures
    know one word a keypoint only, so that the other methods find a little less.
    """
    index.check_image_id(image_id)
    chosen = methods.check_method(method or index.method, index.parts)
    if methods.is_embedding(chosen):
        return embedding_search.search_image(index, image_id, chosen, n_results, exclude_self)
    if (both := methods.fused_of(chosen)) is not None:
        words = search_stored(index, image_id, both.words, None, exclude_self, n_threads, tuning)
        vectors = embedding_search.search_image(index, image_id, both.vectors, None, exclude_self)
        return fused.join(words, vectors, chosen, index.n_images, n_results)
    excluded = index.same_content(index.images[image_id].sha256) if exclude_self else ()
    if chosen in methods.VECTORS:
        vector = index.vector(image_id, chosen)
        return _compare_vectors(index, vector, chosen, n_results, excluded, Timings())
    if chosen in methods.AGGREGATED:
        kept = open_residuals(index)
        sums = residuals.of_stored(index, image_id, kept)
        asked = (chosen, n_results, excluded, Timings(), n_threads, tuning)
        return _compare_sums(index, kept, sums, *asked)
    signed = short.sign_stored(index, image_id, tuning.shortlist)
    return _match(index, signed, chosen, n_results, excluded, Timings(), n_threads, tuning)


def _compare_vectors(
    index: Index,
    vector: NDArray[np.float32],
    method: str,
    n_results: int | None,
    excluded: tuple[int, ...],
    timings: Timings,
) -> Answer:
    started = time.perf_counter()
    ranking = search.rank(vectors.scores(index, vector, method), n_results, excluded)
    timings = dataclasses.replace(timings, search=time.perf_counter() - started)
    working = Working(vector=vector)
    n_images = index.n_images - len(excluded)
    return Answer(ranking, method, n_images, excluded, timings, working=working)


def _compare_sums(
    index: Index,
    kept: Residuals,
    sums: WordSums,
    method: str,
    n_results: int | None,
    excluded: tuple[int, ...],
    timings: Timings,
    n_threads: int | None,
    tuning: Tuning,
) -> Answer:
    started = time.perf_counter()
    n_threads = n_threads or available_cores()
    if method == methods.ASMK:
        settled = asmk.score(kept, sums, excluded, tuning.asmk, n_threads)
    else:
        score = vlad.score_vectors if method == methods.VLAD else vlad.score_codes
        settled = score(kept, sums, excluded, tuning.turn, n_threads)
    ranking = search.rank(settled.scores, n_results, excluded)
    seconds = timings.search + time.perf_counter() - started
    timings = dataclasses.replace(timings, search=seconds)
    working = Working(sums=sums, settled=settled, tuning=tuning)
    n_images = index.n_images - len(excluded)
    return Answer(ranking, method, n_images, excluded, timings, working=working)


def _match(
    index: Index,
    signed: Signed,
    method: str,
    n_results: int | None,
    excluded: tuple[int, ...],
    timings: Timings,
    n_threads: int | None,
    tuning: Tuning,
) -> Answer:
    """Make the short list, and verify and expand it if the method says so."""
    if methods.expands(method):
        open_graph(index)  # if there is none, that is said before all the work
    n_threads = n_threads or available_cores()
    started = time.perf_counter()
    listed = short.shortlist(index, signed, excluded, tuning.shortlist, n_threads)
    ended = time.perf_counter()
    timings = dataclasses.replace(timings, search=timings.search + ended - started)
    ids, n_images = listed.image_ids, len(listed.image_ids)
    working = Working(signed=signed, listed=listed, tuning=tuning)
    if method == methods.SIGNATURES:
        ranking = search.rank_listed(ids, listed.scores, n_results)
        return Answer(ranking, method, n_images, excluded, timings, working=working)
    checked = rerank.rerank(index, signed, listed, tuning.rerank, n_threads)
    verified = {one.image_id: one for one in checked}
    answer = Answer(
        search.rank_listed(ids, _verified_scores(ids, verified), n_results),
        methods.VERIFIED,
        n_images,
        excluded,
        dataclasses.replace(timings, verify=time.perf_counter() - ended),
        verified,
        calibration=calibration.of(index),
        working=working,
    )
    if methods.expands(method):
        return expand_answer(index, answer, method, n_results, n_threads)
    return answer


def expand_answer(
    index: Index,
    verified: Answer,
    method: str,
    n_results: int | None = 4,
    n_threads: int | None = None,
) -> Answer:
    """Go on from a verified answer along the collection's graph: nothing is matched twice.

    Parameters
    ----------
    index : Index
        The collection.
    verified : Answer
        By method verified, with however many results; its parameters are taken.
    method : str
        One that expands.
    n_results, n_threads
        As in `search_query`.

    Returns
    -------
    Answer
        What `search_query` gives by that method. Its times are those of all steps, the verified
        answer's too.

    Raises
    ------
    ArtifactError
        If the index has no graph.
    ValueError
        If the answer is another method's, or the method does not expand.
    """
    working, calibrated = verified.working, verified.calibration
    signed, listed = working.signed, working.listed
    if verified.method != methods.VERIFIED or not methods.expands(method):
        raise ValueError(f"{method} cannot go on from an answer by {verified.method}")
    if signed is None or listed is None or calibrated is None:
        raise ValueError("an answer without what it was made from cannot be gone on from")
    graph = open_graph(index)
    n_threads = n_threads or available_cores()
    started = time.perf_counter()
    ids, checked = listed.image_ids, list(verified.verified.values())
    least = calibrated.least_score
    if method == methods.AVERAGED:
        expansion = average(graph, checked, set(ids.tolist()), least, working.tuning.average)
    else:
        ways = dataclasses.replace(working.tuning.expand, least_score=least)
        expansion = expand(index, graph, signed, listed, checked, ways, n_threads)
    timings = dataclasses.replace(verified.timings, expand=time.perf_counter() - started)
    answer = dataclasses.replace(verified, method=method, expansion=expansion, timings=timings)
    scores = _verified_scores(ids, verified.verified)
    rank = partial(_order, answer) if expansion.views else search.rank_listed
    return dataclasses.replace(answer, ranking=rank(ids, scores, n_results))


def _verified_scores(
    ids: NDArray[np.int64], verified: Mapping[int, Verified]
) -> NDArray[np.float32]:
    """Return the verified score of each picture; 0 where it was not verified."""
    scores = np.zeros(len(ids), np.float32)
    scores[: len(verified)] = [one.score for one in verified.values()]
    return scores


def _order(
    answer: Answer, ids: NDArray[np.int64], scores: NDArray[np.float32], n_results: int | None
) -> Ranking:
    """Order images by what expansion found.

    What is not verified again keeps its direct score. Scores of what is not accepted are brought
    down to just below the least of what is, where they are not below it.
    """
    ids = search.rank_listed(ids, scores, None).image_ids.astype(np.int64)
    found = answer.found()
    expanded = np.array([found.get(i, 0.0) for i in ids.tolist()], np.float32)
    accepted = np.array([bool(answer.accepts(i)) for i in ids.tolist()])
    expanded = np.where(accepted, expanded, np.minimum(expanded, np.float32(answer.ceiling())))
    # Where the least accepted has no score at all, nothing is below it.
    first = np.argsort(~accepted, kind="stable")
    return search.rank_listed(ids[first], expanded[first], n_results)
