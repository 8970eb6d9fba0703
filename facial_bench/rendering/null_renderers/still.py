"""Renderers that never move: the mean training picture, and one training frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from facial_bench.core.types import Context, VideoClip
from facial_bench.rendering.null_renderers.null_renderer import Asked, Learned, Rule
from facial_bench.rendering.null_renderers.training_frames import picture_blocks, take_pictures, usable_frames


def learn_mean(videos: Sequence[VideoClip], context: Context) -> Learned:
    """`picture` (S, S, 3) uint8: the mean of all usable training pictures, each pixel rounded."""
    total = np.zeros(videos[0].frames.shape[1:], dtype=np.int64)
    count = 0
    for video in videos:
        for frames, pictures in picture_blocks(video, usable_frames(video)):
            total += pictures.sum(axis=0, dtype=np.int64)
            count += len(frames)
    return {"picture": np.rint(total / count).astype(np.uint8)}


def learn_reference(videos: Sequence[VideoClip], context: Context) -> Learned:
    """`picture` (S, S, 3) uint8: the training frame whose state is nearest the mean, each channel standardised.

    Of frames that are as near as each other the first.
    """
    usable = [usable_frames(video) for video in videos]
    states = [video.clip.motion.state()[own].astype(np.float64) for video, own in zip(videos, usable, strict=True)]
    everything = np.concatenate(states)
    deviation = everything.std(axis=0)
    deviation[deviation < 1e-9] = 1.0  # a channel that stands still says nothing
    distance = (((everything - everything.mean(axis=0)) / deviation) ** 2).sum(axis=1)
    place = int(distance.argmin())
    clip = int(np.searchsorted(np.cumsum([len(own) for own in usable]), place, side="right"))
    within = place - sum(len(own) for own in usable[:clip])
    return {"picture": take_pictures([videos[clip]], [usable[clip][within : within + 1]])[0]}


def paint_still(learned: Learned, asked: Asked) -> Iterator[np.ndarray]:
    """`picture` for every frame; what moves is not looked at."""
    frames = asked.motion.frames
    return (np.repeat(learned["picture"][None], len(range(frames)[part]), axis=0) for part in asked.blocks())


MEAN_FRAME = Rule("mean-frame", learn_mean, paint_still)
REFERENCE_FRAME = Rule("reference-frame", learn_reference, paint_still)
