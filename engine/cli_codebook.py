"""The command that looks at vocabularies: codebooks compare, codebooks quality."""

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from engine import (
    codebook_compare,
    codebook_quality,
    codebook_stability,
    index,
    options,
    word_sample,
)
from engine.codebook_quality import Size
from engine.codebook_stability import Stability
from engine.errors import ArtifactError
from engine.index import Index
from engine.terminal import bar, put, put_json, say

N_TOLD = 10

Command: TypeAlias = Callable[
    [str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser
]


def codebooks(args: argparse.Namespace) -> int:
    """Compare the words of two indexes, or judge those of one."""
    return (_compare if args.what == "compare" else _quality)(args)


def _compare(args: argparse.Namespace) -> int:
    if len(args.names) != 2:
        raise ArtifactError("name two indexes: python -m engine codebooks compare A B")
    if args.groundtruth is not None:
        raise ArtifactError("--groundtruth is of quality: two codebooks are compared without one")
    if args.sizes is not None or args.again is not None:
        raise ArtifactError("--sizes and --again are of quality: they look at one index")
    a, b = map(index.open_index, args.names)
    codebook_compare.check_comparable(a.codebook, b.codebook, (a.name, b.name))
    sample = None
    try:
        with bar(None, "Descriptors") as drawn:
            sample = word_sample.sample(a, args.descriptors, progress=drawn)
    except ArtifactError as error:
        say(f"Centres alone are compared: {error}")
    found = codebook_compare.compare(a.codebook, b.codebook, sample)
    sides = ((a, found.a, found.measured_a), (b, found.b, found.measured_b))
    told: dict[str, Any] = {
        "n_counterparts": len(found.pairs),
        "agreement": found.agreement,
        "same_features": found.same_features,
        "codebooks": [
            {
                "index": one.name,
                "n_words": one.n_words,
                "n_split": len(words.split),
                "measured": None if measured is None else dataclasses.asdict(measured),
            }
            for one, words, measured in sides
        ],
    }
    if args.json:
        put_json(told)
        return 0
    put(f"{a.name} and {b.name}: {len(found.pairs)} words are each other's nearest")
    for (one, words, measured), other in zip(sides, (b, a)):
        put(f"{one.name}, {one.n_words:,} words, of which {other.name} splits {len(words.split):,}")
        if measured is not None:
            put(f"  distortion  {measured.distortion:.4f}")
            _put_usage(measured.usage)
    if found.agreement is not None:
        put(f"agreement     {found.agreement:.3f} (1 the same, 0 chance), on pictures of {a.name}")
    return 0


def _put_usage(usage: codebook_compare.Usage) -> None:
    put(f"  entropy     {usage.entropy:.2f} bits, {usage.evenness:.1%} of the most")
    put(f"  unused      {usage.n_dead:,} ({usage.dead_share:.1%})")


def _quality(args: argparse.Namespace) -> int:
    from engine import groundtruth

    if len(args.names) != 1:
        raise ArtifactError("name one index: python -m engine codebooks quality NAME")
    opened = index.open_index(args.names[0])
    usage = codebook_compare.usage_of(opened.frequency)
    told: dict[str, Any] = {"index": opened.name, "usage": dataclasses.asdict(usage)}
    found = None
    if args.groundtruth is not None:
        queries = groundtruth.read(args.groundtruth, opened)
        found = codebook_quality.informative(opened, queries)
        told["words"] = [
            {"word": word, "bits": float(found.count[word]), "chance": found.count_chance[word]}
            for word in found.order().tolist()
        ]
    sizes, again = _learned(opened, args)
    if sizes is not None:
        told["sizes"] = [dataclasses.asdict(size) for size in sizes]
    if again is not None:
        told["again"] = dataclasses.asdict(again) | {
            "found": again.found.tolist(),
            "distances": [round(float(value), 5) for value in again.distances],
        }
    if args.json:
        put_json(told)
        return 0
    put(f"{opened.name}: {opened.n_words:,} words of {usage.n_descriptors:,} keypoints")
    _put_usage(usage)
    if found is not None:
        put(
            f"bits about {len(found.landmarks)} landmarks ({found.entropy:.2f} bits), of holding "
            "more of a word than the median picture"
        )
        put(f"  mean        {found.count.mean():.3f}, by chance {found.count_chance.mean():.3f}")
        for row in told["words"][:N_TOLD]:
            put(f"  word {row['word']:<6} {row['bits']:.3f}, by chance {row['chance']:.3f}")
    _put_learned(sizes, again)
    return 0


def _learned(
    opened: Index, args: argparse.Namespace
) -> tuple[tuple[Size, ...] | None, Stability | None]:
    """Learn what was asked for, all from one sample."""
    if args.sizes is None and args.again is None:
        return None, None
    sizes = again = None
    with bar(None, "Descriptors") as drawn:
        sample = word_sample.sample(opened, args.descriptors, progress=drawn)
    if args.sizes is not None:
        with bar(len(args.sizes), "Sizes") as done:
            sizes = codebook_quality.over_sizes(
                sample, opened.extraction, args.sizes, progress=done
            )
    if args.again is not None:
        seeds = codebook_stability.seeds_after(opened.codebook, args.again)
        with bar(len(seeds), "Vocabularies") as done:
            again = codebook_stability.learn_again(opened.codebook, sample, seeds, progress=done)
    return sizes, again


def _put_learned(sizes: tuple[Size, ...] | None, again: Stability | None) -> None:
    for size in sizes or ():
        put(
            f"  {size.n_words:>7,} words  distortion {size.learned:.4f} learned, "
            f"{size.held_out:.4f} held out, evenness {size.usage.evenness:.1%}, "
            f"unused {size.usage.dead_share:.1%}"
        )
    if again is None:
        return
    put(f"learned again with {len(again.seeds)} seeds from {again.n_descriptors:,} descriptors")
    put(f"  distortion  {', '.join(f'{d:.4f}' for d in again.distortions)}")
    put(f"  its own     {again.own_distortion:.4f}")
    put(f"  agreement with its own  {', '.join(f'{a:.3f}' for a in again.own_agreements)}")
    if again.agreements:
        put(f"  with each other         {', '.join(f'{a:.3f}' for a in again.agreements)}")
    always = int((again.found == len(again.seeds)).sum())
    put(f"  words with a counterpart in all {always:,}, in none {int((again.found == 0).sum()):,}")


def add_commands(command: Command) -> None:
    """Add this command to the parser that `command` adds to."""
    looked = command("codebooks", codebooks, "codebooks compare oxford dvd")
    looked.add_argument("what", choices=("compare", "quality"))
    looked.add_argument("names", type=options.name, nargs="+", metavar="INDEX")
    looked.add_argument("--groundtruth", type=Path, metavar="CSV", help="of quality: landmarks")
    looked.add_argument(
        "--descriptors",
        type=options.positive,
        default=word_sample.N_SAMPLED,
        help=f"sample to measure on; of compare, from the first ({word_sample.N_SAMPLED})",
    )
    looked.add_argument(
        "--sizes",
        type=_sizes,
        metavar="K,K,...",
        help="of quality: learn these sizes too, and measure each (distortion, usage)",
    )
    looked.add_argument(
        "--again",
        type=options.positive,
        metavar="N",
        help="of quality: learn its size again with N other seeds, and tell which words come back",
    )


def _sizes(text: str) -> tuple[int, ...]:
    """Read "50,100,200"."""
    found = tuple(options.positive(part) for part in text.split(","))
    if min(found) < 2:
        raise argparse.ArgumentTypeError("a vocabulary has at least 2 words")
    return found
