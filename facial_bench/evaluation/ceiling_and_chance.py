"""What stands beside every score: the ceiling (real motion) and chance.

Source: docs/protocol.md, "references". Those of the accuracies: `accuracy_references`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from facial_bench.core.progress import QUIET, Reporter
from facial_bench.core.types import MetricSpec
from facial_bench.evaluation.accuracy_references import accuracy_references
from facial_bench.evaluation.clip_metrics import make_sample, measure_clip
from facial_bench.evaluation.clip_scores import Fold, measured_row
from facial_bench.evaluation.failed_clips import chance_motion
from facial_bench.evaluation.requests import Task, make_tasks, mean_states
from facial_bench.evaluation.result_schema import Ceiling, Reference
from facial_bench.metrics.identity import SELF
from facial_bench.statistics.aggregate import Summary, estimator, summarise
from facial_bench.statistics.rows import Row
from facial_bench_worker.motions import Outcome

Reduce = Callable[[np.ndarray], Sequence[float]]


def make_references(
    folds: Sequence[Fold], specs: Sequence[MetricSpec], report: Reporter = QUIET
) -> dict[str, Reference]:
    """metric id -> its ceiling and chance.

    The ceiling of a measurement is the real motion after a passage through the face model (what the representation
    costs); of a pooled distance, the person's real TRAINING motion against the held-out one (what another recording of
    the same person gives), within each fold. Chance is the identity's mean training state held still (the best constant
    guess). Accuracies: see `accuracy_references`. Pooled metrics add `parts`, identity -> what the real test clips
    reduce to.
    """
    protocol = folds[0].classifiers.protocol
    own = [(fold, task) for fold in folds for task in _own_tasks(fold)]
    real, still = [], []
    for number, (fold, task) in enumerate(own, start=1):
        real.append(measured_row(task, Outcome(task.clip.motion), fold.metric_set))
        still.append(measured_row(task, Outcome(chance_motion(task)), fold.metric_set))
        report.progress(number, len(own), "references, clips")
    elsewhere = _training_rows(folds, {spec.id for spec in specs if _is_pooled_distance(spec)})
    references: dict[str, Reference] = {}
    for spec in specs:
        parts = {} if spec.pool is None else _real_parts(folds, spec, spec.pool.reduce)
        estimate = estimator(spec.pool, parts)
        ceiling = summarise([elsewhere if _is_pooled_distance(spec) else real], spec.id, protocol, estimate)
        references[spec.id] = Reference(
            ceiling=_ends(ceiling),
            ceiling_is=f"real {'training' if _is_pooled_distance(spec) else 'held-out'} motion, decoded",
            chance=summarise([still], spec.id, protocol, estimate).value,
            chance_is="mean training state",
            parts=parts,
        )
    return references | accuracy_references(folds)


def _own_tasks(fold: Fold) -> list[Task]:
    """The self-driven tasks of a fold; their seeds do not matter here."""
    people, fps = fold.classifiers.identities, fold.metric_set.info.fps
    return [t for t in make_tasks(fold.test, people, mean_states(fold.training), fps, 0) if t.driving == SELF]


def _ends(summary: Summary) -> Ceiling:
    return Ceiling(value=summary.value, low=summary.low, high=summary.high)


def _is_pooled_distance(spec: MetricSpec) -> bool:
    """Whether it compares a person's motion with the person's real motion, so that the latter cannot be its ceiling."""
    return spec.pool is not None and spec.higher_is_better is False


def _training_rows(folds: Sequence[Fold], metrics: Collection[str]) -> list[Row]:
    """Rows of the real training clips with some metrics; a clip that several folds train on counts once."""
    rows: dict[str, Row] = {}
    for fold in folds if metrics else ():
        metric_set = replace(fold.metric_set, measures=[m for m in fold.metric_set.measures if m.spec.id in metrics])
        for clip in fold.training:
            name = f"train/{clip.id}@{clip.start}"
            if name not in rows:
                rows[name] = Row(
                    request=name,
                    clip=clip.id,
                    start=clip.start,
                    frames=clip.frames,
                    driving=SELF,
                    identity=clip.identity,
                    status="ok",
                    metrics=measure_clip(metric_set, clip, clip.motion),
                )
    return list(rows.values())


def _real_parts(folds: Sequence[Fold], spec: MetricSpec, reduce: Reduce) -> dict[str, tuple[float, ...]]:
    """identity -> what all items of the person's real test clips reduce to; a clip that the metric is not defined for
    has no items."""
    items: dict[str, list[np.ndarray]] = {}
    for fold in folds:
        measure = next(measure for measure in fold.metric_set.measures if measure.spec.id == spec.id)
        for clip in fold.test:
            sample = make_sample(fold.metric_set.model, fold.metric_set.info, clip, clip.motion)
            own = items.setdefault(clip.identity, [])
            with suppress(Exception):  # a mouth that does not move, say: the clip's row tells why
                own.append(np.asarray(measure(sample, clip.identity).values, np.float64))
    every = {person: np.concatenate(own) if own else np.empty(0) for person, own in items.items()}
    return {person: tuple(float(n) for n in reduce(own)) for person, own in every.items()}
