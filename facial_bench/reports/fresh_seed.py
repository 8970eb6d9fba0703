"""What a run on a fresh seed says of a result, as a table: two lines a metric, public corpus above fresh one."""

from __future__ import annotations

from facial_bench.core.errors import printable
from facial_bench.evaluation.fresh_seed import Change, FreshVerdict, Reading
from facial_bench.reports.tables import arrow, cell, number, plain

HEADERS = ("metric", "unit", "corpus", "value [95 %]", "chance", "ceiling", "skill [95 %]", "lost", "")


def fresh_table(verdict: FreshVerdict) -> str:
    """The table, the reasons for what was not compared, what else differs, and the summary."""
    rows = [row for change in verdict.changes for row in _rows(change)]
    reasons = [f"{one.name}: {one.reason}" for one in verdict.changes if one.reason]
    lines = [*reasons, *(f"note: {note}" for note in verdict.notes), verdict.summary()]
    return "\n".join([plain(rows, HEADERS), "", *map(printable, lines)])


def _rows(change: Change) -> list[list[str]]:
    entry = change.published.metric
    word = "falls apart" if change.falls_apart else "not compared" if change.lost is None else ""
    named = [printable(f"{change.name} {arrow(entry.higher_is_better)}"), printable(entry.unit)]
    return [
        [*named, "public", *_numbers(change.published), "", ""],
        ["", "", "fresh", *_numbers(change.fresh), number(change.lost, "skill"), word],
    ]


def _numbers(reading: Reading) -> list[str]:
    unit, ends = reading.metric.unit, reading.skill_ends
    between = f" [{number(ends[0], 'skill')}, {number(ends[1], 'skill')}]" if ends else ""
    return [
        cell(reading.metric, unit) if reading.metric.status == "ok" else reading.metric.status,
        number(reading.reference.chance, unit),
        number(reading.reference.ceiling.value, unit),
        f"{number(reading.skill, 'skill')}{between}",
    ]
