"""The demo collection: made by code from photographs that installed packages bring.

Nothing is downloaded. Every picture is a photograph that scikit-image or scikit-learn ship under
a free licence, a view of one, or a wall on which several hang; the same code makes the same
bytes on every run. In artifacts/demo lie ``pictures/`` (the collection), ``queries/``
(outside it), ``groundtruth.csv`` and ``SOURCES.md``.
"""

import contextlib
import csv
import importlib.util
import io
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from engine import artifacts, demo_scenes, images
from engine.demo_paint import Pixels, relight
from engine.demo_scenes import Ground, Hung
from engine.demo_sources import HELD_OUT, PHOTOGRAPHS, TEXTURES, Source, credits_page
from engine.errors import ArtifactError, BuildError
from engine.language import mark, tr
from engine.pool import Progress

if TYPE_CHECKING:
    from engine.build import BuildParams

Told: TypeAlias = Callable[[Progress], None]
Row: TypeAlias = tuple[str, str, str]

NAME = "demo"
# Raised whenever the pictures change: a folder of another version is made anew.
VERSION = 1
N_WALLS = 30
LONG_SIDE = 640

_STAGE = mark("Making the demo's pictures")
_JPEG_QUALITY = 90
_JUNK_BELOW = 0.15
_PEEKING_WALLS = 3  # every third wall has one more photograph, almost wholly cut off
_GROUNDS: tuple[Ground, ...] = ("brick", "gravel", "brick", "grass", "brick")
_STALE_SECONDS = 3600


class SampleQuery(NamedTuple):
    """A picture to search with.

    Attributes
    ----------
    file : str
        Its name in ``queries/``.
    title : str
        What it shows.
    expectation : str
        What will be found.
    """

    file: str
    title: str
    expectation: str


SAMPLE_QUERIES = (
    SampleQuery(
        "pagoda-from-the-right.jpg",
        mark("A new view"),
        mark("The pagoda from another side: pictures of it should come first."),
    ),
    SampleQuery(
        "cat-turned-close-up.jpg",
        mark("Turned and close up"),
        mark("The cat's face, turned by a quarter and enlarged: neither should matter."),
    ),
    SampleQuery(
        "astronaut-in-the-dark.jpg",
        mark("Dark, blurred and half covered"),
        mark("Little of the astronaut is left to go by, yet some of her pictures should come up."),
    ),
    SampleQuery(
        "a-new-wall.jpg",
        mark("Three photographs on a new wall"),
        mark(
            "Coffee, rocket and flower are each small here: pictures of all three should come "
            "first."
        ),
    ),
    SampleQuery(
        "stars.jpg",
        mark("Not in the collection"),
        mark("No picture of the collection shows stars, so nothing should match."),
    ),
)


def demo_folder() -> Path:
    """Return the folder of the demo's pictures, queries and ground truth."""
    return artifacts.artifacts_folder() / NAME


def build_params() -> "BuildParams":
    """Return how the demo's index is built.

    Words are learned from 60,000 descriptors of all pictures in at most 10 rounds: about three
    seconds on two cores, against a minute for the full default, and on a hundred pictures the
    rankings are as good.
    """
    from engine.build import BuildParams
    from engine.codebook import CodebookParams

    return BuildParams(
        codebook=CodebookParams(
            n_words=500, sampling="descriptors", n_samples=60_000, n_iterations=10
        )
    )


def ensure(progress: Told | None = None) -> str:
    """Make the demo's pictures and build its index, where they are not there yet.

    Parameters
    ----------
    progress : callable or None
        Called with `engine.pool.Progress`.

    Returns
    -------
    str
        The name of the index.

    Raises
    ------
    BuildError
        If a package that brings photographs is not installed whole.
    ArtifactError
        If another process is building the demo.
    """
    from engine import index
    from engine.build import build

    folder = demo_folder()
    fresh = not _is_complete(folder)
    if fresh:
        make_pictures(folder, progress)
    elif NAME in index.list_indexes():
        with contextlib.suppress(ArtifactError):  # damaged or of another version: build anew
            index.open_index(NAME)
            return NAME
    build(folder / "pictures", NAME, build_params(), progress=progress, overwrite=True)
    return NAME


def make_pictures(folder: Path, progress: Told | None = None) -> None:
    """Make the collection, its sample queries, its ground truth and the list of sources.

    Everything is made in a folder beside and renamed into place when whole.

    Parameters
    ----------
    folder : Path
        Replaced where it exists and is an older demo.
    progress : callable or None
        Called with `engine.pool.Progress` after every picture.

    Raises
    ------
    BuildError
        If a package that brings photographs is not installed whole, or `folder` is something
        else.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / "SOURCES.md").is_file():
        raise BuildError(
            tr("{folder} holds other things. Move them away or name another folder.", folder=folder)
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        beside.chmod(0o755)
        _Maker(beside, progress).make()
        old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        with contextlib.suppress(FileNotFoundError):
            folder.replace(old / "old")
        try:
            beside.replace(folder)
        except OSError:
            # Another process was quicker; its pictures are the same.
            if not _is_complete(folder):
                raise
        finally:
            shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _is_complete(folder: Path) -> bool:
    try:
        return (folder / ".version").read_text() == str(VERSION)
    except OSError:
        return False


def _sweep(folder: Path) -> None:
    """Delete what killed runs left beside the folder, but nothing that may still be in use."""
    for left in folder.parent.glob(f".{folder.name}-*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(left)


def _read(source: Source) -> Pixels:
    """Read a photograph from the installed package that brings it."""
    found = importlib.util.find_spec(source.package)
    if found is None or found.origin is None:
        raise BuildError(
            tr(
                "the demo needs {package}, which is not installed. Run {command!r}.",
                package=source.distribution,
                command="pip install -r requirements.txt",
            )
        )
    path = Path(found.origin).parent / source.path
    if not path.is_file():
        raise BuildError(
            tr(
                "this {package} does not bring {file}. Run {command!r}.",
                package=source.distribution,
                file=source.path,
                command=f"pip install --force-reinstall {source.distribution}",
            )
        )
    pixels = images.read(path).rgb
    left, top, right, bottom = source.crop
    height, width = pixels.shape[:2]
    part = pixels[round(top * height) : round(bottom * height)]
    part = part[:, round(left * width) : round(right * width)]
    return images.shrink(np.ascontiguousarray(part), LONG_SIDE)


def _rng(name: str) -> np.random.Generator:
    """Return a generator of one picture's own: changing one leaves the others as they are."""
    return np.random.default_rng([VERSION, zlib.crc32(name.encode())])


class _Maker:
    """One run of `make_pictures`."""

    def __init__(self, folder: Path, progress: Told | None) -> None:
        self._folder = folder
        self._progress = progress
        self._photographs = {source.name: _read(source) for source in PHOTOGRAPHS}
        self._viewed = [source.name for source in PHOTOGRAPHS if source.views]
        self._of: dict[str, list[tuple[str, str]]] = {name: [] for name in self._photographs}
        self._shown: dict[str, list[Hung]] = {}
        self._n_made = 0
        self._total = (
            len(PHOTOGRAPHS) + len(_VIEWS) * len(self._viewed) + N_WALLS + len(SAMPLE_QUERIES)
        )
        self._started = time.monotonic()

    def make(self) -> None:
        """Write everything."""
        for name, pixels in self._photographs.items():
            self._save(f"pictures/{name}.jpg", pixels)
            self._of[name].append((f"pictures/{name}.jpg", "good"))
        for name in self._viewed:
            for view, draw in _VIEWS.items():
                path = f"pictures/{name}-{view}.jpg"
                self._save(path, draw(self._photographs[name], _rng(path)))
                self._of[name].append((path, "good"))
        for path, pixels, hung in self._walls():
            self._save(path, pixels)
            for one in hung:
                label = "ok" if one.visible >= _JUNK_BELOW else "junk"
                self._of[one.name].append((path, label))
        self._queries()
        rows = [("query", "relevant", "label"), *self._ground_truth()]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        self._write("groundtruth.csv", text.getvalue().encode())
        self._write("SOURCES.md", credits_page().encode())
        self._write(".version", str(VERSION).encode())

    def _save(self, path: str, pixels: Pixels) -> None:
        self._write(path, images.encode_jpeg(pixels, _JPEG_QUALITY))
        self._n_made += 1
        if self._progress is not None:
            seconds = max(time.monotonic() - self._started, 1e-3)
            rate = self._n_made / seconds
            left = (self._total - self._n_made) / rate
            picture = path.rpartition("/")[2]
            self._progress(Progress(_STAGE, self._n_made, self._total, picture, rate, left))

    def _write(self, path: str, data: bytes) -> None:
        target = self._folder / path
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(data)

    def _walls(self) -> Iterator[tuple[str, Pixels, list[Hung]]]:
        textures = {source.name: _read(source)[:, :, 1] for source in TEXTURES}
        deck = _deck(list(self._photographs), _rng("deck"))
        for number in range(1, N_WALLS + 1):
            path = f"pictures/wall-{number:02d}.jpg"
            rng = _rng(path)
            names = [next(deck) for _ in range(3 + number % 2)]
            names = list(dict.fromkeys(names))
            ground = _GROUNDS[number % len(_GROUNDS)]
            peeking = None
            if number % _PEEKING_WALLS == 0:
                others = [name for name in self._viewed if name not in names]
                name = others[int(rng.integers(len(others)))]
                peeking = (name, self._photographs[name])
            pictures = [(name, self._photographs[name]) for name in names]
            pixels, hung = demo_scenes.wall(pictures, ground, textures[ground], rng, peeking)
            yield path, pixels, hung

    def _queries(self) -> None:
        """Draw the sample queries, in the order of `SAMPLE_QUERIES`."""
        right, turned, dim, wall, missing = (f"queries/{q.file}" for q in SAMPLE_QUERIES)
        china, cat = self._photographs["china"], self._photographs["cat"]
        corners = [(0.02, 0.02), (0.93, 0.1), (0.93, 0.94), (0.02, 0.99)]
        new_view = demo_scenes.perspective(china, corners, (560, 440))
        self._save(right, relight(new_view, gamma=0.85, gain=(1.0, 1.02, 1.06)))
        corners = [(0.95, 0.06), (0.88, 1.0), (0.08, 0.93), (0.14, 0.0)]
        self._save(turned, demo_scenes.perspective(cat, corners, (480, 560)))
        astronaut = demo_scenes.close_up(self._photographs["astronaut"], _rng("astronaut query"))
        hidden = demo_scenes.covered(astronaut, _rng(dim), share=0.4)
        self._save(dim, demo_scenes.dark(hidden, _rng(dim + " light")))
        hung = [(name, self._photographs[name]) for name in ("coffee", "rocket", "flower")]
        self._save(wall, demo_scenes.wall(hung, "plaster", None, _rng(wall))[0])
        self._save(missing, _read(HELD_OUT))

    def _ground_truth(self) -> Iterator[Row]:
        """Yield query, relevant and label, paths relative to the csv."""
        for name in self._viewed:
            for view in ("", "-close", "-dark"):
                query = f"pictures/{name}{view}.jpg"
                yield from ((query, path, label) for path, label in self._of[name] if path != query)
        right, turned, dim, wall, _ = (f"queries/{q.file}" for q in SAMPLE_QUERIES)
        for query, name in ((right, "china"), (turned, "cat"), (dim, "astronaut")):
            yield from ((query, path, label) for path, label in self._of[name])
        best: dict[str, str] = {}
        for name in ("coffee", "rocket", "flower"):
            for path, label in self._of[name]:
                best[path] = min(best.get(path, label), label, key=("good", "ok", "junk").index)
        yield from ((wall, path, label) for path, label in best.items())


def _deck(names: list[str], rng: np.random.Generator) -> Iterator[str]:
    """Yield names without end, each as often as the others, never in the same order."""
    while True:
        yield from (names[i] for i in rng.permutation(len(names)))


_VIEWS: dict[str, Callable[[Pixels, np.random.Generator], Pixels]] = {
    "left": demo_scenes.from_left,
    "leaning": lambda rgb, rng: demo_scenes.on_table(rgb, rng, rng.uniform(-8, 8), tilt=0.45),
    "turned": lambda rgb, rng: demo_scenes.on_table(rgb, rng, rng.uniform(25, 155)),
    "sideways": demo_scenes.sideways,
    "close": demo_scenes.close_up,
    "dark": demo_scenes.dark,
    "covered": demo_scenes.covered,
}
