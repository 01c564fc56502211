"""A map of the vocabulary: words that lie together among 128 dimensions lie together on a plane.

By t-SNE, begun from the two main directions, so that the same words give the same map: in trials
it kept more than twice as many of each word's neighbours as main directions alone or
multidimensional scaling did (`WordMap.kept` tells of each map how many). Of more than 5,000 words
so many are laid out so, and each other word goes beside its nearest of these.
"""

import dataclasses
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.index import Index

PART = "map"
N_NEAR = 10
FEWEST = 10  # words; fewer are laid out by their two main directions
PERPLEXITY = 30.0
MANY = 5000  # words that t-SNE lays out at most
_ALONE = threading.Lock()  # the limit on threads is the whole process's
_SAMPLED = 2000  # words at which the map is judged, where there are more


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class WordMap:
    """Where each word lies on the map.

    Attributes
    ----------
    places : (K, 2) float32 array
        x and y of each word, in 0 to 1; both axes have the same scale, which means nothing else.
    kept : float
        Share of each word's 10 nearest words that are among its 10 nearest on the map, on average:
        how far the map may be trusted. 1 for a perfect one.
    """

    places: NDArray[np.float32]
    kept: float


def _main_directions(centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Project words on the two directions in which they differ most."""
    apart = centres - centres.mean(axis=0)
    _, vectors = np.linalg.eigh(apart.T @ apart)
    axes = vectors[:, ::-1][:, :2]
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    found: NDArray[np.float64] = apart @ (axes * np.where(largest < 0, -1.0, 1.0))
    return found


def _into_square(places: NDArray[np.float64]) -> NDArray[np.float32]:
    """Move and scale places into [0, 1] x [0, 1], its middle in theirs."""
    low, high = places.min(axis=0), places.max(axis=0)
    scale = float((high - low).max()) or 1.0
    fitted = (places - (low + high) / 2) / scale + 0.5
    inside: NDArray[np.float32] = np.clip(fitted, 0.0, 1.0).astype(np.float32)
    return inside


def lay_out(centres: NDArray[np.float32], seed: int = 0) -> WordMap:
    """Lay words out on a plane; one thread does it, so that the same words give the same map.

    Parameters
    ----------
    centres : (K, D) float32 array
        The words, K and D at least 2.
    seed : int
        Decides what is left to chance.

    Returns
    -------
    WordMap

    Raises
    ------
    ValueError
        If there are fewer than two words or dimensions, or a value is not finite.

    References
    ----------
    van der Maaten, Hinton, "Visualizing data using t-SNE", JMLR 2008. Kobak, Berens, "The art of
    using t-SNE for single-cell transcriptomics", Nature Communications 2019 (the start).
    """
    from threadpoolctl import threadpool_limits

    if centres.ndim != 2 or min(centres.shape) < 2 or not np.isfinite(centres).all():
        raise ValueError(f"a map needs two finite words or more, got {centres.shape}")
    with _ALONE, threadpool_limits(1):
        flat = _main_directions(centres.astype(np.float64))
        spread = float(flat[:, 0].std())
        if len(centres) >= FEWEST and spread > 0:
            method = _tsne if len(centres) <= MANY else _by_some
            flat = method(centres.astype(np.float64), flat * (1e-4 / spread), seed)
        places = _into_square(flat)
        return WordMap(places, kept_neighbours(centres, places, seed=seed))


def _tsne(
    centres: NDArray[np.float64], start: NDArray[np.float64], seed: int
) -> NDArray[np.float64]:
    from sklearn.manifold import TSNE

    method = TSNE(
        perplexity=min(PERPLEXITY, (len(centres) - 1) / 3),
        init=start.astype(np.float32),
        random_state=seed,
        n_jobs=1,
    )
    found: NDArray[np.float64] = method.fit_transform(centres.astype(np.float32))
    return found.astype(np.float64)


def _by_some(
    centres: NDArray[np.float64], start: NDArray[np.float64], seed: int
) -> NDArray[np.float64]:
    """Lay `MANY` words out, and put each other word beside its nearest of these."""
    from sklearn.neighbors import NearestNeighbors

    random = np.random.default_rng(seed)
    drawn = np.sort(random.choice(len(centres), MANY, replace=False))
    laid = _tsne(centres[drawn], start[drawn], seed)
    distances, near = NearestNeighbors(n_neighbors=2).fit(centres[drawn]).kneighbors(centres)
    # Towards the second, but no nearer to any other laid out than to the first: half of its room.
    room = NearestNeighbors(n_neighbors=2).fit(laid).kneighbors(laid)[0][:, 1] / 2
    first, second = laid[near[:, 0]], laid[near[:, 1]]
    apart = np.maximum(np.linalg.norm(second - first, axis=1), 1e-9)
    share = distances[:, 0] / np.maximum(distances.sum(axis=1), 1e-9)  # 0 to 1/2
    steps = 2 * share * np.minimum(room[near[:, 0]], apart / 2) / apart
    places: NDArray[np.float64] = first + steps[:, None] * (second - first)
    return places


def kept_neighbours(
    centres: NDArray[np.float32],
    places: NDArray[np.float32],
    n_near: int = N_NEAR,
    seed: int = 0,
) -> float:
    """Tell how many of each word's nearest words are among its nearest on the map, on average.

    Parameters
    ----------
    centres : (K, D) float32 array
        The words.
    places : (K, 2) float32 array
        Their places on the map.
    n_near : int
        How many are nearest; no more than K - 1.
    seed : int
        Draws the words to look at, where there are more than 2,000; neighbours are sought among
        all.

    Returns
    -------
    float
        0 to 1.
    """
    n_near = min(n_near, len(centres) - 1)
    asked = np.arange(len(centres))
    if len(asked) > _SAMPLED:
        asked = np.random.default_rng(seed).choice(len(asked), _SAMPLED, replace=False)
    near, on_map = (_nearest(of, asked, n_near) for of in (centres, places))
    shared = [len(np.intersect1d(a, b)) for a, b in zip(near, on_map)]
    return float(np.mean(shared)) / n_near


def _nearest(points: NDArray[np.float32], asked: NDArray[Any], n_near: int) -> NDArray[np.int64]:
    from sklearn.neighbors import NearestNeighbors

    found = NearestNeighbors(n_neighbors=n_near + 1).fit(points)
    ids = found.kneighbors(points[asked], return_distance=False)
    # A word is not its own neighbour; behind words at the same place it may stand anywhere.
    own = ids == asked[:, None]
    own[~own.any(axis=1), -1] = True
    others: NDArray[np.int64] = ids[~own].reshape(len(ids), n_near)
    return others


def to_part(found: WordMap, digest: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the parameters and arrays of an index's part that keeps a map of these words."""
    return {"codebook": digest, "kept": round(found.kept, 6)}, {"places": found.places}


def open_map(index: Index) -> WordMap | None:
    """Return the map that an index keeps; None if it has none of its own words.

    Indexes of before have none, see `map_of`.
    """
    if PART not in index.parts:
        return None
    told = index.manifest["parts"][PART]["parameters"]
    if told.get("codebook") != index.codebook.sha256:
        return None
    return WordMap(index.parts[PART]["places"], float(told["kept"]))


def map_of(index: Index) -> WordMap:
    """Return the map that an index keeps; laid out now where it has none of its own words.

    Nothing is written: whoever looks at an index leaves it as it is.
    """
    kept = open_map(index)
    return lay_out(index.codebook.centres) if kept is None else kept
