"""From motions to rows: one row per driven clip, holding what each metric found there.

A row is all that the statistics need, so intervals and boards are computed from result files alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from facial_bench.core.types import Clip
from facial_bench.core.windows import window_starts
from facial_bench.corpora.split import Split
from facial_bench.evaluation.clip_metrics import MetricSet, lacking, measure_clip, no_value
from facial_bench.evaluation.requests import Task
from facial_bench.metrics.classifier import forms
from facial_bench.metrics.identity import SELF, accuracies
from facial_bench.metrics.identity_classifier import IdentityClassifiers
from facial_bench.statistics.rows import Entry, Row
from facial_bench_worker.motions import Outcome

PARTS = ("expression", "pose", "blink", "landmarks")
"""Of a motion."""


@dataclass(frozen=True, eq=False)
class Fold:
    """One split of a corpus, made ready: its clips, its classifiers, and what motion is measured with."""

    name: str
    """Empty where there is one split only, else `fold-1` ...: its folder within a run."""
    split: Split
    training: Sequence[Clip]
    test: Sequence[Clip]
    classifiers: IdentityClassifiers
    metric_set: MetricSet


def measured_row(task: Task, outcome: Outcome, metric_set: MetricSet) -> Row:
    """The row of one task without its accuracies; a failed clip, and a cross-driven one, has no measurements."""
    request, clip = task.request, task.clip
    metrics: dict[str, Entry] = {}
    if task.driving == SELF and outcome.motion is not None:
        metrics = measure_clip(metric_set, clip, outcome.motion)
    elif task.driving == SELF:
        metrics = {measure.spec.id: no_value(outcome.reason or "") for measure in metric_set.measures}
    return Row(
        request=request.id,
        clip=clip.id,
        start=clip.start,
        frames=clip.frames,
        driving=task.driving,
        identity=request.identity,
        status="ok" if outcome.motion is not None else "failed",
        reason=outcome.reason or "",
        metrics=metrics,
    )


def score_row(task: Task, outcome: Outcome, fold: Fold, held: Collection[str] = PARTS) -> Row:
    """The row of one task, measurements and accuracies. A failed clip is wrong in every window.

    Args:
        task, outcome: What was asked for, and what came of it.
        fold: What it is measured with.
        held: The parts that the method's outputs hold at all. What none of them holds makes the metrics that need it
            absent; what this one lacks and others hold counts as failed.
    """
    row = measured_row(task, outcome, fold.metric_set)
    needs = (
        {measure.spec.id: measure.spec.needs for measure in fold.metric_set.measures} if task.driving == SELF else {}
    )
    absent = {metric: lacking(own, held, absent=True) for metric, own in needs.items()}
    return replace(row, metrics={**row.metrics, **_known(absent), **_known(_accuracies(task, outcome, fold, held))})


def _accuracies(task: Task, outcome: Outcome, fold: Fold, held: Collection[str]) -> dict[str, Entry | None]:
    """metric -> its entry, of the accuracies that look at this driving; None for a clip without windows."""
    protocol, classifiers = fold.classifiers.protocol, fold.classifiers
    if classifiers.missing:
        return {}
    starts = window_starts(task.clip.valid, protocol.window, protocol.scoring_stride)
    entries: dict[str, Entry | None] = {}
    for metric, accuracy in accuracies().items():
        if accuracy.driving != task.driving:
            continue
        form, right = forms()[accuracy.form], np.zeros(len(starts))
        absent = lacking(accuracy.needs, held, absent=True)
        if absent is None and outcome.motion is not None and form.kind in outcome.motion.parts:
            votes = classifiers.predict(form, outcome.motion, starts)
            right = (votes == classifiers.identities.index(task.request.identity)).mean(axis=0)
        entries[metric] = absent or accuracy_entry(right, starts, protocol.window)
    return entries


def accuracy_entry(right: np.ndarray, starts: np.ndarray, block: int) -> Entry | None:
    """The entry of an accuracy; None for a clip without windows.

    Args:
        right: (W,) float64, the share of classifiers that gave each window to the right person.
        starts: (W,) int, first frame of each window.
        block: frames of a block.
    """
    if not len(starts):
        return None
    index = starts // block
    blocks = tuple((float(right[index == k].sum()), int((index == k).sum())) for k in np.unique(index))
    return Entry(value=float(right.mean()), weight=len(starts), blocks=blocks)


def _known(entries: Mapping[str, Entry | None]) -> dict[str, Entry]:
    return {metric: entry for metric, entry in entries.items() if entry is not None}
