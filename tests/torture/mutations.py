"""Random damage to bytes, to parsed JSON and to arrays; every choice comes from one generator."""

import copy
import json
from typing import Any

import numpy as np

HEADER = 160  # bytes at the start of a file that damage likes best
HUGE = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
STRANGE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 7, 2**31, 2**63, -(2**63), 2**70, 10**400, 0.5, -0.0),
    *(float("nan"), float("inf"), 1e308, "", "x", "\ud800", "../../../etc/passwd", "/etc/passwd"),
    *("a\x00b", "<b>", "9" * 5000, [], {}, [[]], [1, 2, 3], {"file": "x"}, [None] * 5),
)


def _place(random: np.random.Generator, n: int) -> int:
    """Choose a byte, often one of the header."""
    reach = min(n, HEADER) if random.random() < 0.4 else n
    return int(random.integers(reach))


def _span(random: np.random.Generator, n: int) -> tuple[int, int]:
    start = _place(random, n)
    return start, min(n, start + 1 + int(random.exponential(max(8.0, n / 50))))


def damage(data: bytes, random: np.random.Generator) -> tuple[str, bytes]:
    """Damage a file in one to three ways; returns what was done, and the file."""
    done = []
    for _ in range(1 + int(random.integers(3))):
        told, data = _damage_once(data, random)
        done.append(told)
    return " + ".join(done), data


def _damage_once(data: bytes, random: np.random.Generator) -> tuple[str, bytes]:
    held, n = bytearray(data), len(data)
    if n == 0:
        return "filled", random.bytes(int(random.integers(1, 300)))
    kind = ("bits", "bytes", "cut", "swap", "zeros", "ones", "insert", "drop", "huge", "repeat")[
        int(random.integers(10))
    ]
    low, high = _span(random, n)
    if kind == "bits":
        for _ in range(1 + int(random.integers(8))):
            held[_place(random, n)] ^= 1 << int(random.integers(8))
    elif kind == "bytes":
        held[low:high] = random.bytes(high - low)
    elif kind == "cut":
        del held[int(random.integers(n)) :]
    elif kind == "swap":
        other, end = _span(random, n)
        first, second = bytes(held[low:high]), bytes(held[other:end])
        held[low : low + len(second)] = second
        held[other : other + len(first)] = first
    elif kind in ("zeros", "ones"):
        held[low:high] = (b"\0" if kind == "zeros" else b"\xff") * (high - low)
    elif kind == "insert":
        held[low:low] = random.bytes(high - low)
    elif kind == "drop":
        del held[low:high]
    elif kind == "huge":
        width = int(random.choice([1, 2, 4, 8]))
        number = HUGE[int(random.integers(len(HUGE)))] % 2 ** (8 * width)
        order = "little" if random.random() < 0.5 else "big"
        held[low : low + width] = number.to_bytes(width, order)
    else:
        held[high:high] = held[low:high] * int(random.integers(1, 5))
    return f"{kind} at {low}", bytes(held)


def twist(value: Any, random: np.random.Generator) -> tuple[str, Any]:
    """Change one to three places of parsed JSON."""
    value, done = copy.deepcopy(value), []
    for _ in range(1 + int(random.integers(3))):
        places = list(_places(value))
        if not places:
            return "emptied", STRANGE[int(random.integers(len(STRANGE)))]
        holder, key, told = places[int(random.integers(len(places)))]
        done.append(_twist_once(holder, key, random) + f" {told}")
    return " + ".join(done), value


def _places(value: Any, told: str = "") -> Any:
    """Yield every place of nested dicts and lists: holder, key, path. Long lists at both ends."""
    if isinstance(value, dict):
        keys: list[Any] = list(value)
    elif isinstance(value, list):
        keys = sorted({*range(min(3, len(value))), *range(max(0, len(value) - 2), len(value))})
    else:
        return
    for key in keys:
        yield value, key, f"{told}/{key}"
        yield from _places(value[key], f"{told}/{key}")


def _twist_once(holder: Any, key: Any, random: np.random.Generator) -> str:
    kind = random.random()
    old = holder[key]
    if kind < 0.12:
        del holder[key]
        return "deleted"
    if kind < 0.22:
        others = list(_places(holder))
        other, name, _ = others[int(random.integers(len(others)))]
        holder[key] = copy.deepcopy(other[name])
        return "copied to"
    if kind < 0.5 and type(old) in (int, float):
        holder[key] = old + int(random.choice([-1, 1, 10, -10, 1000, 10**9]))
        return f"{holder[key]!r:.40} in"
    if kind < 0.6 and isinstance(old, list) and old:
        holder[key] = old[:-1] if random.random() < 0.5 else [*old, old[-1]]
        return "lengthened or shortened"
    holder[key] = copy.deepcopy(STRANGE[int(random.integers(len(STRANGE)))])
    return f"{holder[key]!r:.40} in"


def same_json(one: Any, other: Any) -> bool:
    return json.dumps(one) == json.dumps(other)


def falsify(array: np.ndarray, random: np.random.Generator) -> tuple[str, np.ndarray]:
    """Change numbers, shape or type of an array."""
    kind = random.random()
    if kind < 0.12 or array.size == 0:
        return _reshaped(array, random)
    told, held = "", array.copy()
    flat = held.reshape(-1)
    low = int(random.integers(len(flat)))
    high = low + 1 if random.random() < 0.6 else int(random.integers(low, len(flat))) + 1
    if kind < 0.25:
        told, flat[low:high] = f"turned {low}:{high}", flat[low:high][::-1].copy()
    elif kind < 0.35:
        random.shuffle(flat[low:high])
        told = f"shuffled {low}:{high}"
    else:
        number = _strange_number(array.dtype, random, len(flat))
        flat[low:high] = number
        told = f"{number} at {low}:{high}"
    return told, held


def _strange_number(dtype: np.dtype, random: np.random.Generator, n: int) -> Any:
    if dtype.kind == "f":
        numbers = [np.nan, np.inf, -np.inf, -1.0, 0.0, 1e38, -1e38, 1e-40, 2.0, 1e6]
    else:
        ends = np.iinfo(dtype)
        numbers = [ends.min, ends.max, -1, 0, 1, n, n + 1, n - 1, 255, 1000, 2**31 - 1, -2, 3]
        numbers = [x for x in numbers if ends.min <= x <= ends.max]
    return dtype.type(numbers[int(random.integers(len(numbers)))])


def _reshaped(array: np.ndarray, random: np.random.Generator) -> tuple[str, np.ndarray]:
    kind = int(random.integers(5))
    if kind == 0:
        array = array[:-1] if array.ndim and len(array) else array
    elif kind == 1:
        array = np.concatenate((array, array[-1:])) if array.ndim and len(array) else array
    elif kind == 2:
        array = array.reshape(-1)
    elif kind == 3:
        array = array.reshape((1, *array.shape) if random.random() < 0.5 else (*array.shape, 1))
    else:
        kinds = ("uint8", "int8", "uint16", "int32", "int64", "uint64", "float32", "float64")
        with np.errstate(all="ignore"):
            array = array.astype(kinds[int(random.integers(len(kinds)))])
    return f"made {array.dtype} {array.shape}", np.ascontiguousarray(array)
