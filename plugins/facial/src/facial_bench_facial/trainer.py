"""One update of training, of either kind, and a stretch of such updates; the same code on CPU and CUDA.

An adversarial update runs the discriminator on the generated windows ONCE. Both gradients are taken at the same
parameters, from that one pass: the generator's goes back through the discriminator to its input, the
discriminator's stays with its weights; then both are updated. (The textbook's alternation runs a second pass
after the discriminator's update, for an eighth more arithmetic.) No gradient is computed that nobody uses.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn

from facial_bench.errors import FacialBenchError
from facial_bench_facial.captured import Captured
from facial_bench_facial.data import Batch, TrainingSet
from facial_bench_facial.discriminator import Discriminator
from facial_bench_facial.draws import Batches, Draws, draw
from facial_bench_facial.losses import discriminator_loss, finite, generator_adversarial_loss, regression_loss
from facial_bench_facial.networks import FaceGenerator
from facial_bench_facial.options import Settings
from facial_bench_facial.side_by_side import SideBySide

Network = TypeVar("Network", bound=nn.Module)
TELL_EVERY = 20
"""Updates between two looks at the loss: each waits for the device."""


@dataclass(frozen=True)
class Phase:
    """A stretch of training with one kind of update."""

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
    """A generator, perhaps a discriminator, their optimisers, and one update of either kind.

    Args:
        people: how many people's copies the networks hold side by side. A loss is then the mean of theirs.
    """

    def __init__(
        self,
        generator: FaceGenerator | SideBySide[FaceGenerator],
        discriminator: Discriminator | SideBySide[Discriminator] | None,
        settings: Settings,
        device: str,
        people: int = 1,
    ) -> None:
        self.generator, self.discriminator, self.settings, self.device = generator, discriminator, settings, device
        # The gradient of a mean of n losses is an n-th of each one's: with an n-th of its epsilon, Adam does the same.
        self._epsilon = 1e-8 / people
        # The discriminator stays as it is: its one pass serves two gradients, which compiled code does not allow.
        self._generate = torch.compile(generator) if settings.compile else generator
        # torch asks a captured update to do without the cache of bfloat16 weights
        autocast = partial(torch.autocast, torch.device(device).type, torch.bfloat16, cache_enabled=not settings.graph)
        self._precision = autocast if settings.bf16 else nullcontext
        self.prepare(settings.learning_rate, adversarial=False)

    def prepare(self, rate: float, adversarial: bool) -> None:
        """Fresh optimisers for a stretch of updates of one kind."""
        betas = self.settings.betas if adversarial else (0.9, 0.999)
        # fused: one pass over all parameters, on CPU and on CUDA
        adam = partial(torch.optim.Adam, betas=betas, eps=self._epsilon, fused=True, capturable=self.settings.graph)
        self._adam = adam(self.generator.parameters(), lr=rate)
        if adversarial and self.discriminator is not None:
            self._adam_d = adam(self.discriminator.parameters(), lr=rate * self.settings.discriminator_rate)

    def generator_step(self, batch: Batch) -> Tensor:
        """One update without the discriminator; the loss, on the device."""
        state = batch.states[:, 0]
        with self._precision():
            output = self._generate(batch.audio, state)
        loss = regression_loss(output, batch.states, state, self.settings.weights)
        _update(self._adam, loss, self.generator)
        return loss.detach()

    def adversarial_step(self, batch: Batch) -> Tensor:
        """One update of both networks, see the module's text; the generator's loss, on the device.

        The generator speaks the batch's own audio and, judged by the discriminator alone, the other audio.
        """
        discriminator = self.discriminator
        if discriminator is None:
            raise FacialBenchError("facial: an adversarial update needs a discriminator.")
        size, others, state = len(batch.audio), len(batch.other), batch.states[:, 0]
        with self._precision():
            output = self._generate(torch.cat([batch.audio, batch.other]), torch.cat([state, state[:others]]))
        adversarial, through, gradients = self.judge(discriminator, output, batch)
        loss = regression_loss(output[:size], batch.states, state, self.settings.weights)
        # d(loss)/d(parameters) with the discriminator's share handed over at the output
        _update(self._adam, loss + (output * through.to(output.dtype)).sum(), self.generator)
        _apply(self._adam_d, discriminator, gradients)
        return (loss + adversarial).detach()

    def judge(
        self, discriminator: Discriminator | SideBySide[Discriminator], output: Tensor, batch: Batch
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """What the discriminator says of generated states (B + B', 128, 71) beside the batch's real ones, in one pass.

        Returns: the generator's adversarial loss, its gradient to the states, and the gradients of the discriminator's
        own loss to its parameters.
        """
        # The states enter as a leaf, so that their gradient can be taken by itself.
        leaf = output.detach().requires_grad_()
        with self._precision():
            people = torch.cat([batch.people, batch.people[: len(batch.other)]])
            if discriminator.one_pass:
                scores = discriminator(torch.cat([leaf, batch.states]), torch.cat([people, batch.people]))
                generated, real = [s[: len(leaf)] for s in scores], [s[len(leaf) :] for s in scores]
            else:
                generated, real = discriminator(leaf, people), discriminator(batch.states, batch.people)
        weights = [getattr(self.settings.weights, term) for term in discriminator.terms]
        adversarial = generator_adversarial_loss(generated, weights)
        (through,) = torch.autograd.grad(adversarial, leaf, retain_graph=True)
        gradients = torch.autograd.grad(discriminator_loss(real, generated), list(discriminator.parameters()))
        return adversarial, through, gradients

    def run(
        self, phase: Phase, data: TrainingSet, windows: Tensor, rng: torch.Generator, tell: Callable[[int], None]
    ) -> float:
        """All updates of a phase on batches of `windows`; the last loss. See `follow`."""
        return self.follow(phase, data, self.draw(phase, data, windows, rng), tell)

    def draw(self, phase: Phase, data: TrainingSet, windows: Tensor, rng: torch.Generator) -> Draws:
        """What a phase learns from; its adversarial updates hear as many windows of others, if the settings say so."""
        others = phase.batch if phase.adversarial and self.settings.other_audio else 0
        return draw(data, windows, phase.steps, phase.batch, others, rng)

    def follow(self, phase: Phase, data: TrainingSet, draws: Draws, tell: Callable[[int], None]) -> float:
        """All updates of a phase on the windows drawn for it; the last loss.

        Args:
            tell: takes the number of updates that are done.

        Raises FacialBenchError when the loss is no longer a number.
        """
        self.prepare(phase.learning_rate, phase.adversarial)
        self.generator.train()
        step, batches = self.adversarial_step if phase.adversarial else self.generator_step, Batches(data, draws)

        def plain() -> Tensor:
            return step(batches())

        update = Captured(plain, self.device) if self.settings.graph else plain
        for number in range(1, phase.steps + 1):
            loss = update()
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
