"""One result as a table: short at first, every metric on demand, the reasons why a number is missing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from facial_bench.evaluation.result import Result
from facial_bench.metrics.catalog import all_definitions
from facial_bench.reports.result_table import clips_table, metrics_table, result_table
from facial_bench.statistics.rows import Entry
from tests.helpers.results import changed, make_failed_row, make_result, make_row

VALUES = {"lmd": 1.0, "pose_accuracy": 0.75, "lve": 0.25, "pose_speed": 2.0, "blink_rate": 0.3, "gaze": 0.5}


def make(more: Mapping[str, float | Entry | None] | None = None, **changes: object) -> Result:
    rows = [make_row(p, f"{p}{k}", {**VALUES, **(more or {})}) for p in "ab" for k in (0, 1)]
    return make_result(rows, **changes)


def table(result: Result, *arguments: str) -> str:
    return result_table(result, all_definitions(), *arguments)


def test_the_ranked_metrics_come_first_and_the_rest_is_counted() -> None:
    lines = table(make()).splitlines()
    assert [line.split()[0] for line in lines[2:4]] == ["lmd", "pose_accuracy"]
    assert lines[2].split() == ["lmd", "↓", "1", "0.5", "[0.4,", "0.6]", "2", "0", "–"]
    assert lines[4:] == ["4 more: --all, --family lips|head|blinks|other"]


def test_all_metrics_or_one_family_on_demand() -> None:
    whole = table(make(), "all").splitlines()
    assert [line.split()[0] for line in whole[2:]] == list(VALUES)
    assert "more" not in whole[-1]
    head = table(make(), "head").splitlines()
    assert [line.split()[0] for line in head[2:-1]] == ["pose_speed"]
    assert head[-1] == "5 more: --all, --family lips|blinks|people|other"
    other = table(make(), "other").splitlines()
    assert other[2].split()[0] == "gaze", "nobody here knows it"


def test_what_ranks_nothing_here_is_shown_whole() -> None:
    """Of a result without a ranked metric everything is shown: an empty table helps nobody."""
    rows = [make_row("a", "a0", {"gaze": 0.5})]
    assert "gaze" in table(make_result(rows))


def test_a_refusal_names_its_metrics_on_one_line_for_each_reason() -> None:
    refused = make({"blink_accuracy": 0.5}, refused=["pose_accuracy", "blink_accuracy"])
    lines = table(refused).splitlines()
    assert "refused" in next(line for line in lines if line.startswith("pose_accuracy ↑"))
    assert lines[-2] == "pose_accuracy, blink_accuracy refused: the ceiling touches chance"
    other = changed(refused, (("metrics", "blink_accuracy", "reason"), "its own"))
    assert table(other).splitlines()[-3:-1] == [
        "pose_accuracy refused: the ceiling touches chance",
        "blink_accuracy refused: its own",
    ]


def test_why_metrics_are_absent_is_said_also_of_those_that_are_not_shown() -> None:
    why = "needs pose, and this output holds none that can be used"
    fields = {"value": None, "low": None, "high": None, "status": "absent", "reason": why}
    paths = [
        (("metrics", name, key), value) for name in ("pose_accuracy", "pose_speed") for key, value in fields.items()
    ]
    text = table(changed(make(), *paths))
    assert f"pose_accuracy, pose_speed absent: {why}" in text.splitlines()
    assert text.count(why) == 1


def test_undefined_is_not_failed() -> None:
    """A clip whose method failed, and one for which the metric has no value."""
    rows = [make_row("a", "a0", {"lmd": None, "lve": None}), make_row("a", "a1", {"lmd": None, "lve": 1.0})]
    rows.append(make_row("b", "b0", {"lmd": 1.0, "lve": 1.0}))
    result = changed(make_result(rows), (("metrics", "lmd", "n_failed"), 2), (("metrics", "lve", "n_failed"), 1))
    lines = table(result, "all").splitlines()
    assert lines[0].endswith("failed, undefined")
    assert lines[2].endswith("1 failed, 1 undefined of 3")
    assert lines[3].endswith("1 failed of 3")


@pytest.mark.parametrize(("failing", "word"), [(False, "undefined"), (True, "failed")])
def test_a_metric_without_any_value_says_whose_fault_it_is(failing: bool, word: str) -> None:
    rows = [make_row("a", "a0", {"lmd": None, "lve": None if failing else 1.0})]
    fields = {"value": None, "low": None, "high": None, "n_failed": 1, "status": "failed", "reason": "none has one"}
    result = changed(make_result(rows), *((("metrics", "lmd", key), value) for key, value in fields.items()))
    assert f"lmd {word}: none has one" in table(result).splitlines()


def test_clips_that_failed_are_counted_and_what_they_do_is_said() -> None:
    """A clip that failed as a whole, and one that failed for a metric alone."""
    rows = [make_row(p, f"{p}{k}", {"lmd": 1.0, "lve": 2.0}) for p in "ab" for k in (0, 1)]
    rows[1] = make_failed_row("a", "a1", {"lmd": 4.0, "lve": 4.0})
    hidden = replace(rows[3].metrics["lve"], failed=True, reason="frame 7 is hidden.")
    rows[3] = replace(rows[3], metrics={**rows[3].metrics, "lve": hidden})
    result = changed(make_result(rows), (("metrics", "lmd", "n_failed"), 1), (("metrics", "lve", "n_failed"), 2))
    lines = table(result, "all").splitlines()
    assert lines[2].endswith("1 failed of 4") and lines[3].endswith("2 failed of 4")
    said = "They count as chance or worse, and boards give no rank."
    assert lines[4] == f"† the method failed on 1 of 4 clips, first self/a1@0: hid. {said}"
    assert lines[5] == f"† lve failed on 1 of 4 clips, first self/b1@0: frame 7 is hidden. {said}"
    both = replace(rows[3], metrics=dict.fromkeys(("lmd", "lve"), hidden))
    both_lines = table(make_result([*rows[:3], both]), "all").splitlines()
    assert both_lines[5].startswith("† lmd, lve failed on 1 of 4 clips, first self/b1@0: frame 7")
    for_programs = csv.DictReader(io.StringIO(clips_table(result, all_definitions(), "all", "csv")))
    assert [(row["status"], row["failed"]) for row in for_programs] == [
        ("ok", ""),
        ("failed", "lmd lve"),
        ("ok", ""),
        ("ok", "lve"),
    ]


def test_the_short_table_holds_the_ranked_metrics_and_no_other() -> None:
    """Eight at most, none of them the paper's form of an accuracy."""
    ranked = [name for name, one in all_definitions().items() if one.ranked]
    lines = table(make_result([make_row("a", "a0", dict.fromkeys(all_definitions(), 0.5))])).splitlines()
    assert [line.split()[0] for line in lines[2 : 2 + len(ranked)]] == ranked
    assert len(ranked) <= 8 and not any(name.endswith("/paper") for name in ranked)


def test_numbers_for_programs_are_exact() -> None:
    result = changed(make(), (("metrics", "lmd", "value"), 1 / 3))
    for rows in (
        json.loads(table(result, "all", "json")),
        list(csv.DictReader(io.StringIO(table(result, "all", "csv")))),
    ):
        assert [row["metric"] for row in rows] == list(VALUES)
        assert float(rows[0]["value"]) == 1 / 3
        assert float(rows[0]["chance"]) == 2.0
    assert len(table(result, "ranked", "csv").splitlines()) == 3


def test_markdown_is_a_table_and_nothing_else() -> None:
    lines = table(make(), "all", "markdown").splitlines()
    assert len(lines) == 2 + len(VALUES)
    assert all(line.startswith("|") for line in lines)


def test_every_clip_on_demand() -> None:
    result = make({"w1": Entry(part=(1.0,), blocks=((1.0,),), items=1)})
    lines = clips_table(result, all_definitions()).splitlines()
    assert lines[0].split() == ["request", "identity", "status", "lmd", "pose_accuracy", "failed", "reason"]
    assert lines[2].split() == ["self/a0@0", "a", "ok", "1", "0.750"]
    assert len(lines) == 2 + 4
    rows = list(csv.DictReader(io.StringIO(clips_table(result, all_definitions(), "all", "csv"))))
    assert rows[0]["lve"] == "0.25"
    assert rows[0]["w1"] == "", "a pooled metric has no value of a clip"


def test_nothing_of_a_hostile_result_steers_a_terminal() -> None:
    hostile = "x\x1b[31m\n\u202ey|<b>"
    result = changed(make({hostile: 1.0}, refused=[hostile]), (("metrics", hostile, "unit"), hostile))
    for text in (table(result, "all"), clips_table(result, all_definitions(), "all")):
        assert "\x1b" not in text and "\u202e" not in text
    shown = table(result, "all", "markdown")
    assert "<b>" not in shown and "\x1b" not in shown
    assert {line.count("|") for line in shown.splitlines()} == {7}
    text = metrics_table(result.metrics, result.references)
    assert "\x1b" not in text
    assert sum("refused:" in line for line in text.splitlines()) == 1


def test_where_every_clip_fails_for_one_reason_the_table_gives_it() -> None:
    def rows(*reasons: str) -> Result:
        failed = [Entry(value=None, failed=True, reason=reason) for reason in reasons]
        made = [make_row("ab"[k], f"{'ab'[k]}0", {"lmd": 1.0, "pose_speed": failed[k]}) for k in (0, 1)]
        result = make_result(made)
        fields = {"value": None, "n_failed": 2, "status": "failed", "reason": "no clip could be scored"}
        return changed(result, *((("metrics", "pose_speed", key), value) for key, value in fields.items()))

    one = table(rows("out of view in 3 frames", "out of view in 20 frames"), "all")
    assert "pose_speed failed: no clip could be scored: out of view in 3 frames" in one
    two = table(rows("out of view", "not finite"), "all")
    assert "pose_speed failed: no clip could be scored\n" in f"{two}\n"
