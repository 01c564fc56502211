"""An explanation in words: what a score means, how it is made, and parts that add up to it."""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from engine import encode, fusion, methods
from engine.answer import Answer
from engine.explanation import (
    BASE,
    COUNTS,
    FATES,
    LIMIT,
    OF_VECTORS,
    OF_WORDS,
    OFF,
    WAY,
    Explanation,
    MatchShares,
    Term,
    by_word,
)
from engine.index import Index
from engine.language import mark, sentences, tr, trn
from engine.pose import pose

N_WAYS = 12  # told one by one
N_NUMBERS = 10  # of a model's vectors, told one by one
_MOST_RARE = 6.0  # powers of ten
OF_MANY = {
    "counts": mark("agree on one map of the picture, and count"),
    "turned": mark("turn otherwise than the picture as a whole"),
    "beyond": mark("were not looked at: too many are better, or too many pictures"),
    "off": mark("do not lie where the map says, or are turned or sized otherwise"),
    "double": mark("stand beside a better one"),
}
_OTHERS = {
    BASE: mark("where every two pictures begin: a cosine of 0"),
    LIMIT: mark("brought down or up to a limit: what is not accepted stays below what is"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """A line of the sum.

    Attributes
    ----------
    told : str
        What it is.
    value : float
        What it adds to the score.
    image_id : int or None
        The picture that it is from.
    number : int or None
        Place in a model's vectors.
    method : str or None
        The method that it is from.
    """

    told: str
    value: float
    image_id: int | None = None
    number: int | None = None
    method: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class WordLine:
    """What one word adds: its id, that, and its keypoints in the query and in the picture."""

    word: int
    value: float
    n_query: int
    n_picture: int


def number(method: str, value: float) -> str:
    """Return a score or a part of one, as precise as it is meaningful."""
    both = methods.fused_of(method)
    fine = both.by_rank if both is not None else methods.is_embedding(method)
    digits = 4 if fine or method in (*methods.VECTORS, *methods.AGGREGATED) else 3
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def share(value: float, explained: Explanation) -> str:
    """Return what part of the score a value is, in percent; a dash where the score is 0."""
    return f"{100 * value / explained.score:.1f} %" if explained.score else "–"


def headline(explained: Explanation) -> str:
    """Return place and score."""
    score = number(explained.method, explained.score)
    return tr(
        "place {rank:,} of {n_images:,}, score {score}",
        rank=explained.rank,
        n_images=explained.n_images,
        score=score,
    )


def meaning(index: Index, answer: Answer, image_id: int) -> str:
    """Say what the score tells about the picture."""
    accepted = answer.accepts(image_id)
    if accepted is None or answer.calibration is None:
        return tr("This method puts pictures in order; its score does not tell if they match.")
    led = [index.images[i].path for i in answer.led_by(image_id)]
    least = f"{answer.calibration.least_score:.2f}"
    if led:
        by = tr(", ").join(led)
        return tr("It shows the same thing: found by way of {pictures}.", pictures=by)
    if accepted:
        return tr(
            "It shows the same thing: what the query matches with {least} or more does.",
            least=least,
        )
    return tr(
        "Probably not the same thing: the query does not match it with {least} or more.",
        least=least,
    )


def made(answer: Answer, explained: Explanation) -> str:
    """Say how the score is made."""
    told = _made(answer, explained)
    if any(term.kind == WAY for term in explained.terms):
        ways = tr("Added to that: what the pictures that the query matches know of it.")
        return sentences(told, ways)
    return told


def _made(answer: Answer, explained: Explanation) -> str:
    method, factors = explained.method, explained.factors
    if (both := methods.fused_of(method)) is not None:
        return _joined(both)
    if explained.dimensions is not None:
        return _cosine(answer, explained)
    if factors is not None:
        fraction = factors.weight / factors.total
        root = math.sqrt(factors.weight * factors.n_cells * fraction)
        told = tr(
            "√({weight:.2f} × {n_cells} × {fraction:.3f}) = {root:.2f}: the "
            "weight of the matches that agree on one map, the cells of a 16 × 16 grid on the query "
            "that they lie in, and their share of the weight of all matches.",
            weight=factors.weight,
            n_cells=factors.n_cells,
            fraction=fraction,
            root=root,
        )
        if factors.part == 1:
            return told
        times = tr(
            "Times {part:.3f}, so that what the query itself matches stands first.",
            part=factors.part,
        )
        return sentences(told, times)
    if method == encode.L1:
        return tr("Each word adds the lesser of the shares that it has of the two pictures.")
    if method in methods.VECTORS:
        if not explained.terms:
            return tr("One of the two pictures has no words at all.")
        return tr(
            "0.5, and half the cosine of the two pictures: what each word that both hold adds."
        )
    if method in methods.AGGREGATED:
        return tr("Each word that both hold adds how well what its keypoints add up to agrees.")
    if explained.matches is not None and len(explained.matches) == 0:
        return tr("No keypoint of the query matches one of this picture.")
    if method == methods.SIGNATURES:
        return tr("Each match adds how alike its two keypoints are, times how rare and how strong.")
    if explained.image_id not in answer.verified:
        return tr("It was too far down the short list to be verified.")
    return tr("No map was found on which enough matches agree.")


def _joined(both: methods.Fusion) -> str:
    if both.by_rank:
        return tr(
            "1 / (60 + place) for the place by {words}, and the same for that by {model}.",
            words=both.words,
            model=both.vectors,
        )
    return tr(
        "How surprising the score by {words} would be for a picture of something else, and the "
        "same for {model}: 1 means one in ten, 2 one in a hundred.",
        words=both.words,
        model=both.vectors,
    )


def _cosine(answer: Answer, explained: Explanation) -> str:
    if any(term.kind == LIMIT for term in explained.terms):
        return tr("This picture could not be read by the network, and is put last.")
    assert explained.dimensions is not None
    told = trn(
        "The cosine of two vectors of {n:,} number: each adds the product of the two pictures' "
        "values.",
        "The cosine of two vectors of {n:,} numbers: each adds the product of the two pictures' "
        "values.",
        len(explained.dimensions),
    )
    if answer.distances is None:
        return told
    apart = tr(
        "Their distance is √(2 − 2 × {cosine:.4f}) = {distance:.4f}.",
        cosine=explained.score,
        distance=answer.distances[explained.image_id],
    )
    return sentences(told, apart)


def mapped(explained: Explanation) -> str | None:
    """Say how the thing stands in the picture, where matches agree on that."""
    return None if explained.affine is None else pose(explained.affine).told()


def fates(explained: Explanation) -> list[tuple[int, str]]:
    """Return how many matches there are of each fate, and what that fate is."""
    of = explained.matches
    if of is None:
        return []
    told = dict(enumerate(OF_MANY[fate] for fate in FATES))
    if explained.method == methods.SIGNATURES:
        told[COUNTS] = mark("turn as the picture does, and count")
    elif explained.affine is None:
        told[OFF] = mark("agree with no other on a map")
    rows = [(int((of.fates == fate).sum()), told[fate]) for fate in told]
    return [(n, tr(what)) for n, what in rows if n]


def parts(index: Index, explained: Explanation) -> list[Part]:
    """Return the lines of the sum; together they make the score, but for rounding."""
    found = [] if explained.matches is None else _match_parts(index, explained.matches)
    if explained.words is not None:
        n = len(explained.words.word_ids)
        held = trn("{n:,} word that both pictures hold", "{n:,} words that both pictures hold", n)
        found.append(Part(held, _sum(explained.words.values)))
    if explained.dimensions is not None and explained.dimensions.any():
        found += _number_parts(explained.dimensions)
    if (both := methods.fused_of(explained.method)) is not None:
        return found + [_fused_part(both, term) for term in explained.terms]
    ways = [term for term in explained.terms if term.kind == WAY]
    for term in ways[:N_WAYS]:
        path = index.images[term.path[0]].path
        told = tr("what {path}, which the query matches, knows of it", path=path)
        found.append(Part(told, term.value, term.path[0]))
    if len(ways) > N_WAYS:
        rest = trn(
            "{n:,} more picture that the query matches",
            "{n:,} more pictures that the query matches",
            len(ways) - N_WAYS,
        )
        found.append(Part(rest, sum(term.value for term in ways[N_WAYS:])))
    found += [Part(tr(_OTHERS[t.kind]), t.value) for t in explained.terms if t.kind != WAY]
    return found


def _number_parts(products: NDArray[np.float64]) -> list[Part]:
    """Return the numbers of a model's vectors that add or take most, and all others together."""
    order = np.argsort(-np.abs(products), kind="stable")
    found = [
        Part(tr("number {number}", number=i), float(products[i]), number=i)
        for i in order[:N_NUMBERS].tolist()
    ]
    others = order[N_NUMBERS:]
    if len(others):
        told = trn("{n:,} other number", "{n:,} other numbers", len(others))
        found.append(Part(told, _sum(products[others])))
    return found


def _fused_part(both: methods.Fusion, term: Term) -> Part:
    """Return what one of two methods adds."""
    method = {OF_WORDS: both.words, OF_VECTORS: both.vectors}[term.kind]
    if term.value == 0:
        told = tr("by {method}: nothing", method=method)
    elif both.by_rank:
        place = round(1 / term.value - fusion.RANK_CONSTANT)
        told = tr("by {method}: place {place:,}", method=method, place=place)
    elif term.value > _MOST_RARE:
        told = tr(
            "by {method}: of pictures of something else, less than one in a million would score "
            "as much",
            method=method,
        )
    else:
        told = tr(
            "by {method}: of pictures of something else, about one in {n:,} would score as much",
            method=method,
            n=round(10**term.value),
        )
    return Part(told, term.value, method=method)


def _match_parts(index: Index, of: MatchShares) -> list[Part]:
    """Return what the query's own keypoints add, and those carried over from each picture."""
    found = []
    for source in sorted({-1, *of.sources[of.fates == COUNTS].tolist()}):
        rows = (of.fates == COUNTS) & (of.sources == source)
        n = int(rows.sum())
        if source < 0:
            told = trn("{n:,} match that counts", "{n:,} matches that count", n)
            found.append(Part(told, _sum(of.values[rows])))
        else:
            path = index.images[source].path
            told = trn(
                "{n:,} match that counts, of keypoints carried over from {path}",
                "{n:,} matches that count, of keypoints carried over from {path}",
                n,
                path=path,
            )
            found.append(Part(told, _sum(of.values[rows]), source))
    return found


def _sum(values: NDArray[np.float64]) -> float:
    return float(values.sum())


def words(
    index: Index, explained: Explanation, query_word_ids: NDArray[np.int32], n_words: int
) -> tuple[list[WordLine], Part | None]:
    """Return the words that add most, and what all others add.

    Parameters
    ----------
    index : Index
    explained : Explanation
    query_word_ids : (N,) int32 array
        Words of the query's keypoints.
    n_words : int
        At most so many.

    Returns
    -------
    list of WordLine
        By falling value.
    Part or None
        The others; None where there are none.
    """
    shares = by_word(explained)
    ours = np.bincount(query_word_ids, minlength=index.n_words)
    theirs = np.bincount(index.words(explained.image_id).word_ids, minlength=index.n_words)
    told = [
        WordLine(word, value, int(ours[word]), int(theirs[word]))
        for word, value in zip(shares.word_ids[:n_words].tolist(), shares.values[:n_words].tolist())
    ]
    n_others = len(shares.word_ids) - len(told)
    if n_others <= 0:
        return told, None
    others = trn("{n:,} other word", "{n:,} other words", n_others)
    return told, Part(others, _sum(shares.values[n_words:]))
