"""Is one method better than another? Paired permutation over clips, and Holm's correction for many of them.

The clip is the unit: never a window, and never a block of a clip. The people are fixed. Source: docs/protocol.md,
"differences".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facial_bench.core.digests import derive_seed
from facial_bench.core.protocol import Protocol
from facial_bench.statistics.aggregate import common_rows, make_shares, make_units, make_whole_units
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
    """Effect size: mean of the paired differences of clips / their standard deviation (Cohen's d_z); None for pooled
    metrics, and where all differences are alike."""
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
    tested = permute(a, b, metric, estimate)
    if tested is None:
        return None
    asked = {row.request for row in (*a[0], *b[0]) if metric in row.metrics}
    shares = make_shares(tested.rows[0], metric)
    value_a, value_b = _value(tested.a, shares, estimate), _value(tested.b, shares, estimate)
    low, high = _paired_interval(tested, metric, shares, estimate, protocol, value_a - value_b)
    effect: float | None = None
    higher: float | None = None
    if estimate is ratio:
        effect, higher = _effects(_clip_values(tested.a) - _clip_values(tested.b))
    return Difference(
        value_a,
        value_b,
        low,
        high,
        p=tested.p,
        smallest_p=tested.smallest_p,
        clips=tested.clips,
        left_out=len(asked) - tested.clips,
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


def _value(seeds: Sequence[Mapping[str, list[Unit]]], shares: Mapping[str, float], estimate: Estimate) -> float:
    return point([[unit for own in people.values() for unit in own] for people in seeds], shares, estimate)


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
    tested: Permutation,
    metric: str,
    shares: Mapping[str, float],
    estimate: Estimate,
    protocol: Protocol,
    difference: float,
) -> tuple[float | None, float | None]:
    """Percentile interval of the difference; the same clips are drawn for both, because the same seed draws them."""
    seeds = len(tested.a)
    units = [[make_units(rows, metric) for rows in part] for part in (tested.rows[:seeds], tested.rows[seeds:])]
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
