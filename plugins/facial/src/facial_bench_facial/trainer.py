"""One step of training, of either kind, and a stretch of such steps; the same code on CPU and CUDA.

An adversarial step runs the discriminator on the generated windows ONCE. Both gradients are taken at the same
parameters, from that one pass: the generator's goes back through the discriminator to its input, the
discriminator's stays with its weights; then both are updated. (The textbook's alternation runs a second pass
after the discriminator's update, for an eighth more arithmetic.) No gradient is computed that nobody uses.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from facial_bench.errors import FacialBenchError
from facial_bench_facial.data import TrainingSet, batches
from facial_bench_facial.discriminator import PatchDiscriminator, state_image
from facial_bench_facial.losses import discriminator_loss, finite, generator_adversarial_loss, regression_loss
from facial_bench_facial.networks import FaceGenerator
from facial_bench_facial.options import Settings

Network = TypeVar("Network", bound=nn.Module)
TELL_EVERY = 20
"""Steps between two looks at the loss: each waits for the device."""


@dataclass(frozen=True)
class Phase:
    """A stretch of training with one kind of step."""

    name: str
    steps: int
    batch: int
    learning_rate: float
    adversarial: bool


def build(make: Callable[[], Network], seed: int, device: str) -> Network:
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
        discriminator, adam_d = self.discriminator, self._adam_d
        if discriminator is None or adam_d is None:
            raise FacialBenchError("facial: an adversarial step needs a discriminator.")
        with self._precision():
            output = self._generate(audio, states[:, 0])
            image = state_image(output)
            # The image enters the discriminator as a leaf, so that its gradient can be taken by itself.
            leaf = image.detach().requires_grad_()
            generated, real = discriminator(leaf), discriminator(state_image(states))
        loss_d = discriminator_loss(real, generated)
        adversarial = generator_adversarial_loss(generated)
        (through,) = torch.autograd.grad(adversarial, leaf, retain_graph=True)
        gradients_d = torch.autograd.grad(loss_d, list(discriminator.parameters()))
        loss = regression_loss(output, states, states[:, 0], self.weights)
        # d(loss)/d(parameters) with the discriminator's share handed over at the image
        surrogate = loss + self.weights.adversarial * (image * through.to(image.dtype)).sum()
        _update(self._adam, surrogate, self.generator)
        _apply(adam_d, discriminator, gradients_d)
        return (loss + self.weights.adversarial * adversarial).detach()

    def run(
        self, phase: Phase, data: TrainingSet, windows: Tensor, rng: torch.Generator, tell: Callable[[int], None]
    ) -> float:
        """All steps of a phase on batches of `windows`; the last loss.

        Args:
            tell: takes the number of steps that are done.

        Raises FacialBenchError when the loss is no longer a number.
        """
        self.set_learning_rate(phase.learning_rate)
        self.generator.train()
        step = self.adversarial_step if phase.adversarial else self.generator_step
        for number, index in enumerate(batches(windows, phase.batch, phase.steps, rng), start=1):
            loss = step(*data.batch(index))
            if number % TELL_EVERY == 0 or number == phase.steps:  # the only time that the device is waited for
                if not finite(loss):
                    raise FacialBenchError(
                        f"facial: {phase.name} diverged (the loss is not a number at step {number} of {phase.steps}); "
                        "check the corpus's units with `corpus verify`, or use precision=fp32."
                    )
                tell(number)
        self.generator.eval()
        return float(loss)


def _update(optimiser: torch.optim.Optimizer, loss: Tensor, network: nn.Module) -> None:
    _apply(optimiser, network, torch.autograd.grad(loss, list(network.parameters())))


def _apply(optimiser: torch.optim.Optimizer, network: nn.Module, gradients: tuple[Tensor, ...]) -> None:
    """Autograd's own gradients, set without accumulating: nothing to zero.

    A gradient may lie in memory in another order than its parameter, where `backward` would have laid it out anew. The
    fused optimiser walks through memory: on CUDA it refuses that, and on the CPU it pairs the wrong numbers.
    """
    for parameter, gradient in zip(network.parameters(), gradients, strict=True):
        same = gradient.stride() == parameter.stride()
        parameter.grad = gradient if same else torch.empty_like(parameter).copy_(gradient)
    optimiser.step()
