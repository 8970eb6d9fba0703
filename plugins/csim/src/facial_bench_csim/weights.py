"""Where the embedding model is: the user's own, since no wheel carries one."""

from __future__ import annotations

import os
from pathlib import Path

from facial_bench.errors import FacialBenchError

NAME = "csim.tflite"
VARIABLE = "FACIAL_BENCH_CSIM_MODEL"
MARK = b"TFL3"
"""What stands at byte 4 of a TensorFlow Lite file."""
TAKES = "a face embedding in TensorFlow Lite: (B, 112, 112, 3) float32 to (B, D), RGB as (x - 127.5) / 128"


def default_place() -> Path:
    """`models/csim.tflite` in facial-bench's cache folder."""
    chosen = os.environ.get("FACIAL_BENCH_CACHE")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "facial-bench"
    return (Path(chosen) if chosen else cache) / "models" / NAME


def find_weights(chosen: Path | None) -> Path:
    """The model's file: the one chosen, else the one that $FACIAL_BENCH_CSIM_MODEL names, else the cache's.

    Raises:
        FacialBenchError: there is none, or it is no TensorFlow Lite file.
    """
    named = os.environ.get(VARIABLE)
    path, whence = (chosen, "--metric-model") if chosen else (Path(named), VARIABLE) if named else (default_place(), "")
    try:
        with open(path, "rb") as file:
            head = file.read(8)
    except OSError as problem:
        missing = (
            f"{whence} names {path}, which cannot be read ({problem.strerror})" if whence else f"there is no {path}"
        )
        raise FacialBenchError(
            f"The metric csim needs {TAKES}, and {missing}. Put one there, or name it with --metric-model csim=FILE or "
            f"{VARIABLE}."
        ) from None
    if head[4:] != MARK:
        raise FacialBenchError(f"{path} is no TensorFlow Lite file. The metric csim needs {TAKES}.")
    return path
