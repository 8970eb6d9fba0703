"""A comparison of methods as a table, as JSON and as a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from facial_bench.core.errors import ResultError
from facial_bench.evaluation.method_comparison import Comparison, Pair
from facial_bench.reports.figures import Panel, critical_differences
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
FAILED = "†: failed on some clips, which count as chance; such a method is never called better"
EFFECT = "effect: mean difference of the clips / its standard deviation (Cohen's d_z)"


def comparison_table(comparison: Comparison) -> str:
    """The pairs as a plain-text table, what p could be at best, and what was skipped."""
    smallest = max(pair.difference.smallest_p for pair in comparison.pairs)
    tests = max(Counter(pair.metric for pair in comparison.pairs).values())
    lines = [
        plain([_cells(pair) for pair in comparison.pairs], HEADERS),
        "",
        f"The smallest p that so few clips can give: {smallest:.3g}; after Holm over the pairs of one metric, here "
        f"{tests}: {min(smallest * tests, 1):.3g}.",
        EFFECT + ".",
        *([FAILED + "."] if any(pair.failed for pair in comparison.pairs) else []),
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
    """A critical-difference picture of the methods that failed on no clip: one panel a metric that has a value for each
    clip.

    Raises:
        ResultError: there is none; FacialBenchError: matplotlib is not installed, or the file cannot be written.
    """
    rows = {label: [result.clips for result in results] for label, results in comparison.groups.items()}
    panels = {}
    for metric in dict.fromkeys(pair.metric for pair in comparison.pairs):
        own = [pair for pair in comparison.pairs if pair.metric == metric]
        failed = {label for pair in own for label in pair.failed}
        own = [pair for pair in own if not pair.failed]
        sound = {label: groups for label, groups in rows.items() if label not in failed}
        ranks = mean_ranks(sound, metric, own[0].higher_is_better) if own else None
        if ranks is not None:
            apart = [(pair.a, pair.b) for pair in own if pair.holm_p < significance]
            clips = min(pair.difference.clips for pair in own)
            note = f"{clips} clips; a bar joins methods that the tests do not tell apart"
            panels[metric] = Panel(ranks, apart, note, sorted(failed))
    if not panels:
        raise ResultError("None of these metrics has a value for each clip: there are no ranks to draw.")
    critical_differences(path, panels)


def _cells(pair: Pair) -> Sequence[str]:
    one = pair.difference
    ends = "no interval" if one.low is None or one.high is None else f"{one.low:.3g}, {one.high:.3g}"
    left_out = f" ({one.left_out} left out)" if one.left_out else ""
    return (
        pair.metric,
        f"{pair.a} †" if pair.a in pair.failed else pair.a,
        f"{pair.b} †" if pair.b in pair.failed else pair.b,
        number(one.a, ""),
        number(one.b, ""),
        f"{one.difference:.3g} [{ends}]",
        f"{one.p:.3g}",
        f"{pair.holm_p:.3g}",
        "–" if one.effect is None else f"{one.effect:.2f}",
        "–" if one.a_higher is None else f"{one.a_higher:.2f}",
        f"{one.clips}{left_out}",
        pair.verdict,
    )
