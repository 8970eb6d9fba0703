"""The frames of a video at given times, read forward: a seek costs as much as a second or two of decoding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from facial_bench.media.decoding import Picture
from facial_bench.media.video import Video, rgb

AHEAD = 2.0
"""Seconds that are read through rather than skipped."""


class Shown(NamedTuple):
    """The frame of a video that is nearest to a time."""

    number: int
    """Of the time that was asked for, from 0."""
    picture: np.ndarray
    """(H, W, 3) uint8 RGB, as it is shown: upright, not mirrored, of square pixels."""
    off: float
    """Seconds from the time that was asked for to the time of the frame; negative where the frame comes before."""


def frames_at(video: Video, times: Iterable[float]) -> Iterator[Shown]:
    """The frame nearest to each of some ascending times, of two equally near ones the later.

    Memory does not grow with the video, and a frame that nobody asks for is not converted.

    Args:
        video: Just opened; nothing else may read it.
        times: Seconds on the container's clock.

    Raises:
        CorpusError: a damaged video. ValueError: times that descend.
    """
    stream: Iterator[tuple[float, Picture]] = iter(())
    behind: tuple[float, Picture] | None = None
    now: tuple[float, Picture] | None = None
    last = -np.inf
    for number, seconds in enumerate(times):
        if seconds < last:
            raise ValueError(f"time {number} is {seconds} s, after {last} s")
        last = seconds
        if now is None or (seconds - now[0] > AHEAD and not video.restarts):
            stream, behind = video.read(seconds), None
            now = next(stream, None) or now
        while now is not None and now[0] < seconds:
            following = next(stream, None)
            if following is None:  # the video ends before this time
                break
            behind, now = now, following
        if now is None:
            return
        near = now if behind is None or abs(now[0] - seconds) <= abs(behind[0] - seconds) else behind
        yield Shown(number, rgb(near[1]), near[0] - seconds)
