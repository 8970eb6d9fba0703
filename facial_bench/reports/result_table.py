"""One result as a table: a line a metric, or a line a clip."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence

import msgspec

from facial_bench.core.errors import printable
from facial_bench.core.types import FAMILIES, Definition
from facial_bench.evaluation.failed_clips import alike
from facial_bench.evaluation.result import NO_CLIP, Metric, Reference, Result
from facial_bench.evaluation.result_rows import metric_row
from facial_bench.reports.tables import arrow, cell, escape, markdown, number, plain, unscored
from facial_bench.statistics.aggregate import count_undefined
from facial_bench.statistics.rows import Row

COUNTED = "They count as chance or worse, and boards give no rank."
Cells = Mapping[str, object]
"""Column -> value; numbers as they are, to be read by programs."""


def result_table(
    result: Result, definitions: Mapping[str, Definition], shown: str = "ranked", format_: str = "table"
) -> str:
    """The metrics of a result.

    Args:
        result: of one run.
        definitions: id -> definition of every metric known here.
        shown: `ranked`, `all`, or one of `FAMILIES`.
        format_: `csv` and `json` hold all numbers as they are, `table` and `markdown` those that people look at.
    """
    chosen = _chosen(result, definitions, shown)
    metrics = {name: result.metrics[name] for name in chosen}
    if format_ in ("csv", "json"):
        return _data([metric_row(result, name) for name in chosen], format_)
    undefined = {name: count_undefined(result.clips, name) for name in result.metrics}
    text = _table(metrics, result.references, undefined, format_)
    told = {name: _told(result, name) for name in result.metrics}
    lines = [text, *_failures(result), *_reasons(told, undefined), *_more(result, definitions, chosen)]
    return "\n".join(lines if format_ == "table" else lines[:1])


def metrics_table(metrics: Mapping[str, Metric], references: Mapping[str, Reference]) -> str:
    """Metrics without their clips, as a plain-text table."""
    return "\n".join([_table(metrics, references, {}, "table"), *_reasons(metrics, {})])


def clips_table(
    result: Result, definitions: Mapping[str, Definition], shown: str = "ranked", format_: str = "table"
) -> str:
    """What the metrics found in every clip; arguments as of `result_table`. A pooled metric has no value of a clip."""
    chosen = _chosen(result, definitions, shown)
    rows = [_clip_cells(row, chosen) for row in result.clips]
    if format_ in ("csv", "json"):
        return _data(rows, format_)
    units = {name: result.metrics[name].unit for name in chosen}
    texts = [[_text(value, units.get(column, "")) for column, value in row.items()] for row in rows]
    return _laid_out(texts, list(rows[0]), format_)


def _chosen(result: Result, definitions: Mapping[str, Definition], shown: str) -> list[str]:
    """The metrics to show, in the order of the result; all of them where none is ranked."""
    if shown in FAMILIES:
        return [name for name in result.metrics if _family(definitions, name) == shown]
    ranked = [name for name in result.metrics if name in definitions and definitions[name].ranked]
    return ranked if shown == "ranked" and ranked else list(result.metrics)


def _family(definitions: Mapping[str, Definition], metric: str) -> str:
    return definitions[metric].family if metric in definitions else "other"


def _table(
    metrics: Mapping[str, Metric], references: Mapping[str, Reference], undefined: Mapping[str, int], format_: str
) -> str:
    headers = ["metric", "unit", "value [95 %]", "chance", "ceiling", "skill", "failed, undefined"]
    rows = []
    for name, metric in metrics.items():
        reference, without = references[name], undefined.get(name, 0)
        missing = unscored(metric.n_failed - without, without)
        rows.append(
            [
                f"{name} {arrow(metric.higher_is_better)}",
                metric.unit,
                cell(metric, metric.unit) if metric.status == "ok" else _status(metric, without),
                number(reference.chance, metric.unit),
                number(reference.ceiling.value, metric.unit),
                number(metric.skill, "skill"),
                f"{missing} of {metric.n_clips}" if missing else "",
            ]
        )
    if not any(row[-1] for row in rows):
        headers, rows = headers[:-1], [row[:-1] for row in rows]
    return _laid_out(rows, headers, format_)


def _status(metric: Metric, undefined: int) -> str:
    """Why there is no value, in a word; `undefined` where the method failed on no clip."""
    return "undefined" if metric.status == "failed" and undefined == metric.n_failed else metric.status


def _reasons(metrics: Mapping[str, Metric], undefined: Mapping[str, int]) -> list[str]:
    """One line for each reason why there is no value, with the metrics that it concerns."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for name, metric in metrics.items():
        if metric.status != "ok":
            reasons.setdefault((_status(metric, undefined.get(name, 0)), metric.reason), []).append(name)
    return [printable(f"{', '.join(names)} {status}: {why}") for (status, why), names in reasons.items()]


def _told(result: Result, name: str) -> Metric:
    """A metric whose every clip failed for one reason gives that as its own."""
    metric = result.metrics[name]
    entries = [(row, row.metrics[name]) for row in result.clips if name in row.metrics]
    why = alike((row.request, row.identity, entry.reason or row.reason) for row, entry in entries if entry.failed)
    reason = next(iter(why)) if len(why) == 1 and all(entry.failed for _, entry in entries) else ""
    if metric.reason != NO_CLIP or not reason:
        return metric
    return msgspec.structs.replace(metric, reason=f"{NO_CLIP}: {reason}")


def _failures(result: Result) -> list[str]:
    """What failed, and what that does: of whole clips, then of metrics alone, those of the same clips in one line."""
    lost: dict[str, list[tuple[str, str]]] = {}
    for row in result.clips:
        if row.status == "failed":
            lost.setdefault("the method", []).append((row.request, row.reason))
            continue
        for name, entry in row.metrics.items():
            if entry.failed:
                lost.setdefault(name, []).append((row.request, entry.reason))
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, clips in lost.items():
        groups.setdefault(tuple(request for request, _ in clips), []).append(name)
    lines = []
    for requests, names in groups.items():
        reason = lost[names[0]][0][1].removesuffix(".")
        count = f"{len(requests)} of {len(result.clips)} clips, first {requests[0]}"
        lines.append(printable(f"† {', '.join(names)} failed on {count}: {reason}. {COUNTED}"))
    return lines


def _more(result: Result, definitions: Mapping[str, Definition], chosen: Sequence[str]) -> list[str]:
    """How to see the metrics that are not shown."""
    hidden = [name for name in result.metrics if name not in chosen]
    families = [family for family in FAMILIES if any(_family(definitions, name) == family for name in hidden)]
    return [f"{len(hidden)} more: --all, --family {'|'.join(families)}"] if hidden else []


def _clip_cells(row: Row, metrics: Sequence[str]) -> Cells:
    """A value that stands in for one that failed counts, and is not the method's own: `failed` names its metric."""
    entries = {name: row.metrics[name] for name in metrics if name in row.metrics}
    numbers = {name: entry.value for name, entry in entries.items() if isinstance(entry.value, (int, float))}
    values = {name: numbers.get(name) for name in metrics}
    failed = " ".join(name for name, entry in entries.items() if entry.failed)
    named = {"request": row.request, "identity": row.identity, "status": row.status}
    return {**named, **values, "failed": failed, "reason": row.reason}


def _text(value: object, unit: str) -> str:
    return number(value, unit) if value is None or isinstance(value, (int, float)) else str(value)


def _laid_out(rows: Sequence[Sequence[str]], headers: Sequence[str], format_: str) -> str:
    if format_ == "markdown":
        return markdown([[escape(text) for text in row] for row in rows], [escape(text) for text in headers])
    return plain([[printable(text) for text in row] for row in rows], [printable(text) for text in headers])


def _data(rows: Sequence[Cells], format_: str) -> str:
    """Rows for programs."""
    if format_ == "json":
        return json.dumps(rows, indent=1)
    if not rows:
        return ""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().rstrip("\n")
