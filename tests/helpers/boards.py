"""The boards of the committed results, made once for all tests that look at them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from facial_bench.core.protocol import Protocol
from facial_bench.metrics.catalog import all_definitions
from facial_bench.reports.archive import read_every
from facial_bench.reports.board import Board, assemble

LEADERBOARDS = Path(__file__).parents[2] / "leaderboards"


@cache
def committed_boards() -> dict[str, Board]:
    """File name -> board, computed from the results that are committed (half a minute)."""
    return assemble(read_every([LEADERBOARDS]), Protocol(), all_definitions())
