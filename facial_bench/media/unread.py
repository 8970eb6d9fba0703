"""What a file holds behind its first film: a second one, as `cat a.mp4 b.mp4` leaves it, or data of no known kind.

Found by the headers of a file's top-level parts, of which little is read. Formats that are not looked at go on where
two files were joined, see `restarts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

LARGE = 0.1
"""Share of a file from which on data of no known kind are told."""
FLV_TAGS = (8, 9, 15, 18)
"""Sound, pictures, and two kinds of data."""
ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")


@dataclass(frozen=True)
class Rest:
    """The end of a file, behind its first film."""

    begin: int
    """Its first byte, from 0."""
    share: float
    """Of the file."""
    is_film: bool
    """Whether it begins as a film of the format does."""


def find_rest(path: Path, form: str) -> Rest | None:
    """What lies behind the first film of a file; None where nothing is known to.

    Args:
        path: The file.
        form: Its format, by the first of ffmpeg's names.
    """
    if form not in FORMATS:
        return None
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            for begin, is_film in FORMATS[form](stream, size):
                if begin and (is_film or size - begin > LARGE * size):
                    return Rest(begin, (size - begin) / size, is_film)
    except OSError:  # who reads the film says so
        pass
    return None


Begins = Iterator[tuple[int, bool]]
"""(byte, whether a film begins there or else data of no known kind), in order; the first film may be left out."""


def _of_mp4(stream: BinaryIO, size: int) -> Begins:
    """MP4 and QuickTime, boxes. A film has one `ftyp`, which old ones lack, and one `moov`."""
    at, seen, behind_movie = 0, set[bytes](), 0
    while at + 8 <= size:
        head = _read(stream, at, 16)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        length = {0: size - at, 1: int.from_bytes(head[8:], "big")}.get(length, length)
        if not any(head[:8]):  # a file may be filled up with zeros
            return
        if length < 8 or (kind != b"mdat" and at + length > size) or not all(32 <= x < 127 or x == 169 for x in kind):
            yield at, False
            return
        if kind == b"ftyp" and seen & {b"moov", b"mdat"}:
            yield at, True
        if kind == b"moov":
            if kind in seen:
                yield behind_movie or at, True
            behind_movie = at + length if b"mdat" in seen else 0
        seen.add(kind)
        at += length


def _of_flv(stream: BinaryIO, size: int) -> Begins:
    """Flash: a header, then tags, each with its length before it and after it."""
    at = 0
    while at + 11 <= size:
        head = _read(stream, at, 9)
        if head[:3] == b"FLV":
            yield at, True
            at += int.from_bytes(head[5:9], "big") + 4
        elif head[0] & 31 in FLV_TAGS:
            at += 11 + int.from_bytes(head[1:4], "big") + 4
        else:
            yield at, False
            return


def _of_avi(stream: BinaryIO, size: int) -> Begins:
    """AVI: a chunk `RIFF` of the kind `AVI `, then in long films more of the kind `AVIX`."""
    at = 0
    while at + 12 <= size:
        head = _read(stream, at, 12)
        if head[:4] != b"RIFF":
            return
        if head[8:] == b"AVI ":
            yield at, True
        length = int.from_bytes(head[4:8], "little")
        at += 8 + length + length % 2


def _of_asf(stream: BinaryIO, size: int) -> Begins:
    """ASF (.wmv): objects, the header first."""
    at, length = 0, 24
    while length >= 24 and at + 24 <= size:
        head = _read(stream, at, 24)
        if head[:16] == ASF_HEADER:
            yield at, True
        length = int.from_bytes(head[16:], "little")
        at += length


def _read(stream: BinaryIO, at: int, count: int) -> bytes:
    stream.seek(at)
    return stream.read(count)


FORMATS: Mapping[str, Callable[[BinaryIO, int], Begins]] = {
    "mov": _of_mp4,
    "flv": _of_flv,
    "avi": _of_avi,
    "asf": _of_asf,
}
"""ffmpeg's first name of a format -> what finds where its films begin."""
