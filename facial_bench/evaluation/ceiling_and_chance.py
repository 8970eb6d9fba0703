"""What stands beside every score: the ceiling (real motion) and chance.

Source: docs/protocol.md, "references". Those of the accuracies: `accuracy_references`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np
from msgspec import UNSET

from facial_bench.core.progress import QUIET, Reporter
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import MetricSpec, Pool
from facial_bench.evaluation.accuracy_references import accuracy_references, touches_chance
from facial_bench.evaluation.clip_metrics import make_sample, measure_clip
from facial_bench.evaluation.clip_scores import Fold, measured_row
from facial_bench.evaluation.failed_clips import chance_motion
from facial_bench.evaluation.realism_references import realism_references
from facial_bench.evaluation.requests import Task, make_tasks, mean_states
from facial_bench.evaluation.result_schema import Ceiling, Reference
from facial_bench.metrics.identity import SELF
from facial_bench.statistics.aggregate import Summary, estimator, summarise
from facial_bench.statistics.rows import Row
from facial_bench_worker.motions import Outcome

Items = dict[str, list[np.ndarray]]
"""identity -> the items that a pooled metric finds in each clip."""


def make_references(
    folds: Sequence[Fold], specs: Sequence[MetricSpec], report: Reporter = QUIET
) -> dict[str, Reference]:
    """metric id -> its ceiling and chance.

    The ceiling of a measurement is the real motion after a passage through the face model (what the representation
    costs); of a pooled distance, the person's real TRAINING motion against the held-out one (what another recording of
    the same person gives), within each fold. Chance is the identity's mean training state held still (the best constant
    guess), or a fixed level, and a metric whose ceiling touches that is refused. Accuracies: see `accuracy_references`,
    realism: `realism_references`. Pooled metrics add `parts`, identity -> what the real test clips
    reduce to.
    """
    protocol = folds[0].classifiers.protocol
    own = [(fold, task) for fold in folds for task in _own_tasks(fold)]
    real, still = [], []
    for number, (fold, task) in enumerate(own, start=1):
        real.append(measured_row(task, Outcome(task.clip.motion), fold.metric_set))
        still.append(measured_row(task, Outcome(chance_motion(task)), fold.metric_set))
        report.progress(number, len(own), "references, clips")
    elsewhere = [_training_rows(fold, {spec.id for spec in specs if _is_pooled_distance(spec)}) for fold in folds]
    references: dict[str, Reference] = {}
    for spec in specs:
        items = [_real_items(fold, spec) for fold in folds] if spec.pool else []
        parts = _parts(items, spec.pool) if spec.pool else {}
        estimate = estimator(spec.pool, parts)
        if _is_pooled_distance(spec):
            ceiling, ceiling_is = _pooled_ceiling(elsewhere, items, spec, protocol), "real training motion, decoded"
            ceiling_is += "; the mean of the folds, without an interval" if len(folds) > 1 else ""
        else:
            ceiling, ceiling_is = _ends(summarise([real], spec.id, protocol, estimate)), "real held-out motion, decoded"
        fixed = spec.chance
        references[spec.id] = Reference(
            ceiling=ceiling,
            ceiling_is=ceiling_is,
            chance=summarise([still], spec.id, protocol, estimate).value if fixed is None else fixed,
            chance_is="mean training state" if fixed is None else "a still face, or any that ignores the speech",
            parts=parts,
            refused=UNSET if fixed is None else touches_chance("the ceiling", ceiling, fixed, ceiling_is),
        )
    by_fold = [(fold, [task for other, task in own if other is fold]) for fold in folds]
    return references | realism_references(by_fold) | accuracy_references(folds)


def _own_tasks(fold: Fold) -> list[Task]:
    """The self-driven tasks of a fold; their seeds do not matter here."""
    people, fps = fold.classifiers.identities, fold.metric_set.info.fps
    return [t for t in make_tasks(fold.test, people, mean_states(fold.training), fps, 0) if t.driving == SELF]


def _ends(summary: Summary) -> Ceiling:
    return Ceiling(value=summary.value, low=summary.low, high=summary.high)


def _is_pooled_distance(spec: MetricSpec) -> bool:
    """Whether it compares a person's motion with the person's real motion, so that the latter cannot be its ceiling."""
    return spec.pool is not None and spec.higher_is_better is False


def _pooled_ceiling(
    elsewhere: Sequence[Sequence[Row]], items: Sequence[Items], spec: MetricSpec, protocol: Protocol
) -> Ceiling:
    """The real training motion of a fold against its held-out motion, then the mean over the folds that have a value.

    Over all folds together both sides would be the same clips. The folds' training clips overlap, so several folds give
    no interval.

    Args:
        elsewhere: of each fold, the rows of its training clips.
        items: of each fold, those of its real test clips.
        spec: of a pooled distance.
        protocol: for the interval.
    """
    found = []
    for rows, tested in zip(elsewhere, items, strict=True):
        parts = _parts([tested], spec.pool) if spec.pool else {}
        own = [row for row in rows if row.identity in parts]  # a fold may test nothing of a person
        found.append(summarise([own], spec.id, protocol, estimator(spec.pool, parts)))
    if len(found) == 1:
        return _ends(found[0])
    values = [one.value for one in found if one.value is not None]
    return Ceiling(value=float(np.mean(values)) if values else None, low=None, high=None)


def _training_rows(fold: Fold, metrics: Collection[str]) -> list[Row]:
    """Rows of the real training clips of a fold with some metrics."""
    metric_set = replace(fold.metric_set, measures=[m for m in fold.metric_set.measures if m.spec.id in metrics])
    return [
        Row(
            request=f"train/{clip.id}@{clip.start}",
            clip=clip.id,
            start=clip.start,
            frames=clip.frames,
            driving=SELF,
            identity=clip.identity,
            status="ok",
            metrics=measure_clip(metric_set, clip, clip.motion),
        )
        for clip in (fold.training if metrics else ())
    ]


def _real_items(fold: Fold, spec: MetricSpec) -> Items:
    """identity -> the items of the person's real test clips in a fold, clip by clip; a clip that the metric is not
    defined for has none."""
    items: Items = {}
    measure = next(measure for measure in fold.metric_set.measures if measure.spec.id == spec.id)
    for clip in fold.test:
        sample = make_sample(fold.metric_set.model, fold.metric_set.info, clip, clip.motion)
        own = items.setdefault(clip.identity, [])
        with suppress(Exception):  # a mouth that does not move, say: the clip's row tells why
            own.append(np.asarray(measure(sample, clip.identity).values, np.float64))
    return items


def _parts(folds: Sequence[Items], pool: Pool) -> dict[str, tuple[float, ...]]:
    """identity -> what all items of the person in some folds reduce to."""
    people = dict.fromkeys(person for items in folds for person in items)
    every = {person: [one for items in folds for one in items.get(person, [])] for person in people}
    return {
        person: tuple(float(n) for n in pool.reduce(np.concatenate(own) if own else np.empty(0)))
        for person, own in every.items()
    }
