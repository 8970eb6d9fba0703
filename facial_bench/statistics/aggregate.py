"""From rows to a metric's value and interval: the estimator is stated once, here.

Shares of windows are balanced over identities: of each identity, then averaged. Distances are means over clips, by
their weights. A pooled metric is computed of a person's clips together, then averaged over identities. The clip is the
unit of resampling; an identity's only clip is resampled in blocks. A clip that failed counts with what its entry holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from msgspec import UNSET

from facial_bench.core.digests import derive_seed
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Pool
from facial_bench.metrics.shares import clip_shares, window_shares
from facial_bench.statistics.bootstrap import Estimate, Unit, interval, point, ratio
from facial_bench.statistics.jackknife import jackknife_interval, left_out_values
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
    """Clips without a value of their own, over all seeds: the method failed, or the metric is not defined for them."""
    n_undefined: int = 0
    """Those of them on which the method did not fail: the metric is not defined there."""
    undefined_people: tuple[str, ...] = ()
    """People for whom this method has no value of a pooled metric, though their real motion has one: then there is no
    value at all, since a mean over other people is another quantity."""
    left_out_people: tuple[str, ...] = ()
    """People whose real motion leaves a pooled metric undefined (nobody blinks in it): left out for every method."""
    no_interval: str = ""
    """Why there is a value and no interval."""


@dataclass(frozen=True)
class Pooled:
    """The `Estimate` of a pooled metric: all clips of a person together, against the person's real motion."""

    pool: Pool
    parts: Mapping[str, Sequence[float]]
    """identity -> what the person's real motion reduces to."""

    def __call__(self, identity: str, units: Sequence[Unit], counts: np.ndarray) -> np.ndarray:
        """(R,) values of a person; see `Estimate`."""
        parts = [unit.numbers for unit in units]
        return np.asarray(self.pool.estimate(parts, counts, self.parts[identity]), np.float64)

    @cached_property
    def people(self) -> frozenset[str]:
        """Those whose real motion has a value against itself. Of others no method can have one."""
        one = np.ones((1, 1))
        found = {person: self.pool.estimate([real], one, real)[0] for person, real in self.parts.items()}
        return frozenset(person for person, value in found.items() if np.isfinite(value))


def is_scored(row: Row, metric: str) -> bool:
    """Whether a row holds a value, or a part of a pooled one, of the metric."""
    entry = row.metrics.get(metric)
    return entry is not None and entry.numbers is not None


def scored_rows(rows: Sequence[Row], metric: str) -> list[Row]:
    """The rows that hold something to estimate the metric from."""
    return [row for row in rows if is_scored(row, metric)]


def count_failed(rows: Sequence[Row], metric: str) -> int:
    """Clips that count as failed for a metric that was asked of them: the method failed as a whole, or here."""
    asked = [row for row in rows if metric in row.metrics and not row.metrics[metric].absent]
    return sum(row.status == "failed" or row.metrics[metric].failed for row in asked)


def count_undefined(rows: Sequence[Row], metric: str) -> int:
    """Clips on which the method did not fail, and the metric is not defined."""
    entries = [row.metrics[metric] for row in rows if row.status == "ok" and metric in row.metrics]
    return sum(entry.numbers is None and not entry.absent and not entry.failed for entry in entries)


def is_pooled(rows: Sequence[Row], metric: str) -> bool:
    """Whether rows hold parts of the metric, and no value of a clip."""
    return any(row.metrics[metric].part is not UNSET for row in rows if metric in row.metrics)


def estimator(pool: Pool | None, parts: Mapping[str, Sequence[float]]) -> Estimate:
    """How one identity's value comes from its units: a mean, or the pool's estimate against its real motion.

    Args:
        pool: of the metric; None for a mean.
        parts: identity -> what the person's real motion reduces to; looked at only where there is a pool.
    """
    return ratio if pool is None else Pooled(pool, parts)


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


def make_shares(rows: Sequence[Row], metric: str, estimate: Estimate = ratio) -> dict[str, float]:
    """identity -> its share of the value: by the weights of clips for distances, equal for shares of windows and pooled
    metrics. Empty where nothing is scored; people whose real motion leaves a pooled metric undefined have none."""
    weights: dict[str, float] = {}
    for row in scored_rows(rows, metric):
        weights[row.identity] = weights.get(row.identity, 0.0) + row.metrics[metric].weight
    if isinstance(estimate, Pooled):
        weights = {person: weight for person, weight in weights.items() if person in estimate.people}
    if metric in window_shares() or is_pooled(rows, metric):
        return dict.fromkeys(weights, 1 / len(weights)) if weights else {}
    total = sum(weights.values())
    return {person: weight / total for person, weight in weights.items()}


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
    failed, undefined = count_failed(asked, metric), count_undefined(asked, metric)
    empty = Summary(None, None, None, len(asked) // len(groups), failed + undefined, undefined)
    kept = common_rows(groups, metric)
    if failed == len(asked) or not kept[0]:
        return empty
    shares = make_shares([row for rows in kept for row in rows], metric, estimate)
    out = tuple(sorted({row.identity for row in kept[0] if metric in row.metrics} - set(shares)))
    whole = [make_whole_units(rows, metric) for rows in kept]
    lacking = tuple(person for person in shares if not np.isfinite(point(whole, {person: 1.0}, estimate)))
    empty = replace(empty, undefined_people=lacking, left_out_people=out)
    if lacking or not shares:
        return empty
    value = point(whole, shares, estimate)
    units = [make_units(rows, metric) for rows in kept]
    if isinstance(estimate, Pooled):
        ends = jackknife_interval(units, shares, confidence=protocol.confidence, estimate=estimate, value=value)
    else:
        ends = interval(
            units,
            shares,
            value=value,
            resamples=protocol.resamples,
            confidence=protocol.confidence,
            rng=np.random.default_rng(derive_seed(0, "bootstrap", metric)),
            proportion=metric in clip_shares(),
        )
    if ends is None:
        return replace(empty, value=value, no_interval=_why_no_interval(units, shares, estimate))
    return replace(empty, value=value, low=ends[0], high=ends[1])


def _why_no_interval(groups: Sequence[Sequence[Unit]], shares: Mapping[str, float], estimate: Estimate) -> str:
    for person in shares:
        own = [[unit for unit in units if unit.identity == person] for units in groups]
        if len(own[0]) < 2:
            return f"{person} has a single clip, and no two blocks of it"
        if len({len(units) for units in own}) > 1:
            return f"the training seeds have different blocks of {person}'s only clip"
        if not all(np.isfinite(left_out_values(person, units, estimate)).all() for units in own):
            return f"{person} has no value without one of the clips"
    return "the clips do not differ"
