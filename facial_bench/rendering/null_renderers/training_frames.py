"""Reading a person's training pictures: which frames count, and never more than a block of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from facial_bench.core.errors import FacialBenchError
from facial_bench.core.types import VideoClip

BLOCK = 64
"""Pictures that are read, or rendered, at once: 3 MiB at 128 pixels."""
KEPT = 1500
"""Training frames that a renderer keeps of a person, at most: a minute at 25 frames a second, 70 MiB at 128 pixels.
Of more they are evenly spaced, so that all of the training clips count: neighbouring frames are near copies."""


def by_person(videos: Sequence[VideoClip]) -> Mapping[str, list[VideoClip]]:
    """identity -> the person's clips, in the order given; a person of whom no frame is usable is left out.

    Raises:
        FacialBenchError: no clip has a usable frame, or one person's clips are rendered at different sizes.
    """
    people: dict[str, list[VideoClip]] = {}
    for video in videos:
        if len(usable_frames(video)):
            people.setdefault(video.clip.identity, []).append(video)
    if not people:
        raise FacialBenchError("No training clip has a picture with a face in it; build the corpus with pictures.")
    for person, own in people.items():
        sizes = sorted({video.frames.shape[1] for video in own})
        if len(sizes) > 1:
            raise FacialBenchError(f"The pictures of '{person}' have sides of {sizes} pixels; one size is needed.")
    return people


def usable_frames(video: VideoClip) -> np.ndarray:
    """Indices of the frames with a face (`valid`), whose motion is finite: (n,) int, ascending."""
    usable = np.array(video.clip.valid, dtype=bool)
    for part in vars(video.clip.motion).values():
        if part is not None:
            usable &= np.isfinite(part).reshape(len(part), -1).all(axis=1)
    return np.flatnonzero(usable)


def picture_blocks(video: VideoClip, frames: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The pictures of a clip's frames, in blocks.

    Args:
        video: Its pictures are mapped, and read only where asked for.
        frames: (n,) int indices.

    Yields:
        (b,) indices, b <= 64, and their pictures (b, S, S, 3) uint8, a copy.
    """
    for start in range(0, len(frames), BLOCK):
        chosen = frames[start : start + BLOCK]
        yield chosen, np.array(video.frames[chosen], dtype=np.uint8, subok=False)


def evenly(count: int, most: int = KEPT) -> np.ndarray:
    """Indices of at most `most` of `count` things, evenly spaced, first and last among them: (n,) int, ascending.

    >>> evenly(3, 5), evenly(9, 3)
    (array([0, 1, 2]), array([0, 4, 8]))
    """
    return np.unique(np.rint(np.linspace(0, count - 1, min(count, most))).astype(np.int64))


def take_pictures(videos: Sequence[VideoClip], frames: Sequence[np.ndarray]) -> np.ndarray:
    """Copy the pictures of some frames of each clip: one (n_k,) int array a clip -> (sum n_k, S, S, 3) uint8."""
    taken = np.empty((sum(map(len, frames)), *videos[0].frames.shape[1:]), dtype=np.uint8)
    filled = 0
    for video, chosen in zip(videos, frames, strict=True):
        for _, pictures in picture_blocks(video, chosen):
            taken[filled : filled + len(pictures)] = pictures
            filled += len(pictures)
    return taken
