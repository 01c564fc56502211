"""Two vocabularies side by side: which words answer to each other, and which divides better."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import codebook_compare
from engine.codebook_compare import Comparison, Counterparts, Measured
from engine.errors import ArtifactError
from engine.index import Index
from engine.language import sentences, tr, trn
from ui import jobs, opened, urls, words
from ui.components import Cell, Row, table
from ui.jobs import Job
from ui.link import Link
from ui.vocabulary import again, kept, usage, view
from ui.vocabulary.kept import Side
from ui.vocabulary.view import View

N_ROWS = 8
N_MEMBERS = 4


def show(shown: Index, here: View) -> None:
    """Let another vocabulary be chosen, and compare."""
    st.header(tr("Two vocabularies side by side"), anchor=False, help=tr(words.TERMS["word"]))
    names = kept.others(shown)
    if not names:
        st.info(
            tr(
                "There is no other vocabulary yet. Build a collection again under another name, "
                "with another number of words, and compare the two here."
            )
        )
        st.code(
            f"python -m engine build FOLDER --name {shown.name}-1000 --words 1000",
            language=None,
            wrap_lines=True,
        )
    else:
        _beside(shown, here, names)
    again.show(shown, here)


def _beside(shown: Index, here: View, names: list[str]) -> None:
    if here.beside not in ("", shown.name, *names):
        told = tr("There is no vocabulary {name}.", name=words.plain(here.beside))
        st.warning(told)
    key = "choose-beside"
    st.session_state[key] = here.beside if here.beside in names else None
    st.selectbox(
        tr("Compare {name} with", name=shown.name),
        names,
        key=key,
        placeholder=tr("another collection's words"),
        on_change=lambda: view.go(beside=st.session_state[key] or ""),
    )
    if here.beside not in names:
        st.caption(tr("Choose the vocabulary to lay beside it."))
        return
    a = kept.side_of(shown)
    try:
        b = kept.side(here.beside)
        found = kept.compared(a, b)
    except ArtifactError as error:
        st.warning(words.with_command(str(error)))
        return
    job = jobs.JOBS.get(_key(shown, b))
    measured: Comparison | None = None if job is None else job.result
    found = measured or found
    if found is not None:
        figures(a, b, found)
    _measuring(shown, a, b, job)
    usage.lines([one for one in (a, b) if one.shown is not None])
    if found is not None:
        lists(here, a, b, found)


def _key(shown: Index, b: Side) -> tuple[str, ...]:
    return ("compare", shown.name, shown.stamp, b.codebook.sha256)


def _measuring(shown: Index, a: Side, b: Side, job: Job | None) -> None:
    """Offer to measure both on pictures, or show how far that is."""

    def work(running: Job) -> Comparison:
        sample = kept.sample(shown, running, 90)
        return codebook_compare.compare(a.codebook, b.codebook, sample, (a.name, b.name))

    if job is None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                tr("Measure both on pictures"),
                on_click=jobs.begin,
                args=(_key(shown, b), work, jobs.VOCABULARY),
                key="measure-both",
            )
            st.caption(
                tr(
                    "Distortion, usage and agreement on {n:,} keypoints of {name}; about half a "
                    "minute.",
                    n=kept.N_SAMPLED,
                    name=words.plain(shown.name),
                ),
                width="content",
            )
    elif job.active:
        jobs.progress(job, tr("Measuring both vocabularies"))
    elif job.state != jobs.DONE:
        jobs.failed(job)


def figures(a: Side, b: Side, found: Comparison) -> None:
    """Show what is said of both vocabularies as a table."""
    heading = [
        tr("Vocabulary"),
        tr("Words"),
        tr("With a counterpart"),
        tr("Split by the other"),
        tr("Without a word of the other"),
    ]
    numbers = [tr("Distortion"), tr("Evenness"), tr("Unused")]
    told = found.measured_a is not None
    rows = []
    for one, words_of, measured in (
        (a, found.a, found.measured_a),
        (b, found.b, found.measured_b),
    ):
        cells = [
            Cell(one.name),
            Cell(f"{one.codebook.n_words:,}"),
            Cell(f"{int(words_of.mutual.sum()):,}"),
            Cell(f"{len(words_of.split):,}"),
            Cell(f"{int((words_of.n_claims == 0).sum()):,}"),
        ]
        rows.append(Row((*cells, *(_measured(measured) if told else ()))))
    table(
        heading + (numbers if told else []),
        rows,
        "compared",
        tr("Both vocabularies"),
        [*heading[1:], *numbers],
    )
    lines = [
        tr(
            "Counterparts are each other's nearest. A word is split where several of the other's "
            "words have it as their nearest: they are merged in it."
        )
    ]
    if told:
        lines.append(usage.explained())
    st.caption(sentences(*lines))
    if found.agreement is not None:
        agreement = tr(
            "Agreement {value:.3f}: 1 if both divide keypoints alike, 0 if by chance.",
            value=found.agreement,
        )
        st.markdown(agreement)
    if not found.same_features:
        st.caption(
            tr(
                "The two were learned on features of other settings: numbers on pictures favour "
                "the one that has those of {name}.",
                name=words.plain(a.name),
            )
        )


def _measured(measured: Measured | None) -> tuple[Cell, ...]:
    if measured is None:
        return (Cell("–"),) * 3
    return (
        Cell(f"{measured.distortion:.4f}"),
        Cell(f"{measured.usage.evenness:.1%}"),
        Cell(f"{measured.usage.n_dead:,}"),
    )


def _word(one: Side, here: View, word: int) -> Cell:
    """Return a word's cell: with its patches and its page, where it is one of a collection."""
    if one.shown is None:
        return Cell(str(word))
    to = here.link.to(word=word)
    if one.name != opened.name_of(here.link):  # pictures are numbered by collection
        to = Link(collection=one.name, word=word, language=to.language)
    label = tr("Word {word} of {name}", word=word, name=one.name)
    return Cell(str(word), urls.page("vocabulary", to), urls.word(one.shown, word), label=label)


def lists(here: View, a: Side, b: Side, found: Comparison) -> None:
    """Show the words that answer to each other, those split, and those that stand alone."""
    left, right = st.columns(2, gap="large")
    with left:
        _pairs(here, a, b, found)
        _alone(here, a, b, found.a, "alone-a")
    with right:
        _split(here, a, b, found.a, found.b, "split-a")
        _split(here, b, a, found.b, found.a, "split-b")
        _alone(here, b, a, found.b, "alone-b")


def _pairs(here: View, a: Side, b: Side, found: Comparison) -> None:
    pairs = found.pairs
    told = trn("{n:,} word with a counterpart", "{n:,} words with a counterpart", len(pairs))
    st.subheader(told, anchor=False)
    if not len(pairs):
        return
    # The nearest, the middle and the farthest.
    n_shown = min(2 * N_ROWS, len(pairs))
    places = np.unique(np.linspace(0, len(pairs) - 1, n_shown).round().astype(int))
    heading = [a.name, b.name, tr("Distance")]
    rows = [
        Row(
            (
                _word(a, here, int(pairs[place, 0])),
                _word(b, here, int(pairs[place, 1])),
                Cell(f"{float(found.a.distances[pairs[place, 0]]):.3f}"),
            )
        )
        for place in places.tolist()
    ]
    table(heading, rows, "pairs", told, heading[2:])
    if len(rows) < len(pairs):
        st.caption(tr("{n} of them, from the nearest pair to the farthest.", n=len(rows)))


def _split(
    here: View, a: Side, b: Side, ours: Counterparts, theirs: Counterparts, key: str
) -> None:
    split = ours.split
    split = split[np.argsort(-ours.n_claims[split], kind="stable")]
    st.subheader(
        trn(
            "{n:,} word of {a} that {b} splits",
            "{n:,} words of {a} that {b} splits",
            len(split),
            a=words.plain(a.name),
            b=words.plain(b.name),
        ),
        anchor=False,
    )
    if not len(split):
        return
    heading = [a.name, tr("Into"), tr("The nearest of them, in {name}", name=b.name)]
    rows = []
    for word in split[:N_ROWS].tolist():
        members = members_of(theirs, word)
        cells = [_word(a, here, word), Cell(f"{len(members):,}")]
        cells += [_word(b, here, member) for member in members[:N_MEMBERS].tolist()]
        cells += [Cell("")] * (len(heading) + N_MEMBERS - 1 - len(cells))
        rows.append(Row(tuple(cells)))
    wide = heading + [""] * (N_MEMBERS - 1)
    label = tr("Words of {a} that {b} splits", a=a.name, b=b.name)
    table(wide, rows, key, label, heading[1:2])


def members_of(theirs: Counterparts, word: int) -> NDArray[np.int32]:
    """Return the other's words whose nearest is this one, the nearest first."""
    members = np.flatnonzero(theirs.nearest == word)
    order = np.argsort(theirs.distances[members], kind="stable")
    return members[order].astype(np.int32)


def _alone(here: View, a: Side, b: Side, ours: Counterparts, key: str) -> None:
    """Show the words that lie farthest from all of the other's."""
    st.subheader(tr("Farthest from all of {name}", name=words.plain(b.name)), anchor=False)
    order = np.argsort(-ours.distances, kind="stable")[:N_ROWS]
    heading = [a.name, tr("Nearest in {name}", name=b.name), tr("Distance")]
    rows = [
        Row(
            (
                _word(a, here, word),
                _word(b, here, int(ours.nearest[word])),
                Cell(f"{float(ours.distances[word]):.3f}"),
            )
        )
        for word in order.tolist()
    ]
    table(heading, rows, key, tr("Words that have nothing near"), heading[2:])
