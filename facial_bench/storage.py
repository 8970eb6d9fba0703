"""Files: written whole or not at all, read without trust."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from facial_bench.errors import FacialBenchError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@=,+-]{0,119}")


def safe_name(name: str, what: str, error: type[FacialBenchError] = FacialBenchError) -> str:
    """The name, if it can be a file name on any system and cannot leave its folder; else raises `error`."""
    if not isinstance(name, str) or not NAME.fullmatch(name) or name.endswith("."):
        raise error(f"The {what} {name!r} cannot name a file: use letters, digits and . _ - only.")
    return name


def write_bytes(path: Path, content: bytes, error: type[FacialBenchError] = FacialBenchError) -> None:
    """Write a file atomically: a reader sees the old one or the new one, whatever happens."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as problem:
        raise error(f"Cannot write {path}: {problem.strerror or problem}. Free some space or choose another folder.") from None
    finally:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)


def write_json(path: Path, value: Any, error: type[FacialBenchError] = FacialBenchError) -> None:
    """Write JSON atomically, keys in the order given; NaN and infinities raise ValueError."""
    write_bytes(path, (json.dumps(value, indent=1, allow_nan=False) + "\n").encode(), error)


def read_json(path: Path, error: type[FacialBenchError], hint: str) -> Any:
    """Read JSON; anything that is not JSON raises `error` with the hint."""
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except FileNotFoundError:
        raise error(f"{path} does not exist. {hint}") from None
    except (OSError, ValueError, RecursionError) as problem:
        raise error(f"{path} cannot be read as JSON ({problem}). {hint}") from None


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def write_arrays(
    path: Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None,
    error: type[FacialBenchError] = FacialBenchError,
) -> str:  # fmt: skip
    """Write named arrays as safetensors, atomically; returns the file's SHA-256."""
    content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, dict(metadata or {}) or None)
    write_bytes(path, content, error)
    return hashlib.sha256(content).hexdigest()


def read_arrays(path: Path, error: type[FacialBenchError], hint: str) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The named arrays of a safetensors file (memory-mapped while it is read), and its metadata."""
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except FileNotFoundError:
        raise error(f"{path} does not exist. {hint}") from None
    except (OSError, SafetensorError, ValueError, TypeError) as problem:
        raise error(f"{path} cannot be read as safetensors ({problem}). {hint}") from None


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
