"""The ranking methods by name: the same name in commands, pages, evaluations and documents.

The first seven compare one vector a picture: four of the original system, then variants of the
last of these (`engine.encode`, `engine.vectors`). The next three compare what the keypoints of each
word add up to, and need the collection's residuals. The others compare keypoint with keypoint, by
signatures; `verified` then asks whether the matches agree on one map; `averaged` and `expanded` go
on from what is verified to what that matches, and need the collection's graph.
"""

from collections.abc import Container, Mapping

from engine import encode
from engine.language import tr

VECTORS = encode.WEIGHTINGS
VLAD = "vlad"
VLAD_CODES = "vlad-codes"
ASMK = "asmk"
AGGREGATED = (VLAD, VLAD_CODES, ASMK)
SIGNATURES = "signatures"
VERIFIED = "verified"
AVERAGED = "averaged"
EXPANDED = "expanded"
METHODS = (*VECTORS, *AGGREGATED, SIGNATURES, VERIFIED, AVERAGED, EXPANDED)
DEFAULT = VERIFIED
# Parts that not every index has; a command of the same name adds each.
OPTIONAL = ("residuals", "graph")
# What a method reads of every image: parts of an index, or single arrays of one.
_HELD = ("words/word_ids", "words/starts")  # of large vocabularies only
READS: Mapping[str, tuple[str, ...]] = {
    "distance": (*_HELD, "vectors/distances", "vectors/norms"),
    "squared-distance": (*_HELD, "vectors/squared_distances", "vectors/norms"),
    "count": (*_HELD, "words/counts", "vectors/norms"),
    "tf-idf": (*_HELD, "words/counts", "vectors/norms"),
    encode.STOP: (*_HELD, "words/counts"),
    encode.ROOT: (*_HELD, "words/counts"),
    encode.L1: (*_HELD, "words/counts"),
    VLAD: ("residuals/image_ids", "residuals/vectors", "residuals/vector_norms"),
    VLAD_CODES: ("residuals/image_ids", "residuals/codes", "residuals/code_norms"),
    ASMK: ("residuals/image_ids", "residuals/signs", "residuals/n_words"),
    SIGNATURES: ("keypoints", "words", "signatures"),
    VERIFIED: ("keypoints", "words", "signatures"),
    AVERAGED: ("keypoints", "words", "signatures", "graph"),
    EXPANDED: ("keypoints", "words", "signatures", "graph"),
}


def available(parts: Container[str]) -> list[str]:
    """Return the methods for which an index of these parts has everything."""
    optional = {part for part in OPTIONAL if part not in parts}
    return [method for method in METHODS if optional.isdisjoint(parts_read(method))]


def check_method(method: str) -> str:
    """Return `method` if it is one of `METHODS`, else raise a ValueError."""
    if method not in METHODS:
        methods = ", ".join(METHODS)
        raise ValueError(
            tr("method must be one of {methods}, got {got!r}", methods=methods, got=method)
        )
    return method


def expands(method: str) -> bool:
    """Tell whether a method goes on from what the query matches."""
    return method in (AVERAGED, EXPANDED)


def parts_read(method: str) -> tuple[str, ...]:
    """Return the parts of an index that a method reads."""
    return tuple(dict.fromkeys(place.split("/")[0] for place in READS[check_method(method)]))


def lacking(method: str, parts: Container[str]) -> tuple[str, ...]:
    """Return the parts that a method needs and an index of these parts does not have."""
    return tuple(part for part in parts_read(method) if part not in parts)


def adding(part: str, name: str) -> str:
    """Return the command that gives the index of this name a part that it lacks."""
    if part in OPTIONAL:
        return f"python -m engine {part} {name}"
    return f"python -m engine build FOLDER --name {name} --overwrite"
