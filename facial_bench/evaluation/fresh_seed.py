"""Does a method do on clips that nobody has seen what it did on the public ones? Two results, metric by metric.

Values of two corpora cannot be compared, since chance and ceiling differ; skills can. A skill counts up to 1, the
ceiling: what lies above is no merit, and how far above it lies depends on the corpus more than on the method.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from facial_bench.evaluation.result import Metric, Reference, Result, disagreement, skill
from facial_bench.metrics.catalog import all_definitions
from facial_bench.metrics.shares import window_shares

MARGIN = 0.15
"""Skill that a method may lose from one corpus to another before it counts, of a distance; honest ones lost up to 0.06
(`studies.fresh_seed`, docs/verification.md)."""
ACCURACY_MARGIN = 0.6
"""The same of a share (accuracies, realism, speech coupling): each corpus trains networks of its own, and honest
methods lost up to 0.49 of an accuracy."""


@dataclass(frozen=True)
class Reading:
    """A metric on one corpus."""

    metric: Metric
    reference: Reference

    @property
    def skill(self) -> float | None:
        """(value - chance) / (ceiling - chance), unclipped; None where there is none."""
        return self._skill(self.metric.value)

    @property
    def skill_ends(self) -> tuple[float, float] | None:
        """The interval of the value in skill, low end first; the value twice where it has no interval."""
        low = self._skill(self.metric.value if self.metric.low is None else self.metric.low)
        high = self._skill(self.metric.value if self.metric.high is None else self.metric.high)
        return None if low is None or high is None else (min(low, high), max(low, high))

    def _skill(self, value: float | None) -> float | None:
        return skill(value, self.reference.chance, self.reference.ceiling.value)

    def as_json(self) -> dict[str, Any]:
        """Plain values: `value`, `low`, `high`, `chance`, `ceiling`, `skill`, `skill_low`, `skill_high`, `status`."""
        entry, ends = self.metric, self.skill_ends or (None, None)
        return {
            **{"value": entry.value, "low": entry.low, "high": entry.high, "status": entry.status},
            **{"chance": self.reference.chance, "ceiling": self.reference.ceiling.value},
            **{"skill": self.skill, "skill_low": ends[0], "skill_high": ends[1]},
        }


@dataclass(frozen=True)
class Change:
    """A metric on the public corpus and on the fresh one."""

    name: str
    published: Reading
    fresh: Reading
    lost: float | None
    """Skill up to the ceiling, public minus fresh; None where they cannot be compared."""
    falls_apart: bool
    reason: str = ""
    """Why they cannot be compared, or why that says enough."""


@dataclass(frozen=True)
class FreshVerdict:
    """What a run on a fresh seed says of a result."""

    changes: tuple[Change, ...]
    seed: int
    """Of the fresh corpus: `corpus make synthetic DEST --option seed=N` makes it again."""
    notes: tuple[str, ...] = ()
    """What else differs between the two runs, a line each."""

    @property
    def falls_apart(self) -> tuple[str, ...]:
        """The metrics that do."""
        return tuple(change.name for change in self.changes if change.falls_apart)

    def summary(self) -> str:
        """One line over all of it."""
        compared = sum(change.lost is not None or change.falls_apart for change in self.changes)
        if not compared:
            return "nothing could be compared"
        if not self.falls_apart:
            return f"holds on clips that it cannot have seen; {compared} metrics compared"
        named = ", ".join(self.falls_apart)
        return f"falls apart on clips that it cannot have seen: {named}; {compared} metrics compared"

    def as_json(self) -> dict[str, Any]:
        """Plain values: `falls_apart`, `seed` (text: it may have 19 digits), `notes`, `metrics`."""
        metrics = {
            one.name: {
                "published": one.published.as_json(),
                "fresh": one.fresh.as_json(),
                "lost": one.lost,
                "falls_apart": one.falls_apart,
                "reason": one.reason,
            }
            for one in self.changes
        }
        return {
            "falls_apart": list(self.falls_apart),
            "seed": str(self.seed),
            "notes": list(self.notes),
            "metrics": metrics,
        }


def compare_fresh(published: Result, fresh: Result, names: Sequence[str]) -> tuple[Change, ...]:
    """Two results of one method, on the public corpus and on one that nobody had seen.

    A metric falls apart where the intervals of the two skills, each counted up to the ceiling, do not overlap, the
    public one is the higher, and more than the margin is lost; or where the method had a value and has none now.

    Args:
        published: on the public corpus.
        fresh: on the other one.
        names: of the metrics to compare; what one of the results does not have is left out.
    """
    held = [name for name in names if name in published.metrics and name in fresh.metrics]
    return tuple(
        _change(
            name,
            Reading(published.metrics[name], published.references[name]),
            Reading(fresh.metrics[name], fresh.references[name]),
        )
        for name in held
    )


def margin_of(name: str) -> float:
    """Skill that an honest method may lose on a metric: more on a share, of windows or with a fixed chance level."""
    known = all_definitions().get(name)
    fixed = known is not None and known.chance is not None
    return ACCURACY_MARGIN if fixed or name in window_shares() else MARGIN


def _change(name: str, published: Reading, fresh: Reading) -> Change:
    differ = disagreement([published.metric, fresh.metric])
    if differ:
        return Change(name, published, fresh, None, False, differ)
    if published.metric.status == "ok" and fresh.metric.status in ("failed", "undefined"):
        return Change(name, published, fresh, None, True, f"no value on the fresh seed: {fresh.metric.reason}")
    before, now = _up_to_ceiling(published), _up_to_ceiling(fresh)
    if before is None or now is None:
        reasons = [one.metric.reason for one in (published, fresh) if one.metric.reason]
        return Change(name, published, fresh, None, False, reasons[0] if reasons else "it has no skill")
    lost, overlap = before[1] - now[1], before[0] <= now[2]
    return Change(name, published, fresh, lost, lost > margin_of(name) and not overlap)


def _up_to_ceiling(reading: Reading) -> tuple[float, float, float] | None:
    """(low, skill, high), each at most 1."""
    value, ends = reading.skill, reading.skill_ends
    return None if value is None or ends is None else (min(ends[0], 1.0), min(value, 1.0), min(ends[1], 1.0))
