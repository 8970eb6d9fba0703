"""What falls apart on a fresh seed: skills of two corpora compared, by hand-worked values."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from facial_bench.errors import CorpusError, ResultError
from facial_bench.evaluation.config import RunConfig
from facial_bench.evaluation.fresh_run import require_synthetic, run_on_fresh_seed
from facial_bench.evaluation.fresh_seed import ACCURACY_MARGIN, MARGIN, FreshVerdict, compare_fresh
from facial_bench.evaluation.result import Ceiling, Reference, Result
from facial_bench.evaluation.same_run import same_run
from facial_bench.reports.fresh_seed import fresh_table
from tests.helpers.results import make_result, make_row

LMD, POSE = "lmd", "pose_accuracy"


def result(
    name: str,
    value: float | None,
    half: float | None,
    chance: float,
    ceiling: float | None,
    status: str = "ok",
    reason: str = "",
) -> Result:
    """One metric: value with an interval of a half width, chance and ceiling."""
    made = make_result([make_row("a", "a0", {name: 0.5})])
    ends = (None, None) if half is None or value is None else (value - half, value + half)
    entry = msgspec.structs.replace(
        made.metrics[name], value=value, low=ends[0], high=ends[1], status=status, reason=reason
    )
    reference = Reference(ceiling=Ceiling(value=ceiling, low=None, high=None), chance=chance)
    return msgspec.structs.replace(made, metrics={name: entry}, references={name: reference})


def test_a_hand_worked_fall_of_an_accuracy() -> None:
    published = result(POSE, 0.6, 0.05, 0.2, 0.7)  # skill 0.8 [0.7, 0.9]
    fresh = result(POSE, 0.25, 0.06, 0.2, 0.8)  # skill 1/12 [-1/60, 11/60]
    (change,) = compare_fresh(published, fresh, [POSE])
    assert change.published.skill == pytest.approx(0.8)
    assert change.published.skill_ends == pytest.approx((0.7, 0.9))
    assert change.fresh.skill_ends == pytest.approx((-1 / 60, 11 / 60))
    assert change.lost == pytest.approx(0.8 - 1 / 12)
    assert change.falls_apart


def test_a_hand_worked_fall_of_a_distance() -> None:
    """Of a distance the low end of the value is the high end of the skill."""
    published = result(LMD, 1.0, 0.2, 4.0, 0.0)  # skill 0.75 [0.7, 0.8]
    fresh = result(LMD, 3.0, 0.3, 3.0, 0.0)  # skill 0 [-0.1, 0.1]
    (change,) = compare_fresh(published, fresh, [LMD])
    assert change.published.skill_ends == pytest.approx((0.7, 0.8))
    assert change.fresh.skill_ends == pytest.approx((-0.1, 0.1))
    assert change.lost == pytest.approx(0.75)
    assert change.falls_apart


def test_one_result_beside_itself_loses_nothing() -> None:
    one = result(LMD, 1.0, 0.2, 4.0, 0.0)
    (change,) = compare_fresh(one, one, [LMD])
    assert (change.lost, change.falls_apart) == (0.0, False)


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (10.0, 0.0), (0.5, 3.0)])
def test_units_do_not_matter(scale: float, shift: float) -> None:
    """A unit that is another one on the fresh corpus scales value, interval, chance and ceiling alike."""
    published = result(LMD, 1.0, 0.2, 4.0, 0.0)
    fresh = result(LMD, 3.0 * scale + shift, 0.3 * scale, 3.0 * scale + shift, shift)
    (change,) = compare_fresh(published, fresh, [LMD])
    assert change.lost == pytest.approx(0.75)
    assert change.falls_apart


@pytest.mark.parametrize(
    ("before", "now", "half", "why"),
    [
        (0.6, 0.9, 0.01, "it gains"),
        (0.8, 0.8 - ACCURACY_MARGIN + 0.02, 0.001, "it loses less than the margin"),
        (0.9, 0.2, 0.36, "the intervals overlap"),
        (1.9, 1.1, 0.01, "both lie above the ceiling"),
        (1.9, 1.0 - ACCURACY_MARGIN + 0.02, 0.001, "what lies above the ceiling does not count"),
    ],
)
def test_what_does_not_fall_apart(before: float, now: float, half: float, why: str) -> None:
    (change,) = compare_fresh(result(POSE, before, half, 0.0, 1.0), result(POSE, now, half, 0.0, 1.0), [POSE])
    assert not change.falls_apart, why


@pytest.mark.parametrize(
    ("name", "margin"),
    [
        *((name, MARGIN) for name in (LMD, "lmd/canonical", "blink_duration/w1")),
        *((name, ACCURACY_MARGIN) for name in (POSE, "pose_accuracy/paper", "blink_realism", "speech_coupling/head")),
    ],
)
def test_more_than_the_margin_counts(name: str, margin: float) -> None:
    published = result(name, 0.9, 0.001, 0.0, 1.0)
    (less,) = compare_fresh(published, result(name, 0.91 - margin, 0.001, 0.0, 1.0), [name])
    (more,) = compare_fresh(published, result(name, 0.89 - margin, 0.001, 0.0, 1.0), [name])
    assert (less.falls_apart, more.falls_apart) == (False, True)


def test_a_value_without_an_interval_is_a_point() -> None:
    (change,) = compare_fresh(result(POSE, 0.9, None, 0.0, 1.0), result(POSE, 0.1, None, 0.0, 1.0), [POSE])
    assert change.published.skill_ends == (0.9, 0.9)
    assert change.falls_apart


def test_a_method_that_has_no_value_any_more_falls_apart() -> None:
    fresh = result(POSE, None, None, 0.0, 1.0, "failed", "no clip could be scored")
    (change,) = compare_fresh(result(POSE, 0.9, 0.1, 0.0, 1.0), fresh, [POSE])
    assert change.falls_apart
    assert change.lost is None
    assert "no clip could be scored" in change.reason


@pytest.mark.parametrize(
    ("published", "fresh", "reason"),
    [
        (result(POSE, 0.9, 0.1, 0.2, 1.0), result(POSE, None, None, 0.2, 0.2, "refused", "too low"), "too low"),
        (result(POSE, None, None, 0.2, 1.0, "absent", "no pose"), result(POSE, 0.9, 0.1, 0.2, 1.0), "no pose"),
        (result(POSE, 0.9, 0.1, 0.2, 0.2), result(POSE, 0.9, 0.1, 0.2, 1.0), "it has no skill"),
    ],
)
def test_what_cannot_be_compared_says_why(published: Result, fresh: Result, reason: str) -> None:
    (change,) = compare_fresh(published, fresh, [POSE])
    assert (change.lost, change.falls_apart, change.reason) == (None, False, reason)
    assert FreshVerdict((change,), 1).summary() == "nothing could be compared"


def test_two_functions_of_one_name_are_not_compared() -> None:
    published, fresh = result(LMD, 1.0, 0.2, 4.0, 0.0), result(LMD, 4.0, 0.2, 4.0, 0.0)
    other = {LMD: msgspec.structs.replace(fresh.metrics[LMD], definition="another")}
    (change,) = compare_fresh(published, msgspec.structs.replace(fresh, metrics=other), [LMD])
    assert not change.falls_apart
    assert "define it differently" in change.reason


def test_metrics_that_one_result_lacks_are_left_out() -> None:
    assert compare_fresh(result(LMD, 1, 0.1, 4, 0), result(POSE, 1, 0.1, 0, 1), [LMD, POSE]) == ()


def test_a_verdict_is_told_as_text_and_as_plain_values() -> None:
    changes = compare_fresh(result(POSE, 0.6, 0.05, 0.2, 0.7), result(POSE, 0.2, 0.05, 0.2, 0.8), [POSE])
    verdict = FreshVerdict(changes, 2**62 + 1, ("the plugin changed",))
    assert verdict.falls_apart == (POSE,)
    plain = verdict.as_json()
    assert plain["seed"] == str(2**62 + 1)
    assert plain["falls_apart"] == [POSE]
    assert plain["metrics"][POSE]["published"]["skill"] == pytest.approx(0.8)
    assert msgspec.json.decode(msgspec.json.encode(plain)) == plain
    text = fresh_table(verdict)
    assert "0.80 [0.70, 0.90]" in text
    assert "falls apart on clips that it cannot have seen: pose_accuracy; 1 metrics compared" in text
    assert "note: the plugin changed" in text


def synthetic(**method: Any) -> Result:
    """A result of the public corpus."""
    made = make_result([make_row("p1", "p1-01", {LMD: 0.5})], label="ridge", plugin="facial-bench")
    corpus = msgspec.structs.replace(made.corpus, name="synthetic", identities=("p1", "p2", "p3", "p4", "p5"))
    return msgspec.structs.replace(made, corpus=corpus, method=msgspec.structs.replace(made.method, **method))


def test_a_run_is_done_again_as_it_was(tmp_path: Any) -> None:
    whole = msgspec.structs.replace(synthetic(budget="paper", options={"k": "v"}), seed=7, device="Some GPU")
    config = same_run(whole, None, corpus=str(tmp_path / "c"), out=str(tmp_path / "o"))
    assert config == RunConfig(
        "ridge",
        corpus=str(tmp_path / "c"),
        seeds=(7,),
        device="cuda",
        budget="paper",
        options={"k": "v"},
        out=str(tmp_path / "o"),
    )
    like = RunConfig("m.py:ridge", device="cpu", isolation="sandbox", timeout=5.0, plugins=("p.py",), seeds=(1,))
    config = same_run(whole, like, corpus=str(tmp_path))
    assert (config.method, config.device, config.isolation) == ("m.py:ridge", "cpu", "sandbox")
    assert (config.timeout, config.plugins, config.seeds) == (5.0, ("p.py",), (7,))
    assert same_run(whole, None, identities=("p1", "p3")).identities == ("p1", "p3")


@pytest.mark.parametrize("change", [{"name": "mine"}, {"version": "2"}, {"identities": ("somebody",)}])
def test_another_corpus_cannot_be_made_anew(change: dict[str, Any]) -> None:
    result = synthetic()
    require_synthetic(result)
    with pytest.raises(CorpusError, match="cannot be made anew"):
        require_synthetic(msgspec.structs.replace(result, corpus=msgspec.structs.replace(result.corpus, **change)))


@pytest.mark.parametrize(
    ("method", "like", "says"),
    [
        ({"name": "sway", "plugin": "sway.py"}, None, "--method-plugin sway.py, or sway.py:sway"),
        ({"name": "Sway", "plugin": "notebook"}, None, "a class of a notebook"),
        ({"name": "sway", "plugin": "nobody-has-this"}, None, "nobody-has-this, which is not installed here"),
        ({"name": "precomputed"}, None, "made before"),
        ({}, RunConfig("m.py:Other"), "is of the method ridge, not of m.py:Other"),
    ],
)
def test_a_method_that_cannot_be_found_says_what_to_name(
    method: dict[str, Any], like: RunConfig | None, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from facial_bench.core.protocol import Protocol

    result = synthetic(**method)
    digest = _digest_of_nothing_measured()
    result = msgspec.structs.replace(result, protocol=msgspec.structs.replace(result.protocol, digest=digest))

    def never(*_: Any) -> Any:
        raise AssertionError("nothing is run")

    with pytest.raises(ResultError, match=says):
        run_on_fresh_seed([result], like, never, {}, Protocol(), {"ridge", "precomputed"})


def test_another_protocol_is_told() -> None:
    from facial_bench.core.protocol import Protocol

    with pytest.raises(ResultError, match=r"the result is of the protocol bbbbbbbbbbbb, this version's is"):
        run_on_fresh_seed([synthetic()], None, lambda *_: pytest.fail("run"), {}, Protocol(), {"ridge"})


def _digest_of_nothing_measured() -> str:
    from facial_bench.evaluation.setup import protocol_with

    return protocol_with([]).digest()
