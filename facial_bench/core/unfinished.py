"""What is being written: hidden names that end in `.part`, locked by whoever writes them until it is done or gone."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

ENDING = ".part"


@contextlib.contextmanager
def locked(path: str | Path) -> Iterator[None]:
    """Hold a file or folder that is being written; where the file system knows no locks, nothing is held."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def sweep(folder: Path, name: str = "") -> None:
    """Remove what processes that are gone left half-written in a folder: all of it, or what was to be called `name`."""
    pattern = f".{glob.escape(name)}.*{ENDING}" if name else f".*{ENDING}"
    for path in folder.glob(pattern):
        with contextlib.suppress(OSError):  # somebody else's, or gone
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink()
            finally:
                os.close(handle)
