"""The pictures behind a corpus: the video frames that its clips were tracked in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from facial_bench.core.errors import CorpusError
from facial_bench.core.files import file_digest, read_json
from facial_bench.corpora.corpus import Corpus
from facial_bench.media.video import Video, rgb

PLACES = "videos.json"
"""Beside corpus.json: where the videos lie, seen from the corpus; no part of the digest."""


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
    path = videos / video["file"]
    if "\0" in video["file"] or not path.resolve().is_relative_to(videos.resolve()) or not path.is_file():
        raise CorpusError(f"{video['file']}, the video of {clip_id}, is not in {videos}. Name the folder of videos.")
    return path


def clip_frames(
    corpus: Corpus, clip_id: str, frames: Sequence[int], videos: Path | None = None
) -> Iterator[tuple[int, np.ndarray]]:
    """(frame of the clip, picture (H, W, 3) uint8 RGB) for ascending frames: the video frame nearest in time.

    Raises:
        CorpusError: as `video_file`; or the video is not the one that was tracked, or cannot be decoded.
    """
    path = video_file(corpus, clip_id, videos)
    clip = corpus.note("clips", clip_id)
    if file_digest(path) != corpus.note("videos", clip["video"]).get("sha256"):
        raise CorpusError(f"{path} is not the video that {clip_id} was tracked in: its SHA-256 is another.")
    for frame in frames:
        seconds = clip["clock_s"] + frame / corpus.info.fps
        with Video(path) as video:
            nearest = None
            for at, picture in video.read(seconds):
                if nearest is None or abs(at - seconds) <= abs(nearest[0] - seconds):
                    nearest = (at, picture)
                if at >= seconds:
                    break
            if nearest is not None:
                yield frame, rgb(nearest[1])
