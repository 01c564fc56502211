"""Lesson 2: what survives a change of view."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import images, nearest
from engine.language import mark, tr, trn
from engine.nearest import Nearest
from engine.pipeline import QueryFeatures
from engine.repeatability import Variation
from engine.surf import Features, Keypoints
from ui import urls
from ui.components import Side, pair
from ui.lessons import figures, varied
from ui.lessons.shared import Bench, Lesson, Step, n_keypoints, picked_result
from ui.lessons.view import slider

LOST = 1 / 3
FEW = 20
MOSTLY = 0.9  # of the lines right: the end of an exercise


def changed(bench: Bench) -> bool:
    """Let the photograph be changed, and show which keypoints are found again."""
    left, right = st.columns(2)
    with left:
        label = tr("Turn, degrees clockwise")
        turn = slider(label, "turn", -180, 180, 30, 15, "lesson-change-turn")
    with right:
        zoom = slider(tr("Zoom"), "zoom", 0.25, 1.5, 1.0, 0.05, "lesson-change-zoom")
    with left:
        light = slider(tr("Light"), "light", 0.1, 1.5, 1.0, 0.1, "lesson-change-light")
    with right:
        blur = slider(tr("Blur, pixels"), "blur", 0.0, 6.0, 0.0, 0.5, "lesson-change-blur")
    made = varied.vary(bench, Variation(turn=turn, zoom=zoom, contrast=light, blur=blur))
    found, rows = made.found, made.found.pairs
    drawn = rows[figures.evenly(len(rows), figures.N_LINES)]
    right_rows = found.nearest[drawn[:, 0]] == drawn[:, 1]
    pair(
        _side(made.gray),
        _side(made.variant.gray),
        "lesson-changed",
        figures.label(tr("its changed self"), len(drawn)),
        lambda place: None,
        None,
        figures.lines(made.one, made.other, drawn, right_rows),
        [_told(good) for good in right_rows.tolist()],
        affine=made.variant.affine.ravel().tolist(),
    )
    st.markdown(
        tr("**{share:.0%}** of your photograph's keypoints are found again, of those that both "
           "pictures could show. For **{right:.0%}** the nearest descriptor is the right one.",
           share=made.kept, right=found.right_matches)
    )  # fmt: skip
    st.caption(
        tr("{one} before, {other} after; repeatability, as papers count it by the picture "
           "with fewer, {share:.0%}. A full line: the descriptor finds it too. A broken one: "
           "the spot is found again, but another descriptor is nearer.",
           one=n_keypoints(len(made.one)), other=n_keypoints(len(made.other)),
           share=found.repeatability)
    )  # fmt: skip
    return made.kept < LOST


def _side(gray: NDArray[np.uint8]) -> Side:
    jpeg = images.encode_jpeg(np.repeat(gray[..., None], 3, axis=2), 75)
    return Side(urls.inlined(jpeg), gray.shape[1], gray.shape[0])


def _told(good: bool) -> str:
    return tr("Found again, and its descriptor is nearest") if good else tr("Found again only")


@st.cache_resource(max_entries=16, ttl=1800, show_spinner=False)
def _nearest(one: str, other: str, _one: QueryFeatures, _other: QueryFeatures) -> Nearest:
    return nearest.nearest(_one.features.descriptors, _other.features.descriptors)


def _matched(bench: Bench, image_id: int) -> tuple[QueryFeatures, QueryFeatures, Nearest]:
    one, other = bench.query(), bench.described(image_id)
    here = f"{bench.shown.name} {bench.shown.stamp} "
    return one, other, _nearest(here + one.image.sha256, other.image.sha256, one, other)


def _show(
    bench: Bench,
    image_id: int,
    other: Features | Keypoints,
    rows: NDArray[np.int64],
    key: str,
) -> float | None:
    """Draw some of the matches; return the share of all that lie on the map, if there is one."""
    one = bench.query().features
    affine, good = figures.judged(bench, image_id, other, rows)
    chosen = figures.evenly(len(rows), figures.N_LINES)
    part = np.zeros(len(chosen), bool) if good is None else good[chosen]
    matches = figures.lines(one, other, rows[chosen], part)
    where = (tr("Not where the map says"), tr("Where the map says"))
    told = [where[right] if affine is not None else "" for right in part.tolist()]
    figures.beside(bench, image_id, matches, told, key, affine)
    count = trn("{n:,} match", "{n:,} matches", len(rows))
    if len(chosen) < len(rows):
        count += " · " + trn("{n:,} of them drawn", "{n:,} of them drawn", len(chosen))
    if good is None:
        st.markdown(count)
        st.caption(tr("No map between the two is known: probably they show different things."))
        return None
    share = float(good.mean()) if len(good) else 0.0
    st.markdown(
        tr("{count}. **{share:.0%}** lie where the map of lesson 5 says: full lines.",
           count=count, share=share)
    )  # fmt: skip
    return share


def every(bench: Bench) -> None:
    """Match each keypoint with the nearest descriptor of another picture."""
    image_id = picked_result(bench)
    if image_id is not None:
        one, other, found = _matched(bench, image_id)
        rows = np.arange(len(one.features))[found.rows >= 0]
        _show(
            bench, image_id, other.features, np.stack([rows, found.rows[rows]], 1), "lesson-every"
        )


def ratio(bench: Bench) -> bool | None:
    """Leave out matches whose second nearest is about as near."""
    image_id = picked_result(bench)
    if image_id is None:
        return None
    _, other, found = _matched(bench, image_id)
    label = tr("Ratio: nearest distance over second nearest")
    limit = slider(label, "ratio", 0.4, 1.0, 1.0, 0.02, "lesson-ratio")
    rows = found.within(limit)
    share = _show(
        bench, image_id, other.features, np.stack([rows, found.rows[rows]], 1), "lesson-ratio-pair"
    )
    return (len(rows) > 0 and (share or 0) >= MOSTLY) or len(rows) <= FEW


def equal(bench: Bench) -> None:
    """Match all keypoints that have the same word."""
    image_id = picked_result(bench)
    if image_id is None:
        return
    one, other = bench.query().words.word_ids, bench.shown.words(image_id).word_ids
    rows = nearest.equal_words(one, other, 20_000)
    _show(bench, image_id, bench.shown.keypoints(image_id), rows, "lesson-equal")
    st.caption(
        trn("{n:,} pair has an equal word.", "{n:,} pairs have an equal word.",
            nearest.n_equal_words(one, other))
        + " " + tr("Those of the rarest words come first.")
    )  # fmt: skip


_NO_GEOMETRY = mark(
    "None of this knows where a keypoint lies. That two pictures show the same thing tells only "
    "when many lines agree on one movement: lesson 5."
)

LESSON = Lesson(
    name="survives",
    title=mark("What survives a change of view"),
    learns=mark("Which spots are found again after a change, and how two pictures are matched."),
    minutes=8,
    steps=(
        Step(
            mark("Turned, zoomed, darkened, blurred"),
            (
                mark(
                    "Your photograph, at most 640 pixels long, is changed by the engine, and its "
                    "keypoints are looked for again. A spot counts as found again if the two "
                    "circles overlap by more than 60 % of what they cover together."
                ),
                mark(
                    "Light multiplies all pixels; 1 leaves them as they are. Try one change "
                    "alone, then two at once."
                ),
            ),
            changed,
            mark("Find a change after which less than a third of the keypoints are found again."),
            mark(
                "A turn by 90 degrees loses nearly nothing, one by 45 about half; half the light "
                "loses about as many, which fall below the threshold. Zoom and blur take the "
                "small spots away for good. The large ones stay, so that most of the few "
                "keypoints left afterwards were there before."
            ),
        ),
        Step(
            mark("Nearest descriptors"),
            (
                mark(
                    "Now another picture of the collection. Each keypoint of your photograph is "
                    "joined to the keypoint there whose descriptor is nearest."
                ),
                mark("Every keypoint gets a line, whether it has a counterpart or not."),
            ),
            every,
            seen=mark(
                "Many lines are wrong, even between two pictures of one thing, and most if they "
                "were taken from different places: the nearest of thousands is always somewhere. "
                "With a picture of something else all are wrong, "
                "and there are just as many."
            ),
        ),
        Step(
            mark("The ratio test"),
            (
                mark(
                    "A right match is clearly nearer than anything else. A wrong one has a rival "
                    "that is about as near."
                ),
                mark(
                    "So divide the nearest distance by the second nearest, and keep the match only "
                    "if this ratio lies below a limit. At 1 all are kept."
                ),
            ),
            ratio,
            mark("Lower the limit until nine of ten lines are full, or at most 20 are left."),
            mark(
                "Around 0.8 nearly all wrong matches go, and most of what stays is right. But "
                "more than half of the right ones go too: what repeats in one picture, such as "
                "equal windows, fails the test although it is right."
            ),
        ),
        Step(
            mark("Equal words"),
            (
                mark(
                    "Comparing all descriptors of all pictures takes too long for a collection. "
                    "Instead each keypoint gets the number of its visual word, and keypoints "
                    "with the same number match."
                ),
                _NO_GEOMETRY,
            ),
            equal,
            seen=mark(
                "Equal words give more lines than nearest descriptors, and a smaller share is "
                "right. But they cost nothing: only numbers are compared."
            ),
        ),
    ),
    further=mark("Go on comparing, with more to change"),
    page="surf",
    choices=lambda bench: bench.link.write() | {"part": "compare"},
    paper="Lowe, “Distinctive image features from scale-invariant keypoints”, IJCV 2004; "
    "Mikolajczyk et al., “A comparison of affine region detectors”, IJCV 2005",
)
