"""Lesson 1: what a keypoint is."""

import numpy as np
import streamlit as st

from engine.language import mark, tr, trn
from engine.repeatability import Variation
from ui import words
from ui.components import bars
from ui.lessons import figures, varied
from ui.lessons.shared import Bench, Lesson, Step, n_keypoints
from ui.lessons.view import segments, slider

FEW = 100
N_DRAWN = 40
N_PATCHES = 16
N_BARS = 12


def spots(bench: Bench) -> bool:
    """Show the strongest keypoints; one that is clicked shows its patch."""
    n = len(bench.query().features)
    if n > 1:
        label = tr("Keypoints shown, strongest first")
        n_shown = slider(label, "shown", 1, n, min(200, n), 1, f"lesson-shown-{n}")
    else:
        n_shown = n
    figures.keypoints(bench, n_shown, "lesson-spots")
    if bench.here.keypoint is None:
        return False
    row = bench.keypoint()
    of = bench.query().features
    left, right = st.columns([1, 2], vertical_alignment="center")
    left.image(figures.patch(bench, row), width=128, alt=tr("The patch of this keypoint, upright"))
    right.markdown(
        tr(
            "Number {place:,} of {n:,} by strength: {size:.0f} pixels wide, pointing "
            "{angle:.0f}° clockwise from the right, response {response:,.0f}.",
            place=row + 1,
            n=n,
            size=of.size[row],
            angle=of.angle[row],
            response=of.response[row],
        )
    )
    return True


def threshold(bench: Bench) -> bool | None:
    """Let the threshold be moved, and show what is left."""
    if not bench.shown.extraction.uses_surf:
        st.info(tr(words.NO_SLIDERS))
        return None
    response = np.sort(bench.query().features.response)[::-1]
    least = int(bench.shown.surf.hessian_threshold)
    needed = float(response[FEW - 1]) if len(response) >= FEW else least
    most = max(5000, least + 1000, 1000 * (int(needed) // 1000 + 2))
    chosen = slider(
        tr("Threshold"), "threshold", least, most, least, 50, f"lesson-threshold-{most}"
    )
    left = int((response >= chosen).sum())
    st.markdown(
        trn("**{n:,}** of {all:,} keypoints is left", "**{n:,}** of {all:,} keypoints are left",
            left, all=len(response))
    )  # fmt: skip
    figures.keypoints(bench, left, "lesson-threshold-picture")
    levels = np.linspace(least, most, 60)
    counts = np.searchsorted(-response, -levels, side="right")
    points = [[round(float(level)), float(count)] for level, count in zip(levels, counts)]
    figures.curve(
        [(tr("keypoints"), points)],
        tr("Threshold"),
        tr("Keypoints left"),
        "lesson-thresholds",
        tr("Keypoints that are left, by threshold: {first:,} at {least:,}, {last:,} at {most:,}",
           first=int(points[0][1]), least=least, last=int(points[-1][1]), most=most),
    )  # fmt: skip
    return left < FEW


def sizes(bench: Bench) -> bool:
    """Show the smallest and the largest keypoints, and how many there are of each size."""
    found = bench.query()
    of = found.features
    kinds = {"small": tr("The 40 smallest"), "large": tr("The 40 largest")}
    chosen = segments(tr("Which"), "sizes", kinds, "lesson-sizes")
    order = np.argsort(of.size if chosen == "small" else -of.size, kind="stable")[:N_DRAWN]
    figures.drawn(found.image.rgb, of, order, tr("Your photograph with its keypoints drawn"))
    st.caption(
        tr("These are {low:.0f} to {high:.0f} pixels wide; half of all are at most {middle:.0f}.",
           low=of.size[order].min(), high=of.size[order].max(), middle=np.median(of.size))
    )  # fmt: skip
    edges = np.geomspace(max(1.0, of.size.min()), of.size.max() + 1, N_BARS + 1)
    counts = np.histogram(of.size, edges)[0]
    bars(
        counts.tolist(),
        [f"{edge:.0f}" for edge in edges],
        "lesson-size-bars",
        tr("keypoints"),
        tr("pixels wide"),
        tr("Keypoints by size, from {low:.0f} to {high:.0f} pixels wide", low=of.size.min(),
           high=of.size.max()),
    )  # fmt: skip
    return chosen == "large"


def places(bench: Bench) -> None:
    """Show the patches of the strongest and the weakest keypoints."""
    found = bench.query()
    n = len(found.features)
    strong, weak = np.arange(n)[:N_PATCHES], np.arange(n)[-N_PATCHES:]
    st.markdown(f"**{tr('The strongest')}**")
    alt = tr("Patches of the strongest keypoints")
    figures.strip(bench, found.image.rgb, found.features, strong, alt)
    st.markdown(f"**{tr('The weakest')}**")
    alt = tr("Patches of the weakest keypoints")
    figures.strip(bench, found.image.rgb, found.features, weak, alt)
    figures.drawn(
        found.image.rgb,
        found.features,
        np.arange(n)[: 2 * N_DRAWN],
        tr("Your photograph with its strongest keypoints drawn"),
    )


def turned(bench: Bench) -> bool:
    """Show the photograph turned, with the strongest keypoints of both."""
    turn = slider(tr("Turn, degrees clockwise"), "turn", -180, 180, 30, 15, "lesson-turn")
    made = varied.vary(bench, Variation(turn=float(turn)))
    left, right = st.columns(2)
    for column, gray, of, alt in (
        (left, made.gray, made.one, tr("Your photograph with its keypoints drawn")),
        (right, made.variant.gray, made.other, tr("The turned photograph with its keypoints")),
    ):
        with column:
            rgb = np.repeat(gray[..., None], 3, axis=2)
            figures.drawn(rgb, of, np.arange(len(of))[:N_DRAWN], alt)
    st.caption(
        tr("{one} on the left, {other} on the right; {share:.0%} of the first are found "
           "again, of those that both could show.",
           one=n_keypoints(len(made.one)), other=n_keypoints(len(made.other)),
           share=made.kept)
    )  # fmt: skip
    return abs(turn) == 90


LESSON = Lesson(
    name="keypoints",
    title=mark("What a keypoint is"),
    learns=mark("Where a photograph holds on to itself: how strong, large and steady its spots."),
    minutes=6,
    steps=(
        Step(
            mark("Spots that stand out"),
            (
                mark(
                    "A keypoint is a small spot that can be found again in another photograph: a "
                    "blob or a corner that is darker or lighter than what surrounds it."
                ),
                mark(
                    "The circle is as wide as the spot, and the line from its middle says which "
                    "way the brightness changes. The colour is that of its visual word, which "
                    "comes in lesson 3."
                ),
            ),
            spots,
            mark("Click a keypoint, or press n on the picture, to see it cut out and upright."),
            mark(
                "The patch is wider than the circle, and turned so that the direction points to "
                "the right. All that follows is measured in this patch, so it does not matter how "
                "the camera was held."
            ),
        ),
        Step(
            mark("The threshold"),
            (
                mark(
                    "Each spot has a response: how strongly it stands out, by the determinant of "
                    "the Hessian, a number made of how brightness bends along both directions."
                ),
                mark(
                    "Spots below the threshold are left out. The collection was built with the "
                    "lowest on the slider."
                ),
                mark("How many keypoints are left at 3,000?"),
            ),
            threshold,
            mark("Move the slider until fewer than 100 are left."),
            mark(
                "The number falls fast at first: most spots are weak. A high threshold keeps what "
                "has strong contrast, so a dark or hazy photograph is soon left with nothing."
            ),
        ),
        Step(
            mark("Sizes"),
            (
                mark(
                    "The search looks for small spots, then for larger and larger ones. A window "
                    "is a spot, and so may be the whole house."
                ),
                mark(
                    "A larger spot in a close photograph is a smaller one in a photograph from far "
                    "away. That is how the two can be matched."
                ),
            ),
            sizes,
            mark("Look at the largest keypoints."),
            mark(
                "Small keypoints are by far the most, since there is room for many of them. Large "
                "ones are few, and last longest when the picture shrinks."
            ),
        ),
        Step(
            mark("Corners, edges, smooth parts"),
            (
                mark(
                    "In a smooth part nothing bends, and the response is zero. Along a straight "
                    "edge brightness bends across it but not along it, and the product of both is "
                    "near zero too."
                ),
                mark(
                    "So keypoints sit where brightness bends both ways: on blobs, corners, ends of "
                    "lines. Which of them would you find again in another photograph?"
                ),
            ),
            places,
            seen=mark(
                "Each strong patch has something dark or light in its middle that stands out "
                "clearly. In the weak ones the middle hardly differs from what surrounds it, and "
                "the next cloud may take it away."
            ),
        ),
        Step(
            mark("The photograph turned"),
            (
                mark(
                    "Here the engine turns your photograph, at most 640 pixels long, and looks for "
                    "keypoints again, knowing nothing of the first ones."
                ),
                mark("Then it asks which circles lie on each other once the turn is undone."),
            ),
            turned,
            mark("Turn it by 90 degrees. Is anything lost?"),
            mark(
                "By 90 degrees nearly all are found again: pixels only change places. By 45 "
                "degrees the square boxes that the method looks with fit less well, and about "
                "half are lost. The directions turn along with the picture."
            ),
        ),
    ),
    further=mark("Follow one keypoint, step by step"),
    page="surf",
    paper="Bay, Ess, Tuytelaars, Van Gool, “Speeded-Up Robust Features (SURF)”, CVIU 2008",
)
