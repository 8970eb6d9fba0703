"""The patch discriminator of FACIAL-GAN, over the image of a window's states and their differences."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def state_image(states: Tensor) -> Tensor:
    """(B, T, 71) states -> (B, 1, 2 T - 1, 71): the states, and below them their T - 1 frame differences."""
    return torch.cat([states, states.diff(dim=1)], dim=1).unsqueeze(1)


class PatchDiscriminator(nn.Module):
    """(B, 1, 255, 71) -> one score per patch, (B, 1, 32, 9): 1 means real, 0 generated.

    3 x 3 convolutions, channels 1-64-128-256-512-1, strides 2, 2, 2, 1, 1, leaky ReLU 0.2, batch normalisation
    on the three inner ones; 1.56 M parameters. A secondary source: the shape noted of the released program.
    Batch normalisation always uses the statistics of its own batch, so real and generated windows, which go
    through in separate passes, are never normalised together.
    """

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

    def forward(self, image: Tensor) -> Tensor:
        """image (B, 1, 255, 71) -> scores (B, 1, 32, 9), unbounded."""
        return self.layers(image)
