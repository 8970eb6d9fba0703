"""Writing video files with PyAV: pictures one by one at a constant rate, with sound; whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from facial_bench.core.errors import FacialBenchError, one_line
from facial_bench.core.files import cannot_write
from facial_bench.core.unfinished import ENDING, locked
from facial_bench.media.load import load_av

KEY_SECONDS = 2.0
"""Time from one picture that stands for itself to the next: what a seek decodes at most."""
_PIECE = 1024
"""Samples of sound in a packet; the AAC encoder takes no other number."""


class VideoWriter:
    """A video being written: H.264 and AAC where the file ends in .mp4, lossless FFV1 and PCM where it ends in .mkv.

    Picture k is shown at k / fps, and the sound begins with picture 0. FFV1 gives the same pixels back; H.264 is
    yuv420p. The file appears under its name when the `with` block ends well, and not at all where it does not. The
    same input gives the same bytes on the same machine, as long as `threads` is 1.

    Args:
        path: Where to; ends in .mp4 or .mkv.
        fps: Pictures a second.
        sound: (n,) mono samples, -1..1; None for no sound. What lies behind the last picture is left out.
        sound_rate: Of the sound, Hz; AAC takes the usual ones (8000, 16000, 22050, 44100, 48000 ...).
        crf: Quality of H.264: 0 best .. 51 worst; 16 looks like the original.
        threads: Of the video encoder.
        error: What is raised where the file cannot be written.

    Raises:
        FacialBenchError: PyAV is not installed. `error`: a file name of another ending, a folder that cannot be
            written. ValueError: a rate that is none, or sound that is not (n,).
    """

    def __init__(
        self,
        path: Path,
        fps: float,
        *,
        sound: np.ndarray | None = None,
        sound_rate: int = 16_000,
        crf: float = 16.0,
        threads: int = 1,
        error: type[FacialBenchError] = FacialBenchError,
    ) -> None:
        if not 0 < fps < 1000:
            raise ValueError(f"fps is {fps}")
        if sound is not None and (np.ndim(sound) != 1 or sound_rate <= 0):
            raise ValueError(f"the sound is {np.shape(sound)} at {sound_rate} Hz, expected (n,) at a rate above 0")
        self._av = load_av()
        self._errors = (OSError, ValueError, self._av.FFmpegError)
        self.path, self.error = Path(path), error
        self._lossless = self.path.suffix.lower() == ".mkv"
        if self.path.suffix.lower() not in (".mp4", ".mkv"):
            raise error(f"Cannot write {path}: a video ends in .mp4 (H.264) or .mkv (lossless FFV1).")
        self._fps = Fraction(fps).limit_denominator(1001)
        self._sound = None if sound is None else np.asarray(sound, np.float32)
        self._rate, self._crf, self._threads = int(sound_rate), crf, threads
        self._heard = 0
        self.frames = 0
        """Pictures that were written."""
        self._size: tuple[int, int] | None = None
        try:
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.", suffix=ENDING)
            os.close(handle)
            self._held = ExitStack()
            self._held.enter_context(locked(name))
        except OSError as problem:
            raise self._failure(problem) from None
        self._temporary = Path(name)
        try:
            self._container = self._av.open(
                name,
                "w",
                format="matroska" if self._lossless else "mp4",
                options={"fflags": "+bitexact"} | ({} if self._lossless else {"movflags": "+faststart"}),
            )
        except self._errors as problem:
            self._temporary.unlink(missing_ok=True)
            self._held.close()
            raise self._failure(problem) from None
        self._picture: Any = None
        self._voice: Any = None

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: object, trace: TracebackType | None) -> None:
        if kind is None:
            self.finish()
        else:
            self.discard()

    def add(self, picture: np.ndarray) -> None:
        """Write the next picture, (H, W, 3) uint8 RGB, and the sound that goes with it.

        Raises:
            ValueError: another type or shape, or another size than the first picture's.
            FacialBenchError (or `error`): an odd size in H.264, a full disk, an encoder that is not there.
        """
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise ValueError(f"picture {self.frames} is {picture.dtype} {picture.shape}, expected uint8 (H, W, 3)")
        height, width = picture.shape[:2]
        if self._size not in (None, (width, height)):
            raise ValueError(f"picture {self.frames} is {width} x {height}, the first one has {self._size}")
        try:
            if self._size is None:
                self._open_streams(width, height)
            frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame = frame.reformat(format=self._picture.pix_fmt, dst_colorspace=None if self._lossless else "ITU601")
            frame.pts, frame.time_base = self.frames, 1 / self._fps
            self._container.mux(self._picture.encode(frame))
            self.frames += 1
            self._add_sound(int(self.frames / self._fps * self._rate))
        except self._errors as problem:
            raise self._failure(problem) from None

    def finish(self) -> None:
        """Write what is still in the encoders, and give the file its name.

        Raises:
            FacialBenchError (or `error`): no picture was added, or the file cannot be written.
        """
        try:
            if not self.frames:
                raise ValueError("it has no picture")
            self._add_sound(int(self.frames / self._fps * self._rate), last=True)
            for stream in (self._picture, self._voice):
                if stream is not None:
                    self._container.mux(stream.encode(None))
            self._container.close()
            self._temporary.chmod(0o644)
            os.replace(self._temporary, self.path)
        except self._errors as problem:
            raise self._failure(problem) from None
        finally:
            self.discard()

    def discard(self) -> None:
        """Close the file and remove it, unless it has its name already."""
        with suppress(*self._errors):  # it was broken before, and it goes
            self._container.close()
        self._temporary.unlink(missing_ok=True)
        self._held.close()

    def _open_streams(self, width: int, height: int) -> None:
        if not self._lossless and (width % 2 or height % 2):
            raise ValueError(f"H.264 takes even sizes only, and the pictures are {width} x {height}. Pad or crop them")
        codec = "ffv1" if self._lossless else "libx264"
        options = {"level": "3", "slicecrc": "1"} if self._lossless else {"crf": f"{self._crf:g}", "preset": "medium"}
        stream = self._container.add_stream(codec, rate=self._fps, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "bgr0" if self._lossless else "yuv420p"
        stream.codec_context.time_base = 1 / self._fps
        stream.codec_context.thread_count = self._threads
        stream.codec_context.gop_size = 1 if self._lossless else max(1, round(KEY_SECONDS * self._fps))
        if not self._lossless:  # what the conversion above used: players guess otherwise
            stream.codec_context.colorspace, stream.codec_context.color_range = 6, 1
        self._picture = stream
        if self._sound is not None:
            codec, form = ("pcm_s16le", "s16") if self._lossless else ("aac", "fltp")
            self._voice = self._container.add_stream(codec, rate=self._rate, format=form, layout="mono")
            self._voice.codec_context.thread_count = 1
        self._size = width, height

    def _add_sound(self, until: int, last: bool = False) -> None:
        """Encode the sound before a sample, in whole pieces; the last one may be short."""
        if self._sound is None:
            return
        until = min(until, len(self._sound))
        while self._heard + (1 if last else _PIECE) <= until:
            samples = self._sound[self._heard : min(self._heard + _PIECE, until)]
            if self._lossless:
                samples = np.round(samples.clip(-1, 1) * 32767).astype(np.int16)
            frame = self._av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples[None]), format="s16" if self._lossless else "fltp", layout="mono"
            )
            frame.sample_rate, frame.pts, frame.time_base = self._rate, self._heard, Fraction(1, self._rate)
            self._container.mux(self._voice.encode(frame))
            self._heard += len(samples)

    def _failure(self, problem: Exception) -> FacialBenchError:
        if isinstance(problem, OSError):
            return self.error(cannot_write(self.path, problem))
        return self.error(
            f"Cannot write {self.path}: {one_line(getattr(problem, 'strerror', None) or problem).rstrip('.')}."
        )
