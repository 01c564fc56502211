"""Sentences of the page Models."""

from engine import artifacts, models
from engine.language import mark, tr, trn
from engine.model_store import Installed
from engine.models import Declared, Model
from ui import words

GOOD_AT = {
    models.OBJECT: mark("the same object"),
    models.KIND: mark("the same kind of picture"),
}
METRICS = {models.METRICS[0]: mark("Euclidean distance"), models.METRICS[1]: mark("cosine")}
_CUT = mark("the shorter side to {shorter} pixels, then the middle {width} × {height} is cut out")
_RESIZES = {
    "squash": mark("to exactly {width} × {height} pixels; proportions are not kept"),
    "crop": _CUT,
    "crop-floor": _CUT,
    "longest": mark("the longer side to {longest} pixels; proportions are kept"),
}
_RESAMPLES = {"bicubic": mark("bicubic"), "bilinear": mark("bilinear")}
_CHANNELS = {"rgb": mark("red, green, blue"), "bgr": mark("blue, green, red")}
_POOLINGS = {
    "none": mark("a vector, taken as it is"),
    "mean": mark("the mean of each map, or of all tokens"),
    "max": mark("the largest value of each map"),
    "gem": mark("the generalised mean of each map, power {power:g}"),
    "rmac": mark("sums over regions of each map's largest values (R-MAC)"),
    "cls": mark("the first token"),
}
NOT_TRIED = mark("not tried on this machine")


def size(n_bytes: int) -> str:
    """Return a number of bytes for people: "553 MB", "3.6 MB", "41 kB"."""
    if n_bytes == 0:
        return "0 kB"
    unit, name = (1e6, "MB") if n_bytes >= 999_500 else (1e3, "kB")
    return f"{n_bytes / unit:,.{1 if n_bytes < 9.95 * unit else 0}f} {name}"


def title(model: Model) -> str:
    """Return what a model is, for Markdown."""
    return words.plain(tr(model.title))


def finds(model: Model) -> str:
    """Say what a model is good at."""
    return tr("Finds {what}", what=tr(GOOD_AT[model.good_at]))


def to_fetch(declared: Declared) -> str:
    """Say how much there is to be downloaded."""
    n_bytes = declared.download.n_bytes
    return tr("{size} to download", size=size(n_bytes)) if n_bytes else tr("size not known")


def fault(error: Exception | str) -> str:
    """Return what is wrong for Markdown, without the server's paths; commands are set as code."""
    told = words.without_paths(str(error), str(artifacts.artifacts_folder()))
    if told.partition(" ")[0].isalpha():  # and no name of a file
        told = told[:1].upper() + told[1:]
    return words.with_command(told)


def facts(model: Model, n_dimensions: int | None) -> list[tuple[str, str]]:
    """Return what is known of a model besides its file: labels, and values for Markdown."""
    sides = {"width": model.width, "height": model.height, "shorter": model.shorter}
    resized = tr(_RESIZES[model.resize], longest=max(model.height, model.width), **sides)
    n_numbers = trn("{n:,} number", "{n:,} numbers", n_dimensions or 0)
    pooling = tr(_POOLINGS[model.pooling], power=model.power)
    output = f"`{model.output.replace('`', '')}`"
    return [
        (tr("Finds"), tr(GOOD_AT[model.good_at])),
        *([(tr("Vector"), n_numbers)] if n_dimensions else []),
        (tr("Compared by"), tr(METRICS[model.metric])),
        (
            tr("Pictures are resized"),
            tr("{how} ({kind})", how=resized, kind=tr(_RESAMPLES[model.resample])),
        ),
        (tr("Channels"), tr(_CHANNELS[model.channels])),
        (
            tr("Values"),
            tr("each value v, 0 to 255, becomes {formula}", formula=f"`{_formula(model)}`"),
        ),
        (tr("Output"), tr("{output}: {pooling}", output=output, pooling=pooling)),
        (tr("Licence"), words.plain(model.licence) or tr("not told")),
        (tr("Source"), words.plain(model.source) or tr("not told")),
    ]


def _formula(model: Model) -> str:
    """Return what becomes of a value; three numbers are one a channel."""
    told = "v" if model.divisor == 1 else f"v / {model.divisor:g}"
    if any(model.mean):
        told += f" − {_numbers(model.mean)}"
    if set(model.std) == {1.0}:
        return told
    return f"({told}) / {_numbers(model.std)}" if told != "v" else f"v / {_numbers(model.std)}"


def _numbers(values: tuple[float, ...]) -> str:
    if len(set(values)) == 1:
        return f"{values[0]:g}"
    return f"({', '.join(f'{value:g}' for value in values)})"


def weights(installed: Installed) -> list[tuple[str, str]]:
    """Return what is known of the file of an installed model: labels, and values for Markdown."""
    origin = installed.origin
    told = origin.get("url") or origin.get("file") or ""
    if origin.get("published"):
        # Where nobody published a checksum, nothing was compared.
        checked = tr("the published ones; the checksum fits")
        unchecked = tr("fetched from the published address; no checksum is published")
        whose = checked if origin.get("md5") else unchecked
    elif installed.model.name in models.DECLARED:
        whose = tr("**not** the published ones")
    else:
        whose = tr("a file of one's own")
    found = [
        (tr("Weights"), whose),
        (tr("Taken from the file"), f"`{told.replace('`', '')}`"),
        (tr("Size on disk"), size(installed.n_bytes)),
    ]
    if origin.get("md5"):
        found.append((tr("MD5 of that file"), f"`{origin['md5']}`"))
    found.append((tr("SHA-256 on disk"), f"`{installed.sha256}`"))
    return found


def published(declared: Declared) -> list[tuple[str, str]]:
    """Return what is known of the file of a model that can be fetched."""
    download = declared.download
    n_bytes = download.n_bytes
    found = [(tr("Download"), size(n_bytes) if n_bytes else tr("size not known"))]
    found += [(tr("From"), f"`{url}`") for url in download.urls]
    return [*found, (tr("MD5"), f"`{download.md5}`" if download.md5 else tr("none is published"))]
