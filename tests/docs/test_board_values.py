"""The committed boards hold the numbers that they have always held."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from facial_bench.metrics.classifier_files import SUFFIX
from facial_bench.reports.board import Column
from facial_bench.reports.board_classifiers import check_beside
from facial_bench.reports.board_markdown import first_difference, write_board
from facial_bench.reports.ledger import is_entered, read_ledger
from tests.helpers.boards import LEADERBOARDS, committed_boards

VALUES = Path(__file__).parents[1] / "data" / "board_values.json.gz"
"""Board -> metric -> what stood there when the results were made. Of each method: value, ends of the interval, clips,
clips without a value, ranks, and how it stands against the strongest null model."""


def columns() -> list[tuple[str, str]]:
    return [(board, metric) for board, held in stored().items() for metric in held]


def stored() -> dict[str, dict[str, Any]]:
    return json.loads(gzip.decompress(VALUES.read_bytes()))


@pytest.mark.slow
def test_the_boards_and_their_metrics_are_all_there() -> None:
    assert {name: set(board.columns) for name, board in committed_boards().items()} == {
        name: set(held) for name, held in stored().items()
    }
    assert len(columns()) == 76


def shown(column: Column) -> dict[str, Any]:
    """A column in the form in which it is stored."""
    ranking, ceiling = column.ranking, column.reference.ceiling
    return {
        "ceiling": {"value": ceiling.value, "low": ceiling.low, "high": ceiling.high},
        "chance": column.reference.chance,
        "strongest": ranking.strongest if ranking else None,
        "smallest_p": ranking.smallest_p if ranking else None,
        "cells": {
            label: [
                entry.value,
                entry.low,
                entry.high,
                entry.n_clips,
                entry.n_failed,
                list(ranking.ranks[label]) if ranking and label in ranking.ranks else None,
                ranking.against.get(label) if ranking else None,
            ]
            for label, entry in column.cells.items()
        },
    }


@pytest.mark.slow
def test_the_committed_boards_are_what_the_committed_results_give() -> None:
    entries = read_ledger(LEADERBOARDS)
    boards = committed_boards()
    results = [result for board in boards.values() for result in board.results]
    assert len(results) == 74
    assert all(is_entered(result, entries) for result in results), "verified, and not changed since"
    weights, wrong = check_beside(LEADERBOARDS, {name: board.results for name, board in boards.items()})
    assert (sorted(weights.values()), wrong) == (sorted(f"{name[:-3]}{SUFFIX}" for name in boards), "")
    texts = {name: write_board(board, entries, weights) for name, board in boards.items()}
    assert first_difference(LEADERBOARDS, texts) is None


@pytest.mark.slow
def test_no_number_of_a_committed_board_has_changed() -> None:
    for name, board in committed_boards().items():
        for metric, before in stored()[name].items():
            now = shown(board.columns[metric])
            assert numbers(now) == pytest.approx(numbers(before), rel=1e-12, abs=0), (name, metric)
            assert texts(now) == texts(before), (name, metric)


def leaves(value: Any, where: str = "") -> dict[str, Any]:
    """Path -> leaf."""
    if not isinstance(value, (dict, list)):
        return {where: value}
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return {path: leaf for key, part in pairs for path, leaf in leaves(part, f"{where}.{key}").items()}


def numbers(column: dict[str, Any]) -> dict[str, float]:
    return {path: leaf for path, leaf in leaves(column).items() if isinstance(leaf, (int, float))}


def texts(column: dict[str, Any]) -> dict[str, Any]:
    return {path: leaf for path, leaf in leaves(column).items() if not isinstance(leaf, (int, float))}
