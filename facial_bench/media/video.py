"""Reading video files with PyAV: frames, each with the time that the container gives it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.errors import CorpusError, FacialBenchError, one_line

MISSING = 0.5
"""Seconds of picture that may be missing at the end, against the length that the file states; also 2 % of it."""


def load_av() -> Any:
    """PyAV, imported when it is needed; raises FacialBenchError where it is not installed."""
    try:
        import av
    except ImportError as problem:
        raise FacialBenchError(
            f"Reading videos needs PyAV, which cannot be imported ({problem}). Install it: pip install 'av>=13'."
        ) from None
    return av


def open_container(path: Path) -> Any:
    """A container open for reading.

    Raises:
        CorpusError: no such file, or not a media file.
    """
    av = load_av()
    try:
        return av.open(str(path), mode="r", metadata_errors="replace")
    except (OSError, ValueError, av.FFmpegError) as problem:
        reason = one_line(getattr(problem, "strerror", None) or problem)
        what = f"{path.name} cannot be opened as a video ({reason})"
        raise CorpusError(f"{what}; damaged, truncated or no video.") from None


class Video:
    """A video file being read, from its first frame to its last.

    Args:
        path: The file.

    Raises:
        CorpusError: not a media file, or one without a picture.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._container = path, open_container(path)
        if not self._container.streams.video:
            self.close()
            raise CorpusError(f"{path.name} has no picture that can be read; damaged, truncated or sound alone.")
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self.has_sound = bool(self._container.streams.audio)
        stream = self._stream
        self.fps = float(stream.average_rate or stream.guessed_rate or 0)
        """Mean frames per second; 0 where the file does not say."""
        self.seconds = float(stream.duration * stream.time_base) if stream.duration else 0.0
        """Length that the file states; 0 where it does not."""
        if not self.seconds and self._container.duration:
            self.seconds = self._container.duration / 1e6
        self.frames = stream.frames or round(self.seconds * self.fps)
        """Number of frames that the file states, or a guess from its length."""

    def __enter__(self) -> Video:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def read(self, start: float | None = None) -> Iterator[tuple[float, Any]]:
        """(seconds on the container's clock, frame) in order of time; a frame whose time does not grow is left out.

        Args:
            start: Begin somewhere before this time, at the nearest frame that stands for itself; None for the first.

        Raises:
            CorpusError: a damaged or truncated file, frames without time stamps, or no frame at all.
        """
        av, last, first = load_av(), -float("inf"), None
        try:
            if start is not None:
                self._container.seek(max(int(start / self._stream.time_base), 0), stream=self._stream)
            for frame in self._container.decode(self._stream):
                if frame.pts is None:
                    raise CorpusError(f"{self.path.name} has frames without time stamps; remux it.")
                seconds = float(frame.pts * frame.time_base)
                if seconds > last:
                    last, first = seconds, seconds if first is None else first
                    yield seconds, frame
        except av.FFmpegError as problem:
            reason = one_line(problem.strerror or problem)
            raise CorpusError(f"{self.path.name} cannot be decoded after {max(last, 0.0):.2f} s ({reason}).") from None
        if first is None:
            raise CorpusError(f"{self.path.name} has no frame that can be decoded; damaged or truncated.")
        if start is not None:
            return
        seen = last - first + (1 / self.fps if self.fps else 0.0)
        if self.seconds - seen > max(MISSING, 0.02 * self.seconds):
            ends = f"{self.path.name} ends after {seen:.2f} of {self.seconds:.2f} s"
            raise CorpusError(f"{ends}: truncated; copy it again.")


def rgb(frame: Any) -> np.ndarray:
    """(H, W, 3) uint8 RGB of a frame, contiguous (rows of some sizes come padded) and upright."""
    turns = round((getattr(frame, "rotation", 0) or 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), turns))
