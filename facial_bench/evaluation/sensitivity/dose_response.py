"""What every metric answers to every corruption, and whether that is what it is for.

The rules were set before any answer was looked at: see `judge` and `own_corruptions`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from facial_bench.core.digests import derive_seed
from facial_bench.core.progress import Reporter
from facial_bench.core.types import Definition, Motion
from facial_bench.evaluation.clip_scores import Fold, score_row
from facial_bench.evaluation.generate import Outcome
from facial_bench.evaluation.requests import Task
from facial_bench.evaluation.run import fold_tasks
from facial_bench.evaluation.sensitivity.perturbations import Perturbation, Surroundings, neutral, perturbations
from facial_bench.evaluation.setup import EvaluationSetup
from facial_bench.metrics.identity import SELF, accuracy_definitions
from facial_bench.statistics.aggregate import estimator, summarise
from facial_bench.statistics.bootstrap import Estimate
from facial_bench.statistics.compare import compare

DRAWS = 3
"""Of a random corruption."""
ALSO = 0.2
"""A metric answers a corruption that is not its own where the effect is more than this share of its largest own one."""


def own_perturbations(metric: str) -> tuple[str, ...]:
    """The corruptions that a metric is there to answer, by the beginning of its id."""
    table = {
        "lmd": ("mouth amplitude", "time shift", "jitter", "smoothing"),
        "lve": ("mouth amplitude", "time shift", "jitter", "smoothing"),
        "mve": ("mouth amplitude", "time shift", "jitter", "smoothing"),
        "lvd": ("mouth amplitude", "jitter"),
        "fdd": ("mouth amplitude",),
        "mouth_correlation": ("time shift", "jitter"),
        "mouth_lag": ("time shift",),
        "sync_share": ("time shift", "jitter"),
        "frechet/mouth": ("mouth amplitude", "jitter"),
        "pose_std_distance": ("head amplitude",),
        "pose_speed": ("jitter", "smoothing"),
        "beat_align": ("time shift",),
        "frechet/pose": ("head amplitude", "jitter"),
        "blink_rate": ("blinks deleted", "blinks added"),
        "blink_duration": ("blinks stretched",),
        "blink_long_share": ("blinks stretched",),
        "blink_interval": ("blinks deleted", "blinks added"),
        "copying_index": ("jitter",),
        "pose_accuracy": ("identity swapped",),
        "blink_accuracy": ("identity swapped",),
    }
    return next((own for prefix, own in table.items() if metric.startswith(prefix)), ())


def measure_sensitivity(setup: EvaluationSetup, report: Reporter) -> dict[str, Any]:
    """Spoil the real held-out motion of a bench in every way and dose, and score it.

    Returns:
        JSON: `responses`, corruption -> {unit, doses, metrics: id -> [{value, low, high, difference, step} per dose]},
        and `metrics`, id -> the verdicts of `judge`. Cross-driven accuracies, which real motion has not, are left out.
    """
    definitions: list[Definition] = [*setup.specs, *(d for d in accuracy_definitions() if "cross" not in d.id)]
    pools = {spec.id: spec.pool for spec in setup.specs}
    estimates = {d.id: estimator(pools.get(d.id), setup.references[d.id]) for d in definitions}
    refused = {d.id for d in definitions if setup.references[d.id].get("refused")}
    definitions = [d for d in definitions if d.id not in refused]
    responses: dict[str, Any] = {}
    every = perturbations()
    for number, perturbation in enumerate(every, start=1):
        rows = {dose: _rows(setup, perturbation, dose) for dose in perturbation.doses}
        responses[perturbation.name] = {
            "unit": perturbation.unit,
            "doses": list(perturbation.doses),
            "neutral": neutral(perturbation),
            "metrics": {d.id: _series(setup, perturbation, rows, d.id, estimates[d.id]) for d in definitions},
        }
        report.progress(number, len(every), "perturbations")
    return {
        "corpus": {"name": setup.corpus.info.name, "digest": setup.corpus.info.digest},
        "protocol": setup.protocol.digest(),
        "draws": DRAWS,
        "refused": sorted(refused),
        "responses": responses,
        "metrics": {d.id: verdict_of(d, responses) for d in definitions},
    }


def _rows(setup: EvaluationSetup, perturbation: Perturbation, dose: float) -> list[list[dict[str, Any]]]:
    """Rows of the spoiled test clips, one list per draw."""
    draws = DRAWS if perturbation.random and dose != neutral(perturbation) else 1
    found: list[list[dict[str, Any]]] = []
    for draw in range(draws):
        found.append([])
        for fold in setup.folds:
            for task in fold_tasks(fold, 0):
                if task.driving == SELF:
                    motion = _spoil(fold, task, perturbation, dose, draw)
                    found[-1].append(score_row(task, Outcome(motion), fold))
    return found * (DRAWS if draws == 1 and perturbation.random else 1)


def _spoil(fold: Fold, task: Task, perturbation: Perturbation, dose: float, draw: int) -> Motion:
    clip = task.clip
    rng = np.random.default_rng(derive_seed(draw, "certification", perturbation.name, task.request.id))
    info = fold.metric_set.info
    people = info.identities
    stranger = people[(people.index(clip.identity) + 1) % len(people)]
    pieces = [other.motion.state()[other.valid] for other in fold.test if other.identity == stranger]
    states = np.resize(np.concatenate(pieces), (clip.frames, 71))
    around = Surroundings(clip.valid, Motion.from_state(states), rng, info.fps, info.blink_scale)
    return perturbation.spoil(clip.motion, dose, around)


def _series(
    setup: EvaluationSetup,
    perturbation: Perturbation,
    rows: Mapping[float, Sequence[Any]],
    metric: str,
    estimate: Estimate,
) -> list[dict[str, Any]]:
    """Per dose: value and interval, the paired difference from the neutral dose, and from the dose before it."""
    middle = perturbation.doses.index(neutral(perturbation))
    found = []
    for k, dose in enumerate(perturbation.doses):
        inner = perturbation.doses[k - 1 if k > middle else min(k + 1, middle)]
        summary = summarise(rows[dose], metric, setup.protocol, estimate)
        found.append(
            {
                **{end: summary[end] for end in ("value", "low", "high")},
                "difference": _difference(setup, rows[dose], rows[neutral(perturbation)], metric, estimate),
                "step": _difference(setup, rows[dose], rows[inner], metric, estimate),
            }
        )
    return found


def _difference(
    setup: EvaluationSetup, one: Sequence[Any], two: Sequence[Any], metric: str, estimate: Estimate
) -> list[float] | None:
    """[value, low, high] of a paired difference; None where it cannot be had."""
    found = compare(one, two, metric, estimate, replace(setup.protocol, resamples=500))
    if found is None or found.low is None or found.high is None:
        return None
    return [found.a - found.b, found.low, found.high]


def verdict_of(definition: Definition, responses: Mapping[str, Any]) -> dict[str, Any]:
    """What a metric answers.

    It answers a corruption on one side of the neutral dose where its value at the greatest dose is worse than at the
    neutral one (another, where nothing is better or worse) by a paired interval that excludes zero, and no step on the
    way goes back by a paired interval that excludes zero. Doses at which it is not defined are passed over.

    Returns:
        `inert`: its own corruptions that it does not answer on every side; `answers`: those that it does; `also`:
        corruptions not its own that it answers on some side with more than a fifth of its largest own effect; `why`:
        inert corruption -> what went wrong, in words.
    """
    own = own_perturbations(definition.id)
    effects = {name: _sides(definition, response) for name, response in responses.items()}
    largest = max((side.effect for name in own for side in effects[name]), default=0.0)
    answers = [name for name in own if effects[name] and not any(side.why for side in effects[name])]
    also = [
        name
        for name, sides in effects.items()
        if name not in own and any(not side.why and side.effect > ALSO * largest for side in sides)
    ]
    inert = [name for name in own if name not in answers]
    why = {name: "; ".join(side.why for side in effects[name] if side.why) or "not defined" for name in inert}
    return {"answers": answers, "inert": inert, "also": also, "why": why}


@dataclass(frozen=True)
class _Side:
    """What a metric answers above, or below, the neutral dose."""

    effect: float
    """Size of the difference at the greatest dose at which it is defined."""
    why: str
    """Why that is no answer; empty where it is one."""


def _sides(definition: Definition, response: Mapping[str, Any]) -> list[_Side]:
    """The sides of the neutral dose that there are."""
    doses, series = response["doses"], response["metrics"].get(definition.id)
    if series is None:
        return []
    middle = doses.index(response["neutral"])
    found = []
    every = list(zip(doses, series, strict=True))
    for side in (every[middle + 1 :], every[:middle][::-1]):
        known = [(dose, entry) for dose, entry in side if entry["difference"] is not None]
        if not side:
            continue
        if not known:
            found.append(_Side(0.0, f"not defined from {side[0][0]:g}"))
            continue
        (last, entry), lost = known[-1], [dose for dose, entry in side if entry["difference"] is None]
        value, low, high = entry["difference"]
        worse = {True: -1, False: 1, None: 1 if value > 0 else -1}[definition.higher_is_better]
        back = [
            dose
            for dose, entry in known
            if entry["step"] and max(worse * entry["step"][1], worse * entry["step"][2]) < 0
        ]
        why = []
        if not min(worse * low, worse * high) > 0:
            why.append(f"no effect at {last:g}" + (f", not defined from {lost[0]:g}" if lost else ""))
        if back:
            why.append(f"a step back at {', '.join(f'{dose:g}' for dose in back)}")
        found.append(_Side(abs(value), ", ".join(why)))
    return found
