"""The generator, an image-to-image network, and the patch discriminators of an adversarial training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

GROUPS = 4
"""Into which the channels of a layer are normalised; the number of channels is a multiple."""
Network = TypeVar("Network", bound=nn.Module)


def build(make: Callable[[], Network], seed: int, device: str) -> Network:
    """A network with the initial weights of `seed`, the same on every device, its convolutions channels last; the
    global random state is kept."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return make().to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]


class Layer(nn.Sequential):
    """3 x 3 convolution, group normalisation, SiLU.

    Args:
        given: Channels that come in.
        made: Channels that go out.
        stride: 2 halves the picture.
    """

    def __init__(self, given: int, made: int, stride: int = 1) -> None:
        convolution = nn.Conv2d(given, made, 3, stride, padding=1, bias=False)
        super().__init__(convolution, nn.GroupNorm(GROUPS, made), nn.SiLU())


class UNet(nn.Module):
    """Maps -> a picture's difference from a first guess of it.

    The first convolution halves the picture and the last makes four pixels of each place: what is drawn sharp in the
    guess need not be drawn again, and most of the cost of full resolution is memory.

    Args:
        given: C, channels of the maps.
        channels: Of each level, from half the resolution on; every further level halves it again.
    """

    def __init__(self, given: int, channels: Sequence[int]) -> None:
        super().__init__()
        first = nn.Conv2d(given, channels[0], 4, 2, padding=1, bias=False)
        self.first = nn.Sequential(first, nn.GroupNorm(GROUPS, channels[0]), nn.SiLU())
        pairs = list(pairwise(channels))
        self.down = nn.ModuleList(nn.Sequential(Layer(a, b, 2), Layer(b, b)) for a, b in pairs)
        self.up = nn.ModuleList(Layer(b + a, a) for a, b in reversed(pairs))
        self.last = nn.Conv2d(channels[0], 3 * 2 * 2, 3, padding=1)
        for part in self.last.parameters():
            nn.init.zeros_(part)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, S, S) -> (N, 3, S, S), zero before any training; S is 1 or more."""
        size = maps.shape[-1]
        x = self.first(functional.pad(maps, (0, size % 2, 0, size % 2)) if size % 2 else maps)
        passed = []
        for level in self.down:
            passed.append(x)
            x = level(x)
        for level in self.up:
            across = passed.pop()
            x = functional.interpolate(x, size=across.shape[-2:], mode="nearest")
            x = level(torch.cat([x, across], dim=1))
        return functional.pixel_shuffle(self.last(x), 2)[..., :size, :size]


class PatchDiscriminator(nn.Module):
    """Judges patches of a picture beside the maps that it was made from (Isola et al., CVPR 2017), at one scale.

    Args:
        given: Channels of the maps.
        channels: Of the first layer; they double twice.
    """

    def __init__(self, given: int, channels: int) -> None:
        super().__init__()
        widths = (channels, 2 * channels, 4 * channels)
        layers: list[nn.Module] = [nn.Sequential(nn.Conv2d(given + 3, widths[0], 4, 2, 1), nn.LeakyReLU(0.2))]
        for a, b in pairwise(widths):
            layers.append(nn.Sequential(nn.Conv2d(a, b, 4, 2, 1), nn.GroupNorm(GROUPS, b), nn.LeakyReLU(0.2)))
        layers.append(nn.Conv2d(widths[-1], 1, 3, 1, 1))
        self.layers = nn.ModuleList(layers)

    def forward(self, seen: Tensor) -> list[Tensor]:
        """(N, C + 3, S, S), S >= 8 -> what each layer says; the last is the verdict on each patch, 1 for real."""
        said = [seen]
        for layer in self.layers:
            said.append(layer(said[-1]))
        return said[1:]


class MultiScale(nn.Module):
    """Patch discriminators over a picture at several resolutions (Wang et al., CVPR 2018).

    Args:
        given: Channels of the maps.
        channels: Of each one's first layer.
        scales: How many; each sees half the resolution of the one before.
    """

    def __init__(self, given: int, channels: int, scales: int) -> None:
        super().__init__()
        self.scales = nn.ModuleList(PatchDiscriminator(given, channels) for _ in range(scales))

    def forward(self, maps: Tensor, pictures: Tensor) -> list[list[Tensor]]:
        """Maps (N, C, S, S) and pictures (N, 3, S, S) -> of each scale what its layers say."""
        seen, said = torch.cat([maps, pictures], dim=1), []
        for discriminator in self.scales:
            said.append(discriminator(seen))
            seen = functional.avg_pool2d(seen, 2)
        return said
