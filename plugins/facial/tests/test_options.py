"""Budgets, options and the stretches of training that come of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from toy_corpus import make_context

from facial_bench.errors import FacialBenchError
from facial_bench_facial.options import LossWeights, Variant, budgets, option_meanings, paper_weights, settings_for
from facial_bench_facial.plugin import facial_bench_generators, variants
from facial_bench_facial.training import fine_tuning_phase, general_phases


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": "mine"}, r"weights=mine is not known; use weights=default\|paper\|released"),
        ({"discriminator": "none"}, r"discriminator=none is not known; use discriminator=attributes\|paper"),
        ({"steps": "-3"}, "steps=-3 is not known; use a whole number from 0 up"),
        ({"fine_tune_steps": "1.5"}, "fine_tune_steps=1.5 is not known; use a whole number from 0 up"),
        ({"adversarial_steps": "²"}, "adversarial_steps=² is not known; use a whole number from 0 up"),
        ({"batch": "1"}, "batch=1 is not known; use a whole number from 2 up"),
        ({"precision": "fp16"}, r"use precision=fp32\|tf32\|bf16"),
        ({"smooth": "1"}, r"use smooth=yes\|no"),
    ],
)
def test_a_value_that_cannot_be_is_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(FacialBenchError, match=message):
        settings_for("quick", options)


def test_every_option_that_is_declared_changes_something() -> None:
    good = {"weights": "released", "discriminator": "paper", "precision": "bf16", "smooth": "no"}
    good |= dict.fromkeys(("compile", "graph", "side_by_side"), "yes")
    for name in option_meanings():
        assert settings_for("quick", {name: good.get(name, "7")}) != settings_for("quick", {}), name


def test_an_unknown_budget_is_named_beside_the_known() -> None:
    with pytest.raises(FacialBenchError, match=r"Unknown budget 'fast'. Available: paper, quick, standard"):
        settings_for("fast", {})


def test_defaults_may_be_named() -> None:
    named = {"weights": "default", "discriminator": "attributes", "smooth": "yes", "precision": "fp32", "compile": "no"}
    assert settings_for("quick", named) == settings_for("quick", {}) == budgets()["quick"]


def test_weights() -> None:
    w = settings_for("quick", {"weights": "paper"}).weights
    assert (w.expression, w.pose, w.blink, w.first_state, w.adversarial) == (2, 1, 5, 10, 0.1)
    assert (w.expression_velocity, w.pose_velocity, w.blink_velocity) == (20, 10, 50)
    assert w.adversarial_pose == w.adversarial_lids == w.adversarial
    released = settings_for("paper", {"weights": "released"})
    w = released.weights
    assert (w.expression, w.pose, w.blink, w.first_state, w.adversarial) == (20, 1, 0.5, 10, 0.1)
    assert (w.expression_velocity, w.pose_velocity, w.blink_velocity) == (200, 10, 1)
    assert released == replace(settings_for("paper", {}), weights=w, fine_tune_learning_rate=1e-5)
    lids = LossWeights()
    assert lids.blink < paper_weights().blink and lids.blink_velocity < paper_weights().blink_velocity
    assert min(lids.adversarial_pose, lids.adversarial_lids) > paper_weights().adversarial


def test_the_papers_discriminator_is_trained_as_the_paper_trains() -> None:
    default, paper = settings_for("quick", {}), settings_for("quick", {"discriminator": "paper"})
    assert (paper.discriminator, paper.other_audio, paper.betas, paper.discriminator_rate) == (
        *("paper", False, (0.9, 0.999), 1.0),
    )
    assert default.discriminator == "attributes" and default.other_audio
    assert replace(
        paper,
        discriminator="attributes",
        other_audio=True,
        betas=default.betas,
        discriminator_rate=0.5,
        fine_tune_discriminator_rate=0.2,
    ) == (replace(default, discriminator_rate=0.5)), "and nothing else changes"


def test_options_go_over_the_budget() -> None:
    assert settings_for("paper", {"steps": "7"}) == replace(budgets()["paper"], steps=7)
    settings = settings_for("paper", {"batch": "12"})
    assert (settings.batch, settings.fine_tune_batch) == (12, 12)


def test_a_larger_budget_is_more_of_the_same() -> None:
    quick, standard = budgets()["quick"], budgets()["standard"]
    for name in ("steps", "adversarial_steps", "fine_tune_steps"):
        assert getattr(standard, name) >= getattr(quick, name)
    assert standard.adversarial_steps > 2 * quick.adversarial_steps
    assert (standard.weights, standard.discriminator) == (quick.weights, quick.discriminator)


def test_the_paper_budget_is_what_the_papers_data_amount_to() -> None:
    settings = settings_for("paper", {})
    phases = *general_phases(settings, Variant()), fine_tuning_phase(settings, Variant())
    assert [(p.steps, p.batch, p.adversarial) for p in phases if p.steps] == [(40_000, 64, True), (560, 16, True)]
    assert {p.learning_rate for p in phases} == {1e-4}


@pytest.mark.parametrize("budget", budgets())
def test_without_the_adversarial_part_there_are_as_many_updates(budget: str) -> None:
    settings = settings_for(budget, {})
    whole, none = (
        (*general_phases(settings, variant), fine_tuning_phase(settings, variant))
        for variant in (Variant(), Variant(adversarial=False))
    )
    assert [replace(phase, adversarial=False) for phase in whole] == list(none)
    assert [phase.adversarial for phase in whole] == [False, True, True]


@pytest.mark.parametrize("budget", budgets())
def test_paper_weights_are_taken_unless_a_run_says_otherwise(budget: str) -> None:
    specs = {spec.name: spec for spec in facial_bench_generators()}

    def weights(name: str, **options: str) -> LossWeights:
        return specs[name].create(replace(make_context(**options), budget=budget)).settings.weights

    assert weights("facial-paper-weights") == weights("facial", weights="paper") == paper_weights()
    assert weights("facial-paper-weights", weights="default") == weights("facial") == LossWeights()
    assert weights("facial-paper-weights", weights="released") == weights("facial", weights="released")


def test_an_ablation_leaves_out_one_part() -> None:
    whole, *ablations = variants()
    assert whole == Variant() and len(ablations) == 5
    for one in ablations:
        parts = ("temporal", "local", "adversarial", "fine_tuning", "weights")
        assert sum(getattr(one, part) != getattr(whole, part) for part in parts) == 1, one.name
