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
FEATURES = 8
"""F, learnt features of each pixel of the face and of the place."""
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
        normalised: Whether there is a normalisation.
    """

    def __init__(self, given: int, made: int, stride: int = 1, normalised: bool = True) -> None:
        convolution = nn.Conv2d(given, made, 3, stride, padding=1)
        super().__init__(convolution, nn.GroupNorm(GROUPS, made) if normalised else nn.Identity(), nn.SiLU())


class UNet(nn.Module):
    """Maps -> a picture's difference from a first guess of it.

    The first convolution halves the picture and the last makes four pixels of each place: what is drawn sharp in the
    guess need not be drawn again, and most of the cost of full resolution is memory. The two finest levels on the way
    up, and the first layer, are not normalised: they know how bright a picture is.

    Args:
        given: C, channels of the maps.
        channels: Of each level, from half the resolution on; every further level halves it again.
    """

    def __init__(self, given: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(given, channels[0], 4, 2, padding=1), nn.SiLU())
        pairs = list(pairwise(channels))
        self.down = nn.ModuleList(nn.Sequential(Layer(a, b, 2), Layer(b, b)) for a, b in pairs)
        self.up = nn.ModuleList(
            Layer(b + a, a, normalised=number > 1) for number, (a, b) in reversed(list(enumerate(pairs)))
        )
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


class PersonalNetwork(nn.Module):
    """A person's learnt pictures, and the U-Net that corrects them.

    `face` (3 + F, S, S) lies in the coordinates of the average face and is carried to where the landmarks are; `place`
    (3 + F, S, S) stays. Their first three channels are colours, and their sum is the first guess; the others are
    features (Thies et al., Deferred Neural Rendering, 2019), of which two start as the pixels' coordinates.

    Args:
        maps: Channels of the maps beside them.
        channels: Of the U-Net.
        texture: (3, S, S), what the face's colours start from; the place's start from nothing.
    """

    def __init__(self, maps: int, channels: Sequence[int], texture: Tensor) -> None:
        super().__init__()
        size = texture.shape[-1]
        along = (torch.arange(size) + 0.5) * 2 / size - 1
        grid = torch.stack([along.expand(size, size), along[:, None].expand(size, size)])
        more = 0.1 * torch.randn(2, FEATURES - 2, size, size)
        self.face = nn.Parameter(torch.cat([texture, grid, more[0]]))
        self.place = nn.Parameter(torch.cat([torch.zeros_like(texture), grid, more[1]]))
        self.correction = UNet(maps + 2 * len(self.face), channels)

    def forward(self, maps: Tensor, coordinates: Tensor) -> Tensor:
        """Maps (N, C, S, S) and coordinates of the average face (N, 2, S, S), -1..1 -> pictures (N, 3, S, S)."""
        count, where = len(maps), coordinates.permute(0, 2, 3, 1)
        face = sampled(self.face.expand(count, -1, -1, -1), where)
        place = self.place.expand(count, -1, -1, -1)
        given = torch.cat([maps, face, place], dim=1).contiguous(memory_format=torch.channels_last)
        return face[:, :3] + place[:, :3] + self.correction(given)


def sampled(pictures: Tensor, places: Tensor) -> Tensor:
    """Bilinear samples of pictures (N, C, S, S) at places (N, S, S, 2), -1..1 from edge to edge."""
    return functional.grid_sample(pictures, places, mode="bilinear", padding_mode="border", align_corners=False)


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
