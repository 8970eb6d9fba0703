"""Boards of results made by hand, as text and as cells."""

from __future__ import annotations

import re
from collections.abc import Sequence

from facial_bench.core.protocol import Protocol
from facial_bench.evaluation.result import Result
from facial_bench.metrics.catalog import all_definitions
from facial_bench.reports.board_markdown import make_boards

RULES = Protocol(resamples=200)


def board_text(*results: Result) -> str:
    """The one board that the results give."""
    (text,) = make_boards(results, RULES, all_definitions()).values()
    return text


def table(text: str, title: str = "Scores") -> list[list[str]]:
    """Cells of a board's section, header first; where it has several tables, one below the other."""
    part = text.split(f"## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|") and not re.fullmatch(r"[|:-]+", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def column(cells: Sequence[Sequence[str]], metric: str) -> dict[str, str]:
    """First cell of each row -> its cell below a metric."""
    place = next(k for k, text in enumerate(cells[0]) if text.split()[0] == metric)
    return {row[0]: row[place] for row in cells[1:]}
