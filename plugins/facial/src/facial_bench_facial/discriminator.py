"""The discriminators: small ones over pose and lids (the default), and the patch discriminator of the release.

Each takes standardised states (B, 128, 71) and says of every patch of time whether it is real motion: 1 real, 0
generated. `Attributes` is ours: why it stands in the paper's place is told in the README.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from facial_bench.types import EXPRESSION_WIDTH
from facial_bench_facial.networks import RowConvolution

POSE_COLUMNS = 6
DIFFERENCES = 3.0
"""Factor of the differences beside the values: of standardised motion they are about a third as large, or less."""


class AttributeDiscriminator(nn.Module):
    """Values of an attribute over time and a person -> one score per patch of time, unbounded.

    The C columns and `DIFFERENCES` times their frame differences, 2 C channels, go through three convolutions of
    width 5 and stride 2 (64, 128, 128 channels, leaky ReLU 0.2). A patch of features h scores w.h + b + v_i.h: v_i
    belongs to person i (projection discriminator: Miyato and Koyama 2018, Equation 4).
    """

    def __init__(self, columns: int, people: int) -> None:
        super().__init__()
        channels = (2 * columns, 64, 128, 128)
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(channels):
            layers += [RowConvolution(before, after, 5, stride=2), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)
        self.score = nn.Linear(channels[-1], 1)
        self.person = nn.Embedding(people, channels[-1])
        nn.init.zeros_(self.person.weight)

    def forward(self, values: Tensor, people: Tensor) -> Tensor:
        """values (B, T, C), people (B,) int64 -> (B, 1, T / 8)."""
        change = nn.functional.pad(values.diff(dim=1), (0, 0, 1, 0))
        features = self.layers(torch.cat([values, DIFFERENCES * change], dim=2))  # (B, T / 8, 128)
        own = features @ self.person(people).to(features.dtype).unsqueeze(2)
        return (self.score(features) + own).transpose(1, 2)


class Attributes(nn.Module):
    """A discriminator of the head's pose and another one of the lids, so that neither is judged by the other."""

    terms = ("adversarial_pose", "adversarial_lids")
    """The weight of each score in `LossWeights`."""
    one_pass = True
    """Whether real and generated windows may go through together."""

    def __init__(self, people: int) -> None:
        super().__init__()
        self.pose, self.lids = AttributeDiscriminator(POSE_COLUMNS, people), AttributeDiscriminator(1, people)

    def forward(self, states: Tensor, people: Tensor) -> tuple[Tensor, ...]:
        """states (B, 128, 71), people (B,) int64 -> scores of the pose and of the lids, (B, 1, 16) each."""
        pose, lids = states[..., EXPRESSION_WIDTH:].split([POSE_COLUMNS, 1], dim=2)
        return self.pose(pose, people), self.lids(lids, people)


def state_image(states: Tensor) -> Tensor:
    """(B, T, 71) states -> (B, 1, 2 T - 1, 71): the states, and below them their T - 1 frame differences."""
    return torch.cat([states, states.diff(dim=1)], dim=1).unsqueeze(1)


class PatchDiscriminator(nn.Module):
    """The image of a window's states -> one score per patch, (B, 1, 32, 9).

    3 x 3 convolutions, channels 1-64-128-256-512-1, strides 2, 2, 2, 1, 1, leaky ReLU 0.2, batch normalisation
    on the three inner ones; 1.56 M parameters. A secondary source: the shape noted of the released program.
    Batch normalisation always uses the statistics of its own batch, so real and generated windows, which go
    through in separate passes, are never normalised together.
    """

    terms = ("adversarial",)
    """The weight of each score in `LossWeights`."""
    one_pass = False
    """Whether real and generated windows may go through together."""

    def __init__(self) -> None:
        super().__init__()
        channels, strides = (1, 64, 128, 256, 512), (2, 2, 2, 1)
        layers: list[nn.Module] = []
        for before, after, stride in zip(channels, channels[1:], strides, strict=False):
            inner = before != 1
            # A convolution that batch normalisation follows needs no bias: it would be subtracted again.
            layers.append(nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=not inner))
            if inner:
                layers.append(nn.BatchNorm2d(after, track_running_stats=False))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels[-1], 1, 3, padding=1))
        # oneDNN and cuDNN run these convolutions on channels-last memory without reordering it every time.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, states: Tensor, people: Tensor) -> tuple[Tensor, ...]:
        """states (B, 128, 71) -> scores (B, 1, 32, 9); `people` is not looked at."""
        return (self.layers(state_image(states)),)


Discriminator = Attributes | PatchDiscriminator
