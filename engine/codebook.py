"""Visual words: learned by k-means over descriptors, kept as a codebook."""

import dataclasses
import hashlib
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import approximate, artifacts, groups, lookup, signatures, typed
from engine.errors import ArtifactError, BuildError
from engine.features import ExtractionParams
from engine.groups import Groups
from engine.language import tr, trn
from engine.signatures import SignatureModel
from engine.typed import MALFORMED

ALGORITHMS = ("lloyd", "minibatch", "approximate")
_FARTHEST = 1e6  # from the origin that a word may lie along one axis
LARGE = 4096  # words; above, they are grouped, and the nearest is sought in the nearest groups
SAMPLINGS = ("images", "descriptors")
SEEDING_POINTS = 50  # per word; k-means++ over all 300,000 would cost more than the iterations


@dataclasses.dataclass(frozen=True, slots=True)
class CodebookParams:
    """How words are learned.

    Attributes
    ----------
    n_words : int
        Size of the vocabulary, at least 2.
    algorithm : str
        "lloyd" or "minibatch" k-means, both from a k-means++ start; "approximate" k-means, for
        vocabularies above `LARGE`, which take the others hours.
    sampling : str
        "images": all descriptors of a random tenth of the images, with more images until
        `n_samples` is reached. "descriptors": random descriptors from all images.
    n_samples : int
        Descriptors to learn from, where there are as many.
    n_iterations : int
        Most Lloyd steps, or passes over the sample for minibatch.
    seed : int
        Decides every random choice.
    """

    n_words: int = 500
    algorithm: str = "lloyd"
    sampling: str = "images"
    n_samples: int = 300_000
    n_iterations: int = 25
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_words < 2:
            raise ValueError(f"n_words must be at least 2, got {self.n_words}")
        if self.algorithm not in ALGORITHMS:
            raise ValueError(f"algorithm must be one of {ALGORITHMS}, got {self.algorithm!r}")
        if self.sampling not in SAMPLINGS:
            raise ValueError(f"sampling must be one of {SAMPLINGS}, got {self.sampling!r}")
        if self.n_samples < self.n_words:
            raise ValueError(f"n_samples must be at least n_words, got {self.n_samples}")
        if self.n_iterations < 1:
            raise ValueError(f"n_iterations must be at least 1, got {self.n_iterations}")
        if self.seed < 0:
            raise ValueError(f"seed must be at least 0, got {self.seed}")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Codebook:
    """A vocabulary of visual words.

    Attributes
    ----------
    centres : (K, D) float32 array
        The words, in descriptor space.
    params : CodebookParams
        How they were learned.
    extraction : ExtractionParams
        Which features they are words of; no other features may be assigned to them.
    training : dict
        n_images, n_descriptors, distortion (mean squared distance), seconds.
    signatures : SignatureModel
        How descriptors of each word become signatures.
    sha256 : str
        Digest of all numbers: two codebooks with the same digest are the same.
    groups : Groups or None
        Which words lie together, where there are more than `LARGE`.
    """

    centres: NDArray[np.float32]
    params: CodebookParams
    extraction: ExtractionParams
    training: dict[str, Any]
    signatures: SignatureModel
    sha256: str
    groups: Groups | None = None

    @property
    def n_words(self) -> int:
        """Size of the vocabulary."""
        return len(self.centres)


def usual_algorithm(n_words: int) -> str:
    """Return the algorithm that fits a size of vocabulary."""
    return "approximate" if n_words > LARGE else "lloyd"


def usual_samples(n_words: int) -> int:
    """Return how many descriptors such a vocabulary is learned from; 512 bytes each."""
    return max(300_000, min(30 * n_words, 2_000_000), n_words)


def digest_of(
    centres: NDArray[np.float32], model: SignatureModel, found: Groups | None = None
) -> str:
    """Return the sha256 of a vocabulary's numbers."""
    digest = hashlib.sha256()
    grouped = () if found is None else (found.heads, found.starts)
    for array in (centres, model.projection, model.medians, *grouped):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _lloyd(sample: NDArray[np.float32], params: CodebookParams) -> NDArray[np.float32]:
    from sklearn.cluster import KMeans, kmeans_plusplus

    random = np.random.default_rng(params.seed)
    n_seeding = min(len(sample), SEEDING_POINTS * params.n_words)
    rows = np.sort(random.choice(len(sample), n_seeding, replace=False))
    start, _ = kmeans_plusplus(sample[rows], params.n_words, random_state=params.seed)
    kmeans = KMeans(params.n_words, init=start, n_init=1, max_iter=params.n_iterations)
    centres: NDArray[np.float32] = kmeans.fit(sample).cluster_centers_
    return centres


def _minibatch(sample: NDArray[np.float32], params: CodebookParams) -> NDArray[np.float32]:
    from sklearn.cluster import MiniBatchKMeans

    kmeans = MiniBatchKMeans(
        params.n_words,
        n_init=1,
        max_iter=params.n_iterations,
        batch_size=4096,
        random_state=params.seed,
    )
    centres: NDArray[np.float32] = kmeans.fit(sample).cluster_centers_
    return centres


def train(
    descriptors: NDArray[np.float32],
    params: CodebookParams,
    extraction: ExtractionParams,
    n_images: int,
    n_threads: int = 1,
) -> Codebook:
    """Learn a vocabulary.

    One thread does it, but for approximate k-means: with more, scikit-learn adds partial sums in
    the order in which threads finish, and the same seed would give other words.

    Parameters
    ----------
    descriptors : (N, D) float32 array
        The sample.
    params : CodebookParams
        Number of words, algorithm, seed.
    extraction : ExtractionParams
        Where the descriptors come from; kept with the words.
    n_images : int
        Pictures in the sample; kept with the words.
    n_threads : int
        For approximate k-means; the result does not depend on it.

    Returns
    -------
    Codebook

    Raises
    ------
    BuildError
        If there are fewer descriptors than words.

    References
    ----------
    Sivic, Zisserman, "Video Google", ICCV 2003. Arthur, Vassilvitskii, "k-means++", SODA 2007.
    Philbin et al., "Object retrieval with large vocabularies", CVPR 2007.
    """
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    if len(descriptors) < params.n_words:
        raise BuildError(_too_few(params.n_words, len(descriptors), n_images, extraction))
    started = time.perf_counter()
    with threadpool_limits(1), warnings.catch_warnings():
        # Fewer different descriptors than words leaves words unused: allowed, and shown as such.
        warnings.simplefilter("ignore", ConvergenceWarning)
        centres, found = _learn(descriptors, params, n_threads)
        seconds = time.perf_counter() - started
        words = lookup.assign(descriptors, centres, found, n_threads)
        model = signatures.learn(
            descriptors, words.word_ids, params.n_words, params.seed, extraction.rooted
        )
    training = {
        "n_images": n_images,
        "n_descriptors": len(descriptors),
        "distortion": float(np.mean(words.distances.astype(np.float64) ** 2)),
        "seconds": round(seconds, 3),
    }
    digest = digest_of(centres, model, found)
    return Codebook(centres, params, extraction, training, model, digest, found)


def _learn(
    sample: NDArray[np.float32], params: CodebookParams, n_threads: int
) -> tuple[NDArray[np.float32], Groups | None]:
    """Learn the words, and group them where there are many."""
    if params.algorithm == "approximate":
        centres, found = approximate.learn(
            sample, params.n_words, params.n_iterations, params.seed, n_threads
        )
        return centres, found if params.n_words > LARGE else None
    method = _lloyd if params.algorithm == "lloyd" else _minibatch
    centres = np.ascontiguousarray(method(sample, params), np.float32)
    if params.n_words <= LARGE:
        return centres, None
    order, found = groups.gather(centres)
    return centres[order], found


def _folder(name: str) -> Path:
    return artifacts.artifacts_folder() / "codebooks" / artifacts.check_name(name)


def to_entry(codebook: Codebook, folder: Path) -> dict[str, Any]:
    """Write a codebook's arrays into an artifact's folder and return its part of the manifest."""
    arrays: dict[str, NDArray[Any]] = {
        "centres": codebook.centres,
        "projection": codebook.signatures.projection,
        "medians": codebook.signatures.medians,
    }
    if codebook.groups is not None:
        arrays |= {"heads": codebook.groups.heads, "group_starts": codebook.groups.starts}
    return {
        "parameters": dataclasses.asdict(codebook.params),
        "extraction": codebook.extraction.to_json(),
        "training": codebook.training,
        "digest": codebook.sha256,
        "arrays": {
            k: artifacts.write_array(folder, k.replace("_", "-"), array)
            for k, array in arrays.items()
        },
    }


def _too_few(n_words: int, n: int, n_images: int, extraction: ExtractionParams) -> str:
    """Say that so many words cannot be learned from n keypoints, and what can be done."""
    if extraction.uses_surf:
        return trn(
            "{n_words} words cannot be learned from {n_keypoints} keypoints in {n} picture. "
            "Ask for fewer words (--words), lower the threshold (--threshold), add pictures, or "
            "use the words of another collection (--codebook).",
            "{n_words} words cannot be learned from {n_keypoints} keypoints in {n} pictures. "
            "Ask for fewer words (--words), lower the threshold (--threshold), add pictures, or "
            "use the words of another collection (--codebook).",
            n_images,
            n_words=n_words,
            n_keypoints=n,
        )
    return trn(
        "{n_words} words cannot be learned from {n_keypoints} keypoints in {n} picture. Ask for "
        "fewer words (--words), add pictures, or use the words of another collection (--codebook).",
        "{n_words} words cannot be learned from {n_keypoints} keypoints in {n} pictures. Ask for "
        "fewer words (--words), add pictures, or use the words of another collection (--codebook).",
        n_images,
        n_words=n_words,
        n_keypoints=n,
    )


def from_entry(entry: dict[str, Any], folder: Path) -> Codebook:
    """Read what `to_entry` wrote.

    Raises
    ------
    ArtifactError
        If the array is missing, damaged, or does not fit its parameters.
    """
    try:
        typed.check(CodebookParams, entry["parameters"])
        params = CodebookParams(**entry["parameters"])
        extraction = ExtractionParams.from_json(entry["extraction"])
        arrays = {k: artifacts.open_array(folder, of) for k, of in entry["arrays"].items()}
        centres = arrays["centres"]
        model = SignatureModel(arrays["projection"], arrays["medians"], extraction.rooted)
        found = Groups(arrays["heads"], arrays["group_starts"]) if "heads" in arrays else None
        training, digest = _training(entry["training"]), str(entry["digest"])
    except MALFORMED as error:
        told = tr(
            "the codebook in {folder} does not fit its format: {why}", folder=folder, why=error
        )
        raise ArtifactError(told) from None
    fits = (
        centres.ndim == 2
        and model.projection.shape == (centres.shape[1], signatures.N_BITS)
        and model.medians.shape == (len(centres), signatures.N_BITS)
        and all(array.dtype == np.float32 for k, array in arrays.items() if k != "group_starts")
        and (found is None or found.fits(centres))
    )
    if not fits or digest_of(centres, model, found) != digest:
        raise ArtifactError(
            tr("the codebook in {folder} is damaged: its checksum does not fit", folder=folder)
        )
    # Far from unit length their squares would leave float32, and no word would be nearest.
    if not all(bool((np.abs(array) < _FARTHEST).all()) for array in (centres, model.medians)):
        raise ArtifactError(tr("the codebook in {folder} holds words that are none", folder=folder))
    return Codebook(centres, params, extraction, training, model, digest, found)


def _training(told: dict[str, Any]) -> dict[str, Any]:
    """Check what is told of how words were learned; a ValueError if it is something else."""
    numbers = ("n_descriptors", "n_images", "distortion")
    if not all(typed.fits(told[name], float) for name in numbers):
        raise ValueError(tr("its training is not told in numbers"))
    return dict(told)


def save_codebook(codebook: Codebook, name: str) -> None:
    """Keep a codebook by name, for other collections."""
    write_codebook(codebook, _folder(name))


def write_codebook(codebook: Codebook, folder: Path) -> None:
    """Keep a codebook in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"codebook": to_entry(codebook, folder), "libraries": artifacts.library_versions()}
    version = artifacts.FORMAT_VERSION if codebook.groups is None else artifacts.LARGE_VERSION
    manifest = artifacts.write_manifest(folder, "codebook", content, version)
    artifacts.sweep(folder, manifest)


def open_codebook(name: str) -> Codebook:
    """Open a codebook by name.

    Raises
    ------
    ArtifactError
        If there is none, or it is damaged.
    """
    known = ", ".join(list_codebooks()) or tr("none yet")
    repair = tr(
        "{command} (codebooks here: {known})",
        command=f"python -m engine build FOLDER --name {name}",
        known=known,
    )
    return read_codebook(_folder(name), repair)


def read_codebook(folder: Path, repair: str) -> Codebook:
    """Read what `write_codebook` wrote; errors name the command `repair`."""
    manifest = artifacts.read_manifest(folder, "codebook", repair)
    return from_entry(manifest.get("codebook", {}), folder)


def list_codebooks() -> list[str]:
    """Return the names of all codebooks, sorted."""
    return artifacts.names_in(artifacts.artifacts_folder() / "codebooks")
