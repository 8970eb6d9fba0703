"""What passes between the rooms: frozen records, with shape and unit under each field.

T is a number of frames at the protocol's rate, F the width of the audio features, K = 68 landmarks
in iBUG order counted from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

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

    @property
    def frames(self) -> int:
        """T."""
        return len(self.blink)

    def state(self) -> np.ndarray:
        """(T, 71) float32, the paper's face state: expression 0..63, pose 64..69, blink 70."""
        return np.concatenate([self.expression, self.pose, self.blink[:, None]], axis=1).astype(np.float32)

    @classmethod
    def from_state(cls, state: np.ndarray) -> Motion:
        """The motion of a (T, 71) face state, columns as in `state`."""
        return cls(state[:, :EXPRESSION_WIDTH], state[:, EXPRESSION_WIDTH:-1], state[:, -1])

    def __getitem__(self, frames: slice) -> Motion:
        return Motion(self.expression[frames], self.pose[frames], self.blink[frames])


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

    @property
    def frames(self) -> int:
        """T."""
        return len(self.valid)

    def __getitem__(self, frames: slice) -> Clip:
        start = frames.indices(self.frames)[0]
        return replace(
            self, audio=self.audio[frames], motion=self.motion[frames], landmarks=self.landmarks[frames],
            valid=self.valid[frames], start=self.start + start,
        )  # fmt: skip


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


@dataclass(frozen=True, eq=False)
class Request:
    """One piece of motion to generate. It holds nothing of the motion that it will be compared with."""

    id: str
    """Unique within a run: `<driving>/<clip>@<first frame>`."""
    identity: str
    """Whose motion is asked for."""
    audio: np.ndarray
    """(T, F) float32, the driving audio features; read-only."""
    initial_state: np.ndarray
    """(71,) float32, the identity's mean TRAINING state, physical units; read-only."""
    fps: float
    """Frames per second."""
    seed: int
    """The only source of randomness that a method may use here."""

    @property
    def frames(self) -> int:
        """T, the number of frames to return."""
        return len(self.audio)


@dataclass(frozen=True, eq=False)
class Context:
    """What a method is told when it is created and fitted."""

    corpus: CorpusInfo
    seed: int
    """Seed of the fit."""
    device: str
    """`cpu` or `cuda`."""
    budget: str = "quick"
    """`quick` (two CPU cores, minutes) or `paper` (what the publication did)."""
    options: Mapping[str, str] = field(default_factory=dict)
    """`--option K=V`, as text; a method rejects what it does not know."""
    face_model: FaceModel | None = None
    """The corpus's linear face."""
    log: Callable[[str], None] = lambda line: None
    """Takes one line of progress."""


@runtime_checkable
class Generator(Protocol):
    """A method, fitted once to a corpus's training clips, then asked for motion."""

    def fit(self, clips: Sequence[Clip], context: Context) -> None:
        """Learn from the training clips; called once, before `generate`, unless a state is loaded."""

    def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
        """One motion per request, in order, `request.frames` long, in physical units."""


@runtime_checkable
class Stateful(Protocol):
    """A generator whose fit can be stored and used again. Optional."""

    def state_dict(self) -> Mapping[str, np.ndarray]:
        """Everything learned, as named arrays."""

    def load_state_dict(self, state: Mapping[str, np.ndarray], context: Context) -> None:
        """Take back what `state_dict` gave, instead of `fit`."""


@dataclass(frozen=True)
class GeneratorSpec:
    """A method on offer. Making a spec is cheap: no torch, no files."""

    name: str
    summary: str
    """One line."""
    reference: str
    """Where it was published, or what it stands for."""
    create: Callable[[Context], Generator]
    """Makes an unfitted generator; heavy imports belong inside."""


@dataclass(frozen=True)
class CorpusSpec:
    """A named corpus that can be made on this machine."""

    name: str
    version: str
    summary: str
    make: Callable[[Any], None]
    """Writes the corpus folder at the path it is given (absent or empty before)."""


@dataclass(frozen=True)
class ImporterSpec:
    """A foreign format that can be turned into a corpus folder."""

    name: str
    summary: str
    run: Callable[[Any, Any, Mapping[str, str], Callable[[str], None]], None]
    """run(source, dest, options, log): writes the corpus folder `dest` from `source`."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A generated motion beside the real one, as a metric sees them. Arrays are float64 but `valid`."""

    reference: Motion
    """The real motion, T frames."""
    generated: Motion
    """The generated motion, T frames."""
    reference_landmarks: np.ndarray
    """(T, 68, D) as stored, pixels."""
    generated_landmarks: np.ndarray
    """(T, 68, 3) decoded from the generated motion and projected by the clip's camera, pixels."""
    reference_face: np.ndarray
    """(T, 68, 3) decoded from the real expression alone at zero pose, length unit."""
    generated_face: np.ndarray
    """(T, 68, 3) decoded from the generated expression alone at zero pose, length unit."""
    valid: np.ndarray
    """(T,) bool, the frames to score."""
    fps: float
    camera: Camera

    def __getitem__(self, frames: slice) -> Sample:
        return replace(
            self, reference=self.reference[frames], generated=self.generated[frames],
            reference_landmarks=self.reference_landmarks[frames], generated_landmarks=self.generated_landmarks[frames],
            reference_face=self.reference_face[frames], generated_face=self.generated_face[frames],
            valid=self.valid[frames],
        )  # fmt: skip


@dataclass(frozen=True)
class MetricSpec:
    """A definition of a metric that compares a generated motion with the real one, clip by clip."""

    id: str
    """`family` or `family/variant`."""
    version: int
    """Goes up when a number could change."""
    unit: str
    higher_is_better: bool | None
    """None where only the distance to the real value means anything."""
    formula: str
    """The definition, in one line of text: part of the content digest."""
    compute: Callable[[Sample], np.ndarray]
    """(T,) float64 per-frame values, averaged over the valid frames; or () for a value of a whole clip."""
