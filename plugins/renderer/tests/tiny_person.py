"""A person of a few soft spots: pictures follow from the landmarks and the lids alone, so that they can be learned."""

from __future__ import annotations

import numpy as np

from facial_bench.core.geometry import decode_face, project
from facial_bench.types import Appearance, Camera, Clip, Context, CorpusInfo, Crop, FaceModel, Motion, VideoClip

CAMERA = Camera(256, 256, 209.0)
SIZE = 32
CROP = Crop(64.0, 64.0, 128.0, SIZE)
INFO = CorpusInfo("spots", "1", "d", 25.0, "noise29", 4, "cm", "px", "closure", ("ann", "bob"))
CHIN_AND_LIP = [*range(5, 12), *range(55, 60), *range(65, 68)]


def arc(count: int, centre: tuple[float, float], radii: tuple[float, float], start: float, stop: float) -> np.ndarray:
    angles = np.linspace(start, stop, count)
    return np.stack([centre[0] + radii[0] * np.cos(angles), centre[1] + radii[1] * np.sin(angles), 0 * angles], axis=1)


def face_shape() -> np.ndarray:
    """(68, 3) cm: a frontal face, y up, about 8 cm wide."""
    pi = np.pi
    return np.concatenate([
        arc(17, (0, 0.5), (4.0, 4.5), pi, 2 * pi),
        arc(5, (-1.8, 1.9), (1.2, 0.5), pi * 0.9, pi * 0.1),
        arc(5, (1.8, 1.9), (1.2, 0.5), pi * 0.9, pi * 0.1),
        np.array([[0.05 * k, 1.2 - 0.4 * k, 0] for k in range(4)]),
        np.array([[0.4 * (k - 2), -0.5 - 0.1 * (k == 2), 0] for k in range(5)]),
        arc(6, (-1.8, 1.1), (0.8, 0.35), pi, pi - 2 * pi * 5 / 6),
        arc(6, (1.8, 1.1), (0.8, 0.35), pi, pi - 2 * pi * 5 / 6),
        arc(12, (0, -2.0), (1.6, 0.9), pi, pi - 2 * pi * 11 / 12),
        arc(8, (0, -2.0), (1.1, 0.4), pi, pi - 2 * pi * 7 / 8),
    ])  # fmt: skip


def face_model() -> FaceModel:
    """Direction 0 lowers the lower lip and the chin; the other 63 do nothing."""
    shape, basis = face_shape(), np.zeros((64, 68, 3), np.float32)
    basis[0, CHIN_AND_LIP, 1] = -1.0
    neutral = {person: (shape * (1 + 0.03 * k)).astype(np.float32) for k, person in enumerate(INFO.identities)}
    return FaceModel(shape.astype(np.float32), basis, neutral)


MODEL = face_model()


def make_context(seed: int = 3, **options: str) -> Context:
    """A few updates of a few pictures, unless `options` say otherwise."""
    return Context(INFO, seed, "cpu", "quick", {"steps": "4", "batch": "2"} | options, MODEL)


def like(person: str = "ann", crop: Crop = CROP) -> Appearance:
    return Appearance(person, crop, 25.0)


def make_motion(frames: int, seed: int) -> Motion:
    """A head that moves about, a mouth that opens, lids that close."""
    rng = np.random.default_rng(seed)
    expression = np.zeros((frames, 64))
    expression[:, 0] = 0.9 * rng.random(frames)
    pose = rng.standard_normal((frames, 6)) * [0.05, 0.05, 0.05, 0.5, 0.5, 0.3]
    pose[:, 5] -= 26
    return Motion(*(part.astype(np.float32) for part in (expression, pose, rng.random(frames))))


def crop_landmarks(motion: Motion, person: str = "ann") -> np.ndarray:
    """(T, 68, 2) pixels of the crop."""
    return CROP.points(project(decode_face(MODEL, person, motion.expression), motion.pose, CAMERA))


def spots(landmarks: np.ndarray, closure: np.ndarray) -> np.ndarray:
    """(T, 68, 2), (T,) -> (T, S, S, 3) uint8: a spot at every fourth landmark; those of the eyes fade with closing."""
    pixel, seen = np.arange(SIZE) + 0.5, landmarks[:, ::4]
    across = np.exp(-((pixel[None, None] - seen[..., :1]) ** 2) / 8)
    down = np.exp(-((pixel[None, None] - seen[..., 1:]) ** 2) / 8)
    strength = np.ones(seen.shape[:2])
    strength[:, 9:12] = 1 - closure[:, None]
    colour = 70 * np.cos(np.arange(seen.shape[1])[:, None] + np.arange(3))
    picture = 120 + np.einsum("tky,tkx,tk,kc->tyxc", down, across, strength, colour)
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)


def make_video(motion: Motion, person: str = "ann", valid: np.ndarray | None = None) -> VideoClip:
    """A clip of a motion and its pictures."""
    T = motion.frames
    seen = project(decode_face(MODEL, person, motion.expression), motion.pose, CAMERA).astype(np.float32)
    valid = np.ones(T, bool) if valid is None else valid
    clip = Clip("c", person, "c", np.zeros((T, 4), np.float32), motion, seen, valid, CAMERA)
    return VideoClip(clip, spots(crop_landmarks(motion, person), motion.blink), CROP)
