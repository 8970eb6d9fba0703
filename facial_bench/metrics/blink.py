"""Blinks, the definitions: how often, how long, how far apart."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from facial_bench.core.types import Items, MetricSpec, Sample
from facial_bench.metrics.blink_detector import (
    LONGEST_SECONDS,
    Blinks,
    detect_blinks,
    durations,
    intervals,
    levels,
    onset_frames,
)
from facial_bench.metrics.pools import mean_pool, rate_distance_pool, wasserstein_pool

SHORT_SECONDS = 0.2
"""Up to here a blink is short, above it long."""


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
