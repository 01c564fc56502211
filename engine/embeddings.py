"""Vectors of a model, one a picture: a part of an index, and comparing with it.

Vectors have unit length, so their Euclidean distance d and their cosine c tell the same, c = 1 -
d^2 / 2, and order alike; a model's record says which of the two people are shown. The score of a
picture is always the cosine: it falls from best to worst as every other score does, and is a sum
over dimensions. The order is that of the distance, computed from differences, since among near
copies cosines round to the same number while their distances are far apart.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from engine import methods
from engine.errors import ArtifactError, ModelError, reason
from engine.index import Index, Skipped
from engine.language import tr, trn
from engine.model_store import Installed
from engine.models import Model
from engine.typed import MALFORMED
from engine.whitening import Whitening

FARTHEST = 2.0  # between vectors of unit length: where pictures without one are put
_NUMBERS = 1 << 18  # of a block that is turned to float64: 2 MB


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """The vectors of one model, opened.

    Attributes
    ----------
    method : str
        Their name: the model's, and what was done to them.
    model : Model
        As they were made.
    digest : str
        Of the weights and their use, see `Installed.digest`.
    vectors : (I, D) float32 array
        Unit length, mapped; zero for a picture that could not be read.
    whitening : Whitening or None
        What they went through after the model.
    skipped : tuple of Skipped
        Pictures that could not be read, and why.
    """

    method: str
    model: Model
    digest: str
    vectors: NDArray[np.float32]
    whitening: Whitening | None
    skipped: tuple[Skipped, ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A query beside the collection.

    Attributes
    ----------
    vector : (D,) float32 array
        The query's; zero if the model gave nothing.
    distances : (I,) float32 array
        Euclidean, 0 to 2; 2 for pictures without a vector.
    metric : str
        "euclidean" or "cosine": which to show.
    """

    vector: NDArray[np.float32]
    distances: NDArray[np.float32]
    metric: str


def part_of(method: str) -> str:
    """Return the name of the part that holds these vectors."""
    return methods.EMBEDDING + method


def open_embeddings(index: Index, method: str) -> Embeddings:
    """Return a model's vectors of an index.

    Raises
    ------
    ArtifactError
        If the index has none of these, or they do not fit it; the message names the command.
    """
    part = part_of(method)
    arrays, add = index.parts.get(part), methods.adding(part, index.name)
    if arrays is None:
        here = ", ".join(methods.embedded(index.parts)) or tr("none yet")
        raise ArtifactError(
            tr(
                "the index {name!r} has no vectors by {method} (it has: {here}). Make them with: "
                "{command}",
                name=index.name,
                method=method,
                here=here,
                command=add,
            )
        )
    try:
        told = index.manifest["parts"][part]["parameters"]
        vectors = arrays["vectors"]
        if vectors.ndim != 2 or len(vectors) != index.n_images or vectors.dtype != np.float32:
            shape = " x ".join(map(str, vectors.shape))
            raise ValueError(
                trn(
                    "vectors of {shape} for {n:,} image",
                    "vectors of {shape} for {n:,} images",
                    index.n_images,
                    shape=shape,
                )
            )
        whitening = None
        if "projection" in arrays:
            whitening = Whitening(arrays["mean"], arrays["projection"])
            if whitening.projection.shape != (len(whitening.mean), vectors.shape[1]):
                raise ValueError(tr("its whitening has another size than its vectors"))
            if not (np.isfinite(whitening.mean).all() and np.isfinite(whitening.projection).all()):
                raise ValueError(
                    tr("{array} holds numbers that are not finite", array=f"{part}/projection")
                )
        skipped = tuple(_skipped(*row) for row in told["skipped"])
        model = Model.from_json(told["model"])
        return Embeddings(method, model, str(told["digest"]), vectors, whitening, skipped)
    except MALFORMED as error:
        raise ArtifactError(
            tr(
                "the vectors by {method} of the index {name!r} do not fit ({why}). Make them anew "
                "with: {command}",
                method=method,
                name=index.name,
                why=reason(error),
                command=f"{add} --overwrite",
            )
        ) from None


def _skipped(path: object, why: object) -> Skipped:
    if not (isinstance(path, str) and isinstance(why, str)):
        raise ValueError(tr("its catalogue cannot list {row}", row=f"{path!r:.120}"))
    return Skipped(path, why)


def check_model(name: str, kept: Embeddings, installed: Installed) -> None:
    """Raise a ModelError if vectors of the index `name` were made by another model.

    That is one of other weights, or with another preparation of pictures.
    """
    if installed.digest != kept.digest:
        add = methods.adding(part_of(kept.method), name)
        raise ModelError(
            tr(
                "the vectors by {method} of the index {name!r} were made with another model than "
                "the {model!r} that is installed now: other weights, or pictures prepared in "
                "another way. Make them anew with: {command}",
                method=kept.method,
                name=name,
                model=installed.model.name,
                command=f"{add} --overwrite",
            )
        )


def compare(kept: Embeddings, vector: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the squared Euclidean distance of a query from every picture.

    Parameters
    ----------
    kept : Embeddings
    vector : (D,) float32 array
        Of unit length, or zero.

    Returns
    -------
    (I,) float64 array
        0 to 4; 4 for pictures without a vector, and 2 for all others if the query has none.

    Raises
    ------
    ValueError
        If the query has another number of dimensions.
    """
    n_images, n_dimensions = kept.vectors.shape
    if vector.shape != (n_dimensions,):
        raise ValueError(f"a query of {vector.shape} does not fit vectors of {n_dimensions}")
    query = vector.astype(np.float64)
    squared = np.empty(n_images)
    at_once = max(1, _NUMBERS // max(1, n_dimensions))
    for start in range(0, n_images, at_once):
        block = kept.vectors[start : start + at_once].astype(np.float64)
        empty = ~block.any(axis=1)
        block -= query
        found = np.minimum(np.einsum("id,id->i", block, block), FARTHEST**2)
        if not query.any():
            found[:] = 2.0
        found[empty] = FARTHEST**2
        squared[start : start + at_once] = found
    return squared
