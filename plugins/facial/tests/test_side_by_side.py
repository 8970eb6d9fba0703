"""Everybody's networks at once give what each one gives by itself."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from toy_corpus import make_batch, make_context
from toy_training import make_networks, make_training_set

from facial_bench.types import Clip
from facial_bench_facial.options import settings_for
from facial_bench_facial.plugin import facial_bench_generators
from facial_bench_facial.side_by_side import SideBySide
from facial_bench_facial.trainer import Phase
from facial_bench_facial.training import FineTuning


@pytest.mark.parametrize("judge", ["attributes", "paper"])
def test_networks_side_by_side_are_those_networks(judge: str) -> None:
    """Three people, two blocks of two rows a person: each network takes its own four, with statistics of their own."""
    generator, discriminator = make_networks(judge)
    before = copy.deepcopy(generator.state_dict())
    copies = [copy.deepcopy(generator) for _ in range(3)]
    together = SideBySide(generator.eval(), 3, 2).train()
    batch = make_batch(12)
    state, mine = batch.states[:, 0], [[2 * p, 2 * p + 1, 6 + 2 * p, 7 + 2 * p] for p in range(3)]
    output = together(batch.audio, state)
    networks = together.networks()
    for rows, network, apart in zip(mine, copies, networks, strict=True):
        torch.testing.assert_close(output[rows], network(batch.audio[rows], state[rows]), rtol=1e-4, atol=1e-5)
        assert apart.training
        for (name, buffer), expected in zip(apart.named_buffers(), network.buffers(), strict=True):
            torch.testing.assert_close(buffer, expected, msg=name)
    assert not networks[0].eval().temporal.training and networks[1].training, "each is by itself"
    assert all(torch.equal(value, before[key]) for key, value in generator.state_dict().items())
    assert not generator.training and not generator.fusion.training, "and the general one is left alone"
    scores = SideBySide(discriminator, 3, 2)(batch.states, batch.people)
    assert len(scores) == len(discriminator.terms)
    for rows in mine:
        for score, expected in zip(scores, discriminator(batch.states[rows], batch.people[rows]), strict=True):
            torch.testing.assert_close(score[rows], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("judge", "adversarial", "others"),
    [("attributes", True, True), ("attributes", True, False), ("paper", True, False), ("attributes", False, False)],
)
def test_people_tuned_at_once_are_those_tuned_one_by_one(judge: str, adversarial: bool, others: bool) -> None:
    """In double precision, since Adam makes a whole step of the last digit of a gradient that is nearly 0."""
    generator, discriminator = (network.double() for network in make_networks(judge))
    data = make_training_set()
    data = replace(data, audio=data.audio.double(), states=data.states.double())
    phase = Phase("fine-tuning", 3, 2, 1e-3, adversarial)
    settings = replace(settings_for("quick", {}), other_audio=others)
    tuning = FineTuning(generator.eval(), discriminator, phase, data, settings, make_context())
    before = copy.deepcopy([generator.state_dict(), discriminator.state_dict()])
    alone, together = tuning.one_by_one(), tuning.side_by_side()
    assert list(alone) == list(together) == ["ann", "bob"]
    for name, network in together.items():
        assert not network.training
        expected = alone[name].state_dict()
        for key, value in network.state_dict().items():
            torch.testing.assert_close(value, expected[key], rtol=0, atol=1e-5, msg=f"{name} {key}")
    with torch.no_grad():
        pairs = zip(alone["ann"].parameters(), alone["bob"].parameters(), strict=True)
        assert max(float((ann - bob).abs().max()) for ann, bob in pairs) > 1e-3, "a hundred times the tolerance"
    for network, kept in zip((generator, discriminator), before, strict=True):
        assert all(torch.equal(value, kept[key]) for key, value in network.state_dict().items())


def test_a_fit_side_by_side_says_so(clips: Sequence[Clip], fitted: Callable[..., Any]) -> None:
    told: list[tuple[int, int, str]] = []
    lines: list[str] = []
    context = replace(make_context(side_by_side="yes"), progress=lambda *one: told.append(one), log=lines.append)
    (create,) = (spec.create for spec in facial_bench_generators() if spec.name == "facial")
    method = create(context)
    method.fit(clips, context)
    assert [one for one in told if one[2] == "fine-tuning"] == [(4, 4, "fine-tuning")]
    assert lines[-1].startswith("fine-tuning of 2 side by side: 2 adversarial steps, mean loss ")
    one_by_one = fitted().state_dict()
    assert set(method.state_dict()) == set(one_by_one)
    for key, value in method.state_dict().items():
        if not key.startswith("tuned/"):
            assert (value == one_by_one[key]).all(), key


def test_no_fine_tuning_steps_leave_the_general_network(fitted: Callable[..., Any]) -> None:
    method = fitted(side_by_side="yes", fine_tune_steps="0")
    assert list(method.tuned) == ["ann", "bob"]
    for network in method.tuned.values():
        for ours, general in zip(network.parameters(), method.base.parameters(), strict=True):
            torch.testing.assert_close(ours, general, rtol=0, atol=0)
