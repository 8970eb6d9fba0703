"""Renderers that look up training frames: the nearest, the nearest warped, the mean of the nearest warped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from facial_bench.core.errors import FacialBenchError
from facial_bench.core.types import Context, VideoClip
from facial_bench.rendering.null_renderers.null_renderer import Asked, Learned, Rule
from facial_bench.rendering.null_renderers.retrieval import IN_PLACE, SHAPE, Likeness, Neighbours
from facial_bench.rendering.null_renderers.seen_landmarks import seen_landmarks
from facial_bench.rendering.null_renderers.training_frames import evenly, take_pictures, usable_frames
from facial_bench.rendering.null_renderers.warp import Mesh

AVERAGED = 8
"""Frames in a mean of `warp-average`."""


def learn_frames(videos: Sequence[VideoClip], context: Context) -> Learned:
    """Keep training frames, at most 1500, evenly spaced, with what they are found by.

    Returns:
        `pictures` (N, S, S, 3) uint8; `landmarks` (N, 68, 2) float64 pixels of the crop, as the clips' motion gives
        them: decoded and projected like those of a motion to render; `blink` (N,) float64.

    Raises:
        FacialBenchError: no face model, or nobody's head is in front of the camera.
    """
    usable, landmarks = [], []
    for video in videos:
        seen = seen_landmarks(video.clip.motion, video.clip.identity, context.face_model, video.clip.camera, video.crop)
        own = usable_frames(video)
        own = own[np.isfinite(seen[own]).all(axis=(1, 2))]
        usable.append(own)
        landmarks.append(seen[own])
    ends = np.cumsum([0, *map(len, usable)])
    if not ends[-1]:
        raise FacialBenchError(f"No training frame of '{videos[0].clip.identity}' has its head before the camera.")
    chosen = evenly(int(ends[-1]))
    frames = [
        own[chosen[(chosen >= start) & (chosen < stop)] - start]
        for own, (start, stop) in zip(usable, pairwise(ends), strict=True)
    ]
    blink = [video.clip.motion.blink[own] for video, own in zip(videos, frames, strict=True)]
    return {
        "pictures": take_pictures(videos, frames),
        "landmarks": np.concatenate(landmarks)[chosen],
        "blink": np.concatenate(blink).astype(np.float64),
    }


def paint_nearest(learned: Learned, asked: Asked) -> Iterator[np.ndarray]:
    """The nearest training frame, as it is."""
    return (learned["pictures"][nearest[:, 0]] for _, nearest in _found(learned, asked, IN_PLACE, 1))


def paint_warped(learned: Learned, asked: Asked, count: int) -> Iterator[np.ndarray]:
    """The mean of the nearest `count` training frames, each warped so that its landmarks come to lie where asked."""
    pictures, landmarks, size = learned["pictures"], learned["landmarks"], asked.like.crop.size
    mesh = Mesh(landmarks.mean(axis=0), size)

    def block(targets: np.ndarray, nearest: np.ndarray) -> np.ndarray:
        painted = np.empty((len(targets), size, size, 3), dtype=np.uint8)
        for t, target in enumerate(targets):
            drawn = mesh.draw(target)
            mean = mesh.warp(pictures[nearest[t, 0]], landmarks[nearest[t, 0]], drawn)
            for k in nearest[t, 1:]:
                mean += mesh.warp(pictures[k], landmarks[k], drawn)
            painted[t] = np.rint(mean / nearest.shape[1])
        return painted

    return (block(targets, nearest) for targets, nearest in _found(learned, asked, SHAPE, count))


def _found(learned: Learned, asked: Asked, likeness: Likeness, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Block by block: the landmarks (n, 68, 2) asked for, and the nearest training frames (n, count) of each."""
    targets, blink = asked.landmarks(), asked.motion.blink
    neighbours = Neighbours(likeness, learned["landmarks"], learned["blink"], asked.like.crop.size)
    return (
        (targets[part], neighbours.nearest(targets[part], None if blink is None else blink[part], count))
        for part in asked.blocks()
    )


NEAREST_FRAME = Rule("nearest-frame", learn_frames, paint_nearest)
NEAREST_WARP = Rule("nearest-warp", learn_frames, partial(paint_warped, count=1))
WARP_AVERAGE = Rule("warp-average", learn_frames, partial(paint_warped, count=AVERAGED))
