"""What plugins offer besides methods and metrics: corpora, importers, trackers, audio features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True)
class CorpusSpec:
    """A named corpus that can be made on this machine."""

    name: str
    version: str
    summary: str
    make: Callable[..., None]
    """make(dest), or make(dest, options) of a spec that declares options: writes the corpus folder at the path `dest`
    (absent or empty before). It rejects values that it cannot use, and works without any option."""
    options: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Every `--option K=V` that it takes: K -> one line, what it means and its default. Any other is refused."""


@dataclass(frozen=True)
class ImporterSpec:
    """A foreign format that can be turned into a corpus folder."""

    name: str
    summary: str
    run: Callable[[Any, Any, Mapping[str, str], Callable[[str], None]], None]
    """`run(source, dest, options, log)` writes the corpus folder `dest` from `source`."""


@dataclass(frozen=True, eq=False)
class Face:
    """What a tracker finds in one frame."""

    landmarks: np.ndarray
    """(68, 3) pixels, iBUG order; x right, y down, z away from the viewer."""
    rotation: np.ndarray
    """(3,) rad: pitch, yaw, roll (scipy's "xyz"), head to camera (x right, y up, z toward the viewer)."""
    translation: np.ndarray
    """(3,) length unit: x right, y up, z toward the viewer (negative in front of the camera)."""
    blink: float
    """On the tracker's blink scale."""
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Further numbers of the frame, each of one shape in every frame (blendshapes ...); kept with the clip."""


class Tracker(Protocol):
    """A tracker at work on one shot, frame by frame."""

    def track(self, image: np.ndarray, seconds: float) -> Face | None:
        """The face in a frame (H, W, 3) uint8 RGB at a time that only grows; None where there is none."""

    def close(self) -> None:
        """Called once, after the last frame."""


@dataclass(frozen=True)
class TrackerSpec:
    """A face tracker on offer. Making a spec is cheap."""

    name: str
    summary: str
    reference: str
    """Where it was published."""
    weights: Callable[[Path | None], Path | None]
    """weights(chosen) -> the file of weights to use, from `--model` or wherever the tracker looks for it (None if it
    needs none); raises FacialBenchError, saying where to get it, when there is none. Called before work begins."""
    create: Callable[[Path | None], Tracker]
    """create(weights) -> a tracker for one shot; heavy imports belong inside."""
    focal: Callable[[int, int], float]
    """focal(width, height) -> the focal length in pixels that its translation assumes."""
    blink_scale: str = "closure"
    """`closure` or `AU45`."""
    length_unit: str = "cm"
    """Of the translation."""


@dataclass(frozen=True, eq=False)
class Sound:
    """The sound of one clip, cut to its picture."""

    samples: np.ndarray
    """(n,) float32 mono, -1..1; sample 0 is the instant of frame 0."""
    rate: int
    """Samples a second: 16,000."""
    name: str
    """Of the video, without its ending: `s01a`."""
    start: float
    """When the clip begins within the video, seconds after its first frame."""


class AudioFeature(Protocol):
    """A kind of audio features, ready to compute."""

    width: int
    """F."""
    digest: str
    """What else the numbers depend on (options, weights), in any form; equal texts mean equal features."""

    def compute(self, sound: Sound, frames: int, fps: float) -> np.ndarray:
        """(frames, F) finite numbers; row t stands for the time (t -+ 1/2) / fps of the sound."""


@dataclass(frozen=True)
class AudioFeatureSpec:
    """Audio features on offer. Making a spec is cheap."""

    name: str
    """Becomes the corpus's `audio_kind`."""
    summary: str
    create: Callable[[Mapping[str, str]], AudioFeature]
    """create(options), from `--option K=V`; raises FacialBenchError for an option it does not know or a model that is
    not there; heavy imports belong inside."""
