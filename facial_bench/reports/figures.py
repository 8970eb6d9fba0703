"""Pictures of results. matplotlib is an extra (`pip install facial-bench[pictures]`), imported when one is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from facial_bench.core.errors import FacialBenchError
from facial_bench.core.files import write_bytes

COLOURS = 64
"""Of a PNG."""


def figure_tools() -> Any:
    """matplotlib's pyplot, drawing to files only.

    Raises:
        FacialBenchError: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        raise FacialBenchError("Pictures need matplotlib: pip install 'facial-bench[pictures]'.") from None
    matplotlib.use("Agg")
    matplotlib.rcParams.update(
        {"svg.hashsalt": "facial-bench", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    )
    from matplotlib import pyplot

    return pyplot


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure as .svg or .png, the same bytes for the same figure.

    A PNG keeps 64 colours: a third of the size, and lines and letters look the same.

    Raises:
        FacialBenchError: another ending, or a file that cannot be written.
    """
    if path.suffix not in (".svg", ".png"):
        raise FacialBenchError(f"A picture is an .svg or a .png, not {path.name}.")
    content, stamp = BytesIO(), {"Date": None} if path.suffix == ".svg" else {"Software": None}
    figure.savefig(content, format=path.suffix[1:], dpi=110, bbox_inches="tight", metadata=stamp)
    if path.suffix == ".png":
        from PIL import Image  # comes with matplotlib

        with Image.open(content) as picture:
            few = picture.convert("RGB").quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        content = BytesIO()
        few.save(content, "PNG", optimize=True)
    write_bytes(path, content.getvalue())


class Panel(NamedTuple):
    """One metric of a critical-difference picture."""

    means: Mapping[str, float]
    """label -> mean rank over clips, 1 is best."""
    apart: Sequence[tuple[str, str]]
    """Pairs that the tests tell apart."""
    note: str
    without: Sequence[str] = ()
    """Labels of the methods that failed on clips: named, and not drawn."""


def critical_differences(path: Path, panels: Mapping[str, Panel]) -> None:
    """Methods on an axis of mean rank, a bar over those that the tests do not tell apart (Demsar 2006, figure 1).

    Args:
        path: `.svg` or `.png`.
        panels: by metric.
    """
    pyplot = figure_tools()
    tallest = max(len(panel.means) for panel in panels.values())
    figure, axes = pyplot.subplots(len(panels), 1, figsize=(7.5, len(panels) * (1.2 + 0.3 * tallest)), squeeze=False)
    for axis, (metric, panel) in zip(axes[:, 0], panels.items(), strict=True):
        _draw_ranks(axis, panel.means, panel.apart)
        axis.set_title(f"{metric}: mean rank over clips (1 is best)\n{panel.note}", loc="left", fontsize=9)
        if panel.without:
            axis.set_xlabel(f"no rank, since clips failed: {', '.join(panel.without)}", loc="left", fontsize=8)
    figure.tight_layout()
    save_figure(figure, path)
    pyplot.close(figure)


def _draw_ranks(axis: Any, means: Mapping[str, float], apart: Sequence[tuple[str, str]]) -> None:
    """One panel of critical differences, without its title."""
    order = sorted(means, key=lambda label: (means[label], label))
    groups = _alike(order, {frozenset(pair) for pair in apart})
    for k, label in enumerate(order):
        y = -(k + 1.5)
        axis.plot([means[label], means[label]], [0, y], color="0.75", lw=0.8, zorder=1)
        axis.plot(means[label], 0, "o", color="black", ms=4, zorder=3)
        axis.text(len(order) + 0.25, y, f"{label}  {means[label]:.2f}", va="center")
        axis.plot([means[label], len(order) + 0.2], [y, y], color="0.75", lw=0.8, zorder=1)
    for k, (first, last) in enumerate(groups):
        ends, height = [means[first] - 0.04, means[last] + 0.04], 0.5 + 0.45 * k
        axis.plot(ends, [height, height], color="tab:blue", lw=3, solid_capstyle="butt")
    axis.set_xlim(0.8, len(order) + 0.2)
    axis.set_ylim(-(len(order) + 1), 1 + 0.45 * max(len(groups), 1))
    axis.set_xticks(range(1, len(order) + 1))
    axis.xaxis.set_ticks_position("top")
    axis.set_yticks([])
    axis.spines["top"].set_visible(True)
    axis.spines[["left", "bottom"]].set_visible(False)


def _alike(order: Sequence[str], apart: set[frozenset[str]]) -> list[tuple[str, str]]:
    """First and last of each longest run of methods, in order of rank, of which no two are told apart."""
    runs: list[tuple[int, int]] = []
    for first in range(len(order)):
        last = first
        while last + 1 < len(order) and not any(
            frozenset((order[k], order[last + 1])) in apart for k in range(first, last + 1)
        ):
            last += 1
        if last > first and not any(a <= first and last <= b for a, b in runs):
            runs.append((first, last))
    return [(order[first], order[last]) for first, last in runs]
