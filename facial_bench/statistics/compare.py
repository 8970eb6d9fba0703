"""Is one method better than another? Paired permutation over clips, Holm's correction, ranks as intervals.

The clip is the unit: never a window, and never a block of a clip. The people are fixed. Source: docs/protocol.md,
"differences".
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from facial_bench.core.digests import derive_seed
from facial_bench.core.protocol import Protocol
from facial_bench.statistics.aggregate import common_rows, is_pooled, make_shares, make_units, make_whole_units
from facial_bench.statistics.bootstrap import Estimate, Unit, bootstrap_draws, point, ratio, spread
from facial_bench.statistics.rows import Row

Groups = Sequence[Sequence[Row]]
"""The rows of a method, one list per training seed."""
EXACT_CLIPS = 13
"""Up to so many clips every one of the 2^n swaps is looked at."""
SWAPS = 10_000
"""How many random swaps are drawn where there are more."""


@dataclass(frozen=True)
class Difference:
    """How A differs from B on one metric."""

    a: float
    b: float
    low: float | None
    """End of the interval of a - b (paired bootstrap); None where it cannot be had."""
    high: float | None
    p: float
    """Two-sided, of the paired permutation over clips."""
    smallest_p: float
    """What p could be at best with so many clips."""
    clips: int
    left_out: int
    """Clips that one of the two has no score of."""
    effect: float | None
    """Mean of the paired differences of clips / their standard deviation (Cohen's d_z); None for pooled metrics."""
    a_higher: float | None
    """Share of the clips in which A is higher, ties counting half; None for pooled metrics."""


@dataclass(frozen=True)
class Permutation:
    """What a paired permutation of two methods says."""

    p: float
    """Two-sided."""
    smallest_p: float
    """What p could be at best with so many clips."""
    clips: int
    a: Sequence[Mapping[str, list[Unit]]]
    """identity -> one unit a clip, per seed: what was compared, of A."""
    b: Sequence[Mapping[str, list[Unit]]]
    """The same of B."""
    rows: Sequence[Sequence[Row]]
    """The rows compared: of A's seeds, then of B's."""


def permute(a: Groups, b: Groups, metric: str, estimate: Estimate) -> Permutation | None:
    """Swap A and B clip by clip, all seeds of a clip together, on the clips that both have scored in every seed.

    Args:
        a, b: rows, one list per training seed; as many of the seeds as both have are used, in order.
        metric: its id.
        estimate: of one identity; see `aggregate.estimator`.

    Returns:
        p, the share of swaps (all 2^n of them for up to 13 clips, else 10,000 drawn ones and none) after which A and B
        differ by no less; None where there is nothing to compare.
    """
    seeds = min(len(a), len(b))
    kept = common_rows([*a[:seeds], *b[:seeds]], metric)
    if not kept[0]:
        return None
    shares = make_shares(kept[0], metric)
    whole = [_by_person(rows, metric, shares) for rows in kept]
    count = sum(map(len, whole[0].values()))
    swaps = _swaps(count, np.random.default_rng(derive_seed(0, "swaps", metric)))
    differences = np.mean(
        [_swapped(one, two, shares, swaps, estimate) for one, two in zip(whole[:seeds], whole[seeds:], strict=True)],
        axis=0,
    )
    if np.isnan(differences[0]):
        return None
    defined = differences[~np.isnan(differences)]
    p = float((np.abs(defined) >= abs(defined[0]) - 1e-12).mean())  # the first swap is none: the observed difference
    return Permutation(p, max(2.0 ** (1 - count), 1 / len(swaps)), count, whole[:seeds], whole[seeds:], kept)


def compare(a: Groups, b: Groups, metric: str, estimate: Estimate, protocol: Protocol) -> Difference | None:
    """A against B; None where there is nothing to compare.

    Args:
        a, b, metric, estimate: as for `permute`.
        protocol: for the resampling.
    """
    found = permute(a, b, metric, estimate)
    if found is None:
        return None
    asked = {row.request for row in (*a[0], *b[0]) if metric in row.metrics}
    shares = make_shares(found.rows[0], metric)
    values = [
        point([[unit for own in people.values() for unit in own] for people in part], shares, estimate)
        for part in (found.a, found.b)
    ]
    ends = _paired_interval(found, metric, shares, estimate, protocol, values[0] - values[1])
    effect, higher = _effects(_clip_values(found.a) - _clip_values(found.b)) if estimate is ratio else (None, None)
    return Difference(
        *values,
        *ends,
        p=found.p,
        smallest_p=found.smallest_p,
        clips=found.clips,
        left_out=len(asked) - found.clips,
        effect=effect,
        a_higher=higher,
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction (Scandinavian Journal of Statistics 6, 1979): adjusted p in the order given.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted, floor = [0.0] * len(p_values), 0.0
    for rank, k in enumerate(sorted(range(len(p_values)), key=lambda k: p_values[k])):
        floor = max(floor, min((len(p_values) - rank) * p_values[k], 1.0))
        adjusted[k] = floor
    return adjusted


def mean_ranks(methods: Mapping[str, Groups], metric: str, higher: bool) -> dict[str, float] | None:
    """label -> mean over clips of its rank among the methods, 1 the best, ties sharing the mean of their ranks.

    None where a method has no value for each clip (a pooled metric, a failure).
    """
    common = common_rows([rows for groups in methods.values() for rows in groups], metric)
    if not common[0] or is_pooled(common[0], metric):
        return None
    requests = [row.request for row in common[0] if metric in row.metrics]
    table = np.array(
        [
            [
                np.mean([row.metrics[metric].value for rows in groups for row in rows if row.request == name])
                for name in requests
            ]
            for groups in methods.values()
        ]
    )
    ranks = rankdata(-table if higher else table, axis=0)
    return dict(zip(methods, ranks.mean(axis=1).tolist(), strict=True))


@dataclass(frozen=True)
class Ranking:
    """Where the methods of a board stand on one metric."""

    ranks: Mapping[str, tuple[int, int]]
    """label -> best and worst rank that the tests leave open; methods without a value have none."""
    strongest: str | None
    """The null model with the best value."""
    against: Mapping[str, str]
    """label of a method that is no null -> `beats`, `undecided` (better, but the test does not say so) or `not`."""
    smallest_p: float
    """Of the pair with the fewest clips."""


def rank_methods(
    methods: Mapping[str, Groups],
    values: Mapping[str, float],
    nulls: Sequence[str],
    *,
    metric: str,
    higher: bool,
    estimate: Estimate,
    protocol: Protocol,
    ranked: bool = True,
) -> Ranking:
    """Compare all methods pairwise on one metric, or only each with the strongest null; Holm-corrected over the pairs.

    A method's rank interval runs from 1 + the number of methods that are significantly better to the number of methods
    - those that are significantly worse: simultaneous confidence for ranks (Mohamad, Goeman and van Zwet 2019).

    Args:
        methods: label -> rows per seed.
        values: label -> value on the board, of the methods that have one.
        nulls: labels of the null models that count.
        metric: its id.
        higher: whether a higher value is better.
        estimate: of one identity.
        protocol: for resampling and significance.
        ranked: whether ranks are asked for, which takes all pairs.
    """
    labels, sign = list(values), 1 if higher else -1
    strongest = max((n for n in nulls if n in values), key=lambda n: sign * values[n], default=None)
    pairs = list(itertools.combinations(labels, 2))
    if not ranked:
        pairs = [(label, strongest) for label in labels if label not in nulls and strongest is not None]
    found = [permute(methods[one], methods[two], metric, estimate) for one, two in pairs]
    adjusted = holm([1.0 if difference is None else difference.p for difference in found])
    better: dict[str, set[str]] = {label: set() for label in labels}  # label -> whom it beats
    for (one, two), p in zip(pairs, adjusted, strict=True):
        if p < protocol.significance:
            winner, loser = (one, two) if sign * (values[one] - values[two]) > 0 else (two, one)
            better[winner].add(loser)
    ranks, against = {}, {}
    for label in labels if ranked and len(labels) > 1 else ():  # one method alone has no rank
        worst = len(labels) - len(better[label])
        ranks[label] = (1 + sum(label in beaten for beaten in better.values()), worst)
    for label in labels if strongest is not None else ():
        if label not in nulls:
            ahead = sign * (values[label] - values[strongest]) > 0
            against[label] = "beats" if strongest in better[label] else "undecided" if ahead else "not"
    return Ranking(ranks, strongest, against, max((d.smallest_p for d in found if d is not None), default=0.0))


def _by_person(rows: Sequence[Row], metric: str, shares: Mapping[str, float]) -> dict[str, list[Unit]]:
    """identity -> one unit a clip, in the order of the rows."""
    units = make_whole_units(rows, metric)
    return {person: [unit for unit in units if unit.identity == person] for person in shares}


def _swaps(count: int, rng: np.random.Generator) -> np.ndarray:
    """(R, n) of 0 and 1, the clips to swap; the first row swaps none."""
    if count <= EXACT_CLIPS:
        return (np.arange(2**count)[:, None] >> np.arange(count)) & 1
    drawn = rng.integers(2, size=(SWAPS, count))
    return np.concatenate([np.zeros((1, count), drawn.dtype), drawn])


def _swapped(
    a: Mapping[str, list[Unit]],
    b: Mapping[str, list[Unit]],
    shares: Mapping[str, float],
    swaps: np.ndarray,
    estimate: Estimate,
) -> np.ndarray:
    """(R,) value of A - value of B after each swap."""
    total, first = np.zeros(len(swaps)), 0
    for person, share in shares.items():
        mine = swaps[:, first : first + len(a[person])].astype(np.float64)
        first += len(a[person])
        units = [*a[person], *b[person]]
        left = estimate(person, units, np.concatenate([1 - mine, mine], axis=1))
        right = estimate(person, units, np.concatenate([mine, 1 - mine], axis=1))
        total += share * (left - right)
    return total


def _paired_interval(
    found: Permutation,
    metric: str,
    shares: Mapping[str, float],
    estimate: Estimate,
    protocol: Protocol,
    difference: float,
) -> tuple[float | None, float | None]:
    """Percentile interval of the difference; the same clips are drawn for both, because the same seed draws them."""
    seeds = len(found.a)
    units = [[make_units(rows, metric) for rows in part] for part in (found.rows[:seeds], found.rows[seeds:])]
    draws = [
        bootstrap_draws(
            own, shares, protocol.resamples, np.random.default_rng(derive_seed(0, "bootstrap", metric)), estimate
        )
        for own in units
    ]
    if draws[0] is None or draws[1] is None or np.isnan(draws[0] - draws[1]).mean() > 0.5:
        return None, None
    middle = point(units[0], shares, estimate) - point(units[1], shares, estimate)
    low, high = spread(draws[0] - draws[1] - middle, units[0][0], protocol.confidence)
    return difference + low, difference + high


def _clip_values(seeds: Sequence[Mapping[str, list[Unit]]]) -> np.ndarray:
    """(n,) value of each clip, the mean over seeds."""
    table = np.array([[unit.numbers for own in people.values() for unit in own] for people in seeds], dtype=np.float64)
    return (table[..., 0] / table[..., 1]).mean(axis=0)


def _effects(difference: np.ndarray) -> tuple[float | None, float]:
    spread = difference.std(ddof=1) if len(difference) > 1 else 0.0
    effect = float(difference.mean() / spread) if spread > 0 else None
    return effect, float(((difference > 0) + 0.5 * (difference == 0)).mean())
