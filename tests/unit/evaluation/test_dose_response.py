"""The verdicts on metrics, and their sensitivity measured from end to end on a small corpus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from facial_bench.core.progress import QUIET
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.evaluation.sensitivity import dose_response
from facial_bench.evaluation.sensitivity.dose_response import measure_sensitivity
from facial_bench.evaluation.sensitivity.perturbations import Perturbation, perturbations
from facial_bench.evaluation.sensitivity.record import (
    Doses,
    Reading,
    Response,
    Sensitivity,
    read_sensitivity,
    write_sensitivity,
)
from facial_bench.evaluation.sensitivity.verdicts import responses_of
from facial_bench.evaluation.setup import EvaluationSetup
from facial_bench.metrics.catalog import all_definitions
from facial_bench.reports.sensitivity import draw, verdicts_page
from facial_bench.types import Definition
from tests.helpers.sessions import make_session, ready

DOCS = Path(__file__).parents[3] / "docs" / "sensitivity"
OWN = ("mouth amplitude", "time shift", "jitter", "smoothing")
LMD = Definition("lmd", 1, "1", False, "a formula", perturbations=OWN)
UNDEFINED = Reading(None, None, None, None, None)
Tried = tuple[tuple[float, ...], list[Reading], float]
"""Doses, readings, the neutral dose."""


def tried(values: list[float], neutral: float = 0.0, doses: list[float] | None = None, width: float = 0.1) -> Tried:
    """One metric's values from dose to dose, every difference known to +- width."""
    doses = doses or [float(k) for k in range(len(values))]
    middle = doses.index(neutral)
    series = []
    for k, value in enumerate(values):
        away, step = value - values[middle], value - values[k - 1 if k > middle else min(k + 1, middle)]
        ends = [(one, one - width, one + width) for one in (away, step)]
        series.append(Reading(value, value - width, value + width, *ends))
    return tuple(doses), series, neutral


def respond(definition: Definition = LMD, **given: Tried) -> dict[str, Response]:
    """perturbation -> response; flat where nothing is given."""
    every = {**dict.fromkeys(OWN, tried([0.0, 0.0, 0.0])), **{k.replace("_", " "): one for k, one in given.items()}}
    doses = [Doses(name, "x", one[0], one[2]) for name, one in every.items()]
    responses = responses_of(definition, doses, {name: one[1] for name, one in every.items()})
    return {response.perturbation: response for response in responses}


def test_a_metric_that_rises_with_the_dose_answers() -> None:
    responses = respond(jitter=tried([0.0, 0.5, 1.0, 2.0]))
    assert responses["jitter"].verdict == "answers"
    assert {responses[name].verdict for name in OWN if name != "jitter"} == {"no response"}


@pytest.mark.parametrize("values", [[0.0, 3.0, 1.0], [0.0, 0.05, 0.08], [0.0, -1.0, -2.0]])
def test_one_that_turns_back_or_stays_within_its_interval_has_no_response(values: list[float]) -> None:
    assert respond(jitter=tried(values))["jitter"].verdict == "no response"


def test_a_step_back_within_its_interval_is_none() -> None:
    assert respond(jitter=tried([0.0, 1.0, 0.95, 2.0]))["jitter"].verdict == "answers"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (tried([0.0, 3.0, 1.0]), "a step back at 2"),
        (tried([0.0, 0.05, 0.08]), "no effect at 2"),
        (tried([0.0, 0.5, -1.0]), "no effect at 2, a step back at 2"),
        (tried([1.0, 0.5, 0.0, 0.05, 0.08], neutral=2.0), "no effect at 4"),
        (tried([0.0, 0.02, 5.0, 6.0]), "no effect at 1, not defined from 2"),
        (tried([0.0, 1.0, 2.0]), ""),
    ],
)
def test_why_there_is_no_response(given: Tried, why: str) -> None:
    if "not defined" in why:
        given[1][2:] = [UNDEFINED, UNDEFINED]
    assert respond(jitter=given)["jitter"].why == why


def test_what_is_defined_nowhere_has_no_response() -> None:
    doses, series, neutral = tried([0.0, 1.0, 2.0])
    response = respond(jitter=(doses, [series[0], UNDEFINED, UNDEFINED], neutral))["jitter"]
    assert (response.verdict, response.why) == ("no response", "not defined from 1")


def test_both_sides_of_the_neutral_dose_must_answer() -> None:
    doses = [-2.0, -1.0, 0.0, 1.0, 2.0]
    both, one = tried([2.0, 1.0, 0.0, 1.0, 2.0], doses=doses), tried([0.0, 0.0, 0.0, 1.0, 2.0], doses=doses)
    assert respond(time_shift=both)["time shift"].verdict == "answers"
    assert respond(time_shift=one)["time shift"].verdict == "no response"


def test_the_direction_of_the_metric_counts_and_without_one_any_change_does() -> None:
    up, free = (Definition("lmd", 1, "1", way, "f", perturbations=OWN) for way in (True, None))
    falling, rising = tried([1.0, 0.5, 0.0]), tried([0.0, 0.5, 1.0])
    assert respond(up, jitter=falling)["jitter"].verdict == "answers"
    assert respond(up, jitter=rising)["jitter"].verdict == "no response"
    assert all(respond(free, jitter=given)["jitter"].verdict == "answers" for given in (falling, rising))


@pytest.mark.parametrize(("largest", "verdict"), [(3.0, "also answers"), (1.5, "")])
def test_what_is_not_its_own_is_named_where_the_effect_is_a_fifth_of_its_own(largest: float, verdict: str) -> None:
    responses = respond(jitter=tried([0.0, 5.0, 10.0]), blinks_added=tried([0.0, 0.5 * largest, largest]))
    assert responses["blinks added"].verdict == verdict
    assert not responses["blinks added"].why


def test_doses_at_which_it_is_not_defined_are_passed_over() -> None:
    doses, series, neutral = tried([0.0, 1.0, 2.0, 3.0])
    assert respond(jitter=(doses, [*series[:3], UNDEFINED], neutral))["jitter"].verdict == "answers"


def test_every_definition_has_perturbations_of_its_own() -> None:
    names = {one.name for one in perturbations()}
    for one in all_definitions().values():
        assert one.perturbations and set(one.perturbations) <= names, one.id


@pytest.mark.parametrize("corpus", ["real-tracks", "synthetic"])
def test_the_stored_verdicts_follow_from_the_stored_values(corpus: str) -> None:
    stored = read_sensitivity(DOCS / f"{corpus}.jsonl.xz")
    for metric in stored.header.metrics:
        series = {response.perturbation: response.series for response in stored.of(metric)}
        assert responses_of(all_definitions()[metric], stored.header.perturbations, series) == stored.of(metric)
    assert stored.header.perturbations == tuple(
        Doses(one.name, one.unit, tuple(map(float, one.doses)), one.neutral) for one in perturbations()
    )


@pytest.fixture(scope="module")
def setup(
    make_corpus: Callable[..., Corpus], tmp_path_factory: pytest.TempPathFactory, small_protocol: Protocol
) -> EvaluationSetup:
    wanted = ("lmd", "lmd/raw-face", "mouth_lag", "pose_std_distance", "blink_rate/distance")
    rules = replace(small_protocol, classifiers=replace(small_protocol.classifiers, seeds=(1,)))
    session = make_session(tmp_path_factory.mktemp("cache"), rules, metrics=wanted)
    return ready(session, make_corpus(clips=9, frames=260, scales=[0.3, 3.0]))


def fewer_doses() -> tuple[Perturbation, ...]:
    """Every perturbation, in its outermost doses, one between them and the neutral one."""
    return tuple(
        replace(one, doses=tuple(sorted({*one.doses[:: len(one.doses) // 2], one.doses[-1], one.neutral})))
        for one in perturbations()
    )


@pytest.fixture(scope="module")
def measured(setup: EvaluationSetup) -> Sensitivity:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dose_response, "perturbations", fewer_doses)
        return measure_sensitivity(setup, QUIET)


@pytest.mark.slow
def test_what_classifiers_have_learned_is_not_what_they_are_shown(
    setup: EvaluationSetup, measured: Sensitivity
) -> None:
    """Undisturbed motion gets the ceiling: real clips that the classifiers have not seen."""
    checked = 0
    for response in measured.of("pose_accuracy") + measured.of("pose_accuracy/paper"):
        doses = next(one for one in measured.header.perturbations if one.name == response.perturbation)
        undisturbed = response.series[doses.doses.index(doses.neutral)]
        assert undisturbed.value == pytest.approx(setup.references[response.metric].ceiling.value)
        checked += 1
    assert checked


@pytest.mark.slow
def test_sensitivity_from_end_to_end(measured: Sensitivity, tmp_path: Path) -> None:
    """White noise for a mouth, AR(1) for a head: what must be seen is seen."""
    assert "jitter" in measured.named("lmd", "answers")
    assert measured.named("pose_std_distance", "answers") == ["head amplitude"]
    for response in measured.of("lmd"):
        if response.perturbation.startswith("blinks"):
            assert len({reading.value for reading in response.series}) == 1, "lips do not blink"
    names = [perturbation.name for perturbation in measured.header.perturbations]
    pairs = [(one.metric, one.perturbation) for one in measured.responses]
    assert pairs == list(product(measured.header.metrics, names))
    assert "| `lmd` " in verdicts_page(measured)
    write_sensitivity(tmp_path / "tiny.jsonl.xz", measured)
    assert read_sensitivity(tmp_path / "tiny.jsonl.xz") == measured
    one_of_each_family = ("lmd", "pose_std_distance", "blink_rate/distance", "pose_accuracy")
    drawn = {name: all_definitions()[name] for name in one_of_each_family}
    pictures = draw(measured, drawn, tmp_path)
    assert [path.name for path in pictures] == [f"tiny-{one}.png" for one in ("lips", "head", "blinks", "people")]
    first = [path.read_bytes() for path in pictures]
    assert [path.read_bytes() for path in draw(measured, drawn, tmp_path)] == first, "byte for byte"
