"""What survives: a picture beside its variant, or beside another picture of the collection."""

import dataclasses

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import verify
from engine.errors import ImageError
from engine.index import Index
from engine.language import tr, trn
from engine.surf import Features
from engine.verify import Geometry
from ui import opened, urls, words
from ui.components import Side, Tile, gallery, pair
from ui.surf import bench, curves, view
from ui.surf.bench import Varied
from ui.surf.settings import settings
from ui.surf.view import KEPT, LOST, MATCHES, View

MOST_LINES = 100  # the strongest keypoints'; more are a wall
MOST_POINTS = 400
N_OTHERS = 12
RIGHT, WRONG = 0, 1


def show(shown: Index, here: View) -> None:
    """Show two pictures side by side, and what of the first is found in the second."""
    beside = {"": tr("Beside a variation of it"), "other": tr("Beside another picture")}
    view.segments(tr("Beside what"), "beside", beside, here.beside)
    if here.beside:
        other(shown, here)
    else:
        variation(shown, here)


def variation(shown: Index, here: View) -> None:
    """Show the picture beside its variant."""
    left, right = st.columns([3, 1], gap="large")
    on = bench.of(shown, here.link, bench.COMPARED)
    with right:
        _sliders(here)
        with st.popover(tr("SURF settings")):
            settings(shown, here)
    found = bench.varied(on, here.params(shown), here.variation)
    with left:
        _lacking(found.one)
        shows = {
            MATCHES: tr("Matches"),
            KEPT: tr("Found again"),
            LOST: tr("Not found again"),
        }
        view.segments(tr("What is drawn"), "show", shows, here.show)
        _varied_pair(shown, here, found, on.gray.shape)
        st.markdown(told_repeated(found))
        st.markdown(told_matches(found, here.ratio))
        height, width = on.gray.shape
        st.caption(
            tr(
                "Worked on at {width} × {height} pixels. Where a turn leaves corners empty, the "
                "edge of the picture goes on; keypoints there do not count.",
                width=width,
                height=height,
            )
        )
    curves.show(on, here.params(shown), here)


def _lacking(of: Features) -> None:
    """Say so where the picture has nothing that could be found again."""
    if not len(of):
        st.warning(
            tr(
                "No keypoints were found: the picture is very smooth or dark. Lower the threshold, "
                "or try another picture."
            )
        )


def _sliders(here: View) -> None:
    view.slider(tr("Turn, degrees"), "turn", -180, 180, here.turn, 5)
    view.slider(tr("Zoom, percent"), "zoom", 30, 200, here.zoom, 5)
    view.slider(tr("Blur, tenths of a pixel"), "blur", 0, 60, here.blur)
    view.slider(tr("Contrast, percent"), "contrast", 30, 200, here.contrast, 5)
    view.slider(tr("Brightness, levels"), "brightness", -100, 100, here.brightness, 5)
    _ratio(here)
    none = {"turn": 0, "zoom": 100, "blur": 0, "contrast": 100, "brightness": 0, "match": None}
    st.button(tr("Undo all changes"), on_click=view.go, kwargs=none)


def _ratio(here: View) -> None:
    view.slider(
        tr("Ratio test, percent"),
        "ratio",
        50,
        100,
        here.ratio,
        help=tr(
            "A match is taken if the nearest descriptor is nearer than this share of the distance "
            "to the second nearest. 100 takes all."
        ),
    )


def taken(ratios: NDArray[np.float32], percent: int) -> NDArray[np.bool_]:
    """Tell which nearest descriptors pass the ratio test; 100 percent takes all."""
    passed: NDArray[np.bool_] = (ratios < percent / 100) | (percent >= 100)
    return passed


def told_repeated(found: Varied) -> str:
    """Say how many keypoints are found again."""
    common = int(found.found.is_common_one.sum()), int(found.found.is_common_other.sum())
    if not min(common):
        return tr("No keypoint lies whole in what both pictures show, so none can be found again.")
    return tr(
        "**{share:.0%} are found again**: {n:,} of the {fewer:,} keypoints that could be, at the "
        "same place with the same size. {one:,} lie in the part that both pictures show here, "
        "{other:,} there. The same means: brought onto one picture, the two circles share more "
        "than 60 % of what they cover.",
        share=found.found.repeatability,
        n=len(found.found.pairs),
        fewer=min(common),
        one=common[0],
        other=common[1],
    )


def told_matches(found: Varied, percent: int) -> str:
    """Say how many matches are right."""
    passed = taken(found.ratios, percent) & (found.found.nearest >= 0)
    n, right = int(passed.sum()), int((passed & found.found.is_right).sum())
    if not n:
        return tr("No match passes the ratio test.")
    told = tr(
        "**{share:.0%} of the matches are right**: {right:,} of {n:,} that pass the ratio test; "
        "{wrong:,} lead elsewhere.",
        share=right / n,
        right=right,
        n=n,
        wrong=n - right,
    )
    return f"{told} " + tr(
        "Without the test the nearest descriptor is right for {share:.0%} of the keypoints.",
        share=found.found.right_matches,
    )


def _columns(of: Features, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    columns = np.column_stack((of.xy[rows], of.size[rows], of.angle[rows]))
    return np.round(columns.astype(float), 1)


def lines(
    one: Features,
    two: Features,
    rows: NDArray[np.int64],
    others: NDArray[np.int64],
    values: NDArray[np.floating],
    fates: NDArray[np.int64],
) -> list[list[float]]:
    """Return matches as the pair of pictures takes them."""
    told = np.round(values.astype(float), 3)
    sides = np.column_stack((_columns(one, rows), _columns(two, others), told))
    return [[*numbers, int(fate), 0] for numbers, fate in zip(sides.tolist(), fates.tolist())]


def _varied_pair(shown: Index, here: View, found: Varied, shape: tuple[int, ...]) -> None:
    of, rows = found.found, np.zeros(0, np.int64)
    others, fates = rows, rows
    values: NDArray[np.floating] = np.zeros(0)
    points: tuple[list[list[float]], list[list[float]]] = ([], [])
    told: list[str] = []
    if here.show == MATCHES:
        passed = taken(found.ratios, here.ratio) & (of.nearest >= 0)
        rows = np.flatnonzero(passed)[:MOST_LINES]
        others, values = of.nearest[rows], found.ratios[rows]
        fates = np.where(of.is_right[rows], RIGHT, WRONG)
        for ratio, fate in zip(values.tolist(), fates.tolist()):
            said = tr("right") if fate == RIGHT else tr("wrong")
            told.append(tr("{said} · ratio {ratio:.2f}", said=said, ratio=ratio))
    elif here.show == KEPT:
        order = np.argsort(of.pairs[:, 0], kind="stable")[:MOST_LINES]
        rows, others = of.pairs[order, 0], of.pairs[order, 1]
        values, fates = of.overlaps[order], np.zeros(len(order), np.int64)
        told = [tr("the circles share {share:.0%}", share=share) for share in values.tolist()]
    else:
        lost = of.is_common_one.copy(), of.is_common_other.copy()
        lost[0][of.pairs[:, 0]] = lost[1][of.pairs[:, 1]] = False
        one, other_ = (np.flatnonzero(part)[:MOST_POINTS] for part in lost)
        points = _columns(found.one, one).tolist(), _columns(found.other, other_).tolist()
    tall, wide = found.variant.gray.shape
    label = tr(
        "The picture beside its variation, with {n} lines and {points} circles. Plus and minus "
        "zoom, arrows move, n and p step through the lines.",
        n=len(rows),
        points=sum(map(len, points)),
    )
    _pair(
        here,
        Side(view.drawing(shown, here, "compared"), shape[1], shape[0]),
        Side(view.drawing(shown, here, "variant"), wide, tall),
        label,
        (found.one, found.other, rows, others, values, fates),
        told,
        points,
        found.variant.affine.ravel().tolist(),
    )
    st.caption(
        {
            MATCHES: tr(
                "Full lines are right matches, broken ones wrong; those of the {n} strongest "
                "keypoints that pass.",
                n=MOST_LINES,
            ),
            KEPT: tr("The {n} strongest keypoints that are found again.", n=MOST_LINES),
            LOST: tr("Keypoints that the other picture has no counterpart of."),
        }[here.show]
    )


def _pair(
    here: View,
    left: Side,
    right: Side,
    label: str,
    of: tuple[
        Features,
        Features,
        NDArray[np.int64],
        NDArray[np.int64],
        NDArray[np.floating],
        NDArray[np.int64],
    ],
    told: list[str],
    points: tuple[list[list[float]], list[list[float]]] = ([], []),
    affine: list[float] | None = None,
) -> None:
    """Show two pictures; a line that is clicked stands in the address and is told below."""
    rows, others = of[2], of[3]
    chosen = None
    if here.match is not None:
        same = np.flatnonzero((rows == here.match[0]) & (others == here.match[1]))
        chosen = int(same[0]) if len(same) else None
    pair(
        left,
        right,
        "surf-pair",
        label,
        lambda place: view.go(match=(int(rows[place]), int(others[place]))),
        None,
        lines(*of),
        told,
        points,
        affine,
        (),
        chosen,
    )
    if chosen is not None:
        st.markdown(f"**{told[chosen]}**")


def _geometry(of: Features, rows: NDArray[np.int64]) -> Geometry:
    return Geometry(of.xy[rows], of.size[rows], of.angle[rows])


def other(shown: Index, here: View) -> None:
    """Show the picture beside another one, where nobody knows what is right."""
    answer = opened.search(shown, here.link, opened.method_of(shown, here.link))
    results = answer.ranking.image_ids[:N_OTHERS].tolist()
    if here.other is None and not results:
        st.info(tr("This collection holds nothing but the query."))
        return
    image_id = results[0] if here.other is None else here.other
    opened.check_image(shown, image_id)
    here = dataclasses.replace(here, other=image_id)  # `to` would forget the line
    params = here.params(shown)
    one = bench.of(shown, here.link)
    try:
        two = bench.of(shown, here.link.to(image_id=image_id))
    except ImageError as error:  # this one alone is gone
        st.warning(words.plain(str(error)))
        _others(shown, here, results)
        return
    found = bench.beside(one, two, params)
    passed = np.flatnonzero(taken(found.ratios, here.ratio) & (found.nearest >= 0))
    ours, theirs = _geometry(found.one, passed), _geometry(found.other, found.nearest[passed])
    size = one.gray.shape[1], one.gray.shape[0]
    weights = np.ones(len(passed), np.float32)
    thousandths = np.rint(1000 * found.ratios[passed]).astype(np.int64)
    agreed = verify.verify(ours, theirs, thousandths, weights, size)
    fates = np.full(len(passed), WRONG)
    fates[agreed.inliers] = RIGHT
    # Those that agree come first: of many others a part is enough.
    order = np.argsort(fates, kind="stable")[:MOST_LINES]
    rows = passed[order]
    told = [
        tr(
            "{said} · ratio {ratio:.2f}",
            said=tr("agrees") if fate == RIGHT else tr("does not agree"),
            ratio=ratio,
        )
        for fate, ratio in zip(fates[order].tolist(), found.ratios[rows].tolist())
    ]
    left, right = st.columns([3, 1], gap="large")
    with right:
        _ratio(here)
        with st.popover(tr("SURF settings")):
            settings(shown, here)
        st.caption(
            tr(
                "Between two photographs no true map is known, so nobody can say which match is "
                "right: what is told is how many agree on one shift, turn and stretch."
            )
        )
    with left:
        _lacking(found.one)
        name = shown.images[image_id].shown
        _pair(
            here,
            Side(view.drawing(shown, here, "picture"), *size),
            Side(view.drawing(shown, here, "other"), two.gray.shape[1], two.gray.shape[0]),
            tr(
                "The picture beside {name}, with {n} lines. Plus and minus zoom, arrows move, n "
                "and p step through the lines.",
                name=name,
                n=len(rows),
            ),
            (found.one, found.other, rows, found.nearest[rows], found.ratios[rows], fates[order]),
            told,
            affine=agreed.affine.ravel().tolist() if len(agreed.inliers) else None,
        )
        st.markdown(
            trn(
                "**{agreed:,} of {n:,} match agrees** on one map of the picture.",
                "**{agreed:,} of {n:,} matches agree** on one map of the picture.",
                len(passed),
                agreed=len(agreed.inliers),
            )
        )
        st.caption(
            tr(
                "{name} beside it. A full line agrees, a broken one does not.",
                name=words.plain(name),
            )
        )
    _others(shown, here, results)


def _others(shown: Index, here: View, results: list[int]) -> None:
    """Offer what the search found, to be put beside the picture."""
    st.subheader(tr("Another picture beside it"), anchor=False)
    tiles = [
        Tile(
            id=image_id,
            url=urls.picture(shown, image_id, 320),
            href=here.href(other=image_id, match=None),
            alt=shown.images[image_id].shown,
            title=shown.images[image_id].shown,
            caption=shown.images[image_id].shown.rsplit("/", 1)[-1],
        )
        for image_id in results
    ]
    gallery(tiles, "surf-others", tr("The first results of the search"), 6, 2)
