"""From rows to a metric's value and interval: the estimator is stated once, here.

Accuracies are balanced over identities: the share of windows recognised, of each identity, averaged. Distances
are means over clips. The clip is the unit of resampling; an identity's only clip is resampled in blocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from facial_bench.protocol import Protocol, derive_seed
from facial_bench.scoring import accuracies
from facial_bench.stats import Unit, interval, ratio

Row = Mapping[str, Any]


def scored_rows(rows: Sequence[Row], metric: str) -> list[Row]:
    """The rows that hold a value of the metric."""
    return [row for row in rows if row["metrics"].get(metric, {}).get("value") is not None]


def make_units(rows: Sequence[Row], metric: str) -> list[Unit]:
    """Units of resampling: clips, or the blocks of an identity's only clip."""
    people: dict[str, list[Mapping[str, Any]]] = {}
    for row in scored_rows(rows, metric):
        people.setdefault(row["identity"], []).append(row["metrics"][metric])
    units = []
    for person, entries in people.items():
        if len(entries) == 1:
            units += [Unit(person, total, weight) for total, weight in entries[0]["blocks"]]
        else:
            units += [Unit(person, entry["value"] * entry["weight"], entry["weight"]) for entry in entries]
    return units


def make_shares(rows: Sequence[Row], metric: str) -> dict[str, float]:
    """identity -> its share of the value: equal for accuracies, by clips for distances."""
    scored = [row["identity"] for row in scored_rows(rows, metric)]
    people = list(dict.fromkeys(scored))
    if metric in accuracies():
        return {person: 1 / len(people) for person in people}
    return {person: scored.count(person) / len(scored) for person in people}


def summarise(groups: Sequence[Sequence[Row]], metric: str, protocol: Protocol) -> dict[str, Any]:
    """Value, interval and counts of a metric over one or more training seeds.

    Args:
        groups: the rows of each seed; the same clips in each.
        metric: its id.
        protocol: for the resampling.

    Returns:
        `value`, `low`, `high` (None where there is nothing to score, or no interval can be had), `n_clips`, `n_failed`.
    """
    present = [row for rows in groups for row in rows if metric in row["metrics"]]
    counts = {
        "n_clips": len(present) // len(groups),
        "n_failed": sum(row["status"] == "failed" or row["metrics"][metric].get("value") is None for row in present),
    }  # fmt: skip
    empty = {"value": None, "low": None, "high": None, **counts}
    if not present or all(row["status"] == "failed" for row in present):
        return empty
    common = set.intersection(*({row["request"] for row in scored_rows(rows, metric)} for rows in groups))
    kept = [[row for row in rows if row["request"] in common] for rows in groups]
    if not common:
        return empty
    shares = make_shares(kept[0], metric)
    units = [make_units(rows, metric) for rows in kept]
    ends = interval(
        units, shares, resamples=protocol.resamples, confidence=protocol.confidence,
        rng=np.random.default_rng(derive_seed(0, "bootstrap", metric)), proportion=metric in accuracies(),
    )  # fmt: skip
    low, high = ends or (None, None)
    return {"value": float(np.mean([ratio(own, shares) for own in units])), "low": low, "high": high, **counts}
