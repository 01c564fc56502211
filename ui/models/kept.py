"""What there is: models on disk or to be had, and the vectors that collections hold."""

import contextlib
import dataclasses

import streamlit as st

from engine import embeddings, index, methods, model_store
from engine.errors import EngineError, ModelError
from engine.model_store import Installed
from engine.models import DECLARED, Declared
from ui import opened


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A model by name.

    Attributes
    ----------
    name : str
    installed : Installed or None
        None if it is not installed, or damaged.
    fault : str
        What is wrong with it, if it is damaged, and the command that mends it.
    declared : Declared or None
        How it can be fetched; None for one of one's own.
    """

    name: str
    installed: Installed | None
    fault: str
    declared: Declared | None

    @property
    def is_here(self) -> bool:
        """Whether it lies on disk, well or damaged."""
        return self.installed is not None or bool(self.fault)


def known(name: str) -> Known | None:
    """Return the model of this name; None if there is none, here or to be had."""
    declared = DECLARED.get(name)
    try:
        return Known(name, model_store.open_model(name), "", declared)
    except ModelError as error:
        if name in model_store.list_models():
            return Known(name, None, str(error), declared)
    return None if declared is None else Known(name, None, "", declared)


def all_models() -> list[Known]:
    """Return all models that are on disk, by name, then those that can be had."""
    here = model_store.list_models()
    names = [*here, *(name for name in DECLARED if name not in here)]
    return [one for name in names if (one := known(name)) is not None]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Vectors that a collection holds.

    Attributes
    ----------
    collection : str
    method : str
        What they are called: the model's name, and whether they were whitened.
    n_vectors, n_dimensions : int
        Pictures that have one, and its length.
    skipped : tuple of (path, reason)
        Pictures without one.
    digest : str
        Of the weights and their use; empty if they cannot be used.
    fault : str
        Why they cannot be used.
    """

    collection: str
    method: str
    n_vectors: int
    n_dimensions: int
    skipped: tuple[tuple[str, str], ...]
    digest: str
    fault: str = ""


@st.cache_resource(max_entries=64, show_spinner=False)
def _of_index(folder: str, name: str, stamp: str) -> tuple[Held, ...]:
    shown, found = opened.open_index(name), []
    for method in methods.embedded(shown.parts):
        try:
            kept = embeddings.open_embeddings(shown, method)
        except EngineError as error:
            found.append(Held(name, method, 0, 0, (), "", str(error)))
            continue
        skipped = tuple((one.path, one.reason) for one in kept.skipped)
        n_images, n_dimensions = kept.vectors.shape
        n_vectors = n_images - len(skipped)
        found.append(Held(name, method, n_vectors, n_dimensions, skipped, kept.digest))
    return tuple(found)


def held_by(name: str) -> tuple[Held, ...]:
    """Return the vectors that a collection holds, by method; none if it cannot be opened."""
    with contextlib.suppress(EngineError, OSError):
        return _of_index(str(index.index_folder(name)), name, index.stamp(name))
    return ()


def holding(model: str) -> list[Held]:
    """Return the vectors of a model, whitened or not, of all collections."""
    found = [one for name in index.list_indexes() for one in held_by(name)]
    return [one for one in found if methods.model_of(one.method) == model]
