"""From rows to a metric's value and interval: the estimator is stated once, here.

Accuracies are balanced over identities: the share of windows recognised, of each identity, averaged. Distances
are means over clips. A pooled metric is computed of a person's clips together, then averaged over identities. The clip
is the unit of resampling; an identity's only clip is resampled in blocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from msgspec import UNSET

from facial_bench.core.digests import derive_seed
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Pool
from facial_bench.metrics.shares import window_shares
from facial_bench.statistics.bootstrap import Estimate, Unit, interval, point, ratio
from facial_bench.statistics.rows import Row


@dataclass(frozen=True)
class Summary:
    """A metric over the clips of one or more training seeds."""

    value: float | None
    """In the unit of the metric; None where there is nothing to score, or it is not defined for one of the people."""
    low: float | None
    """End of the interval; None where none can be had."""
    high: float | None
    n_clips: int
    """Clips that were asked for, of each seed."""
    n_failed: int
    """Clips without a value, over all seeds: the method failed, or the metric is not defined for them."""
    n_undefined: int = 0
    """Those of them on which the method did not fail: the metric is not defined there."""


def is_scored(row: Row, metric: str) -> bool:
    """Whether a row holds a value, or a part of a pooled one, of the metric."""
    entry = row.metrics.get(metric)
    return entry is not None and entry.numbers is not None


def scored_rows(rows: Sequence[Row], metric: str) -> list[Row]:
    """The rows that hold something to estimate the metric from."""
    return [row for row in rows if is_scored(row, metric)]


def count_undefined(rows: Sequence[Row], metric: str) -> int:
    """Clips on which the method did not fail, and the metric is not defined."""
    entries = [row.metrics[metric] for row in rows if row.status == "ok" and metric in row.metrics]
    return sum(entry.numbers is None and not entry.absent for entry in entries)


def is_pooled(rows: Sequence[Row], metric: str) -> bool:
    """Whether rows hold parts of the metric, and no value of a clip."""
    return any(row.metrics[metric].part is not UNSET for row in rows if metric in row.metrics)


def estimator(pool: Pool | None, parts: Mapping[str, Sequence[float]]) -> Estimate:
    """How one identity's value comes from its units: a mean, or the pool's estimate against its real motion.

    Args:
        pool: of the metric; None for a mean.
        parts: identity -> what the person's real motion reduces to; looked at only where there is a pool.
    """
    if pool is None:
        return ratio

    def pooled(identity: str, units: Sequence[Unit], counts: np.ndarray) -> np.ndarray:
        return np.asarray(pool.estimate([u.numbers for u in units], counts, parts[identity]), np.float64)

    return pooled


def make_units(rows: Sequence[Row], metric: str) -> list[Unit]:
    """Units of resampling: clips, or the blocks of an identity's only clip."""
    people: dict[str, list[Row]] = {}
    for row in scored_rows(rows, metric):
        people.setdefault(row.identity, []).append(row)
    units: list[Unit] = []
    for person, own in people.items():
        if len(own) == 1:
            units += [Unit(person, block) for block in own[0].metrics[metric].blocks]
        else:
            units += make_whole_units(own, metric)
    return units


def make_whole_units(rows: Sequence[Row], metric: str) -> list[Unit]:
    """One unit a clip, also where it is the person's only one."""
    pairs = ((row.identity, row.metrics[metric].numbers) for row in rows if metric in row.metrics)
    return [Unit(person, numbers) for person, numbers in pairs if numbers is not None]


def make_shares(rows: Sequence[Row], metric: str) -> dict[str, float]:
    """identity -> its share of the value: by clips for distances, equal for accuracies and pooled metrics."""
    scored = scored_rows(rows, metric)
    names = [row.identity for row in scored]
    people = list(dict.fromkeys(names))
    if metric in window_shares() or is_pooled(scored, metric):
        return {person: 1 / len(people) for person in people}
    return {person: names.count(person) / len(names) for person in people}


def common_rows(groups: Sequence[Sequence[Row]], metric: str) -> list[list[Row]]:
    """The rows of each group whose request is scored in every group."""
    common = set.intersection(*({row.request for row in scored_rows(rows, metric)} for rows in groups))
    return [[row for row in rows if row.request in common] for rows in groups]


def summarise(groups: Sequence[Sequence[Row]], metric: str, protocol: Protocol, estimate: Estimate = ratio) -> Summary:
    """Value, interval and counts of a metric over one or more training seeds.

    Args:
        groups: the rows of each seed; the same clips in each.
        metric: its id.
        protocol: for the resampling.
        estimate: of one identity; see `estimator`.
    """
    asked = [row for rows in groups for row in rows if metric in row.metrics and not row.metrics[metric].absent]
    undefined = count_undefined(asked, metric)
    failed = sum(row.status == "failed" for row in asked)
    empty = Summary(None, None, None, len(asked) // len(groups), failed + undefined, undefined)
    if failed == len(asked):
        return empty
    kept = common_rows(groups, metric)
    if not kept[0]:
        return empty
    shares = make_shares(kept[0], metric)
    value = point([make_whole_units(rows, metric) for rows in kept], shares, estimate)
    if not np.isfinite(value):
        return empty
    ends = interval(
        [make_units(rows, metric) for rows in kept],
        shares,
        value=value,
        estimate=estimate,
        resamples=protocol.resamples,
        confidence=protocol.confidence,
        rng=np.random.default_rng(derive_seed(0, "bootstrap", metric)),
        proportion=metric in window_shares(),
    )
    low, high = ends or (None, None)
    return replace(empty, value=value, low=low, high=high)
