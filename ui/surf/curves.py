"""How repeatability and right matches fall as a picture is changed more and more.

Each curve is some ten pictures and their SURF. They are made one after another in the background,
one curve at a time in the whole server, and kept for all who look at the same picture.
"""

import dataclasses
import logging
import threading
from typing import Any

import streamlit as st
from cachetools import LRUCache

from engine.language import mark, tr
from engine.repeatability import Variation, repeat
from engine.surf import SurfParams
from ui.surf import view
from ui.surf.bench import Bench
from ui.surf.view import BLUR, LIGHT, TURN, ZOOM, View

log = logging.getLogger(__name__)
N_KEPT = 256
STEPS: dict[str, tuple[float, ...]] = {
    TURN: tuple(range(0, 181, 15)),
    ZOOM: (0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 1, 1.2, 1.4, 1.6, 1.8, 2),
    BLUR: (0, 0.5, 1, 1.5, 2, 3, 4, 5, 6),
    LIGHT: (0.3, 0.4, 0.5, 0.65, 0.8, 1, 1.2, 1.5, 2),
}
NAMES = {
    TURN: mark("Turning"),
    ZOOM: mark("Zooming"),
    BLUR: mark("Blur"),
    LIGHT: mark("Light"),
}
AXES = {
    TURN: mark("Turned by, degrees"),
    ZOOM: mark("Zoomed, times"),
    BLUR: mark("Blurred, sigma in pixels"),
    LIGHT: mark("Contrast, times"),
}
FIELDS = {TURN: "turn", ZOOM: "zoom", BLUR: "blur", LIGHT: "contrast"}


@dataclasses.dataclass(eq=False)
class Curve:
    """One curve, as far as it is.

    Attributes
    ----------
    kind : str
        A key of STEPS.
    points : list of (x, repeatability, right matches)
        What is measured, in the order of STEPS.
    is_failed : bool
        Whether it ended before its end.
    """

    kind: str
    points: list[tuple[float, float, float]] = dataclasses.field(default_factory=list)
    is_failed: bool = False
    _ended: threading.Event = dataclasses.field(default_factory=threading.Event)

    def wait(self, seconds: float) -> bool:
        """Wait until nothing more comes, at most so long; tell whether that is so."""
        return self._ended.wait(seconds)

    @property
    def is_done(self) -> bool:
        """Whether nothing more comes."""
        return self.is_failed or len(self.points) == len(STEPS[self.kind])


class Curves:
    """All curves of this server, the least recently looked at given up first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._kept: LRUCache[tuple[str, SurfParams, str], Curve] = LRUCache(N_KEPT)

    def get(self, on: Bench, params: SurfParams, kind: str) -> Curve:
        """Return a curve; the first who asks has it begun."""
        key = on.sha256, params, kind
        with self._lock:
            found = self._kept.get(key)
            if found is None or found.is_failed:
                found = self._kept[key] = Curve(kind)
                arguments = (found, on, params)
                threading.Thread(
                    target=self._run, args=arguments, name="curve", daemon=True
                ).start()
        return found

    def _run(self, curve: Curve, on: Bench, params: SurfParams) -> None:
        try:
            for x in STEPS[curve.kind]:
                with self._turn:
                    change = Variation(**{FIELDS[curve.kind]: float(x)})
                    found = repeat(on.gray, params, change)[3]
                    curve.points.append((x, found.repeatability, found.right_matches))
        except Exception:
            log.exception("a curve could not be measured")
            curve.is_failed = True
        finally:
            curve._ended.set()


CURVES = Curves()


def show(on: Bench, params: SurfParams, here: View) -> None:
    """Offer the curves, and show the chosen one as it grows."""
    st.subheader(tr("How much it takes"), anchor=False)
    kinds = {kind: tr(name) for kind, name in NAMES.items()}
    view.segments(tr("Curve"), "curve", kinds, here.curve, required=False)
    if not here.curve:
        st.caption(
            tr(
                "Choose a change: the picture is changed a little more each time, by this alone, "
                "and measured again."
            )
        )
        return
    curve = CURVES.get(on, params, here.curve)
    if curve.is_done:
        _draw(curve, here)
        return

    def growing() -> None:
        _draw(curve, here)
        if curve.is_done:
            st.rerun()

    st.fragment(growing, run_every=0.7)()


def _draw(curve: Curve, here: View) -> None:
    points = list(curve.points)
    series: list[dict[str, Any]] = [
        {
            "type": "line",
            "name": name,
            "data": [[point[0], round(100 * point[column], 1)] for point in points],
            "symbolSize": 6,
            "lineStyle": {"type": kind, "width": 2.5},
        }
        for column, name, kind in (
            (1, tr("Found again"), "solid"),
            (2, tr("Nearest is right"), "dashed"),
        )
    ]
    steps = STEPS[curve.kind]
    axis = {"type": "value", "nameLocation": "middle"}
    spec: dict[str, Any] = {
        "animation": False,
        "grid": {"left": 32, "right": 16, "top": 36, "bottom": 28},
        "legend": {"top": 0, "left": 8},
        "tooltip": {"trigger": "axis"},
        "xAxis": axis
        | {"min": steps[0], "max": steps[-1], "name": tr(AXES[curve.kind]), "nameGap": 28},
        "yAxis": axis | {"min": 0, "max": 100, "name": "%", "nameGap": 34},
        "series": series,
    }
    said = "; ".join(
        tr("{x:g}: {again:.0%} found again, {right:.0%} right", x=x, again=again, right=right)
        for x, again, right in points
    )
    st.echarts_chart(
        spec,
        height=300,
        key=f"curve-{curve.kind}",
        alt=f"{tr(AXES[curve.kind])}. {said}",
    )
    if curve.is_failed:
        st.warning(tr("The measurement ended early. The server's log says why."))
    elif not curve.is_done:
        told = tr("Measured {n} of {total}", n=len(points), total=len(steps))
        st.progress(len(points) / len(steps), told)
    else:
        st.caption(
            tr(
                "Found again: keypoints at the same place with the same size, of those that could "
                "be. Nearest is right: keypoints whose nearest descriptor is that of the same "
                "spot, without the ratio test. The other changes are left out."
            )
        )
