"""Why a picture stands where it does: its score taken apart until nothing is left.

What adds up is what the method adds up: words where it compares pictures word by word, matches
where it compares them keypoint by keypoint. A verified score is shared out among the matches that
agree on one map, by their weight.
"""

import dataclasses

import numpy as np

from engine import match_shares, methods, shortlist, word_shares
from engine.answer import Answer
from engine.average import AverageParams
from engine.embeddings import open_embeddings
from engine.expand import Expansion
from engine.explanation import (
    LIMIT,
    OF_VECTORS,
    OF_WORDS,
    TURNED,
    WAY,
    Explanation,
    Factors,
    MatchShares,
    Term,
)
from engine.graph import open_graph
from engine.index import Index
from engine.language import mark, tr
from engine.rerank import Verified
from engine.residuals import open_residuals
from engine.shortlist import Met, ShortList, Signed


def explain(index: Index, answer: Answer, image_id: int) -> Explanation:
    """Take the score of one picture apart.

    Parameters
    ----------
    index : Index
        The collection.
    answer : Answer
        Of a search in it that ranked all pictures (`n_results=None`).
    image_id : int
        The picture.

    Returns
    -------
    Explanation
        Its parts add up to the score but for rounding (one part in a million).

    Raises
    ------
    ValueError
        If the answer does not rank the picture: there is none, or it is the query itself.
    """
    places = np.flatnonzero(answer.ranking.image_ids == index.check_image_id(image_id))
    if len(places) == 0:
        if image_id in answer.excluded:
            told = mark("this answer does not rank picture {picture}: it is the query itself")
        else:
            told = mark("this answer does not rank picture {picture}: it was left out")
        raise ValueError(tr(told, picture=image_id))
    place = int(places[0])
    whole = Explanation(
        answer.method, image_id, place + 1, answer.n_images, float(answer.ranking.scores[place])
    )
    if (fused := answer.working.fused) is not None:
        of_words, of_vectors = fused.parts[:, image_id].tolist()
        terms = (Term(OF_WORDS, of_words), Term(OF_VECTORS, of_vectors))
        return dataclasses.replace(whole, terms=terms)
    if answer.working.compared is not None:
        return _dimensions(index, answer, whole)
    if answer.method in methods.VECTORS:
        return _vectors(index, answer, whole)
    if answer.method in methods.AGGREGATED:
        return _sums(index, answer, whole)
    if answer.method == methods.SIGNATURES:
        return _votes(index, answer, whole)
    return _verified(index, answer, whole)


def _limit(whole: Explanation, to: float) -> Explanation:
    """Add what a score was brought down or up by, to its limit."""
    return dataclasses.replace(whole, terms=(*whole.terms, Term(LIMIT, to - whole.total)))


def _dimensions(index: Index, answer: Answer, whole: Explanation) -> Explanation:
    """Take the cosine of two vectors apart: each number of the two adds its product."""
    compared = answer.working.compared
    assert compared is not None
    theirs = open_embeddings(index, answer.method).vectors[whole.image_id].astype(np.float64)
    products = compared.vector.astype(np.float64) * theirs
    whole = dataclasses.replace(whole, dimensions=products)
    # A picture that could not be read has no vector, and is put last.
    return whole if theirs.any() else _limit(whole, whole.score)


def _vectors(index: Index, answer: Answer, whole: Explanation) -> Explanation:
    vector = answer.working.vector
    assert vector is not None
    words, terms = word_shares.of_vector(index, vector, whole.image_id, answer.method)
    return dataclasses.replace(whole, words=words, terms=terms)


def _sums(index: Index, answer: Answer, whole: Explanation) -> Explanation:
    sums, settled = answer.working.sums, answer.working.settled
    assert sums is not None and settled is not None
    collection, tuning = open_residuals(index), answer.working.tuning
    of = (collection, sums, settled, whole.image_id, answer.method, tuning)
    whole = dataclasses.replace(whole, words=word_shares.of_sums(*of))
    return _limit(whole, 0.0) if whole.total < 0 else whole


def _votes(index: Index, answer: Answer, whole: Explanation) -> Explanation:
    signed, listed = answer.working.signed, answer.working.listed
    assert signed is not None and listed is not None
    params = answer.working.tuning.shortlist
    met, place = _meeting(index, answer, signed, listed, whole.image_id)
    matches = match_shares.of_votes(index, signed, met, place, params.vote)
    whole = dataclasses.replace(whole, matches=matches)
    least = float(listed.scores[len(listed.turns) - 1])
    # What only the strongest keypoints met is brought down to the least of what all met.
    return _limit(whole, least) if met is not listed.met and whole.total > least else whole


def _meeting(
    index: Index, answer: Answer, signed: Signed, listed: ShortList, image_id: int
) -> tuple[Met, int]:
    """Return how the query met a picture, and its place there.

    In a large collection the last ones met its strongest keypoints alone.
    """
    places = np.flatnonzero(listed.matches.image_ids == image_id)
    if len(places):
        return listed.met, int(places[0])
    ids = np.setdiff1d(np.arange(index.n_images), answer.excluded)
    params = answer.working.tuning.shortlist
    return shortlist.meet_strongest(index, signed, ids, params), int(np.searchsorted(ids, image_id))


def _verified(index: Index, answer: Answer, whole: Explanation) -> Explanation:
    """Take a verified, averaged or expanded score apart."""
    expansion, image_id = answer.expansion, whole.image_id
    is_expanded = expansion is not None and bool(expansion.views)
    if expansion is not None and is_expanded and answer.method == methods.AVERAGED:
        ways = _ways(index, expansion, image_id, answer.working.tuning.average)
        whole = dataclasses.replace(_direct(index, answer, whole, 1.0), terms=ways)
    elif expansion is not None and is_expanded and not _is_sure(answer, image_id):
        again = next((one for one in expansion.verified if one.image_id == image_id), None)
        if again is None:
            part = expansion.part if image_id in expansion.scores else 1.0
            whole = _direct(index, answer, whole, part)
        else:
            whole = _carried(index, answer, expansion, again, whole)
    else:
        whole = _direct(index, answer, whole, 1.0)
    # What is not accepted is brought down to below what is.
    if not is_expanded or answer.accepts(image_id):
        return whole
    ceiling = answer.ceiling()
    return _limit(whole, ceiling) if whole.total > ceiling else whole


def _is_sure(answer: Answer, image_id: int) -> bool:
    """Tell whether the query itself surely matches a picture."""
    direct = answer.verified.get(image_id)
    least = 0.0 if answer.calibration is None else answer.calibration.least_score
    return direct is not None and direct.score >= least


def _direct(index: Index, answer: Answer, whole: Explanation, part: float) -> Explanation:
    """Share out what the query's own keypoints scored; `part` of it counts."""
    signed, listed = answer.working.signed, answer.working.listed
    assert signed is not None and listed is not None
    params = answer.working.tuning.rerank
    places = np.flatnonzero(listed.matches.image_ids == whole.image_id)
    if len(places) == 0:
        return whole
    near = match_shares.met(index, signed.geometry, listed.met, int(places[0]), params.most)
    direct = answer.verified.get(whole.image_id)
    if direct is None:  # too far down the short list to be verified
        return dataclasses.replace(whole, matches=near)
    size = (signed.width, signed.height)
    found, factors = match_shares.of_verified(index, signed.geometry, size, direct, params, part)
    turned = match_shares.select(near, ~np.isin(near.query_rows, found.query_rows), TURNED)
    return _agreed(whole, match_shares.join(found, turned), factors, direct)


def _carried(
    index: Index, answer: Answer, expansion: Expansion, again: Verified, whole: Explanation
) -> Explanation:
    """Share out what the query scored together with what was carried back."""
    signed, params = answer.working.signed, answer.working.tuning.expand.rerank
    assert signed is not None
    size = (signed.width, signed.height)
    found, factors = match_shares.of_verified(
        index, expansion.geometry, size, again, params, expansion.part
    )
    images = np.array([view.image_id for view in expansion.views] + [-1])
    found = dataclasses.replace(found, sources=images[expansion.sources][found.query_rows])
    return _agreed(whole, found, factors, again)


def _agreed(
    whole: Explanation, matches: MatchShares, factors: Factors, found: Verified
) -> Explanation:
    """Add the map and the factors, where matches agree on a map."""
    if len(found.verification.inliers) == 0:
        return dataclasses.replace(whole, matches=matches)
    affine = found.verification.affine
    return dataclasses.replace(whole, matches=matches, affine=affine, factors=factors)


def _ways(
    index: Index, expansion: Expansion, image_id: int, params: AverageParams
) -> tuple[Term, ...]:
    """Return what each picture that the query surely matches adds to another's score."""
    graph, found = open_graph(index), []
    for view in expansion.views:
        for row in graph.edges(view.image_id):
            if int(graph.targets[row]) == image_id:
                weaker = min(view.weakest, float(graph.scores[row]))
                found.append(Term(WAY, params.step * weaker, (view.image_id, image_id)))
    return tuple(sorted(found, key=lambda term: (-term.value, term.path)))
