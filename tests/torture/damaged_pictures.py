"""Damage pictures of every format, and look whether reading them does harm.

From the project's folder: python tests/torture/damaged_pictures.py --n 10000 --seed 0

First come bombs, then n mutations of small pictures. Each is probed, made small and decoded in a
process of bounded memory: it must be read, or refused with an ImageError. Then some of them stand
in a folder from which an index is built: each must be read, or listed with a reason.
"""

import argparse
import os
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np

from tests.torture.children import Child, told
from tests.torture.mutations import damage
from tests.torture.pictures import LIGHT, bombs, seeds, with_right_checksums

HERE = "tests.torture.damaged_pictures"
MEMORY = 3 * 2**30  # bytes of address space that one picture may take
SMALL = 160 * 2**20  # bytes that a picture may take whatever it is
A_PIXEL = 28  # bytes more for each pixel of what is decoded in the end: 4 for the answer itself
SECONDS = 30.0


def prepare() -> None:
    """Import what reads pictures, and read one of each kind."""
    warnings.simplefilter("ignore")
    from engine import images

    for name, data in seeds().items():
        images.decode(data, name)


def read(path: str) -> list[str]:
    """Read one picture in every way; returns what went wrong, and "read" or "refused"."""
    from engine import images
    from engine.errors import ImageError

    data, name = Path(path).read_bytes(), Path(path).name
    faults, n_pixels, sizes = [], 0, []
    for step in ("probe", "thumbnail", "decode"):
        try:
            if step == "probe":
                found = images.probe(data, name)
                n_pixels = found.width * found.height
                sizes.append((found.height, found.width))
            elif step == "thumbnail":
                images.decode(images.thumbnail(data, name, 320), name)
            else:
                image = images.decode(data, name)
                n_pixels = max(n_pixels, image.gray.size)
                sizes.append(image.gray.shape)
                if image.rgb.shape != (*image.gray.shape, 3) or image.gray.size == 0:
                    faults.append(f"decode: gives {image.rgb.shape} and {image.gray.shape}")
        except ImageError as error:
            if "more memory than there is" in str(error):
                faults.append(f"{step}: takes more than {MEMORY / 2**30:g} GiB")
            sizes.append((0, 0))
        except Exception as error:
            faults.append(f"{step}: {told(error)}")
    return [f"{n_pixels} {sizes[-1] != (0, 0)}", *faults]


class _Tally:
    """Reads pictures, and counts."""

    def __init__(self, child: Child, kept: Path) -> None:
        self.child, self.kept = child, kept
        self.n_read = self.n_refused = self.n_faulty = self.n_trials = self.most = 0
        self.found: Counter[str] = Counter()

    def take(self, name: str, path: Path) -> None:
        """Read one picture."""
        self.n_trials += 1
        outcome = self.child.run(str(path))
        faults = list(outcome.faults)
        if faults and faults[0][:1].isdigit():
            n_pixels, was_read = faults.pop(0).split()
            self.n_read += was_read == "True"
            self.n_refused += was_read != "True"
            if outcome.n_bytes > SMALL + A_PIXEL * int(n_pixels):
                faults.append(f"memory: {outcome.n_bytes >> 20} MiB for {n_pixels} pixels")
        self.most = max(self.most, outcome.n_bytes)
        if faults:
            self.n_faulty += 1
            self.kept.mkdir(parents=True, exist_ok=True)
            (self.kept / path.name).write_bytes(path.read_bytes())
            print(name, *faults, sep="\n    ", flush=True)
            self.found.update(fault.partition(": ")[2] for fault in faults)


def mutated(random: np.random.Generator, whole: dict[str, bytes]) -> tuple[str, bytes]:
    """Return a picture that is damaged, and what was done."""
    name = list(whole)[int(random.integers(len(whole)))]
    done, data = damage(whole[name], random)
    if random.random() < 0.7:
        data = with_right_checksums(data)
    return f"{name}: {done}", data


def listed(folder: Path) -> tuple[int, int, list[str]]:
    """Build an index of a folder: how many were read, and skipped, and what is neither."""
    from engine import build
    from engine.codebook import CodebookParams
    from engine.errors import EngineError
    from engine.features import ExtractionParams

    extraction = ExtractionParams(max_side=200)
    words = CodebookParams(4, n_samples=200, n_iterations=2)
    params = build.BuildParams(extraction=extraction, codebook=words)
    with tempfile.TemporaryDirectory() as place:
        os.environ["VISWORD_ARTIFACTS"] = place
        try:
            made = build.build(folder, "torture", params, n_workers=1)
        except EngineError as error:
            return 0, 0, [f"build: {error}"]
    told = [entry.path for entry in made.images] + [one.path for one in made.skipped]
    there = sorted(path.name for path in folder.iterdir())
    faults = [] if sorted(told) == there else [f"listed {len(told)} of {len(there)}"]
    faults += [f"{one.path} is skipped without a reason" for one in made.skipped if not one.reason]
    return len(made.images), len(made.skipped), faults


def run(n: int, seed: int, kept: Path, n_built: int = 100, is_short: bool = False) -> int:
    """Run trials; faulty pictures are kept. Returns how many there were."""
    whole = seeds()
    with (
        tempfile.TemporaryDirectory() as there,
        Child(f"{HERE}:prepare", f"{HERE}:read", MEMORY, SECONDS) as child,
    ):
        tally, folder = _Tally(child, kept), Path(there) / "pictures"
        folder.mkdir()
        for name, make in bombs():
            if is_short and name not in LIGHT:
                continue
            path = Path(there) / f"bomb-{name}"
            path.write_bytes(make())
            tally.take(f"bomb {name}", path)
            path.unlink()
        for k in range(n):
            done, data = mutated(np.random.default_rng([seed, k]), whole)
            path = folder / f"{seed}-{k}.jpg"
            path.write_bytes(data)
            tally.take(f"{k} {done}", path)
            if k >= n_built:
                path.unlink()
        for name, data in whole.items():
            (folder / f"{name}.jpg").write_bytes(data)
        n_read, n_skipped, faults = listed(folder)
    print(*faults, sep="\n", end="\n" * bool(faults))
    for fault, times in tally.found.most_common():
        print(f"{times:>6} x {fault}")
    print(f"{n_read + n_skipped} in a build: {n_read} read, {n_skipped} listed with a reason")
    n_faulty = tally.n_faulty + len(faults)
    print(
        f"{tally.n_trials} trials: {tally.n_read} read, {tally.n_refused} refused, {n_faulty} "
        f"faults, at most {tally.most / 2**20:.0f} MiB for a picture; nothing was lost"
    )
    if tally.n_faulty:
        print(f"The faulty pictures are kept in {kept}")
    return n_faulty


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=500, help="mutations (500)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--built", type=int, default=100, help="of which an index is built (100)")
    parser.add_argument("--kept", type=Path, default=Path("artifacts/torture/pictures"))
    args = parser.parse_args()
    return 1 if run(args.n, args.seed, args.kept, args.built) else 0


if __name__ == "__main__":
    raise SystemExit(main())
