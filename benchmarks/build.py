"""What a build costs an image, beside JPEG decoding and SURF alone; two workers beside one.

    python benchmarks/build.py [--pictures FOLDER] [--images 120] [--repeats 3]

Builds run as whole processes (`python -m engine build`), so that imports and worker processes
count. Words come from a codebook made first: learning them costs the same for any number of
pictures; what it costs is printed beside. CPU seconds of the process and its workers, medians.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

ALONE = """
import sys, time
from pathlib import Path
from engine import images, surf, worker
worker.prepare()
paths = sorted(Path(sys.argv[1]).iterdir())
surf.extract(images.read(paths[0]).gray)
started = time.process_time()
for path in paths:
    surf.extract(images.read(path).gray)
print((time.process_time() - started) / len(paths))
"""


def run(*argv: str) -> tuple[float, float, float]:
    """Run a process; return its CPU seconds with its children, wall seconds, and output."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(argv, cwd=ROOT, check=True, capture_output=True)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, wall, after.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = ROOT.parent / "shared" / "data" / "oxford"
    parser.add_argument("--pictures", type=Path, default=default)
    parser.add_argument("--images", type=int, default=120)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    pictures = sorted(args.pictures.glob("*.jpg"))[: args.images]
    if not pictures:
        sys.exit(f"{args.pictures} holds no pictures; name a folder with --pictures")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "pictures"
        folder.mkdir()
        for path in pictures:
            shutil.copy(path, folder)
        os.environ["VISWORD_ARTIFACTS"] = str(Path(place) / "artifacts")
        engine = [sys.executable, "-m", "engine"]
        all_in = run(*engine, "build", str(folder), "--name", "words", "--workers", "1")
        rows = []
        for _ in range(args.repeats):
            alone = subprocess.run(
                [sys.executable, "-c", ALONE, str(folder)],
                cwd=ROOT,
                check=True,
                capture_output=True,
                text=True,
            )
            row = [float(alone.stdout)]
            for workers in ("1", "2"):
                options = ("--codebook", "words", "--overwrite", "--workers", workers)
                row += run(*engine, "build", str(folder), "--name", "x", *options)
            rows.append(row)
    n = len(pictures)
    alone, one, wall_1, rss_1, two, wall_2, _ = (statistics.median(c) for c in zip(*rows))
    print(f"{n} pictures; medians of {args.repeats}; CPU seconds an image")
    print(f"  JPEG decoding + SURF alone           {alone:.4f}")
    print(f"  build, one worker, all in            {one / n:.4f}   {one / n / alone:.2f} x")
    print(f"  build, two workers, all in           {two / n:.4f}   {two / n / alone:.2f} x")
    print(f"  the same with learning 500 words     {all_in[0] / n:.4f}")
    print(f"  two workers, wall                    {wall_1 / wall_2:.2f} x as fast as one")
    print(f"  peak memory of the largest process   {rss_1:.0f} MB")
    print("targets: at most 1.5 x; two workers at least 1.7 x")


if __name__ == "__main__":
    main()
