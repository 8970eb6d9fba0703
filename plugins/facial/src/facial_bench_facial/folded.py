"""The generator after training, arranged for speed: what `FaceGenerator.eval()` computes, in fewer steps.

- Every layer is activation(W x + b), then batch normalisation, which in eval mode is scale y + shift. These are folded
  FORWARD, into W and b of the layer that follows. Where a tap of that layer meets the zero padding of time there
  is no shift either, so its constant is a table over time whose edge frames differ.
- A convolution is a matrix product of patches of rows, channels last.
- G_loc's windows overlap: row i of a layer of one window is row i - 1 of the window two frames on, except for first
  rows, which meet the padding. So each layer is worked out once per frame, both for a row inside a window and for a
  first row: a dilated convolution of twice the width.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from facial_bench_facial.networks import BEFORE, LATENT, WINDOW, FaceGenerator, LocalGenerator, TemporalGenerator

Norm = nn.BatchNorm1d | nn.BatchNorm2d


def exact(layer: nn.Module) -> tuple[Tensor, Tensor]:
    """(weight, bias) of a layer, float64."""
    weight, bias = (parameter.double() for parameter in layer.parameters())
    return weight, bias


def affine(norm: Norm | None, channels: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """(scale, shift) of a batch normalisation in eval mode, (channels,) float64 each; of none: ones and zeros."""
    if norm is None:
        scale = torch.ones(channels, dtype=torch.float64, device=device)
        return scale, torch.zeros_like(scale)
    weight, bias = exact(norm)
    mean, variance, _ = (buffer.double() for buffer in norm.buffers())
    scale = weight / (variance + norm.eps).sqrt()
    return scale, bias - scale * mean


def dense(weight: Tensor, bias: Tensor | None = None) -> nn.Linear:
    """A linear layer with copies of this weight (C', C) and bias (C',), in float32; draws no random numbers."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias is not None, device="meta")
    layer.weight = nn.Parameter(weight.detach().float().contiguous().clone(), requires_grad=False)
    if bias is not None:
        layer.bias = nn.Parameter(bias.detach().float().clone(), requires_grad=False)
    return layer


class PatchProduct(nn.Module):
    """A convolution of (B, T, W, C) rows after batch normalisation, zeros before and after them in time.

    Args:
        layer: the convolution.
        norm: the batch normalisation between the rows and it; None for none.
        padding: rows of zeros before and after.
        length: T.
    """

    weight: Tensor
    """(C', kt kw C)."""
    table: Tensor
    """(T', 1, C'): the bias, and the shift of the taps that meet a row."""

    def __init__(self, layer: nn.Conv1d | nn.Conv2d, norm: Norm | None, padding: tuple[int, int], length: int) -> None:
        super().__init__()
        weight, bias = exact(layer)
        weight = weight if weight.ndim == 4 else weight.unsqueeze(3)  # (C', C, kt, kw)
        self.padding, self.size, self.stride = padding, weight.shape[2:], (*layer.stride, 1)[:2]
        scale, shift = affine(norm, weight.shape[1], weight.device)
        rows = nn.functional.pad(weight.new_ones(length), padding)
        present = rows.unfold(0, self.size[0], self.stride[0])  # (T', kt), 0 where a tap meets the padding
        table = bias + present @ torch.einsum("octw,c->to", weight, shift)
        folded = (weight * scale[:, None, None]).permute(0, 2, 3, 1).flatten(1)
        self.register_buffer("weight", folded.float())
        self.register_buffer("table", table.unsqueeze(1).float())

    def forward(self, rows: Tensor) -> Tensor:
        """rows (B, T, W, C) -> (B, T', W', C')."""
        rows = nn.functional.pad(rows, (0, 0, 0, 0, *self.padding))
        (kt, kw), (st, sw) = self.size, self.stride
        patches = rows.unfold(1, kt, st).unfold(2, kw, sw).permute(0, 1, 2, 4, 5, 3)  # (B, T', W', kt, kw, C)
        product = torch.mm(patches.reshape(-1, self.weight.shape[1]), self.weight.t())
        return product.view(*patches.shape[:3], -1).add_(self.table)


class FoldedTemporal(nn.Module):
    """G_tem: audio (B, 128, F) and the initial state (B, 71) -> z (B, 128, 32)."""

    spread: Tensor
    """(128, 3 P + 3), that of `StateConvolution`."""

    def __init__(self, network: TemporalGenerator) -> None:
        super().__init__()
        encoder: Iterable[Any] = network.encoder
        decoder: Iterable[Any] = network.decoder
        conv1, _, norm1, conv2, _, norm2, _, conv3, _, norm3, conv4, _, norm4 = encoder
        _, norm5, conv6, _, norm6, conv7 = decoder
        self.encoder = nn.Sequential(
            PatchProduct(conv1, None, (1, 1), WINDOW),
            nn.LeakyReLU(0.2, inplace=True),
            PatchProduct(conv2, norm1, (1, 1), WINDOW // 2),
            nn.LeakyReLU(0.2, inplace=True),
            PatchProduct(conv3, norm2, (1, 2), WINDOW // 4),
            nn.LeakyReLU(0.2, inplace=True),
            PatchProduct(conv4, norm3, (1, 1), WINDOW // 4),
            nn.LeakyReLU(0.2, inplace=True),
        )
        self.decoder = nn.Sequential(
            nn.LeakyReLU(0.2, inplace=True),
            PatchProduct(conv6, norm5, (1, 1), WINDOW),
            nn.LeakyReLU(0.2, inplace=True),
            PatchProduct(conv7, norm6, (1, 1), WINDOW),
        )
        weight, bias = exact(network.with_state)
        scale, shift = affine(norm4, conv4.out_channels, weight.device)
        below = weight.permute(2, 0, 1).flatten(0, 1)  # (3 C', C + 71), the taps below each other
        own, held = below[:, : len(scale)], below[:, len(scale) :]
        # A constant comes out of the interpolation as it went in, so the shift is one more share of the state's taps;
        # and so is the bias, of the middle tap, which meets a row on every frame.
        constant = (own @ shift).view(3, -1)
        constant[1] += bias
        self.taps, self.held = dense(own * scale), dense(held, constant.flatten())
        self.register_buffer("spread", network.with_state.spread.clone())

    def forward(self, audio: Tensor, state: Tensor) -> Tensor:
        """audio (B, 128, F), state (B, 71) -> (B, 128, 32)."""
        rows = self.encoder(audio.unsqueeze(3)).flatten(1, 2)  # (B, P, 256)
        taps = self.taps(rows).view(len(rows), -1, rows.shape[2])
        held = self.held(state).view(len(rows), 3, -1)
        rows = torch.matmul(self.spread, torch.cat([taps, held], dim=1))  # (B, 128, 256)
        return self.decoder(rows.unsqueeze(2)).squeeze(2)


class FoldedLocal(nn.Module):
    """G_loc of every frame at once: audio (B, 143, F) -> c (B, 128, 32).

    Between layers a row holds, side by side, what it is inside of a window and what it is as a window's first row.
    """

    def __init__(self, network: LocalGenerator) -> None:
        super().__init__()
        layers: list[Any] = list(network.encoder)
        norms: list[Norm | None] = [None, *layers[2::3]]
        folded = [_taps(layer, norm) for layer, norm in zip(layers[::3], norms, strict=False)]
        (previous, own, following, inside, first), *middle, last = folded
        none = torch.zeros_like(own)
        wide = [torch.cat([previous, own, following], 1), torch.cat([none, own, following], 1)]
        products = [dense(torch.cat(wide), torch.cat([inside, first]))]  # the audio is no window's first row
        for previous, own, following, inside, first in middle:
            none = torch.zeros_like(own)
            wide = [torch.cat([previous, own, none, following], 1), torch.cat([none, none, own, following], 1)]
            products.append(dense(torch.cat(wide), torch.cat([inside, first])))
        products.append(dense(torch.cat(last[1:3], 1), last[4]))  # a single row, the first
        self.products = nn.ModuleList(products)
        scale, shift = affine(norms[-1], network.head.in_features, network.head.weight.device)
        weight, bias = exact(network.head)
        self.head = dense(weight * scale, bias + weight @ shift)

    def forward(self, audio: Tensor) -> Tensor:
        """audio (B, 143, F) -> (B, 128, 32)."""
        *products, last = self.products
        # The seven rows in front are only there for shapes: no frame's window reaches them.
        rows, inside = nn.functional.pad(audio, (0, 0, 7, 0)), audio.shape[2]
        for apart, product in zip((1, 2, 4), products, strict=True):
            before, after = rows[:, : -2 * apart, :inside], rows[:, 2 * apart :, :inside]
            rows = product(torch.cat([before, rows[:, apart:-apart], after], dim=2)).relu_()
            inside = rows.shape[2] // 2
        rows = last(torch.cat([rows[:, :WINDOW, inside:], rows[:, 8 : 8 + WINDOW, :inside]], dim=2)).relu_()
        return self.head(rows).tanh_()


def _taps(layer: nn.Conv1d, norm: Norm | None) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The folded weights (C', C) of the tap before, on and after a row; the constants (C',) with and without the
    first."""
    weight, bias = exact(layer)
    scale, shift = affine(norm, weight.shape[1], weight.device)
    previous, own, following = (weight * scale[:, None]).unbind(2)
    first = bias + (weight[:, :, 1] + weight[:, :, 2]) @ shift
    return previous, own, following, first + weight[:, :, 0] @ shift, first


class FoldedGenerator(nn.Module):
    """A `FaceGenerator` with the weights and statistics that it has now, in eval mode; on its device, in float32."""

    def __init__(self, network: FaceGenerator) -> None:
        super().__init__()
        with torch.no_grad():
            temporal, local = network.temporal, network.local
            if isinstance(temporal, TemporalGenerator):
                self.temporal: nn.Module = FoldedTemporal(temporal)
            else:
                self.temporal = copy.deepcopy(temporal)
            self.local = FoldedLocal(local) if local is not None else None
            weight = network.fusion.weight if local is not None else network.fusion.weight[:, :LATENT]
            self.fusion = dense(weight, network.fusion.bias)

    def forward(self, audio: Tensor, state: Tensor) -> Tensor:
        """audio (B, 143, F): 8 frames before the window, its 128, 7 after; state (B, 71) -> (B, 128, 71)."""
        z = self.temporal(audio[:, BEFORE : BEFORE + WINDOW], state)
        return self.fusion(z if self.local is None else torch.cat([z, self.local(audio)], dim=2))
