"""The same size learned again with other seeds: which words come back."""

import numpy as np
import streamlit as st

from engine import codebook_stability
from engine.codebook_stability import Stability
from engine.index import Index
from engine.language import sentences, tr, trn
from ui import jobs
from ui.components import Cell, Row, gallery, table
from ui.jobs import Job
from ui.vocabulary import kept, tiles
from ui.vocabulary.view import View

MOST_WORDS = 2000  # more take minutes to learn: a command does it
N_TILES = 12


def show(shown: Index, here: View) -> None:
    """Offer to learn the size again, or show what came of it."""
    st.subheader(tr("Would the same words be learned again?"), anchor=False)
    key = ("again", shown.name, shown.stamp)
    job = jobs.JOBS.get(key)
    if job is not None and job.active:
        jobs.progress(job, tr("Learning the same size again"))
    elif job is not None and job.state == jobs.DONE:
        results(shown, here, job.result)
    elif job is not None:
        jobs.failed(job)
    else:
        _offer(shown, key)


def _offer(shown: Index, key: tuple[str, ...]) -> None:
    n_again = codebook_stability.N_AGAIN
    st.caption(
        tr(
            "From a sample of the collection's keypoints, {words} are learned {n} more times, each "
            "from another random start. Words that come back each time lie in clusters of the "
            "keypoints; the others could as well lie elsewhere.",
            words=tiles.n_words(shown.n_words),
            n=n_again,
        )
    )
    if shown.n_words > MOST_WORDS:
        st.markdown(tr("So many words take a while. This command does it, and tells the numbers:"))
        command = f"python -m engine codebooks quality {shown.name} --again {n_again}"
        st.code(f"{command} --descriptors {20 * shown.n_words}", language=None, wrap_lines=True)
        return

    def work(running: Job) -> Stability:
        sample = kept.sample(shown, running, 60)
        told = running.part(60, 100)
        return codebook_stability.learn_again(shown.codebook, sample, progress=told)

    label = tr("Learn it again")
    st.button(label, key="learn-again", on_click=jobs.begin, args=(key, work, jobs.VOCABULARY))


def results(shown: Index, here: View, found: Stability) -> None:
    """Show which words came back, and how far the vocabularies agree."""
    n_again = len(found.seeds)
    always = int((found.found == n_again).sum())
    never = int((found.found == 0).sum())
    st.markdown(
        tr(
            "Of {words}, **{always:,}** have a counterpart in all {n} vocabularies that were "
            "learned again, **{never:,}** in none.",
            words=tiles.n_words(len(found.found)),
            always=always,
            never=never,
            n=n_again,
        )
    )
    heading = [tr("Vocabulary"), tr("Distortion"), tr("Agreement with its own")]
    rows = [Row((Cell(shown.name), Cell(f"{found.own_distortion:.4f}"), Cell("1.000")))]
    for seed, distortion, agreement in zip(found.seeds, found.distortions, found.own_agreements):
        name = tr("Seed {seed}", seed=seed)
        rows.append(Row((Cell(name), Cell(f"{distortion:.4f}"), Cell(f"{agreement:.3f}"))))
    table(heading, rows, "again", tr("Vocabularies that were learned again"), heading[1:])
    lines = []
    if found.agreements:
        mean = float(np.mean(found.agreements))
        lines.append(tr("With each other they agree by {value:.3f} on average.", value=mean))
    lines.append(
        trn(
            "Each of them learned from {n:,} keypoint, the vocabulary itself from {own:,}: that "
            "parts them too.",
            "Each of them learned from {n:,} keypoints, the vocabulary itself from {own:,}: that "
            "parts them too.",
            found.n_descriptors,
            own=int(shown.codebook.training.get("n_descriptors", 0)),
        )
    )
    st.caption(sentences(*lines))
    firm = np.lexsort((found.distances, -found.found))[:N_TILES]
    loose = np.lexsort((-found.distances, found.found))[:N_TILES]
    titles = (tr("Words that come back"), tr("Words that do not"))
    for ids, title, key in zip((firm, loose), titles, ("firm", "loose")):
        st.markdown(f"**{title}**")
        scores = [f"{int(found.found[word])}/{n_again}" for word in ids.tolist()]
        made = tiles.word_tiles(shown, here, ids.tolist(), scores=scores)
        gallery(made, key, title, N_TILES, 4, ratio="1 / 1", sharp=True)
