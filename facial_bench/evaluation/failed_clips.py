"""What a failed clip counts as: no better than chance, and no better than what the method does elsewhere.

The clip stays in every mean, for the method and for chance alike. Source: docs/protocol.md, "Failures".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace as changed

import numpy as np
from msgspec import UNSET
from msgspec.structs import replace

from facial_bench.core.types import Definition, MetricSpec, Motion
from facial_bench.evaluation.clip_entries import failed_entry, no_value
from facial_bench.evaluation.clip_metrics import MetricSet, measure_clip
from facial_bench.evaluation.requests import Task
from facial_bench.metrics.catalog import STANDARD
from facial_bench.metrics.identity import SELF
from facial_bench.metrics.shares import window_shares
from facial_bench.statistics.rows import Entry, Row

_NUMBER = re.compile(r"[-+]?\d[\d.]*(e[-+]?\d+)?")


def chance_motion(task: Task) -> Motion:
    """The person's mean training state held still for the length of a task's clip: the best constant guess."""
    return Motion.from_state(np.tile(task.request.initial_state, (task.request.frames, 1)))


def worst_share(definition: Definition) -> float | None:
    """The worst value of a share of windows, or of a share with a fixed chance level; None of other metrics."""
    if definition.id not in window_shares() and definition.chance is None:
        return None
    return 0.0 if definition.higher_is_better else 1.0


def fail_all(task: Task, metric_set: MetricSet, reason: str) -> dict[str, Entry]:
    """metric id -> entry of a self-driven clip that the method failed on as a whole."""
    failed = {measure.spec.id: failed_entry(reason) for measure in metric_set.measures}
    return fill_failed(failed, chance_entries(task, metric_set, failed), metric_set)


def chance_entries(task: Task, metric_set: MetricSet, entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """metric id -> entry of the chance motion in a task's clip, of the metrics whose entries failed."""
    failed = [one for one in metric_set.measures if one.spec.id in entries and entries[one.spec.id].failed]
    return measure_clip(changed(metric_set, measures=failed), task.clip, chance_motion(task)) if failed else {}


def fill_failed(entries: Mapping[str, Entry], chance: Mapping[str, Entry], metric_set: MetricSet) -> dict[str, Entry]:
    """The entries of a clip, those that failed with the numbers of chance; what did not fail stays as it is."""
    specs = {measure.spec.id: measure.spec for measure in metric_set.measures}
    return {
        name: _filled(entry, chance[name], specs[name]) if entry.failed else entry for name, entry in entries.items()
    }


def why_failed(entries: Mapping[str, Entry], chance: Mapping[str, Entry]) -> str:
    """Why a clip fails as a whole by what the protocol's own metrics say of it; empty where it does not.

    One failed entry is enough, unless a still face has no value there either: a mouth that does not move hides
    nothing, though it correlates with nothing.
    """
    own = ((name, entry) for name, entry in entries.items() if entry.failed and name in STANDARD)
    return next((entry.reason for name, entry in own if not chance[name].failed), "")


def _filled(entry: Entry, chance: Entry, spec: MetricSpec) -> Entry:
    """A failed entry with the numbers that the clip counts with; without a better direction it has none, and what a
    still face leaves undefined in the same words is undefined here."""
    worst = worst_share(spec)
    if spec.higher_is_better is None and chance.failed and chance.reason == entry.reason:
        return no_value(entry.reason)
    if spec.higher_is_better is None or (chance.numbers is None and worst is None):
        return entry
    counted = replace(chance, reason=entry.reason, failed=True)
    return counted if worst is None else _held(replace(counted, weight=chance.weight or 1), worst)


def _held(entry: Entry, value: float) -> Entry:
    """The entry with this value in each of its blocks."""
    blocks = tuple((value * weight, weight) for _, weight in entry.blocks) or ((value * entry.weight, entry.weight),)
    return replace(entry, value=value, blocks=blocks)


def no_better_than_elsewhere(rows: Sequence[Row], tasks: Sequence[Task], metric_set: MetricSet) -> list[Row]:
    """The rows of a run in one fold, in which no failed clip counts as better than what the method does elsewhere.

    A method that does worse than chance would gain by failing. So a failed clip counts as chance in this clip, and as
    much worse than that as the method's worst scored clip is worse than chance there. Where no clip is worse than
    chance, and for the parts of pooled metrics, of which none is worse than another by itself, it stays chance.

    Args:
        rows: of the tasks, in their order; those that failed with the numbers of chance.
        tasks: what was asked for.
        metric_set: what the clips are measured with.
    """
    failed = {
        name for row in rows for name, entry in row.metrics.items() if entry.failed and _number(entry) is not None
    }
    measures = [one for one in metric_set.measures if one.spec.id in failed and worst_share(one.spec) is None]
    narrow, away = changed(metric_set, measures=measures), {one.spec.id: [0.0] for one in measures}
    for row, task in zip(rows, tasks, strict=True):
        if not measures or task.driving != SELF or row.status == "failed":
            continue
        chance = measure_clip(narrow, task.clip, chance_motion(task))
        for name, values in away.items():
            own, still = _number(row.metrics[name]), _number(chance[name])
            if own is not None and still is not None and not row.metrics[name].failed:
                values.append(own - still)
    better = {one.spec.id: one.spec.higher_is_better for one in measures}
    worst = {name: min(values) if better[name] else max(values) for name, values in away.items()}
    return [
        replace(row, metrics={name: _worse(entry, worst.get(name, 0)) for name, entry in row.metrics.items()})
        for row in rows
    ]


def _worse(entry: Entry, by: float) -> Entry:
    """A failed entry with a value that much away."""
    value = _number(entry) if entry.failed and by else None
    return entry if value is None else _held(entry, value + by)


def _number(entry: Entry) -> float | None:
    """The value of a clip; None of a part."""
    return None if entry.value is UNSET or entry.value is None else float(entry.value)


def causes(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Reason of the first -> requests that failed of one cause; see `alike`."""
    return alike((row.request, row.identity, row.reason) for row in rows if row.status == "failed")


def alike(told: Iterable[tuple[str, str, str]]) -> dict[str, list[str]]:
    """First reason -> requests of reasons that are one but for their numbers, and for whom they are about.

    Args:
        told: request id, identity and reason of each.

    >>> alike([("self/a@0", "p", "no output a@0"), ("self/b@9", "q", "no output b@9"), ("cross/c@0", "p", "late")])
    {'no output a@0': ['self/a@0', 'self/b@9'], 'late': ['cross/c@0']}
    """
    first: dict[str, str] = {}
    names: dict[str, list[str]] = {}
    for request, identity, reason in told:
        general, clip = reason, request.split("/", 1)[-1].rpartition("@")[0]
        for own in (request, clip, identity):
            general = re.sub(rf"(?<!\w){re.escape(own)}(?!\w)", "#", general) if own else general
        shown = first.setdefault(_NUMBER.sub("#", general), reason)
        names.setdefault(shown, []).append(request)
    return names
