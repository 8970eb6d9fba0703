"""One person's renderer: maps of a motion, the average face laid over them, and the network that corrects it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from facial_bench.rendering.null_renderers.training_frames import evenly
from facial_bench_renderer.conditioning import CHANNELS, Conditioner
from facial_bench_renderer.data import Person, Track, window
from facial_bench_renderer.networks import UNet, build
from facial_bench_renderer.options import Settings

CHUNK = 16
"""Pictures that go through the network, or into the average, at once."""


class Painter:
    """Pictures of one person.

    Args:
        average: (68, 2) float64 pixels, the person's average landmarks.
        texture: (3, S, S) float32, -1..1, the person's average picture with the landmarks at `average`.
        settings: Of the network.
        seed: Of its initial weights.
        device: `cpu` or `cuda`.
    """

    def __init__(self, average: np.ndarray, texture: np.ndarray, settings: Settings, seed: int, device: str) -> None:
        self.settings, self.device = settings, device
        self.conditioner = Conditioner(average, texture.shape[-1])
        self.texture = torch.from_numpy(np.array(texture, dtype=np.float32)).to(device)
        channels = settings.window * CHANNELS + 3
        self.network = build(lambda: UNet(channels, settings.channels), seed, device)

    @property
    def size(self) -> int:
        """S, side of the pictures, pixels."""
        return self.conditioner.size

    def inputs(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """What the network is given, and the first guess that it corrects.

        Args:
            maps: (n, W, 6, S, S) of the W frames around each, on the device.

        Returns:
            (n, 6 W + 3, S, S): the maps and the guess; (n, 3, S, S): the average face where the landmarks lie.
        """
        grid = maps[:, self.settings.before, :2].permute(0, 2, 3, 1)
        guess = sampled(self.texture.expand(len(maps), -1, -1, -1), grid)
        given = torch.cat([maps.flatten(1, 2), guess], dim=1)
        return given.contiguous(memory_format=torch.channels_last), guess

    def draw(self, landmarks: np.ndarray, closure: np.ndarray) -> Tensor:
        """Maps (n, 6, S, S) of frames, on the device; see `Conditioner.maps`."""
        return torch.from_numpy(self.conditioner.maps(landmarks, closure)).to(self.device)

    def paint(self, track: Track, start: int, stop: int) -> np.ndarray:
        """Pictures start .. stop of a track: (stop - start, S, S, 3) uint8."""
        before, after, length = self.settings.before, self.settings.after, len(track)
        around = window(np.arange(start, stop), before, after, length)
        first, last = int(around.min()), int(around.max()) + 1
        made = np.empty((stop - start, self.size, self.size, 3), dtype=np.uint8)
        with torch.inference_mode():
            maps = self.draw(track.landmarks[first:last], track.closure[first:last])
            near = torch.from_numpy(around - first).to(self.device)
            for k in range(0, stop - start, CHUNK):
                given, guess = self.inputs(maps[near[k : k + CHUNK]])
                made[k : k + CHUNK] = to_bytes(guess + self.network(given))
        return made

    def arrays(self) -> dict[str, np.ndarray]:
        """All that was learned: `average`, `texture` and `network/...`."""
        weights = {
            f"network/{name}": value.detach().cpu().contiguous().numpy().copy()
            for name, value in self.network.state_dict().items()
        }
        return {"average": self.conditioner.average.copy(), "texture": self.texture.cpu().numpy().copy(), **weights}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], settings: Settings, device: str) -> Painter:
        """The painter that gave `arrays`. Raises KeyError, ValueError or RuntimeError where they do not fit."""
        painter = cls(np.asarray(arrays["average"]), np.asarray(arrays["texture"]), settings, 0, device)
        prefix = "network/"
        weights = {
            name.removeprefix(prefix): torch.from_numpy(np.array(value))
            for name, value in arrays.items()
            if name.startswith(prefix)
        }
        painter.network.load_state_dict(weights)
        painter.network.eval()
        return painter


def average_picture(person: Person, average: np.ndarray) -> np.ndarray:
    """The mean of a person's pictures, each warped so that its landmarks lie at `average` (68, 2), pixels:
    (3, S, S) float32, -1..1. Of 1500 frames at most, evenly spaced."""
    conditioner, total = Conditioner(average, person.size), torch.zeros(3, person.size, person.size)
    chosen = person.frames[evenly(len(person.frames))]
    for k in range(0, len(chosen), CHUNK):
        some = chosen[k : k + CHUNK]
        landmarks = np.stack([person.tracks[video].landmarks[frame] for video, frame in some])
        grid = torch.from_numpy(conditioner.sources(landmarks)).permute(0, 2, 3, 1)
        total += sampled(from_bytes(person.pictures(some)), grid).sum(dim=0)
    return (total / len(chosen)).numpy()


def sampled(pictures: Tensor, grid: Tensor) -> Tensor:
    """Bilinear samples of pictures (n, 3, S, S) at places (n, S, S, 2), -1..1 from edge to edge."""
    return functional.grid_sample(pictures, grid, mode="bilinear", padding_mode="border", align_corners=False)


def from_bytes(pictures: np.ndarray) -> Tensor:
    """(n, S, S, 3) uint8 -> (n, 3, S, S) float32, -1..1."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_bytes(pictures: Tensor) -> np.ndarray:
    """(n, 3, S, S), -1..1 -> (n, S, S, 3) uint8, clipped and rounded."""
    levels = ((pictures + 1) * 127.5).clamp(0, 255).round().to(torch.uint8)
    return levels.permute(0, 2, 3, 1).cpu().numpy()
