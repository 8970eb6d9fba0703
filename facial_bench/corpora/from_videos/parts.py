"""Parts of videos: held against their videos before work starts, cut in time and picture while they are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.errors import CorpusError
from facial_bench.corpora.sources import Source
from facial_bench.media.video import MISSING, Video, rgb

PAST = 0.1
"""Seconds after the stated end of a video at which a part may end."""


def count_frames(source: Source, videos: Path) -> int:
    """Frames that a part holds, by what its file says of itself; of a video that cannot be read none.

    Raises:
        CorpusError: a part that lies beyond the end of its video, or a crop outside its picture.
    """
    try:
        with Video(videos / source.file) as video:
            frames, seconds = video.frames, video.seconds
            picture = rgb(next(video.read())[1]) if source.crop else None
    except CorpusError:
        return 0
    last = source.start if source.end is None else source.end
    if seconds and last > seconds + PAST:
        raise CorpusError(f"{source.shown}: the video ends after {seconds:.2f} s. Correct the recipe.")
    if picture is not None:
        try:
            crop_picture(picture, source.crop)
        except CorpusError as problem:
            raise CorpusError(f"{source.shown}: {problem}. Correct the recipe.") from None
    end = seconds if source.end is None else min(source.end, seconds)
    return round(frames * max(end - source.start, 0.0) / seconds) if seconds else frames


def crop_picture(picture: np.ndarray, crop: Sequence[int] | None) -> np.ndarray:
    """The window (left, top, width, height) of a picture (H, W, 3); raises CorpusError where it is not within it."""
    if crop is None:
        return picture
    left, top, width, height = crop
    if left + width > picture.shape[1] or top + height > picture.shape[0]:
        size = f"{picture.shape[1]} x {picture.shape[0]}"
        raise CorpusError(f"the crop of {width} x {height} at {left}, {top} is not within its picture of {size}")
    return np.ascontiguousarray(picture[top : top + height, left : left + width])


def read_part(video: Video, source: Source) -> Iterator[tuple[float, Any]]:
    """(seconds on the container's clock, picture) of the part of a video; read from the nearest one before it that
    stands for itself.

    Raises:
        CorpusError: as `Video.read`; or the video ends before the part does.
    """
    if not source.start and source.end is None:
        yield from video.read()
        return
    first = last = next(video.read())[0]
    start, end = first + source.start, np.inf if source.end is None else first + source.end
    for seconds, picture in video.read(start):
        if seconds >= end:
            return
        last = seconds
        if seconds >= start:
            yield seconds, picture
    if last < (start if source.end is None else end - MISSING):
        raise CorpusError(f"{video.path.name} ends after {last - first:.2f} s, before the part that is wanted")
