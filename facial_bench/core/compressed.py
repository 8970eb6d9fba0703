"""Lines of JSON in one xz file: written whole and the same for the same lines, read without trust."""

from __future__ import annotations

import lzma
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from facial_bench.core.errors import FacialBenchError, one_line
from facial_bench.core.files import write_bytes

LARGEST = 512 * 2**20
"""Bytes that a file may have when unpacked: a small file can claim to be a large one."""
MEMORY = 512 * 2**20
"""Bytes that the unpacking itself may take."""
PRESET = 9
"""Of xz. Its container and checksum are fixed below, so that equal lines give an equal file."""


def write_lines(path: Path, lines: Iterable[bytes], error: type[FacialBenchError] = FacialBenchError) -> None:
    """Write lines, atomically; a line holds no line break itself."""
    text = b"".join(line + b"\n" for line in lines)
    write_bytes(path, lzma.compress(text, lzma.FORMAT_XZ, check=lzma.CHECK_SHA256, preset=PRESET), error)


def read_lines(path: Path, error: type[FacialBenchError], hint: str, largest: int = LARGEST) -> list[bytes]:
    """The lines of a file that `write_lines` wrote.

    Args:
        path: the file.
        error: raised where it is missing, damaged, cut short, or unpacks to more than is allowed.
        hint: what to do then; ends the message.
        largest: bytes that it may unpack to.
    """
    try:
        packed = path.read_bytes()
        unpack = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY)
        text = unpack.decompress(packed, max_length=largest + 1)
    except FileNotFoundError:
        raise error(f"{path} does not exist. {hint}") from None
    except (OSError, lzma.LZMAError) as problem:
        raise error(f"{path} is damaged: it cannot be unpacked ({one_line(problem)}). {hint}") from None
    if len(text) > largest:
        raise error(f"{path} unpacks to more than {largest // 2**20} MiB, which no file of this kind has. {hint}")
    if not unpack.eof or unpack.unused_data or not text.endswith(b"\n"):
        raise error(f"{path} is damaged: it is cut short, or something follows its end. {hint}")
    return text.splitlines()


Record = TypeVar("Record", bound=msgspec.Struct)


def decode_line(line: bytes, kind: type[Record], where: str, error: type[FacialBenchError], hint: str) -> Record:
    """A line as a record of that kind; `where` names the line in the message of `error`, which `hint` ends."""
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise error(f"{where}: {one_line(problem)}. {hint}") from None
