"""One finished output: read, checked and brought to the time of its clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facial_bench.core.errors import GenerationError
from facial_bench.core.types import CorpusInfo, Request
from facial_bench.methods.foreign_outputs import read_foreign
from facial_bench.methods.output_arrays import FACIAL, OURS, Held, read_held
from facial_bench.methods.output_files import FOREIGN_ENDINGS
from facial_bench.methods.output_time import COMMON, MOST_LOST, brought_to, require_fit
from facial_bench.methods.output_units import is_turned, wrong_units

SHAPE = 0.01
"""Relative difference of two shapes of pictures that counts as none."""


@dataclass(frozen=True, eq=False)
class Output:
    """An output at the rate and of the length of its request."""

    parts: Mapping[str, np.ndarray]
    """`expression`, `pose` with its `rotation` and `translation`, `blink`, `landmarks` (T, 68, 2 or 3) in pixels of the
    clip's view: those that are there and usable, float64, finite."""
    lost: np.ndarray
    """(T,) bool: frames in which the file holds NaN, or the video no face; what stands there is interpolated."""
    notes: tuple[str, ...] = ()
    """What is told of it though it is scored."""
    unread: tuple[str, ...] = ()
    """Names of arrays that nothing reads."""


def read_output(path: Path, rate: float | None, request: Request, info: CorpusInfo) -> Output:
    """The output in a file of arrays.

    Args:
        path: an .npz, .safetensors, .npy, .csv (OpenFace) or .mat (Deep3DFaceRecon), or a folder of one .mat a frame.
        rate: frames a second of the outputs; None for what the file says, or else the request's.
        request: that it answers.
        info: the corpus's.

    Raises:
        GenerationError: what cannot be scored: damaged, of another length, mostly NaN, or surely in another unit.
    """
    foreign = path.is_dir() or path.suffix.lower() in FOREIGN_ENDINGS
    held = read_foreign(path, info) if foreign else read_held(path)
    own = rate or held.rate or request.fps
    require_fit(path.name, next(iter(held.arrays)), held.frames, own, request.frames, request.fps, COMMON)
    _require_numbers(path, held)
    parts, lost = brought_to(held.parts, own, request.frames, request.fps)
    if held.picture and "landmarks" in parts:
        parts["landmarks"] = parts["landmarks"] * view_scale(path, held.picture, request)
    notes = [*held.notes]
    for wrong in wrong_units(parts, request.initial_state, info, request.camera):
        turned = wrong.part == "translation" and is_turned(parts["translation"], request.initial_state)
        if wrong.sure and held.bare and "state" in held.arrays and not turned:
            raise GenerationError(f"{path.name}: {wrong.why}; {OURS}; {FACIAL}")
        if wrong.sure and wrong.part != "translation":
            raise GenerationError(f"{path.name}: {wrong.why}")
        notes.append(wrong.why + ("; the pose is not used" if wrong.sure else ""))
        if wrong.sure:
            parts = {name: part for name, part in parts.items() if name not in ("pose", "translation")}
    notes += say_lost(lost, "with NaN")
    if not set(parts) & {"expression", "pose", "blink", "landmarks"}:
        raise GenerationError(f"{path.name}: {'; '.join(notes) or 'rotation or translation alone is no pose'}")
    return Output(parts, lost, tuple(notes), held.unread)


def _require_numbers(path: Path, held: Held) -> None:
    """Raise GenerationError where more frames than MOST_LOST hold NaN or infinities."""
    for name, array in held.arrays.items():
        bad = int((~np.isfinite(array.reshape(len(array), -1)).all(axis=1)).sum())
        if bad > MOST_LOST * len(array):
            raise GenerationError(f"{path.name}: {name} holds NaN or infinities in {bad} of {len(array)} frames")


def say_lost(lost: np.ndarray, why: str) -> tuple[str, ...]:
    """A line on the frames (T,) that are lost, where there are any.

    >>> say_lost(np.array([False, True]), "with NaN")
    ("1 frame with NaN (first 1): the person's mean training state stands there",)
    """
    count = int(lost.sum())
    frames = f"{count} frame{'s' * (count != 1)} {why} (first {np.argmax(lost)})"
    return (f"{frames}: the person's mean training state stands there",) if count else ()


def view_scale(path: Path, size: tuple[int, int], request: Request) -> float:
    """Pixels of the clip's view per pixel of a picture of that size; raises GenerationError for another shape."""
    if request.camera is None:
        return 1.0
    across, down = request.camera.width / size[0], request.camera.height / size[1]
    if abs(across / down - 1) > SHAPE:
        wanted = f"{request.camera.width}x{request.camera.height}"
        raise GenerationError(f"{path.name} is {size[0]}x{size[1]}, of another shape than the real video ({wanted})")
    return across
