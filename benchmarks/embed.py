"""How fast pictures become vectors: batches, threads, and OpenCV on the same file.

    python benchmarks/embed.py MODEL [--folder ../shared/data/ukbench] [--images 32] [--rounds 5]

Everything runs in one process, each way once a round, in turn; medians are told. CPU time is that
of the whole process; threads that wait take some of it.
"""

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine import cnn, datasets, images, model_store, opencv, threads
from engine.errors import EngineError
from engine.preprocess import prepare

BATCHES = (1, 4, 8, 16)


def pictures(folder: Path, n: int) -> list[Path]:
    found = []
    for file in datasets.walk(folder):
        path = folder / file.path
        if images.is_picture(path):
            found.append(path)
    return (found * -(-n // max(1, len(found))))[:n]


def batches(inputs: list[np.ndarray], size: int) -> list[list[np.ndarray]]:
    return [inputs[i : i + size] for i in range(0, len(inputs), size)]


def with_opencv(path: Path, output: str, n_threads: int) -> Callable[[list[np.ndarray]], None]:
    cv2 = opencv.load()
    net = cv2.dnn.readNetFromONNX(str(path))

    def run(inputs: list[np.ndarray]) -> None:
        cv2.setNumThreads(n_threads)
        for one in inputs:
            net.setInput(one[None])
            net.forward(output).copy()

    return run


def ways(
    installed: model_store.Installed, inputs: list[np.ndarray]
) -> dict[str, Callable[[], object]]:
    found: dict[str, Callable[[], object]] = {}
    network = cnn.open_network(installed, 1)
    two = cnn.open_network(installed, 2)
    for size in BATCHES:
        pieces = batches(inputs, size)
        found[f"batch {size:>2}, one thread"] = lambda pieces=pieces: [
            network.embed_prepared(piece) for piece in pieces
        ]
    for size in (1, 8):
        pieces = batches(inputs, size)
        found[f"batch {size:>2}, two threads within a run"] = lambda pieces=pieces: [
            two.embed_prepared(piece) for piece in pieces
        ]
        tasks = [partial(_embed, network, piece) for piece in pieces]
        found[f"batch {size:>2}, two runs side by side"] = lambda tasks=tasks: threads.run(tasks, 2)
    model = installed.model
    if model.resize != "longest" and model.layout == "nchw":
        for n in (1, 2):
            run = with_opencv(installed.path, model.output, n)
            found[f"OpenCV's dnn, batch  1, {n} thread{'s' * (n > 1)}"] = partial(run, inputs)
    return found


def _embed(network: cnn.Network, piece: list[np.ndarray]) -> None:
    network.embed_prepared(piece)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    shared = Path(__file__).resolve().parents[2] / "shared/data/ukbench"
    parser.add_argument("--folder", type=Path, default=shared)
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    installed = model_store.open_model(args.model)
    paths = pictures(args.folder, args.images)
    started = time.process_time()
    read = [images.read(path) for path in paths]
    decoding = time.process_time() - started
    started = time.process_time()
    inputs = [prepare(image, installed.model) for image in read]
    preparing = time.process_time() - started
    del read
    able = ways(installed, inputs)
    cpu: dict[str, list[float]] = {name: [] for name in able}
    wall: dict[str, list[float]] = {name: [] for name in able}
    for turn in range(args.rounds + 1):
        for name, run in able.items():
            began, began_cpu = time.perf_counter(), time.process_time()
            run()
            if turn:  # the first round only warms up
                wall[name].append(time.perf_counter() - began)
                cpu[name].append(time.process_time() - began_cpu)
    n = len(inputs)
    print(f"{installed.model.name}, {n} pictures, {args.rounds} rounds, medians")
    print(
        f"decoding {1000 * decoding / n:.1f} ms CPU a picture, preparing {1000 * preparing / n:.1f}"
    )
    print(f"{'':<38} images a CPU second   images a second")
    for name in able:
        per_cpu = n / statistics.median(cpu[name])
        print(f"{name:<38} {per_cpu:>19.2f} {n / statistics.median(wall[name]):>17.2f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"peak memory of all together {peak:,.0f} MB")


if __name__ == "__main__":
    try:
        main()
    except EngineError as error:
        sys.exit(f"Error: {error}")
