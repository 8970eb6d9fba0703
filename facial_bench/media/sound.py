"""Reading the sound of video and sound files with PyAV, piece by piece, at the times that the container gives it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.errors import CorpusError, one_line
from facial_bench.media.load import load_av, open_container
from facial_bench.media.restarts import find_restarts
from facial_bench.media.streams import choose_stream

RATE = 16_000
"""Sampling rate that sound is brought to, Hz."""
GAP = 0.02
"""Seconds by which sound may stray from its time stamps before silence is put in, or sound left out."""
LOUDEST = 2.0
"""Full scale is 1, and decoders overshoot it a little; what is louder was decoded from damaged data."""


class SoundReader:
    """The sound of a file as mono at RATE, read forward by times of the container's clock.

    Memory does not grow with the file: what lies before the last `read` is forgotten. Damage costs what it hits: those
    milliseconds are silence, and no sound is known for them.

    Args:
        path: A video or sound file.

    Raises:
        CorpusError: not a media file, or one without sound.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._container = path, open_container(path)
        self._stream = choose_stream(self._container, "audio")
        if self._stream is None:
            self._container.close()
            raise CorpusError(f"{path.name} has no sound.")
        self.damaged = 0.0
        """Seconds of sound that could not be decoded, as far as it was read."""
        self._problem: Exception | None = None
        self._began = False
        self._chunks = self._decode()
        self._next: tuple[int, np.ndarray] | None = None

    @property
    def end(self) -> float | None:
        """When the sound is over, as the file states it, seconds on the container's clock; None where it does not."""
        stream, container = self._stream, self._container
        if stream.duration is not None:
            return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
        if container.duration is None:
            return None
        return float((container.start_time or 0) + container.duration) / load_av().time_base

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def read(self, start: float, seconds: float) -> tuple[np.ndarray, float]:
        """The sound from `start` on, zeros where there is none; `start` must not go back.

        Returns:
            Samples (round(seconds * RATE),) float32, -1..1; the share of them that the file has sound for.

        Raises:
            CorpusError: a file of which no sound can be decoded.
        """
        first, count = round(start * RATE), round(seconds * RATE)
        samples, known = np.zeros(count, np.float32), np.zeros(count, bool)
        while True:
            self._next = self._next or next(self._chunks, None)
            if self._next is None:
                break
            at, chunk = self._next
            low, high = max(at, first), min(at + len(chunk), first + count)
            if low < high:
                samples[low - first : high - first] = chunk[low - at : high - at]
                known[low - first : high - first] = True
            if at + len(chunk) > first + count:  # the rest of it belongs to the next piece
                break
            self._next = None
        if self._problem is not None and not self._began:
            reason = one_line(getattr(self._problem, "strerror", None) or self._problem)
            raise CorpusError(f"The sound of {self.path.name} cannot be decoded ({reason}).")
        return samples, float(known.mean()) if count else 0.0

    def _decode(self) -> Iterator[tuple[int, np.ndarray]]:
        """(index of the first sample, counted at RATE from the clock's zero; samples (n,))."""
        resampler: Any = None
        form: tuple[str, str, int] | None = None
        at: float = 0.0
        expected: float | None = None  # where the next frame of sound belongs if nothing is missing
        tick = self._stream.time_base
        for frame, shift, broken in self._frames():
            stamp = None if frame.pts is None else (frame.pts * tick.numerator / tick.denominator + shift) * RATE
            self._began = True
            if expected is None:
                at = expected = 0.0 if stamp is None else stamp
            shape = (frame.format.name, frame.layout.name, frame.sample_rate)
            if form not in (None, shape):  # another layout or rate from here on
                for piece in resampler.resample(None):
                    yield round(at), _mono(piece)
                at = expected
            if form != shape:
                resampler, form = load_av().AudioResampler(format="fltp", rate=RATE), shape
            if stamp is not None and (broken or abs(stamp - expected) > GAP * RATE):
                at, expected = at + stamp - expected, stamp
            expected += frame.samples * RATE / frame.sample_rate
            for piece in resampler.resample(frame):
                yield from self._heard(round(at), _mono(piece))
                at += piece.samples
        for piece in resampler.resample(None) if resampler is not None else ():
            yield round(at), _mono(piece)
            at += piece.samples

    def _heard(self, at: int, samples: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """A decoded piece; none where it is noise that damage made."""
        if np.isfinite(samples).all() and np.abs(samples).max(initial=0.0) <= LOUDEST:
            yield at, samples
        else:
            self.damaged += len(samples) / RATE

    def _frames(self) -> Iterator[tuple[Any, float, bool]]:
        """(frame, seconds to add to its time, whether sound before it was lost)."""
        errors, codec, stream = load_av().FFmpegError, self._stream.codec_context, self._stream
        restarts, number, shift, broken = deque(find_restarts(self.path, self._container)), 0, 0.0, False
        packets = self._container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except errors as problem:  # the container ends in the middle of something
                self._problem, packet = problem, None
            if packet is None:
                return
            if packet.size:
                if restarts and restarts[0].sound == number:
                    for frame in codec.decode(None):
                        yield frame, shift, broken
                    codec.flush_buffers()
                    shift, broken = restarts.popleft().shift, True
                number += 1
            try:
                frames = packet.decode()
            except EOFError:
                return
            except errors as problem:
                self._problem, broken = problem, True
                self.damaged += float((packet.duration or 0) * stream.time_base)
                continue
            for frame in frames:
                if frame.is_corrupt:
                    broken = True
                    self.damaged += frame.samples / frame.sample_rate
                else:
                    yield frame, shift, broken
                    broken = False


def _mono(piece: Any) -> np.ndarray:
    """(n,) float32, the mean of the channels."""
    return piece.to_ndarray().reshape(-1, piece.samples).mean(axis=0, dtype=np.float32)
