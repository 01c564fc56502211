"""The commands that measure: evaluate (with the claims), calibrate, runs, compare."""

import argparse
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from engine import index, methods, options
from engine.cli_ladder import ladder
from engine.errors import EngineError
from engine.terminal import add_graph, bar, interval, put, put_json, say

N_TOLD = 10

Command: TypeAlias = Callable[
    [str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser
]


def evaluate(args: argparse.Namespace) -> int:
    """Measure an index on a ground truth, and keep the run."""
    from engine import evaluate as measure
    from engine import groundtruth, runs

    tuning = options.tuning(args)
    opened = index.open_index(args.name)
    queries = groundtruth.read(args.groundtruth, opened)
    if args.claims:
        return _claims(opened, queries, args, tuning)
    with bar(len(queries)) as progress:
        result = measure.evaluate(opened, queries, args.method, progress, tuning)
    figures = result.to_json()
    if not args.no_keep:
        figures["run"] = runs.keep(opened, result, args.groundtruth, tuning).name
        say(f"Kept as the run {figures['run']}")
    if args.json:
        put_json(figures)
        return 0
    groups = figures["by_landmark"]
    put(f"{opened.name}, {figures['method']}, {figures['n_queries']} queries")
    put(f"  mAP                   {figures['mAP']:.3f}   by landmark {groups['mAP']:.3f}")
    put(f"    95 % interval       {interval(figures['mAP_interval'])} drawing queries")
    put(f"                        {interval(figures['mAP_interval_landmarks'])} landmarks")
    put(f"  P@1                   {figures['P@1']:.3f}   by landmark {groups['P@1']:.3f}")
    put(f"  P@4                   {figures['P@4']:.3f}   by landmark {groups['P@4']:.3f}")
    put(f"  all four right        {figures['top4_all_right']:.3f}")
    if figures["mAP_easy"] is not None:
        put(f"  mAP, good alone       {figures['mAP_easy']:.3f}")
    put(f"  landmarks             {groups['n_landmarks']}")
    if figures["accepted"] is not None:
        _put_accepted(figures["accepted"])
    return 0


def _put_accepted(told: dict[str, Any]) -> None:
    """Print how much of what a method accepts is right."""
    put(f"  accepted as the same thing, of {told['n_positives']:,} right answers")
    for what, title in (("direct", "by their own score"), ("added", "by way of others")):
        if (n := told[what]) is not None:
            put(f"    {title:<20}{n['right']:,} right, {n['wrong']:,} wrong, {n['junk']:,} ignored")
    put(f"    {'nothing at all':<20}{told['n_queries_without']:,} queries")


def calibrate(args: argparse.Namespace) -> int:
    """Measure from which verified score a result is the same thing, and keep that."""
    from engine import calibrate as measure
    from engine import graph, pipeline
    from engine.pool import available_cores

    n_threads = args.threads or available_cores()
    pipeline.warm_up(say)
    if graph.PART not in index.open_index(args.name).parts:
        add_graph(args.name, n_threads)
    params = measure.CalibrateParams(args.rate, args.pictures)
    with bar(None, "Pictures without a match") as drawn:
        report = measure.calibrate(
            args.name,
            args.distractors,
            args.check,
            params,
            n_threads,
            lambda _, done, total: drawn(done, total),
        )
    for source in report.measured:
        for line in source.skipped:
            say(f"Left out: {line}")
    if args.json:
        put_json({"index": args.name, **dataclasses.asdict(report)})
        return 0
    put(f"{args.name}: a verified score of {report.least_score:.2f} or more is the same thing")
    put(f"  stated    {report.rate:6.2%} of pictures that match nothing get there")
    for source in report.measured:
        low, high = source.interval
        share = source.n_reached / max(1, source.n_pictures)
        kind = "each part by a score set without it" if source.took_part else "took no part"
        put(
            f"  measured  {share:6.2%} ({low:.2%} to {high:.2%}) of {source.n_pictures} "
            f"{'in ' + source.source if source.source else 'of its own'}, {kind}"
        )
    return 0


def _claims(
    opened: index.Index, queries: Sequence[Any], args: argparse.Namespace, tuning: Any
) -> int:
    from engine.claims import check_claims

    method = args.method or opened.method
    with bar(None, "Pictures") as progress:
        claims = check_claims(opened, queries, method, progress, tuning)
    if args.json:
        rows = [dataclasses.asdict(c) for c in claims]
        for row in rows:
            row["measured"] = None if row["n_queries"] == 0 else row["measured"]
        put_json({"index": opened.name, "method": method, "claims": rows})
        return 0
    put(f"{opened.name}, {method}")
    put(f"{'claim':<72} {'labelled set':<14} claimed  measured  queries")
    for claim in claims:
        measured = f"{claim.measured:8.2f}" if claim.n_queries else "       –"
        put(
            f"{claim.text:<72} {claim.labelled_set:<14} {claim.claimed:7.2f}  {measured}  "
            f"{claim.n_queries:7}"
        )
    return 0


def list_runs(args: argparse.Namespace) -> int:
    """List the evaluations that were kept, or delete one."""
    from engine import runs

    if args.delete is not None:
        runs.delete_run(args.delete)
        say(f"Deleted the run {args.delete!r}.")
        return 0
    rows: list[dict[str, Any]] = []
    for name in runs.list_runs():
        try:
            rows.append(runs.open_run(name).summary())
        except EngineError as error:
            rows.append({"name": name, "error": str(error)})
    if args.json:
        put_json({"runs": rows})
        return 0
    if not rows:
        say("There are no runs yet. Make one: python -m engine evaluate NAME groundtruth.csv")
    for row in rows:
        if "error" in row:
            put(f"{row['name']:<44} {row['error']}")
        else:
            put(
                f"{row['name']:<44} mAP {row['mAP']:.3f}  P@1 {row['P@1']:.3f}  "
                f"{row['n_queries']} queries of {row['groundtruth']}"
                + "".join(f"  {setting}" for setting in row["set"])
            )
    return 0


def compare(args: argparse.Namespace) -> int:
    """Show which queries one run answers better or worse than another."""
    from engine import runs
    from engine.compare import SAME
    from engine.compare import compare as run

    compared = run(runs.open_run(args.before), runs.open_run(args.after))
    for note in compared.notes:
        say(f"Note: {note}")
    if args.json:
        put_json(compared.to_json())
        return 0
    better, worse, same = compared.count()
    put(f"{compared.before} to {compared.after}: {len(compared.queries)} queries")
    put(f"  mAP           {compared.mean_before:.3f} to {compared.mean_after:.3f}")
    put(f"  difference    {compared.difference:+.3f}")
    put(f"    95 %        {interval(compared.interval, '+.3f')} drawing queries")
    put(f"                {interval(compared.interval_landmarks, '+.3f')} landmarks")
    put(f"  queries       {better} better, {worse} worse, {same} the same")
    changed = [q for q in compared.queries if abs(q.difference) > SAME]
    hidden = 0 if args.all else max(0, len(changed) - 2 * N_TOLD)
    shown = changed if not hidden else changed[:N_TOLD] + changed[-N_TOLD:]
    for place, row in enumerate(shown):
        if hidden and place == N_TOLD:
            put(f"  ... {hidden} more between (--all shows them)")
        put(f"  {row.difference:+.3f}  {row.before:.3f} to {row.after:.3f}  {row.query}")
    return 0


def add_commands(command: Command) -> None:
    """Add these commands to the parser that `command` adds to."""
    measured = command("evaluate", evaluate, "evaluate oxford groundtruth.csv --method count")
    options.measured_options(measured)
    options.method_option(measured, "how to rank (the index's own)", by_model=True)
    measured.add_argument("--claims", action="store_true", help="test the original's claims")

    climbed = command("ladder", ladder, "ladder oxford groundtruth.csv --methods count,verified")
    options.measured_options(climbed)
    climbed.add_argument(
        "--methods",
        type=options.method_names,
        metavar="A,B,...",
        help=f"these, in this order ({','.join(methods.METHODS)}, and the models of the index)",
    )

    example = "calibrate oxford --distractors ~/Pictures"
    calibrated = command("calibrate", calibrate, example)
    calibrated.add_argument("name", type=options.name, help="index")
    for flag, told in (("--distractors", "to set the score with"), ("--check", "only to check it")):
        help_ = f"pictures that show nothing of the index, {told}"
        calibrated.add_argument(
            flag, type=Path, nargs="+", default=[], metavar="FOLDER", help=help_
        )
    calibrated.add_argument(
        "--rate", type=float, default=0.01, help="share of these that may reach it (0.01)"
    )
    calibrated.add_argument(
        "--pictures", type=options.positive, default=1000, help="at most, of each source (1000)"
    )
    calibrated.add_argument("--threads", type=options.positive, help="threads (all cores)")

    listed = command("runs", list_runs, "runs")
    listed.add_argument("--delete", type=options.name, metavar="RUN", help="delete this run")

    compared = command("compare", compare, "compare RUN RUN")
    compared.add_argument("before", type=options.name, help="a run, see 'runs'")
    compared.add_argument("after", type=options.name, help="another")
    compared.add_argument("--all", action="store_true", help="every query that changed")
