"""Charts whose thin bars can be hit: what several pages draw and ask in the same way."""

from typing import Any

import streamlit as st


def targets(n_bars: int, top: float) -> dict[str, Any]:
    """Return a series of unseen bars of full height behind others: a click beside one counts."""
    return {
        "type": "bar",
        "name": "click",
        "data": [top] * n_bars,
        "barGap": "-100%",
        "itemStyle": {"opacity": 0},
        "emphasis": {"itemStyle": {"opacity": 0.12, "color": "#888888"}},
        "selectedMode": "single",
        "select": {"itemStyle": {"opacity": 0.12}},
        "tooltip": {"show": False},
    }


def clicked(key: str, n_bars: int) -> int | None:
    """Return the place of the bar of a chart that was clicked, if one was."""
    selected = st.session_state[key]["selection"].get("selected") or []
    places = [i for part in selected for i in part.get("data_indices", [])]
    return int(places[0]) if places and 0 <= places[0] < n_bars else None
