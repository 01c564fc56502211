"""Measure SURF against OpenCV's SIFT with all points, and OpenCV's SURF where it is built in.

    python benchmarks/surf.py [--quick]

All run in turn in one process, so that a busy machine slows all of them; compare the ratios. SURF
here is 128-d, threshold 400, 4 octaves of 3 layers. Pictures: the gray planes of
../shared/surf/gray, some of ../shared/data/oxford, and a mosaic of 12 megapixels of them; without
that folder, photographs that scikit-image brings with it.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from engine import images, surf
from engine.opencv import load

SHARED = ROOT.parent / "shared"

# CPU of OpenCV 4.10's SURF over that of OpenCV 5.0's SIFT with all points, summed over the six
# gray planes on one thread: measured once elsewhere, since packages from PyPI leave SURF out.
RECORDED_SURF_PER_SIFT = 2.14

Gray = NDArray[np.uint8]
Pictures = list[tuple[str, Gray]]


def read_pictures(quick: bool) -> dict[str, Pictures]:
    """Collect the groups of pictures to measure on."""
    planes = sorted((SHARED / "surf" / "gray").glob("*.png"))
    photographs = sorted((SHARED / "data" / "oxford").glob("*.jpg"))
    if not planes or not photographs:
        import skimage

        brought = Path(skimage.__file__).parent / "data"
        planes = [brought / f"{name}.png" for name in ("astronaut", "chelsea", "coffee")]
        photographs = [brought / "rocket.jpg", *planes]
    cv2 = load()
    groups = {"gray planes": [(p.stem, cv2.imread(str(p), cv2.IMREAD_GRAYSCALE)) for p in planes]}
    step = max(1, len(photographs) // (2 if quick else 4))
    groups["photographs"] = [(p.stem, images.read(p).gray) for p in photographs[::step]]
    mosaic = make_mosaic([images.read(p).gray for p in photographs[:: max(1, step // 5)]])
    groups["12 megapixels"] = [("mosaic", mosaic)]
    return groups


def make_mosaic(tiles: list[Gray], height: int = 3000, width: int = 4000) -> Gray:
    """Lay pictures side by side, cut where they overlap."""
    mosaic = np.zeros((height, width), np.uint8)
    y = n = 0
    while y < height:
        x = tallest = 0
        while x < width:
            tile = tiles[n % len(tiles)][: height - y, : width - x]
            mosaic[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
            x += tile.shape[1]
            tallest = max(tallest, tile.shape[0])
            n += 1
        y += tallest
    return mosaic


def find_rivals(cv2: Any) -> dict[str, Callable[[Gray], Any]]:
    """OpenCV's detectors: SIFT with all points, SURF where the build has it."""
    sift = cv2.SIFT_create()
    rivals: dict[str, Callable[[Gray], Any]] = {"sift": lambda g: sift.detectAndCompute(g, None)}
    try:
        theirs = cv2.xfeatures2d.SURF_create(400, 4, 3, True, False)
        rivals["opencv surf"] = lambda g: theirs.detectAndCompute(g, None)
    except (cv2.error, AttributeError):
        pass
    return rivals


def measure(
    pictures: Pictures, thread_counts: list[int], rounds: int
) -> dict[int, dict[str, NDArray[np.float64]]]:
    """Run everything in turn; for each number of threads, (rounds, pictures, 2) ms: CPU, wall."""
    cv2 = load()
    rivals = find_rivals(cv2)
    names = ["ours", *rivals]
    shape = (rounds, len(pictures), 2)
    times = {n: {name: np.zeros(shape) for name in names} for n in thread_counts}
    for done in range(rounds):
        for column, (_, gray) in enumerate(pictures):
            for n_threads in thread_counts:
                cv2.setNumThreads(n_threads)
                for name in names:
                    wall, cpu = time.perf_counter(), time.process_time()
                    if name == "ours":
                        surf.extract(gray, n_threads=n_threads)
                    else:
                        rivals[name](gray)
                    spent = time.process_time() - cpu, time.perf_counter() - wall
                    times[n_threads][name][done, column] = [1000 * value for value in spent]
    return times


def report(pictures: Pictures, times: dict[str, NDArray[np.float64]], n_threads: int) -> None:
    """Print medians and the medians of the ratios of each round."""
    rivals = [name for name in times if name != "ours"]
    print(f"\n  {n_threads} thread{'s'[: n_threads > 1]}: ms of CPU | wall (medians)")
    head = "".join(f"{name:>20}" for name in times)
    print(f"  {'':24}{head}" + "".join(f"{f'ours/{name}':>18}" for name in rivals))
    sums = {name: values.sum(1, keepdims=True) for name, values in times.items()}
    rows = [
        (name, {k: v[:, [i]] for k, v in times.items()}) for i, (name, _) in enumerate(pictures)
    ]
    for label, part in [*rows, ("sum", sums)] if len(rows) > 1 else rows:
        cells = "".join(
            f"{np.median(v[:, 0, 0]):>11.1f} |{np.median(v[:, 0, 1]):>7.1f}" for v in part.values()
        )
        ratios = "".join(
            f"{np.median(part['ours'][:, 0, 0] / part[name][:, 0, 0]):>18.3f}" for name in rivals
        )
        print(f"  {label[:24]:24}{cells}{ratios}")
    if "opencv surf" not in times:
        ratio = np.median(sums["ours"][:, 0, 0] / sums["sift"][:, 0, 0]) / RECORDED_SURF_PER_SIFT
        print(
            "  This OpenCV has no SURF. ESTIMATE from the recorded ratio of "
            f"{RECORDED_SURF_PER_SIFT} (its SURF : SIFT): ours/opencv surf {ratio:.3f}"
        )


def speed_up(pictures: Pictures, rounds: int) -> tuple[float, float]:
    """How much faster two threads are, and two whole extractions side by side: medians of sums.

    The latter is what two cores of a shared machine can give at all at that moment.
    """
    wall = np.zeros((rounds, len(pictures), 3))
    for done in range(rounds):
        for column, (_, gray) in enumerate(pictures):
            beside = threading.Thread(target=surf.extract, args=(gray,))
            marks = [time.perf_counter()]
            surf.extract(gray)
            marks.append(time.perf_counter())
            surf.extract(gray, n_threads=2)
            marks.append(time.perf_counter())
            beside.start()
            surf.extract(gray)
            beside.join()
            marks.append(time.perf_counter())
            wall[done, column] = np.diff(marks)
    one, two, both = np.median(wall.sum(axis=1), axis=0)
    return float(one / two), float(2 * one / both)


def peak_above_image(gray: Gray) -> float:
    """Megabytes that an extraction in a fresh process takes at most, beyond the image itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gray.npy"
        np.save(path, gray)
        command = [sys.executable, __file__, "--peak", str(path)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def print_peak(path: str) -> None:
    """Print by how much an extraction raises this process's largest resident size."""
    surf.warm_up()
    gray = np.load(path)
    before = largest_resident()
    surf.extract(gray, n_threads=os.cpu_count() or 1)
    print(largest_resident() - before)


def largest_resident() -> float:
    """Megabytes; ru_maxrss would begin with the parent's on Linux."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main() -> None:
    """Print all the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer pictures and rounds")
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peak:
        print_peak(arguments.peak)
        return
    begun = time.process_time()
    surf.warm_up(print)
    print(f"warm up: {time.process_time() - begun:.2f} s of CPU; OpenCV {load().__version__}")
    n_cores = os.cpu_count() or 1
    for group, pictures in read_pictures(arguments.quick).items():
        print(f"\n{group}")
        for name, gray in pictures:
            n_keypoints = len(surf.extract(gray))
            print(f"  {name[:30]:30} {gray.shape[1]} x {gray.shape[0]}, {n_keypoints} keypoints")
        large = group == "12 megapixels"
        rounds = (1 if large else 3) if arguments.quick else (3 if large else 9)
        times = measure(pictures, sorted({1, n_cores}), rounds)
        for n_threads, part in times.items():
            report(pictures, part, n_threads)
        ours, most = speed_up(pictures, rounds)
        print(f"  two threads, wall: {ours:.2f} times faster than one; the machine now: {most:.2f}")
        if large:
            print(f"  peak above the image: {peak_above_image(pictures[0][1]):.0f} MB")


if __name__ == "__main__":
    main()
