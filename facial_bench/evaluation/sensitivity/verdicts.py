"""Whether a metric responds to a perturbation. The rules were set before any response was looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from facial_bench.core.types import Definition
from facial_bench.evaluation.sensitivity.record import Doses, Reading, Response, Verdict

ALSO = 0.2
"""A metric also answers a perturbation that is not its own where the effect is more than this share of its largest own
one."""


@dataclass(frozen=True)
class _Side:
    """What a metric answers above, or below, the neutral dose."""

    effect: float
    """Size of the difference at the greatest dose at which it is defined, in the unit of the metric."""
    why: str
    """Why that is no answer; empty where it is one."""


def responses_of(
    definition: Definition, perturbations: Sequence[Doses], series: Mapping[str, Sequence[Reading]]
) -> list[Response]:
    """The responses of a metric, with their verdicts.

    A metric answers a perturbation on one side of the neutral dose where its value at the greatest dose is worse than
    at the neutral one (another, where nothing is better or worse) by a paired interval that excludes zero, and no step
    on the way goes back by a paired interval that excludes zero. Doses at which it is not defined are passed over.

    Its own perturbation is answered on every side, or has no response. One that is not its own is also answered where
    on some side that is so, with more than a fifth of the metric's largest own effect.

    Args:
        definition: the metric; names its own perturbations.
        perturbations: what was done, in the order of the responses.
        series: perturbation -> one reading per dose.
    """
    sides = {one.name: _sides(definition, one, series[one.name]) for one in perturbations}
    own = [name for name in definition.perturbations if name in sides]
    largest = max((side.effect for name in own for side in sides[name]), default=0.0)
    responses = []
    for name, both in sides.items():
        verdict: Verdict = ""
        why = ""
        if name in own:
            why = "; ".join(side.why for side in both if side.why)
            verdict = "no response" if why else "answers"
        elif any(not side.why and side.effect > ALSO * largest for side in both):
            verdict = "also answers"
        responses.append(Response(definition.id, name, verdict, why, tuple(series[name])))
    return responses


def _sides(definition: Definition, perturbation: Doses, series: Sequence[Reading]) -> list[_Side]:
    """The sides of the neutral dose that there are."""
    middle = perturbation.doses.index(perturbation.neutral)
    readings = list(zip(perturbation.doses, series, strict=True))
    return [_side(definition, side) for side in (readings[middle + 1 :], readings[:middle][::-1]) if side]


def _side(definition: Definition, readings: Sequence[tuple[float, Reading]]) -> _Side:
    """One side: (dose, reading) from the dose next to the neutral one outwards."""
    known = [(dose, reading, reading.difference) for dose, reading in readings if reading.difference is not None]
    lost = [dose for dose, reading in readings if reading.difference is None]
    if not known:
        return _Side(0.0, f"not defined from {readings[0][0]:g}")
    last, _, (value, low, high) = known[-1]
    worse = {True: -1, False: 1, None: 1 if value > 0 else -1}[definition.higher_is_better]
    steps = [(dose, reading.step) for dose, reading, _ in known if reading.step is not None]
    back = [f"{dose:g}" for dose, step in steps if max(worse * step[1], worse * step[2]) < 0]
    why = []
    if not min(worse * low, worse * high) > 0:
        why.append(f"no effect at {last:g}" + (f", not defined from {lost[0]:g}" if lost else ""))
    if back:
        why.append(f"a step back at {', '.join(back)}")
    return _Side(abs(value), ", ".join(why))
