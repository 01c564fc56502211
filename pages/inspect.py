"""Inspect: one picture, its keypoints, their words, its histogram."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import draw, encode, patches
from engine.encode import WEIGHTINGS
from engine.index import Index
from engine.language import mark, tr, trn
from engine.pipeline import QueryFeatures
from engine.surf import SurfParams
from ui import charts, keypoints, link, opened, query, urls, words
from ui.components import viewer
from ui.link import Link

FEW = 500
MOST_BARS = 2000  # of a histogram; more are neither seen nor hit
SIGNS = {1: mark("dark on light"), -1: mark("light on dark"), 0: mark("neither")}


def settings(shown: Index) -> tuple[SurfParams, str]:
    """Show what can be moved; return detector parameters and colouring."""
    with st.popover(tr("Settings")):
        if shown.extraction.uses_surf:
            params = detector(shown)
        else:
            st.caption(tr(words.NO_SLIDERS))
            params = shown.surf
        colouring = st.selectbox(
            tr("Colour by"),
            keypoints.colourings(shown),
            format_func=lambda name: tr(keypoints.COLOURINGS[name]),
            key="colouring" if shown.extraction.uses_surf else "colouring-unsigned",
            persist_state="session",
        )
    return params, str(colouring)


def detector(shown: Index) -> SurfParams:
    """Show the sliders of SURF; return its parameters."""
    most, highest = keypoints.limits(shown)
    threshold = st.slider(
        tr("Threshold"),
        0,
        most,
        int(shown.surf.hessian_threshold),
        50,
        key=f"threshold-{shown.name}",
        persist_state="session",
        help=tr(words.TERMS["threshold"]),
    )
    octaves = st.slider(
        tr("Octaves"),
        1,
        highest,
        shown.surf.n_octaves,
        key=f"octaves-{shown.name}",
        persist_state="session",
        help=tr(words.TERMS["octaves"]),
    )
    return keypoints.params(shown, threshold, octaves)


def bar_words(values: NDArray[np.float32], word: int | None) -> NDArray[np.int64]:
    """Choose the words that get a bar: all, or the highest of the picture's own and the chosen."""
    if len(values) <= MOST_BARS:
        return np.arange(len(values))
    highest = np.argsort(-values, kind="stable")[:MOST_BARS]
    kept = set(highest[values[highest] > 0].tolist())
    if word is not None and word < len(values):
        kept.add(word)
    return np.array(sorted(kept), np.int64)


def histogram(shown: Index, described: QueryFeatures, word: int | None) -> None:
    """Show the picture's histogram of words; a bar clicked is a word chosen."""
    st.subheader(tr("Histogram of words"), anchor=False, help=tr(words.TERMS["histogram"]))
    with st.container(horizontal=True, vertical_alignment="center"):
        method = st.segmented_control(
            tr("What is summed"),
            WEIGHTINGS,
            default=shown.method if shown.method in WEIGHTINGS else WEIGHTINGS[0],
            key="summed",
            persist_state="session",
            label_visibility="collapsed",
            required=True,
        )
        with_mean = st.toggle(
            tr("Beside the collection's mean"), key="with_mean", persist_state="session"
        )
    values = encode.vector(described.bag, str(method), shown.word_weights(str(method)))
    ids = bar_words(values, word)
    if len(ids) < len(values):
        st.caption(
            tr("{n:,} of {n_words:,} words: this picture's", n=len(ids), n_words=len(values))
        )
    chart(shown, values, ids, shown.mean_vector(str(method)) if with_mean else None, word)


def chart(
    shown: Index,
    values: NDArray[np.float32],
    ids: NDArray[np.int64],
    mean: NDArray[np.float32] | None,
    word: int | None,
) -> None:
    """Draw the bars of some words; an invisible bar behind each makes thin ones clickable."""
    used = int((values > 0).sum())
    values = values[ids]
    mean = None if mean is None else mean[ids]
    top = float(max(values.max(), mean.max() if mean is not None else 0.0, 1e-6))
    # A word has one colour everywhere; those that are not chosen fade, as on the picture.
    bars: list[Any] = [
        {"value": value, "itemStyle": {"color": colour, "opacity": 1 if word in (None, i) else 0.5}}
        for i, value, colour in zip(
            ids.tolist(),
            np.round(values.astype(float), 3).tolist(),
            np.array(opened.word_colours(shown))[ids].tolist(),
        )
    ]
    series: list[dict[str, Any]] = [
        {"type": "bar", "name": tr("this picture"), "data": bars, "barCategoryGap": "0%"},
        charts.targets(len(bars), top),
    ]
    if word is not None and word in ids:
        series[0]["markLine"] = {
            "symbol": "none",
            "silent": True,
            "data": [{"xAxis": int(np.searchsorted(ids, word))}],
            "label": {"formatter": tr("word {word}", word=word)},
        }
    if mean is not None:
        line = np.round(mean.astype(float), 3).tolist()
        series.append({"type": "line", "name": tr("mean"), "data": line, "showSymbol": False})
    spec = {
        "animation": False,  # bars that still grow miss the first click
        "grid": {"left": 48, "right": 8, "top": 16, "bottom": 64},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": ids.tolist()},
        "yAxis": {"type": "value"},
        "dataZoom": [{"type": "slider", "height": 18, "bottom": 12}, {"type": "inside"}],
        "series": series,
    }

    def clicked() -> None:
        place = charts.clicked("histogram", len(ids))
        if place is not None:
            link.go(word=int(ids[place]))
            st.session_state.pop("keypoint", None)

    st.echarts_chart(
        spec,
        height=260,
        key="histogram",
        on_select=clicked,
        alt=tr(
            "Histogram over {n_words:,} words; {n} of them occur in this picture",
            n_words=shown.n_words,
            n=used,
        ),
    )


def keypoint(shown: Index, described: QueryFeatures, chosen: int) -> None:
    """Show one keypoint: its word, its numbers, its patch, its descriptor."""
    features, assigned = described.features, described.words
    word = int(assigned.word_ids[chosen])
    told = tr("Keypoint {place} of {n:,}", place=chosen + 1, n=len(features))
    st.markdown(f"**{told}**", help=tr(words.TERMS["keypoint"]))
    left, right = st.columns(2)
    part = slice(chosen, chosen + 1)
    angles = shown.extraction.patch_angles(features.angle[part])
    cut = patches.cut(described.image.rgb, features.xy[part], features.size[part], angles, 128)[0]
    left.image(cut, caption=tr("Its patch"), width="stretch", alt=tr("Its patch, upright"))
    right.image(
        draw.word_tile(shown, word),
        caption=tr("Word {word}", word=word),
        width="stretch",
        alt=tr("Word {word}: the patches nearest to it", word=word),
    )
    x, y = features.xy[chosen].tolist()
    rows = {
        tr("Word"): str(word),
        tr("Distance to it"): f"{assigned.distances[chosen]:.3f}",
        tr("Position"): f"{x:.1f}, {y:.1f} px",
        tr("Size"): f"{features.size[chosen]:.0f} px",
        tr("Direction"): f"{features.angle[chosen]:.0f}°",
        tr("Response"): f"{features.response[chosen]:,.0f}",
        tr("Octave"): str(int(features.octave[chosen])),
    }
    if shown.extraction.uses_surf:
        rows[tr("Sign")] = tr(SIGNS[int(features.class_id[chosen])])
    st.table({"": list(rows), " ": list(rows.values())}, border="horizontal")
    st.markdown(tr("**Its descriptor**"), help=tr(words.TERMS["descriptor"]))
    numbers = features.descriptors[chosen].astype(float)
    spec = {
        "grid": {"left": 44, "right": 8, "top": 8, "bottom": 24},
        "tooltip": {"trigger": "axis"},
        "xAxis": {
            "type": "category",
            "data": list(range(len(numbers))),
            # One line a cell of the 4 × 4.
            "splitLine": {"show": True, "interval": len(numbers) // 16 - 1},
            "axisLabel": {"interval": len(numbers) // 8 - 1},
        },
        "yAxis": {"type": "value"},
        "series": [{"type": "bar", "data": np.round(numbers, 4).tolist(), "barCategoryGap": "0%"}],
    }
    alt = tr("The {n} numbers of it", n=len(numbers))
    st.echarts_chart(spec, height=160, key="descriptor", alt=alt)


def as_csv(described: QueryFeatures) -> str:
    """Return all keypoints as a table."""
    f, w = described.features, described.words
    rows: list[list[object]] = [
        [i, f"{x:.3f}", f"{y:.3f}", f"{s:g}", f"{a:.2f}", f"{r:.3f}", o, c, word, f"{d:.5f}"]
        for i, ((x, y), s, a, r, o, c, word, d) in enumerate(
            zip(
                f.xy.tolist(), f.size.tolist(), f.angle.tolist(), f.response.tolist(),
                f.octave.tolist(), f.class_id.tolist(), w.word_ids.tolist(), w.distances.tolist(),
            )
        )
    ]  # fmt: skip
    names = [
        "keypoint",
        "x",
        "y",
        "size",
        "angle",
        "response",
        "octave",
        "sign",
        "word",
        "distance",
    ]
    return words.csv(names, rows)


def pick(place: int, described: QueryFeatures) -> None:
    """Choose a keypoint, and its word with it."""
    st.session_state["keypoint"] = place
    link.go(word=int(described.words.word_ids[place]))


def empty(shown: Index) -> None:
    """Offer pictures to look into."""
    st.header(tr("Look into a picture"), anchor=False)
    query.uploader()
    query.samples(shown, tr("Or take one of these"), "inspect")
    query.browse(shown, "inspect")


def controls(shown: Index, here: Link) -> tuple[QueryFeatures, int, str]:
    """Show what can be moved; return the picture's features, how many to show, and where they are.

    The last is the address at which the viewer fetches them.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        params, colouring = settings(shown)
        described = opened.describe(shown, here, params)
        address = urls.keypoints(shown, here, params, colouring)
        st.download_button(
            tr("Keypoints as CSV"),
            lambda: as_csv(described),
            disabled=len(described.features) == 0,
            file_name="keypoints.csv",
            mime="text/csv",
            on_click="ignore",
        )
        other = {"image_id": None, "word": None}
        st.button(tr("Another picture"), on_click=link.go, kwargs=other)
    n_found = len(described.features)
    if n_found <= FEW:
        return described, n_found, address
    # The range follows the picture, so each range has a slider of its own.
    key = f"n_shown-{n_found}"
    label = tr("Keypoints shown, strongest first")
    n_shown = st.slider(label, 1, n_found, FEW, key=key, persist_state="session")
    return described, n_shown, address


def chosen_keypoint(described: QueryFeatures, word: int | None) -> int | None:
    """Return the keypoint that was clicked, if it is one of this picture and this word."""
    chosen: int | None = st.session_state.get("keypoint")
    word_ids = described.words.word_ids
    if chosen is None or chosen >= len(word_ids) or int(word_ids[chosen]) != word:
        return None
    return chosen


def picture(shown: Index, here: Link, described: QueryFeatures, n_shown: int, address: str) -> None:
    """Show the picture with its keypoints."""
    n_found = len(described.features)
    name = query.name(shown, here)
    st.subheader(words.plain(name), anchor=False)
    n_used = len(set(described.words.word_ids.tolist()))
    told = (
        trn("{n:,} keypoint", "{n:,} keypoints", n_found),
        tr("{n:,} of {n_words:,} words", n=n_used, n_words=shown.n_words),
        words.steps(described.timings, shown.extraction.title),
    )
    st.caption(" · ".join(told), help=tr(words.TERMS["keypoint"]))
    if n_found == 0:
        st.warning(words.no_keypoints(shown.extraction, tr("in the settings")))
    height, width = described.image.gray.shape
    viewer(
        urls.query(shown, here, 1280),
        width,
        height,
        address,
        n_shown,
        "picture",
        trn(
            "{name} with {n:,} keypoint. Plus and minus zoom, arrows move, n and p step through "
            "the keypoints.",
            "{name} with {n:,} keypoints. Plus and minus zoom, arrows move, n and p step through "
            "the keypoints.",
            n_found,
            name=name,
        ),
        lambda place: pick(place, described),
        chosen_keypoint(described, here.word),
        here.word if here.word is not None and here.word < shown.n_words else None,
    )


def details(shown: Index, described: QueryFeatures, word: int | None) -> None:
    """Show the chosen word and keypoint."""
    if word is not None and word < shown.n_words:
        count = int((described.words.word_ids == word).sum())
        with st.container(horizontal=True, vertical_alignment="center"):
            told = trn(
                "**Word {word}**: {n:,} keypoint here",
                "**Word {word}**: {n:,} keypoints here",
                count,
                word=word,
            )
            st.markdown(told, width="content")
            link.page_link("vocabulary", tr("Open the word"))
            search = {"part": "search", "words": str(word), "word": ""}
            link.page_link("vocabulary", tr("Search with this word"), **search)
            st.button(tr("All keypoints"), on_click=link.go, kwargs={"word": None})
    chosen = chosen_keypoint(described, word)
    if chosen is not None:
        keypoint(shown, described, chosen)
    elif len(described.features):
        st.caption(tr("Click a keypoint or a bar of the histogram."))


def main() -> None:
    """Show the page."""
    here = link.here()
    shown = opened.collection(here)
    if not here.has_query:
        empty(shown)
        return
    left, right = st.columns([3, 2], gap="large")
    with right:
        described, n_shown, address = controls(shown, here)
    with left:
        picture(shown, here, described, n_shown, address)
        if len(described.features):
            histogram(shown, described, here.word)
    with right:
        details(shown, described, here.word)


main()
