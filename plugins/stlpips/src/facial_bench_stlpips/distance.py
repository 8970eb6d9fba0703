"""The metric: features of a shift-tolerant AlexNet, and the calibrated distance between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812

from facial_bench.core.device import one_thread
from facial_bench_stlpips.weights import load_weights

SMALLEST = 32
"""Pixels a side: of smaller pictures the last stage sees next to nothing."""
TINY = 1e-10
"""Added to the length of a feature, so that features of length 0 stay 0."""


class ShiftTolerantDistance:
    """ST-LPIPS (Ghildyal and Liu 2022) with the network that its authors call alex.

    AlexNet whose first convolution keeps every position; where it strode, a blur (1, 2, 1) x (1, 2, 1) / 16 over two
    mirrored rows and columns of border halves the picture.

    Args:
        weights: `alex_shift_tolerant.pth`, version ST0.0.

    Raises:
        FacialBenchError: another file.
    """

    def __init__(self, weights: Path) -> None:
        self._parts: Mapping[str, torch.Tensor] = load_weights(weights)

    def __call__(self, real: np.ndarray, rendered: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """(n,) float64, 0 for equal pictures: the distance of each frame.

        Args:
            real: (n, S, S, 3) uint8 RGB; S at least 32.
            rendered: As `real`.
            landmarks: Not looked at.

        Raises:
            ValueError: pictures of unequal shape, or too small.
        """
        if real.shape != rendered.shape:
            raise ValueError(f"rendered pictures are {rendered.shape}, the real ones {real.shape}")
        if min(real.shape[1:3]) < SMALLEST:
            raise ValueError(f"lpips/shift-tolerant takes pictures of {SMALLEST} px a side or more")
        with one_thread(), torch.inference_mode():  # frame by frame: the first stage holds 64 pictures of each
            return np.array([self._distance(one, two) for one, two in zip(real, rendered, strict=True)], np.float64)

    def _distance(self, real: np.ndarray, rendered: np.ndarray) -> float:
        pair = torch.from_numpy(np.stack([real, rendered])).permute(0, 3, 1, 2).float() / 127.5 - 1
        total = 0.0
        for stage, features in enumerate(self._stages(pair)):
            features = features / (features.square().sum(dim=1, keepdim=True).sqrt() + TINY)
            calibration = self._parts[f"lin{stage}.model.1.weight"]
            total += float(F.conv2d((features[:1] - features[1:]).square(), calibration).mean())
        return total

    def _stages(self, pictures: torch.Tensor) -> Iterator[torch.Tensor]:
        """The features of each of the five stages, (2, C, H, W)."""
        parts = self._parts
        shifted = (pictures - parts["scaling_layer.shift"]) / parts["scaling_layer.scale"]
        x = F.conv2d(shifted, parts["net.slice1.0.weight"], parts["net.slice1.0.bias"], padding=2)
        x = F.relu(_halved(x, parts["net.slice1.1.filt"]))
        yield x
        x = self._convolved(_pooled(x, parts["net.slice2.4.filt"]), "net.slice2.5", 2)
        yield x
        x = self._convolved(_pooled(x, parts["net.slice3.8.filt"]), "net.slice3.9", 1)
        yield x
        x = self._convolved(x, "net.slice4.11", 1)
        yield x
        yield self._convolved(x, "net.slice5.13", 1)

    def _convolved(self, x: torch.Tensor, name: str, padding: int) -> torch.Tensor:
        return F.relu(F.conv2d(x, self._parts[f"{name}.weight"], self._parts[f"{name}.bias"], padding=padding))


def _pooled(x: torch.Tensor, blur: torch.Tensor) -> torch.Tensor:
    return _halved(F.max_pool2d(x, kernel_size=3, stride=1), blur)


def _halved(x: torch.Tensor, blur: torch.Tensor) -> torch.Tensor:
    return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), blur, stride=2, groups=x.shape[1])
