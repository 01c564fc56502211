"""The tour: one search from its pixels to a score taken apart."""

import numpy as np
import streamlit as st

from engine import account, images
from engine.explanation import COUNTS
from engine.language import mark, tr, trn
from ui import query, results, urls, words
from ui.components import Cell, Row, Tile, gallery, table
from ui.lessons import figures, to_words
from ui.lessons.shared import Bench, Lesson, Step, n_keypoints, picked_result
from ui.why.view import View as Why

N_PIXELS = 12
N_STRONG = 150
N_RESULTS = 4
N_BROKEN = 30


def photograph(bench: Bench) -> None:
    """Show the query."""
    height, width = bench.query().image.gray.shape
    name = query.name(bench.shown, bench.link)
    tile = Tile(
        id=0,
        url=urls.query(bench.shown, bench.link, 1280),
        href=urls.page("inspect", bench.link),
        alt=tr("The query, {name}: look closer", name=name),
        title=name,
    )
    gallery([tile], "lesson-query", tr("The query"), 1, 1, ratio=f"{width} / {height}")
    st.caption(
        tr("{name}, {width:,} × {height:,} pixels", name=words.plain(name), width=width,
           height=height)
    )  # fmt: skip


def pixels(bench: Bench) -> None:
    """Show the gray picture, and some of its numbers."""
    gray = bench.query().image.gray
    found = bench.query().features
    left, right = st.columns(2)
    small = images.shrink(gray, figures.SIDE)
    left.image(small, width="stretch", output_format="JPEG", alt=tr("The picture in gray"))
    height, width = gray.shape
    x, y = (found.xy[0] if len(found) else np.array([width, height]) / 2).tolist()
    x0 = int(np.clip(round(x) - N_PIXELS // 2, 0, max(0, width - N_PIXELS)))
    y0 = int(np.clip(round(y) - N_PIXELS // 2, 0, max(0, height - N_PIXELS)))
    part = gray[y0 : y0 + N_PIXELS, x0 : x0 + N_PIXELS]
    cells = [
        {
            "value": [j, i, value],
            "itemStyle": {"color": f"rgb({value},{value},{value})"},
            "label": {"color": "#fff" if value < 120 else "#000"},
        }
        for i, line in enumerate(part.tolist())
        for j, value in enumerate(line)
    ]
    axis = {"type": "category", "show": False}
    spec = {
        "animation": False,
        "grid": {"left": 4, "right": 4, "top": 4, "bottom": 4},
        "xAxis": {**axis, "data": list(range(part.shape[1]))},
        "yAxis": {**axis, "data": list(range(part.shape[0])), "inverse": True},
        "series": [
            {"type": "heatmap", "data": cells, "label": {"show": True, "fontSize": 11}}
        ],
    }  # fmt: skip
    with right:
        alt = tr("{n} lines of {m} pixels as numbers: from {low} to {high}", n=part.shape[0],
                 m=part.shape[1], low=int(part.min()), high=int(part.max()))  # fmt: skip
        st.echarts_chart(spec, height=380, key="lesson-pixels", alt=alt)
        st.caption(tr("Pixels from {x:,}, {y:,} on, in the original", x=x0, y=y0))


def keypoints(bench: Bench) -> None:
    """Show the strongest keypoints."""
    n = len(bench.query().features)
    figures.keypoints(bench, min(n, N_STRONG), "lesson-tour")
    st.caption(
        tr("{n} in all, of which the strongest {few:,} are shown. Click one to follow it.",
           n=n_keypoints(n), few=min(n, N_STRONG))
    )  # fmt: skip


def one(bench: Bench) -> None:
    """Show one keypoint's patch and its numbers."""
    row = bench.keypoint()
    of = bench.query().features
    left, right = st.columns([1, 2], vertical_alignment="center")
    left.image(
        figures.patch(bench, row), width="stretch", alt=tr("The patch of this keypoint, upright")
    )
    with right:
        st.caption(
            tr("Keypoint {place:,}: {size:.0f} pixels wide, pointing {angle:.0f}° clockwise from "
               "the right", place=row + 1, size=of.size[row], angle=of.angle[row])
        )  # fmt: skip
        figures.descriptor(bench, row)
    figures.keypoints(bench, min(len(of), N_STRONG), "lesson-tour")


def word(bench: Bench) -> None:
    """Show the keypoint beside its word."""
    row, shown = bench.keypoint(), bench.shown
    chosen = int(bench.query().words.word_ids[row])
    left, right = st.columns(2)
    left.image(
        figures.patch(bench, row),
        width="stretch",
        alt=tr("The patch of this keypoint, upright"),
        caption=tr("Keypoint {place:,}", place=row + 1),
    )
    with right:
        tile = Tile(
            id=chosen,
            url=urls.word(shown, chosen),
            href=urls.page("vocabulary", bench.link.to(word=chosen)),
            alt=figures.word_tiles_alt(bench, chosen),
            title=tr("Open the word in the vocabulary"),
            caption=tr("Word {word}", word=chosen),
        )
        gallery([tile], "lesson-word", tr("The word"), 1, 1, ratio="1 / 1", sharp=True)
    to_words.nearest_words(bench, row)


def histogram(bench: Bench) -> None:
    """Show the histogram."""
    counts = bench.query().bag.counts
    figures.histogram(bench, counts, "lesson-tour-histogram")
    used = int((counts > 0).sum())
    st.caption(
        trn("{n:,} of {all:,} words occurs", "{n:,} of {all:,} words occur", used, all=len(counts))
    )  # fmt: skip


def ranking(bench: Bench) -> None:
    """Show the first results."""
    found = bench.answer()
    listed = results.of(found)
    tiles = []
    for rank, one in enumerate(listed[:N_RESULTS], 1):
        name, told = bench.name_of(one.image_id), words.score(found.method, one.score)
        tiles.append(
            Tile(
                id=one.image_id,
                url=urls.picture(bench.shown, one.image_id, 640),
                href=bench.here.href(result=one.image_id, step=8),
                alt=tr("{name}, place {rank}, score {score}", name=name, rank=rank, score=told),
                title=name,
                caption=name,
                rank=str(rank),
                score=told,
            )
        )
    gallery(tiles, "lesson-results", tr("The first results"), columns=2, columns_small=2)
    st.caption(
        trn("The first of {n:,} picture. A click takes its score apart.",
            "The first of {n:,} pictures. A click takes its score apart.", found.n_images)
    )  # fmt: skip


def result(bench: Bench) -> None:
    """Show one result's matches, and what adds up to its score."""
    image_id = picked_result(bench)
    if image_id is None:
        return
    explained = bench.explained(image_id)
    of = explained.matches
    if of is None or len(of) == 0:
        st.info(tr("Nothing of this picture matches. Take another one."))
        return
    order = of.order
    rest = order[of.fates[order] != COUNTS]
    few = rest[figures.evenly(len(rest), N_BROKEN)]
    order = np.concatenate((order[of.fates[order] == COUNTS][: figures.N_LINES - N_BROKEN], few))
    sides = [
        np.column_stack((side.xy[order], side.size[order], side.angle[order]))
        for side in (of.query, of.database)
    ]
    numbers = np.round(np.concatenate(sides, axis=1).astype(float), 1).tolist()
    counts = of.fates[order] == COUNTS
    fates = np.where(counts, figures.COUNTS, figures.OFF).tolist()
    lines = [[*line, 1, fate, 0] for line, fate in zip(numbers, fates)]
    told = [
        tr("Adds {value:.3f}", value=float(value)) if value else tr("Does not count")
        for value in of.values[order].tolist()
    ]
    figures.beside(bench, image_id, lines, told, "lesson-result", explained.affine)
    st.markdown(words.plain(account.made(bench.answer(), explained)))
    rows = [
        Row((Cell(part.told), Cell(account.number(explained.method, part.value))))
        for part in account.parts(bench.shown, explained)
    ]
    total = Cell(account.number(explained.method, explained.total))
    rows.append(Row((Cell(tr("All together")), total), "="))
    heading = [tr("Part"), tr("Adds")]
    table(heading, rows, "lesson-parts", tr("The parts of the score"), heading[1:])


LESSON = Lesson(
    name="tour",
    title=mark("A tour through one search"),
    learns=mark("From the pixels of one photograph to the score of a result, in eight stops."),
    minutes=5,
    steps=(
        Step(
            mark("The photograph"),
            (
                mark(
                    "This is the query: the picture that is searched for. The tour follows it from "
                    "its pixels to its place among the results."
                ),
                mark(
                    "Stop whenever you like: the address of this page leads back to the same stop."
                ),
            ),
            photograph,
        ),
        Step(
            mark("Gray pixels"),
            (
                mark(
                    "Colour is left out. Each pixel becomes one number from 0, black, to 255, "
                    "white. Here are 12 × 12 of them, around the strongest keypoint."
                ),
                mark("From here on there is nothing but numbers."),
            ),
            pixels,
        ),
        Step(
            mark("Keypoints"),
            (
                mark(
                    "A keypoint is a small spot that stands out from what surrounds it: a blob or "
                    "a corner. The circle shows how large it is, the line which way it points."
                ),
                mark("Smooth parts of the picture have none."),
            ),
            keypoints,
        ),
        Step(
            mark("One keypoint"),
            (
                mark(
                    "What surrounds a keypoint is cut out, turned upright and brought to one size: "
                    "its patch."
                ),
                mark(
                    "Its descriptor says how brightness changes in the patch: eight sums (or four) "
                    "for each of 4 × 4 cells. Patches that look alike have similar numbers."
                ),
            ),
            one,
        ),
        Step(
            mark("Its visual word"),
            (
                mark(
                    "Comparing such lists of numbers for all pictures would take long. So each is "
                    "replaced by the nearest of a fixed set of examples, learned from the "
                    "collection: its visual word."
                ),
                mark("The tile shows the patches of the collection that are nearest to the word."),
            ),
            word,
        ),
        Step(
            mark("The histogram"),
            (
                mark(
                    "Counting the words turns the photograph into one list of numbers, whatever "
                    "its size. This is how a text is searched by its words, too."
                ),
            ),
            histogram,
        ),
        Step(
            mark("The ranking"),
            (
                mark(
                    "All pictures of the collection have been described in the same way before. "
                    "The keypoints of the query look under their words for similar ones, picture "
                    "by picture; then it is checked whether the matches agree on one movement."
                ),
                mark("What agrees makes the score, and the pictures are put in order by it."),
            ),
            ranking,
        ),
        Step(
            mark("One result taken apart"),
            (
                mark(
                    "Each line joins two keypoints that match. Full lines agree with each other "
                    "and count; broken ones, of which a few are drawn, do not."
                ),
                mark("Below, the parts add up to the score: nothing is left unexplained."),
            ),
            result,
        ),
    ),
    further=mark("See all of it in Why"),
    page="why",
    choices=lambda bench: Why(bench.link, bench.here.result).write(),
)
