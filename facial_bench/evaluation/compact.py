"""Results without what nothing is computed from: block-level parts stay only where an interval needs them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec.structs import replace

from facial_bench.statistics.aggregate import is_scored
from facial_bench.statistics.rows import Row

Owner = tuple[str, str]
"""(metric, identity)."""


def only_clips(rows: Sequence[Row]) -> set[Owner]:
    """The people who have one scored clip of a metric: that clip is resampled in blocks, all others are whole."""
    scored = ((metric, row.identity) for row in rows for metric in row.metrics if is_scored(row, metric))
    return {owner for owner, clips in Counter(scored).items() if clips == 1}


def without_spare_blocks(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows of a run without the blocks that no interval is computed from.

    An interval over these rows is the one over the rows before. One over part of them (the clips that another method
    was scored on too) may leave a person a single clip without blocks; then there is none.
    """
    needed = only_clips(rows)
    return tuple(
        replace(
            row,
            metrics={
                metric: entry if (metric, row.identity) in needed else replace(entry, blocks=())
                for metric, entry in row.metrics.items()
            },
        )
        for row in rows
    )
