"""A person's training frames: which count, where their landmarks lie, and drawing batches of them from the maps on
disk, so that a long video needs no more memory than a short one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from facial_bench.errors import FacialBenchError
from facial_bench.rendering.null_renderers.seen_landmarks import seen_landmarks
from facial_bench.rendering.null_renderers.training_frames import usable_frames
from facial_bench.types import FaceModel, VideoClip

FULL_CLOSURE = {"closure": 1.0, "AU45": 5.0}
"""blink scale of a corpus -> its value of a closed eye."""


@dataclass(frozen=True, eq=False)
class Track:
    """What drives one clip. T frames."""

    landmarks: np.ndarray
    """(T, 68, 2) float32 pixels of the picture, decoded from the motion; frames without a face repeat the nearest one
    with a face."""
    closure: np.ndarray
    """(T,) float32, 0 open .. 1 closed; likewise."""

    def __len__(self) -> int:
        return len(self.closure)


@dataclass(frozen=True, eq=False)
class Person:
    """The training frames of one person."""

    videos: Sequence[VideoClip]
    tracks: Sequence[Track]
    """One for each video."""
    frames: np.ndarray
    """(N, 2) int, N >= 1: video and frame of every picture with a face."""

    @property
    def size(self) -> int:
        """S, side of the pictures, pixels."""
        return self.videos[0].frames.shape[1]

    def average(self) -> np.ndarray:
        """(68, 2) float64 pixels, the mean landmarks of the training frames."""
        total = sum(
            track.landmarks[self.frames[self.frames[:, 0] == k, 1]].sum(axis=0, dtype=np.float64)
            for k, track in enumerate(self.tracks)
        )
        return np.asarray(total / len(self.frames))

    def pictures(self, chosen: np.ndarray) -> np.ndarray:
        """Pictures of frames (n, 2), rows of `frames`: (n, S, S, 3) uint8, a copy."""
        return np.stack([self.videos[video].frames[frame] for video, frame in chosen])

    def batches(self, count: int, batch: int, seed: int) -> Iterator[np.ndarray]:
        """`count` batches of rows of `frames`, (batch, 2) each: every frame once in random order, then again."""
        rng = np.random.default_rng(seed)
        queue = np.zeros((0, 2), dtype=self.frames.dtype)
        for _ in range(count):
            while len(queue) < batch:
                queue = np.concatenate([queue, rng.permutation(self.frames)])
            yield queue[:batch]
            queue = queue[batch:]


def window(frames: np.ndarray, before: int, after: int, length: int) -> np.ndarray:
    """The frames around some of a clip: (n,) int -> (n, before + 1 + after) int, held at the clip's ends.

    >>> window(np.array([0, 4]), 2, 1, 5)
    array([[0, 0, 0, 1],
           [2, 3, 4, 4]])
    """
    return np.clip(frames[:, None] + np.arange(-before, after + 1), 0, length - 1)


def make_person(identity: str, videos: Sequence[VideoClip], face_model: FaceModel | None, full: float) -> Person:
    """What is trained on of a person.

    Args:
        identity: Who.
        videos: Their clips, of one size, with usable frames.
        face_model: Decodes their motion.
        full: Value of `blink` where the eyes are closed.

    Raises:
        FacialBenchError: motion without blink or landmarks, or no frame with its head in front of the camera.
    """
    tracks, frames = [], []
    for number, video in enumerate(videos):
        clip = video.clip
        if clip.motion.blink is None:
            raise FacialBenchError(f"The motion of training clip '{clip.id}' has no blink.")
        landmarks = seen_landmarks(clip.motion, identity, face_model, clip.camera, video.crop)
        usable = usable_frames(video)
        usable = usable[np.isfinite(landmarks[usable]).all(axis=(1, 2))]
        held = _nearest(usable, clip.frames)
        closure = np.asarray(clip.motion.blink, dtype=np.float32) / np.float32(full)
        tracks.append(Track(landmarks[held].astype(np.float32), closure[held]))
        frames.append(np.stack([np.full(len(usable), number), usable], axis=1))
    every = np.concatenate(frames)
    if not len(every):
        raise FacialBenchError(f"No training frame of '{identity}' has its head in front of the camera.")
    return Person(videos, tracks, every)


def _nearest(usable: np.ndarray, count: int) -> np.ndarray:
    """Of each of `count` frames the nearest of the usable ones (ascending): (count,) int, empty where none is."""
    if not len(usable):
        return np.zeros(0, dtype=np.int64)
    after = np.clip(np.searchsorted(usable, np.arange(count)), 1, len(usable)) if len(usable) > 1 else None
    if after is None:
        return np.full(count, usable[0])
    after = np.minimum(after, len(usable) - 1)
    left, right = usable[after - 1], usable[after]
    frame = np.arange(count)
    return np.where(frame - left <= right - frame, left, right)
