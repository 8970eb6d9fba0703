"""Numbers as text, and tables of text. What comes from a file of others is made harmless here."""

from __future__ import annotations

from collections.abc import Sequence

from facial_bench.core.errors import printable
from facial_bench.evaluation.result import Ceiling, Metric
from facial_bench.statistics.aggregate import Summary


def number(value: float | None, unit: str) -> str:
    """A value with the digits that its unit deserves; a dash for none, and never a negative zero.

    >>> number(-7.049, "skill"), number(-4.2e29, "skill"), number(-0.001, "skill"), number(0.012345, "cm")
    ('-7.05', '-4.2e+29', '0.00', '0.0123')
    """
    if value is None:
        return "–"
    digits = {"skill": "z.2f" if abs(value) < 1e5 else ".3g", "share": "z.3f"}.get(unit, "z.3g")
    return format(value, digits)


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


def unscored(failed: int, undefined: int) -> str:
    """How many clips have no value, and why: `1 failed`, `2 undefined`, or both; empty for none.

    >>> unscored(1, 2)
    '1 failed, 2 undefined'
    """
    return ", ".join(f"{count} {why}" for count, why in ((failed, "failed"), (undefined, "undefined")) if count)


def escape(text: str) -> str:
    """Text from a result file, harmless in a Markdown table: no markup, no HTML, one line."""
    plain = printable(text).replace("&", "&amp;")
    return "".join(f"&#{ord(mark)};" if mark in "\\`*[]<>|~" else mark for mark in plain)


def markdown(rows: Sequence[Sequence[str]], headers: Sequence[str]) -> str:
    """A Markdown table."""
    from tabulate import tabulate

    return tabulate(rows, headers, tablefmt="pipe", disable_numparse=True)


def plain(rows: Sequence[Sequence[str]], headers: Sequence[str]) -> str:
    """A table for a terminal."""
    from tabulate import tabulate

    return tabulate(rows, headers, tablefmt="simple", disable_numparse=True)
