"""The real motion of a corpus, perturbed in every way and dose, and what every metric answers to that.

It is the held-out motion; for accuracies whose classifiers have learned that, the training motion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec.structs import replace

from facial_bench.core.digests import derive_seed
from facial_bench.core.progress import Reporter
from facial_bench.core.types import Clip, Definition, Motion
from facial_bench.evaluation.clip_scores import Fold, accuracy_entries, score_row
from facial_bench.evaluation.realism import with_realism
from facial_bench.evaluation.requests import Task, make_tasks, mean_states, own_cameras
from facial_bench.evaluation.run import fold_tasks
from facial_bench.evaluation.sensitivity.perturbations import Perturbation, Surroundings, perturbations
from facial_bench.evaluation.sensitivity.record import SCHEMA, CorpusName, Doses, Header, Interval, Reading, Sensitivity
from facial_bench.evaluation.sensitivity.verdicts import responses_of
from facial_bench.evaluation.setup import EvaluationSetup
from facial_bench.metrics.catalog import network_definitions
from facial_bench.metrics.identity import HELD_OUT, SELF, accuracies
from facial_bench.metrics.realism import realisms
from facial_bench.statistics.aggregate import (
    common_rows,
    estimator,
    make_shares,
    make_units,
    make_whole_units,
    summarise,
)
from facial_bench.statistics.bootstrap import Estimate, point
from facial_bench.statistics.jackknife import paired_interval
from facial_bench.statistics.rows import Entry, Row
from facial_bench_worker.motions import Outcome

DRAWS = 3
"""Of a random perturbation."""


def measure_sensitivity(setup: EvaluationSetup, report: Reporter) -> Sensitivity:
    """Spoil the real motion of a corpus in every way and dose, and score it.

    Cross-driven accuracies, which real motion has not, are left out, and so are metrics that are refused.
    """
    definitions: list[Definition] = [*setup.specs, *(d for d in network_definitions() if "cross" not in d.id)]
    refused = tuple(sorted(d.id for d in definitions if setup.references[d.id].refused))
    definitions = [d for d in definitions if d.id not in refused]
    pools = {spec.id: spec.pool for spec in setup.specs}
    estimates = {d.id: estimator(pools.get(d.id), setup.references[d.id].parts) for d in definitions}
    series: dict[str, dict[str, list[Reading]]] = {d.id: {} for d in definitions}
    every = perturbations()
    for number, perturbation in enumerate(every, start=1):
        rows = {dose: _rows(setup, perturbation, dose) for dose in perturbation.doses}
        for metric, estimate in estimates.items():
            series[metric][perturbation.name] = _series(setup, perturbation, rows, metric, estimate)
        report.progress(number, len(every), "perturbations")
    doses = tuple(Doses(p.name, p.unit, tuple(map(float, p.doses)), float(p.neutral)) for p in every)
    header = Header(
        schema=SCHEMA,
        corpus=CorpusName(setup.corpus.info.name, setup.corpus.info.digest),
        protocol=setup.protocol.digest(),
        draws=DRAWS,
        refused=refused,
        metrics=tuple(series),
        perturbations=doses,
    )
    return Sensitivity(header, tuple(one for d in definitions for one in responses_of(d, doses, series[d.id])))


def _rows(setup: EvaluationSetup, perturbation: Perturbation, dose: float) -> list[list[Row]]:
    """Rows of the perturbed clips, one list per draw."""
    alike = not perturbation.random or dose == perturbation.neutral
    draws: list[list[Row]] = []
    for draw in range(1 if alike else DRAWS):
        rows: list[Row] = []
        for fold in setup.folds:
            told = {row.request: row for row in draws[0]} if draws else None
            rows += _test_rows(fold, perturbation, dose, draw, told) + _training_rows(fold, perturbation, dose, draw)
        draws.append(rows)
    return draws * DRAWS if alike and perturbation.random else draws


def _test_rows(
    fold: Fold, perturbation: Perturbation, dose: float, draw: int, told: Mapping[str, Row] | None
) -> list[Row]:
    """Rows of the held-out clips, without the accuracies whose classifiers have learned these.

    The realism of a dose, for which networks are trained, is that of the first draw: `told` holds its rows, if there
    are any yet.
    """
    tasks = [task for task in fold_tasks(fold, 0) if task.driving == SELF]
    spoiled = {task.request.id: Outcome(_spoil(fold, fold.test, task, perturbation, dose, draw)) for task in tasks}
    learned = {name for name, one in accuracies().items() if one.trained_on == HELD_OUT}
    rows = [score_row(task, spoiled[task.request.id], fold) for task in tasks]
    if told is None:
        rows = with_realism(rows, tasks, spoiled, fold)
    else:
        rows = [replace(row, metrics={**row.metrics, **_realism_of(told[row.request])}) for row in rows]
    return [replace(row, metrics={k: one for k, one in row.metrics.items() if k not in learned}) for row in rows]


def _realism_of(row: Row) -> dict[str, Entry]:
    return {name: row.metrics[name] for name in realisms() if name in row.metrics}


def _training_rows(fold: Fold, perturbation: Perturbation, dose: float, draw: int) -> list[Row]:
    """Rows of the training clips, with the accuracies whose classifiers have learned the held-out ones."""
    rows, clips = [], fold.training
    people, fps = fold.classifiers.identities, fold.metric_set.info.fps
    for task in make_tasks(clips, people, mean_states(clips), fps, 0, own_cameras(clips)):
        if task.driving == SELF:
            outcome, clip = Outcome(_spoil(fold, clips, task, perturbation, dose, draw)), task.clip
            row = Row(
                request=f"{fold.name}/{task.request.id}",
                clip=clip.id,
                start=clip.start,
                frames=clip.frames,
                driving=SELF,
                identity=clip.identity,
                status="ok",
                metrics=accuracy_entries(task, outcome, fold, trained_on=(HELD_OUT,)),
            )
            rows.append(row)
    return rows


def _spoil(fold: Fold, clips: Sequence[Clip], task: Task, perturbation: Perturbation, dose: float, draw: int) -> Motion:
    """The real motion of a task's clip, perturbed; random parts are a function of draw, perturbation and clip.

    The seeds are those of the stored files, whose name for all this was another one. Stretches of somebody else come
    from `clips`.
    """
    clip, info = task.clip, fold.metric_set.info
    rng = np.random.default_rng(derive_seed(draw, "certification", perturbation.name, task.request.id))
    people = info.identities
    stranger = people[(people.index(clip.identity) + 1) % len(people)]
    pieces = [other.motion.state()[other.valid] for other in clips if other.identity == stranger]
    states = np.resize(np.concatenate(pieces), (clip.frames, 71))
    around = Surroundings(clip.valid, Motion.from_state(states), rng, info.fps, info.blink_scale)
    return perturbation.spoil(clip.motion, dose, around)


def _series(
    setup: EvaluationSetup,
    perturbation: Perturbation,
    rows: Mapping[float, Sequence[Sequence[Row]]],
    metric: str,
    estimate: Estimate,
) -> list[Reading]:
    """Per dose: value and interval, the paired difference from the neutral dose, and from the dose before it."""
    doses, neutral = perturbation.doses, perturbation.neutral
    middle, series = doses.index(neutral), []
    for k, dose in enumerate(doses):
        inner = doses[k - 1 if k > middle else min(k + 1, middle)]
        summary = summarise(rows[dose], metric, setup.protocol, estimate)
        away = _difference(setup, rows[dose], rows[neutral], metric, estimate)
        step = _difference(setup, rows[dose], rows[inner], metric, estimate)
        series.append(Reading(summary.value, summary.low, summary.high, away, step))
    return series


def _difference(
    setup: EvaluationSetup, one: Sequence[Sequence[Row]], two: Sequence[Sequence[Row]], metric: str, estimate: Estimate
) -> Interval | None:
    """A paired difference; None where it cannot be had."""
    kept = common_rows([*one, *two], metric)
    shares = make_shares(kept[0], metric, estimate)
    if not shares:
        return None
    values = [
        point([make_whole_units(rows, metric) for rows in part], shares, estimate)
        for part in (kept[: len(one)], kept[len(one) :])
    ]
    difference = values[0] - values[1]
    units = [make_units(rows, metric) for rows in kept]
    ends = paired_interval(
        units[: len(one)],
        units[len(one) :],
        shares,
        confidence=setup.protocol.confidence,
        estimate=estimate,
        difference=difference,
    )
    return (difference, *ends) if ends and np.isfinite(difference) else None
