"""A comparison of methods as a table, as JSON and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from facial_bench.core.errors import ResultError
from facial_bench.evaluation.method_comparison import Comparison, Pair
from facial_bench.reports.figures import critical_differences
from facial_bench.reports.tables import number, plain
from facial_bench.statistics.ranks import mean_ranks

HEADERS = (
    "metric",
    "A",
    "B",
    "A's value",
    "B's value",
    "A - B [95 %]",
    "p",
    "Holm p",
    "effect",
    "A higher",
    "clips",
    "verdict",
)
EFFECT = "effect: mean difference of the clips / its standard deviation (Cohen's d_z)"


def comparison_table(comparison: Comparison) -> str:
    """The pairs as a plain-text table, what p could be at best, and what was skipped."""
    smallest, tests = max(pair.difference.smallest_p for pair in comparison.pairs), len(comparison.pairs)
    lines = [
        plain([_cells(pair) for pair in comparison.pairs], HEADERS),
        "",
        f"The smallest p that so few clips can give: {smallest:.3g}; after Holm over {tests} tests: "
        f"{min(smallest * tests, 1):.3g}.",
        EFFECT + ".",
        *(f"not compared: {', '.join(names)}: {reason}" for reason, names in comparison.skipped.items()),
        *(f"note: {line}" for line in comparison.notes),
    ]
    return "\n".join(lines)


def as_json(comparison: Comparison) -> list[dict[str, Any]]:
    """One object a pair and metric; `value_a`, `value_b` and the fields of `Pair` and `Difference`."""
    objects = []
    for pair in comparison.pairs:
        fields = asdict(pair)
        difference = fields.pop("difference")
        values = {"value_a": difference.pop("a"), "value_b": difference.pop("b")}
        objects.append({**fields, **values, **difference})
    return objects


def draw_ranks(comparison: Comparison, path: Path, significance: float) -> None:
    """A critical-difference picture: one panel a metric that has a value for each clip.

    Raises:
        ResultError: there is none; FacialBenchError: matplotlib is not installed, or the file cannot be written.
    """
    rows = {label: [result.clips for result in results] for label, results in comparison.groups.items()}
    panels = {}
    for metric in dict.fromkeys(pair.metric for pair in comparison.pairs):
        own = [pair for pair in comparison.pairs if pair.metric == metric]
        ranks = mean_ranks(rows, metric, own[0].higher_is_better)
        if ranks is not None:
            apart = [(pair.a, pair.b) for pair in own if pair.holm_p < significance]
            clips = min(pair.difference.clips for pair in own)
            panels[metric] = (ranks, apart, f"{clips} clips; a bar joins methods that the tests do not tell apart")
    if not panels:
        raise ResultError("None of these metrics has a value for each clip: there are no ranks to draw.")
    critical_differences(path, panels)


def _cells(pair: Pair) -> Sequence[str]:
    one = pair.difference
    ends = "no interval" if one.low is None or one.high is None else f"{one.low:.3g}, {one.high:.3g}"
    left_out = f" ({one.left_out} left out)" if one.left_out else ""
    return (
        pair.metric,
        pair.a,
        pair.b,
        number(one.a, ""),
        number(one.b, ""),
        f"{one.a - one.b:.3g} [{ends}]",
        f"{one.p:.3g}",
        f"{pair.holm_p:.3g}",
        "–" if one.effect is None else f"{one.effect:.2f}",
        "–" if one.a_higher is None else f"{one.a_higher:.2f}",
        f"{one.clips}{left_out}",
        pair.verdict,
    )
