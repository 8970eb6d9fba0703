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

from facial_bench.evaluation.sensitivity.record import read_sensitivity
from facial_bench.metrics.catalog import all_definitions
from facial_bench.plugin_api.manager import load_plugins
from facial_bench.reports.archive import read_every
from facial_bench.reports.result_table import result_table

ROOT = Path(__file__).parents[2]
VALUES = ROOT / "tests/data/board_values.json.gz"
"""What stands on the committed boards; test_board_values.py holds it against the committed results."""
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMENT = re.compile(r"<!-- board ([\w-]+): ([^|>]+)\|([^|>]+?)(?:\| also ([^|>]+?))? ?-->")
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


def allowed(board: str, methods: str, metrics: str, also: str) -> list[float]:
    """Every number in these cells, with skills and references, and what is named besides."""
    found: list[Any] = []
    for metric in names(metrics):
        column = boards()[f"{board}.md"][metric]
        ceiling, chance = column["ceiling"]["value"], column["chance"]
        found += [*column["ceiling"].values(), chance]
        for method in names(methods):
            value = column["cells"][method][0]
            found += column["cells"][method][:3]
            if None not in (value, ceiling, chance):
                found.append((value - chance) / (ceiling - chance))
    return [number for number in found if number is not None] + [float(one) for one in names(also) if one]


def is_rounded(shown: str, number: float) -> bool:
    digits = len(shown.split(".")[1])
    return abs(float(shown) - number) <= 0.5 * 10**-digits * (1 + 1e-9)


QUOTED = [
    (page.name, block) for page in PAGES for block in blocks(page.read_text(encoding="utf-8")) if COMMENT.search(block)
]


@pytest.mark.parametrize(("page", "block"), QUOTED, ids=[f"{page}-{n}" for n, (page, _) in enumerate(QUOTED)])
def test_a_quoted_figure_stands_on_the_board(page: str, block: str) -> None:
    known = [number for cells in COMMENT.findall(block) for number in allowed(*cells)]
    shown = FIGURE.findall(COMMENT.sub("", block))
    assert shown, "nothing is quoted"
    assert not [one for one in shown if not any(is_rounded(one, number) for number in known)], page


def test_no_section_about_a_board_quotes_it_unchecked() -> None:
    """Of the pages that tell what the boards show, each paragraph with an interval names its cells."""
    text = (ROOT / "docs/results.md").read_text(encoding="utf-8").split("## People who all move alike")[0]
    unchecked = [block for block in blocks(text) if INTERVAL.search(block) and not COMMENT.search(block)]
    assert not unchecked
    assert len(QUOTED) >= 15


COLUMNS = {
    "lmd": "lmd",
    "blinks/s": "blink_rate",
    "duration, s": "blink_duration",
    "blink accuracy": "blink_accuracy",
    "blink realism": "blink_realism",
    "pose accuracy": "pose_accuracy",
    "pose realism": "pose_realism",
    "coupling, head": "speech_coupling/head",
    "coupling, lids": "speech_coupling/lids",
    "pose speed": "pose_speed",
    "Frechet, pose": "frechet/pose",
    "pose std distance": "pose_std_distance",
    "fdd": "fdd",
}
"""Column of the tables of docs/facial.md -> metric."""


@pytest.mark.parametrize(("mark", "board"), [("synthetic", "synthetic"), ("real", "real-tracks")])
def test_the_tables_of_the_reference_are_those_of_the_boards(mark: str, board: str) -> None:
    page = (ROOT / "docs/facial.md").read_text(encoding="utf-8")
    (text,) = re.findall(rf"<!-- {mark} -->\n(.*?)<!-- end {mark} -->", page, re.DOTALL)
    header, _, *rows = [[cell.strip() for cell in line.strip("| \n").split("|")] for line in text.splitlines()]
    checked = 0
    for row in rows:
        for title, cell in zip(header, row, strict=False):
            if title in COLUMNS and cell:
                column = boards()[f"{board}.md"][COLUMNS[title]]
                real = row[0] == "real motion"
                number = column["ceiling"]["value"] if real else column["cells"][row[0].strip("`")][0]
                if number is None:  # not defined for everybody; the page gives the mean of the others
                    continue
                assert float(cell) == pytest.approx(number, rel=0.005, abs=1e-9), (row[0], title)
                checked += 1
    assert checked > 100


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


def test_the_readme_names_what_is_built_in() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table_ = text.split("## What is built in")[1].split("##")[0]
    built_in = load_plugins(installed=[])
    for kind, left_out in (("generators", {"precomputed"}), ("corpora", set())):
        assert {name for name in built_in.registered(kind) if f"`{name}`" not in table_} == left_out
    ranked = [one for one in all_definitions().values() if one.ranked]
    assert f"{len(ranked)} that methods are ranked on" in table_
    assert len(all_definitions()) - len(ranked) >= 50


def test_the_page_of_sensitivity_quotes_what_was_measured() -> None:
    measured = read_sensitivity(ROOT / "docs/sensitivity/real-tracks.jsonl.xz")
    doses = {one.name: one for one in measured.header.perturbations}

    def cost(perturbation: str, dose: float) -> float:
        (found,) = (one for one in measured.of("lmd/raw-face") if one.perturbation == perturbation)
        value, neutral = (
            found.series[doses[perturbation].doses.index(at)].value for at in (dose, doses[perturbation].neutral)
        )
        assert value is not None and neutral is not None
        return value - neutral

    text = " ".join((ROOT / "docs/sensitivity.md").read_text(encoding="utf-8").split())
    still, half = cost("mouth amplitude", 0), cost("head amplitude", 0.5)
    assert f"A still mouth costs {still:.2f} px of `lmd/raw-face`, a head at half its amplitude {half:.1f} px" in text
