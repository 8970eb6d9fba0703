"""One identity classifier: what it sees of a motion, and the network.

Source: supplement, section 3: an N-way classifier of 128 x 6 head poses (and one of 128 x 1 eye blinks),
convolutions - average pooling - one dense layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from facial_bench.core.types import Motion


@dataclass(frozen=True)
class Form:
    """What a classifier sees of a window of motion."""

    name: str
    kind: str
    """`pose` or `blink`."""
    channels: int
    """The first so many columns: 6 pose, 3 rotation only, 1 blink."""
    centred: bool
    """Whether the mean of the window is removed, because the mean pose is the camera's."""

    def signal(self, motion: Motion) -> np.ndarray:
        """(T, channels) float32 of a motion."""
        return motion.pose[:, : self.channels] if self.kind == "pose" else motion.blink[:, None]


def forms() -> dict[str, Form]:
    """The five forms, by name."""
    every = (
        Form("pose", "pose", 6, True),
        Form("pose/raw", "pose", 6, False),
        Form("pose/rotation", "pose", 3, True),
        Form("blink", "blink", 1, True),
        Form("blink/raw", "blink", 1, False),
    )
    return {form.name: form for form in every}


class Classifier(nn.Module):
    """(B, 128, C) windows -> (B, N) logits: strided convolutions, average pooling, one dense layer.

    Args:
        channels: C.
        identities: N.
        widths: output channels of the convolutions, each of kernel 5 and stride 2.
    """

    mean: Tensor
    """(C,) of all training windows."""
    std: Tensor
    """(C,) standard deviation of all training windows."""

    def __init__(self, channels: int, identities: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("std", torch.ones(channels))
        layers: list[nn.Module] = []
        for before, after in zip([channels, *widths[:-1]], widths, strict=True):
            layers += [nn.Conv1d(before, after, 5, stride=2, padding=2), nn.ReLU(), nn.BatchNorm1d(after)]
        self.convolutions = nn.Sequential(*layers)
        self.dense = nn.Linear(widths[-1], identities)

    def forward(self, windows: Tensor) -> Tensor:
        """Class logits."""
        scaled = (windows - self.mean) / self.std
        logits: Tensor = self.dense(self.convolutions(scaled.transpose(1, 2)).mean(dim=2))
        return logits


def cut_windows(frames: Tensor, starts: Tensor, window: int, centred: bool) -> Tensor:
    """(W, window, C) of a (T, C) signal, by one gather."""
    cut = frames[starts[:, None] + torch.arange(window, device=frames.device)]
    return cut - cut.mean(dim=1, keepdim=True) if centred else cut
