"""Damage files of an index, and look whether anything that reads it comes to harm.

From the project's folder: python tests/torture/damaged_index.py --n 10000 --seed 0

Half of the trials damage a file: `verify` must name it. The others put wrong numbers into a file
and make its checksums right again, as somebody hostile would: whatever then opens must be used
without harm. Harm is anything but an answer or an EngineError: another exception, a dead process,
one that hangs, takes too much memory, or reads past an array (--bounds compiles every loop so that
it looks; that takes minutes at first).
"""

import argparse
import contextlib
import functools
import io
import json
import os
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np

from engine import artifacts, codebook
from engine.errors import EngineError
from tests.torture import subjects
from tests.torture.children import Child, told
from tests.torture.mutations import damage, falsify, twist

HERE = "tests.torture.damaged_index"
MEMORY = 3 * 2**29  # bytes that a trial may take
SECONDS = 60.0
BOUNDS_CACHE = Path.home() / ".cache" / "visword-torture"


def _using(steps: Iterator[tuple[str, Callable[[], object]]]) -> list[str]:
    """Take steps; anything but an EngineError is a fault."""
    faults = []
    for name, step in steps:
        try:
            step()
        except EngineError:
            pass
        except Exception as error:
            faults.append(f"{name}: {told(error)}")
    return faults


def _command(*argv: str) -> None:
    """Run a command; its wrong arguments are ours."""
    from engine import cli

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        args = cli._parser().parse_args(argv)
        args.function(args)


def _readers(opened: Any) -> Iterator[tuple[str, Callable[[], object]]]:
    """What commands and pages read of an index besides searching."""
    from engine import calibration, codebook_quality, draw, word_map

    for kind in ([], ["--json"]):
        yield f"info {kind}", lambda kind=kind: _command("info", opened.name, *kind)
    yield "list", lambda: _command("list")
    for i in {0, max(0, opened.n_images - 1)} if opened.n_images else ():
        yield "keypoints", lambda i=i: opened.keypoints(i)
        yield "words", lambda i=i: opened.words(i)
        yield "path", lambda i=i: (opened.picture_path(i), opened.images[i].shown)
    yield "find", lambda: (opened.find_image("a.png"), opened.same_content("0"))
    for word in {0, opened.n_words // 2, opened.n_words - 1}:
        yield "patches", lambda word=word: opened.patches(word)
        yield "tile", lambda word=word: draw.word_tile(opened, word)
        yield (
            "rows",
            lambda word=word: opened.image_of_row(opened.keypoint_rows_of_word(word)),
        )
        yield "images of word", lambda word=word: opened.images_of_word(word, 9)
        yield "near words", lambda word=word: opened.nearest_words(word, 5)
        yield (
            "patch rows",
            lambda word=word: opened.distances(
                opened.patch_keypoints[word][opened.patch_keypoints[word] >= 0]
            ),
        )
    yield "map", lambda: word_map.open_map(opened)
    yield "calibration", lambda: calibration.of(opened)
    yield "dead words", lambda: codebook_quality.dead_words(opened)
    yield "mean vector", lambda: opened.mean_vector("tf-idf")


def _explained(opened: Any, answer: Any, size: tuple[int, int], xy: Any, word_ids: Any) -> None:
    """Explain the best result in every way that commands and pages do."""
    from engine import account, explain, explanation, report

    if not len(answer.ranking):
        return
    image_id = int(answer.ranking.image_ids[0])
    explained = explain.explain(opened, answer, image_id)
    json.dumps(explanation.to_json(explained, opened))
    account.headline(explained), account.meaning(opened, answer, image_id)
    account.made(answer, explained), account.mapped(explained), account.fates(explained)
    account.parts(opened, explained), account.words(opened, explained, word_ids, 10)
    report.make(opened, report.Shown("q", size, None, xy, word_ids), answer, explained, None)


def _searches(opened: Any, query: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Search by every method, for a stored picture and one from outside."""
    from engine import images, methods, pipeline

    described: list[Any] = []
    image = images.read(Path(query))
    yield "describe", lambda: described.append(pipeline.describe_query(opened, image, n_threads=1))

    def stored(method: str) -> None:
        answer = pipeline.search_stored(opened, 0, method, None, n_threads=1)
        entry = opened.images[0]
        asked = (entry.width, entry.height), opened.keypoints(0).xy, opened.words(0).word_ids
        _explained(opened, answer, *asked)

    def outside(method: str) -> None:
        (found,) = described
        answer = pipeline.search_query(opened, found, method, None, n_threads=1)
        height, width = image.gray.shape
        _explained(opened, answer, (width, height), found.features.xy, found.words.word_ids)

    for method in methods.offered(opened.parts):
        if opened.n_images:
            yield f"stored {method}", functools.partial(stored, method)
        if described:
            yield f"outside {method}", functools.partial(outside, method)


def _visit(page: str, name: str, **asked: str) -> None:
    """Open a page; a failure that it does not expect is raised."""
    import streamlit as st

    from tests.pages_under_test import visit

    st.cache_resource.clear()
    st.cache_data.clear()
    at = visit(page, collection=name, **asked)
    failed = [str(one.value) for one in (*at.exception, *at.error)]
    if at.exception or any("Something went wrong" in one for one in failed):
        raise RuntimeError(f"{failed}")


def _pages(name: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Open the pages that show a collection."""
    for page, query in (
        ("search", ""),
        ("search", "image-0"),
        ("why", "image-0"),
        ("inspect", "image-0"),
        ("vocabulary", ""),
        ("evaluation", ""),
    ):
        asked = {"query": query} if query else {}
        yield f"page {page} {query}", functools.partial(_visit, page, name, **asked)


def prepare() -> None:
    """Import and compile what trials use."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    from engine import cli, codebook_quality, draw, explain, pipeline, report, word_map  # noqa: F401

    pipeline.warm_up()
    place = os.environ["VISWORD_ARTIFACTS"]
    for name in subjects.N_WORDS:  # compiles for the types of stored arrays
        faults = use(place, name, str(Path(place).parent / subjects.QUERY), None)
        if faults:
            raise RuntimeError(f"the index is at fault before it is damaged: {faults}")


def use(
    place: str, name: str, query: str, damaged: str | None, with_pages: bool = False
) -> list[str]:
    """Verify and use an index; `damaged` is the file that `verify` must name."""
    from engine import index, upkeep

    os.environ["VISWORD_ARTIFACTS"] = place
    faults: list[str] = []
    try:
        found = upkeep.verify(name)
        if damaged is not None and not any(damaged in fault for fault in found):
            faults.append(f"verify does not name {damaged}: {found}")
    except Exception as error:
        faults.append(f"verify: {told(error)}")
    if with_pages:
        faults += _using(_pages(name))
    try:
        opened = index.open_index(name)
    except EngineError as error:
        faults += _using(iter([("list", lambda: _command("list"))]))
        return faults if name in str(error) else [*faults, f"unnamed: {error}"]
    except Exception as error:
        return [*faults, f"opening: {told(error)}"]
    return [*faults, *_using(_readers(opened)), *_using(_searches(opened, query))]


def _entry(manifest: dict[str, Any], path: Path) -> dict[str, Any] | None:
    for _, entry in artifacts.entries(manifest):
        if entry.get("file") == path.name:
            return entry
    return None


def lie(folder: Path, path: Path, random: np.random.Generator) -> str:
    """Put wrong numbers into a file of an index, and make its checksums right; "" if it cannot."""
    manifest_path = folder / artifacts.MANIFEST
    manifest = json.loads(manifest_path.read_bytes())
    if path == manifest_path:
        done, manifest = twist(manifest, random)
    else:
        entry = _entry(manifest, path)
        if entry is None:
            return ""
        if path.suffix == ".npy":
            done, array = falsify(np.load(path), random)
            path.unlink()
            written = artifacts.write_array(folder, path.stem.rpartition("-")[0], array)
            entry.update(written)
            _sign_codebook(folder, manifest)
        else:
            done, value = twist(json.loads(path.read_bytes()), random)
            path.unlink()
            entry.update(artifacts.write_json(folder, path.stem.rpartition("-")[0], value))
    if isinstance(manifest, dict):
        manifest["sha256"] = artifacts.manifest_digest(manifest)
    manifest_path.write_text(json.dumps(manifest))
    return f"lie: {done}"


def _sign_codebook(folder: Path, manifest: dict[str, Any]) -> None:
    """Make the words' own digest right too, where they can still be read."""
    with contextlib.suppress(Exception):
        entry = manifest["parts"]["codebook"]
        arrays = {k: artifacts.open_array(folder, of) for k, of in entry["arrays"].items()}
        model = codebook.SignatureModel(arrays["projection"], arrays["medians"], False)
        found = None
        if "heads" in arrays:
            found = codebook.Groups(arrays["heads"], arrays["group_starts"])
        entry["digest"] = codebook.digest_of(arrays["centres"], model, found)


def mutate(folder: Path, random: np.random.Generator) -> tuple[str, str | None]:
    """Change one file of an index; returns what was done, and which file `verify` must name."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    weights = np.array([12.0 if path.suffix == ".json" else 1.0 for path in paths])
    path = paths[int(random.choice(len(paths), p=weights / weights.sum()))]
    before = path.read_bytes()
    if random.random() < 0.5:
        done = lie(folder, path, random)
        return f"{path.name}: {done}", None
    done, data = damage(before, random)
    if random.random() < 0.03:
        path.unlink()
        gone = "there is no index" if path.name == artifacts.MANIFEST else path.name
        return f"{path.name}: deleted", gone
    path.write_bytes(data)
    same = data == before or (path.name == artifacts.MANIFEST and _means_the_same(before, data))
    return f"{path.name}: {done}", None if same else path.name


def _means_the_same(before: bytes, after: bytes) -> bool:
    with contextlib.suppress(ValueError, RecursionError):
        return bool(json.loads(before) == json.loads(after))
    return False


def run(
    n: int,
    seed: int,
    kept: Path,
    only: int | None = None,
    bounds: bool = False,
    every: int = 0,
) -> int:
    """Run trials; faults are kept below `kept`. Returns how many there were.

    In one of `every` trials the pages are opened too; 0 for none.
    """
    environment = {}
    if bounds:
        environment = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(BOUNDS_CACHE)}
    found: Counter[str] = Counter()
    n_faulty, n_lies, most = 0, 0, 0
    with tempfile.TemporaryDirectory() as there:
        place = Path(there)
        subjects.make(place / "whole")
        environment["VISWORD_ARTIFACTS"] = str(place / "whole")
        shutil.copy(place / "whole" / subjects.QUERY, place / subjects.QUERY)
        with Child(f"{HERE}:prepare", f"{HERE}:use", MEMORY, SECONDS, environment) as child:
            for k in range(n) if only is None else [only]:
                random = np.random.default_rng([seed, k])
                name = list(subjects.N_WORDS)[int(random.integers(2))]
                trial = place / "trial"
                shutil.rmtree(trial, ignore_errors=True)
                folder = trial / "indexes" / name
                shutil.copytree(place / "whole" / "indexes" / name, folder)
                done, damaged = mutate(folder, random)
                n_lies += damaged is None
                asked = (str(trial), name, str(place / subjects.QUERY), damaged)
                outcome = child.run(*asked, every > 0 and k % every == 0)
                most = max(most, outcome.n_bytes)
                if outcome.faults:
                    n_faulty += 1
                    shutil.copytree(folder, kept / f"{seed}-{k}", dirs_exist_ok=True)
                    print(f"{k} {name} {done}", *outcome.faults[:3], sep="\n    ", flush=True)
                    found.update(fault.partition(": ")[2] for fault in outcome.faults)
    for fault, times in found.most_common():
        print(f"{times:>6} x {fault}")
    n_trials = n if only is None else 1
    print(
        f"{n_trials} trials ({n_lies} with right checksums), {n_faulty} faults, at most "
        f"{most / 2**20:.0f} MiB more; nothing that was not damaged was lost"
    )
    if n_faulty:
        print(f"The faulty indexes are kept in {kept}")
    return n_faulty


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=200, help="trials (200)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="the one trial of this number")
    parser.add_argument("--bounds", action="store_true", help="look at every index of every loop")
    parser.add_argument("--pages", type=int, default=20, help="open pages in one of so many (20)")
    parser.add_argument("--kept", type=Path, default=Path("artifacts/torture/index"))
    args = parser.parse_args()
    asked = (args.n, args.seed, args.kept, args.only, args.bounds, args.pages)
    return 1 if run(*asked) else 0


if __name__ == "__main__":
    raise SystemExit(main())
