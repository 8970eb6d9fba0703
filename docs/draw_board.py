"""Draw docs/board.png: the ranked metrics of the committed board of the synthetic corpus.

python docs/draw_board.py
"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt

import facial_bench
from facial_bench.core.protocol import Protocol
from facial_bench.metrics.catalog import all_definitions
from facial_bench.reports.board import assemble

ROOT = Path(__file__).parents[1]
SHOWN = ("facial", "facial-no-finetuning", "ridge", "mean-motion", "replay", "phase-randomised", "ar1")


def main() -> None:
    """Eight panels: values with intervals, the ceiling as a line, chance as a dotted one."""
    results = facial_bench.load_results(ROOT / "leaderboards/synthetic.results.jsonl.xz")
    (board,) = assemble(list(results), Protocol(), all_definitions()).values()
    ranked = [name for name, one in all_definitions().items() if one.ranked]
    figure, panels = plt.subplots(2, 4, figsize=(11, 4.6), sharey=True, layout="constrained")
    for panel, name in zip(panels.flat, ranked, strict=True):
        column, definition = board.columns[name], all_definitions()[name]
        for row, method in enumerate(SHOWN):
            cell = column.cells[method]
            panel.plot([cell.low, cell.high], [row, row], color="#2166ac", linewidth=3, alpha=0.35)
            panel.plot(cell.value, row, "o", color="#2166ac", markersize=5)
        panel.axvline(column.reference.ceiling.value, color="#1b7837", linewidth=1.2)
        panel.axvline(column.reference.chance, color="#b2182b", linewidth=1.2, linestyle=":")
        panel.set_title(f"{name} {'↑' if definition.higher_is_better else '↓'}", fontsize=9)
        panel.set_yticks(range(len(SHOWN)), SHOWN, fontsize=8)
        panel.tick_params(axis="x", labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0][0].invert_yaxis()
    figure.suptitle(
        "Built-in corpus. Dots: values with 95 % intervals. Green: ceiling. Dotted red: chance.", fontsize=9
    )
    figure.savefig(ROOT / "docs/board.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
