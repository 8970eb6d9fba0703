"""What a metric sees, and what a definition is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench_worker.face import Camera, Motion


@dataclass(frozen=True, eq=False)
class Sample:
    """A generated motion beside the real one, as a metric sees them. Arrays are float64 but `valid`."""

    reference: Motion
    """The real motion, T frames."""
    generated: Motion
    """The generated motion, T frames."""
    reference_landmarks: np.ndarray
    """(T, 68, D) as stored, pixels."""
    generated_landmarks: np.ndarray
    """(T, 68, 3) decoded from the generated motion and projected by the clip's camera, or given with it, pixels."""
    reference_face: np.ndarray
    """(T, 68, 3) decoded from the real expression alone at zero pose, length unit."""
    generated_face: np.ndarray
    """(T, 68, 3) decoded from the generated expression alone at zero pose, length unit."""
    valid: np.ndarray
    """(T,) bool, the frames to score."""
    fps: float
    camera: Camera
    audio: np.ndarray
    """(T, F) the driving audio features."""
    blink_scale: str = "closure"
    """`closure` or `AU45`: what the blinks of both motions are measured in."""

    def __getitem__(self, frames: slice) -> Sample:
        return replace(
            self,
            reference=self.reference[frames],
            generated=self.generated[frames],
            reference_landmarks=self.reference_landmarks[frames],
            generated_landmarks=_cut(self.generated_landmarks, frames),
            reference_face=self.reference_face[frames],
            generated_face=_cut(self.generated_face, frames),
            valid=self.valid[frames],
            audio=self.audio[frames],
        )


def _cut(array: np.ndarray, frames: slice) -> np.ndarray:
    return array if array is None else array[frames]  # None: the output lacks it, and no metric asks for it


@dataclass(frozen=True, eq=False)
class Person:
    """The real material of one identity, for metrics that measure against the person and not against the clip.

    In every sample both sides are the real motion of that clip.
    """

    identity: str
    training: Sequence[Sample]
    """The training clips."""
    test: Sequence[Sample]
    """The held-out clips."""


FAMILIES = ("lips", "head", "blinks", "pictures", "people", "other")
"""What a metric is about, in the order in which tables show them."""


@dataclass(frozen=True)
class Definition:
    """What a number is: two results whose definitions differ are different quantities, whatever their names.

    Id, version, unit, direction and formula make the content digest. The rest may be reworded.

    Raises:
        ValueError: The family is none of `FAMILIES`.
    """

    id: str
    """`name` or `name/variant`."""
    version: int
    """Goes up when a number could change."""
    unit: str
    higher_is_better: bool | None
    """None where only the distance to the real value means anything: such a metric ranks nothing."""
    formula: str
    """The definition, in one line of text."""
    meaning: str = field(default="", kw_only=True)
    """What it tells, in a few plain words: shown where the formula would be too long."""
    family: str = field(default="other", kw_only=True)
    """One of `FAMILIES`: the section of a board, the picture, the group of a table that it stands in."""
    every_run: bool = field(default=False, kw_only=True)
    """Of the metrics that come with facial-bench: whether each run measures it, or only a command that names it. A
    plugin's metrics are measured in each run that loads the plugin."""
    ranked: bool = field(default=False, kw_only=True)
    """Whether methods are ranked on it, first on a board and in a table."""
    chance: float | None = field(default=None, kw_only=True)
    """The fixed chance level of a share, 0..1; None where chance is what a still face gets."""
    perturbations: tuple[str, ...] = field(default=(), kw_only=True)
    """The perturbations of real motion that it is there to respond to, by name."""
    origin: str = field(default="", kw_only=True)
    """Who defined it, and who uses it under which name; one line."""
    pitfalls: str = field(default="", kw_only=True)
    """What it does not measure, and what is done wrong with it; one line."""

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise ValueError(f"metric {self.id}: the family {self.family!r} is none of {', '.join(FAMILIES)}")


@dataclass(frozen=True, eq=False)
class Items:
    """What a pooled metric finds in a clip: events, or windows."""

    frames: np.ndarray
    """(n,) int, the frame of the clip that each item belongs to (its first); n may be 0."""
    values: np.ndarray
    """(n,) or (n, d) float64."""


@dataclass(frozen=True)
class Pool:
    """How one value of a person comes from the items of several clips. Values of people are averaged."""

    reduce: Callable[[np.ndarray], Sequence[float]]
    """(n, ...) values, n >= 0 -> finite numbers that stand for them in a result file."""
    estimate: Callable[[Sequence[Sequence[float]], np.ndarray, Sequence[float]], np.ndarray]
    """(what U clips reduce to, (R, U) how often each is taken, what all real held-out items of the person reduce to)
    -> (R,) float64, one value per row of counts; NaN where it is not defined."""


@dataclass(frozen=True)
class MetricSpec(Definition):
    """A definition with the function that computes it, clip by clip."""

    compute: Callable[..., Any]
    """compute(sample), or compute(sample, prepared) where `prepare` is given -> (T,) float64 per-frame values,
    averaged over the valid frames; or () for a value of a whole clip; or `Items` where `pool` is given."""
    pool: Pool | None = None
    """For metrics of a person's whole motion (a distribution, a rate): compute gives Items of the GENERATED side."""
    prepare: Callable[[Person], Any] | None = None
    """Called once per identity; its answer is handed to `compute`."""
    needs: tuple[str, ...] = ("expression", "pose", "blink")
    """The parts of a generated motion that it looks at: `expression`, `pose`, `blink`, `landmarks`. Of an output that
    lacks one it is absent."""


@dataclass(frozen=True)
class PictureMetricSpec(Definition):
    """A definition of a plugin that compares pictures frame by frame, with a network of its own.

    The value of a stretch is the mean over its frames. The digest of the weights is part of the definition: two models
    give two quantities.
    """

    weights: Callable[[Path | None], Path | None]
    """weights(chosen) -> the file of weights to use, from `--metric-model` or wherever the metric looks for it (None if
    it needs none); raises FacialBenchError, saying where to get it, when there is none. Called before work begins."""
    create: Callable[[Path | None], Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]]
    """create(weights) -> measure; heavy imports belong inside. measure(real, rendered, landmarks) -> (n,) float64, a
    value a frame: real and rendered are (n, S, S, 3) uint8 RGB, landmarks (n, 68, 2) those of the real face, pixels of
    the pictures. NaN where a frame has no value, which the real picture and its landmarks alone decide."""
    same_moment: bool = True
    """Whether the real picture must show what was to be rendered. Where it need not, the metric is also measured of
    motion that a method generated, and measure takes a fourth argument: (n, 68, 2), the landmarks of the face that was
    to be rendered."""
