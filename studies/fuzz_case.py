"""One kind of input of the campaign: what its files look like, who reads them, and what is true of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from facial_bench.core.errors import FacialBenchError, printable
from studies.fuzz_mutations import Mutation

Outcome = Literal["refused", "same", "unjudged", "wrong", "traceback", "untidy"]
LONGEST = 1500
"""Characters of one line that a person still reads."""


class UnjudgedError(Exception):
    """No second reading says what such a file holds."""


@dataclass(frozen=True)
class Reader:
    """A kind of input."""

    name: str
    file: str
    """What it is called in its folder."""
    share: int
    """Inputs in 10,000."""
    seeds: Callable[[Path], Sequence[bytes]]
    """Sound files; puts into the folder what must lie beside one."""
    mutations: Sequence[Mutation]
    read: Callable[[Path], Any]
    """The project's reader."""
    truth: Callable[[bytes, Any], Any]
    """(content, what the sound file held) -> what a reader may give for it, of the content and by other code; raises
    `UnjudgedError` where no other reading is at hand. A reader may refuse anything."""


def judge(reader: Reader, path: Path, content: bytes, sound: Any) -> tuple[Outcome, str]:
    """What becomes of one input, and what is said of it."""
    path.write_bytes(content)
    try:
        held = reader.read(path)
    except FacialBenchError as problem:
        said = printable(problem)  # as the command line shows it
        return ("refused" if 0 < len(said) <= LONGEST else "untidy"), said
    except BaseException as problem:  # an input that takes a reader down in any way
        return "traceback", f"{type(problem).__name__}: {problem}"[:300]
    try:
        true = reader.truth(content, sound)
    except UnjudgedError:
        return "unjudged", ""
    except Exception as problem:
        return "wrong", f"read, though another reader says {type(problem).__name__}: {problem}"[:300]
    unlike = difference(held, true)
    return ("wrong", unlike) if unlike else ("same", "")


def difference(one: Any, other: Any, where: str = "") -> str:
    """Where two values differ; empty where they do not. Numbers may differ by rounding."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        one, other = np.asarray(one), np.asarray(other)
        if one.shape != other.shape:
            return f"{where}: shape {one.shape}, in truth {other.shape}"
        if one.dtype.kind in "fiub" and other.dtype.kind in "fiub":
            alike = np.isclose(one, other, rtol=1e-6, atol=1e-9, equal_nan=True)
        else:
            alike = one == other
        return "" if np.all(alike) else f"{where}: {np.sum(~np.asarray(alike))} numbers differ"
    for value in (one, other):
        if is_dataclass(value) and not isinstance(value, type):
            return difference(_plain(one), _plain(other), where)
    if isinstance(one, msgspec.Struct) and isinstance(other, msgspec.Struct):
        return difference(msgspec.to_builtins(one), msgspec.to_builtins(other), where)
    if isinstance(one, dict) and isinstance(other, dict):
        if set(one) != set(other):
            return f"{where}: {sorted(set(one) ^ set(other), key=str)[:5]} only once"
        told = (difference(one[key], other[key], f"{where}.{key}") for key in one)
        return next(filter(None, told), "")
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        if len(one) != len(other):
            return f"{where}: {len(one)} items, in truth {len(other)}"
        told = (
            difference(left, right, f"{where}[{k}]") for k, (left, right) in enumerate(zip(one, other, strict=True))
        )
        return next(filter(None, told), "")
    if isinstance(one, float) and isinstance(other, (float, int)) and np.isclose(one, other, equal_nan=True):
        return ""
    return "" if one == other else f"{where}: {str(one)[:60]}, in truth {str(other)[:60]}"


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: getattr(value, one.name) for one in fields(value)}
    return value
