"""Cuts: where a video goes over from one shot to the next, found while it is read.

A cut is a frame that differs from the one before it far more than its neighbours differ from theirs. Heads that move
fast change many frames in a row; a change of picture changes one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from facial_bench.media.decoding import Picture

SIDE = 32
"""Width and height of the grey picture that frames are compared by, pixels."""
DENSEST = 8
"""Pixels that a block is averaged over, each way, at most."""
PLANAR = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray", "gray8")
"""Formats of eight bits whose first plane is the grey picture."""
NEIGHBOURS = 5
"""Frames to either side that a difference is held against."""
RATIO = 3.5
"""A cut differs by more than this many times the mean of the two largest differences next to it."""
FLOOR = 0.5
"""Grey levels added to that mean, so that noise in a still picture is no cut."""
REPEATED = 0.05
"""Grey levels below which a frame is the one before it again."""


@dataclass(frozen=True, eq=False)
class ShotFrame:
    """A frame, and what came of comparing it with the one before it."""

    seconds: float
    picture: Any
    """As the video gave it."""
    cut: bool
    """Whether a new shot begins with it; of the first frame it is true."""
    repeated: bool
    """Whether it shows the picture before it again."""


def grey(picture: Picture) -> np.ndarray:
    """(SIDE, SIDE) float64 grey levels of a decoded picture as it is stored, 0..255: means of blocks, of a picture
    smaller than that the pixels that lie there."""
    frame = picture.frame
    if frame.format.name in PLANAR:  # the grey picture is there already, row by row
        plane = frame.planes[0]
        levels = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
    else:
        levels = frame.to_ndarray(format="gray8")
    height, width = levels.shape
    if min(height, width) < SIDE:
        rows, columns = (np.arange(SIDE) * size // SIDE for size in (height, width))
        return levels[np.ix_(rows, columns)].astype(np.float64)
    down, across = height // SIDE, width // SIDE
    steps = max(down // DENSEST, 1), max(across // DENSEST, 1)
    blocks = levels[: down * SIDE, : across * SIDE].reshape(SIDE, down, SIDE, across)[:, :: steps[0], :, :: steps[1]]
    sums = blocks.sum(axis=1, dtype=np.uint32).sum(axis=2, dtype=np.uint32)  # both axes at once take five times as long
    return sums / float(blocks.shape[1] * blocks.shape[3])


def find_cuts(frames: Iterable[tuple[float, Any]], look: Callable[[Any], np.ndarray] = grey) -> Iterator[ShotFrame]:
    """The frames, a few of them late, each with whether a new shot begins with it.

    Args:
        frames: (seconds, picture) in order.
        look: picture -> what it is compared by, any array of grey levels.
    """
    waiting: deque[tuple[float, Any, float | None]] = deque()
    differences: deque[float] = deque(maxlen=2 * NEIGHBOURS + 1)
    behind = 0  # how many of `differences` belong to frames before the first that waits
    last = None
    for seconds, frame in frames:
        now = look(frame)
        change = float(np.abs(now - last).mean()) if last is not None else None
        last = now
        if len(differences) == differences.maxlen:
            behind -= 1
        waiting.append((seconds, frame, change))
        differences.append(change or 0.0)
        if len(waiting) > NEIGHBOURS:
            yield _compared(waiting.popleft(), differences, behind)
            behind += 1
    while waiting:
        yield _compared(waiting.popleft(), differences, behind)
        behind += 1


def _compared(one: tuple[float, Any, float | None], differences: deque[float], place: int) -> ShotFrame:
    seconds, frame, change = one
    if change is None:
        return ShotFrame(seconds, frame, True, False)
    near = [d for k, d in enumerate(differences) if k != place and abs(k - place) <= NEIGHBOURS]
    largest = sorted(near)[-2:]
    level = sum(largest) / len(largest) if largest else change
    return ShotFrame(seconds, frame, change > RATIO * (level + FLOOR), change < REPEATED)
