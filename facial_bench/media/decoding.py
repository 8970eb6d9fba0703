"""The pictures of a video stream in the order in which they are shown: each with its time, and what is known of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from facial_bench.media.damage import DamageLog
from facial_bench.media.display import Matrix, Orientation
from facial_bench.media.load import load_av
from facial_bench.media.restarts import Restart

OVERLAP = 0.5
"""Seconds by which a clock may go back within one recording; more is another recording."""


@dataclass(eq=False, slots=True)
class Picture:
    """A decoded picture."""

    frame: Any
    """As the decoder gave it, `av.VideoFrame`: as it is stored, neither upright nor of square pixels."""
    pixel_shape: Fraction
    """Width of its pixels by their height."""
    matrix: Matrix | None
    """How it is turned and mirrored to be shown; None for not at all."""
    number: int
    """Of its packet."""
    log: DamageLog
    """Of the pass that it comes from."""
    retimed: bool = False
    """Whether its time is another than the file states."""
    dropped: int = 0
    """Decoded pictures left out just before it (after it, where it is the last one), because their time was not later
    than that of the one before."""
    undecoded: int = 0
    """Packets just before it (after it, where it is the last one) that could not be decoded."""
    joined: bool = False
    """Whether another recording begins with it: the clock of the file starts again."""

    @property
    def damaged(self) -> bool:
        """Whether it was concealed, or rests on a picture that was. What is decoded before it and shown after it may
        be damaged, too: ask when some more pictures were read."""
        return self.log.is_damaged(self.number)


class FrameTimes:
    """Time stamps of frames as ffmpeg guesses them: of the two that a frame has, the one that goes back less often.

    Args:
        decoding_order: Whether the container keeps times of decoding alone, as AVI does.
    """

    def __init__(self, decoding_order: bool) -> None:
        self._faults = [int(decoding_order), 0]
        self._last: list[int | None] = [None, None]
        self._given: int | None = None

    def of(self, frame: Any) -> int | None:
        """The stamp of the next frame, in units of its stream; None where none can be trusted."""
        shown, decoded = frame.pts, frame.dts
        for k, stamp in enumerate((shown, decoded)):
            last = self._last[k]
            if stamp is not None:
                self._faults[k] += last is not None and stamp <= last
                self._last[k] = stamp
        later = shown is not None and (self._given is None or shown > self._given)
        trusted = self._faults[0] <= self._faults[1] or (decoded is None and later)
        given = shown if trusted and shown is not None else decoded
        self._given = self._given if given is None else given
        return given


class Decoding:
    """One pass over a stream, from where its container stands.

    Args:
        container: Open for reading.
        stream: Of its pictures.
        pixel_shape: Width of a pixel by its height.
        step: Usual seconds from frame to frame; 0 where it is not known.
        restarts: Where the clock starts again; () where the pass does not begin with the first packet.
    """

    def __init__(
        self, container: Any, stream: Any, pixel_shape: Fraction, step: float, restarts: Sequence[Restart]
    ) -> None:
        self._container, self._stream, self._shape, self._step = container, stream, pixel_shape, step
        self._restarts = deque(restarts)
        self._decoding_order = container.format.name == "avi"
        self._log, self._times, self._shift = DamageLog(), FrameTimes(self._decoding_order), 0.0
        self._orientation = Orientation()
        self._told = 0
        self._joined = False
        self.last = -float("inf")
        """Seconds of the last picture."""
        self.problem: Exception | None = None
        """What the decoder last raised."""
        self.farthest = 0
        """The last byte of the file at which a picture was found."""

    def pictures(self) -> Iterator[tuple[float, Picture]]:
        """(seconds, picture), times growing.

        Raises:
            av.FFmpegError: a container that cannot be read on.
        """
        dropped, picture = 0, None
        for frame in self._frames():
            number = self._log.receive(frame)
            stamp = self._times.of(frame)
            seconds = self._seconds(stamp)
            if seconds <= self.last:
                dropped += 1
                continue
            retimed = stamp is None or stamp != frame.pts or self._shift != 0
            picture = Picture(
                frame,
                self._shape,
                self._orientation.of(frame),
                number,
                self._log,
                retimed,
                dropped,
                self._newly_lost(),
                self._joined,
            )
            dropped, self._joined, self.last = 0, False, seconds
            yield seconds, picture
        self._log.end()
        if picture is not None:  # what was lost after the last picture
            picture.dropped += dropped
            picture.undecoded += self._newly_lost()

    def _newly_lost(self) -> int:
        """Packets that could not be decoded since the last call."""
        lost = self._log.failed + self._log.before_first
        newly, self._told = lost - self._told, lost
        return newly

    def _seconds(self, stamp: int | None) -> float:
        if stamp is None:
            return max(self.last, -self._step) + self._step
        return float(stamp * self._stream.time_base) + self._shift

    def _frames(self) -> Iterator[Any]:
        errors, codec, number = load_av().FFmpegError, self._stream.codec_context, 0
        for packet in self._container.demux(self._stream):
            if packet.size:
                if self._restarts and self._restarts[0].picture == number:
                    yield from codec.decode(None)
                    codec.flush_buffers()
                    self._begin(self._restarts.popleft())
                self._log.send(packet)
                number += 1
                if packet.pos is not None and packet.pos > self.farthest:
                    self.farthest = packet.pos
            try:
                frames = packet.decode()
            except EOFError:
                return
            except errors as problem:
                self.problem = problem
                self._log.fail()
                continue
            yield from frames

    def _begin(self, restart: Restart) -> None:
        """What comes now is timed anew."""
        self._shift, self._joined = restart.shift, restart.back > OVERLAP
        self._times = FrameTimes(self._decoding_order)
        self._log.join()
