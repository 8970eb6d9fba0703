"""From rows to a metric's value and interval: the estimator is stated once, here.

Accuracies are balanced over identities: the share of windows recognised, of each identity, averaged. Distances
are means over clips. A pooled metric is computed of a person's clips together, then averaged over identities. The clip
is the unit of resampling; an identity's only clip is resampled in blocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from facial_bench.core.digests import derive_seed
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Pool
from facial_bench.metrics.identity import accuracies
from facial_bench.statistics.bootstrap import Estimate, Unit, interval, point, ratio

Row = Mapping[str, Any]


def is_scored(entry: Mapping[str, Any]) -> bool:
    """Whether a row's entry holds something to estimate from."""
    return "part" in entry or entry.get("value") is not None


def scored_rows(rows: Sequence[Row], metric: str) -> list[Row]:
    """The rows that hold a value, or a part of a pooled one, of the metric."""
    return [row for row in rows if is_scored(row["metrics"].get(metric, {}))]


def estimator(pool: Pool | None, reference: Mapping[str, Any]) -> Estimate:
    """How one identity's value comes from its units: a mean, or the pool's estimate against its real motion.

    Args:
        pool: of the metric; None for a mean.
        reference: the metric's entry of `references`, which holds `parts` where there is a pool.
    """
    if pool is None:
        return ratio

    def pooled(identity: str, units: Sequence[Unit], counts: np.ndarray) -> np.ndarray:
        return np.asarray(pool.estimate([u.numbers for u in units], counts, reference["parts"][identity]), np.float64)

    return pooled


def make_units(rows: Sequence[Row], metric: str) -> list[Unit]:
    """Units of resampling: clips, or the blocks of an identity's only clip."""
    people: dict[str, list[Mapping[str, Any]]] = {}
    for row in scored_rows(rows, metric):
        people.setdefault(row["identity"], []).append(row["metrics"][metric])
    units = []
    for person, entries in people.items():
        if len(entries) == 1:
            units += [Unit(person, tuple(block)) for block in entries[0]["blocks"]]
        else:
            units += [_whole(person, entry) for entry in entries]
    return units


def make_whole_units(rows: Sequence[Row], metric: str) -> list[Unit]:
    """One unit a clip, also where it is the person's only one."""
    return [_whole(row["identity"], row["metrics"][metric]) for row in scored_rows(rows, metric)]


def _whole(person: str, entry: Mapping[str, Any]) -> Unit:
    part = entry["part"] if "part" in entry else (entry["value"] * entry["weight"], entry["weight"])
    return Unit(person, tuple(part))


def make_shares(rows: Sequence[Row], metric: str) -> dict[str, float]:
    """identity -> its share of the value: by clips for distances, equal for accuracies and pooled metrics."""
    scored = scored_rows(rows, metric)
    names = [row["identity"] for row in scored]
    people = list(dict.fromkeys(names))
    if metric in accuracies() or any("part" in row["metrics"][metric] for row in scored):
        return {person: 1 / len(people) for person in people}
    return {person: names.count(person) / len(names) for person in people}


def common_rows(groups: Sequence[Sequence[Row]], metric: str) -> list[list[Row]]:
    """The rows of each group whose request is scored in every group."""
    common = set.intersection(*({row["request"] for row in scored_rows(rows, metric)} for rows in groups))
    return [[row for row in rows if row["request"] in common] for rows in groups]


def summarise(
    groups: Sequence[Sequence[Row]], metric: str, protocol: Protocol, estimate: Estimate = ratio
) -> dict[str, Any]:
    """Value, interval and counts of a metric over one or more training seeds.

    Args:
        groups: the rows of each seed; the same clips in each.
        metric: its id.
        protocol: for the resampling.
        estimate: of one identity; see `estimator`.

    Returns:
        `value`, `low`, `high` (None where there is nothing to score, or no interval can be had), `n_clips`, `n_failed`.
    """
    present = [row for rows in groups for row in rows if not row["metrics"].get(metric, {"absent": True}).get("absent")]
    failed = sum(row["status"] == "failed" or not is_scored(row["metrics"][metric]) for row in present)
    empty = {"value": None, "low": None, "high": None, "n_clips": len(present) // len(groups), "n_failed": failed}
    if not present or all(row["status"] == "failed" for row in present):
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
        proportion=metric in accuracies(),
    )
    low, high = ends or (None, None)
    return {**empty, "value": value, "low": low, "high": high}
