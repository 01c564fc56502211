"""The commands of models: models list, get, add, info, remove; and embed."""

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from engine import embed, index, methods, model_store, models, options
from engine.errors import EngineError
from engine.model_store import Installed
from engine.models import DECLARED
from engine.terminal import bar, put, put_json, say

Command: TypeAlias = Callable[
    [str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser
]

_GOOD_AT = {models.OBJECT: "the same object", models.KIND: "the same kind of picture"}
_NOT_TRIED = "not tried on this machine"


def list_all(args: argparse.Namespace) -> int:
    """List the models that are installed, and those that can be fetched."""
    rows = [_row(name) for name in dict.fromkeys((*DECLARED, *model_store.list_models()))]
    if args.json:
        put_json({"models": rows})
        return 0
    for row in rows:
        state = "installed" if row["installed"] else "can be had"
        state = row.get("error") or state
        notes = [_GOOD_AT[row["good_at"]]] if "good_at" in row else []
        notes += [_NOT_TRIED] * (not row.get("tried", True) and not row["installed"])
        put(f"{row['name']:<20} {state:<11} {row.get('title', '')} ({', '.join(notes)})")
    return 0


def _row(name: str) -> dict[str, Any]:
    try:
        return _told(model_store.open_model(name)) | {"installed": True}
    except EngineError as error:
        declared = DECLARED.get(name)
        damaged = {"error": str(error)} if name in model_store.list_models() else {}
        if declared is None:
            return {"name": name, "installed": False, **damaged}
        told = declared.model.to_json() | {"n_bytes": declared.download.n_bytes or None}
        told |= {"urls": list(declared.download.urls), "md5": declared.download.md5 or None}
        return told | {"installed": False, **damaged}


def _told(installed: Installed) -> dict[str, Any]:
    """Return what is known of an installed model, in plain values."""
    return {
        **installed.model.to_json(),
        "n_dimensions": installed.n_dimensions,
        "file": str(installed.path),
        "n_bytes": installed.n_bytes,
        "sha256": installed.sha256,
        "origin": installed.origin,
        "download_bytes": model_store.folder_bytes(
            model_store.download_folder(installed.model.name)
        ),
    }


def get(args: argparse.Namespace) -> int:
    """Fetch a model by name, or take its file from disk."""
    from engine import installing

    if args.unchecked and args.source is None:
        raise EngineError("--unchecked goes with --from FILE: what is fetched is always checked")
    with _bars() as progress:
        got = installing.get(args.name, args.source, args.float16, args.unchecked, progress)
    freed = installing.tidy(args.name) if args.tidy else 0
    if args.json:
        put_json(_told(got) | {"freed_bytes": freed})
        return 0
    _put_info(_told(got))
    kept = model_store.download_bytes(args.name)
    if freed:
        say(f"Deleted what was fetched: {freed / 1e6:,.0f} MB")
    elif kept:
        again = f"python -m engine models get {args.name} --tidy"
        say(f"What was fetched ({kept / 1e6:,.0f} MB) is kept. Delete it by: {again}")
    say(f"Next: python -m engine embed NAME --model {args.name}")
    return 0


def add(args: argparse.Namespace) -> int:
    """Take an ONNX file of your own: any model that turns a picture into numbers."""
    from engine import installing

    told = {
        field: value
        for field in ("output", "pooling", "title", "licence", "source", *_USE)
        if (value := getattr(args, field)) is not None
    }
    divisor, mean, std = models.VALUES[args.values]
    told |= {"divisor": divisor, "mean": mean, "std": std}
    proposed = installing.propose(args.file, args.name, args.size, **told)
    added = installing.add(args.file, proposed)
    if args.json:
        put_json(_told(added))
    else:
        _put_info(_told(added))
        say(f"Next: python -m engine embed NAME --model {args.name}")
    return 0


_USE = ("resize", "resample", "channels", "metric", "good_at")


def info(args: argparse.Namespace) -> int:
    """Say all about a model; the file of an installed one is compared with its checksum."""
    row = _row(args.name)
    if not row["installed"] and args.name not in DECLARED:
        model_store.open_model(args.name)  # raises what is wrong
    if row["installed"]:
        model_store.check_file(model_store.open_model(args.name))
    if args.json:
        put_json(row)
    else:
        _put_info(row)
    return 0


def remove(args: argparse.Namespace) -> int:
    """Delete a model; the vectors that indexes hold stay."""
    from engine import installing

    n_bytes = installing.remove(args.name)
    say(f"Deleted the model {args.name!r}: {n_bytes / 1e6:,.0f} MB")
    return 0


def embed_all(args: argparse.Namespace) -> int:
    """Turn every picture of an index into a model's vector, for searching by it."""
    kept = add_embeddings(args.name, args.model, args.whiten, args.threads, args.overwrite)
    if args.json:
        skipped = [{"path": one.path, "reason": one.reason} for one in kept.skipped]
        n_images, n_dimensions = kept.vectors.shape
        told = {"index": args.name, "method": kept.method, "n_images": n_images}
        put_json(told | {"n_dimensions": n_dimensions, "skipped": skipped})
    else:
        n_images, n_dimensions = kept.vectors.shape
        put(f"{args.name}: {n_images:,} vectors of {n_dimensions:,} numbers by {kept.method}")
    return 0


def add_embeddings(
    name: str,
    model: str,
    whiten: int | None = None,
    n_threads: int | None = None,
    overwrite: bool = False,
) -> Any:
    """Give an index a model's vectors, under a bar; tell which pictures were left out."""
    from engine.pool import available_cores

    had = methods.EMBEDDING + embed.name_of(model, whiten) in index.open_index(name).parts
    with bar(None, f"Pictures through {model}") as progress:
        kept = embed.make_embeddings(
            name, model, whiten, n_threads or available_cores(), progress, overwrite=overwrite
        )
    if kept.skipped and not (had and not overwrite):
        say(f"\n{len(kept.skipped)} pictures have no vector:")
        for one in kept.skipped:
            say(f"  {one.path}: {one.reason}")
    return kept


def _put_info(told: dict[str, Any]) -> None:
    """Print what is known of a model."""
    put(f"{told['name']}: {told['title']}")
    put(f"  finds        {_GOOD_AT[told['good_at']]}")
    if told.get("n_dimensions"):
        put(f"  vectors      {told['n_dimensions']:,} numbers, compared by {told['metric']}")
    size = f"{told['width']} x {told['height']}"
    put(f"  pictures     {size}, {told['resize']}, {told['resample']}, {told['channels']}")
    put(f"  values       (v / {told['divisor']:g} - {_list(told['mean'])}) / {_list(told['std'])}")
    put(f"  output       {told['output']}, pooling {told['pooling']}")
    put(f"  licence      {told['licence'] or 'not told'}")
    put(f"  source       {told['source'] or 'not told'}")
    if told.get("sha256"):
        put(f"  file         {told['file']}, {told['n_bytes'] / 1e6:,.1f} MB")
        put(f"  sha256       {told['sha256']}")
        origin = told["origin"]
        put(f"  taken from   {origin.get('url') or origin['file']}, stored {origin['stored']}")
    else:
        for url in told["urls"]:
            put(f"  from         {url}")
        if told["n_bytes"]:
            put(f"  fetched      {told['n_bytes']:,} bytes, MD5 {told['md5']}")
        put(f"  state        not installed{'' if told['tried'] else ', ' + _NOT_TRIED}")


def _list(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


@contextlib.contextmanager
def _bars() -> Iterator[Callable[[str, int, int | None], None]]:
    """Draw a bar of bytes on stderr for each thing that is done."""
    from tqdm import tqdm

    drawn: dict[str, Any] = {}

    def progress(what: str, done: int, total: int | None) -> None:
        if what not in drawn:
            drawn[what] = tqdm(total=total, desc=what, unit="B", unit_scale=True, file=sys.stderr)
        drawn[what].update(done - drawn[what].n)

    try:
        yield progress
    finally:
        for one in drawn.values():
            one.close()


def add_commands(command: Command) -> None:
    """Add these commands to the parser that `command` adds to."""
    top = command("models", list_all, "models get vgg16-fc1")
    parts = top.add_subparsers(dest="what", metavar="list | get | add | info | remove")

    def part(name: str, function: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        text = (function.__doc__ or "").strip()
        sub = parts.add_parser(name, help=text, description=text)
        sub.set_defaults(function=function)
        sub.add_argument("--json", action="store_true", help="print JSON")
        return sub

    part("list", list_all)
    got = part("get", get)
    got.add_argument("name", type=options.model, help="see 'models list'")
    told = "take this file instead of fetching it; it is only read"
    got.add_argument("--from", dest="source", type=Path, metavar="FILE", help=told)
    got.add_argument("--float16", action="store_true", help="half the bytes on disk")
    told = "take a FILE whose checksum is not the published one"
    got.add_argument("--unchecked", action="store_true", help=told)
    told = "delete what was fetched once it is converted"
    got.add_argument("--tidy", action="store_true", help=told)
    _add_options(part("add", add))
    part("info", info).add_argument("name", type=options.model)
    part("remove", remove).add_argument("name", type=options.model)

    made = command("embed", embed_all, "embed holidays --model vgg16-fc1")
    made.add_argument("name", type=options.name, help="index; its other parts are not touched")
    made.add_argument("--model", type=options.model, required=True, help="see 'models list'")
    told = "whiten vectors by PCA learned on the collection, to at most so many numbers"
    made.add_argument("--whiten", type=options.positive, metavar="NUMBERS", help=told)
    made.add_argument("--threads", type=options.positive, help="threads (all cores)")
    told = "replace vectors of another model of this name"
    made.add_argument("--overwrite", action="store_true", help=told)


def _add_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", type=Path, help="ONNX, all in one file")
    add("--name", type=options.model, required=True, help="what to call it")
    add("--output", help="name of the output to take (the only one)")
    add("--pooling", choices=models.POOLINGS, help="how an output of maps or tokens is summed up")
    add("--size", type=options.positive, help="height and width, where the file leaves them open")
    add("--resize", choices=models.RESIZES, default="squash", help="(squash)")
    add("--resample", choices=models.RESAMPLES, default="bilinear", help="(bilinear)")
    add("--channels", choices=("rgb", "bgr"), default="rgb", help="(rgb)")
    told = "numbers that it was trained with: " + "; ".join(
        f"{name} (v / {d:g} - {_list(m)}) / {_list(s)}" for name, (d, m, s) in models.VALUES.items()
    )
    add("--values", choices=tuple(models.VALUES), default="imagenet", help=told + " (imagenet)")
    add("--metric", choices=models.METRICS, default="cosine", help="what is shown (cosine)")
    add("--good-at", choices=(models.OBJECT, models.KIND), default=models.KIND, help="(kind)")
    add("--title", help="what it is, in a few words")
    add("--licence", help="of the weights")
    add("--source", help="where they come from")
