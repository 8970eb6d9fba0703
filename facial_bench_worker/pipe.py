"""Messages between the harness and a method's process: a JSON header, then the bytes of its arrays.

    b"FBM1"  length of the header (4 bytes, little-endian)  header  arrays, one after the other

The header is `{"kind": ..., "values": {...}, "arrays": [[name, dtype, shape], ...]}`. Nothing is unpickled. Whoever
receives says how many bytes of arrays it will take, and a header that announces more is refused before any memory is.
"""

from __future__ import annotations

import json
import os
import select
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

MAGIC = b"FBM1"
LONGEST_HEADER = 1 << 24
DTYPES = frozenset(["|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8"])
"""What an array may hold: numbers and booleans, little-endian."""
MOST_DIMENSIONS = 32
PIECE = 1 << 20
"""Most bytes that are handed to the system at once."""


class PipeClosedError(Exception):
    """The other side has gone."""


class SilenceError(Exception):
    """The other side was not heard in time."""


class GarbageError(Exception):
    """What came is no message, or a larger one than was asked for."""


@dataclass(frozen=True)
class Message:
    """What one side says to the other."""

    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    """Plain values, as JSON has them."""
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)


class Pipe:
    """Two file descriptors, one to read and one to write.

    Args:
        source: To read; non-blocking where deadlines are to be kept.
        sink: To write; likewise.
        tick: Called now and then while the other side is waited for; what it raises ends the waiting.
        every: Seconds between two calls of it.
    """

    def __init__(self, source: int, sink: int, tick: Callable[[], None] | None = None, every: float = 0.25) -> None:
        self._source, self._sink, self._tick, self._every = source, sink, tick, every
        self._lock = threading.Lock()

    def send(
        self,
        kind: str,
        values: Mapping[str, Any] | None = None,
        arrays: Mapping[str, np.ndarray] | None = None,
        deadline: float | None = None,
    ) -> None:
        """Write a message.

        Args:
            kind: What it is.
            values: Plain values.
            arrays: Of numbers or booleans.
            deadline: Moment of `time.monotonic` until which it must be written; None for no limit.

        Raises:
            PipeClosedError, SilenceError: nobody reads. TypeError: an array of something else.
        """
        plain = {name: _little_endian(name, array) for name, array in (arrays or {}).items()}
        shapes = [[name, array.dtype.str, list(array.shape)] for name, array in plain.items()]
        header = json.dumps({"kind": kind, "values": values or {}, "arrays": shapes}, allow_nan=False).encode()
        with self._lock:
            self._write(MAGIC + struct.pack("<I", len(header)) + header, deadline)
            for array in plain.values():
                self._write(array.reshape(-1).view(np.uint8).data if array.size else b"", deadline)

    def receive(self, limit: int, deadline: float | None = None) -> Message:
        """Read a message.

        Args:
            limit: Most bytes that its arrays may have together.
            deadline: Moment of `time.monotonic` until which it must be there; None for no limit.

        Raises:
            PipeClosedError, SilenceError: it did not come. GarbageError: it is none, or a larger one.
        """
        head = self._read(bytearray(8), deadline)
        (length,) = struct.unpack("<I", head[4:])
        if head[:4] != MAGIC or length > LONGEST_HEADER:
            raise GarbageError("what came is no message")
        kind, values, shapes = _parse(bytes(self._read(bytearray(length), deadline)), limit)
        arrays = {}
        for name, dtype, shape in shapes:
            try:
                array = np.empty(shape, np.dtype(dtype))
            except (ValueError, MemoryError):  # no elements, but sides that multiply to too many
                raise GarbageError(f"no array has the shape {shape}") from None
            if array.size:
                self._read(array.reshape(-1).view(np.uint8).data, deadline)
            arrays[name] = array
        return Message(kind, values, arrays)

    def _write(self, content: bytes | memoryview, deadline: float | None) -> None:
        rest = memoryview(content)
        while len(rest):
            self._wait(self._sink, select.POLLOUT, deadline)
            try:
                rest = rest[os.write(self._sink, rest[:PIECE]) :]
            except BlockingIOError:
                continue
            except OSError:
                raise PipeClosedError("nobody reads") from None

    def _read(self, into: Any, deadline: float | None) -> Any:
        rest = memoryview(into)
        while len(rest):
            self._wait(self._source, select.POLLIN, deadline)
            try:
                count = os.readv(self._source, [rest[:PIECE]])
            except BlockingIOError:
                continue
            except OSError:
                raise PipeClosedError("it cannot be read") from None
            if not count:
                raise PipeClosedError("the end")
            rest = rest[count:]
        return into

    def _wait(self, descriptor: int, event: int, deadline: float | None) -> None:
        """Return when something can be read or written."""
        if self._tick is None and deadline is None:
            return
        poll = select.poll()
        poll.register(descriptor, event)
        while True:
            left = self._every if deadline is None else min(self._every, deadline - time.monotonic())
            if poll.poll(max(left, 0) * 1000):
                return
            if self._tick is not None:
                self._tick()
            if deadline is not None and time.monotonic() >= deadline:
                raise SilenceError("not in time")


def _little_endian(name: str, array: np.ndarray) -> np.ndarray:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} is a {type(array).__name__}, expected a numpy array of numbers")
    plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
    if plain.dtype.str not in DTYPES:
        raise TypeError(f"{name} is an array of {array.dtype}, expected numbers or booleans")
    return plain


def _parse(header: bytes, limit: int) -> tuple[str, Mapping[str, Any], list[tuple[str, str, tuple[int, ...]]]]:
    """Kind, values, and (name, dtype, shape) of each array; nothing in it is trusted."""
    try:
        content = json.loads(header.decode("utf-8"), parse_constant=_refuse)
        kind, values, shapes = content["kind"], content["values"], content["arrays"]
        arrays = [(name, dtype, tuple(shape)) for name, dtype, shape in shapes]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise GarbageError("its header cannot be read") from None
    if not isinstance(kind, str) or not isinstance(values, dict):
        raise GarbageError("its header is none")
    size = 0
    for name, dtype, shape in arrays:
        sizes = all(type(length) is int and 0 <= length < 2**48 for length in shape)
        known = isinstance(name, str) and isinstance(dtype, str) and dtype in DTYPES
        if not known or not sizes or len(shape) > MOST_DIMENSIONS:
            raise GarbageError("an array in it is of no known kind")
        count = 1
        for length in shape:
            count *= length
        size += count * np.dtype(dtype).itemsize
    if len({name for name, _, _ in arrays}) < len(arrays):
        raise GarbageError("an array in it comes twice")
    if size > limit:
        raise GarbageError(f"it holds {size / 2**20:,.1f} MiB, {limit / 2**20:,.1f} MiB at most were asked for")
    return kind, values, arrays


def _refuse(text: str) -> float:
    raise ValueError(f"{text} is not a number")
