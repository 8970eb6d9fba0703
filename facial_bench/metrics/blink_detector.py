"""Blinks: an explicit detector of events, and what is taken from them.

On one public output the blink rate goes from 0.78 to 0.08 a second as the threshold goes from 0.1 to 1.0, so the
detector is part of every definition. Its levels were set on the real TRAINING clips of five people: from 0.15 to 0.30
above the baseline the number of events hardly changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from facial_bench.core.errors import unknown_name
from facial_bench.core.types import Items

LONGEST_SECONDS = 0.4
"""A closure that lasts longer is an eye closure, and no blink."""


def levels() -> Mapping[str, tuple[float, float]]:
    """Blink scale -> rise above the baseline at the onset, and at the end."""
    return {"closure": (0.2, 0.1), "AU45": (0.5, 0.25)}


@dataclass(frozen=True, eq=False)
class Blinks:
    """The blinks of a clip."""

    onsets: np.ndarray
    """(n,) int, first frame above the onset level."""
    ends: np.ndarray
    """(n,) int, first frame at or below the end level after it."""
    gaps: np.ndarray
    """(n,) bool, whether a frame without a face lies between this onset and the last one; True for the first."""


def detect_blinks(blink: np.ndarray, valid: np.ndarray, fps: float, scale: str = "closure") -> Blinks:
    """Blinks on the clip's own baseline, the median over its valid frames.

    An onset is the first frame more than the onset level above the baseline, the end the first frame no more than
    the end level above it. Not counted: an event that begins or ends outside the clip or touches a frame without a
    face, and one of more than 0.4 s.

    Args:
        blink: (T,) on the scale.
        valid: (T,) bool.
        fps: Frames per second.
        scale: `closure` (0..1) or `AU45` (0..5).

    Raises:
        FacialBenchError: An unknown scale.
        ValueError: Unequal lengths.

    >>> lids = np.array([0.1, 0.1, 0.5, 0.9, 0.25, 0.15, 0.1, 0.1])
    >>> blinks = detect_blinks(lids, np.ones(8, bool), 25.0)
    >>> blinks.onsets.tolist(), blinks.ends.tolist()
    ([2], [5])
    """
    if scale not in levels():
        raise unknown_name("blink scale", scale, levels())
    blink, valid = np.asarray(blink, dtype=np.float64), np.asarray(valid, dtype=bool)
    if blink.shape != valid.shape or blink.ndim != 1:
        raise ValueError(f"blink is {blink.shape}, valid {valid.shape}, expected two of (T,)")
    none = np.zeros(0, np.int64)
    if not valid.any():
        return Blinks(none, none, none.astype(bool))
    rise, fall = (np.median(blink[valid]) + level for level in levels()[scale])
    onsets, ends = _crossings(blink, rise, fall)
    unseen = np.concatenate([[0], np.cumsum(~valid)])
    seen = unseen[np.minimum(ends + 1, len(valid))] == unseen[np.maximum(onsets - 1, 0)]
    kept = seen & (onsets > 0) & (ends < len(blink)) & (ends - onsets <= LONGEST_SECONDS * fps + 1e-9)
    onsets, ends = onsets[kept], ends[kept]
    gaps = np.ones(len(onsets), dtype=bool)
    gaps[1:] = unseen[onsets[1:]] > unseen[onsets[:-1]]
    return Blinks(onsets, ends, gaps)


def _crossings(blink: np.ndarray, rise: float, fall: float) -> tuple[np.ndarray, np.ndarray]:
    """(n,) first frames above `rise` since the last frame at or below `fall`, and (n,) the next such frame (or T)."""
    state = np.where(blink > rise, 1, np.where(blink <= fall, -1, 0))
    marks = np.flatnonzero(state)
    turns = marks[np.flatnonzero(np.diff(state[marks], prepend=-1))]
    onsets, ends = turns[::2], turns[1::2]
    return onsets, np.concatenate([ends, np.full(len(onsets) - len(ends), len(blink))]).astype(np.int64)


def durations(blinks: Blinks, fps: float) -> Items:
    """Seconds from onset to end of each blink."""
    return Items(blinks.onsets, (blinks.ends - blinks.onsets) / fps)


def intervals(blinks: Blinks, fps: float) -> Items:
    """Seconds from onset to onset, where every frame between shows a face; at the later onset."""
    kept = ~blinks.gaps
    return Items(blinks.onsets[kept], np.diff(blinks.onsets, prepend=0)[kept] / fps)


def onset_frames(blinks: Blinks, valid: np.ndarray) -> Items:
    """Every valid frame, with 1 where a blink begins and 0 elsewhere."""
    begins = np.zeros(len(valid))
    begins[blinks.onsets] = 1.0
    return Items(np.flatnonzero(valid), begins[valid])
