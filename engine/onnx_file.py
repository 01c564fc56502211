"""ONNX files: what one holds, and writing one whose weights are larger than memory should be.

Facts of the format: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

import dataclasses
import mmap
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine import protobuf
from engine.errors import ModelError, reason
from engine.language import tr
from engine.protobuf import Field, head, message, number, text

IR_VERSION, OPSET = 8, 13
FLOAT, FLOAT16 = 1, 10
Attribute: TypeAlias = int | Sequence[int]

_DTYPES: dict[int, np.dtype[Any]] = {FLOAT: np.dtype("<f4"), FLOAT16: np.dtype("<f2")}
_EXTERNAL = 1  # of TensorProto.data_location
_MOST_FIELDS = 2_000_000  # of a whole model: large ones have some hundred thousand
_DEEPEST = 32  # branches and loops within each other


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """An array of a model that is read when it is written.

    Attributes
    ----------
    name : str
        As nodes call it.
    shape : tuple of int
        Its own.
    read : callable
        Returns its pieces, rows in order; any float type, they are converted.
    data_type : int
        FLOAT or FLOAT16: how it is stored.
    """

    name: str
    shape: tuple[int, ...]
    read: Callable[[], Iterable[NDArray[Any]]]
    data_type: int = FLOAT

    @property
    def n_bytes(self) -> int:
        """Bytes of its numbers."""
        return int(np.prod(self.shape, dtype=np.int64)) * _DTYPES[self.data_type].itemsize


def node(
    kind: str,
    inputs: Sequence[str],
    output: str,
    attributes: Mapping[str, Attribute] = {},
) -> bytes:
    """Encode one step of a graph, named by what it gives."""
    parts = [text(1, one) for one in inputs]
    parts += [text(2, output), text(3, output), text(4, kind)]
    for name, value in attributes.items():
        if isinstance(value, int):
            held = [text(1, name), number(3, value), number(20, 2)]
        else:
            held = [text(1, name), *(number(8, one) for one in value), number(20, 7)]
        parts.append(message(5, held))
    return message(1, parts)


def value(field: int, name: str, shape: Sequence[int | str]) -> bytes:
    """Encode an input (field 11) or output (12) of float32; a side may have a name for its size."""
    sides = [message(1, [number(1, s) if isinstance(s, int) else text(2, s)]) for s in shape]
    tensor = message(1, [number(1, FLOAT), message(2, sides)])
    return message(field, [text(1, name), message(2, [tensor])])


def write(
    path: Path,
    nodes: Sequence[bytes],
    weights: Sequence[Weights],
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write a model beside its place, flush it to disk and rename it.

    Parameters
    ----------
    path : Path
        Where it goes.
    nodes, inputs, outputs : sequences of bytes
        From `node` and `value`.
    weights : sequence of Weights
        Read one piece after the other; no more than one piece is in memory.
    progress : callable or None
        Told how many bytes of how many are written.

    Raises
    ------
    ValueError
        If pieces do not add up to what `weights` says.
    """
    heads = []
    for one in weights:
        told = [*(number(1, side) for side in one.shape), number(2, one.data_type)]
        told += [text(8, one.name), head(9, one.n_bytes)]
        n_told = sum(map(len, told))
        heads.append(b"".join((head(5, n_told + one.n_bytes), *told)))
    rest = b"".join((*nodes, text(2, path.stem), *inputs, *outputs))
    n_weights = sum(one.n_bytes for one in weights)
    n_graph = len(rest) + sum(map(len, heads)) + n_weights
    opset = message(8, [number(2, OPSET)])
    start = number(1, IR_VERSION) + text(2, "visword") + opset + head(7, n_graph) + rest
    beside, n_done = path.with_name(f".{path.name}.{os.getpid()}.tmp"), 0
    try:
        with beside.open("wb") as file:
            file.write(start)
            for one, first in zip(weights, heads):
                file.write(first)
                before = n_done
                for piece in one.read():
                    packed = np.ascontiguousarray(piece, _DTYPES[one.data_type])
                    file.write(packed.reshape(-1).view(np.uint8).data)
                    n_done += packed.nbytes
                    if progress is not None:
                        progress(n_done, n_weights)
                if n_done - before != one.n_bytes:
                    raise ValueError(f"the weights {one.name} are not {one.shape}")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def unreadable(path: Path, error: OSError) -> ModelError:
    """Return what is said of a model's file that the system does not give."""
    return ModelError(
        tr(
            "{path} cannot be read: {why}. Check that the file is there and that you may read it.",
            path=path,
            why=reason(error),
        )
    )


def check(path: Path) -> None:
    """Refuse a file that is no ONNX model, or not a whole one.

    Raises
    ------
    ModelError
        If it cannot be read, is something else or cut, or keeps weights in further files.
    """
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                raise ModelError(
                    tr("{path} is empty (0 bytes). Fetch or export the model again.", path=path)
                )
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                data = memoryview(mapped)
                try:
                    outside = _outside(data)
                finally:
                    data.release()
    except OSError as error:
        raise unreadable(path, error) from None
    except ValueError as error:
        raise ModelError(
            tr(
                "{path} is no ONNX model, or only a part of one ({why}). Fetch or export it again.",
                path=path,
                why=error,
            )
        ) from None
    if outside is not None:
        raise ModelError(
            tr(
                "{path} keeps its weights ({array}) in another file, and only one file is taken. "
                "Save it in one: onnx.save(onnx.load(FILE), ONE_FILE), with Python's package onnx.",
                path=path,
                array=outside,
            )
        )


def _outside(data: memoryview) -> str | None:
    """Return the name of an array whose numbers lie in another file; None if there is none."""
    walk = _Walk(data)
    graphs, has_version = [], False
    for field in walk.fields(Field(0, 0, 0, len(data))):
        has_version |= field.number == 1 and bool(field.value)
        if field.number == 7:
            graphs.append(field)
    if not graphs or not has_version:
        raise ValueError(tr("it holds no graph"))
    return next((found for graph in graphs if (found := walk.outside(graph)) is not None), None)


class _Walk:
    """A walk over a file that gives up where there is no end to its fields."""

    def __init__(self, data: memoryview) -> None:
        self._data, self._left = data, _MOST_FIELDS

    def fields(self, message: Field) -> Iterator[Field]:
        """Yield the fields of a message."""
        for field in protobuf.fields(self._data, message.start, message.end):
            self._left -= 1
            if self._left < 0:
                raise ValueError(tr("it holds more than {n:,} fields", n=_MOST_FIELDS))
            yield field

    def outside(self, graph: Field, depth: int = 0) -> str | None:
        """Return the name of an array of a graph, or of one within it, that lies elsewhere."""
        if depth > _DEEPEST:
            raise ValueError(tr("it holds graphs within graphs without end"))
        for field in self.fields(graph):
            found = None
            if field.number == 5:
                found = self._external_name(field)
            elif field.number == 1:
                found = self._of_node(field, depth)
            if found is not None:
                return found
        return None

    def _of_node(self, node: Field, depth: int) -> str | None:
        for attribute in self.fields(node):
            if attribute.number != 5 or attribute.start == attribute.end:
                continue
            for held in self.fields(attribute):
                found = None
                if held.end > held.start and held.number in (5, 10):  # an array, and several
                    found = self._external_name(held)
                elif held.end > held.start and held.number in (6, 11):  # a branch, a loop's body
                    found = self.outside(held, depth + 1)
                if found is not None:
                    return found
        return None

    def _external_name(self, tensor: Field) -> str | None:
        name, is_external = tr("without a name"), False
        for field in self.fields(tensor):
            if field.number == 8:
                name = protobuf.read_text(self._data, field)
            is_external |= field.number == 13 or (field.number == 14 and field.value == _EXTERNAL)
        return name if is_external else None
