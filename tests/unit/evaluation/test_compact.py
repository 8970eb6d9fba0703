"""Blocks are stored where an interval needs them; where they are missing there is no interval, and no crash."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from facial_bench.core.protocol import Protocol
from facial_bench.evaluation.compact import only_clips, without_spare_blocks
from facial_bench.statistics.aggregate import summarise
from facial_bench.statistics.bootstrap import ratio
from facial_bench.statistics.compare import compare
from facial_bench.statistics.rows import Entry, Row
from tests.helpers.results import make_row

RULES = Protocol(resamples=200)


def rows(*values: float | None) -> list[Row]:
    """Clips of a person with two, after those of one with three."""
    clips = [make_row("a", f"a{k}", {"lmd": 0.1 * k + 0.2}) for k in range(3)]
    return [*clips, *(make_row("b", f"b{k}", {"lmd": value}) for k, value in enumerate(values))]


def blocks(of: list[Row] | tuple[Row, ...]) -> list[int]:
    return [len(row.metrics["lmd"].blocks) for row in of]


def test_blocks_stay_with_the_only_scored_clip_of_a_person() -> None:
    assert blocks(without_spare_blocks(rows(1.0))) == [0, 0, 0, 2]
    assert blocks(without_spare_blocks(rows(1.0, 2.0))) == [0] * 5
    assert blocks(without_spare_blocks(rows(1.0, None))) == [0, 0, 0, 2, 0], "the other clip failed"
    assert only_clips(rows(1.0, None)) == {("lmd", "b")}


def test_each_metric_counts_for_itself() -> None:
    pooled = Entry(part=(1.0,), blocks=((1.0,), (2.0,)))
    both = [make_row("a", "a0", {"lmd": 1.0, "w1": pooled}), make_row("a", "a1", {"lmd": 2.0, "w1": None})]
    first, second = without_spare_blocks(both)
    assert first.metrics["lmd"].blocks == second.metrics["lmd"].blocks == ()
    assert first.metrics["w1"] == pooled


@pytest.mark.parametrize("values", [(1.0,), (1.0, 1.5), (1.0, None), (None, None)])
def test_nothing_else_changes_and_every_interval_is_the_same(values: tuple[float | None, ...]) -> None:
    whole, small = rows(*values), without_spare_blocks(rows(*values))
    assert summarise([small], "lmd", RULES) == summarise([whole], "lmd", RULES)
    assert without_spare_blocks(small) == small
    for one, two in zip(whole, small, strict=True):
        entry = replace(one.metrics["lmd"], blocks=two.metrics["lmd"].blocks)
        assert replace(one, metrics={"lmd": entry}) == two


def test_where_another_method_leaves_one_clip_without_blocks_there_is_no_interval() -> None:
    """Both clips of a person were scored, so neither is in blocks; the other method has a value for one of them."""
    complete, lacking = without_spare_blocks(rows(1.0, 1.5)), without_spare_blocks(rows(1.2, None))
    assert summarise([lacking], "lmd", RULES).low is not None
    for one, two in ((complete, lacking), (lacking, complete)):
        comparison = compare([one], [two], "lmd", ratio, RULES)
        assert comparison is not None
        assert comparison.p <= 1
        assert (comparison.low, comparison.high) == (None, None)


@pytest.mark.parametrize("first", [0, 1])
def test_where_one_seed_lacks_a_clip_there_is_a_value_and_no_interval(first: int) -> None:
    seeds = [without_spare_blocks(rows(1.0, 1.5)), without_spare_blocks(rows(1.2, None))]
    summary = summarise([seeds[first], seeds[1 - first]], "lmd", RULES)
    assert summary.value == pytest.approx((0.2 + 0.3 + 0.4) / 4 + (1.0 + 1.2) / 2 / 4)
    assert (summary.low, summary.high) == (None, None)
    assert summary.n_failed == 1
