"""Deleting a run or a ground truth: what is lost is said first, and asked for once more."""

import streamlit as st

from engine import runs, truths
from engine.errors import ConflictError
from engine.language import tr, trn
from engine.runs import Run
from ui import confirm, words
from ui.evaluation import told, view


def run(name: str, opened: Run | None) -> None:
    """Show the button that deletes a run; `opened` is None for one that cannot be read."""
    if not st.button(tr("Delete this run"), key=f"delete-{name}"):
        return
    if opened is None:
        called = words.plain(name)
        sentences = [
            tr("The run {name} cannot be read: nothing of it can be shown any more.", name=called)
        ]
    else:
        evaluation = opened.evaluation
        when = told.when(opened.made)
        called = tr("{method} of {when}", method=evaluation.method, when=when)
        sentences = [
            trn(
                "**{run}** on {truth}, {n:,} query.",
                "**{run}** on {truth}, {n:,} queries.",
                len(evaluation.results),
                run=called,
                truth=words.plain(opened.groundtruth),
            ),
            tr(
                "**Lost** for everyone, and for good: its figures, its curve, and what each query "
                "found."
            ),
            tr(
                "**Stays**: the pictures, the ground truth, and all other runs. You can measure "
                "again, but where pictures, words or marks have changed since, the figures can "
                "differ."
            ),
        ]

    def delete() -> str:
        view.go(run="", beside="", asked=None)
        if name not in runs.list_runs():
            raise ConflictError(tr("this run is gone already: someone else deleted it"))
        runs.delete_run(name)
        return tr("Deleted: the run {name}.", name=called)

    confirm.ask(tr("Delete this run?"), sentences, delete, told.told)


def truth(name: str, holds: str, digest: str, unsaved: bool = False) -> None:
    """Show the button that deletes a ground truth.

    Parameters
    ----------
    name : str
        The ground truth.
    holds : str
        What is in it, in a few words.
    digest : str
        Of what the visitor sees of it: later work of others is not deleted.
    unsaved : bool
        Whether the visitor has marks that are not saved.
    """
    label, what = tr("Delete"), tr("Delete this ground truth")
    if not st.button(label, key=f"delete-truth-{name}", help=what):
        return
    if unsaved:
        lost = tr(
            "**Lost** for everyone, and for good: all its marks, those that you have not saved "
            "too. Download the csv first if you may want them back."
        )
    else:
        lost = tr(
            "**Lost** for everyone, and for good: all its marks. Download the csv first if you "
            "may want them back."
        )
    sentences = [
        tr("**{name}**: {holds}.", name=words.plain(name), holds=holds),
        lost,
        tr(
            "**Stays**: the pictures, and the runs that were measured with it. Their figures and "
            "queries can still be seen and compared."
        ),
    ]

    def delete() -> str:
        truths.delete(name, digest)
        drafts = st.session_state.get("drafts", {})
        for key in [key for key in drafts if key[1] == name]:
            del drafts[key]
        view.go(truth="", image_id=None)
        return tr("Deleted: the ground truth {name}.", name=words.plain(name))

    confirm.ask(tr("Delete this ground truth?"), sentences, delete, told.told)
