"""Reading video files with PyAV: pictures, each with the time that the container gives it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.errors import CorpusError, one_line
from facial_bench.media.decoding import Decoding, Picture
from facial_bench.media.display import display_rgb, pixel_shape_of, shown_size
from facial_bench.media.load import load_av, open_container
from facial_bench.media.restarts import Restart, find_restarts
from facial_bench.media.streams import choose_stream, say_choice
from facial_bench.media.unread import Rest, find_rest

MISSING = 0.5
"""Seconds of picture that may be missing at the end, against the length that the file states; also 2 % of it."""


class Video:
    """A video file being read, from its first picture to its last.

    Args:
        path: The file.

    Raises:
        CorpusError: not a media file, or one without a picture.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open()
        try:
            self._pixel_shape = pixel_shape_of(self._stream)
        except CorpusError:
            self.close()
            raise
        stream = self._stream
        self.has_sound = choose_stream(self._container, "audio") is not None
        self.choices = [said for kind in ("video", "audio") if (said := say_choice(self._container, kind))]
        """One clause for picture and for sound where the file has several streams of it: which one is used."""
        self.fps = float(stream.average_rate or stream.guessed_rate or 0)
        """Mean frames per second; 0 where the file does not say."""
        self._own_length = float(stream.duration * stream.time_base) if stream.duration else 0.0
        self.seconds = self._own_length or (self._container.duration or 0) / 1e6
        """Length that the file states; 0 where it does not."""
        self.frames = stream.frames or round(self.seconds * self.fps)
        """Number of frames that the file states, or a guess from its length."""
        self.first = 0.0
        """Seconds of the first picture on the container's clock, once the file was read from its beginning."""
        self.undecoded_first = 0
        """Pictures before the first one that could be decoded, once the file was read from its beginning."""
        self.farthest = 0
        """The last byte of the file at which a picture was found, as far as it was read."""

    def _open(self) -> None:
        self._container, self._is_fresh = open_container(self.path), True
        self._stream = choose_stream(self._container, "video")
        if self._stream is None:
            streams = self._container.streams
            still = streams.video and all(stream.codec_context is not None for stream in streams.video)
            held = "stills alone, no video" if still else "no picture that can be read"
            held += "" if len(streams) else "; it is incomplete, damaged or no video"
            self.close()
            raise CorpusError(f"{self.path.name} has {held}.")
        self._stream.thread_type = "AUTO"

    def __enter__(self) -> Video:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    @cached_property
    def restarts(self) -> tuple[Restart, ...]:
        """Where the clock of the file starts again; there, a seek by time has no meaning."""
        return find_restarts(self.path, self._container)

    @cached_property
    def rest(self) -> Rest | None:
        """What the file holds behind its first film."""
        return find_rest(self.path, self._container.format.name.split(",")[0])

    def read(self, start: float | None = None) -> Iterator[tuple[float, Picture]]:
        """(seconds on the container's clock, picture) in order of time; where that clock starts again, on one that goes
        on. What was left out is noted on the picture that comes after it.

        Args:
            start: Begin somewhere before this time, at a picture that stands for itself; None for the first.

        Raises:
            CorpusError: a damaged or truncated file, or no picture at all.
        """
        errors, first, last = load_av().FFmpegError, None, 0.0
        whole = start is None or bool(self.restarts)
        try:
            decoding, pictures = self._whole() if whole else self._seek(start or 0.0)
            for seconds, picture in pictures:
                if first is None:
                    first = seconds
                    if whole:
                        self.first, self.undecoded_first = seconds, picture.undecoded
                last, self.farthest = seconds, decoding.farthest
                yield seconds, picture
        except errors as problem:
            raise CorpusError(f"{self.path.name} cannot be read after {last:.2f} s ({_said(problem)}).") from None
        if first is None:
            why = f" ({_said(decoding.problem)})" if decoding.problem else ""
            raise CorpusError(f"{self.path.name} has no frame that can be decoded{why}.")
        if start is None and not self.restarts:
            self._check_end(first, last)

    def _pass(self, restarts: tuple[Restart, ...] = ()) -> tuple[Decoding, Iterator[tuple[float, Picture]]]:
        """A pass from where the container stands."""
        self._is_fresh = False
        decoding = Decoding(self._container, self._stream, self._pixel_shape, self._step, restarts)
        return decoding, decoding.pictures()

    def _whole(self) -> tuple[Decoding, Iterator[tuple[float, Picture]]]:
        """A pass from the beginning."""
        if not self._is_fresh:
            self.close()
            self._open()
        return self._pass(self.restarts)

    @property
    def _step(self) -> float:
        return 1 / self.fps if self.fps else 0.0

    def _seek(self, start: float) -> tuple[Decoding, Iterator[tuple[float, Picture]]]:
        """A pass that begins at or before `start`; where a format without an index lands behind it, from earlier on."""
        back = 0.0
        while start - back > self._begin:
            self._container.seek(round((start - back) / self._stream.time_base), stream=self._stream)
            decoding, pictures = self._pass()
            one = next(pictures, None)
            if one is not None and one[0] <= start:
                return decoding, chain([one], pictures)
            back = max(2 * back, 1.0)
        return self._whole()

    @property
    def _begin(self) -> float:
        """When the picture begins, as the file states it, seconds."""
        return float((self._stream.start_time or 0) * self._stream.time_base)

    def _check_end(self, first: float, last: float) -> None:
        """Raise CorpusError where the file ends before the picture does."""
        begins = min(first, self._begin)
        seen, stated = last - begins + self._step, self.seconds
        if stated - seen <= max(MISSING, 0.02 * stated) or (self.rest is not None and self.rest.is_film):
            return  # with a second film in the file, the length may be that of both
        if not self._own_length and self._read_on() - begins + MISSING >= stated:
            return  # the sound goes on, the picture is over
        ends = f"{self.path.name} ends after {seen:.2f} of {stated:.2f} s"
        raise CorpusError(f"{ends}: truncated; copy it again.")

    def _read_on(self) -> float:
        """When the last packet of any stream is over, seconds."""
        ends = [0.0]
        with open_container(self.path) as container:
            for packet in container.demux():
                if packet.pts is not None:
                    ends.append(float((packet.pts + (packet.duration or 0)) * packet.time_base))
        return max(ends)


def size_of(picture: Picture) -> tuple[int, int]:
    """Width and height as shown, pixels."""
    return shown_size(picture.frame, picture.pixel_shape, picture.matrix)


def rgb(picture: Picture) -> np.ndarray:
    """(H, W, 3) uint8 RGB of a picture as it is shown: upright, not mirrored, of square pixels; contiguous."""
    return display_rgb(picture.frame, picture.pixel_shape, picture.matrix)


def _said(problem: Any) -> str:
    return one_line(getattr(problem, "strerror", None) or problem)
