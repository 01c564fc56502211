"""What enlarging small pictures before extraction is worth.

    python benchmarks/small.py [--side 320] [--folder ../shared/data/oxford] [--workers 2]

Shrinks all pictures of a folder with a `groundtruth.csv` to the same longest side, builds an index
of them as they are, with a lower threshold, and enlarged to two and three times as much, and
evaluates each. Everything is made in a temporary folder.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from engine import build, evaluate, groundtruth, images
from engine.features import ExtractionParams
from engine.surf import SurfParams


def shrink(folder: Path, place: Path, side: int) -> None:
    for path in folder.iterdir():
        if images.is_picture(path):
            small = images.thumbnail(path.read_bytes(), path.name, side)
            (place / path.name).write_bytes(small)
    shutil.copy(folder / "groundtruth.csv", place)


def measure(place: Path, name: str, params: ExtractionParams, workers: int) -> None:
    opened = build.build(place, name, build.BuildParams(extraction=params), workers)
    queries = groundtruth.read(place / "groundtruth.csv", opened)
    figures = evaluate.evaluate(opened, queries, "verified").to_json()
    print(
        f"{name:<16} {opened.n_keypoints / opened.n_images:>9,.0f}  {figures['mAP']:.3f}  "
        f"{figures['P@1']:.3f}  {figures['P@4']:.3f}  {figures['top4_all_right']:.3f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, default=ROOT.parent / "shared" / "data" / "oxford")
    parser.add_argument("--side", type=int, default=320)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    args = parser.parse_args()
    if not (args.folder / "groundtruth.csv").exists():
        sys.exit(f"{args.folder} holds no groundtruth.csv: name a folder with --folder")
    with tempfile.TemporaryDirectory() as made:
        place = Path(made) / "pictures"
        place.mkdir()
        os.environ["VISWORD_ARTIFACTS"] = str(Path(made) / "artifacts")
        shrink(args.folder, place, args.side)
        print("verified         keypoints  mAP    P@1    P@4    all four right")
        measure(place, "as-they-are", ExtractionParams(), args.workers)
        lower = ExtractionParams(SurfParams(hessian_threshold=20))
        measure(place, "threshold-20", lower, args.workers)
        for times in (2, 3):
            larger = ExtractionParams(min_side=times * args.side)
            measure(place, f"min-side-{times * args.side}", larger, args.workers)


if __name__ == "__main__":
    main()
