"""What stands beside every score: the ceiling (real motion), chance, and whether the classifiers can tell people apart.

Source: docs/protocol.md, "references" and "refuse to score".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from facial_bench.core.digests import derive_seed
from facial_bench.core.progress import QUIET, Reporter
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import MetricSpec, Motion
from facial_bench.core.windows import window_starts
from facial_bench.evaluation.clip_metrics import make_sample, measure_clip
from facial_bench.evaluation.clip_scores import Fold, measured_row, score_row
from facial_bench.evaluation.requests import Task, make_tasks, mean_states
from facial_bench.evaluation.result_schema import Ceiling, Reference
from facial_bench.metrics.classifier import forms
from facial_bench.metrics.identity import SELF, accuracies
from facial_bench.statistics.aggregate import Summary, estimator, summarise
from facial_bench.statistics.bootstrap import label_permutation_p
from facial_bench.statistics.rows import Row
from facial_bench_worker.motions import Outcome

Reduce = Callable[[np.ndarray], Sequence[float]]


def make_references(
    folds: Sequence[Fold], specs: Sequence[MetricSpec], report: Reporter = QUIET
) -> dict[str, Reference]:
    """metric id -> its ceiling and chance.

    The ceiling of an accuracy is that of its classifier on the real test clips; of a measurement, the real motion after
    a passage through the face model (what the representation costs); of a pooled distance, the person's real TRAINING
    motion against the held-out one (what another recording of the same person gives). Chance is 1/N for an accuracy,
    and for the others the identity's mean training state held still (the best constant guess).
    Accuracies add `p` (label permutation over clips) and `refused` (the reason, or None); pooled metrics `parts`,
    identity -> what the real test clips reduce to. Without classifiers every accuracy is refused.
    """
    protocol = folds[0].classifiers.protocol
    own = [(fold, task) for fold in folds for task in _own_tasks(fold)]
    real, still = [], []
    for number, (fold, task) in enumerate(own, start=1):
        real.append(score_row(task, Outcome(task.clip.motion), fold))
        still.append(measured_row(task, Outcome(_still(task)), fold.metric_set))
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
    missing = folds[0].classifiers.missing
    if missing:
        return references | dict.fromkeys(accuracies(), _without_classifiers(missing, folds[0]))
    p_values = _permutation_p(own, protocol)
    by_form = {form: _classifier_reference(form, p_values[form], real, folds[0]) for form in forms()}
    return references | {metric: by_form[accuracy.form] for metric, accuracy in accuracies().items()}


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


def _without_classifiers(missing: str, fold: Fold) -> Reference:
    nothing = Ceiling(value=None, low=None, high=None)
    chance = 1 / len(fold.classifiers.identities)
    return Reference(ceiling=nothing, ceiling_is="real held-out clips", chance=chance, chance_is="1/N", refused=missing)


def _classifier_reference(form: str, p: float, real: Sequence[Row], fold: Fold) -> Reference:
    metric = next(one.id for one in accuracies().values() if one.form == form and one.driving == SELF)
    ceiling = summarise([real], metric, fold.classifiers.protocol)
    chance = 1 / len(fold.classifiers.identities)
    refused = None
    if ceiling.value is None or ceiling.low is None or ceiling.low <= chance:
        ends = "no interval" if ceiling.low is None else f"[{ceiling.low:.2f}, {ceiling.high:.2f}]"
        shown = f"{ceiling.value:.2f} {ends} on real held-out clips"
        refused = f"the classifier's ceiling {shown} touches chance {chance:.2f}"
    elif p >= fold.classifiers.protocol.significance:
        refused = f"the classifier's ceiling {ceiling.value:.2f} is no better than shuffled labels (p = {p:.3f})"
    return Reference(
        ceiling=_ends(ceiling), ceiling_is="real held-out clips", chance=chance, chance_is="1/N", p=p, refused=refused
    )


def _permutation_p(own: Sequence[tuple[Fold, Task]], protocol: Protocol) -> dict[str, float]:
    """form -> p of the label permutation over the real test clips that have a window, all forms together."""
    people = own[0][0].classifiers.identities
    starts = [window_starts(t.clip.valid, protocol.window, protocol.scoring_stride) for _, t in own]
    scored = [(f.classifiers, t.clip, windows) for (f, t), windows in zip(own, starts, strict=True) if len(windows)]
    votes = np.array(
        [
            [
                np.bincount(classifiers.predict(form, clip.motion, windows).ravel(), minlength=len(people))
                for classifiers, clip, windows in scored
            ]
            for form in forms().values()
        ]
    ) / len(protocol.classifiers.seeds)
    p_values = label_permutation_p(
        votes,
        np.array([len(windows) for *_, windows in scored], float),
        np.array([people.index(clip.identity) for _, clip, _ in scored]),
        permutations=protocol.resamples,
        rng=np.random.default_rng(derive_seed(0, "label permutation")),
    )
    return dict(zip(forms(), p_values.tolist(), strict=True))


def _still(task: Task) -> Motion:
    return Motion.from_state(np.tile(task.request.initial_state, (task.request.frames, 1)))
