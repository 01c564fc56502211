"""Where in the query a score comes from: its parts laid on the query's keypoints."""

import numpy as np
from numpy.typing import NDArray

from engine.explanation import COUNTS, Explanation


def places(
    explained: Explanation, xy: NDArray[np.float32], word_ids: NDArray[np.int32]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Lay the parts of a score on the query's keypoints.

    A match lies where its keypoint does. What a word adds is shared out equally among the query's
    keypoints of this word. What has no place in the pictures (`Explanation.terms`) is left out.

    Parameters
    ----------
    explained : Explanation
    xy : (N, 2) float32 array
        Where the query's keypoints lie, in its pixels.
    word_ids : (N,) int32 array
        Their words.

    Returns
    -------
    xy : (P, 2) float32 array
        Places in pixels of the query.
    values : (P,) float64 array
        What the score has from there; together all that words or matches add.

    Raises
    ------
    ValueError
        If the keypoints are not the query's: a word that adds to the score is none of theirs.
    """
    if explained.matches is not None:
        counted = explained.matches.fates == COUNTS
        return explained.matches.query.xy[counted], explained.matches.values[counted]
    words = explained.words
    if words is None or len(words.word_ids) == 0:
        return np.zeros((0, 2), np.float32), np.zeros(0)
    order = np.argsort(words.word_ids)
    known, values = words.word_ids[order], words.values[order]
    held = np.flatnonzero(np.isin(word_ids, known))
    of = np.searchsorted(known, word_ids[held])
    counts = np.bincount(of, minlength=len(known))
    if (counts == 0).any():
        missing = int(known[int(np.argmin(counts))])
        raise ValueError(f"no keypoint has the word {missing}: these are not the query's")
    return xy[held], (values / counts)[of]
