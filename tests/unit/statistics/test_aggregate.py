"""From rows to a value and its counts: who is asked, who failed, what is not defined."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from facial_bench.core.protocol import Protocol
from facial_bench.metrics.pools import mean_pool, wasserstein_pool
from facial_bench.statistics.aggregate import (
    Summary,
    common_rows,
    count_failed,
    count_undefined,
    estimator,
    is_scored,
    make_shares,
    make_units,
    summarise,
)
from facial_bench.statistics.bootstrap import Unit
from facial_bench.statistics.permutation import permute
from facial_bench.statistics.rows import Entry, Row
from tests.helpers.results import make_row

RULES = Protocol(resamples=200)
ABSENT = Entry(value=None, reason="needs pose", absent=True)


def make_rows(metric: str = "lmd", **people: list[float | Entry | None]) -> list[Row]:
    """A row for each value of each person."""
    return [make_row(p, f"{p}{k}", {metric: v}) for p, values in people.items() for k, v in enumerate(values)]


def test_what_stands_for_a_clip() -> None:
    assert Entry(value=0.5, weight=4, blocks=((1.0, 2),)).numbers == (2.0, 4)
    assert Entry(part=(), blocks=((),), items=0).numbers == (), "a clip without an event is a part too"
    assert Entry(value=None, reason="no").numbers is None
    assert Entry().numbers is None
    row = make_row("a", "a0", {"lmd": 0.0, "lve": None})
    assert [is_scored(row, name) for name in ("lmd", "lve", "fdd")] == [True, False, False]


def test_distances_are_means_over_clips_and_accuracies_over_people() -> None:
    values = {"a": [1.0, 2.0, 3.0], "b": [6.0]}
    assert summarise([make_rows("lmd", **values)], "lmd", RULES).value == pytest.approx(12 / 4)
    assert summarise([make_rows("pose_accuracy", **values)], "pose_accuracy", RULES).value == pytest.approx((2 + 6) / 2)
    assert make_shares(make_rows("lmd", **values), "lmd") == {"a": 0.75, "b": 0.25}


def test_a_persons_only_clip_is_resampled_in_blocks() -> None:
    rows = make_rows(a=[1.0, 2.0], b=[4.0])
    assert make_units(rows, "lmd") == [
        Unit("a", (1.0, 1)),
        Unit("a", (2.0, 1)),
        Unit("b", (2.0, 1)),
        Unit("b", (6.0, 1)),
    ]


def test_a_pooled_metric_is_estimated_of_a_persons_clips_together() -> None:
    def part(count: float, total: float) -> Entry:
        return Entry(part=(count, total), blocks=((count, total),), items=int(count))

    rows = make_rows("rate", a=[part(1, 1.0), part(3, 9.0)], b=[part(2, 2.0), part(2, 6.0)])
    found = summarise([rows], "rate", RULES, estimator(mean_pool(), {"a": (1.0, 1.0), "b": (1.0, 1.0)}))
    assert found.value == pytest.approx((10 / 4 + 8 / 4) / 2), "not the mean over clips, which is 2.0"
    assert make_shares(rows, "rate") == {"a": 0.5, "b": 0.5}


def test_counts_keep_apart_what_failed_and_what_is_not_defined() -> None:
    """Two clips without a value: the method failed on one, the metric is not defined for the other."""
    rows = make_rows(a=[1.0, None], b=[2.0, 3.0])
    rows.append(make_row("b", "b9", {"lmd": None, "lve": 1.0}))
    found = summarise([rows], "lmd", RULES)
    assert (found.n_clips, found.n_failed, found.n_undefined) == (5, 2, 1)
    assert count_undefined(rows, "lmd") == 1
    assert count_undefined(rows, "lve") == 0


def test_an_absent_metric_is_not_asked_for() -> None:
    found = summarise([make_rows(a=[ABSENT, ABSENT])], "lmd", RULES)
    assert found == Summary(None, None, None, 0, 0)
    assert count_undefined(make_rows(a=[ABSENT]), "lmd") == 0


def test_where_every_clip_failed_an_accuracy_is_no_zero() -> None:
    rows = [make_row("a", f"a{k}", {"lmd": None}) for k in range(3)]
    found = summarise([rows], "lmd", RULES)
    assert (found.value, found.n_clips, found.n_failed, found.n_undefined) == (None, 3, 3, 0)


def test_seeds_are_put_together_on_the_clips_that_all_have() -> None:
    one, two = make_rows(a=[1.0, 2.0, 9.0]), make_rows(a=[3.0, 4.0, None])
    assert [[row.clip for row in rows] for rows in common_rows([one, two], "lmd")] == [["a0", "a1"]] * 2
    found = summarise([one, two], "lmd", RULES)
    assert found.value == pytest.approx(np.mean([1, 2, 3, 4]))
    assert found.n_clips == 3


FAILED = Entry(value=9.0, weight=1, reason="it raised", failed=True)


def test_a_clip_that_failed_counts_with_the_value_of_chance() -> None:
    """Not asked for is not failed; failed and not defined are told apart."""
    rows = make_rows(a=[1.0, 2.0, FAILED], b=[ABSENT, Entry(value=None, reason="nobody speaks")])
    rows.append(make_row("b", "b7", {"lmd": Entry(value=None, reason="it raised", failed=True), "lve": 1.0}))
    found = summarise([rows], "lmd", RULES)
    assert found.value == pytest.approx((1 + 2 + 9) / 3)
    assert (found.n_clips, found.n_failed - found.n_undefined, found.n_undefined) == (5, 2, 1)
    assert (count_failed(rows, "lmd"), count_undefined(rows, "lmd")) == (2, 1)
    assert (count_failed(rows, "lve"), count_failed(rows, "fdd")) == (0, 0)


def test_a_row_that_failed_failed_for_every_metric() -> None:
    row = msgspec.structs.replace(make_row("a", "a0", {"lmd": 1.0}), status="failed")
    assert count_failed([row], "lmd") == 1


def test_a_short_clip_is_no_vote() -> None:
    """Two frames of 128 weigh a 64th, of the value and of what their person counts."""
    short = Entry(value=64.0, weight=1 / 64)
    rows = make_rows(a=[1.0, 1.0, short], b=[2.0])
    assert summarise([rows], "lmd", RULES).value == pytest.approx((1 + 1 + 1 + 2) / (3 + 1 / 64))
    assert make_shares(rows, "lmd") == pytest.approx({"a": (2 + 1 / 64) / (3 + 1 / 64), "b": 1 / (3 + 1 / 64)})
    assert make_shares(make_rows("pose_accuracy", a=[1.0, short], b=[2.0]), "pose_accuracy") == {"a": 0.5, "b": 0.5}


def durations(*values: float) -> Entry:
    return Entry(part=(float(len(values)), float(sum(values))), items=len(values))


def test_a_person_without_a_value_is_named() -> None:
    """b blinks in reality and never as generated: no mean over a alone passes for the value."""
    rows = make_rows("mean", a=[durations(5, 6), durations(4)], b=[durations(), durations()])
    found = summarise([rows], "mean", RULES, estimator(mean_pool(), {"a": (2.0, 9.0), "b": (1.0, 5.0)}))
    assert (found.value, found.undefined_people, found.left_out_people) == (None, ("b",), ())


def test_a_person_whose_real_motion_has_no_value_is_left_out_for_every_method() -> None:
    """b never blinks in reality: a method that makes b blink is measured on a alone, like one that does not."""
    estimate = estimator(mean_pool(), {"a": (2.0, 9.0), "b": (0.0, 0.0)})
    for b in ([durations(), durations()], [durations(9), durations()]):
        rows = make_rows("mean", a=[durations(5, 6), durations(4)], b=b)
        found = summarise([rows], "mean", RULES, estimate)
        assert (found.value, found.undefined_people, found.left_out_people) == (5.0, (), ("b",))
        assert permute([rows], [rows], "mean", estimate).clips == 2
    nobody = estimator(mean_pool(), {"a": (0.0, 0.0), "b": (0.0, 0.0)})
    found = summarise([rows], "mean", RULES, nobody)
    assert (found.value, found.undefined_people, found.left_out_people) == (None, (), ("a", "b"))
    assert permute([rows], [rows], "mean", nobody) is None


def test_why_there_is_no_interval() -> None:
    estimate = estimator(wasserstein_pool(), {"a": (0.0, 1.0)})

    def events(*values: float) -> Entry:
        return Entry(part=values, blocks=(values,) if values else (), items=len(values))

    def reason(*clips: Entry) -> str:
        found = summarise([make_rows("w1", a=list(clips))], "w1", RULES, estimate)
        assert found.value is not None
        assert (found.low is None) == bool(found.no_interval)
        return found.no_interval

    assert reason(events(1.0)) == "a has a single clip, and no two blocks of it"
    assert reason(events(1.0), events(1.0)) == "the clips do not differ"
    assert reason(events(1.0), events()) == "a has no value without one of the clips"
    assert reason(events(1.0), events(2.0)) == ""


def test_the_interval_of_a_share_ends_at_one() -> None:
    """Of windows, or of wrong audios; of a distance it does not, and where all are alike a share has Wilson's."""
    values = {"a": [1.0, 1.0, 0.7], "b": [1.0, 0.98, 1.0]}
    ends = {name: summarise([make_rows(name, **values)], name, RULES).high for name in ("speech_coupling/head", "lmd")}
    assert ends["speech_coupling/head"] == 1.0 < ends["lmd"]
    alike = summarise([make_rows("speech_coupling/head", a=[1.0] * 3, b=[1.0] * 3)], "speech_coupling/head", RULES)
    assert (alike.low, alike.high) == (pytest.approx(1 / (1 + 1.959964**2 / 6)), 1.0)
