"""What a renderer is, what it is told and what it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Union

import numpy as np

from facial_bench_worker.face import Camera, Clip, Motion
from facial_bench_worker.method import Context


@dataclass(frozen=True)
class Crop:
    """The square of a camera's picture that is rendered, and how large.

    A point (x, y) of the camera's picture lies at ((x - left) * size / side, (y - top) * size / side) of the crop.
    Pixel k of the crop covers k .. k + 1 in these coordinates: its centre is at k + 1/2.
    """

    left: float
    """Pixels of the camera; may lie outside of its picture, which is then continued by its border."""
    top: float
    side: float
    """Of the square, pixels of the camera."""
    size: int
    """Side of the rendered picture, pixels."""

    def points(self, landmarks: np.ndarray) -> np.ndarray:
        """Camera pixels (..., K, D), D >= 2, -> (..., K, 2) float64 pixels of the crop."""
        seen = np.asarray(landmarks, dtype=np.float64)[..., :2]
        return (seen - np.array([self.left, self.top])) * (self.size / self.side)


@dataclass(frozen=True, eq=False)
class VideoClip:
    """A training clip with its pictures."""

    clip: Clip
    """The tracks. T frames; `valid` is False where no face was found, and where the video has no frame."""
    frames: np.ndarray
    """(T, S, S, 3) uint8 RGB, cut by the crop; memory-mapped and read-only: take what you need, and let it go."""
    crop: Crop


@dataclass(frozen=True)
class Appearance:
    """How the rendered pictures are to look."""

    identity: str
    """Whose face."""
    crop: Crop
    """Of the recording that is rendered: where the face is on average, as the camera it does not move."""
    fps: float
    """Frames per second of the motion."""


Rendered = Union[np.ndarray, Iterable[np.ndarray]]
"""(T, S, S, 3) uint8 RGB, or blocks (n, S, S, 3) of it in order, so that long videos need little memory."""


class Renderer(Protocol):
    """A renderer, fitted once to a corpus's training clips with their pictures, then asked for pictures of motion.

    Like a generator it may keep its fit: see `method.Stateful`.
    """

    def fit(self, videos: Sequence[VideoClip], context: Context) -> None:
        """Learn from the training clips; called once, before `render`, unless a state is loaded. A renderer that looks
        up training frames must not look within a second of the frame that it is trained on."""

    def render(self, motion: Motion, camera: Camera, like: Appearance) -> Rendered:
        """Pictures of a motion (T frames, physical units), as this camera would see them through the crop."""


@dataclass(frozen=True)
class RendererSpec:
    """A renderer on offer. Making a spec is cheap: no torch, no files."""

    name: str
    summary: str
    """One line."""
    reference: str
    """Where it was published, or what it stands for."""
    create: Callable[[Context], Renderer]
    """Makes an unfitted renderer; heavy imports belong inside."""
    options: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Every `--option K=V` that it takes: K -> one line, what it means and its default. Any other is refused."""
