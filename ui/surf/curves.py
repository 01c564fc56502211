"""How repeatability and right matches fall as a picture is changed more and more.

Each curve is some ten pictures and their SURF. One thread of the whole server makes them, a picture
at a time, for the curve that was looked at last; what nobody looks at any more rests until somebody
does. They are kept for all who look at the same picture.
"""

import dataclasses
import logging
import threading
import time
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
PATIENCE = 120.0  # seconds: browsers wake a hidden page once a minute
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
    asked : float
        When it was looked at last, in seconds of the server's clock.
    """

    kind: str
    points: list[tuple[float, float, float]] = dataclasses.field(default_factory=list)
    is_failed: bool = False
    asked: float = 0.0
    _ended: threading.Event = dataclasses.field(default_factory=threading.Event)

    def wait(self, seconds: float) -> bool:
        """Wait until nothing more comes, at most so long; tell whether that is so."""
        return self._ended.wait(seconds)

    @property
    def is_done(self) -> bool:
        """Whether nothing more comes."""
        return self.is_failed or len(self.points) == len(STEPS[self.kind])


Key = tuple[str, SurfParams, str]


class Curves:
    """All curves of this server, the least recently looked at given up first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: LRUCache[Key, Curve] = LRUCache(N_KEPT)
        self._waiting: dict[Key, tuple[Curve, Bench, SurfParams]] = {}
        self._is_running = False

    def find(self, on: Bench, params: SurfParams, kind: str) -> Curve | None:
        """Return a curve that was begun; it goes on if it rested."""
        key = on.sha256, params, kind
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._go_on(key, found, on, params)
        return found

    def get(self, on: Bench, params: SurfParams, kind: str) -> Curve:
        """Return a curve; the first who asks has it begun, and who asks after it failed."""
        key = on.sha256, params, kind
        with self._lock:
            found = self._kept.get(key)
            if found is None or found.is_failed:
                found = self._kept[key] = Curve(kind)
            self._go_on(key, found, on, params)
        return found

    def _go_on(self, key: Key, curve: Curve, on: Bench, params: SurfParams) -> None:
        curve.asked = time.monotonic()
        if curve.is_done:
            return
        self._waiting[key] = curve, on, params
        if not self._is_running:
            self._is_running = True
            threading.Thread(target=self._run, name="curves", daemon=True).start()

    def _next(self) -> tuple[Curve, Bench, SurfParams] | None:
        """Return what was looked at last; None, and no more comes, where nothing is left."""
        with self._lock:
            late = time.monotonic() - PATIENCE
            self._waiting = {
                key: each
                for key, each in self._waiting.items()
                if each[0].asked >= late and not each[0].is_done
            }
            if not self._waiting:
                self._is_running = False
                return None
            return max(self._waiting.values(), key=lambda each: each[0].asked)

    def _run(self) -> None:
        while (found := self._next()) is not None:
            curve, on, params = found
            try:
                x = STEPS[curve.kind][len(curve.points)]
                change = Variation(**{FIELDS[curve.kind]: float(x)})
                repeated = repeat(on.gray, params, change)[3]
                curve.points.append((x, repeated.repeatability, repeated.right_matches))
            except Exception:
                log.exception("a curve could not be measured")
                curve.is_failed = True
            if curve.is_done:
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

    def asked() -> Curve:
        # What failed is not begun again by looking at it: that would go round for ever.
        found = CURVES.find(on, params, here.curve)
        return CURVES.get(on, params, here.curve) if found is None else found

    def again() -> None:
        CURVES.get(on, params, here.curve)

    curve = asked()
    if curve.is_done:
        _draw(curve, here)
        if curve.is_failed:
            st.button(tr("Measure again"), on_click=again)
        return

    def growing() -> None:
        curve = asked()
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
