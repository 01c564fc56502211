"""The ranking methods by name: the same name in commands, pages, evaluations and documents.

The first seven compare one vector a picture: four of the original system, then variants of the
last of these (`engine.encode`, `engine.vectors`). The next three compare what the keypoints of each
word add up to, and need the collection's residuals. The others compare keypoint with keypoint, by
signatures; `verified` then asks whether the matches agree on one map; `averaged` and `expanded` go
on from what is verified to what that matches, and need the collection's graph.

Besides these, every model whose vectors an index holds (`engine.embeddings`) is a method of that
index, by the model's name; and a method of words and a model together are one, `verified+MODEL` by
scores or `verified+MODEL+rank` by ranks (`engine.fused`).
"""

from collections.abc import Container, Iterable, Mapping
from typing import NamedTuple

from engine import encode, model_store, models
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
EMBEDDING = "embedding-"  # begins the name of a part that holds a model's vectors
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


class Fusion(NamedTuple):
    """Two methods in one: of words, of a model's vectors, and whether ranks are added up."""

    words: str
    vectors: str
    by_rank: bool


def fused_of(method: str) -> Fusion | None:
    """Return what a fused method is made of; None if it is no such name."""
    words, _, rest = method.partition("+")
    vectors, _, by = rest.partition("+")
    if words not in METHODS or not is_embedding(vectors) or method.count("+") > 2:
        return None
    if by not in ("", "rank") or method.endswith("+"):
        return None
    return Fusion(words, vectors, by == "rank")


def available(parts: Container[str]) -> list[str]:
    """Return the methods of `METHODS` for which an index of these parts has everything."""
    optional = {part for part in OPTIONAL if part not in parts}
    return [method for method in METHODS if optional.isdisjoint(parts_read(method))]


def embedded(parts: Iterable[str]) -> list[str]:
    """Return the methods that compare a model's vectors, of an index of these parts, sorted."""
    return sorted(part.removeprefix(EMBEDDING) for part in parts if part.startswith(EMBEDDING))


def fused(parts: Iterable[str]) -> list[str]:
    """Return the fused methods to offer for an index of these parts: with its verified ranking."""
    return [f"{VERIFIED}+{one}{by}" for one in embedded(parts) for by in ("", "+rank")]


def offered(parts: Iterable[str]) -> list[str]:
    """Return every method to offer for an index of these parts: words, models, both together."""
    there = set(parts)
    return [*available(there), *embedded(there), *fused(there)]


def is_embedding(method: str) -> bool:
    """Tell whether a method's name stands for a model's vectors."""
    return method not in METHODS and models.is_name(method)


def model_of(method: str) -> str:
    """Return the name of the model whose vectors a method compares, whitened or not."""
    return models.unwhitened(method)


def check_method(method: str, parts: Container[str] = ()) -> str:
    """Return `method` if it is one of `METHODS` or a model, else raise a ValueError.

    A model is known if it can be fetched or is installed, or if an index of these parts holds its
    vectors.
    """
    if method in METHODS or EMBEDDING + method in parts:
        return method
    if (both := fused_of(method)) is not None:
        check_method(both.vectors, parts)
        return method
    known = (*models.DECLARED, *model_store.list_models())
    if is_embedding(method) and model_of(method) in known:
        return method
    raise ValueError(
        tr(
            "method must be one of {methods}, or a model ({models}), got {got!r}",
            methods=", ".join(METHODS),
            models=", ".join(known),
            got=method,
        )
    )


def expands(method: str) -> bool:
    """Tell whether a method goes on from what the query matches."""
    return method in (AVERAGED, EXPANDED)


def reads(method: str) -> tuple[str, ...]:
    """Return what a method reads of every image: parts of an index, or single arrays of one."""
    if is_embedding(method):
        return (f"{EMBEDDING}{method}/vectors",)
    if (both := fused_of(method)) is not None:
        return (*READS[both.words], *reads(both.vectors))
    return READS[check_method(method)]


def parts_read(method: str) -> tuple[str, ...]:
    """Return the parts of an index that a method reads."""
    return tuple(dict.fromkeys(place.split("/")[0] for place in reads(method)))


def lacking(method: str, parts: Container[str]) -> tuple[str, ...]:
    """Return the parts that a method needs and an index of these parts does not have."""
    return tuple(part for part in parts_read(method) if part not in parts)


def adding(part: str, name: str) -> str:
    """Return the command that gives the index of this name a part that it lacks."""
    if part in OPTIONAL:
        return f"python -m engine {part} {name}"
    if part.startswith(EMBEDDING):
        method = part.removeprefix(EMBEDDING)
        whiten = method.removeprefix(f"{model_of(method)}{models.WHITENED}")
        option = f" --whiten {whiten}" if whiten != method else ""
        return f"python -m engine embed {name} --model {model_of(method)}{option}"
    return f"python -m engine build FOLDER --name {name} --overwrite"
