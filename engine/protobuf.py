"""As much of the protobuf wire format as reading and writing an ONNX file takes.

A file of half a gigabyte is written piece by piece, and read by mapping it: what is skipped is
never touched. The `onnx` package would hold it in memory several times.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from engine.language import tr

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class Field(NamedTuple):
    """One field of a message.

    Attributes
    ----------
    number : int
        Which field.
    value : int
        Of a number; 0 for bytes.
    start, end : int
        Where its bytes lie in the buffer; equal for a number.
    """

    number: int
    value: int
    start: int
    end: int


def varint(value: int) -> bytes:
    """Encode a whole number, 0 to 2^64 - 1."""
    if not 0 <= value < 1 << 64:
        raise ValueError(f"a varint holds 0 to 2^64 - 1, got {value}")
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    """Encode a field that holds a whole number."""
    return varint(field << 3 | VARINT) + varint(value)


def head(field: int, n_bytes: int) -> bytes:
    """Encode what stands before `n_bytes` bytes of a field."""
    return varint(field << 3 | BYTES) + varint(n_bytes)


def text(field: int, value: str) -> bytes:
    """Encode a field that holds a text."""
    data = value.encode()
    return head(field, len(data)) + data


def message(field: int, parts: Sequence[bytes]) -> bytes:
    """Encode a field that holds a message, put together from its fields."""
    return head(field, sum(map(len, parts))) + b"".join(parts)


def _read_varint(data: memoryview, at: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            raise ValueError(tr("it ends within a number"))
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError(tr("it holds a number of more than 64 bits"))


def fields(data: memoryview, start: int = 0, end: int | None = None) -> Iterator[Field]:
    """Walk over the fields of a message.

    Parameters
    ----------
    data : memoryview of bytes
        A file.
    start, end : int
        Where the message lies in it; to the file's end if None.

    Raises
    ------
    ValueError
        If these bytes are no message.
    """
    at, end = start, len(data) if end is None else end
    while at < end:
        key, at = _read_varint(data, at, end)
        field, kind = key >> 3, key & 7
        if field == 0:
            raise ValueError(tr("it holds a field without a number"))
        if kind == VARINT:
            value, at = _read_varint(data, at, end)
            yield Field(field, value, at, at)
            continue
        if kind == BYTES:
            length, at = _read_varint(data, at, end)
        elif kind in (FIXED64, FIXED32):
            length = 8 if kind == FIXED64 else 4
        else:
            raise ValueError(tr("it holds a field of unknown kind {kind}", kind=kind))
        if at + length > end:
            raise ValueError(tr("it ends within a field"))
        yield Field(field, 0, at, at + length)
        at += length


def read_text(data: memoryview, field: Field) -> str:
    """Return the text of a field."""
    return bytes(data[field.start : field.end]).decode("utf-8", "replace")
