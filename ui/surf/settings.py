"""What of SURF can be moved on the page Step by step."""

import streamlit as st

from engine.index import Index
from engine.language import tr
from ui import keypoints
from ui.surf import view
from ui.surf.view import View


def settings(shown: Index, here: View) -> None:
    """Show what can be moved; it stands in the address."""
    most, highest = keypoints.limits(shown)
    params = here.params(shown)
    view.slider(
        tr("Threshold"),
        "threshold",
        0,
        most,
        int(params.hessian_threshold),
        50,
        help=tr("Spots that stand out less than this are left out. Lower finds more keypoints."),
    )
    left, right = st.columns(2)
    with left:
        told = tr("How often the size of what is looked for doubles.")
        view.slider(tr("Octaves"), "octaves", 1, highest, params.n_octaves, help=told)
    with right:
        told = tr("Sizes that are searched in each octave.")
        now = params.n_octave_layers
        view.slider(tr("Layers"), "layers", 1, max(now, view.MOST_LAYERS), now, help=told)
    with st.container(horizontal=True):
        view.toggle(tr("Upright"), "upright", params.upright)
        view.toggle(tr("Short descriptors"), "short", not params.extended)
