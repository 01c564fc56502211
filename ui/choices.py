"""What a method finds, and by what, in the line by which it is chosen."""

from collections.abc import Iterable

from engine import embeddings, methods, models
from engine.errors import EngineError
from engine.index import Index
from engine.language import mark, tr

_BY_KEYPOINTS = mark("{method} · same object, by keypoints")
_BY_OTHERS = mark("{method} · same object, by keypoints, by way of others")
_BY_SUMS = mark("{method} · same object, by keypoints added up")
_BY_WORDS = mark("{method} · same object, by its words")
_ORIGINAL = mark("{method} · same object, by its words, as the original did")
_OBJECT = mark("{method} · same object, by a network")
_KIND = mark("{method} · same kind of picture, by a network")
_BOTH = mark("{method} · same object, then same kind")
# Methods of keypoints, from what finds most down.
_KEYPOINTS = (
    *(methods.EXPANDED, methods.AVERAGED, methods.VERIFIED, methods.SIGNATURES),
    *(methods.ASMK, methods.VLAD, methods.VLAD_CODES),
)
_WORDS = {
    methods.EXPANDED: _BY_OTHERS,
    methods.AVERAGED: _BY_OTHERS,
    methods.VERIFIED: _BY_KEYPOINTS,
    methods.SIGNATURES: _BY_KEYPOINTS,
    "distance": _ORIGINAL,
}


def ordered(parts: Iterable[str]) -> list[str]:
    """Return every method to offer for an index of these parts, as they stand in a list.

    First those that find the same object best, then networks and both together, then those that
    compare histograms of words.
    """
    there = set(parts)
    able = methods.available(there)
    keypoints = [method for method in _KEYPOINTS if method in able]
    others = [method for method in able if method not in keypoints]
    return [*keypoints, *methods.embedded(there), *methods.fused(there), *others]


def other(parts: Iterable[str], method: str) -> str:
    """Return the method to set beside one at first: what looks at pictures in another way.

    A network beside words and words beside a network; without one, the original beside the others.
    """
    networks = methods.embedded(parts)
    if methods.is_embedding(method) or methods.fused_of(method) or method in methods.VECTORS:
        return methods.DEFAULT
    return networks[0] if networks else "distance"


def labels(shown: Index) -> dict[str, str]:
    """Return every method to offer, in order, with its name and in a few words what it finds."""
    return {one: tr(_told(shown, one), method=one) for one in ordered(shown.parts)}


def _told(shown: Index, method: str) -> str:
    if method in methods.METHODS:
        return _WORDS.get(method, _BY_SUMS if method in methods.AGGREGATED else _BY_WORDS)
    both = methods.fused_of(method)
    try:
        kept = embeddings.open_embeddings(shown, method if both is None else both.vectors)
    except EngineError:
        return mark("{method} · cannot be opened")
    finds_kind = kept.model.good_at == models.KIND
    if both is None:
        return _KIND if finds_kind else _OBJECT
    return _BOTH if finds_kind else mark("{method} · same object, by keypoints and a network")
