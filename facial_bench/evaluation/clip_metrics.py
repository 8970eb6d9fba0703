"""Measuring motion: definitions made ready for the people of a corpus, and what they say of one clip.

An entry is what a metric leaves in a row; see `statistics.rows`.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from facial_bench.core.errors import PluginError, one_line
from facial_bench.core.geometry import decode_face, project
from facial_bench.core.types import Clip, CorpusInfo, FaceModel, Items, MetricSpec, Motion, Person, Sample
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

    A frame that the REFERENCE cannot be scored in is left out and counted; one in which the GENERATED face cannot be
    seen (behind the camera, say) fails the clip, so that a method cannot hide its worst frames.
    """
    sample = make_sample(metric_set.model, metric_set.info, clip, motion)
    seen = sample.generated_landmarks
    hidden = 0 if seen is None else int((sample.valid & ~np.isfinite(seen).all(axis=(1, 2))).sum())
    if hidden:
        failed = no_value(f"the generated face is not in view in {hidden} frames")
        return {measure.spec.id: failed for measure in metric_set.measures}
    return {
        measure.spec.id: lacking(measure.spec.needs, motion.parts)
        or _entry(measure, sample, clip.identity, metric_set.block)
        for measure in metric_set.measures
    }


def lacking(needs: Collection[str], parts: Collection[str], absent: bool = False) -> Entry | None:
    """The entry of a metric for an output without the parts that it needs; None where they are there.

    Args:
        needs: the parts that the metric looks at.
        parts: those that the output holds.
        absent: whether the metric is absent then, because no output of the method holds them.
    """
    gone = [name for name in needs if name not in parts]
    return no_value(f"needs {' and '.join(gone)}, which this output does not hold", absent) if gone else None


def no_value(reason: str, absent: bool = False) -> Entry:
    """The entry of a clip that a metric gives nothing for."""
    return Entry(value=None, reason=reason, absent=absent)


def _entry(measure: Measure, sample: Sample, identity: str, block: int) -> Entry:
    spec, edges = measure.spec, make_edges(len(sample.valid), block)
    try:
        computed = measure(sample, identity)
        if spec.pool is not None:
            return _pooled_entry(spec, computed, edges)
        values = np.asarray(computed, dtype=np.float64)
        parts = [float(measure(sample[a:b], identity)) for a, b in edges] if values.ndim == 0 else []
    except Exception as problem:
        return no_value(one_line(f"metric {spec.id} raised {type(problem).__name__}: {problem}"))
    if values.ndim == 0:
        return _scalar_entry(spec, float(values), parts)
    if values.shape != sample.valid.shape:
        return no_value(f"metric {spec.id} gave shape {values.shape} for {len(sample.valid)} frames")
    scored = sample.valid & np.isfinite(values)
    if not scored.any():
        return no_value("no frame can be scored")
    blocks = ((float(values[a:b][scored[a:b]].sum()), int(scored[a:b].sum())) for a, b in edges)
    return Entry(
        value=float(values[scored].mean()),
        weight=1,
        blocks=tuple(block for block in blocks if block[1]),
        frames=(int(scored.sum()), int(sample.valid.sum())),
    )


def _scalar_entry(spec: MetricSpec, value: float, parts: Sequence[float]) -> Entry:
    """A value of the whole clip; blocks in which it is not defined are left out."""
    if not np.isfinite(value):
        return no_value(f"{spec.id} is not defined for this clip")
    blocks = tuple((part, 1) for part in parts if np.isfinite(part))
    return Entry(value=value, weight=1, blocks=blocks or ((value, 1),))


def _pooled_entry(spec: MetricSpec, items: Any, edges: Sequence[tuple[int, int]]) -> Entry:
    """What a clip's items reduce to, as a whole and block by block."""
    if not isinstance(items, Items) or spec.pool is None:
        return no_value(f"metric {spec.id} gave a {type(items).__name__}, expected Items")
    frames, values = np.asarray(items.frames), np.asarray(items.values, dtype=np.float64)
    if frames.ndim != 1 or len(frames) != len(values) or not np.isfinite(values).all():
        return no_value(f"metric {spec.id} gave {len(frames)} frames for {values.shape} finite values")
    inside = [values[(frames >= a) & (frames < b)] for a, b in edges]
    part, *blocks = (tuple(float(number) for number in spec.pool.reduce(own)) for own in (values, *inside))
    return Entry(part=part, blocks=tuple(blocks), items=len(frames))


def make_edges(frames: int, block: int) -> list[tuple[int, int]]:
    """Blocks of `block` frames; a shorter rest belongs to the last one."""
    cuts = [k * block for k in range(max(frames // block, 1))] + [frames]
    return list(itertools.pairwise(cuts))


def _double(motion: Motion) -> Motion:
    parts = vars(motion).items()
    return Motion.from_parts({name: None if part is None else np.asarray(part, np.float64) for name, part in parts})
