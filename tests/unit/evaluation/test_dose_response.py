"""The verdicts on metrics, and certification from end to end on a small corpus."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from facial_bench.cli import main
from facial_bench.core.progress import QUIET
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.errors import FacialBenchError
from facial_bench.evaluation.sensitivity.dose_response import measure_sensitivity, own_perturbations, verdict_of
from facial_bench.evaluation.setup import prepare, protocol_with
from facial_bench.metrics.catalog import built_in_metrics
from facial_bench.metrics.identity import accuracy_definitions
from facial_bench.reports.figures import save_figure
from facial_bench.reports.metric_pages import describe, page, read_marks
from facial_bench.reports.sensitivity import draw, report
from facial_bench.types import Definition

LMD = Definition("lmd", 1, "1", False, "a formula")


def response(values: list[float], neutral: float = 0.0, doses: list[float] | None = None, width: float = 0.1) -> dict:
    """One metric's answer: values from dose to dose, every difference known to +- width."""
    doses = doses or [float(k) for k in range(len(values))]
    middle = doses.index(neutral)
    series = []
    for k, value in enumerate(values):
        inner = values[k - 1 if k > middle else min(k + 1, middle)]
        away, step = value - values[middle], value - inner
        entry = {"value": value, "low": value - width, "high": value + width}
        entry |= {"difference": [away, away - width, away + width], "step": [step, step - width, step + width]}
        series.append(entry)
    return {"unit": "x", "doses": doses, "neutral": neutral, "metrics": {"lmd": series}}


def verdict(definition: Definition = LMD, **responses: dict) -> dict[str, Any]:
    flat = response([0.0, 0.0, 0.0])
    every = {name: flat for name in ("mouth amplitude", "time shift", "jitter", "smoothing")}
    return verdict_of(definition, {**every, **{name.replace("_", " "): found for name, found in responses.items()}})


def test_a_metric_that_rises_with_the_dose_answers() -> None:
    found = verdict(jitter=response([0.0, 0.5, 1.0, 2.0]))
    assert found["answers"] == ["jitter"]
    assert found["inert"] == ["mouth amplitude", "time shift", "smoothing"]


def test_one_that_turns_back_or_stays_within_its_interval_is_inert() -> None:
    for values in ([0.0, 3.0, 1.0], [0.0, 0.05, 0.08], [0.0, -1.0, -2.0]):
        assert "jitter" in verdict(jitter=response(values))["inert"], values
    assert "jitter" in verdict(jitter=response([0.0, 1.0, 0.95, 2.0]))["answers"], "a step within its interval is none"


def test_an_inert_metric_is_told_why() -> None:
    def why(values: list[float], **more: Any) -> str:
        return verdict(jitter=response(values, **more))["why"]["jitter"]

    assert why([0.0, 3.0, 1.0]) == "a step back at 2"
    assert why([0.0, 0.05, 0.08]) == "no effect at 2"
    assert why([0.0, 0.5, -1.0]) == "no effect at 2, a step back at 2"
    assert why([1.0, 0.5, 0.0, 0.05, 0.08], neutral=2.0) == "no effect at 4"
    lost = response([0.0, 0.02, 5.0, 6.0])
    for entry in lost["metrics"]["lmd"][2:]:
        entry |= {"difference": None, "step": None, "value": None}
    assert verdict(jitter=lost)["why"]["jitter"] == "no effect at 1, not defined from 2"
    for entry in lost["metrics"]["lmd"][1:]:
        entry |= {"difference": None, "step": None, "value": None}
    assert verdict(jitter=lost)["why"]["jitter"] == "not defined from 1"
    assert "jitter" not in verdict(jitter=response([0.0, 1.0, 2.0]))["why"]


def test_both_sides_of_the_neutral_dose_must_answer() -> None:
    doses = [-2.0, -1.0, 0.0, 1.0, 2.0]
    both, one = response([2.0, 1.0, 0.0, 1.0, 2.0], doses=doses), response([0.0, 0.0, 0.0, 1.0, 2.0], doses=doses)
    assert "time shift" in verdict(time_shift=both)["answers"]
    assert "time shift" in verdict(time_shift=one)["inert"]


def test_the_direction_of_the_metric_counts_and_without_one_any_change_does() -> None:
    up, free = Definition("lmd", 1, "1", True, "f"), Definition("lmd", 1, "1", None, "f")
    falling, rising = response([1.0, 0.5, 0.0]), response([0.0, 0.5, 1.0])
    assert "jitter" in verdict(up, jitter=falling)["answers"]
    assert "jitter" in verdict(up, jitter=rising)["inert"]
    assert all("jitter" in verdict(free, jitter=found)["answers"] for found in (falling, rising))


def test_what_is_not_its_own_is_named_where_the_effect_is_a_fifth_of_its_own() -> None:
    own = response([0.0, 5.0, 10.0])
    assert verdict(jitter=own, blinks_added=response([0.0, 1.0, 3.0]))["also"] == ["blinks added"]
    assert verdict(jitter=own, blinks_added=response([0.0, 0.5, 1.5]))["also"] == []


def test_doses_at_which_it_is_not_defined_are_passed_over() -> None:
    found = response([0.0, 1.0, 2.0, 3.0])
    found["metrics"]["lmd"][3] |= {"value": None, "difference": None, "step": None}
    assert "jitter" in verdict(jitter=found)["answers"]
    for entry in found["metrics"]["lmd"]:
        entry |= {"difference": None}
    assert "jitter" in verdict(jitter=found)["inert"]


def test_every_definition_has_corruptions_of_its_own() -> None:
    for one in (*built_in_metrics(), *accuracy_definitions()):
        assert own_perturbations(one.id), one.id
    assert own_perturbations("a plugin's") == ()


@pytest.fixture(scope="module")
def found(
    make_corpus: Callable[..., Corpus], tmp_path_factory: pytest.TempPathFactory, small_protocol: Protocol
) -> Any:
    wanted = ("lmd", "lmd/raw-face", "mouth_lag", "pose_std_distance", "blink_rate/distance")
    specs = [spec for spec in built_in_metrics() if spec.id in wanted]
    setup = prepare(
        make_corpus(clips=8, scales=[0.3, 3.0]),
        protocol_with(specs, small_protocol),
        specs,
        device="cpu",
        cache=tmp_path_factory.mktemp("cache"),
        report=QUIET,
    )
    return measure_sensitivity(setup, QUIET)


@pytest.mark.slow
def test_certification_from_end_to_end(found: Any, tmp_path: Path) -> None:
    """White noise for a mouth, AR(1) for a head: what must be seen is seen."""
    assert "jitter" in found["metrics"]["lmd"]["answers"]
    assert found["metrics"]["pose_std_distance"]["answers"] == ["head amplitude"]
    for name in ("blinks deleted", "blinks added"):
        values = [entry["value"] for entry in found["responses"][name]["metrics"]["lmd"]]
        assert len(set(values)) == 1, "lips do not blink"
    text = report(found)
    assert "| `lmd` " in text
    assert json.loads(json.dumps(found)) == found
    pictures = draw(found, tmp_path)
    assert {path.name for path in pictures} >= {"tiny-lips.png", "tiny-head.png", "tiny-blinks.png"}
    first = [path.read_bytes() for path in pictures]
    assert [path.read_bytes() for path in draw(found, tmp_path)] == first, "the same picture, byte for byte"


@pytest.mark.slow
def test_the_registry_takes_up_the_verdicts(found: Any, tmp_path: Path) -> None:
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(found))
    corpus, marks = read_marks(path)
    assert corpus == "tiny"
    lmd = next(one for one in built_in_metrics() if one.id == "lmd")
    assert "certified  on tiny: answers" in describe(lmd, "x", {corpus: marks})
    assert "not certified" in describe(next(one for one in built_in_metrics() if one.id == "lve"), "x", {corpus: marks})
    text = page(built_in_metrics(), {corpus: marks})
    assert "### lmd/raw-face" in text
    assert "certified on tiny" in text


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"metrics": {"lmd": 3}, "corpus": {"name": "x"}}'])
def test_a_file_that_is_no_certification_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(FacialBenchError, match="facial-bench certify"):
        read_marks(path)


def test_a_picture_has_one_of_two_endings(tmp_path: Path) -> None:
    with pytest.raises(FacialBenchError, match=r"\.svg or a \.png"):
        save_figure(None, tmp_path / "x.pdf")


def test_a_definition_is_explained() -> None:
    told = CliRunner().invoke(main, ["metrics", "lmd/atvg"]).stdout
    for expected in (
        "lmd/atvg  version 1, px, lower is better",
        "sum_{k in 48..67}",
        "ATVGnet",
        "SUM over 20 points",
        "facial-bench score RESULT --metric lmd/atvg",
    ):
        assert expected in told
    accuracy = CliRunner().invoke(main, ["metrics", "pose_accuracy"]).stdout
    assert "measured   in every run" in accuracy
    wrong = CliRunner().invoke(main, ["metrics", "lmd/atvx"])
    assert wrong.exit_code == 1
    assert "Did you mean 'lmd/atvg'?" in wrong.stderr


def test_every_definition_says_where_it_is_from_and_what_it_misses() -> None:
    told = CliRunner().invoke(main, ["metrics"]).stdout
    for one in (*built_in_metrics(), *accuracy_definitions()):
        assert any(line.startswith(f"{one.id} ") for line in told.splitlines()), one.id
        assert one.origin and one.pitfalls and one.formula and one.unit, one.id
        assert "\n" not in one.formula + one.origin + one.pitfalls
