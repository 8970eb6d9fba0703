"""Finished videos of any system in a renderer's place: one a stretch, its frames matched by time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facial_bench.core.errors import CorpusError, FacialBenchError, GenerationError
from facial_bench.core.types import Crop, RendererSpec
from facial_bench.core.version import DISTRIBUTION
from facial_bench.corpora.find_videos import VIDEO_ENDINGS
from facial_bench.media.frames import frames_at
from facial_bench.media.video import Video
from facial_bench.methods.output_files import find_output, folder_digest
from facial_bench.rendering.crop import cut
from facial_bench.rendering.renderer import RendererCode
from facial_bench.rendering.tasks import PictureTask

NAME = "precomputed"
FRAMINGS = ("camera", "crop")
ROUNDING = 0.001
"""Seconds: containers count in milliseconds, or finer."""
SHAPE = 0.01
"""Relative difference of two shapes that counts as none."""


def spec() -> RendererSpec:
    """What is listed; the harness reads the videos itself."""

    def create(context: object) -> None:
        raise FacialBenchError(f"{NAME} reads finished videos: use it with `facial-bench render` alone.")

    return RendererSpec(
        NAME,
        "finished videos of any system: --option videos=DIR",
        "whoever made them",
        create,  # type: ignore[arg-type]
        options={
            "videos": "folder of videos, called after the stretches (CLIP@FRAME.mp4, as rendering.json lists them)",
            "framing": "camera (default): they show what the camera saw, at any size; crop: they show the crop",
        },
    )


def is_finished(code: RendererCode) -> bool:
    """Whether a renderer stands for finished videos."""
    return code.name == NAME and code.plugin == DISTRIBUTION


@dataclass(frozen=True)
class FinishedVideos:
    """A folder of videos."""

    folder: Path
    framing: str

    @classmethod
    def of(cls, options: Mapping[str, str]) -> FinishedVideos:
        """Raises FacialBenchError for options that name no folder or no framing."""
        folder, framing = options.get("videos", ""), options.get("framing", FRAMINGS[0])
        if not folder or not Path(folder).is_dir():
            raise FacialBenchError(f"{NAME}: --option videos={folder} is no folder. Name that of the finished videos.")
        if framing not in FRAMINGS:
            raise FacialBenchError(f"{NAME}: --option framing={framing} is not known; use {' or '.join(FRAMINGS)}.")
        return cls(Path(folder), framing)

    def digest(self) -> str:
        """SHA-256 over names and contents of the videos."""
        return folder_digest(self.folder)

    def pictures(self, task: PictureTask, fps: float) -> Iterator[np.ndarray]:
        """The T pictures (S, S, 3) uint8 of a stretch: of each frame, counted from the video's first picture, the one
        nearest in time.

        Raises:
            GenerationError: no such video, a damaged one, one of another shape, or one that lacks a frame.
        """
        path = find_output(self.folder, f"self/{task.id}", VIDEO_ENDINGS)
        try:
            with Video(path) as video:
                first = next(video.read())[0]
            with Video(path) as video:
                farthest = 0.5 / min(fps, video.fps or fps) + ROUNDING
                framed: Callable[[np.ndarray], np.ndarray] | None = None
                for shown in frames_at(video, (first + frame / fps for frame in range(task.clip.frames))):
                    if abs(shown.off) > farthest:
                        raise GenerationError(
                            f"{path.name} has no picture at {shown.number / fps:.2f} s; the nearest one is "
                            f"{1000 * abs(shown.off):.0f} ms off ({task.clip.frames / fps:.2f} s were asked for)"
                        )
                    framed = framed or self._framed(path, shown.picture, task)
                    yield framed(shown.picture)
        except CorpusError as problem:
            raise GenerationError(str(problem)) from None

    def _framed(self, path: Path, picture: np.ndarray, task: PictureTask) -> Callable[[np.ndarray], np.ndarray]:
        """What makes the crop of a picture."""
        height, width = picture.shape[:2]
        crop, camera = task.crop, task.clip.camera
        wanted = 1.0 if self.framing == "crop" else camera.width / camera.height
        if abs(width / height / wanted - 1) > SHAPE:
            shape = "square" if self.framing == "crop" else f"{camera.width} x {camera.height}"
            hint = "; if it shows the crop: --option framing=crop" if self.framing == "camera" else ""
            raise GenerationError(f"{path.name} is {width} x {height}, of another shape than {shape}{hint}")
        scale = width / camera.width
        own = Crop(0.0, 0.0, float(min(width, height)), crop.size)
        if self.framing == "camera":
            own = Crop(crop.left * scale, crop.top * scale, crop.side * scale, crop.size)
        return lambda image: cut(image, own)
