"""One stretch of video: rendered, stored without loss, scored, shown; or failed, and counted as chance."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from facial_bench.core.errors import GenerationError
from facial_bench.core.files import file_digest, write_arrays, write_bytes
from facial_bench.core.progress import Reporter
from facial_bench.core.types import Definition
from facial_bench.corpora.from_videos.video_frames import clip_sound
from facial_bench.media.encode import VideoWriter
from facial_bench.rendering.driving import stored_motion
from facial_bench.rendering.outputs import stored_pictures, write_sheet, write_videos
from facial_bench.rendering.renderer import Ask, RendererCode
from facial_bench.rendering.result import REAL, PictureRow
from facial_bench.rendering.scorer import PictureScorer
from facial_bench.rendering.tasks import PictureTask
from facial_bench.statistics.rows import Entry


class Finished(msgspec.Struct, frozen=True):
    """A stretch that was scored."""

    row: PictureRow
    scored_with: tuple[str, ...]
    """As of `PictureScorer.key`."""


@dataclass(frozen=True, eq=False)
class Rendered:
    """A renderer that is asked, and where its work goes."""

    code: RendererCode
    scorer: PictureScorer
    ask: Ask
    folder: Path
    report: Reporter

    def row(self, task: PictureTask, chance: PictureRow) -> tuple[PictureRow, float]:
        """The row of one stretch and the seconds that rendering took; what an earlier run finished is used again. Its
        pictures are, too, where they were scored with another tracker or other metrics."""
        stored, kept = self.folder / "pictures" / f"{task.id}.mkv", self.folder / "rows" / f"{task.id}.json"
        finished, scorer = _read_finished(kept, stored), tuple(self.scorer.key)
        if finished is not None and finished.scored_with == scorer:
            return finished.row, 0.0
        spent = 0.0
        if finished is None:
            try:
                spent = self._render(task, stored)
            except GenerationError as problem:
                self.report.warn(f"{self.code} failed on {task.id}: {problem}")
                return _failed_row(task, chance, self.scorer.definitions, str(problem)), 0.0
        driven = ""
        if task.driving != REAL:
            parts = {name: part for name, part in vars(task.motion).items() if part is not None}
            driven = write_arrays(stored_motion(self.folder, task.id), parts)
        row = self.scorer.row(task, partial(stored_pictures, stored), file_digest(stored))
        row = msgspec.structs.replace(row, driven_by=driven)
        if finished is None:
            self._show(task, stored)
        write_bytes(kept, msgspec.json.encode(Finished(row, scorer)))
        return row, spent

    def _render(self, task: PictureTask, stored: Path) -> float:
        """Render a stretch into a file; the seconds that it took. Raises GenerationError where it gives no pictures."""
        started = time.perf_counter()
        made = self.ask(task)
        spent = time.perf_counter() - started
        stored.parent.mkdir(parents=True, exist_ok=True)
        with VideoWriter(stored, self.scorer.protocol.split.fps) as writer:
            for picture in made:
                writer.add(np.asarray(picture))
        return spent

    def _show(self, task: PictureTask, stored: Path) -> None:
        """The videos and the sheet of a stretch."""
        pictures, rules, clip = self.scorer.pictures, self.scorer.protocol, task.clip
        sound = clip_sound(pictures.corpus, clip.id, clip.start, clip.frames, pictures.videos)
        videos, aligned = self.folder / "videos", task.driving == REAL
        videos.mkdir(parents=True, exist_ok=True)
        errors = videos / f"{task.id}.errors.mp4" if aligned else None
        real, fps = pictures.pictures, rules.split.fps
        write_videos(videos / f"{task.id}.mp4", errors, real(clip), stored_pictures(stored), fps, sound, rules.crf)
        if aligned:
            title = f"{self.code.name}: {task.id}"
            sheet = self.folder / "sheets" / f"{task.id}.png"
            write_sheet(sheet, title, clip.frames, fps, real(clip), stored_pictures(stored))


def _read_finished(kept: Path, stored: Path) -> Finished | None:
    """What an earlier run finished, where its pictures are still what was scored."""
    try:
        finished = msgspec.json.decode(kept.read_bytes(), type=Finished)
        return finished if finished.row.motion == file_digest(stored) else None
    except (OSError, msgspec.ValidationError, msgspec.DecodeError):
        return None


def _failed_row(task: PictureTask, chance: PictureRow, metrics: Sequence[Definition], reason: str) -> PictureRow:
    """The row of a stretch that the renderer failed on: it counts with what chance gets there."""
    entries = {}
    for metric in metrics:
        stands = chance.metrics[metric.id]
        if stands.absent:
            entries[metric.id] = stands
        elif metric.higher_is_better is None or stands.numbers is None:
            entries[metric.id] = Entry(value=None, reason=reason, failed=True)
        else:
            entries[metric.id] = msgspec.structs.replace(stands, reason=reason, failed=True)
    return msgspec.structs.replace(
        chance, status="failed", reason=reason, metrics=entries, motion="", shown=(0, task.clip.frames), farthest_ms=0
    )
