"""A person of dots: pictures are smooth spots at the landmarks, so that what a warp should give is known."""

from __future__ import annotations

import numpy as np

from facial_bench.core.geometry import decode_face, project
from facial_bench.types import Appearance, Camera, Clip, Context, CorpusInfo, Crop, FaceModel, Motion, VideoClip

CAMERA = Camera(256, 256, 209.0)
SIZE = 48
CROP = Crop(64.0, 64.0, 128.0, SIZE)
INFO = CorpusInfo("dots", "1", "d", 25.0, "noise29", 4, "cm", "px", "closure", ("a", "b"))


def ring(count: int, centre: tuple[float, float], radii: tuple[float, float], start: float, stop: float) -> np.ndarray:
    angles = np.linspace(start, stop, count)
    return np.stack([centre[0] + radii[0] * np.cos(angles), centre[1] + radii[1] * np.sin(angles), 0 * angles], axis=1)


def face_shape() -> np.ndarray:
    """(68, 3) cm: a frontal face, y up, about 8 cm wide."""
    turn = 2 * np.pi
    parts = [
        ring(17, (0, 0.5), (4.0, 4.5), np.pi, turn),  # jaw
        ring(5, (-1.8, 1.9), (1.2, 0.5), np.pi * 0.9, np.pi * 0.1),
        ring(5, (1.8, 1.9), (1.2, 0.5), np.pi * 0.9, np.pi * 0.1),
        np.array([[0.05 * k, 1.2 - 0.4 * k, 0] for k in range(4)]),
        np.array([[0.4 * (k - 2), -0.5 - 0.1 * (k == 2), 0] for k in range(5)]),
        ring(6, (-1.8, 1.1), (0.8, 0.35), np.pi, np.pi - turn * 5 / 6),
        ring(6, (1.8, 1.1), (0.8, 0.35), np.pi, np.pi - turn * 5 / 6),
        ring(12, (0, -2.0), (1.6, 0.9), np.pi, np.pi - turn * 11 / 12),
        ring(8, (0, -2.0), (1.1, 0.4), np.pi, np.pi - turn * 7 / 8),
    ]
    return np.concatenate(parts)


def face_model(*people: str) -> FaceModel:
    """Direction 0 lowers the lower lip and the chin, 1 shuts the eyes; the other 62 do nothing."""
    shape = face_shape()
    basis = np.zeros((64, 68, 3))
    basis[0, [*range(5, 12), *range(55, 60), *range(65, 68)], 1] = -1.0
    basis[1, [37, 38, 43, 44], 1] = -1.0
    neutral = {person: (shape * (1 + 0.03 * k)).astype(np.float32) for k, person in enumerate(people)}
    return FaceModel(shape.astype(np.float32), basis.astype(np.float32), neutral)


MODEL = face_model("a", "b")
CONTEXT = Context(INFO, 0, "cpu", face_model=MODEL)


def like(person: str = "a", crop: Crop = CROP) -> Appearance:
    return Appearance(person, crop, 25.0)


def make_motion(frames: int, seed: int, shift: tuple[float, float] = (0.0, 0.0), size: float = 1.0) -> Motion:
    """Random motion; every column of the state moves. `shift` is that of the head, cm; `size` scales what moves."""
    rng = np.random.default_rng(seed)
    expression = 0.1 * size * rng.standard_normal((frames, 64))
    expression[:, 0] = 0.4 * size * rng.random(frames)
    pose = size * rng.standard_normal((frames, 6)) * [0.05, 0.05, 0.05, 0.3, 0.3, 0.3]
    pose += [0, 0, 0, *shift, -26]
    blink = rng.random(frames)
    return Motion(*(part.astype(np.float32) for part in (expression, pose, blink)))


def crop_landmarks(motion: Motion, person: str = "a", crop: Crop = CROP) -> np.ndarray:
    """(T, 68, 2) pixels of the crop."""
    return crop.points(project(decode_face(MODEL, person, motion.expression), motion.pose, CAMERA))


def dots(landmarks: np.ndarray, size: int = SIZE) -> np.ndarray:
    """(T, 68, 2) -> (T, S, S, 3) uint8: a smooth spot at every third landmark, on grey."""
    pixel = np.arange(size) + 0.5
    seen = landmarks[:, ::3]
    across = np.exp(-((pixel[None, None] - seen[..., :1]) ** 2) / 18)
    down = np.exp(-((pixel[None, None] - seen[..., 1:]) ** 2) / 18)
    colour = 60 * np.cos(np.arange(seen.shape[1])[:, None] + np.arange(3))
    picture = 120 + np.einsum("tky,tkx,kc->tyxc", down, across, colour)
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)


def make_video(
    motion: Motion, person: str = "a", frames: np.ndarray | None = None, valid: np.ndarray | None = None
) -> VideoClip:
    """A clip of a motion; its pictures are dots unless they are given."""
    T = motion.frames
    seen = project(decode_face(MODEL, person, motion.expression), motion.pose, CAMERA).astype(np.float32)
    valid = np.ones(T, bool) if valid is None else valid
    clip = Clip("c", person, "c", np.zeros((T, 4), np.float32), motion, seen, valid, CAMERA)
    return VideoClip(clip, dots(crop_landmarks(motion, person)) if frames is None else frames, CROP)


def noise(frames: int, seed: int = 0, size: int = SIZE) -> np.ndarray:
    """(T, S, S, 3) uint8 pictures that have nothing in common."""
    return np.random.default_rng(seed).integers(0, 256, (frames, size, size, 3), dtype=np.uint8)
