"""Asking a method for motion: one failing clip stops no other, finished motion is kept, nothing is trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from facial_bench.core.errors import FacialBenchError
from facial_bench.core.files import read_arrays, write_arrays
from facial_bench.core.names import safe_name
from facial_bench.core.progress import Reporter
from facial_bench.core.types import Camera, Motion, Request
from facial_bench.corpora.schema import LONGEST_NAME
from facial_bench.evaluation.method import keep_trace
from facial_bench.evaluation.requests import Task, in_asking_order
from facial_bench.isolation.door import Asked
from facial_bench_worker.motions import Outcome, check_motion

BATCH = 64
"""Requests handed to a method at once."""


def generate(
    method: Asked, tasks: Sequence[Task], folder: Path, *, batch: int = BATCH, report: Reporter
) -> dict[str, Outcome]:
    """request id -> outcome in the order of the tasks, generating what the folder does not hold yet.

    Args:
        method: fitted.
        tasks: what to ask for; the method is asked in an order that tells nothing.
        folder: of the motions, one file per request, written as soon as its batch is done; tracebacks go to error.log
            beside it.
        batch: most requests handed over at once.
        report: told of every batch.
    """
    outcomes: dict[str, Outcome] = {}
    for task in tasks:
        kept = load_motion(folder, task.request)
        if kept is not None:
            outcomes[task.request.id] = Outcome(kept)
    views = {task.request.id: task.clip.camera for task in tasks}
    missing = in_asking_order(task.request for task in tasks if task.request.id not in outcomes)
    if outcomes:
        report(f"generation: {len(outcomes)} of {len(tasks)} motions were there already")
    for first in range(0, len(missing), batch):
        requests = missing[first : first + batch]
        for request, outcome in zip(requests, method.generate(requests), strict=True):
            outcome = _in_view(outcome, request.camera, views[request.id])
            if outcome.motion is not None:
                save_motion(folder, request.id, outcome.motion)
            elif outcome.trace:
                report.detail(f"{request.id}:\n{outcome.trace}")
                keep_trace(folder.parent, f"{request.id}:\n{outcome.trace}")
            outcomes[request.id] = outcome
        report.progress(min(first + batch, len(missing)), len(missing), "generation")
    return {task.request.id: outcomes[task.request.id] for task in tasks}


def _in_view(outcome: Outcome, camera: Camera | None, view: Camera) -> Outcome:
    """The outcome with landmarks that were given for one view in the pixels of another: of the clip that they are
    compared with."""
    motion = outcome.motion
    if motion is None or motion.landmarks is None or camera is None or camera == view:
        return outcome
    across, down = view.width / camera.width, view.height / camera.height
    scale = np.array([across, down, across], dtype=np.float32)
    return replace(outcome, motion=replace(motion, landmarks=motion.landmarks * scale))


def motion_path(folder: Path, request_id: str) -> Path:
    """Where the motion of a request is kept."""
    driving, name = request_id.split("/", 1)
    file = safe_name(name, "request", longest=LONGEST_NAME + 20)  # a clip's, @ and its first frame
    return folder / safe_name(driving, "driving") / f"{file}.safetensors"


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
