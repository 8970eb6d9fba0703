"""Videos and sounds that the tests make."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from scipy.io import wavfile

RATE = 16_000
TRACKER = Path(__file__).with_name("dot_tracker.py")
"""A tracker that finds the brightest square in a picture, as a plugin file."""


def picture(x: float, y: float, size: tuple[int, int] = (96, 64), ground: int = 40, dot: int = 255) -> np.ndarray:
    """(H, W, 3) uint8: a bright square of 16 pixels centred at x, y on an even ground."""
    width, height = size
    image = np.full((height, width, 3), ground, np.uint8)
    if dot:
        image[int(y) - 8 : int(y) + 8, int(x) - 8 : int(x) + 8] = dot
    return image


def moving(frames: int, size: tuple[int, int] = (96, 64), ground: int = 40) -> list[np.ndarray]:
    """Pictures of a square that goes to and fro."""
    return [picture(48 + round(16 * np.sin(k / 9)), 32 + round(8 * np.cos(k / 7)), size, ground) for k in range(frames)]


def write_video(
    path: Path,
    pictures: Sequence[np.ndarray],
    times: Sequence[float] | float = 25.0,
    sound: np.ndarray | None = None,
    sound_start: float = 0.0,
    codec: str = "libx264",
) -> Path:
    """A video of pictures (H, W, 3) at some times (seconds) or rate, with mono sound (n,) at 16 kHz or none."""
    import av

    stamps = [k / times for k in range(len(pictures))] if isinstance(times, float) else list(times)
    clock = Fraction(1, 12_000)
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25)
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt, video.time_base, video.codec_context.time_base = "yuv420p", clock, clock
        video.options = {"crf": "10", "preset": "ultrafast"} if codec == "libx264" else {}
        audio = (
            container.add_stream("pcm_s16le" if path.suffix == ".mov" else "aac", rate=RATE, layout="mono")
            if sound is not None
            else None
        )
        for image, stamp in zip(pictures, stamps, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts, frame.time_base = round(stamp * 12_000), clock
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None:
            samples = np.clip(np.asarray(sound) * 32767, -32768, 32767).astype(np.int16)
            for first in range(0, len(samples), 1024):
                frame = av.AudioFrame.from_ndarray(samples[None, first : first + 1024], format="s16", layout="mono")
                frame.sample_rate, frame.pts = RATE, first + round(sound_start * RATE)
                frame.time_base = Fraction(1, RATE)
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path


def tone(seconds: float, beats: Sequence[float] = ()) -> np.ndarray:
    """(n,) soft noise with a click of 5 ms at each beat (seconds)."""
    sound = np.random.default_rng(0).normal(0, 0.01, round(seconds * RATE))
    for beat in beats:
        sound[round(beat * RATE) : round(beat * RATE) + 80] = 0.8
    return sound


def write_sound(path: Path, sound: np.ndarray) -> Path:
    """A 16-bit .wav at 16 kHz."""
    wavfile.write(path, RATE, (np.clip(sound, -1, 1) * 32767).astype(np.int16))
    return path
