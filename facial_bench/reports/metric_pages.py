"""The registry of definitions as text: what each number is, where it comes from, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facial_bench.core.errors import ResultError
from facial_bench.core.files import read_json
from facial_bench.core.types import Definition
from facial_bench.metrics.catalog import STANDARD, definition_digest
from facial_bench.reports.tables import arrow, escape, markdown

DIRECTION = {True: "higher is better", False: "lower is better", None: "only the distance to the real value counts"}
Marks = Mapping[str, Mapping[str, Sequence[str]]]
"""metric -> {answers, inert, also}: names of corruptions."""


def read_marks(path: Path) -> tuple[str, Marks]:
    """The name of the corpus, and the verdicts, of a file that `facial-bench certify` wrote.

    Raises:
        ResultError: a file that is none.
    """
    found = read_json(path, ResultError, "Make it with `facial-bench certify`.")
    try:
        marks = {
            str(metric): {kind: [str(name) for name in verdict[kind]] for kind in ("answers", "inert", "also")}
            for metric, verdict in found["metrics"].items()
        }
        return str(found["corpus"]["name"]), marks
    except (KeyError, TypeError, AttributeError):
        raise ResultError(f"{path} is no certification. Make it with `facial-bench certify`.") from None


def describe(one: Definition, source: str, marks: Mapping[str, Marks]) -> str:
    """One definition as text for a terminal."""
    ran = one.id in STANDARD or "accuracy" in one.id
    lines = [
        f"{one.id}  version {one.version}, {one.unit}, {DIRECTION[one.higher_is_better]}",
        "",
        f"formula    {one.formula}",
        f"origin     {one.origin or '–'}",
        f"pitfalls   {one.pitfalls or '–'}",
        f"from       {source}",
        f"digest     {definition_digest(one)}",
        f"measured   {'in every run' if ran else 'on demand: facial-bench score RESULT --metric ' + one.id}",
    ]
    for corpus, own in marks.items():
        lines.append(f"certified  on {corpus}: {_verdict(own.get(one.id))}")
    return "\n".join(lines)


def page(definitions: Sequence[Definition], marks: Mapping[str, Marks]) -> str:
    """The whole registry as Markdown: a table to find one's way, then every definition."""
    headers = ["id", "version", "unit", "", "every run", *(f"certified on {escape(corpus)}" for corpus in marks)]
    rows = [
        [
            f"[`{one.id}`](#{_anchor(one.id)})",
            str(one.version),
            escape(one.unit),
            arrow(vars(one)),
            "yes" if one.id in STANDARD or "accuracy" in one.id else "",
            *(_short(own.get(one.id)) for own in marks.values()),
        ]
        for one in definitions
    ]
    parts = [
        "# The metrics",
        "",
        "Written by `facial-bench metrics --markdown`. ↑ higher is better, ↓ lower is better, ≈ only the distance to "
        "the real value means anything. *inert*: does not answer its own corruption "
        "([certification.md](certification.md)).",
        "",
        markdown(rows, headers),
        "",
    ]
    for one in definitions:
        parts += [
            f"### {one.id}",
            "",
            f"{escape(one.unit)}, {DIRECTION[one.higher_is_better]}; version {one.version}, digest "
            f"`{definition_digest(one)[:16]}`.",
            "",
            f"- **Formula**: {escape(one.formula)}",
            f"- **Origin**: {escape(one.origin or '–')}",
            f"- **Pitfalls**: {escape(one.pitfalls or '–')}",
            *(f"- **Certified on {escape(corpus)}**: {_verdict(own.get(one.id))}" for corpus, own in marks.items()),
            "",
        ]
    return "\n".join(parts)


def _anchor(metric: str) -> str:
    return "".join(mark for mark in metric.lower() if mark.isalnum() or mark in "-_")


def _verdict(verdict: Mapping[str, Sequence[str]] | None) -> str:
    if verdict is None:
        return "not certified"
    names: dict[str, Any] = {"answers": "answers", "inert": "inert to", "also": "also answers"}
    return "; ".join(f"{text} {', '.join(verdict[kind])}" for kind, text in names.items() if verdict[kind]) or "–"


def _short(verdict: Mapping[str, Sequence[str]] | None) -> str:
    if verdict is None:
        return "–"
    return f"inert: {', '.join(verdict['inert'])}" if verdict["inert"] else "✓" if verdict["answers"] else "–"
