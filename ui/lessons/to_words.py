"""Lesson 3: from descriptors to words."""

import dataclasses

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import lookup, nearest
from engine.language import mark, tr, trn
from engine.surf import Features, Keypoints
from ui import opened, urls
from ui.components import Cell, Row, Tile, gallery, table
from ui.lessons import figures
from ui.lessons.shared import Bench, Lesson, Step, n_keypoints, picked_result
from ui.lessons.view import move, value

N_NEAR = 5
N_SHOWN = 200
N_PATCHES = 16
SEED = 1
SIZES = (10, 50, 200)


def word_of(bench: Bench) -> int:
    """Return the word that is looked at: the one chosen, else that of the keypoint."""
    chosen = bench.link.word
    if chosen is not None and chosen < bench.shown.n_words:
        return chosen
    return int(bench.query().words.word_ids[bench.keypoint()])


def near(bench: Bench) -> bool:
    """Show the words nearest to a keypoint, and how far each is."""
    found = bench.query()
    figures.keypoints(bench, min(N_SHOWN, len(found.features)), "lesson-near")
    row = bench.keypoint()
    left, right = st.columns([1, 3], vertical_alignment="center")
    left.image(
        figures.patch(bench, row),
        width=128,
        alt=tr("The patch of this keypoint, upright"),
        caption=tr("Keypoint {place:,}", place=row + 1),
    )
    with right:
        nearest_words(bench, row)
    return bench.here.keypoint is not None


def nearest_words(bench: Bench, row: int) -> None:
    """List the words nearest to one keypoint."""
    vocabulary, found = bench.shown.codebook, bench.query()
    one = found.features.descriptors[row : row + 1]
    ids = lookup.near_words(
        one, vocabulary.centres, found.words.word_ids[row : row + 1], N_NEAR, vocabulary.groups
    )[0]
    apart = vocabulary.centres[ids].astype(np.float64) - one
    distances = np.sqrt((apart**2).sum(axis=1)).tolist()
    rows = []
    for place, (word, distance) in enumerate(zip(ids.tolist(), distances)):
        name = tr("Word {word}", word=word)
        cell = Cell(
            name,
            urls.page("vocabulary", bench.link.to(word=word)),
            urls.word(bench.shown, word),
            label=tr("{name}: open it in the vocabulary", name=name),
        )
        rows.append(Row((cell, Cell(f"{distance:.3f}")), "✓" if place == 0 else None))
    heading = [tr("Word"), tr("Distance")]
    table(heading, rows, "lesson-near-words", tr("The nearest words"), heading[1:])


def patches(bench: Bench) -> None:
    """Show the patches of a word, and those that the photograph has of it."""
    shown, word = bench.shown, word_of(bench)
    st.markdown(f"**{tr('Word {word}', word=word)}**")
    count = int(shown.frequency[word])
    n_images = int(shown.document_frequency[word])
    st.caption(
        tr("{keypoints} of the collection, in {pictures}", keypoints=n_keypoints(count),
           pictures=trn("{n:,} picture", "{n:,} pictures", n_images))
    )  # fmt: skip
    tile = Tile(
        id=word,
        url=urls.word(shown, word),
        href=urls.page("vocabulary", bench.link.to(word=word)),
        alt=figures.word_tiles_alt(bench, word),
        title=tr("Open the word in the vocabulary"),
    )
    left, right = st.columns([1, 2])
    with left:
        st.caption(tr("In the collection, the nearest first"))
        gallery([tile], "lesson-word", tr("The word"), 1, 1, ratio="1 / 1", sharp=True)
    found = bench.query()
    own = np.flatnonzero(found.words.word_ids == word)
    own = own[np.argsort(found.words.distances[own], kind="stable")][:N_PATCHES]
    with right:
        times = trn(
            "In your photograph {n:,} time, the nearest first",
            "In your photograph {n:,} times, the nearest first",
            int((found.words.word_ids == word).sum()),
        )
        st.caption(times)
        if len(own):
            alt = tr("Patches of this word in your photograph")
            figures.strip(bench, found.image.rgb, found.features, own, alt)
        else:
            st.caption(tr("It does not occur there."))


def histogram(bench: Bench) -> bool:
    """Show how many keypoints of the photograph each word has."""
    counts = bench.query().bag.counts
    figures.histogram(bench, counts, "lesson-histogram")
    commonest, used = int(counts.argmax()), int((counts > 0).sum())
    st.markdown(
        trn("**{n:,}** of {all:,} words occurs", "**{n:,}** of {all:,} words occur", used,
            all=len(counts))
        + " · " + n_keypoints(int(counts.sum()))
    )  # fmt: skip
    word = bench.link.word
    if word is None or word >= len(counts):
        return False
    patches(bench)
    return bool(counts[word] == counts[commonest])


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Coarse:
    """Words of two pictures in a smaller vocabulary.

    Attributes
    ----------
    one, other : (N,), (M,) int32 arrays
        The word of each keypoint.
    """

    one: NDArray[np.int32]
    other: NDArray[np.int32]


@st.cache_resource(max_entries=32, ttl=1800, show_spinner=False)
def _coarse(name: str, stamp: str, one: str, other: int, size: int, _bench: Bench) -> Coarse:
    """Give the keypoints words from a part of the vocabulary, drawn by chance but always alike."""
    centres = opened.open_index(name).codebook.centres
    kept = np.sort(np.random.default_rng(SEED).permutation(len(centres))[:size])
    sides = _bench.query(), _bench.described(other)
    found = [lookup.assign(s.features.descriptors, centres[kept]).word_ids for s in sides]
    return Coarse(found[0], found[1])


def fewer(bench: Bench) -> bool | None:
    """Let the vocabulary be made smaller, and show what matches by equal words then."""
    image_id = picked_result(bench)
    if image_id is None:
        return None
    shown, one = bench.shown, bench.query()
    sizes = [size for size in SIZES if size < shown.n_words] + [shown.n_words]
    key = f"lesson-size-{sizes[-1]}"
    now = int(value("size", shown.n_words))
    st.session_state[key] = now if now in sizes else shown.n_words
    chosen = st.select_slider(
        tr("Words"),
        sizes,
        key=key,
        on_change=lambda: move("size", st.session_state[key], shown.n_words),
    )
    if chosen == shown.n_words:
        found = Coarse(one.words.word_ids, shown.words(image_id).word_ids)
        other: Features | Keypoints = shown.keypoints(image_id)  # in the order of its words
    else:
        of = (shown.name, shown.stamp, one.image.sha256, image_id, chosen)
        found = _coarse(*of, bench)
        other = bench.described(image_id).features
    n_pairs = nearest.n_equal_words(found.one, found.other)
    rows = nearest.equal_words(found.one, found.other, 20_000)
    affine, good = figures.judged(bench, image_id, other, rows)
    drawn = figures.evenly(len(rows), figures.N_LINES)
    part = np.zeros(len(drawn), bool) if good is None else good[drawn]
    matches = figures.lines(one.features, other, rows[drawn], part)
    told = [tr("Word {word}", word=int(found.one[i])) for i in rows[drawn, 0].tolist()]
    figures.beside(bench, image_id, matches, told, "lesson-fewer", affine)
    most = max(1, len(found.one) * len(found.other))
    st.markdown(
        trn("**{n:,}** pair of keypoints has an equal word: {share:.2%} of all pairs.",
            "**{n:,}** pairs of keypoints have an equal word: {share:.2%} of all pairs.",
            n_pairs, share=n_pairs / most)
    )  # fmt: skip
    if good is not None and len(good):
        st.caption(
            trn("Of the {n:,} with the rarest words {share:.1%} lies where the map says.",
                "Of the {n:,} with the rarest words {share:.1%} lie where the map says.",
                len(good), share=good.mean())
        )  # fmt: skip
    return bool(chosen == sizes[0])


LESSON = Lesson(
    name="words",
    title=mark("From descriptors to words"),
    learns=mark("How 128 numbers become one, and what is lost by that."),
    minutes=7,
    steps=(
        Step(
            mark("The nearest word"),
            (
                mark(
                    "The vocabulary was learned from the collection: its descriptors were sorted "
                    "into groups of similar ones (k-means). The middle of a group is a visual word."
                ),
                mark(
                    "A keypoint gets the word whose middle is nearest to its descriptor. The list "
                    "shows the first five and their distances."
                ),
            ),
            near,
            mark("Click a keypoint, or press n on the picture. How sure is its word?"),
            mark(
                "The second word is often hardly farther than the first. A little noise, and the "
                "keypoint gets the other number. Therefore the app looks under the next words too "
                "when it compares keypoint with keypoint."
            ),
        ),
        Step(
            mark("What a word looks like"),
            (
                mark(
                    "A word stands for patches that look alike to the descriptor. Some are easy to "
                    "name: a corner, a dark dot, a window bar. Others are not."
                ),
            ),
            patches,
            seen=mark(
                "The nearest patches of the collection look alike. Those of your photograph lie "
                "farther from the middle, and the last of them look like something else."
            ),
        ),
        Step(
            mark("The histogram"),
            (
                mark(
                    "Count how often each word occurs, and the photograph has become a list of "
                    "numbers, one a word. Where a keypoint lies is forgotten."
                ),
                mark("Two photographs are alike if their lists are alike."),
            ),
            histogram,
            mark("Click the highest bar. What does the commonest word look like?"),
            mark(
                "The commonest word is often something that nearly every photograph has: leaves, "
                "noise, the edge of a roof. It says little about what is seen, which leads to "
                "lesson 4."
            ),
        ),
        Step(
            mark("Fewer words"),
            (
                mark(
                    "With fewer words each covers more, and more keypoints match that have little "
                    "in common. Here some words of the vocabulary are drawn by chance and all "
                    "keypoints assigned anew."
                ),
                mark("A full line lies where the map between the pictures says, if there is one."),
            ),
            fewer,
            mark("Take the smallest vocabulary."),
            mark(
                "With ten words a tenth of all pairs match or more, and one in a hundred is "
                "right. More words make matches rarer and surer, until the same spot gets "
                "different words in two photographs: then right matches are lost."
            ),
        ),
    ),
    further=mark("Open the vocabulary"),
    page="vocabulary",
    choices=lambda bench: bench.link.to(word=None).write(),
    paper="Sivic, Zisserman, “Video Google: a text retrieval approach to object matching in "
    "videos”, ICCV 2003",
)
