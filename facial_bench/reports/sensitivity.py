"""Certification as Markdown and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facial_bench.evaluation.sensitivity.dose_response import own_perturbations
from facial_bench.reports.figures import figure_tools, save_figure
from facial_bench.reports.tables import escape, markdown

FAMILIES = {
    "lips": ("lmd", "lvd", "lve", "mve", "fdd", "mouth_", "sync_", "frechet/mouth"),
    "head": ("pose_std", "pose_speed", "beat_", "frechet/pose"),
    "blinks": ("blink_rate", "blink_duration", "blink_interval", "blink_long"),
    "people": ("pose_accuracy", "blink_accuracy", "copying_index"),
}


def report(found: Mapping[str, Any]) -> str:
    """The verdicts as a Markdown table: metrics down, corruptions across."""
    names = list(found["responses"])
    rows = []
    for metric, verdict in found["metrics"].items():
        marks = {
            **dict.fromkeys(verdict["answers"], "✓"),
            **dict.fromkeys(verdict["inert"], "**inert**"),
            **dict.fromkeys(verdict["also"], "also"),
        }
        rows.append([f"`{metric}`", *(marks.get(name, "") for name in names)])
    corpus = found["corpus"]
    lines = [
        f"Corpus {escape(corpus['name'])} (digest `{corpus['digest'][:16]}`), protocol digest "
        f"`{found['protocol'][:16]}`.",
        "",
        markdown(rows, ["metric", *names]),
        "",
    ]
    whys = [
        f"- `{metric}`, {name}: {escape(why)}"
        for metric, verdict in found["metrics"].items()
        for name, why in verdict["why"].items()
    ]
    if whys:
        lines += ["Why inert:", "", *whys, ""]
    if found["refused"]:
        lines += [f"Refused, so not certified: {', '.join(found['refused'])}.", ""]
    return "\n".join(lines)


def draw(found: Mapping[str, Any], folder: Path) -> list[Path]:
    """A picture per family: a row a metric, a column a corruption, the value with its interval over the dose."""
    written = []
    for family, prefixes in FAMILIES.items():
        metrics = [metric for metric in found["metrics"] if metric.startswith(prefixes)]
        if metrics:
            written.append(folder / f"{found['corpus']['name']}-{family}.png")
            _draw_family(found, metrics, written[-1])
    return written


def _draw_family(found: Mapping[str, Any], metrics: Sequence[str], path: Path) -> None:
    pyplot = figure_tools()
    names = list(found["responses"])
    size = (1.25 * len(names) + 1.6, 0.85 * len(metrics) + 0.9)
    figure, axes = pyplot.subplots(len(metrics), len(names), figsize=size, squeeze=False, sharey="row")
    for row, metric in zip(axes, metrics, strict=True):
        own = own_perturbations(metric)
        for axis, name in zip(row, names, strict=True):
            response = found["responses"][name]
            places = range(len(response["doses"]))
            series = response["metrics"].get(metric, [])
            known = [(k, entry) for k, entry in zip(places, series, strict=False) if entry["value"] is not None]
            colour = "tab:blue" if name in own else "0.55"
            banded = [(k, entry["low"], entry["high"]) for k, entry in known if entry["low"] is not None]
            if banded:
                axis.fill_between(*zip(*banded, strict=True), color=colour, alpha=0.25, lw=0)
            values = [entry["value"] for _, entry in known]
            axis.plot([k for k, _ in known], values, color=colour, marker=".", ms=3, lw=1)
            axis.axvline(response["doses"].index(response["neutral"]), color="0.8", lw=0.7, zorder=0)
            axis.set_xticks([0, len(response["doses"]) - 1])
            axis.set_xticklabels([f"{response['doses'][0]:g}", f"{response['doses'][-1]:g}"], fontsize=6)
            axis.tick_params(labelsize=6, length=2)
            if axis in axes[0]:
                axis.set_title(f"{name}\n({response['unit']})", fontsize=7)
        row[0].set_ylabel(metric.replace("/", "/\n", 1), fontsize=7, rotation=0, ha="right", va="center")
    figure.tight_layout(pad=0.4)
    save_figure(figure, path)
    pyplot.close(figure)
