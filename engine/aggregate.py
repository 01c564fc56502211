"""Making the residuals of a collection: the part of an index that `engine.residuals` describes.

Everything comes from what the index holds (signatures, angles, strengths), so no picture is read.
The rows are laid down word by word in work files below ``artifacts/residuals/NAME``, then go into
the index as one part, with one rename: a run that is stopped leaves the index as it was, and the
next one begins anew.
"""

import contextlib
import dataclasses
import shutil
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine import artifacts, codes, residuals, threads, upkeep
from engine.errors import ArtifactError
from engine.index import Index, open_index
from engine.language import tr
from engine.residuals import PART, ResidualParams, Residuals, WordSums, open_residuals
from engine.signatures import N_BITS

T = TypeVar("T")

N_LEARNING = 400  # pictures from which the scale and the product codes are learned
N_PIECES = 40_000  # rows of theirs
AT_ONCE = 32  # pictures under way
USUAL = ResidualParams()
_ROWS = 65_536  # signatures of one product: 32 MB of signs
_REACH = 5.0  # standard deviations that a byte holds; what is beyond is cut off


def make_residuals(
    name: str,
    params: ResidualParams = USUAL,
    n_threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Residuals:
    """Add up the residuals of every picture of an index, and keep them as a part of it.

    Parameters
    ----------
    name : str
        The index.
    params : ResidualParams
    n_threads : int
        The result does not depend on it.
    progress : callable or None
        Told how many pictures of how many are done.

    Returns
    -------
    Residuals

    Raises
    ------
    ArtifactError
        If the index cannot be read, was replaced meanwhile, or another process makes its
        residuals.
    """
    from threadpoolctl import threadpool_limits

    told = dataclasses.asdict(params)
    index = open_index(name)
    if PART in index.parts and index.manifest["parts"][PART]["parameters"] == told:
        return open_residuals(index)
    place = artifacts.artifacts_folder() / "residuals" / artifacts.check_name(name)
    with upkeep.making(name, PART):
        begun_at = time.process_time()
        shutil.rmtree(place, ignore_errors=True)  # of a run that was stopped
        place.mkdir(parents=True)
        try:
            # One thread a product: the order of additions must not depend on the machine.
            with threadpool_limits(1):
                arrays = _make(index, params, place, n_threads, progress)
            same = (upkeep.digest(one, upkeep.KEYPOINTS) for one in (index, open_index(name)))
            if len(set(same)) > 1:
                raise ArtifactError(
                    tr(
                        "the index {name!r} was replaced meanwhile; make its residuals again",
                        name=name,
                    )
                )
            upkeep.add_part(name, PART, told, arrays, time.process_time() - begun_at)
        finally:
            shutil.rmtree(place, ignore_errors=True)
            with contextlib.suppress(OSError):  # others are at work in it
                place.parent.rmdir()
    return open_residuals(open_index(name))


def learn_basis(signatures: NDArray[np.uint64], n_dimensions: int) -> NDArray[np.float32]:
    """Find the directions in which signatures vary most.

    Parameters
    ----------
    signatures : (N, 2) uint64 array
        Of a collection; N may be 0.
    n_dimensions : int
        d.

    Returns
    -------
    (128, d) float32 array
        Orthogonal columns of unit length; the largest entry of each is positive.
    """
    gram = np.zeros((N_BITS, N_BITS))
    for start in range(0, len(signatures), _ROWS):
        signs = residuals.bits_to_signs(signatures[start : start + _ROWS])
        gram += np.rint((signs.T @ signs) * N_BITS)  # whole numbers: no rounding
    _, vectors = np.linalg.eigh(gram)
    basis = vectors[:, ::-1][:, :n_dimensions]
    largest = basis[np.abs(basis).argmax(axis=0), np.arange(n_dimensions)]
    signed: NDArray[np.float32] = (basis * np.where(largest < 0, -1, 1)).astype(np.float32)
    return signed


def _each(
    function: Callable[[int], T], image_ids: NDArray[np.int64], n_threads: int
) -> Iterator[T]:
    """Call a function for some pictures, a few at once; yield what it returns in their order."""
    for start in range(0, len(image_ids), AT_ONCE):
        some = image_ids[start : start + AT_ONCE].tolist()
        found: dict[int, T] = {}

        def one(image_id: int, found: dict[int, T] = found) -> None:
            found[image_id] = function(image_id)

        threads.run([partial(one, image_id) for image_id in some], n_threads)
        yield from (found[image_id] for image_id in some)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Forms:
    """How the sums of a picture's words become what is kept of them.

    Attributes
    ----------
    params : ResidualParams
    basis : (128, d) float32 array
    step : float
        What one step of a byte is worth.
    centres : (P, C, 16) float32 array
        Of the product codes, in steps.
    """

    params: ResidualParams
    basis: NDArray[np.float32]
    step: float
    centres: NDArray[np.float32]

    def vectors(self, sums: NDArray[np.float32]) -> NDArray[np.int8]:
        steps = np.rint(residuals.dampen(sums, self.params) / np.float32(self.step))
        cut_off: NDArray[np.int8] = np.clip(steps, -127, 127).astype(np.int8)
        return cut_off

    def of(self, one: WordSums) -> dict[str, NDArray[Any]]:
        vectors = self.vectors(one.sums)
        coded = codes.encode(residuals.cut(vectors.astype(np.float32)), self.centres)
        signs = residuals.pack_signs(one.sums)
        return {"vectors": vectors, "codes": coded, "signs": signs}


def _learn(index: Index, params: ResidualParams, n_threads: int) -> _Forms:
    """Learn directions, scale and product codes from the collection."""
    basis = learn_basis(index.signatures, params.n_dimensions)
    n_taken = min(index.n_images, N_LEARNING)
    taken = np.linspace(0, index.n_images - 1, n_taken).astype(np.int64)
    random = np.random.default_rng(params.seed)
    share = -(-N_PIECES // max(1, n_taken))
    kept = [np.zeros((0, params.n_parts, params.n_dimensions), np.float32)]

    def sums(image_id: int) -> WordSums:
        return residuals.add_up_stored(index, image_id, basis, params.n_frequencies)

    for one in _each(sums, taken, n_threads):
        n_rows = min(share, len(one.sums))
        kept.append(one.sums[np.sort(random.choice(len(one.sums), n_rows, replace=False))])
    sample = np.concatenate(kept)
    dampened = residuals.dampen(sample, params).astype(np.float64)
    deviation = float(np.sqrt(np.mean(dampened**2))) if len(sample) else 0.0
    step = (_REACH * deviation or 1.0) / 127
    forms = _Forms(params, basis, step, np.zeros((0, 0, 0), np.float32))
    pieces = residuals.cut(forms.vectors(sample).astype(np.float32))
    return dataclasses.replace(forms, centres=codes.learn(pieces, params.seed))


def _lay_out(forms: _Forms, n_rows: int, place: Path) -> dict[str, NDArray[Any]]:
    """Make room in `place` for every array that grows with the collection."""
    params = forms.params
    shapes: dict[str, tuple[str, tuple[int, ...]]] = {
        "image_ids": ("int32", ()),
        "vectors": ("int8", (params.n_parts, params.n_dimensions)),
        "codes": ("uint8", (len(forms.centres),)),
        "signs": ("uint8", (params.n_parts * params.n_dimensions // residuals.SIGNS,)),
    }
    if n_rows == 0:  # nothing cannot be mapped
        return {name: np.zeros((0, *tail), dtype) for name, (dtype, tail) in shapes.items()}
    return {
        name: np.lib.format.open_memmap(
            place / f"{name}.npy", "w+", np.dtype(dtype), (n_rows, *tail)
        )
        for name, (dtype, tail) in shapes.items()
    }


def _make(
    index: Index,
    params: ResidualParams,
    place: Path,
    n_threads: int,
    progress: Callable[[int, int], None] | None,
) -> dict[str, NDArray[Any]]:
    """Make every array of the part; those that grow with the collection lie in `place`."""
    forms = _learn(index, params, n_threads)
    squares = np.einsum("pcl,pcl->pc", forms.centres, forms.centres, dtype=np.float64)
    starts = np.concatenate(([0], np.cumsum(index.document_frequency))).astype(np.int64)
    laid = _lay_out(forms, int(starts[-1]), place)
    norms = np.zeros((2, index.n_images))
    n_words = np.zeros(index.n_images, np.int32)
    free = starts[:-1].copy()

    def kept(image_id: int) -> tuple[NDArray[np.int32], dict[str, NDArray[Any]]]:
        one = residuals.add_up_stored(index, image_id, forms.basis, params.n_frequencies)
        return one.words, forms.of(one)

    for image_id, (words, made) in enumerate(_each(kept, np.arange(index.n_images), n_threads)):
        rows = free[words]
        free[words] += 1
        for name, form in (made | {"image_ids": np.full(len(rows), image_id)}).items():
            laid[name][rows] = form
        norms[0, image_id] = np.sum(made["vectors"].astype(np.int64) ** 2)
        norms[1, image_id] = squares[np.arange(len(squares)), made["codes"]].sum()
        n_words[image_id] = len(rows)
        if progress is not None:
            progress(image_id + 1, index.n_images)
    vector_norms, code_norms = np.sqrt(norms).astype(np.float32)
    return laid | {
        "basis": forms.basis,
        "starts": starts,
        "vector_norms": vector_norms,
        "centres": forms.centres,
        "code_norms": code_norms,
        "n_words": n_words,
    }
