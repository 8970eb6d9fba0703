"""Uncertainty: a cluster bootstrap over clips within identity, and a permutation of the labels over clips.

Windows and frames of one clip are not independent, so the clip is the unit; the one clip of an identity
is cut into blocks of at least one window. The people are fixed: no claim is made beyond them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest
from scipy.stats import norm as normal
from scipy.stats import t as student


@dataclass(frozen=True)
class Unit:
    """A clip, or a block of an identity's only clip: the numbers that stand for it in an estimate."""

    identity: str
    numbers: tuple[float, ...]
    """For `ratio` the sum of the values and the weight to divide it by; else what a metric's pool reduces to."""


Estimate = Callable[[str, Sequence[Unit], np.ndarray], np.ndarray]
"""(identity, its U units, (R, U) how often each is taken) -> (R,) float64, NaN where not defined."""


def ratio(identity: str, units: Sequence[Unit], counts: np.ndarray) -> np.ndarray:
    """The `Estimate` of a mean: sum of totals / sum of weights.

    >>> ratio("a", [Unit("a", (1, 2)), Unit("a", (2, 2))], np.array([[1, 1], [2, 0]])).tolist()
    [0.75, 0.5]
    """
    totals, weights = np.array([unit.numbers for unit in units], dtype=np.float64).T
    return (counts @ totals) / (counts @ weights)


def point(groups: Sequence[Sequence[Unit]], shares: Mapping[str, float], estimate: Estimate = ratio) -> float:
    """The value itself: of each identity, times its share, summed; the mean over training seeds. NaN where not defined.

    Args:
        groups: one list of units per training seed.
        shares: identity -> its share of the value; shares sum to 1.
        estimate: of one identity.

    >>> point([[Unit("a", (1, 2)), Unit("a", (2, 2)), Unit("b", (0, 1))]], {"a": 0.5, "b": 0.5})
    0.375
    """
    values = []
    for units in groups:
        total = 0.0
        for person, share in shares.items():
            own = [unit for unit in units if unit.identity == person]
            total += share * estimate(person, own, np.ones((1, len(own))))[0]
        values.append(total)
    return float(np.mean(values))


def bootstrap_draws(
    groups: Sequence[Sequence[Unit]], shares: Mapping[str, float], resamples: int, rng: np.random.Generator
) -> np.ndarray | None:
    """Means (`ratio`) over resampled units, (resamples,) float64; None where an identity has one unit only, or not
    the same units in each seed.

    Args:
        groups: one list of units per training seed, with the same units in each; a resample draws seeds, then units.
        shares: identity -> its share of the value; shares sum to 1.
        resamples: number of draws.
        rng: source of randomness.

    Of the n units of an identity, n - 1 are drawn with replacement: drawing n understates the variance of a mean by
    (n - 1) / n, which matters with the two to five clips a person has here (McCarthy and Snowden 1985; Rao and
    Wu 1988). Seeds are drawn likewise. A seed's draw is shared by all identities.
    """
    members = {person: [[u for u in units if u.identity == person] for units in groups] for person in shares}
    if any(len(units) < 2 or len(units) != len(own[0]) for own in members.values() for units in own):
        return None
    n_seeds = len(groups)
    chosen = rng.integers(n_seeds, size=(resamples, max(n_seeds - 1, 1)))
    seeds = (chosen[:, :, None] == np.arange(n_seeds)).mean(axis=1)  # (R, S) share of each seed in a resample
    draws = np.zeros(resamples)
    for person, own in members.items():
        n = len(own[0])
        picks = rng.integers(n, size=(resamples, n - 1))
        counts = np.zeros((resamples, n))
        np.add.at(counts, (np.arange(resamples)[:, None], picks), 1)
        values = np.stack([ratio(person, units, counts) for units in own], axis=1)
        draws += shares[person] * (seeds * values).sum(axis=1)
    return draws


def spread(deviations: np.ndarray, units: Sequence[Unit], confidence: float) -> tuple[float, float]:
    """Ends of a percentile interval of deviations from a value, widened for few units.

    The quantiles are multiplied by Student's t over the normal quantile, with as many degrees of freedom as there are
    units less identities: the spread of two or three clips a person is itself uncertain (docs/coverage.md measures it).

    Args:
        deviations: (R,) draws less the value.
        units: of one seed.
        confidence: of the interval.
    """
    tail = (1 - confidence) / 2
    freedom = max(len(units) - len({unit.identity for unit in units}), 1)
    widen = student.ppf(1 - tail, freedom) / normal.ppf(1 - tail)
    low, high = np.quantile(deviations, [tail, 1 - tail])
    return float(widen * low), float(widen * high)


def interval(
    groups: Sequence[Sequence[Unit]],
    shares: Mapping[str, float],
    *,
    resamples: int,
    confidence: float,
    rng: np.random.Generator,
    proportion: bool = False,
    value: float | None = None,
) -> tuple[float, float] | None:
    """Percentile interval of a mean (`point`), or of `value`; None where it cannot be determined. Of a pooled metric
    see `jackknife`.

    The value of a clip is not always the mean of its blocks (a standard deviation, a correlation). Where an identity's
    only clip is resampled in blocks, `value` is that of whole clips, and the draws are moved by the difference.

    Where every unit is alike the draws do not spread and say nothing; a proportion then takes the Wilson
    interval with the number of units as the number of trials, and another value takes none, unless it is
    exactly 0 everywhere (a distance of a thing to itself).
    """
    draws = bootstrap_draws(groups, shares, resamples, rng)
    if draws is None:
        return None
    middle = point(groups, shares)
    value = middle if value is None else value
    least = 0.0 if min(draws.min(), value) >= 0 else -np.inf  # a distance does not become negative by being moved
    low, high = spread(draws - middle, groups[0], confidence)
    if high - low > 1e-12:
        most = 1.0 if proportion else np.inf
        return min(max(value + low, least), value), max(min(value + high, most), value)
    if proportion:
        trials = len(groups[0])
        ends = binomtest(round(value * trials), trials).proportion_ci(confidence, method="wilson")
        return min(float(ends.low), value), max(float(ends.high), value)
    return (0.0, 0.0) if value == 0 else None


def label_permutation_p(
    votes: np.ndarray, windows: np.ndarray, labels: np.ndarray, *, permutations: int, rng: np.random.Generator
) -> np.ndarray:
    """How often shuffled labels give ANY of several classifiers the balanced accuracy of this one, or a better one.

    Args:
        votes: (M, C, N) float64, how many windows of clip c classifier m gave to class k.
        windows: (C,) float64, windows of each clip, > 0.
        labels: (C,) int, the true class of each clip; every class 0..N-1 occurs.
        permutations: most shuffles to draw; all of them are used where there are no more.
        rng: source of randomness.

    Returns:
        (M,) p in (0, 1]: exact over all shuffles, else (1 + hits) / (1 + shuffles).

    Where motion says nothing of the person the clips are exchangeable, so the chance that even one of the M
    classifiers gets p <= alpha is at most alpha: the single-step maximum test of Westfall and Young (1993). The
    shuffles are common to all classifiers, which share clips and so err together.
    """
    n_classes = votes.shape[2]

    def accuracy(order: np.ndarray) -> np.ndarray:
        """(R, C) labels -> (R, M) balanced accuracies."""
        member = (order[:, :, None] == np.arange(n_classes)).astype(float)
        right = np.einsum("mck,rck->rmk", votes, member)
        return (right / np.einsum("c,rck->rk", windows, member)[:, None, :]).mean(axis=2)

    observed = accuracy(labels[None])[0]
    exact = math.factorial(len(labels)) <= permutations
    if exact:
        shuffles = np.array(list(itertools.permutations(labels)))
    else:
        shuffles = rng.permuted(np.tile(labels, (permutations, 1)), axis=1)
    best = accuracy(shuffles).max(axis=1)
    hits = (best[:, None] >= observed - 1e-12).sum(axis=0)
    return hits / len(shuffles) if exact else (1 + hits) / (1 + len(shuffles))
