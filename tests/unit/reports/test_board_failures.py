"""Who fails wins nothing, and changes nothing for the others; what is not defined is marked and explained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from msgspec.structs import replace

from facial_bench.core.types import MetricSpec, Pool
from facial_bench.evaluation.result import Result
from facial_bench.metrics.catalog import all_definitions
from facial_bench.reports.board import assemble
from facial_bench.reports.board_columns import Column
from facial_bench.reports.board_markdown import make_boards
from facial_bench.statistics.rows import Entry, Row
from tests.helpers.board_text import RULES, board_text, column, table
from tests.helpers.results import changed, make_failed_row, make_result, make_row

CLIPS = [(person, f"{person}{k}") for person in "abcde" for k in range(5)]
CHANCE = {"lmd": 4.0, "pose_accuracy": 0.0, "lve": 2.0}


def clips(scale: float = 1.0) -> list[Row]:
    """25 clips, the later the harder, and the last three much harder."""
    return [
        make_row(
            p,
            clip,
            {"lmd": scale * (1 + 0.01 * k + (k > 21)), "pose_accuracy": 0.75, "lve": scale * (1 + 0.02 * (k % 7))},
        )
        for k, (p, clip) in enumerate(CLIPS)
    ]


def failing(rows: Sequence[Row], count: int = 3) -> list[Row]:
    """The same, failing the hardest clips."""
    return [*rows[:-count], *(make_failed_row(row.identity, row.clip, CHANCE) for row in rows[-count:])]


def methods() -> list[Result]:
    scales = {"good": 1.0, "like": 1.001, "far": 1.5}
    honest = [make_result(clips(scale), label=label) for label, scale in scales.items()]
    return [*honest, make_result(clips(1.9), label="frozen", plugin="facial-bench")]


def lame(count: int = 3, label: str = "lame", plugin: str = "plug", scale: float = 1.02) -> Result:
    """The best method made 2 % worse on every clip, and failing the hardest."""
    return make_result(failing(clips(scale), count), label=label, plugin=plugin)


def columns_of(*results: Result) -> dict[str, Column]:
    (board,) = assemble(results, RULES, all_definitions()).values()
    return dict(board.columns)


def test_failing_the_hard_clips_wins_no_rank() -> None:
    text = board_text(*methods(), lame())
    assert [row[0] for row in table(text)[2:-1]][-1] == "lame", "below the others, whatever its value"
    for metric in ("lmd", "pose_accuracy"):
        cell = column(table(text), metric)["lame"]
        assert cell.endswith(" · – †") and "better" not in cell
    assert "- † lame: 3 of 25 clips failed; they count as chance or worse; no rank." in text.splitlines()
    assert text.count("† lame") == 1, "once, not for each metric"
    for old in ("count as wrong", "the value is of the rest"):
        assert old not in text


def test_its_value_and_interval_are_shown_and_marked_everywhere() -> None:
    text = board_text(*methods(), lame())
    assert "] · – †" in column(table(text), "lmd")["lame"]
    assert column(table(text, "Lips"), "lve")["lame"].endswith("] †")
    assert column(table(text, "Skill"), "lmd")["lame"].endswith(" †")
    against = table(text, "Skill against the strongest null model")
    cells = {row[0]: dict(zip(against[0], row, strict=True)) for row in against[1:]}
    assert cells["lmd ↓"]["lame"].endswith(" †") and "better" not in cells["lmd ↓"]["lame"]


@pytest.mark.parametrize("seeds", [1, 3])
def test_nobodys_rank_mark_or_strongest_null_depends_on_it(seeds: int) -> None:
    own = [replace(one, seed=seed) for one in methods() for seed in range(seeds)]
    extra = [
        lame(),
        lame(1, "one-clip"),
        lame(25, "nothing"),
        lame(label="replay", plugin="facial-bench", scale=0.1),
        lame(label="ar1", plugin="facial-bench", scale=0.01),
    ]
    before = columns_of(*own)
    after = columns_of(*own, *(replace(one, seed=seed) for one in extra for seed in range(seeds)))
    for metric, column_ in before.items():
        assert column_.ranking == after[metric].ranking
        assert {label: after[metric].cells[label] for label in column_.cells} == column_.cells


def test_a_failure_of_one_metric_alone_takes_that_rank_only() -> None:
    rows = [
        replace(row, metrics={**row.metrics, "lmd": replace(row.metrics["lmd"], failed=True)}) if k < 2 else row
        for k, row in enumerate(clips(1.1))
    ]
    text = board_text(*methods(), make_result(rows, label="hides"))
    assert column(table(text), "lmd")["hides"].endswith("· – †")
    assert column(table(text), "pose_accuracy")["hides"].endswith("] · 1–5 (no better)")
    assert "- † hides: 2 of 25 clips failed for lmd alone; they count as chance or worse; no rank." in text


def test_a_clip_that_failed_unranks_also_where_the_metric_does_not_look_at_it() -> None:
    rows = failing(clips(0.5))
    rows = [*rows[:-3], *(replace(row, metrics={"pose_accuracy": row.metrics["pose_accuracy"]}) for row in rows[-3:])]
    text = board_text(*methods(), make_result(rows, label="lame"))
    assert column(table(text), "lmd")["lame"].endswith("· – †")
    assert column(table(text), "lmd")["good"].endswith("· 1")


def test_a_failure_without_a_number_is_a_failure() -> None:
    lost = [*clips()[:-1], replace(make_failed_row("e", "e4", CHANCE), metrics={"lmd": Entry(value=None, failed=True)})]
    text = board_text(*methods(), make_result(lost, label="lame"))
    assert column(table(text), "lmd")["lame"].endswith("· – †")


def test_what_is_not_defined_is_marked_and_named_once() -> None:
    """A method that fails on nothing, where the metric has no value for one clip, or for any of a person."""

    def own(label: str, without: Sequence[str]) -> Result:
        rows = [
            replace(row, metrics={**row.metrics, "lve": Entry(value=None), "lvd": Entry(value=None)})
            if row.clip in without
            else replace(row, metrics={**row.metrics, "lvd": row.metrics["lve"]})
            for row in clips()
        ]
        return make_result(rows, label=label)

    text = board_text(own("whole", []), own("some", ["a0"]), own("others", ["a0"]))
    cells = column(table(text, "Lips"), "lve")
    assert cells["some"].endswith("] §") and cells["others"].endswith("] §") and not cells["whole"].endswith("§")
    assert "- § lve, lvd: not defined in 1 of 25 clips (some, others)." in text
    assert text.count("- §") == 1
    assert "†" not in text.split("## Scores")[1], "it did not fail"


def events(units: Sequence[Sequence[float]], counts: np.ndarray, real: Sequence[float]) -> np.ndarray:
    """Mean over the events of the clips; none without events, of the method or of the person."""
    totals, numbers = np.array(units, dtype=np.float64).T
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(real[1] > 0, (counts @ totals) / (counts @ numbers), np.nan)


def test_people_without_a_value_are_named_with_the_methods_that_lack_it() -> None:
    """One dash for the whole method, since one person has no event; and one person out for all."""
    pool = MetricSpec(
        "event", 1, "px", False, "f", family="blinks", compute=len, pool=Pool(reduce=list, estimate=events)
    )

    def own(label: str, without: str) -> Result:
        rows = [
            make_row(p, f"{p}{k}", {"event": Entry(part=(0.0, 0.0) if p in without else (0.5 + 0.1 * k, 1.0))})
            for p in "abc"
            for k in range(4)
        ]
        parts = {"a": [1.0, 1.0], "b": [1.0, 1.0], "c": [0.0, 0.0]}
        return changed(make_result(rows, label=label), (("references", "event", "parts"), parts))

    results = [own("whole", ""), own("some", "b"), own("others", "b")]
    (text,) = make_boards(results, RULES, {"event": pool}).values()
    cells = table(text, "Blinks")
    assert cells[0][2] == "event ↓ (px) §"
    assert {row[0]: row[2][:4] for row in cells[2:-1]} == {"whole": "0.65", "some": "– §", "others": "– §"}
    assert "- § event: not defined for b (some, others)." in text.splitlines()
    assert "- § event: without c, whose real motion has none." in text.splitlines()


def test_metrics_refused_for_one_reason_are_named_together() -> None:
    rows = [replace(row, metrics={**row.metrics, "blink_accuracy": row.metrics["pose_accuracy"]}) for row in clips()]
    text = board_text(make_result(rows, refused=["pose_accuracy", "blink_accuracy"]))
    assert "- pose_accuracy, blink_accuracy refused: the ceiling touches chance." in text
    assert text.count("touches chance") == 1
