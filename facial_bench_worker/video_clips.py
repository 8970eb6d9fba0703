"""Training clips with their pictures in a folder: tracks as `clips` writes them, and a raw file of pictures each."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict

import numpy as np

from facial_bench_worker.clips import read_clips, write_clips
from facial_bench_worker.face import Clip
from facial_bench_worker.renderer import Crop, VideoClip

CROPS = "crops.json"


def pictures_path(folder: str, number: int) -> str:
    """The file of clip `number`: T x S x S x 3 bytes, RGB."""
    return os.path.join(folder, f"pictures-{number}.rgb")


def write_video_clips(folder: str, clips: Sequence[Clip], crops: Sequence[Crop]) -> None:
    """Write the tracks and crops of clips into an existing folder; their pictures are written by `write_pictures`.

    Raises:
        OSError: there is no space.
    """
    write_clips(folder, clips)
    with open(os.path.join(folder, CROPS), "w", encoding="utf-8") as file:
        json.dump([asdict(crop) for crop in crops], file)


def write_pictures(folder: str, number: int, pictures: Iterable[np.ndarray]) -> None:
    """Write the pictures (S, S, 3) uint8 of clip `number`, one after another; raises OSError without space."""
    with open(pictures_path(folder, number), "wb") as file:
        for picture in pictures:
            file.write(np.ascontiguousarray(picture).data)


def read_video_clips(folder: str) -> list[VideoClip]:
    """The clips of a folder, their pictures memory-mapped and read-only."""
    with open(os.path.join(folder, CROPS), encoding="utf-8") as file:
        crops = [Crop(**values) for values in json.load(file)]
    videos = []
    for number, (clip, crop) in enumerate(zip(read_clips(folder), crops)):
        shape = (clip.frames, crop.size, crop.size, 3)
        frames = np.memmap(pictures_path(folder, number), np.uint8, "r", shape=shape)
        videos.append(VideoClip(clip, frames.view(np.ndarray), crop))
    return videos
