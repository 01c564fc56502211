"""Fields of records that come from a file are of their types, or refused."""

import dataclasses
import math

import pytest

from engine import typed


@dataclasses.dataclass(frozen=True)
class Record:
    n: int = 1
    share: float = 0.5
    name: str = ""
    most: int | None = None
    mean: tuple[float, ...] = ()
    pair: tuple[int, str] = (1, "a")


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"n": 3, "share": 1, "name": "a", "most": None, "mean": (1, 2.5), "pair": (1, "b")},
        {"most": 7, "unknown": object()},
    ],
)
def test_what_fits_is_taken(values: dict[str, object]) -> None:
    typed.check(Record, values)


@pytest.mark.parametrize(
    "values",
    [
        {"n": 1.0},
        {"n": True},
        {"n": 2**60},
        {"n": "1"},
        {"n": None},
        {"share": math.nan},
        {"share": math.inf},
        {"share": 10**400},
        {"share": False},
        {"name": 3},
        {"most": "x"},
        {"mean": [1.0]},
        {"mean": (1.0, "x")},
        {"pair": (1,)},
    ],
)
def test_what_does_not_fit_is_named(values: dict[str, object]) -> None:
    (name,) = values
    with pytest.raises(ValueError, match=f"Record.{name} cannot be"):
        typed.check(Record, values)


@pytest.mark.parametrize("values", [None, [], "n", 3])
def test_what_is_no_table_is_refused(values: object) -> None:
    with pytest.raises(ValueError, match="no table of values"):
        typed.check(Record, values)
