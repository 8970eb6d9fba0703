"""Videos as cameras, receivers and editors make them: turned, oblong, joined, damaged, with several streams."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from tests.helpers.media import RATE


@dataclass(frozen=True, eq=False)
class Pictures:
    """A picture stream to write."""

    images: Sequence[np.ndarray]
    """(H, W, 3) uint8 each."""
    codec: str = "libx264"
    begin: float = 0.0
    """Seconds at which the first one is shown."""
    fps: int = 25
    b_frames: int = 0
    keys: int = 250
    """Pictures from one that stands for itself to the next."""
    pixel_shape: Fraction | None = None
    disposition: str = ""


@dataclass(frozen=True, eq=False)
class Voice:
    """A sound stream to write."""

    samples: np.ndarray
    """(n,) at `rate`."""
    begin: float = 0.0
    rate: int = RATE
    layout: str = "mono"
    codec: str = "aac"
    disposition: str = ""


def write_streams(path: Path, *streams: Pictures | Voice) -> Path:
    """A file of these streams, in order."""
    import av
    from av.stream import Disposition

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        made: list[Any] = []
        for one in streams:
            stream = container.add_stream(one.codec, rate=one.fps if isinstance(one, Pictures) else one.rate)
            if one.disposition:
                stream.disposition = sum(Disposition[word].value for word in one.disposition.split("+"))
            if isinstance(one, Pictures):
                stream.height, stream.width = one.images[0].shape[:2]
                stream.pix_fmt = "yuvj420p" if one.codec == "mjpeg" else "yuv420p"
                stream.codec_context.max_b_frames, stream.codec_context.gop_size = one.b_frames, one.keys
                if one.codec == "libx264":
                    stream.options = {"crf": "6", "preset": "fast", "sc_threshold": "0", "threads": "1"}
                else:
                    stream.bit_rate = 8_000_000
                if one.pixel_shape:
                    stream.codec_context.sample_aspect_ratio = one.pixel_shape
            else:
                stream.layout = one.layout
            made.append(stream)
        packets = [packet for one, stream in zip(streams, made, strict=True) for packet in _encoded(av, one, stream)]
        for packet in sorted(packets, key=lambda p: float((p.dts or 0) * p.time_base)):
            container.mux(packet)
    return path


def _encoded(av: Any, one: Pictures | Voice, stream: Any) -> list[Any]:
    packets = []
    if isinstance(one, Pictures):
        for k, image in enumerate(one.images):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts, frame.time_base = k + round(one.begin * one.fps), Fraction(1, one.fps)
            packets += stream.encode(frame)
    else:
        samples = np.clip(np.asarray(one.samples) * 32767, -32768, 32767).astype(np.int16)
        channels = 2 if one.layout == "stereo" else 1
        for first in range(0, len(samples), 1024):
            piece = np.repeat(samples[first : first + 1024], channels)[None]
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), format="s16", layout=one.layout)
            frame.sample_rate, frame.time_base = one.rate, Fraction(1, one.rate)
            frame.pts = first + round(one.begin * one.rate)
            packets += stream.encode(frame)
    return packets + stream.encode(None)


def rewrite(path: Path, dest: Path, change: Callable[[str, int, bytes], bytes | None]) -> Path:
    """A copy of a file, packet by packet: change(kind, number in its stream, content) -> content; None drops it."""
    import av

    with av.open(str(path)) as source, av.open(str(dest), "w") as target:
        streams = [s for s in source.streams if s.type in ("video", "audio")]
        copies = {stream.index: target.add_stream_from_template(stream) for stream in streams}
        counts = dict.fromkeys(copies, 0)
        for packet in source.demux(streams):
            if not packet.size:
                continue
            index = packet.stream.index
            content = change(packet.stream.type, counts[index], bytes(packet))
            counts[index] += 1
            if content is None:
                continue
            copy = av.Packet(content)
            copy.pts, copy.dts, copy.time_base, copy.duration = (
                packet.pts,
                packet.dts,
                packet.time_base,
                packet.duration,
            )
            copy.is_keyframe, copy.stream = packet.is_keyframe, copies[index]
            target.mux(copy)
    return dest


def spoil(content: bytes) -> bytes:
    """A packet whose second half is noise."""
    half = len(content) // 2
    return content[:half] + np.random.default_rng(len(content)).bytes(len(content) - half)


def join(dest: Path, *parts: Path) -> Path:
    """Files one after another, as `cat` joins them."""
    dest.write_bytes(b"".join(part.read_bytes() for part in parts))
    return dest


def with_display_matrix(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Write a display matrix into an .mp4, in place: a stored point (x, y) is shown at (a x + c y, b x + d y)."""
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 4 + 40  # version 0: what comes before the matrix has 40 bytes
    one = 1 << 16
    content[at : at + 36] = struct.pack(">9i", a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    path.write_bytes(bytes(content))
    return path
