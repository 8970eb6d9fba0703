"""Readers of videos and sounds."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from scipy.io import wavfile

from facial_bench.corpora.importers.common import hear
from facial_bench.corpora.importers.input_files import InputFile
from facial_bench.media.sound import SoundReader
from facial_bench.media.video import Video
from studies.fuzz_case import Reader
from studies.fuzz_mutations import damage
from studies.fuzz_parsers import parse_wav
from tests.helpers.media import moving, tone, write_video

FRAMES = 20
CODECS = {".mp4": "libx264", ".mov": "libx264", ".mkv": "libx264", ".avi": "mpeg4", ".ts": "libx264"}


@dataclass(frozen=True)
class Seen:
    """Pictures of a video as one reading gives them."""

    pictures: list[tuple[float | None, int, bool]]
    """Seconds, checksum of the picture as it is stored, and whether it is marked as damaged; in order."""
    missing: int
    """Decoded pictures that are left out, with a word."""
    undecoded: int
    """Pictures that are said not to have been decoded; a plain loop may decode some, from what is not theirs."""
    told: bool
    """Whether anything was said: of damage, of packets that failed, of times that were changed."""
    retimed: bool


def _checksum(frame: Any) -> int:
    return zlib.crc32(frame.to_ndarray(format="rgb24").tobytes())


def see(path: Path) -> Seen:
    """As a build reads it."""
    seen: list[tuple[float | None, int, Any]] = []
    with Video(path) as video:
        for seconds, picture in video.read():
            seen.append((seconds, _checksum(picture.frame), picture))
        has_sound = video.has_sound
    if has_sound:
        sound = SoundReader(path)
        try:
            samples, share = sound.read(0.0, FRAMES / 25)
            if not np.isfinite(samples).all() or not 0 <= share <= 1 or np.abs(samples).max() > 2:
                raise ArithmeticError("samples that are no sound")
        finally:
            sound.close()
    every = [picture for _, _, picture in seen]  # what is known of a picture may come after it
    told = any(one.damaged or one.undecoded or one.retimed or one.dropped for one in every)
    missing = sum(one.dropped for one in every)
    pictures = [(seconds, checksum, one.damaged) for seconds, checksum, one in seen]
    undecoded = sum(one.undecoded for one in every)
    return Seen(pictures, missing, undecoded, told, any(one.retimed for one in every))


def see_plainly(path: Path) -> tuple[Seen, int]:
    """As PyAV decodes it in a plain loop: every picture, in order; and the number of packets that failed."""
    pictures, failed = [], 0
    with av.open(str(path), metadata_errors="replace") as container:
        stream = container.streams.best("video")
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except EOFError:
                break
            except av.FFmpegError:
                failed += 1
                continue
            for frame in frames:
                seconds = None if frame.pts is None else float(frame.pts * stream.time_base)
                pictures.append((seconds, _checksum(frame), bool(frame.is_corrupt)))
    return Seen(pictures, 0, failed, failed > 0, False), failed


def _unlike(held: Seen, plain: Seen, failed: int) -> str:
    """What a build did not say of what the decoder gave; empty where it said all."""
    if not 0 <= len(plain.pictures) - len(held.pictures) - held.missing <= held.undecoded:
        return f"{len(held.pictures)} pictures and {held.missing} left out, decoded {len(plain.pictures)}"
    if (failed or any(corrupt for _, _, corrupt in plain.pictures)) and not held.told:
        return f"{failed} packets failed without a word"
    at = 0
    for seconds, checksum, damaged in held.pictures:
        while at < len(plain.pictures) and not (
            damaged or (plain.pictures[at][1] == checksum and (held.retimed or plain.pictures[at][0] == seconds))
        ):
            at += 1
        if at == len(plain.pictures):
            return f"a picture at {seconds:.3f} s that the decoder did not give there"
        if plain.pictures[at][2] and not damaged:
            return f"the picture at {seconds:.3f} s is marked as damaged by the decoder alone"
        at += 1
    return ""


class _Videos:
    """Reads one kind of video both ways; what a build does not say is the difference."""

    def __init__(self, ending: str) -> None:
        self.ending = ending

    def seeds(self, folder: Path) -> Sequence[bytes]:
        pictures = moving(FRAMES, (64, 48))
        path = write_video(folder / f"sound{self.ending}", pictures, sound=tone(FRAMES / 25), codec=CODECS[self.ending])
        return [path.read_bytes()]

    def read(self, path: Path) -> str:
        held = see(path)
        return _unlike(held, *see_plainly(path))

    def reader(self, share: int) -> Reader:
        return Reader(f"video {self.ending}", f"a{self.ending}", share, self.seeds, (damage,), self.read, lambda *_: "")


def _sounds(folder: Path) -> Sequence[bytes]:
    made = []
    sound = tone(0.5)
    for kind, samples in (
        ("s16", (sound * 32000).astype(np.int16)),
        ("u8", (sound * 100 + 128).astype(np.uint8)),
        ("stereo", np.stack([(sound * 32000).astype(np.int16)] * 2, axis=1)),
    ):
        wavfile.write(folder / f"{kind}.wav", 16_000, samples)
        made.append((folder / f"{kind}.wav").read_bytes())
    return made


def _hear(path: Path) -> tuple[int, np.ndarray]:
    samples, rate = hear(InputFile("a", "a", path.with_suffix(".csv")))
    scale = -float(np.iinfo(samples.dtype).min) if samples.dtype.kind == "i" else 1.0
    return rate, samples / scale


def _heard(content: bytes, sound: Any) -> tuple[int, np.ndarray]:
    rate, samples = parse_wav(content)
    return rate, samples.mean(axis=1)


def media_readers() -> list[Reader]:
    """Videos, against a plain loop over PyAV's decoder: a picture is what it decodes, and what it says of damage must
    be said. A changed bit that a decoder takes for another picture is that picture: the formats have no checksum."""
    return [
        *(_Videos(ending).reader(share) for ending, share in zip(CODECS, (250, 150, 200, 150, 150), strict=True)),
        Reader("sound .wav", "a.wav", 500, _sounds, (damage,), _hear, _heard),
    ]
