"""Records that come from a file: whether each field holds what the record says it holds.

A dataclass believes whatever it is given; files of an index may come from anyone.
"""

import dataclasses
import math
import types
from typing import Any, Union, get_args, get_origin

from engine.language import tr

LARGEST = 2**53  # whole numbers beyond it are no number of anything, and no float holds them
# What reading data of an unexpected form raises.
MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def fits(value: Any, kind: Any) -> bool:
    """Tell whether a value is of an annotated kind: plain types, unions and tuples of them.

    A float may be a whole number; it must be finite. What is annotated otherwise fits.
    """
    if kind is float:
        return type(value) in (int, float) and abs(value) < 1e300 and math.isfinite(value)
    if kind is int:
        return type(value) is int and abs(value) <= LARGEST
    origin = get_origin(kind)
    if origin in (types.UnionType, Union):
        return any(fits(value, one) for one in get_args(kind))
    if origin is tuple:
        kinds = get_args(kind)
        if len(kinds) == 2 and kinds[1] is Ellipsis:
            kinds = (kinds[0],) * len(value) if isinstance(value, tuple) else kinds
        return (
            isinstance(value, tuple)
            and len(value) == len(kinds)
            and all(fits(one, of) for one, of in zip(value, kinds))
        )
    return not isinstance(kind, type) or isinstance(value, kind)


def check(kind: Any, values: Any) -> None:
    """Raise a ValueError if values are not those of a dataclass' fields, before it is made.

    Parameters
    ----------
    kind : dataclass
        Whose fields are looked at.
    values : mapping of str to value
        Fields that it does not know, or that are missing, are left to the dataclass.
    """
    if not isinstance(values, dict):
        raise ValueError(tr("{what} is no table of values", what=kind.__name__))
    for field in dataclasses.fields(kind):
        if field.name in values and not fits(values[field.name], field.type):
            raise ValueError(
                tr(
                    "{field} cannot be {value}",
                    field=f"{kind.__name__}.{field.name}",
                    value=f"{values[field.name]!r:.60}",
                )
            )
