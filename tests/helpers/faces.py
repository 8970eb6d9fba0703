"""Small motions and methods that the tests share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facial_bench.core.geometry import decode_face, project
from facial_bench.core.progress import Reporter
from facial_bench.types import Camera, Clip, Context, FaceModel, Motion, Request, Sample

CAMERA = Camera(256, 256, 209.0)


def ar1(rng: np.random.Generator, frames: int, width: int, memory: float = 0.95) -> np.ndarray:
    """(frames, width) stationary first-order autoregressive noise of unit variance."""
    noise = rng.standard_normal((frames, width)) * np.sqrt(1 - memory**2)
    noise[0] /= np.sqrt(1 - memory**2)
    for t in range(1, frames):
        noise[t] += memory * noise[t - 1]
    return noise


def make_model(people: Sequence[str], seed: int = 0) -> FaceModel:
    """A linear face of random shapes with orthonormal directions."""
    rng = np.random.default_rng(seed)
    mean = rng.standard_normal((68, 3)).astype(np.float32) * 4
    basis = np.linalg.qr(rng.standard_normal((204, 64)))[0].T.reshape(64, 68, 3).astype(np.float32)
    return FaceModel(mean, basis, {p: mean + rng.standard_normal((68, 3)).astype(np.float32) * 0.1 for p in people})


def make_clip(model: FaceModel, identity: str, name: str, frames: int, seed: int, scale: float = 1.0) -> Clip:
    """A clip of AR(1) motion whose size is `scale`; landmarks are what the face model gives."""
    rng = np.random.default_rng(seed)
    expression = 0.2 * ar1(rng, frames, 64)
    pose = np.concatenate([0.1 * scale * ar1(rng, frames, 3), 0.5 * scale * ar1(rng, frames, 3) + [0, 0, -26]], axis=1)
    blink = np.clip(0.2 + 0.1 * scale * ar1(rng, frames, 1)[:, 0], 0, 1)
    motion = Motion(expression.astype(np.float32), pose.astype(np.float32), blink.astype(np.float32))
    landmarks = project(decode_face(model, identity, expression), pose, CAMERA).astype(np.float32)
    audio = rng.standard_normal((frames, 29)).astype(np.float32)
    return Clip(name, identity, name, audio, motion, landmarks, np.ones(frames, bool), CAMERA)


class Echo:
    """A method that holds the initial state, and remembers what it saw."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.fitted: list[Clip] = []
        self.asked: list[Request] = []

    def fit(self, clips: Sequence[Clip], context: Context) -> None:
        self.fitted = list(clips)

    def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
        self.asked += requests
        return [Motion.from_state(np.tile(r.initial_state, (r.frames, 1))) for r in requests]


def make_sample(
    reference_face: np.ndarray,
    generated_face: np.ndarray | None = None,
    valid: np.ndarray | None = None,
    *,
    reference: Motion | None = None,
    generated: Motion | None = None,
    audio: np.ndarray | None = None,
) -> Sample:
    """A sample of given faces (T, 68, 3) and motions; what is not given is still, or as real as the reference."""
    frames = len(reference_face)
    still = Motion(np.zeros((frames, 64)), np.zeros((frames, 6)), np.zeros(frames))
    reference = still if reference is None else reference
    generated_face = reference_face if generated_face is None else generated_face
    return Sample(
        reference,
        reference if generated is None else generated,
        reference_face,
        generated_face,
        reference_face,
        generated_face,
        np.ones(frames, bool) if valid is None else valid,
        25.0,
        CAMERA,
        np.zeros((frames, 2)) if audio is None else audio,
    )


class Lines(Reporter):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.warnings: list[str] = []

    def __call__(self, line: str) -> None:
        self.said.append(line)

    def warn(self, line: str) -> None:
        self.warnings.append(line)


def openface_rows(frames: int, rate: float = 25.0, face: int | None = None, away: float = 0.0) -> list[list[str]]:
    """A CSV of OpenFace: names of the columns, then a row a frame, of a face that moves, seen by a camera of 640 x 480.

    Args:
        frames: Rows.
        rate: Of the time stamps, frames a second.
        face: What the column `face_id` holds; None for none.
        away: Millimetres to the right of the middle.
    """
    angles = np.arange(68) * 2 * np.pi / 68
    shape = np.stack([60 * np.cos(angles), 80 * np.sin(angles), 20 * np.cos(3 * angles)], axis=1)
    head = [f"pose_{kind}{axis}" for kind in "TR" for axis in "xyz"]
    names = ["frame", *(() if face is None else ("face_id",)), "timestamp", "confidence", "success", *head]
    names += [f"{axis}_{k}" for axis in "xyXYZ" for k in range(68)] + ["AU45_r"]
    rows = [names]
    for k in range(frames):
        place = np.array([away + 5 * np.sin(k / 9), 3 * np.cos(k / 7), 600.0])
        points = shape * [1, 1 + 0.1 * np.sin(k / 3), 1] + place
        image = 500 * points[:, :2] / points[:, 2:] + [320, 240]
        numbers = [*place, 0.01 * np.sin(k / 5), 0.02, 0.03, *image.T.ravel(), *points.T.ravel(), 0.5 + 0.5 * np.sin(k)]
        told = [str(k + 1), *(() if face is None else (str(face),)), f"{k / rate:.3f}", "0.98", "1"]
        rows.append(told + [f"{number:.6f}" for number in numbers])
    return rows
