"""Reading the sound of video and sound files with PyAV, piece by piece, at the times that the container gives it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.errors import CorpusError, one_line
from facial_bench.media.video import load_av, open_container

RATE = 16_000
"""Sampling rate that sound is brought to, Hz."""
GAP = 0.02
"""Seconds by which sound may stray from its time stamps before silence is put in, or sound left out."""


class SoundReader:
    """The sound of a file as mono at RATE, read forward by times of the container's clock.

    Memory does not grow with the file: what lies before the last `read` is forgotten.

    Args:
        path: A video or sound file.

    Raises:
        CorpusError: not a media file, or one without sound.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._container = path, open_container(path)
        if not self._container.streams.audio:
            self._container.close()
            raise CorpusError(f"{path.name} has no sound.")
        self._chunks = self._decode()
        self._next: tuple[int, np.ndarray] | None = None

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def read(self, start: float, seconds: float) -> tuple[np.ndarray, float]:
        """The sound from `start` on, zeros where there is none; `start` must not go back.

        Returns:
            Samples (round(seconds * RATE),) float32, -1..1; the share of them that the file has sound for.

        Raises:
            CorpusError: a damaged file.
        """
        first, count = round(start * RATE), round(seconds * RATE)
        samples, known = np.zeros(count, np.float32), 0
        while True:
            self._next = self._next or next(self._chunks, None)
            if self._next is None:
                break
            at, chunk = self._next
            low, high = max(at, first), min(at + len(chunk), first + count)
            if low < high:
                samples[low - first : high - first] = chunk[low - at : high - at]
                known += high - low
            if at + len(chunk) > first + count:  # the rest of it belongs to the next piece
                break
            self._next = None
        return samples, known / count if count else 0.0

    def _decode(self) -> Iterator[tuple[int, np.ndarray]]:
        """(index of the first sample, counted at RATE from the clock's zero; samples (n,))."""
        av = load_av()
        resampler = av.AudioResampler(format="fltp", rate=RATE)
        at: float = 0.0
        expected: float | None = None  # where the next frame of sound belongs if nothing is missing
        try:
            for frame in self._container.decode(audio=0):
                stamp = None if frame.pts is None else float(frame.pts * frame.time_base) * RATE
                if expected is None:
                    at = expected = stamp or 0.0
                elif stamp is not None and abs(stamp - expected) > GAP * RATE:
                    at, expected = at + stamp - expected, stamp
                expected += frame.samples * RATE / frame.sample_rate
                for piece in resampler.resample(frame):
                    yield round(at), _mono(piece)
                    at += piece.samples
            for piece in resampler.resample(None) if expected is not None else ():
                yield round(at), _mono(piece)
                at += piece.samples
        except av.FFmpegError as problem:
            reason = one_line(problem.strerror or problem)
            raise CorpusError(f"The sound of {self.path.name} cannot be decoded ({reason}).") from None


def _mono(piece: Any) -> np.ndarray:
    """(n,) float32, the mean of the channels."""
    return piece.to_ndarray().reshape(-1, piece.samples).mean(axis=0, dtype=np.float32)
