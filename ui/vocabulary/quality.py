"""How good a vocabulary is: usage, other sizes, and which words tell pictures apart."""

from typing import Any

import numpy as np
import streamlit as st

from engine import codebook_compare, codebook_quality, truths
from engine.codebook_quality import Informative, Size
from engine.errors import EngineError
from engine.index import Index
from engine.language import tr, trn
from ui import jobs, link, words
from ui.components import Cell, Row, gallery, table
from ui.evaluation import told
from ui.jobs import Job
from ui.vocabulary import kept, tiles, usage, view
from ui.vocabulary.view import View

SIZES = (50, 100, 200, 500, 1000, 2000)
N_TILES = 12
N_DEAD = 24
MOST_POINTS = 3000


def show(shown: Index, here: View) -> None:
    """Show the vocabulary's figures, its curves, and its words by what they tell."""
    st.header(tr("How good is this vocabulary?"), anchor=False, help=tr(words.TERMS["word"]))
    figures(shown)
    left, right = st.columns(2, gap="large")
    with left:
        usage.lines([kept.side_of(shown)])
    with right:
        sizes(shown)
    dead(shown, here)
    informative(shown, here)


def figures(shown: Index) -> None:
    """Show the numbers of the vocabulary over the whole collection."""
    told = codebook_compare.usage_of(shown.frequency)
    heading = [
        tr("Words"),
        tr("Keypoints"),
        tr("Distortion"),
        tr("Entropy, bits"),
        tr("Evenness"),
        tr("Unused"),
    ]
    squares = shown.mean_distance.astype(np.float64) ** 2 + shown.std_distance.astype(float) ** 2
    distortion = float((squares * shown.frequency).sum() / max(told.n_descriptors, 1))
    cells = (
        f"{told.n_words:,}",
        f"{told.n_descriptors:,}",
        f"{distortion:.4f}",
        f"{told.entropy:.2f}",
        f"{told.evenness:.1%}",
        f"{told.n_dead:,}",
    )
    rows = [Row(tuple(Cell(cell) for cell in cells))]
    table(heading, rows, "figures", tr("The vocabulary in numbers"), heading)
    st.caption(usage.explained())


def sizes(shown: Index) -> None:
    """Offer to learn other sizes, or show the curves over them."""
    st.subheader(tr("Would another size be better?"), anchor=False)
    key = ("sizes", shown.name, shown.stamp)
    job = jobs.JOBS.get(key)
    if job is not None and job.active:
        jobs.progress(job, tr("Learning vocabularies of other sizes"))
    elif job is not None and job.state == jobs.DONE:
        curves(shown, job.result)
    elif job is not None:
        jobs.failed(job)
    else:
        _offer(shown, key)


def _offer(shown: Index, key: tuple[str, ...]) -> None:
    st.caption(
        tr(
            "From a sample of {n:,} keypoints, vocabularies of {low} to {high:,} words are learned "
            "on one half and measured on the other; about half a minute. Larger ones, and larger "
            "samples, by a command:",
            n=kept.N_SAMPLED,
            low=SIZES[0],
            high=SIZES[-1],
        )
    )
    command = f"python -m engine codebooks quality {shown.name} --sizes 500,2000,10000"
    st.code(f"{command} --descriptors 300000", language=None, wrap_lines=True)

    def work(running: Job) -> tuple[Size, ...]:
        sample = kept.sample(shown, running, 60)
        asked = [size for size in SIZES if 4 * size <= len(sample)]
        told = running.part(60, 100)
        return codebook_quality.over_sizes(
            sample, shown.extraction, asked or [2], seed=0, progress=told
        )

    st.button(
        tr("Learn other sizes"),
        key="learn-sizes",
        on_click=jobs.begin,
        args=(key, work, jobs.VOCABULARY),
    )


def curves(shown: Index, found: tuple[Size, ...]) -> None:
    """Draw distortion and usage over the size."""
    names = [f"{size.n_words:,}" for size in found]
    axis = {"type": "category", "data": names, "name": tr("Words"), "nameLocation": "middle"}
    learned, held_out = tr("learned from"), tr("held out")
    spec = _lines(
        axis,
        tr("Distortion"),
        {
            learned: [round(size.learned, 4) for size in found],
            held_out: [round(size.held_out, 4) for size in found],
        },
    )
    ends = (found[0].held_out, found[-1].held_out)
    st.echarts_chart(
        spec,
        height=240,
        key="distortion",
        alt=tr(
            "Distortion over the number of words: from {first:.3f} at {low} to {last:.3f} at "
            "{high}, on keypoints held out. The table below has all numbers.",
            first=ends[0],
            last=ends[1],
            low=names[0],
            high=names[-1],
        ),
    )
    even = [round(100 * size.usage.evenness, 1) for size in found]
    unused = [round(100 * size.usage.dead_share, 1) for size in found]
    series = {tr("Evenness, %"): even, tr("Unused, %"): unused}
    st.echarts_chart(
        _lines(axis, "%", series),
        height=240,
        key="usage-over-sizes",
        alt=tr(
            "Usage over the number of words: evenness from {first:.0f} to {last:.0f} %. The table "
            "below has all numbers.",
            first=even[0],
            last=even[-1],
        ),
    )
    heading = [tr("Words"), learned, held_out, tr("Evenness"), tr("Unused")]
    rows = [
        Row(
            (
                Cell(f"{size.n_words:,}"),
                Cell(f"{size.learned:.4f}"),
                Cell(f"{size.held_out:.4f}"),
                Cell(f"{size.usage.evenness:.1%}"),
                Cell(f"{size.usage.dead_share:.1%}"),
            ),
            "✓" if size.n_words == shown.n_words else None,
        )
        for size in found
    ]
    table(heading, rows, "sizes", tr("Sizes in numbers"), heading)
    st.caption(
        tr(
            "Where the two lines part, the words fit what they were learned from better than "
            "anything else: more words need more keypoints to learn from."
        )
    )


def _lines(axis: dict[str, Any], name: str, series: dict[str, list[float]]) -> dict[str, Any]:
    return {
        "animation": False,
        "grid": {"left": 32, "right": 16, "top": 36, "bottom": 24},
        "legend": {"top": 0, "left": 8},
        "tooltip": {"trigger": "axis"},
        "xAxis": axis | {"nameGap": 28},
        "yAxis": {"type": "value", "name": name, "nameLocation": "middle", "nameGap": 40},
        "series": [
            {
                "type": "line",
                "name": title,
                "data": values,
                "symbolSize": 7,
                "lineStyle": {"type": kind, "width": 2.5},
            }
            for (title, values), kind in zip(series.items(), usage.KINDS)
        ],
    }


def dead(shown: Index, here: View) -> None:
    """Name the words that no picture holds."""
    ids = codebook_quality.dead_words(shown)
    if not len(ids):
        st.caption(tr("Every word has keypoints in this collection."))
        return
    told = trn("{n:,} word is unused", "{n:,} words are unused", len(ids))
    st.subheader(told, anchor=False)
    made = tiles.word_tiles(shown, here, ids[:N_DEAD].tolist())
    gallery(made, "dead", told, N_DEAD // 2, 4, ratio="1 / 1", sharp=True)
    if len(ids) > N_DEAD:
        st.caption(tr("The first {n} of them.", n=N_DEAD))


def informative(shown: Index, here: View) -> None:
    """Show which words tell most about a ground truth's landmarks, and which least."""
    st.subheader(tr("Which words tell pictures apart?"), anchor=False)
    st.caption(
        tr(
            "By the mutual information of a word with a ground truth: how much it tells, in bits, "
            "about which landmark a picture shows, that the picture holds more of the word than "
            "the median picture."
        )
    )
    names = truths.list_truths()
    if here.truth and here.truth not in names:
        st.warning(tr("There is no ground truth {name}.", name=words.plain(here.truth)))
    if not names:
        st.info(tr("There is no ground truth yet. Make one, or upload a csv, in Evaluation."))
        link.page_link("evaluation", tr("To the ground truths"))
        return
    key = "choose-informing-truth"
    st.session_state[key] = here.truth if here.truth in names else None
    st.selectbox(
        tr("Ground truth"),
        names,
        key=key,
        placeholder=tr("Choose a ground truth"),
        on_change=lambda: view.go(truth=st.session_state[key] or ""),
    )
    if here.truth not in names:
        return
    try:
        found = kept.informative(shown, here.truth)
    except EngineError as error:
        st.warning(told.told(error))
        return
    _told(shown, here, found)


def _told(shown: Index, here: View, found: Informative) -> None:
    order = found.order()
    above = found.count - found.count_chance
    st.markdown(
        tr(
            "On average a word tells {mean:.3f} bits about {n} landmarks; chance alone would give "
            "{chance:.3f}. The best, word {best}, tells {most:.3f}, of {entropy:.2f} that there "
            "are to know.",
            mean=found.count.mean(),
            n=len(found.landmarks),
            chance=found.count_chance.mean(),
            best=int(order[0]),
            most=found.count[order[0]],
            entropy=found.entropy,
        )
    )
    held = shown.document_frequency
    drawn = (
        order
        if len(order) <= MOST_POINTS
        else order[np.arange(MOST_POINTS) * len(order) // MOST_POINTS]
    )
    points = [(int(held[word]), round(float(above[word]), 4), int(word)) for word in drawn.tolist()]
    axis = {"type": "value", "nameLocation": "middle", "scale": True}

    def picked() -> None:
        for part in st.session_state["informative"]["selection"].get("selected") or []:
            places = [i for i in part.get("data_indices", []) if i < len(points)]
            if places:
                view.go(word=points[places[0]][2])
                return

    st.echarts_chart(
        {
            "animation": False,
            "grid": {"left": 32, "right": 16, "top": 16, "bottom": 28},
            "tooltip": {
                "trigger": "item",
                "formatter": tr(
                    "Word {word}: {bits} bits above chance, held by {images} images",
                    word="{@[2]}",
                    bits="{@[1]}",
                    images="{@[0]}",
                ),
            },
            "xAxis": axis | {"name": tr("Images that hold the word"), "nameGap": 28},
            "yAxis": axis | {"name": tr("Bits above chance"), "nameGap": 40},
            "series": [
                {
                    "type": "scatter",
                    "data": points,
                    "symbolSize": 7,
                    "selectedMode": "single",
                    "itemStyle": {"opacity": 0.6},
                }
            ],
        },
        height=300,
        key="informative",
        on_select=picked,
        alt=tr(
            "What each word tells, over how many images hold it; the most and the least "
            "informative are listed below."
        ),
    )
    titles = (tr("Most informative"), tr("Least informative"))
    for ids, title, key in zip((order[:N_TILES], order[::-1][:N_TILES]), titles, ("best", "worst")):
        st.markdown(f"**{title}**", help=tr("The number is in bits above chance."))
        scores = [f"{above[word]:+.2f}" for word in ids.tolist()]
        made = tiles.word_tiles(shown, here, ids.tolist(), scores=scores)
        gallery(made, key, title, N_TILES, 4, ratio="1 / 1", sharp=True)
