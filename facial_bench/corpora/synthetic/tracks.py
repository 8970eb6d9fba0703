"""A clip from beginning to end: speech, mouth, head, eyes, then a camera and a tracker that errs a little."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from facial_bench.core.geometry import project
from facial_bench.core.types import Camera
from facial_bench.corpora.synthetic.blink import Blinks, closure, draw_blinks
from facial_bench.corpora.synthetic.face import move_face, person_face
from facial_bench.corpora.synthetic.habits import Person
from facial_bench.corpora.synthetic.head import move_head
from facial_bench.corpora.synthetic.logits import at_frames, character_logits
from facial_bench.corpora.synthetic.mouth import articulate
from facial_bench.corpora.synthetic.noise import smooth_noise
from facial_bench.corpora.synthetic.speech import FRAME_RATE, Speech, speak


@dataclass(frozen=True)
class Tracker:
    """Errors of camera set-up and tracker; typical of a 256-pixel video and a landmark network."""

    level_spread: tuple[float, float, float] = (1.1, 1.4, 1.1)
    """deg, standard deviation over recordings of how pitch, yaw, roll are held."""
    place_spread: tuple[float, float, float] = (0.25, 0.25, 0.5)
    """cm, standard deviation over recordings of where the head is."""
    baseline_spread: float = 0.014
    """Standard deviation over recordings of the open eye's closure."""
    distance: float = 26.0
    """cm, from the camera."""
    landmark_jitter: float = 0.12
    """px, white noise of x and y; z has twice as much."""
    landmark_drift: float = 0.15
    """px, noise that is smooth over 0.2 s."""
    rotation_jitter: float = 0.06
    """deg."""
    translation_jitter: float = 0.01
    """cm; along the viewing axis five times as much."""
    closure_jitter: float = 0.008
    """White noise of the closure."""
    closure_per_degree: float = 0.006
    """Closure that looking down by a degree adds."""


@dataclass(frozen=True, eq=False)
class Take:
    """What really happened in one clip, and what the tracker saw of it. T frames at 25 fps."""

    speech: Speech
    articulators: np.ndarray
    """(T, 6), columns as in `mouth.ARTICULATORS`."""
    blinks: Blinks
    pose: np.ndarray
    """(T, 6) true pose: rad and cm."""
    face: np.ndarray
    """(T, 68, 3) cm, true face in the head frame."""
    camera: Camera
    audio: np.ndarray
    """(T, 29) float32, character logits."""
    landmarks: np.ndarray
    """(T, 68, 3) float32 px as tracked: x right, y down, z away from the viewer."""
    rotation: np.ndarray
    """(T, 3) float32 rad as tracked."""
    translation: np.ndarray
    """(T, 3) float32 cm as tracked."""
    closure: np.ndarray
    """(T,) float32, 0 open .. 1 closed as tracked."""


def camera() -> Camera:
    """256 x 256 pixels, 63 degrees from top to bottom."""
    return Camera(width=256, height=256, focal=128 / np.tan(np.radians(31.5)))


def record(person: Person, rng: np.random.Generator, tracker: Tracker | None = None) -> Take:
    """One clip of 14 to 20 s: a recording of its own, with its own camera position."""
    tracker = tracker or Tracker()
    speech = speak(rng, person.tempo)
    frames = speech.frames
    audio = character_logits(speech, rng)
    articulators = articulate(speech, person.articulation)

    level = np.array(person.head.level) + rng.standard_normal(3) * tracker.level_spread
    place = np.array([0.0, 0.8, -tracker.distance]) + rng.standard_normal(3) * tracker.place_spread
    pose = move_head(person.head, speech, level, place, rng)

    blinks = draw_blinks(person.blink, speech, rng)
    lids = closure(person.blink, blinks, frames)
    looking_down = tracker.closure_per_degree * (np.degrees(pose[:, 0]) - level[0])
    open_eye = np.clip(person.blink.baseline + tracker.baseline_spread * rng.standard_normal(), 0.02, None)
    lids = np.clip(
        lids * (1 - open_eye) + looking_down + 0.01 * smooth_noise(frames, 1.0, FRAME_RATE, rng), -open_eye, None
    )

    smile = person.smile + 0.15 * smooth_noise(frames, 1.0, FRAME_RATE, rng)
    stress = gaussian_filter1d(at_frames(speech.stress, frames), 1.5)
    brow = person.brow * stress + 0.05 * smooth_noise(frames, 0.8, FRAME_RATE, rng)
    movements = np.column_stack([articulators, smile, brow, lids])
    face = move_face(person_face(person), movements)

    view = camera()
    landmarks = project(face, pose, view)
    landmarks += rng.standard_normal(landmarks.shape) * np.array([1, 1, 2]) * tracker.landmark_jitter
    landmarks += smooth_noise(frames, 0.2, FRAME_RATE, rng, landmarks.shape[1:]) * tracker.landmark_drift
    seen = (
        pose
        + rng.standard_normal(pose.shape)
        * np.r_[np.full(3, np.radians(tracker.rotation_jitter)), np.array([1, 1, 5]) * tracker.translation_jitter]
    )
    shut = np.clip(open_eye + lids + tracker.closure_jitter * rng.standard_normal(frames), 0, 1)
    return Take(
        speech=speech,
        articulators=articulators,
        blinks=blinks,
        pose=pose,
        face=face,
        camera=view,
        audio=audio,
        landmarks=landmarks.astype(np.float32),
        rotation=seen[:, :3].astype(np.float32),
        translation=seen[:, 3:].astype(np.float32),
        closure=shut.astype(np.float32),
    )
