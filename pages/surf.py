"""Step by step: SURF followed from pixels to numbers, and what survives a change of the picture."""

import streamlit as st

from engine.index import Index
from engine.language import tr, trn
from ui import opened, query, urls, words
from ui.components import viewer
from ui.surf import bench, compare, describing, followed, steps, view
from ui.surf.followed import Followed
from ui.surf.settings import settings
from ui.surf.view import COMPARE, STEPS, View

FEW = 500


def empty(shown: Index) -> None:
    """Offer pictures to follow."""
    st.header(tr("Follow a picture step by step"), anchor=False)
    st.markdown(
        tr(
            "From its pixels to the numbers that describe a spot of it, every value as the engine "
            "computes it; and what of it survives turning, zooming, blur and light."
        )
    )
    query.uploader()
    query.samples(shown, tr("Or take one of these"), "surf")
    query.browse(shown, "surf")


def followed_one(found: Followed) -> None:
    """Say which keypoint is followed."""
    features, traced = found.prepared.features, found.trace
    if traced is None:
        st.warning(
            tr(
                "No keypoints were found: the picture is very smooth or dark. Lower the threshold, "
                "or try another picture."
            )
        )
        return
    if not bench.is_there(features, found.row, found.here.at):
        st.info(
            tr(
                "With these settings there is no keypoint of this size at this place any more. The "
                "nearest one is followed."
            )
        )
    x, y = traced.xy.tolist()
    st.markdown(
        tr(
            "**Keypoint {n:,} of {count:,}**, by strength: at {x:.1f}, {y:.1f}, {size:.0f} pixels "
            "wide, pointing {angle:.0f}° clockwise from the right, response {response:,.0f}.",
            n=found.row + 1,
            count=len(features),
            x=x,
            y=y,
            size=float(traced.size),
            angle=float(traced.angle),
            response=float(traced.response),
        )
    )


def picture(found: Followed) -> None:
    """Show the picture with its keypoints; one that is clicked is followed."""
    shown, here, features = found.shown, found.here, found.prepared.features
    n_found = len(features)
    height, width = found.bench.gray.shape
    n_shown = min(FEW, n_found)
    told = trn("{n:,} keypoint", "{n:,} keypoints", n_found)

    def pick(row: int) -> None:
        if 0 <= row < n_found:
            view.go(at=bench.place(features, row))

    viewer(
        urls.query(shown, here.link, 1280),
        width,
        height,
        view.drawing(shown, here, "points"),
        n_shown,
        "surf-picture",
        tr(
            "The picture with {keypoints}. Plus and minus zoom, arrows move, n and p step through "
            "the keypoints.",
            keypoints=told,
        ),
        pick,
        found.row if n_found else None,
        point=tr("size {size} px · response {response}"),
    )
    told += " · " + tr("blue: dark on light ground, orange: light on dark")
    if n_found > n_shown:
        told += " · " + tr("the {n:,} strongest are drawn", n=n_shown)
    if found.bench.is_shrunk:
        told += " · " + tr(
            "worked on at {width} × {height} pixels instead of {full_width} × {full_height}, so "
            "that everything moves at once",
            width=width,
            height=height,
            full_width=found.bench.width,
            full_height=found.bench.height,
        )
    st.caption(told)


def step_by_step(shown: Index, here: View) -> None:
    """Show all steps of one keypoint."""
    left, right = st.columns([3, 2], gap="large")
    with right:
        settings(shown, here)
        found = followed.follow(shown, here)
        followed_one(found)
        st.button(tr("Another picture"), on_click=view.go, kwargs={"image_id": None, "word": None})
    with left:
        picture(found)
    if found.octave is None:
        st.info(tr("The picture is smaller than the smallest filter."))
        return
    steps.integral(found)
    steps.filters(found)
    steps.responses(found)
    steps.maxima(found)
    steps.newton(found)
    if found.trace is None:
        return
    if not found.is_own:
        st.info(
            tr(
                "The cell that is looked at is not that of the keypoint. What follows is the "
                "keypoint's: only what is kept gets a direction and numbers."
            )
        )
    describing.orientation(found, found.trace)
    describing.patch(found, found.trace)
    describing.cells(found, found.trace)
    describing.numbers(found, found.trace)


def main() -> None:
    """Show the page."""
    here = View.here()
    shown = opened.collection(here.link)
    if not here.link.has_query:
        empty(shown)
        return
    st.header(words.plain(query.name(shown, here.link)), anchor=False)
    parts = {STEPS: tr("Step by step"), COMPARE: tr("What survives")}
    view.segments(tr("What is shown"), "part", parts, here.part)
    if here.part == COMPARE:
        compare.show(shown, here)
    else:
        step_by_step(shown, here)


main()
