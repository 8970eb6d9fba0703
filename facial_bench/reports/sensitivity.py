"""Metric sensitivity as Markdown and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facial_bench.core.types import Definition
from facial_bench.core.types.metric import FAMILIES
from facial_bench.evaluation.sensitivity.record import Doses, Response, Sensitivity
from facial_bench.reports.figures import figure_tools, save_figure
from facial_bench.reports.tables import escape, markdown

MARKS = {"answers": "✓", "no response": "**no response**", "also answers": "also", "": ""}


def verdicts_page(sensitivity: Sensitivity) -> str:
    """The verdicts as a Markdown table, metrics down, perturbations across; then why there is no response."""
    header = sensitivity.header
    names = [perturbation.name for perturbation in header.perturbations]
    rows = [
        [f"`{metric}`", *(MARKS[response.verdict] for response in sensitivity.of(metric))] for metric in header.metrics
    ]
    lines = [
        f"# Sensitivity on {escape(header.corpus.name)}",
        "",
        f"Corpus {escape(header.corpus.name)} (digest `{header.corpus.digest[:16]}`), protocol digest "
        f"`{header.protocol[:16]}`.",
        "",
        markdown(rows, ["metric", *names]),
        "",
    ]
    whys = [f"- `{one.metric}`, {one.perturbation}: {escape(one.why)}" for one in sensitivity.responses if one.why]
    if whys:
        lines += ["Why no response:", "", *whys, ""]
    if header.refused:
        lines += [f"Refused, so not measured: {', '.join(header.refused)}.", ""]
    return "\n".join(lines)


def draw(sensitivity: Sensitivity, definitions: Mapping[str, Definition], folder: Path) -> list[Path]:
    """A picture per family: a row a metric, a column a perturbation, the value with its interval over the dose.

    Args:
        sensitivity: what was measured.
        definitions: id -> definition; a metric that is not among them (of a plugin that is not loaded) is not drawn.
        folder: for the pictures, called CORPUS-FAMILY.png.
    """
    written = []
    for family in FAMILIES:
        metrics = [
            metric
            for metric in sensitivity.header.metrics
            if metric in definitions and definitions[metric].family == family
        ]
        if metrics:
            written.append(folder / f"{sensitivity.header.corpus.name}-{family}.png")
            _draw_family(sensitivity, metrics, written[-1])
    return written


def _draw_family(sensitivity: Sensitivity, metrics: Sequence[str], path: Path) -> None:
    pyplot = figure_tools()
    perturbations = sensitivity.header.perturbations
    size = (1.25 * len(perturbations) + 1.6, 0.85 * len(metrics) + 0.9)
    figure, axes = pyplot.subplots(len(metrics), len(perturbations), figsize=size, squeeze=False, sharey="row")
    for axis, perturbation in zip(axes[0], perturbations, strict=True):
        axis.set_title(f"{perturbation.name}\n({perturbation.unit})", fontsize=7)
    for row, metric in zip(axes, metrics, strict=True):
        row[0].set_ylabel(metric.replace("/", "/\n", 1), fontsize=7, rotation=0, ha="right", va="center")
        for axis, perturbation, response in zip(row, perturbations, sensitivity.of(metric), strict=True):
            _draw_response(axis, perturbation, response)
    figure.tight_layout(pad=0.4)
    save_figure(figure, path)
    pyplot.close(figure)


def _draw_response(axis: Any, perturbation: Doses, response: Response) -> None:
    """One metric over the doses of one perturbation; its own perturbations are blue."""
    colour = "tab:blue" if response.verdict in ("answers", "no response") else "0.55"
    known = [(k, reading) for k, reading in enumerate(response.series) if reading.value is not None]
    banded = [(k, reading.low, reading.high) for k, reading in known if reading.low is not None]
    if banded:
        axis.fill_between(*zip(*banded, strict=True), color=colour, alpha=0.25, lw=0)
    values = [reading.value for _, reading in known]
    axis.plot([k for k, _ in known], values, color=colour, marker=".", ms=3, lw=1)
    axis.axvline(perturbation.doses.index(perturbation.neutral), color="0.8", lw=0.7, zorder=0)
    axis.set_xticks([0, len(perturbation.doses) - 1])
    axis.set_xticklabels([f"{perturbation.doses[0]:g}", f"{perturbation.doses[-1]:g}"], fontsize=6)
    axis.tick_params(labelsize=6, length=2)
