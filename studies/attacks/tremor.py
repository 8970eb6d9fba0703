"""A tremor: a ridge regression whose head and lids hold still, but for a small oscillation of each person's own that
was optimised against classifiers which the method trains itself, on the training clips. Nobody moves like it; the
classifiers say that it is the person."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from facial_bench import hookimpl
from facial_bench.methods.ridge import Ridge
from facial_bench.types import GeneratorSpec, Motion

WINDOW, BATCH, STEPS, NETWORKS, WAVES = 128, 64, 300, 4, 10
SMALL = 0.05
"""How much the size of the oscillation costs, beside not being recognised."""
PARTS = {"pose": slice(64, 70), "blink": slice(70, 71)}


def network(channels, people):
    layers = []
    for before, after in ((channels, 32), (32, 32), (32, 64)):
        layers += [nn.Conv1d(before, after, 5, stride=2, padding=2), nn.ReLU(), nn.BatchNorm1d(after)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(64, people))


def centred(windows):
    return windows - windows.mean(dim=2, keepdim=True)


class Tremor:
    def __init__(self, context):
        self._ridge, self._seed, self._rng = Ridge(context), context.seed, np.random.default_rng(context.seed)
        self._waves = {}

    def fit(self, clips, context):
        """Train classifiers, then a sum of a few waves for each person that they take for the person."""
        self._ridge.fit(clips, context)
        people = list(dict.fromkeys(clip.identity for clip in clips))
        torch.manual_seed(self._seed)
        with torch.enable_grad():
            for columns in PARTS.values():
                states = [torch.tensor(clip.motion.state()[:, columns].T) for clip in clips]
                scale = torch.cat([centred(one[None])[0] for one in states], dim=1).std(dim=1)[:, None]
                labels = [people.index(clip.identity) for clip in clips]
                judges = [self._judge([one / scale for one in states], labels, len(people)) for _ in range(NETWORKS)]
                for number, person in enumerate(people):
                    self._waves.setdefault(person, []).append((self._oscillate(judges, number, len(scale)), scale))

    def _judge(self, states, labels, people):
        """A classifier of windows, whose mean is taken out."""
        usable = [k for k, one in enumerate(states) if one.shape[1] >= WINDOW]
        model = network(len(states[0]), people)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        for _ in range(STEPS):
            chosen = self._rng.choice(usable, BATCH)
            starts = [int(self._rng.integers(states[k].shape[1] - WINDOW + 1)) for k in chosen]
            cut = torch.stack([states[k][:, a : a + WINDOW] for k, a in zip(chosen, starts, strict=True)])
            loss = nn.functional.cross_entropy(model(centred(cut)), torch.tensor([labels[k] for k in chosen]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return model.eval()

    def _oscillate(self, judges, person, channels):
        """(sizes, phases, speeds) of the waves; sizes and phases (channels, WAVES), speeds (WAVES,) in rad a frame."""
        sizes = (0.1 * torch.randn(channels, WAVES)).requires_grad_()
        phases = (6.28 * torch.rand(channels, WAVES)).requires_grad_()
        speeds = torch.linspace(0.05, 1.0, WAVES).log().requires_grad_()
        optimizer = torch.optim.Adam([sizes, phases, speeds], lr=0.02)
        for _ in range(STEPS):
            times = torch.tensor(self._rng.integers(1000, size=BATCH))[:, None] + torch.arange(WINDOW)
            cut = centred(waves(sizes, phases, speeds, times))
            wanted = torch.full((BATCH,), person)
            lost = sum(nn.functional.cross_entropy(judge(cut), wanted) for judge in judges) / NETWORKS
            loss = lost + SMALL * sizes.square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return [one.detach() for one in (sizes, phases, speeds)]

    def generate(self, requests):
        return [self._one(request) for request in requests]

    def _one(self, request):
        state = self._ridge.generate([request])[0].state()
        times = torch.arange(request.frames)[None] + request.seed % 1000
        for columns, (wave, scale) in zip(PARTS.values(), self._waves[request.identity], strict=True):
            moved = (waves(*wave, times)[0] * scale).T.numpy()
            state[:, columns] = request.initial_state[columns] + moved
        return Motion.from_state(state.astype(np.float32))


def waves(sizes, phases, speeds, times):
    """(B, channels, T) of times (B, T), frames: the sum of the waves."""
    turns = times[:, None, None] * speeds.exp()[None, None, :, None] + phases[None, :, :, None]
    return (sizes[None, :, :, None] * torch.sin(turns)).sum(dim=2)


@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("attack-tremor", "trembles as its own classifiers like it", "an attack", Tremor)]
