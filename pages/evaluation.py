"""Evaluation: how good the rankings are, which queries fail, and the ground truth to tell by."""

import streamlit as st

from engine import index
from engine.language import tr
from ui import confirm, link, opened
from ui.evaluation import marking, measure, overview, sheet, view
from ui.evaluation.view import View


def main() -> None:
    """Show the page."""
    here = View.here()
    shown = opened.collection(here.link)
    if shown.n_images == 0:
        st.info(tr("This collection is empty. Add pictures to its folder and build it again."))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        view.choose_part(here)
        names = index.list_indexes()
        if len(names) > 1:
            link.choose(tr("Collection"), names, "collection", shown.name, width=240)
    measure.progress(shown)
    confirm.said()
    if here.part == view.MEASURE:
        measure.show(shown, here)
    elif here.part == view.TRUTHS:
        marking.show(shown, here)
    elif here.run and here.asked is not None:
        chosen = overview.chosen_runs(shown, here)
        if chosen and chosen[0].name == here.run:
            sheet.show(shown, here, chosen, here.asked)
        else:
            overview.show(shown, View(here.link))
    else:
        overview.show(shown, here)


main()
