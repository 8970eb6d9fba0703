"""A video as tracked shots: cuts are found, each shot has a tracker of its own, frames are forgotten as they pass."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facial_bench.core.errors import CorpusError, FacialBenchError, one_line
from facial_bench.core.types import Face, Tracker
from facial_bench.corpora.from_videos.cut_detection import ShotFrame, find_cuts
from facial_bench.corpora.from_videos.parts import crop_picture, read_part
from facial_bench.corpora.from_videos.settings import LONGEST, Tools
from facial_bench.corpora.sources import Source
from facial_bench.media.decoding import Picture
from facial_bench.media.video import Video, rgb, size_of

STEP = 25
"""Frames between two reports of progress."""
PAUSE = 10.0
"""Seconds without a frame after which a shot is over."""


@dataclass(eq=False)
class Shot:
    """A stretch of video without a cut, while it is tracked and after."""

    number: int
    """From 1, in order."""
    zero: float
    """When the video's first frame is shown that is no filling, seconds on the container's clock."""
    times: list[float] = field(default_factory=list)
    """(n,) of its frames, seconds on the container's clock."""
    faces: list[Face | None] = field(default_factory=list)
    """(n,) what was found in them, None in damaged ones; empty where the shot was not to be tracked."""
    repeated: int = 0
    """Frames that show the picture before them again."""
    size: tuple[int, int] = (0, 0)
    """Width and height as shown, pixels."""
    crop: tuple[int, int, int, int] | None = None
    """Window that is tracked, see `Source`; None for all of it."""
    damaged: int = 0
    """Frames that the decoder made up in part, or that rest on one."""
    retimed: int = 0
    """Frames whose time is another than the file states."""
    dropped: int = 0
    """Decoded frames that were left out: their time was not later than that of the frame before."""
    undecoded: int = 0
    """Frames that could not be decoded."""

    @property
    def view(self) -> tuple[int, int]:
        """Width and height of what is tracked, pixels."""
        return self.crop[2:] if self.crop else self.size

    @property
    def start(self) -> float:
        """Seconds after the video's first frame."""
        return self.times[0] - self.zero

    @property
    def seconds(self) -> float:
        """From its first frame to its last."""
        return self.times[-1] - self.times[0]

    def ends_before(self, one: ShotFrame, size: tuple[int, int]) -> bool:
        """Whether a frame belongs to another shot: a cut, another recording or size, a long pause, or long enough."""
        late = one.seconds - self.times[0] >= LONGEST or one.seconds - self.times[-1] > PAUSE
        return one.cut or one.picture.joined or size != self.size or late

    def count(self, picture: Picture) -> None:
        """Note what became of a frame, and of those that were lost before it."""
        self.damaged += picture.damaged
        self.retimed += picture.retimed
        self.dropped += picture.dropped
        self.undecoded += picture.undecoded


def track_video(
    video: Video, source: Source, tools: Tools, is_finished: Callable[[int], bool], progress: Callable[[int], None]
) -> Iterator[Shot]:
    """The shots of a video, or of the part of it that is wanted, each when it ends.

    Args:
        video: Open for reading.
        source: Which part of it, and which window of its pictures.
        tools: The tracker and its weights.
        is_finished: Whether the shot of a number was finished before; its frames then pass without being tracked.
        progress: Takes the number of frames that passed since the last call.

    Raises:
        CorpusError: a video that cannot be decoded, or a tracker that raised.
    """
    tracker: Tracker | None = None
    shot: Shot | None = None
    passed = 0
    zero = next(skip_filling(find_cuts(video.read()))).seconds if source.start else None
    try:
        for one in skip_filling(find_cuts(read_part(video, source))):
            size = size_of(one.picture)
            if shot is None or shot.ends_before(one, size):
                if shot is not None:
                    yield shot
                zero = one.seconds if zero is None else zero
                shot = Shot(shot.number + 1 if shot else 1, zero, size=size, crop=source.crop)
                if tracker is not None:
                    tracker.close()
                tracker = None if is_finished(shot.number) else blame("the tracker", tools.start_tracker)
            shot.times.append(one.seconds)
            shot.count(one.picture)
            if tracker is not None:
                shot.repeated += one.repeated
                face = None
                if not one.picture.damaged:  # known by now: cuts are told NEIGHBOURS frames late
                    image = crop_picture(rgb(one.picture), source.crop)
                    face = blame("the tracker", tracker.track, image, one.seconds - shot.zero)
                shot.faces.append(face)
            passed += 1
            if passed % STEP == 0:
                progress(STEP)
        if shot is not None:
            yield shot
        progress(passed % STEP)
    finally:
        if tracker is not None:
            tracker.close()


def skip_filling(frames: Iterable[ShotFrame]) -> Iterator[ShotFrame]:
    """The frames without those at the start that the next one repeats: an encoder's filling, and no motion."""
    held: ShotFrame | None = None
    started = False
    for one in frames:
        if not started and held is not None and not one.repeated:
            started = True
            yield held
        if started:
            yield one
        else:
            held = ShotFrame(one.seconds, one.picture, True, False)
    if not started and held is not None:
        yield held


def blame(who: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """What a plugin's function gives; what it raises becomes a CorpusError of one line that names it.

    Raises:
        CorpusError: it raised; this clip is rejected. Another FacialBenchError passes as it is, and ends the build.
    """
    try:
        return function(*arguments)
    except FacialBenchError:
        raise
    except Exception as problem:
        last = traceback.extract_tb(problem.__traceback__)[-1]
        where = f"{Path(last.filename).name}, line {last.lineno}"
        raise CorpusError(f"{who} failed: {type(problem).__name__}: {one_line(problem)} ({where})") from problem
