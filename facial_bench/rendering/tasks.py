"""What a renderer is trained on and asked for: clips, crops, and pictures read forward from the videos."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from facial_bench.core.errors import CorpusError
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Appearance, Clip, Crop, Motion
from facial_bench.corpora.corpus import Corpus
from facial_bench.corpora.from_videos.video_frames import clip_pictures, video_file
from facial_bench.corpora.split import split_clips
from facial_bench.rendering.crop import cut, recording_crop
from facial_bench.rendering.result import REAL


@dataclass(frozen=True, eq=False)
class PictureTask:
    """A stretch of video to render, and the motion that drives it."""

    id: str
    """`<clip>@<first frame>`."""
    clip: Clip
    """The real stretch: tracks, sound and camera."""
    crop: Crop
    motion: Motion
    """The real motion of the stretch, or a method's for its sound."""
    driving: str = REAL
    """Whose it is, as of `result.Driving`."""

    def appearance(self, fps: float) -> Appearance:
        """What the renderer is told besides motion and camera."""
        return Appearance(self.clip.identity, self.crop, fps)


@dataclass(frozen=True, eq=False)
class PictureCorpus:
    """A corpus with its videos, split for rendering."""

    corpus: Corpus
    videos: Path | None
    """The folder of videos; None for the place that the build noted."""
    training: Sequence[Clip]
    test: Sequence[PictureTask]
    """Driven by their own real motion."""
    crops: Mapping[str, Crop]
    """recording -> its crop."""

    def pictures(self, clip: Clip) -> Iterator[tuple[np.ndarray | None, float]]:
        """Of each frame of a clip its picture (S, S, 3) uint8, None where the video has none near, and by how many
        seconds the video's frame is off."""
        crop = self.crops[clip.recording]
        frames = range(clip.start, clip.start + clip.frames)
        expected = iter(frames)
        for shown in clip_pictures(self.corpus, clip.id, frames, self.videos):
            next(expected)
            yield (None if shown.picture is None else _cut(shown.picture, clip, crop)), shown.off
        for _ in expected:
            yield None, float("inf")


def _cut(picture: np.ndarray, clip: Clip, crop: Crop) -> np.ndarray:
    height, width = picture.shape[:2]
    if (width, height) != (clip.camera.width, clip.camera.height):
        raise CorpusError(
            f"The video of {clip.id} has pictures of {width} x {height}, its tracks are of {clip.camera.width} x "
            f"{clip.camera.height}: it changes its size. Build the corpus again."
        )
    return cut(picture, crop)


def open_pictures(corpus: Corpus, size: int, protocol: Protocol, videos: Path | None = None) -> PictureCorpus:
    """Split a corpus by the protocol's rule, find its videos, and crop each recording.

    Args:
        corpus: Built from videos.
        size: Side of the pictures, pixels.
        protocol: Its split is that of methods.
        videos: The folder of videos; None for the place that the build noted.

    Raises:
        CorpusError: a clip whose video is not there, a corpus at another rate, or a person of whom nothing is trained
            on or tested.
    """
    if corpus.info.fps != protocol.fps:
        raise CorpusError(f"The corpus is at {corpus.info.fps} fps, the protocol at {protocol.fps}: build it again.")
    split = split_clips(corpus.entries, protocol)
    for entry in corpus.entries:
        video_file(corpus, entry.id, videos)
    training, test = corpus.segments(split.train), corpus.segments(split.test)
    for person in corpus.info.identities:
        lacks = [what for what, part in (("train on", training), ("test", test)) if person not in _people(part)]
        if lacks:
            raise CorpusError(
                f"There is nothing of {person} to {' or '.join(lacks)}. Leave {person} out: --identities."
            )
    trained, asked = defaultdict[str, list[Clip]](list), defaultdict[str, list[Clip]](list)
    for clip in training:
        trained[clip.recording].append(clip)
    for clip in test:
        asked[clip.recording].append(clip)
    crops = {name: recording_crop(trained[name], asked[name], size) for name in {**trained, **asked}}
    training = [replace(clip, extras={}) for clip in training]
    tasks = [PictureTask(f"{clip.id}@{clip.start}", clip, crops[clip.recording], clip.motion) for clip in test]
    return PictureCorpus(corpus, videos, training, tasks, crops)


def _people(clips: Sequence[Clip]) -> set[str]:
    return {clip.identity for clip in clips}
