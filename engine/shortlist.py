"""Short list: the pictures whose keypoints resemble the query's, keypoint by keypoint.

Signatures of the same words are compared (`engine.signatures`), and matches vote
(`engine.voting`). In a large collection only the query's strongest keypoints meet every picture,
as many as a fixed number of comparisons allows; all of them meet the best few hundred. So what a
query costs does not grow with the collection.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from engine import lookup, packing, signatures, voting
from engine.index import Index
from engine.kernels.signatures import Entries
from engine.lookup import Words
from engine.signatures import Matches
from engine.surf import Features, Keypoints
from engine.verify import Geometry
from engine.voting import VoteParams, Votes


@dataclasses.dataclass(frozen=True, slots=True)
class ShortListParams:
    """How pictures come upon the short list.

    Attributes
    ----------
    n_words : int
        Words near a query keypoint under which it looks for matches.
    n_words_large : int
        The same in a large vocabulary: of many small cells, more are near.
    most : int
        Largest Hamming distance of a match that is kept; votes take fewer, see `VoteParams`.
    n_images : int
        Pictures that all of the query's keypoints meet.
    n_comparisons : int
        Signatures that may be compared to choose these among more.
    vote : VoteParams
        What matches count.
    """

    n_words: int = 3
    n_words_large: int = 20
    most: int = 48
    n_images: int = 500
    n_comparisons: int = 40_000_000
    vote: VoteParams = dataclasses.field(default_factory=VoteParams)

    def __post_init__(self) -> None:
        if not self.most <= signatures.N_BITS:
            raise ValueError(f"most must be at most {signatures.N_BITS}, got {self.most}")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Signed:
    """A query as matching sees it: Q keypoints and their signatures.

    Attributes
    ----------
    entries : Entries
        All of them, under every word that is near.
    strongest : Entries or None
        As many of the strongest as may meet every picture, under one word each, numbered as all
        are; None where the collection is small enough that all do.
    geometry : Geometry
        Places, sizes and directions.
    weights : (Q,) float32 array
        What each counts by its strength, 1 on average.
    width, height : int
        Of the picture, in pixels.
    """

    entries: Entries
    strongest: Entries | None
    geometry: Geometry
    weights: NDArray[np.float32]
    width: int
    height: int

    def __len__(self) -> int:
        return len(self.weights)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Met:
    """How some keypoints of a query, Q of them, meet some pictures, R of them.

    Attributes
    ----------
    keypoints : (Q,) int32 array
        Which of the query's.
    matches : Matches
        Of the pictures.
    votes : Votes
        Of these, in the same order.
    weights : (Q,) float32 array
        What each keypoint counts when its matches vote.
    rarity : (Q,) float32 array
        What each counts by the pictures that it matched in, as far as matches go.
    """

    keypoints: NDArray[np.int32]
    matches: Matches
    votes: Votes
    weights: NDArray[np.float32]
    rarity: NDArray[np.float32]

    def reordered(self, order: NDArray[np.int64]) -> "Met":
        """Return the same with the pictures in another order."""
        of = self.matches
        matches = Matches(of.image_ids[order], of.distances[order], of.rows[order])
        return dataclasses.replace(self, matches=matches, votes=self.votes.reordered(order))


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ShortList:
    """Pictures, best first, and how they match.

    Attributes
    ----------
    image_ids : (S,) int64 array
        Every picture that was asked for. Scores fall; ties rise by id.
    scores : (S,) float32 array
        Votes, see `engine.voting`. Those of pictures that only the strongest keypoints met are
        brought down to the least of the others, where they are above it.
    met : Met
        How all keypoints of the query meet the first R pictures, in this order.
    """

    image_ids: NDArray[np.int64]
    scores: NDArray[np.float32]
    met: Met

    @property
    def matches(self) -> Matches:
        """Matches of the first R pictures."""
        return self.met.matches

    @property
    def turns(self) -> NDArray[np.float32]:
        """Degrees by which the first R pictures are turned against the query."""
        return self.met.votes.turns

    @property
    def rarity(self) -> NDArray[np.float32]:
        """What each query keypoint counts by the pictures that it matched in: (Q,)."""
        return self.met.rarity


def strengths(response: NDArray[np.float32], least: float) -> NDArray[np.float32]:
    """Weigh keypoints by the logarithm of how far they stand above the least."""
    base = max(0.75 * least, 1e-6)
    weights = np.log(np.maximum(response / base, 1.003))
    mean = float(weights.mean()) if len(weights) else 1.0
    relative: NDArray[np.float32] = (weights / mean).astype(np.float32)
    return relative


def _strongest(
    index: Index,
    response: NDArray[np.float32],
    word_ids: NDArray[np.int32],
    params: ShortListParams,
) -> NDArray[np.int64] | None:
    """Choose the keypoints that may meet every picture; None where all meet all."""
    if index.n_images <= params.n_images:
        return None
    order = np.argsort(-response, kind="stable")
    met = np.cumsum(index.frequency[word_ids[order]])
    return order[: max(1, int(np.searchsorted(met, params.n_comparisons, side="right")))]


def sign_query(
    index: Index,
    features: Features,
    words: Words,
    size: tuple[int, int],
    params: ShortListParams = ShortListParams(),
) -> Signed:
    """Sign the keypoints of a picture from outside.

    Parameters
    ----------
    index : Index
        Whose words and signatures.
    features, words : Features, Words
        The picture's.
    size : tuple of int
        Its width and height.
    params : ShortListParams

    Returns
    -------
    Signed
    """
    model = index.codebook.signatures
    found = index.codebook.groups
    near = lookup.near_words(
        features.descriptors,
        index.codebook.centres,
        words.word_ids,
        params.n_words if found is None else params.n_words_large,
        found,
    )
    strong = _strongest(index, features.response, words.word_ids, params)
    strongest = None
    if strong is not None:
        word_ids = words.word_ids[strong]
        bits = signatures.sign(features.descriptors[strong], word_ids, model)
        strongest = signatures.enter_signed(bits, word_ids, strong, model)
    return Signed(
        entries=signatures.enter(features.descriptors, near, model),
        strongest=strongest,
        geometry=Geometry(features.xy, features.size, features.angle),
        weights=strengths(features.response, index.extraction.least_response),
        width=size[0],
        height=size[1],
    )


def sign_stored(index: Index, image_id: int, params: ShortListParams = ShortListParams()) -> Signed:
    """Take the stored signatures of a picture of the collection: one word a keypoint.

    For pictures whose file cannot be read again; a little less is found than with `sign_query`.
    """
    entry = index.images[index.check_image_id(image_id)]
    found: Keypoints = index.keypoints(image_id)
    word_ids = index.words(image_id).word_ids
    bits = index.signatures[index.offsets[image_id] : index.offsets[image_id + 1]]
    model = index.codebook.signatures
    strong = _strongest(index, found.response, word_ids, params)
    strongest = None
    if strong is not None:
        strongest = signatures.enter_signed(bits[strong], word_ids[strong], strong, model)
    return Signed(
        entries=signatures.enter_signed(bits, word_ids, np.arange(len(bits)), model),
        strongest=strongest,
        geometry=Geometry(found.xy, found.size, found.angle),
        weights=strengths(found.response, index.extraction.least_response),
        width=entry.width,
        height=entry.height,
    )


def shortlist(
    index: Index,
    query: Signed,
    exclude: tuple[int, ...] = (),
    params: ShortListParams = ShortListParams(),
    n_threads: int = 1,
) -> ShortList:
    """Order the collection by how its keypoints match the query's.

    Parameters
    ----------
    index : Index
        The collection.
    query : Signed
        From `sign_query` or `sign_stored`, with the same parameters.
    exclude : tuple of int
        Pictures to leave out: the query itself.
    params : ShortListParams
    n_threads : int
        The result does not depend on it.

    Returns
    -------
    ShortList
    """
    ids = np.setdiff1d(np.arange(index.n_images), exclude)
    rest_ids, rest_scores = ids[:0], np.zeros(0, np.float32)
    if query.strongest is not None and len(ids) > params.n_images:
        votes = meet_strongest(index, query, ids, params, n_threads).votes
        order = np.lexsort((ids, -votes.scores))
        rest_ids, rest_scores = (v[order[params.n_images :]] for v in (ids, votes.scores))
        ids = np.sort(ids[order[: params.n_images]])
    met = _meet(index, query, query.entries, ids, params.most, params, n_threads)
    met = met.reordered(np.lexsort((ids, -met.votes.scores)))
    scores = met.votes.scores
    if len(rest_ids):
        rest_scores = np.minimum(rest_scores, scores[-1])
        again = np.lexsort((rest_ids, -rest_scores))
        rest_ids, rest_scores = rest_ids[again], rest_scores[again]
    return ShortList(
        image_ids=np.concatenate((met.matches.image_ids, rest_ids)),
        scores=np.concatenate((scores, rest_scores)),
        met=met,
    )


def meet_strongest(
    index: Index,
    query: Signed,
    ids: NDArray[np.int64],
    params: ShortListParams = ShortListParams(),
    n_threads: int = 1,
) -> Met:
    """Let the query's strongest keypoints meet pictures of a large collection.

    Raises
    ------
    ValueError
        If the collection is so small that all keypoints meet all pictures.
    """
    if query.strongest is None:
        raise ValueError("every keypoint meets every picture of a small collection")
    return _meet(index, query, query.strongest, ids, params.vote.most, params, n_threads)


def _meet(
    index: Index,
    query: Signed,
    entries: Entries,
    ids: NDArray[np.int64],
    most: int,
    params: ShortListParams,
    n_threads: int,
) -> Met:
    """Match some keypoints of the query with some pictures, and let the matches vote."""
    keypoints, places = np.unique(entries.keypoints, return_inverse=True)
    matches = signatures.match(
        entries._replace(keypoints=places.astype(np.int32)),
        len(keypoints),
        index.offsets,
        index.table.held,
        index.signatures,
        ids,
        most,
        n_threads,
    )
    weights = voting.rarity(matches, params.vote.most, len(ids)) * query.weights[keypoints]
    votes = voting.vote(
        matches,
        weights,
        packing.pack_angles(query.geometry.angle[keypoints]),
        index.offsets,
        index.parts["keypoints"]["angle"],
        params.vote,
    )
    return Met(keypoints, matches, votes, weights, voting.rarity(matches, most, len(ids)))
