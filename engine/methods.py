"""The ranking methods by name: the same name in commands, pages, evaluations and documents.

The first four compare one vector a picture, as the original system did. The others compare
keypoint with keypoint, by signatures; `verified` then asks whether the matches agree on one map.
"""

from engine import encode

VECTORS = encode.WEIGHTINGS
SIGNATURES = "signatures"
VERIFIED = "verified"
METHODS = (*VECTORS, SIGNATURES, VERIFIED)
DEFAULT = VERIFIED


def check_method(method: str) -> str:
    """Return `method` if it is one of `METHODS`, else raise a ValueError."""
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    return method
