"""The networks of FACIAL-GAN written the plain way: the yardstick of the benchmark, and a check of the fast ones.

G_loc is called once per frame in a Python loop, the bilinear step is torch's resize of an image, the initial state is
repeated and concatenated, and the training step is the textbook's alternation with `backward()`.
"""

from __future__ import annotations

import itertools

import torch
from facial_bench_facial.data import Batch
from facial_bench_facial.discriminator import PatchDiscriminator
from facial_bench_facial.losses import discriminator_loss, generator_adversarial_loss, regression_loss
from facial_bench_facial.networks import FaceGenerator
from facial_bench_facial.options import LossWeights
from torch import Tensor, nn


def convolution(kind: type[nn.Module], norm: type[nn.Module], activation: nn.Module, *args, **options) -> nn.Sequential:
    """A convolution, its activation and batch normalisation."""
    layer = kind(*args, **options)
    return nn.Sequential(layer, activation, norm(layer.out_channels))


class LoopGenerator(nn.Module):
    """audio (B, 143, F) with its context, state (B, 71) -> (B, 128, 71), one frame of G_loc at a time."""

    def __init__(self, features: int = 29) -> None:
        super().__init__()
        leaky, flat, image = nn.LeakyReLU(0.2), (nn.Conv1d, nn.BatchNorm1d), (nn.Conv2d, nn.BatchNorm2d)
        self.conv1 = convolution(*image, leaky, 1, 32, (4, 4), stride=(2, 2), padding=(1, 0))
        self.conv2 = convolution(*image, leaky, 32, 128, (4, 4), stride=(2, 2), padding=(1, 0))
        self.conv3 = convolution(*image, leaky, 128, 256, (4, 4))
        self.conv4 = convolution(*image, leaky, 256, 256, (3, 1), padding=(1, 0))
        self.conv5 = convolution(*flat, leaky, 256 + 71, 256, 3, padding=1)
        self.conv6 = convolution(*flat, leaky, 256, 256, 3, padding=1)
        self.conv7 = nn.Conv1d(256, 32, 3, padding=1)
        widths = (features, 32, 32, 64, 64)
        self.local = nn.Sequential(
            *(
                convolution(*image, nn.ReLU(), a, b, (3, 1), stride=(2, 1), padding=(1, 0))
                for a, b in itertools.pairwise(widths)
            )
        )
        self.local_head = nn.Linear(64, 32)
        self.fusion = nn.Linear(64, 71)

    def forward(self, audio: Tensor, state: Tensor) -> Tensor:
        """audio (B, 143, F), state (B, 71) -> (B, 128, 71)."""
        x = self.conv2(self.conv1(audio[:, None, 8:136]))
        x = self.conv4(self.conv3(nn.functional.pad(x, (0, 0, 1, 2))))
        x = x.reshape(len(audio), 256, 1, -1)
        x = nn.functional.interpolate(x, size=(1, 128), mode="bilinear", align_corners=False)[:, :, 0]
        x = torch.cat([x, state[:, :, None].repeat(1, 1, 128)], dim=1)
        z = self.conv7(self.conv6(self.conv5(x)))
        frames = []
        for t in range(128):
            window = audio[:, t : t + 16].transpose(1, 2).unsqueeze(3)  # (B, F, 16, 1): frames t-8 .. t+7
            c = torch.tanh(self.local_head(self.local(window).flatten(1)))
            frames.append(self.fusion(torch.cat([z[:, :, t], c], dim=1)))
        return torch.stack(frames, dim=1)


def with_weights_of(generator: FaceGenerator, features: int = 29) -> LoopGenerator:
    """The plain generator with the weights and running statistics of the fast one."""
    plain = LoopGenerator(features)
    with torch.no_grad():
        for own, other in (
            (plain.parameters(), generator.parameters()),
            (plain.buffers(), (b for n, b in generator.named_buffers() if not n.endswith("spread"))),
        ):
            for mine, theirs in zip(own, other, strict=True):
                mine.copy_(theirs.reshape(mine.shape))
    return plain.train(generator.training)


class LoopTrainer:
    """The textbook's training step with the paper's discriminator: that first, then the generator through the new one.
    Other audio is not heard."""

    def __init__(self, generator: LoopGenerator, weights: LossWeights, rate: float = 1e-4) -> None:
        self.generator, self.weights = generator, weights
        self.discriminator = PatchDiscriminator().to(memory_format=torch.contiguous_format)
        self.adam = torch.optim.Adam(self.generator.parameters(), lr=rate)
        self.adam_d = torch.optim.Adam(self.discriminator.parameters(), lr=rate)

    def classifier(self, states: Tensor) -> list[Tensor]:
        """Scores of (B, 128, 71) states and their differences, the only ones."""
        image = torch.cat([states, states[:, 1:] - states[:, :-1]], dim=1)
        return [self.discriminator.layers(image.unsqueeze(1))]

    def generator_step(self, batch: Batch) -> None:
        """One step without the discriminator."""
        states = batch.states
        output = self.generator(batch.audio, states[:, 0])
        self.adam.zero_grad()
        regression_loss(output, states, states[:, 0], self.weights).backward()
        self.adam.step()

    def adversarial_step(self, batch: Batch) -> None:
        """One step of each network."""
        states = batch.states
        output = self.generator(batch.audio, states[:, 0])
        self.adam_d.zero_grad()
        discriminator_loss(self.classifier(states), self.classifier(output.detach())).backward()
        self.adam_d.step()
        self.adam.zero_grad()
        loss = regression_loss(output, states, states[:, 0], self.weights)
        (loss + generator_adversarial_loss(self.classifier(output), [self.weights.adversarial])).backward()
        self.adam.step()
