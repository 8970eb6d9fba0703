"""General training, then fine-tuning on each person; says how far it is through the context."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from facial_bench.core.device import deterministic
from facial_bench.types import Context
from facial_bench_facial.data import TrainingSet
from facial_bench_facial.discriminator import Attributes, Discriminator, PatchDiscriminator
from facial_bench_facial.draws import joined
from facial_bench_facial.networks import FaceGenerator
from facial_bench_facial.options import Settings, Variant
from facial_bench_facial.side_by_side import SideBySide
from facial_bench_facial.trainer import Phase, Trainer, build


def general_phases(settings: Settings, variant: Variant) -> tuple[Phase, ...]:
    """Generator-only updates, then adversarial ones; without the adversarial part the same number of updates stays."""
    steps, rate = settings.adversarial_steps, settings.adversarial_learning_rate
    return (
        Phase("training", settings.steps, settings.batch, settings.learning_rate, False),
        Phase("training", steps, settings.batch, rate, variant.adversarial),
    )


def fine_tuning_phase(settings: Settings, variant: Variant) -> Phase:
    """Adversarial updates on the windows of one person."""
    rate = settings.fine_tune_learning_rate
    return Phase("fine-tuning", settings.fine_tune_steps, settings.fine_tune_batch, rate, variant.adversarial)


class Part:
    """A part of the fit that counts its steps as one: the general training, or the fine-tuning of everybody.

    Args:
        context: of the fit; told of the progress, and its seed draws the batches.
        name: of the part.
        total: how many steps it has, over all of its phases and people.
    """

    def __init__(self, context: Context, name: str, total: int) -> None:
        self._context, self._name, self._total, self._done = context, name, total, 0

    def run(self, trainer: Trainer, phases: Sequence[Phase], data: TrainingSet, windows: Tensor, of: str = "") -> None:
        """One phase after another on batches of `windows`; then the trainer's generator is in eval mode."""
        rng = torch.Generator().manual_seed(self._context.seed)
        for phase in (phase for phase in phases if phase.steps):
            loss = trainer.run(phase, data, windows, rng, self._tell)
            self._done += phase.steps
            kind = "adversarial" if phase.adversarial else "generator"
            self._context.log(f"{self._name}{of}: {phase.steps} {kind} steps, loss {loss:.4f}")
        trainer.generator.eval()

    def _tell(self, steps: int) -> None:
        self._context.progress(self._done + steps, self._total, self._name)


def train(
    data: TrainingSet, features: int, settings: Settings, variant: Variant, context: Context
) -> tuple[FaceGenerator, Mapping[str, FaceGenerator]]:
    """The general generator and, with fine-tuning, one per identity; deterministic in the context's seed. In eval mode.

    Args:
        data: the training clips, on the context's device.
        features: F, the width of the audio.
    """
    seed, device = context.seed, context.device
    with deterministic(tf32=settings.tf32):
        phases = general_phases(settings, variant)
        generator = build(lambda: FaceGenerator(features, variant.temporal, variant.local), seed, device)
        discriminator = build(lambda: _discriminator(settings, len(data.windows)), seed + 1, device)
        everyone = torch.arange(len(data.starts), device=data.starts.device)
        trainer = Trainer(generator, discriminator, settings, device)
        Part(context, "training", sum(phase.steps for phase in phases)).run(trainer, phases, data, everyone)
        if not variant.fine_tuning:
            return generator, {}
        own = replace(settings, discriminator_rate=settings.fine_tune_discriminator_rate)
        tuning = FineTuning(generator, discriminator, fine_tuning_phase(settings, variant), data, own, context)
        together = settings.side_by_side and tuning.phase.steps
        return generator, tuning.side_by_side() if together else tuning.one_by_one()


@dataclass(frozen=True, eq=False)
class FineTuning:
    """Of copies of the general networks, a pair for every person of the data."""

    generator: FaceGenerator
    discriminator: Discriminator
    phase: Phase
    data: TrainingSet
    settings: Settings
    context: Context

    def one_by_one(self) -> Mapping[str, FaceGenerator]:
        """Everybody starts from the same general networks, and one person's draws never shift another's."""
        tuned, device = {}, self.context.device
        part = Part(self.context, "fine-tuning", self.phase.steps * len(self.data.windows))
        for name, windows in self.data.windows.items():
            tuned[name] = copy.deepcopy(self.generator)
            trainer = Trainer(tuned[name], copy.deepcopy(self.discriminator), self.settings, device)
            part.run(trainer, [self.phase], self.data, windows, f" of {name}")
        return tuned

    def side_by_side(self) -> Mapping[str, FaceGenerator]:
        """The same updates of the same draws, but for rounding, everybody's at once."""
        phase, context, people = self.phase, self.context, len(self.data.windows)
        generators = SideBySide(self.generator, people, phase.batch)
        discriminators = SideBySide(self.discriminator, people, phase.batch)
        trainer = Trainer(generators, discriminators, self.settings, context.device, people)
        draws = [
            trainer.draw(phase, self.data, windows, torch.Generator().manual_seed(context.seed))
            for windows in self.data.windows.values()
        ]

        def tell(steps: int) -> None:
            context.progress(steps * people, phase.steps * people, "fine-tuning")

        loss = trainer.follow(phase, self.data, joined(draws), tell)
        kind = "adversarial" if phase.adversarial else "generator"
        context.log(f"fine-tuning of {people} side by side: {phase.steps} {kind} steps, mean loss {loss:.4f}")
        return dict(zip(self.data.windows, generators.networks(), strict=True))


def _discriminator(settings: Settings, people: int) -> Discriminator:
    return Attributes(people) if settings.discriminator == "attributes" else PatchDiscriminator()
