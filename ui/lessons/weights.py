"""Lesson 4: weights."""

import numpy as np
import streamlit as st

from engine import encode, methods
from engine.language import mark, tr, trn
from ui import opened, results, urls, words
from ui.components import Cell, Row, Tile, gallery, table
from ui.lessons.shared import Bench, Lesson, Step, ranking_tiles
from ui.lessons.view import MOST_OFF, go

TF_IDF = "tf-idf"
COMPARED = ("count", TF_IDF, encode.STOP, methods.SIGNATURES)
SAYS = {
    "count": mark("Counts: how often each word occurs."),
    TF_IDF: mark("tf-idf: counts, rare words weighing more."),
    encode.STOP: mark("tf-idf-stop: the same without the commonest twentieth of the words."),
    methods.SIGNATURES: mark("Signatures: keypoint with keypoint within each word."),
}
N_WORDS = 12


def rankings(bench: Bench) -> None:
    """Show the first results by several weightings, one below the other."""
    firsts = []
    for method in COMPARED:
        found = bench.answer(method)
        st.caption(tr(SAYS[method]))
        tiles = ranking_tiles(bench, found)
        firsts.append({tile.id for tile in tiles})
        label = tr("First results by {method}", method=method)
        gallery(tiles, f"lesson-by-{method}", label, columns=4, columns_small=4)
    common = len(set.intersection(*firsts))
    st.markdown(
        trn("**{n}** picture stands in all four lists.",
            "**{n}** pictures stand in all four lists.", common)
    )  # fmt: skip


def heavy(bench: Bench) -> None:
    """List the words of the photograph that weigh most, by counts and by tf-idf."""
    shown, bag = bench.shown, bench.query().bag
    left, right = st.columns(2)
    for column, method, title in (
        (left, "count", tr("By counts")),
        (right, TF_IDF, tr("By tf-idf")),
    ):
        values = encode.vector(bag, method, shown.word_weights(method)).astype(np.float64)
        total = max(float((values**2).sum()), 1e-12)
        order = np.argsort(-values, kind="stable")[: N_WORDS // 2]
        rows = []
        for word in order[values[order] > 0].tolist():
            name = tr("Word {word}", word=word)
            rows.append(
                Row(
                    (
                        Cell(
                            name,
                            urls.page("vocabulary", bench.link.to(word=word)),
                            urls.word(shown, word),
                            label=tr("{name}: open it in the vocabulary", name=name),
                        ),
                        Cell(f"{int(bag.counts[word]):,}"),
                        Cell(f"{shown.idf[word]:.2f}"),
                        Cell(f"{values[word] ** 2 / total:.1%}"),
                    )
                )
            )
        heading = [tr("Word"), tr("Count"), tr("idf"), tr("Weight")]
        with column:
            st.markdown(f"**{title}**")
            table(heading, rows, f"lesson-heavy-{method}", title, heading[1:])
    st.caption(
        tr("Weight: the word's share of the squared length of the histogram. idf here lies between "
           "{low:.2f} and {high:.2f}.", low=shown.idf.min(), high=shown.idf.max())
    )  # fmt: skip


def without(bench: Bench) -> bool:
    """Let words of the photograph be left out, and show the ranking before and after."""
    shown, here = bench.shown, bench.here
    bag = bench.query().bag
    values = encode.vector(bag, TF_IDF, shown.word_weights(TF_IDF))
    order = np.argsort(-values, kind="stable")[:N_WORDS]
    tiles = []
    for word in order[values[order] > 0].tolist():
        is_off = word in here.off
        off = tuple(w for w in here.off if w != word) if is_off else (*here.off, word)
        name = tr("Word {word}", word=word)
        told = (
            tr("{name}: take it in", name=name) if is_off else tr("{name}: leave it out", name=name)
        )
        tiles.append(
            Tile(
                id=word,
                url=urls.word(shown, word),
                href=here.href(off=tuple(sorted(off)[:MOST_OFF])),
                alt=told,
                title=told,
                rank=str(word),
                caption=f"✕ {tr('left out')}" if is_off else "",
            )
        )
    before = bench.answer(TF_IDF)
    after = opened.search_without(shown, bench.link, TF_IDF, here.off)
    title = tr("The words that weigh most: a click leaves one out")
    st.caption(title)
    gallery(tiles, "lesson-off", title, 6, 4, ratio="1 / 1", sharp=True)
    if here.off:
        st.button(tr("Take all in again"), on_click=go, kwargs={"off": ()})
    st.caption(tr("With all words"))
    gallery(ranking_tiles(bench, before), "lesson-all", tr("With all words"), 4, 2)
    if here.off:
        told = trn("Without {n} word", "Without {n} words", len(here.off))
        st.caption(told)
        gallery(ranking_tiles(bench, after), "lesson-less", told, 4, 2)
    orders = [[one.image_id for one in results.of(found)][:4] for found in (before, after)]
    if not here.off or not orders[0]:
        return False
    first = orders[0][0]
    scores = [
        float(found.ranking.scores[found.ranking.image_ids.tolist().index(first)])
        for found in (before, after)
    ]
    st.markdown(
        tr("The first result's score goes from {before} to **{after}**.",
           before=words.score(TF_IDF, scores[0]), after=words.score(TF_IDF, scores[1]))
    )  # fmt: skip
    return orders[0] != orders[1]


LESSON = Lesson(
    name="weights",
    title=mark("Weights"),
    learns=mark("Why rare words count more, and how far that carries."),
    minutes=5,
    steps=(
        Step(
            mark("Four rankings"),
            (
                mark(
                    "Two histograms are compared by the angle between them (cosine): it does not "
                    "matter how many keypoints there are, only how they are spread over the words."
                ),
                mark(
                    "What stands in the histogram is open to choice. Here are the first four "
                    "pictures by each."
                ),
            ),
            rankings,
            seen=mark(
                "Histograms bring in strangers: pictures of something else with a similar mixture "
                "of words. On 412 photographs of Oxford half of their first four results were "
                "right, by signatures nine of ten."
            ),
        ),
        Step(
            mark("Which words weigh most"),
            (
                mark(
                    "idf, the inverse document frequency, is the logarithm of all pictures over "
                    "those that hold the word. A word that every picture holds gets 0."
                ),
                mark("tf-idf multiplies the count with it."),
            ),
            heavy,
            seen=mark(
                "With a few hundred words nearly every picture holds nearly every word, so idf is "
                "small and changes little. With tens of thousands of words it tells far more."
            ),
        ),
        Step(
            mark("A word switched off"),
            (
                mark(
                    "Leave words out of your photograph, as if their keypoints were not there. "
                    "The search is made again by tf-idf at once."
                ),
            ),
            without,
            mark("Leave words out until the first four results change."),
            mark(
                "One word of hundreds moves a score by little. The first places change when two "
                "pictures stood close together, which with histograms they often do: compare their "
                "scores."
            ),
        ),
    ),
    further=mark("See what each word adds, in Why"),
    page="why",
    choices=lambda bench: bench.link.to(method=TF_IDF).write(),
    paper="Sivic, Zisserman, “Video Google”, ICCV 2003; Jégou, Douze, Schmid, “Hamming embedding "
    "and weak geometric consistency”, ECCV 2008",
)
