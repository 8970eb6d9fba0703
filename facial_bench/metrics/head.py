"""Head motion, the definitions: how wide it is, how fast, and whether it moves on the beat of the speech.

Source: docs/metrics.md.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from facial_bench.core.types import MetricSpec, Motion, Sample
from facial_bench.metrics.head_motion import (
    DANCE_SIGMA_SECONDS,
    PROMINENCE,
    SIGMA_SECONDS,
    SMOOTHING_SECONDS,
    angular_speed,
    audio_beats,
    beat_alignment,
    dance_alignment,
    mean_speed,
    motion_beats,
    std_distance,
)

AXES = ("pitch", "yaw", "roll")


def head_metrics() -> tuple[MetricSpec, ...]:
    """The definitions of this family."""
    head = partial(MetricSpec, version=1, higher_is_better=False, family="head", needs=("pose",))
    spread = partial(
        head,
        unit="degrees",
        origin="standard deviation of head pose, reported by many talking-head papers without a formula",
        pitfalls="how wide the head moves over a clip, nothing of how or when: wrong motion of the right size scores 0",
        perturbations=("head amplitude",),
    )
    speed = partial(head, unit="degrees/frame", perturbations=("jitter", "smoothing"), every_run=True)
    beat = partial(head, unit="1", perturbations=("time shift",))
    angle = (
        "|.| the angle of the rotation from frame t-1 to t, degrees; both frames valid; R from pitch, yaw, roll as "
        "extrinsic xyz angles"
    )
    found = (
        f"motion beats m: local minima of the head's angular speed after a Gaussian of {SMOOTHING_SECONDS:g} s; audio "
        "beats a: local maxima of sum_f max(audio[t,f] - audio[t-1,f], 0) with a prominence of "
        f"{PROMINENCE:g} standard deviation or more; 0 without a motion beat, not defined without an audio beat"
    )
    beats = f"mean over audio beats a of exp(-min_m (t_m - t_a)^2 / (2 sigma^2)), sigma {SIGMA_SECONDS:g} s; {found}"
    dance = (
        f"mean over motion beats m of exp(-min_a (t_m - t_a)^2 / (2 sigma^2)), sigma {DANCE_SIGMA_SECONDS:g} s; {found}"
    )
    music = (
        "beat alignment as Bailando (CVPR 2022) takes it, over audio beats, and SadTalker (CVPR 2023) for heads; sigma "
        "0.1 s is ours; AI Choreographer's, over motion beats, is beat_align/dance"
    )
    paper = (
        "AI Choreographer (ICCV 2021): over motion beats, sigma 3 frames at its 60 a second, there to make up for "
        "other rates, so 0.05 s here; its motion beats are of joints, ours of the head"
    )
    return (
        spread(
            id="pose_std_distance",
            meaning="whether the head moves as widely as the real one",
            formula="mean over pitch, yaw, roll of abs(std_t generated - std_t real), degrees, valid t",
            compute=lambda s: _spreads(s).mean(),
            every_run=True,
        ),
        *(
            spread(
                id=f"pose_std_distance/{name}",
                meaning=f"whether the head moves as widely as the real one, {name} alone",
                formula=f"abs(std_t generated - std_t real) of {name}, degrees, valid t",
                compute=partial(_spread_of, k),
            )
            for k, name in enumerate(AXES)
        ),
        speed(
            id="pose_speed",
            higher_is_better=None,
            meaning="how fast the head turns",
            formula=f"mean_t |^R[t-1]^T ^R[t]|, {angle}",
            compute=lambda s: angular_speed(s.generated.pose[:, :3], s.valid),
            origin="mean absolute frame difference of head rotation",
            pitfalls="jitter raises it as much as motion does",
        ),
        speed(
            id="pose_speed/distance",
            meaning="whether the head turns as fast as the real one",
            formula=f"abs(mean_t |^R[t-1]^T ^R[t]| - mean_t |R[t-1]^T R[t]|), {angle}",
            compute=lambda s: np.abs(
                mean_speed(s.reference.pose[:, :3], s.valid) - mean_speed(s.generated.pose[:, :3], s.valid)
            ),
            origin="pose_speed against the real clip's own",
            pitfalls="jitter on a still head can hit the right mean speed",
        ),
        beat(
            id="beat_align",
            higher_is_better=None,
            meaning="whether the head pauses on the beats of the speech",
            formula=beats,
            compute=lambda s: _alignment(beat_alignment, s, s.generated),
            origin=music,
            every_run=True,
            pitfalls="real motion scores BELOW generators in public tables, and more motion beats always help: jitter "
            "is rewarded",
        ),
        beat(
            id="beat_align/distance",
            meaning="whether the head keeps to the beats as much as the real one",
            formula=f"abs(generated - real) of: {beats}",
            compute=lambda s: _apart(beat_alignment, s),
            origin=music,
            every_run=True,
            pitfalls="a clip has few audio beats: differences below a tenth are noise",
        ),
        beat(
            id="beat_align/dance",
            higher_is_better=None,
            meaning="whether the pauses of the head fall on beats of the speech",
            formula=dance,
            compute=lambda s: _alignment(dance_alignment, s, s.generated),
            origin=paper,
            pitfalls="a head that pauses once, on a beat, scores 1; some code takes 3 frames at any rate: 0.12 s at 25 "
            "frames a second",
        ),
        beat(
            id="beat_align/dance-distance",
            meaning="whether as many of the head's pauses fall on beats as of the real one",
            formula=f"abs(generated - real) of: {dance}",
            compute=lambda s: _apart(dance_alignment, s),
            origin=f"beat_align/dance against the real clip's own; {paper}",
            pitfalls="a head with few pauses has few chances: differences below a tenth are noise",
        ),
    )


def _spreads(sample: Sample) -> np.ndarray:
    return std_distance(sample.reference.pose[:, :3], sample.generated.pose[:, :3], sample.valid)


def _spread_of(axis: int, sample: Sample) -> np.float64:
    return np.float64(_spreads(sample)[axis])


Alignment = Callable[[np.ndarray, np.ndarray, float], np.float64]


def _alignment(function: Alignment, sample: Sample, motion: Motion) -> np.float64:
    heard = audio_beats(sample.audio)
    heard = heard[sample.valid[heard]]
    return function(motion_beats(motion.pose[:, :3], sample.valid, sample.fps), heard, sample.fps)


def _apart(function: Alignment, sample: Sample) -> np.float64:
    return np.abs(_alignment(function, sample, sample.reference) - _alignment(function, sample, sample.generated))
