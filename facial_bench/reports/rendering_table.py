"""A rendering as a table: each metric with its interval, between chance and ceiling."""

from __future__ import annotations

from facial_bench.core.errors import printable
from facial_bench.rendering.references import CEILING_IS, CHANCE_IS
from facial_bench.rendering.result import REAL, Rendering
from facial_bench.reports.tables import cell, number, plain


def rendering_table(rendering: Rendering) -> str:
    """The text of a rendering: what was rendered, the metrics, and how much was compared."""
    rows, reasons = [], dict[str, list[str]]()
    for name, metric in rendering.metrics.items():
        reference = rendering.references[name]
        value = cell(metric, "") if metric.status == "ok" else metric.status
        if metric.status != "ok":
            reasons.setdefault(f"{metric.status}: {printable(metric.reason)}", []).append(name)
        ends = (number(reference.chance, ""), number(reference.ceiling.value, ""))
        rows.append([name, value, *ends, metric.unit])
    headers = ["metric", "value [95 % interval]", CHANCE_IS, CEILING_IS, "unit"]
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
    note = "\n".join([note, *(f"{', '.join(names)} {reason}" for reason, names in reasons.items())])
    return f"{printable(title)}\n\n{plain(rows, headers)}\n\n{note}"
