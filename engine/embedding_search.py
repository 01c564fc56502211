"""Searching by a model's vectors: from a picture to an answer."""

import threading
import time
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine import cnn, methods, model_store, search
from engine.answer import Answer, Timings, Working
from engine.embeddings import Compared, Embeddings, check_model, compare, open_embeddings
from engine.images import Image
from engine.index import Index
from engine.models import Model
from engine.pool import available_cores

N_RESULTS = 30  # as the original showed
_NONE = Timings()
_LOADING = threading.Lock()


def _network(model: Model, path: Path, n_threads: int) -> cnn.Network:
    """Return a model that is loaded: visitors who come at once wait for one."""
    with _LOADING:
        return _loaded(model, path, n_threads)


@lru_cache(maxsize=2)
def _loaded(model: Model, path: Path, n_threads: int) -> cnn.Network:
    """Keep the models that were used last, two for side by side: half a gigabyte of memory each."""
    return cnn.Network(model, path, n_threads)


def embed_query(
    name: str, kept: Embeddings, image: Image, n_threads: int | None = None
) -> NDArray[np.float32]:
    """Turn a picture into a vector, as those of a collection were made.

    Parameters
    ----------
    name : str
        The index, for messages.
    kept : Embeddings
        Its vectors.
    image : Image
    n_threads : int or None
        None takes every core.

    Returns
    -------
    (D,) float32 array
        Of unit length.

    Raises
    ------
    ModelError
        If the model is not installed, or is another than the one that made the vectors.
    """
    installed = model_store.open_model(methods.model_of(kept.method))
    check_model(name, kept, installed)
    network = _network(installed.model, installed.path, n_threads or available_cores())
    vectors = network.embed([image])
    if kept.whitening is not None:
        vectors = kept.whitening.apply(vectors)
    return np.asarray(vectors[0])


def search_vector(
    index: Index,
    kept: Embeddings,
    vector: NDArray[np.float32],
    n_results: int | None = N_RESULTS,
    sha256: str | None = None,
    timings: Timings = _NONE,
) -> Answer:
    """Rank the collection by distance from a vector.

    Parameters
    ----------
    index : Index
    kept : Embeddings
        Of this index.
    vector : (D,) float32 array
        From `embed_query`, or one of the collection's.
    n_results : int or None
        How many, at least 1; None gives all.
    sha256 : str or None
        Images with this file content are left out.
    timings : Timings
        Of what was done before.

    Returns
    -------
    Answer
        Scores are cosines; `working.compared` holds the distances.
    """
    started = time.perf_counter()
    excluded = () if sha256 is None else index.same_content(sha256)
    squared = compare(kept, vector)
    # Ordered by what is exact; of the scores, which are rounded more, near copies share one.
    order = search.rank(-squared, n_results, excluded)
    scores = (1 - squared[order.image_ids] / 2).astype(np.float32)
    compared = Compared(vector, np.sqrt(squared).astype(np.float32), kept.model.metric)
    seconds = time.perf_counter() - started
    return Answer(
        search.Ranking(order.image_ids, scores),
        kept.method,
        index.n_images - len(excluded),
        excluded,
        Timings(surf=timings.surf, search=timings.search + seconds),
        working=Working(compared=compared),
    )


def search_picture(
    index: Index,
    image: Image,
    method: str,
    n_results: int | None = N_RESULTS,
    exclude_self: bool = True,
    n_threads: int | None = None,
) -> Answer:
    """Rank the collection for any picture, by the vectors of `method`.

    Raises
    ------
    ArtifactError
        If the index lacks these vectors; the message names the command that adds them.
    ModelError
        As in `embed_query`.
    """
    kept = open_embeddings(index, method)
    started = time.perf_counter()
    vector = embed_query(index.name, kept, image, n_threads)
    timings = Timings(surf=time.perf_counter() - started)
    sha256 = image.sha256 if exclude_self else None
    return search_vector(index, kept, vector, n_results, sha256, timings)


def search_image(
    index: Index,
    image_id: int,
    method: str,
    n_results: int | None = N_RESULTS,
    exclude_self: bool = True,
) -> Answer:
    """Rank the collection for one of its own pictures, by its stored vector: no model is needed."""
    kept = open_embeddings(index, method)
    entry = index.images[index.check_image_id(image_id)]
    sha256 = entry.sha256 if exclude_self else None
    return search_vector(index, kept, kept.vectors[image_id], n_results, sha256)
