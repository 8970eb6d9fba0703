"""The pictures behind a corpus: the video frames that its clips were tracked in."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from facial_bench.core.errors import CorpusError
from facial_bench.core.files import current_digest, file_beside, read_json
from facial_bench.core.names import nfc
from facial_bench.corpora.corpus import Corpus
from facial_bench.corpora.from_videos.parts import crop_picture
from facial_bench.media.frames import frames_at
from facial_bench.media.sound import SoundReader
from facial_bench.media.video import Video

PLACES = "videos.json"
"""Beside corpus.json: where the videos lie, seen from the corpus; no part of the digest."""
ROUNDING = 0.001
"""Seconds: containers count in milliseconds, or finer."""


def video_file(corpus: Corpus, clip_id: str, videos: Path | None = None) -> Path:
    """The video of a clip.

    Args:
        corpus: A built corpus.
        clip_id: Of one of its clips.
        videos: The folder of videos; None for the place that the build noted.

    Raises:
        CorpusError: the corpus was not built from videos, or the video is not there, or is another one.
    """
    clip = corpus.note("clips", clip_id)
    video = corpus.note("videos", clip.get("video", ""))
    if not isinstance(video.get("file"), str) or not isinstance(clip.get("clock_s"), float):
        raise CorpusError(f"{corpus.path}: the corpus was not built from videos.")
    if videos is None:
        noted = read_json(corpus.path / PLACES, CorpusError, "Name the folder of videos.")
        if not isinstance(noted, dict) or not isinstance(noted.get("videos"), str):
            raise CorpusError(f"{corpus.path / PLACES} names no folder of videos. Name it.")
        videos = corpus.path / noted["videos"]
    # A link in the folder is the user's own, which `corpus build` follows. A name that leaves the folder is refused.
    name = PurePosixPath(video["file"])
    if "\0" not in video["file"] and not name.is_absolute() and ".." not in name.parts:
        for file in (video["file"], nfc(video["file"]), unicodedata.normalize("NFD", video["file"])):
            if (videos / file).is_file():  # copied from or to a Mac, accents may be written another way
                return videos / file
    raise CorpusError(f"{video['file']}, the video of {clip_id}, is not in {videos}. Name the folder of videos.")


def clip_frames(
    corpus: Corpus, clip_id: str, frames: Sequence[int], videos: Path | None = None
) -> Iterator[tuple[int, np.ndarray]]:
    """(frame of the clip, picture (H, W, 3) uint8 RGB) for ascending frames; those that the video lacks are left out.

    Raises:
        CorpusError: as `video_file`; or the video is not the one that was tracked, or cannot be decoded.
    """
    for shown in clip_pictures(corpus, clip_id, frames, videos):
        if shown.picture is not None:
            yield shown.frame, shown.picture


@dataclass(frozen=True, eq=False)
class ClipPicture:
    """What a video shows at the time of a clip's frame."""

    frame: int
    """Of the clip."""
    picture: np.ndarray | None
    """(H, W, 3) uint8 RGB of the video frame nearest in time; None where none is near."""
    off: float
    """Seconds from the clip's frame to the video's."""


def clip_pictures(
    corpus: Corpus, clip_id: str, frames: Sequence[int], videos: Path | None = None
) -> Iterator[ClipPicture]:
    """What the video shows at ascending frames of a clip, one after another, read forward.

    A video frame is near if no more than half a frame lies between the two: of the corpus, or of the video where that
    is slower.

    Raises:
        CorpusError: as `video_file`; or the video is not the one that was tracked, or cannot be decoded.
    """
    path = video_file(corpus, clip_id, videos)
    clip = corpus.note("clips", clip_id)
    if current_digest(path) != corpus.note("videos", clip["video"]).get("sha256"):
        raise CorpusError(f"{path} is not the video that {clip_id} was tracked in: its SHA-256 is another.")
    crop = _crop(corpus, clip["video"])
    with Video(path) as video:
        farthest = 0.5 / min(corpus.info.fps, video.fps or corpus.info.fps) + ROUNDING
        for shown in frames_at(video, [clip["clock_s"] + frame / corpus.info.fps for frame in frames]):
            near = abs(shown.off) <= farthest
            yield ClipPicture(frames[shown.number], crop_picture(shown.picture, crop) if near else None, shown.off)


def _crop(corpus: Corpus, video: str) -> Sequence[int] | None:
    """The window of a video's pictures that was tracked; None for all of them."""
    crop = corpus.note("videos", video).get("crop")
    if crop is None:
        return None
    if (
        not isinstance(crop, list)
        or len(crop) != 4
        or not all(type(x) is int and x >= 0 for x in crop)
        or 0 in crop[2:]
    ):
        raise CorpusError(f"{corpus.path}: the crop of {video} is no left, top, width, height in pixels.")
    return crop


def clip_sound(corpus: Corpus, clip_id: str, start: int, frames: int, videos: Path | None = None) -> np.ndarray:
    """The sound of some frames of a clip: (round(frames / fps * RATE),) float32 mono at `sound.RATE`, -1..1; zeros
    where there is none.

    Raises:
        CorpusError: as `video_file`; or the sound is not there, or cannot be decoded.
    """
    path, clip = video_file(corpus, clip_id, videos), corpus.note("clips", clip_id)
    video = corpus.note("videos", clip["video"])
    own = video.get("sound") == video["file"]
    clock, offset = clip["clock_s"] if own else clip.get("start_s"), video.get("sound_offset", 0.0)
    if not isinstance(clock, (int, float)) or not isinstance(offset, (int, float)):
        raise CorpusError(f"{corpus.path}: the corpus does not say where the sound of {clip_id} begins.")
    sound = path if own else file_beside(path, ".wav")
    if not sound.is_file():
        raise CorpusError(f"{sound.name}, the sound of {clip_id}, is not in {path.parent}. Name the folder of videos.")
    reader = SoundReader(sound)
    try:
        return reader.read(clock + offset + start / corpus.info.fps, frames / corpus.info.fps)[0]
    finally:
        reader.close()
