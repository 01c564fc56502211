"""What a build remembers of one picture: a file that is whole, or counts as absent.

One line of JSON (a description, the arrays' types and shapes, a checksum), then the arrays' bytes
end to end. A build reads and writes several for each picture; as ``.npz`` archives they took 4 of
its 115 milliseconds.
"""

import dataclasses
import json
import os
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

DAMAGED = (OSError, ValueError, KeyError, TypeError)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A picture's description, of plain values, and its arrays by name."""

    description: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


def write(path: Path, record: Record) -> None:
    """Write a record beside its place and rename it. Power loss may leave it empty or cut."""
    bodies = [
        np.ascontiguousarray(array).reshape(-1).view(np.uint8) for array in record.arrays.values()
    ]
    checksum = 0
    for body in bodies:
        checksum = zlib.crc32(body.data, checksum)
    shapes = {name: (array.dtype.str, array.shape) for name, array in record.arrays.items()}
    head = json.dumps([record.description, shapes, checksum]).encode()
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with beside.open("wb") as file:
        file.write(b"%08x %b\n" % (zlib.crc32(head), head))
        for body in bodies:
            file.write(body.data)
    beside.replace(path)


def _read_head(file: BinaryIO) -> tuple[dict[str, Any], dict[str, Any], int]:
    told, _, head = file.readline().rstrip(b"\n").partition(b" ")
    if zlib.crc32(head) != int(told, 16):
        raise ValueError("the checksum of its first line does not fit")
    description, shapes, checksum = json.loads(head)
    return description, shapes, checksum


def read(path: Path) -> Record | None:
    """Read a record; None where it is absent or damaged, which means: do it again."""
    try:
        with path.open("rb") as file:
            description, shapes, told = _read_head(file)
            arrays, checksum = {}, 0
            for name, (dtype, shape) in shapes.items():
                arrays[name] = np.empty(shape, dtype)
                body = arrays[name].reshape(-1).view(np.uint8)
                if file.readinto(body.data) < len(body):
                    return None
                checksum = zlib.crc32(body.data, checksum)
    except DAMAGED:
        return None
    return Record(description, arrays) if checksum == told else None


def read_description(path: Path) -> dict[str, Any] | None:
    """Read what a record says of its picture without its arrays; None as in `read`."""
    try:
        with path.open("rb") as file:
            return _read_head(file)[0]
    except DAMAGED:
        return None
