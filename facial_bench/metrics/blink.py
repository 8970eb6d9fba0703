"""Blinks: an explicit detector of events, and what is counted of them.

On one public output the blink rate goes from 0.78 to 0.08 a second as the threshold goes from 0.1 to 1.0, so the
detector is part of every definition. Its levels were set on the real TRAINING clips of five people: from 0.15 to 0.30
above the baseline the number of events hardly changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from facial_bench.core.errors import unknown_name
from facial_bench.core.types import Items, MetricSpec, Sample
from facial_bench.metrics.pools import mean_pool, rate_distance_pool, wasserstein_pool

LONGEST_SECONDS = 0.4
"""A closure that lasts longer is an eye closure, and no blink."""
SHORT_SECONDS = 0.2
"""Up to here a blink is short, above it long."""


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


def blink_metrics() -> tuple[MetricSpec, ...]:
    """The definitions of this family."""
    blink = partial(
        MetricSpec,
        version=1,
        family="blinks",
        needs=("blink",),
        origin="blink statistics as FACIAL (ICCV 2021) reports them, without a detector; ours is explicit",
        every_run=True,
    )
    number = partial(blink, unit="1/s", perturbations=("blinks deleted", "blinks added"))
    duration = partial(blink, unit="s", perturbations=("blinks stretched",))
    interval = partial(blink, unit="s", perturbations=("blinks deleted", "blinks added"))
    spoken = "; ".join(f"{scale}: {rise:g}, {fall:g}" for scale, (rise, fall) in levels().items())
    detector = (
        "a blink begins in the first frame more than a level above the clip's median over valid frames and ends in the "
        f"first no more than a second level above it ({spoken}); over {LONGEST_SECONDS:g} s it is no blink; events cut "
        "by the clip's ends or by a frame without a face are left out"
    )
    few = "a clip of ten seconds holds three blinks: few events, wide intervals"
    shift = "mean over people of the Wasserstein-1 distance between the seconds from onset to"
    real = f"and those of the person's real held-out blinks; {detector}"
    return (
        number(
            id="blink_rate",
            higher_is_better=None,
            meaning="how often the eyes blink",
            formula=f"mean over clips of blinks / seconds seen; {detector}",
            compute=_rate,
            pitfalls="a timer has any rate; another detector gives another rate",
        ),
        number(
            id="blink_rate/distance",
            higher_is_better=False,
            meaning="whether the eyes blink as often as the person's do",
            formula="mean over people of abs(blinks / seconds seen - the same of the person's real held-out motion); "
            f"{detector}",
            compute=_rate_items,
            pool=rate_distance_pool(),
            pitfalls="a timer set to the person's rate scores 0",
        ),
        duration(
            id="blink_duration",
            higher_is_better=None,
            meaning="how long a blink lasts",
            formula=f"mean over people of the mean seconds from onset to end; {detector}",
            compute=_generated(durations),
            pool=mean_pool(),
            pitfalls="a shallow blink crosses the levels for a shorter time",
        ),
        duration(
            id="blink_duration/w1",
            higher_is_better=False,
            meaning="whether blinks last as long as the person's, short and long ones alike",
            formula=f"{shift} end {real}",
            compute=_generated(durations),
            pool=wasserstein_pool(),
            pitfalls=few,
        ),
        interval(
            id="blink_interval",
            higher_is_better=None,
            meaning="how long it is from one blink to the next",
            formula=f"mean over people of the mean seconds from onset to onset; {detector}",
            compute=_generated(intervals),
            pool=mean_pool(),
            pitfalls="intervals longer than a clip are never seen",
        ),
        interval(
            id="blink_interval/w1",
            higher_is_better=False,
            meaning="whether blinks follow each other as the person's do",
            formula=f"{shift} onset {real}",
            compute=_generated(intervals),
            pool=wasserstein_pool(),
            pitfalls=few,
        ),
        duration(
            id="blink_long_share",
            unit="share",
            higher_is_better=None,
            meaning="how many of the blinks are long",
            formula=f"mean over people of the share of blinks of more than {SHORT_SECONDS:g} s; {detector}",
            compute=_generated(_long),
            pool=mean_pool(),
            pitfalls="at 25 frames a second a duration is known to 0.04 s",
            every_run=False,
        ),
    )


def _blinks(sample: Sample) -> Blinks:
    return detect_blinks(sample.generated.blink, sample.valid, sample.fps, sample.blink_scale)


def _generated(items: Callable[[Blinks, float], Items]) -> Callable[[Sample], Items]:
    return lambda sample: items(_blinks(sample), sample.fps)


def _rate(sample: Sample) -> np.ndarray:
    """(T,) blinks a second: the frame rate where one begins, else 0."""
    frames = np.zeros(len(sample.valid))
    frames[_blinks(sample).onsets] = sample.fps
    return frames


def _rate_items(sample: Sample) -> Items:
    items = onset_frames(_blinks(sample), sample.valid)
    return Items(items.frames, items.values * sample.fps)


def _long(blinks: Blinks, fps: float) -> Items:
    return Items(blinks.onsets, (blinks.ends - blinks.onsets > SHORT_SECONDS * fps + 1e-9).astype(np.float64))
