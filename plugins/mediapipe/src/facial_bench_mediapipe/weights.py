"""Where the weights are: the wheels of MediaPipe carry none."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from facial_bench.errors import FacialBenchError

NAME = "face_landmarker.task"
VARIABLE = "FACIAL_BENCH_MEDIAPIPE_MODEL"
OFFICIAL = (
    "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task"
)


def default_place() -> Path:
    """`models/face_landmarker.task` in facial-bench's cache folder."""
    chosen = os.environ.get("FACIAL_BENCH_CACHE")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "facial-bench"
    return (Path(chosen) if chosen else cache) / "models" / NAME


def find_weights(chosen: Path | None) -> Path:
    """The file of weights: the one chosen, else the one that $FACIAL_BENCH_MEDIAPIPE_MODEL names, else the cache's.

    Raises:
        FacialBenchError: there is none, or it is no task file.
    """
    named = os.environ.get(VARIABLE)
    path, whence = (chosen, "--model") if chosen else (Path(named), VARIABLE) if named else (default_place(), "")
    if not path.is_file():
        missing = f"{whence} names {path}, which is no file" if whence else f"there is no {path}"
        raise FacialBenchError(
            f"The tracker mediapipe needs its weights, and {missing}. Download {OFFICIAL} and put it there, "
            f"or name it with --model or {VARIABLE}."
        )
    if not zipfile.is_zipfile(path):
        raise FacialBenchError(f"{path} is no MediaPipe task file (damaged?). Download it again: {OFFICIAL}")
    return path
