"""Pickles of arrays, read without trust: numbers and arrays can come out of them, and nothing else can happen.

A pickle is a program. This reader knows the few names that numpy's arrays ask for, each as a function of its own that
does no more than that; it refuses every other name and every instruction that arrays do not need. It is the only module
that imports pickle, and takes the reader written in Python: a file of ten bytes can make the other one fill memory.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from facial_bench.core.errors import CorpusError, one_line

LARGEST = 2 * 1024**3
"""Bytes of a file that is read at all."""
REFUSED = tuple(
    code[0]
    for code in (
        pickle.INST,
        pickle.OBJ,
        pickle.NEWOBJ,
        pickle.NEWOBJ_EX,
        pickle.EXT1,
        pickle.EXT2,
        pickle.EXT4,
        pickle.PERSID,
        pickle.BINPERSID,
        pickle.NEXT_BUFFER,
        pickle.READONLY_BUFFER,
    )
)
"""Instructions that build other things than arrays."""


def read_pickled_arrays(path: Path) -> Any:
    """What a pickle of arrays holds: an array, or dicts, lists and tuples of arrays, numbers and text.

    Raises:
        CorpusError: a file that cannot be read, is no pickle, or asks for anything but arrays; names what it asked for.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise CorpusError(f"{path} is larger than {LARGEST >> 30} GiB, which no pickle of features is. Split it.")
        content = path.read_bytes()
    except OSError as problem:
        raise CorpusError(f"{path} cannot be read ({problem.strerror}). Check the path and its permissions.") from None
    try:
        return _plain(_Reader(content).load(), {})
    except CorpusError as problem:
        raise CorpusError(f"{path} {problem} Nothing in it was run.") from None
    except Exception as problem:  # a damaged pickle raises anything
        reason = one_line(f"{type(problem).__name__}: {problem}")
        raise CorpusError(f"{path} cannot be read as a pickle of arrays ({reason}). Copy or write it again.") from None


class _Type:
    """A dtype that is being rebuilt: plain numbers and text only."""

    def __init__(self, code: Any, *rest: Any) -> None:
        self.made = np.dtype(code if isinstance(code, str) else "O")
        if self.made.kind not in "biufcSU":
            raise CorpusError(f"holds an array of {self.made}, which are no numbers: refused.")

    def __setstate__(self, state: Any) -> None:
        version, order, *parts = state
        if version != 3 or order not in ("<", ">", "|", "=") or parts[:3] != [None] * 3:
            raise CorpusError("holds an array of an unknown type: refused.")
        if parts[3] not in (-1, self.made.itemsize):
            raise CorpusError(f"holds an array of {self.made} with another size: refused.")
        if order in ("<", ">"):
            self.made = self.made.newbyteorder(order)


class _Array:
    """An array that is being rebuilt; `made` once its state has come."""

    made: np.ndarray | None = None

    def __setstate__(self, state: Any) -> None:
        version, shape, kind, fortran, content = state
        if version != 1:
            raise CorpusError(f"holds an array of the unknown version {version}: refused.")
        self.made = _filled(content, kind, shape, "F" if fortran else "C")


def _filled(content: Any, kind: Any, shape: Any, order: Literal["C", "F"]) -> np.ndarray:
    """An array of the bytes that are there: no shape makes more of them."""
    held = content.encode("latin1") if isinstance(content, str) else bytes(content)
    return np.frombuffer(held, kind.made).reshape(shape, order=order).copy(order="C")


def _names() -> dict[tuple[str, str], Callable[..., Any]]:
    """What a pickle of arrays asks for -> what it gets."""

    def empty(kind: Any, shape: Any, code: Any) -> _Array:
        if kind is not _Array or code not in (b"b", "b"):
            raise CorpusError("rebuilds something that is no array: refused.")
        return _Array()

    def scalar(kind: Any, content: Any) -> Any:
        return _filled(content, kind, (), "C")[()]

    def from_buffer(content: Any, kind: Any, shape: Any, order: Any) -> _Array:
        array = _Array()
        array.made = _filled(content, kind, shape, "F" if order == "F" else "C")
        return array

    def encode(text: str, how: str) -> bytes:
        if how != "latin1":
            raise CorpusError(f"encodes bytes as {how!r}, which numpy does not: refused.")
        return text.encode("latin1")

    def no_bytes() -> bytes:
        return b""

    cores = ("numpy.core", "numpy._core")
    return {
        **{(f"{core}.multiarray", "_reconstruct"): empty for core in cores},
        **{(f"{core}.multiarray", "scalar"): scalar for core in cores},
        **{(f"{core}.numeric", "_frombuffer"): from_buffer for core in cores},
        ("numpy", "ndarray"): _Array,
        ("numpy", "dtype"): _Type,
        ("_codecs", "encode"): encode,
        ("__builtin__", "bytes"): no_bytes,
    }


class _Whole(io.BytesIO):
    """Bytes of which no more can be read than there are: Python's reader takes what it gets."""

    def read(self, size: int | None = -1) -> bytes:
        """So many bytes."""
        data = super().read(size)
        if size is not None and len(data) < size:
            raise EOFError("it ends early")
        return data


_Unpickler: Any = pickle._Unpickler  # the stubs do not know what it is made of


class _Reader(_Unpickler):
    """An unpickler without most of its instructions."""

    def __init__(self, content: bytes) -> None:
        super().__init__(_Whole(content), encoding="latin1")
        self._size, self._names = len(content), _names()

    def find_class(self, module: str, name: str) -> Any:
        """One of the names that arrays need."""
        if (module, name) not in self._names:
            raise CorpusError(f"asks for {module}.{name}, which is no array: refused.")
        return self._names[module, name]

    def load_build(self) -> None:
        """State for an array or a dtype."""
        if not isinstance(self.stack[-2], (_Array, _Type)):
            raise CorpusError("changes something that is no array: refused.")
        super().load_build()

    def load_bytearray8(self) -> None:
        """Bytes, no more than the file has."""
        count = int.from_bytes(self.read(8), "little")
        if count > self._size:
            raise CorpusError("promises more bytes than it holds: refused.")
        self.append(bytearray(self.read(count)))

    def refuse(self) -> None:
        """An instruction that arrays do not need."""
        raise CorpusError("builds something that is no array: refused.")

    dispatch: ClassVar = {
        **_Unpickler.dispatch,
        pickle.BUILD[0]: load_build,
        pickle.BYTEARRAY8[0]: load_bytearray8,
        **dict.fromkeys(REFUSED, refuse),
    }


def _plain(held: Any, seen: dict[int, Any]) -> Any:
    """The same with arrays for what stood for them; each thing is looked at once, however often it is held."""
    if id(held) in seen:
        return seen[id(held)]
    if isinstance(held, _Array) and held.made is not None:
        return held.made
    if isinstance(held, dict):
        plain: dict[Any, Any] = {}
        seen[id(held)] = plain
        plain |= {_plain(key, seen): _plain(value, seen) for key, value in held.items()}
        return plain
    if isinstance(held, (list, tuple)):
        items = [_plain(value, seen) for value in held]
        seen[id(held)] = items
        return items
    if held is None or isinstance(held, (bool, int, float, complex, str, bytes, bytearray, np.generic)):
        return held
    raise CorpusError(f"holds a {type(held).__name__}, which is no array: refused.")
