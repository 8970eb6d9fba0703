"""Numbers as text: cells, and a result as a plain table. What comes from a file of others is made harmless here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from facial_bench.evaluation.result import Ceiling, Metric, Reference, Result
from facial_bench.statistics.aggregate import Summary


def number(value: float | None, unit: str) -> str:
    """A value with the digits that its unit deserves; a dash for none."""
    if value is None:
        return "–"
    return f"{value:.2f}" if unit == "skill" else f"{value:.3f}" if unit == "share" else f"{value:.3g}"


def cell(entry: Summary | Metric | Ceiling, unit: str) -> str:
    """Value and interval."""
    if entry.value is None:
        return "–"
    if entry.low is None:
        return f"{number(entry.value, unit)} [no interval]"
    return f"{number(entry.value, unit)} [{number(entry.low, unit)}, {number(entry.high, unit)}]"


def arrow(higher_is_better: bool | None) -> str:
    """↑, ↓, or ≈ where only the distance to the real value means anything."""
    return "≈" if higher_is_better is None else "↑" if higher_is_better else "↓"


def escape(text: str) -> str:
    """Text from a result file, harmless in a Markdown table: no markup, no HTML, one line."""
    plain = "".join(mark if mark.isprintable() else "\ufffd" for mark in " ".join(str(text).split())).replace(
        "&", "&amp;"
    )
    return "".join(f"&#{ord(mark)};" if mark in "\\`*[]<>|~" else mark for mark in plain)


def markdown(rows: Sequence[Sequence[str]], headers: Sequence[str]) -> str:
    """A Markdown table."""
    from tabulate import tabulate

    return tabulate(rows, headers, tablefmt="pipe", disable_numparse=True)


def plain(rows: Sequence[Sequence[str]], headers: Sequence[str]) -> str:
    """A table for a terminal."""
    from tabulate import tabulate

    return tabulate(rows, headers, tablefmt="simple", disable_numparse=True)


def result_table(result: Result) -> str:
    """A result as a plain-text table."""
    return metrics_table(result.metrics, result.references)


def metrics_table(metrics: Mapping[str, Metric], references: Mapping[str, Reference]) -> str:
    """The entries of `metrics` and `references` of a result as a plain-text table, reasons of refusals below."""
    rows = []
    for name, metric in metrics.items():
        reference = references[name]
        shown = cell(metric, metric.unit) if metric.status != "refused" else "refused"
        failed = f"{metric.n_failed} of {metric.n_clips}" if metric.n_failed else ""
        rows.append(
            [
                f"{name} {arrow(metric.higher_is_better)}",
                metric.unit,
                shown,
                number(reference.chance, metric.unit),
                number(reference.ceiling.value, metric.unit),
                number(metric.skill, "skill"),
                failed,
            ]
        )
    headers = ["metric", "unit", "value [95 %]", "chance", "ceiling", "skill", "failed"]
    reasons = {m.reason for m in metrics.values() if m.status == "refused"}
    return "\n".join([plain(rows, headers), *(f"refused: {reason}" for reason in sorted(reasons))])
