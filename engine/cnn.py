"""A network that turns pictures into vectors: onnxruntime, told by a model's record.

A session may be run from several threads at once. Results do not depend on their number to more
than rounding (one part in a million of a unit vector).
"""

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import model_store, onnx_file, pooling
from engine.errors import ModelError
from engine.images import Image
from engine.language import mark, tr, trn
from engine.model_store import Installed
from engine.models import Model
from engine.preprocess import prepare

_NUMBERS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_LONGEST_REASON = 240
_NO_PICTURE = mark("the model {name!r} cannot take a picture ({why}). Get it again: {command}")
_NO_MODEL = mark("{path} cannot be run as a model ({why}). Fetch or export it again.")


@dataclasses.dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a graph.

    Attributes
    ----------
    name : str
    type : str
        As onnxruntime writes it: "tensor(float)".
    shape : tuple of int or None
        None for a side whose size is not fixed.
    """

    name: str
    type: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        sides = " x ".join("?" if side is None else str(side) for side in self.shape)
        return f"{self.name} ({sides or tr('one number')}, {self.type})"


@dataclasses.dataclass(frozen=True, slots=True)
class Ports:
    """All inputs and outputs of a model's file."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


class Network:
    """A model that is ready to run.

    Parameters
    ----------
    model : Model
    path : Path
        Its ONNX file.
    n_threads : int
        Of one run; several runs may go on at once.

    Raises
    ------
    ModelError
        If the file is none that onnxruntime can run.
    """

    def __init__(self, model: Model, path: Path, n_threads: int = 1) -> None:
        self.model = model
        self._session = _session(path, n_threads, one_size=model.resize != "longest")
        self.ports = _ports(self._session)
        named = {port.name: port for port in self.ports.inputs}
        if model.input not in named or model.output not in {p.name for p in self.ports.outputs}:
            raise ModelError(
                tr(
                    "the file of the model {name!r} has no input {input!r} or no output "
                    "{output!r}. Get it again: {command}",
                    name=model.name,
                    input=model.input,
                    output=model.output,
                    command=model_store.getting(model.name),
                )
            )
        self._dtype = _NUMBERS.get(named[model.input].type, np.float32)
        shape = named[model.input].shape
        # A first side of fixed size takes one picture at a time.
        self.takes_batches = len(shape) == 4 and shape[0] is None

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the output for (N, ...) inputs of one size, before pooling.

        Raises
        ------
        ModelError
            If the network cannot take inputs of this shape, or gives what is no number.
        """
        if not self.takes_batches and len(batch) > 1:
            return np.concatenate([self.run(batch[i : i + 1]) for i in range(len(batch))])
        given = {self.model.input: batch.astype(self._dtype, copy=False)}
        name, command = self.model.name, model_store.getting(self.model.name)
        with _refusing(_NO_PICTURE, name, name=name, command=command):
            (output,) = self._session.run([self.model.output], given)
        found = np.asarray(output, np.float32)
        if not np.isfinite(found).all():
            raise ModelError(
                tr(
                    "the model {name!r} gives numbers that are not finite: its weights are "
                    "damaged, or its mean, std and divisor are not those it was trained with. "
                    "Get it again: {command}",
                    name=name,
                    command=command,
                )
            )
        return found

    def embed(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Turn pictures into vectors of unit length.

        Parameters
        ----------
        images : sequence of Image
            Run together where they have one size; at least one.

        Returns
        -------
        (N, D) float32 array
            Zero only where the network gives nothing but zeros.

        Raises
        ------
        ModelError
            As in `run`.
        """
        return self.embed_prepared([prepare(image, self.model) for image in images])

    def embed_prepared(self, inputs: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Turn inputs from `preprocess.prepare` into vectors, as `embed` does."""
        alike = len({one.shape for one in inputs}) == 1
        batches = [np.stack(inputs)] if alike else [one[None] for one in inputs]
        pooled = []
        for batch in batches:
            try:
                found = pooling.pool(self.run(batch), self.model.pooling, self.model.power)
            except ValueError as error:
                told = tr(
                    "the model {name!r}: {why}. Get it again, with another --pooling: {command}",
                    name=self.model.name,
                    why=error,
                    command=model_store.getting(self.model.name),
                )
                raise ModelError(told) from None
            pooled.append(found)
        return pooling.unit(np.concatenate(pooled))


def open_network(installed: Installed, n_threads: int = 1) -> Network:
    """Load an installed model."""
    return Network(installed.model, installed.path, n_threads)


def inspect(path: Path) -> Ports:
    """Return what a model's file takes and gives.

    Raises
    ------
    ModelError
        If it is no ONNX file, damaged, spread over several files, or onnxruntime cannot run it.
    """
    onnx_file.check(path)
    return _ports(_session(path, 1))


def image_input(path: Path, ports: Ports) -> tuple[Port, str, int | None, int | None]:
    """Return a file's one input that takes pictures, its layout, and its height and width.

    Height and width are None where they are not fixed.

    Raises
    ------
    ModelError
        If there is none, or it takes something besides a picture.
    """
    told = _listed(ports.inputs)
    if len(ports.inputs) != 1:
        raise ModelError(
            trn(
                "{file} takes {n} input ({told}), and a picture is all there is to give. Export "
                "its image part alone.",
                "{file} takes {n} inputs ({told}), and a picture is all there is to give. Export "
                "its image part alone.",
                len(ports.inputs),
                file=path.name,
                told=told,
            )
        )
    (port,) = ports.inputs
    if port.type not in _NUMBERS:
        raise ModelError(
            tr(
                "{file} takes {told}, no picture in float numbers. Export it with a float input.",
                file=path.name,
                told=told,
            )
        )
    if len(port.shape) == 4 and port.shape[1] in (3, None) and port.shape[3] != 3:
        layout, (height, width) = "nchw", port.shape[2:]
    elif len(port.shape) == 4 and port.shape[3] == 3:
        layout, (height, width) = "nhwc", port.shape[1:3]
    else:
        raise ModelError(
            tr(
                "{file} takes {told}. A picture is N x 3 x height x width, or N x height x "
                "width x 3: this is no image model. Take one whose input is a picture.",
                file=path.name,
                told=told,
            )
        )
    if port.shape[0] not in (1, None):
        raise ModelError(
            trn(
                "{file} takes {n} picture at a time ({told}). Export it for one, or for any "
                "number.",
                "{file} takes {n} pictures at a time ({told}). Export it for one, or for any "
                "number.",
                port.shape[0],
                file=path.name,
                told=told,
            )
        )
    return port, layout, height, width


def _listed(ports: Sequence[Port]) -> str:
    return "; ".join(map(str, ports)) or tr("nothing")


def vector_output(path: Path, ports: Ports, name: str | None) -> Port:
    """Return the output to take: the one that is named, or the only one that can be.

    Raises
    ------
    ModelError
        If there is none of float numbers, no such one, or several; the message lists them.
    """
    able = [p for p in ports.outputs if p.type in _NUMBERS and len(p.shape) in (2, 3, 4)]
    told = _listed(able or ports.outputs)
    if not able:
        raise ModelError(
            tr(
                "{file} gives {told}: no vector, maps or tokens of float numbers. Export it with "
                "the layer before its last ones as an output.",
                file=path.name,
                told=told,
            )
        )
    if name is None and len(able) > 1:
        raise ModelError(
            tr(
                "{file} gives several outputs. Choose one by --output: {told}",
                file=path.name,
                told=told,
            )
        )
    found = [p for p in able if name in (None, p.name)]
    if not found:
        raise ModelError(
            tr(
                "{file} gives no output {name!r} to be taken. Choose one by --output: {told}",
                file=path.name,
                name=name,
                told=told,
            )
        )
    return found[0]


def usual_pooling(path: Path, port: Port) -> str:
    """Return how an output becomes a vector if nothing is said: not at all, or by its mean.

    Raises
    ------
    ModelError
        If it gives tokens, of which the first may or may not stand for the picture.
    """
    if len(port.shape) == 2 or (len(port.shape) == 4 and port.shape[2:] == (1, 1)):
        return "none"
    if len(port.shape) == 3:
        raise ModelError(
            tr(
                "{file} gives tokens: {port}. Say by --pooling cls that the first stands for the "
                "picture, or --pooling mean.",
                file=path.name,
                port=port,
            )
        )
    return "mean"


def try_out(model: Model, path: Path) -> int:
    """Run a model once, on a picture of gray and noise; return the dimensions of its vectors.

    Raises
    ------
    ModelError
        If it does not run, or gives no vector, or zeros.
    """
    network = Network(model, path)
    random = np.random.default_rng(0)
    size = (
        (3, model.height, model.width) if model.layout == "nchw" else (model.height, model.width, 3)
    )
    given = random.uniform(-0.5, 0.5, size).astype(np.float32)
    values = given / np.float32(np.mean(model.std)) if model.divisor != 1 else given * 255
    vectors = network.embed_prepared([np.ascontiguousarray(values, np.float32)])
    if not vectors.any():
        raise ModelError(
            tr(
                "the model {name!r} gives nothing but zeros: its weights are missing. Fetch or "
                "export {file} again.",
                name=model.name,
                file=path.name,
            )
        )
    if vectors.shape[1] < 2:
        raise ModelError(
            tr(
                "the output {output!r} of {file} is a single number, no vector. Choose another by "
                "--output.",
                output=model.output,
                file=path.name,
            )
        )
    return int(vectors.shape[1])


def _session(path: Path, n_threads: int, one_size: bool = True) -> Any:
    """Load a model; `one_size` if all pictures have one, so that it plans its memory but once."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = one_size
    options.log_severity_level = 4  # what matters comes as an exception
    # Threads that wait must not turn in circles on cores that others use.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    with _refusing(_NO_MODEL, path.name, path=path):
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _ports(session: Any) -> Ports:
    def of(nodes: Sequence[Any]) -> tuple[Port, ...]:
        return tuple(
            Port(n.name, n.type, tuple(s if isinstance(s, int) else None for s in n.shape))
            for n in nodes
        )

    return Ports(of(session.get_inputs()), of(session.get_outputs()))


@contextlib.contextmanager
def _refusing(told: str, what: str, **values: Any) -> Iterator[None]:
    """Turn what onnxruntime raises into `told`: its exceptions have no common class."""
    try:
        yield
    except MemoryError:
        raise ModelError(
            tr(
                "there is not enough memory for {what}. End other programs, or take a smaller "
                "model.",
                what=what,
            )
        ) from None
    except Exception as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise ModelError(tr(told, why=why[:_LONGEST_REASON], **values)) from None
