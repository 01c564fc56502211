"""Lesson 5: geometry."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import methods, pose
from engine.explanation import COUNTS, Explanation, MatchShares
from engine.language import mark, tr, trn
from ui import results, urls, words
from ui.components import Cell, Row, gallery, overlay, table
from ui.lessons import figures
from ui.lessons.shared import Bench, Lesson, Step, picked_result, ranking_tiles
from ui.lessons.view import segments
from ui.why import view as why

FATES = (
    mark("Agree on one map, and count: the inliers"),
    mark("Turn otherwise than the picture as a whole"),
    mark("Were not looked at: too many are nearer"),
    mark("Do not lie where the map says: the outliers"),
    mark("Stand beside a better one"),
)


def _explained(bench: Bench) -> tuple[int, Explanation] | None:
    image_id = picked_result(bench)
    return None if image_id is None else (image_id, bench.explained(image_id))


def _lines(
    of: MatchShares, rows: NDArray[np.int64], good: NDArray[np.bool_] | None
) -> list[list[float]]:
    sides = [
        np.column_stack((side.xy[rows], side.size[rows], side.angle[rows]))
        for side in (of.query, of.database)
    ]
    numbers = np.round(np.concatenate(sides, axis=1).astype(float), 1).tolist()
    fates = [figures.COUNTS] * len(rows)
    if good is not None:
        fates = np.where(good, figures.COUNTS, figures.OFF).tolist()
    return [[*line, 1, fate, 0] for line, fate in zip(numbers, fates)]


def _bits(of: MatchShares, rows: NDArray[np.int64]) -> list[str]:
    return [
        trn("{n} of 128 bits differs", "{n} of 128 bits differ", int(of.distances[i]))
        for i in rows.tolist()
    ]


def before(bench: Bench) -> None:
    """Show matches by signatures, before anything is asked of their places."""
    found = _explained(bench)
    if found is None:
        return
    image_id, told = found
    of = told.matches
    if of is None or len(of) == 0:
        st.info(tr("Nothing of this picture matches. Take another one."))
        return
    rows = np.argsort(of.distances, kind="stable")
    drawn = rows[figures.evenly(len(rows), figures.N_LINES)]
    lines = _lines(of, drawn, None)
    figures.beside(bench, image_id, lines, _bits(of, drawn), "lesson-before")
    st.markdown(trn("{n:,} match of keypoints", "{n:,} matches of keypoints", len(of)))


def after(bench: Bench) -> bool | None:
    """Show which of the matches agree on one map."""
    found = _explained(bench)
    if found is None:
        return None
    image_id, told = found
    of = told.matches
    if of is None or len(of) == 0:
        st.info(tr("Nothing of this picture matches. Take another one."))
        return None
    kinds = {"all": tr("All"), "in": tr("Inliers"), "out": tr("The others")}
    chosen = segments(tr("Lines"), "lines", kinds, "lesson-fates")
    counts = of.fates == COUNTS
    kept = {"all": np.ones(len(of), bool), "in": counts, "out": ~counts}[chosen]
    rows = np.flatnonzero(kept)
    drawn = rows[figures.evenly(len(rows), figures.N_LINES)]
    lines = _lines(of, drawn, counts[drawn])
    figures.beside(bench, image_id, lines, _bits(of, drawn), "lesson-after", told.affine)
    cells = [
        Row((Cell(tr(text)), Cell(f"{int((of.fates == fate).sum()):,}")))
        for fate, text in enumerate(FATES)
        if (of.fates == fate).any()
    ]
    title = tr("What became of the matches")
    table([title, tr("Matches")], cells, "lesson-fates-table", title, [tr("Matches")])
    return chosen == "in"


def one_map(bench: Bench) -> None:
    """Say the map in words, and lay the picture on the photograph."""
    found = _explained(bench)
    if found is None:
        return
    image_id, told = found
    if told.affine is None:
        st.info(tr("The matches do not agree on a map, so there is nothing to lay on it."))
        return
    if bench.answer().accepts(image_id):
        said = pose.pose(told.affine).told()
        st.markdown(tr("Against your photograph: **{pose}**.", pose=said))
    else:
        st.markdown(
            tr("So few matches agree that this is probably chance: a map can always be laid "
               "through three of them.")
        )  # fmt: skip
    height, width = bench.query().image.gray.shape
    here = why.View(bench.link.to(method=methods.VERIFIED), image_id)
    overlay(
        urls.query(bench.shown, bench.link, 1280),
        why.drawing(bench.shown, here, "warp"),
        width,
        height,
        "lesson-warp",
        tr("Your photograph"),
        tr("The picture"),
    )
    st.caption(tr("Move the line: what is the same thing stays where it is."))


def rankings(bench: Bench) -> None:
    """Show the ranking before and after verification."""
    listed, verified = bench.answer(methods.SIGNATURES), bench.answer()
    st.caption(tr("Before: by matches alone (signatures)"))
    gallery(ranking_tiles(bench, listed, 6), "lesson-listed", tr("Before"), 6, 3)
    st.caption(tr("After: by what agrees on one map (verified)"))
    gallery(ranking_tiles(bench, verified, 6), "lesson-verified", tr("After"), 6, 3)
    place = {one.image_id: i for i, one in enumerate(results.of(listed), 1)}
    rows = [
        Row((Cell(bench.name_of(one.image_id)), Cell(f"{place[one.image_id]:,}"), Cell(f"{rank:,}"),
             Cell(words.score(verified.method, one.score))))
        for rank, one in enumerate(results.of(verified)[:6], 1)
    ]  # fmt: skip
    heading = [tr("Picture"), tr("Place before"), tr("Place after"), tr("Score after")]
    table(heading, rows, "lesson-places", tr("Places before and after"), heading[1:])
    if verified.calibration is not None:
        st.caption(
            tr("From {least:.1f} on the score counts as the same thing.",
               least=verified.calibration.least_score)
        )  # fmt: skip


LESSON = Lesson(
    name="geometry",
    title=mark("Geometry"),
    learns=mark("How places tell right matches from wrong ones."),
    minutes=6,
    steps=(
        Step(
            mark("Matches before"),
            (
                mark(
                    "These keypoints have a word in common, and signatures that differ in few "
                    "bits. A signature says in 128 bits on which side of its word's middle a "
                    "descriptor lies."
                ),
                mark("Nothing is asked yet about where they lie."),
            ),
            before,
            seen=mark(
                "Between two pictures of one thing many lines run side by side, and others cross "
                "them. You can see at once which belong together: that is what comes next."
            ),
        ),
        Step(
            mark("What agrees"),
            (
                mark(
                    "Each match proposes a movement: shift, turn and zoom that carry the one "
                    "keypoint onto the other. The movement that most matches agree with wins, and "
                    "is refined to a map that may stretch and slant (RANSAC)."
                ),
                mark("What agrees is called an inlier, what does not an outlier."),
            ),
            after,
            mark("Show the inliers alone. Are there wrong ones among them?"),
            mark(
                "Hardly any: to agree by chance with hundreds of others in place, size and "
                "direction is not easy. What repeats, such as equal windows, can agree on a map "
                "that is off by one window."
            ),
        ),
        Step(
            mark("The map in words"),
            (
                mark(
                    "The map tells how the camera moved between the two pictures, as far as the "
                    "thing is flat or far away."
                ),
            ),
            one_map,
            seen=mark(
                "Flat things fit everywhere. Where a house has depth, its front may fit and its "
                "tower not: one map cannot serve both."
            ),
        ),
        Step(
            mark("The ranking before and after"),
            (
                mark(
                    "The best pictures by matches alone are ranked anew by what agrees. The score "
                    "grows with the weight of the inliers, their spread over your photograph, and "
                    "their share of all matches."
                ),
            ),
            rankings,
            seen=mark(
                "A wrong picture with many keypoints can gather many matches; on one map they do "
                "not agree, and it falls. The gap between right and wrong scores grows wide enough "
                "to say no."
            ),
        ),
    ),
    further=mark("Take a result apart in Why"),
    page="why",
    choices=lambda bench: why.View(bench.link, bench.here.result).write(),
    paper="Philbin, Chum, Isard, Sivic, Zisserman, “Object retrieval with large vocabularies and "
    "fast spatial matching”, CVPR 2007",
)
