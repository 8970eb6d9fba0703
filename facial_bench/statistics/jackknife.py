"""Uncertainty of pooled metrics: the delete-one-clip jackknife with Student's t.

A distance between distributions, resampled with repetition, is larger than the sample's own, so the quantiles of a
bootstrap miss to one side, and its variance can be too large. Leaving out one clip at a time repeats none; but where a
value cannot fall below zero (a rate that is the real one) the jackknife does not see that, and the bootstrap does. The
interval is for the value that other clips of the same people, AS MANY of them, would give on average (docs/coverage.md
says why, and what it covers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import t as student

from facial_bench.statistics.bootstrap import Estimate, Unit

RESAMPLES = 400
"""Of the clips, for the second look at their variance."""


def left_out_values(person: str, units: Sequence[Unit], estimate: Estimate) -> np.ndarray:
    """(U,) a person's value without each of the units; NaN where it is not defined.

    >>> from facial_bench.statistics.bootstrap import ratio
    >>> left_out_values("a", [Unit("a", (1, 1)), Unit("a", (3, 1)), Unit("a", (8, 1))], ratio).tolist()
    [5.5, 4.5, 2.0]
    """
    return estimate(person, units, 1.0 - np.eye(len(units)))


def jackknife_interval(
    groups: Sequence[Sequence[Unit]],
    shares: Mapping[str, float],
    *,
    confidence: float,
    estimate: Estimate,
    value: float,
) -> tuple[float, float] | None:
    """value +- t * standard error; None where a value is not defined without one of the units, or nothing differs; of
    0 everywhere it is [0, 0].

    Args:
        groups: one list of units per training seed, with the same units in each.
        shares: identity -> its share of the value; shares sum to 1.
        confidence: of the interval.
        estimate: of one identity.
        value: over all units and seeds.

    The variance over clips is the sum over people of share^2 (n - 1) / n sum (left-out value - their mean)^2, of the
    mean over seeds, which errs upward (Efron and Stein 1981); where that of n - 1 units drawn with replacement is
    smaller, it is the mean of the two. It has as many degrees of freedom as there are units less identities. The
    variance of the seeds' values / seeds is added to it, with seeds - 1 degrees of freedom (Satterthwaite 1946). The
    interval of a distance ends at 0.
    """
    parts, lowest, seeds = np.zeros(len(groups)), value, len(groups)
    jackknife, bootstrap, freedom, rng = 0.0, 0.0, 0.0, np.random.default_rng(0)
    for person, share in shares.items():
        own = [[unit for unit in units if unit.identity == person] for units in groups]
        n = len(own[0])
        if n < 2 or any(len(units) != n for units in own):
            return None
        left = np.array([left_out_values(person, units, estimate) for units in own])
        if not np.isfinite(left).all():
            return None
        parts += share * np.array([estimate(person, units, np.ones((1, n)))[0] for units in own])
        lowest = min(lowest, float(left.min()))
        jackknife += share**2 * (n - 1) * float(left.mean(axis=0).var())
        drawn = rng.multinomial(n - 1, np.full(n, 1 / n), size=RESAMPLES)
        again = np.mean([estimate(person, units, drawn) for units in own], axis=0)
        bootstrap += share**2 * float(again[np.isfinite(again)].var())
        freedom += n - 1
    clips = min(jackknife, (jackknife + bootstrap) / 2)
    noise = float(parts.var(ddof=1)) / seeds if seeds > 1 else 0.0
    error = np.sqrt(clips + noise)
    if error <= 1e-12 * abs(value):
        return (0.0, 0.0) if value == 0 else None
    if noise > 0:
        freedom = (clips + noise) ** 2 / (clips**2 / freedom + noise**2 / (seeds - 1))
    reach = float(student.ppf((1 + confidence) / 2, freedom) * error)
    return max(value - reach, 0.0) if lowest >= 0 else value - reach, value + reach


def paired_interval(
    a: Sequence[Sequence[Unit]],
    b: Sequence[Sequence[Unit]],
    shares: Mapping[str, float],
    *,
    confidence: float,
    estimate: Estimate,
    difference: float,
) -> tuple[float, float] | None:
    """difference +- t * standard error of a - b on the same units; None where it cannot be had.

    For one motion that is changed in two ways, with a person's only clip in blocks: what so few clips as five can show.
    Whether one METHOD is better than another is not for it to say; see `permutation`.

    Args:
        a, b: one list of units per draw, with the same units in each.
        shares: identity -> its share of the value; shares sum to 1.
        confidence: of the interval.
        estimate: of one identity.
        difference: of the values over whole clips.

    The variance is that of `jackknife_interval` over the units, of the difference of the left-out values (Efron 1982).
    """
    variance, freedom = 0.0, 0
    for person, share in shares.items():
        one, two = ([[unit for unit in units if unit.identity == person] for units in part] for part in (a, b))
        n = len(one[0])
        if n < 2 or any(len(units) != n for units in (*one, *two)):
            return None
        left = [np.mean([left_out_values(person, units, estimate) for units in part], axis=0) for part in (one, two)]
        away = left[0] - left[1]
        if not np.isfinite(away).all():
            return None
        variance += share**2 * (n - 1) * float(away.var())
        freedom += n - 1
    reach = float(student.ppf((1 + confidence) / 2, freedom) * np.sqrt(variance))
    return difference - reach, difference + reach
