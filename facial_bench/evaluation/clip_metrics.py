"""Measuring motion: definitions made ready for the people of a corpus, and what they say of one clip.

What a metric leaves in a row is made in `clip_entries`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from facial_bench.core.errors import PluginError, one_line
from facial_bench.core.geometry import decode_face, project
from facial_bench.core.types import Clip, CorpusInfo, FaceModel, MetricSpec, Motion, Person, Sample
from facial_bench.evaluation.clip_entries import failed_entry, find, hidden_by, lacking
from facial_bench.statistics.rows import Entry


@dataclass(frozen=True, eq=False)
class Measure:
    """A definition, and what it prepared for each person."""

    spec: MetricSpec
    prepared: Mapping[str, Any]
    """identity -> the answer of `spec.prepare`; empty where there is none."""

    def __call__(self, sample: Sample, identity: str) -> Any:
        """What the definition computes of a sample."""
        if self.spec.prepare is None:
            return self.spec.compute(sample)
        return self.spec.compute(sample, self.prepared[identity])


@dataclass(frozen=True, eq=False)
class MetricSet:
    """All that motion is measured with but the identity classifiers."""

    model: FaceModel
    info: CorpusInfo
    measures: Sequence[Measure]
    block: int
    """Frames of a block: the unit of resampling where a person has one clip only."""


def make_sample(model: FaceModel, info: CorpusInfo, clip: Clip, motion: Motion) -> Sample:
    """A motion beside the real one of the clip, everything in float64.

    Raises:
        ValueError: the motion is not as long as the clip: it is never cut.
    """
    if motion.frames != clip.frames:
        raise ValueError(f"clip {clip.id} has {clip.frames} frames, the motion {motion.frames}")
    face = None if motion.expression is None else decode_face(model, clip.identity, motion.expression)
    shown = motion.landmarks
    if shown is None and "landmarks" in motion.parts:
        shown = project(face, motion.pose, clip.camera)
    seen: Any = None if shown is None else np.asarray(shown, np.float64)  # None: no metric asks for it
    return Sample(
        reference=_double(clip.motion),
        generated=_double(motion),
        reference_landmarks=clip.landmarks.astype(np.float64),
        generated_landmarks=seen,
        reference_face=decode_face(model, clip.identity, clip.motion.expression),
        generated_face=face,
        valid=clip.valid,
        fps=info.fps,
        camera=clip.camera,
        audio=clip.audio.astype(np.float64),
        blink_scale=info.blink_scale,
    )


def make_metric_set(
    model: FaceModel,
    info: CorpusInfo,
    specs: Sequence[MetricSpec],
    training: Sequence[Clip],
    test: Sequence[Clip],
    block: int,
) -> MetricSet:
    """Make definitions ready: each that prepares itself is shown the real clips of every person tested, once.

    Raises:
        PluginError: a definition raised while it prepared itself.
    """
    eager = [spec for spec in specs if spec.prepare is not None]
    prepared: dict[str, dict[str, Any]] = {spec.id: {} for spec in specs}
    for person in info.identities if eager else ():
        real = [
            [make_sample(model, info, c, c.motion) for c in part if c.identity == person] for part in (training, test)
        ]
        for spec in eager if real[1] else ():  # a fold may test nothing of a person: nothing is measured then
            try:
                prepared[spec.id][person] = spec.prepare(Person(person, *real)) if spec.prepare else None
            except Exception as problem:
                reason = one_line(f"{type(problem).__name__}: {problem}")
                raise PluginError(f"The metric {spec.id} could not be prepared for {person}: {reason}.") from problem
    return MetricSet(model, info, [Measure(spec, prepared[spec.id]) for spec in specs], block)


def measure_clip(metric_set: MetricSet, clip: Clip, motion: Motion) -> dict[str, Entry]:
    """metric id -> entry of a motion that is compared with the real one of the clip.

    A frame, or a clip, that a metric has no value for in the REAL motion is left out and counted. Where it has one for
    the real motion and none for the generated one the entry is failed, so that a method cannot hide its worst frames.
    """
    sample = make_sample(metric_set.model, metric_set.info, clip, motion)
    out_of_view = _out_of_view(sample)
    if out_of_view:
        return {measure.spec.id: failed_entry(out_of_view) for measure in metric_set.measures}
    real = sample if motion is clip.motion else None
    entries: dict[str, Entry] = {}
    for measure in metric_set.measures:
        lacks = lacking(measure.spec.needs, motion.parts)
        if lacks:
            entries[measure.spec.id] = lacks
            continue
        compute = partial(measure, identity=clip.identity)
        found = find(measure.spec, compute, sample, metric_set.block)
        entry = found.entry
        if real is not sample and not found.whole:
            real = real or make_sample(metric_set.model, metric_set.info, clip, clip.motion)
            hidden = hidden_by(measure.spec.id, found, find(measure.spec, compute, real, metric_set.block))
            entry = failed_entry(hidden) if hidden else entry
        entries[measure.spec.id] = entry
    return entries


def _out_of_view(sample: Sample) -> str:
    """Why the generated face is not seen in a frame in which the real one is; empty where it is."""
    if sample.generated_landmarks is None:
        return ""
    real, made = (
        np.isfinite(points).all(axis=(1, 2)) for points in (sample.reference_landmarks, sample.generated_landmarks)
    )
    frames = np.flatnonzero(sample.valid & real & ~made)
    return f"the generated face is not in view in {len(frames)} frames, the first is {frames[0]}" if len(frames) else ""


def _double(motion: Motion) -> Motion:
    parts = vars(motion).items()
    return Motion.from_parts({name: None if part is None else np.asarray(part, np.float64) for name, part in parts})
