"""Getting models: fetched by name, converted where that is needed, or taken from a file.

A model is installed only after its file was checked and has run once; until then everything lies in
``artifacts/models/.download-NAME``.
"""

import contextlib
import dataclasses
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from engine import cnn, convert, download, model_store, models, onnx_file
from engine.download import Progress
from engine.errors import DownloadError, ModelError, reason
from engine.language import mark, sentences, tr
from engine.model_store import Installed
from engine.models import DECLARED, Declared, Model

CONVERTED = "converted.onnx"
_SPARE_BYTES = 100_000_000


def get(
    name: str,
    source: Path | None = None,
    half: bool = False,
    unchecked: bool = False,
    progress: Progress | None = None,
) -> Installed:
    """Install a declared model: fetch its weights or take them from a file, and convert them.

    What was fetched is kept until `tidy` or `remove`, to be converted again.

    Parameters
    ----------
    name : str
        One of `models.DECLARED`.
    source : Path or None
        A file on disk instead of the download; it is only read.
    half : bool
        Store weights in float16: half the bytes on disk. Vectors move by less than one part in a
        thousand. Only of what is converted.
    unchecked : bool
        Take `source` also where its checksum is not the published one: weights of one's own in
        the same layout.
    progress : callable or None
        Told what is going on, the bytes done and their total; may raise to stop.

    Returns
    -------
    Installed
        As it is, if it is installed already in the way that is asked for.

    Raises
    ------
    ModelError
        If there is no such model, or the file is not its file.
    DownloadError
        If it cannot be fetched. What came is kept, unless it is wrong.
    """
    declared = DECLARED.get(name)
    if declared is None:
        raise ModelError(
            tr(
                "there is no model {name!r} to be fetched (there are: {models}). Take an ONNX file "
                "of your own by: {command}",
                name=name,
                models=", ".join(DECLARED),
                command="python -m engine models add FILE.onnx --name NAME",
            )
        )
    if half and declared.download.kind == "onnx":
        raise ModelError(
            tr("{name} comes as ONNX and is stored as it comes: leave out --float16", name=name)
        )
    stored = "float16" if half else "float32"
    there = _installed(name) if source is None else None
    if there is not None and there.origin.get("stored") == stored and there.origin["published"]:
        return there
    with _working_on(name) as work, contextlib.ExitStack() as held:
        kept = _fetched(declared, work)
        if source is None and kept.parent != work:  # of another model with the same weights
            held.enter_context(download.lock(kept.parent / "lock", _being_installed(name)))
        origin, file = _source(declared, kept, source, unchecked, progress)
        ready = work / CONVERTED
        try:
            _make(declared, file, ready, half, progress)
            model = declared.model
            if not origin["published"]:
                told = f"{file.name}, which is not the published file"
                model = dataclasses.replace(model, source=told, licence="", tried=True)
            n_dimensions = cnn.try_out(model, ready)
            return model_store.install(model, ready, n_dimensions, origin | {"stored": stored})
        except ModelError:
            if source is None and not declared.download.md5:  # whatever came, it is no such model
                file.unlink(missing_ok=True)
            raise
        finally:
            ready.unlink(missing_ok=True)


def _installed(name: str) -> Installed | None:
    """Return a model that is installed and whole."""
    with contextlib.suppress(ModelError):
        there = model_store.open_model(name)
        model_store.check_file(there)
        return there
    return None


def tidy(name: str) -> int:
    """Delete what was fetched for a model and is no longer needed; return how many bytes."""
    folder = model_store.download_folder(name)
    n_bytes = model_store.folder_bytes(folder)
    if folder.is_dir():
        with download.lock(folder / "lock", _being_installed(name)):
            shutil.rmtree(folder)
    return n_bytes


def remove(name: str) -> int:
    """Delete a model and what is left of its download, as `model_store.remove` does.

    Raises
    ------
    ModelError
        If there is neither.
    DownloadError
        If another process is fetching it.
    """
    folder = model_store.download_folder(name)
    if not folder.is_dir():
        return model_store.remove(name)
    with download.lock(folder / "lock", _being_installed(name)):
        return model_store.remove(name)


def add(file: Path, model: Model) -> Installed:
    """Install an ONNX file of one's own; it is copied.

    Parameters
    ----------
    file : Path
    model : Model
        How it is used: see `propose`. A model of this name is replaced.

    Raises
    ------
    ModelError
        If the file cannot be used so; the message says why.
    """
    if model.name in DECLARED:
        raise ModelError(
            tr(
                "{name!r} is the name of a model that can be fetched. Choose another, or take this "
                "file for it: {command}",
                name=model.name,
                command=f"python -m engine models get {model.name} --from {file}",
            )
        )
    onnx_file.check(file)
    n_dimensions = cnn.try_out(model, file)
    with _working_on(model.name) as work:
        _copy(file, work / CONVERTED, None)
        origin = {"file": file.name, "published": False, "stored": "as it came"}
        installed = model_store.install(model, work / CONVERTED, n_dimensions, origin)
    tidy(model.name)
    return installed


def propose(file: Path, name: str, size: int | None = None, **told: Any) -> Model:
    """Make the record of an ONNX file: what the file says, and what `told` says besides.

    Parameters
    ----------
    file : Path
    name : str
    size : int or None
        Height and width, where the file leaves them open.
    **told
        Fields of `Model`; `output` and `pooling` may be None.

    Raises
    ------
    ModelError
        If the file is no image model, or leaves open what has to be said.
    """
    ports = cnn.inspect(file)
    port, layout, height, width = cnn.image_input(file, ports)
    if height is None or width is None:
        if size is None:
            raise ModelError(
                tr(
                    "{file} takes pictures of any size: {port}. Say which it was trained with, as "
                    "by --size 224.",
                    file=file.name,
                    port=port,
                )
            )
        height, width = height or size, width or size
    elif size is not None and (height, width) != (size, size):
        raise ModelError(
            tr(
                "{file} takes pictures of {height} x {width} alone: leave out --size",
                file=file.name,
                height=height,
                width=width,
            )
        )
    output = cnn.vector_output(file, ports, told.pop("output", None))
    pooling = told.pop("pooling", None) or cnn.usual_pooling(file, output)
    told.setdefault("title", file.name)
    if told.get("resize", "").startswith("crop") and not told.get("shorter"):
        told["shorter"] = round(max(height, width) * 256 / 224)
    return Model(
        name=name,
        input=port.name,
        layout=layout,
        height=height,
        width=width,
        output=output.name,
        pooling=pooling,
        tried=True,
        **told,
    )


@contextlib.contextmanager
def _working_on(name: str) -> Iterator[Path]:
    """Hold the folder of a model's download or conversion; say plainly if the disk is full."""
    folder = model_store.download_folder(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with download.lock(folder / "lock", _being_installed(name)):
            for left in folder.glob(".*.tmp"):  # by a process that was killed
                left.unlink(missing_ok=True)
            try:
                yield folder
            finally:
                if [path.name for path in folder.iterdir()] == ["lock"]:
                    shutil.rmtree(folder)
    except OSError as error:
        told = mark(
            "cannot write to {folder}: {why}. Check that you may write there, then run the same "
            "command again."
        )
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            told = mark(
                "cannot write to {folder}: {why}. Free some space, then run the same command again."
            )
        raise ModelError(tr(told, folder=folder, why=reason(error))) from None


def _being_installed(name: str) -> str:
    return tr(
        "another process is installing the model {name!r}. Wait until it has finished.", name=name
    )


def _source(
    declared: Declared,
    kept: Path,
    source: Path | None,
    unchecked: bool,
    progress: Progress | None,
) -> tuple[dict[str, Any], Path]:
    """Return where weights come from, and their file; a download goes to, or lies at, `kept`."""
    told = declared.download
    if source is None:
        try:
            url = download.fetch_known(told.urls, kept, told.n_bytes, told.md5, progress)
        except DownloadError as error:
            raise DownloadError(sentences(str(error), _from_elsewhere(declared))) from None
        origin = {"file": told.file, "url": url or told.urls[0], "md5": told.md5}
        return origin | {"published": True}, kept
    md5 = _md5_of(source)
    published = not told.md5 or md5 == told.md5
    if not published and not unchecked:
        raise ModelError(
            tr(
                "{path} is not the published file of {name}: its MD5 is {md5}, not {right}. Fetch "
                "it anew from {url} or, if it holds weights of your own in the same layout, add "
                "--unchecked.",
                path=source,
                name=declared.model.name,
                md5=md5,
                right=told.md5,
                url=told.urls[0],
            )
        )
    return {"file": source.name, "md5": md5, "published": published}, source


def _from_elsewhere(declared: Declared) -> str:
    """Say what else can be done where a file cannot be fetched."""
    return tr(
        "Or get {file} in another way, and take it by: {command}",
        file=declared.download.file,
        command=f"python -m engine models get {declared.model.name} --from FILE",
    )


def _md5_of(path: Path) -> str:
    if path.exists() and not path.is_file():
        raise ModelError(tr("{path} is no file. Name the file that holds the weights.", path=path))
    try:
        return download.md5_of(path)
    except OSError as error:
        raise onnx_file.unreadable(path, error) from None


def _fetched(declared: Declared, work: Path) -> Path:
    """Return where the download goes, or lies: models of the same weights share one."""
    for other in DECLARED.values():
        kept = model_store.download_folder(other.model.name) / declared.download.file
        if other.download == declared.download and kept.is_file():
            return kept
    return work / declared.download.file


def _make(
    declared: Declared, file: Path, ready: Path, half: bool, progress: Progress | None
) -> None:
    """Make the ONNX file from what was fetched."""
    n_bytes = file.stat().st_size
    free = shutil.disk_usage(ready.parent).free
    if free < n_bytes + _SPARE_BYTES:
        raise DownloadError(
            tr(
                "{folder} has {free:.1f} GB free, and converting {file} needs {needed:.1f} GB. "
                "Free some space.",
                folder=ready.parent,
                free=free / 1e9,
                file=file.name,
                needed=(n_bytes + _SPARE_BYTES) / 1e9,
            )
        )

    def told(done: int, total: int) -> None:
        if progress is not None:
            progress(tr("Converting {file}", file=file.name), done, total)

    if declared.download.kind == models.KERAS_VGG:
        convert.convert_vgg(file, ready, declared.model.output, half, told)
    else:
        onnx_file.check(file)
        _copy(file, ready, told)


def _copy(file: Path, to: Path, told: Callable[[int, int], None] | None) -> None:
    """Copy a file, or name it once more where the disk can do that."""
    to.unlink(missing_ok=True)
    if file.parent == to.parent:
        with contextlib.suppress(OSError):
            os.link(file, to)
            return
    shutil.copyfile(file, to)
    if told is not None:
        told(to.stat().st_size, to.stat().st_size)
