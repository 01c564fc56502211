"""Marks that a visitor has made and not yet saved: they last as long as the session."""

import dataclasses
from collections.abc import Mapping

import streamlit as st

from engine import truths
from engine.errors import ConflictError
from engine.index import Index
from engine.truths import Truth
from ui.evaluation import kept


@dataclasses.dataclass(eq=False)
class Draft:
    """A ground truth with changes that are not saved.

    Attributes
    ----------
    base : Truth
        As it was opened.
    changes : dict of str to dict of str to str
        All marks of each changed query, by paths.
    conflict : bool
        Whether someone else saved or deleted it meanwhile, so that saving was refused.
    gone : bool
        Whether someone else deleted it meanwhile: saving makes it anew.
    version : int
        Rises when marks change by other means than clicks on them.
    """

    base: Truth
    changes: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    conflict: bool = False
    gone: bool = False
    version: int = 0

    def marks(self, query: str) -> dict[str, str]:
        """Return the marks of a query as they are now."""
        return dict(self.changes.get(query, self.base.marks.get(query, {})))

    def mark(self, query: str, marks: Mapping[str, str]) -> None:
        """Take in all marks of a query."""
        if dict(marks) == dict(self.base.marks.get(query, {})):
            self.changes.pop(query, None)
        else:
            self.changes[query] = dict(marks)

    def queries(self) -> list[str]:
        """Return every query that has marks, those of the file first."""
        return [q for q in dict.fromkeys([*self.base.marks, *self.changes]) if self.marks(q)]

    def save(self, shown: Index) -> None:
        """Write the changes down, unless someone else saved or deleted it: that is a conflict."""
        try:
            self.base = truths.save(self.base.name, self.base.digest, self.changes, shown)
        except ConflictError:
            self.conflict = True
            return
        self.changes.clear()
        self.conflict = self.gone = False

    def rebase(self, theirs: Truth, *, keep: bool) -> None:
        """Go on from what someone else left, with the marks changed here put onto it or not."""
        mine = {query: self._changed(query) for query in self.changes} if keep else {}
        self.gone = not theirs.digest and bool(self.base.digest or self.gone)
        self.base, self.conflict = theirs, False
        self.changes.clear()
        for query, changed in mine.items():
            merged = self.marks(query) | {p: mark for p, mark in changed.items() if mark}
            self.mark(query, {p: mark for p, mark in merged.items() if changed.get(p) != ""})
        self.version += 1

    def _changed(self, query: str) -> dict[str, str]:
        """Return the pictures whose marks were changed here; "" where a mark was taken away."""
        before, after = self.base.marks.get(query, {}), self.changes[query]
        return {
            picture: after.get(picture, "")
            for picture in {**before, **after}
            if before.get(picture) != after.get(picture)
        }


def draft(name: str, shown: Index) -> Draft:
    """Return this visitor's draft of a ground truth; without changes it is what is on disk."""
    held: dict[tuple[str, str], Draft] = st.session_state.setdefault("drafts", {})
    key = (shown.name, name)
    found = held.get(key)
    if found is None:
        found = held[key] = Draft(kept.open_truth(name, shown))
    elif not found.changes:
        now = kept.open_truth(name, shown)
        if now.digest != found.base.digest:
            found.rebase(now, keep=False)
    return found
