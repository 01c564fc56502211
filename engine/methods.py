"""The ranking methods by name: the same name in commands, pages, evaluations and documents.

The first four compare one vector a picture, as the original system did. The others compare
keypoint with keypoint, by signatures; `verified` then asks whether the matches agree on one map;
`expanded` goes on from what is verified to what that matches, and needs the collection's graph.
"""

from collections.abc import Container

from engine import encode

VECTORS = encode.WEIGHTINGS
SIGNATURES = "signatures"
VERIFIED = "verified"
EXPANDED = "expanded"
METHODS = (*VECTORS, SIGNATURES, VERIFIED, EXPANDED)
DEFAULT = VERIFIED
# Parts that not every index has; a command of the same name adds each.
NEEDS = {EXPANDED: "graph"}


def available(parts: Container[str]) -> list[str]:
    """Return the methods for which an index of these parts has everything."""
    return [method for method in METHODS if method not in NEEDS or NEEDS[method] in parts]


def check_method(method: str) -> str:
    """Return `method` if it is one of `METHODS`, else raise a ValueError."""
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    return method
