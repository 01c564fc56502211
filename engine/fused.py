"""Words and a model's vectors in one ranking.

By score, the usual way: each of the two adds how surprising its score would be for a picture of
something else. Of verified scores the collection's calibration knows that (`engine.calibration`);
others are judged by what they gave this very query (`engine.fusion`). Words that say nothing of a
picture (not verified, or no match) add nothing. By rank: reciprocal ranks, which need no scale, but
by which the worse of two rankings weighs as much as the better (`docs/models.md`). Words of a query
without keypoints add nothing either way.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from engine import fusion, methods, search
from engine.answer import Answer, Timings
from engine.fusion import Fused


def join(words: Answer, vectors: Answer, method: str, n_all: int, n_results: int | None) -> Answer:
    """Put two answers to one query together.

    Parameters
    ----------
    words, vectors : Answer
        By the two methods that `method` names, of all pictures (`n_results=None`), with the same
        ones left out.
    method : str
        A fused one, see `methods.fused_of`.
    n_all : int
        Pictures of the collection.
    n_results : int or None
        How many, at least 1; None gives all.

    Returns
    -------
    Answer
        Scores are sums of two parts, `working.fused`; equal ones stand in the vectors' order. It
        does not tell which pictures show the same thing.

    Raises
    ------
    ValueError
        If the answers are other methods'.
    """
    told = methods.fused_of(method)
    if told is None or (words.method, vectors.method) != (told.words, told.vectors):
        raise ValueError(f"{method} is not made of {words.method} and {vectors.method}")
    both = (words, vectors)
    if told.by_rank:
        # Pictures of which words say nothing stand in the order of their names: that is no place.
        placed = words.ranking.image_ids
        placed = placed[_is_found(words, n_all)[placed]]
        made = fusion.by_rank([placed, vectors.ranking.image_ids], n_all)
    else:
        made = by_score(words, vectors, n_all)
    ids = vectors.ranking.image_ids.astype(np.int64)
    ranking = search.rank_listed(ids, made.scores[ids].astype(np.float32), n_results)
    spent = (dataclasses.asdict(one.timings) for one in both)
    first, second = spent
    return Answer(
        ranking,
        method,
        vectors.n_images,
        vectors.excluded,
        Timings(**{name: first[name] + second[name] for name in first}),
        words.verified,
        words.expansion,
        working=dataclasses.replace(words.working, compared=vectors.working.compared, fused=made),
    )


def by_score(words: Answer, vectors: Answer, n_all: int) -> Fused:
    """Fuse two answers by how surprising their scores are; see `join`."""
    verified = _scores(words, n_all, 0.0)
    if words.calibration is not None:
        ours = words.calibration.surprise(verified)
    else:
        ours = fusion.surprise(verified)
    return Fused(np.stack((ours, fusion.surprise(_scores(vectors, n_all, -1.0)))))


def _is_found(words: Answer, n_all: int) -> NDArray[np.bool_]:
    """Tell of each picture whether it has a score, or had one before it was verified: (I,)."""
    found = _scores(words, n_all, 0.0) > 0
    listed = words.working.listed
    if listed is not None:
        found[listed.image_ids[listed.scores > 0]] = True
    return found


def _scores(answer: Answer, n_all: int, nothing: float) -> NDArray[np.float64]:
    """Return each picture's score; -inf where it is not ranked, or scored at most `nothing`."""
    found = np.full(n_all, -np.inf)
    found[answer.ranking.image_ids] = answer.ranking.scores
    found[found <= nothing] = -np.inf
    return found
