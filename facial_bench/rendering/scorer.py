"""The row of a stretch from its pictures: against the real ones, and tracked again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from facial_bench.core.types import Definition
from facial_bench.metrics.catalog import definition_digest
from facial_bench.metrics.image.cycle import cycle_definitions
from facial_bench.metrics.image.metric import ImageMetric
from facial_bench.rendering.cycle import CycleTracker, cycle_entries, wanted_landmarks
from facial_bench.rendering.protocol import PictureProtocol
from facial_bench.rendering.result import REAL, PictureRow
from facial_bench.rendering.scoring import score
from facial_bench.rendering.tasks import PictureCorpus, PictureTask


@dataclass(frozen=True, eq=False)
class PictureScorer:
    """What pictures are scored with."""

    pictures: PictureCorpus
    protocol: PictureProtocol
    tracker: CycleTracker
    compared: Sequence[ImageMetric]
    """Those that compare with the real pictures."""

    @classmethod
    def of(
        cls,
        pictures: PictureCorpus,
        protocol: PictureProtocol,
        tracker: CycleTracker,
        brought: Sequence[ImageMetric] = (),
    ) -> PictureScorer:
        """With everything that is measured of self-reenactment: the protocol's metrics, then those of plugins."""
        return cls(pictures, protocol, tracker, (*protocol.metrics(), *brought))

    def unaligned(self) -> PictureScorer:
        """With what needs no real picture of the very same moment: for motion that somebody generated."""
        kept = [one for one in self.compared if one.higher_is_better is None or not one.same_moment]
        return replace(self, compared=kept)

    @property
    def key(self) -> Sequence[str]:
        """What its numbers depend on besides the protocol: the tracker, and the metrics of plugins."""
        brought = [one for one in self.compared if one.source]
        return [self.tracker.key, *(f"{definition_digest(one)} {one.source} {one.absent}" for one in brought)]

    @property
    def definitions(self) -> Sequence[Definition]:
        """All that a row holds."""
        return (*self.compared, *cycle_definitions())

    @property
    def absent(self) -> Mapping[str, str]:
        """Id -> why, of the metrics that cannot be computed here."""
        cycle = {one.id: self.tracker.reason for one in cycle_definitions() if self.tracker.spec is None}
        return {one.id: one.absent for one in self.compared if one.absent} | cycle

    def row(self, task: PictureTask, rendered: Callable[[], Iterator[np.ndarray]], stored: str = "") -> PictureRow:
        """Score a stretch.

        Args:
            task: The stretch.
            rendered: Begins its T pictures (S, S, 3) uint8 anew.
            stored: SHA-256 of the file that holds them.

        Raises:
            CorpusError: a video that cannot be read. ValueError: another number of pictures.
        """
        clip, rules, info = task.clip, self.protocol.split, self.pictures.corpus.info
        real = self.pictures.pictures(clip)
        model = self.pictures.corpus.face_model
        wanted = None if task.driving == REAL else wanted_landmarks(task, model)
        scored = score(self.compared, clip, task.crop, real, rendered(), rules.window, wanted)
        cycle = cycle_entries(self.tracker, task, model, rendered(), rules.fps, info.blink_scale, rules.window)
        return PictureRow(
            request=task.id,
            clip=clip.id,
            start=clip.start,
            frames=clip.frames,
            driving="self",
            identity=clip.identity,
            status="ok",
            metrics={**scored.entries, **cycle},
            motion=stored,
            shown=scored.frames,
            farthest_ms=round(1000 * scored.farthest, 3),
        )
