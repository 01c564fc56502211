"""Every parameter of ranking that may be set for a trial, and setting them by name.

A tuning decides how a query is answered and nothing that an index holds, so the same index answers
under any of them: ``evaluate NAME GT.csv --set rerank.n_images=200``.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from engine.asmk import AsmkParams
from engine.average import AverageParams
from engine.expand import ExpandParams
from engine.rerank import RerankParams
from engine.shortlist import ShortListParams
from engine.turns import TurnParams

MEASURED = "expand.least_score"  # comes from the calibration


@dataclasses.dataclass(frozen=True, slots=True)
class Tuning:
    """How a query is answered.

    Attributes
    ----------
    turn, asmk : TurnParams, AsmkParams
        Of vlad and vlad-codes; of asmk.
    shortlist, rerank : ShortListParams, RerankParams
        Of signatures, and all after it; of verified, and all after it.
    average, expand : AverageParams, ExpandParams
        Of averaged; of expanded, whose `least_score` is not used: the index's calibration has it.
    """

    turn: TurnParams = dataclasses.field(default_factory=TurnParams)
    asmk: AsmkParams = dataclasses.field(default_factory=AsmkParams)
    shortlist: ShortListParams = dataclasses.field(default_factory=ShortListParams)
    rerank: RerankParams = dataclasses.field(default_factory=RerankParams)
    average: AverageParams = dataclasses.field(default_factory=AverageParams)
    expand: ExpandParams = dataclasses.field(default_factory=ExpandParams)


USUAL = Tuning()


def names(params: Any = USUAL, above: str = "") -> list[str]:
    """Return the dotted name of every parameter that can be set, as ``rerank.n_images``."""
    found: list[str] = []
    for field in dataclasses.fields(params):
        name, value = above + field.name, getattr(params, field.name)
        if dataclasses.is_dataclass(value):
            found += names(value, name + ".")
        elif name != MEASURED:
            found.append(name)
    return found


def changes(tuning: Tuning) -> list[str]:
    """Return the settings that make the usual tuning this one."""
    return [
        f"{name}={value}" for name in names() if (value := _get(tuning, name)) != _get(USUAL, name)
    ]


def _get(params: Any, name: str) -> Any:
    for one in name.split("."):
        params = getattr(params, one)
    return params


def tune(settings: Sequence[str], tuning: Tuning = USUAL) -> Tuning:
    """Set parameters by name.

    Parameters
    ----------
    settings : sequence of str
        As ``rerank.n_images=200``.
    tuning : Tuning
        What the others stay.

    Returns
    -------
    Tuning

    Raises
    ------
    ValueError
        If there is no such parameter, it cannot have that value, or they do not fit together.
    """
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise ValueError(f"{setting!r} sets nothing: write NAME=VALUE")
        if name == MEASURED:
            raise ValueError(f"{name} is not set but measured: python -m engine calibrate NAME")
        if name not in names():
            raise ValueError(f"there is no {name!r} (there are {', '.join(names())})")
        try:
            tuning = _set(tuning, name.split("."), text)
        except ValueError as error:
            raise ValueError(f"{name} cannot be {text!r}: {error}") from None
    for name in ("shortlist.vote.most", "rerank.most", "expand.rerank.most"):
        if (most := _get(tuning, name)) > tuning.shortlist.most:
            raise ValueError(
                f"{name} is {most}, and no match beyond {tuning.shortlist.most} is kept: "
                f"set shortlist.most={most} too"
            )
    return tuning


def _set(params: Any, path: Sequence[str], text: str) -> Any:
    old = getattr(params, path[0])
    if len(path) > 1:
        new = _set(old, path[1:], text)
    else:
        new = type(old)(text)
        if not (math.isfinite(new) and new >= (1 if isinstance(old, int) else 0)):
            raise ValueError("whole numbers must be at least 1, others at least 0")
    return dataclasses.replace(params, **{path[0]: new})
