"""Training of one person's network: L1, with discriminators also their verdict and what their layers say."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from facial_bench.errors import FacialBenchError
from facial_bench_renderer.conditioning import CHANNELS
from facial_bench_renderer.data import Person, window
from facial_bench_renderer.networks import MultiScale, build
from facial_bench_renderer.options import Settings
from facial_bench_renderer.painter import Painter, from_bytes

TELL_EVERY = 20
"""Updates between two looks at the loss: each waits for the device."""
FASTER = 5.0
"""How many times faster the learnt pictures learn than the network: each of their pixels is seen once a picture."""
Verdicts = list[list[Tensor]]
"""Of each scale of the discriminators what its layers say."""


class Trainer:
    """One person's painter, perhaps discriminators, their optimisers and one update.

    Args:
        painter: Is trained.
        person: Whose pictures.
        settings: Of the training.
        seed: Of the discriminators' weights.
    """

    def __init__(self, painter: Painter, person: Person, settings: Settings, seed: int) -> None:
        self.painter, self.person, self.settings = painter, person, settings
        self.network = painter.network
        self.averaged = copy.deepcopy(self.network)
        learnt = [self.network.face, self.network.place]
        groups = [{"params": self.network.correction.parameters(), "faster": 1.0}, {"params": learnt, "faster": FASTER}]
        self._optimiser = torch.optim.Adam(groups, settings.learning_rate, settings.betas)
        self.discriminator: MultiScale | None = None
        if settings.weights.adversarial:
            self.discriminator = build(
                lambda: MultiScale(CHANNELS, settings.discriminator_channels, settings.scales), seed, painter.device
            )
            rate = settings.discriminator_rate
            self._judging = torch.optim.Adam(self.discriminator.parameters(), rate, (0.5, 0.999))

    def step(self, chosen: np.ndarray, done: int, total: int) -> Tensor:
        """One update, after `done` of `total`, on the frames (n, 2) of a batch -> its L1 loss, a scalar."""
        factor = schedule(self.settings.schedule, done / total)
        _set_rate(self._optimiser, self.settings.learning_rate * factor)
        maps, real = self._batch(chosen)
        made = self.painter(maps)
        l1 = functional.l1_loss(made, real)
        loss = self.settings.weights.l1 * l1
        if self.discriminator is not None:
            _set_rate(self._judging, self.settings.discriminator_rate * factor)
            loss = loss + self._adversarial(self.discriminator, maps[:, self.settings.before], made, real)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._optimiser.step()
        self._average(done)
        return l1.detach()

    def _adversarial(self, discriminator: MultiScale, maps: Tensor, made: Tensor, real: Tensor) -> Tensor:
        """Update the discriminators, then ask them about the made pictures: the generator's terms, a scalar."""
        own, other = discriminator(maps, real), discriminator(maps, made.detach())
        verdicts = [((a[-1] - 1) ** 2).mean() + (b[-1] ** 2).mean() for a, b in zip(own, other, strict=True)]
        self._judging.zero_grad(set_to_none=True)
        (torch.stack(verdicts).sum() / 2).backward()
        self._judging.step()
        discriminator.requires_grad_(False)
        with torch.no_grad():
            own = discriminator(maps, real)
        other = discriminator(maps, made)
        discriminator.requires_grad_(True)
        weights = self.settings.weights
        return weights.adversarial * fooling(other) + weights.feature_matching * feature_matching(own, other)

    def _batch(self, chosen: np.ndarray) -> tuple[Tensor, Tensor]:
        """Maps (n, W, 6, S, S) around the frames of a batch, and their pictures (n, 3, S, S)."""
        before, after, tracks = self.settings.before, self.settings.after, self.person.tracks
        landmarks, closure = [], []
        for video, frame in chosen:
            near = window(np.array([frame]), before, after, len(tracks[video]))[0]
            landmarks.append(tracks[video].landmarks[near])
            closure.append(tracks[video].closure[near])
        maps = self.painter.draw(np.concatenate(landmarks), np.concatenate(closure))
        pictures = from_bytes(self.person.pictures(chosen)).to(self.painter.device)
        return maps.unflatten(0, (len(chosen), self.settings.window)), pictures

    @torch.no_grad()
    def _average(self, done: int) -> None:
        """Move the averaged weights toward the present ones; early on faster, so that the first do not linger."""
        keep = min(self.settings.average, (done + 1) / (done + 10))
        for mean, now in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(now, 1 - keep)


def train(
    painter: Painter, person: Person, settings: Settings, seed: int, name: str, tell: Callable[[int, int], None]
) -> float:
    """Train a painter; then it paints with the averaged weights. Deterministic in the seed.

    Args:
        painter: Of the person.
        person: Their training frames.
        settings: Of the training.
        seed: Of the order of frames and of the discriminators.
        name: The renderer's, for messages.
        tell: Told (updates done, updates in all) from time to time.

    Returns:
        The L1 loss at the end, of pictures in -1..1.

    Raises:
        FacialBenchError: the loss is not finite.
    """
    total = settings.steps
    if settings.epochs:
        total = settings.epochs * math.ceil(len(person.frames) / settings.batch)
    trainer, loss = Trainer(painter, person, settings, seed), math.nan
    for done, chosen in enumerate(person.batches(total, settings.batch, seed)):
        now = trainer.step(chosen, done, total)
        if (done + 1) % TELL_EVERY == 0 or done + 1 == total:
            loss = float(now)
            if not math.isfinite(loss):
                raise FacialBenchError(f"{name}: the loss is not finite after {done + 1} updates; try another seed.")
            tell(done + 1, total)
    painter.network.load_state_dict(trainer.averaged.state_dict())
    painter.network.eval()
    return loss


def schedule(kind: str, done: float) -> float:
    """The factor of the learning rate after a share `done` (0..1) of the training; see `Settings.schedule`."""
    if kind == "cosine":
        return (1 + math.cos(math.pi * done)) / 2
    return min(1.0, (1 - done) / 0.6)


def fooling(said: Verdicts) -> Tensor:
    """Least squares (Mao et al., ICCV 2017): mean over scales and patches of (verdict - 1)^2."""
    return torch.stack([((scale[-1] - 1) ** 2).mean() for scale in said]).mean()


def feature_matching(real: Verdicts, made: Verdicts) -> Tensor:
    """Mean over scales and inner layers of the L1 distance between what they say (Wang et al., CVPR 2018)."""
    pairs = [pair for own, other in zip(real, made, strict=True) for pair in zip(own[:-1], other[:-1], strict=True)]
    return torch.stack([functional.l1_loss(other, own.detach()) for own, other in pairs]).mean()


def _set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate * group.get("faster", 1.0)
