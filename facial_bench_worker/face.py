"""What a corpus holds: motion, clips, the linear face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

EXPRESSION_WIDTH = 64
POSE_WIDTH = 6
STATE_WIDTH = EXPRESSION_WIDTH + POSE_WIDTH + 1
LANDMARKS = 68


@dataclass(frozen=True, eq=False)
class Motion:
    """The motion of a face: what a method generates, and what a tracked clip holds."""

    expression: np.ndarray
    """(T, 64) float32, coefficients of the corpus's face model, in its length unit."""
    pose: np.ndarray
    """(T, 6) float32: pitch, yaw, roll in rad (scipy's "xyz", head to camera), then x right, y up,
    z toward the viewer (negative in front of the camera), in the corpus's length unit."""
    blink: np.ndarray
    """(T,) float32, on the corpus's blink scale (eye closure 0..1, or AU45 0..5)."""
    landmarks: np.ndarray | None = None
    """(T, 68, 3) float32 pixels as a clip's, where they are known by themselves and not by expression and pose; of a
    method that is registered as `partial` each of the other three may be None."""

    @property
    def frames(self) -> int:
        """T."""
        return next(len(part) for part in vars(self).values() if part is not None)

    @property
    def parts(self) -> frozenset[str]:
        """What it holds: `expression`, `pose`, `blink`, and `landmarks` where they are there or follow."""
        held = {name for name, part in vars(self).items() if part is not None}
        return frozenset(held | ({"landmarks"} if {"expression", "pose"} <= held else set()))

    def state(self) -> np.ndarray:
        """(T, 71) float32, the paper's face state: expression 0..63, pose 64..69, blink 70."""
        return np.concatenate([self.expression, self.pose, self.blink[:, None]], axis=1).astype(np.float32)

    @classmethod
    def from_state(cls, state: np.ndarray) -> Motion:
        """The motion of a (T, 71) face state, columns as in `state`."""
        return cls(state[:, :EXPRESSION_WIDTH], state[:, EXPRESSION_WIDTH:-1], state[:, -1])

    @classmethod
    def from_parts(cls, parts: Mapping[str, np.ndarray | None]) -> Motion:
        """The motion of named parts; those that are not there are None, as a `partial` method may leave them."""
        return cls(*(parts.get(name) for name in ("expression", "pose", "blink", "landmarks")))  # type: ignore[arg-type]

    def __getitem__(self, frames: slice) -> Motion:
        return Motion.from_parts({name: None if part is None else part[frames] for name, part in vars(self).items()})


@dataclass(frozen=True)
class Camera:
    """Scaled-orthographic view: pixels = centre + focal / depth * position in the length unit."""

    width: int
    """Image width, pixels."""
    height: int
    """Image height, pixels."""
    focal: float
    """Focal length, pixels."""


@dataclass(frozen=True, eq=False)
class FaceModel:
    """A linear face in the head's own frame: neutral shape of a person + expression times directions."""

    mean: np.ndarray
    """(68, 3) float32, the mean neutral shape, length unit; x right, y up, z toward the viewer."""
    basis: np.ndarray
    """(64, 68, 3) float32, landmark displacement per unit of each expression coefficient."""
    neutral: Mapping[str, np.ndarray]
    """identity -> (68, 3) float32, the mean shape of that person's TRAINING frames, length unit."""


@dataclass(frozen=True, eq=False)
class Clip:
    """One stretch of one person talking, tracked, at the protocol's rate."""

    id: str
    """Name, unique within the corpus."""
    identity: str
    """Whose face it is."""
    recording: str
    """The recording session it comes from: clips of one recording share camera and sitting."""
    audio: np.ndarray
    """(T, F) float32, audio features, one row a frame."""
    motion: Motion
    """The real motion."""
    landmarks: np.ndarray
    """(T, 68, D) float32, pixels; x right, y down, and with D = 3 z away from the viewer."""
    valid: np.ndarray
    """(T,) bool, frames in which a face was found; the others hold interpolated values."""
    camera: Camera
    """The view that the landmarks were seen in."""
    start: int = 0
    """First frame of this stretch within the stored clip."""
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Further arrays (T, ...) float32 that a tracker kept: `blendshapes` (T, 52), `loudness` (T,) dB ..."""

    @property
    def frames(self) -> int:
        """T."""
        return len(self.valid)

    def __getitem__(self, frames: slice) -> Clip:
        start = frames.indices(self.frames)[0]
        return replace(
            self,
            audio=self.audio[frames],
            motion=self.motion[frames],
            landmarks=self.landmarks[frames],
            valid=self.valid[frames],
            start=self.start + start,
            extras={name: array[frames] for name, array in self.extras.items()},
        )


@dataclass(frozen=True)
class CorpusInfo:
    """What a method may know of a corpus besides its training clips."""

    name: str
    version: str
    digest: str
    """SHA-256 over the manifest, which holds the digest of every file."""
    fps: float
    """Frames per second of every array."""
    audio_kind: str
    """What the audio features are: `mel29`, `phones`, `ctc29` ..."""
    audio_width: int
    """F."""
    length_unit: str
    """Unit of translation, face model and expression: `cm` ..."""
    landmark_unit: str
    """Unit of the stored landmarks: `px`."""
    blink_scale: str
    """`closure` (0 open .. 1 closed) or `AU45` (0..5)."""
    identities: tuple[str, ...]
    """The people, in the order of the classifiers' outputs."""
    tracker: str = ""
    """Name of the tracker that a corpus was built with; empty where that is not known."""
