"""Processes that are left over: counted by what they were started with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path


def running(mark: str) -> list[int]:
    """Ids of the processes, zombies left out, whose environment or command line holds a text."""
    return [pid for pid in _pids() if _state(pid) not in ("", "Z") and mark.encode() in _told(pid)]


def all_gone(mark: str, seconds: float = 10.0) -> bool:
    """Whether the processes with a mark are gone, or go within some seconds."""
    until = time.monotonic() + seconds
    while running(mark):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def _pids() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def _told(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
