"""A query without some of its keypoints: what would be found if these were not there?"""

import dataclasses
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from engine import encode
from engine.pipeline import QueryFeatures


def kept(
    query: QueryFeatures,
    word_ids: Collection[int] = (),
    areas: Sequence[tuple[float, float, float, float]] = (),
) -> NDArray[np.bool_]:
    """Tell which keypoints of a query remain.

    Parameters
    ----------
    query : QueryFeatures
        N keypoints.
    word_ids : collection of int
        Words whose keypoints are left out.
    areas : sequence of (left, top, right, bottom)
        Parts of the picture, in pixels, ends included; keypoints with their middle there are left
        out.

    Returns
    -------
    (N,) bool array
    """
    stays = ~np.isin(query.words.word_ids, list(word_ids))
    x, y = query.features.xy.T
    for left, top, right, bottom in areas:
        stays &= ~((x >= left) & (x <= right) & (y >= top) & (y <= bottom))
    remaining: NDArray[np.bool_] = stays
    return remaining


def without(
    query: QueryFeatures,
    n_words: int,
    word_ids: Collection[int] = (),
    areas: Sequence[tuple[float, float, float, float]] = (),
) -> QueryFeatures:
    """Leave words and parts of the picture out of a query.

    Nothing is described anew, so that no edge appears where something was left out.

    Parameters
    ----------
    query : QueryFeatures
        From `pipeline.describe_query`.
    n_words : int
        Size of the vocabulary.
    word_ids, areas
        As of `kept`.

    Returns
    -------
    QueryFeatures
        Of the same picture.
    """
    rows = kept(query, word_ids, areas)
    features = dataclasses.replace(
        query.features,
        **{
            f.name: getattr(query.features, f.name)[rows]
            for f in dataclasses.fields(query.features)
        },
    )
    words = dataclasses.replace(
        query.words,
        **{f.name: getattr(query.words, f.name)[rows] for f in dataclasses.fields(query.words)},
    )
    bag = encode.bag_of_words(words, n_words)
    return dataclasses.replace(query, features=features, words=words, bag=bag)
