"""One person's renderer: the maps of a motion through the person's network, and the average picture it starts from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from facial_bench.rendering.null_renderers.training_frames import evenly
from facial_bench_renderer.conditioning import CHANNELS, Conditioner
from facial_bench_renderer.data import Person, Track, window
from facial_bench_renderer.networks import PersonalNetwork, build, sampled
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
        colours = torch.from_numpy(np.array(texture, dtype=np.float32))
        maps, along = settings.window * CHANNELS, (torch.arange(self.size) + 0.5) * 2 / self.size - 1
        self._pixels = torch.stack(torch.meshgrid(along, along, indexing="xy")).to(device)
        self.network = build(lambda: PersonalNetwork(maps, settings.channels, colours), seed, device)

    @property
    def size(self) -> int:
        """S, side of the pictures, pixels."""
        return self.conditioner.size

    def __call__(self, maps: Tensor) -> Tensor:
        """Pictures of maps (n, W, 6, S, S) of the W frames around each, on the device: (n, 3, S, S), -1..1 and a
        little beyond.

        The network sees of the coordinates by how much they differ: those of the frame from the pixel's own, in units
        of 8 pixels, the others from the frame's, in units of 2.
        """
        now, middle = maps[:, self.settings.before, :2], self.settings.before
        moved = (maps[:, :, :2] - now[:, None]) * (self.size / 4)
        moved[:, middle] = (now - self._pixels) * (self.size / 16)
        return self.network(torch.cat([moved, maps[:, :, 2:]], dim=2).flatten(1, 2), now)

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
                made[k : k + CHUNK] = to_bytes(self(maps[near[k : k + CHUNK]]))
        return made

    def arrays(self) -> dict[str, np.ndarray]:
        """All that was learned: `average` and `network/...`."""
        weights = {
            f"network/{name}": value.detach().cpu().contiguous().numpy().copy()
            for name, value in self.network.state_dict().items()
        }
        return {"average": self.conditioner.average.copy(), **weights}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], settings: Settings, device: str) -> Painter:
        """The painter that gave `arrays`. Raises KeyError, ValueError or RuntimeError where they do not fit."""
        texture = np.zeros_like(arrays["network/face"][:3])
        painter = cls(np.asarray(arrays["average"]), texture, settings, 0, device)
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


def from_bytes(pictures: np.ndarray) -> Tensor:
    """(n, S, S, 3) uint8 -> (n, 3, S, S) float32, -1..1."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_bytes(pictures: Tensor) -> np.ndarray:
    """(n, 3, S, S), -1..1 -> (n, S, S, 3) uint8, clipped and rounded."""
    levels = ((pictures + 1) * 127.5).clamp(0, 255).round().to(torch.uint8)
    return levels.permute(0, 2, 3, 1).cpu().numpy()
