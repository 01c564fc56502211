"""The command ladder: every method on one ground truth, as a table."""

import argparse
from collections.abc import Sequence
from typing import Any

from engine import index, methods, options
from engine.errors import EngineError
from engine.terminal import ADDING, bar, interval, put, put_json, say


def ladder(args: argparse.Namespace) -> int:
    """Measure every method on a ground truth: what each adds, and what it costs."""
    from engine import groundtruth, runs
    from engine import ladder as rungs

    tuning = options.tuning(args)
    opened = index.open_index(args.name)
    queries = groundtruth.read(args.groundtruth, opened)
    parts = opened.parts
    every = (*methods.METHODS, *methods.embedded(parts), *methods.fused(parts))
    chosen = args.methods or every
    unmade = _add_parts(opened, chosen)
    opened = index.open_index(opened.name)
    with bar(len(queries)) as progress:
        climbed = rungs.climb(opened, queries, chosen, progress, tuning)
    rows = []
    for rung in climbed:
        row: dict[str, Any] = rung.to_json() | {"run": None}
        if rung.missing and rung.missing[0] in unmade:
            row["error"] = unmade[rung.missing[0]]
        if rung.evaluation is not None and not args.no_keep:
            try:
                row["run"] = runs.keep(opened, rung.evaluation, args.groundtruth, tuning).name
                say(f"Kept as the run {row['run']}")
            except EngineError as error:
                row["error"] = str(error)
        rows.append(row)
    features_cpu = rungs.features_cpu_seconds(climbed)
    if args.json:
        of_all = {"index": opened.name, "groundtruth": args.groundtruth.name}
        of_all["features_cpu_seconds"] = features_cpu
        put_json([row | of_all for row in rows])
    else:
        _put_ladder(rows)
        put()
        put(f"{opened.name}, {args.groundtruth.name}: {len(queries)} queries")
        if features_cpu is not None:
            put(f"Describing a query takes {features_cpu:.3f} s of CPU more, the same for all.")
    return _end_of_ladder(rows)


def _add_parts(opened: index.Index, chosen: Sequence[str]) -> dict[str, str]:
    """Add the parts that methods need; return those that cannot be made, and why."""
    unmade = {}
    for part in methods.OPTIONAL:
        if any(part in methods.lacking(method, opened.parts) for method in chosen):
            try:
                ADDING[part](opened.name)
            except EngineError as error:
                unmade[part] = f"its {part} cannot be made: {error}"
    return unmade


def _end_of_ladder(rows: Sequence[dict[str, Any]]) -> int:
    """Return the exit code; name the methods of which something went wrong."""
    lost = [row["name"] for row in rows if "mAP" not in row]
    unkept = [row["name"] for row in rows if "mAP" in row and row["error"] is not None]
    told = (("could not be measured", lost), ("measured, but could not be kept", unkept))
    for what, names in told:
        if names:
            say(f"Error: {len(names)} of {len(rows)} methods {what}: {', '.join(names)}")
    return 1 if lost or unkept else 0


def _put_ladder(rows: Sequence[dict[str, Any]]) -> None:
    """Print the rungs as a table that is also Markdown."""
    heading = (
        "method",
        "mAP",
        "95 %",
        "more than the last",
        "95 %",
        "P@1",
        "P@4",
        "all four",
        "mAP easy",
        "mAP by landmark",
        "CPU s/query",
        "bytes/image",
        "build CPU s",
    )
    table = [heading, *map(_rung, rows)]
    whole = [line for line in table if len(line) == len(heading)]
    widths = [max(len(line[i]) for line in whole) for i in range(len(heading))]
    widths[0] = max(len(line[0]) for line in table)
    rest = sum(widths[1:]) + 3 * (len(widths) - 2)  # of a line whose second cell takes all others
    for place, line in enumerate(table):
        cells = zip(line, widths if line in whole else (widths[0], rest))
        put("| " + " | ".join(cell.ljust(width) for cell, width in cells) + " |")
        if place == 0:
            put("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    for row in rows:
        if "mAP" in row and row["error"] is not None:
            put(f"{row['name']}: {row['error']}")


def _rung(row: dict[str, Any]) -> tuple[str, ...]:
    """Return the cells of a rung; if it was not measured, its name and what was wrong."""
    if "mAP" not in row:
        return row["name"], " ".join(row["error"].split()).replace("|", "/")
    step, easy, building = row["step"], row["mAP_easy"], row["build_cpu_seconds"]
    return (
        row["name"],
        f"{row['mAP']:.3f}",
        interval(row["mAP_interval"]),
        "" if step is None else f"{step['difference']:+.3f}",
        "" if step is None else interval(step["interval"], "+.3f"),
        f"{row['P@1']:.3f}",
        f"{row['P@4']:.3f}",
        f"{row['top4_all_right']:.3f}",
        "" if easy is None else f"{easy:.3f}",
        f"{row['by_landmark']['mAP']:.3f}",
        f"{row['query_cpu_seconds']:.4f}",
        f"{row['bytes_per_image']:,.0f}",
        "" if building is None else f"{building:,.0f}",
    )
