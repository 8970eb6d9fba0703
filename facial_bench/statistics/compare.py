"""Is one method better than another? The test of a pair as a record, and Holm's correction for many of them.

The clip is the unit: never a window, and never a block of a clip. The people are fixed. Source: docs/protocol.md,
"differences".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facial_bench.core.protocol import Protocol
from facial_bench.statistics.bootstrap import Estimate, ratio
from facial_bench.statistics.permutation import Groups, People, permute


@dataclass(frozen=True)
class Difference:
    """How A differs from B on one metric."""

    a: float
    b: float
    difference: float
    """a - b, as it was tested: who is ahead is read from its sign."""
    low: float | None
    """End of the interval of a - b: the differences that the test does not reject, so that 0 lies outside exactly where
    p is below 1 - confidence. None where so few clips reject nothing."""
    high: float | None
    p: float
    """Two-sided, of the paired permutation over clips and of the variance of the training seeds."""
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
    seeds: int
    """Training seeds of each that were compared."""

    @property
    def about_trained_models(self) -> bool:
        """Whether one training seed of each was compared: p says nothing of what other seeds would give."""
        return self.seeds == 1


def compare(a: Groups, b: Groups, metric: str, estimate: Estimate, protocol: Protocol) -> Difference | None:
    """A against B; None where there is nothing to compare.

    Args:
        a, b, metric, estimate: as for `permute`.
        protocol: for the confidence of the interval.
    """
    tested = permute(a, b, metric, estimate)
    if tested is None:
        return None
    asked = {row.request for row in (*a[0], *b[0]) if metric in row.metrics}
    low, high = tested.test.interval(protocol.confidence) or (None, None)
    effect: float | None = None
    higher: float | None = None
    if estimate is ratio:
        effect, higher = _effects(_clip_values(tested.a) - _clip_values(tested.b))
    return Difference(
        *tested.values,
        tested.difference,
        low,
        high,
        p=tested.p,
        smallest_p=tested.smallest_p,
        clips=tested.clips,
        left_out=len(asked) - tested.clips,
        effect=effect,
        a_higher=higher,
        seeds=tested.seeds,
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


def _clip_values(seeds: Sequence[People]) -> np.ndarray:
    """(n,) value of each clip, the mean over seeds."""
    table = np.array([[unit.numbers for own in people.values() for unit in own] for people in seeds], dtype=np.float64)
    return (table[..., 0] / table[..., 1]).mean(axis=0)


def _effects(difference: np.ndarray) -> tuple[float | None, float]:
    spread = difference.std(ddof=1) if len(difference) > 1 else 0.0
    effect = float(difference.mean() / spread) if spread > 0 else None
    return effect, float(((difference > 0) + 0.5 * (difference == 0)).mean())
