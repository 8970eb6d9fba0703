"""Asking a method for motion: one failing clip stops no other, finished motion is kept, nothing is trusted."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facial_bench.core.errors import FacialBenchError, GenerationError, one_line
from facial_bench.core.files import read_arrays, safe_name, write_arrays
from facial_bench.core.progress import Reporter
from facial_bench.core.types import EXPRESSION_WIDTH, LANDMARKS, POSE_WIDTH, Generator, Motion, Request
from facial_bench.evaluation.requests import Task


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a request: a motion, or the reason why there is none."""

    motion: Motion | None
    reason: str | None = None


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
    if not any(hasattr(motion, name) for name in ("expression", "pose", "blink", "landmarks")):
        came = "None" if motion is None else f"{type(motion).__name__}"
        raise GenerationError(f"expected a Motion, got {came}: Motion.from_state(state) makes one of an array (T, 71)")
    shapes = {
        "expression": (request.frames, EXPRESSION_WIDTH),
        "pose": (request.frames, POSE_WIDTH),
        "blink": (request.frames,),
    }
    if partial:
        shapes["landmarks"] = (request.frames, LANDMARKS, 3)
        shapes = {name: shape for name, shape in shapes.items() if getattr(motion, name, None) is not None}
        if not shapes:
            raise GenerationError("expected some of expression, pose, blink and landmarks, got none")
    arrays: dict[str, np.ndarray | None] = dict.fromkeys(("expression", "pose", "blink"))
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


def generate(
    generator: Generator, tasks: Sequence[Task], folder: Path, *, batch: int, report: Reporter, partial: bool = False
) -> dict[str, Outcome]:
    """request id -> outcome, generating what the folder does not hold yet.

    Args:
        generator: fitted.
        tasks: what to ask for.
        folder: of the motions, one file per request, written as soon as its batch is done.
        batch: most requests handed over at once.
        report: told of every batch.
        partial: whether motions may lack parts.
    """
    outcomes: dict[str, Outcome] = {}
    for task in tasks:
        kept = load_motion(folder, task.request)
        if kept is not None:
            outcomes[task.request.id] = Outcome(kept)
    missing = [task.request for task in tasks if task.request.id not in outcomes]
    if outcomes:
        report(f"generation: {len(outcomes)} of {len(tasks)} motions were there already")
    for first in range(0, len(missing), batch):
        requests = missing[first : first + batch]
        for request, outcome in zip(requests, _ask(generator, requests, folder, partial), strict=True):
            if outcome.motion is not None:
                save_motion(folder, request.id, outcome.motion)
            outcomes[request.id] = outcome
        report.progress(min(first + batch, len(missing)), len(missing), "generation")
    return {task.request.id: outcomes[task.request.id] for task in tasks}


def _ask(generator: Generator, requests: Sequence[Request], folder: Path, partial: bool) -> list[Outcome]:
    """Outcomes of a batch; where the batch as a whole goes wrong, each request is asked for alone."""
    try:
        motions = check_motions(generator.generate(list(requests)), requests)
    except (Exception, SystemExit) as problem:  # a method that exits must not end the run in silence
        if len(requests) > 1:
            return [_ask(generator, [request], folder, partial)[0] for request in requests]
        return [Outcome(None, describe(problem, folder.parent / "error.log"))]
    outcomes = []
    for motion, request in zip(motions, requests, strict=True):
        try:
            outcomes.append(Outcome(check_motion(motion, request, partial)))
        except Exception as problem:
            outcomes.append(Outcome(None, describe(problem, folder.parent / "error.log")))
    return outcomes


def describe(problem: BaseException, log_file: Path) -> str:
    """One line on an exception of a plugin's; the traceback goes to the file."""
    if isinstance(problem, FacialBenchError):
        return one_line(problem, longest=2000)
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("a", encoding="utf-8") as stream:
        stream.write("".join(traceback.format_exception(problem)) + "\n")
    last = traceback.extract_tb(problem.__traceback__)[-1]
    ours = Path(last.filename).is_relative_to(Path(__file__).parent)  # it takes other arguments than we call it with
    where = "" if ours else f" ({Path(last.filename).name}, line {last.lineno})"
    return f"raised {type(problem).__name__}: {one_line(problem)}{where}"


def motion_path(folder: Path, request_id: str) -> Path:
    """Where the motion of a request is kept."""
    driving, name = request_id.split("/", 1)
    return folder / safe_name(driving, "driving") / f"{safe_name(name, 'request')}.safetensors"


def save_motion(folder: Path, request_id: str, motion: Motion) -> None:
    """Write a motion, atomically."""
    arrays: Mapping[str, np.ndarray] = {name: part for name, part in vars(motion).items() if part is not None}
    write_arrays(motion_path(folder, request_id), arrays)


def load_motion(folder: Path, request: Request) -> Motion | None:
    """The stored motion of a request; None where there is none that fits."""
    path = motion_path(folder, request.id)
    if not path.is_file():
        return None
    try:
        arrays, _ = read_arrays(path, FacialBenchError, "")
        return check_motion(Motion.from_parts(arrays), request, partial=True)
    except FacialBenchError:
        return None
