"""What a method's process prints: kept in a file, shown as it comes, and never more than fits."""

from __future__ import annotations

import shutil
from collections import deque
from pathlib import Path
from typing import IO

from facial_bench.core.errors import printable
from facial_bench.core.progress import Reporter

MOST_BYTES = 64 << 20
"""A process that prints more is ended."""
MOST_SHOWN = 200
"""So many lines are shown; the file has all."""
LONGEST = 500
"""Marks of a line that are shown."""


class Printed:
    """The lines that a process writes.

    Args:
        path: Of the file that it writes them to; it is made anew.
        report: Is told the lines.
    """

    def __init__(self, path: Path, report: Reporter) -> None:
        self._path, self._report = path, report
        self.sink: IO[bytes] = path.open("wb")
        """What the process writes to."""
        self._source = path.open("rb")
        self._half, self._shown = b"", 0
        self._last: deque[str] = deque(maxlen=3)
        self.kept: Path | None = None
        """Where all of it is kept, once there is such a place."""

    def read(self) -> None:
        """Show what has come since."""
        *lines, self._half = (self._half + self._source.read(1 << 20)).split(b"\n")
        self._half = self._half[-4 * LONGEST :]
        for line in lines:
            self._take(line)

    def too_much(self) -> bool:
        """Whether more was printed than is kept."""
        return self._path.stat().st_size > MOST_BYTES

    def last(self) -> str:
        """The last lines, as one; empty where nothing was printed."""
        self.read()
        lines = [*self._last, *([printable(self._half.decode("utf-8", "replace"))] if self._half else [])]
        return " | ".join(lines)[-LONGEST:]

    def close(self) -> None:
        """Show the rest, and keep all of it."""
        if self._source.closed:
            return
        self.read()
        self.sink.close()
        self._source.close()
        if self.kept is not None and self._path.stat().st_size:
            self.kept.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("rb") as source, self.kept.open("ab") as kept:
                shutil.copyfileobj(source, kept)

    def _take(self, raw: bytes) -> None:
        line = printable(raw[: 4 * LONGEST].decode("utf-8", "replace"))[:LONGEST]
        if not line:
            return
        self._last.append(line)
        self._shown += 1
        if self._shown <= MOST_SHOWN:
            self._report(line)
        elif self._shown == MOST_SHOWN + 1:
            self._report("the method prints more" + (f"; all of it will be in {self.kept}" if self.kept else ""))
