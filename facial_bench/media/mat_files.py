"""A .mat of version 5 (SciPy's `savemat`, MATLAB's `-v6` and `-v7`), read without trust: its arrays of real numbers.

SciPy's own reader ends the process, by a segmentation fault, at files with a few changed bytes; this one checks every
length before it looks. Elements are a type, a length and content; a matrix is an element of elements: flags, shape,
name, numbers.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from facial_bench.core.errors import CorpusError, one_line, printable

NUMBERS = {1: "i1", 2: "u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 9: "<f8", 12: "<i8", 13: "<u8"}
"""Type of an element -> how its numbers are stored."""
CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
"""Class of a matrix -> its dtype; classes that are not here are text, structures and the like."""
MATRIX, COMPRESSED, NAME, COMPLEX = 14, 15, 1, 0x08
LARGEST = 2 * 1024**3
"""Bytes that a compressed matrix may have."""


def read_mat(path: Path) -> dict[str, np.ndarray]:
    """name -> array of every matrix of real numbers in a file; others are passed over.

    Raises:
        CorpusError: another version, or a file that contradicts itself or ends early; without the path.
    """
    try:
        content = path.read_bytes()
        if content[:10] == b"MATLAB 7.3":
            raise CorpusError("it is a .mat of version 7.3: save it with -v7")
        if content[124:128] != b"\x00\x01IM":
            raise ValueError("no header of version 5, written in little-endian order")
        found: dict[str, np.ndarray] = {}
        for kind, data in _elements(content[128:], padded=False):
            if kind == COMPRESSED:
                kind, data = _unpacked(data)
            if kind != MATRIX:
                raise ValueError(f"an element of type {kind} where a matrix belongs")
            found.update(_matrix(data))
    except (OSError, ValueError, struct.error, zlib.error) as problem:
        raise CorpusError(f"it cannot be read as .mat ({one_line(problem)})") from None
    return found


def _elements(content: bytes, padded: bool = True) -> Iterator[tuple[int, bytes]]:
    """(type, content) of each; those within a matrix are padded to 8 bytes, and short ones stand in their own tag."""
    place = 0
    while place < len(content):
        kind, size = struct.unpack_from("<II", content, place)
        start, step = place + 8, 8 + size + (-size % 8 if padded else 0)
        if kind >> 16:
            kind, size, start, step = kind & 0xFFFF, kind >> 16, place + 4, 8
            if size > 4:
                raise ValueError(f"a short element of {size} bytes")
        if start + size > len(content):
            raise ValueError("it ends early")
        yield kind, content[start : start + size]
        place += step


def _unpacked(data: bytes) -> tuple[int, bytes]:
    unpack = zlib.decompressobj()
    content = unpack.decompress(data, LARGEST)
    if not unpack.eof:
        raise ValueError("a compressed matrix that ends early or is too large")
    ((kind, held),) = _elements(content, padded=False)
    return kind, held


def _matrix(data: bytes) -> dict[str, np.ndarray]:
    """The array under its name; empty where it is none of real numbers."""
    flags, shape, name, *rest = _elements(data)
    if flags[0] != 6 or len(flags[1]) != 8 or shape[0] != 5 or len(shape[1]) % 4 or name[0] != NAME:
        raise ValueError("a matrix without flags, shape and name")
    if flags[1][0] not in CLASSES or flags[1][1] & COMPLEX:
        return {}
    called, sides = printable(name[1].decode("latin-1")), tuple(np.frombuffer(shape[1], "<i4").tolist())
    if len(rest) != 1 or rest[0][0] not in NUMBERS:
        raise ValueError(f"{called} holds no numbers")
    values = np.frombuffer(rest[0][1], NUMBERS[rest[0][0]])
    if len(sides) < 2 or min(sides) < 0 or math.prod(sides) != len(values):
        raise ValueError(f"{called} holds {len(values)} numbers for the shape {sides}")
    return {called: values.reshape(sides, order="F").astype(CLASSES[flags[1][0]])}
