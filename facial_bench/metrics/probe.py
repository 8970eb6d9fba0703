"""What a metric does, as a digest: its functions run on a fixed probe, and what comes out is rounded.

The digest of a definition is over what it claims. This one is over what its functions do, as they are reachable in this
process: a formula that was changed, or patched by somebody's import, gives another one. It finds a change, and is no
seal: code that runs in this very process can patch this module too, which is why methods run in a process of their own.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from facial_bench.core.digests import digest
from facial_bench.core.types import Definition, Items, MetricSpec, Pool, Sample
from facial_bench.metrics import catalog, probe_motion

DIGITS = 6
"""Significant digits that are looked at: two machines differ in the last ones of sixteen."""
FLOOR = 1e-9
"""Smaller numbers are 0, in the unit of the metric: what rounding leaves of a difference of equals."""
STRETCH = 25
"""Frames that are averaged of a value per frame."""


def behaviour_digest(definition: Definition) -> str:
    """SHA-256 of what the functions of a definition return on the probe, rounded; they are called each time.

    What raises is known by the type of its error alone: a metric that cannot be computed on the probe has a digest all
    the same, that of any other which fails alike. Accuracies have none, the empty text: no function of a sample
    computes them but classifiers that are trained on the corpus, and the protocol's digest holds what decides that.
    """
    if not isinstance(definition, MetricSpec):
        return ""
    return digest(observe(definition, copy.deepcopy(_kept())))  # a copy: a metric may write into what it is given


def built_in_behaviour() -> dict[str, str]:
    """Id -> `behaviour_digest` of every metric that comes with facial-bench, through the functions as they are now."""
    subjects = probe_motion.probe()
    return {spec.id: digest(observe(spec, subjects)) for spec in catalog.built_in_metrics()}


@cache
def _kept() -> tuple[probe_motion.Subject, ...]:
    return probe_motion.probe()


def changed_by(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Ids whose digest differs between two states, in the order of `before`; one that is gone or new differs too.

    >>> changed_by({"lmd": "1", "lve": "2"}, {"lmd": "1", "lve": "3"})
    ['lve']
    """
    return [name for name in {**before, **after} if before.get(name) != after.get(name)]


def observe(spec: MetricSpec, subjects: Sequence[probe_motion.Subject]) -> list[Any]:
    """What a metric returns for each person of the probe: plain values, numbers as rounded text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [_of_person(spec, subject) for subject in subjects]


def rounded(number: float) -> str:
    """A number as text of six significant digits; next to nothing is 0.

    >>> rounded(1234.56789), rounded(-1e-12), rounded(float("nan"))
    ('1.23457e+03', '0', 'nan')
    """
    if not math.isfinite(number):
        return str(float(number))
    return "0" if abs(number) < FLOOR else f"{number:.{DIGITS - 1}e}"


def _of_person(spec: MetricSpec, subject: probe_motion.Subject) -> Any:
    try:
        more = () if spec.prepare is None else (spec.prepare(subject.person),)
        if spec.pool is None:
            return [_of_clip(spec, sample, more) for sample in subject.generated]
        made = [_items(spec, sample, more) for sample in subject.generated]
        real = [_items(spec, sample, more) for sample in subject.person.test]
        return [_told(spec.pool, one) for one in made] + _pooled(spec.pool, made, real)
    except Exception as problem:
        return _raised(problem)


def _of_clip(spec: MetricSpec, sample: Sample, more: Sequence[Any]) -> Any:
    """A value of a clip, or of each of its stretches: how many frames are scored, and their mean."""
    try:
        values = np.asarray(spec.compute(sample, *more), dtype=np.float64)
    except Exception as problem:
        return _raised(problem)
    if values.shape != sample.valid.shape:
        return [list(values.shape), *map(rounded, values.ravel().tolist())]
    cuts = range(0, len(values), STRETCH)
    scored = [(values[k : k + STRETCH])[(sample.valid & np.isfinite(values))[k : k + STRETCH]] for k in cuts]
    return [[len(part), rounded(float(part.mean())) if len(part) else "nan"] for part in scored]


def _items(spec: MetricSpec, sample: Sample, more: Sequence[Any]) -> Items | dict[str, str]:
    """The items of a clip, as arrays; or how it failed."""
    try:
        items = spec.compute(sample, *more)
        return Items(np.asarray(items.frames), np.asarray(items.values, dtype=np.float64))
    except Exception as problem:
        return _raised(problem)


def _told(pool: Pool, items: Items | dict[str, str]) -> Any:
    """The frames of the items, and what they reduce to."""
    if isinstance(items, dict):
        return items
    frames = [rounded(float(frame)) for frame in items.frames]
    return [frames, *(rounded(float(number)) for number in pool.reduce(items.values))]


def _pooled(pool: Pool, made: Sequence[Items | dict[str, str]], real: Sequence[Items | dict[str, str]]) -> list[str]:
    """Estimates of the person: every clip once, and two resamplings."""
    own, theirs = ([one.values for one in side if isinstance(one, Items)] for side in (made, real))
    counts = np.array([np.ones(len(own)), 1 + np.arange(len(own)) % 2, np.arange(len(own))[::-1]])
    reference = pool.reduce(np.concatenate(theirs) if theirs else np.empty(0))
    estimates = pool.estimate([pool.reduce(values) for values in own], counts, reference)
    return [rounded(value) for value in np.asarray(estimates, dtype=np.float64).tolist()]


def _raised(problem: Exception) -> dict[str, str]:
    return {"raises": type(problem).__name__}
