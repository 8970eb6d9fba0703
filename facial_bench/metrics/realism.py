"""Is the motion told from real motion? The definitions of the realism metrics, and what their networks see of a motion.

Source: Lopez-Paz and Oquab, Revisiting Classifier Two-Sample Tests (ICLR 2017). The networks: `two_sample`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from facial_bench.core.types import Clip, Definition, Motion

LARGEST = 30.0
"""Standardised values beyond are cut to it: told apart anyway."""


@dataclass(frozen=True)
class RealismDefinition(Definition):
    """The definition of a realism metric: networks that are trained on the very motion compute it."""

    part: str
    """`pose` or `blink`: what of a motion is looked at."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The parts of a generated motion that it looks at."""
        return (self.part,)

    def signal(self, motion: Motion) -> np.ndarray:
        """(T, C) float64 of a motion: pose (6) or blink (1)."""
        return np.asarray(motion.pose if self.part == "pose" else motion.blink[:, None], np.float64)


@cache
def realism_definitions() -> tuple[RealismDefinition, ...]:
    """The realism metrics of the protocol."""
    return (
        _realism("pose", "head", "head poses (128 x 6)", ("jitter", "smoothing", "head amplitude", "dropped frames")),
        _realism(
            "blink",
            "blinks",
            "blinks (128 x 1)",
            ("jitter", "smoothing", "blinks deleted", "blinks added", "blinks stretched"),
        ),
    )


def _realism(part: str, family: str, seen: str, perturbations: tuple[str, ...]) -> RealismDefinition:
    return RealismDefinition(
        id=f"{part}_realism",
        version=1,
        unit="share",
        higher_is_better=False,
        formula=f"mean over identities of the share of windows of {seen}, generated and real of the same clips in "
        "equal number, that networks tell rightly as generated or real; each window with its mean removed, and its "
        "frame differences, standardised by real training motion; cross-fitted: each window is told by a network that "
        "was trained on other clips, or other stretches with a gap of a window; a failed clip counts as told apart; "
        "its ceiling is real training clips in the place of generated ones",
        meaning=f"how often networks tell the {seen.rpartition(' (')[0]} from real ones; 0.5: never",
        origin="classifier two-sample test, Lopez-Paz and Oquab (ICLR 2017)",
        pitfalls="near 0.5 says that this network on so few windows finds no difference; natural is not speaking: a "
        "copy of training motion is natural; many methods are told apart always, and it ranks them no further",
        family=family,
        every_run=True,
        ranked=True,
        perturbations=perturbations,
        part=part,
    )


@cache
def realisms() -> dict[str, RealismDefinition]:
    """id -> definition of the realism metrics."""
    return {one.id: one for one in realism_definitions()}


@dataclass(frozen=True, eq=False)
class Scale:
    """How windows are standardised: by real training motion alone."""

    deviation: np.ndarray
    """(2C,) standard deviation of the centred channels, then of their frame differences; never 0."""

    def windows(self, signal: np.ndarray, starts: np.ndarray, window: int) -> np.ndarray:
        """(W, window, 2C) float32: centred channels and frame differences (0 in the first frame), standardised.

        Args:
            signal: (T, C).
            starts: (W,) first frames.
            window: frames of a window.
        """
        return np.clip(raw_windows(signal, starts, window) / self.deviation, -LARGEST, LARGEST).astype(np.float32)


def raw_windows(signal: np.ndarray, starts: np.ndarray, window: int) -> np.ndarray:
    """(W, window, 2C) float64: each window less its mean, and its frame differences, 0 in the first frame."""
    cut = signal[np.asarray(starts, np.int64)[:, None] + np.arange(window)]
    steps = np.diff(cut, axis=1, prepend=cut[:, :1])
    return np.concatenate([cut - cut.mean(axis=1, keepdims=True), steps], axis=2)


def make_scale(
    definition: RealismDefinition, training: Sequence[Clip], starts: Sequence[np.ndarray], window: int
) -> Scale:
    """The standard deviation of each channel over all windows of real training clips; 1 where it is 0.

    Args:
        definition: names the signal.
        training: real clips.
        starts: first frames of the windows of each.
        window: frames of a window.
    """
    pairs = zip(training, starts, strict=True)
    cut = [raw_windows(definition.signal(clip.motion), own, window) for clip, own in pairs if len(own)]
    if not cut:
        raise ValueError("no window of real training motion")
    deviation = np.concatenate(cut).std(axis=(0, 1))
    return Scale(np.where(deviation > 0, deviation, 1.0))
