"""From motions to rows: one row per driven clip, holding what each metric found there.

A row is all that the statistics need, so intervals and boards are computed from result files alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from facial_bench.core.types import Clip
from facial_bench.core.windows import window_starts
from facial_bench.corpora.split import Split
from facial_bench.evaluation.clip_metrics import MetricSet, lacking, measure_clip
from facial_bench.evaluation.generate import Outcome
from facial_bench.evaluation.requests import Task
from facial_bench.metrics.identity import SELF, accuracies, accuracy_entry
from facial_bench.metrics.identity_classifier import IdentityClassifiers, forms

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
    classifiers: IdentityClassifiers
    metric_set: MetricSet


def measured_row(task: Task, outcome: Outcome, metric_set: MetricSet) -> dict[str, Any]:
    """The row of one task without its accuracies; a failed clip, and a cross-driven one, has no measurements."""
    request, clip = task.request, task.clip
    metrics: dict[str, Any] = {}
    if task.driving == SELF and outcome.motion is not None:
        metrics = measure_clip(metric_set, clip, outcome.motion)
    elif task.driving == SELF:
        metrics = {measure.spec.id: {"value": None, "reason": outcome.reason} for measure in metric_set.measures}
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
    protocol, classifiers = fold.classifiers.protocol, fold.classifiers
    row = measured_row(task, outcome, fold.metric_set)
    for measure in fold.metric_set.measures if task.driving == SELF else ():
        absent = lacking(measure.spec.needs, held)
        if absent:
            row["metrics"][measure.spec.id] = {**absent, "absent": True}
    starts = window_starts(task.clip.valid, protocol.window, protocol.scoring_stride)
    for metric, accuracy in accuracies().items():
        if accuracy.driving == task.driving:
            form = forms()[accuracy.form]
            absent = lacking(accuracy.needs, held)
            if absent:
                row["metrics"][metric] = {**absent, "absent": True}
                continue
            right = np.zeros(len(starts))
            if outcome.motion is not None and form.kind in outcome.motion.parts:
                votes = classifiers.predict(form, outcome.motion, starts)
                right = (votes == classifiers.identities.index(row["identity"])).mean(axis=0)
            entry = accuracy_entry(right, starts, protocol.window)
            if entry is not None:
                row["metrics"][metric] = entry
    return row
