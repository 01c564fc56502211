"""What a query costs on a collection of 5,000 images, beside SURF of the query picture alone.

    python benchmarks/query.py [--images 5000] [--repeats 9]

The collection is made from the keypoints of real pictures (../shared/data/oxford, or any folder
given with --pictures): every image of it mixes the words of two of them. Each query picture runs
SURF alone and the whole query (decoding, SURF, words, ranking by `distance`) alternately in this
process, on one thread; CPU seconds are compared, medians printed. Then every ranking method that
needs no graph, on all cores: the wall seconds that its answer takes above SURF decide which one the
app takes unless told otherwise.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from engine import (
    aggregate,
    artifacts,
    assemble,
    build,
    codebook,
    images,
    index,
    lookup,
    methods,
    pipeline,
    records,
    signatures,
    surf,
    worker,
)
from engine import features as feature
from engine.codebook import CodebookParams
from engine.records import Record

N_SOURCES = 24


def make_collection(pictures: list[Path], n_images: int, place: Path) -> None:
    """Write the index "many": each image takes half its keypoints from each of two pictures."""
    random = np.random.default_rng(0)
    params = build.BuildParams(codebook=CodebookParams(n_samples=60_000, n_iterations=5))
    found = [feature.extract(images.read(p).gray, params.extraction) for p in pictures]
    sample = np.concatenate([f.descriptors for f in found])
    drawn = np.sort(random.choice(len(sample), min(60_000, len(sample)), replace=False))
    words = codebook.train(sample[drawn], params.codebook, params.extraction, len(pictures))
    assigned = [lookup.assign(f.descriptors, words.centres) for f in found]
    bits = [
        signatures.sign(f.descriptors, w.word_ids, words.signatures)
        for f, w in zip(found, assigned)
    ]
    finished = []
    for i in range(n_images):
        a, b = random.choice(len(pictures), 2, replace=False)
        rows = [(s, np.flatnonzero(random.random(len(found[s])) < 0.5)) for s in (a, b)]

        def both(of: list, name: str, rows: list = rows) -> np.ndarray:
            return np.concatenate([getattr(of[s], name)[r] for s, r in rows])

        arrays = {
            k: both(found, k) for k in ("xy", "size", "angle", "response", "octave", "class_id")
        }
        arrays["octave"] = arrays["octave"].astype(np.int8)
        arrays["class_id"] = arrays["class_id"].astype(np.int8)
        arrays |= {k: both(assigned, k) for k in ("word_ids", "distances")}
        arrays["bits"] = np.concatenate([bits[s][r] for s, r in rows])
        arrays["distances"] *= random.uniform(0.9, 1.1, len(arrays["distances"])).astype(np.float32)
        said = {"path": f"{i:05}.jpg", "reason": None, "sha256": f"{i:064x}"}
        said |= {"width": 1024, "height": 768, "n_bytes": 1, "n_keypoints": len(arrays["xy"])}
        record = place / "records" / f"{i:05}"
        record.parent.mkdir(exist_ok=True)
        records.write(worker.record_path(str(record), finished=True), Record(said, arrays))
        finished.append(str(record))
    folder = index.index_folder("many")
    folder.mkdir(parents=True)
    parts = assemble.assemble(finished, folder, words.n_words).parts
    parts["images"]["parameters"] = {"folder": str(place)}
    parts["keypoints"]["parameters"] = params.extraction.to_json()
    parts["vectors"]["parameters"] = {"method": "distance"}
    parts["codebook"] = codebook.to_entry(words, folder)
    pixels = np.zeros((words.n_words, 1, 32, 32, 3), np.uint8)
    rows = np.full((words.n_words, 1), -1, np.int64)
    parts["patches"] = {"arrays": assemble.write_patches(folder, pixels, rows)}
    artifacts.write_manifest(folder, "index", {"parts": parts})


def cpu(function) -> float:
    started = time.process_time()
    function()
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--queries", type=int, default=6)
    default = ROOT.parent / "shared" / "data" / "oxford"
    parser.add_argument("--pictures", type=Path, default=default)
    args = parser.parse_args()
    pictures = sorted(args.pictures.glob("*.jpg"))
    if len(pictures) < N_SOURCES + args.queries:
        sys.exit(f"{args.pictures} holds too few pictures; name a folder with --pictures")
    chosen = pictures[:: len(pictures) // (N_SOURCES + args.queries)]
    with tempfile.TemporaryDirectory() as place:
        os.environ["VISWORD_ARTIFACTS"] = place
        make_collection(chosen[:N_SOURCES], args.images, Path(place))
        aggregate.make_residuals("many", n_threads=2)
        started = time.perf_counter()
        many = index.open_index("many")
        opened = time.perf_counter() - started
        print(
            f"{many.n_images:,} images, {many.n_keypoints / many.n_images:,.0f} keypoints each, "
            f"opened in {opened:.2f} s"
        )
        measure(many, chosen[N_SOURCES : N_SOURCES + args.queries], args.repeats)


def measure_words(many: index.Index) -> None:
    """Say what it costs to gather what the page of a word shows."""
    busiest = np.argsort(many.frequency)[::-1][:5].tolist()

    def open_word(word: int) -> None:
        rows = many.keypoint_rows_of_word(word)
        np.histogram(many.distances(rows), bins=30)
        many.images_of_word(word, 8)
        many.nearest_words(word, 8)

    times = [cpu(lambda word=word: open_word(word)) for word in busiest for _ in range(3)]
    print(
        f"opening one of the five most frequent words: {statistics.median(times) * 1e3:.0f} ms CPU"
    )


def measure_methods(many: index.Index, queries: list[Path], repeats: int) -> None:
    """Say what each method's answer takes above SURF."""
    print("\nabove SURF, all cores, medians of wall and CPU ms (target: at most 300 wall)")
    pictures = [images.read(path) for path in queries]
    times: dict[str, list[tuple[float, float]]] = {m: [] for m in methods.available(many.parts)}
    for _ in range(max(2, repeats // 2)):
        for image in pictures:
            described = pipeline.describe_query(many, image)
            for method, of in times.items():
                wall, cpu_before = time.perf_counter(), time.process_time()
                pipeline.search_query(many, described, method)
                spent = time.perf_counter() - wall + described.timings.words
                of.append((spent, time.process_time() - cpu_before))
    for method, of in times.items():
        wall, used = (statistics.median(column) * 1e3 for column in zip(*of))
        print(f"{method:<18} {wall:>7.1f} {used:>7.1f}")


def measure(many: index.Index, queries: list[Path], repeats: int) -> None:
    from threadpoolctl import threadpool_limits

    ratios = []
    print(f"{'query':<28} keypoints  SURF ms  query ms  ratio   without decoding")
    with threadpool_limits(1):
        for path in queries:

            def whole(path: Path = path) -> None:
                described = pipeline.describe_query(many, images.read(path), n_threads=1)
                pipeline.search_query(many, described, "distance")

            image = images.read(path)

            def alone(image: images.Image = image) -> None:
                surf.extract(image.gray, many.surf)

            def decode(path: Path = path) -> None:
                images.read(path)

            alone(), whole()
            times = [(cpu(alone), cpu(whole), cpu(decode)) for _ in range(repeats)]
            ratio = statistics.median(w / a for a, w, _ in times)
            lean = statistics.median((w - d) / a for a, w, d in times)
            ratios.append((ratio, lean))
            print(
                f"{path.stem[:28]:<28} {len(surf.extract(image.gray, many.surf)):>9} "
                f"{statistics.median(t[0] for t in times) * 1e3:>8.1f} "
                f"{statistics.median(t[1] for t in times) * 1e3:>9.1f}  {ratio:.2f}   {lean:.2f}"
            )
    measure_words(many)
    measure_methods(many, queries, repeats)
    print(
        f"median ratio query / SURF: {statistics.median(r for r, _ in ratios):.2f}, without "
        f"decoding {statistics.median(r for _, r in ratios):.2f} (target at most 1.2)"
    )


if __name__ == "__main__":
    main()
