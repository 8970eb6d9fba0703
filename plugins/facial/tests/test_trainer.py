"""One update of either kind against plain training, and what a stretch of updates learns from."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from toy_corpus import make_batch

from facial_bench.errors import FacialBenchError
from facial_bench_facial.data import Batch, TrainingSet
from facial_bench_facial.discriminator import Attributes, Discriminator, PatchDiscriminator
from facial_bench_facial.losses import discriminator_loss, generator_adversarial_loss, regression_loss
from facial_bench_facial.networks import FaceGenerator
from facial_bench_facial.options import Settings, settings_for
from facial_bench_facial.trainer import Phase, Trainer, build

QUICK = settings_for("quick", {})


def judge(kind: str) -> Discriminator:
    """A discriminator that knows two people apart."""
    made = build(lambda: Attributes(2) if kind == "attributes" else PatchDiscriminator(), 1, "cpu")
    for layer in made.modules():
        if isinstance(layer, nn.Embedding):
            layer.weight.data.normal_(generator=torch.Generator().manual_seed(2))
    return made


def test_a_step_is_the_one_that_plain_training_makes() -> None:
    """Autograd may give a gradient in another order of memory than its parameter's: each number must meet its own."""
    generator = build(lambda: FaceGenerator(29), 0, "cpu")
    plain, batch = copy.deepcopy(generator).train(), make_batch(4)
    trainer = Trainer(generator, None, QUICK, "cpu")
    trainer.prepare(1e-3, adversarial=False)
    trainer.generator_step(batch)
    optimiser = torch.optim.Adam(plain.parameters(), lr=1e-3)
    state = batch.states[:, 0]
    regression_loss(plain(batch.audio, state), batch.states, state, QUICK.weights).backward()
    optimiser.step()
    for (name, ours), theirs in zip(generator.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-5, msg=name)


@pytest.mark.parametrize("kind", ["attributes", "paper"])
@pytest.mark.parametrize("others", [0, 1, 2])
def test_adversarial_gradients_are_the_plain_ones(kind: str, others: int) -> None:
    """One shared pass gives what two separate, textbook backward passes at the same parameters give."""
    generator, discriminator = build(lambda: FaceGenerator(29), 0, "cpu"), judge(kind)
    batch = make_batch(2, others)
    state, people = batch.states[:, 0], torch.cat([batch.people, batch.people[:others]])
    spoken = torch.cat([batch.audio, batch.other])
    output = generator(spoken, torch.cat([state, state[:others]]))
    weights = [getattr(QUICK.weights, term) for term in discriminator.terms]
    score = generator_adversarial_loss(discriminator(output, people), weights)
    loss = regression_loss(output[:2], batch.states, state, QUICK.weights) + score
    expected = torch.autograd.grad(loss, list(generator.parameters()))
    scores = discriminator(batch.states, batch.people), discriminator(output.detach(), people)
    expected_d = torch.autograd.grad(discriminator_loss(*scores), list(discriminator.parameters()))
    trainer = Trainer(generator, discriminator, QUICK, "cpu")
    trainer.prepare(0.0, adversarial=True)
    value = trainer.adversarial_step(batch)
    torch.testing.assert_close(value, loss.detach())
    for network, gradients in ((generator, expected), (discriminator, expected_d)):
        for (name, parameter), gradient in zip(network.named_parameters(), gradients, strict=True):
            scale = float(gradient.abs().max())
            assert scale > 0 or "bias" in name, f"{name} learns something"
            torch.testing.assert_close(parameter.grad, gradient, rtol=1e-3, atol=1e-5 + 1e-4 * scale)


@pytest.mark.parametrize("options", [{}, {"discriminator": "paper"}])
@pytest.mark.parametrize("adversarial", [True, False])
def test_two_updates_are_those_of_the_optimisers_told(options: dict[str, str], adversarial: bool) -> None:
    """Two, since the first one of Adam does not depend on the betas."""
    settings = settings_for("quick", options)
    networks = build(lambda: FaceGenerator(29), 0, "cpu"), judge(settings.discriminator)
    copies = copy.deepcopy(networks)
    trainer = Trainer(*networks, settings, "cpu")
    trainer.prepare(1e-3, adversarial)
    betas = settings.betas if adversarial else (0.9, 0.999)
    rates = (1e-3, 1e-3 * settings.discriminator_rate)
    optimisers = [torch.optim.Adam(c.parameters(), rate, betas) for c, rate in zip(copies, rates, strict=True)]
    for seed in (0, 1):
        batch = make_batch(2, 2, seed=seed)
        (trainer.adversarial_step if adversarial else trainer.generator_step)(batch)
        for network, theirs, optimiser in zip(networks, copies, optimisers, strict=True):
            for parameter, ours in zip(theirs.parameters(), network.parameters(), strict=True):
                parameter.grad = ours.grad  # where there is none, nothing moves
            optimiser.step()
    for network, theirs in zip(networks, copies, strict=True):
        for (name, ours), expected in zip(network.named_parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(ours, expected, rtol=0, atol=1e-6, msg=name)


def test_an_adversarial_step_needs_a_discriminator() -> None:
    trainer = Trainer(build(lambda: FaceGenerator(29), 0, "cpu"), None, QUICK, "cpu")
    with pytest.raises(FacialBenchError, match="needs a discriminator"):
        trainer.adversarial_step(make_batch(2))


class Table(nn.Module):
    """A generator that has its windows by heart: window i, its number being the first of its audio, is row i."""

    def __init__(self, windows: int) -> None:
        super().__init__()
        self.rows = nn.Parameter(torch.randn(windows, 128, 71, generator=torch.Generator().manual_seed(4)))
        self.states: list[torch.Tensor] = []

    def forward(self, audio: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        self.states.append(state)
        return self.rows[audio[:, 0, 0].long()]


class Watched(Attributes):
    """Notes whom it is told about."""

    def __init__(self) -> None:
        super().__init__(2)
        self.told: list[list[int]] = []

    def forward(self, states: torch.Tensor, people: torch.Tensor) -> tuple[torch.Tensor, ...]:
        self.told.append(people.tolist())
        return super().forward(states, people)


def numbered(others: int) -> Batch:
    """Three windows whose numbers stand in their audio, and others."""
    batch = make_batch(3, others)
    batch.audio[:, 0, 0] = torch.arange(3)
    batch.other[:, 0, 0] = torch.arange(3, 3 + others)
    return batch


def gradient(settings: Settings, others: int = 2) -> tuple[torch.Tensor, torch.Tensor, Batch]:
    """Of every window of a table after one adversarial step, (5, 128, 71); the loss; the batch."""
    table, batch = Table(5), numbered(others)
    trainer = Trainer(table, judge("attributes"), settings, "cpu")  # type: ignore[arg-type]
    trainer.prepare(0.0, adversarial=True)
    loss = trainer.adversarial_step(batch)
    return table.rows.grad, loss, batch


def test_other_audio_has_no_target() -> None:
    """The discriminators alone move what is said to it, and so neither its expression nor its first state."""
    unjudged = replace(QUICK, weights=replace(QUICK.weights, adversarial_pose=0.0, adversarial_lids=0.0))
    moved, loss, batch = gradient(unjudged)
    own = Table(5).rows[:3].detach().requires_grad_()
    expected = regression_loss(own, batch.states, batch.states[:, 0], QUICK.weights)
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(moved[:3], *torch.autograd.grad(expected, own))
    assert moved[3:].abs().max() == 0
    moved, _, _ = gradient(QUICK)
    judged = moved[3:].abs().amax(dim=(0, 1)) > 0
    assert judged[64:].all() and not judged[:64].any(), "pose and lids"
    alone, _, _ = gradient(QUICK, others=0)
    torch.testing.assert_close(moved[:3, :, :64], alone[:3, :, :64])


def test_other_audio_is_spoken_by_the_people_of_the_batch() -> None:
    table, discriminator, batch = Table(5), Watched(), numbered(2)
    trainer = Trainer(table, discriminator, QUICK, "cpu")  # type: ignore[arg-type]
    trainer.prepare(0.0, adversarial=True)
    trainer.adversarial_step(batch)
    assert discriminator.told == [[0, 1, 0, 0, 1, 0, 1, 0]], "all that was generated, and the real windows"
    (state,) = table.states
    torch.testing.assert_close(state, batch.states[[0, 1, 2, 0, 1], 0])


@pytest.fixture
def data() -> TrainingSet:
    """Two people of 10 windows each, the number of a row standing in its audio."""
    rows, starts = 2 * 160, torch.cat([torch.arange(10), 160 + torch.arange(10)])
    audio = torch.arange(float(rows)).unsqueeze(1).expand(-1, 29).contiguous()
    states = torch.randn(rows, 71, generator=torch.Generator().manual_seed(0))
    people = torch.arange(20) // 10
    return TrainingSet(audio, states, starts, people, {"ann": torch.arange(10), "bob": torch.arange(10, 20)})


def taken(data: TrainingSet, phase: Phase, settings: Settings, seed: int = 0) -> list[tuple[str, Batch]]:
    """What one person's stretch of updates learns from."""
    seen: list[tuple[str, Batch]] = []

    class Looking(Trainer):
        def generator_step(self, batch: Batch) -> torch.Tensor:
            seen.append(("generator", batch))
            return torch.tensor(1.0)

        def adversarial_step(self, batch: Batch) -> torch.Tensor:
            seen.append(("adversarial", batch))
            return torch.tensor(2.0)

    trainer = Looking(build(lambda: FaceGenerator(29), 0, "cpu"), judge("attributes"), settings, "cpu")
    rng = torch.Generator().manual_seed(seed)
    loss = trainer.run(phase, data, data.windows["bob"], rng, lambda steps: None)
    assert loss == (2.0 if phase.adversarial else 1.0) and not trainer.generator.training
    return seen


def firsts(audio: torch.Tensor) -> list[int]:
    return audio[:, 0, 0].long().tolist()


def test_an_adversarial_stretch_takes_as_much_audio_of_everybody(data: TrainingSet) -> None:
    seen = taken(data, Phase("fine-tuning", 5, 4, 1e-3, True), QUICK)
    assert [(kind, len(b.audio), len(b.other)) for kind, b in seen] == [("adversarial", 4, 4)] * 5
    own = [row for _, b in seen for row in firsts(b.audio)]
    assert sorted(own[:10]) == sorted(own[10:]) == list(range(160, 170)), "one epoch after another"
    assert sorted(row for _, b in seen for row in firsts(b.other)) == sorted(data.starts.tolist())
    assert all(b.people.tolist() == [1] * 4 for _, b in seen)


@pytest.mark.parametrize(("adversarial", "other_audio"), [(True, False), (False, True), (False, False)])
def test_a_stretch_without_other_audio(data: TrainingSet, adversarial: bool, other_audio: bool) -> None:
    phase = Phase("training", 5, 4, 1e-3, adversarial)
    seen = taken(data, phase, replace(QUICK, other_audio=other_audio))
    assert [(kind, b.other.shape) for kind, b in seen] == [
        ("adversarial" if adversarial else "generator", (0, 143, 29))
    ] * 5
    with_others = taken(data, phase, QUICK)
    assert [firsts(b.audio) for _, b in seen] == [firsts(b.audio) for _, b in with_others], "own windows stay"
    assert [firsts(b.audio) for _, b in taken(data, phase, QUICK, seed=1)] != [firsts(b.audio) for _, b in seen]


@pytest.mark.parametrize("kind", ["attributes", "paper"])
def test_a_real_stretch_without_other_audio_runs(data: TrainingSet, kind: str) -> None:
    """On its own windows alone, the paper's way."""
    generator = build(lambda: FaceGenerator(29), 0, "cpu")
    trainer = Trainer(generator, judge(kind), replace(QUICK, other_audio=False), "cpu")
    told: list[int] = []
    phase = Phase("training", 2, 2, 1e-4, True)
    loss = trainer.run(phase, data, data.windows["bob"], torch.Generator().manual_seed(0), told.append)
    assert np.isfinite(loss) and told == [2]


def test_bf16_training_step_is_close_to_the_fp32_one() -> None:
    for step, batch in (("generator_step", make_batch(2)), ("adversarial_step", make_batch(2, 2))):
        losses = {}
        for precision in ("fp32", "tf32", "bf16"):
            settings = settings_for("quick", {"precision": precision})
            trainer = Trainer(build(lambda: FaceGenerator(29), 0, "cpu"), judge("attributes"), settings, "cpu")
            trainer.prepare(1e-3, adversarial=True)
            losses[precision] = float(getattr(trainer, step)(batch))
        assert losses["bf16"] != losses["fp32"]
        assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.02)
