"""From motions to rows: one row per driven clip, holding what each metric found there.

A row is all that the statistics need, so intervals and boards are computed from result files alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from facial_bench.driving import CROSS, SELF, Task
from facial_bench.generation import Outcome
from facial_bench.measuring import Ruler, lacking, measure_clip
from facial_bench.personalization import Judges, forms
from facial_bench.split import Split, window_starts
from facial_bench.types import Clip

PARTS = ("expression", "pose", "blink", "landmarks")
"""Of a motion."""


@dataclass(frozen=True, eq=False)
class Fold:
    """One split of a corpus, made ready: who is trained on what, judged by whom, measured with what."""

    name: str
    """Empty where there is one split only, else `fold-1` ...: its folder within a run."""
    split: Split
    training: Sequence[Clip]
    test: Sequence[Clip]
    judges: Judges
    ruler: Ruler


def accuracies() -> dict[str, tuple[str, str]]:
    """The protocol's personalization metrics: id -> (form of the classifier, driving)."""
    return {
        "pose_accuracy": ("pose", SELF),
        "pose_accuracy/raw": ("pose/raw", SELF),
        "pose_accuracy/rotation": ("pose/rotation", SELF),
        "pose_accuracy/cross": ("pose", CROSS),
        "pose_accuracy/cross-raw": ("pose/raw", CROSS),
        "blink_accuracy": ("blink", SELF),
        "blink_accuracy/raw": ("blink/raw", SELF),
        "blink_accuracy/cross": ("blink", CROSS),
        "blink_accuracy/cross-raw": ("blink/raw", CROSS),
    }


def accuracy_entry(right: np.ndarray, starts: np.ndarray, block: int) -> dict[str, Any] | None:
    """A row's entry from (W,) shares of judges that were right; None for a clip without windows."""
    if not len(starts):
        return None
    index = starts // block
    blocks = [[float(right[index == k].sum()), int((index == k).sum())] for k in np.unique(index)]
    return {"value": float(right.mean()), "weight": len(starts), "blocks": blocks}


def measured_row(task: Task, outcome: Outcome, ruler: Ruler) -> dict[str, Any]:
    """The row of one task without its accuracies; a failed clip, and a cross-driven one, has no measurements."""
    request, clip = task.request, task.clip
    metrics: dict[str, Any] = {}
    if task.driving == SELF and outcome.motion is not None:
        metrics = measure_clip(ruler, clip, outcome.motion)
    elif task.driving == SELF:
        metrics = {measure.spec.id: {"value": None, "reason": outcome.reason} for measure in ruler.measures}
    row = {
        "request": request.id,
        "clip": clip.id,
        "start": clip.start,
        "frames": clip.frames,
        "driving": task.driving,
        "identity": request.identity,
        "status": "ok" if outcome.motion is not None else "failed",
    }
    return {**row, **({"reason": outcome.reason} if outcome.reason else {}), "metrics": metrics}


def score_row(task: Task, outcome: Outcome, fold: Fold, held: Collection[str] = PARTS) -> dict[str, Any]:
    """The row of one task, measurements and accuracies. A failed clip is wrong in every window.

    Args:
        task, outcome: What was asked for, and what came of it.
        fold: What it is measured with.
        held: The parts that the method's outputs hold at all. What none of them holds makes the metrics that need it
            absent; what this one lacks and others hold counts as failed.
    """
    protocol, judges = fold.judges.protocol, fold.judges
    row = measured_row(task, outcome, fold.ruler)
    for measure in fold.ruler.measures if task.driving == SELF else ():
        absent = lacking(measure.spec.needs, held)
        if absent:
            row["metrics"][measure.spec.id] = {**absent, "absent": True}
    starts = window_starts(task.clip.valid, protocol.window, protocol.scoring_stride)
    for metric, (form, driving) in accuracies().items():
        if driving == task.driving:
            absent = lacking((forms()[form].kind,), held)
            if absent:
                row["metrics"][metric] = {**absent, "absent": True}
                continue
            right = np.zeros(len(starts))
            if outcome.motion is not None and forms()[form].kind in outcome.motion.parts:
                votes = judges.predict(forms()[form], outcome.motion, starts)
                right = (votes == judges.identities.index(row["identity"])).mean(axis=0)
            entry = accuracy_entry(right, starts, protocol.window)
            if entry is not None:
                row["metrics"][metric] = entry
    return row
