"""The command line: its commands and their options.

Exit codes: 0 done, 1 it could not be done (the message says why), 2 the call was wrong.
"""

import argparse
import dataclasses
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import (
    artifacts,
    calibration,
    cli_codebook,
    cli_evaluate,
    cli_explain,
    cli_models,
    cli_sheet,
    codebook,
    index,
    methods,
    model_store,
    models,
    upkeep,
)
from engine.errors import EngineError, reason
from engine.features import KINDS
from engine.options import method_option as _method_option
from engine.options import model as model_name
from engine.options import name as _name
from engine.options import positive as _positive
from engine.terminal import (
    ADDING,
    Bars,
    add_graph,
    add_residuals,
    put,
    put_json,
    put_summary,
    say,
    say_earlier_graph,
    say_skipped,
    summary,
)

if TYPE_CHECKING:
    from engine.answer import Answer

EXAMPLES = """examples:
  python -m engine demo
  python -m engine build ~/Pictures --name holidays
  python -m engine query holidays photo.jpg -k 8
  python -m engine query holidays photo.jpg --json
  python -m engine query holidays photo.jpg --sheet found.png
  python -m engine explain holidays photo.jpg 1
  python -m engine evaluate holidays groundtruth.csv
  python -m engine ladder holidays groundtruth.csv
  python -m engine runs
  python -m engine compare holidays-count-20260102-183000 holidays-verified-20260102-183500
  python -m engine datasets oxford5k

Run 'python -m engine COMMAND --help' for the options of a command.
"""


def build(args: argparse.Namespace) -> int:
    """Index a folder of pictures."""
    from engine import codebook
    from engine.build import BuildParams
    from engine.build import build as run
    from engine.codebook import CodebookParams
    from engine.features import ExtractionParams
    from engine.surf import SurfParams

    surf = SurfParams(
        hessian_threshold=args.threshold,
        n_octaves=args.octaves,
        n_octave_layers=args.layers,
        extended=not args.short_descriptors,
        upright=args.upright,
    )
    words = CodebookParams(
        n_words=args.words,
        algorithm=args.algorithm or codebook.usual_algorithm(args.words),
        sampling=args.sampling,
        n_samples=max(args.samples or codebook.usual_samples(args.words), args.words),
        seed=args.seed,
    )
    params = BuildParams(
        extraction=ExtractionParams(surf, args.max_side, args.features, min_side=args.min_side),
        codebook=words,
        codebook_name=args.codebook,
        method=args.method,
        keep_descriptors=args.keep_descriptors,
    )
    for model in args.model:
        model_store.open_model(model)  # before all the work
    had = _further_parts(args.name)
    bars = Bars()
    try:
        opened = run(args.folder, args.name, params, args.workers, bars, overwrite=args.overwrite)
    finally:
        bars.close()
    say_skipped(opened)
    for part in [part for part in methods.OPTIONAL if part in had]:
        say(f"The index that this one replaces had a part {part}: making it anew")
        ADDING[part](opened.name)
    for method in methods.embedded(had):
        _embed_again(opened.name, method)
    for model in args.model:
        cli_models.add_embeddings(opened.name, model, n_threads=args.workers)
    if calibration.PART in had:
        say(f"The other index was calibrated. Again: {calibration.again(opened.name)}")
    opened = index.open_index(opened.name)
    if args.json:
        put_json(summary(opened))
    else:
        put_summary(summary(opened))
    return 0


def _embed_again(name: str, method: str) -> None:
    """Give an index vectors that the one had which it replaces; say so where that cannot be."""
    model = methods.model_of(method)
    whiten = method.removeprefix(model).removeprefix(models.WHITENED)
    say(f"The index that this one replaces had vectors by {method}: making them anew")
    try:
        cli_models.add_embeddings(name, model, int(whiten) if whiten else None)
    except EngineError as error:
        say(f"They are missing now: {error}")


def _further_parts(name: str) -> set[str]:
    """Return the parts of an index that is there; none if it cannot be read."""
    try:
        folder = index.index_folder(name)
        return set(artifacts.read_manifest(folder, "index", index.repair_command(name))["parts"])
    except EngineError:
        return set()


def query(args: argparse.Namespace) -> int:
    """Find the most similar pictures."""
    from engine import embedding_search, images, pipeline

    opened = index.open_index(args.name)
    picture = Path(args.picture)
    image_id = None if picture.is_file() else opened.find_image(args.picture)
    method = methods.check_method(args.method or opened.method, opened.parts)
    by_model = methods.is_embedding(method)
    n_results = cli_sheet.n_results(args, embedding_search.N_RESULTS if by_model else 4)
    image = images.read(picture) if image_id is None else None
    if by_model:
        wanted = (method, n_results, not args.keep_query)
        if image is not None:
            answer = embedding_search.search_picture(opened, image, *wanted)
        else:
            assert image_id is not None
            answer = embedding_search.search_image(opened, image_id, *wanted)
        cli_sheet.save(opened, args, answer, image, image_id)
        return _put_answer(opened, answer, None, args)
    options = (args.method, n_results, not args.keep_query)
    if image is None:
        assert image_id is not None
        if (args.method or opened.method) not in methods.VECTORS:
            pipeline.warm_up(say)
        answer = pipeline.search_image(opened, image_id, *options)
        n_keypoints = len(opened.keypoints(image_id))
    else:
        pipeline.warm_up(say)
        described = pipeline.describe_query(opened, image)
        n_keypoints = len(described.features)
        answer = pipeline.search_query(opened, described, *options)
    cli_sheet.save(opened, args, answer, image, image_id)
    if n_keypoints == 0:
        lower = ", or build the index with a lower --threshold" * opened.extraction.uses_surf
        say(
            "No keypoints were found: the picture is very smooth or dark. Try a sharper picture"
            f"{lower}."
        )
    if answer.calibration is not None:
        say_earlier_graph(opened)
    return _put_answer(opened, answer, n_keypoints, args)


def _put_answer(
    opened: index.Index, answer: "Answer", n_keypoints: int | None, args: argparse.Namespace
) -> int:
    """Print what a query found."""
    compared = answer.working.compared
    results = [
        {
            "rank": rank,
            "image": opened.images[image_id].path,
            "image_id": image_id,
            "score": round(score, 6),
            "distance": None if compared is None else round(float(compared.distances[image_id]), 6),
            "path": str(opened.picture_path(image_id)),
            "same_thing": answer.accepts(image_id),
            "by_way_of": [opened.images[i].path for i in answer.led_by(image_id)],
        }
        for rank, (image_id, score) in enumerate(
            zip(answer.ranking.image_ids.tolist(), answer.ranking.scores.tolist()), 1
        )
    ]
    if args.json:
        put_json(
            {
                "index": opened.name,
                "query": args.picture,
                "method": answer.method,
                "n_images": answer.n_images,
                "least_score": answer.calibration and answer.calibration.least_score,
                "n_keypoints": n_keypoints,
                "left_out": [opened.images[i].path for i in answer.excluded],
                "seconds": dataclasses.asdict(answer.timings),
                "results": results,
            }
        )
        return 0
    _put_results(results, answer)
    return 0


def _put_results(results: list[dict[str, Any]], answer: "Answer") -> None:
    """Print results, with a line above those that are probably something else."""
    if results and results[0]["same_thing"] is False:
        assert answer.calibration is not None
        least = answer.calibration.least_score
        put(f"Nothing here matches: no verified score reaches {least:.2f}. The most similar:")
    below = False
    for result in results:
        if result["same_thing"] is False and not below and result["rank"] > 1:
            put("     probably not the same thing:")
        below = result["same_thing"] is False
        by_way = f"  by way of {', '.join(result['by_way_of'])}" if result["by_way_of"] else ""
        shown = result["score"] if answer.distances is None else result["distance"]
        put(f"{result['rank']:>3}  {shown:.3f}  {result['image']}{by_way}")


def list_all(args: argparse.Namespace) -> int:
    """List indexes and codebooks."""
    rows = []
    for name in index.list_indexes():
        try:
            rows.append(summary(index.open_index(name)))
        except EngineError as error:
            rows.append({"name": name, "error": str(error)})
    if args.json:
        put_json({"indexes": rows, "codebooks": codebook.list_codebooks()})
        return 0
    if not rows:
        say("There are no indexes yet. Make one: python -m engine demo")
    for row in rows:
        if "error" in row:
            put(f"{row['name']:<24} {row['error']}")
        else:
            put(
                f"{row['name']:<24} {row['n_images']:>8,} images {row['n_keypoints']:>12,} "
                f"keypoints {row['n_words']:>7,} words  {row['folder']}"
            )
    return 0


def info(args: argparse.Namespace) -> int:
    """Say what an index holds."""
    opened = index.open_index(args.name)
    if args.json:
        skipped = [dataclasses.asdict(s) for s in opened.skipped]
        put_json({**summary(opened), "skipped": skipped, "manifest": opened.manifest})
    else:
        put_summary(summary(opened))
        say_skipped(opened)
    return 0


def verify(args: argparse.Namespace) -> int:
    """Check every checksum and shape of an index."""
    faults = upkeep.verify(args.name)
    if args.repair and faults:
        return _repair(args, faults)
    if args.json:
        put_json({"index": args.name, "faults": faults})
    else:
        for fault in faults:
            put(fault)
        if not faults:
            put(f"{args.name}: all well")
    return 1 if faults else 0


def _repair(args: argparse.Namespace, faults: list[str]) -> int:
    """Mend an index, and say what was done and lost."""
    from engine import repair

    bars = Bars()
    try:
        mended = repair.repair(args.name, bars)
    finally:
        bars.close()
    left = upkeep.verify(args.name)
    if args.json:
        put_json({"index": args.name, "faults": faults, **dataclasses.asdict(mended), "left": left})
        return 1 if left else 0
    for fault in faults:
        put(fault)
    for told in mended.made:
        put(f"made anew: {told}")
    for told in mended.lost:
        put(f"lost: {told}")
    put(f"{args.name}: all well" if not left else f"{args.name}: still at fault")
    for fault in left:
        put(fault)
    return 1 if left else 0


def graph(args: argparse.Namespace) -> int:
    """Find which pictures of an index match each other, for the method expanded."""
    from engine import pipeline

    pipeline.warm_up(say)
    n_edges = add_graph(args.name, args.threads)
    say_earlier_graph(index.open_index(args.name))
    if args.json:
        put_json({"index": args.name, "n_edges": n_edges})
    else:
        put(f"{args.name}: {n_edges:,} pairs of pictures match each other")
    return 0


def residuals(args: argparse.Namespace) -> int:
    """Add up the keypoints of each word of each picture, for the methods vlad, vlad-codes, asmk."""
    n_rows = add_residuals(args.name, args.threads)
    if args.json:
        put_json({"index": args.name, "n_rows": n_rows})
    else:
        put(f"{args.name}: {n_rows:,} words of pictures added up")
    return 0


def demo(args: argparse.Namespace) -> int:
    """Make the demo collection, where it is not there yet."""
    from engine import demo as collection

    bars = Bars()
    try:
        name = collection.ensure(bars)
    finally:
        bars.close()
    if args.json:
        put_json(summary(index.open_index(name)))
    else:
        put_summary(summary(index.open_index(name)))
    return 0


def delete(args: argparse.Namespace) -> int:
    """Delete an index."""
    upkeep.delete(args.name)
    say(f"Deleted the index {args.name!r}. The pictures are untouched.")
    return 0


def datasets(args: argparse.Namespace) -> int:
    """Download a data set with its ground truth."""
    from tqdm import tqdm

    from engine import datasets as sets

    folder = args.folder or artifacts.artifacts_folder() / "datasets" / args.dataset
    bars: dict[str, Any] = {}

    def progress(what: str, done: int, total: int | None) -> None:
        if what not in bars:
            bars[what] = tqdm(total=total, desc=what, unit="B", unit_scale=True, file=sys.stderr)
        bars[what].update(done - bars[what].n)

    try:
        place = sets.oxford5k(folder, progress=progress)
    finally:
        for bar in bars.values():
            bar.close()
    put(str(place))
    say(f"Next: python -m engine build {place} --name {args.dataset}")
    return 0


def _build_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("folder", type=Path, help="pictures, all folders below included; only read")
    add("--name", type=_name, required=True, help="what to call the index")
    add("--features", choices=tuple(KINDS), default="surf", help="kind of keypoints (surf)")
    add("--words", type=_positive, default=500, help="size of the vocabulary (500)")
    add("--threshold", type=float, default=400.0, help="Hessian threshold (400; original 3000)")
    add("--octaves", type=_positive, default=4, help="octaves of the detector (4)")
    add("--layers", type=_positive, default=3, help="layers of an octave (3)")
    add("--upright", action="store_true", help="take every keypoint as upright")
    add("--short-descriptors", action="store_true", help="64 numbers a keypoint instead of 128")
    add("--min-side", type=_positive, help="enlarge smaller pictures to this first")
    add("--max-side", type=_positive, help="shrink larger pictures to this first")
    _method_option(parser, "the index's own ranking (verified)", methods.DEFAULT)
    add(
        "--algorithm",
        choices=codebook.ALGORITHMS,
        help=f"k-means variant (lloyd; approximate above {codebook.LARGE} words)",
    )
    add("--sampling", choices=codebook.SAMPLINGS, default="images", help="what words learn from")
    add(
        "--samples",
        type=_positive,
        help="descriptors to learn from (30 a word, at least 300000, at most 2000000)",
    )
    told = "also turn every picture into the vector of this model; may be given several times"
    add("--model", type=model_name, action="append", default=[], help=told)
    add("--codebook", type=_name, help="use the words of this codebook")
    add("--keep-descriptors", action="store_true", help="keep 512 bytes a keypoint more")
    add("--seed", type=int, default=0, help="decides every random choice (0)")
    add("--workers", type=_positive, help="processes (all cores)")
    add("--overwrite", action="store_true", help="replace an index of this name")


class _Artifacts(argparse.Action):
    """Take another folder of artifacts at once: options after it look for names there."""

    def __call__(self, _parser: Any, _args: Any, values: Any, _option: Any = None) -> None:
        os.environ["VISWORD_ARTIFACTS"] = str(Path(values).resolve())


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m engine",
        description="Find the pictures of the same thing, and see why.",
        epilog=EXAMPLES,
        formatter_class=raw,
    )
    parser.add_argument(
        "--artifacts", action=_Artifacts, metavar="FOLDER", help="where indexes lie (artifacts/)"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(
        name: str, function: Callable[[argparse.Namespace], int], example: str
    ) -> argparse.ArgumentParser:
        text = (function.__doc__ or "").strip()
        sub = commands.add_parser(
            name,
            help=text,
            description=text,
            epilog=f"example:\n  python -m engine {example}",
            formatter_class=raw,
        )
        sub.set_defaults(function=function)
        sub.add_argument("--json", action="store_true", help="print JSON")
        return sub

    _build_options(command("build", build, "build ~/Pictures --name holidays --threshold 400"))
    asked = command("query", query, "query holidays photo.jpg -k 8")
    asked.add_argument("name", type=_name, help="index")
    asked.add_argument("picture", help="a file, or a picture of the index")
    asked.add_argument("-k", type=_positive, help="results (4; by a model's vectors 30)")
    _method_option(asked, "how to rank (the index's own)", by_model=True)
    asked.add_argument("--keep-query", action="store_true", help="do not leave the query out")
    cli_sheet.add_option(asked)
    cli_explain.add_command(command)
    command("list", list_all, "list --json")
    command("info", info, "info holidays").add_argument("name", type=_name)
    checked = command("verify", verify, "verify holidays --repair")
    checked.add_argument("name", type=_name)
    told = "make what is damaged anew, from the rest or from the pictures; says what was lost"
    checked.add_argument("--repair", action="store_true", help=told)
    added = command("residuals", residuals, "residuals holidays")
    added.add_argument("name", type=_name, help="index; its pictures are not read again")
    added.add_argument("--threads", type=_positive, help="threads (all cores)")
    joined = command("graph", graph, "graph holidays")
    joined.add_argument("name", type=_name)
    joined.add_argument("--threads", type=_positive, help="threads (all cores)")
    cli_evaluate.add_commands(command)
    cli_codebook.add_commands(command)
    cli_models.add_commands(command)
    command("demo", demo, "demo")
    command("delete", delete, "delete holidays").add_argument("name", type=_name)
    sets = command("datasets", datasets, "datasets oxford5k")
    sets.add_argument("dataset", choices=("oxford5k",))
    sets.add_argument("--folder", type=Path, help="where to put it")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = _parser().parse_args(argv)
    try:
        code: int = args.function(args)
    except KeyboardInterrupt:
        say("\nStopped. What was done is kept: the same command goes on from here.")
        return 1
    except EngineError as error:
        say(f"Error: {error}")
        return 1
    except ValueError as error:
        say(f"Error: {error}")
        return 2
    except BrokenPipeError:
        return 1
    except OSError as error:  # a full disk, a folder that may not be written
        say(f"Error: {error.filename or 'a file'}: {reason(error)}. Mend that, then run it again.")
        return 1
    return code
