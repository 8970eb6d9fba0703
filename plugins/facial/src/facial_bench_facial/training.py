"""General training, then fine-tuning on each person; the same code on CPU and CUDA.

An adversarial step runs the discriminator on the generated windows ONCE. Both gradients are taken at the same
parameters, from that one pass: the generator's goes back through the discriminator to its input, the
discriminator's stays with its weights; then both are updated. (The textbook's alternation runs a second pass
after the discriminator's update, for an eighth more arithmetic.) No gradient is computed that nobody uses.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from facial_bench.core.device import deterministic
from facial_bench.errors import FacialBenchError
from facial_bench_facial.data import TrainingSet, batches
from facial_bench_facial.discriminator import PatchDiscriminator, state_image
from facial_bench_facial.losses import discriminator_loss, finite, generator_adversarial_loss, regression_loss
from facial_bench_facial.networks import FaceGenerator
from facial_bench_facial.options import Settings, Variant

LOG_EVERY = 20


@dataclass(frozen=True)
class Phase:
    """A stretch of training with one kind of step."""

    name: str
    steps: int
    batch: int
    learning_rate: float
    adversarial: bool


def general_phases(settings: Settings, variant: Variant, windows: int) -> tuple[Phase, ...]:
    """Generator-only steps, then adversarial ones; without the adversarial part the same number of steps stays."""
    adversarial = settings.adversarial_steps
    if adversarial is None:
        adversarial = settings.epochs * -(-windows // settings.adversarial_batch)
    rate = settings.learning_rate
    return (
        Phase("training", settings.steps, settings.batch, rate, False),
        Phase("training", adversarial, settings.adversarial_batch, rate, variant.adversarial),
    )


def fine_tuning_phases(settings: Settings, variant: Variant, windows: int) -> tuple[Phase, ...]:
    """The same, on the windows of one person."""
    steps = settings.fine_tune_steps
    if steps is None:
        steps = settings.fine_tune_epochs * -(-windows // settings.fine_tune_batch)
    adversarial = settings.fine_tune_adversarial_steps
    adversarial = steps if adversarial is None else min(adversarial, steps)
    rate = settings.fine_tune_learning_rate
    return (
        Phase("fine-tuning", steps - adversarial, settings.fine_tune_batch, rate, False),
        Phase("fine-tuning", adversarial, settings.fine_tune_adversarial_batch, rate, variant.adversarial),
    )


def build(make: Callable[[], nn.Module], seed: int, device: str) -> nn.Module:
    """A network with the initial weights of `seed`, the same on every device; the global random state is kept."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return make().to(device)


class Trainer:
    """A generator, perhaps a discriminator, their optimisers, and one step of either kind."""

    def __init__(
        self, generator: FaceGenerator, discriminator: PatchDiscriminator | None, settings: Settings, device: str
    ) -> None:
        self.generator, self.discriminator, self.weights = generator, discriminator, settings.weights
        # The discriminator stays as it is: its one pass serves two gradients, which compiled code does not allow.
        self._generate = torch.compile(generator) if settings.compile else generator
        self._judge = discriminator
        self._precision = (
            (lambda: torch.autocast(torch.device(device).type, torch.bfloat16)) if settings.bf16 else nullcontext
        )
        # fused: one pass over all parameters, on CPU and on CUDA
        self._adam = torch.optim.Adam(generator.parameters(), fused=True)
        self._adam_d = torch.optim.Adam(discriminator.parameters(), fused=True) if discriminator else None

    def set_learning_rate(self, rate: float) -> None:
        """Of both optimisers."""
        for optimiser in (self._adam, self._adam_d):
            for group in optimiser.param_groups if optimiser else ():
                group["lr"] = rate

    def generator_step(self, audio: Tensor, states: Tensor) -> Tensor:
        """One step without the discriminator on audio (B, 143, F), states (B, 128, 71); the loss, on the device."""
        with self._precision():
            output = self._generate(audio, states[:, 0])
        loss = regression_loss(output, states, states[:, 0], self.weights)
        _update(self._adam, loss, self.generator)
        return loss.detach()

    def adversarial_step(self, audio: Tensor, states: Tensor) -> Tensor:
        """One step of both networks, see the module's text; the generator's loss, on the device."""
        with self._precision():
            output = self._generate(audio, states[:, 0])
            image = state_image(output)
            # The image enters the discriminator as a leaf, so that its gradient can be taken by itself.
            leaf = image.detach().requires_grad_()
            generated, real = self._judge(leaf), self._judge(state_image(states))
        loss_d = discriminator_loss(real, generated)
        adversarial = generator_adversarial_loss(generated)
        (through,) = torch.autograd.grad(adversarial, leaf, retain_graph=True)
        gradients_d = torch.autograd.grad(loss_d, list(self.discriminator.parameters()))
        loss = regression_loss(output, states, states[:, 0], self.weights)
        # d(loss)/d(parameters) with the discriminator's share handed over at the image
        surrogate = loss + self.weights.adversarial * (image * through.to(image.dtype)).sum()
        _update(self._adam, surrogate, self.generator)
        _apply(self._adam_d, self.discriminator, gradients_d)
        return (loss + self.weights.adversarial * adversarial).detach()

    def run(self, phase: Phase, data: TrainingSet, windows: Tensor, rng: torch.Generator, log: Log) -> None:
        """All steps of a phase on batches of `windows`. Raises FacialBenchError when the loss is no longer a number."""
        if not phase.steps:
            return
        self.set_learning_rate(phase.learning_rate)
        self.generator.train()
        step = self.adversarial_step if phase.adversarial else self.generator_step
        for number, index in enumerate(batches(windows, phase.batch, phase.steps, rng), start=1):
            loss = step(*data.batch(index))
            if number % LOG_EVERY == 0 or number == phase.steps:  # the only time that the device is waited for
                if not finite(loss):
                    raise FacialBenchError(
                        f"facial: {phase.name} diverged (the loss is not a number at step {number} of {phase.steps}); "
                        "check the corpus's units with `corpus verify`, or use precision=fp32."
                    )
                kind = "adversarial" if phase.adversarial else "generator"
                log(f"{phase.name}: {kind} step {number}/{phase.steps}, loss {float(loss):.4f}")
        self.generator.eval()


Log = Callable[[str], None]


def train(
    data: TrainingSet, features: int, settings: Settings, variant: Variant, seed: int, device: str, log: Log
) -> tuple[FaceGenerator, Mapping[str, FaceGenerator]]:
    """The general generator and, with fine-tuning, one per identity; deterministic in `seed`. In eval mode."""
    with deterministic():
        generator = build(lambda: FaceGenerator(features, variant.temporal, variant.local), seed, device)
        phases = general_phases(settings, variant, len(data.starts))
        discriminator = build(PatchDiscriminator, seed + 1, device) if _needs_judge(settings, variant, phases) else None
        trainer = Trainer(generator, discriminator, settings, device)
        rng = torch.Generator().manual_seed(seed)
        everyone = torch.arange(len(data.starts), device=data.starts.device)
        for phase in phases:
            trainer.run(phase, data, everyone, rng, log)
        generator.eval()
        if not variant.fine_tuning:
            return generator, {}
        tuned = {}
        for name, windows in data.windows.items():
            # Everybody starts from the same general networks, and one person's draws never shift another's.
            own = Trainer(copy.deepcopy(generator), copy.deepcopy(discriminator), settings, device)
            rng = torch.Generator().manual_seed(seed)
            for phase in fine_tuning_phases(settings, variant, len(windows)):
                own.run(phase, data, windows, rng, lambda line, name=name: log(f"{name}: {line}"))
            tuned[name] = own.generator.eval()
        return generator, tuned


def _needs_judge(settings: Settings, variant: Variant, phases: tuple[Phase, ...]) -> bool:
    later = fine_tuning_phases(settings, variant, 1) if variant.fine_tuning else ()
    return any(phase.adversarial and phase.steps for phase in (*phases, *later))


def _update(optimiser: torch.optim.Optimizer, loss: Tensor, network: nn.Module) -> None:
    _apply(optimiser, network, torch.autograd.grad(loss, list(network.parameters())))


def _apply(optimiser: torch.optim.Optimizer, network: nn.Module, gradients: tuple[Tensor, ...]) -> None:
    """Autograd's own gradients, set without accumulating: nothing to zero."""
    for parameter, gradient in zip(network.parameters(), gradients, strict=True):
        parameter.grad = gradient
    optimiser.step()
