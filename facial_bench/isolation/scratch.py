"""A folder for one process of a method: the training clips it maps, and room of its own.

It goes when the process ends. What a killed harness left is swept by the next one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from facial_bench.core.errors import FacialBenchError
from facial_bench.core.files import cannot_write
from facial_bench.core.types import Clip
from facial_bench_worker.clips import write_clips

PREFIX = "facial-bench-"
LOCK = "in-use"


class Scratch:
    """A folder in the system's temporary folder, held by a lock while this process lives.

    Raises:
        FacialBenchError: the folder cannot be made.
    """

    def __init__(self) -> None:
        try:
            sweep(Path(tempfile.gettempdir()))
            self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
            self._lock = _locked(self.folder)
            self.room.mkdir()
        except OSError as problem:
            raise _cannot_write(problem) from None

    @property
    def room(self) -> Path:
        """Where the method may write."""
        return self.folder / "room"

    def write(self, clips: Sequence[Clip]) -> Path:
        """Write copies of the training clips, and of nothing that they were cut from; returns their folder.

        Raises:
            FacialBenchError: no space.
        """
        folder = self.folder / "clips"
        try:
            folder.mkdir(exist_ok=True)
            write_clips(str(folder), clips)
        except OSError as problem:
            raise _cannot_write(problem) from None
        return folder

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()


def sweep(place: Path) -> None:
    """Remove what harnesses that are gone left in a folder."""
    for folder in place.glob(f"{PREFIX}*"):
        if (folder / LOCK).is_file() and not folder.is_symlink():
            try:
                with _locked(folder):
                    shutil.rmtree(folder, ignore_errors=True)
            except OSError:  # in use, or somebody else's
                continue


def _locked(folder: Path) -> IO[bytes]:
    stream = (folder / LOCK).open("ab")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stream.close()
        raise
    return stream


def _cannot_write(problem: OSError) -> FacialBenchError:
    where = tempfile.tempdir or "a temporary folder"  # None where there is none that can be written in
    what = f"training clips for a method in {where}"
    return FacialBenchError(cannot_write(what, problem, f"with TMPDIR={os.sep}PATH"))
