"""The command that looks at vocabularies: codebooks compare, codebooks quality."""

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from engine import codebook_compare, codebook_quality, index, options, word_sample
from engine.errors import ArtifactError
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
    return 0


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
        help=f"of compare: sample, from the first ({word_sample.N_SAMPLED})",
    )
