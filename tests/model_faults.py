"""What can go wrong with models and their vectors, each as a call that raises it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from engine import (
    artifacts,
    cnn,
    convert,
    download,
    embed,
    embeddings,
    installing,
    model_store,
    models,
    onnx_file,
    pooling,
    upkeep,
    whitening,
)
from engine.index import Index, open_index
from engine.model_store import Installed
from engine.models import Model
from tests import keras_file
from tests.server import serving
from tests.test_models import FILE, NAME, declare, tiny_model

OWN = "own"
Fault = Callable[[Index], object]


def _file(data: bytes | str, name: str = "own.onnx") -> Path:
    path = artifacts.artifacts_folder() / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def _network(**changes: Any) -> Path:
    return tiny_model(artifacts.artifacts_folder() / "own.onnx", **changes)


def _proposed(size: int | None = None, output: str | None = None, **changes: Any) -> Fault:
    return lambda _: installing.propose(_network(**changes), OWN, size, output=output)


def _added(name: str = OWN, **told: Any) -> Installed:
    path = _network(out=("n", 12), channels=12)
    return installing.add(path, installing.propose(path, name, divisor=255.0, **told))


def embedded(of: Index, **told: Any) -> Index:
    """Give an index the vectors of a small network that is installed for it."""
    added = _added(**told)
    embed.make_embeddings(of.name, added.model.name, overwrite=True)
    return open_index(of.name)


def _weights(value: float) -> Fault:
    def add(_: Index) -> None:
        path = _network()
        model = onnx.load(path)
        kernel = np.full((5, 3, 3, 3), value, np.float32)
        model.graph.initializer[0].CopyFrom(numpy_helper.from_array(kernel, "kernel"))
        onnx.save(model, path)
        installing.add(path, installing.propose(path, OWN))

    return add


def _elsewhere(_: Index) -> None:
    path = _network()
    place = path.with_name("outside")
    place.mkdir(exist_ok=True)
    path = place / path.name
    (place / "weights.bin").unlink(missing_ok=True)
    model = onnx.load(path.parents[1] / path.name)
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    onnx_file.check(path)


def _tokens(_: Index) -> None:
    port = cnn.Port("tokens", "tensor(float)", (None, 5, 8))
    cnn.usual_pooling(Path("own.onnx"), port)


def _inputs(_: Index) -> None:
    port = cnn.Port("words", "tensor(float)", ())
    cnn.image_input(Path("own.onnx"), cnn.Ports((port, port), ()))


def _no_keras(_: Index) -> None:
    import h5py

    path = artifacts.artifacts_folder() / "other.h5"
    with h5py.File(path, "w") as file:
        file["other"] = np.zeros(3)
    convert.convert_vgg(path, path.with_suffix(".onnx"), convert.TOP)


def _installed_then(change: Callable[[Installed], object]) -> Fault:
    def use(_: Index) -> None:
        added = _added()
        change(added)
        model_store.check_file(model_store.open_model(OWN))

    return use


def _flipped(of: Installed) -> None:
    data = of.path.read_bytes()
    of.path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def _without_weights(of: Installed) -> None:
    folder = of.path.parent
    manifest = artifacts.read_manifest(folder, "model", "")
    kept = {"model": manifest["model"], "origin": {}, "n_dimensions": 5}
    artifacts.write_manifest(folder, "model", kept)


def _wrongly_used(**told: Any) -> Fault:
    def run(_: Index) -> None:
        path = _network()
        model = Model(OWN, "t", input="picture", output="vector", height=16, width=16)
        cnn.try_out(models.dataclasses.replace(model, **told), path)

    return run


def _another_model(of: Index) -> None:
    kept = embeddings.open_embeddings(embedded(of), OWN)
    embeddings.check_model(of.name, kept, _added(channels="bgr"))


def _of_another_model(of: Index) -> None:
    embedded(of)
    _added(channels="bgr")
    embed.make_embeddings(of.name, OWN)


def _misfitting(of: Index) -> None:
    few = {"vectors": np.zeros((2, 3), np.float32)}
    upkeep.add_part(of.name, embeddings.part_of(OWN), {}, few)
    embeddings.open_embeddings(open_index(of.name), OWN)


def _shapeless(of: Index) -> None:
    zeros = {"vectors": np.zeros((of.n_images, 3), np.float32)}
    upkeep.add_part(of.name, embeddings.part_of(OWN), {}, zeros)
    embeddings.open_embeddings(open_index(of.name), OWN)


def _not_whitened(of: Index) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(embed, "N_PER_DIMENSION", 10**6)
        _added()
        embed.make_embeddings(of.name, OWN, whiten=4)


def _stopped(of: Index) -> None:
    _added()
    embed.make_embeddings(of.name, OWN, cancelled=lambda: True)


def _held(_: Index) -> None:
    with download.lock(artifacts.artifacts_folder() / "lock"):
        folder = model_store.download_folder(NAME)
        folder.mkdir(parents=True, exist_ok=True)
        with download.lock(folder / "lock"):
            installing.get(NAME)


def _held_elsewhere(_: Index) -> None:
    path = artifacts.artifacts_folder() / "lock"
    with download.lock(path), download.lock(path):
        pass


def _being_made(of: Index) -> None:
    _added()
    with upkeep.making(of.name, "embeddings"):
        embed.make_embeddings(of.name, OWN)


def _fetched(lie: str) -> Fault:
    """Fetch a file from a server that does not give what was published."""

    def fetch(_: Index) -> None:
        right = bytes(range(256)) * 40
        with pytest.MonkeyPatch.context() as patched, serving({FILE: right}) as server:
            patched.setattr(download, "_pause", lambda _failures: 0.0)
            patched.setenv("NO_PROXY", "127.0.0.1")
            patched.setattr(download, "_PIECE", 1000)
            url, mirror = f"{server.url}/a/{FILE}", f"{server.url}/b/{FILE}"
            if lie == "no server":
                url = mirror = f"http://127.0.0.1:9/{FILE}"
            elif lie == "no file":
                server.files.clear()
            elif lie == "longer":
                server.told_length = len(right) + 9000
            elif lie == "breaks":
                server.break_after = [4000] + [0] * 9
            elif lie == "other":
                server.files[FILE] = bytes(len(right))
            elif lie == "no room":
                patched.setattr(download, "_SPARE_BYTES", 10**18)
            declare(patched, right, url, mirror)
            shutil.rmtree(model_store.download_folder(NAME), ignore_errors=True)
            installing.get(NAME)

    return fetch


def _full(_: Index) -> None:
    with pytest.MonkeyPatch.context() as patched, serving({FILE: b"0" * 99}) as server:
        patched.setenv("NO_PROXY", "127.0.0.1")
        declare(patched, b"0" * 99, f"{server.url}/{FILE}")
        patched.setattr(installing, "_SPARE_BYTES", 10**18)
        installing.get(NAME)


def _unwritable(_: Index) -> None:
    folder = artifacts.artifacts_folder() / "models"
    if not folder.exists():
        folder.write_bytes(b"")
    installing.get(NAME)


def _keras_in(path: Path) -> Path:
    keras_file.write(path, keras_file.weights())
    return path


def _unpublished(_: Index) -> None:
    installing.get(NAME, _keras_in(artifacts.artifacts_folder() / "mine.h5"))


MODEL_FAULTS: dict[str, Fault] = {
    "model not installed": lambda of: embed.make_embeddings(of.name, NAME),
    "own model not installed": lambda _: model_store.open_model("dreams"),
    "model not removed": lambda _: model_store.remove("dreams"),
    "model not declared": lambda _: installing.get("dreams"),
    "model in half": lambda _: installing.get("dinov2-small", half=True),
    "model's file gone": lambda _: installing.get(NAME, Path("gone.h5")),
    "model's file a folder": lambda of: installing.get(NAME, of.root),
    "model's file not published": _unpublished,
    "model's name": lambda _: models.check_name("No Name"),
    "model's name whitened": lambda _: models.check_name("own-pca8"),
    "model's field": lambda _: Model("m", "m", resize="stretch"),
    "model's size": lambda _: Model("m", "m", height=1),
    "model's crop": lambda _: Model("m", "m", resize="crop"),
    "model's divisor": lambda _: Model("m", "m", divisor=0),
    "vectors' name": lambda of: embed.make_embeddings(of.name, _added("a" * 38).model.name, 8),
    "no ONNX": lambda _: onnx_file.check(_file("<html>not found</html>")),
    "empty ONNX": lambda _: onnx_file.check(_file("")),
    "half an ONNX": lambda _: onnx_file.check(_file(_network().read_bytes()[:-99])),
    "zeros for ONNX": lambda _: onnx_file.check(_file(bytes(500))),
    "gone ONNX": lambda _: onnx_file.check(Path("gone.onnx")),
    "ONNX outside": _elsewhere,
    "no HDF5": lambda _: convert.convert_vgg(_file("no", "x.h5"), Path("x.onnx"), convert.TOP),
    "no VGG-16": _no_keras,
    "no graph that runs": lambda _: cnn.Network(Model(OWN, "t"), _file("no")),
    "no such input": lambda _: cnn.Network(Model(OWN, "t"), _network()),
    "two inputs": _inputs,
    "no image model": _proposed(shape=("n", 16, 16, 4)),
    "whole numbers in": _proposed(given=TensorProto.UINT8),
    "whole numbers out": _proposed(kind=TensorProto.INT64),
    "four pictures": _proposed(shape=(4, 3, 16, 16)),
    "size left open": _proposed(shape=("n", 3, "h", "w")),
    "size told": _proposed(size=32),
    "two outputs": _proposed(outputs=2),
    "no such output": _proposed(output="other"),
    "tokens": _tokens,
    "wrong size": _wrongly_used(height=8),
    "wrong pooling": _wrongly_used(pooling="gem"),
    "maps unpooled": lambda _: pooling.pool(np.zeros((1, 2, 3, 3), np.float32), "none"),
    "all zeros": _weights(0.0),
    "not finite": _weights(np.nan),
    "one number": lambda _: installing.add(
        path := _network(channels=1, out=("n", 1)), installing.propose(path, OWN)
    ),
    "damaged model": _installed_then(_flipped),
    "shortened model": _installed_then(lambda of: of.path.write_bytes(b"")),
    "manifest of a model": _installed_then(
        lambda of: (of.path.parent / artifacts.MANIFEST).write_text("{}")
    ),
    "manifest without weights": _installed_then(_without_weights),
    "no vectors": lambda of: embeddings.open_embeddings(of, "vgg16-fc1-pca64"),
    "vectors of too few": _misfitting,
    "vectors without a model": _shapeless,
    "another model": _another_model,
    "vectors of another model": _of_another_model,
    "too few to whiten": _not_whitened,
    "alike": lambda _: whitening.learn(np.ones((5, 3), np.float32), 2),
    "embedding stopped": _stopped,
    "embedding twice": _being_made,
    "installing twice": _held,
    "downloading twice": _held_elsewhere,
    "no server": _fetched("no server"),
    "no file there": _fetched("no file"),
    "longer file": _fetched("longer"),
    "broken off": _fetched("breaks"),
    "another file": _fetched("other"),
    "no room to fetch": _fetched("no room"),
    "no room to convert": _full,
    "no folder to write to": _unwritable,
}
