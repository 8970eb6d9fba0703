"""From motions to rows: one row per driven clip, holding what each metric found there.

A row is all that the statistics need, so intervals and boards are computed from result files alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from facial_bench.core.types import Clip, Motion
from facial_bench.core.windows import window_starts
from facial_bench.corpora.split import Split
from facial_bench.evaluation.clip_entries import failed_entry, lacking
from facial_bench.evaluation.clip_metrics import MetricSet, measure_clip
from facial_bench.evaluation.failed_clips import chance_entries, fail_all, fill_failed, why_failed
from facial_bench.evaluation.physical_bounds import beyond_bounds
from facial_bench.evaluation.requests import Task
from facial_bench.metrics.classifier import forms
from facial_bench.metrics.identity import HELD_OUT, SELF, TRAINING, AccuracyDefinition, accuracies
from facial_bench.metrics.identity_classifier import IdentityClassifiers
from facial_bench.statistics.rows import Entry, Row
from facial_bench_worker.motions import Outcome

PARTS = ("expression", "pose", "blink", "landmarks")
"""Of a motion."""
TRAINED_ON = (HELD_OUT, TRAINING)
"""The two parts of the real clips that classifiers are trained on."""


@dataclass(frozen=True, eq=False)
class Fold:
    """One split of a corpus, made ready: its clips, its classifiers, and what motion is measured with."""

    name: str
    """Empty where there is one split only, else `fold-1` ...: its folder within a run."""
    split: Split
    training: Sequence[Clip]
    test: Sequence[Clip]
    classifiers: IdentityClassifiers
    """Trained on the held-out clips, which no method has seen."""
    paper_classifiers: IdentityClassifiers
    """Trained on the training clips, as in the paper; those forms only that the paper's accuracies look at."""
    metric_set: MetricSet
    cache: Path | None = None
    """Where the answers of the realism networks are kept."""

    def judging(self, accuracy: AccuracyDefinition) -> IdentityClassifiers:
        """The classifiers that an accuracy asks."""
        return self.classifiers if accuracy.trained_on == HELD_OUT else self.paper_classifiers


def classifier_sets(folds: Sequence[Fold]) -> dict[str, IdentityClassifiers]:
    """`fold/part that they are trained on` -> identity classifiers, where there are any."""
    named = (
        (f"{fold.name}/{part}", one)
        for fold in folds
        for part, one in ((HELD_OUT, fold.classifiers), (TRAINING, fold.paper_classifiers))
    )
    return {name: one for name, one in named if not one.missing}


def measured_row(task: Task, outcome: Outcome, metric_set: MetricSet, held: Collection[str] = PARTS) -> Row:
    """The row of one task without its accuracies; a cross-driven one has no measurements.

    Motion that no face can make, or that hides a frame from the protocol's own metrics, fails like none at all. A
    failed clip has the numbers of chance in it (`failed_clips`).

    Args:
        task, outcome: What was asked for, and what came of it.
        metric_set: What it is measured with.
        held: The parts that the method's outputs hold at all; see `score_row`.
    """
    request, clip, motion = task.request, task.clip, outcome.motion
    reason = outcome.reason or "it gave no motion"
    if motion is not None:
        state, camera = request.initial_state, clip.camera
        reason = beyond_bounds(motion, request.identity, state, metric_set.model, metric_set.info, camera)
    metrics: dict[str, Entry] = {}
    if task.driving == SELF:
        if motion is not None and not reason:
            metrics, reason = _measured(task, motion, metric_set, held)
        metrics = fail_all(task, metric_set, reason) if reason else metrics
        needs = {measure.spec.id: measure.spec.needs for measure in metric_set.measures}
        metrics.update(_known({name: lacking(own, held, absent=True) for name, own in needs.items()}))
    return Row(
        request=request.id,
        clip=clip.id,
        start=clip.start,
        frames=clip.frames,
        driving=task.driving,
        identity=request.identity,
        status="failed" if reason else "ok",
        reason=reason,
        metrics=metrics,
    )


def _measured(task: Task, motion: Motion, metric_set: MetricSet, held: Collection[str]) -> tuple[dict[str, Entry], str]:
    """The entries of a self-driven clip, and why it failed as a whole: then there are none."""
    found = measure_clip(metric_set, task.clip, motion)
    entries = dict(found)
    for measure in metric_set.measures:
        lacks = lacking(measure.spec.needs, motion.parts)
        if lacks is not None and lacking(measure.spec.needs, held) is None:
            entries[measure.spec.id] = failed_entry(lacks.reason)
    chance = chance_entries(task, metric_set, entries)
    reason = why_failed(found, chance)
    return ({}, reason) if reason else (fill_failed(entries, chance, metric_set), "")


def score_row(task: Task, outcome: Outcome, fold: Fold, held: Collection[str] = PARTS) -> Row:
    """The row of one task, measurements and accuracies. A failed clip is wrong in every window.

    Args:
        task, outcome: What was asked for, and what came of it.
        fold: What it is measured with.
        held: The parts that the method's outputs hold at all. What none of them holds makes the metrics that need it
            absent; what this one lacks and others hold counts as failed.
    """
    row = measured_row(task, outcome, fold.metric_set, held)
    judged = outcome if row.status == "ok" else Outcome(None, row.reason)
    return replace(row, metrics={**row.metrics, **accuracy_entries(task, judged, fold, held)})


def accuracy_entries(
    task: Task, outcome: Outcome, fold: Fold, held: Collection[str] = PARTS, trained_on: Collection[str] = TRAINED_ON
) -> dict[str, Entry]:
    """metric -> its entry, of the accuracies that look at this driving; none for a clip without windows.

    Args:
        task, outcome, fold, held: as of `score_row`.
        trained_on: the parts whose classifiers are asked.
    """
    protocol = fold.classifiers.protocol
    starts = window_starts(task.clip.valid, protocol.window, protocol.scoring_stride)
    entries: dict[str, Entry | None] = {}
    for metric, accuracy in accuracies().items():
        classifiers = fold.judging(accuracy)
        if accuracy.driving != task.driving or accuracy.trained_on not in trained_on or classifiers.missing:
            continue
        form, motion, right = forms()[accuracy.form], outcome.motion, None
        absent = lacking(accuracy.needs, held, absent=True)
        if absent is None and motion is not None and form.kind in motion.parts:
            right = classifiers.right(form, motion, starts, task.request.identity)
        lacks = None if motion is None else lacking(accuracy.needs, motion.parts)
        entry = absent or accuracy_entry(right, starts, protocol.window)
        entries[metric] = replace(entry, reason=lacks.reason) if entry and lacks and not absent else entry
    return _known(entries)


def accuracy_entry(right: np.ndarray | None, starts: np.ndarray, block: int) -> Entry | None:
    """The entry of an accuracy; None for a clip without windows.

    Args:
        right: (W,) float64, the share of classifiers that gave each window to the right person; None where the method
            gave nothing to judge: the clip failed, and is wrong in every window.
        starts: (W,) int, first frame of each window.
        block: frames of a block.
    """
    if not len(starts):
        return None
    failed = right is None
    right = np.zeros(len(starts)) if right is None else right
    index = starts // block
    blocks = tuple((float(right[index == k].sum()), int((index == k).sum())) for k in np.unique(index))
    return Entry(value=float(right.mean()), weight=len(starts), blocks=blocks, failed=failed)


def _known(entries: Mapping[str, Entry | None]) -> dict[str, Entry]:
    return {metric: entry for metric, entry in entries.items() if entry is not None}
