"""Keras's VGG-16 (an HDF5 file) to ONNX, in the order of weights that ONNX takes.

Convolutions lie in the file as height, width, in, out and become out, in, height, width. The rows
of fc1 run over height, width, channel of the last maps; ONNX flattens channel, height, width, so
they are brought into that order: left as they are, the vectors look like vectors and mean nothing.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import onnx_file
from engine.errors import ModelError, reason
from engine.language import tr
from engine.onnx_file import FLOAT, FLOAT16, Weights

BLOCKS = (2, 2, 3, 3, 3)  # convolutions of each block of VGG-16
TOP = "fc1"
SIDE = 224  # pixels of the input where there is a top
_INFO = "python -m engine models info vgg16-fc1"
_LONGEST_REASON = 160
_ROWS = 1024  # rows of fc1 in memory at once: 16 MB


def convert_vgg(
    source: Path,
    target: Path,
    output: str,
    half: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write Keras's VGG-16 as ONNX, as far as one of its layers.

    Parameters
    ----------
    source : Path
        HDF5, with or without the top.
    target : Path
        Where the ONNX file goes; written beside and renamed. Its input is "input", its one output
        has the name of the layer.
    output : str
        "fc1" (after ReLU), "block5_conv3" (after ReLU) or "block5_pool".
    half : bool
        Whether weights are stored in float16. They are computed with in float32.
    progress : callable or None
        Told how many bytes of how many are written.

    Raises
    ------
    ModelError
        If the file is no HDF5 file, or not laid out as Keras's VGG-16.
    """
    if output not in (TOP, "block5_conv3", "block5_pool"):
        raise ValueError(f"output must be fc1, block5_conv3 or block5_pool, got {output!r}")
    with _open(source) as file:
        layers = _Layers(source, file)
        writer = _Writer(FLOAT16 if half else FLOAT)
        last, n_maps = _convolutions(layers, writer, output)
        has_top = output == TOP
        if has_top:
            n_out = _top(layers, writer, last, n_maps)
        size: Sequence[int | str] = (SIDE, SIDE) if has_top else ("height", "width")
        shape: Sequence[int | str] = ("n", n_out) if has_top else ("n", n_maps, "rows", "columns")
        inputs = [onnx_file.value(11, "input", ("n", 3, *size))]
        outputs = [onnx_file.value(12, output, shape)]
        with _readable(source):
            onnx_file.write(target, writer.nodes, writer.weights, inputs, outputs, progress)


class _Writer:
    """Nodes and weights of a graph that is being put together."""

    def __init__(self, data_type: int) -> None:
        self._data_type = data_type
        self.nodes: list[bytes] = []
        self.weights: list[Weights] = []

    def held(
        self, name: str, shape: tuple[int, ...], read: Callable[[], Iterable[NDArray[Any]]]
    ) -> str:
        """Add weights; return what nodes call them in float32."""
        self.weights.append(Weights(name, shape, read, self._data_type))
        if self._data_type == FLOAT:
            return name
        self.nodes.append(onnx_file.node("Cast", [name], f"{name}_wide", {"to": FLOAT}))
        return f"{name}_wide"

    def add(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> None:
        self.nodes.append(onnx_file.node(kind, inputs, output, attributes))


def _convolutions(layers: "_Layers", writer: _Writer, output: str) -> tuple[str, int]:
    """Add the convolutions; return the name of the last maps, and how many they are."""
    last, n_maps = "input", 3
    for block, n_layers in enumerate(BLOCKS, 1):
        for place in range(1, n_layers + 1):
            name = f"block{block}_conv{place}"
            kernel, bias = layers.of(name)
            n_out = kernel.shape[-1]
            layers.require(kernel.shape == (3, 3, n_maps, n_out) and bias.shape == (n_out,), name)
            shape = (n_out, n_maps, 3, 3)

            def turned(kernel: Any = kernel) -> Iterator[NDArray[Any]]:
                yield kernel[()].transpose(3, 2, 0, 1)

            def whole(bias: Any = bias) -> Iterator[NDArray[Any]]:
                yield bias[()]

            held = (
                writer.held(f"{name}_W", shape, turned),
                writer.held(f"{name}_b", (n_out,), whole),
            )
            writer.add("Conv", [last, *held], f"{name}_sums", pads=[1, 1, 1, 1])
            writer.add("Relu", [f"{name}_sums"], name)
            last, n_maps = name, n_out
            if name == output:
                return last, n_maps
        writer.add("MaxPool", [last], f"block{block}_pool", kernel_shape=[2, 2], strides=[2, 2])
        last = f"block{block}_pool"
    return last, n_maps


def _top(layers: "_Layers", writer: _Writer, last: str, n_maps: int) -> int:
    """Add fc1; return how many numbers it gives."""
    kernel, bias = layers.of(TOP)
    side, n_out = SIDE // 2 ** len(BLOCKS), bias.shape[-1]
    layers.require(kernel.shape == (side * side * n_maps, n_out) and bias.shape == (n_out,), TOP)
    # Row (h, w, c) of the file is row (c, h, w) of the graph. Some c are written at a time, read as
    # one stretch of rows for each place: 411 MB are never in memory.
    at_once, n_places = max(1, _ROWS // (side * side)), side * side

    def reordered() -> Iterator[NDArray[Any]]:
        for first in range(0, n_maps, at_once):
            end = min(n_maps, first + at_once)
            places = [kernel[p * n_maps + first : p * n_maps + end] for p in range(n_places)]
            yield np.stack(places).transpose(1, 0, 2)

    def whole() -> Iterator[NDArray[Any]]:
        yield bias[()]

    held = (
        writer.held(f"{TOP}_W", (kernel.shape[0], n_out), reordered),
        writer.held(f"{TOP}_b", (n_out,), whole),
    )
    writer.add("Flatten", [last], "flat", axis=1)
    writer.add("Gemm", ["flat", *held], f"{TOP}_sums")
    writer.add("Relu", [f"{TOP}_sums"], TOP)
    return int(n_out)


class _Layers:
    """The layers of a Keras file."""

    def __init__(self, path: Path, file: Any) -> None:
        self._path = path
        self._root = file.get("model_weights", file)

    def of(self, name: str) -> tuple[Any, Any]:
        """Return kernel and bias of a layer, unread."""
        group = self._root.get(name)
        self.require(group is not None and "weight_names" in getattr(group, "attrs", {}), name)
        names = [
            n.decode() if isinstance(n, bytes) else str(n) for n in group.attrs["weight_names"]
        ]
        found = [group.get(n) for n in names]
        is_pair = len(found) == 2 and all(hasattr(one, "shape") for one in found)
        self.require(is_pair and all(one.dtype.kind == "f" for one in found), name)
        return found[0], found[1]

    def require(self, fits: bool, layer: str) -> None:
        if not fits:
            raise ModelError(
                tr(
                    "{path} is not laid out as Keras's VGG-16: its layer {layer} is missing or has "
                    "another shape. Take the file that {command!r} names.",
                    path=self._path,
                    layer=layer,
                    command=_INFO,
                )
            )


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what goes wrong while an HDF5 file is read into one sentence."""
    try:
        yield
    except (OSError, RuntimeError, KeyError) as error:
        if isinstance(error, OSError) and error.errno in (28, 122):  # disk or quota full
            raise ModelError(
                tr(
                    "there is no room to convert {path} ({why}). Free some space.",
                    path=path,
                    why=reason(error),
                )
            ) from None
        raise ModelError(
            tr(
                "{path} is a damaged HDF5 file ({why}). Fetch it again.",
                path=path,
                why=_in_short(error),
            )
        ) from None


def _in_short(error: Exception) -> str:
    return " ".join(str(error).split())[:_LONGEST_REASON]


@contextlib.contextmanager
def _open(path: Path) -> Iterator[Any]:
    try:
        import h5py
    except ImportError:
        raise ModelError(
            tr("reading Keras's weights needs one more package: pip install 'h5py>=3.11,<4'")
        ) from None
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ModelError(
            tr(
                "{path} is no HDF5 file, or only a part of one ({why}). Fetch it again.",
                path=path,
                why=_in_short(error),
            )
        ) from None
    with file:
        yield file
