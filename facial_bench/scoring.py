"""From motions to rows: one row per driven clip, holding for each metric a value, its weight and its blocks.

A row is all that the statistics need, so intervals and boards are computed from result files alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from facial_bench.driving import CROSS, SELF, Task
from facial_bench.generation import Outcome
from facial_bench.geometry import decode_face, project
from facial_bench.personalization import Judges, forms
from facial_bench.protocol import Protocol
from facial_bench.split import window_starts
from facial_bench.types import Clip, FaceModel, MetricSpec, Motion, Sample


def accuracies() -> dict[str, tuple[str, str]]:
    """The protocol's personalization metrics: id -> (form of the classifier, driving)."""
    return {
        "pose_accuracy": ("pose", SELF), "pose_accuracy/raw": ("pose/raw", SELF),
        "pose_accuracy/rotation": ("pose/rotation", SELF), "pose_accuracy/cross": ("pose", CROSS),
        "pose_accuracy/cross-raw": ("pose/raw", CROSS), "blink_accuracy": ("blink", SELF),
        "blink_accuracy/raw": ("blink/raw", SELF), "blink_accuracy/cross": ("blink", CROSS),
        "blink_accuracy/cross-raw": ("blink/raw", CROSS),
    }  # fmt: skip


def make_sample(model: FaceModel, clip: Clip, motion: Motion, fps: float) -> Sample:
    """A motion beside the real one of the clip, everything in float64.

    Raises:
        ValueError: the motion is not as long as the clip: it is never cut.
    """
    if motion.frames != clip.frames:
        raise ValueError(f"clip {clip.id} has {clip.frames} frames, the motion {motion.frames}")
    face = decode_face(model, clip.identity, motion.expression)
    return Sample(
        reference=_double(clip.motion), generated=_double(motion),
        reference_landmarks=clip.landmarks.astype(np.float64),
        generated_landmarks=project(face, motion.pose, clip.camera),
        reference_face=decode_face(model, clip.identity, clip.motion.expression), generated_face=face,
        valid=clip.valid, fps=fps, camera=clip.camera,
    )  # fmt: skip


def distance_entry(spec: MetricSpec, sample: Sample, block: int) -> dict[str, Any]:
    """A row's entry for one clip: value (mean over scored frames), weight 1, blocks [[sum, frames] ...], frames scored.

    A frame that the REFERENCE cannot be scored in is left out and counted; one in which the GENERATED face cannot be
    seen (behind the camera, say) fails the clip, so that a method cannot hide its worst frames.
    """
    edges, total = _edges(len(sample.valid), block), int(sample.valid.sum())
    hidden = int((sample.valid & ~np.isfinite(sample.generated_landmarks).all(axis=(1, 2))).sum())
    if hidden:
        return {"value": None, "reason": f"the generated face is not in view in {hidden} frames"}
    try:
        values = np.asarray(spec.compute(sample), dtype=np.float64)
        parts = [float(spec.compute(sample[a:b])) for a, b in edges] if values.ndim == 0 else []
    except Exception as problem:
        reason = f"metric {spec.id} raised {type(problem).__name__}: {problem}"
        return {"value": None, "reason": " ".join(reason.split())}
    if values.ndim == 0:
        if not np.isfinite([float(values), *parts]).all():
            return {"value": None, "reason": f"{spec.id} is not defined for this clip"}
        return {"value": float(values), "weight": 1, "blocks": [[part, 1] for part in parts]}
    if values.shape != sample.valid.shape:
        return {"value": None, "reason": f"metric {spec.id} gave shape {values.shape} for {len(sample.valid)} frames"}
    scored = sample.valid & np.isfinite(values)
    if not scored.any():
        return {"value": None, "reason": "no frame can be scored"}
    blocks = [[float(values[a:b][scored[a:b]].sum()), int(scored[a:b].sum())] for a, b in edges]
    return {
        "value": float(values[scored].mean()), "weight": 1,
        "blocks": [part for part in blocks if part[1]], "frames": [int(scored.sum()), total],
    }  # fmt: skip


def accuracy_entry(right: np.ndarray, starts: np.ndarray, block: int) -> dict[str, Any] | None:
    """A row's entry from (W,) shares of judges that were right; None for a clip without windows."""
    if not len(starts):
        return None
    index = starts // block
    blocks = [[float(right[index == k].sum()), int((index == k).sum())] for k in np.unique(index)]
    return {"value": float(right.mean()), "weight": len(starts), "blocks": blocks}


def distance_row(
    task: Task, outcome: Outcome, *, model: FaceModel, distances: Sequence[MetricSpec], protocol: Protocol
) -> dict[str, Any]:
    """The row of one task with its distances; a failed clip, and a cross-driven one, has none."""
    request, clip = task.request, task.clip
    metrics: dict[str, Any] = {}
    if task.driving == SELF:
        sample = None if outcome.motion is None else make_sample(model, clip, outcome.motion, protocol.fps)
        for spec in distances:
            failed = {"value": None, "reason": outcome.reason}
            metrics[spec.id] = failed if sample is None else distance_entry(spec, sample, protocol.window)
    row = {
        "request": request.id, "clip": clip.id, "start": clip.start, "frames": clip.frames, "driving": task.driving,
        "identity": request.identity, "status": "ok" if outcome.motion is not None else "failed",
    }  # fmt: skip
    return {**row, **({"reason": outcome.reason} if outcome.reason else {}), "metrics": metrics}


def score_row(
    task: Task, outcome: Outcome, *, model: FaceModel, judges: Judges, distances: Sequence[MetricSpec]
) -> dict[str, Any]:
    """The row of one task, distances and accuracies. A failed clip is wrong in every window."""
    protocol = judges.protocol
    row = distance_row(task, outcome, model=model, distances=distances, protocol=protocol)
    starts = window_starts(task.clip.valid, protocol.window, protocol.scoring_stride)
    for metric, (form, driving) in accuracies().items():
        if driving == task.driving:
            right = np.zeros(len(starts))
            if outcome.motion is not None:
                votes = judges.predict(forms()[form], outcome.motion, starts)
                right = (votes == judges.identities.index(row["identity"])).mean(axis=0)
            entry = accuracy_entry(right, starts, protocol.window)
            if entry is not None:
                row["metrics"][metric] = entry
    return row


def _edges(frames: int, block: int) -> list[tuple[int, int]]:
    """Blocks of `block` frames; a shorter rest belongs to the last one."""
    cuts = [k * block for k in range(max(frames // block, 1))] + [frames]
    return list(itertools.pairwise(cuts))


def _double(motion: Motion) -> Motion:
    return Motion(*(np.asarray(array, np.float64) for array in (motion.expression, motion.pose, motion.blink)))
