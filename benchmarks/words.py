"""Large vocabularies: what seeking words by groups misses, and what it saves.

    python benchmarks/words.py NAME [--pictures 10]

NAME is an index of more than 4,096 words. The descriptors of some of its pictures are assigned by
its groups and exactly, in turns, on one thread; times are CPU.
"""

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np
from threadpoolctl import threadpool_limits

from engine import features, groups, images, index, lookup


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name")
    parser.add_argument("--pictures", type=int, default=10)
    args = parser.parse_args()
    opened = index.open_index(args.name)
    words = opened.codebook
    if words.groups is None:
        sys.exit(f"{args.name} has {words.n_words} words, too few for groups")
    chosen = np.linspace(0, opened.n_images - 1, args.pictures).astype(int)
    same, apart, ratios = [], [], []
    with threadpool_limits(1):
        for image_id in [int(chosen[0]), *chosen.tolist()]:
            image = images.read(opened.picture_path(image_id))
            found = features.extract(image.gray, opened.extraction).descriptors
            times = [time.process_time()]
            exact = lookup.assign(found, words.centres)
            times.append(time.process_time())
            near, distances = groups.near(found, words.centres, words.groups, 1)
            times.append(time.process_time())
            same.append(near[:, 0] == exact.word_ids)
            apart.append(distances[:, 0].mean() / exact.distances.mean())
            ratios.append((times[1] - times[0]) / (times[2] - times[1]))
    # The first picture came twice: kernels load with it.
    print(f"{words.n_words:,} words in {len(words.groups.heads)} groups, {groups.N_PROBES} probed")
    print(f"the nearest word of all: {np.concatenate(same[1:]).mean():.1%} of keypoints")
    print(f"mean distance, by groups : exactly: {np.mean(apart[1:]):.4f}")
    print(f"CPU, exactly : by groups: {np.median(ratios[1:]):.1f}")


if __name__ == "__main__":
    main()
