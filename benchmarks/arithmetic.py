"""Multiply-adds of a training step, counted from the layers, and the machine's matrix-product rate."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class LayerCount:
    """Multiply-adds of one layer's forward pass; each of its two gradients takes as many again."""

    forward: int
    first: bool
    """Whether it stands first: the gradient to its input, which is data, is computed by nobody."""


def count_layers(network: nn.Module, *inputs: Tensor) -> list[LayerCount]:
    """Every convolution and dense layer of a network, as it runs on these inputs; a layer is first when its
    input needs no gradient. Layers count as their tables define them (the repeated state as 71 channels), so that every
    formulation is held against the same figure."""
    counts: list[LayerCount] = []

    def hook(layer: nn.Module, entering: tuple[Tensor, ...], output: Tensor) -> None:
        per_output = layer.weight.numel() // layer.weight.shape[0]
        counts.append(LayerCount(output.numel() * per_output, not entering[0].requires_grad))

    kinds = (nn.Conv1d, nn.Conv2d, nn.Linear)
    handles = [m.register_forward_hook(hook) for m in network.modules() if isinstance(m, kinds)]
    network(*inputs)
    for handle in handles:
        handle.remove()
    return counts


def forward_count(layers: list[LayerCount]) -> int:
    """Multiply-adds of a forward pass."""
    return sum(layer.forward for layer in layers)


def training_count(layers: list[LayerCount]) -> int:
    """Forward, gradient to the weights, and gradient to the input of all but the first layers."""
    return sum(layer.forward * (2 if layer.first else 3) for layer in layers)


def adversarial_count(generator: list[LayerCount], discriminator: list[LayerCount]) -> int:
    """The least that an adversarial step can do: the generator trained; the discriminator trained on real and on
    generated windows; and a gradient back through it to the generated windows."""
    return training_count(generator) + 2 * training_count(discriminator) + forward_count(discriminator)


def matrix_rate(repetitions: int = 7, size: int = 1536) -> float:
    """Floating-point operations a second of a square float32 matrix product, the best of several."""
    a, b = torch.randn(size, size), torch.randn(size, size)
    best = float("inf")
    for _ in range(repetitions):
        start = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best
