"""Figures in prose are those of the committed boards.

A paragraph or an item of a list that quotes a board ends with a comment that names the cells:

    <!-- board synthetic: facial, ridge | lmd, mouth_correlation | also 0.2 -->

Every figure with a decimal point in it must be a value, an end of an interval, a ceiling or a chance level of these
methods in these metrics, rounded to the digits that stand there; or named behind `also`.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from facial_bench.metrics.catalog import all_definitions
from facial_bench.reports.archive import read_every
from facial_bench.reports.result_table import result_table

ROOT = Path(__file__).parents[2]
VALUES = ROOT / "tests/data/board_values.json.gz"
"""What stands on the committed boards; test_board_values.py holds it against the committed results."""
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMENT = re.compile(r"<!-- board ([\w-]+): ([^|]+)\|([^|]+?)(?:\| also ([^|]+?))? ?-->")
FIGURE = re.compile(r"(?<![\w.])-?\d+\.\d+(?![\w.]*\w)")
INTERVAL = re.compile(r"\d\.\d+ \[-?\d+\.\d+, -?\d+\.\d+\]")


@cache
def boards() -> dict[str, Any]:
    return json.loads(gzip.decompress(VALUES.read_bytes()))


def blocks(text: str) -> Iterator[str]:
    """Paragraphs and items of lists, without blocks of code."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    for paragraph in re.split(r"\n\s*\n", prose):
        yield from re.split(r"\n(?=- )", paragraph)


def names(text: str) -> list[str]:
    return [name.strip().strip("`") for name in text.split(",")]


def allowed(board: str, methods: str, metrics: str) -> list[float]:
    """Every number in these cells, with those of their references."""
    found: list[Any] = []
    for metric in names(metrics):
        column = boards()[f"{board}.md"][metric]
        found += [*column["ceiling"].values(), column["chance"]]
        for method in names(methods):
            found += column["cells"][method][:3]
    return [number for number in found if number is not None]


def is_rounded(shown: str, number: float) -> bool:
    digits = len(shown.split(".")[1])
    return abs(float(shown) - number) <= 0.5 * 10**-digits * (1 + 1e-9)


QUOTED = [
    (page.name, block, found.groups())
    for page in PAGES
    for block in blocks(page.read_text(encoding="utf-8"))
    for found in COMMENT.finditer(block)
]


@pytest.mark.parametrize(("page", "block", "cells"), QUOTED, ids=lambda value: str(value)[:30])
def test_a_quoted_figure_stands_on_the_board(page: str, block: str, cells: tuple[str, str, str, str | None]) -> None:
    board, methods, metrics, also = cells
    known, others = allowed(board, methods, metrics), names(also or "")
    shown = FIGURE.findall(COMMENT.sub("", block))
    assert shown, "nothing is quoted"
    wrong = [one for one in shown if one not in others and not any(is_rounded(one, number) for number in known)]
    assert not wrong, f"{page}: not on the board: {wrong}"


def test_no_section_about_a_board_quotes_it_unchecked() -> None:
    """Of the pages that tell what the boards show, each paragraph with an interval names its cells."""
    text = (ROOT / "docs/results.md").read_text(encoding="utf-8").split("## People who all move alike")[0]
    unchecked = [block for block in blocks(text) if INTERVAL.search(block) and not COMMENT.search(block)]
    assert not unchecked
    assert len(QUOTED) >= 15


@pytest.mark.slow
def test_the_table_of_the_readme_is_that_of_the_committed_result() -> None:
    (result,) = (
        one
        for one in read_every([ROOT / "leaderboards/synthetic.results.jsonl.xz"])
        if (one.method.label, one.seed) == ("facial", 0)
    )
    printed = result_table(result, all_definitions()).splitlines()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = [line for line in readme.splitlines() if re.match(r"[\w/]+ [↑↓] ", line)]
    assert len(shown) == 8
    assert set(shown) <= set(printed)
