"""What can happen to a file: bits, bytes and pieces of any; cells of text; values of JSON; arrays of numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Mutation = Callable[[np.random.Generator, bytes], bytes]
NUMBERS = (
    "nan",
    "-nan(ind)",
    "inf",
    "-1e999",
    "1e-320",
    "-0",
    "9" * 30,
    "0x1F",
    "1_000",
    "1,5",
    "1.2.3",
    "",
    "١",
    "True",
)
VALUES: tuple[Any, ...] = (
    None, False, True, -1, 0, 1, 2, 1e300, -1e-300, 2**63 - 1, 2**70, "", "a", "../../x", "nul", "x" * 5000, "\u0000",
    "\ud800", "é\u0301", [], [[]], {}, {"a": 1}, [1, "2", None], "1", "2026-01-01",
)  # fmt: skip
KINDS = ("f2", "f4", "f8", ">f4", ">f8", "i1", "u1", "i8", "?", "c8", "U3", "S3", "M8[s]")


def damage(rng: np.random.Generator, content: bytes) -> bytes:
    """One change of bytes, wherever they are; sometimes two or three."""
    for _ in range(_few(rng)):
        content = _BYTES[int(rng.integers(len(_BYTES)))](rng, content)
    return content


def _few(rng: np.random.Generator) -> int:
    return int(rng.choice([1, 1, 1, 2, 3]))


def _span(rng: np.random.Generator, content: bytes, most: int = 64) -> tuple[int, int]:
    if rng.random() < 0.3:
        most = max(len(content) // 2, 1)
    start = int(rng.integers(len(content) + 1))
    return start, min(start + int(rng.integers(1, most + 1)), len(content))


def _flip(rng: np.random.Generator, content: bytes) -> bytes:
    if not content:
        return b"\0"
    changed = bytearray(content)
    changed[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _flip_head(rng: np.random.Generator, content: bytes) -> bytes:
    return _flip(rng, content[:400]) + content[400:]


def _overwrite(rng: np.random.Generator, content: bytes) -> bytes:
    start, stop = _span(rng, content)
    fill = bytes(stop - start) if rng.random() < 0.4 else rng.bytes(stop - start)
    return content[:start] + fill + content[stop:]


def _remove(rng: np.random.Generator, content: bytes) -> bytes:
    start, stop = _span(rng, content)
    return content[:start] + content[stop:]


def _insert(rng: np.random.Generator, content: bytes) -> bytes:
    start, stop = _span(rng, content)
    return content[:start] + rng.bytes(stop - start) + content[start:]


def _repeat(rng: np.random.Generator, content: bytes) -> bytes:
    start, stop = _span(rng, content)
    return content[:stop] + content[start:]


def _move(rng: np.random.Generator, content: bytes) -> bytes:
    start, stop = _span(rng, content)
    rest, place = content[:start] + content[stop:], int(rng.integers(len(content) + 1))
    return rest[:place] + content[start:stop] + rest[place:]


def _cut(rng: np.random.Generator, content: bytes) -> bytes:
    return content[: int(rng.integers(len(content) + 1))]


_BYTES: tuple[Mutation, ...] = (_flip, _flip, _flip_head, _overwrite, _remove, _insert, _repeat, _move, _cut)


def change_cells(rng: np.random.Generator, content: bytes) -> bytes:
    """Cells, columns and lines of a table that are changed, lost, moved or doubled; decimals and separators."""
    lines = content.decode("utf-8", "replace").split("\n")
    for _ in range(_few(rng)):
        row = int(rng.integers(len(lines)))
        cells = lines[row].split(",")
        place = int(rng.integers(len(cells)))
        kind = int(rng.integers(9))
        if kind == 0:
            cells[place] = str(rng.choice(NUMBERS))
        elif kind == 1:
            del cells[place]
        elif kind == 2:
            cells.insert(place, cells[place])
        elif kind == 3:
            cells[place] = f'"{cells[place]}"' if rng.random() < 0.5 else f'"{cells[place]}'
        elif kind == 4:
            cells[place] = str(int(rng.integers(-3, 1000)))
        lines[row] = ",".join(cells)
        if kind == 5:
            del lines[row]
        elif kind == 6:
            lines.insert(int(rng.integers(len(lines) + 1)), lines[row])
        elif kind == 7:
            other = ";" if rng.random() < 0.7 else "\t"
            lines = [line.replace(",", other).replace(".", "," if rng.random() < 0.5 else ".") for line in lines]
        elif kind == 8:
            lines = [line + "\r" for line in lines]
        lines = lines or [""]
    text = "\n".join(lines)
    return text.encode(str(rng.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"])), "replace")


def change_values(rng: np.random.Generator, content: bytes) -> bytes:
    """Values and keys of JSON (or of lines of JSON) that are changed, lost, moved or doubled; or its text."""
    if rng.random() < 0.25:
        found = list(re.finditer(rb"-?[0-9.]+", content))
        number = found[int(rng.integers(len(found)))]
        put = str(rng.choice(NUMBERS)) if rng.random() < 0.5 else str(rng.normal())
        return content[: number.start()] + put.encode() + content[number.end() :]
    lines = content.split(b"\n") if content.count(b"}\n{") else [content]
    place = int(rng.integers(len(lines)))
    try:
        value = json.loads(lines[place])
    except ValueError:
        return damage(rng, content)
    for _ in range(_few(rng)):
        _change(rng, value)
    lines[place] = json.dumps(value).encode()
    return b"\n".join(lines)


def _change(rng: np.random.Generator, value: Any) -> None:
    """Something somewhere in a value of JSON."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
        if not keys:
            return
        key = keys[int(rng.integers(len(keys)))]
        if isinstance(value[key], (dict, list)) and value[key] and rng.random() < 0.85:
            value = value[key]
            continue
        kind, other = int(rng.integers(6)), keys[int(rng.integers(len(keys)))]
        if kind <= 1:
            value[key] = VALUES[int(rng.integers(len(VALUES)))]
        elif kind == 2:
            del value[key]
        elif kind == 3:
            value[key], value[other] = value[other], value[key]
        elif kind == 4 and isinstance(value[key], (int, float)):
            value[key] = value[key] * float(rng.normal())
        elif isinstance(value, dict):
            value[str(key) + str(rng.integers(9))] = value.pop(key) if rng.random() < 0.5 else value[key]
        else:
            value.insert(int(rng.integers(len(value))), value[key])
        return


def change_arrays(rng: np.random.Generator, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays of other types, shapes, names and numbers: a sound file that holds something else."""
    changed = dict(arrays)
    for _ in range(_few(rng)):
        name = list(changed)[int(rng.integers(len(changed)))]
        array, kind = changed[name], int(rng.integers(8))
        if kind == 0:
            with np.errstate(all="ignore"):
                changed[name] = array.astype(str(rng.choice(KINDS)))
        elif kind == 1 and array.size and array.dtype.kind == "f":
            flat = array.copy().reshape(-1)
            flat[rng.integers(flat.size)] = rng.choice([np.nan, np.inf, -np.inf, 1e30, -0.0])
            changed[name] = flat.reshape(array.shape)
        elif kind == 2:
            changed[name] = array.T if rng.random() < 0.5 else np.asfortranarray(array)
        elif kind == 3:
            changed[name] = array[: int(rng.integers(len(array) + 1))] if array.ndim else array[None]
        elif kind == 4:
            changed[name] = array.reshape(-1) if rng.random() < 0.5 else array[None]
        elif kind == 5 and len(changed) > 1:
            changed[name + "x" if rng.random() < 0.5 else name.upper()] = changed.pop(name)
        elif kind == 6 and array.dtype.kind in "fiu":
            changed[name] = array * array.dtype.type(rng.choice([0, 2, 57, 100]))
        else:
            changed[name] = np.zeros((0, *array.shape[1:]), array.dtype)
    return changed
