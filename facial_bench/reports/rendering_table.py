"""A rendering as a table: each metric with its interval, between chance and ceiling."""

from __future__ import annotations

from tabulate import tabulate

from facial_bench.core.errors import printable
from facial_bench.evaluation.result_schema import Metric
from facial_bench.rendering.result import REAL, Rendering


def rendering_table(rendering: Rendering) -> str:
    """The text of a rendering: what was rendered, the metrics, and how much was compared."""
    rows = []
    for name, metric in rendering.metrics.items():
        reference = rendering.references[name]
        rows.append(
            [
                name,
                _value(metric),
                _interval(metric),
                _number(reference.chance),
                _number(reference.ceiling.value),
                metric.unit,
            ]
        )
    headers = ["metric", "value", "95 % interval", "mean picture", "real, encoded", "unit"]
    scored = sum(row.shown[0] for row in rendering.clips)
    frames = sum(row.shown[1] for row in rendering.clips)
    failed = sum(row.status == "failed" for row in rendering.clips)
    off = max((float(row.farthest_ms) for row in rendering.clips), default=0.0)
    what = "real motion" if rendering.driving.motion == REAL else f"motion of {rendering.driving.motion}"
    title = (
        f"{rendering.renderer.label} on {rendering.corpus.label}, {what}, seed {rendering.seed}, "
        f"{rendering.protocol.size} x {rendering.protocol.size} px"
    )
    note = (
        f"{scored} of {frames} frames of {len(rendering.clips)} stretches compared"
        + (f", {failed} stretches failed" if failed else "")
        + f"; the video's frames are at most {off:.0f} ms off"
    )
    speed = rendering.timing.get("render_fps")
    note += f"; rendered at {speed} frames/s" if speed else ""
    table = tabulate(rows, headers, tablefmt="simple", disable_numparse=True, stralign="right", colalign=("left",))
    return printable(title) + "\n\n" + table + "\n\n" + note


def _value(metric: Metric) -> str:
    return _number(metric.value) if metric.status == "ok" else f"{metric.status}: {printable(metric.reason)}"


def _interval(metric: Metric) -> str:
    return "" if metric.low is None or metric.high is None else f"{_number(metric.low)} .. {_number(metric.high)}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
