"""A sample of a collection's descriptors, to measure vocabularies on."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine import features, images
from engine.errors import ArtifactError, ImageError
from engine.index import Index
from engine.language import tr

N_SAMPLED = 50_000
PART = "descriptors"  # of an index that was built with --keep-descriptors


def sample(
    index: Index,
    n_descriptors: int = N_SAMPLED,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float32]:
    """Draw descriptors of a collection.

    From those that the index keeps; else pictures are described anew, in random order, until there
    are twice as many as asked for, and the sample is drawn from these.

    Parameters
    ----------
    index : Index
        The collection.
    n_descriptors : int
        How many; all, where there are fewer.
    seed : int
        Decides the draw.
    progress : callable or None
        Told how many of the descriptors wanted are there, where pictures are described.

    Returns
    -------
    (N, D) float32 array

    Raises
    ------
    ArtifactError
        If the index keeps no descriptors and none of its pictures can be read.
    ValueError
        If n_descriptors is below 1.
    """
    if n_descriptors < 1:
        raise ValueError(f"n_descriptors must be at least 1, got {n_descriptors}")
    random = np.random.default_rng(seed)
    if PART in index.parts:
        kept = index.parts[PART]["descriptors"]
    else:
        kept = _describe(index, 2 * n_descriptors, random, progress)
    rows = random.choice(len(kept), min(len(kept), n_descriptors), replace=False)
    drawn: NDArray[np.float32] = np.array(kept[np.sort(rows)], np.float32)
    return drawn


def _describe(
    index: Index,
    n_wanted: int,
    random: np.random.Generator,
    progress: Callable[[int, int], None] | None,
) -> NDArray[np.float32]:
    n_dimensions = index.codebook.centres.shape[1]
    found = [np.zeros((0, n_dimensions), np.float32)]
    n_read = n_found = 0
    for image_id in random.permutation(index.n_images).tolist():
        try:
            gray = images.read(index.picture_path(image_id)).gray
        except ImageError:
            continue
        n_read += 1
        found.append(features.extract(gray, index.extraction).descriptors)
        n_found += len(found[-1])
        if progress is not None:
            progress(min(n_found, n_wanted), n_wanted)
        if n_found >= n_wanted:
            break
    if index.n_images and not n_read:
        raise ArtifactError(
            tr(
                "the index {name!r} keeps no descriptors, and none of its pictures in {folder} can "
                "be read. Put them back, or build it with --keep-descriptors",
                name=index.name,
                folder=index.root,
            )
        )
    return np.concatenate(found)
