"""What a build costs an image, beside JPEG decoding and SURF alone; two workers beside one.

    python benchmarks/build.py [--pictures FOLDER] [--images 120] [--repeats 3]

Builds run as whole processes (`python -m engine build`), so that imports and worker processes
count. Beside two workers stands what the machine gives to two processes that share nothing and do
nothing but JPEG decoding and SURF, each on half of the pictures. Words come from a codebook made
first: learning them costs the same for any number of pictures; what it costs is printed beside.
CPU seconds of the process and its workers, medians.
"""

import argparse
import os
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
paths = sorted(Path(sys.argv[1]).iterdir())[int(sys.argv[2]) :: int(sys.argv[3])]
surf.extract(images.read(paths[0]).gray)
cpu, wall = time.process_time(), time.perf_counter()
for path in paths:
    surf.extract(images.read(path).gray)
print((time.process_time() - cpu) / len(paths), time.perf_counter() - wall)
"""


def alone(folder: Path, processes: int) -> tuple[float, float]:
    """CPU seconds a picture of JPEG decoding and SURF, and wall seconds, shared by processes."""
    argv = (sys.executable, "-c", ALONE, str(folder))
    running = [
        subprocess.Popen(
            [*argv, str(i), str(processes)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for i in range(processes)
    ]
    ends = [process.communicate()[0].split() for process in running]
    if any(process.returncode for process in running):
        sys.exit("JPEG decoding and SURF alone failed")
    return statistics.mean(float(end[0]) for end in ends), max(float(end[1]) for end in ends)


def run(*argv: str) -> tuple[float, float, float]:
    """Run a process; return CPU seconds and peak megabytes, with its children, and wall seconds."""
    started = time.perf_counter()
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(argv)} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024


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
        few = Path(place) / "few"
        few.mkdir()
        for path in pictures[: len(pictures) // 4]:
            shutil.copy(path, few)
        shared = ("--codebook", "words", "--overwrite", "--workers")
        few_mb = run(*engine, "build", str(few), "--name", "few", *shared, "1")[2]
        rows = []
        for _ in range(args.repeats):
            row = [*alone(folder, 1), alone(folder, 2)[1]]
            for workers in ("1", "2"):
                row += run(*engine, "build", str(folder), "--name", "x", *shared, workers)
            rows.append(row)
    n = len(pictures)
    bare, wall_bare, wall_halves, one, wall_1, many_mb, two, wall_2, _ = (
        statistics.median(column) for column in zip(*rows)
    )
    print(f"{n} pictures; medians of {args.repeats}; CPU seconds an image")
    print(f"  JPEG decoding + SURF alone           {bare:.4f}")
    print(f"  build, one worker, all in            {one / n:.4f}   {one / n / bare:.2f} x")
    print(f"  build, two workers, all in           {two / n:.4f}   {two / n / bare:.2f} x")
    print(f"  the same with learning 500 words     {all_in[0] / n:.4f}")
    print(f"  two workers, wall                    {wall_1 / wall_2:.2f} x as fast as one")
    limit = wall_bare / wall_halves
    print(f"  two bare processes, wall             {limit:.2f} x: the limit of this machine")
    print(
        f"  peak memory, one worker              {many_mb:.0f} MB; a quarter of them {few_mb:.0f}"
    )
    print(f"  peak memory while learning words     {all_in[2]:.0f} MB")
    print("targets: at most 1.5 x; two workers at least 1.7 x")


if __name__ == "__main__":
    main()
