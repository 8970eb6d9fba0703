"""The rendered pictures tracked again by the tracker that the corpus was built with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facial_bench.core.errors import FacialBenchError
from facial_bench.core.files import file_digest
from facial_bench.core.geometry import MOUTH, decode_face, project
from facial_bench.core.types import LANDMARKS, FaceModel, Tracker, TrackerSpec
from facial_bench.corpora.corpus import Corpus
from facial_bench.evaluation.clip_entries import no_value
from facial_bench.metrics.image.cycle import cycle_blink, cycle_definitions, cycle_distance
from facial_bench.metrics.image.metric import mean_of_rows
from facial_bench.rendering.result import REAL
from facial_bench.rendering.scoring import entry_of
from facial_bench.rendering.tasks import PictureTask
from facial_bench.statistics.rows import Entry

FULL = {"closure": 1.0, "AU45": 5.0}
"""Blink scale -> a full closure."""


@dataclass(frozen=True)
class CycleTracker:
    """The tracker of a corpus, ready; or why there is none."""

    spec: TrackerSpec | None
    weights: Path | None
    key: str
    """What it is: name and digest of its weights."""
    reason: str = ""
    """Why it cannot be used; then the metrics of the cycle are absent."""

    def start(self) -> Tracker | None:
        """A tracker for one stretch."""
        return None if self.spec is None else self.spec.create(self.weights)


NO_TRACKER = CycleTracker(None, None, "", "no tracker was looked for")


def find_tracker(corpus: Corpus, trackers: Mapping[str, TrackerSpec], model: Path | None) -> CycleTracker:
    """The tracker that a corpus was built with.

    Args:
        corpus: Says which.
        trackers: That are installed, by name.
        model: Its weights; None for where it looks for them.

    Raises:
        FacialBenchError: `model` was named, and it cannot be used.
    """
    name = corpus.info.tracker
    if not name or name not in trackers:
        why = f"the corpus was tracked with {name}, which is not installed" if name else "the corpus names no tracker"
        return CycleTracker(None, None, "", why)
    try:
        weights = trackers[name].weights(model)
    except FacialBenchError:
        if model is not None:
            raise
        return CycleTracker(None, None, "", f"the weights of the tracker {name} were not found; name them with --model")
    return CycleTracker(trackers[name], weights, f"{name} {file_digest(weights) if weights else ''}")


def cycle_entries(
    tracker: CycleTracker,
    task: PictureTask,
    face_model: FaceModel,
    pictures: Iterable[np.ndarray],
    fps: float,
    blink_scale: str,
    window: int,
) -> dict[str, Entry]:
    """What the metrics of the cycle find in a stretch.

    Args:
        tracker: Of the corpus.
        task: The stretch, with the motion that was asked for.
        face_model: Decodes it.
        pictures: T rendered pictures.
        fps: Frames per second.
        blink_scale: Of the corpus.
        window: Frames of a block of resampling.
    """
    running = tracker.start()
    if running is None:
        return {one.id: no_value(tracker.reason, absent=True) for one in cycle_definitions()}
    wanted, frames = wanted_landmarks(task, face_model), task.clip.frames
    found, closure = np.full((frames, LANDMARKS, 2), np.nan), np.full(frames, np.nan)
    try:
        for frame, picture in enumerate(pictures):
            face = running.track(picture, frame / fps)
            if face is not None:
                found[frame], closure[frame] = np.asarray(face.landmarks)[:, :2], face.blink
    finally:
        running.close()
    rows = {
        "cycle_lmd": cycle_distance(found, wanted, range(LANDMARKS)),
        "cycle_lmd/mouth": cycle_distance(found, wanted, MOUTH),
        "cycle_blink": cycle_blink(closure, task.motion.blink, FULL[blink_scale]),
    }
    seen = task.clip.valid
    return {name: entry_of(name, mean_of_rows, values[:, None], seen, window) for name, values in rows.items()}


def wanted_landmarks(task: PictureTask, face_model: FaceModel) -> np.ndarray:
    """(T, 68, 2) float64 pixels of the crop: the tracked landmarks of real motion; those that a method gave, or that
    its expression and pose decode to."""
    motion = task.motion
    if task.driving == REAL:
        return task.crop.points(task.clip.landmarks)
    if motion.landmarks is not None:
        return task.crop.points(motion.landmarks)
    face = decode_face(face_model, task.clip.identity, motion.expression)
    return task.crop.points(project(face, motion.pose, task.clip.camera))
