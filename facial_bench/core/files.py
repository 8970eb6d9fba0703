"""Files: written whole or not at all, read without trust."""

from __future__ import annotations

import errno
import functools
import hashlib
import json
import math
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from facial_bench.core.errors import FacialBenchError, one_line
from facial_bench.core.unfinished import ENDING, locked

ADVICE = {
    errno.ENOSPC: "Free some space, or choose another folder",
    errno.EDQUOT: "Your quota is used up: free some space, or choose another folder",
    errno.EROFS: "Choose a folder that can be written in",
    errno.EACCES: "Change its permissions, or choose another folder",
    errno.EPERM: "Change its permissions, or choose another folder",
    errno.ENAMETOOLONG: "Choose a shorter name",
}
"""What helps where the system refuses to write; of what is not here, another folder."""


def cannot_write(what: Path | str, problem: OSError, elsewhere: str = "") -> str:
    """One line: what cannot be written, why the system refuses it, and what helps against just that.

    Args:
        what: What was to be written, and where.
        problem: What the system said.
        elsewhere: How another folder is chosen ("with --out"), where that deserves a word.
    """
    advice = ADVICE.get(problem.errno or 0, "Choose another folder")
    said = f" {elsewhere}" if elsewhere and "folder" in advice else ""
    return f"Cannot write {what}: {one_line(problem.strerror or problem).rstrip('.')}. {advice}{said}."


def cannot_read(what: Path | str, problem: OSError) -> str:
    """One line: what cannot be read, and why; of permissions, that they can be changed."""
    advice = " Change its permissions." if problem.errno in (errno.EACCES, errno.EPERM) else ""
    return f"{what} cannot be read: {one_line(problem.strerror or problem).rstrip('.')}.{advice}"


def file_beside(path: Path, ending: str) -> Path:
    """The file beside another that differs in its ending alone, in small letters (`.wav`) or any others (`.WAV`); the
    place of the one in small letters where there is none."""
    wanted = path.with_suffix(ending)
    if wanted.exists() or not path.parent.is_dir():
        return wanted
    others = sorted(one for one in path.parent.iterdir() if one.stem == path.stem and one.suffix.lower() == ending)
    return others[0] if others else wanted


def require_writable(folder: Path, elsewhere: str = "") -> None:
    """Raise FacialBenchError where a folder cannot be made or written in, before the minutes that filling it takes.

    Args:
        folder: To write in; made by whoever writes.
        elsewhere: How another one is chosen ("with --out").
    """
    try:
        tempfile.TemporaryFile(dir=_existing(folder)).close()
    except OSError as problem:
        raise FacialBenchError(cannot_write(os.path.abspath(folder), problem, elsewhere)) from None


def _existing(folder: Path) -> Path:
    """A folder, or the nearest one above it that is there."""
    folder = Path(os.path.abspath(folder))
    return next(place for place in (folder, *folder.parents) if place.exists())


def holds_apart(folder: Path, first: str, second: str) -> bool:
    """Whether files of two names can lie side by side in a folder; raises FacialBenchError where it takes none."""
    try:
        with tempfile.TemporaryDirectory(dir=_existing(folder)) as place:
            Path(place, first).touch()
            return not Path(place, second).exists()
    except OSError as problem:
        raise FacialBenchError(cannot_write(folder, problem)) from None


def write_bytes(path: Path, content: bytes, error: type[FacialBenchError] = FacialBenchError) -> None:
    """Write a file atomically: a reader sees the old one or the new one, whatever happens."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=ENDING)
        with os.fdopen(handle, "wb") as stream, locked(temporary):
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
    except OSError as problem:
        raise error(cannot_write(path, problem)) from None
    finally:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)


def write_json(path: Path, value: Any, error: type[FacialBenchError] = FacialBenchError) -> None:
    """Write JSON atomically, keys in the order given; NaN and infinities raise ValueError."""
    write_bytes(path, (json.dumps(value, indent=1, allow_nan=False) + "\n").encode(), error)


def read_json(path: Path, error: type[FacialBenchError], hint: str) -> Any:
    """Read JSON; anything that is not JSON, or could not be written as JSON again, raises `error` with the hint."""
    try:
        text = path.read_text(encoding="utf-8")
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_sixty_four_bits)
        if "\\u" in text:  # half of a surrogate pair is a str that no file and no terminal takes
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except FileNotFoundError:
        raise error(f"{path} does not exist. {hint}") from None
    except (OSError, ValueError, RecursionError) as problem:
        raise error(f"{path} cannot be read as JSON ({problem}). {hint}") from None


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def _finite(text: str) -> float:
    if not math.isfinite(float(text)):  # 1e999 is well-formed JSON, and infinite
        raise ValueError(f"{text} is too large")
    return float(text)


def _sixty_four_bits(text: str) -> int:
    if abs(int(text)) >= 2**63:
        raise ValueError(f"{text[:20]}... is too large")
    return int(text)


def write_arrays(
    path: Path,
    arrays: Mapping[str, np.ndarray],
    metadata: Mapping[str, str] | None = None,
    error: type[FacialBenchError] = FacialBenchError,
) -> str:
    """Write named arrays as safetensors, atomically; returns the file's SHA-256."""
    try:
        # not ascontiguousarray, which would turn a scalar into an array of one
        content = save(
            {name: np.asarray(array, order="C") for name, array in arrays.items()}, dict(metadata or {}) or None
        )
    except (SafetensorError, ValueError, TypeError, AttributeError) as problem:
        raise error(f"Cannot store {path}: {problem}. Store named arrays of numbers only.") from None
    write_bytes(path, content, error)
    return hashlib.sha256(content).hexdigest()


def read_arrays(path: Path, error: type[FacialBenchError], hint: str) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The named arrays of a safetensors file (memory-mapped while it is read), and its metadata."""
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except FileNotFoundError:
        raise error(f"{path} does not exist. {hint}") from None
    except (OSError, SafetensorError, ValueError, TypeError, AttributeError) as problem:
        raise error(f"{path} cannot be read as safetensors ({problem}). {hint}") from None


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def current_digest(path: Path) -> str:
    """SHA-256 of a file that is read several times, as it is now: computed again when its size or time has changed."""
    found = path.stat()
    return _digest_of(path, found.st_size, found.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _digest_of(path: Path, size: int, changed: int) -> str:
    return file_digest(path)
