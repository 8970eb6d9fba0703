"""What a method may answer: one motion a request, of the right shapes, finite. Checked on both sides of the pipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from facial_bench_worker.errors import GenerationError
from facial_bench_worker.face import EXPRESSION_WIDTH, LANDMARKS, POSE_WIDTH, Motion
from facial_bench_worker.method import Request

PARTS = ("expression", "pose", "blink", "landmarks")


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a request: a motion, or the reason why there is none."""

    motion: Motion | None
    reason: str | None = None
    trace: str = ""
    """The method's traceback, where it raised."""


def check_motion(motion: object, request: Request, partial: bool = False) -> Motion:
    """The motion as float32, if it is what was asked for.

    Args:
        motion: Any object with the arrays.
        request: What was asked for.
        partial: Whether arrays may be None, and landmarks come by themselves.

    Raises:
        GenerationError: a missing array, a wrong shape, length or dtype, NaN or infinities; says what was expected
            and what came.
    """
    if not any(hasattr(motion, name) for name in PARTS):
        came = "None" if motion is None else f"{type(motion).__name__}"
        raise GenerationError(f"expected a Motion, got {came}: Motion.from_state(state) makes one of an array (T, 71)")
    shapes = part_shapes(request.frames, partial)
    if partial:
        shapes = {name: shape for name, shape in shapes.items() if getattr(motion, name, None) is not None}
        if not shapes:
            raise GenerationError("expected some of expression, pose, blink and landmarks, got none")
    arrays: dict[str, np.ndarray | None] = dict.fromkeys(PARTS[:3])
    for name, shape in shapes.items():
        array = getattr(motion, name, None)
        if not isinstance(array, np.ndarray):
            raise GenerationError(f"expected {name} as a numpy array of shape {shape}, got {type(array).__name__}")
        if array.shape != shape:
            raise GenerationError(f"expected {name} of shape {shape}, got {array.shape}")
        if array.dtype.kind != "f":
            raise GenerationError(f"expected {name} as floating-point numbers, got {array.dtype}")
        with np.errstate(over="ignore"):
            array = np.array(array, dtype=np.float32)  # before the check: 1e300 is finite, but not as float32
        bad = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))
        if len(bad):
            raise GenerationError(f"expected finite {name}, got NaN or infinities in {len(bad)} frames, first {bad[0]}")
        arrays[name] = array
    return Motion.from_parts(arrays)


def part_shapes(frames: int, partial: bool = False) -> dict[str, tuple[int, ...]]:
    """Part of a motion -> its shape; landmarks only of a partial method."""
    shapes: dict[str, tuple[int, ...]] = {
        "expression": (frames, EXPRESSION_WIDTH),
        "pose": (frames, POSE_WIDTH),
        "blink": (frames,),
    }
    if partial:
        shapes["landmarks"] = (frames, LANDMARKS, 3)
    return shapes


def check_motions(answer: object, requests: Sequence[Request]) -> list[object]:
    """What `generate` returned, as a list with one item a request; the items are for `check_motion`.

    Raises:
        GenerationError: no list, as of a forgotten `return`, or one of another length.
    """
    wanted = f"a list of {len(requests)} motions" if len(requests) != 1 else "a list of one motion"
    if not isinstance(answer, Iterable):
        returned = "None" if answer is None else f"a {type(answer).__name__}"
        raise GenerationError(f"generate returned {returned}, expected {wanted}")
    motions = list(answer)
    if len(motions) != len(requests):
        raise GenerationError(f"generate returned {len(motions)} motions, expected {wanted}")
    return motions
